"""Every table against its indexes, which are second copies of what it holds: where the two differ, one was damaged."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from app.engine.jobs import Job
from app.engine.store import damage
from app.engine.store.database import Database
from app.engine.store.integrity import number
from app.engine.store.labels import forget_labels

TABLES = (
    "roots",
    "folders",
    "files",
    "contents",
    "items",
    "spaces",
    "vectors",
    "encoded",
    "thumbnails",
    "query_sets",
    "queries",
    "labels",
    "item_labels",
)
KEYED_TABLES = ("encoded", "item_labels")
"""Computed, and without row numbers: what orders them is a key that can be damaged."""

BYTES = (("roots", "path"), ("folders", "path"), ("files", "path"), ("contents", "sha256"))

Copies = dict[str, list[dict[str, object]]]
"""By table: rows of which table and index tell different things, as either of the two has them."""


def mend(database: Database, job: Job, mended: list[str]) -> None:
    """Find the rows of which a table and its index tell different things, and forget what cannot be trusted.
    ``mended`` takes a sentence for each thing that was, at once: it holds also where the next one fails.

    Raises:
        Cancelled: the job was cancelled; what was mended stays mended.
        sqlite3.Error: a table itself cannot be read, or the disk fails.
    """
    copies = {table: rows for table in TABLES if (rows := _readable_differing(database, table, job, mended))}
    if not copies:
        return
    with database.transaction(rewrites=True) as change:
        for table in copies:
            change.execute(f"REINDEX {table}")
        for table, column in BYTES:  # one bit makes them text, of the same bytes
            change.execute(f"UPDATE {table} SET {column} = CAST({column} AS BLOB) WHERE typeof({column}) = 'text'")
        _forget(change, copies)
    mended += [f"Damaged entries in the list of {table} were mended ({len(rows)})." for table, rows in copies.items()]


def _readable_differing(database: Database, table: str, job: Job, mended: list[str]) -> list[dict[str, object]]:
    job.check()
    try:
        return list(_differing(database.read, table))
    except sqlite3.DatabaseError:  # SQLite's own check does not read all of an index
        with database.transaction(rewrites=True) as change:
            change.execute(f"REINDEX {table}")
    mended.append(f"The index of {table} was damaged and is made again.")
    return list(_differing(database.read, table))


def _differing(read: sqlite3.Connection, table: str) -> Iterator[dict[str, object]]:
    # NOT INDEXED alone does not keep SQLite from reading an index of a table without row numbers.
    itself = f"INDEXED BY sqlite_autoindex_{table}_1" if table in KEYED_TABLES else "NOT INDEXED"
    indexes = read.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?", (table,)
    ).fetchall()
    for index, sql in indexes:
        columns = [name or "rowid" for _, _, name, *_ in read.execute(f"PRAGMA index_xinfo({index})")]
        condition = "".join((sql or "").partition(" WHERE ")[1:])
        shown = ", ".join(f"CAST({name} AS BLOB)" if name != "rowid" else name for name in columns)
        sides = [f"SELECT {shown} FROM {table} {way}{condition}" for way in (itself, f"INDEXED BY {index}")]
        for one, other in (sides, sides[::-1]):
            for row in read.execute(f"{one} EXCEPT {other}").fetchall():
                yield dict(zip(columns, row, strict=True))


def _forget(change: sqlite3.Connection, copies: Copies) -> None:
    contents = {number(row.get("rowid")) for row in copies.get("contents", ())}
    contents |= {
        content_id
        for row in copies.get("items", ())
        for (content_id,) in change.execute("SELECT content_id FROM items WHERE id = ?", (row.get("rowid"),))
    }
    contents |= {number(row["content_id"]) for row in copies.get("items", ()) if "content_id" in row}
    damage.forget_contents(change, contents)
    for row in copies.get("files", ()):
        change.execute("DELETE FROM words WHERE rowid = ?", (row["rowid"],))
        change.execute("DELETE FROM files WHERE id = ?", (row["rowid"],))
    if "folders" in copies:
        change.execute("UPDATE folders SET digest = NULL, device = NULL, files = 0, skipped = '[]'")
    if "files" in copies:
        damage.look_again(change)
    change.executemany(
        "DELETE FROM encoded WHERE content_id = ? AND space_id = ?",
        [(number(row["content_id"]), number(row["space_id"])) for row in copies.get("encoded", ())],
    )
    damage.unmark(
        change,
        [
            (number(row["item_id"]), number(row["space_id"]))
            for row in copies.get("vectors", ())
            if {"item_id", "space_id"} <= row.keys()
        ],
    )
    for row in copies.get("spaces", ()):
        if "fingerprint" in row:  # whose vectors these are is not known any more
            change.execute("DELETE FROM spaces WHERE id = ?", (row["rowid"],))
    if "item_labels" in copies:
        forget_labels(change)
    if "spaces" in copies:
        change.execute(
            "UPDATE spaces SET dim = coalesce((SELECT length(vector) / 2 FROM vectors "
            "WHERE space_id = spaces.id LIMIT 1), dim)"
        )
