"""Judge once, without bias: the pool of a query, the grades that a person gives to what is in it, and what is left."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from app.engine.encoders.base import EncoderSource, ready_keys
from app.engine.errors import AppError, MediaUnreadable
from app.engine.evaltypes import (
    OWN_JUDGE,
    Agreement,
    JudgingOrder,
    JudgingProgress,
    Mark,
    Pool,
    PoolItem,
    QueryProgress,
    QuerySummary,
)
from app.engine.evaluation import pooling, trec
from app.engine.evaluation.agreement import agreement
from app.engine.evaluation.pooling import Ranking
from app.engine.jobs import NULL_JOB, Job
from app.engine.querying import Target
from app.engine.search import Searcher
from app.engine.store.judgments import Judgments, graded
from app.engine.store.lookup import Lookup
from app.engine.store.queries import Queries
from app.engine.types import Hit, ItemRef, Query

LONGEST_JUDGE = 60
TIMED_JUDGMENTS = 50
SHORTEST_GAP_MS, LONGEST_GAP_MS = 100, 60_000
"""A shorter gap is an import's or one key for several items, a longer one a pause."""
LEAST_GAPS = 5


@dataclass(frozen=True)
class _Found:
    """What the models found for a query: their rankings, and the items as hits without rank or similarity."""

    targets: tuple[Target, ...]
    rankings: tuple[Ranking, ...]
    hits: Mapping[ItemRef, Hit]


