"""What a sitting of judging asks the engine: pools, what is left, and grades to be entered."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject

from app.bridge.client import Call
from app.engine.errors import AppError
from app.engine.judgingtypes import JudgingOrder, JudgingProgress, Pool, QuerySet, QuerySummary
from app.gui.engine import Engine
from app.gui.poolahead import PoolAhead, Wanted


class JudgeAsking(QObject):
    """One pool and one plan are asked for at a time; the answer to an earlier question is nobody's."""

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self.ahead = PoolAhead(engine, self)
        self._pool: Call | None = None
        self._progress: Call | None = None

    @property
    def awaits_progress(self) -> bool:
        return self._progress is not None

    def stop(self) -> None:
        """Want no answer any more."""
        _cancel(self._pool, self._progress)
        self._pool = self._progress = None
        self.ahead.drop()

    def pool(self, wanted: Wanted, done: Callable[[Pool], None], failed: Callable[[AppError], None]) -> None:
        """Ask for a query's pool; one that was asked for ahead is there at once."""
        _cancel(self._pool)
        self._pool = None
        if pool := self.ahead.take(wanted):
            done(pool)
            return

        def answered(pool: Pool) -> None:
            if self._pool is call:
                self._pool = None
                done(pool)

        def refused(error: AppError) -> None:
            if self._pool is call:
                self._pool = None
                failed(error)

        query_id, depth, judge, order = wanted
        self._pool = call = self._engine.request(
            "evaluations_pool", query_id, depth=depth, judge=judge, order=order, on_done=answered, on_failed=refused
        )

    def progress(
        self, set_id: int, depth: int, judge: str, order: JudgingOrder, done: Callable[[JudgingProgress], None]
    ) -> None:
        """Ask what is left of a set. A failure is told with the pool's own, and one query can be counted alone."""
        _cancel(self._progress)

        def answered(progress: JudgingProgress) -> None:
            if self._progress is call:
                self._progress = None
                done(progress)

        def refused(_error: AppError) -> None:
            if self._progress is call:
                self._progress = None

        self._progress = call = self._engine.request(
            "evaluations_progress",
            set_id,
            depth=depth,
            judge=judge,
            order=order,
            on_done=answered,
            on_failed=refused,
        )

    def sets(self, done: Callable[[Sequence[QuerySet]], None]) -> None:
        self._engine.request("evaluations_sets", on_done=done, on_failed=lambda _error: None)

    def enter(
        self,
        query_id: int,
        item_ids: tuple[int, ...],
        grade: int | None,
        judge: str,
        done: Callable[[QuerySummary], None],
        failed: Callable[[AppError], None],
    ) -> None:
        """Enter a grade, a mark or None of items."""
        self._engine.request(
            "evaluations_judge_all", query_id, item_ids, grade, judge=judge, on_done=done, on_failed=failed
        )


def _cancel(*calls: Call | None) -> None:
    for call in calls:
        if call:
            call.cancel()
