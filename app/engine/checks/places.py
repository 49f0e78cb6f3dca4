"""Where the program writes: the data home and its disk, and what SQLite makes of them."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from app.engine.checks.telling import detail, fine, note, problem
from app.engine.checktypes import Finding
from app.engine.sizes import in_words

TRACE = ".checkup-"
"""Begins the name of the folder that is made in the data home and taken away again."""
TRACE_AGE_S = 3600.0
"""One that is older was left by a process that was killed."""

_FULL_BYTES = 500 * 10**6
_NARROW_BYTES = 5 * 10**9
"""A model takes one to five, an index of 100,000 photos one."""
_NETWORK_FILE_SYSTEMS = ("nfs", "cifs", "smb", "afpfs", "webdav", "davfs", "9p", "fuse.sshfs", "fuse.rclone", "ceph")
_DRIVE_REMOTE = 4
"""What Windows calls a drive of the network (winbase.h)."""
OTHER_HOME = "choose another folder with --home or the variable SEMBLANCE_HOME"

_BUSY = sqlite3.SQLITE_BUSY & 0xFF


def look(home: Path) -> tuple[Finding, ...]:
    """All that is looked at here. Nothing is left behind, and a home that is not there is not made."""
    found = [data_home(home), temporary_folder(), disk(home)]
    with work_folder(home) as (folder, where):
        try:
            return (*found, database(folder, where))
        except Exception as error:  # it is a finding, whatever a library raises
            return (*found, problem("database", "Database", f"It fails {where} ({detail(error)}).", elsewhere()))


def existing(place: Path) -> Path:
    """The folder itself, or the nearest above it that is there."""
    while not place.exists() and place != place.parent:
        place = place.parent
    return place


def data_home(home: Path) -> Finding:
    key, title = "home", "Data folder"
    remedy = f"Let yourself write there (its permissions, its drive), or {OTHER_HOME}."
    if home.exists() and not home.is_dir():
        return problem(key, title, f"{home} is a file.", f"Move that file away, or {OTHER_HOME}.")
    if not home.exists():
        above = existing(home)
        if not above.is_dir() or not os.access(above, os.W_OK):
            return problem(key, title, f"{home} is not there and cannot be made: {above} cannot be written.", remedy)
        return fine(key, title, f"{home} is made when it is first needed.")
    _sweep(home)
    try:
        with tempfile.TemporaryDirectory(prefix=TRACE, dir=home) as folder:
            _write_and_read(Path(folder))
    except OSError as error:
        return problem(key, title, f"{home} cannot be written ({error.strerror or error}).", remedy)
    return fine(key, title, f"{home} can be written.")


def temporary_folder() -> Finding:
    key, title = "temporary", "Folder for temporary files"
    try:
        with tempfile.TemporaryDirectory(prefix=TRACE) as folder:
            _write_and_read(Path(folder))
            return fine(key, title, f"{Path(folder).parent} can be written.")
    except OSError as error:
        where = os.environ.get("TMPDIR") or os.environ.get("TEMP") or "It"
        remedy = "Make room on its disk, or name a folder that can be written in the variable TMPDIR (Windows: TEMP)."
        return problem(key, title, f"{where} cannot be written ({error.strerror or error}).", remedy)


def _write_and_read(folder: Path) -> None:
    content = os.urandom(1 << 16)
    with (folder / "é.bin").open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if (folder / "é.bin").read_bytes() != content:
        raise OSError("what was written there is read otherwise")


def disk(home: Path) -> Finding:
    key, title = "disk", "Disk"
    free_bytes = shutil.disk_usage(existing(home)).free
    sentence = f"{in_words(free_bytes)} are free where the data folder is."
    remedy = f"Make room there, or {OTHER_HOME}."
    if free_bytes < _FULL_BYTES:
        return problem(key, title, f"{sentence} At least {in_words(_FULL_BYTES)} are needed.", remedy)
    if free_bytes < _NARROW_BYTES:
        return note(key, title, f"{sentence} A large model or library takes more.", remedy)
    return fine(key, title, sentence)


def database(folder: Path, where: str) -> Finding:
    """SQLite in a folder: full-text search, the write-ahead log, and locks that keep a second program out."""
    key, title = "database", "Database"
    path = folder / "library.sqlite"
    try:
        with closing(sqlite3.connect(path, timeout=0)) as first, closing(sqlite3.connect(path, timeout=0)) as second:
            (mode,) = first.execute("PRAGMA journal_mode = WAL").fetchone()
            first.execute("CREATE VIRTUAL TABLE words USING fts5 (text)")
            first.execute("INSERT INTO words VALUES ('snow on the hills')")
            first.commit()
            found = second.execute("SELECT count(*) FROM words WHERE words MATCH 'hills'").fetchone()
            first.execute("BEGIN IMMEDIATE")
            keeps_out = _is_kept_out(second)
    except sqlite3.Error as error:
        if "fts5" in str(error):
            sentence = f"SQLite {sqlite3.sqlite_version} has no full-text search (FTS5)."
            return problem(key, title, sentence, "Use a Python whose SQLite has it, from python.org for example.")
        return problem(key, title, f"SQLite {sqlite3.sqlite_version} fails {where}: {error}.", elsewhere())
    if found != (1,) or mode != "wal" or not keeps_out or not _file_lock_holds(folder / "lock"):
        return problem(
            key, title, f"Its locks do not hold {where}, so two programs could spoil a library.", elsewhere()
        )
    if kind := network_file_system(folder):
        return note(
            key,
            title,
            f"SQLite {sqlite3.sqlite_version} works {where}, which is on a network drive ({kind}).",
            "Keep the data folder on this machine's own disk: a network that breaks off can damage a library.",
        )
    return fine(key, title, f"SQLite {sqlite3.sqlite_version} with full-text search, and its locks hold.")


def _is_kept_out(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF == _BUSY
    return False


def _file_lock_holds(path: Path) -> bool:
    with FileLock(path, is_singleton=False):
        try:
            with FileLock(path, timeout=0, is_singleton=False):
                return False
        except Timeout:
            return True


def elsewhere() -> str:
    """What to do where a drive does not do what it should."""
    return f"Keep the data folder on a local disk of this machine: {OTHER_HOME}."


def network_file_system(folder: Path) -> str:
    """The kind of the network file system that holds a folder, "" where it is a disk of this machine."""
    place = folder.resolve()
    if sys.platform == "win32":  # to list all drives could take long where one of the network's is away
        import ctypes

        return "remote" if ctypes.windll.kernel32.GetDriveTypeW(place.anchor) == _DRIVE_REMOTE else ""
    mounts = [part for part in psutil.disk_partitions(all=True) if place.is_relative_to(part.mountpoint)]
    if not mounts:
        return ""
    mount = max(mounts, key=lambda part: len(part.mountpoint))
    is_remote = mount.fstype.lower().startswith(_NETWORK_FILE_SYSTEMS) or "remote" in mount.opts.split(",")
    return (mount.fstype or "remote") if is_remote else ""


@contextmanager
def work_folder(home: Path) -> Iterator[tuple[Path, str]]:
    """A folder to work in, in the home where one can be made there, and where that is, in words."""
    made: tempfile.TemporaryDirectory[str] | None = None
    if home.is_dir():
        with suppress(OSError):
            made = tempfile.TemporaryDirectory(prefix=TRACE, dir=home, ignore_cleanup_errors=True)
    is_home = made is not None
    with made or tempfile.TemporaryDirectory(prefix=TRACE, ignore_cleanup_errors=True) as folder:
        yield Path(folder), "in the data folder" if is_home else f"in {Path(folder).parent}"


def _sweep(home: Path) -> None:
    """Take away what checks that were killed have left."""
    for left in home.glob(f"{TRACE}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > TRACE_AGE_S:
                shutil.rmtree(left, ignore_errors=True)
