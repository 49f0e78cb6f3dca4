"""From rows of grades to what a model is worth: the measures of every query, means with how sure they are, verdicts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.engine.evaltypes import Comparison, EvaluationRequest, Measured, ModelEvaluation
from app.engine.evaluation import measures, statistics, verdicts
from app.engine.evaluation.clusters import Item, per_cluster, things_looked_for
from app.engine.evaluation.resampling import intervals
from app.engine.gradedruns import GradedRun
from app.engine.types import Modality

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MeasuredRun:
    """Every measure of every query, (n, m) each: its value, what it could be at least and at most, and the share of
    what it looks at that is judged. ``reachable`` is what a perfect list has."""

    run: GradedRun
    columns: tuple[str, ...]
    values: Floats
    least: Floats
    most: Floats
    judged: Floats
    reachable: Floats

    @classmethod
    def of(cls, run: GradedRun, columns: Sequence[str]) -> MeasuredRun:
        figures = measures.figures(columns, run.ranked, run.judged, run.highest)
        return cls(run, tuple(columns), *figures, measures.reachable(columns, run.judged))

    def perfect(self, measure: str) -> dict[int, float]:
        """What a perfect list has of one measure, by query id."""
        of_queries = self.reachable[:, self.columns.index(measure)].tolist()
        return dict(zip((query.summary.id for query in self.run.queries), of_queries, strict=True))


class _Part(NamedTuple):
    """Some queries of a run, of which means are taken."""

    measured: MeasuredRun
    rows: Sequence[int]


def columns_of(request: EvaluationRequest) -> tuple[str, ...]:
    """The measures that a request asks for, in the order of a table.

    Raises:
        AppError: there is no such measure.
    """
    wanted = [*measures.names(request.k), *([request.measure] if request.measure else []), *request.measures]
    return measures.checked(wanted)


def with_means(
    models: Sequence[tuple[ModelEvaluation, MeasuredRun | None]], clusters: Mapping[int, int]
) -> tuple[ModelEvaluation, ...]:
    """The same with every measure over all queries, and over those of each kind alone where there are several.

    Sums are exact, so that the order of the queries, another one in another library, changes no digit.

    Args:
        models: each with its measures query by query; None where it answered nothing.
        clusters: query id → which queries count as one.
    """
    parts: list[_Part] = []
    for _, measured in models:
        if measured is not None:
            parts += [_Part(measured, range(len(measured.values)))]
            parts += [_Part(measured, rows) for rows in _kinds(measured.run).values()]
    means = iter(_means(parts, clusters))
    return tuple(
        model
        if measured is None
        else replace(model, measures=next(means), by_modality={kind: next(means) for kind in _kinds(measured.run)})
        for model, measured in models
    )


def compared(
    models: Sequence[tuple[ModelEvaluation, MeasuredRun | None]], measure: str, clusters: Mapping[int, int]
) -> tuple[Comparison, ...]:
    """Every two models that answered queries in common."""
    values: dict[str, Mapping[int, float]] = {
        model.model: {query.query_id: query.measures[measure] for query in model.queries} for model, _ in models
    }
    names = {model.model: model.name for model, _ in models}
    perfect = {model.model: measured.perfect(measure) for model, measured in models if measured is not None}
    return statistics.compare(values, measure, names, clusters, perfect)


def caution_of(grades: Sequence[Mapping[Item, int]], clusters: Mapping[int, int]) -> str:
    """What is to be said with comparisons over queries with these grades: `app.engine.evaluation.verdicts.caution`."""
    return verdicts.caution(len(grades), len(set(clusters.values())), things_looked_for(grades))


def _kinds(run: GradedRun) -> dict[Modality, list[int]]:
    """The queries by words, picture, sound alone; mixed ones are in the whole only. None where all are of one kind."""
    alone = run.by_modality()
    return {} if any(len(rows) == len(run.queries) for rows in alone.values()) else alone


def _means(parts: Sequence[_Part], clusters: Mapping[int, int]) -> list[dict[str, Measured]]:
    """Of every part, empty for one without queries. Their intervals are drawn together: it takes far less time."""
    units = [
        per_cluster(
            part.measured.values[part.rows],
            np.array([clusters[part.measured.run.queries[row].summary.id] for row in part.rows], dtype=np.int64),
        )
        for part in parts
    ]
    most = [part.measured.reachable[part.rows].mean(axis=0) if len(part.rows) else np.empty(0) for part in parts]
    ends: list[tuple[Floats, Floats]] = [(np.empty(0), np.empty(0))] * len(parts)
    for length in {len(one) for one in units}:
        places = [place for place, one in enumerate(units) if len(one) == length]
        together = np.concatenate([units[place] for place in places], axis=1)
        low, high = intervals(together, most=np.concatenate([most[place] for place in places]))
        stops = np.cumsum([units[place].shape[1] for place in places])[:-1]
        for place, *both in zip(places, np.split(low, stops), np.split(high, stops), strict=True):
            ends[place] = both[0], both[1]
    return [_measured(*part, *both) for part, both in zip(parts, ends, strict=True)]


def _measured(measured: MeasuredRun, rows: Sequence[int], low: Floats, high: Floats) -> dict[str, Measured]:
    if not len(rows):
        return {}
    values, least, most, judged = (
        _column_means(one[rows]) for one in (measured.values, measured.least, measured.most, measured.judged)
    )
    return {
        name: Measured(
            values[place], *_around(values[place], low[place], high[place]), judged[place], least[place], most[place]
        )
        for place, name in enumerate(measured.columns)
    }


def _column_means(values: Floats) -> list[float]:
    return [math.fsum(column) / len(values) for column in values.T.tolist()]


def _around(value: float, low: float, high: float) -> tuple[float | None, float | None]:
    """The ends of an interval, which are rounded where the value is not."""
    return (None, None) if math.isnan(low) else (min(float(low), value), max(float(high), value))
