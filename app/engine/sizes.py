"""How much a file, a disk or a memory holds, in words."""

from __future__ import annotations

_UNITS = (("GB", 10**9), ("MB", 10**6), ("kB", 10**3))


def in_words(size_bytes: float) -> str:
    """``4.6 GB``, ``605.1 MB``, ``906 bytes``: in units of a thousand, as the window and the sources of models do."""
    for unit, unit_bytes in _UNITS:
        if size_bytes >= unit_bytes:
            return f"{size_bytes / unit_bytes:,.1f} {unit}"
    return f"{size_bytes:,.0f} bytes"
