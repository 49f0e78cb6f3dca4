"""Files and folders that a person asks for are there whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from app.engine.errors import AppError


def check_free(path: Path, replace: bool) -> None:
    """Whether something may be written there, asked before the long work whose outcome it is.

    Raises:
        AppError: there is no such folder, or the name is taken and is not to be replaced.
    """
    with _telling(path):
        _refuse(path, path.is_symlink() or (path.exists() and not _is_empty_folder(path)), replace)


def write_file(path: Path, content: bytes, replace: bool) -> int:
    """Put a file in place; its size.

    Raises:
        AppError: there is one and it is not to be replaced, or the disk is full or fails.
    """
    with _telling(path):
        _refuse(path, path.exists() or path.is_symlink(), replace)
        if path.is_dir():
            raise AppError("This is a folder", "Choose the name of a file.", str(path))
        part = _part_of(path)
        try:
            _write(part, content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    return len(content)


def write_folder(
    path: Path, files: Iterable[tuple[str, bytes]], replace: bool, is_ours: Callable[[Path], bool]
) -> tuple[tuple[str, ...], int]:
    """Put a folder with these files (relative names with ``/``) in place; their names and their size together.

    A folder is replaced only where ``is_ours`` says that such a writing made it, and an empty one always: what else
    is in a person's folder is not ours to delete.

    Raises:
        AppError: there is one that is not to be replaced, or the disk is full or fails.
    """
    with _telling(path):
        is_there = path.is_symlink() or (path.exists() and not _is_empty_folder(path))
        _refuse(path, is_there, replace)
        if is_there and not (path.is_dir() and not path.is_symlink() and is_ours(path)):
            raise AppError(
                "This is another folder", "It holds other files than an export. Choose a name that is free.", str(path)
            )
        part = _part_of(path)
        names, size = [], 0
        try:
            part.mkdir()
            for name, content in files:
                file = part / PurePosixPath(name)
                file.parent.mkdir(parents=True, exist_ok=True)
                _write(file, content)
                names.append(name)
                size += len(content)
            _exchange(part, path)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return tuple(names), size


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def _exchange(part: Path, path: Path) -> None:
    """Let a finished folder take its place; what was there goes only then."""
    if not path.exists():
        part.rename(path)
        return
    old = _part_of(path)
    path.rename(old)
    try:
        part.rename(path)
    except OSError:
        old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


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
