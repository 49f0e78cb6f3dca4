"""What a measurement is: a ratio with its target, how often it was taken, how far the runs differ, what limits it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from app.engine.errors import AppError


class NothingToMeasure(AppError):
    """What a measurement is taken on is not there."""

    def __init__(self, message: str, folder: Path | None = None) -> None:
        super().__init__("There is nothing to measure", message, None if folder is None else str(folder))


def nothing_in(folder: Path | None, what: str) -> NothingToMeasure:
    """A folder of the user's holds none of ``what``."""
    return NothingToMeasure(
        f"This folder holds no {what} to measure on. Give another, or none: then files are made.", folder
    )


@dataclass(frozen=True)
class Target:
    """A bound that a ratio is to keep: ``Target(">=", 0.9)``."""

    sign: Literal[">=", "<="]
    bound: float

    def met(self, ratio: float) -> bool:
        return ratio >= self.bound if self.sign == ">=" else ratio <= self.bound

    def __str__(self) -> str:
        return f"{self.sign} {self.bound:g}"


@dataclass(frozen=True)
class Figure:
    """The median of ``runs`` ratios. ``spread`` is the distance of the highest from the lowest, as a share of it.

    ``details`` are the absolute numbers behind it, their units in their names; ``limited_by`` says what keeps the
    ratio where it is: a clause without a capital and a full stop.
    """

    name: str
    ratio: float
    target: Target
    runs: int
    spread: float
    limited_by: str
    details: Mapping[str, float] = field(default_factory=dict)

    @property
    def met(self) -> bool:
        return self.target.met(self.ratio)


def figure(name: str, ratios: Sequence[float], target: Target, limited_by: str, **details: float) -> Figure:
    """The figure of some interleaved runs' ratios."""
    median = statistics.median(ratios)
    spread = (max(ratios) - min(ratios)) / abs(median) if median else 0.0
    return Figure(name, median, target, len(ratios), spread, limited_by, details)


@dataclass(frozen=True)
class Workbench:
    """Where a measurement works and on what.

    ``scratch`` is an empty folder of its own, taken away afterwards. ``folder`` is a folder of the user's to measure
    on, or None for generated files. ``reference`` is the project's reference data, where it is. ``scale`` shrinks the
    generated sizes, 1.0 being the full ones; ``runs`` is how often each side is timed, in turns. ``home`` is the
    data home whose installed models may be measured.
    """

    scratch: Path
    folder: Path | None = None
    reference: Path | None = None
    scale: float = 1.0
    runs: int = 5
    note: Callable[[str], None] = lambda _text: None
    home: Path | None = None

    def scaled(self, full: int, least: int = 1) -> int:
        """``full`` at this scale."""
        return max(least, round(full * self.scale))


Measure = Callable[[Workbench], Sequence[Figure]]
"""Takes one or more figures. An area's module lists its measures by name in ``MEASURES``."""
