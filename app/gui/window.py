"""The main window: it puts the parts together and passes on what one part has to tell another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QMainWindow, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.engine.errors import AppError
from app.engine.librarytypes import IndexReport, LibraryStatus
from app.engine.types import Hit, Query
from app.gui import intake, theme
from app.gui.about import AboutDialog
from app.gui.actions import Actions
from app.gui.arrivals import Arrivals
from app.gui.banner import Banner
from app.gui.checkup import CheckUpWork
from app.gui.choices import Choices
from app.gui.details import DetailsPane
from app.gui.engine import Engine
from app.gui.evaluate import EvaluatePage
from app.gui.indexing import IndexingPanel
from app.gui.indexjob import changes
from app.gui.jobline import JobLine
from app.gui.labels import LabelWork
from app.gui.libraryopening import LibraryOpening
from app.gui.librarywork import LibraryWork
from app.gui.modelactions import ModelActions
from app.gui.modeladvice import Adviser
from app.gui.models import ModelsPage
from app.gui.offline import Offline
from app.gui.searchpage import SearchPage
from app.gui.sidebar import Sidebar
from app.gui.thumbnails import ThumbnailStore
from app.gui.topbar import EVALUATE, MODELS, SEARCH, TopBar
from app.gui.workspace import Workspace
from app.paths import log_path, pasted_dir

SIDEBAR_PX, DETAILS_PX = 220, 340
FIRST_SIZE_PX = (1280, 800)
LEAST_SIZE_PX = (1000, 600)


class MainWindow(QMainWindow):
    """Everything a person sees. It can be shown before the engine runs; `start` starts it. Signal: ``closing``.

    Args:
        engine: not started yet.
        home: the data home, for the settings, the log's path and pasted pictures.
        library: opened instead of the last one.
    """

    closing = Signal()

    def __init__(self, engine: Engine, home: Path, library: str | None = None) -> None:
        super().__init__()
        self._engine = engine
        self._home = home
        self._choices = Choices(home)
        self._hit: Hit | None = None
        self._library = ""
        """The one that was opened last."""
        self.workspace = Workspace(engine, library or self._choices.settings.library, parent=self)
        self.thumbnails = ThumbnailStore(engine, self)
        self.top = TopBar()
        self.banner = Banner()
        self.library = LibraryWork(engine, self.workspace, self.banner, self)
        self.sidebar = Sidebar()
        self.search = SearchPage(engine, self.thumbnails, pasted_dir(home), self._choices.settings.thumbnail_px)
        self.evaluate = EvaluatePage(engine, self.thumbnails)
        self.models = ModelsPage()
        self.model_work = JobLine().as_strip()
        self.model_actions = ModelActions(engine, self.workspace, self.models, self.model_work)
        self._adviser = Adviser(engine, self.workspace, self.models, self.model_actions.jobs, self._choices.needs)
        self.details = DetailsPane(engine, self.thumbnails)
        self.labels = LabelWork(engine, self.workspace, self.search.filters.labels, self.details.labels, self)
        self.indexing = IndexingPanel(engine, self.workspace.job)
        self.actions_ = Actions(self, self._choices.settings)
        self.checkup = CheckUpWork(engine, self.workspace, self.banner, self._choices, self)
        self.arrivals = Arrivals(self, self.workspace, self.banner, self._take)
        self._opening = LibraryOpening(
            self.workspace, self.search, self.banner, self.arrivals.is_waiting, str(log_path(home)), self
        )
        self._compose()
        self._wire_pages()
        self._wire_workspace()
        self._wire_actions()
        if not self._choices.restore_geometry(self):
            self.resize(*FIRST_SIZE_PX)

    def start(self) -> None:
        """Start the engine and open the library."""
        self.sidebar.set_opening(self.workspace.library)
        self.workspace.start()
        self.search.bar.focus_words()

    # --- composition -------------------------------------------------------------------------------------------------

    def _compose(self) -> None:
        self.setWindowTitle("Semblance")
        self.setAcceptDrops(True)
        self.pages = QStackedWidget()
        for page in (self.search, self.evaluate, self.models):
            self.pages.addWidget(page)
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setHandleWidth(theme.TINY_PX)
        for part, width_px in ((self.sidebar, 200), (self.pages, 548), (self.details, 240)):
            part.setMinimumWidth(width_px)
            self._split.addWidget(part)
        self._split.setStretchFactor(1, 1)
        self._split.setCollapsible(1, False)
        self._split.setSizes([SIDEBAR_PX, FIRST_SIZE_PX[0] - SIDEBAR_PX - DETAILS_PX, DETAILS_PX])
        central = QWidget()
        column = QVBoxLayout(central)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.top)
        around = QVBoxLayout()
        around.setContentsMargins(theme.MEDIUM_PX, theme.SMALL_PX, theme.MEDIUM_PX, 0)
        around.addWidget(self.banner)
        column.addLayout(around)
        column.addWidget(self._split, 1)
        column.addWidget(self.model_work)
        column.addWidget(self.indexing)
        self.setCentralWidget(central)
        self.top.set_menu(self.actions_.menu)
        self.setMinimumSize(*LEAST_SIZE_PX)

    def _wire_pages(self) -> None:
        self.top.page_chosen.connect(self.show_page)
        self.search.hit_chosen.connect(self._show_hit)
        self.search.hit_opened.connect(self._open_hit)
        self.search.play_wanted.connect(self.details.toggle_play)
        self.search.judge_wanted.connect(self._judge)
        self.search.keep_wanted.connect(self.evaluate.queries.keep)
        self.search.add_folder_wanted.connect(self.library.choose_folder)
        self.search.sample_wanted.connect(self.workspace.open_sample)
        self.search.models_wanted.connect(self._show_models)
        self.search.bar.folders_taken.connect(self.library.add_folders)
        self.search.bar.failed.connect(self.banner.refuse)
        for given in (self.search.bar.typed, self.search.bar.submitted, self.search.bar.folders_taken):
            given.connect(self.banner.drop_refusal)
        self.evaluate.item_opened.connect(self._open_hit)
        self.evaluate.models_wanted.connect(self._show_models)
        self.evaluate.add_folder_wanted.connect(self.library.choose_folder)
        self.evaluate.queries.kept.connect(self.banner.tell)
        self.evaluate.queries.not_kept.connect(self.banner.show_error)
        self.details.search_like.connect(self._search_like)
        self.labels.judge_wanted.connect(self._judge_labels)
        self.labels.changed.connect(self.search.refresh)
        self.sidebar.library_chosen.connect(self.workspace.open)
        self.sidebar.folder_chosen.connect(self.search.filters.set_under)
        self.sidebar.add_folder_wanted.connect(self.library.choose_folder)
        self.sidebar.settings_wanted.connect(self.library.show_settings)
        self.sidebar.sample_wanted.connect(self.workspace.open_sample)
        self.sidebar.rescan_wanted.connect(self.workspace.rescan)
        self.sidebar.forget_wanted.connect(self.workspace.forget_root)
        self.models.choice.compare_wanted.connect(self._show_evaluate)
        self._adviser.needs_changed.connect(self._choices.choose_needs)

    def _wire_workspace(self) -> None:
        self._opening.check_up_wanted.connect(self.checkup.show_dialog)
        self._opening.quit_wanted.connect(self.close)
        self.workspace.opening.connect(self._leave_library)
        self.workspace.opened.connect(self._enter_library)
        self.workspace.refused.connect(self.banner.show_error)
        self.workspace.status_changed.connect(self._show_status)
        self.workspace.libraries_changed.connect(self.sidebar.set_libraries)
        self.workspace.models_changed.connect(self._show_model_list)
        self.workspace.watching_limited.connect(self._watching_limited)
        self.workspace.engine_gave_up.connect(self._engine_gave_up)
        self.workspace.job.started.connect(self._show_indexing)
        self.workspace.job.finished.connect(self._indexed)
        self.workspace.job.cancelled.connect(self._indexing_ended)
        self.workspace.job.failed.connect(self._indexing_ended)
        self._engine.failed.connect(self.banner.show_error)

    def _wire_actions(self) -> None:
        actions = self.actions_
        actions.add_folder.triggered.connect(self.library.choose_folder)
        actions.rescan.triggered.connect(self.library.rescan)
        actions.library_settings.triggered.connect(self.library.show_settings)
        actions.labels.triggered.connect(self.labels.show_dialog)
        actions.check_library.triggered.connect(self.library.check)
        actions.check_computer.triggered.connect(self.checkup.show_dialog)
        actions.focus_query.triggered.connect(self._focus_query)
        actions.clear_query.triggered.connect(self._clear_query)
        actions.page_chosen.connect(self.show_page)
        actions.sidebar_toggled.connect(self.sidebar.setVisible)
        actions.details_toggled.connect(self._show_details)
        actions.theme_chosen.connect(self._choices.choose_theme)
        actions.thumbnail_px_chosen.connect(self._choices.choose_thumbnail_px)
        actions.thumbnail_px_chosen.connect(self.search.grid.set_thumbnail_px)
        actions.about.triggered.connect(self._show_about)
        actions.quit.triggered.connect(self.close)

    # --- what a person does ------------------------------------------------------------------------------------------

    def show_page(self, index: int) -> None:
        """Show `topbar.SEARCH`, `topbar.EVALUATE` or `topbar.MODELS`."""
        self.pages.setCurrentIndex(index)
        self.top.set_page(index)
        self._show_hit(self.search.grid.current if index == SEARCH else None)
        if index == EVALUATE:
            self.evaluate.refresh()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.source() is None and intake.can_take(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Folders are added; a picture or a sound takes the place of the query; the page of models takes models, and
        that of evaluating takes test queries."""
        page, data = self.pages.currentWidget(), event.mimeData()
        if (page is self.models and self.model_actions.take(data)) or (
            page is self.evaluate and self.evaluate.isEnabled() and self.evaluate.queries.take(data)
        ):
            event.acceptProposedAction()
            return
        try:
            taken = intake.from_data(event.mimeData(), pasted_dir(self._home))
        except AppError as error:
            self.banner.show_error(error)
            return
        self._take(taken)
        event.acceptProposedAction()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.ActivationChange and self.isActiveWindow():
            self.workspace.refresh_if_old()
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.closing.emit()
        self.details.stop()
        self.hide()  # at once: the engine may take a moment to put its work away
        self._choices.save(self, self._library)
        self._engine.close()
        event.accept()

    def _take(self, taken: intake.Intake) -> None:
        if taken.parts:
            self.show_page(SEARCH)
            self.search.search_by(taken.parts)
        self.search.bar.take(replace(taken, parts=()))

    def _open_hit(self, hit: Hit) -> None:
        self.actions_.details.setChecked(True)
        self._show_hit(hit)

    def _show_hit(self, hit: Hit | None) -> None:
        self._hit = hit
        self.details.show_hit(hit)
        self._show_details()

    def _show_details(self) -> None:
        """The details have their place while there is something to choose from, if they are wanted at all."""
        to_choose = self.pages.currentWidget() is self.search and self.search.grid.results.hits > 0
        self.details.setVisible(self.actions_.details.isChecked() and (self._hit is not None or to_choose))

    def _judge(self, query: Query, title: str) -> None:
        self.show_page(EVALUATE)
        self.evaluate.use_query(query, title)

    def _judge_labels(self, set_id: int) -> None:
        self.show_page(EVALUATE)
        self.evaluate.queries.turn_to(set_id)

    def _search_like(self, hit: Hit) -> None:
        self.show_page(SEARCH)
        self.search.search_like(hit)

    def _show_models(self) -> None:
        self.show_page(MODELS)

    def _show_evaluate(self) -> None:
        self.show_page(EVALUATE)

    def _focus_query(self) -> None:
        self.show_page(SEARCH)
        self.search.bar.focus_words()

    def _clear_query(self) -> None:
        if self.pages.currentWidget() is self.search:
            self.search.bar.clear()
            self.search.bar.focus_words()

    def _show_about(self) -> None:
        AboutDialog(self._home, self).open()

    # --- what the workspace tells ------------------------------------------------------------------------------------

    def _leave_library(self, library: str) -> None:
        self.thumbnails.clear()
        self.sidebar.set_opening(library)
        if not (self._opening.is_restart and library == self._library):
            self.evaluate.leave_library()

    def _enter_library(self, status: LibraryStatus) -> None:
        self._library = status.name
        self.setWindowTitle(f"{status.name} – Semblance")
        self.evaluate.enter_library()

    def _show_status(self, status: LibraryStatus) -> None:
        self.sidebar.set_status(status)
        self.search.set_library(status)
        offline = Offline.among(status.roots)
        self.details.set_offline(offline)
        self.evaluate.set_offline(offline)
        self.evaluate.set_library(status)
        self.models.set_library(status)

    def _show_model_list(self) -> None:
        self.search.set_models(self.workspace.models)
        self.models.set_models(self.workspace.models)

    def _indexed(self, report: IndexReport) -> None:
        if changes(report):
            self._indexing_ended()
        else:
            self._show_indexing()

    def _indexing_ended(self) -> None:
        self._show_indexing()
        self.search.refresh()
        self.evaluate.refresh()

    def _show_indexing(self) -> None:
        indexing = self.workspace.job.running
        self.sidebar.set_indexing(indexing)
        self.search.set_indexing(indexing)

    def _watching_limited(self, sentence: str) -> None:
        self.banner.tell(self.tr("Changes may be noticed later"), sentence)

    def _engine_gave_up(self) -> None:
        self.workspace.job.abandon()
        self.indexing.hide()
        self._show_indexing()
