"""Intervals over queries and paired tests, by drawing from the queries there are.

Queries are drawn and judged one by one, so all of it is over queries: a thousand results of five queries are known as
well as five numbers tell. Queries that are not independent come here as one (`app.engine.evaluation.clusters`). Every
column is sorted before anything is drawn, and ends of intervals are rounded: neither the order of queries nor that in
which a processor sums changes them, so that an export gives the same ones again.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

CONFIDENCE = 0.95
LEVEL = 0.05
"""Of all tests together: how often a difference is claimed where there is none."""

RESAMPLES = 3999
SIGNS = 3999
ENUMERATED = 14
"""Up to so many queries all signs are tried: half of 2^14, since the other half is their mirror image."""

FEWEST_DIFFERING = 6
"""Five queries may all agree and still be luck once in sixteen times (2 / 2^5): no test can be passed."""

EXTREME_QUERIES = 0.5
"""How many queries of either extreme value are added to those seen: Jeffreys' prior."""

DIGITS = 6
_TOLERANCE = 1e-5
"""Sums of multiples of 1/k are often equal, up to the rounding of single precision."""

_COLUMNS_AT_ONCE = 128
_THREADS = min(4, os.cpu_count() or 1)
_SEED = 20_240_229


def intervals(values: NDArray[np.floating], least: float = 0.0, most: float | Floats = 1.0) -> tuple[Floats, Floats]:
    """95 % intervals of column means over queries, by the Bayesian bootstrap.

    The queries seen, and half a query of either extreme value, get random weights (Rubin, "The Bayesian bootstrap",
    Ann. Stat. 9, 1981; with a prior as in Ferguson, Ann. Stat. 1, 1973). Of zeros and ones this is Jeffreys' interval,
    which Brown, Cai and DasGupta recommend for few of them (Stat. Sci. 16, 2001), and where all values are equal, what
    may not have been seen yet keeps it from having no width (as the rule of three does).

    It was chosen by simulation on 18 kinds of figures (P@5 and P@10, AP, RR, success; skewed, many zeros and ones, five
    of them real). With 10 queries it covered the true mean in 96 % of all cases (92 to 99 %, by kind), the percentile
    bootstrap in 86 %, the expanded one (Hesterberg, "What Teachers Should Know About the Bootstrap", 2015) in 90 %, BCa
    in 89 %, and the bootstrap-t in 95 % (in 60 % where nine of ten queries succeed, as all of these). With 20, 50 and
    100 queries it was 96, 95 and 95 % (94 to 98, 93 to 97, 94 to 97 %). With fewer than ten it tends to be too wide.

    Args:
        values: (n, m): of n queries, m measures. Those of a large cluster may be above ``most``.
        least, most: what a value, and the mean, can be; ``most`` also (m,), of every measure.

    Returns:
        (low, high), (m,) each, the mean between them; NaN for fewer than two queries.
    """
    columns = np.sort(np.asarray(values, dtype=np.float64), axis=0).T
    if columns.shape[1] < 2:
        return np.full(len(columns), np.nan), np.full(len(columns), np.nan)
    most = np.broadcast_to(np.asarray(most, dtype=np.float64), len(columns))
    low, high = _bayesian(columns, least, most)
    mean = columns.mean(axis=1)
    # Of one extreme alone, Brown, Cai and DasGupta widen Jeffreys' interval to the exact one (their section 4.1.2).
    exact = (most - least) * ((1 - CONFIDENCE) / 2) ** (1 / columns.shape[1])
    low = np.where(columns[:, 0] >= most, np.minimum(low, least + exact), low)
    high = np.where(columns[:, -1] <= least, np.maximum(high, most - exact), high)
    return _rounded(np.minimum(np.maximum(low, least), mean)), _rounded(np.maximum(np.minimum(high, most), mean))


class Paired(NamedTuple):
    """(m,) each. ``low`` and ``high`` are NaN for fewer than two queries; ``p_margin`` is 1 where it tells nothing."""

    p_values: Floats
    low: Floats
    high: Floats
    p_margin: Floats


