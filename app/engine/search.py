"""From a query to hits: encode, find neighbours, join with the catalogue, fuse with the keywords."""

from __future__ import annotations

import functools
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.engine.encoders.base import EncoderSource, EncoderSpec
from app.engine.errors import AppError, MediaUnreadable, UnsupportedModality
from app.engine.index.exact import NOTHING, Ids, Neighbours
from app.engine.index.shelf import Shelf
from app.engine.media.pool import DecoderPool
from app.engine.samples import Sample, Text, Vectors, prepared_sample
from app.engine.scanning import is_online, sha256_of
from app.engine.store.files import Files, is_within
from app.engine.store.lookup import ItemRow, Lookup
from app.engine.store.spaces import Spaces
from app.engine.types import (
    Filters,
    FoundBy,
    Hit,
    ItemKind,
    Modality,
    Query,
    QueryPart,
    SearchReply,
    SearchRequest,
    Space,
    Timings,
)

RANK_CONSTANT = 60
"""Of reciprocal rank fusion, as its authors chose it (Cormack, Clarke and Büttcher, SIGIR 2009)."""

CACHED_QUERIES = 256
KEYWORD_LIMIT = 1000

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Target:
    """A model that is asked: what it is, and where its vectors are."""

    key: str
    spec: EncoderSpec
    space: Space

    @property
    def kinds(self) -> tuple[ItemKind, ...]:
        """The kinds of item its space holds."""
        return tuple(kind for kind in ItemKind if kind.modality in self.spec.accepts)


class Shelves:
    """The shelf of each space, made at first use."""

    def __init__(self, spaces: Spaces, folder: Path, exact_up_to: int) -> None:
        self._make: Callable[[Space], Shelf] = functools.cache(
            lambda space: Shelf(spaces, space, folder, exact_up_to=exact_up_to)
        )

    def __getitem__(self, space: Space) -> Shelf:
        return self._make(space)


