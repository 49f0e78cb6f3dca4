"""Which files cannot be reached now because the drive that their folder is on is away."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from app.engine.types import Root


class Offline:
    """The roots of a library that are not there. A file is away if one of them holds it and no other root does."""

    def __init__(self, roots: Sequence[Root] = ()) -> None:
        self._away = tuple(root.path for root in roots if not root.online)
        self._there = tuple(root.path for root in roots if root.online)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Offline) and (self._away, self._there) == (other._away, other._there)

    __hash__ = None  # type: ignore[assignment]

    def root_of(self, path: str) -> str | None:
        """The folder that must come back before this file can be opened; None if it is there."""
        if not self._away or _holder(self._there, path):
            return None
        return _holder(self._away, path)


def _holder(roots: Sequence[str], path: str) -> str | None:
    return next((root for root in roots if path == root or PurePath(path).is_relative_to(root)), None)
