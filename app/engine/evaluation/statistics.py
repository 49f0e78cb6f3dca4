"""What can be said about two models: a figure, how sure it is, and what is missing to tell."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from app.engine.evaltypes import Comparison, Verdict
from app.engine.evaluation.clusters import per_cluster
from app.engine.evaluation.resampling import (
    DIGITS,
    LEVEL,
    Floats,
    paired,
)
from app.engine.evaluation.verdicts import sentence

POWER = 0.8

MARGIN = 0.02
"""Two models whose difference is less, by a corrected test and by its interval, are called equally good: as a share of
what a perfect list has. With one picture to be found P@10 is 0.1 at most, of which 0.02 would be a fifth."""

HOPELESS = 1000
"""More further queries than that nobody judges."""


def compare(
    values: Mapping[str, Mapping[int, float]],
    measure: str,
    display_names: Mapping[str, str],
    clusters: Mapping[int, int] | None = None,
    reachable: Mapping[str, Mapping[int, float]] | None = None,
) -> tuple[Comparison, ...]:
    """Every two models on the queries that both answered, those that share none left out.

    Args:
        values: model → query id → the measure.
        measure: its name, for the words.
        display_names: model → what people call it; the key where it is missing.
        clusters: query id → its cluster, drawn and tested as one; None: every query is its own.
        reachable: model → query id → what a perfect list would have of the measure; None: 1.

    Returns:
        In the order of the models. All pairs together count as one family for the correction of claims that one is
        better, and as one for those that two are alike.
    """
    perfect = reachable or {}
    rows = {model: _Row.of(figures, clusters, perfect.get(model)) for model, figures in values.items()}
    between = {pair: _differences(rows[pair[0]], rows[pair[1]]) for pair in combinations(values, 2)}
    pairs = [pair for pair in between if len(between[pair].of_queries)]
    differences = [between[pair] for pair in pairs]
    figures = _figures(differences)
    level = LEVEL / max(1, len(pairs))
    return tuple(
        _comparison(pair, measure, display_names, each, figure, level)
        for pair, each, figure in zip(pairs, differences, figures, strict=True)
    )


class _Row(NamedTuple):
    """One model's figures by ascending query id."""

    queries: NDArray[np.int64]
    values: Floats
    clusters: NDArray[np.int64]
    reachable: Floats

    @classmethod
    def of(
        cls, figures: Mapping[int, float], clusters: Mapping[int, int] | None, reachable: Mapping[int, float] | None
    ) -> _Row:
        queries = sorted(figures)
        of_queries = queries if clusters is None else [clusters[query] for query in queries]
        values = np.array([figures[query] for query in queries], dtype=np.float64)
        perfect = np.array([1.0 if reachable is None else reachable[query] for query in queries], dtype=np.float64)
        return cls(np.array(queries, dtype=np.int64), values, np.array(of_queries, dtype=np.int64), perfect)


class _Differences(NamedTuple):
    """``reachable``: the greatest difference there can be, of a perfect list and one that holds nothing."""

    of_queries: Floats
    of_clusters: Floats
    reachable: float


def _differences(first: _Row, second: _Row) -> _Differences:
    """On the queries that both answered: sorted, so that nothing depends on the numbers of queries, and rounded, so
    that equal figures are equal."""
    left: NDArray[np.intp] | slice = slice(None)
    right: NDArray[np.intp] | slice = slice(None)
    if not np.array_equal(first.queries, second.queries):
        _, left, right = np.intersect1d(first.queries, second.queries, assume_unique=True, return_indices=True)
    both = np.round(first.values[left] - second.values[right], 12)
    perfect = np.maximum(first.reachable[left], second.reachable[right])
    reachable = math.fsum(perfect.tolist()) / max(1, len(perfect))
    of_clusters = np.sort(per_cluster(both[:, None], first.clusters[left])[:, 0])
    return _Differences(np.sort(both), of_clusters, round(reachable, DIGITS))


class _Figures(NamedTuple):
    p: float
    adjusted: float
    alike: float
    low: float | None
    high: float | None
    effect: float | None


