"""The column of test queries: a set of them, how far each is judged, and ways to add, change and remove them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QMimeData, QPoint, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QMessageBox,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.engine.errors import AppError
from app.engine.judgingtypes import OWN_JUDGE, QuerySet, QuerySummary
from app.engine.modeltypes import ModelStatus
from app.engine.types import Query
from app.gui import icons, intake, theme
from app.gui.engine import Engine
from app.gui.querylist import QueryList
from app.gui.setactions import SetActions
from app.gui.setchooser import SetChooser
from app.gui.setdialogs import Ended, QueryDialog


class QueryColumn(QWidget):
    """Signals: ``chosen`` with the current `QuerySummary` or None, also when its counts have changed; ``told`` with a
    title and a sentence of good news; ``failed`` with an `AppError`. ``judgments_came`` when an import has brought
    some, before their set is turned to. ``kept`` and ``not_kept`` are as ``told`` and ``failed``, for `keep`, which is
    asked for from another page."""

    chosen = Signal(object)
    told = Signal(str, str)
    failed = Signal(object)
    judgments_came = Signal()
    kept = Signal(str, str)
    not_kept = Signal(object)

    def __init__(self, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._generation = 0
        self._library = 0
        self._judge: str | None = OWN_JUDGE
        self._listed: QuerySet | None = None
        self._models: tuple[ModelStatus, ...] | None = None
        self.setAcceptDrops(True)
        self.sets = SetChooser()
        self.actions_ = SetActions(engine, self.sets, self)
        self.work = self.actions_.line
        self.words = QLineEdit()
        self.words.setPlaceholderText(self.tr("New query: type words"))
        self.words.setAccessibleName(self.tr("Words of a new test query"))
        self.words.setClearButtonEnabled(True)
        self._file = QPushButton(icons.icon("plus"), self.tr("Picture or sound…"))
        self._file.setToolTip(self.tr("Choose a picture or a sound to test with; you can also drop files or folders"))
        self.list = QueryList(self.understood)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._edit = QPushButton(self.tr("Edit…"))
        self._edit.setToolTip(self.tr("Title, what counts as relevant, and other languages (F2)"))
        self._remove = QToolButton()
        self._remove.setIcon(icons.icon("close"))
        self._remove.setToolTip(self.tr("Remove this query and its judgments (Del)"))
        self._remove.setAccessibleName(self.tr("Remove this query"))
        self._compose()
        self._connect()

    def _compose(self) -> None:
        theme.set_role(self._edit, "quiet")
        below = QHBoxLayout()
        below.addWidget(self._edit)
        below.addStretch()
        below.addWidget(self._remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.LARGE_PX, theme.MEDIUM_PX, theme.SMALL_PX, theme.MEDIUM_PX)
        column.setSpacing(theme.SMALL_PX)
        column.addWidget(self.sets)
        column.addWidget(self.words)
        column.addWidget(self._file)
        column.addWidget(self.list, 1)
        column.addLayout(below)
        self._show_can()

    def _connect(self) -> None:
        self.sets.chosen.connect(self._turn_to)
        self.actions_.changed.connect(self.reload)
        self.actions_.turned.connect(self.turn_to)
        self.actions_.judgments_came.connect(self.judgments_came)
        self.actions_.told.connect(self.told)
        self.actions_.failed.connect(self.failed)
        self.words.returnPressed.connect(self._add_words)
        self._file.clicked.connect(self.choose_file)
        self.list.currentItemChanged.connect(self._tell_current)
        self.list.itemDoubleClicked.connect(self.edit)
        self.list.customContextMenuRequested.connect(self._show_menu)
        self._edit.clicked.connect(self.edit)
        self._remove.clicked.connect(self.ask_to_remove)
        for keys, slot in ((QKeySequence(Qt.Key.Key_Delete), self.ask_to_remove), (QKeySequence("F2"), self.edit)):
            shortcut = QShortcut(keys, self.list)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(slot)

    @property
    def current_set(self) -> QuerySet | None:
        """The set whose queries are shown, and into which new ones go."""
        return self.sets.current

    @property
    def current(self) -> QuerySummary | None:
        return self.list.current

    @property
    def summaries(self) -> tuple[QuerySummary, ...]:
        return self.list.summaries

    def set_models(self, models: tuple[ModelStatus, ...]) -> None:
        """The models there are: queries that none of the ready ones understands are marked."""
        self._models = models
        self.list.describe_all()

    def understood(self, query: Query) -> bool:
        """Whether a model that is ready accepts all parts of a query."""
        return self._models is None or any(model.ready and query.modalities <= model.accepts for model in self._models)

    @property
    def judge(self) -> str | None:
        """Whose judgments are counted; None: all judges' together."""
        return self._judge

    def count_for(self, judge: str | None) -> bool:
        """Count the judgments of one judge, who is to see nothing of what other persons said, with those of folders and
        captions, or of all together. Whether the list is asked for anew by that."""
        if judge == self._judge:
            return False
        self._judge = judge
        if self.current_set is None:
            return False
        self._list_queries(0)
        return True

    def leave_library(self) -> None:
        """Another library is opened: its sets and queries have the same ids."""
        self._library += 1
        self._generation += 1
        self.sets.set_sets((), 0)
        self._fill(None, (), 0)

    def reload(self, select: int = 0) -> None:
        """Ask for the sets and the queries again. The one with id ``select`` becomes current, else the current one
        stays."""
        self.turn_to(self.current_set.id if self.current_set else 0, select)

    def turn_to(self, set_id: int, select: int = 0) -> None:
        """As `reload`, with another set where it is there."""
        self._generation += 1
        generation = self._generation

        def done(sets: tuple[QuerySet, ...]) -> None:
            if generation == self._generation:
                self.sets.set_sets(sets, set_id)
                self._list_queries(select)

        self._engine.request("evaluations_sets", on_done=done, on_failed=self.failed.emit)

    def add(self, query: Query, title: str = "") -> None:
        """Keep a query in the current set; it becomes the current one."""
        self._add_all((query,), title)

    def keep(self, query: Query, title: str) -> None:
        """Keep a query in the current set, whatever is shown, and tell that it is there."""
        self._ask_to_keep(query, title, self._tell_kept, self.not_kept.emit)

    def update_summary(self, summary: QuerySummary) -> None:
        """New counts of one query."""
        self.list.update_summary(summary)
        self._show_progress()

    # --- adding, changing and removing -------------------------------------------------------------------------------

    def choose_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, self.tr("Choose a picture or a sound to test with"))
        if path:
            self._add_files([path])

    def edit(self, _item: object = None) -> None:
        """Change title, guidelines and translations of the current query."""
        summary = self.current
        if summary is None:
            return

        def save(title: str, guidelines: str, translations: dict[str, str], ended: Ended) -> None:
            done, failed = ended

            def saved(changed: QuerySummary) -> None:
                done(changed)
                self._changed(changed)

            values = (summary.id, title, guidelines, translations)
            self._engine.request("evaluations_change_query", *values, on_done=saved, on_failed=failed)

        QueryDialog(summary, save, self).open()

    def ask_to_remove(self) -> None:
        """Remove the current query; with judgments in it, only after asking."""
        summary = self.current
        if summary is None:
            return
        others = set(self.current_set.judges if self.current_set else ()) - {self._judge}
        if not (summary.judged or summary.unsure or summary.later or others):
            self._remove_now(summary.id)
            return
        box = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.Question)
        box.setText(self.tr("Remove “{0}” and its judgments?").format(summary.title))
        box.setInformativeText(
            self.tr("All judgments of it would be lost, whoever made them. Export them first to keep them.")
        )
        remove = box.addButton(self.tr("Remove"), QMessageBox.ButtonRole.DestructiveRole)
        remove.clicked.connect(lambda: self._remove_now(summary.id))
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.open()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._paths(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        self.take(event.mimeData())
        event.acceptProposedAction()

    def take(self, data: QMimeData) -> bool:
        """Make queries of files and folders that were dropped; whether there were any."""
        paths = self._paths(data)
        self._add_files(paths)
        return bool(paths)

    @staticmethod
    def _paths(data: QMimeData) -> list[str]:
        return [url.toLocalFile() for url in data.urls() if url.isLocalFile()]

    def _show_menu(self, where: QPoint) -> None:
        if self.list.itemAt(where):
            menu = QMenu(self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.addAction(self.tr("Edit…"), self.edit)
            menu.addAction(self.tr("Remove"), self.ask_to_remove)
            menu.popup(self.list.viewport().mapToGlobal(where))

    def _add_words(self) -> None:
        words = self.words.text().strip()
        if words:
            self.words.clear()
            self.add(Query.of_text(words))

    def _add_files(self, paths: Sequence[str]) -> None:
        taken = intake.from_paths(paths)
        self._add_all([Query((part,)) for part in taken.parts])
        for folder in taken.folders:
            if intake.has_folders(folder):
                self.actions_.import_folders(folder)
            else:
                self.actions_.import_examples(folder)
        for path in taken.refused:
            self.failed.emit(
                AppError(
                    self.tr("This cannot be a query"),
                    self.tr("Choose a picture, a video or a sound file instead."),
                    path,
                )
            )

    def _add_all(self, queries: Sequence[Query], title: str = "") -> None:
        """Keep queries in the current set; the first of them becomes the current one when all are there."""
        added: list[QuerySummary] = []
        left = len(queries)

        def ended() -> None:
            nonlocal left
            left -= 1
            if not left and added:
                self.list.setFocus()  # away from the text field, which would take the keys that judge
                self.turn_to(added[0].set_id, select=added[0].id)

        def done(summary: QuerySummary) -> None:
            added.append(summary)
            ended()

        def failed(error: AppError) -> None:
            self.failed.emit(error)
            ended()

        for query in queries:
            self._ask_to_keep(query, title, done, failed)

    def _ask_to_keep(
        self, query: Query, title: str, done: Callable[[QuerySummary], None], failed: Callable[[AppError], None]
    ) -> None:
        into = self.current_set.id if self.current_set else None
        library = self._library

        def kept(summary: QuerySummary) -> None:
            if library == self._library:
                done(summary)

        self._engine.request("evaluations_add_query", query, title, into, on_done=kept, on_failed=failed)

    def _tell_kept(self, summary: QuerySummary) -> None:
        name = next((one.name for one in self.sets.sets if one.id == summary.set_id), "")
        where = self.tr("It is in “{0}”.").format(name) if name else ""
        self.kept.emit(self.tr("“{0}” is kept as a test query").format(summary.title), where)

    def _changed(self, summary: QuerySummary) -> None:
        self.list.update_summary(summary)
        self._tell_current()

    def _remove_now(self, query_id: int) -> None:
        self._engine.request("evaluations_remove_query", query_id, on_done=self._removed, on_failed=self.failed.emit)

    def _removed(self, _nothing: Any) -> None:
        self.reload()

    # --- the list ----------------------------------------------------------------------------------------------------

    def _turn_to(self, _set_id: int) -> None:
        self.list.setFocus()  # away from the box, which takes letters to choose by
        self._list_queries(0)

    def _list_queries(self, select: int) -> None:
        """Show the queries of the set that is chosen."""
        self._generation += 1
        generation, shown = self._generation, self.current_set
        wanted = select or (self.current.id if self.current else 0)

        def done(summaries: tuple[QuerySummary, ...]) -> None:
            if generation == self._generation:
                self._fill(shown, summaries, wanted)

        if shown is None:
            self._fill(None, (), 0)
        else:
            self._engine.request(
                "evaluations_queries",
                shown.id,
                judge=self._judge,
                imported=True,
                on_done=done,
                on_failed=self.failed.emit,
            )

    def _fill(self, shown: QuerySet | None, summaries: tuple[QuerySummary, ...], wanted: int) -> None:
        before, self._listed = self._listed, shown
        same_set = before is not None and shown is not None and before.id == shown.id
        self.list.fill(summaries, wanted, same_set)
        self._show_progress()
        self._tell_current()

    def _show_progress(self) -> None:
        summaries = self.summaries
        self.sets.set_progress(sum(summary.judged > 0 for summary in summaries), len(summaries))

    def _tell_current(self) -> None:
        self._show_can()
        self.chosen.emit(self.current)

    def _show_can(self) -> None:
        for button in (self._edit, self._remove):
            button.setEnabled(self.current is not None)
