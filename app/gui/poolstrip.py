"""The pool as a strip of thumbnails, each with its verdict."""

from __future__ import annotations

from collections.abc import Sequence

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

from app.engine.evaltypes import PoolItem, Scale
from app.gui import theme, tile, wording
from app.gui.grades import SIGN_PX, paint_sign, verdict
from app.gui.offline import Offline
from app.gui.thumbnails import ThumbnailStore

CELL_PX = QSize(76, 64)
ITEM_ROLE = Qt.ItemDataRole.UserRole


class PoolStrip(QListWidget):
    """One row of cells, moved through by arrow keys or mouse. Signal ``moved`` with the row a person went to."""

    moved = Signal(int)

    def __init__(self, thumbnails: ThumbnailStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scale = Scale.BINARY
        self.offline = Offline()
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

    def show_items(self, items: Sequence[PoolItem], scale: Scale = Scale.BINARY) -> None:
        self.scale = scale
        self.blockSignals(True)
        self.clear()
        for item in items:
            cell = QListWidgetItem()
            self.addItem(cell)
            describe(cell, item, scale, self.offline)
        self.blockSignals(False)

    def show_item(self, row: int, item: PoolItem) -> None:
        """A new verdict on one item."""
        describe(self.item(row), item, self.scale, self.offline)

    def set_offline(self, offline: Offline) -> None:
        """Grey what cannot be reached now."""
        self.offline = offline
        for row in range(self.count()):
            describe(self.item(row), self.item(row).data(ITEM_ROLE), self.scale, offline)

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


def describe(cell: QListWidgetItem, item: PoolItem, scale: Scale, offline: Offline) -> None:
    """Let a cell hold an item and say what it is."""
    words = f"{wording.spoken(item.item)}, {verdict(item.grade, scale)}"
    if away := offline.root_of(item.item.path):
        words += f"\n{away} is not there now. Connect its drive to open this file."
    cell.setData(ITEM_ROLE, item)
    cell.setData(Qt.ItemDataRole.AccessibleTextRole, words)
    cell.setToolTip(words)


class _CellDelegate(QStyledItemDelegate):
    def __init__(self, thumbnails: ThumbnailStore, strip: PoolStrip) -> None:
        super().__init__(strip)
        self._thumbnails = thumbnails
        self._strip = strip

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        return CELL_PX

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        item: PoolItem = index.data(ITEM_ROLE)
        rect: QRect = option.rect
        frame = rect.adjusted(4, 4, -4, -4)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.setOpacity(tile.AWAY_OPACITY if self._strip.offline.root_of(item.item.path) else 1.0)
        tile.paint_thumbnail(painter, frame, self._thumbnails.pixmap(item.item.item_id), item.item)
        painter.setOpacity(1.0)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(theme.colours().accent), 3))
            painter.drawRoundedRect(QRectF(frame).adjusted(-2, -2, 2, 2), theme.RADIUS_PX, theme.RADIUS_PX)
        if item.grade is not None:
            corner = QRect(frame.right() - SIGN_PX - 1, frame.bottom() - SIGN_PX - 1, SIGN_PX, SIGN_PX)
            paint_sign(painter, corner, item.grade, self._strip.scale)
