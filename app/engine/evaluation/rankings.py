"""Rankings as rows of grades, and what the measures are computed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

UNJUDGED = -1
"""A result that has no grade."""

EMPTY = -2
"""No result: beyond the end of a list."""

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Counts = NDArray[np.intp]
Grades = NDArray[np.integer]

Qrels = Mapping[str, Mapping[str, int]]
"""Query id → document id → grade; above 0 is relevant."""

Run = Mapping[str, Sequence[tuple[str, float]]]
"""Query id → (document id, score); trec_eval's order: score descending, then document id descending."""


def in_trec_order(hits: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """(document id, score) as trec_eval sorts a run: score descending, of equal scores the later id first."""
    by_id = sorted(hits, key=lambda hit: hit[0], reverse=True)
    return sorted(by_id, key=lambda hit: -hit[1])


def matrix(qrels: Qrels, run: Run, depth: int = 1000) -> tuple[Grades, list[Grades]]:
    """What `measures.compute` takes, of a run with scores from outside: one row for each query of ``qrels``, in its
    order.

    A query that the run lacks has an empty list, a negative grade is none, and results beyond ``depth`` are left out.
    """
    longest = max((len(run.get(query_id, ())) for query_id in qrels), default=0)
    ranked = np.full((len(qrels), min(depth, longest)), EMPTY, dtype=np.int32)
    judged: list[Grades] = []
    for row, (query_id, grades) in enumerate(qrels.items()):
        hits = in_trec_order(run.get(query_id, ()))[:depth]
        ranked[row, : len(hits)] = [max(UNJUDGED, grades.get(document_id, UNJUDGED)) for document_id, _ in hits]
        judged.append(np.array([grade for grade in grades.values() if grade >= 0], dtype=np.int32))
    return ranked, judged


@dataclass(frozen=True)
class Results:
    """The relevant results of n queries, one after another, and what was judged.

    ``row``, ``rank`` (from 1), ``grade`` and ``ordinal`` belong to one relevant result each, which is the
    ``ordinal``-th relevant one of its row. Most results are not relevant, so that this is far less than the lists.
    ``judged_row`` and ``judged_rank`` are of all results with a grade. ``ideal_*`` are of all documents that are judged
    relevant, in the best of all orders.
    """

    ranked: Grades
    row: Counts
    rank: Counts
    grade: Grades
    judged: Sequence[Grades]
    judged_row: Counts
    judged_rank: Counts

    @classmethod
    def of(cls, ranked: Grades, judged: Sequence[Grades]) -> Results:
        row, column = np.divmod(np.flatnonzero(ranked >= 0), max(1, ranked.shape[1]))
        grade = ranked[row, column]
        relevant = grade > 0
        return cls(ranked, row[relevant], column[relevant] + 1, grade[relevant], judged, row, column + 1)

    @property
    def queries(self) -> int:
        return len(self.ranked)

    @cached_property
    def ordinal(self) -> Counts:
        return _within_rows(self.row, self.queries)

    @cached_property
    def relevant(self) -> Counts:
        """(n,): how many documents are judged relevant."""
        return np.bincount(self.ideal_row, minlength=self.queries)

    @property
    def ideal_row(self) -> Counts:
        return self._ideal[0]

    @property
    def ideal_grade(self) -> Grades:
        return self._ideal[1]

    @cached_property
    def ideal_rank(self) -> Counts:
        return _within_rows(self.ideal_row, self.queries)

    def first(self, cutoff: int | None) -> Flags:
        """Which relevant results are among the first ``cutoff``."""
        return self.rank <= (self.ranked.shape[1] if cutoff is None else cutoff)

    def count(self, where: Flags) -> Floats:
        """(n,): how many of the relevant results ``where`` selects."""
        return np.bincount(self.row[where], minlength=self.queries).astype(np.float64)

    def total(self, where: Flags, weight: Floats) -> Floats:
        """(n,): the sum of their weights."""
        return np.bincount(self.row[where], weights=weight[where], minlength=self.queries).astype(np.float64)

    def length(self, cutoff: int) -> Floats:
        """(n,): how many results there are among the first ``cutoff``."""
        length: Floats = (self.ranked[:, :cutoff] != EMPTY).sum(axis=1).astype(np.float64)
        return length

    @cached_property
    def lengths(self) -> Counts:
        """(n,): how many results there are."""
        return np.asarray((self.ranked != EMPTY).sum(axis=1))

    def judged_within(self, ranks: Counts) -> Counts:
        """(n,): how many of the first ``ranks`` of each row have a grade."""
        return np.bincount(self.judged_row[self.judged_rank <= ranks[self.judged_row]], minlength=self.queries)

    @cached_property
    def _ideal(self) -> tuple[Counts, Grades]:
        lengths = np.array([len(grades) for grades in self.judged], dtype=np.intp)
        row = np.repeat(np.arange(self.queries), lengths)
        grade = np.concatenate([np.empty(0, dtype=np.int64), *self.judged]).astype(np.int64)
        row, grade = row[grade > 0], grade[grade > 0]
        order = np.lexsort((-grade, row))
        return row[order], grade[order]


def share(part: Floats, whole: Floats | Counts) -> Floats:
    """Part by whole, 0 where there is no whole."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _within_rows(row: Counts, rows: int) -> Counts:
    """1, 2, 3, ... within each run of equal numbers; ``row`` ascends."""
    return np.arange(1, len(row) + 1) - np.searchsorted(row, np.arange(rows))[row]
