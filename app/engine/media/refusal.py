"""Where a codec's complaint becomes a sentence.

Codecs raise whatever they like on a damaged file (OSError, SyntaxError, struct.error, IndexError and more), so one
place, `refusing`, turns every exception into MediaUnreadable.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.engine.errors import MediaUnreadable

OUT_OF_MEMORY = "It needs more memory to decode than one file may take. Save a smaller copy of it to have it found."


def refuse(path: bytes, message: str, passing: bool = False) -> MediaUnreadable:
    """The error for ``path``, to be raised."""
    return MediaUnreadable("This file cannot be read", message, os.fsdecode(path), passing)


@contextmanager
def refusing(path: bytes, what: str) -> Iterator[None]:
    """Turn any failure inside into MediaUnreadable; ``what`` is the word for the file: picture, video, sound, file."""
    try:
        yield
    except MediaUnreadable:
        raise
    except Exception as error:
        passing = isinstance(error, MemoryError) or _is_of_drive(error)
        raise refuse(path, _sentence(error, what), passing) from error


def refuse_if_empty(path: bytes) -> None:
    """Say plainly that there is nothing in the file, where a codec would speak of a missing header.

    Raises:
        MediaUnreadable: the file has no bytes.
    """
    if Path(os.fsdecode(path)).stat().st_size == 0:
        raise refuse(path, "The file is empty. If you have another copy, put that in its place.")


def _is_of_drive(error: Exception) -> bool:
    """Whether it says more of the place than of the file. FFmpeg's errors are subclasses, and it has its own uses for
    EPERM."""
    if isinstance(error, PermissionError):
        return error.errno == errno.EACCES
    return isinstance(error, FileNotFoundError) or (type(error) is OSError and error.errno == errno.EIO)


def _sentence(error: Exception, what: str) -> str:
    if isinstance(error, MemoryError):
        return OUT_OF_MEMORY
    if isinstance(error, FileNotFoundError):
        return "The file is no longer there. Index its folder again to bring the library up to date."
    if isinstance(error, PermissionError) and _is_of_drive(error):
        return "You are not allowed to open it. Change its permissions, then index the folder again."
    if _is_of_drive(error):
        return "The drive could not read it. Check the drive and its cable, then index the folder again."
    return (
        f"The {what} is damaged, or in a format that Semblance does not read. "
        "If you have another copy, put that in its place."
    )