class Searcher:
    """Answers queries from one library."""

    def __init__(
        self,
        files: Files,
        lookup: Lookup,
        spaces: Spaces,
        shelves: Shelves,
        encoders: EncoderSource,
        pool: DecoderPool,
    ) -> None:
        self._files = files
        self._lookup = lookup
        self._spaces = spaces
        self._shelves = shelves
        self._encoders = encoders
        self._pool = pool
        self._cache: OrderedDict[tuple[str, QueryPart], Vector] = OrderedDict()
        self._cache_lock = threading.Lock()

    # --- the two entrances ---

    def search(self, request: SearchRequest, models: Sequence[str]) -> SearchReply:
        """The best ``k`` items, by the requested model or the first of ``models`` that understands the query.

        Raises:
            AppError: the query is empty, its file cannot be read, or no model here understands it.
        """
        began_s = time.perf_counter()
        query = self.resolve(request.query)
        filters = _absolute(request.filters)
        target = self._choose(query, request.model, models)
        own, own_paths = self._own(query)
        encode_ms = neighbours_ms = 0.0
        neighbours, exact = NOTHING, True
        vector: Vector | None = None
        if target:
            vector = self.vector(query, target)
            encoded_s = time.perf_counter()
            encode_ms = (encoded_s - began_s) * 1000
            allowed = np.setdiff1d(self._lookup.visible(filters, target.kinds), own, assume_unique=True)
            neighbours, exact = self._shelves[target.space].search(vector, request.k, allowed, request.exact)
            neighbours_ms = (time.perf_counter() - encoded_s) * 1000
        by_words = self._keywords(request, filters, query, own)
        ranking = _fuse(neighbours, by_words, request.k)
        similarities = self._similarities(ranking, neighbours, target, vector)
        hits = self._hits(ranking, similarities, own_paths, filters.under)
        total_ms = (time.perf_counter() - began_s) * 1000
        return SearchReply(
            model=target.key if target else None,
            hits=hits,
            timings=Timings(encode_ms, neighbours_ms, total_ms),
            generation=request.generation,
            exact=exact,
            note=""
            if target
            else "No model for words is installed: these are found by name, folder and caption alone.",
        )

    def run(self, query: Query, target: Target, depth: int) -> tuple[Hit, ...]:
        """The first ``depth`` items by meaning alone, exactly; every copy of the query's own file is left out."""
        allowed = self._lookup.visible(Filters(), target.kinds)
        for part in query.parts:
            if part.content:
                allowed = np.setdiff1d(allowed, self._lookup.items_of(bytes.fromhex(part.content)), assume_unique=True)
        neighbours, _ = self._shelves[target.space].search(self.vector(query, target), depth, allowed, exact=True)
        ids = [int(item_id) for item_id in neighbours.ids]
        similarities = dict(zip(ids, map(float, neighbours.similarities), strict=True))
        return self._hits([(item_id, (FoundBy.MEANING,)) for item_id in ids], similarities, frozenset())

    # --- the query ---

    def resolve(self, query: Query) -> Query:
        """The query with the content of each of its files.

        Raises:
            AppError: it has no parts or empty words, or a file cannot be read.
        """
        if not query.parts or any(part.modality is Modality.TEXT and not part.text.strip() for part in query.parts):
            raise AppError("Nothing to search for", "Type some words, or give a picture or a sound.")
        if Modality.AUDIO in query.modalities and len(query.parts) > 1:
            raise UnsupportedModality(
                "A sound is searched for alone", "Words and pictures can be mixed; a sound cannot be mixed with them."
            )
        return Query(tuple(self._resolve_part(part) for part in query.parts))

    def target(self, key: str) -> Target | None:
        """The model's space in this library, or None while it holds nothing.

        Raises:
            AppError: there is no such model, or its weights are missing.
        """
        space = self._spaces.find(key, self._encoders.fingerprint(key))
        return Target(key, self._encoders.spec(key), space) if space and self._spaces.count(space.id) else None

    def vector(self, query: Query, target: Target) -> Vector:
        """The query in the target's space: the weighted sum of its parts' unit vectors, (dim,), length 1."""
        total = np.zeros(target.spec.dim, np.float32)
        for part in query.parts:
            total += part.weight * self._part_vector(part, target)
        length = float(np.linalg.norm(total))
        if length < 1e-6:
            raise AppError("This mix cancels itself out", "Give the parts different weights, or leave one out.")
        return total / np.float32(length)

    def _resolve_part(self, part: QueryPart) -> QueryPart:
        if part.modality is Modality.TEXT:
            return part
        if not part.path:
            paths = self._lookup.paths_of(bytes.fromhex(part.content))
            present = next((path for path in paths if os.path.exists(path)), b"")  # noqa: PTH110 - a path of bytes
            return replace(part, path=os.fsdecode(present))
        path = os.path.abspath(part.path)  # noqa: PTH100 - resolving links would miss the library's own path
        known = self._lookup.content_at(os.fsencode(path))
        try:
            facts = os.stat(path)  # noqa: PTH116
        except OSError:
            if known and part.content in ("", known[0].hex()):
                return replace(part, path=path, content=known[0].hex())  # its drive is away; its vectors are here
            facts = None
        if known and facts and (facts.st_size, facts.st_mtime_ns) == known[1:]:
            return replace(part, path=path, content=known[0].hex())
        return replace(part, path=path, content=sha256_of(path).hex())

    def _choose(self, query: Query, model: str | None, models: Sequence[str]) -> Target | None:
        if model:
            if not query.modalities <= self._encoders.spec(model).accepts:
                raise UnsupportedModality(
                    "This model cannot answer this", f"{model} does not understand a query by {_kinds(query)}."
                )
            self._encoders.fingerprint(model)
            if target := self.target(model):
                return target
            raise AppError("Nothing is indexed with this model", f"Index this library with {model} first.")
        ready = {status.key for status in self._encoders.statuses() if status.ready}
        for key in models:
            if key in ready and query.modalities <= self._encoders.spec(key).accepts and (target := self.target(key)):
                return target
        if query.modalities == {Modality.TEXT} and query.words:
            return None
        raise UnsupportedModality(
            "No model here can answer this",
            f"This library is not indexed with a model that understands a query by {_kinds(query)}. "
            "Choose one under Models, then index again.",
        )

    def _part_vector(self, part: QueryPart, target: Target) -> Vector:
        key = (target.space.fingerprint, replace(part, weight=1.0, path="" if part.content else part.path))
        with self._cache_lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
        vector = self._stored(part, target)
        if vector is None:
            vector = self._encoders.load(target.key).encode([self._sample(part, target.spec)])[0]
        with self._cache_lock:
            self._cache[key] = vector
            while len(self._cache) > CACHED_QUERIES:
                self._cache.popitem(last=False)
        return vector

    def _stored(self, part: QueryPart, target: Target) -> Vector | None:
        """The vector of an item that is in the library already."""
        if not part.content:
            return None
        kinds = (ItemKind.AUDIO,) if part.modality is Modality.AUDIO else (ItemKind.PHOTO, ItemKind.FRAME)
        for kind in kinds:
            item_id = self._lookup.find_item(bytes.fromhex(part.content), kind, part.at_ms)
            if item_id is not None:
                stored: Vectors | None = next(
                    (vectors for _, vectors in self._spaces.of_items(target.space, np.array([item_id], np.int64))), None
                )
                return None if stored is None else np.asarray(stored[0], np.float32)
        return None

    def _sample(self, part: QueryPart, spec: EncoderSpec) -> Sample:
        if part.modality is Modality.TEXT:
            return Text(part.text)
        prepare = spec.sound if part.modality is Modality.AUDIO else spec.picture
        if prepare is None:
            raise UnsupportedModality("This model cannot answer this", f"{spec.key} takes no {part.modality} queries.")
        prepared = self._pool.sample_at(self._file_of(part), prepare, part.at_ms).result()
        return prepared_sample(prepared)

    def _file_of(self, part: QueryPart) -> bytes:
        """A file that holds the part's content now: its own may have been moved or overwritten since it was kept.

        Raises:
            MediaUnreadable: there is none.
        """
        copies = self._lookup.paths_of(bytes.fromhex(part.content))
        for path in (part.path, *map(os.fsdecode, copies)):
            with suppress(AppError):
                if path and self._resolve_part(QueryPart(part.modality, path=path)).content == part.content:
                    return os.fsencode(path)
        raise MediaUnreadable(
            "The query's file is gone", "It was moved, deleted or changed since; choose it anew.", part.path or None
        )

    # --- the hits ---

    def _own(self, query: Query) -> tuple[Ids, frozenset[bytes]]:
        """The items that only the query's own files hold, and the paths of those files."""
        items: list[Ids] = []
        own_paths = {os.fsencode(part.path) for part in query.parts if part.path}
        real_paths = {os.path.realpath(path) for path in own_paths}
        for part in query.parts:
            if part.content:
                sha256 = bytes.fromhex(part.content)
                copies = [path for path in self._lookup.paths_of(sha256) if os.path.realpath(path) not in real_paths]
                if not copies or not part.path:
                    items.append(self._lookup.items_of(sha256))
        own = np.unique(np.concatenate(items)) if items else np.empty(0, np.int64)
        return own, frozenset(own_paths)

    def _keywords(self, request: SearchRequest, filters: Filters, query: Query, own: Ids) -> list[int]:
        if not request.keywords or query.modalities != {Modality.TEXT}:
            return []
        excluded = {int(item_id) for item_id in own}
        limit = max(request.k, KEYWORD_LIMIT)
        found = self._lookup.keywords(query.words, filters, limit)
        return [item_id for item_id in found if item_id not in excluded]

    def _similarities(
        self,
        ranking: Iterable[tuple[int, object]],
        neighbours: Neighbours,
        target: Target | None,
        vector: Vector | None,
    ) -> dict[int, float]:
        """The cosine of every ranked item that has a vector, also of those that only the keywords found."""
        known = dict(zip(map(int, neighbours.ids), map(float, neighbours.similarities), strict=True))
        unknown = [item_id for item_id, _ in ranking if item_id not in known]
        if target and vector is not None and unknown:
            for ids, vectors in self._spaces.of_items(target.space, np.array(unknown, np.int64)):
                known.update(zip(map(int, ids), map(float, vectors @ vector), strict=True))
        return known

    def _hits(
        self,
        ranking: Sequence[tuple[int, tuple[FoundBy, ...]]],
        similarities: dict[int, float],
        own_paths: frozenset[bytes],
        under: str | None = None,
    ) -> tuple[Hit, ...]:
        rows = self._lookup.items([item_id for item_id, _ in ranking])
        online = [root for root in self._files.roots() if is_online(root)]
        hits: list[Hit] = []
        for item_id, found_by in ranking:
            if row := rows.get(item_id):
                path = _shown_path(row, own_paths, under, online)
                hits.append(_hit(len(hits) + 1, row, similarities.get(item_id), found_by, path))
        return tuple(hits)

    def hit(self, item_id: int) -> Hit | None:
        """One item as a hit without a rank."""
        hits = self._hits([(item_id, ())], {}, frozenset())
        return replace(hits[0], rank=0) if hits else None


