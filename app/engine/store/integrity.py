"""Checksums of rows: SQLite notices a torn page, and not a bit that a disk has flipped in a vector or a grade."""

from __future__ import annotations

import zlib


def checksum(*values: int | str | bytes) -> int:
    """The CRC-32 of a row's values in their order, so that a value in another's place is noticed too."""
    crc = 0
    for value in values:
        piece = value if isinstance(value, bytes) else str(value).encode()
        crc = zlib.crc32(piece, zlib.crc32(b"%d:" % len(piece), crc))
    return crc
