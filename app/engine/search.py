"""From a query to hits: encode, find neighbours, join with the catalogue, fuse with the keywords."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from app.engine.encoders.base import EncoderSource, ready_keys
from app.engine.errors import AppError, UnsupportedModality
from app.engine.index.exact import NOTHING, Ids, Neighbours
from app.engine.index.rows import NO_IDS
from app.engine.index.shelf import EVERYTHING, Shelf
from app.engine.querying import QueryVectors, Target, Vector
from app.engine.scanning import is_online
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
    SearchReply,
    SearchRequest,
    Space,
    Timings,
)

RANK_CONSTANT = 60
"""Of reciprocal rank fusion, as its authors chose it (Cormack, Clarke and Büttcher, SIGIR 2009)."""

KEYWORD_LIMIT = 1000


SCAN_FOR_WORDS_UP_TO = 250_000
"""A query by words is compared with every picture of a space this large: its nearest lie scattered, where a graph finds
a third of them, and the scan takes less time than the model takes for the words."""


class Shelves:
    """The shelf of each space, made at first use, and the one thread that builds their graphs."""

    def __init__(self, spaces: Spaces, folder: Path, exact_up_to: int) -> None:
        self._spaces = spaces
        self._folder = folder
        self._exact_up_to = exact_up_to
        self._background = ThreadPoolExecutor(1, thread_name_prefix="index-builder")
        self._lock = threading.Lock()
        self._shelves: dict[Space, Shelf] = {}

    def __getitem__(self, space: Space) -> Shelf:
        with self._lock:
            if space not in self._shelves:
                self._shelves[space] = Shelf(self._spaces, space, self._folder, self._background, self._exact_up_to)
            return self._shelves[space]

    def forget(self, space: Space) -> None:
        """Delete what is kept of a space, in memory and on disk.

        Raises:
            AppError: its index file cannot be deleted.
        """
        try:
            self[space].delete()
        except OSError as error:
            raise AppError(
                "The search index could not be deleted",
                f"{error.strerror or error}. See that the library's folder can be written, then try again.",
                error.filename,
            ) from error
        with self._lock:
            del self._shelves[space]

    def renew(self) -> None:
        """Drop what is in memory: the library that it was read from was found damaged."""
        with self._lock:
            for shelf in self._shelves.values():
                shelf.close()
            self._shelves.clear()

    def close(self) -> None:
        """End the thread. What it had not finished is begun anew when the library is opened again."""
        with self._lock:
            for shelf in self._shelves.values():
                shelf.close()
        self._background.shutdown(cancel_futures=True)


class Searcher:
    """Answers queries from one library."""

    def __init__(
        self,
        files: Files,
        lookup: Lookup,
        spaces: Spaces,
        shelves: Shelves,
        encoders: EncoderSource,
        queries: QueryVectors,
    ) -> None:
        self._files = files
        self._lookup = lookup
        self._spaces = spaces
        self._shelves = shelves
        self._encoders = encoders
        self._queries = queries

    # --- the two entrances ---

    def search(self, request: SearchRequest, models: Sequence[str]) -> SearchReply:
        """The best ``k`` items, by the requested model or the first of ``models`` that understands the query.

        Raises:
            AppError: the query is empty, its file cannot be read, or no model here understands it.
        """
        began_s = time.perf_counter()
        query = self._queries.resolve(request.query)
        filters = _absolute(request.filters)
        target = self._choose(query, request.model, models)
        own, own_paths = self._own(query)
        encode_ms = neighbours_ms = 0.0
        neighbours, exact = NOTHING, True
        vector: Vector | None = None
        if target:
            vector = self._queries.vector(query, target)
            encoded_s = time.perf_counter()
            encode_ms = (encoded_s - began_s) * 1000
            allowed = self._lookup.visible(filters, target.kinds)
            scan_up_to = _scan_up_to(query, request.exact)
            neighbours, exact = self._shelves[target.space].search(vector, request.k, allowed, own, scan_up_to)
            neighbours_ms = (time.perf_counter() - encoded_s) * 1000
        by_words = self._keywords(request, filters, query, own)
        ranking = _fuse(neighbours, list(by_words), request.k)
        similarities = self._similarities(ranking, neighbours, target, vector)
        hits = self._hits(ranking, similarities, own_paths, filters.under, by_words)
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
        own = _union([self._lookup.items_of(bytes.fromhex(part.content)) for part in query.parts if part.content])
        vector = self._queries.vector(query, target)
        neighbours, _ = self._shelves[target.space].search(vector, depth, allowed, own, EVERYTHING)
        ids = [int(item_id) for item_id in neighbours.ids]
        similarities = dict(zip(ids, map(float, neighbours.similarities), strict=True))
        return self._hits([(item_id, (FoundBy.MEANING,)) for item_id in ids], similarities, frozenset())

    # --- the model ---

    def target(self, key: str) -> Target | None:
        """The model's space in this library, or None while it holds nothing.

        Raises:
            AppError: there is no such model, or its weights are missing.
        """
        space = self._spaces.find(key, self._encoders.fingerprint(key))
        return Target(key, self._encoders.spec(key), space) if space and not self._spaces.is_empty(space.id) else None

    def _choose(self, query: Query, model: str | None, models: Sequence[str]) -> Target | None:
        if model:
            if not query.modalities <= self._encoders.spec(model).accepts:
                raise UnsupportedModality(
                    "This model cannot answer this", f"{model} does not understand a query by {_kinds(query)}."
                )
            if target := self.target(model):
                return target
            raise AppError("Nothing is indexed with this model", f"Index this library with {model} first.")
        ready = ready_keys(self._encoders)
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
        return _union(items), frozenset(own_paths)

    def _keywords(self, request: SearchRequest, filters: Filters, query: Query, own: Ids) -> dict[int, list[bytes]]:
        if not request.keywords or query.modalities != {Modality.TEXT}:
            return {}
        excluded = {int(item_id) for item_id in own}
        limit = max(request.k, KEYWORD_LIMIT)
        found = self._lookup.keywords(query.words, filters, limit)
        return {item_id: paths for item_id, paths in found.items() if item_id not in excluded}

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
        named: Mapping[int, Sequence[bytes]] = MappingProxyType({}),
    ) -> tuple[Hit, ...]:
        rows = self._lookup.items([item_id for item_id, _ in ranking])
        online = [root for root in self._files.roots() if is_online(root)]
        hits: list[Hit] = []
        for item_id, found_by in ranking:
            if row := rows.get(item_id):
                path = _shown_path(row, own_paths, under, online, named.get(item_id, ()))
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


def _shown_path(
    row: ItemRow, own_paths: frozenset[bytes], under: str | None, online: Sequence[bytes], named: Sequence[bytes]
) -> bytes:
    """Of the files with this content one that was asked for: not the query's own, below the folder, there now, and
    ``named`` by the query's words."""

    def unwanted(path: bytes) -> tuple[bool, bool, bool, bool]:
        outside = under is not None and not is_within(path, os.fsencode(under))
        away = not any(is_within(path, root) for root in online)
        return outside, path in own_paths, away, path not in named

    return min(row.paths, key=unwanted)


def _scan_up_to(query: Query, exact: bool) -> int | None:
    """The largest set that is compared whole, or None for what the shelf thinks best."""
    if exact:
        return EVERYTHING
    return SCAN_FOR_WORDS_UP_TO if Modality.TEXT in query.modalities else None


def _union(items: Sequence[Ids]) -> Ids:
    """All of these, ascending."""
    return np.unique(np.concatenate(items)) if items else NO_IDS


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