class Judging:
    """The pools of one library's test queries, and their judgments."""

    def __init__(
        self, lookup: Lookup, queries: Queries, judgments: Judgments, searcher: Searcher, encoders: EncoderSource
    ) -> None:
        self._lookup = lookup
        self._queries = queries
        self._judgments = judgments
        self._searcher = searcher
        self._encoders = encoders

    def pool(
        self,
        query_id: int,
        models: Sequence[str],
        depth: int,
        judge: str = OWN_JUDGE,
        order: JudgingOrder = JudgingOrder.SHUFFLED,
    ) -> Pool:
        """The first ``depth`` results of every model, each once, with the grades of one judge.

        Shuffled, the order depends on neither model nor rank. With the most disputed first it depends on how many
        found an item, and tells not which.
        """
        stored = self._queries.query(query_id)
        of_set = self._queries.set_of(stored.set_id)
        found = self._found(stored.query, self._targets(models), depth)
        grades = self._judgments.of_query(query_id, judge)
        blind = sorted(found.hits, key=lambda ref: _shuffle_key(stored.key, ref))
        if order is JudgingOrder.DISAGREEMENT:
            blind = pooling.most_disputed_first(found.rankings, blind)
        return Pool(
            query_id=query_id,
            title=stored.title,
            items=tuple(PoolItem(found.hits[ref], grades.get(ref)) for ref in blind),
            models=tuple(target.key for target in found.targets),
            scale=of_set.scale,
            guidelines=stored.guidelines or of_set.guidelines,
        )

    def judge(self, query_id: int, item_id: int, grade: int | None, judge: str = OWN_JUDGE) -> QuerySummary:
        """Enter a grade (0: not relevant, above: relevant) or a `Mark`; None takes it back. The query as all judges
        together have judged it now.

        Raises:
            AppError: the query or the item is gone, or the judge's name is too long.
        """
        if len(judge) > LONGEST_JUDGE:
            raise AppError("This name is too long", f"Give a judge a name of up to {LONGEST_JUDGE} characters.")
        self._queries.query(query_id)
        refs = self._lookup.refs([item_id])
        if item_id not in refs:
            raise AppError("This item is gone", "Its file has left the library since it was found.")
        self._judgments.judge(query_id, judge, [(refs[item_id], grade)])
        return self._queries.query(query_id)

    def progress(
        self,
        set_id: int,
        models: Sequence[str],
        depth: int,
        judge: str = OWN_JUDGE,
        order: JudgingOrder = JudgingOrder.SHUFFLED,
        job: Job = NULL_JOB,
    ) -> JudgingProgress:
        """How far the pools of a set are judged by one judge. Queries stay in the set's order; with the most disputed
        first, those come first about which the models disagree most, and then those where nothing is left.

        Raises:
            AppError: the set is gone.
            Cancelled: the job was cancelled.
        """
        self._queries.set_of(set_id)
        summaries = self._queries.queries(set_id)
        grades = self._judgments.of_queries([summary.id for summary in summaries], judge)
        targets = self._targets(models)
        queries = [
            self._query_progress(summary, targets, depth, grades.get(summary.id, {}))
            for summary in job.track(summaries, "Counting what is left to judge", len(summaries))
        ]
        if order is JudgingOrder.DISAGREEMENT:
            queries.sort(key=lambda query: (query.left == 0, -query.disagreement))
        return JudgingProgress(tuple(queries), self._ms_per_item(set_id, judge))

    def _query_progress(
        self, summary: QuerySummary, targets: Sequence[Target], depth: int, grades: Mapping[ItemRef, int]
    ) -> QueryProgress:
        try:
            rankings = [ranking for _, ranking, _ in self._rankings(summary.query, targets, depth)]
        except MediaUnreadable:  # its own file is gone: there is nothing to judge
            return QueryProgress(summary.id, 0, 0, 0.0)
        pooled = {ref for ranking in rankings for ref in ranking.items}
        later = sum(grades.get(ref) == Mark.LATER for ref in pooled)
        left = later + sum(ref not in grades for ref in pooled)
        return QueryProgress(summary.id, len(pooled), left, pooling.disagreement(rankings), later)

    def _ms_per_item(self, set_id: int, judge: str) -> float | None:
        moments = self._judgments.moments(set_id, judge, TIMED_JUDGMENTS + 1)
        gaps_ms = [(after - before).total_seconds() * 1000 for before, after in pairwise(moments)]
        working = [gap_ms for gap_ms in gaps_ms if SHORTEST_GAP_MS <= gap_ms <= LONGEST_GAP_MS]
        return median(working) if len(working) >= LEAST_GAPS else None

    def agreement(self, set_id: int, first: str, second: str) -> Agreement:
        """How far two judges agree on what both have graded in a set.

        Raises:
            AppError: the set is gone.
        """
        of_set = self._queries.set_of(set_id)
        query_ids = [summary.id for summary in self._queries.queries(set_id)]
        one, other = (self._judgments.of_queries(query_ids, judge) for judge in (first, second))
        pairs = [
            (grade, other[query_id][ref])
            for query_id, grades in one.items()
            for ref, grade in graded(grades).items()
            if other.get(query_id, {}).get(ref, Mark.UNSURE) >= 0
        ]
        return agreement(first, second, pairs, of_set.scale)

    # --- what the models find ---

    def _targets(self, models: Sequence[str]) -> list[Target]:
        ready = ready_keys(self._encoders)
        return [target for key in models if key in ready and (target := self._searcher.target(key))]

    def _found(self, query: Query, targets: Sequence[Target], depth: int) -> _Found:
        found = self._rankings(query, targets, depth)
        hits = {
            ref: replace(hit, rank=0, similarity=None, found_by=())
            for _, ranking, of_model in found
            for ref, hit in zip(ranking.items, of_model, strict=True)
        }
        return _Found(tuple(target for target, _, _ in found), tuple(ranking for _, ranking, _ in found), hits)

    def _rankings(
        self, query: Query, targets: Sequence[Target], depth: int
    ) -> list[tuple[Target, Ranking, tuple[Hit, ...]]]:
        """What each model that understands the query finds first."""
        found = []
        for target in targets:
            if query.modalities <= target.spec.accepts:
                hits = self._searcher.run(query, target, depth)
                refs = self._lookup.refs([hit.item_id for hit in hits])
                hits = tuple(hit for hit in hits if hit.item_id in refs)  # a folder may have been forgotten meanwhile
                items = tuple(refs[hit.item_id] for hit in hits)
                found.append((target, Ranking(items, frozenset(target.kinds)), hits))
        return found


def _shuffle_key(query_key: str, ref: ItemRef) -> bytes:
    """A fixed order that looks random: the same at every visit, and of no model's making."""
    return hashlib.sha256(f"{query_key} {trec.document_id(ref)}".encode()).digest()
