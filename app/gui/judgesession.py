"""A sitting of judging without its widgets: pools asked for, grades entered, and what comes next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from app.engine.errors import AppError
from app.engine.judgingtypes import (
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
from app.gui.judgeasking import JudgeAsking
from app.gui.judgeplan import JudgePlan
from app.gui.poolround import PoolRound

POOL_DEPTH = 10
AHEAD_FROM = 3
"""The next query's pool is asked for when no more than so many results are left of the present one."""


class JudgeSession(QObject):
    """Signals: ``waiting`` while another query's pool is on its way; ``loaded`` with every pool; ``moved`` when another
    item is to be shown; ``changed`` with the row of a new verdict; ``counted`` when progress has changed; ``ended``
    when nothing is left to be judged now; ``refused`` with the `AppError` of a pool; ``judges_changed``.

    ``judged`` carries a query's new `QuerySummary`, as the present judge has judged it; ``query_wanted`` the ids of the
    query to turn to and of its set, ``failed`` the `AppError` of a judgment that was not entered.
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
    query_wanted = Signal(int, int)
    failed = Signal(object)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.summary: QuerySummary | None = None
        self.round = PoolRound()
        self.plan: JudgePlan | None = None
        self.scale = Scale.BINARY
        self.guidelines = ""
        self.judge = OWN_JUDGE
        self.judges: tuple[str, ...] = ()
        """Who may be chosen to judge."""
        self.judged_by: tuple[str, ...] = ()
        """Who has judged something of the set."""
        self.order = JudgingOrder.SHUFFLED
        self.goes_on = True
        self._depth = POOL_DEPTH
        self._asking = JudgeAsking(engine, self)
        self.ahead = self._asking.ahead
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
        following = filter(self.round.is_left, self.ahead.pool.items if self.ahead.pool else ())
        return [*(self.round.items[row] for row in rows), *following][:count]

    # --- which query, for whom, in which order -----------------------------------------------------------------------

    def start(self, summary: QuerySummary | None, depth: int = POOL_DEPTH) -> None:
        """Judge a query's pool, the first ``depth`` results of every model. The one shown already keeps its place."""
        before = self.summary
        same_set = before is not None and summary is not None and before.set_id == summary.set_id
        deeper = depth > self._depth
        self._depth = max(depth, self._depth) if same_set else depth  # a set is judged as deep as was once asked for
        self.summary = summary
        if not same_set:
            self.plan = None
        if before is None or summary is None or before.id != summary.id:
            self._waits_for_plan = False
            self._undoes = self._undoes and summary is not None
            self.round.begin(summary.id if summary else 0, summary.set_id if summary else 0)
            self.waiting.emit()
        else:
            self.ahead.drop()  # what the library holds may have changed
        if summary is None:
            self._asking.stop()
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

    def seek_work(self) -> None:
        """Turn to the next query with something left where the present one is done, once that is known."""
        self._waits_for_plan = self.current is None or not self.round.is_left(self.current)

    def leave_library(self) -> None:
        """Another library is opened: the same ids name other queries and items there."""
        self.round = PoolRound()
        self.judges = self.judged_by = ()
        self._undoes = False
        self.start(None)
        self.judges_changed.emit()

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
        anew = not any(self.round.is_left(self.round.items[row]) for row in rows)
        self.round.step(rows)
        self._enter(rows, grade)
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
            self.query_wanted.emit(step.query_id, step.set_id)
            return
        self.round.step_back()
        changed: dict[int | None, list[int]] = defaultdict(list)
        rows = [self.round.row_of(item_id) for item_id, _ in step.before]
        for row, (_, grade) in zip(rows, step.before, strict=True):
            if row >= 0 and self.round.items[row].grade != grade:
                changed[grade].append(row)
        for grade, of_grade in changed.items():
            self._enter(of_grade, grade)
        self.counted.emit()
        if rows[0] >= 0:
            self.go(rows[0])

    def offer_left(self) -> None:
        """Offer again what was skipped and what is marked to be judged later."""
        self.round.offer_left()
        self._begin_again()

    def offer_imported(self) -> None:
        """Offer what folders or captions have judged."""
        self.round.offer_imported()
        self.counted.emit()
        self._begin_again()

    def _begin_again(self) -> None:
        if self.round.next_row() is not None or not self.turn_on():
            self.go_on()

    def turn_on(self) -> bool:
        """Turn to the next query with something to judge; False: there is none."""
        following = self.following
        if following is None or self.summary is None:
            return False
        self.query_wanted.emit(following, self.summary.set_id)
        return True

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
        self._waits_for_plan = self.plan is None and self._asking.awaits_progress
        if not (self.goes_on and self.turn_on()):
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
        self.round.expect()
        self._asking.pool((summary.id, self._depth, self.judge, self.order), self._show_pool, self._refuse)

    def _refuse(self, error: AppError) -> None:
        self._idle = True
        self.refused.emit(error)

    def _show_pool(self, pool: Pool) -> None:
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
        order, round_ = self.order, self.round

        def done(progress: JudgingProgress) -> None:
            self._take_plan(JudgePlan(progress, order))

        def listed(sets: Sequence[QuerySet]) -> None:
            if self.round is round_:  # else another judges now, or in another library
                self._show_judges(sets)

        self._asking.progress(summary.set_id, self._depth, self.judge, order, done)
        self._asking.sets(listed)

    def _take_plan(self, plan: JudgePlan) -> None:
        self.plan = plan
        if self.round.items:
            plan.see(self.round.query_id, self.round.items)
        self.counted.emit()
        if self._waits_for_plan:
            self._waits_for_plan = False
            self.go_on()
        elif self._idle and self.round.items:
            self._end()  # what is said may be of the set now

    def _show_judges(self, sets: Sequence[QuerySet]) -> None:
        of_set = next((one for one in sets if self.summary and one.id == self.summary.set_id), None)
        if of_set:
            self.judged_by = of_set.judges
            self.judges = tuple(sorted({OWN_JUDGE, self.judge, *of_set.judges}))
            self.judges_changed.emit()

    def _enter(self, rows: Sequence[int], grade: int | None) -> None:
        """Enter a grade of items, shown at once; it is taken back if the engine refuses it."""
        round_, query_id = self.round, self.round.query_id
        before = [round_.items[row] for row in rows]
        for row in rows:
            self._set_grade(row, grade)

        def done(summary: QuerySummary) -> None:
            if self.round is round_:
                self.judged.emit(summary)

        def failed(error: AppError) -> None:
            if self.round is round_ and round_.query_id == query_id:
                for item in before:
                    row = round_.row_of(item.item.item_id)
                    if row >= 0 and round_.items[row].grade == grade:
                        self._set_grade(row, item.grade)
                self.counted.emit()
            self.failed.emit(error)

        item_ids = tuple(item.item.item_id for item in before)
        self._asking.enter(query_id, item_ids, grade, self.judge, done, failed)

    def _set_grade(self, row: int, grade: int | None) -> None:
        self.round.set_grade(row, grade)
        if self.plan:
            self.plan.see(self.round.query_id, self.round.items)
        self.changed.emit(row)
