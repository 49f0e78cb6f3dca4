"""The copy of a library's database that is made before it is brought up to date.

It lies beside the database, ``library.schema2.backup.sqlite`` of one that was of schema 2, and has that one's time of
change, by which it is known to be of this very state: what failed or was killed after the copy is not copied again.
The next upgrade's copy takes its place.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from app.engine.errors import AppError
from app.engine.jobs import Job
from app.engine.librarytypes import LibraryBackup
from app.engine.sizes import in_words
from app.engine.store.migrations import SCHEMA_VERSION
from app.engine.syncing import sync_file, sync_folder

COPYING = "Backing up the library"
PAGES_AT_ONCE = 4096
GROWTH = 1.5
"""What bringing a library up to date takes beside the copy, in parts of its size. Measured with 200,000 photos, from
schema 1 on: the journal 1.09 for a while, the file 0.12 for good."""

PART = ".part"
"""What the name of a file ends with that is not finished."""


def backup_path(database: Path, schema: int) -> Path:
    """Where the copy of a database of this schema goes."""
    return database.with_name(f"{database.stem}.schema{schema}.backup.sqlite")


def set_aside_path(database: Path, schema: int) -> Path:
    """Where a database of this schema goes when a copy is put in its place: a name that nothing has."""
    stem = f"{database.stem}.schema{schema}.set-aside"
    names = (database.with_name(f"{stem}{number}.sqlite") for number in ("", *range(2, 1000)))
    return next(path for path in names if not path.exists())


def backups(database: Path) -> tuple[LibraryBackup, ...]:
    """The copies that lie beside a database, the latest schema last."""
    return _beside(database, r"backup")


def set_aside(database: Path) -> tuple[LibraryBackup, ...]:
    """What was there when copies were put back, the latest schema last."""
    return _beside(database, r"set-aside\d*")


def way_back(database: Path) -> LibraryBackup | None:
    """The latest copy beside a database that this program can read."""
    readable = [backup for backup in backups(database) if backup.schema <= SCHEMA_VERSION]
    return readable[-1] if readable else None


def _beside(database: Path, kind: str) -> tuple[LibraryBackup, ...]:
    name = re.compile(rf"{re.escape(database.stem)}\.schema(\d+)\.{kind}\.sqlite")
    found = []
    for path in database.parent.glob(f"{database.stem}.schema*.sqlite"):
        if match := name.fullmatch(path.name):
            with suppress(OSError):
                facts = path.stat()
                found.append(LibraryBackup(str(path), int(match[1]), facts.st_size, facts.st_mtime_ns // 1_000_000))
    return tuple(sorted(found, key=lambda backup: (backup.schema, backup.changed_ms)))


def settle(connection: sqlite3.Connection) -> bool:
    """Move the journal into the database's file, unless another program reads it now: that may last for hours. Whether
    the file holds everything then."""
    (patience_ms,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute(f"PRAGMA busy_timeout = {patience_ms}")
    return not busy


def back_up(connection: sqlite3.Connection, database: Path, schema: int, job: Job) -> None:
    """Copy a database of an earlier schema, unless this state of it was copied before.

    Raises:
        AppError: there is no room for the copy and the upgrade, or the copy cannot be written. Nothing was changed.
        sqlite3.Error: the disk failed.
        Cancelled: the job was cancelled; nothing was changed.
    """
    is_settled = settle(connection)  # so that the file and its time are of all of it
    facts = database.stat()
    path = backup_path(database, schema)
    part = path.with_name(path.name + PART)
    is_there = is_settled and path.exists() and path.stat().st_mtime_ns == facts.st_mtime_ns
    try:
        part.unlink(missing_ok=True)
        _check_room(database, facts.st_size, GROWTH + (not is_there))
        if is_there:
            return
        _copy(connection, part, job)
        os.utime(part, ns=(facts.st_mtime_ns, facts.st_mtime_ns))
        sync_file(part)
        part.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise AppError(
            "This library could not be backed up",
            "It was made by an earlier Semblance and is copied before it is brought up to date, which failed "
            f"({error.strerror or error}). Nothing was changed: see that its folder can be written, then try again.",
            str(database.parent),
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def drop_earlier(database: Path, schema: int) -> None:
    """Delete the copies of schemas before this one: those of upgrades before the last."""
    for backup in backups(database):
        if backup.schema < schema:
            with suppress(OSError):
                Path(backup.path).unlink()


def _check_room(database: Path, size_bytes: int, parts: float) -> None:
    needed, disk = int(size_bytes * parts), shutil.disk_usage(database.parent)
    if disk.total and disk.free < needed:  # some file systems do not know their size
        raise AppError(
            "There is no room to bring this library up to date",
            f"It was made by an earlier Semblance. A copy of it and the change need {in_words(needed)} on its "
            f"disk, of which {in_words(disk.free)} are free. Nothing was changed: make room there, then open it "
            "again.",
            str(database.parent),
        )


def _copy(connection: sqlite3.Connection, part: Path, job: Job) -> None:
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    job.begin(COPYING, pages * page_bytes, in_bytes=True)

    def copied(_status: int, remaining: int, total: int) -> None:
        job.advance((total - remaining) * page_bytes - job.progress.done)

    with closing(sqlite3.connect(part)) as target:
        target.execute("PRAGMA journal_mode = OFF")  # a half copy is thrown away whole
        connection.backup(target, pages=PAGES_AT_ONCE, progress=copied)
