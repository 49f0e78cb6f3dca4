"""What a person sees of one item or of a query's file: a larger picture, and all that is known of it."""

from __future__ import annotations

import os

from app.engine.errors import AppError, MediaUnreadable
from app.engine.media.pool import DecoderPool
from app.engine.search import Searcher
from app.engine.store.filters import NS_PER_MS
from app.engine.store.lookup import Lookup
from app.engine.types import ItemDetails, ItemKind, Modality, QueryPart

PREVIEW_PX = 1280
QUERY_PREVIEW_PX = 480


class Viewer:
    """Shows items of one library."""

    def __init__(self, lookup: Lookup, searcher: Searcher, pool: DecoderPool) -> None:
        self._lookup = lookup
        self._searcher = searcher
        self._pool = pool

    def details(self, item_id: int) -> ItemDetails:
        """All about one item, with a large preview where its file can be read and the thumbnail where not.

        Raises:
            AppError: no file of the library holds the item any more.
        """
        hit = self._searcher.hit(item_id)
        facts = self._lookup.facts(item_id, os.fsencode(hit.path)) if hit else None
        row = self._lookup.items([item_id]).get(item_id)
        if hit is None or facts is None or row is None:
            raise AppError("This item is gone", "Its file has left the library since it was found.")
        try:
            path = os.fsencode(hit.path)
            preview = self._pool.preview(path, hit.item_kind, hit.start_ms, hit.end_ms, PREVIEW_PX).result()
        except MediaUnreadable:
            preview = self._lookup.thumbnails([item_id]).get(item_id, b"")
        return ItemDetails(
            item_id=item_id,
            path=hit.path,
            copies=tuple(os.fsdecode(other) for other in row.paths if os.fsdecode(other) != hit.path),
            kind=hit.kind,
            item_kind=hit.item_kind,
            start_ms=hit.start_ms,
            end_ms=hit.end_ms,
            width_px=facts.width_px,
            height_px=facts.height_px,
            duration_ms=facts.duration_ms,
            size_bytes=facts.size_bytes,
            taken_ms=facts.taken_ms,
            modified_ms=facts.mtime_ns // NS_PER_MS,
            caption=facts.caption,
            preview=preview,
            present=any(os.path.exists(other) for other in row.paths),  # noqa: PTH110 - paths of bytes
        )

    def query_preview(self, part: QueryPart) -> bytes:
        """A small picture of a query's file.

        Raises:
            MediaUnreadable: it cannot be decoded.
        """
        kind = ItemKind.AUDIO if part.modality is Modality.AUDIO else ItemKind.FRAME
        preview: bytes = self._pool.preview(os.fsencode(part.path), kind, part.at_ms, None, QUERY_PREVIEW_PX).result()
        return preview
