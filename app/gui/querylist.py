"""The list of the queries of one set: what each is made of, its title, and how far it is judged."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.engine.judgingtypes import QuerySummary
from app.engine.types import Modality, Query
from app.gui import icons, theme

SUMMARY_ROLE = Qt.ItemDataRole.UserRole
WORDS_ROLE, UNDERSTOOD_ROLE = Qt.ItemDataRole.UserRole + 1, Qt.ItemDataRole.UserRole + 2
MADE_OF = {"search": "words", "image": "pictures", "sound": "sounds"}


def query_icon(query: Query) -> str:
    """The name of the icon that tells what a query is made of."""
    if Modality.AUDIO in query.modalities:
        return "sound"
    return "image" if Modality.IMAGE in query.modalities else "search"


def progress_words(summary: QuerySummary) -> str:
    """``8 relevant of 23 judged, 2 unsure``."""
    words = f"{summary.relevant:,} relevant of {summary.judged:,} judged" if summary.judged else "Not judged yet"
    return f"{words}, {summary.unsure:,} unsure" if summary.unsure else words


class QueryList(QListWidget):
    """Rows of `QuerySummary`.

    Args:
        understood: whether a model that is ready accepts a query; others are marked.
    """

    def __init__(self, understood: Callable[[Query], bool], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._understood = understood
        self.setItemDelegate(_QueryDelegate(self))
        self.setUniformItemSizes(True)  # hundreds are laid out without a look at each
        self.setAccessibleName(self.tr("Test queries"))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    @property
    def current(self) -> QuerySummary | None:
        item = self.currentItem()
        return item.data(SUMMARY_ROLE) if item else None

    @property
    def summaries(self) -> tuple[QuerySummary, ...]:
        return tuple(self.item(row).data(SUMMARY_ROLE) for row in range(self.count()))

    def fill(self, summaries: tuple[QuerySummary, ...], wanted: int, same_set: bool = True) -> None:
        """Show these; ``wanted`` is the id of the one to be current. No signal tells of it."""
        row_before = self.currentRow() if same_set else -1
        self.blockSignals(True)
        self.clear()
        for summary in summaries:
            item = QListWidgetItem()
            self._describe(item, summary)
            self.addItem(item)
        self.setCurrentRow(self._row_to_show(summaries, wanted, row_before))
        self.blockSignals(False)

    def turn_to(self, query_id: int) -> bool:
        """Make a query the current one; False if it is not in the list."""
        for row, summary in enumerate(self.summaries):
            if summary.id == query_id:
                self.setCurrentRow(row)
                return True
        return False

    def update_summary(self, summary: QuerySummary) -> None:
        """New counts, or another title, of one query."""
        for row in range(self.count()):
            if self.item(row).data(SUMMARY_ROLE).id == summary.id:
                self._describe(self.item(row), summary)

    def describe_all(self) -> None:
        """Another query may be understood now."""
        for row, summary in enumerate(self.summaries):
            self._describe(self.item(row), summary)

    def _row_to_show(self, summaries: tuple[QuerySummary, ...], wanted: int, before: int) -> int:
        """The wanted query; else the place of one that was removed; else the first that a model understands."""
        ids = [summary.id for summary in summaries]
        if wanted in ids:
            return ids.index(wanted)
        if before >= 0:
            return min(before, len(ids) - 1)
        able = (row for row, summary in enumerate(summaries) if self._understood(summary.query))
        return next(able, 0 if summaries else -1)

    def _describe(self, item: QListWidgetItem, summary: QuerySummary) -> None:
        understood = self._understood(summary.query)
        words = progress_words(summary)
        if not understood:
            words = self.tr("No model for {0}").format(MADE_OF[query_icon(summary.query)])
        item.setData(SUMMARY_ROLE, summary)
        item.setData(WORDS_ROLE, words)
        item.setData(UNDERSTOOD_ROLE, understood)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{summary.title}, {words}")
        item.setToolTip("\n".join(line for line in (summary.title, words, summary.guidelines) if line))


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
