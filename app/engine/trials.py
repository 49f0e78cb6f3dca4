"""Searches that are made to be measured: how long they take, and what the index loses of what is there."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from app.engine.encoders.base import EncoderSource
from app.engine.errors import AppError
from app.engine.evaluation import trec
from app.engine.evaluation.sampling import sample
from app.engine.index.exact import Neighbours
from app.engine.jobs import NULL_JOB, Job
from app.engine.querying import QueryVectors, Vector
from app.engine.rankings import Ranking, Rankings, Standing, keyed
from app.engine.search import Searcher
from app.engine.shelves import Shelves
from app.engine.targets import Target
from app.engine.types import Query, SearchRequest, Space

SAMPLED_QUERIES = 50

TIMED_S = 30.0
"""No new search of a model is timed once those before took this long: what takes seconds is known to by then."""

SAME_SIMILARITY = 1e-5
"""Two ways to add up the same products differ by less. An item as near as the last of the exact ones is no loss."""

_Recall = tuple[float, bool]


class Trials:
    """The trials of one library while it is open: each query is tried once with a model, and then remembered."""

    def __init__(
        self,
        searcher: Searcher,
        vectors: QueryVectors,
        rankings: Rankings,
        shelves: Shelves,
        encoders: EncoderSource,
    ) -> None:
        self._searcher = searcher
        self._vectors = vectors
        self._rankings = rankings
        self._shelves = shelves
        self._encoders = encoders
        self._lock = threading.Lock()
        self._times_ms: dict[Space, tuple[Standing, dict[Query, float]]] = {}
        self._gpu_bytes: dict[Space, int] = {}
        self._asked: dict[tuple[Space, Query], Vector] = {}
        self._recalls: dict[tuple[Space, Query, int], tuple[Standing, tuple[object, int], _Recall]] = {}

    # --- time ---

    def times_ms(self, queries: Sequence[Query], target: Target, job: Job = NULL_JOB) -> list[float]:
        """How long whole searches take, one time for each of up to 50 of these queries.

        A search is timed as the person would wait for it, 50 results with keywords: its file is read and decoded, its
        words or samples are encoded, whatever is remembered or stored of them, the neighbours are found, and the hits
        put together. The model is loaded, and has answered once, before. Times are kept until the library has grown or
        shrunk by a tenth, and only where nothing was written meanwhile: an index run takes the processor from searches.

        Raises:
            Cancelled: the job was cancelled; nothing timed is kept.
        """
        version, standing = self._rankings.version, self._rankings.standing(target)
        held = self._times_ms.get(target.space)
        if held is None or not held[0].is_about(standing):
            held = standing, {}
        known = dict(held[1])
        chosen = _sample(queries)
        left = [query for query in chosen if query not in known]
        if left and sum(known.values()) < TIMED_S * 1000:
            with self._watching_gpu(target):
                self._time(left, target, known, job)
            if self._rankings.version == version:
                self._times_ms[target.space] = held[0], known
        return [known[query] for query in chosen if query in known]

    def gpu_bytes(self, target: Target) -> int | None:
        """What the target's weights and the searches that were timed took of a CUDA card at most; None without one."""
        return self._gpu_bytes.get(target.space)

    def _time(self, queries: Sequence[Query], target: Target, known: dict[Query, float], job: Job) -> None:
        if not known:
            self._searched_ms(queries[0], target)
        began_s = time.perf_counter()
        for query in queries:
            job.check()
            if (taken_ms := self._searched_ms(query, target)) is not None:
                known[query] = taken_ms
            if time.perf_counter() - began_s > TIMED_S:
                return

    def _searched_ms(self, query: Query, target: Target) -> float | None:
        with suppress(AppError):  # its file is gone, or the mix cancels itself out
            return self._searcher.search(SearchRequest(query, target.key), (), anew=True).timings.total_ms
        return None

    @contextmanager
    def _watching_gpu(self, target: Target) -> Iterator[None]:
        try:
            encoder: Any = self._encoders.load(target.key)
        except AppError:  # the searches will say it
            yield
            return
        torch: Any = sys.modules.get("torch")
        if torch is None or not encoder.device.startswith("cuda"):
            yield
            return
        torch.cuda.reset_peak_memory_stats()
        before_bytes = torch.cuda.memory_allocated()
        yield
        above_bytes = torch.cuda.max_memory_allocated() - before_bytes
        self._gpu_bytes[target.space] = getattr(encoder, "weights_bytes", 0) + max(0, above_bytes)

    # --- the index ---

    def recalls(
        self, queries: Sequence[Query], target: Target, k: int, job: Job = NULL_JOB
    ) -> tuple[list[float], bool]:
        """Of up to 50 of these queries the share of the exact first ``k`` that a usual search by meaning finds, and
        whether the graph answered any of them.

        Raises:
            Cancelled: the job was cancelled.
        """
        recalls, uses_index = [], False
        chosen = _sample(queries)
        for query, exact in zip(
            chosen, self._rankings.of([keyed(query) for query in chosen], target, k, job), strict=True
        ):
            if isinstance(exact, Ranking) and len(exact.ids):
                recall, is_exact = self._recall(query, target, k, exact)
                recalls.append(recall)
                uses_index |= not is_exact
        return recalls, uses_index

    def _recall(self, query: Query, target: Target, k: int, exact: Ranking) -> _Recall:
        standing, graph = self._rankings.standing(target), self._shelves[target.space].graph_state
        place = target.space, query, k
        with self._lock:
            known = self._recalls.get(place)
        if known and known[0].is_still(standing) and known[1] == graph:
            return known[2]
        found, is_exact = self._searcher.usual(query, target, k, self._vector(query, target))
        recall = 1.0 if is_exact else recalled(exact.first(k), found), is_exact
        with self._lock:
            self._recalls[place] = standing, self._shelves[target.space].graph_state, recall
        return recall

    def _vector(self, query: Query, target: Target) -> Vector:
        """Kept, since what `QueryVectors` remembers is soon pushed out by many models."""
        place = target.space, query
        if place not in self._asked:
            self._asked[place] = self._vectors.vector(query, target)
        return self._asked[place]


def _sample(queries: Sequence[Query]) -> list[Query]:
    return sample(list(dict.fromkeys(queries)), trec.query_id, SAMPLED_QUERIES)


def recalled(exact: Neighbours, found: Neighbours) -> float:
    """The share of the exact first items that was found, or others as near in their place."""
    last = exact.similarities[-1] - SAME_SIMILARITY
    good = int(np.count_nonzero(found.similarities >= last))
    return min(good, len(exact.ids)) / len(exact.ids)
