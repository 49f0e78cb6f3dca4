"""Bringing a database to this program's schema, in one transaction that can be watched and cancelled."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from app import __version__
from app.engine.jobs import NULL_JOB, Cancelled, Job
from app.engine.store import integrity, migrations

MADE_BY = "semblance"
"""The key of the setting that says which version of the program brought a library to its schema."""

INSTRUCTIONS_BETWEEN_LOOKS = 10_000
"""Of SQLite's machine, between two looks whether the job is cancelled: some milliseconds."""

UPGRADING = "Bringing the library up to date"
FINISHING = "Writing the changes to the disk"

_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,40}")


def schema_of(connection: sqlite3.Connection) -> int:
    """The schema of a database; 0 of one that was just made."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def made_by(connection: sqlite3.Connection) -> str:
    """Which version of the program brought a library to its schema, be it a later one; "" where it does not say."""
    try:
        row = connection.execute("SELECT value FROM settings WHERE key = ?", (MADE_BY,)).fetchone()
        version = json.loads(row[0]) if row else ""
    except (sqlite3.DatabaseError, ValueError, TypeError):
        return ""
    return version if isinstance(version, str) and _VERSION.fullmatch(version) else ""


def migrate(connection: sqlite3.Connection, job: Job = NULL_JOB) -> None:
    """Bring a database to this program's schema in one transaction: whatever happens, it is as it was or up to date.
    ``job`` is told of the change of an earlier schema, in bytes where these are many, and then that the change is
    written, which cannot be cancelled any more.

    Raises:
        Cancelled: the job was cancelled; nothing was changed.
        sqlite3.Error: the disk failed.
    """
    version = schema_of(connection)
    if version >= migrations.SCHEMA_VERSION:
        return
    watch = _Watch(connection, job)
    if version:
        job.begin(UPGRADING, _bytes_to_sum(connection, version), in_bytes=True)
    connection.set_progress_handler(watch.look, INSTRUCTIONS_BETWEEN_LOOKS)
    try:
        connection.execute("BEGIN IMMEDIATE")
        for migration in migrations.MIGRATIONS[version:]:
            migration(connection)
        value = json.dumps(__version__)
        connection.execute(
            "INSERT OR REPLACE INTO settings (key, value, crc) VALUES (?, ?, ?)",
            (MADE_BY, value, integrity.checksum(MADE_BY, value)),
        )
        connection.execute(f"PRAGMA user_version = {migrations.SCHEMA_VERSION}")
        if version:
            job.begin(FINISHING, is_final=True)
        connection.execute("COMMIT")
    except BaseException as error:
        if connection.in_transaction:  # SQLite has rolled back by itself where the disk failed
            connection.execute("ROLLBACK")
        if isinstance(error, sqlite3.Error) and error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            raise Cancelled from error
        raise
    finally:
        connection.set_progress_handler(None, 0)
        integrity.register(connection)


def _bytes_to_sum(connection: sqlite3.Connection, version: int) -> int | None:
    """About how many bytes the steps put through checksums; None where it is next to nothing."""
    asked = [migrations.BYTES_SUMMED.get(step) for step in migrations.MIGRATIONS[version:]]
    parts = [part for query in asked if query for part in connection.execute(query).fetchone()]
    return int(sum(part for part in parts if part)) or None  # no part of a table without rows


class _Watch:
    """Counts the bytes that go through the checksums of a connection, and tells a job of them."""

    def __init__(self, connection: sqlite3.Connection, job: Job) -> None:
        self._job = job
        self._new_bytes = 0
        connection.create_function("checksum", -1, self._counted(integrity.checksum), deterministic=True)
        connection.create_function("vector_checksum", 3, self._counted(integrity.vector_checksum), deterministic=True)

    def look(self) -> bool:
        """Whether the job was cancelled. SQLite calls it in the midst of a statement, where nothing may be raised."""
        progress = self._job.progress
        new_bytes, self._new_bytes = self._new_bytes, 0
        left_bytes = (progress.total or 0) - progress.done  # the total is an estimate
        if 0 < new_bytes < left_bytes:
            with suppress(Cancelled):
                if progress.done:
                    self._job.advance(new_bytes)
                else:  # the time before the first bytes says nothing about how fast they are
                    self._job.begin(UPGRADING, progress.total, new_bytes, in_bytes=True)
        return self._job.cancelled

    def _counted(self, function: Callable[..., int]) -> Callable[..., int]:
        def call(*values: Any) -> int:
            self._new_bytes += sum(len(value) for value in values if isinstance(value, bytes))
            return function(*values)

        return call
