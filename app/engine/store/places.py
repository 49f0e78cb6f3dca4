"""Finds the file that a path in somebody's list means: in full, from a folder on, or by its name alone."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property

from app.engine.store.database import Database
from app.engine.store.files import within_condition
from app.engine.types import ItemKind, ItemRef

_SEPARATOR = os.fsencode(os.sep)
Found = tuple[bytes, bytes]
"""A file's path, and the SHA-256 of its content."""


class Places:
    """The files of a library as they are now, for one import.

    Args:
        database: of the library.
        bases: the folders that a path may be relative to, the likelier ones first.
    """

    def __init__(self, database: Database, bases: Sequence[bytes]) -> None:
        self._database = database
        self._bases = bases

    def find(self, path: str) -> Found | None:
        """The file of this path; else the files whose path ends so, if they are of one content."""
        try:
            named = os.fsencode(path)
        except UnicodeEncodeError:  # half a surrogate pair: no file has such a name
            return None
        for base in self._bases:
            candidate = os.path.normpath(os.path.join(base, named))
            if sha256 := self._content_at(candidate):
                return candidate, sha256
        tail = os.path.normpath(named)
        ends = [found for found in self._by_name.get(os.path.basename(tail), ()) if _ends(found[0], tail)]
        return ends[0] if len({sha256 for _, sha256 in ends}) == 1 else None

    def _content_at(self, path: bytes) -> bytes | None:
        row = self._database.read.execute(
            "SELECT c.sha256 FROM files f JOIN contents c ON c.id = f.content_id WHERE f.path = ?", (path,)
        ).fetchone()
        return row[0] if row else None

    @cached_property
    def _by_name(self) -> dict[bytes, list[Found]]:
        found: dict[bytes, list[Found]] = defaultdict(list)
        rows = self._database.read.execute(
            "SELECT CAST(f.path AS BLOB), c.sha256 FROM files f JOIN contents c ON c.id = f.content_id ORDER BY f.path"
        )
        for path, sha256 in rows:
            found[os.path.basename(path)].append((path, sha256))
        return found


def refs_below(database: Database, folder: bytes) -> dict[bytes, tuple[ItemRef, ...]]:
    """The items of every file at or below a folder, by the file's path, each file's in their order; files without
    items are left out."""
    condition, values = within_condition(folder)
    rows = database.read.execute(
        "SELECT CAST(f.path AS BLOB), c.sha256, i.kind, i.start_ms FROM files f "
        f"JOIN contents c ON c.id = f.content_id JOIN items i ON i.content_id = c.id WHERE {condition} "
        "ORDER BY f.path, i.kind = 'audio', i.start_ms",
        values,
    )
    found: dict[bytes, list[ItemRef]] = defaultdict(list)
    for path, sha256, kind, start_ms in rows:
        found[path].append(ItemRef(sha256, ItemKind(kind), start_ms))
    return {path: tuple(refs) for path, refs in found.items()}


def _ends(path: bytes, tail: bytes) -> bool:
    return path == tail or path.endswith(_SEPARATOR + tail)
