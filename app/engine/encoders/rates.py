"""How fast the models of one data home are on this machine: timed on purpose, or while they encoded a library."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Mapping, Sequence

from app.engine.encoders.speeds import Speeds
from app.engine.types import Modality

RATED_ITEMS = 64
"""Fewer tell of loading and of first batches, not of a speed."""


class Rates:
    """Items a second by model. Thread-safe.

    Args:
        speeds: of the data home.
        device: where models run, as `app.engine.encoders.device.choose` takes it.
    """

    def __init__(self, speeds: Speeds, device: str = "auto") -> None:
        self._speeds = speeds
        self._device = device

    def of(self, key: str) -> tuple[Mapping[str, float], str]:
        """Items a second of a model by their kind, and the device: "cpu", "cuda", "mps". Empty where nothing is known;
        what is no number above zero (the file is open to hands) is left out.

        Raises:
            AppError: there is no such device.
        """
        if not self._speeds.path.is_file():  # torch would be loaded for nothing
            return {}, ""
        from app.engine.encoders import device

        chosen = device.choose(self._device)
        kept = self._speeds.of(device.describe(chosen), "items_per_s").get(key)
        rates = kept.items() if isinstance(kept, dict) else ()
        numbers = {kind: rate for kind, rate in rates if isinstance(rate, int | float) and rate > 0}
        return numbers, chosen.split(":")[0]

    def keep(self, key: str, kind: Modality, turns: Sequence[tuple[int, float]]) -> None:
        """Keep the median speed of turns of encoding, (items, seconds) each, unless they are few or one is kept:
        `app.engine.installing.measuring` has the processor to itself, and its figure stands."""
        if sum(items for items, _seconds in turns) < RATED_ITEMS:
            return
        if "torch" not in sys.modules:  # the built-in models do without, and their speed is not worth loading it
            return
        from app.engine.encoders import device

        known, _device = self.of(key)
        if kind not in known:
            machine = device.describe(device.choose(self._device))
            per_s = statistics.median(items / max(seconds, 1e-9) for items, seconds in turns)
            self._speeds.remember(machine, "items_per_s", {key: {**known, kind.value: per_s}})
