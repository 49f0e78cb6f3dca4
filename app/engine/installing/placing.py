"""The folders of models: held by one program while they change, and exchanged in one step.

Whatever is on its way in or out lies in ``models/.incoming``, on the same disk as the folders in use: what is fetched
in a folder of the model's name, which outlives a break; what is put together here in a `stage`, which does not.
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
from app.engine.sizes import in_words
from app.engine.syncing import sync_file, sync_folder
from app.engine.wholefiles import exchange

MARGIN_BYTES = 256_000_000
"""What is left free on the disk: a full one stops other programs, and this one's libraries."""

_REMOVED = ".removed-"
_STAGE = ".stage"


@contextlib.contextmanager
def held(folder: Path) -> Iterator[Path]:
    """Keep every other program and thread from changing a model's ``folder``; yields its `incoming`, made.

    Raises:
        AppError: somebody else is changing it, or the disk cannot be written. An OSError of the block becomes one.
    """
    staging = incoming(folder)
    try:
        staging.mkdir(parents=True, exist_ok=True)
        with FileLock(_lock(staging), timeout=0):
            _sweep(staging)
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


@contextlib.contextmanager
def stage(folder: Path) -> Iterator[Path]:
    """Keep others from changing a model's ``folder``, as `held`; yields an empty folder of the same name, in which its
    new files are put together, alone in its parent. What is still there at the end is deleted.
    """
    with held(folder) as staging:
        root = _stage(staging)
        try:
            (root / folder.name).mkdir(parents=True)
            yield root / folder.name
        finally:
            shutil.rmtree(root, ignore_errors=True)


def put_in_place(staging: Path, folder: Path) -> None:
    """Make the files of ``staging`` those of a model's ``folder``, in one step once they are safe on the disk. What
    was in the folder is deleted. To be called while the folder is `held`."""
    for path in (*staging.iterdir(), staging):
        (sync_folder if path.is_dir() else sync_file)(path)
    removed = _aside(folder)
    exchange(staging, folder, removed)
    sync_folder(folder.parent)
    if removed:
        shutil.rmtree(removed, ignore_errors=True)


def discard(folder: Path) -> None:
    """Delete a folder: to every reader it is gone in one step. To be called while it is `held`."""
    if removed := _aside(folder):
        folder.rename(removed)
        shutil.rmtree(removed, ignore_errors=True)


def is_begun(folder: Path) -> bool:
    """Whether anything was gathered for a model's ``folder`` that is not in place."""
    staging = incoming(folder)
    return staging.exists() or _stage(staging).exists()


def free_bytes(folder: Path) -> int:
    """The room on the disk on which a folder is, or will be."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(there).free


def check_room(folder: Path, needed_bytes: int) -> None:
    """Raises AppError where the disk of a folder has no room for so much."""
    needed_bytes, room_bytes = needed_bytes + MARGIN_BYTES, free_bytes(folder)
    if room_bytes < needed_bytes:
        raise AppError(
            "There is not enough room on the disk",
            f"{in_words(needed_bytes)} are needed, of which {in_words(MARGIN_BYTES)} stay free, and "
            f"{in_words(room_bytes)} are free. Make room, or choose another place.",
            str(folder),
        )


def disk_error(error: OSError, folder: Path) -> AppError:
    """What a person is told when a disk refuses."""
    path = str(error.filename or folder)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return AppError("The disk is full", "Make room on it and try again; what is here already is kept.", path)
    if isinstance(error, PermissionError | NotADirectoryError | FileExistsError) or error.errno == errno.EROFS:
        return AppError(
            "The folder of the models cannot be changed",
            f"It says: {error.strerror or error}. Another program may have a file of it open, or you may not write "
            "there. Close the program, or choose another data home.",
            path,
        )
    return AppError("The disk does not do what it should", f"It says: {error.strerror or error}.", path)


def _aside(folder: Path) -> Path | None:
    """Where a model's folder goes on its way out; None while there is none."""
    if not folder.exists():
        return None
    root = folder.parent if folder.parent.name == INCOMING_DIR else folder.parent / INCOMING_DIR
    removed = root / f"{_REMOVED}{os.getpid()}-{folder.name}"
    shutil.rmtree(removed, ignore_errors=True)
    return removed


def _sweep(staging: Path) -> None:
    """Delete what programs that ended in between have set aside and put together: for the model of ``staging``, whose
    lock is held here, and for every other whose lock is free."""
    for left in (*staging.parent.glob(f"{_REMOVED}*"), *staging.parent.glob(f"*{_STAGE}")):
        key = left.name.removesuffix(_STAGE) if left.suffix == _STAGE else left.name.split("-", 2)[-1]
        if key == staging.name:
            shutil.rmtree(left, ignore_errors=True)
            continue
        with contextlib.suppress(Timeout), FileLock(_lock(staging.with_name(key)), timeout=0):
            shutil.rmtree(left, ignore_errors=True)


def _lock(staging: Path) -> Path:
    return staging.with_name(f"{staging.name}.lock")


def _stage(staging: Path) -> Path:
    return staging.with_name(f"{staging.name}{_STAGE}")
