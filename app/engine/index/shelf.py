"""One synced index per space: what is asked here is answered from what SQLite holds now, by whichever path is right."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from app.engine.errors import IndexStale
from app.engine.index.exact import Ids, Neighbours, ranked, top_k
from app.engine.index.hnsw import HnswIndex
from app.engine.samples import Vectors
from app.engine.types import Space

log = logging.getLogger(__name__)

EXACT_UP_TO = 20_000
"""Sets this small are scanned: 20,000 × 512 compare in about 5 ms, and the answer is exact."""

REBUILD_ABOVE_DEAD_SHARE = 0.2
FIRST_OVERFETCH = 2


class VectorSource(Protocol):
    """What a shelf needs of the store; see `app.engine.store.spaces.Spaces`."""

    def count(self, space_id: int, up_to_row: int = ...) -> int: ...
    def ids(self, space_id: int, up_to_row: int = ...) -> Ids: ...
    def after(self, space: Space, row: int, block: int = 4096) -> Iterator[tuple[int, Ids, Vectors]]: ...
    def of_items(self, space: Space, item_ids: Ids, block: int = 4096) -> Iterator[tuple[Ids, Vectors]]: ...


@dataclass(eq=False)
class _Matrix:
    """A small space in memory."""

    ids: Ids
    vectors: Vectors
    last_row: int


class Shelf:
    """The neighbours in one space.

    Args:
        source: where the vectors are.
        space: which of them.
        folder: where the index file goes.
        exact_up_to: sets up to this size are scanned.
    """

    def __init__(self, source: VectorSource, space: Space, folder: Path, exact_up_to: int = EXACT_UP_TO) -> None:
        self._source = source
        self._space = space
        self._path = folder / f"space-{space.id}.hnsw"
        self._exact_up_to = exact_up_to
        self._lock = threading.Lock()
        self._matrix: _Matrix | None = None
        self._graph: HnswIndex | None = None
        self._graph_row = 0
        self._saved_row = 0

    def search(
        self, query: npt.NDArray[np.float32], k: int, allowed: Ids, exact: bool = False
    ) -> tuple[Neighbours, bool]:
        """The ``k`` nearest of the ``allowed`` items (ascending ids), and whether they are exact.

        As many as exist come back, up to ``k``, whatever the filter.
        """
        count = self._source.count(self._space.id)
        if count <= self._exact_up_to:
            return self._scan_matrix(query, k, allowed), True
        if exact or len(allowed) <= self._exact_up_to:
            return top_k(query, self._source.of_items(self._space, allowed), k), True
        return self._approximate(query, k, allowed, count)

    def save(self) -> None:
        """Bring a large space's index file up to date."""
        if self._source.count(self._space.id) <= self._exact_up_to:
            return
        with self._lock:
            graph = self._synced_graph()
            if self._graph_row != self._saved_row:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                graph.save(self._path, self._space.fingerprint, self._graph_row)
                self._saved_row = self._graph_row

    def _scan_matrix(self, query: npt.NDArray[np.float32], k: int, allowed: Ids) -> Neighbours:
        with self._lock:
            matrix = self._synced_matrix()
        kept = np.isin(matrix.ids, allowed, assume_unique=True)
        return ranked(matrix.ids[kept], (matrix.vectors @ query)[kept], k)

    def _approximate(self, query: npt.NDArray[np.float32], k: int, allowed: Ids, count: int) -> tuple[Neighbours, bool]:
        with self._lock:
            graph = self._synced_graph()
        fetch = k if len(allowed) >= count else FIRST_OVERFETCH * k
        while fetch <= self._exact_up_to:
            found = graph.search(query, fetch)
            kept = np.isin(found.ids, allowed)
            if kept.sum() >= k:
                return ranked(found.ids[kept], found.similarities[kept], k), False
            fetch *= 2
        return top_k(query, self._source.of_items(self._space, allowed), k), True

    # --- staying in step with SQLite ---

    def _synced_matrix(self) -> _Matrix:
        held = self._matrix or _Matrix(np.empty(0, np.int64), np.empty((0, self._space.dim), np.float32), 0)
        held = self._with_rows_after(held)
        if len(held.ids) != self._source.count(self._space.id, held.last_row):  # something was removed
            held = self._with_rows_after(_Matrix(held.ids[:0], held.vectors[:0], 0))
        self._matrix = held
        return held

    def _with_rows_after(self, held: _Matrix) -> _Matrix:
        blocks = list(self._source.after(self._space, held.last_row))
        if not blocks:
            return held
        return _Matrix(
            np.concatenate((held.ids, *(ids for _, ids, _ in blocks))),
            np.concatenate((held.vectors, *(vectors for _, _, vectors in blocks))),
            blocks[-1][0],
        )

    def _synced_graph(self) -> HnswIndex:
        self._matrix = None
        graph = self._graph
        if graph is None:
            graph = self._load_or_new()
        for row, ids, vectors in self._source.after(self._space, self._graph_row):
            graph.add(ids, vectors)
            self._graph_row = row
        if len(graph) != self._source.count(self._space.id, self._graph_row):
            graph = self._without_removed(graph)
        self._graph = graph
        return graph

    def _load_or_new(self) -> HnswIndex:
        try:
            graph, self._graph_row = HnswIndex.load(self._path, self._space.fingerprint, self._space.dim)
            self._saved_row = self._graph_row
        except IndexStale as stale:
            if self._path.exists():
                log.warning("%s: rebuilding it from the library", stale)
            graph, self._graph_row = HnswIndex(self._space.dim), 0
        return graph

    def _without_removed(self, graph: HnswIndex) -> HnswIndex:
        """Drop what SQLite no longer holds; when that is much, or the two do not add up, build anew."""
        live = {int(item_id) for item_id in self._source.ids(self._space.id, self._graph_row)}
        known = graph.ids()
        if live <= known and len(known - live) <= REBUILD_ABOVE_DEAD_SHARE * len(known):
            graph.keep_only(live)
            return graph
        log.info("rebuilding the index of space %s", self._space.id)
        graph, self._graph_row = HnswIndex(self._space.dim), 0
        for row, ids, vectors in self._source.after(self._space, 0):
            graph.add(ids, vectors)
            self._graph_row = row
        self._saved_row = 0
        return graph
