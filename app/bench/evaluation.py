"""Whether intervals cover what they claim and tests reject as rarely as they should, by simulation.

Queries are drawn by the thousand from measures as they come: few steps, skewed, many of them 0 or 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product

import numpy as np

from app.bench.figure import Figure, Measure, Target, Workbench, figure
from app.engine.evaluation.resampling import CONFIDENCE, LEVEL, Floats, difference_intervals, intervals
from app.engine.evaluation.resampling import randomization_test as tested

TRIALS = 20_000
"""By chance a share is then off by 0.3 points; with a quarter of the trials one of all was above the bound once."""
AT_ONCE = 500
FEW_QUERIES = 10
QUERIES = (20, 50, 100)
COVERAGE_OFF = 0.02
SIZE_OFF = 0.015
RANKS = 50

Random = np.random.Generator
Shape = tuple[int, int]


def _precision(k: int, a: float, b: float) -> tuple[Callable[[Random, Shape], Floats], float]:
    """P@k of queries of which each has a difficulty of its own."""
    return lambda random, shape: random.binomial(k, random.beta(a, b, shape)) / k, a / (a + b)


def _average_precision(a: float, b: float, zeros: float = 0.0) -> tuple[Callable[[Random, Shape], Floats], float]:
    def draw(random: Random, shape: Shape) -> Floats:
        return np.where(random.random(shape) < zeros, 0.0, random.beta(a, b, shape))

    return draw, (1 - zeros) * a / (a + b)


def _reciprocal_rank(chance: float) -> tuple[Callable[[Random, Shape], Floats], float]:
    """Of a first relevant result at each rank with the same chance, and of none within `RANKS`."""

    def draw(random: Random, shape: Shape) -> Floats:
        rank = random.geometric(chance, shape)
        return np.where(rank > RANKS, 0.0, 1 / rank)

    rank = np.arange(1, RANKS + 1)
    return draw, float((chance * (1 - chance) ** (rank - 1) / rank).sum())


def _success(chance: float) -> tuple[Callable[[Random, Shape], Floats], float]:
    return lambda random, shape: (random.random(shape) < chance).astype(np.float64), chance


FIGURES: Mapping[str, tuple[Callable[[Random, Shape], Floats], float]] = {
    "p5_middling": _precision(5, 1, 1),
    "p5_low": _precision(5, 0.4, 1.6),
    "p5_high": _precision(5, 3, 0.5),
    "p10_all_or_nothing": _precision(10, 0.3, 0.3),
    "p10_low": _precision(10, 0.5, 3),
    "ap_skewed": _average_precision(0.6, 2.4),
    "ap_with_zeros": _average_precision(1, 1.5, 0.15),
    "rr_middling": _reciprocal_rank(0.5),
    "rr_low": _reciprocal_rank(0.15),
    "rr_high": _reciprocal_rank(0.8),
    "success_even": _success(0.5),
    "success_rare": _success(0.05),
    "success_sure": _success(0.95),
}
EXTREMES = frozenset({"success_rare", "success_sure"})
"""Of zeros and ones that are nearly all alike no interval covers just 95 %: it has too few ends to choose from. So
less counts here, and more does not."""


def _pairs(random: Random, shape: Shape, kind: str, ahead: float) -> Floats:
    """Differences of two models on queries that are as difficult for both, of which one is ``ahead`` (in the logit)."""
    difficulty = random.normal(0, 1.5, shape)
    first, second = (1 / (1 + np.exp(-difficulty - gap - random.normal(0, 0.5, shape))) for gap in (ahead, 0.0))
    if kind == "p10":
        return np.asarray((random.binomial(10, first) - random.binomial(10, second)) / 10)
    if kind == "ap":
        return np.asarray(first - second)
    return np.asarray(1 / random.geometric(np.maximum(first, 0.02)) - 1 / random.geometric(np.maximum(second, 0.02)))


def coverage(workbench: Workbench) -> Sequence[Figure]:
    """How far from 95 % intervals cover, and from 5 % tests reject for equal models, as shares of what is allowed.

    Of all measures and numbers of queries the worst counts.
    """
    random = np.random.default_rng(17)
    trials = workbench.scaled(TRIALS, least=200)
    means = {}
    for (name, (draw, true)), queries in product(FIGURES.items(), (FEW_QUERIES, *QUERIES)):
        workbench.note(f"{name}, {queries} queries")
        means[name, queries] = _covered(partial(draw, random), true, queries, trials, intervals)
    differences, sizes = {}, {}
    true_differences = {kind: float(_pairs(random, (1000, 1000), kind, 0.6).mean()) for kind in ("p10", "ap", "rr")}
    for (kind, true), queries in product(true_differences.items(), (FEW_QUERIES, *QUERIES)):
        workbench.note(f"differences in {kind}, {queries} queries")
        sizes[kind, queries] = _rejected(random, kind, queries, trials)
        differences[kind, queries] = _covered(
            partial(_pairs, random, kind=kind, ahead=0.6),
            true,
            queries,
            trials,
            difference_intervals,
        )
    return [
        _figure("interval-coverage", _of(means, extremes=False), CONFIDENCE, COVERAGE_OFF, trials),
        _figure("extreme-coverage", _of(means, extremes=True), CONFIDENCE, COVERAGE_OFF, trials, is_less_only=True),
        _figure("difference-coverage", differences, CONFIDENCE, COVERAGE_OFF, trials),
        _figure("test-size", sizes, LEVEL, SIZE_OFF, trials),
    ]


MEASURES: dict[str, Measure] = {"coverage": coverage}


def _covered(
    draw: Callable[[Shape], Floats],
    true: float,
    queries: int,
    trials: int,
    ends: Callable[[Floats], tuple[Floats, Floats]],
) -> float:
    hits = 0
    for begin in range(0, trials, AT_ONCE):
        low, high = ends(draw((queries, min(AT_ONCE, trials - begin))))
        hits += int(((low <= true + 1e-6) & (high >= true - 1e-6)).sum())
    return hits / trials


def _rejected(random: Random, kind: str, queries: int, trials: int) -> float:
    parts = [
        tested(_pairs(random, (queries, min(AT_ONCE, trials - begin)), kind, 0.0)) <= LEVEL
        for begin in range(0, trials, AT_ONCE)
    ]
    return float(np.concatenate(parts).mean())


def _of(shares: Mapping[tuple[str, int], float], extremes: bool) -> dict[tuple[str, int], float]:
    return {key: share for key, share in shares.items() if (key[0] in EXTREMES) == extremes}


def _figure(
    name: str,
    shares: Mapping[tuple[str, int], float],
    aim: float,
    allowed: float,
    trials: int,
    is_less_only: bool = False,
) -> Figure:
    """With ten queries the shares are told and not held to the bound: so few cannot keep it for every measure."""
    enough = {key: share for key, share in shares.items() if key[1] > FEW_QUERIES}
    few = [share for key, share in shares.items() if key[1] == FEW_QUERIES]
    worst = max(max(0.0, aim - share) if is_less_only else abs(share - aim) for share in enough.values())
    return figure(
        name,
        [worst / allowed],
        Target("<=", 1.0),
        "how skewed the measures are, and the draws of the simulation",
        trials=trials,
        least_percent=100 * min(enough.values()),
        most_percent=100 * max(enough.values()),
        mean_percent=100 * float(np.mean(list(enough.values()))),
        least_of_ten_queries_percent=100 * min(few),
        most_of_ten_queries_percent=100 * max(few),
    )
