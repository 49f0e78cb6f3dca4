"""The pool as a strip of thumbnails, each with its verdict."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
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

from app.engine.judgingtypes import PoolItem
from app.gui import theme, tile
from app.gui.grades import SIGN_PX, paint_sign
from app.gui.poollist import ITEM_ROLE, PoolList
from app.gui.thumbnails import ThumbnailStore

CELL_PX = QSize(76, 64)


class PoolStrip(PoolList):
    """One row of cells, moved through by arrow keys or mouse."""

    def __init__(self, thumbnails: ThumbnailStore, parent: QWidget | None = None) -> None:
        super().__init__(thumbnails, parent)
        self.setAccessibleName(self.tr("Results to judge"))
        self.setItemDelegate(_CellDelegate(thumbnails, self))
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.setFixedHeight(CELL_PX.height() + self.horizontalScrollBar().sizeHint().height() + theme.SMALL_PX)
        self.itemClicked.connect(self._click)  # the current cell again, after all was judged

    def reveal(self, cell: QListWidgetItem) -> None:
        self.scrollToItem(cell, QListWidget.ScrollHint.PositionAtCenter)

    def _click(self, cell: QListWidgetItem) -> None:
        self.moved.emit(self.row(cell))


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
