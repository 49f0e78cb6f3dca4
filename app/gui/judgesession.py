"""A sitting of judging without its widgets: pools asked for, grades entered, and what comes next."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from app.bridge.client import Call
from app.engine.errors import AppError
from app.engine.evaltypes import (
    OWN_JUDGE,
    JudgingOrder,
    JudgingProgress,
    Mark,
    Pool,
    PoolItem,
    QuerySet,
    QuerySummary,
    Scale,
)
from app.gui.engine import Engine
from app.gui.judgeplan import JudgePlan
from app.gui.poolahead import PoolAhead
from app.gui.poolround import PoolRound, is_left

POOL_DEPTH = 10
AHEAD_FROM = 3
"""The next query's pool is asked for when no more than so many results are left of the present one."""


class JudgeSession(QObject):
    """Signals: ``waiting`` while another query's pool is on its way; ``loaded`` with every pool; ``moved`` when another
    item is to be shown; ``changed`` with the row of a new verdict; ``counted`` when progress has changed; ``ended``
    when nothing is left to be judged now; ``refused`` with the `AppError` of a pool; ``judges_changed``.

    ``judged`` carries a query's new `QuerySummary`, ``query_wanted`` the id of the query to turn to, ``failed`` the
    `AppError` of a judgment that was not entered.
    """

    waiting = Signal()
    loaded = Signal()
    moved = Signal()
    changed = Signal(int)
    counted = Signal()
    ended = Signal()
    refused = Signal(object)
    judges_changed = Signal()
    judged = Signal(object)
    query_wanted = Signal(int)
    failed = Signal(object)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self.summary: QuerySummary | None = None
        self.round = PoolRound()
        self.plan: JudgePlan | None = None
        self.scale = Scale.BINARY
        self.guidelines = ""
        self.judge = OWN_JUDGE
        self.judges: tuple[str, ...] = ()
        self.order = JudgingOrder.SHUFFLED
        self.goes_on = True
        self._depth = POOL_DEPTH
        self.ahead = PoolAhead(engine, self)
        self._pool_call: Call | None = None
        self._plan_call: Call | None = None
        self._undoes = False
        self._waits_for_plan = False
        self._idle = False
        """Whether something is said instead of an item."""

    @property
    def current(self) -> PoolItem | None:
        return self.round.current

    @property
    def items(self) -> Sequence[PoolItem]:
        return self.round.items

    def upcoming(self, count: int) -> list[PoolItem]:
        """The items that are to be judged after the current one, in this query and the next."""
        rows = [row for row in self.round.open_rows() if row != self.round.row]
        following = self.ahead.pool.items if self.ahead.pool else ()
        return [*(self.round.items[row] for row in rows), *(item for item in following if item.grade is None)][:count]

    # --- which query, for whom, in which order -----------------------------------------------------------------------

    def start(self, summary: QuerySummary | None, depth: int = POOL_DEPTH) -> None:
        """Judge a query's pool, the first ``depth`` results of every model. The one shown already keeps its place."""
        before = self.summary
        same_set = before is not None and summary is not None and before.set_id == summary.set_id
        deeper = depth > self._depth
        self._depth = max(depth, self._depth) if same_set else depth  # a set is judged as deep as was once asked for
        self.summary, self._waits_for_plan = summary, False
        if before is None or summary is None or before.id != summary.id:
            self._undoes = self._undoes and summary is not None
            self.round.begin(summary.id if summary else 0)
            self.waiting.emit()
        else:
            self.ahead.drop()  # the library may have changed
        if summary is None:
            _cancel(self._pool_call, self._plan_call)
            self.plan = None
            return
        self._ask_pool(summary)
        another = before is not None and before.id != summary.id
        if not (self.plan and self.plan.knows(summary.id) and same_set and another and not deeper):
            self._ask_plan(summary)  # else another query of the set whose plan is kept up to date

    def set_judge(self, judge: str) -> None:
        """Judge as somebody else: nobody sees what the others said."""
        if judge != self.judge:
            self.judge = judge
            self.round = PoolRound()
            self.judges = tuple(sorted({*self.judges, judge}))
            self.judges_changed.emit()
            self._begin_anew()

    def set_order(self, order: JudgingOrder) -> None:
        if order is not self.order:
            self.order = order
            self._begin_anew()

    def ask_again(self) -> None:
        self.start(self.summary, self._depth)

    def forget(self, query_id: int) -> None:
        """A wanted query is not there any more."""
        undid, self._undoes = self._undoes, False
        self.round.forget(query_id)
        if self.plan:
            self.plan.forget(query_id)
        self.counted.emit()
        if not undid and self.round.next_row() is None:
            self.go_on()

    def _begin_anew(self) -> None:
        summary, self.summary, self.plan = self.summary, None, None
        if summary:
            self.start(summary, self._depth)

    # --- what a person does ------------------------------------------------------------------------------------------

    def grade(self, rows: Sequence[int], grade: int, stays: bool = False) -> None:
        """Give items a grade or a mark and go on; ``stays``: only once nothing of the query is left to be judged. Who
        changes their mind where nothing is left stays too."""
        rows = [row for row in rows if 0 <= row < len(self.round.items)]
        if not rows:
            return
        anew = not any(is_left(self.round.items[row].grade) for row in rows)
        self.round.step(rows)
        for row in rows:
            self._enter(row, grade)
        if grade == Mark.LATER and self.round.offers_later:
            self.round.put_off(rows)
        if self.plan:
            self.plan.tick()
        self.counted.emit()
        is_done = self.round.next_row() is None
        if (is_done and not anew) or not (is_done or stays):
            self.go_on()

    def skip(self, row: int) -> None:
        """Leave an item unjudged for now and go on."""
        if 0 <= row < len(self.round.items):
            self.round.skip(row)
            self.go_on()

    def undo(self) -> None:
        """Take the last step back and show its item again, in whichever query that was."""
        step = self.round.last_step
        if step is None:
            return
        if self.summary is None or step.query_id != self.summary.id:
            self._undoes = True
            self.query_wanted.emit(step.query_id)
            return
        self.round.step_back()
        rows = [(self.round.row_of(item_id), grade) for item_id, grade in step.before]
        for row, grade in rows:
            if row >= 0 and self.round.items[row].grade != grade:
                self._enter(row, grade)
        self.counted.emit()
        if rows[0][0] >= 0:
            self.go(rows[0][0])

    def offer_left(self) -> None:
        """Offer again what was skipped and what is marked to be judged later."""
        self.round.offer_left()
        following = self.following
        if self.round.next_row() is None and following is not None:
            self.query_wanted.emit(following)
        else:
            self.go_on()

    def go(self, row: int) -> None:
        """Turn to one item."""
        if 0 <= row < len(self.round.items):
            self.round.row = row
            self._waits_for_plan = self._idle = False
            self.moved.emit()
            following = self.following
            if self.goes_on and following is not None and len(self.round.open_rows()) <= AHEAD_FROM:
                self.ahead.ask((following, self._depth, self.judge, self.order))

    def go_on(self) -> None:
        """Turn to the next item to be judged, in this query or the next one."""
        row = self.round.next_row()
        if row is not None:
            self.go(row)
            return
        self._waits_for_plan = self.plan is None and self._plan_call is not None
        following = self.following
        if self.goes_on and following is not None:
            self.query_wanted.emit(following)
        else:
            self.counted.emit()
            self._end()

    def _end(self) -> None:
        self._idle = True
        self.ended.emit()

    @property
    def following(self) -> int | None:
        """The query to turn to after this one, None: nothing is left, or it is not known yet what is."""
        return self.plan.next_query(self.round.query_id, self.round) if self.plan else None

    # --- the engine --------------------------------------------------------------------------------------------------

    def _ask_pool(self, summary: QuerySummary) -> None:
        _cancel(self._pool_call)
        judge = self.judge
        if pool := self.ahead.take((summary.id, self._depth, judge, self.order)):
            self._show_pool(pool)
            return

        def done(pool: Pool) -> None:
            if self.summary is summary and self.judge == judge:
                self._show_pool(pool)

        def failed(error: AppError) -> None:
            if self.summary is summary and self.judge == judge:
                self._idle = True
                self.refused.emit(error)

        self._pool_call = self._engine.request(
            "evaluations_pool",
            summary.id,
            depth=self._depth,
            judge=judge,
            order=self.order,
            on_done=done,
            on_failed=failed,
        )

    def _show_pool(self, pool: Pool) -> None:
        self._pool_call = None
        self.scale, self.guidelines = pool.scale, pool.guidelines
        self.round.load(pool.items)
        if self.plan:
            self.plan.see(pool.query_id, self.round.items)
        self.loaded.emit()
        self.counted.emit()
        if self._undoes:
            self._undoes = False
            self.undo()
        elif self.round.items and (self.round.current is None or self._idle):
            self._begin_query()

    def _begin_query(self) -> None:
        """Show the first item to be judged; a query that is done is shown as such, for somebody chose it."""
        row = self.round.next_row()
        if row is not None:
            self.go(row)
        else:
            self._end()

    def _ask_plan(self, summary: QuerySummary) -> None:
        _cancel(self._plan_call)
        judge, order = self.judge, self.order

        def done(progress: JudgingProgress) -> None:
            if self.summary and self.summary.set_id == summary.set_id and (self.judge, self.order) == (judge, order):
                self._plan_call = None
                self.plan = JudgePlan(progress, order)
                if self.round.items:
                    self.plan.see(self.round.query_id, self.round.items)
                self.counted.emit()
                if self._waits_for_plan:
                    self.go_on()
                elif self._idle and self.round.items:
                    self._end()  # what is said may be of the set now

        def failed(_error: AppError) -> None:  # the pool tells of its own failure; one query can be counted alone
            self._plan_call = None

        self._plan_call = self._engine.request(
            "evaluations_progress",
            summary.set_id,
            depth=self._depth,
            judge=judge,
            order=order,
            on_done=done,
            on_failed=failed,
        )
        self._engine.request("evaluations_sets", on_done=self._show_judges, on_failed=lambda _error: None)

    def _show_judges(self, sets: Sequence[QuerySet]) -> None:
        of_set = next((one for one in sets if self.summary and one.id == self.summary.set_id), None)
        if of_set:
            self.judges = tuple(sorted({OWN_JUDGE, self.judge, *of_set.judges}))
            self.judges_changed.emit()

    def _enter(self, row: int, grade: int | None) -> None:
        """Enter a grade, shown at once; it is taken back if the engine refuses it."""
        before = self.round.items[row]
        self._set_grade(row, grade)
        query_id, item_id = self.round.query_id, before.item.item_id

        def failed(error: AppError) -> None:
            row = self.round.row_of(item_id)
            if self.round.query_id == query_id and row >= 0:
                self._set_grade(row, before.grade)
                self.counted.emit()
            self.failed.emit(error)

        self._engine.request(
            "evaluations_judge",
            query_id,
            item_id,
            grade,
            judge=self.judge,
            on_done=self.judged.emit,
            on_failed=failed,
        )

    def _set_grade(self, row: int, grade: int | None) -> None:
        self.round.set_grade(row, grade)
        if self.plan:
            self.plan.see(self.round.query_id, self.round.items)
        self.changed.emit(row)


def _cancel(*calls: Call | None) -> None:
    for call in calls:
        if call:
            call.cancel()
