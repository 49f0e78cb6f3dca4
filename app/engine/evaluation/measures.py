"""The measures of retrieval, for all queries of a model at once.

A ranking is a row of grades: the grade of the result at rank 1, 2, 3, ... . Names and their parsing are `ir_measures`',
and so is the meaning: tests hold every figure equal to what `ir_measures` and trec_eval's own code say. They are
computed here because that code takes a dictionary of document ids for every query: half a second for one model on 500
queries with 1,000 results each, where fifty models take a tenth of a second here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import ir_measures
import numpy as np

from app.engine.errors import AppError
from app.engine.evaluation import bounding
from app.engine.evaluation.rankings import EMPTY, Counts, Floats, Grades, Results, share

DEEPEST = 2**31 - 1
"""The largest cut-off."""


class Figures(NamedTuple):
    """(n, m) each, of n queries and m measures: the values, what they are at least and at most whichever results that
    are not judged are relevant (`bounding` says which of them count), and the share that is judged of the results that
    a measure looks at."""

    values: Floats
    least: Floats
    most: Floats
    judged: Floats


def names(k: int) -> tuple[str, ...]:
    """The measures of a comparison at ``k``, in the order of a table.

    ``F1@k`` is ir_measures' SetF on the first k results; recall counts what has been judged relevant.
    """
    return (f"P@{k}", f"R@{k}", f"F1@{k}", "Rprec", "AP", "RR", f"nDCG@{k}", f"Success@{k}", f"Judged@{k}")


def checked(names: Sequence[str]) -> tuple[str, ...]:
    """The names as this program writes them, each once, in the order given.

    Raises:
        AppError: a name means nothing to ir_measures, or a measure that is not computed here.
    """
    return tuple(dict.fromkeys(str(_parsed(name)) for name in names))


def compute(names: Sequence[str], ranked: Grades, judged: Sequence[Grades]) -> Floats:
    """Every measure of every query, as trec_eval has it: what is not judged counts as not relevant.

    Args:
        names: m measures.
        ranked: (n, depth) grades in the order of rank; `UNJUDGED` for a result without one, `EMPTY` beyond the end of a
            list. Measures without a cut-off see ``depth`` results: trec_eval's 1,000, or as many as the longest list
            has.
        judged: for each of the n queries the grades, 0 or above, of all that is judged, found or not: the denominators
            of recall, Rprec and AP and the ideal of nDCG.

    Returns:
        (n, m) figures from 0 to 1; 0 for a query without a relevant document, and for an empty list.

    Raises:
        AppError: see `checked`.
    """
    results = Results.of(np.asarray(ranked), judged)
    return _columns([_values(measure, results) for measure in map(_parsed, names)], len(ranked))


def figures(names: Sequence[str], ranked: Grades, judged: Sequence[Grades], highest: Counts) -> Figures:
    """The measures of `compute`, what each could be, and how much is judged of what it looks at; see `Figures`.

    Args:
        names, ranked, judged: as in `compute`.
        highest: (n,) the highest grade that a result of each query can be given.

    Raises:
        AppError: see `checked`.
    """
    results = Results.of(np.asarray(ranked), judged)
    asked = list(map(_parsed, names))
    values = [_values(measure, results) for measure in asked]
    pairs = [
        bounding.bounds(measure.kind, measure.cutoff, results, value, highest)
        for measure, value in zip(asked, values, strict=True)
    ]
    shares = [_judged_share(measure, results) for measure in asked]
    least, most = ([pair[end] for pair in pairs] for end in (0, 1))
    return Figures(*(_columns(columns, len(ranked)) for columns in (values, least, most, shares)))


def reachable(names: Sequence[str], judged: Sequence[Grades]) -> Floats:
    """(n, m): what a perfect list has. 1, but for precision where fewer than k are relevant, and for recall, F1 and
    AP@k where more are: what lies above that need not be reckoned with.

    Args:
        names: m measures.
        judged: as in `compute`.
    """
    relevant = np.array([np.count_nonzero(np.asarray(grades) > 0) for grades in judged], dtype=np.float64)
    columns = []
    for measure in map(_parsed, names):
        most = np.ones(len(relevant))
        if measure.kind in ("P", "R", "F1", "AP") and measure.cutoff is not None:
            found = np.minimum(relevant, measure.cutoff)
            of = {"P": np.full(len(found), measure.cutoff), "F1": (relevant + found) / 2}.get(measure.kind, relevant)
            most = np.divide(found, of, out=most, where=relevant > 0)
        columns.append(most)
    return _columns(columns, len(relevant))


def bounds(
    names: Sequence[str], ranked: Grades, judged: Sequence[Grades], highest: Counts | None = None
) -> tuple[Floats, Floats]:
    """`Figures.least` and `Figures.most`; grades are 0 and 1 where no highest ones are given."""
    found = figures(names, ranked, judged, np.ones(len(ranked), np.intp) if highest is None else highest)
    return found.least, found.most


def judged_share(names: Sequence[str], ranked: Grades, judged: Sequence[Grades] = ()) -> Floats:
    """`Figures.judged`."""
    results = Results.of(np.asarray(ranked), judged or [np.empty(0, np.int64)] * len(ranked))
    return _columns([_judged_share(measure, results) for measure in map(_parsed, names)], len(ranked))


# --- names -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Measure:
    kind: str
    cutoff: int | None

    def __str__(self) -> str:
        return self.kind if self.cutoff is None else f"{self.kind}@{self.cutoff}"


@lru_cache(maxsize=256)
def _parsed(name: str) -> _Measure:
    stripped = _spelled(name.strip())
    try:
        measure = ir_measures.parse_measure(f"SetF{stripped[2:]}" if stripped.startswith("F1@") else stripped)
        parameters = dict(measure.params)
    except Exception as error:  # it raises whatever its parser of expressions comes upon
        raise AppError("No such measure", f"“{name}” is not the name of a measure. {_KNOWN}") from error
    kind = "F1" if measure.NAME == "SetF" else str(measure.NAME)
    cutoff = parameters.pop("cutoff", None)
    whole = kind in _WITHOUT_CUTOFF and cutoff is None
    cut = kind in _WITH_CUTOFF and isinstance(cutoff, int) and 0 < cutoff <= DEEPEST
    if parameters or not (whole or cut):
        raise AppError("This measure is not computed here", f"“{name}” is none of those there are. {_KNOWN}")
    return _Measure(kind, cutoff)


def _spelled(name: str) -> str:
    """A known name in its own spelling, whatever case it was written in."""
    kind, at, cutoff = name.partition("@")
    known = {one.casefold(): one for one in (*_WITH_CUTOFF, *_WITHOUT_CUTOFF)}
    return known.get(kind.casefold(), kind) + at + cutoff


# --- figures ---------------------------------------------------------------------------------------------------------


def _precision(results: Results, cutoff: int) -> Floats:
    return results.count(results.first(cutoff)) / cutoff


def _recall(results: Results, cutoff: int) -> Floats:
    return share(results.count(results.first(cutoff)), results.relevant)


def _f1(results: Results, cutoff: int) -> Floats:
    """The harmonic mean of precision and recall of the first k as a set: a short list is not held against it."""
    return share(2 * results.count(results.first(cutoff)), results.length(cutoff) + results.relevant)


def _r_precision(results: Results, _cutoff: None) -> Floats:
    return share(results.count(results.rank <= results.relevant[results.row]), results.relevant)


def _average_precision(results: Results, cutoff: int | None) -> Floats:
    return share(results.total(results.first(cutoff), results.ordinal / results.rank), results.relevant)


def _reciprocal_rank(results: Results, cutoff: int | None) -> Floats:
    return results.total(results.first(cutoff) & (results.ordinal == 1), 1 / results.rank)


def _ndcg(results: Results, cutoff: int | None) -> Floats:
    return share(*bounding.dcg(results, cutoff))


def _success(results: Results, cutoff: int) -> Floats:
    return (results.count(results.first(cutoff)) > 0).astype(np.float64)


def _judged(results: Results, cutoff: int) -> Floats:
    return share((results.ranked[:, :cutoff] >= 0).sum(axis=1).astype(np.float64), results.length(cutoff))


_MEASURES: dict[str, Callable[..., Floats]] = {
    "P": _precision,
    "R": _recall,
    "F1": _f1,
    "Rprec": _r_precision,
    "AP": _average_precision,
    "RR": _reciprocal_rank,
    "nDCG": _ndcg,
    "Success": _success,
    "Judged": _judged,
}
_WITHOUT_CUTOFF = frozenset(("Rprec", "AP", "RR", "nDCG"))
_WITH_CUTOFF = frozenset(_MEASURES) - {"Rprec"}
_KNOWN = "There are P@k, R@k, F1@k, Rprec, AP, AP@k, RR, RR@k, nDCG, nDCG@k, Success@k and Judged@k, with any k."


def _values(measure: _Measure, results: Results) -> Floats:
    return _MEASURES[measure.kind](results, measure.cutoff)


def _judged_share(measure: _Measure, results: Results) -> Floats:
    """Of the results that a measure looks at: the first k; without a cut-off for Rprec as many as are relevant, for RR
    all down to the first relevant one, and else the whole list. 1 where it looks at none: nothing is left to judge."""
    if measure.cutoff is not None:
        head = results.ranked[:, : measure.cutoff]
        there, known = (head != EMPTY).sum(axis=1), (head >= 0).sum(axis=1)
    else:
        there = results.lengths
        if measure.kind == "Rprec":
            there = np.minimum(there, results.relevant)
        elif measure.kind == "RR":
            first = results.ordinal == 1
            there = there.copy()
            there[results.row[first]] = results.rank[first]
        known = results.judged_within(there)
    return np.where(there > 0, known / np.maximum(there, 1), 1.0)


def _columns(columns: Sequence[Floats], rows: int) -> Floats:
    return np.stack(columns, axis=1) if columns else np.empty((rows, 0))
