"""How much a folder holds, and how sizes are put in words."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_UNITS = (("GB", 10**9), ("MB", 10**6), ("kB", 10**3))


def in_words(size_bytes: float) -> str:
    """``4.6 GB``, ``605.1 MB``, ``906 bytes``: in units of a thousand, as the window and the sources of models do."""
    for unit, unit_bytes in _UNITS:
        if size_bytes >= unit_bytes:
            return f"{size_bytes / unit_bytes:,.1f} {unit}"
    return f"{size_bytes:,.0f} bytes"


def folder_bytes(folder: Path) -> int:
    """What the files of a folder take; 0 where there is none. A file that goes while it is looked at (a journal, a new
    index) counts nothing."""
    total = 0
    for file in folder.rglob("*"):
        with suppress(FileNotFoundError):
            total += file.stat().st_size if file.is_file() else 0
    return total
