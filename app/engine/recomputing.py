"""Computes the figures of an export again, from the export alone: no library, no files, no models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from app.engine.costs import frontier_of
from app.engine.evaltypes import Evaluation, ModelEvaluation, QueryEvaluation
from app.engine.evaluation import measures
from app.engine.evaluation.agreement import agreements
from app.engine.evaluation.clusters import clusters
from app.engine.evaluation.order import decisive_first, ranked
from app.engine.evaluation.report import exchange, reading
from app.engine.evaluation.report.exchange import Grades
from app.engine.evaluation.report.reading import ToldModel
from app.engine.gradedruns import JudgedItems, RankedQuery, depth_of, graded_run
from app.engine.judgingtypes import QuerySummary
from app.engine.measured import MeasuredRun, caution_of, columns_of, compared, with_means
from app.engine.rankings import Ranking
from app.engine.store.judgments import folded, together
from app.engine.thresholds import PRECISION, thresholds_of

MISSING = object()


@dataclass(frozen=True)
class Recomputed:
    """``differences`` tells, a line for each, which figures are not those that the export gives."""

    evaluation: Evaluation
    differences: tuple[str, ...]


def recompute(folder: str) -> Recomputed:
    """The figures of an export, of its rankings and judgments. What a model costs is taken as it was measured.

    Raises:
        AppError: there is no export, or it is damaged.
    """
    export = reading.read(folder)
    request = export.request
    columns = columns_of(request)
    grades = _grades(export)
    queries = tuple(
        replace(one, id=place, judged=len(grades.get(one.key, {})), relevant=_relevant(grades.get(one.key, {})))
        for place, one in enumerate(export.queries, start=1)
    )
    by_key = {one.key: one for one in queries}
    found = [_model(export, told, by_key, grades, columns) for told in export.models]
    asked = [by_key[key] for key in export.measured]
    linked = clusters({one.id: one.key for one in asked}, {one.id: grades.get(one.key, {}) for one in asked})
    models = with_means(found, linked)
    measure = measures.checked([request.measure])[0] if request.measure else f"P@{request.k}"
    evaluation = Evaluation(
        k=request.k,
        measures=columns,
        models=models,
        queries=tuple(asked),
        measure=measure,
        comparisons=decisive_first(compared(found, measure, linked), ranked(models, measure)),
        frontier=frontier_of(models, measure),
        set_name=export.set.name,
        judge=request.judge,
        caution=caution_of([grades.get(one.key, {}) for one in asked], linked),
    )
    figures = exchange.figures(evaluation, agreements(export.judgments, export.set.scale))
    return Recomputed(evaluation, tuple(_differences(figures, export.figures)))


def _grades(export: reading.Export) -> dict[str, dict[str, int]]:
    """Query key → document → grade, of the judge who was asked for, or of all together."""
    judge = export.request.judge
    given_by = export.judgments.items()
    asked = {whose: of_judge for whose, of_judge in given_by if judge is None or folded(whose) == folded(judge)}
    given: dict[str, dict[str, list[tuple[str, int]]]] = {}
    for whose, of_judge in asked.items():
        for key, of_query in of_judge.items():
            for document, grade in of_query.items():
                given.setdefault(key, {}).setdefault(document, []).append((whose, grade))
    return {
        key: {document: grade for document, several in of_query.items() if (grade := together(several)) >= 0}
        for key, of_query in given.items()
    }


def _model(
    export: reading.Export, told: ToldModel, queries: Mapping[str, QuerySummary], grades: Grades, columns: Sequence[str]
) -> tuple[ModelEvaluation, MeasuredRun | None]:
    """A model by its rankings. Which queries it did not answer, and why, is taken as the export tells it."""
    empty = ModelEvaluation(told.model, told.name, {}, (), told.unanswered, told.note, costs=told.costs)
    if told.rankings is None:
        return empty, None
    run = export.run(told)
    numbers: dict[str, int] = {}
    measured_by = exchange.measured_by(run, grades, export.absent)
    answered = [queries[key] for key in run.rankings]
    rankings, judged = [], []
    for one in answered:
        ranking, of_query = run.rankings[one.key], measured_by[one.key]
        ids = _numbered((document for document, _ in ranking), numbers)
        rankings.append(Ranking(ids, np.array([similarity for _, similarity in ranking], np.float32)))
        judged.append(_judged_items(_numbered(of_query, numbers), list(of_query.values())))
    asked = [RankedQuery.of(one, export.set.scale.highest) for one in answered]
    graded = graded_run(asked, rankings, judged, depth_of(columns))
    measured = MeasuredRun.of(graded, columns)
    model = replace(
        empty,
        queries=tuple(
            QueryEvaluation(one.id, one.key, one.title, dict(zip(columns, row, strict=True)))
            for one, row in zip(answered, measured.values.tolist(), strict=True)
        ),
        thresholds=thresholds_of(told.model, graded, PRECISION),
    )
    return model, measured


def _numbered(documents: Iterable[str], numbers: dict[str, int]) -> npt.NDArray[np.int64]:
    """Documents by their numbers, from 1; one that has none yet gets the next."""
    return np.array([numbers.setdefault(one, len(numbers) + 1) for one in documents], np.int64)


def _judged_items(ids: npt.NDArray[np.int64], grades: Sequence[int]) -> JudgedItems:
    return JudgedItems(ids, np.array(grades, np.int32), int(ids.max(initial=0)), max(grades, default=0))


def _relevant(grades: Mapping[str, int]) -> int:
    return sum(grade > 0 for grade in grades.values())


def _differences(ours: Any, theirs: Any, where: str = "") -> Iterator[str]:
    """Where two documents of figures differ, with both values."""
    if isinstance(ours, dict) and isinstance(theirs, Mapping):
        for key in dict.fromkeys([*ours, *theirs]):
            yield from _differences(ours.get(key, MISSING), theirs.get(key, MISSING), f"{where}/{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for place, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from _differences(one, other, f"{where}/{place}")
    elif ours != theirs:
        shown = ["nothing" if value is MISSING else f"{value!r:.80}" for value in (ours, theirs)]
        yield f"{where.removeprefix('/')}: computed again {shown[0]}, in the export {shown[1]}"
