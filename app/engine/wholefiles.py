"""Files and folders that a person asks for are there whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from app.engine.errors import AppError

Chunks = Iterable[bytes]
"""A file's content, part by part: a large one is never in memory whole."""

WrittenHere = Callable[[Path], Collection[str] | None]
"""The relative names, with ``/``, of the files that such a writing left in a folder; None: it is another folder."""

_SYSTEMS_OWN = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""What a file manager leaves in a folder that it has shown."""


def check_free(path: Path, replace: bool, written_here: WrittenHere | None = None) -> None:
    """Whether something may be written there, asked before the long work whose outcome it is. A folder is asked for
    where ``written_here`` is given: see `write_folder`.

    Raises:
        AppError: there is no such folder, or what has the name is not to be replaced.
    """
    with _telling(path):
        is_there = _is_there(path)
        _refuse(path, is_there, replace)
        if is_there and written_here:
            _refuse_other_files(path, written_here)


def write_file(path: Path, content: bytes, replace: bool) -> int:
    """Put a file in place; its size.

    Raises:
        AppError: there is one and it is not to be replaced, or the disk is full or fails.
    """
    with _telling(path):
        _refuse(path, path.exists() or path.is_symlink(), replace)
        if path.is_dir():
            raise AppError("This is a folder", "Choose the name of a file.", str(path))
        with gathered(path) as file:
            file.write(content)
    return len(content)


@contextmanager
def gathered(path: Path) -> Iterator[BinaryIO]:
    """A new file beside ``path``, of a name that no other writing has, which takes its place once it is whole and on
    the disk.

    Raises:
        OSError: the disk refuses. There is no new file then, as after an exception of the block.
    """
    part = _part_of(path)
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_folder(
    path: Path, files: Iterable[tuple[str, Chunks]], replace: bool, written_here: WrittenHere
) -> tuple[tuple[str, ...], int]:
    """Put a folder with these files (relative names with ``/``) in place; their names and their size together.

    A folder is replaced only where such a writing made it and nothing else has come into it, and an empty one always:
    what else is in a person's folder is not ours to delete.

    Raises:
        AppError: there is one that is not to be replaced, or the disk is full or fails.
    """
    with _telling(path):
        check_free(path, replace, written_here)
        part = _part_of(path)
        names, size = [], 0
        try:
            part.mkdir()
            for name, content in files:
                file = part / PurePosixPath(name)
                file.parent.mkdir(parents=True, exist_ok=True)
                size += _write(file, content)
                names.append(name)
            check_free(path, replace, written_here)  # again: minutes may have gone by
            old = _part_of(path) if path.exists() else None
            exchange(part, path, old)
            if old:
                shutil.rmtree(old, ignore_errors=True)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return tuple(names), size


def exchange(new: Path, path: Path, aside: Path | None) -> None:
    """Let a finished file or folder take its place. What has the place goes ``aside`` first (None: nothing has it), and
    comes back where the exchange fails.

    Raises:
        OSError: the disk refuses; all is as it was.
    """
    if aside:
        path.rename(aside)
    try:
        new.replace(path)
    except OSError:
        if aside:
            aside.rename(path)
        raise


def _refuse_other_files(path: Path, written_here: WrittenHere) -> None:
    ours = written_here(path) if path.is_dir() and not path.is_symlink() else None
    if ours is None:
        raise AppError("This is another folder", "It is no export. Choose a name that is free.", str(path))
    here = {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_symlink() or not file.is_dir()}
    others = sorted(name for name in here - set(ours) if PurePosixPath(name).name not in _SYSTEMS_OWN)
    if others:
        more = f" and {len(others) - 1:,} more" if len(others) > 1 else ""
        raise AppError(
            "This folder holds other files too",
            f"“{others[0]}”{more} came into it since. Move that elsewhere first, or choose a name that is free.",
            str(path),
        )


def _is_there(path: Path) -> bool:
    return path.is_symlink() or (path.exists() and not _is_empty_folder(path))


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def _write(path: Path, content: Chunks) -> int:
    with path.open("xb") as file:
        size = sum(map(file.write, content))
        file.flush()
        os.fsync(file.fileno())
    return size


def _part_of(path: Path) -> Path:
    return path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.part")


def _refuse(path: Path, is_there: bool, replace: bool) -> None:
    if not path.parent.is_dir():
        raise AppError("There is no such folder", "Make it first, or choose another.", str(path.parent))
    if is_there and not replace:
        raise AppError(
            "This name is taken", "Choose another, or let it be replaced (--replace on the command line).", str(path)
        )


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Say what the system says in a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise AppError("The disk is full", "Make room there, or choose another place.", str(path)) from error
        raise AppError(
            "This cannot be written there", f"{error.strerror or error}. Choose another place.", str(path)
        ) from error
    except ValueError as error:  # a NUL in the name
        raise AppError("This cannot be a name", "Choose another.", repr(str(path))) from error
