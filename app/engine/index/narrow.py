"""Names by which hnswlib can open a file.

hnswlib takes a path as bytes in UTF-8 and opens it with ``std::ifstream`` and ``std::ofstream``. Windows reads such
bytes in its ANSI code page, so that a path with other letters than ASCII's names another file, or none. There a file
goes by its folder's short name (8.3) where the drive keeps one, else by a copy in a folder whose name is ASCII.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

IS_NEEDED = sys.platform == "win32"

_MOST_CHARACTERS = 32_768
"""Of a path of Windows."""


@contextmanager
def to_read(path: Path) -> Iterator[str]:
    """A name of the file.

    Raises:
        OSError: it cannot be copied to where it would have one.
    """
    if name := _name_of(path):
        yield name
        return
    with tempfile.TemporaryDirectory(dir=_ascii_folder()) as folder:
        copy = Path(folder, "graph")
        shutil.copyfile(path, copy)
        yield str(copy)


@contextmanager
def to_write(path: Path) -> Iterator[str]:
    """A name under which the file may be written; it is in its place when the block ends.

    Raises:
        OSError: it cannot be copied from where it has one.
    """
    if name := _name_of(path):
        yield name
        return
    with tempfile.TemporaryDirectory(dir=_ascii_folder()) as folder:
        copy = Path(folder, "graph")
        yield str(copy)
        shutil.copyfile(copy, path)


def _name_of(path: Path) -> str:
    """The path itself or its short form, "" where neither can be opened."""
    if not IS_NEEDED or str(path).isascii():
        return str(path)
    short = os.path.join(_short(path.parent), path.name)  # noqa: PTH118 - a short name is kept as it is
    return short if short.isascii() else ""


def _ascii_folder() -> str:
    """A folder for temporary files that hnswlib can name."""
    public = os.path.join(os.environ.get("SYSTEMDRIVE", "C:") + os.sep, "Users", "Public")  # noqa: PTH118 - as above
    for folder in (tempfile.gettempdir(), os.environ.get("PROGRAMDATA", ""), public):
        for name in (folder, _short(Path(folder))):
            if folder and name.isascii() and os.access(name, os.W_OK):
                return name
    raise OSError("there is no folder for temporary files whose name is ASCII")


def _short(folder: Path) -> str:
    """The folder by its names of eight letters and three, where Windows and the drive keep them."""
    if sys.platform == "win32":
        import ctypes

        buffer = ctypes.create_unicode_buffer(_MOST_CHARACTERS)
        if ctypes.windll.kernel32.GetShortPathNameW(str(folder), buffer, len(buffer)):
            return buffer.value
    return str(folder)
