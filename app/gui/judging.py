"""Judging: one result after another, or all of a query in a grid, with no word of which model found it or where."""

from __future__ import annotations

from pathlib import PurePath

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QStackedWidget, QVBoxLayout, QWidget

from app.engine.errors import AppError
from app.engine.judgingtypes import PoolItem, QuerySummary
from app.engine.types import ItemKind
from app.gui import theme, wording
from app.gui.emptystate import EmptyState
from app.gui.engine import Engine
from app.gui.judgebuttons import JudgeButtons, JudgeKeys, show_keys
from app.gui.judgeend import ending
from app.gui.judgehead import JudgeHead
from app.gui.judgesession import POOL_DEPTH, JudgeSession
from app.gui.judgetools import JudgeTools
from app.gui.listening import Listening
from app.gui.offline import Offline
from app.gui.poolgrid import PoolGrid
from app.gui.poolstrip import PoolStrip
from app.gui.preview import Preview
from app.gui.querylist import MADE_OF, query_icon
from app.gui.thumbnails import ThumbnailStore

MESSAGE, ALONE, GRID = 0, 1, 2
AHEAD = 2
FILM_MS = 6_000
"""So much of a video plays from the moment that is judged."""


class JudgePanel(QWidget):
    """Signals: ``judged`` with the query's new `QuerySummary`; ``query_wanted`` with the ids of the query to turn to
    and of its set; ``failed`` with an `AppError`; ``compare_wanted`` and ``models_wanted`` for the buttons of what is
    said instead of an item."""

    judged = Signal(object)
    query_wanted = Signal(int, int)
    compare_wanted = Signal()
    models_wanted = Signal()
    failed = Signal(object)

    def __init__(self, engine: Engine, thumbnails: ThumbnailStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = JudgeSession(engine, self)
        self._thumbnails = thumbnails
        self._offline = Offline()
        self.head = JudgeHead(engine, self.session)
        self.tools = JudgeTools(engine, self.session)
        self.preview = Preview(engine, thumbnails, FILM_MS)
        self._name = theme.label("", theme.Type.CAPTION)
        self._name.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.grid = PoolGrid(thumbnails)
        self.strip = PoolStrip(thumbnails)
        self.buttons = JudgeButtons()
        self.listening = Listening(
            engine,
            self.preview,
            self.head.face.player,
            lambda: self.tools.plays_sounds,
            lambda: self.tools.plays_films,
            self,
        )
        self._message = EmptyState()
        self._compose()
        self._connect()
        self._show_progress()

    # --- what is shown -----------------------------------------------------------------------------------------------

    @property
    def sentence(self) -> str:
        """What the panel says instead of an item, if anything."""
        return f"{self._message.headline}. {self._message.sentence}" if self._message.isVisible() else ""

    @property
    def question(self) -> str:
        return self.head.question

    @property
    def progress(self) -> str:
        return self.head.progress

    @property
    def current(self) -> PoolItem | None:
        return self.session.current

    def show_query(self, summary: QuerySummary | None, depth: int = POOL_DEPTH) -> None:
        """Judge a query's pool, the first ``depth`` results of every model. The one shown already keeps its place."""
        if summary:
            self.head.show_query(summary)
        self.session.start(summary, depth)

    def seek_work(self) -> None:
        """Turn to the next query with something left where the present one is done."""
        self.session.seek_work()

    def leave_library(self) -> None:
        """Another library is opened: nothing of this one can be judged or undone any more."""
        self.session.leave_library()
        self.preview.leave_library()

    def forget_query(self, query_id: int) -> None:
        """A query that was wanted is not there any more."""
        self.session.forget(query_id)

    def set_offline(self, offline: Offline) -> None:
        """Which files cannot be reached now."""
        self._offline = offline
        self.strip.set_offline(offline)
        self.grid.set_offline(offline)
        self._tell_away()

    def stop(self) -> None:
        """Fall silent."""
        self.listening.stop()

    # --- what a person does ------------------------------------------------------------------------------------------

    def give(self, grade: int) -> None:
        """Give a grade or a mark to the item shown, or to the tiles that are selected."""
        if self._is_judging:
            focused = QApplication.focusWidget()
            if focused is None or not self.isAncestorOf(focused):
                self._take_focus()  # so that arrows move among the results now
            self.session.grade(self.grid.chosen_rows if self._in_grid else [self.session.round.row], grade)

    def skip_item(self) -> None:
        """Leave the item unjudged for now and go on."""
        if self._is_judging:
            self.session.skip(self.session.round.row)

    def undo_last(self) -> None:
        """Take the last step back and show its item again."""
        self.session.undo()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is None or not self.session.items or self._in_grid:
            super().keyPressEvent(event)
        else:
            self.session.go(min(max(self.session.round.row + step, 0), len(self.session.items) - 1))

    def _play(self) -> None:
        if self._in_grid:
            self._play_tile(self.session.round.row)
        else:
            self.preview.player.set_muted(False)
            self.preview.toggle_play()

    def _play_tile(self, row: int) -> None:
        """A sound is heard in its place; a video is shown alone and plays from its moment."""
        item = self.session.items[row].item
        if item.item_kind is ItemKind.AUDIO:
            self.listening.toggle_tile(item)
        elif item.item_kind is ItemKind.FRAME:
            self.listening.play_next()
            self._open_alone(row)

    # --- composition -------------------------------------------------------------------------------------------------

    def _compose(self) -> None:
        alone = QWidget()
        below = QVBoxLayout(alone)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(theme.TINY_PX)
        below.addWidget(self.preview, 1)
        below.addWidget(self._name)
        self._stack = QStackedWidget()
        for page in (self._message, alone, self.grid):
            self._stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SMALL_PX)
        column.addWidget(self.head)
        column.addWidget(self.tools)
        column.addWidget(self._stack, 1)
        column.addWidget(self.buttons)
        column.addWidget(self.strip)

    def _connect(self) -> None:
        session = self.session
        session.waiting.connect(self._show_waiting)
        session.loaded.connect(self._show_pool)
        session.moved.connect(self._show_item)
        session.changed.connect(self._show_verdict)
        session.counted.connect(self._show_progress)
        session.ended.connect(self._finish)
        session.refused.connect(self._say_refused)
        session.ahead.arrived.connect(self._look_ahead)
        session.judged.connect(self.judged)
        session.query_wanted.connect(self.query_wanted)
        session.failed.connect(self.failed)
        self.strip.moved.connect(self._visit)
        self.grid.moved.connect(self._visit)
        self.grid.graded.connect(self._grade_tile)
        self.grid.opened.connect(self._open_alone)
        self.grid.play_wanted.connect(self._play_tile)
        self.listening.tile_changed.connect(self.grid.set_playing)
        self.buttons.chosen.connect(self.give)
        self.buttons.skip_wanted.connect(self.skip_item)
        self.buttons.undo_wanted.connect(self.undo_last)
        self.tools.grid_wanted.connect(self._show_as_grid)
        self.tools.keys_wanted.connect(self._show_keys)
        self.tools.left.connect(self._take_focus)
        self._keys = JudgeKeys(
            self,
            self.buttons,
            {
                "K": self.skip_item,
                "U": self.undo_last,
                "Ctrl+Z": self.undo_last,
                "P": self._play,
                "M": self.tools.sounds.toggle,
                "G": self.tools.grid.toggle,
                "?": self._show_keys,
                "F1": self._show_keys,
            },
        )

    # --- showing -----------------------------------------------------------------------------------------------------

    @property
    def _in_grid(self) -> bool:
        return self._stack.currentIndex() == GRID

    @property
    def _is_judging(self) -> bool:
        return self._stack.currentIndex() != MESSAGE

    def _show_waiting(self) -> None:
        self.stop()
        self.preview.show_hit(None)
        self.strip.show_items([], self.session.scale)
        self.grid.show_items([], self.session.scale)
        if self.session.summary is None:
            self._turn_to(MESSAGE)
        else:
            self._say("search", self.tr("Collecting results"), self.tr("Every model is asked for its first results."))

    def _show_pool(self) -> None:
        self.buttons.set_scale(self.session.scale)
        self.strip.show_items(self.session.items, self.session.scale)
        self.grid.show_items(self.session.items, self.session.scale)
        self.tools.show_kinds({item.item.item_kind for item in self.session.items})
        if not self.session.items:
            self._say_no_answer()
        elif self.session.current:
            self.strip.go(self.session.round.row)
            self.grid.go(self.session.round.row)

    def _show_item(self) -> None:
        """Show the current item, alone or among the others."""
        row = self.session.round.row
        hit = self.session.items[row].item
        self.strip.go(row)
        self.grid.go(row)
        if self.tools.grid.isChecked():
            self._turn_to(GRID)
            return
        self._turn_to(ALONE)
        self._name.setText(" · ".join(filter(None, (PurePath(hit.path).name, wording.place(hit)))))
        self.preview.show_hit(hit)
        self._tell_away()
        self._look_ahead()

    def _look_ahead(self) -> None:
        if self._stack.currentIndex() == ALONE:
            self.preview.prefetch([item.item for item in self.session.upcoming(AHEAD)])

    def _tell_away(self) -> None:
        current = self.current
        away = self._offline.root_of(current.item.path) if current else None
        if away and self._stack.currentIndex() == ALONE:
            self.preview.show_away(away)

    def _show_as_grid(self, as_grid: bool) -> None:
        self.listening.stop()
        if self._is_judging and self.session.current:
            self._show_item()
        if as_grid:
            self.preview.show_hit(None)
        self._show_progress()
        self._take_focus()

    def _visit(self, row: int) -> None:
        self.listening.stop_tile()
        if row >= 0 and (row != self.session.round.row or not self._is_judging):
            if self._in_grid:  # the selection that a person makes stays
                self.session.round.row = row
                self.strip.go(row)
            else:
                self.session.go(row)

    def _grade_tile(self, row: int, grade: int) -> None:
        """A click grades its tile and stays there."""
        self.session.grade([row], grade, stays=True)

    def _open_alone(self, row: int) -> None:
        self.session.round.row = row
        self.tools.grid.setChecked(False)

    def _show_verdict(self, row: int) -> None:
        self.strip.show_item(row, self.session.items[row])
        self.grid.show_item(row, self.session.items[row])

    def _show_progress(self) -> None:
        focused = QApplication.focusWidget()
        self.strip.setVisible(not self._in_grid)
        self.buttons.setVisible(bool(self.session.items))
        self.buttons.set_enabled(self._is_judging, self.session.round.last_step is not None)
        self._keep_focus(focused)

    def _keep_focus(self, focused: QWidget | None) -> None:
        """Where what had it is hidden or disabled now, or Qt would give it to any field, which takes the keys."""
        if focused is None or (focused.isVisible() and focused.isEnabled()):
            return
        if self.isVisible() and self.isAncestorOf(focused):
            self._take_focus()

    def _take_focus(self) -> None:
        """Away from a field that takes the keys that judge."""
        (self.grid if self._in_grid else self.strip).setFocus()

    def _show_keys(self) -> None:
        show_keys(self, self.session.scale)

    # --- what is said instead of an item -----------------------------------------------------------------------------

    def _say(self, icon: str, headline: str, sentence: str, actions: tuple = ()) -> None:  # type: ignore[type-arg]
        self._message.say(icon, headline, sentence, actions)
        self._turn_to(MESSAGE)

    def _turn_to(self, page: int) -> None:
        focused = QApplication.focusWidget()
        self._stack.setCurrentIndex(page)
        self._show_progress()
        self._keep_focus(focused)

    def _say_refused(self, error: AppError) -> None:
        self._say("warning", error.title, error.message, ((self.tr("Try again"), self.session.ask_again),))

    def _say_no_answer(self) -> None:
        summary = self.session.summary
        kind = MADE_OF[query_icon(summary.query)] if summary else ""
        self._say(
            "info",
            self.tr("No model can answer this query"),
            self.tr(
                "None that is ready and has indexed something understands {0}. The Models page says which do."
            ).format(kind),
            ((self.tr("Show the models"), self.models_wanted.emit),),
        )

    def _finish(self) -> None:
        """Nothing is left to be judged now: say what can be done."""
        self.preview.show_hit(None)
        said = ending(self.session, self.compare_wanted.emit)
        self._say(said.icon, said.headline, said.sentence, said.actions)
