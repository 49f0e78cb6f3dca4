"""The words about labels: what a library's pictures are called, and how sure that is.

Only the standard library is imported here, as in `types`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LabelCount:
    """A label of the library's list and how many pictures have it among their likely ones. Of these ``judged`` were
    judged, and ``right`` found right."""

    name: str
    items: int
    judged: int = 0
    right: int = 0


@dataclass(frozen=True)
class LabelStatus:
    """The labels of a library. ``model`` gives them; ``pending`` pictures have not been looked at with the present
    list. ``calibrated``: confidences follow judgments, ``judged`` of them; else they are the model's own."""

    labels: tuple[LabelCount, ...]
    model: str = ""
    pending: int = 0
    calibrated: bool = False
    judged: int = 0
    set_id: int | None = None
    """The set of test queries in which the labels are judged."""


@dataclass(frozen=True)
class ItemLabel:
    """``confidence`` is a probability, 0 to 1, that a person would say so."""

    name: str
    confidence: float


@dataclass(frozen=True)
class FileLabels:
    """The labels of one moment of a file: a photo's has no ``start_ms``."""

    start_ms: int | None
    labels: tuple[ItemLabel, ...]
