"""Measure every model by the judgments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.engine.encoders.base import EncoderSource
from app.engine.errors import MediaUnreadable
from app.engine.evaltypes import (
    Evaluation,
    EvaluationRequest,
    JudgedHit,
    Measured,
    ModelEvaluation,
    QueryEvaluation,
    QuerySummary,
)
from app.engine.evaluation import measures, trec
from app.engine.jobs import NULL_JOB, Job
from app.engine.querying import Target
from app.engine.search import Searcher
from app.engine.store.judgments import Judgments, graded
from app.engine.store.lookup import Lookup
from app.engine.store.queries import Queries
from app.engine.types import ItemRef

RUN_DEPTH = 1000
"""How far down a model's ranking the measures without a cut-off (AP, RR) look: trec_eval's usual 1,000."""


class Evaluator:
    """What the models of one library are worth by its judgments."""

    def __init__(
        self, lookup: Lookup, queries: Queries, judgments: Judgments, searcher: Searcher, encoders: EncoderSource
    ) -> None:
        self._lookup = lookup
        self._queries = queries
        self._judgments = judgments
        self._searcher = searcher
        self._encoders = encoders

    def evaluate(self, request: EvaluationRequest, models: Sequence[str], job: Job = NULL_JOB) -> Evaluation:
        """Every model's measures over the judged queries it understands."""
        summaries = self._queries.queries(request.set_id, request.judge)
        chosen = [
            summary
            for summary in summaries
            if (summary.id in request.query_ids if request.query_ids else summary.judged)
        ]
        job.begin("Measuring", len(models) * len(chosen))
        return Evaluation(
            k=request.k,
            measures=measures.names(request.k),
            models=tuple(self._evaluate_model(key, chosen, request, job) for key in models),
            queries=tuple(chosen),
        )

    def _evaluate_model(
        self, key: str, queries: Sequence[QuerySummary], request: EvaluationRequest, job: Job
    ) -> ModelEvaluation:
        status = next((status for status in self._encoders.statuses() if status.key == key), None)
        target = self._searcher.target(key) if status and status.ready else None
        if status is None or target is None:
            if status is None:  # the library was used by a program that has it
                note = "There is no such model here."
            else:
                note = status.problem or "Nothing is indexed with this model yet."
            name = status.name if status else key
            return ModelEvaluation(key, name, {}, (), tuple(query.title for query in queries), note)
        results: list[QueryEvaluation] = []
        lost: list[str] = []
        for query in queries:
            grades = self._grades(query.id, target, request.judge)
            if query.query.modalities <= target.spec.accepts and (grades or not query.judged):
                try:
                    results.append(self._evaluate_query(query, target, grades, request.k))
                except MediaUnreadable:  # one lost file must not keep the other queries from being measured
                    lost.append(query.title)
            job.advance(note=status.name)
        answered = {result.query_key for result in results}
        unanswered = tuple(query.title for query in queries if query.key not in answered)
        mean = measures.mean([result.measures for result in results], request.k)
        note = f"Left out, because the query's file is gone or cannot be read: {', '.join(lost)}." if lost else ""
        measured = {name: Measured(value) for name, value in mean.items()}
        return ModelEvaluation(key, status.name, measured, tuple(results), unanswered, note)

    def _grades(self, query_id: int, target: Target, judge: str | None) -> dict[ItemRef, int]:
        """The judgments of what the model could find: words that find pictures and sounds are judged on both, and a
        model of sounds does not miss the pictures."""
        grades = graded(self._judgments.of_query(query_id, judge))
        return {ref: grade for ref, grade in grades.items() if ref.kind in target.kinds}

    def _evaluate_query(
        self, summary: QuerySummary, target: Target, grades: Mapping[ItemRef, int], k: int
    ) -> QueryEvaluation:
        hits = self._searcher.run(summary.query, target, max(k, RUN_DEPTH))
        refs = self._lookup.refs([hit.item_id for hit in hits])
        hits = tuple(hit for hit in hits if hit.item_id in refs)  # a folder may have been forgotten meanwhile
        # The rank is the score, so that the measures see the list exactly as it is shown, ties and all.
        run = {summary.key: [(trec.document_id(refs[hit.item_id]), float(-hit.rank)) for hit in hits]}
        qrels = {summary.key: {trec.document_id(ref): grade for ref, grade in grades.items()}}
        return QueryEvaluation(
            query_id=summary.id,
            query_key=summary.key,
            title=summary.title,
            measures=measures.per_query(qrels, run, k)[summary.key],
            hits=tuple(JudgedHit(hit, grades.get(refs[hit.item_id])) for hit in hits[:k]),
        )
