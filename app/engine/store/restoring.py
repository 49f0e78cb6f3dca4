"""Going back to the copy of a library that was made before a later version of the program brought it up to date."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from app.engine.errors import AppError
from app.engine.librarytypes import LibraryBackup, Restored
from app.engine.store.backups import PART, backups, set_aside, set_aside_path, settle, way_back
from app.engine.store.database import FILE_NAME, MARK_NAME, broken_library, hold, storage_error
from app.engine.store.migrations import SCHEMA_VERSION
from app.engine.store.upgrading import schema_of
from app.engine.syncing import sync_file, sync_folder
from app.engine.wholefiles import exchange

INDEXES = "indexes"


def restore(folder: Path) -> Restored:
    """Put the latest copy that this program can read in the database's place. What was there stays beside it, under a
    name that says its schema. The search indexes are made again.

    Killed at any moment, it leaves the library as it was or as the copy, or without a database in its place, which is
    told at opening; to call it again puts the copy there.

    Raises:
        LibraryLocked: another program has the library open.
        AppError: there is no such copy or it is damaged, or the library is none that needs it, or the disk fails. The
            library is what it was.
    """
    path = folder / FILE_NAME
    is_there = path.exists()
    if not (is_there or backups(path) or set_aside(path)):
        raise AppError("There is no such library", "Choose another with --library.", str(folder))
    lock = hold(folder)
    try:
        schema = _settled_schema(path) if is_there else None
        if schema is not None and schema <= SCHEMA_VERSION:
            raise AppError(
                "This library needs no copy to be put back", "This Semblance can open it as it is.", str(folder)
            )
        return _put_back(_latest(path), path, schema)
    except OSError as error:
        raise AppError(
            "The copy could not be put back",
            f"{error.strerror or error}. See that the library's folder can be written and has room for it, then try "
            "again.",
            str(folder),
        ) from error
    finally:
        lock.release()


def _latest(path: Path) -> LibraryBackup:
    backup = way_back(path)
    if not backup:
        raise AppError(
            "There is no copy to go back to",
            "None from before an upgrade lies in the library's folder. Update Semblance, or put back a copy of the "
            "folder from a backup of your own.",
            str(path.parent),
        )
    return backup


def _settled_schema(path: Path) -> int:
    """The schema of a database, all of whose changes are in its one file then: a journal that is left would be taken
    for the copy's."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            schema = schema_of(connection)
            is_settled = settle(connection)
    except sqlite3.DatabaseError as error:
        raise storage_error(error, path) or broken_library(error, path) from error
    if not is_settled:
        raise AppError("This library is in use", "Close the program that has it open, then try again.", str(path))
    return schema


def _put_back(backup: LibraryBackup, path: Path, schema: int | None) -> Restored:
    """All that may well fail is done to a copy of the copy, which then takes the database's place."""
    part = path.with_name(path.name + PART)
    try:
        shutil.copyfile(backup.path, part)
        sync_file(part)
        _check(part, backup)
        for journal in ("-wal", "-shm"):
            path.with_name(path.name + journal).unlink(missing_ok=True)
        # An index of the newer library must never be found beside the older one, whatever happens in between.
        with suppress(FileNotFoundError):
            shutil.rmtree(path.parent / INDEXES)
        aside = None if schema is None else set_aside_path(path, schema)
        exchange(part, path, aside)
        sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)
    for left in (Path(backup.path), path.parent / MARK_NAME):
        with suppress(OSError):
            left.unlink(missing_ok=True)
    return Restored(str(path), backup.schema, str(aside or ""))


def _check(part: Path, backup: LibraryBackup) -> None:
    # Immutable: nothing is written beside it. Quoted whole, so that no path is taken for a host or a question.
    name = f"file:{quote(os.fsencode(part), safe='')}?immutable=1"
    try:
        with closing(sqlite3.connect(name, uri=True)) as connection:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if found == "ok" and schema_of(connection) != backup.schema:
                found = "it is of another schema than its name says"
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        raise AppError(
            "The copy is damaged",
            f"It cannot be put back ({found}). The library is what it was: update Semblance, or put back a copy of the "
            "folder from a backup of your own.",
            backup.path,
        )
