"""What a database's schema looks like, to be compared with that of one that was just made."""

from __future__ import annotations

import functools
import sqlite3
from contextlib import closing

from app.engine.store.upgrading import migrate

Shape = frozenset[tuple[str, str, str, str]]


@functools.cache
def expected_shape(of_words: bool = False) -> Shape:
    """The shape of a database that was just made."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        return shape(connection, of_words)


def shape(connection: sqlite3.Connection, of_words: bool = False) -> Shape:
    """The columns, types and references of every table, the columns of every index, and the triggers: what a damaged
    schema changes and another version of SQLite, which may keep the same tables in other words, does not.

    ``of_words``: that of the tables in which FTS5 keeps its index, which it alone knows.
    """
    facts: set[tuple[str, str, str, str]] = set()
    for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_schema").fetchall():
        if name.startswith("sqlite_"):
            continue
        if kind != "table":
            facts.add((name, kind, "", sql or ""))
            continue
        for pragma in ("table_xinfo", "foreign_key_list"):
            facts |= {(name, pragma, "", repr(row)) for row in connection.execute(f"PRAGMA {pragma}({name})")}
        for _, index, *rest in connection.execute(f"PRAGMA index_list({name})").fetchall():
            columns = connection.execute(f"PRAGMA index_xinfo({index})").fetchall()
            facts.add((name, "index", index, repr((rest, columns))))
    return frozenset(fact for fact in facts if fact[0].startswith("words_") is of_words)
