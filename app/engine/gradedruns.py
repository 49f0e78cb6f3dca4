"""From rankings and judgments to what the measures are computed of: rows of grades."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from app.engine.judgingtypes import QuerySummary
from app.engine.rankings import RUN_DEPTH, KeyedQuery, Ranking, keyed
from app.engine.store.judgments import Grades, graded
from app.engine.store.lookup import Lookup
from app.engine.targets import Target
from app.engine.types import ItemKind, Modality

EMPTY, UNJUDGED = -2, -1
"""In place of a grade: no result there, and a result without one. `app.engine.evaluation.measures` means the same."""

Counts = npt.NDArray[np.intp]
Matrix = npt.NDArray[np.signedinteger]

LARGEST_SMALL_GRADE = np.iinfo(np.int8).max

NO_ITEM = 0
"""Items are numbered from 1."""

_CUTOFF = re.compile(r"@(\d+)$")


@dataclass(frozen=True, eq=False)
class JudgedItems:
    """What was judged for a query: the items' ids and their grades, 0 and above."""

    ids: npt.NDArray[np.int64]
    grades: npt.NDArray[np.int32]
    highest: int = 0
    """The largest id."""
    best: int = 0


class JudgedQueries:
    """The judgments of queries on what the library holds now.

    An item whose last file is gone cannot be found by any model and is left out, as are marks; both are kept in the
    library, and count again once the item is back or graded.
    """

    def __init__(self, lookup: Lookup, grades: Mapping[int, Grades]) -> None:
        given = {query_id: graded(of_query) for query_id, of_query in grades.items()}
        ids = lookup.item_ids(ref for of_query in given.values() for ref in of_query)
        self._judged = {
            query_id: [(ref.kind, ids[ref], grade) for ref, grade in of_query.items() if ref in ids]
            for query_id, of_query in given.items()
        }
        self._made: dict[tuple[frozenset[ItemKind], int], JudgedItems] = {}
        self.absent = frozenset(ref for of_query in given.values() for ref in of_query if ref not in ids)
        """What was judged and is not here."""

    def of(self, query_id: int, kinds: frozenset[ItemKind]) -> JudgedItems:
        """What was judged among items of these kinds: words that find pictures and sounds are judged on both, and a
        model of sounds does not miss the pictures."""
        place = kinds, query_id
        if place not in self._made:
            judged = [(item_id, grade) for kind, item_id, grade in self._judged.get(query_id, ()) if kind in kinds]
            pairs = np.array(judged, np.int64).reshape(-1, 2)
            ids, grades = pairs[:, 0], pairs[:, 1].astype(np.int32)
            self._made[place] = JudgedItems(ids, grades, int(ids.max(initial=0)), int(grades.max(initial=0)))
        return self._made[place]


class RankedQuery(NamedTuple):
    """A test query with what is asked of it again and again. ``alone`` is its kind, None of a mix, and ``highest`` the
    best grade of its scale."""

    summary: QuerySummary
    keyed: KeyedQuery
    modalities: frozenset[Modality]
    alone: Modality | None
    highest: int

    @classmethod
    def of(cls, summary: QuerySummary, highest: int = 1) -> RankedQuery:
        modalities = summary.query.modalities
        alone = next(iter(modalities)) if len(modalities) == 1 else None
        return cls(summary, keyed(summary.query), modalities, alone, highest)


