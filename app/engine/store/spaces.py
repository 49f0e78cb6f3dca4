"""What was computed: which contents each space has, and its vectors."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from app.engine.errors import LibraryDamaged
from app.engine.jobs import Job
from app.engine.samples import Vectors
from app.engine.store.batches import STORED, STORED_BYTES, Batch, Sampling, Work, write_facts, write_item
from app.engine.store.damage import leave_out_vectors
from app.engine.store.database import Database
from app.engine.store.integrity import is_sound
from app.engine.types import MediaKind, Space

FORGOTTEN_AT_ONCE = 4096

ROW_BYTES, INDEX_BYTES = 22, 36
"""Of a vector: its numbers, checksum and lengths beside it in its row, and its entries in both indexes."""

Ids = npt.NDArray[np.int64]

_VectorRow = tuple[int, int, bytes, int]
_VECTOR_ROWS = "SELECT id, item_id, CAST(vector AS BLOB), crc FROM vectors WHERE space_id = ?"

ATTEMPTS = 3
"""How often a content is tried that fails by a cause which may pass."""

# Of a content c: it may be decodable; its items were cut by another sampling.
_DECODABLE = f"(c.failure IS NULL OR c.attempts BETWEEN 1 AND {ATTEMPTS - 1})"
_STALE = (
    f"(c.kind <> '{MediaKind.PHOTO}' AND c.sampling IS NOT :sampling "
    "AND EXISTS (SELECT 1 FROM items i WHERE i.content_id = c.id))"
)


class Spaces:
    """The vectors of one library."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ensure(self, encoder: str, fingerprint: str, dim: int) -> Space:
        """The space of an encoder at a fingerprint, made at first use."""
        if space := self.find(encoder, fingerprint):
            return space
        with self._database.transaction() as change:
            change.execute(
                "INSERT INTO spaces (encoder, fingerprint, dim) VALUES (?, ?, ?)", (encoder, fingerprint, dim)
            )
        space = self.find(encoder, fingerprint)
        assert space is not None  # noqa: S101 - just written
        return space

    def find(self, encoder: str, fingerprint: str) -> Space | None:
        row = self._database.read.execute(
            "SELECT id, encoder, fingerprint, dim FROM spaces WHERE encoder = ? AND fingerprint = ?",
            (encoder, fingerprint),
        ).fetchone()
        return Space(*row) if row else None

    def all(self) -> tuple[Space, ...]:
        rows = self._database.read.execute("SELECT id, encoder, fingerprint, dim FROM spaces ORDER BY id")
        return tuple(Space(*row) for row in rows)

    def of_encoder(self, encoder: str) -> tuple[Space, ...]:
        """The spaces of an encoder, one for each of its fingerprints."""
        rows = self._database.read.execute(
            "SELECT id, encoder, fingerprint, dim FROM spaces WHERE encoder = ? ORDER BY id", (encoder,)
        )
        return tuple(Space(*row) for row in rows)

    def forget(self, space: Space, job: Job) -> None:
        """Delete a space with its vectors, in steps.

        Raises:
            Cancelled: the job was cancelled; what is left is deleted when this is asked for again.
        """
        for table, key in (("encoded", "content_id"), ("vectors", "id")):
            left = True
            while left:
                job.check()
                with self._database.transaction(rewrites=True) as change:
                    done = change.execute(
                        f"DELETE FROM {table} WHERE space_id = ? AND {key} IN "
                        f"(SELECT {key} FROM {table} WHERE space_id = ? LIMIT {FORGOTTEN_AT_ONCE})",
                        (space.id, space.id),
                    )
                    left = done.rowcount > 0
                    job.advance(done.rowcount if table == "vectors" else 0)
        with self._database.transaction(rewrites=True) as change:
            change.execute("DELETE FROM spaces WHERE id = ?", (space.id,))

    # --- indexing ---

    def pass_over(self, space_id: int, kinds: Sequence[MediaKind]) -> None:
        """Mark contents of these ``kinds``, which the space cannot take, as done without decoding them again.

        Only contents that were decoded before: of the others the kind is a guess by the file's name.
        """
        marks = ",".join("?" * len(kinds))
        with self._database.transaction() as change:
            change.execute(
                "INSERT OR IGNORE INTO encoded (content_id, space_id) SELECT c.id, ? FROM contents c "
                f"WHERE c.kind IN ({marks}) AND EXISTS (SELECT 1 FROM encoded e WHERE e.content_id = c.id)",
                (space_id, *kinds),
            )

    def work(self, space_ids: Sequence[int], sampling: Sampling) -> list[Work]:
        """The contents that have a file, may be decodable, and lack one of the spaces or were cut otherwise."""
        among = "c.id IN (SELECT content_id FROM touched)" if self.complete(space_ids, sampling) else "1"
        rows = self._database.read.execute(
            "SELECT c.id, min(f.path), (SELECT group_concat(e.space_id) FROM encoded e WHERE e.content_id = c.id), "
            f"{_STALE} FROM contents c JOIN files f ON f.content_id = c.id WHERE {_DECODABLE} AND {among} "
            "GROUP BY c.id ORDER BY 2",
            {"sampling": str(sampling)},
        )
        work = []
        for content_id, path, done, stale in rows:
            have = {int(space_id) for space_id in done.split(",")} if done and not stale else set()
            if missing := tuple(space_id for space_id in space_ids if space_id not in have):
                work.append(Work(content_id, self._reachable(content_id, path), missing, bool(stale)))
        return work

    def complete(self, space_ids: Sequence[int], sampling: Sampling) -> bool:
        """Whether every content but the touched ones has all that these spaces take of it, cut by this sampling."""
        rows = self._database.read.execute("SELECT id FROM spaces WHERE complete = ?", (str(sampling),))
        return set(space_ids) <= {space_id for (space_id,) in rows}

    def settled(self, space_ids: Sequence[int], sampling: Sampling) -> bool:
        """Whether nothing is left to do for these spaces: no content lacks one, none has lost its last file."""
        (touched,) = self._database.read.execute("SELECT EXISTS (SELECT 1 FROM touched)").fetchone()
        return not touched and self.complete(space_ids, sampling)

    def settle(self, space_ids: Sequence[int], sampling: Sampling) -> None:
        """Find out which contents still lack one of these spaces or have no file: from now on these and those that a
        change touches are the only ones that `work` looks at."""
        lacking = (
            f"{_DECODABLE} AND ({_STALE} OR (SELECT count(*) FROM json_each(:spaces)) > (SELECT count(*) "
            "FROM encoded e WHERE e.content_id = c.id AND e.space_id IN (SELECT value FROM json_each(:spaces))))"
        )
        unheld = "NOT EXISTS (SELECT 1 FROM files f WHERE f.content_id = c.id)"
        values = {"spaces": json.dumps([*space_ids]), "sampling": str(sampling)}
        with self._database.transaction() as change:
            if not self.complete(space_ids, sampling):
                change.execute(f"INSERT OR IGNORE INTO touched SELECT c.id FROM contents c WHERE {lacking}", values)
            change.execute(
                "UPDATE spaces SET complete = iif(id IN (SELECT value FROM json_each(:spaces)), :sampling, NULL)",
                values,
            )
            change.execute(
                "DELETE FROM touched WHERE content_id NOT IN (SELECT c.id FROM touched t "
                f"CROSS JOIN contents c ON c.id = t.content_id WHERE {unheld} OR {lacking})",
                values,
            )

    def _reachable(self, content_id: int, path: bytes) -> bytes:
        """A copy of the content that is there, ``path`` if it is."""
        if os.path.lexists(path):
            return path
        copies = self._database.read.execute("SELECT path FROM files WHERE content_id = ? ORDER BY path", (content_id,))
        return next((copy for (copy,) in copies if os.path.lexists(copy)), path)

    def commit(self, batch: Batch) -> None:
        """Write a batch in one transaction. Contents that were forgotten since they were decoded stay forgotten."""
        with self._database.transaction(rewrites=bool(batch.renewed)) as change:
            kept = _present(change, {item.content_id for item in batch.items} | {id_ for id_, _ in batch.finished})
            for table in ("items", "encoded"):
                change.executemany(
                    f"DELETE FROM {table} WHERE content_id = ?",
                    [(content_id,) for content_id in batch.renewed],
                )
            for content_id, facts in batch.facts.items():
                write_facts(change, content_id, facts)
            for item in batch.items:
                if item.content_id in kept:
                    write_item(change, item)
            change.executemany(
                "INSERT INTO encoded (content_id, space_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
                [(content_id, space_id) for content_id, space_id in batch.finished if content_id in kept],
            )
            change.executemany(
                "UPDATE contents SET sampling = ?, failure = NULL, attempts = 0 WHERE id = ?",
                [(sampling, content_id) for content_id, sampling in batch.sampled.items()],
            )
            change.executemany(
                "UPDATE contents SET failure = ?, attempts = iif(?, attempts + 1, 0) WHERE id = ?",
                [(failure.reason, failure.passing, content_id) for content_id, failure in batch.failures.items()],
            )

    # --- reading vectors ---

    @property
    def version(self) -> int:
        """See `Database`."""
        return self._database.version

    @property
    def rewrites(self) -> int:
        """See `Database`."""
        return self._database.rewrites

    @property
    def last_row(self) -> int:
        """The number of the last vector ever written; none is given twice."""
        row = self._database.read.execute("SELECT seq FROM sqlite_sequence WHERE name = 'vectors'").fetchone()
        return int(row[0]) if row else 0

    def count(self, space_id: int) -> int:
        """How many vectors a space has."""
        (count,) = self._database.read.execute(
            "SELECT count(*) FROM vectors WHERE space_id = ?", (space_id,)
        ).fetchone()
        return int(count)

    def vector_bytes(self, space_id: int) -> int:
        """What one of a space's vectors takes in the database, its row, its share of a page, and its entries in two
        indexes included; 0 where it has none. SQLite's own count, `dbstat`, says the same within a hundredth."""
        row = self._database.read.execute(
            "SELECT length(vector) FROM vectors WHERE space_id = ? LIMIT 1", (space_id,)
        ).fetchone()
        if row is None:
            return 0
        (page_bytes,) = self._database.read.execute("PRAGMA page_size").fetchone()
        row_bytes = int(row[0]) + ROW_BYTES
        per_page = page_bytes // row_bytes  # no row is divided between pages
        return round(page_bytes / per_page if per_page else row_bytes) + INDEX_BYTES

    def count_held(self, space_id: int) -> int:
        """How many vectors a space has of items that some file holds: all, but those of contents that have lost their
        last file, which touched them."""
        (unheld,) = self._database.read.execute(
            "SELECT count(*) FROM touched t CROSS JOIN items i ON i.content_id = t.content_id "
            "CROSS JOIN vectors v ON v.item_id = i.id AND v.space_id = ? "
            "WHERE NOT EXISTS (SELECT 1 FROM files f WHERE f.content_id = t.content_id)",
            (space_id,),
        ).fetchone()
        return self.count(space_id) - int(unheld)

    def is_empty(self, space_id: int) -> bool:
        row = self._database.read.execute("SELECT 1 FROM vectors WHERE space_id = ? LIMIT 1", (space_id,)).fetchone()
        return row is None

    def rows(self, space_id: int, after_row: int = 0) -> tuple[Ids, Ids]:
        """The rows written after ``after_row``, ascending, and the items whose vectors they hold."""
        rows = self._database.read.execute(
            "SELECT id, item_id FROM vectors WHERE space_id = ? AND id > ? ORDER BY id", (space_id, after_row)
        ).fetchall()
        try:
            pairs = np.array(rows, dtype=np.int64).reshape(-1, 2)
        except (TypeError, ValueError):
            raise LibraryDamaged(
                "This library is damaged", "An entry in it is wrong. Check the library, then index again."
            ) from None
        return pairs[:, 0].copy(), pairs[:, 1].copy()

    def after(self, space: Space, row: int, block: int = 4096) -> Iterator[tuple[Ids, Ids, Vectors]]:
        """The vectors written after ``row``, ascending, in blocks: (rows, item ids, vectors).

        Damaged ones are dropped, here and in `of_items`, and made again by the next run.
        """
        while True:
            rows = self._database.read.execute(
                f"{_VECTOR_ROWS} AND id > ? ORDER BY id LIMIT ?",
                (space.id, row, block),
            ).fetchall()
            if not rows:
                return
            row = rows[-1][0]
            if (sound := self._sound(space, rows)) is not None:
                yield sound

    def of_items(self, space: Space, item_ids: Ids, block: int = 4096) -> Iterator[tuple[Ids, Vectors]]:
        """The vectors of certain items, in blocks; items without one are left out."""
        for begin in range(0, len(item_ids), block):
            rows = self._database.read.execute(
                f"{_VECTOR_ROWS} AND item_id IN (SELECT value FROM json_each(?))",
                (space.id, json.dumps(item_ids[begin : begin + block].tolist())),
            ).fetchall()
            if (sound := self._sound(space, rows)) is not None:
                yield sound[1:]

    def _sound(self, space: Space, rows: list[_VectorRow]) -> tuple[Ids, Ids, Vectors] | None:
        """Rows, item ids and vectors of what is as it was written; None where nothing is."""
        damaged = {row[0]: row[1] for row in rows if not is_sound(space.id, *row[1:])}
        if damaged:
            leave_out_vectors(self._database, damaged, space.id)
            rows = [row for row in rows if row[0] not in damaged]
        if any(len(row[2]) != space.dim * STORED_BYTES for row in rows):
            raise LibraryDamaged(
                "This library is damaged", "A model's entry in it is wrong. Check the library, then index again."
            )
        if not rows:
            return None
        numbers, item_ids, blobs, _ = zip(*rows, strict=True)
        return np.array(numbers, np.int64), np.array(item_ids, np.int64), _vectors(blobs, space.dim)


def _present(connection: sqlite3.Connection, content_ids: set[int]) -> set[int]:
    """Those of these contents that the library still has."""
    rows = connection.execute(
        "SELECT id FROM contents WHERE id IN (SELECT value FROM json_each(?))", (json.dumps([*content_ids]),)
    )
    return {content_id for (content_id,) in rows}


def _vectors(blobs: Sequence[bytes], dim: int) -> Vectors:
    vectors = np.frombuffer(b"".join(blobs), dtype=STORED).reshape(len(blobs), dim).astype(np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return vectors
