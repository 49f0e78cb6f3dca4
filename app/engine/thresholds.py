"""From which similarity on a model's results can be relied on, by the judgments."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from app.engine.evaltypes import Threshold
from app.engine.evaluation.calibration import threshold
from app.engine.evaluation.sampling import sample
from app.engine.gradedruns import GradedRun, JudgedQueries, RankedQuery, graded_run
from app.engine.querying import Target
from app.engine.rankings import RUN_DEPTH, Ranking, Rankings
from app.engine.store.judgments import Judgments
from app.engine.store.lookup import Lookup
from app.engine.store.queries import Queries
from app.engine.types import Modality, Query, Space

PRECISION = 0.9
"""What an evaluation tells thresholds for."""

CALIBRATION_QUERIES = 100
"""For a search not more are ranked, which takes seconds once a session; some thousand judged results tell enough."""


class Thresholds:
    """The thresholds that searches of one library ask for, by the judgments of all sets and judges.

    They are kept until a judgment changes. What was judged but is not among a model's first 1,000 tells nothing here.
    """

    def __init__(self, lookup: Lookup, queries: Queries, judgments: Judgments, rankings: Rankings) -> None:
        self._lookup = lookup
        self._queries = queries
        self._judgments = judgments
        self._rankings = rankings
        self._lock = threading.Lock()
        self._kept: dict[tuple[Space, Modality, float], tuple[tuple[int, int], Threshold]] = {}

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
        state = self._judgments.state()
        with self._lock:
            known = self._kept.get(place)
        if known is None or known[0] != state:
            known = state, self._calibrated(target, modality, precision)
            with self._lock:
                self._kept[place] = known
        return known[1]

    def _calibrated(self, target: Target, modality: Modality, precision: float) -> Threshold:
        summaries, grades = self._queries.judged()
        alike = [one for one in summaries if one.judged and one.query.modalities == {modality}]
        chosen = sample(alike, lambda one: one.key, CALIBRATION_QUERIES)
        judged = JudgedQueries(self._lookup, {one.id: grades.get(one.id, {}) for one in chosen})
        answered: list[RankedQuery] = []
        rankings: list[Ranking] = []
        asked = [RankedQuery.of(one) for one in chosen]
        for one, ranking in zip(asked, self._rankings.of([one.keyed for one in asked], target), strict=True):
            if isinstance(ranking, Ranking):
                answered.append(one)
                rankings.append(ranking)
        run = graded_run(
            answered, rankings, [judged.of(one.summary.id, frozenset(target.kinds)) for one in answered], RUN_DEPTH
        )
        return _threshold(target.key, modality, run, range(len(answered)), precision)


def thresholds_of(model: str, run: GradedRun, precision: float) -> tuple[Threshold, ...]:
    """One for each kind of query that a run holds, mixed ones left out."""
    return tuple(_threshold(model, modality, run, rows, precision) for modality, rows in run.by_modality().items())


def _threshold(model: str, modality: Modality, run: GradedRun, rows: Sequence[int], precision: float) -> Threshold:
    similarities, grades = run.pairs(rows)
    return threshold(model, modality, similarities, grades, precision)
