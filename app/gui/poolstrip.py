"""The pool as a strip of thumbnails, each with its verdict."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import (
    QListView,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.engine.evaltypes import PoolItem
from app.gui import icons, theme, tile, wording
from app.gui.ranking import verdict
from app.gui.thumbnails import ThumbnailStore

CELL_PX = QSize(76, 64)
MARK_PX = 16
ITEM_ROLE = Qt.ItemDataRole.UserRole


class PoolStrip(QListWidget):
    """One row of cells, moved through by arrow keys or mouse. Signal ``moved`` with the row a person went to."""

    moved = Signal(int)

    def __init__(self, thumbnails: ThumbnailStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Results to judge"))
        self.setItemDelegate(_CellDelegate(thumbnails, self))
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setUniformItemSizes(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.setFixedHeight(CELL_PX.height() + self.horizontalScrollBar().sizeHint().height() + theme.SMALL_PX)
        self.currentRowChanged.connect(self.moved)
        self.itemClicked.connect(self._click)  # the current cell again, after all was judged
        thumbnails.arrived.connect(self._repaint)

    def show_items(self, items: list[PoolItem]) -> None:
        self.blockSignals(True)
        self.clear()
        for item in items:
            cell = QListWidgetItem()
            self.addItem(cell)
            _describe(cell, item)
        self.blockSignals(False)

    def show_item(self, row: int, item: PoolItem) -> None:
        """A new verdict on one item."""
        _describe(self.item(row), item)

    def go(self, row: int) -> None:
        """Make a row current without saying that a person went there."""
        self.blockSignals(True)
        self.setCurrentRow(row)
        self.blockSignals(False)
        self.scrollToItem(self.currentItem(), QListWidget.ScrollHint.PositionAtCenter)
        self.viewport().update()

    def _click(self, cell: QListWidgetItem) -> None:
        self.moved.emit(self.row(cell))

    def _repaint(self, _arrived: object) -> None:
        self.viewport().update()


def _describe(cell: QListWidgetItem, item: PoolItem) -> None:
    words = f"{wording.spoken(item.item)}, {verdict(item.grade)}"
    cell.setData(ITEM_ROLE, item)
    cell.setData(Qt.ItemDataRole.AccessibleTextRole, words)
    cell.setToolTip(words)


class _CellDelegate(QStyledItemDelegate):
    def __init__(self, thumbnails: ThumbnailStore, parent: QWidget) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        return CELL_PX

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        item: PoolItem = index.data(ITEM_ROLE)
        rect: QRect = option.rect
        frame = rect.adjusted(4, 4, -4, -4)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        tile.paint_thumbnail(painter, frame, self._thumbnails.pixmap(item.item.item_id), item.item)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(theme.colours().accent), 3))
            painter.drawRoundedRect(QRectF(frame).adjusted(-2, -2, 2, 2), theme.RADIUS_PX, theme.RADIUS_PX)
        if item.grade is not None:
            self._paint_verdict(painter, frame, item.grade)

    @staticmethod
    def _paint_verdict(painter: QPainter, frame: QRect, grade: int) -> None:
        disc = QRect(frame.right() - MARK_PX - 5, frame.bottom() - MARK_PX - 5, MARK_PX + 4, MARK_PX + 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.colours().surface))
        painter.drawEllipse(disc)
        name, colour = ("check", "good") if grade > 0 else ("cross", "bad")
        ratio = painter.device().devicePixelRatioF()
        painter.drawPixmap(disc.left() + 2, disc.top() + 2, icons.pixmap(name, MARK_PX, colour, ratio))