def _figures(found: list[_Differences]) -> list[_Figures]:
    """Pairs with equally many queries are computed together, as shares of what there can be."""
    reachable = np.array([each.reachable for each in found])
    p_values, p_alike, low, high, effects = (np.empty(len(found)) for _ in range(5))
    lengths = np.array([len(each.of_clusters) for each in found], dtype=np.intp)
    for length in np.unique(lengths):
        where = np.flatnonzero(lengths == length)
        columns = np.stack([found[index].of_clusters for index in where], axis=1)
        p_values[where], low[where], high[where], p_alike[where] = paired(columns / reachable[where], MARGIN)
        effects[where] = effect_sizes(columns)
    ends = np.round(np.stack([low, high]) * reachable, DIGITS + 3) + 0.0  # no negative zero
    rows = np.stack([p_values, holm(p_values), holm(p_alike), *ends, effects], axis=1).tolist()
    return [_Figures(*row[:3], *(None if math.isnan(value) else value for value in row[3:])) for row in rows]


def _comparison(
    pair: tuple[str, str],
    measure: str,
    names: Mapping[str, str],
    differences: _Differences,
    figures: _Figures,
    level: float,
) -> Comparison:
    of_queries, of_clusters, reachable = differences
    mean = float(of_queries.mean())
    first, second = pair
    low, high = figures.low, figures.high
    if mean < 0:
        first, second, of_queries = second, first, -of_queries
        low, high = (None if high is None else -high), (None if low is None else -low)
    verdict = _verdict(figures)
    more = queries_needed(of_clusters, level) if verdict is Verdict.OPEN else None
    comparison = Comparison(
        measure=measure,
        better=first,
        worse=second,
        queries=len(of_queries),
        difference=round(abs(mean), DIGITS),
        low=low,
        high=high,
        p_value=figures.p,
        p_adjusted=figures.adjusted,
        effect_size=None if figures.effect is None else abs(figures.effect),
        wins=int((of_queries > 0).sum()),
        losses=int((of_queries < 0).sum()),
        ties=int((of_queries == 0).sum()),
        verdict=verdict,
        more_queries=more and math.ceil(more * len(of_queries) / len(of_clusters)),
        sentence="",
        reachable=reachable,
    )
    words = sentence(comparison, names.get(first, first), names.get(second, second))
    return replace(comparison, sentence=words)


def _verdict(figures: _Figures) -> Verdict:
    if figures.alike <= LEVEL:
        return Verdict.ALIKE  # a difference that does not matter, be it real or not
    return Verdict.BETTER if figures.adjusted <= LEVEL else Verdict.OPEN


def holm(p_values: NDArray[np.floating]) -> Floats:
    """Corrected for testing all of them: the chance that any claim is wrong stays below `LEVEL`, whatever they share.

    Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6, 1979.
    """
    p_values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p_values, kind="stable")
    stepped = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def effect_sizes(differences: NDArray[np.floating]) -> Floats:
    """(m,): mean differences in standard deviations of the differences (Cohen's d_z); NaN where these do not vary."""
    columns = np.sort(np.asarray(differences, dtype=np.float64), axis=0)
    if len(columns) < 2:
        return np.full(columns.shape[1], np.nan)
    deviation = columns.std(axis=0, ddof=1)
    varies = deviation > 1e-12
    sizes: Floats = np.divide(columns.mean(axis=0), deviation, out=np.full(len(deviation), np.nan), where=varies)
    return np.asarray(np.round(sizes, DIGITS))


def queries_needed(differences: NDArray[np.floating], level: float = LEVEL, power: float = POWER) -> int | None:
    """About how many more queries until the test settles it, if the differences go on as those seen.

    Args:
        differences: (n,) of one pair.
        level: what p has to reach: `LEVEL` by the number of pairs, where several are compared.
        power: how sure one wants to be that it then does.

    Returns:
        None where it is settled, where nothing can be said (no difference seen so far, fewer than two queries), and
        where more than `HOPELESS` would be needed.
    """
    differences = np.asarray(differences, dtype=np.float64)
    n = len(differences)
    effect = abs(float(effect_sizes(differences[:, None])[0])) if n >= 2 else math.nan
    mean = abs(float(differences.mean())) if n else 0.0
    if mean < 1e-12 or n < 2:
        return None
    needed: float = math.ceil(1 - math.log2(level))  # 2^(1-n) is the smallest p there is
    if not math.isnan(effect):
        tail = float(special.ndtri(1 - level / 2))
        # The second term is what Student's t takes more than the normal distribution.
        needed = max(needed, ((tail + float(special.ndtri(power))) / effect) ** 2 + tail**2 / 2)
    more = math.ceil(needed) - n
    return more if 0 < more <= HOPELESS else None
