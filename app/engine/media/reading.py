"""Read a file to know its content, and notice when it is changed meanwhile."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass

from app.engine.errors import AppError
from app.engine.media.scan import FoundFile

SETTLED_AFTER_NS = 2_000_000_000
"""The coarsest step of a file's time (FAT): a change within it may leave the time as it was."""

CHANGED = "The file was changed while it was read. It is looked at again at the next run."


@dataclass(frozen=True, slots=True)
class Content:
    """The SHA-256 of a file. ``unsettled``: it had only just been changed, so that a change since may not show."""

    sha256: bytes
    unsettled: bool = False


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a file was not read. ``passing``: it went or was changed meanwhile, which says nothing of the file."""

    reason: str
    passing: bool


def is_fresh(mtime_ns: int, now_ns: int) -> bool:
    """Whether a change after ``now_ns`` could have this time too. A time far ahead is some camera's wrong clock."""
    return abs(now_ns - mtime_ns) < SETTLED_AFTER_NS


def read(file: FoundFile) -> Content | Unread:
    """The content of a file, if it is from beginning to end the one that was found."""
    began_ns = time.time_ns()
    try:
        with open(file.path, "rb") as stream:  # noqa: PTH123 - the path is bytes
            before = os.fstat(stream.fileno())
            sha256 = hashlib.file_digest(stream, "sha256").digest()
            after = os.fstat(stream.fileno())
    except OSError as error:
        reason = f"The file cannot be read: {error.strerror or error}."
        return Unread(reason, passing=not os.path.lexists(file.path))
    if not (_is_same(file, before) and _is_same(file, after)):
        return Unread(CHANGED, passing=True)
    return Content(sha256, is_fresh(file.mtime_ns, began_ns))


def sha256_of(path: str) -> bytes:
    """The content of a file the user searches with.

    Raises:
        AppError: it cannot be read.
    """
    try:
        with open(os.fsencode(path), "rb") as stream:  # noqa: PTH123 - the path may be no valid text
            return hashlib.file_digest(stream, "sha256").digest()
    except FileNotFoundError as error:
        where = "It may have been moved, renamed or deleted, or lie on a drive that is not there: choose it anew."
        raise AppError("There is no such file", where, path) from error
    except OSError as error:
        reason = f"The file cannot be read: {error.strerror or error}."
        raise AppError("This file cannot be searched with", reason, path) from error


def _is_same(file: FoundFile, status: os.stat_result) -> bool:
    return (file.size_bytes, file.mtime_ns) == (status.st_size, status.st_mtime_ns)