def paired(differences: NDArray[np.floating], margin: float = 0.0) -> Paired:
    """Whether mean differences are none, and the 95 % intervals that go with the answer.

    ``p_values`` are two-sided, of giving the differences random signs: all signs for up to `ENUMERATED` queries, else
    `SIGNS` of them, the signs seen counted among them (Phipson and Smyth, Stat. Appl. Genet. Mol. Biol. 9, 2010).

    An assumed difference d is within the interval unless the test rejects it for the differences less d at 5 %. The
    ends are then quantiles of the means of random subsets of the queries (Hartigan, "Using subsample values as typical
    values", JASA 64, 1969), and 0 is outside exactly where p <= 0.05.

    Where fewer than `FEWEST_DIFFERING` queries differ from the rest (of two models that are nearly the same, say) their
    subsets say nothing of what has not been seen yet. There the interval reaches as far as that of `intervals` does,
    with half a query of either extreme, and still keeps 0 where the test does.

    ``p_margin`` is that of the mean difference being ``margin`` or more, on either side: the larger one of the same
    tests for the differences less ``margin`` and plus it, where the interval lies within (two one-sided tests:
    Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987).

    Args:
        differences: (n, m), from -1 to 1 (or of clusters, with a mean within): n queries, m pairs of models.
        margin: what is a difference that matters; 0: this is not asked.
    """
    columns = np.sort(np.asarray(differences, dtype=np.float64), axis=0).T
    m, n = columns.shape
    if n == 0:
        return Paired(np.ones(m), np.full(m, np.nan), np.full(m, np.nan), np.ones(m))
    blocks = [columns[begin : begin + _COLUMNS_AT_ONCE] for begin in range(0, m, _COLUMNS_AT_ONCE)]
    _signs(n)  # drawn once, before several threads ask for it
    with ThreadPoolExecutor(_THREADS) as threads:  # sorting and adding up release the interpreter
        parts = list(threads.map(lambda block: _paired(block, margin), blocks))
    return Paired(*(np.concatenate(part) for part in zip(*parts, strict=True))) if parts else Paired(*np.empty((4, 0)))


def randomization_test(differences: NDArray[np.floating]) -> Floats:
    """The two-sided p of `paired`: () of (n,) differences, (m,) of (n, m). 1 where there is no query."""
    differences = np.asarray(differences, dtype=np.float64)
    return paired(differences.reshape(len(differences), -1)).p_values.reshape(differences.shape[1:])


def difference_intervals(differences: NDArray[np.floating]) -> tuple[Floats, Floats]:
    """(low, high) of `paired`: of mean differences of a measure, each from -1 to 1."""
    both = paired(differences)
    return both.low, both.high


# --- drawing ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def _weights(n: int) -> Singles:
    """(n + 2, resamples) random weights that add up to 1: of the least value, of the most, of n queries."""
    shapes = np.r_[EXTREME_QUERIES, EXTREME_QUERIES, np.ones(n)]
    return np.asarray(np.random.default_rng((_SEED, n)).dirichlet(shapes, RESAMPLES).T, dtype=np.float32)


@lru_cache(maxsize=4)
def _signs(n: int) -> Singles:
    """(n, draws) of -1 and 1: for few queries all there are but for mirror images, the first being all 1."""
    if n <= ENUMERATED:
        negative = (np.arange(2 ** (n - 1)) >> np.arange(n)[:, None]) & 1
    else:
        negative = np.random.default_rng((_SEED, n)).integers(0, 2, size=(n, SIGNS))
    return np.where(negative, np.float32(-1), np.float32(1))


def _bayesian_means(columns: Floats, least: float, most: float | Floats) -> Singles:
    weights = _weights(columns.shape[1])
    extremes = np.float32(least) * weights[0] + np.multiply.outer(np.asarray(most, np.float32), weights[1])
    return np.asarray(columns.astype(np.float32) @ weights[2:] + extremes)


def _bayesian(columns: Floats, least: float, most: float | Floats) -> tuple[Floats, Floats]:
    means = _bayesian_means(columns, least, most)
    rank = round((RESAMPLES + 1) * (1 - CONFIDENCE) / 2)
    return _tails(means, rank)


def _paired(columns: Floats, margin: float) -> Paired:
    signs = _signs(columns.shape[1])
    sums = columns.astype(np.float32) @ signs
    total = columns.sum(axis=1)
    p_values = _p_values(columns, sums, np.abs(total))
    low, high = _typical_values(sums, total, signs.sum(axis=0), columns.shape[1])
    few = _mostly_equal(columns)
    if few.any():
        low[few], high[few] = _widened(columns[few], low[few], high[few], p_values[few] <= LEVEL)
    within = (margin > 0) & (low >= -margin) & (high <= margin)
    p_margin = np.ones(len(columns))
    if within.any():
        p_margin[within] = _p_margin(columns[within], sums[within], signs.sum(axis=0), margin)
        if few.any():
            p_margin[few] = np.maximum(p_margin[few], _outside(columns[few], margin))
    return Paired(p_values, _rounded(np.maximum(low, -1.0)), _rounded(np.minimum(high, 1.0)), p_margin)


