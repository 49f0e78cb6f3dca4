"""What must be on the disk before the next step counts."""

from __future__ import annotations

import errno
import os
from pathlib import Path

_CANNOT = frozenset({errno.EINVAL, errno.ENOTSUP})
"""What file systems answer that have nothing to write for a folder: some over a network, or in a program."""


def sync_file(path: Path) -> None:
    """Have a file's content written to the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Have the names in a folder written to the disk. Windows does so by itself, and opens no folder."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
    finally:
        os.close(descriptor)
