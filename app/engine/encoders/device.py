"""Where a network runs, and what happens when memory runs out there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch

from app.engine.errors import AppError, DeviceExhausted

S = TypeVar("S")
Forward = Callable[[Sequence[S], str], torch.Tensor]
"""Samples and a device name to an (n, dim) tensor on that device."""

CPU = "cpu"

_MEMORY_WORDS = ("out of memory", "can't allocate memory", "alloc_failed")
"""How CUDA and MPS, the CPU allocator, and cuBLAS and cuDNN say it in a RuntimeError."""


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


def is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _MEMORY_WORDS)


class Placement:
    """A network on a device, and how many samples at a time that device has room for.

    Thread-safe. The lock is held for one batch at a time, so that a query waits for a batch and not for a whole job.
    """

    def __init__(self, module: torch.nn.Module, device: str, batch_size: int) -> None:
        self._module = module.eval().requires_grad_(False)
        self._lock = threading.Lock()
        self._first_batch_size = batch_size
        self._batch_size = batch_size
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
        """How many samples the next batch may hold: what last fitted."""
        return self._batch_size

    def run(self, forward: Forward[S], samples: Sequence[S]) -> npt.NDArray[np.float32]:
        """``forward`` over ``samples`` in batches: (len(samples), dim) float32.

        When memory runs out the batch is halved down to one sample; then the network moves to the CPU for good and
        begins there with its first batch size. What fitted is remembered.

        Raises:
            DeviceExhausted: one sample does not fit even on the CPU.
        """
        rows: list[npt.NDArray[np.float32]] = []
        done = 0
        while done < len(samples):
            with self._lock:
                batch = samples[done : done + self._batch_size]
                encoded = self._attempt(forward, batch)
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
            with torch.inference_mode():
                return forward(batch, self._device).float().cpu().numpy()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return None

    def _retreat(self, failed_size: int) -> None:
        self._free_cache()
        if failed_size > 1:
            self._batch_size = failed_size // 2
        elif self._device != CPU:
            self._module.to(CPU)
            self._free_cache()
            self._device, self._batch_size = CPU, self._first_batch_size
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
