"""What is left to judge in a set, kept up to date as grades are given, and what comes next."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median

from app.engine.judgingtypes import JudgingOrder, JudgingProgress, Mark, PoolItem, QueryProgress
from app.gui import wording
from app.gui.poolround import PoolRound, is_left

LONGEST_GAP_S = 60.0
"""A longer gap between two judgments is a pause, as for the engine's own figure."""
GAPS = 50
LEAST_GAPS = 5


class JudgePlan:
    """The queries of a set in the order to judge them in, each with what is left of its pool."""

    def __init__(
        self, progress: JudgingProgress, order: JudgingOrder, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._queries: dict[int, QueryProgress] = {one.query_id: one for one in progress.queries}
        self._order = order
        self._ms_per_item = progress.ms_per_item
        self._clock = clock
        self._last_s: float | None = None
        self._gaps_s: deque[float] = deque(maxlen=GAPS)

    @property
    def pooled(self) -> int:
        return sum(one.pooled for one in self._queries.values())

    @property
    def left(self) -> int:
        """What this judge has not dealt with."""
        return sum(one.left for one in self._queries.values())

    @property
    def later(self) -> int:
        return sum(one.later for one in self._queries.values())

    @property
    def imported(self) -> int:
        """What of `left` folders or captions have judged."""
        return sum(one.imported for one in self._queries.values())

    def open(self, round_: PoolRound) -> int:
        """What is left for the round: of what folders or captions have judged nothing, unless that is offered too."""
        return self.left if round_.offers_imported else self.left - self.imported

    def words(self, round_: PoolRound) -> str:
        """``34 of 210 results judged, about 6 minutes left``. Who judges what folders or captions have judged is told
        how far they are themselves."""
        left = self.open(round_)
        counted = f"{self.pooled - left:,} of {wording.count(self.pooled, 'result', 'results')}"
        told = f"You judged {counted}" if round_.offers_imported else f"{counted} judged"
        seconds = self._seconds(left)
        return told if not left or seconds is None else f"{told}, {wording.remaining(seconds)}"

    def tick(self) -> None:
        """A judgment is made now."""
        now_s = self._clock()
        if self._last_s is not None and now_s - self._last_s <= LONGEST_GAP_S:
            self._gaps_s.append(now_s - self._last_s)
        self._last_s = now_s

    def see(self, query_id: int, items: Sequence[PoolItem]) -> None:
        """A query's pool as it is now."""
        if query_id in self._queries:
            grades = [item.grade for item in items]
            self._queries[query_id] = replace(
                self._queries[query_id],
                pooled=len(items),
                left=sum(map(is_left, grades)),
                later=grades.count(Mark.LATER),
                imported=sum(item.imported and item.grade is None for item in items),
            )

    def knows(self, query_id: int) -> bool:
        return query_id in self._queries

    def forget(self, query_id: int) -> None:
        """A query is gone."""
        self._queries.pop(query_id, None)

    def next_query(self, current: int, round_: PoolRound) -> int | None:
        """The next query with something to judge now: the one the models disagree about most, or the one that follows
        the current one, round the end."""
        ids = list(self._queries)
        if self._order is JudgingOrder.SHUFFLED and current in ids:
            place = ids.index(current) + 1
            ids = ids[place:] + ids[:place]
        return next((one for one in ids if one != current and self._is_open(one, round_)), None)

    def _is_open(self, query_id: int, round_: PoolRound) -> bool:
        query = self._queries[query_id]
        offered = query.left
        offered -= 0 if round_.offers_later else query.later
        offered -= 0 if round_.offers_imported else query.imported
        return offered > round_.skipped_in(query_id)

    def _seconds(self, items: int) -> float | None:
        """For so many, by what this judge took for a judgment lately; None before that is known."""
        if len(self._gaps_s) >= LEAST_GAPS:
            return items * median(self._gaps_s)
        return None if self._ms_per_item is None else items * self._ms_per_item / 1000
