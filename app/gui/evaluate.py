"""The Evaluate page: keep test queries, judge their results blind, and read which model finds them best."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from app.engine.judgingtypes import QuerySummary
from app.engine.librarytypes import LibraryStatus
from app.engine.types import Query
from app.gui import icons, theme
from app.gui.banner import Banner
from app.gui.comparing import ComparePanel
from app.gui.emptystate import EmptyState
from app.gui.engine import Engine
from app.gui.judgesession import POOL_DEPTH
from app.gui.judging import JudgePanel
from app.gui.offline import Offline
from app.gui.reporting import ReportActions
from app.gui.robustness import RobustnessPanel
from app.gui.testqueries import QueryColumn
from app.gui.thumbnails import ThumbnailStore

JUDGE, RESULTS, ROBUSTNESS = range(3)
"""The views, in the order of their buttons."""
COLUMN_PX = 230


class EvaluatePage(QWidget):
    """Puts the column of queries beside the views of them. Signals: ``item_opened`` with a `Hit`; ``models_wanted``
    when a query needs another model; ``add_folder_wanted`` when there is nothing yet to find."""

    item_opened = Signal(object)
    add_folder_wanted = Signal()
    models_wanted = Signal()

    def __init__(self, engine: Engine, thumbnails: ThumbnailStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self.banner = Banner()
        self.queries = QueryColumn(engine)
        self.queries.setFixedWidth(max(COLUMN_PX, self.queries.minimumSizeHint().width()))  # of larger letters
        self.judging = JudgePanel(engine, thumbnails)
        self.comparing = ComparePanel(engine, thumbnails)
        self.robustness = RobustnessPanel(engine)
        self.reports = ReportActions(
            engine, lambda: self.comparing.request, lambda: self.queries.current_set, self.robustness.result_of, self
        )
        self._empty = EmptyState()
        self._switch = QButtonGroup(self)
        self._buttons = QHBoxLayout()
        self._views = QStackedWidget()
        self._showers: list[Callable[[QuerySummary], None]] = []
        self._stack = QStackedWidget()
        self._has_items = True
        self._deeper: tuple[int, int] = (0, POOL_DEPTH)
        """A set that is judged deeper than usual, and how deep."""
        self._compose()
        self._connect()
        self._say_empty()

    def leave_library(self) -> None:
        """Another library is opened, whose sets, queries and items may have the same ids: nothing of this one is kept,
        and until `enter_library` nothing can be judged."""
        self.setEnabled(False)
        self._deeper = (0, POOL_DEPTH)
        self.banner.hide()
        self.judging.leave_library()
        self.queries.leave_library()
        self.comparing.clear()
        self.robustness.clear()

    def enter_library(self) -> None:
        """The library is open."""
        self.setEnabled(True)
        self.refresh()

    def refresh(self) -> None:
        """The library's contents or its models may have changed."""
        if not self.isEnabled():
            return
        self._forget()
        self._engine.request("models", on_done=self.queries.set_models, on_failed=self.banner.show_error)
        self.queries.reload()

    def use_query(self, query: Query, title: str) -> None:
        """Keep a query from the search page and judge its results."""
        self.show_view(JUDGE)
        self.queries.add(query, title)

    def show_view(self, view: int) -> None:
        """Show `JUDGE`, `RESULTS` or `ROBUSTNESS`."""
        if view != JUDGE:
            self.judging.stop()
        with QSignalBlocker(self._switch):
            self._switch.button(view).setChecked(True)
        self._views.setCurrentIndex(view)
        if not self._count():
            self._show_query()

    def set_library(self, status: LibraryStatus) -> None:
        """What the library holds now."""
        self._has_items = any(status.items.values())
        if self._stack.currentIndex() == 0:
            self._say_empty()

    def set_offline(self, offline: Offline) -> None:
        """Which files cannot be reached now."""
        self.judging.set_offline(offline)
        self.comparing.set_offline(offline)

    def stop(self) -> None:
        """Fall silent, because another page is shown."""
        self.judging.stop()

    def showEvent(self, event: QShowEvent) -> None:
        self.queries.list.setFocus()  # and not the text field, which would take the keys that judge
        super().showEvent(event)

    def _compose(self) -> None:
        self._add_view("check", self.tr("Judge"), self.judging, self._show_judging)
        self._add_view("compare", self.tr("Results"), self.comparing, self._show_results)
        self._add_view("refresh", self.tr("Robustness"), self.robustness, self._show_robustness)
        self.comparing.report_buttons.addWidget(self.reports.button)
        QWidget.setTabOrder(self.comparing.bar.judge, self.reports.button)
        self._switch.button(JUDGE).setChecked(True)
        switch = QHBoxLayout()
        self._buttons.setSpacing(theme.TINY_PX)
        switch.addLayout(self._buttons)
        switch.addStretch()
        work = QWidget()
        below = QVBoxLayout(work)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(theme.MEDIUM_PX)
        below.addLayout(switch)
        below.addWidget(self._views, 1)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(work)
        right = QVBoxLayout()
        right.setContentsMargins(theme.SMALL_PX, theme.MEDIUM_PX, theme.LARGE_PX, theme.MEDIUM_PX)
        right.addWidget(self.banner)
        right.addWidget(self.queries.work)
        right.addWidget(self.reports.line)
        right.addWidget(self._stack, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.queries)
        row.addLayout(right, 1)

    def _add_view(self, icon: str, words: str, view: QWidget, show: Callable[[QuerySummary], None]) -> None:
        """One more view with its button. ``show`` lets it show a query, or the set that the query is of."""
        button = QPushButton(icons.icon(icon), words)
        button.setCheckable(True)
        theme.set_role(button, "quiet")
        self._switch.addButton(button, len(self._showers))
        self._buttons.addWidget(button)
        self._views.addWidget(view)
        self._showers.append(show)

    def _connect(self) -> None:
        self._switch.idToggled.connect(self._turned)  # by assistive programs without a click
        self.queries.chosen.connect(self._choose)
        self.queries.told.connect(self.banner.tell)
        self.queries.judgments_came.connect(self._read_results)
        self.judging.judged.connect(self._take_judgment)
        self.judging.query_wanted.connect(self._turn_to)
        self.judging.session.judges_changed.connect(self._count)
        self.judging.compare_wanted.connect(self._compare)
        self.comparing.judge_wanted.connect(self._judge_deeper)
        self.robustness.judge_wanted.connect(self._judge_deeper)
        self.comparing.opened.connect(self.item_opened)
        for view in (self.judging, self.comparing, self.robustness):
            view.models_wanted.connect(self.models_wanted)
        for part in (self.queries, self.judging, self.comparing, self.robustness, self.reports):
            part.failed.connect(self.banner.show_error)

    def _say_empty(self) -> None:
        self._stack.setCurrentIndex(0)
        headline = self.tr("Which model is best on your own files?")
        if not self._has_items:
            sentence = self.tr("Add a folder of photos, videos or sounds first: queries are answered from them.")
            self._empty.say("compare", headline, sentence, ((self.tr("Add a folder…"), self.add_folder_wanted.emit),))
            return
        self._empty.say(
            "compare",
            headline,
            self.tr(
                "Keep a few queries you care about, say which results are right, and read how well each model finds "
                "them. Type a query on the left, press “Judge these results” after any search, or drop pictures and "
                "sounds here. A folder with one folder per class, or a list of captions, brings its judgments with it."
            ),
            (
                (self.tr("Type a query"), self.queries.words.setFocus),
                (self.tr("Choose a picture or a sound…"), self.queries.choose_file),
                (self.tr("Import a folder of classes…"), self.queries.actions_.choose_folder),
            ),
        )

    def _turned(self, view: int, is_on: bool) -> None:
        if is_on:
            self.show_view(view)

    def _choose(self, summary: QuerySummary | None) -> None:
        if summary is None:
            self.judging.show_query(None)
            self._say_empty()
            return
        self._stack.setCurrentIndex(1)
        self._show_query()

    def _count(self) -> bool:
        """Who judges sees their own counts and no other person's; results are of all. Whether the list is asked for."""
        judging = self._views.currentIndex() == JUDGE
        return self.queries.count_for(self.judging.session.judge if judging else None)

    def _turn_to(self, query_id: int, set_id: int) -> None:
        """Judging goes on with another query, or back to one, perhaps of another set."""
        queries = self.queries
        if queries.list.turn_to(query_id):
            return
        here = queries.current_set.id if queries.current_set else 0
        if set_id != here and set_id in [one.id for one in queries.sets.sets]:
            queries.turn_to(set_id, select=query_id)
        else:
            self.judging.forget_query(query_id)

    def _show_query(self) -> None:
        """Let the visible view show the current query; the others ask when they are turned to."""
        summary = self.queries.current
        if summary is not None:
            self._showers[self._views.currentIndex()](summary)

    def _show_judging(self, summary: QuerySummary) -> None:
        set_id, depth = self._deeper
        self.judging.show_query(summary, depth if set_id == summary.set_id else POOL_DEPTH)

    def _show_results(self, summary: QuerySummary) -> None:
        self.comparing.show_set(self.queries.current_set)
        self.comparing.set_queries(self.queries.summaries, summary)
        self.comparing.show_answer()

    def _show_robustness(self, summary: QuerySummary) -> None:
        self.robustness.show_set(self.queries.current_set)
        self.robustness.set_queries(self.queries.summaries, summary)

    def _forget(self) -> None:
        """What was measured may no longer be so."""
        self.comparing.forget()
        self.robustness.forget()

    def _take_judgment(self, summary: QuerySummary) -> None:
        self._forget()
        if self.queries.judge == self.judging.session.judge:
            self.queries.update_summary(summary)

    def _compare(self) -> None:
        self.show_view(RESULTS)

    def _read_results(self) -> None:
        """What an import brought is judged: it is read, and judged again by who wants to."""
        if self._views.currentIndex() != RESULTS:
            self.show_view(RESULTS)

    def _judge_deeper(self, k: int) -> None:
        current = self.queries.current_set
        self._deeper = (current.id if current else 0, max(POOL_DEPTH, k))
        self.show_view(JUDGE)
        self.judging.seek_work()