class JudgedRuns(NamedTuple):
    """Of several queries, the results from the first one to the last before one without a grade: their
    ``similarities`` and ``grades``. ``unjudged`` are the similarities of what follows, as far as they are above the
    lowest of those, and ``relevant`` of all results with a grade above 0."""

    similarities: npt.NDArray[np.float32]
    grades: Matrix
    unjudged: npt.NDArray[np.float32]
    relevant: npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class GradedRun:
    """One model's rankings of n queries in the light of the judgments.

    ``ranked`` is (n, depth): the grade of the result at each rank, `UNJUDGED`, or `EMPTY` where the list has ended.
    ``judged`` has for each query the grades of all that was judged, found or not.
    """

    queries: tuple[RankedQuery, ...]
    rankings: tuple[Ranking, ...]
    ranked: Matrix
    judged: tuple[Matrix, ...]

    @property
    def highest(self) -> Counts:
        """(n,): the best grade that a result can be given."""
        return np.array([query.highest for query in self.queries], np.intp)

    def by_modality(self) -> dict[Modality, list[int]]:
        """The rows of the queries by words, picture, sound alone; a kind that there is none of is left out."""
        rows: dict[Modality, list[int]] = {modality: [] for modality in Modality}
        for row, query in enumerate(self.queries):
            if query.alone is not None:
                rows[query.alone].append(row)
        return {modality: found for modality, found in rows.items() if found}

    def runs(self, rows: Sequence[int], enough: int = 1) -> JudgedRuns:
        """What these queries tell about similarities; where fewer than ``enough`` results are in runs, these alone."""
        ranked = self.ranked if len(rows) == len(self.ranked) else self.ranked[list(rows)]
        gaps = np.concatenate([ranked < 0, np.full((len(ranked), 1), True)], axis=1).argmax(axis=1)
        begun = np.flatnonzero(gaps).tolist()
        similarities = [self.rankings[row].similarities[: ranked.shape[1]] for row in rows]
        none = np.empty(0, np.float32)
        within = [similarities[row][: gaps[row]] for row in begun]
        grades = [ranked[row, : gaps[row]] for row in begun]
        after, relevant = [none], [none]
        if gaps.sum() >= enough:
            lowest = min(one[-1] for one in within)
            rest = (one[gap:] for one, gap in zip(similarities, gaps.tolist(), strict=True))
            after += [one[one >= lowest] for one in rest]
            relevant += [one[row[: len(one)] > 0] for one, row in zip(similarities, ranked, strict=True)]
        return JudgedRuns(
            np.concatenate([none, *within]),
            np.concatenate([np.empty(0, ranked.dtype), *grades]),
            np.concatenate(after),
            np.concatenate(relevant),
        )


class Witness(Protocol):
    """Is shown all that an evaluation is computed of, at once and as it was used."""

    def read(self, queries: Sequence[QuerySummary], grades: Mapping[int, Grades], judged: JudgedQueries) -> None:
        """The queries, with the grades and marks of each by its id, have been read."""

    def ranked(self, target: Target, run: GradedRun) -> None:
        """A model has answered."""


def graded_run(
    queries: Sequence[RankedQuery], rankings: Sequence[Ranking], judged: Sequence[JudgedItems], depth: int
) -> GradedRun:
    """The first ``depth`` of these rankings with their grades; the three sequences are of the same queries."""
    ids = _stacked([ranking.ids for ranking in rankings], depth)
    highest = max((items.highest for items in judged), default=0)
    # A table of all items is cleared of one query's grades rather than made anew: a row takes some microseconds.
    grade = max((items.best for items in judged), default=0)
    kind = np.int8 if grade <= LARGEST_SMALL_GRADE else np.int32  # a quarter of the memory to go through
    table = np.full(max(highest, int(ids.max(initial=0))) + 1, UNJUDGED, kind)
    table[NO_ITEM] = EMPTY
    ranked = np.empty(ids.shape, kind)
    for row, items in enumerate(judged):
        table[items.ids] = items.grades
        table.take(ids[row], out=ranked[row], mode="clip")  # nothing is out of bounds; "raise" would copy
        table[items.ids] = UNJUDGED
    return GradedRun(tuple(queries), tuple(rankings), ranked, tuple(items.grades for items in judged))


def depth_of(columns: Sequence[str]) -> int:
    """How many results these measures look at: 1,000, or as many as the largest cut-off."""
    return max([RUN_DEPTH, *(int(found[1]) for name in columns if (found := _CUTOFF.search(name)))])


def _stacked(lists: Sequence[npt.NDArray[np.integer]], depth: int) -> npt.NDArray[np.int64]:
    """(n, depth or the longest) of these lists, filled up with `NO_ITEM`."""
    lengths = [len(one) for one in lists]
    longest = min(depth, max(lengths, default=0))
    if lists and min(lengths) >= longest:
        return np.stack([one[:longest] for one in lists], dtype=np.int64, casting="safe")
    ids = np.full((len(lists), longest), NO_ITEM, np.int64)
    for row, one in enumerate(lists):
        ids[row, : len(one)] = one[:longest]
    return ids
