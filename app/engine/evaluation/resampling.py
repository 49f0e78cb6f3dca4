"""How sure a figure is: intervals over queries, paired tests, and what they cannot tell yet.

Queries are drawn and judged one by one, so all of it is over queries: a mean of a thousand results from five queries is
known as well as five numbers tell. Columns are sorted before anything is drawn, and figures rounded to nine digits:
neither the order of queries nor the way a processor sums changes them, so that an export gives the same ones again.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]

CONFIDENCE = 0.95
LEVEL = 0.05
"""Of all tests together: how often a difference is claimed where there is none."""

RESAMPLES = 4999
SIGNS = 9999
ENUMERATED = 14
"""Up to so many queries all signs are tried: half of 2^14, since the other half is their mirror image."""

FEWEST_FOR_TEST = 6
"""Of five queries all may agree and still be luck once in sixteen times (2 / 2^5): no test can be passed."""

DIGITS = 9
_SEED = 20_240_229


def intervals(values: NDArray[np.floating], least: float = 0.0, most: float = 1.0) -> tuple[Floats, Floats]:
    """95 % bootstrap intervals of column means, over queries.

    Args:
        values: (n, m): of n queries, m measures.
        least, most: what a value can be.

    Returns:
        (low, high), (m,) each; NaN where there are fewer than two queries.
    """
    values = np.sort(np.asarray(values, dtype=np.float64), axis=0)
    n, m = values.shape
    if n < 2:
        return np.full(m, np.nan), np.full(m, np.nan)
    level = stats.norm.cdf(math.sqrt(n / (n - 1)) * stats.t.ppf((1 - CONFIDENCE) / 2, n - 1))
    means = (_counts(n) @ values) / n
    low, high = np.quantile(means, [level, 1 - level], axis=0)
    return _rounded(np.clip(low, least, most)), _rounded(np.clip(high, least, most))


def randomization_test(differences: NDArray[np.floating]) -> Floats:
    """Two-sided p of "the mean difference is none", by giving the differences random signs.

    Args:
        differences: (n,) or (n, m): n queries, m pairs of models.

    Returns:
        () or (m,). 1 where there is no query.
    """
    differences = np.asarray(differences, dtype=np.float64)
    columns = np.sort(differences.reshape(len(differences), -1), axis=0)
    return _p_values(columns).reshape(differences.shape[1:])


def difference_intervals(differences: NDArray[np.floating]) -> tuple[Floats, Floats]:
    """95 % intervals of mean differences that agree with the test: they leave out 0 exactly where it gives p <= 0.05.

    An assumed difference d is kept unless the test rejects it for the differences less d. With random signs, that is to
    say that the interval's ends are quantiles of the means of random subsets of the queries ("typical values",
    Hartigan, "Using subsample values as typical values", JASA 64, 1969).

    Args:
        differences: (n, m).

    Returns:
        (low, high), (m,) each; NaN for fewer than `FEWEST_FOR_TEST` queries.
    """
    columns = np.sort(np.asarray(differences, dtype=np.float64), axis=0)
    n, m = columns.shape
    if n < FEWEST_FOR_TEST:
        return np.full(m, np.nan), np.full(m, np.nan)
    chosen = (_signs(n) + 1) / 2
    sums = chosen @ columns
    size = chosen.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):  # the empty subset sorts to the end as NaN
        means = np.concatenate([sums / size, (columns.sum(axis=0) - sums) / (n - size)])
    drawn = len(chosen) if n <= ENUMERATED else len(chosen) + 1
    rank = math.floor(LEVEL * drawn + 1e-9)
    there = len(means) - int((size == n).sum())
    means = np.partition(means, [rank - 1, there - rank], axis=0)
    return _rounded(means[rank - 1]), _rounded(means[there - rank])


# --- draws -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _counts(n: int) -> Floats:
    """(resamples, n): how often each of n queries is drawn in each resample."""
    random = np.random.default_rng((_SEED, n))
    return np.asarray(random.multinomial(n, np.full(n, 1 / n), size=RESAMPLES), dtype=np.float64)


@lru_cache(maxsize=8)
def _signs(n: int) -> Floats:
    """(draws, n) of -1 and 1: for few queries all there are but for mirror images, the first being all 1."""
    if n <= ENUMERATED:
        negative = (np.arange(2 ** (n - 1))[:, None] >> np.arange(n)) & 1
    else:
        negative = np.random.default_rng((_SEED, n)).integers(0, 2, size=(SIGNS, n))
    return np.where(negative, -1.0, 1.0)


def _p_values(columns: Floats) -> Floats:
    n, m = columns.shape
    if n == 0:
        return np.ones(m)
    signs = _signs(n)
    observed = np.abs(columns.sum(axis=0))
    # Sums of differences that are multiples of 1/k are often equal, up to rounding.
    reached = (np.abs(signs @ columns) >= observed - 1e-9 * np.maximum(1.0, observed)).sum(axis=0)
    if n <= ENUMERATED:
        return np.asarray(reached / len(signs))
    return np.asarray(np.minimum((reached + 1) / (len(signs) + 1), _gaussian_bound(columns, observed)))


def _gaussian_bound(columns: Floats, observed: Floats) -> Floats:
    """What p can be at most: below 1 / (draws + 1) the draws tell nothing, and with many pairs less is asked for.

    A sum with random signs lies beyond x of its standard deviations with a probability of at most 3.178 times the
    normal tail (Bentkus and Dzindzalieta, "A tight Gaussian bound for weighted sums of Rademacher random variables",
    Bernoulli 21, 2015).
    """
    scale = np.sqrt((columns**2).sum(axis=0))
    distance = np.divide(observed, scale, out=np.zeros_like(observed), where=scale > 0)
    tail: Floats = stats.norm.sf(distance)
    return np.minimum(1.0, 2 * 3.178 * tail)


def _rounded(values: Floats) -> Floats:
    return np.asarray(np.round(values, DIGITS) + 0.0)  # no negative zero
