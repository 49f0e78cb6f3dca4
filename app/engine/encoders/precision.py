"""Half precision: taken where this device is measured to be faster with it, and where the vectors stay what they are.

Vectors of both precisions share a space, as those of a GPU and a CPU do: their cosine is at least `FIDELITY`, and what
is stored is rounded to half precision in any case.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from app.engine.encoders.oom import is_out_of_memory

FIDELITY = 0.999
"""The least cosine between the vectors of both precisions, of every sample of the first batch."""
WORTH = 1.1
"""Half precision must be so many times as fast."""
LEAST_BATCH = 4
"""A smaller one tells nothing of the speed."""
TIMED_RUNS = 2
"""After one that is not timed."""

Run = Callable[[Sequence[Any], str], torch.Tensor]


def half_type(device: str) -> torch.dtype | None:
    """The half precision that a device has units for; None where it can only be slower."""
    if device.startswith("cuda") or device == "mps":
        return torch.float16
    return torch.bfloat16 if device == "cpu" and torch.cpu.get_capabilities().get("amx_bf16") else None


class Precision:
    """How one network computes on one device: in single precision, or in half once that has shown to be good.

    What is found out is decided for each forward function at its first batch. A single sample, which is a query, is
    always computed in single precision. Not thread-safe: batches take turns.

    Args:
        device: where the network is; wherever it moves to, it computes in single precision.
        half: the device's half precision.
        is_faster: what was measured before, None: not yet.
        remember: told what was measured.
        now_s: the clock.
    """

    def __init__(
        self,
        device: str,
        half: torch.dtype,
        is_faster: bool | None,
        remember: Callable[[bool], object],
        now_s: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._device = device
        self._half = half
        self._is_faster = is_faster
        self._remember = remember
        self._now_s = now_s
        self._halved: dict[Run, bool] = {}

    def rows(self, forward: Run, batch: Sequence[Any], device: str) -> torch.Tensor:
        """(len(batch), dim) float32 on the CPU.

        Raises:
            RuntimeError, MemoryError: memory ran out, or the network fails.
        """
        if device != self._device or len(batch) == 1 or self._halved.get(forward) is False:
            return in_full(forward, batch, device)
        if forward not in self._halved:
            return self._decided(forward, batch)
        rows = self._in_half(forward, batch)
        if not rows.isfinite().all():  # a number beyond half precision's: this network has some
            self._halved[forward] = False
            return in_full(forward, batch, device)
        return rows

    def _decided(self, forward: Run, batch: Sequence[Any]) -> torch.Tensor:
        """The batch in single precision, and whether the next ones are to be computed in half."""
        rows = in_full(forward, batch, self._device)
        if self._is_faster is None and len(batch) >= LEAST_BATCH:
            self._is_faster = self._measured(forward, batch)
            self._remember(self._is_faster)
        if self._is_faster is not None:
            self._halved[forward] = self._is_faster and self._is_faithful(forward, batch, rows)
        return rows

    def _measured(self, forward: Run, batch: Sequence[Any]) -> bool:
        try:
            half_s = self._took_s(lambda: self._in_half(forward, batch))
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            return False  # the device has no such operation
        return half_s * WORTH < self._took_s(lambda: in_full(forward, batch, self._device))

    def _took_s(self, work: Callable[[], object]) -> float:
        work()
        times_s = []
        for _ in range(TIMED_RUNS):
            began_s = self._now_s()
            work()
            times_s.append(self._now_s() - began_s)
        return min(times_s)

    def _is_faithful(self, forward: Run, batch: Sequence[Any], rows: torch.Tensor) -> bool:
        cosines = torch.nn.functional.cosine_similarity(self._in_half(forward, batch).double(), rows.double())
        return bool((cosines >= FIDELITY).all())

    def _in_half(self, forward: Run, batch: Sequence[Any]) -> torch.Tensor:
        with torch.autocast(self._device.split(":")[0], self._half):
            return in_full(forward, batch, self._device)


def in_full(forward: Run, batch: Sequence[Any], device: str) -> torch.Tensor:
    """(len(batch), dim) float32 on the CPU."""
    with torch.inference_mode():
        return forward(batch, device).float().cpu()