def _p_values(columns: Floats, sums: Singles, observed: Floats) -> Floats:
    needed = (observed - _TOLERANCE * np.maximum(1.0, observed)).astype(np.float32)
    reached = (np.abs(sums) >= needed[:, None]).sum(axis=1)
    if columns.shape[1] <= ENUMERATED:
        return np.asarray(reached / sums.shape[1])
    return np.asarray(np.minimum((reached + 1) / (sums.shape[1] + 1), _gaussian_bound(columns, observed)))


def _p_margin(columns: Floats, sums: Singles, sign_sums: Singles, margin: float) -> Floats:
    both = []
    for shift in (np.float32(-margin), np.float32(margin)):
        shifted = columns + shift
        both.append(_p_values(shifted, sums + shift * sign_sums, np.abs(shifted.sum(axis=1))))
    return np.maximum(*both)


def _outside(columns: Floats, margin: float) -> Floats:
    """The same where the signs know too little: twice the weight that is beyond the margin (`intervals`)."""
    means = _bayesian_means(columns, -1.0, 1.0)
    beyond = np.maximum((means >= margin).sum(axis=1), (means <= -margin).sum(axis=1))
    return np.asarray(np.minimum(1.0, 2 * (beyond + 1) / (RESAMPLES + 1)))


def _gaussian_bound(columns: Floats, observed: Floats) -> Floats:
    """What p can be at most: below 1 / (draws + 1) the draws tell nothing, and with many pairs less is asked for.

    A sum with random signs lies beyond x of its standard deviations with a probability of at most 3.178 times the
    normal tail (Bentkus and Dzindzalieta, "A tight Gaussian bound for weighted sums of Rademacher random variables",
    Bernoulli 21, 2015).
    """
    scale = np.sqrt((columns**2).sum(axis=1))
    distance = np.divide(observed, scale, out=np.zeros_like(observed), where=scale > 0)
    tail: Floats = special.ndtr(-distance)
    return np.minimum(1.0, 2 * 3.178 * tail)


def _typical_values(sums: Singles, total: Floats, sign_sums: Singles, n: int) -> tuple[Floats, Floats]:
    """The queries with one sign are a subset, those with the other are another. An empty one has no mean."""
    whole = total[:, None].astype(np.float32)
    sizes = np.concatenate([n + sign_sums, n - sign_sums])  # both twice what they are
    means = np.concatenate([whole + sums, whole - sums], axis=1)[:, sizes > 0]
    means /= sizes[sizes > 0]
    exact = n <= ENUMERATED
    drawn_whole = 0 if exact else int((np.abs(sign_sums) == n).sum())
    # p <= LEVEL leaves fewer than so many subsets on the other side of 0, the whole set being one that reaches itself.
    rank = math.floor(LEVEL * (sums.shape[1] + (not exact)) + 1e-9) - drawn_whole
    if rank < 1:
        return np.full(len(sums), np.inf), np.full(len(sums), -np.inf)
    return _tails(means, rank)


def _tails(drawn: Singles, rank: int) -> tuple[Floats, Floats]:
    """The ``rank``-th lowest and highest of each row."""
    ordered = np.sort(drawn, axis=1)  # of single precision it is faster than partitioning at two places
    return ordered[:, rank - 1].astype(np.float64), ordered[:, -rank].astype(np.float64)


def _mostly_equal(columns: Floats) -> NDArray[np.bool_]:
    """Where fewer than `FEWEST_DIFFERING` queries have another value than the rest. Rows are sorted, so that equal
    values stand together: somewhere a long stretch ends as it begins."""
    n = columns.shape[1]
    if n < FEWEST_DIFFERING:
        return np.full(len(columns), True)
    stretch = max(2, n - FEWEST_DIFFERING + 1)
    alike = np.isclose(columns[:, stretch - 1 :], columns[:, : n - stretch + 1], rtol=0, atol=10.0**-DIGITS)
    return np.asarray(alike.any(axis=1))


def _widened(columns: Floats, low: Floats, high: Floats, rejected: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    mean = columns.mean(axis=1)
    if columns.shape[1] < 2:
        return np.full(len(columns), np.nan), np.full(len(columns), np.nan)
    wide_low, wide_high = _bayesian(columns, -1.0, 1.0)
    low, high = np.minimum(np.minimum(low, wide_low), mean), np.maximum(np.maximum(high, wide_high), mean)
    just = 10.0**-DIGITS
    low = np.where(rejected, np.where(mean > 0, np.maximum(low, just), low), np.minimum(low, 0.0))
    high = np.where(rejected, np.where(mean < 0, np.minimum(high, -just), high), np.maximum(high, 0.0))
    return low, high


def _rounded(values: Floats) -> Floats:
    return np.asarray(np.round(values, DIGITS) + 0.0)  # no negative zero
