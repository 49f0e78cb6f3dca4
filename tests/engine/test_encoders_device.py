"""What happens when a device runs out of memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from app.engine.encoders.device import Placement, choose
from app.engine.encoders.oom import is_out_of_memory
from app.engine.errors import AppError, DeviceExhausted

CUDA_SAYS = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
MPS_SAYS = RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GB).")
CPU_SAYS = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes.")
CUBLAS_SAYS = RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")


class Doubler:
    """A forward function with room for ``room`` samples on each device; it doubles them."""

    def __init__(self, error: BaseException, **room: int) -> None:
        self.error = error
        self.room = room
        self.calls: list[tuple[str, int]] = []

    def __call__(self, samples: Sequence[float], device: str) -> torch.Tensor:
        self.calls.append((device, len(samples)))
        if len(samples) > self.room[device]:
            raise self.error
        return torch.tensor(samples).unsqueeze(1) * 2


class MetaPlacement(Placement):
    """A placement whose "device" is torch's meta device, since a test has no GPU to exhaust."""

    def __init__(self, batch_size: int) -> None:
        super().__init__(torch.nn.Identity(), "meta", batch_size)


SAMPLES = [float(i) for i in range(10)]
DOUBLED = np.array([[2.0 * i] for i in range(10)], np.float32)


@pytest.mark.parametrize("error", [CUDA_SAYS, MPS_SAYS, CPU_SAYS, CUBLAS_SAYS, MemoryError()])
def test_a_batch_that_does_not_fit_is_halved_and_what_fits_is_remembered(error: BaseException) -> None:
    placement = Placement(torch.nn.Identity(), "cpu", 8)
    forward = Doubler(error, cpu=3)
    np.testing.assert_array_equal(placement.run(forward, SAMPLES), DOUBLED)
    assert forward.calls[:3] == [("cpu", 8), ("cpu", 4), ("cpu", 2)]
    assert placement.batch_size == 2
    forward.calls.clear()
    placement.run(forward, SAMPLES)
    assert {size for _, size in forward.calls} == {2}


def test_where_not_even_one_fits_the_network_moves_to_the_cpu_and_stays() -> None:
    placement = MetaPlacement(4)
    assert placement.device == "meta"
    forward = Doubler(CUDA_SAYS, meta=0, cpu=100)
    np.testing.assert_array_equal(placement.run(forward, SAMPLES), DOUBLED)
    assert forward.calls == [("meta", 4), ("meta", 2), ("meta", 1), ("cpu", 4), ("cpu", 4), ("cpu", 2)]
    assert placement.device == "cpu"
    placement.run(forward, SAMPLES)
    assert forward.calls[-1][0] == "cpu"


def test_where_the_cpu_has_no_room_either_a_person_is_told() -> None:
    placement = MetaPlacement(2)
    with pytest.raises(DeviceExhausted, match="Close other programs"):
        placement.run(Doubler(MPS_SAYS, meta=0, cpu=0), SAMPLES)


def test_another_error_is_no_lack_of_memory() -> None:
    placement = Placement(torch.nn.Identity(), "cpu", 8)
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        placement.run(Doubler(RuntimeError("mat1 and mat2 shapes cannot be multiplied"), cpu=1), SAMPLES)
    assert not is_out_of_memory(ValueError("out of memory"))


def test_a_device_that_is_not_there_is_refused_by_name() -> None:
    assert choose("cpu") == "cpu"
    assert choose() in ("cuda", "mps", "cpu")
    with pytest.raises(AppError, match=r"no “abacus”.* auto"):
        choose("abacus")


def test_a_network_that_does_not_fit_the_device_starts_on_the_cpu() -> None:
    class Heavy(torch.nn.Module):
        def to(self, device: str) -> Heavy:  # type: ignore[override]
            if device != "cpu":
                raise CUDA_SAYS
            return self

    assert Placement(Heavy(), "meta", 4).device == "cpu"
