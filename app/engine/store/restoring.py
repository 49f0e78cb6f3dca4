"""Going back to the copy of a library that was made before a later version of the program brought it up to date."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from app.engine.errors import AppError
from app.engine.store.backups import backups
from app.engine.store.database import FILE_NAME, MARK_NAME, broken_library, hold, storage_error, sync_folder
from app.engine.store.migrations import SCHEMA_VERSION, schema_of
from app.engine.types import LibraryBackup, Restored

INDEXES = "indexes"


def restore(folder: Path) -> Restored:
    """Put the latest copy that this program can read in the database's place. What was there stays beside it, under a
    name that says its schema. The search indexes are made again.

    Raises:
        LibraryLocked: another program has the library open.
        AppError: there is no such copy, or the library is none that needs it, or the disk fails. Nothing was changed.
    """
    path = folder / FILE_NAME
    if not path.exists():
        raise AppError("There is no such library", "Choose another with --library.", str(folder))
    lock = hold(folder)
    try:
        schema = _settled_schema(path)
        if schema <= SCHEMA_VERSION:
            raise AppError(
                "This library needs no copy to be put back", "This Semblance can open it as it is.", str(folder)
            )
        return _exchange(path, schema, _latest(path))
    except OSError as error:
        raise AppError(
            "The copy could not be put back",
            f"{error.strerror or error}. See that the library's folder can be written, then try again.",
            str(folder),
        ) from error
    finally:
        lock.release()


def _latest(path: Path) -> LibraryBackup:
    readable = [backup for backup in backups(path) if backup.schema <= SCHEMA_VERSION]
    if not readable:
        raise AppError(
            "There is no copy to go back to",
            "None from before an upgrade lies in the library's folder. Update Semblance, or put back a copy of the "
            "folder from a backup of your own.",
            str(path.parent),
        )
    return readable[-1]


def _settled_schema(path: Path) -> int:
    """The schema of a database, all of whose changes are in its one file then: a journal that is left would be taken
    for the copy's."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            schema = schema_of(connection)
            (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.DatabaseError as error:
        raise storage_error(error, path) or broken_library(error, path) from error
    if busy:
        raise AppError("This library is in use", "Close the program that has it open, then try again.", str(path))
    return schema


def _exchange(path: Path, schema: int, backup: LibraryBackup) -> Restored:
    aside = _free(path.with_name(f"{path.stem}.schema{schema}.set-aside.sqlite"))
    for journal in ("-wal", "-shm"):
        path.with_name(path.name + journal).unlink(missing_ok=True)
    shutil.rmtree(path.parent / INDEXES, ignore_errors=True)
    (path.parent / MARK_NAME).unlink(missing_ok=True)
    try:
        os.link(path, aside)  # so that at no moment the library has no database
    except OSError:  # a file system without links
        path.rename(aside)
    Path(backup.path).replace(path)
    sync_folder(path.parent)
    return Restored(str(path), backup.schema, str(aside))


def _free(path: Path) -> Path:
    """A name that nothing has."""
    names = (path.with_name(f"{path.stem}{number}{path.suffix}") for number in range(2, 1000))
    return path if not path.exists() else next(name for name in names if not name.exists())
