"""A graph and the rows it does not hold yet, asked as one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.engine.index.exact import Ids, Neighbours, ranked
from app.engine.index.hnsw import HnswIndex
from app.engine.index.matrix import scan
from app.engine.index.rows import Rows, contains
from app.engine.samples import Vectors

FETCH_UP_TO = 2048
"""Where this many of the graph's nearest hold no ``k`` that are wanted, a scan is quicker than more of them."""


@dataclass(frozen=True, eq=False)
class View:
    """A graph, and the tail of rows that it does not hold yet, at one moment."""

    rows: Rows
    graph: HnswIndex
    last_row: int
    tail: Ids
    tail_blocks: tuple[Vectors, ...]

    def nearest(self, query: npt.NDArray[np.float32], k: int, allowed: Ids, excluded: Ids) -> Neighbours | None:
        """About the ``k`` nearest that are wanted, or None where the graph is the wrong way to find them."""
        in_tail = self._wanted(self.tail, scan(self.tail_blocks, query), allowed, excluded)
        live_share = self.rows.up_to(self.last_row) / max(1, len(self.graph))
        fetch = math.ceil((k + min(k, len(excluded))) / max(1e-9, live_share * min(1.0, len(allowed) / len(self.rows))))
        while fetch <= FETCH_UP_TO:
            found = self.graph.search(query, fetch)
            # What was added since this view was taken is in the tail already.
            known = found.ids <= self.last_row
            wanted = self._wanted(found.ids[known], found.similarities[known], allowed, excluded)
            best = ranked(
                np.concatenate((wanted.ids, in_tail.ids)),
                np.concatenate((wanted.similarities, in_tail.similarities)),
                k,
            )
            # Below the last that the graph gave there may be others as near as what the tail has there.
            reach = found.similarities.min(initial=1.0) if fetch < len(self.graph) else -1.0
            if np.count_nonzero(best.similarities >= reach) >= k:
                return best
            fetch *= 2
        return None

    def _wanted(self, rows: Ids, similarities: npt.NDArray[np.float32], allowed: Ids, excluded: Ids) -> Neighbours:
        """The items of those rows that are still there and asked for."""
        items, kept = self.rows.items_of(rows)
        kept &= contains(allowed, items) & ~contains(excluded, items)
        return Neighbours(items[kept], similarities[kept])
