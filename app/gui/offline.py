"""Which files cannot be reached now because the drive that their folder is on is away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from app.engine.librarytypes import Root


@dataclass(frozen=True)
class Offline:
    """The roots that are away, and those that are there. A file is away if one of the first holds it and none of the
    others does."""

    away: tuple[str, ...] = ()
    there: tuple[str, ...] = ()

    @staticmethod
    def among(roots: Sequence[Root]) -> Offline:
        return Offline(
            tuple(root.path for root in roots if not root.online), tuple(root.path for root in roots if root.online)
        )

    def root_of(self, path: str) -> str | None:
        """The folder that must come back before this file can be opened; None if it is there."""
        if not self.away or _holder(self.there, path):
            return None
        return _holder(self.away, path)


def _holder(roots: Sequence[str], path: str) -> str | None:
    return next((root for root in roots if PurePath(path).is_relative_to(root)), None)
