"""How far two judges agree beyond what chance would make of their habits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from app.engine.evaluation.resampling import CONFIDENCE, DIGITS, Floats
from app.engine.judgingtypes import Agreement, Scale

Item = TypeVar("Item")

DRAWS = 4000
_SEED = 20_240_301


def agreement(first: str, second: str, grades: Sequence[tuple[int, int]], scale: Scale) -> Agreement:
    """Cohen's kappa of what both judges have graded, with quadratic weights on a graded scale.

    Cohen, "A coefficient of agreement for nominal scales", Educ. Psychol. Meas. 20, 1960, and "Weighted kappa",
    Psychol. Bull. 70, 1968. The interval is of 95 %, by the Bayesian bootstrap (Rubin, Ann. Stat. 9, 1981) with one
    further item spread over the table: judges who agreed on all of ten items need not agree on all to come. Items count
    as drawn one by one; grades of one query that depend on each other make it too narrow.

    Args:
        first, second: the judges' names.
        grades: for each item the first judge's grade and the second's, both 0 or above.
        scale: how the set is judged.
    """
    size = 1 + max([scale.highest, *(grade for pair in grades for grade in pair)])
    table = np.zeros((size, size), dtype=np.int64)
    for pair in grades:
        table[pair] += 1
    weights = _disagreement(size, scale)
    kappa = float(_kappas(table[None].astype(np.float64), weights)[0])
    low, high = (None, None) if np.isnan(kappa) else _interval(table, weights, kappa)
    return Agreement(
        first=first,
        second=second,
        items=len(grades),
        agreed=int(table.trace()),
        kappa=None if np.isnan(kappa) else round(kappa, DIGITS),
        low=low,
        high=high,
        table=tuple(tuple(row) for row in table.tolist()),
    )


def agreements(judgments: Mapping[str, Mapping[str, Mapping[Item, int]]], scale: Scale) -> tuple[Agreement, ...]:
    """`agreement` of every two judges; ``judgments`` are judge → query → item → grade or mark."""
    found = []
    for first, second in combinations(judgments, 2):
        one, other = judgments[first], judgments[second]
        pairs = [
            (grade, other[query][item])
            for query, given in one.items()
            for item, grade in given.items()
            if grade >= 0 and other.get(query, {}).get(item, -1) >= 0
        ]
        found.append(agreement(first, second, pairs, scale))
    return tuple(found)


def _disagreement(size: int, scale: Scale) -> Floats:
    distance = np.subtract.outer(np.arange(size), np.arange(size))
    return np.asarray(distance**2 if scale is Scale.GRADED else distance != 0, dtype=np.float64)


def _kappas(tables: Floats, weights: Floats) -> Floats:
    """(draws,) of (draws, size, size); NaN where one grade alone was given, so that chance agrees as often."""
    total = tables.sum(axis=(1, 2))
    expected = np.einsum("di,dj,ij->d", tables.sum(axis=2), tables.sum(axis=1), weights)
    observed = np.einsum("dij,ij->d", tables, weights) * total
    ratio: Floats = np.divide(observed, expected, out=np.full(len(tables), np.nan), where=expected > 0)
    return 1 - ratio


def _interval(table: NDArray[np.int64], weights: Floats, kappa: float) -> tuple[float, float]:
    random = np.random.default_rng(_SEED)
    drawn = random.dirichlet(table.ravel() + 1 / table.size, DRAWS).reshape(DRAWS, *table.shape)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(_kappas(drawn, weights), [tail, 1 - tail])
    return round(min(float(low), kappa), DIGITS), round(max(float(high), kappa), DIGITS)
