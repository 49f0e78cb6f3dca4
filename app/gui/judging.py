"""Judging: one result after another, with no word of which model found it or where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.bridge.client import Call
from app.engine.errors import AppError
from app.engine.evaltypes import Pool, PoolItem, QuerySummary
from app.engine.types import ItemKind
from app.gui import icons, theme, wording
from app.gui.emptystate import EmptyState
from app.gui.engine import Engine
from app.gui.poolround import PoolRound
from app.gui.poolstrip import PoolStrip
from app.gui.preview import Preview
from app.gui.queryface import QueryFace
from app.gui.testqueries import MADE_OF, query_icon
from app.gui.thumbnails import ThumbnailStore

RELEVANT, NOT_RELEVANT = 1, 0
POOL_DEPTH = 10


class JudgePanel(QWidget):
    """Signals: ``judged`` with the query's new `QuerySummary`; ``failed`` with an `AppError`; ``compare_wanted`` and
    ``models_wanted`` for the buttons of what is said instead of an item."""

    judged = Signal(object)
    compare_wanted = Signal()
    models_wanted = Signal()
    failed = Signal(object)

    def __init__(self, engine: Engine, thumbnails: ThumbnailStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._summary: QuerySummary | None = None
        self._call: Call | None = None
        self._depth = POOL_DEPTH
        self._round = PoolRound()
        self._plays_sounds = False
        self.face = QueryFace(engine)
        self._question = theme.label("", theme.Type.HEADING)
        self._count = theme.label("", theme.Type.CAPTION)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setMaximumWidth(160)
        self.preview = Preview(engine, thumbnails)
        self.preview.described.connect(self._play_along)
        self.preview.playing_changed.connect(self._hear_item)
        self.face.player.playing_changed.connect(self._hear_query)
        self._name = theme.label("", theme.Type.CAPTION)
        self._name.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._message = EmptyState()
        self.strip = PoolStrip(thumbnails)
        self.strip.moved.connect(self._visit)
        self.relevant = self._button("check", self.tr("Relevant"), "F", self.mark_relevant)
        self.not_relevant = self._button("cross", self.tr("Not relevant"), "J", self.mark_not_relevant)
        self.skip = self._button("skip", self.tr("Skip"), "S", self.skip_item)
        self.undo = self._button("undo", self.tr("Undo"), "U", self.undo_last)
        self._compose()
        self._connect_keys()

    @property
    def sentence(self) -> str:
        """What the panel says instead of an item, if anything."""
        return f"{self._message.headline}. {self._message.sentence}" if self._message.isVisible() else ""

    @property
    def question(self) -> str:
        return self._question.text()

    @property
    def progress(self) -> str:
        return self._count.text()

    @property
    def current(self) -> PoolItem | None:
        return self._round.current

    def show_query(self, summary: QuerySummary | None, depth: int = POOL_DEPTH) -> None:
        """Judge a query's pool, the first ``depth`` results of every model. The one shown already keeps its place."""
        same = self._summary is not None and summary is not None and self._summary.id == summary.id
        self._summary, self._depth = summary, depth
        if self._call:
            self._call.cancel()
            self._call = None
        if not same:
            self.stop()
            self._round = PoolRound()
            self.strip.show_items([])
            self._show_progress()
        if summary is None:
            return
        self.face.show_query(summary)
        self._question.setText(self.tr("Is this a good answer to: “{0}”?").format(summary.title))
        if not self._round.items:
            self._say("search", self.tr("Collecting results"), self.tr("Every model is asked for its first results."))
        self._ask(summary)

    def stop(self) -> None:
        """Fall silent."""
        self.preview.stop()
        self.face.stop()

    # --- what a person does ------------------------------------------------------------------------------------------

    def mark_relevant(self) -> None:
        self._grade(RELEVANT)

    def mark_not_relevant(self) -> None:
        self._grade(NOT_RELEVANT)

    def skip_item(self) -> None:
        """Leave the item unjudged for now and go on."""
        if self._judging:
            self._round.step(skipped=True)
            self._go_on()

    def undo_last(self) -> None:
        """Take the last step back and show its item again."""
        step = self._round.step_back()
        if step is None:
            return
        row, grade = step
        if row >= 0:
            if self._round.items[row].grade != grade:
                self._enter(row, grade)
            self._go(row)

    def judge_skipped(self) -> None:
        """Offer again what was skipped."""
        self._round.offer_skipped()
        self._go_on()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is None or not self._round.items:
            super().keyPressEvent(event)
        else:
            self._go(min(max(self._round.row + step, 0), len(self._round.items) - 1))

    # --- composition -------------------------------------------------------------------------------------------------

    def _compose(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(theme.TINY_PX)
        words.addWidget(self._question)
        blind = theme.label(
            self.tr("Which model found it, and at which rank, is hidden on purpose, so that your judgment is fair."),
            theme.Type.CAPTION,
        )
        blind.setWordWrap(True)
        words.addWidget(blind)
        counts = QVBoxLayout()
        counts.setSpacing(theme.TINY_PX)
        counts.addWidget(self._count, 0, Qt.AlignmentFlag.AlignRight)
        counts.addWidget(self._bar)
        head = QHBoxLayout()
        head.setSpacing(theme.MEDIUM_PX)
        head.addWidget(self.face)
        head.addLayout(words, 1)
        head.addLayout(counts)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.SMALL_PX)
        for button, stretch in ((self.relevant, 3), (self.not_relevant, 3), (self.skip, 2), (self.undo, 2)):
            buttons.addWidget(button, stretch)
        item = QWidget()
        below = QVBoxLayout(item)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(theme.SMALL_PX)
        below.addWidget(self.preview, 1)
        below.addWidget(self._name)
        below.addLayout(buttons)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._message)
        self._stack.addWidget(item)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.MEDIUM_PX)
        column.addLayout(head)
        column.addWidget(self._stack, 1)
        column.addWidget(self.strip)

    def _button(self, icon: str, words: str, key: str, action: Callable[[], None]) -> QPushButton:
        made = QPushButton(icons.icon(icon), self.tr("{0}  ({1})").format(words, key))
        made.setAccessibleName(words)
        made.clicked.connect(action)
        return made

    def _connect_keys(self) -> None:
        # Keys of the whole window, so that they work right after a query was chosen in the list; a shortcut of a
        # hidden panel does nothing, and a text field with the focus takes letters and Ctrl+Z for itself.
        for keys, action in (
            (("F",), self.mark_relevant),
            (("J",), self.mark_not_relevant),
            (("S",), self.skip_item),
            (("U", "Ctrl+Z"), self.undo_last),
            (("P",), self.preview.toggle_play),
            (("Space",), self._space),
        ):
            for key in keys:
                QShortcut(QKeySequence(key), self).activated.connect(action)

    def _space(self) -> None:
        """Skip; but the space bar presses the button that has the focus, as everywhere."""
        focused = QApplication.focusWidget()
        if isinstance(focused, QAbstractButton):
            focused.animateClick()
        else:
            self.skip_item()

    # --- the pool ----------------------------------------------------------------------------------------------------

    def _ask(self, summary: QuerySummary) -> None:
        def done(pool: Pool) -> None:
            if self._summary is summary:
                self._show_pool(pool)

        def failed(error: AppError) -> None:
            if self._summary is summary:
                self._say("warning", error.title, error.message, ((self.tr("Try again"), self._ask_again),))

        self._call = self._engine.request(
            "evaluations_pool", summary.id, depth=self._depth, on_done=done, on_failed=failed
        )

    def _ask_again(self) -> None:
        self.show_query(self._summary, self._depth)

    def _show_pool(self, pool: Pool) -> None:
        self._call = None
        self._round.load(pool.items)
        self.strip.show_items(self._round.items)
        self._show_progress()
        if not self._round.items:
            self._say_no_answer()
        elif self._round.current:
            self.strip.go(self._round.row)
        else:
            self._go_on()

    def _say_no_answer(self) -> None:
        kind = MADE_OF[query_icon(self._summary.query)] if self._summary else ""
        self._say(
            "info",
            self.tr("No model can answer this query"),
            self.tr(
                "None that is ready and has indexed something understands {0}. The Models page says which do."
            ).format(kind),
            ((self.tr("Show the models"), self.models_wanted.emit),),
        )

    @property
    def _judging(self) -> bool:
        return self._stack.currentIndex() == 1

    def _visit(self, row: int) -> None:
        if row != self._round.row or not self._judging:
            self._go(row)

    def _go(self, row: int) -> None:
        """Show one item."""
        if not 0 <= row < len(self._round.items):
            return
        self._round.row = row
        self.strip.go(row)
        self._stack.setCurrentIndex(1)
        hit = self._round.items[row].item
        self._name.setText(" · ".join(filter(None, (PurePath(hit.path).name, wording.place(hit)))))
        self.preview.show_hit(hit)
        self._show_progress()

    def _go_on(self) -> None:
        """Show the next item that is neither judged nor skipped, or say that all is done."""
        row = self._round.next_row()
        if row is not None:
            self._go(row)
        else:
            self._show_progress()
            self._finish()

    def _finish(self) -> None:
        self.preview.show_hit(None)
        count = len(self._round.items)
        left = count - self._round.judged
        compare = (self.tr("Compare the models"), self.compare_wanted.emit)
        if not left:
            headline = self.tr("All {0} results are judged").format(count)
            sentence = self.tr("See which model found the best ones. Choose one below to change your mind.")
            self._say("check", headline, sentence, (compare,))
        else:
            skipped = wording.count(left, "result was", "results were")
            headline = self.tr("{0} skipped").format(skipped)
            sentence = self.tr("What is not judged counts as not relevant when the models are compared.")
            self._say("skip", headline, sentence, ((self.tr("Judge what was skipped"), self.judge_skipped), compare))

    def _grade(self, grade: int) -> None:
        if self._judging:
            self._round.step(skipped=False)
            self._enter(self._round.row, grade)
            self._go_on()

    def _enter(self, row: int, grade: int | None) -> None:
        """Enter a grade, shown at once; it is taken back if the engine refuses it."""
        if self._summary is None:
            return
        before = self._round.items[row]
        self._set_grade(row, grade)
        query_id, item_id = self._summary.id, before.item.item_id

        def failed(error: AppError) -> None:
            row = self._round.row_of(item_id)
            if self._summary and self._summary.id == query_id and row >= 0:
                self._set_grade(row, before.grade)
            self.failed.emit(error)

        self._engine.request("evaluations_judge", query_id, item_id, grade, on_done=self.judged.emit, on_failed=failed)

    def _set_grade(self, row: int, grade: int | None) -> None:
        self._round.set_grade(row, grade)
        self.strip.show_item(row, self._round.items[row])
        self._show_progress()

    # --- showing -----------------------------------------------------------------------------------------------------

    def _show_progress(self) -> None:
        judged, count = self._round.judged, len(self._round.items)
        self._count.setText(self.tr("{0} of {1} judged").format(judged, count))
        for widget in (self._count, self._bar, self.strip):
            widget.setVisible(count > 0)
        self._bar.setRange(0, max(1, count))
        self._bar.setValue(judged)
        self.undo.setEnabled(self._round.can_undo)

    def _say(
        self, icon: str, headline: str, sentence: str, actions: tuple[tuple[str, Callable[[], None]], ...] = ()
    ) -> None:
        self._message.say(icon, headline, sentence, actions)
        self._stack.setCurrentIndex(0)

    def _play_along(self) -> None:
        """Once a person has played one sound, the next ones play by themselves: each must be heard to be judged."""
        item = self.current
        if self._plays_sounds and item and item.item.item_kind is ItemKind.AUDIO and self.preview.isVisible():
            self.preview.toggle_play()

    def _hear_item(self, playing: bool) -> None:
        if playing:
            self._plays_sounds = True
            self.face.stop()

    def _hear_query(self, playing: bool) -> None:
        if playing:
            self.preview.player.pause()
