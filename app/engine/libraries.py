"""The libraries of a data home: which there are, where each is, and the way back to a copy. None is opened for it."""

from __future__ import annotations

import re
from pathlib import Path

from app.engine.errors import AppError
from app.engine.librarytypes import Restored
from app.engine.store import restoring
from app.paths import libraries_dir

_NAME = re.compile(r"[^\x00-\x1f/\\:*?\"<>|]{1,100}")


def libraries(home: Path) -> tuple[str, ...]:
    """The names of the libraries in a data home, also of those of which only a copy is left."""
    return tuple(sorted({entry.parent.name for entry in libraries_dir(home).glob("*/library*.sqlite")}))


def restore(home: Path, library: str) -> Restored:
    """See `app.engine.store.restoring.restore`."""
    return restoring.restore(folder_of(home, library))


def folder_of(home: Path, library: str) -> Path:
    """Where a library is, or will be.

    Raises:
        AppError: the name cannot be a folder's.
    """
    if not _NAME.fullmatch(library) or library.strip(". ") != library:
        raise AppError("This cannot be a library's name", f"Use letters, digits and spaces; {library!r} was given.")
    return libraries_dir(home) / library
