"""What goes into a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.engine.evaltypes import Evaluation, Robustness
from app.engine.judgingtypes import Agreement, QuerySet


@dataclass(frozen=True)
class Environment:
    """Where and when it was measured. ``made_at`` is ISO 8601 with its offset; ``packages`` are those that decide
    about figures, by name, with their versions."""

    made_at: str
    version: str
    library: str
    machine: str
    packages: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """``evaluation`` has hits where results are to be shown. ``pictures`` are encoded thumbnails by item id, and
    ``query_pictures`` by query id; both empty where none are wanted, and ``pictures_left`` how many results have none
    so that the page stays small. ``set`` None: queries of several sets."""

    title: str
    environment: Environment
    evaluation: Evaluation
    set: QuerySet | None = None
    robustness: Robustness | None = None
    agreements: tuple[Agreement, ...] = ()
    pictures: Mapping[int, bytes] = field(default_factory=dict)
    query_pictures: Mapping[int, bytes] = field(default_factory=dict)
    pictures_left: int = 0


_ORDERING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the order of others around: a name can pass for another by them."""


def printable(text: str) -> str:
    """Text as every reader takes it: bytes of a file name that are no text, control characters, and those that turn
    the order of others around are shown as escapes."""
    escaped = text.encode("utf-8", "backslashreplace").decode()
    return "".join(_escape(char) if _is_hidden(char) else char for char in escaped)


def _is_hidden(char: str) -> bool:
    return char in _ORDERING or (char not in "\n\t" and (ord(char) < 32 or 127 <= ord(char) < 160))


def _escape(char: str) -> str:
    return char.encode("ascii", "backslashreplace").decode() if ord(char) > 127 else f"\\x{ord(char):02x}"
