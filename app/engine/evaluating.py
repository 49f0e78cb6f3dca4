"""Measure every model by the judgments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from app.engine.encoders.base import EncoderSource
from app.engine.evaltypes import (
    Evaluation,
    EvaluationRequest,
    JudgedHit,
    ModelEvaluation,
    QueryEvaluation,
)
from app.engine.evaluation import measures
from app.engine.evaluation.clusters import clusters
from app.engine.evaluation.leftout import left_out
from app.engine.evaluation.order import decisive_first, ranked
from app.engine.gradedruns import GradedRun, JudgedQueries, RankedQuery, Witness, depth_of, graded_run
from app.engine.jobs import NULL_JOB, Job
from app.engine.measured import MeasuredRun, caution_of, columns_of, compared, with_means
from app.engine.modeltypes import ModelStatus
from app.engine.rankings import Ranking, Rankings
from app.engine.search import Searcher
from app.engine.store.judgments import Judgments
from app.engine.store.labels import LabelStore
from app.engine.store.lookup import Lookup
from app.engine.store.queries import Queries
from app.engine.targets import Target, Targets
from app.engine.thresholds import PRECISION, thresholds_of

REPORTED_EVERY = 32
"""Queries between two reports: what is known already goes by thousands in a moment."""


@dataclass(frozen=True, eq=False)
class _Plan:
    """What is asked for: ``columns`` are all measures, ``depth`` results are looked at, the first ``k`` are shown."""

    queries: tuple[RankedQuery, ...]
    judged: JudgedQueries
    columns: tuple[str, ...]
    depth: int
    k: int
    with_hits: bool
    witness: Witness | None = None


class Evaluator:
    """What the models of one library are worth by its judgments. Only what the library holds now counts: see
    `app.engine.gradedruns.JudgedQueries`."""

    def __init__(
        self,
        lookup: Lookup,
        queries: Queries,
        judgments: Judgments,
        targets: Targets,
        searcher: Searcher,
        rankings: Rankings,
        encoders: EncoderSource,
        labels: LabelStore,
    ) -> None:
        self._lookup = lookup
        self._queries = queries
        self._judgments = judgments
        self._targets = targets
        self._searcher = searcher
        self._rankings = rankings
        self._encoders = encoders
        self._labels = labels

    def evaluate(
        self,
        request: EvaluationRequest,
        models: Sequence[str],
        job: Job = NULL_JOB,
        witness: Witness | None = None,
    ) -> Evaluation:
        """Every model's measures over the judged queries it understands, and what they tell about every two models.

        Raises:
            AppError: a measure is not known.
            Cancelled: the job was cancelled; what was ranked is kept.
        """
        columns = columns_of(request)
        summaries, grades = self._queries.judged(request.set_id, request.judge)
        wanted = set(request.query_ids)
        sets = self._queries.sets()
        # What labels are judged by is no test of searches: it counts where it is asked for by name.
        apart = self._labels.set_id if request.set_id is None else None
        chosen = [one for one in summaries if (one.id in wanted if wanted else one.judged and one.set_id != apart)]
        judged = JudgedQueries(self._lookup, {one.id: grades.get(one.id, {}) for one in chosen})
        if witness:
            witness.read(chosen, grades, judged)
        highest = {one.id: one.scale.highest for one in sets}
        asked = tuple(RankedQuery.of(one, highest.get(one.set_id, 1)) for one in chosen)
        plan = _Plan(asked, judged, columns, depth_of(columns), request.k, request.hits, witness)
        statuses = {status.key: status for status in self._encoders.statuses()}
        job.begin("Measuring", len(models) * len(chosen))
        linked = clusters({one.id: one.key for one in chosen}, {one.id: grades.get(one.id, {}) for one in chosen})
        found = [self._evaluate_model(key, statuses.get(key), plan, job) for key in models]
        measured = with_means(found, linked)
        measure = measures.checked([request.measure])[0] if request.measure else f"P@{request.k}"
        return Evaluation(
            k=request.k,
            measures=columns,
            models=measured,
            queries=tuple(chosen),
            measure=measure,
            comparisons=decisive_first(compared(found, measure, linked), ranked(measured, measure)),
            set_name="" if request.set_id is None else self._queries.set_of(request.set_id).name,
            judge=request.judge,
            caution=caution_of([grades.get(one.id, {}) for one in chosen], linked),
        )

    def lists(
        self, query_id: int, models: Sequence[str], k: int = 10, judge: str | None = None
    ) -> tuple[tuple[str, QueryEvaluation], ...]:
        """For each of these models that can answer the query: its key, its measures, and its first ``k`` hits.

        Raises:
            AppError: the query is gone.
        """
        summary = self._queries.query(query_id, judge)
        judged = JudgedQueries(self._lookup, {query_id: self._judgments.of_query(query_id, judge)})
        columns = measures.names(k)
        asked = RankedQuery.of(summary, self._queries.set_of(summary.set_id).scale.highest)
        plan = _Plan((asked,), judged, columns, depth_of(columns), k, with_hits=True)
        found = []
        for status in self._encoders.statuses():
            if status.key in models and (target := self._target(status)) and not _is_foreign(asked, target):
                run, _ = self._run(target, (asked,), plan, status.name, NULL_JOB)
                found += [(status.key, one) for one in self._of_queries(MeasuredRun.of(run, columns), plan)]
        return tuple(sorted(found, key=lambda pair: list(models).index(pair[0])))

    def _evaluate_model(
        self, key: str, status: ModelStatus | None, plan: _Plan, job: Job
    ) -> tuple[ModelEvaluation, MeasuredRun | None]:
        """The model by its queries; `with_means` adds what they tell together."""
        target = self._target(status)
        if status is None or target is None:
            if status is None:  # the library was used by a program that has it
                note = "There is no such model here."
            else:
                note = status.problem or "Nothing is indexed with this model yet."
            job.advance(len(plan.queries))
            name = status.name if status else key
            return ModelEvaluation(key, name, {}, (), tuple(one.summary.title for one in plan.queries), note), None
        understood = [one for one in plan.queries if not _is_foreign(one, target)]
        able = _answerable(understood, plan, target)
        job.advance(len(plan.queries) - len(able), note=status.name)
        run, lost = self._run(target, able, plan, status.name, job)
        if plan.witness:
            plan.witness.ranked(target, run)
        measured = MeasuredRun.of(run, plan.columns)
        answered = {query.summary.id for query in run.queries}
        model = ModelEvaluation(
            model=key,
            name=status.name,
            measures={},
            queries=self._of_queries(measured, plan),
            unanswered=tuple(one.summary.title for one in plan.queries if one.summary.id not in answered),
            note=left_out(
                [one.modalities for one in plan.queries if _is_foreign(one, target)], len(understood) - len(able), lost
            ),
            thresholds=thresholds_of(key, run, PRECISION),
        )
        return model, measured

    def _target(self, status: ModelStatus | None) -> Target | None:
        return self._targets.of(status.key) if status and status.ready else None

    def _run(
        self, target: Target, queries: Sequence[RankedQuery], plan: _Plan, name: str, job: Job
    ) -> tuple[GradedRun, list[str]]:
        """The rankings with their grades, and the titles of the queries whose files are gone."""
        answered: list[RankedQuery] = []
        rankings: list[Ranking] = []
        lost: list[str] = []
        found = self._rankings.of([one.keyed for one in queries], target, plan.depth, job)
        untold = 0
        for one, ranking in zip(queries, found, strict=True):
            if isinstance(ranking, Ranking):
                answered.append(one)
                rankings.append(ranking)
            else:
                lost.append(one.summary.title)
            untold += 1
            if untold == REPORTED_EVERY:
                job.advance(untold, note=name)
                untold = 0
        job.advance(untold, note=name)
        kinds = frozenset(target.kinds)
        judged = [plan.judged.of(one.summary.id, kinds) for one in answered]
        return graded_run(answered, rankings, judged, plan.depth), lost

    def _of_queries(self, measured: MeasuredRun, plan: _Plan) -> tuple[QueryEvaluation, ...]:
        run = measured.run
        rows = zip(run.queries, measured.values.tolist(), strict=True)
        return tuple(
            QueryEvaluation(
                query_id=query.summary.id,
                query_key=query.summary.key,
                title=query.summary.title,
                measures=dict(zip(plan.columns, of_query, strict=True)),
                hits=self._hits(run, row, plan.k) if plan.with_hits else (),
            )
            for row, (query, of_query) in enumerate(rows)
        )

    def _hits(self, run: GradedRun, row: int, k: int) -> tuple[JudgedHit, ...]:
        first = run.rankings[row].first(k)
        grades = dict(zip(first.ids.tolist(), run.ranked[row, : len(first.ids)].tolist(), strict=True))
        hits = self._searcher.hits(first)
        return tuple(JudgedHit(hit, grade if (grade := grades[hit.item_id]) >= 0 else None) for hit in islice(hits, k))


def _answerable(understood: Sequence[RankedQuery], plan: _Plan, target: Target) -> list[RankedQuery]:
    """The queries of which something that the model could find was judged. A query without any judgment is answered,
    where it is asked for by name."""
    kinds = frozenset(target.kinds)
    return [one for one in understood if not one.summary.judged or len(plan.judged.of(one.summary.id, kinds).ids)]


def _is_foreign(one: RankedQuery, target: Target) -> bool:
    return not one.modalities <= target.spec.accepts
