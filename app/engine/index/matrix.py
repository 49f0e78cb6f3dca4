"""A space's vectors in memory, for the exact scan: in blocks, so that more of them never move those that are there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.engine.index.exact import Ids, Neighbours, ranked
from app.engine.index.rows import contains
from app.engine.samples import Vectors

BLOCK_ROWS = 65_536
"""Large, because a product waits for all cores at the end of each; memory that is not filled yet takes none."""

COPY_UP_TO_SHARE = 0.75
"""Of a matrix; where a selection is more of it, all is scanned."""


class Matrix:
    """The vectors of the rows after ``after_row``, (n, dim) float32. Its owner sees to it that one thread changes it.

    What `blocks` gave out stays as it was, whatever is added or taken out later.
    """

    def __init__(self, dim: int, after_row: int = 0) -> None:
        self.after_row = after_row
        self.rows: Ids = np.empty(0, np.int64)
        self._dim = dim
        self._full: list[Vectors] = []
        self._last = np.empty((0, dim), np.float32)
        self._in_last = 0

    @property
    def last_row(self) -> int:
        return int(self.rows[-1]) if len(self.rows) else self.after_row

    def extend(self, more: Iterable[tuple[Ids, Vectors]]) -> None:
        """Add rows, ascending, all after the last."""
        for rows, vectors in more:
            self._append(vectors)
            self.rows = np.concatenate((self.rows, rows))

    def keep_only(self, live: Ids) -> None:
        """Take out the rows that are not among ``live`` (ascending). Only blocks that lose some are copied."""
        kept = contains(live, self.rows)
        if kept.all():
            return
        blocks, begin = self.blocks(), 0
        self._full, self._last, self._in_last = [], self._last[:0], 0
        for block in blocks:
            of_block = kept[begin : begin + len(block)]
            begin += len(block)
            if of_block.any():
                self._full.append(block if of_block.all() else block[of_block])
        self.rows = self.rows[kept]

    def blocks(self, begin: int = 0) -> tuple[Vectors, ...]:
        """The vectors from position ``begin`` on, without a copy."""
        found = []
        for block in (*self._full, self._last[: self._in_last]):
            if begin < len(block):
                found.append(block[begin:])
            begin = max(0, begin - len(block))
        return tuple(found)

    def take(self, positions: Ids) -> tuple[Vectors, ...]:
        """The vectors at ascending positions: a view of each block of which they are one run, else copies."""
        found, begin = [], 0
        for block in self.blocks():
            first, last = np.searchsorted(positions, (begin, begin + len(block)))
            inside = positions[first:last] - begin
            begin += len(block)
            if len(inside) == 0:
                continue
            if inside[-1] - inside[0] + 1 == len(inside):
                found.append(block[inside[0] : inside[-1] + 1])
            else:
                found.append(np.take(block, inside, axis=0))
        return tuple(found)

    def _append(self, vectors: Vectors) -> None:
        while len(vectors):
            if self._in_last == len(self._last):
                if len(self._last):
                    self._full.append(self._last)
                self._last, self._in_last = np.empty((BLOCK_ROWS, self._dim), np.float32), 0
            taken = vectors[: len(self._last) - self._in_last]
            self._last[self._in_last : self._in_last + len(taken)] = taken
            self._in_last += len(taken)
            vectors = vectors[len(taken) :]


@dataclass(frozen=True, eq=False)
class Selection:
    """Some of a matrix's vectors, ready to be scanned again and again.

    ``picks`` None: ``blocks`` hold these items and no others. Otherwise more is scanned than is wanted, because that
    is quicker than copying most of it, and ``picks`` are the positions that count.
    """

    ids: Ids
    blocks: tuple[Vectors, ...]
    picks: Ids | None

    def search(self, query: npt.NDArray[np.float32], k: int) -> Neighbours:
        similarities = scan(self.blocks, query)
        return ranked(self.ids, similarities if self.picks is None else similarities[self.picks], k)


def select(matrix: Matrix, positions: Ids, ids: Ids, copy_up_to: int) -> Selection:
    """The items ``ids`` at these ascending positions; up to ``copy_up_to`` scattered ones are copied together."""
    if len(positions) == len(matrix.rows):
        return Selection(ids, matrix.blocks(), None)
    if len(positions) <= copy_up_to and len(positions) <= COPY_UP_TO_SHARE * len(matrix.rows):
        return Selection(ids, matrix.take(positions), None)
    return Selection(ids, matrix.blocks(), positions)


def scan(blocks: Sequence[Vectors], query: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The cosine of every vector with a unit query."""
    similarities = np.empty(sum(map(len, blocks)), np.float32)
    begin = 0
    for block in blocks:
        np.dot(block, query, out=similarities[begin : begin + len(block)])
        begin += len(block)
    return similarities
