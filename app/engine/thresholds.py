"""From which similarity on a model's results can be relied on, by the judgments."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import NamedTuple

from app.engine.evaltypes import Threshold
from app.engine.evaluation.calibration import FEWEST_JUDGED, threshold
from app.engine.evaluation.sampling import sample
from app.engine.gradedruns import GradedRun, JudgedQueries, RankedQuery, graded_run
from app.engine.rankings import RUN_DEPTH, Ranking, Rankings, Standing
from app.engine.store.judgments import Judgments
from app.engine.store.lookup import Lookup
from app.engine.store.queries import Queries
from app.engine.targets import Target
from app.engine.types import Modality, Query, Space

PRECISION = 0.9
"""What an evaluation tells thresholds for."""

CALIBRATION_QUERIES = 100
"""For a search not more are ranked, which takes seconds once a session; some thousand judged results tell enough."""


class _Kept(NamedTuple):
    """A threshold and what it was made of: the judgments, the rankings, and all but the queries of ``lost`` files."""

    state: tuple[int, int]
    standing: Standing
    lost: tuple[str, ...]
    threshold: Threshold

    def holds(self, state: tuple[int, int], standing: Standing) -> bool:
        is_same = self.state == state and self.standing.is_about(standing)
        return is_same and not any(map(os.path.exists, self.lost))


class Thresholds:
    """The thresholds that searches of one library ask for, by the judgments of all sets and judges.

    They are kept until a judgment changes, the library has grown or shrunk by a tenth, or a query's file comes back.
    What was judged but is not among a model's first 1,000 tells nothing here.
    """

    def __init__(self, lookup: Lookup, queries: Queries, judgments: Judgments, rankings: Rankings) -> None:
        self._lookup = lookup
        self._queries = queries
        self._judgments = judgments
        self._rankings = rankings
        self._lock = threading.Lock()
        self._kept: dict[tuple[Space, Modality, float], _Kept] = {}

    def of(self, target: Target, query: Query, precision: float) -> Threshold:
        """The threshold for a query of this kind; its similarity is None where there is none, and its note says why.

        Raises:
            AppError: the model cannot be loaded.
        """
        if len(query.modalities) != 1:
            note = "Mixed queries have no threshold; each kind of query has its own."
            return Threshold(target.key, min(query.modalities), precision, None, note=note)
        (modality,) = query.modalities
        place = target.space, modality, precision
        state, standing = self._judgments.state(), self._rankings.standing(target)
        with self._lock:
            known = self._kept.get(place)
        if known is None or not known.holds(state, standing):
            threshold, lost = self._calibrated(target, modality, precision)
            known = _Kept(state, standing, lost, threshold)
            with self._lock:
                self._kept[place] = known
        return known.threshold

    def _calibrated(self, target: Target, modality: Modality, precision: float) -> tuple[Threshold, tuple[str, ...]]:
        """The threshold, and the files of queries that are away and could not be asked."""
        summaries, grades = self._queries.judged()
        alike = [one for one in summaries if one.judged and one.query.modalities == {modality}]
        chosen = sample(alike, lambda one: one.key, CALIBRATION_QUERIES)
        judged = JudgedQueries(self._lookup, {one.id: grades.get(one.id, {}) for one in chosen})
        answered: list[RankedQuery] = []
        rankings: list[Ranking] = []
        lost: list[str] = []
        asked = [RankedQuery.of(one) for one in chosen]
        for one, ranking in zip(asked, self._rankings.of([one.keyed for one in asked], target), strict=True):
            if isinstance(ranking, Ranking):
                answered.append(one)
                rankings.append(ranking)
            else:
                lost += [part.path for part in one.summary.query.parts if part.path]
        run = graded_run(
            answered, rankings, [judged.of(one.summary.id, frozenset(target.kinds)) for one in answered], RUN_DEPTH
        )
        return _threshold(target.key, modality, run, range(len(answered)), precision), tuple(lost)


def thresholds_of(model: str, run: GradedRun, precision: float) -> tuple[Threshold, ...]:
    """One for each kind of query that a run holds, mixed ones left out."""
    return tuple(_threshold(model, modality, run, rows, precision) for modality, rows in run.by_modality().items())


def _threshold(model: str, modality: Modality, run: GradedRun, rows: Sequence[int], precision: float) -> Threshold:
    runs = run.runs(rows, FEWEST_JUDGED)
    return threshold(model, modality, runs.similarities, runs.grades, precision, runs.unjudged, runs.relevant)
