"""What becomes of a damaged row that can be computed again: it goes, and with it the mark that its content is done, so
that the next run makes it anew. Judgments and test queries cannot be made anew; they are left out and told of."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from app.engine.errors import AppError
from app.engine.store.database import Database

log = logging.getLogger(__name__)

Pairs = Iterable[tuple[int, int]]


def leave_out_vectors(database: Database, items: Mapping[int, int], space_id: int) -> None:
    """Drop vectors that were read and found damaged: their items by row. Where even that fails, a check is due."""
    database.doubt(f"{len(items)} damaged vectors were removed; indexing makes them again.")
    try:
        with database.transaction(rewrites=True) as change:
            drop_vectors(change, items)
            unmark(change, ((item_id, space_id) for item_id in items.values()))
    except AppError as error:
        log.warning("they could not be removed yet: %s", error)


def leave_out_thumbnails(database: Database, item_ids: Sequence[int]) -> None:
    """Drop thumbnails that were read and found damaged; where even that fails, a check is due."""
    database.doubt(f"{len(item_ids)} damaged thumbnails were removed; indexing makes them again.")
    try:
        with database.transaction(rewrites=True) as change:
            drop_thumbnails(change, item_ids)
    except AppError as error:
        log.warning("they could not be removed yet: %s", error)


def drop_vectors(change: sqlite3.Connection, rows: Iterable[int]) -> None:
    """Also those that an index only led to in another's place are made again."""
    for row in rows:
        unmark(change, change.execute("SELECT item_id, space_id FROM vectors WHERE id = ?", (row,)).fetchall())
        change.execute("DELETE FROM vectors WHERE id = ?", (row,))


def drop_thumbnails(change: sqlite3.Connection, item_ids: Sequence[int]) -> None:
    """One model that encodes a content again is enough: its thumbnails come from the same decoding."""
    change.executemany("DELETE FROM thumbnails WHERE item_id = ?", [(item_id,) for item_id in item_ids])
    change.execute(
        "DELETE FROM encoded WHERE (content_id, space_id) IN (SELECT e.content_id, min(e.space_id) FROM encoded e "
        "JOIN items i ON i.content_id = e.content_id WHERE i.id IN (SELECT value FROM json_each(?)) "
        "AND EXISTS (SELECT 1 FROM vectors v WHERE v.item_id = i.id AND v.space_id = e.space_id) "
        "GROUP BY e.content_id)",
        (json.dumps([*item_ids]),),
    )


def unmark(change: sqlite3.Connection, pairs: Pairs) -> None:
    """The contents of these items are to be encoded again: pairs of item and space."""
    change.executemany(
        "DELETE FROM encoded WHERE content_id = (SELECT content_id FROM items WHERE id = ?) AND space_id = ?",
        list(pairs),
    )


def forget_contents(change: sqlite3.Connection, content_ids: Iterable[int]) -> None:
    """Forget contents with all that was computed from them, and have their files read again. Judgments stay."""
    ids = [(content_id,) for content_id in content_ids]
    change.executemany("UPDATE files SET content_id = NULL, size_bytes = -1 WHERE content_id = ?", ids)
    change.executemany("DELETE FROM contents WHERE id = ?", ids)
    look_again(change)


def look_again(change: sqlite3.Connection) -> None:
    """Have the next run look at every file of every folder."""
    change.execute("UPDATE folders SET digest = NULL")
