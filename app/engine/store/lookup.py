"""Reading the catalogue: which items may be found, and what they are."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from app.engine.store.damage import leave_out_thumbnails
from app.engine.store.database import Database
from app.engine.store.filters import below_condition, file_condition, label_condition
from app.engine.store.integrity import checksum, known, path_bytes, sound
from app.engine.store.spaces import Ids
from app.engine.types import Filters, ItemKind, ItemRef, MediaKind

CACHED_FILTERS = 16
CONTENTS_AT_ONCE = 10_000
"""SQLite takes 32,766 values in a statement."""
SOUND_THUMBNAIL = sound("t", item_id="integer", image="blob")


@dataclass(frozen=True)
class ItemRow:
    """An item and the files that hold it, by path."""

    id: int
    sha256: bytes
    media_kind: MediaKind
    kind: ItemKind
    start_ms: int
    end_ms: int | None
    paths: tuple[bytes, ...]


@dataclass(frozen=True)
class FileFacts:
    """What the details pane tells of an item's file."""

    width_px: int | None
    height_px: int | None
    duration_ms: int | None
    taken_ms: int | None
    caption: str
    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, eq=False)
class _Visible:
    """The visible items among the items up to ``last_id``, as they were at a version of the database."""

    version: int
    rewrites: int
    last_id: int
    ids: Ids


NOTHING_VISIBLE = _Visible(0, 0, 0, np.empty(0, np.int64))


