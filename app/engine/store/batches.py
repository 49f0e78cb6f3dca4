"""What indexing asks for and hands over: work, and batches of items with thumbnails and vectors; how one is written."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from app.engine.store.files import write_words
from app.engine.store.integrity import checksum, vector_checksum
from app.engine.types import ItemKind, MediaKind

STORED = np.float16
"""Half precision halves the library and moves a cosine by less than 0.001."""
STORED_BYTES = np.dtype(STORED).itemsize

SAMPLING_RULE = 2
"""Raised when videos or sounds are cut by another rule: their items are made again then."""


@dataclass(frozen=True)
class Sampling:
    """How videos and sounds are cut into items."""

    frame_interval_ms: int
    window_ms: int

    def __str__(self) -> str:
        return f"rule {SAMPLING_RULE}, frames {self.frame_interval_ms} ms, windows {self.window_ms} ms"


@dataclass(frozen=True)
class Unreadable:
    """Why a content cannot be decoded; ``passing`` causes may be gone the next time."""

    reason: str
    passing: bool


@dataclass(frozen=True)
class Work:
    """A content that some chosen spaces lack, and one file that holds it. ``stale``: its items were cut otherwise than
    is wanted now, and go when the new ones come."""

    content_id: int
    path: bytes
    missing: tuple[int, ...]
    stale: bool = False

    def only(self, space_ids: set[int]) -> Work:
        """The part of this work that is for these spaces."""
        return replace(self, missing=tuple(space_id for space_id in self.missing if space_id in space_ids))


@dataclass(frozen=True)
class ContentFacts:
    """What decoding told of a content."""

    kind: MediaKind
    width_px: int | None
    height_px: int | None
    duration_ms: int | None
    taken_ms: int | None
    caption: str


@dataclass(frozen=True, eq=False)
class NewItem:
    """One item with its vectors by space id, each (dim,) float32."""

    content_id: int
    kind: ItemKind
    start_ms: int
    end_ms: int | None
    thumbnail: bytes
    vectors: dict[int, npt.NDArray[np.float32]]


@dataclass(eq=False)
class Batch:
    """What one transaction commits. ``renewed`` contents lose their old items first; ``finished`` pairs contents with
    the spaces that now have all of them, and ``sampled`` says by what sampling they were cut."""

    renewed: list[int] = field(default_factory=list)
    items: list[NewItem] = field(default_factory=list)
    facts: dict[int, ContentFacts] = field(default_factory=dict)
    finished: list[tuple[int, int]] = field(default_factory=list)
    sampled: dict[int, str] = field(default_factory=dict)
    failures: dict[int, Unreadable] = field(default_factory=dict)


def write_facts(change: sqlite3.Connection, content_id: int, facts: ContentFacts) -> None:
    """Enter what decoding told of a content, and make the keywords of its files again."""
    change.execute(
        "UPDATE contents SET kind = ?, width_px = ?, height_px = ?, duration_ms = ?, taken_ms = ?, caption = ? "
        "WHERE id = ?",
        (
            facts.kind,
            facts.width_px,
            facts.height_px,
            facts.duration_ms,
            facts.taken_ms,
            facts.caption,
            content_id,
        ),
    )
    for (file_id,) in change.execute("SELECT id FROM files WHERE content_id = ?", (content_id,)).fetchall():
        write_words(change, file_id)


def write_item(change: sqlite3.Connection, item: NewItem) -> None:
    """Enter an item with its thumbnail and vectors; what is there stays."""
    (item_id,) = change.execute(
        "INSERT INTO items (content_id, kind, start_ms, end_ms) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (content_id, kind, start_ms) DO UPDATE SET end_ms = excluded.end_ms RETURNING id",
        (item.content_id, item.kind, item.start_ms, item.end_ms),
    ).fetchone()
    change.execute(
        "INSERT INTO thumbnails (item_id, image, crc) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (item_id, item.thumbnail, checksum(item_id, item.thumbnail)),
    )
    blobs = [(space_id, vector.astype(STORED).tobytes()) for space_id, vector in item.vectors.items()]
    change.executemany(
        "INSERT INTO vectors (space_id, item_id, vector, crc) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [(space_id, item_id, blob, vector_checksum(space_id, item_id, blob)) for space_id, blob in blobs],
    )
