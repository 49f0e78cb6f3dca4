"""The folders of models: held by one program while they change, and exchanged in one step.

Whatever is on its way in or out lies in ``models/.incoming``, on the same disk as the folders in use.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from app.engine.encoders.folder import INCOMING_DIR, incoming
from app.engine.errors import AppError

_REMOVED = ".removed-"


@contextlib.contextmanager
def held(folder: Path) -> Iterator[Path]:
    """Keep every other program and thread from changing a model's ``folder``; yields its `incoming`, made.

    Raises:
        AppError: somebody else is changing it, or the disk cannot be written. An OSError of the block becomes one.
    """
    staging = incoming(folder)
    try:
        staging.mkdir(parents=True, exist_ok=True)
        with FileLock(staging.with_name(f"{staging.name}.lock"), timeout=0):
            _sweep(staging.parent)
            staging.mkdir(exist_ok=True)
            try:
                yield staging
            finally:
                with contextlib.suppress(OSError):  # it holds what the next try needs, or has become the folder
                    staging.rmdir()
    except Timeout as error:
        raise AppError(
            "This model is being changed already",
            f"Another window or command is installing or removing {folder.name}. Wait until it has finished.",
            str(folder),
        ) from error
    except OSError as error:
        raise disk_error(error, folder) from error


def put_in_place(staging: Path, folder: Path) -> None:
    """Make the files of ``staging`` those of a model's ``folder``, in one step once they are safe on the disk. What
    was in the folder is deleted. To be called while the folder is `held`."""
    for path in (*staging.iterdir(), staging):
        _sync(path)
    removed = _set_aside(folder)
    try:
        staging.rename(folder)
    except OSError:
        if removed:
            removed.rename(folder)
        raise
    _sync(folder.parent)
    if removed:
        shutil.rmtree(removed, ignore_errors=True)


def discard(folder: Path) -> None:
    """Delete a folder: to every reader it is gone in one step. To be called while it is `held`."""
    if removed := _set_aside(folder):
        shutil.rmtree(removed, ignore_errors=True)


def size_bytes(folder: Path) -> int:
    """What the files of a folder take; 0 where there is none."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def disk_error(error: OSError, folder: Path) -> AppError:
    """What a person is told when a disk refuses."""
    path = str(error.filename or folder)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return AppError("The disk is full", "Make room on it and try again; what is here already is kept.", path)
    if isinstance(error, PermissionError):
        return AppError(
            "The folder of the models cannot be changed",
            "Another program may have a file of it open, or you may not write there. Close the program, or choose "
            "another data home.",
            path,
        )
    return AppError("The disk does not do what it should", f"It says: {error.strerror or error}.", path)


def _set_aside(folder: Path) -> Path | None:
    if not folder.exists():
        return None
    root = folder.parent if folder.parent.name == INCOMING_DIR else folder.parent / INCOMING_DIR
    removed = root / f"{_REMOVED}{os.getpid()}-{folder.name}"
    shutil.rmtree(removed, ignore_errors=True)
    folder.rename(removed)
    return removed


def _sweep(root: Path) -> None:
    """Delete what a program that ended in between has set aside."""
    for left in root.glob(f"{_REMOVED}*"):
        shutil.rmtree(left, ignore_errors=True)


def _sync(path: Path) -> None:
    """Have a file's bytes, or a folder's names, written to the disk; Windows takes care of folders by itself."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
