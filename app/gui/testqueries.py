"""The column of test queries: what was kept to be judged, how far each is, and ways to add and remove them."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QMimeData, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QFont, QFontMetrics, QKeySequence, QPainter, QShortcut
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QMessageBox,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.engine.errors import AppError
from app.engine.evaltypes import Imported, QuerySummary
from app.engine.modeltypes import ModelStatus
from app.engine.types import Modality, Query
from app.gui import icons, intake, theme, wording
from app.gui.engine import Engine

SUMMARY_ROLE = Qt.ItemDataRole.UserRole
WORDS_ROLE, UNDERSTOOD_ROLE = Qt.ItemDataRole.UserRole + 1, Qt.ItemDataRole.UserRole + 2
UNKNOWN_SHOWN = 3


def query_icon(query: Query) -> str:
    """The name of the icon that tells what a query is made of."""
    if Modality.AUDIO in query.modalities:
        return "sound"
    return "image" if Modality.IMAGE in query.modalities else "search"


MADE_OF = {"search": "words", "image": "pictures", "sound": "sounds"}


def progress_words(summary: QuerySummary) -> str:
    """``8 relevant of 23 judged``."""
    return f"{summary.relevant:,} relevant of {summary.judged:,} judged" if summary.judged else "Not judged yet"


class QueryColumn(QWidget):
    """Signals: ``chosen`` with the current `QuerySummary` or None, also when its counts have changed; ``loaded`` after
    every list from the engine; ``told`` with a title and a sentence of good news; ``failed`` with an `AppError`."""

    chosen = Signal(object)
    loaded = Signal()
    told = Signal(str, str)
    failed = Signal(object)

    def __init__(self, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._generation = 0
        self._models: tuple[ModelStatus, ...] | None = None
        self.setAcceptDrops(True)
        self.words = QLineEdit()
        self.words.setPlaceholderText(self.tr("New query: type words"))
        self.words.setAccessibleName(self.tr("Words of a new test query"))
        self.words.setClearButtonEnabled(True)
        self.words.returnPressed.connect(self._add_words)
        self._file = QPushButton(icons.icon("plus"), self.tr("Picture or sound…"))
        self._file.setToolTip(self.tr("Choose a picture or a sound to test with; you can also drop one here"))
        self._file.clicked.connect(self.choose_file)
        self.list = QListWidget()
        self.list.setItemDelegate(_QueryDelegate(self.list))
        self.list.setAccessibleName(self.tr("Test queries"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentItemChanged.connect(self._tell_current)
        self._remove = QToolButton()
        self._remove.setIcon(icons.icon("close"))
        self._remove.setToolTip(self.tr("Remove this query and its judgments (Del)"))
        self._remove.setAccessibleName(self.tr("Remove this query"))
        self._remove.clicked.connect(self.ask_to_remove)
        delete = QShortcut(QKeySequence(QKeySequence.StandardKey.Delete), self.list)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self.ask_to_remove)
        self._compose()

    def _compose(self) -> None:
        exchange = QToolButton()
        exchange.setText(self.tr("Import / export…"))
        exchange.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(exchange)
        menu.addAction(self.tr("Import judgments (TREC qrels)…"), self.choose_import)
        menu.addAction(self.tr("Export judgments (TREC qrels)…"), self.choose_export)
        exchange.setMenu(menu)
        below = QHBoxLayout()
        below.addWidget(exchange)
        below.addStretch()
        below.addWidget(self._remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.LARGE_PX, theme.MEDIUM_PX, theme.SMALL_PX, theme.MEDIUM_PX)
        column.setSpacing(theme.SMALL_PX)
        column.addWidget(theme.label(self.tr("Test queries"), theme.Type.HEADING))
        column.addWidget(self.words)
        column.addWidget(self._file)
        column.addWidget(self.list, 1)
        column.addLayout(below)
        self._remove.setEnabled(False)

    @property
    def current(self) -> QuerySummary | None:
        item = self.list.currentItem()
        return item.data(SUMMARY_ROLE) if item else None

    @property
    def summaries(self) -> tuple[QuerySummary, ...]:
        return tuple(self.list.item(row).data(SUMMARY_ROLE) for row in range(self.list.count()))

    def set_models(self, models: tuple[ModelStatus, ...]) -> None:
        """The models there are: queries that none of the ready ones understands are marked."""
        self._models = models
        for row, summary in enumerate(self.summaries):
            self._describe(self.list.item(row), summary)

    def understood(self, query: Query) -> bool:
        """Whether a model that is ready accepts all parts of a query."""
        return self._models is None or any(model.ready and query.modalities <= model.accepts for model in self._models)

    def reload(self, select: int = 0) -> None:
        """Ask for the queries again. The one with id ``select`` becomes current, else the current one stays."""
        self._generation += 1
        generation = self._generation
        wanted = select or (self.current.id if self.current else 0)

        def done(summaries: tuple[QuerySummary, ...]) -> None:
            if generation == self._generation:
                self._fill(summaries, wanted)

        self._engine.request("evaluations_queries", on_done=done, on_failed=self.failed.emit)

    def add(self, query: Query, title: str = "") -> None:
        """Keep a query; it becomes the current one."""
        self._engine.request("evaluations_add_query", query, title, on_done=self._added, on_failed=self.failed.emit)

    def update_summary(self, summary: QuerySummary) -> None:
        """New counts of one query."""
        for row in range(self.list.count()):
            if self.list.item(row).data(SUMMARY_ROLE).id == summary.id:
                self._describe(self.list.item(row), summary)

    # --- adding and removing -----------------------------------------------------------------------------------------

    def choose_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, self.tr("Choose a picture or a sound to test with"))
        if path:
            self._add_files([path])

    def ask_to_remove(self) -> None:
        """Remove the current query; with judgments in it, only after asking."""
        summary = self.current
        if summary is None:
            return
        if not summary.judged:
            self._remove_now(summary.id)
            return
        box = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.Question)
        box.setText(self.tr("Remove “{0}” and its judgments?").format(summary.title))
        judged = wording.count(summary.judged, "judgment", "judgments")
        box.setInformativeText(self.tr("{0} would be lost. Export them first to keep them.").format(judged))
        remove = box.addButton(self.tr("Remove"), QMessageBox.ButtonRole.DestructiveRole)
        remove.clicked.connect(lambda: self._remove_now(summary.id))
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.open()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._paths(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        self._add_files(self._paths(event.mimeData()))
        event.acceptProposedAction()

    @staticmethod
    def _paths(data: QMimeData) -> list[str]:
        return [url.toLocalFile() for url in data.urls() if url.isLocalFile()]

    def _add_words(self) -> None:
        words = self.words.text().strip()
        if words:
            self.words.clear()
            self.add(Query.of_text(words))

    def _add_files(self, paths: list[str]) -> None:
        taken = intake.from_paths(paths)
        for part in taken.parts:
            self.add(Query((part,)))
        for path in (*taken.refused, *taken.folders):
            self.failed.emit(
                AppError(
                    self.tr("This cannot be a query"),
                    self.tr("Choose a picture, a video or a sound file instead."),
                    path,
                )
            )

    def _added(self, summary: QuerySummary) -> None:
        self.list.setFocus()  # away from the text field, which would take the keys that judge
        self.reload(select=summary.id)

    def _remove_now(self, query_id: int) -> None:
        self._engine.request("evaluations_remove_query", query_id, on_done=self._removed, on_failed=self.failed.emit)

    def _removed(self, _nothing: Any) -> None:
        self.reload()

    # --- exchange ----------------------------------------------------------------------------------------------------

    def choose_import(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, self.tr("Import judgments"), filter=self._file_filter())
        if path:
            self._engine.request("evaluations_import_qrels", path, on_done=self._imported, on_failed=self.failed.emit)

    def choose_export(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, self.tr("Export judgments"), "judgments.qrels", self._file_filter())
        if path:
            self._engine.request("evaluations_export_qrels", path, on_done=self._exported, on_failed=self.failed.emit)

    def _file_filter(self) -> str:
        return self.tr("TREC judgments (*.qrels *.txt);;All files (*)")

    def _imported(self, report: Imported) -> None:
        taken = wording.count(report.judgments, "judgment", "judgments")
        asked = wording.count(report.queries, "query", "queries")
        sentence = self.tr("{0} for {1}.").format(taken, asked)
        if report.unknown:
            shown = ", ".join(report.unknown[:UNKNOWN_SHOWN]) + (", …" if len(report.unknown) > UNKNOWN_SHOWN else "")
            sentence += " " + self.tr("{0} not found in this library: {1}").format(
                wording.count(len(report.unknown), "name was", "names were"), shown
            )
        self.told.emit(self.tr("Judgments imported"), sentence)
        self.reload()

    def _exported(self, count: int) -> None:
        written = wording.count(count, "judgment", "judgments")
        self.told.emit(self.tr("Judgments exported"), self.tr("{0} written.").format(written))

    # --- the list ----------------------------------------------------------------------------------------------------

    def _fill(self, summaries: tuple[QuerySummary, ...], wanted: int) -> None:
        row_before = self.list.currentRow()
        self.list.blockSignals(True)
        self.list.clear()
        for summary in summaries:
            item = QListWidgetItem()
            self._describe(item, summary)
            self.list.addItem(item)
        self.list.setCurrentRow(self._row_to_show(summaries, wanted, row_before))
        self.list.blockSignals(False)
        self.loaded.emit()
        self._tell_current()

    def _row_to_show(self, summaries: tuple[QuerySummary, ...], wanted: int, before: int) -> int:
        """The wanted query; else the place of one that was removed; else the first that a model understands."""
        ids = [summary.id for summary in summaries]
        if wanted in ids:
            return ids.index(wanted)
        if before >= 0:
            return min(before, len(ids) - 1)
        able = (row for row, summary in enumerate(summaries) if self.understood(summary.query))
        return next(able, 0 if summaries else -1)

    def _describe(self, item: QListWidgetItem, summary: QuerySummary) -> None:
        understood = self.understood(summary.query)
        words = progress_words(summary)
        if not understood:
            words = self.tr("No model for {0}").format(MADE_OF[query_icon(summary.query)])
        item.setData(SUMMARY_ROLE, summary)
        item.setData(WORDS_ROLE, words)
        item.setData(UNDERSTOOD_ROLE, understood)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{summary.title}, {words}")
        item.setToolTip(f"{summary.title}\n{words}")

    def _tell_current(self) -> None:
        self._remove.setEnabled(self.current is not None)
        self.chosen.emit(self.current)


class _QueryDelegate(QStyledItemDelegate):
    """Paints the kind of a query, its title, and below it how far it is judged."""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        lines_px = sum(QFontMetrics(theme.font(kind)).height() for kind in (theme.Type.BODY, theme.Type.CAPTION))
        return QSize(120, lines_px + theme.LARGE_PX)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        summary: QuerySummary = index.data(SUMMARY_ROLE)
        rect: QRect = option.rect
        style: QStyle = option.widget.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        inner = rect.adjusted(theme.SMALL_PX, theme.SMALL_PX, -theme.SMALL_PX, -theme.SMALL_PX)
        ratio = painter.device().devicePixelRatioF()
        mark = icons.pixmap(query_icon(summary.query), theme.ICON_PX, "muted", ratio)
        painter.drawPixmap(inner.left(), inner.center().y() - theme.ICON_PX // 2, mark)
        inner.setLeft(inner.left() + theme.ICON_PX + theme.SMALL_PX)
        title = theme.font(theme.Type.BODY, QFont.Weight.DemiBold)
        colour = theme.colours().text if index.data(UNDERSTOOD_ROLE) else theme.colours().muted
        self._line(painter, inner, Qt.AlignmentFlag.AlignTop, title, colour, summary.title)
        caption = theme.font(theme.Type.CAPTION)
        words = index.data(WORDS_ROLE)
        self._line(painter, inner, Qt.AlignmentFlag.AlignBottom, caption, theme.colours().muted, words)

    @staticmethod
    def _line(painter: QPainter, rect: QRect, where: Qt.AlignmentFlag, font: QFont, colour: str, words: str) -> None:
        painter.setFont(font)
        painter.setPen(QColor(colour))
        elided = QFontMetrics(font).elidedText(words, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, where | Qt.AlignmentFlag.AlignLeft, elided)
