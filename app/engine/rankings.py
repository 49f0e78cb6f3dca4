"""Rankings that were computed and are kept, so that judging on and measuring again search nothing anew."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.engine.errors import MediaUnreadable
from app.engine.evaluation import trec
from app.engine.index.exact import Ids, Neighbours
from app.engine.jobs import NULL_JOB, Job
from app.engine.search import Searcher
from app.engine.shelves import Shelves
from app.engine.store.lookup import Lookup
from app.engine.targets import Target
from app.engine.types import Filters, Modality, Query, Space

RUN_DEPTH = 1000
"""How far down a model's ranking the measures without a cut-off (AP, RR) look: trec_eval's usual 1,000."""

KEPT_BYTES = 512 << 20
"""50 models × 500 queries × 1,000 results take 200 MB."""

GROWN = 0.1

LARGEST_SMALL_ID = np.iinfo(np.int32).max


class KeyedQuery(NamedTuple):
    """A query, and what it is in a word; empty where a file of it has not been read, and then nothing is kept."""

    key: str
    query: Query


@dataclass(frozen=True, eq=False)
class Standing:
    """What rankings in a space depend on beside the query: the items that may be found, and the rows of vectors. Both
    are the same array while nothing of it has changed."""

    visible: Ids
    numbers: Ids

    def is_still(self, other: Standing) -> bool:
        return self.visible is other.visible and self.numbers is other.numbers

    def is_about(self, other: Standing) -> bool:
        """The library has not grown or shrunk by a tenth: what goes by its size as a whole still holds."""
        return _are_close(self.visible, other.visible) and _are_close(self.numbers, other.numbers)


@dataclass(frozen=True, eq=False)
class Ranking:
    """A model's first items for a query, best first: ids, (n,) int32 or int64, and similarities, (n,) float32."""

    ids: npt.NDArray[np.integer]
    similarities: npt.NDArray[np.float32]

    @property
    def size_bytes(self) -> int:
        return self.ids.nbytes + self.similarities.nbytes

    def first(self, k: int) -> Neighbours:
        return Neighbours(self.ids[:k].astype(np.int64), self.similarities[:k])


class Rankings:
    """The rankings of one library's queries by its models. Any thread may ask.

    They are kept up to ``kept_bytes``, by what the query is and not by which test query it is, and computed anew once
    an item or a vector has come or gone.
    """

    def __init__(
        self, lookup: Lookup, shelves: Shelves, searcher: Searcher, kept_bytes: int = KEPT_BYTES, depth: int = RUN_DEPTH
    ) -> None:
        self._lookup = lookup
        self._shelves = shelves
        self._searcher = searcher
        self._bound_bytes = kept_bytes
        self._depth = depth
        self._lock = threading.Lock()
        self._standings: dict[Space, Standing] = {}
        self._kept: OrderedDict[tuple[int, str], Ranking] = OrderedDict()
        self._kept_bytes = 0

    @property
    def version(self) -> int:
        """Another one once anything was written to the library."""
        return self._lookup.version

    def standing(self, target: Target) -> Standing:
        """What the target's rankings depend on now."""
        return Standing(self._lookup.visible(Filters(), target.kinds), self._shelves[target.space].numbers)

    def of(
        self, queries: Sequence[KeyedQuery], target: Target, depth: int = 0, job: Job = NULL_JOB
    ) -> Iterator[Ranking | MediaUnreadable]:
        """The ranking of each query, in order, at least ``depth`` and usually 1,000 long, exact and by meaning alone;
        an error stands for a query whose file is gone.

        Raises:
            AppError: the model cannot be loaded.
            Cancelled: the job was cancelled; what was ranked is kept.
        """
        standing = self.standing(target)  # first: what is ranked may be newer than it says, never older
        with self._lock:
            held = self._standings.get(target.space)
            if held is not None and held.is_still(standing):
                standing = held
            else:
                self._forget(target.space)
                self._standings[target.space] = standing
        known = self._find(target.space, [key for key, _ in queries], depth)
        for (key, query), ranking in zip(queries, known, strict=True):
            if ranking is None:
                job.check()
                try:
                    ranking = _lean(self._searcher.ranking(query, target, max(depth, self._depth)))
                except MediaUnreadable as error:  # one lost file must not keep the other queries from being measured
                    yield error
                    continue
                self._keep(target.space, key, ranking, standing)
            yield ranking

    def _find(self, space: Space, keys: Sequence[str], depth: int) -> list[Ranking | None]:
        """What is kept, and long enough, for each of these keys."""
        found: list[Ranking | None] = []
        with self._lock:
            for key in keys:
                ranking = self._kept.get((space.id, key))
                if ranking is not None and self._depth <= len(ranking.ids) < depth:
                    ranking = None
                if ranking is not None:
                    self._kept.move_to_end((space.id, key))
                found.append(ranking)
        return found

    def _keep(self, space: Space, key: str, ranking: Ranking, standing: Standing) -> None:
        with self._lock:
            if not key or self._standings.get(space) is not standing:
                return
            if before := self._kept.pop((space.id, key), None):
                self._kept_bytes -= before.size_bytes
            self._kept[space.id, key] = ranking
            self._kept_bytes += ranking.size_bytes
            while self._kept_bytes > self._bound_bytes:
                _, oldest = self._kept.popitem(last=False)
                self._kept_bytes -= oldest.size_bytes

    def _forget(self, space: Space) -> None:
        for key in [key for key in self._kept if key[0] == space.id]:
            self._kept_bytes -= self._kept.pop(key).size_bytes


def _are_close(first: Ids, second: Ids) -> bool:
    return abs(len(first) - len(second)) <= GROWN * max(len(first), len(second))


def _lean(found: Neighbours) -> Ranking:
    is_small = int(found.ids.max(initial=0)) <= LARGEST_SMALL_ID
    return Ranking(found.ids.astype(np.int32) if is_small else found.ids, found.similarities)


def keyed(query: Query) -> KeyedQuery:
    is_known = all(part.content or part.modality is Modality.TEXT for part in query.parts)
    return KeyedQuery(trec.query_id(query) if is_known else "", query)