def _hit(
    rank: int,
    row: ItemRow,
    similarity: float | None,
    found_by: tuple[FoundBy, ...],
    path: bytes,
) -> Hit:
    return Hit(
        rank=rank,
        item_id=row.id,
        path=os.fsdecode(path),
        kind=row.media_kind,
        item_kind=row.kind,
        start_ms=None if row.kind is ItemKind.PHOTO else row.start_ms,
        end_ms=row.end_ms,
        similarity=similarity,
        found_by=found_by,
        copies=len(row.paths) - 1,
    )


def _shown_path(row: ItemRow, own_paths: frozenset[bytes], under: str | None, online: Sequence[bytes]) -> bytes:
    """Of the files with this content one that was asked for: not the query's own, below the folder, and there now."""

    def unwanted(path: bytes) -> tuple[bool, bool, bool]:
        outside = under is not None and not is_within(path, os.fsencode(under))
        return outside, path in own_paths, not any(is_within(path, root) for root in online)

    return min(row.paths, key=unwanted)


def _absolute(filters: Filters) -> Filters:
    """The filters with their folder as the library writes it."""
    return filters if filters.under is None else replace(filters, under=os.path.abspath(filters.under))  # noqa: PTH100


def _fuse(neighbours: Neighbours, by_words: Sequence[int], k: int) -> list[tuple[int, tuple[FoundBy, ...]]]:
    """Reciprocal rank fusion of the two lists; a single list keeps its order."""
    by_meaning = [int(item_id) for item_id in neighbours.ids]
    scores: dict[int, float] = {}
    found_by: dict[int, tuple[FoundBy, ...]] = {}
    for finder, items in ((FoundBy.MEANING, by_meaning), (FoundBy.KEYWORDS, by_words)):
        for rank, item_id in enumerate(items, start=1):
            scores[item_id] = scores.get(item_id, 0.0) + 1.0 / (RANK_CONSTANT + rank)
            found_by[item_id] = (*found_by.get(item_id, ()), finder)
    best = sorted(scores, key=lambda item_id: -scores[item_id])[:k]  # a stable sort: equals stay with the meaning first
    return [(item_id, found_by[item_id]) for item_id in best]


def _kinds(query: Query) -> str:
    names = {Modality.TEXT: "words", Modality.IMAGE: "picture", Modality.AUDIO: "sound"}
    return " and ".join(names[modality] for modality in sorted(query.modalities))
