"""What a measure could be if results that nobody judged were relevant.

"Looked at" are the first k results. AP, nDCG and Rprec without a cut-off look at a thousand, which nobody judges, and
could be next to anything; for these the bounds are over the first `LOOKED_AT`, what a person is shown: they say what
judging those would change, not what is true of the whole list. RR's are over the whole.

Each unjudged result looked at is relevant or not, and what the measure is least and most over all these possibilities
is the bound. For P, R, F1, RR and success these are the two extremes, all of them or none. AP, nDCG and Rprec can fall
when a result far down turns out relevant, because there is more to find then; for these every number of relevant ones
is tried, all at the top and all at the bottom of the unjudged places: a relevant document further up never makes them
less. For nDCG all these are of one grade, and every grade of the scale is tried.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from app.engine.evaluation.rankings import UNJUDGED, Counts, Flags, Floats, Results, share

LOOKED_AT = 10
"""How many results are taken to be looked at where a measure has no cut-off of its own: the first page."""

Bounds = tuple[Floats, Floats]


def bounds(kind: str, cutoff: int | None, results: Results, value: Floats, highest: Counts) -> Bounds:
    """(least, most) of a measure that is ``value`` where no unjudged result is relevant; (n,) each. ``highest`` is the
    highest grade that a result can be given, (n,)."""
    unjudged = results.ranked[:, : cutoff or (None if kind == "RR" else LOOKED_AT)] == UNJUDGED
    if kind == "Judged" or not unjudged.any():
        return value, value
    if kind not in _SUBSETS:
        return value, np.maximum(value, _ALL_RELEVANT[kind](results, cutoff, unjudged))
    least, most = value, value
    for grade in range(1, int(highest.max(initial=1)) + 1) if kind == "nDCG" else (1,):
        lower, upper = _over_subsets(_SUBSETS[kind](results, cutoff, unjudged, np.minimum(grade, highest)), unjudged)
        least, most = np.minimum(least, lower), np.maximum(most, upper)
    return least, most


# --- measures that only rise -----------------------------------------------------------------------------------------


def _precision(results: Results, cutoff: int, unjudged: Flags) -> Floats:
    found: Floats = results.count(results.first(cutoff)) + unjudged.sum(axis=1)
    return found / cutoff


def _recall(results: Results, cutoff: int, unjudged: Flags) -> Floats:
    more = unjudged.sum(axis=1)
    return share(results.count(results.first(cutoff)) + more, results.relevant + more)


def _f1(results: Results, cutoff: int, unjudged: Flags) -> Floats:
    more = unjudged.sum(axis=1)
    found = results.count(results.first(cutoff)) + more
    return share(2 * found, results.length(cutoff) + results.relevant + more)


def _reciprocal_rank(_results: Results, _cutoff: int | None, unjudged: Flags) -> Floats:
    """Of the first unjudged result; the caller takes the measure itself where that is more."""
    return np.where(unjudged.any(axis=1), 1 / (1 + unjudged.argmax(axis=1)), 0.0)


def _success(_results: Results, _cutoff: int, unjudged: Flags) -> Floats:
    return np.asarray(unjudged.any(axis=1), dtype=np.float64)


_ALL_RELEVANT: dict[str, Callable[..., Floats]] = {
    "P": _precision,
    "R": _recall,
    "F1": _f1,
    "RR": _reciprocal_rank,
    "Success": _success,
}


# --- measures that may fall ------------------------------------------------------------------------------------------

Guess = Callable[[Flags, Counts], Floats]
"""The measure if those unjudged results were relevant, so many in each row."""


def _over_subsets(guess: Guess, unjudged: Flags) -> Bounds:
    number = unjudged.sum(axis=1)
    from_top = unjudged.cumsum(axis=1)
    from_bottom = number[:, None] + 1 - from_top
    least = np.full(len(unjudged), np.inf)
    most = np.full(len(unjudged), -np.inf)
    for count in range(1, int(number.max()) + 1):
        several = np.minimum(count, number)
        most = np.maximum(most, guess(unjudged & (from_top <= count), several))
        least = np.minimum(least, guess(unjudged & (from_bottom <= count), several))
    return least, most


def _average_precision(results: Results, cutoff: int | None, unjudged: Flags, _grade: Counts) -> Guess:
    """The results looked at are summed anew. Of those below only the number of relevant ones above changes."""
    looked_at = unjudged.shape[1]
    relevant = results.ranked[:, :looked_at] > 0
    ranks = np.arange(1, looked_at + 1)
    below = results.first(cutoff) & (results.rank > looked_at)
    below_sum = results.total(below, results.ordinal / results.rank)
    below_weight = results.total(below, 1 / results.rank)

    def guess(added: Flags, several: Counts) -> Floats:
        found = relevant | added
        head = (np.where(found, found.cumsum(axis=1), 0) / ranks).sum(axis=1)
        return share(head + below_sum + several * below_weight, results.relevant + several)

    return guess


def _ndcg(results: Results, cutoff: int | None, unjudged: Flags, grade: Counts) -> Guess:
    """In the ideal order, what is added comes after what is judged at least as good, and before the rest."""
    discount = 1 / np.log2(np.arange(2, unjudged.shape[1] + 2))
    gain, _ = dcg(results, cutoff)
    row, rank, of_rank = results.ideal_row, results.ideal_rank, results.ideal_grade
    is_better = of_rank >= grade[row]
    better = np.bincount(row[is_better], minlength=results.queries)
    discounts = 1 / np.log2(np.arange(2, int(results.relevant.max(initial=0)) + unjudged.shape[1] + 2))
    if cutoff is not None:
        discounts[cutoff:] = 0
    summed = np.concatenate([[0.0], discounts.cumsum()])
    above = np.bincount(row[is_better], (of_rank * discounts[rank - 1])[is_better], results.queries)
    worse_row, worse_rank, worse_grade = row[~is_better], rank[~is_better], of_rank[~is_better]

    def guess(added: Flags, several: Counts) -> Floats:
        ideal = above + grade * (summed[better + several] - summed[better])
        if len(worse_row):
            shifted = discounts[worse_rank - 1 + several[worse_row]]
            ideal += np.bincount(worse_row, worse_grade * shifted, results.queries)
        return share(gain + grade * (added * discount).sum(axis=1), ideal)

    return guess


def _r_precision(results: Results, _cutoff: int | None, unjudged: Flags, _grade: Counts) -> Guess:
    ranks = np.arange(1, unjudged.shape[1] + 1)

    def guess(added: Flags, several: Counts) -> Floats:
        relevant = results.relevant + several
        found = results.count(results.rank <= relevant[results.row])
        return share(found + (added & (ranks <= relevant[:, None])).sum(axis=1), relevant)

    return guess


def dcg(results: Results, cutoff: int | None) -> Bounds:
    """The discounted gain of what was found, and of the best of all orders.

    trec_eval's ndcg_cut: a gain is the grade itself, and what lies at rank r counts 1 / log2(r + 1) of it.
    """
    row, rank, grade = results.ideal_row, results.ideal_rank, results.ideal_grade
    kept = np.full(len(rank), True) if cutoff is None else rank <= cutoff
    ideal = np.bincount(row[kept], weights=(grade / np.log2(rank + 1))[kept], minlength=results.queries)
    gain = results.total(results.first(cutoff), results.grade / np.log2(results.rank + 1))
    return gain, ideal.astype(np.float64)


_SUBSETS: dict[str, Callable[[Results, int | None, Flags, Counts], Guess]] = {
    "AP": _average_precision,
    "nDCG": _ndcg,
    "Rprec": _r_precision,
}
