"""Checksums of rows: SQLite notices a torn page, and not a bit that a disk has flipped in a vector or a grade.

Rows that were computed or are a person's own work carry one and are checked whenever they are read. What describes
files is held twice instead, in its table and in an index, and `verification` compares the two.
"""

from __future__ import annotations

import sqlite3
import zlib
from enum import StrEnum
from typing import TypeVar

from app.engine.errors import LibraryDamaged

K = TypeVar("K", bound=StrEnum)

_SPREAD = 2_654_435_761
"""Odd, so that no two item ids below 2**32 give the same seed."""


def checksum(*values: int | str | bytes) -> int:
    """The CRC-32 of a row's values in their order, so that a value in another's place is noticed too."""
    crc = 0
    for value in values:
        piece = value if isinstance(value, bytes) else str(value).encode()
        crc = zlib.crc32(piece, zlib.crc32(b"%d:" % len(piece), crc))
    return crc


def vector_checksum(space_id: int, item_id: int, vector: bytes) -> int:
    """The CRC-32 of a vector, begun from whose it is: a single pass, for the table that is read whole."""
    return zlib.crc32(vector, (item_id * _SPREAD + space_id) & 0xFFFF_FFFF)


def is_sound(space_id: int, item_id: int, vector: bytes, crc: int) -> bool:
    """Whether a row of vectors is as it was written."""
    try:
        return vector_checksum(space_id, item_id, vector) == crc
    except TypeError:  # a damaged row may hold anything
        return False


def sound(alias: str, **types: str) -> str:
    """The condition of SQL that a row's ``crc`` is that of its columns, and each is of its type. They are compared as
    bytes: damaged text may not be text any more."""
    columns = ", ".join(f"CAST({alias}.{column} AS BLOB)" for column in types)
    as_they_were = [f"typeof({alias}.{column}) = '{kind}'" for column, kind in types.items()]
    return " AND ".join([*as_they_were, f"{alias}.crc = checksum({columns})"])


def known(kinds: type[K], value: str) -> K:
    """The kind that a row names.

    Raises:
        LibraryDamaged: there is no such kind.
    """
    try:
        return kinds(value)
    except ValueError as error:
        raise LibraryDamaged(
            "This library is damaged", f"An entry in it is wrong ({error}). Check the library, then index again."
        ) from None


def path_bytes(value: object) -> bytes:
    """A path as a row has it.

    Raises:
        LibraryDamaged: it is none.
    """
    if not isinstance(value, bytes):
        raise LibraryDamaged(
            "This library is damaged", "The path of a file in it is gone. Check the library, then index again."
        )
    return value


def register(connection: sqlite3.Connection) -> None:
    """Make `checksum` and `vector_checksum` functions of SQL."""
    connection.create_function("checksum", -1, checksum, deterministic=True)
    connection.create_function("vector_checksum", 3, vector_checksum, deterministic=True)


def number(value: object) -> int:
    """A number that may be damaged; 0, which no row has, where it is none."""
    try:
        return int(value)  # type: ignore[call-overload,no-any-return]  # it is tried
    except (TypeError, ValueError):
        return 0
