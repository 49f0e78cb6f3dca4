"""The pool as large tiles, each with its grades to be clicked; keys act on the tiles that are selected."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QMouseEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.engine.judgingtypes import PoolItem, Scale
from app.engine.types import ItemKind
from app.gui import icons, theme, tile, wording
from app.gui.grades import GRADES, SIGN_PX, Choice, colour, paint_sign
from app.gui.poollist import ITEM_ROLE, PoolList
from app.gui.thumbnails import ThumbnailStore

LEAST_TILE_PX, LARGEST_TILE_PX = 165, 340
BAR_PX = 26
PLAYER_PX = 32


class PoolGrid(PoolList):
    """Signals: ``graded`` with a row and the grade that was clicked on it;
    ``opened`` with a row to be shown alone; ``play_wanted`` with a row to be heard or seen playing."""

    graded = Signal(int, int)
    opened = Signal(int)
    play_wanted = Signal(int)

    def __init__(self, thumbnails: ThumbnailStore, parent: QWidget | None = None) -> None:
        super().__init__(thumbnails, parent)
        self.playing_id = 0
        """The item that is heard now."""
        self.setAccessibleName(self.tr("All results to judge"))
        self._delegate = _TileDelegate(thumbnails, self)
        self.setItemDelegate(self._delegate)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)  # else tiles would change size with it
        self.viewport().setMouseTracking(True)
        self.itemActivated.connect(lambda cell: self.opened.emit(self.row(cell)))
        self._delegate.clicked.connect(self.graded)
        self._delegate.play_clicked.connect(self.play_wanted)

    @property
    def chosen_rows(self) -> list[int]:
        """The selected rows, ascending; the current one where none is selected."""
        rows = sorted(index.row() for index in self.selectedIndexes())
        return rows or [row for row in (self.currentRow(),) if row >= 0]

    def show_items(self, items: Sequence[PoolItem], scale: Scale) -> None:
        super().show_items(items, scale)
        self._fit()

    def set_playing(self, item_id: int) -> None:
        """Which item is heard now; 0: none."""
        self.playing_id = item_id
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """As few columns as show all tiles at once; where they must be scrolled, as many as there is room for."""
        room_px = self.viewport().width() - 1
        most = max(1, room_px // LEAST_TILE_PX)
        fewest = min(most, max(1, -(-room_px // LARGEST_TILE_PX)))
        for columns in range(fewest, most + 1):
            self._delegate.set_width(room_px // columns)
            if -(-self.count() // columns) * self._delegate.height_px <= self.viewport().height():
                break
        self.scheduleDelayedItemsLayout()


class _TileDelegate(QStyledItemDelegate):
    """Paints a tile and hears the clicks on its grades and on what plays it: ``clicked`` with the row and the grade,
    ``play_clicked`` with the row."""

    clicked = Signal(int, int)
    play_clicked = Signal(int)

    def __init__(self, thumbnails: ThumbnailStore, grid: PoolGrid) -> None:
        super().__init__(grid)
        self._thumbnails = thumbnails
        self._grid = grid
        self._size = QSize(LEAST_TILE_PX, LEAST_TILE_PX)

    @property
    def height_px(self) -> int:
        return self._size.height()

    def set_width(self, width_px: int) -> None:
        line_px = QFontMetrics(theme.font(theme.Type.CAPTION)).height()
        picture_px = (width_px - 2 * theme.SMALL_PX) * 3 // 4
        self._size = QSize(width_px, picture_px + line_px + BAR_PX + 3 * theme.SMALL_PX)

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        return self._size

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        item: PoolItem = index.data(ITEM_ROLE)
        cell: QRect = option.rect
        is_current = index.row() == self._grid.currentRow()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        self._paint_ground(painter, cell, bool(option.state & QStyle.StateFlag.State_Selected), is_current)
        frame, line, bar = self._parts(cell)
        away = self._grid.offline.root_of(item.item.path) is not None
        painter.setOpacity(tile.AWAY_OPACITY if away else 1.0)
        tile.paint_thumbnail(painter, frame, self._thumbnails.pixmap(item.item.item_id), item.item, whole=True)
        painter.setOpacity(1.0)
        if item.grade is not None:
            sign = QRect(frame.right() - SIGN_PX - 5, frame.top() + 6, SIGN_PX, SIGN_PX)
            paint_sign(painter, sign, item.grade, self._grid.scale)
        if item.item.item_kind is not ItemKind.PHOTO:
            self._paint_player(painter, _player(frame), item.item.item_id == self._grid.playing_id)
        words = [self.tr("offline")] if away else []
        words += [word for word in (wording.place(item.item), PurePath(item.item.path).name) if word]
        font = theme.font(theme.Type.CAPTION)
        painter.setFont(font)
        painter.setPen(QColor(theme.colours().muted))
        elided = QFontMetrics(font).elidedText(" · ".join(words), Qt.TextElideMode.ElideMiddle, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, elided)
        for choice, place in self._places(bar):
            _paint_choice(painter, place, choice, item.grade == choice.grade, self._grid.scale)

    def editorEvent(
        self,
        event: QEvent,
        _model: object,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> bool:
        if event.type() is QEvent.Type.MouseButtonRelease and isinstance(event, QMouseEvent):
            frame, _, bar = self._parts(option.rect)
            point = event.position().toPoint()
            item: PoolItem = index.data(ITEM_ROLE)
            if item.item.item_kind is not ItemKind.PHOTO and _player(frame).contains(point):
                self.play_clicked.emit(index.row())
                return True
            hit = next((choice for choice, place in self._places(bar) if place.contains(point)), None)
            if hit and event.button() is Qt.MouseButton.LeftButton:
                self.clicked.emit(index.row(), hit.grade)
                return True
        return False

    def _parts(self, cell: QRect) -> tuple[QRect, QRect, QRect]:
        """Where the picture, the line below it and the grades are."""
        inner = cell.adjusted(theme.SMALL_PX, theme.SMALL_PX, -theme.SMALL_PX, -theme.SMALL_PX)
        line_px = QFontMetrics(theme.font(theme.Type.CAPTION)).height()
        bar = QRect(inner.left(), inner.bottom() - BAR_PX + 1, inner.width(), BAR_PX)
        line = QRect(inner.left(), bar.top() - line_px - 2, inner.width(), line_px)
        frame = QRect(inner.left(), inner.top(), inner.width(), line.top() - inner.top() - 2)
        return frame, line, bar

    def _places(self, bar: QRect) -> list[tuple[Choice, QRect]]:
        choices = GRADES[self._grid.scale]
        gap_px = theme.TINY_PX
        each_px = (bar.width() - gap_px * (len(choices) - 1)) // len(choices)
        return [
            (choice, QRect(bar.left() + place * (each_px + gap_px), bar.top(), each_px, bar.height()))
            for place, choice in enumerate(choices)
        ]

    @staticmethod
    def _paint_player(painter: QPainter, disc: QRect, playing: bool) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tile.BADGE_GROUND)
        painter.drawEllipse(disc)
        ratio = painter.device().devicePixelRatioF()
        drawn = icons.pixmap("pause" if playing else "play", PLAYER_PX // 2, tile.BADGE_TEXT, ratio)
        painter.drawPixmap(disc.topLeft() + QPoint(PLAYER_PX // 4, PLAYER_PX // 4), drawn)

    @staticmethod
    def _paint_ground(painter: QPainter, cell: QRect, selected: bool, is_current: bool) -> None:
        colours = theme.colours()
        painter.setBrush(QColor(colours.selection) if selected else Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(colours.accent), 2) if is_current else Qt.PenStyle.NoPen)
        painter.drawRoundedRect(QRectF(cell).adjusted(2, 2, -2, -2), theme.RADIUS_PX + 2, theme.RADIUS_PX + 2)


def _player(frame: QRect) -> QRect:
    """Where the button is that plays a tile."""
    return QRect(frame.left() + 6, frame.bottom() - PLAYER_PX - 5, PLAYER_PX, PLAYER_PX)


def _paint_choice(painter: QPainter, place: QRect, choice: Choice, given: bool, scale: Scale) -> None:
    colours = theme.colours()
    strong = QColor(getattr(colours, colour(choice.grade)))
    painter.setBrush(strong if given else QColor(colours.raised))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawRoundedRect(QRectF(place), theme.RADIUS_PX - 2, theme.RADIUS_PX - 2)
    if scale is Scale.GRADED:
        painter.setFont(theme.font(theme.Type.CAPTION, QFont.Weight.DemiBold))
        painter.setPen(QColor(colours.surface if given else colours.text))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, str(choice.grade))
        return
    ratio = painter.device().devicePixelRatioF()
    drawn = icons.pixmap(choice.icon, theme.ICON_PX, "surface" if given else "muted", ratio)
    painter.drawPixmap(place.center() - QRect(0, 0, theme.ICON_PX, theme.ICON_PX).center(), drawn)
