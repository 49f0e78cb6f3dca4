"""The page that searches: the query, its filters, and the results as they come."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePath

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from app.bridge.client import Call
from app.engine.errors import AppError, EngineDied, NothingToCompare
from app.engine.librarytypes import LibraryStatus
from app.engine.modeltypes import ModelStatus
from app.engine.types import Hit, Modality, Query, QueryPart, SearchReply, SearchRequest
from app.gui import icons, intake, theme, wording
from app.gui.engine import Engine
from app.gui.filters import FilterBar
from app.gui.grid import ResultGrid
from app.gui.offline import Offline
from app.gui.querybar import QueryBar
from app.gui.results import Results
from app.gui.searchstates import Actions, SearchStates
from app.gui.thumbnails import ThumbnailStore

TYPING_PAUSE_MS = 250
FIRST_K = 100
K_GROWTH = 4
K_MAX = 102_400
"""Scrolling to the end asks for more: 100, 400, 1600, 6400 hits."""


class SearchPage(QWidget):
    """Asks as the user types and drops every answer but the newest one's.

    Signals: ``hit_chosen`` with the current `Hit` or None, ``hit_opened`` with the one that was opened, ``play_wanted``
    for the space bar; ``judge_wanted`` and ``keep_wanted`` with the query and a title for it; ``add_folder_wanted``,
    ``sample_wanted``, ``models_wanted`` for the buttons of the empty states.
    """

    hit_chosen = Signal(object)
    hit_opened = Signal(object)
    play_wanted = Signal()
    judge_wanted = Signal(object, str)
    keep_wanted = Signal(object, str)
    add_folder_wanted = Signal()
    sample_wanted = Signal()
    models_wanted = Signal()

    def __init__(
        self,
        engine: Engine,
        thumbnails: ThumbnailStore,
        pasted_dir: Path,
        thumbnail_px: int = 180,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._status: LibraryStatus | None = None
        self._models: tuple[ModelStatus, ...] = ()
        self._indexing = False
        self._call: Call | None = None
        self._generation = 0
        self._k = FIRST_K
        self._keeps_place = False
        self._answered: Query | None = None
        self.bar = QueryBar(engine, pasted_dir)
        self.filters = FilterBar()
        self.grid = ResultGrid(thumbnails, thumbnail_px)
        self.states = SearchStates()
        """What is said where there are no results."""
        self._header = theme.label("", theme.Type.CAPTION)
        self._note = theme.label("", theme.Type.CAPTION)
        self._note.setWordWrap(True)
        self._judge = QPushButton(icons.icon("check"), self.tr("Judge these results"))
        self._judge.setToolTip(self.tr("Say which results are right, to measure which model finds them best"))
        self._keep = QPushButton(icons.icon("plus"), self.tr("Keep as test query"))
        self._keep.setToolTip(self.tr("Judge its results later, on the Evaluate page"))
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(TYPING_PAUSE_MS)
        self._compose()
        self._connect()
        self.show_opening()

    def _compose(self) -> None:
        self._header.setWordWrap(True)
        self._heading = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._heading.addWidget(self._header, 1)
        self._uses = QHBoxLayout()
        self._uses.addWidget(self._keep)
        self._uses.addWidget(self._judge)
        self._heading.addLayout(self._uses)
        self._results = QWidget()
        below = QVBoxLayout(self._results)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(theme.TINY_PX)
        below.addLayout(self._heading)
        below.addWidget(self._note)
        below.addWidget(self.grid, 1)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.states)
        self._stack.addWidget(self._results)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.LARGE_PX, theme.MEDIUM_PX, theme.LARGE_PX, 0)
        column.setSpacing(theme.SMALL_PX)
        column.addWidget(self.bar)
        column.addWidget(self.filters)
        column.addWidget(self._stack, 1)

    def _connect(self) -> None:
        self._typing.timeout.connect(self.search)
        self.bar.typed.connect(self._typing.start)
        self.bar.submitted.connect(self.search)
        self.filters.changed.connect(self.search)
        self.grid.current_changed.connect(self.hit_chosen)
        self.grid.activated.connect(self.hit_opened)
        self.grid.play_wanted.connect(self.play_wanted)
        self.grid.search_like.connect(self.search_like)
        self.grid.more_like.connect(self._more_like)
        self.grid.less_like.connect(self._less_like)
        self.grid.end_near.connect(self._want_more)
        self._judge.clicked.connect(self._judge_these)
        self.states.add_folder_wanted.connect(self.add_folder_wanted)
        self.states.sample_wanted.connect(self.sample_wanted)
        self.states.models_wanted.connect(self.models_wanted)
        self.states.picture_wanted.connect(self.bar.choose_picture)
        self.states.sound_wanted.connect(self.bar.choose_sound)
        self.states.unfiltered_wanted.connect(self.filters.reset)
        self.states.unsure_wanted.connect(self.filters.show_unsure)
        self._keep.clicked.connect(self._keep_this)

    # --- what the window tells ---------------------------------------------------------------------------------------

    def set_library(self, status: LibraryStatus) -> None:
        """Show another library, or the same one with other contents."""
        changed_place = self._status is None or self._status.folder != status.folder
        self._status = status
        self.filters.set_library(status)
        self.grid.set_offline(Offline.among(status.roots))
        self.filters.show_models_for(self.bar.query())
        if changed_place:
            self._answered = None
            self.search()
        elif self._answered is None and self._call is None:
            self.search()

    def refresh(self) -> None:
        """Ask again: the library's contents have changed."""
        if self._status and self.bar.query():
            self._ask(keep_place=True)

    def set_indexing(self, indexing: bool) -> None:
        self._indexing = indexing
        if self._answered is None and self._call is None:
            self.search()

    def set_models(self, models: tuple[ModelStatus, ...]) -> None:
        self._models = models
        self.filters.set_models(models)
        self.filters.show_models_for(self.bar.query())

    def show_opening(self, awaited: bool = False) -> None:
        """The engine is starting, or another library is being opened; ``awaited``: by files to search by."""
        self._status = None
        self.states.say_opening(awaited)
        self._hide_results()

    def show_problem(self, error: AppError, actions: Actions) -> None:
        """The library could not be opened."""
        self._status = None
        self.states.say_problem(error, actions)
        self._hide_results()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange_heading()

    def search_like(self, hit: Hit) -> None:
        """Search by a hit alone."""
        self.search_by((intake.from_hit(hit),))

    def search_by(self, parts: tuple[QueryPart, ...]) -> None:
        """Search by these pictures or this sound in place of the query there was."""
        self.bar.set_query(Query(parts))

    # --- asking ------------------------------------------------------------------------------------------------------

    def search(self) -> None:
        """Ask at once for what the query bar and the filters say."""
        self._k = FIRST_K
        self._ask(keep_place=False)

    def _ask(self, keep_place: bool) -> None:
        self._typing.stop()
        self._generation += 1
        if self._call:
            keep_place = keep_place and self._keeps_place  # another query's results are on their way
            self._call.cancel()
            self._call = None
        self._keeps_place = keep_place
        query = self.bar.query()
        self.filters.show_models_for(query)
        if self._status is None:  # asked again as soon as the library is open
            return
        if query is None or not (self._status.roots or self._indexing):
            self._show_idle()
            return
        self._header.setText(self.tr("Searching…"))
        request = SearchRequest(
            query,
            self.filters.model,
            self._k,
            self.filters.filters(),
            generation=self._generation,
            min_precision=self.filters.min_precision,
        )

        def prepare(reply: SearchReply) -> tuple[SearchReply, Results]:
            return replace(reply, hits=()), Results(comparable(reply))

        def done(answer: tuple[SearchReply, Results]) -> None:
            self._show_reply(query, *answer, keep_place)

        def failed(error: AppError) -> None:
            if request.generation == self._generation and not isinstance(error, EngineDied):
                self._call = None
                self._show_failure(query, error)

        self._call = self._engine.request("search", request, on_done=done, on_failed=failed, prepare=prepare)

    def _want_more(self) -> None:
        """The end of the list is in sight: ask for more, if the last answer was full."""
        if self._call is None and self._k < K_MAX and self.grid.results.hits >= self._k:
            self._k *= K_GROWTH
            self._ask(keep_place=True)

    # --- showing -----------------------------------------------------------------------------------------------------

    def _show_reply(self, query: Query, reply: SearchReply, results: Results, keep_place: bool) -> None:
        """Show the ``results`` of a reply whose own list of hits was put into them."""
        if reply.generation != self._generation:
            return
        self._call = None
        self._answered = query
        if not results:
            self._show_nothing_found(reply)
            return
        self._stack.setCurrentWidget(self._results)
        found = wording.count(results.hits, self.tr("result"), self.tr("results"))
        more = "+" if results.hits >= self._k else ""
        model = self._answered_by(reply) or self.tr("names, folders and captions")
        took = f"{reply.timings.total_ms:.0f} ms"
        self._header.setText(" · ".join((found.replace(" ", f"{more} ", 1), model, took)))
        self._arrange_heading()
        self._note.setText(reply.note)
        self._note.setVisible(bool(reply.note))
        self.grid.set_results(results, keep_place)

    def _arrange_heading(self) -> None:
        """What was found is said in two lines at most: where that needs it, above the buttons."""
        room_px = self._stack.width() - self._uses.sizeHint().width()
        is_wide = self._header.fontMetrics().horizontalAdvance(self._header.text()) < 2 * room_px
        directions = QBoxLayout.Direction
        self._heading.setDirection(directions.LeftToRight if is_wide else directions.TopToBottom)

    def _answered_by(self, reply: SearchReply) -> str:
        """``CLIP``; ``pictures by CLIP, sounds by CLAP, in turn``."""
        names = [self.filters.name_of(key) for key in reply.models]
        if len(names) < 2:
            return "".join(names)
        pictures = {model.key for model in self._models if Modality.IMAGE in model.accepts}
        kinds = [self.tr("pictures by {0}") if key in pictures else self.tr("sounds by {0}") for key in reply.models]
        said = (kind.format(name) for kind, name in zip(kinds, names, strict=True))
        return ", ".join((*said, self.tr("in turn")))

    def _show_failure(self, query: Query, error: AppError) -> None:
        if self._indexing and isinstance(error, NothingToCompare):
            self._answered = None  # so that it is asked again whenever more has been read
            self.states.say_unread()
        else:
            self._answered = query
            self.states.say_problem(error)
        self._hide_results()

    def _show_nothing_found(self, reply: SearchReply) -> None:
        self.states.say_nothing_found(reply, self._indexing, self.filters.narrowed)
        self._hide_results()

    def _show_idle(self) -> None:
        self._answered = None
        if self._status is None:
            return
        spaces = self._status.spaces
        reads_words = any(model.key in spaces and Modality.TEXT in model.accepts for model in self._models)
        self.states.say_idle(self._status, self._indexing, reads_words, bool(self.bar.query()))
        self._hide_results()

    def _hide_results(self) -> None:
        self.grid.set_results(Results())
        self._stack.setCurrentWidget(self.states)

    # --- the query from the results ----------------------------------------------------------------------------------

    def _more_like(self, hit: Hit) -> None:
        self.bar.add_parts((intake.from_hit(hit),))

    def _less_like(self, hit: Hit) -> None:
        self.bar.add_parts((intake.from_hit(hit, weight=-1.0),))

    def _judge_these(self) -> None:
        if self._answered:
            self.judge_wanted.emit(self._answered, title_of(self._answered))

    def _keep_this(self) -> None:
        if self._answered:
            self.keep_wanted.emit(self._answered, title_of(self._answered))


def comparable(reply: SearchReply) -> tuple[Hit, ...]:
    """The hits of a reply with the cosines that can be held against each other: those of two models cannot."""
    return reply.hits if len(reply.models) < 2 else tuple(replace(hit, similarity=None) for hit in reply.hits)


def title_of(query: Query) -> str:
    """A short name for a query: its words, else its files' names."""
    return query.words or ", ".join(PurePath(part.path).name for part in query.parts if part.path)
