"""Judge once, without bias: the pool of a query, the grades that a person gives to what is in it, and what is left."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from app.engine.errors import AppError, MediaUnreadable
from app.engine.evaluation import pooling, trec
from app.engine.evaluation.agreement import agreement
from app.engine.evaluation.pooling import Ranking
from app.engine.jobs import NULL_JOB, Job
from app.engine.judgingtypes import (
    IMPORTED,
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
from app.engine.rankings import Rankings, keyed
from app.engine.search import Searcher
from app.engine.store.judgments import Judgments, folded, graded
from app.engine.store.lookup import Lookup
from app.engine.store.queries import Queries
from app.engine.targets import Target, Targets
from app.engine.types import Hit, ItemRef, Query

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
        self,
        lookup: Lookup,
        queries: Queries,
        judgments: Judgments,
        targets: Targets,
        searcher: Searcher,
        rankings: Rankings,
    ) -> None:
        self._lookup = lookup
        self._queries = queries
        self._judgments = judgments
        self._targets = targets
        self._searcher = searcher
        self._rankings = rankings

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
        _, scale, guidelines = self._queries.about(stored.set_id)
        found = self._found(stored.query, self._targets.ready(models), depth)
        grades = self._judgments.of_query(query_id, judge)
        imported = self._judgments.of_query(query_id, IMPORTED)
        blind = sorted(found.hits, key=lambda ref: _shuffle_key(stored.key, ref))
        if order is JudgingOrder.DISAGREEMENT:
            blind = pooling.most_disputed_first(found.rankings, blind)
        return Pool(
            query_id=query_id,
            title=stored.title,
            items=tuple(PoolItem(found.hits[ref], grades.get(ref), ref in imported) for ref in blind),
            models=tuple(target.key for target in found.targets),
            scale=scale,
            guidelines=stored.guidelines or guidelines,
        )

    def judge(self, query_id: int, item_ids: Sequence[int], grade: int | None, judge: str = OWN_JUDGE) -> QuerySummary:
        """Enter a grade (0: not relevant, above: relevant) or a `Mark` of items; None takes it back. All of them are
        entered, or none. The query as this judge has judged it now, and folders and captions the rest.

        Raises:
            AppError: the query or an item is gone, this is no grade, or the judge's name is too long or no person's.
        """
        if folded(judge) == IMPORTED:
            raise AppError("This is no person's name", f"“{IMPORTED}” stands for what folders and captions say.")
        self._queries.query(query_id)
        refs = self._lookup.refs(item_ids)
        if not refs.keys() >= set(item_ids):
            raise AppError("This item is gone", "Its file has left the library since it was found.")
        self._judgments.judge(query_id, judge, [(refs[item_id], grade) for item_id in item_ids])
        return self._queries.query(query_id, judge, imported=True)

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
        self._queries.about(set_id)
        summaries = self._queries.queries(set_id)
        ids = [summary.id for summary in summaries]
        grades, imported = (self._judgments.of_queries(ids, whose) for whose in (judge, IMPORTED))
        found = self._found_by_all(summaries, self._targets.ready(models), depth, job)
        by_dispute = order is JudgingOrder.DISAGREEMENT
        queries = [
            _progress(key, found[key], grades.get(key, {}), imported.get(key, {}).keys(), by_dispute) for key in ids
        ]
        if by_dispute:
            queries.sort(key=lambda query: (query.left == 0, -query.disagreement))
        return JudgingProgress(tuple(queries), self._ms_per_item(set_id, judge))

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
        _, scale, _ = self._queries.about(set_id)
        query_ids = [summary.id for summary in self._queries.queries(set_id)]
        one, other = (self._judgments.of_queries(query_ids, judge) for judge in (first, second))
        pairs = [
            (grade, other[query_id][ref])
            for query_id, grades in one.items()
            for ref, grade in graded(grades).items()
            if other.get(query_id, {}).get(ref, Mark.UNSURE) >= 0
        ]
        return agreement(first, second, pairs, scale)

    # --- what the models find ---

    def _found(self, query: Query, targets: Sequence[Target], depth: int) -> _Found:
        """What each model that understands the query finds first.

        Raises:
            MediaUnreadable: the query's file is gone.
        """
        able = tuple(target for target in targets if query.modalities <= target.spec.accepts)
        rankings: list[Ranking] = []
        hits: dict[ItemRef, Hit] = {}
        for target in able:
            found = next(self._rankings.of([keyed(query)], target, depth))
            if isinstance(found, MediaUnreadable):
                raise found
            of_model = self._searcher.hits(found.first(depth))
            refs = self._lookup.refs([hit.item_id for hit in of_model])
            # A folder may have been forgotten meanwhile.
            blind = {refs[hit.item_id]: _blind(hit) for hit in of_model if hit.item_id in refs}
            rankings.append(Ranking(tuple(blind), frozenset(target.kinds)))
            hits.update(blind)
        return _Found(able, tuple(rankings), hits)

    def _found_by_all(
        self, summaries: Sequence[QuerySummary], targets: Sequence[Target], depth: int, job: Job
    ) -> dict[int, list[Ranking]]:
        """The rankings of each query, without looking for files; none where the query's own is gone."""
        able = [[one for one in summaries if one.query.modalities <= target.spec.accepts] for target in targets]
        found: list[tuple[int, Target, list[int]]] = []
        job.begin("Counting what is left to judge", sum(map(len, able)))
        for target, queries in zip(targets, able, strict=True):
            ranked = self._rankings.of([keyed(one.query) for one in queries], target, depth, job)
            for one, ranking in zip(queries, ranked, strict=True):
                if not isinstance(ranking, MediaUnreadable):
                    found.append((one.id, target, ranking.first(depth).ids.tolist()))
                job.advance(note=target.key)
        refs = self._lookup.refs(sorted({item_id for _, _, ids in found for item_id in ids}))
        by_query: dict[int, list[Ranking]] = {summary.id: [] for summary in summaries}
        for query_id, target, ids in found:
            items = tuple(refs[item_id] for item_id in ids if item_id in refs)
            by_query[query_id].append(Ranking(items, frozenset(target.kinds)))
        return by_query


def _progress(
    query_id: int,
    rankings: Sequence[Ranking],
    grades: Mapping[ItemRef, int],
    imported: Set[ItemRef],
    by_dispute: bool,
) -> QueryProgress:
    pooled = {ref for ranking in rankings for ref in ranking.items}
    later = sum(grades.get(ref) == Mark.LATER for ref in pooled)
    ungraded = pooled - grades.keys()
    # Every two models are compared for it, which takes seconds for fifty.
    disagreement = pooling.disagreement(rankings) if by_dispute else 0.0
    left, by_folders = later + len(ungraded), len(ungraded & imported)
    return QueryProgress(query_id, len(pooled), left, disagreement, later, by_folders)


def _blind(hit: Hit) -> Hit:
    return replace(hit, rank=0, similarity=None, found_by=())


def _shuffle_key(query_key: str, ref: ItemRef) -> bytes:
    """A fixed order that looks random: the same at every visit, and of no model's making."""
    return hashlib.sha256(f"{query_key} {trec.document_id(ref)}".encode()).digest()
