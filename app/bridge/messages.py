"""What travels between the window's process and the engine's: small frozen values, pickled by `multiprocessing`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.engine.jobs import Progress
from app.engine.librarytypes import News
from app.engine.types import Hit

PART_HITS = 512


class Lane(StrEnum):
    """Requests of one lane are answered in order; lanes do not wait for each other."""

    QUICK = "quick"
    """Searching and judging."""
    VIEW = "view"
    """Thumbnails, previews and counts: what the window draws."""
    BULK = "bulk"
    """Indexing: one long job at a time."""
    EVALUATE = "evaluate"
    """Measuring, imports and reports: beside indexing, and never before a search."""
    FETCH = "fetch"
    """Models come and go: one at a time, beside everything else."""
    REMOVE = "remove"
    """Files of models are deleted, gigabytes at a time, whatever is being fetched."""
    CHECK = "check"
    """Looking at the machine, which takes long and concerns nothing else."""
    ADVICE = "advice"
    """What is told of models before they come. The first advice imports torch, for which no picture waits."""


class Action(StrEnum):
    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"


@dataclass(frozen=True)
class Request:
    id: int
    method: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Control:
    id: int
    action: Action


@dataclass(frozen=True)
class Answer:
    id: int
    value: Any


@dataclass(frozen=True)
class Part:
    """Hits of a long answer to a search; the last ones come with the `Answer` itself. Unpickling holds the
    interpreter, and with all hits at once the window would stand still."""

    id: int
    hits: tuple[Hit, ...]


@dataclass(frozen=True)
class Fault:
    id: int
    error: Exception


@dataclass(frozen=True)
class Event:
    """What the engine tells without being asked; see `News` for the values."""

    name: News
    value: Any


@dataclass(frozen=True)
class Report:
    id: int
    progress: Progress
