"""Where a network runs, and what happens when memory runs out there."""

from __future__ import annotations

import contextlib
import functools
import platform
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch

from app.engine.encoders.batching import BatchSize
from app.engine.encoders.oom import is_out_of_memory
from app.engine.encoders.precision import Precision, half_type, in_full
from app.engine.errors import AppError, DeviceExhausted

S = TypeVar("S")
Forward = Callable[[Sequence[S], str], torch.Tensor]
"""Samples and a device name to an (n, dim) tensor on that device."""

CPU = "cpu"


def choose(wanted: str = "auto") -> str:
    """The device to run on: ``wanted``, or for "auto" the first of CUDA, MPS and CPU that is there.

    Raises:
        AppError: the wanted device is not there.
    """
    present = [CPU]
    if torch.backends.mps.is_available():
        present.insert(0, "mps")
    if torch.cuda.is_available():
        present.insert(0, "cuda")
    if wanted == "auto":
        return present[0]
    if wanted.split(":")[0] not in present:
        raise AppError("No such device", f"This machine has no “{wanted}”. Choose one of: auto, {', '.join(present)}.")
    return wanted


def describe(device: str) -> str:
    """The machine that computes, as measurements are filed under it: what it is, torch's release, and its threads."""
    if device.startswith("cuda"):
        name = torch.cuda.get_device_name(device)
    else:
        name = "Apple GPU" if device == "mps" else str(torch.cpu.get_capabilities().get("cpu_name", platform.machine()))
    return f"{name}, torch {torch.__version__}, {torch.get_num_threads()} threads"


class Placement:
    """A network on a device, and how many samples at a time that device has room for.

    Thread-safe. Batches take turns, so that a query waits for a batch and not for a whole job; on the CPU, where it
    needs next to no memory, it does not even wait for that.

    Args:
        module: the network.
        device: where it is to run.
        batch_size: how many samples it takes at first.
        largest: how many it may be given once a measurement has shown that to be faster; no more than at first if None.
    """

    def __init__(self, module: torch.nn.Module, device: str, batch_size: int, largest: int | None = None) -> None:
        self._module = module.eval().requires_grad_(False)
        self._lock = threading.Lock()
        self._precision: Precision | None = None
        self._new_size = functools.partial(BatchSize, batch_size, largest or batch_size)
        self._size = self._new_size()
        self._device = CPU
        if device.startswith("cuda"):
            # TensorFloat-32 keeps 10 bits of mantissa. A space mixes vectors of GPU and CPU, so both compute alike.
            torch.backends.cudnn.allow_tf32 = False
        if device != CPU:
            self._move_if_room(device)

    @property
    def device(self) -> str:
        return self._device

    @property
    def batch_size(self) -> int:
        """How many samples the next batch may hold: what is fastest as far as is known, and fits."""
        return self._size.current

    @property
    def weights_bytes(self) -> int:
        """What the network's numbers take."""
        tensors = (*self._module.parameters(), *self._module.buffers())
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

    def allow_half(self, is_faster: bool | None, remember: Callable[[bool], object]) -> None:
        """Compute in half precision where that is faster and near enough, if this device has one. See `Precision`."""
        if (half := half_type(self._device)) is not None:
            self._precision = Precision(self._device, half, is_faster, remember)

    def run(self, forward: Forward[S], samples: Sequence[S]) -> npt.NDArray[np.float32]:
        """``forward`` over ``samples`` in batches: (len(samples), dim) float32.

        When memory runs out the batch is halved down to one sample; then the network moves to the CPU for good and
        begins there with its first batch size. What fitted is remembered.

        Raises:
            DeviceExhausted: one sample does not fit even on the CPU.
        """
        rows: list[npt.NDArray[np.float32]] = []
        done = 0
        is_query = len(samples) == 1
        while done < len(samples):
            with contextlib.nullcontext() if is_query and self._device == CPU else self._lock:
                batch = samples[done : done + self._size.current]
                began_s = time.perf_counter()
                encoded = self._attempt(forward, batch)
                self._size.took(len(batch), time.perf_counter() - began_s)
                if encoded is None:
                    self._retreat(len(batch))
                    continue
            rows.append(encoded)
            done += len(batch)
        return np.concatenate(rows)

    def _attempt(self, forward: Forward[S], batch: Sequence[S]) -> npt.NDArray[np.float32] | None:
        """The rows of one batch, or None when memory ran out. Once this has returned, the error and with it the
        tensors that its traceback holds are gone."""
        try:
            rows = self._precision.rows if self._precision else in_full
            return rows(forward, batch, self._device).numpy()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return None

    def _retreat(self, failed_size: int) -> None:
        self._free_cache()
        if failed_size > 1:
            self._size.halve(failed_size)
        elif self._device != CPU:
            self._module.to(CPU)
            self._free_cache()
            self._device, self._size = CPU, self._new_size()
        else:
            raise DeviceExhausted(
                "Out of memory",
                "There is not enough free memory to run this model. Close other programs, or choose a smaller model.",
            )

    def _move_if_room(self, device: str) -> None:
        try:
            self._module.to(device)
            self._device = device
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            self._module.to(CPU)

    def _free_cache(self) -> None:
        if self._device.startswith("cuda"):
            torch.cuda.empty_cache()
        elif self._device == "mps":
            torch.mps.empty_cache()