class Lookup:
    """Questions to one library's catalogue."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._visible: OrderedDict[tuple[Filters, tuple[ItemKind, ...]], _Visible] = OrderedDict()
        self._visible_lock = threading.Lock()

    @property
    def version(self) -> int:
        """Another one once anything was written to the library."""
        return self._database.version

    def visible(self, filters: Filters, kinds: Iterable[ItemKind]) -> Ids:
        """The items of these kinds that some file still holds and the filters let through, ascending.

        Kept for the next time, and the same array while it is still all: see `Database` for when that is.
        """
        item_kinds = tuple(sorted(kinds))
        key = (filters, item_kinds)
        with self._visible_lock:
            # Both counts first: what is read after them may be newer than they say, and never older.
            version, rewrites = self._database.version, self._database.rewrites
            held = self._visible.pop(key, None)
            if held is None or held.version != version:
                # Labels come to items that were there long before.
                grows = held is not None and held.rewrites == rewrites and not filters.labels
                known = held if grows and held is not None else NOTHING_VISIBLE
                last_id, newer = self._visible_after(known.last_id, filters, item_kinds)
                ids = np.concatenate((known.ids, newer))
                if held is not None and np.array_equal(ids, held.ids):
                    ids = held.ids
                held = _Visible(version, rewrites, last_id, ids)
            self._visible[key] = held
            if len(self._visible) > CACHED_FILTERS:
                self._visible.popitem(last=False)
            return held.ids

    def _visible_after(self, item_id: int, filters: Filters, kinds: Sequence[ItemKind]) -> tuple[int, Ids]:
        """The last item there is, and those visible after ``item_id`` up to it."""
        conditions, values = file_condition(filters)
        labelled, names = label_condition(filters)
        marks = ",".join("?" * len(kinds))
        (last_id,) = self._database.read.execute("SELECT coalesce(max(id), 0) FROM items").fetchone()
        rows = self._database.read.execute(
            "SELECT i.id FROM items i JOIN contents c ON c.id = i.content_id "
            f"WHERE i.id > ? AND i.id <= ? AND i.kind IN ({marks}) AND {labelled} "
            f"AND EXISTS (SELECT 1 FROM files f WHERE f.content_id = c.id AND {conditions}) ORDER BY i.id",
            (item_id, last_id, *kinds, *names, *values),
        ).fetchall()
        return last_id, np.array(rows, dtype=np.int64).reshape(-1)

    def items(self, item_ids: Sequence[int]) -> dict[int, ItemRow]:
        """The rows of these items that some file holds."""
        rows = self._database.read.execute(
            "SELECT i.id, c.sha256, c.kind, i.kind, i.start_ms, i.end_ms, CAST(f.path AS BLOB) FROM items i "
            "JOIN contents c ON c.id = i.content_id JOIN files f ON f.content_id = c.id "
            "WHERE i.id IN (SELECT value FROM json_each(?)) ORDER BY f.path",
            (json.dumps([*item_ids]),),
        )
        found: dict[int, ItemRow] = {}
        for item_id, sha256, media_kind, kind, start_ms, end_ms, path in rows:
            before = found[item_id].paths if item_id in found else ()
            paths = (*before, path_bytes(path))
            found[item_id] = ItemRow(
                item_id, sha256, known(MediaKind, media_kind), known(ItemKind, kind), start_ms, end_ms, paths
            )
        return found

    def refs(self, item_ids: Sequence[int]) -> dict[int, ItemRef]:
        """What these items are, of those that some file holds."""
        return {row.id: ItemRef(row.sha256, row.kind, row.start_ms) for row in self.items(item_ids).values()}

    def item_ids(self, refs: Iterable[ItemRef]) -> dict[ItemRef, int]:
        """The ids of these items, of those that some file holds."""
        wanted = set(refs)
        contents = sorted({ref.sha256 for ref in wanted})
        found: dict[ItemRef, int] = {}
        for begin in range(0, len(contents), CONTENTS_AT_ONCE):
            some = contents[begin : begin + CONTENTS_AT_ONCE]
            rows = self._database.read.execute(
                "SELECT c.sha256, i.kind, i.start_ms, i.id FROM contents c JOIN items i ON i.content_id = c.id "
                f"WHERE c.sha256 IN ({','.join('?' * len(some))}) "
                "AND EXISTS (SELECT 1 FROM files f WHERE f.content_id = c.id)",
                some,
            )
            for sha256, kind, start_ms, item_id in rows:
                ref = ItemRef(sha256, known(ItemKind, kind), start_ms)
                if ref in wanted:
                    found[ref] = item_id
        return found

    def find_item(self, sha256: bytes, kind: ItemKind, start_ms: int) -> int | None:
        row = self._database.read.execute(
            "SELECT i.id FROM items i JOIN contents c ON c.id = i.content_id "
            "WHERE c.sha256 = ? AND i.kind = ? AND i.start_ms = ?",
            (sha256, kind, start_ms),
        ).fetchone()
        return row[0] if row else None

    def moments(self, sha256: bytes, kinds: Iterable[ItemKind]) -> list[tuple[ItemKind, int]]:
        """The items of a content among these kinds: kind and start."""
        item_kinds = list(kinds)
        marks = ",".join("?" * len(item_kinds))
        rows = self._database.read.execute(
            "SELECT i.kind, i.start_ms FROM items i JOIN contents c ON c.id = i.content_id "
            f"WHERE c.sha256 = ? AND i.kind IN ({marks}) ORDER BY i.start_ms",
            (sha256, *item_kinds),
        )
        return [(known(ItemKind, kind), start_ms) for kind, start_ms in rows]

    def items_of(self, sha256: bytes) -> Ids:
        rows = self._database.read.execute(
            "SELECT i.id FROM items i JOIN contents c ON c.id = i.content_id WHERE c.sha256 = ?", (sha256,)
        ).fetchall()
        return np.array(rows, dtype=np.int64).reshape(-1)

    def paths_of(self, sha256: bytes) -> tuple[bytes, ...]:
        rows = self._database.read.execute(
            "SELECT f.path FROM files f JOIN contents c ON c.id = f.content_id WHERE c.sha256 = ? ORDER BY f.path",
            (sha256,),
        )
        return tuple(path for (path,) in rows)

    def content_at(self, path: bytes) -> tuple[bytes, int, int] | None:
        """The content of a known file, with the size and time it had: (sha256, size_bytes, mtime_ns)."""
        row = self._database.read.execute(
            "SELECT c.sha256, f.size_bytes, f.mtime_ns FROM files f JOIN contents c ON c.id = f.content_id "
            "WHERE f.path = ?",
            (path,),
        ).fetchone()
        return (row[0], row[1], row[2]) if row else None

    def thumbnails(self, item_ids: Sequence[int]) -> dict[int, bytes]:
        """Pictures by item. A damaged one is dropped and made again by the next run."""
        rows = self._database.read.execute(
            "SELECT item_id, CAST(image AS BLOB), crc FROM thumbnails "
            "WHERE item_id IN (SELECT value FROM json_each(?))",
            (json.dumps([*item_ids]),),
        ).fetchall()
        pictures = {item_id: image for item_id, image, crc in rows if checksum(item_id, image) == crc}
        if len(pictures) != len(rows):
            leave_out_thumbnails(self._database, [item_id for item_id, _, _ in rows if item_id not in pictures])
        return pictures

    def facts(self, item_id: int, path: bytes) -> FileFacts | None:
        row = self._database.read.execute(
            "SELECT c.width_px, c.height_px, c.duration_ms, c.taken_ms, c.caption, f.size_bytes, f.mtime_ns "
            "FROM items i JOIN contents c ON c.id = i.content_id JOIN files f ON f.content_id = c.id "
            "WHERE i.id = ? AND f.path = ?",
            (item_id, path),
        ).fetchone()
        return FileFacts(*row) if row else None

    def item_counts(self, folder: bytes | None = None, but: Sequence[bytes] = ()) -> dict[ItemKind, int]:
        """How many items files hold, by kind, but for those below the folders ``but``; copies of one file count
        once."""
        counts = dict.fromkeys(ItemKind, 0)
        if folder is None:  # all, but those of contents that have lost their last file, which touched them
            rows = self._database.read.execute(
                "SELECT kind, count(*) FROM items GROUP BY kind UNION ALL "
                "SELECT i.kind, -count(*) FROM touched t CROSS JOIN items i ON i.content_id = t.content_id "
                "WHERE NOT EXISTS (SELECT 1 FROM files f WHERE f.content_id = i.content_id) GROUP BY i.kind"
            )
        else:
            condition, values = below_condition(folder, but)
            rows = self._database.read.execute(
                "SELECT i.kind, count(*) FROM items i WHERE EXISTS "
                f"(SELECT 1 FROM files f WHERE f.content_id = i.content_id AND {condition}) GROUP BY i.kind",
                values,
            )
        for kind, count in rows:
            counts[known(ItemKind, kind)] += count
        return counts

    def file_counts(self, folder: bytes | None = None, but: Sequence[bytes] = ()) -> dict[MediaKind, int]:
        """How many decoded files there are, by kind, but for those below the folders ``but``."""
        condition, values = below_condition(folder, but) if folder else ("1", ())
        rows = self._database.read.execute(
            "SELECT c.kind, count(*) FROM files f JOIN contents c ON c.id = f.content_id "
            f"WHERE c.failure IS NULL AND {condition} GROUP BY c.kind",
            values,
        )
        counts = dict.fromkeys(MediaKind, 0)
        counts.update({known(MediaKind, kind): count for kind, count in rows})
        return counts
