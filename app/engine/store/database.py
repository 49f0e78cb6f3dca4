"""One library's SQLite file: who may open it, how it is opened, and how a change is committed."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from app import __version__
from app.engine.errors import AppError, LibraryDamaged, LibraryLocked, LibraryMissing, LibraryTooNew
from app.engine.jobs import NULL_JOB, Job
from app.engine.librarytypes import LibraryBackup
from app.engine.store import backups, integrity
from app.engine.store.migrations import SCHEMA_VERSION
from app.engine.store.shapes import expected_shape, shape
from app.engine.store.upgrading import made_by, migrate, schema_of
from app.engine.syncing import sync_folder
from app.paths import PORTABLE, portable_folder

log = logging.getLogger(__name__)

_SIGNS_OF_DAMAGE = ("Could not decode to UTF-8", "no such column", "no such table")
"""Errors without a code of their own: text that is none, a schema that is not the one that was checked at opening."""

FILE_NAME = "library.sqlite"
LOCK_NAME = "lock"
MARK_NAME = "unchecked"
"""A file beside the database from the first change until the library is closed: where one is found, a process ended in
the middle of its work, or damage was met, which it then tells of."""

BUSY_TIMEOUT_S = 30.0
INCREMENTAL = 2
PAGES_AT_ONCE = 1024


class Database:
    """A library's database, held by this process alone.

    Every thread reads through a connection of its own and sees what was last committed; changes go through
    `transaction`, one at a time.

    ``needs_check`` says that the last process did not close it, or that damage was met since: see `verification`.

    ``version`` counts the changes since it was opened, ``rewrites`` those of them that did more than append items and
    vectors: what was read and kept is still all there is while ``version`` stands, and lacks nothing but newer rows
    while ``rewrites`` stands.

    Args:
        folder: the library's folder; made if it is not there.
        job: told of the copy and the change of a library that an earlier version made.

    Raises:
        LibraryLocked: another program has the library open.
        LibraryTooNew: a later version made it.
        LibraryMissing: its file is gone, while copies of it are there.
        LibraryDamaged: the file is no database.
        AppError: the folder cannot be written, or there is no room to bring the library up to date.
        Cancelled: the job was cancelled before anything was changed.
    """

    def __init__(self, folder: Path, job: Job = NULL_JOB) -> None:
        self.folder = folder
        self.path = folder / FILE_NAME
        self._lock = hold(folder)
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._opening = threading.Lock()
        self._writing = threading.RLock()
        self._is_closed = False
        self._mark = folder / MARK_NAME
        self._is_marked = self.needs_check = self._mark.exists()
        self.version = 0
        self.rewrites = 0
        try:
            self._prepare(job)
        except BaseException:
            self.close()
            raise

    @property
    def read(self) -> sqlite3.Connection:
        """This thread's own connection."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
        return connection

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """What is read in the block, by this thread, is of one moment, whatever others change meanwhile."""
        connection = self.read
        is_own = not connection.in_transaction
        if is_own:
            connection.execute("BEGIN")
        try:
            yield connection
        finally:
            if is_own:
                with contextlib.suppress(sqlite3.Error):  # SQLite has ended it by itself where the disk failed
                    connection.execute("COMMIT")

    @contextlib.contextmanager
    def transaction(self, rewrites: bool = False) -> Iterator[sqlite3.Connection]:
        """All of the block or nothing of it is committed. Threads take turns.

        Args:
            rewrites: whether files or rows that were there are changed or removed; else items are only appended.

        Raises:
            AppError: the disk is full or fails.
        """
        connection = self.read
        with self._writing:
            self._make_mark()
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
                self.version += 1
                self.rewrites += rewrites
            except BaseException as error:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error) and (told := storage_error(error, self.path)):
                    if isinstance(told, LibraryDamaged):
                        self.doubt(f"The database was found damaged: {error}.")
                    raise told from error
                raise

    def doubt(self, sentence: str) -> None:
        """Damage was met. It is logged, and told by the check that this or the next process makes."""
        log.warning("%s: %s", self.path, sentence)
        self.needs_check = True
        with contextlib.suppress(AppError, OSError):
            self._make_mark()
            with self._mark.open("a", encoding="utf-8") as file:
                file.write(f"{sentence}\n")

    def doubts(self) -> list[str]:
        """What `doubt` was told since the last check."""
        try:
            return list(dict.fromkeys(self._mark.read_text("utf-8", errors="replace").splitlines()))
        except OSError:
            return []

    def trust(self) -> None:
        """The library was checked."""
        self.needs_check = False
        with contextlib.suppress(OSError):
            if self._is_marked:
                self._mark.write_bytes(b"")

    def give_back_space(self, job: Job) -> None:
        """Give the pages that deleting has emptied back to the disk.

        Raises:
            Cancelled: the job was cancelled; emptied pages that are left are used for what comes next.
            AppError: the disk fails.
        """
        connection = self.read
        try:
            if connection.execute("PRAGMA auto_vacuum").fetchone() == (INCREMENTAL,):
                while connection.execute("PRAGMA freelist_count").fetchone() != (0,):
                    job.check()
                    with self._writing:
                        connection.execute(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})").fetchall()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.Error as error:
            if told := storage_error(error, self.path):
                raise told from error
            raise

    def close(self) -> None:
        with self._opening:
            self._is_closed = True  # a thread that comes late must not open the file anew without the lock
            for connection in self._all:
                connection.close()
            self._all.clear()
            self._local = threading.local()
        if self._is_marked and not self.needs_check:
            with contextlib.suppress(OSError):
                self._mark.unlink(missing_ok=True)
        self._lock.release()

    def _make_mark(self) -> None:
        if self._is_marked:
            return
        try:
            self._mark.touch()
            sync_folder(self.folder)
        except OSError as error:
            raise _cannot_be_written(error, self.folder) from error
        self._is_marked = True

    def _prepare(self, job: Job) -> None:
        if not self.path.exists() and (left := (*backups.backups(self.path), *backups.set_aside(self.path))):
            raise _missing(self.path, left)
        with contextlib.suppress(OSError):  # of a restoring that was killed
            self.path.with_name(self.path.name + backups.PART).unlink(missing_ok=True)
        try:
            connection = self.read
            if connection.execute("PRAGMA page_count").fetchone() == (0,):
                # Vectors of 1 to 4 KiB fill a page of 16, and a model that is taken out gives its pages back.
                connection.execute("PRAGMA page_size = 16384")
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA journal_mode = WAL")
            self._bring_up_to_date(connection, job)
            if shape(connection) != expected_shape():
                raise broken_library("its tables are not as they were made", self.path)
        except UnicodeDecodeError as error:  # raised in place of a complaint that quotes what is damaged
            raise broken_library(error, self.path) from error
        except sqlite3.DatabaseError as error:
            raise (storage_error(error, self.path) or broken_library(error, self.path)) from error

    def _bring_up_to_date(self, connection: sqlite3.Connection, job: Job) -> None:
        schema = schema_of(connection)
        if schema > SCHEMA_VERSION:
            raise _too_new(self.path, schema, made_by(connection))
        is_upgrade = 0 < schema < SCHEMA_VERSION
        if is_upgrade:
            log.info("%s is of schema %d: bringing it to %d", self.path, schema, SCHEMA_VERSION)
            backups.back_up(connection, self.path, schema, job)
        migrate(connection, job)
        if is_upgrade:
            backups.settle(connection)  # the journal is as large as the library
            backups.drop_earlier(self.path, schema)

    def _connect(self) -> sqlite3.Connection:
        # Transactions are begun by hand (isolation_level None): sqlite3's own rules would commit behind our back.
        with self._opening:
            if self._is_closed:
                raise AppError("This library was closed", "Open it again, then repeat what you did.", str(self.folder))
            connection = sqlite3.connect(
                self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            self._all.append(connection)
        connection.execute("PRAGMA foreign_keys = ON")
        # Each commit reaches the disk before it counts: it survives a power cut, and a disk that fails is heard of.
        connection.execute("PRAGMA synchronous = FULL")
        integrity.register(connection)
        return connection


def storage_error(error: sqlite3.Error, path: Path | None = None) -> AppError | None:
    """What a user may be told of a failure of SQLite, or None where it is the program's fault."""
    place = str(path) if path else None
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:  # the low byte is the kind, the rest its detail
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN:
            return _cannot_be_written(error, path)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return LibraryLocked(
                "This library is in use", "Another program holds its database. Close that one, then try again.", place
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return broken_library(error, path)
    return broken_library(error, path) if str(error).startswith(_SIGNS_OF_DAMAGE) else None


def _cannot_be_written(error: Exception, path: Path | None) -> AppError:
    return AppError(
        "The library cannot be read or written",
        f"The disk may be full, gone or write-protected ({error}). What was finished is kept: see that the "
        "library's folder can be written and has room, then try again.",
        str(path) if path else None,
    )


def _too_new(path: Path, schema: int, version: str) -> LibraryTooNew:
    """What is said of a library that a later version has changed, and of the way back."""
    who = f"Semblance {version}" if version not in ("", __version__) else "a newer version"
    sentence = f"It was last changed by {who} (schema {schema}; this one is {__version__} and knows {SCHEMA_VERSION}). "
    sentence += "Update Semblance, or choose another library. Nothing was changed."
    backup = backups.way_back(path)
    if backup:
        sentence += (
            " Or go back to the copy from before that upgrade: what was done since is not in it, and the newer library "
            "is kept too."
        )
    return LibraryTooNew("This library needs a newer Semblance", sentence, str(path.parent), backup)


def _missing(path: Path, left: Sequence[LibraryBackup]) -> LibraryMissing:
    """What is said where there is no database, and a new one would hide what is kept of the old."""
    backup = backups.way_back(path)
    names = ", ".join(Path(one.path).name for one in left)
    sentence = f"{path.name} is gone from its folder, where this is kept of it: {names}. "
    sentence += "Go back to the copy, or give" if backup else "Give"
    sentence += f" what you want to go on with the name {path.name}. To begin anew, move all of it to another folder."
    return LibraryMissing("This library's database is missing", sentence, str(path.parent), backup)


def broken_library(what: object, path: Path | None) -> LibraryDamaged:
    return LibraryDamaged(
        "This library cannot be read",
        f"Its database is damaged ({what}). Check the library, which mends what can be mended. If that does not help, "
        "put back a copy of the folder from a backup, or move the folder away and index again: your photos, videos "
        "and sounds are untouched.",
        str(path) if path else None,
    )


def hold(folder: Path) -> FileLock:
    """Take the library for this process; the system gives it back even if the process is killed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK_NAME, thread_local=False)  # whoever closes may not be the thread that opened
        lock.acquire(timeout=0)
    except Timeout:
        raise LibraryLocked(
            "This library is in use",
            "Another Semblance has it open. Close that one first, or open another library.",
            str(folder),
        ) from None
    except OSError as error:
        raise AppError(
            "The library's folder cannot be written",
            f"{error.strerror or error}. {_otherwise(folder)}",
            str(folder),
        ) from error
    return lock


def _otherwise(folder: Path) -> str:
    """What to do where a library's folder cannot be written."""
    copy = portable_folder()
    if copy and folder.is_relative_to(copy):
        return (
            "This portable copy keeps everything beside the program: put it where you may write, or delete the file "
            f"“{PORTABLE}” beside it, and your own data folder is used."
        )
    return "Choose another data folder with --home, or make this one writable."
