"""The grid of results. It paints only the tiles in sight, so that a million of them scroll like ten."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMimeData, QPoint, QRect, QSize, Qt, QUrl, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QContextMenuEvent,
    QDrag,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QToolTip, QWidget

from app.engine.types import Hit
from app.gui import intake, theme, wording
from app.gui.hitmenu import HitMenu
from app.gui.offline import Offline
from app.gui.results import Results, Tile
from app.gui.thumbnails import ThumbnailStore
from app.gui.tile import State, TilePainter, caption

GAP_PX = theme.SMALL_PX
WHEEL_STEP_ROWS = 0.5
MORE_WITHIN_ROWS = 2
"""``end_near`` is emitted when fewer rows than this are left below."""


class ResultGrid(QAbstractScrollArea):
    """Tiles in rows, one of them current.

    Signals: ``current_changed`` with the current `Hit` or None; ``activated`` with the hit that was double-clicked or
    opened with Enter; ``play_wanted`` for the space bar; ``search_like``, ``more_like`` and ``less_like`` with the hit
    to search by, to add to the query or to subtract from it; ``end_near`` when the last rows come into sight.
    """

    current_changed = Signal(object)
    activated = Signal(object)
    play_wanted = Signal()
    search_like = Signal(object)
    more_like = Signal(object)
    less_like = Signal(object)
    end_near = Signal()

    def __init__(self, thumbnails: ThumbnailStore, thumbnail_px: int = 180, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._thumbnail_px = thumbnail_px
        self._results = Results()
        self._offline = Offline()
        self._current: int | None = None
        self._hovered: int | None = None
        self._pressed_at: QPoint | None = None
        self._columns = 1
        self._painter = TilePainter(QSize(thumbnail_px, thumbnail_px * 3 // 4))
        thumbnails.arrived.connect(self._repaint_items)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.setAccessibleName(self.tr("Results"))

    # --- what is shown -----------------------------------------------------------------------------------------------

    def set_results(self, results: Results, keep_place: bool = False) -> None:
        """Show these results. ``keep_place``: they answer the same query, so the scroll position, the current item and
        what was unfolded stay."""
        item_id = self._results[self._current].hit.item_id if self._current is not None else None
        unfolded = self._results.unfolded
        self._results = results
        self._hovered = None
        if keep_place:
            self._results.unfold(unfolded)
        self._current = self._results.position(item_id) if keep_place and item_id is not None else None
        self._lay_out()
        if not keep_place:
            self.verticalScrollBar().setValue(0)
        if self._current is None:
            self.setAccessibleDescription("")
            self.current_changed.emit(None)
        self.viewport().update()
        self._scrolled()

    @property
    def results(self) -> Results:
        return self._results

    @property
    def current(self) -> Hit | None:
        return None if self._current is None else self._results[self._current].hit

    def set_offline(self, offline: Offline) -> None:
        """Grey the tiles of files that cannot be reached now."""
        if offline != self._offline:
            self._offline = offline
            self.viewport().update()

    def set_thumbnail_px(self, thumbnail_px: int) -> None:
        self._thumbnail_px = thumbnail_px
        self._lay_out()

    def set_current(self, place: int) -> None:
        """Make a tile the current one and bring it into sight."""
        if not self._results:
            return
        self._current = max(0, min(place, len(self._results) - 1))
        self._show_row(self._current // self._columns)
        self.viewport().update()
        hit = self._results[self._current].hit
        of = self.tr("{0} of {1}").format(self._current + 1, len(self._results))
        self.setAccessibleDescription(f"{wording.spoken(hit)}, {of}")
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.DescriptionChanged))
        self.current_changed.emit(hit)

    def toggle_moments(self, place: int) -> None:
        """Show or fold away the further hits of a tile's file; its best hit becomes the current one."""
        path = self._results[place].hit.path
        self._results.toggle(path)
        self._lay_out()
        self.set_current(self._results.place_of(path))

    # --- geometry ----------------------------------------------------------------------------------------------------

    def cell(self, place: int) -> QRect:
        """Where a tile is in the viewport now."""
        row, column = divmod(place, self._columns)
        size = self._painter.size
        left = GAP_PX + column * (size.width() + GAP_PX)
        top = GAP_PX + row * (size.height() + GAP_PX) - self.verticalScrollBar().value()
        return QRect(QPoint(left, top), size)

    def place_at(self, point: QPoint) -> int | None:
        """Which tile is at a point of the viewport."""
        size = self._painter.size
        column = (point.x() - GAP_PX) // (size.width() + GAP_PX)
        row = (point.y() + self.verticalScrollBar().value() - GAP_PX) // (size.height() + GAP_PX)
        place = row * self._columns + column
        inside = 0 <= column < self._columns and 0 <= place < len(self._results)
        return place if inside and self.cell(place).contains(point) else None

    def places_in_sight(self) -> range:
        row_px = self._painter.size.height() + GAP_PX
        top_px = self.verticalScrollBar().value()
        first = max(0, (top_px - GAP_PX) // row_px) * self._columns
        last = ((top_px + self.viewport().height()) // row_px + 1) * self._columns
        return range(first, min(last, len(self._results)))

    def _lay_out(self) -> None:
        """Fit as many columns as there is room for and share what is left over among the tiles."""
        width_px = self.viewport().width() - GAP_PX
        least = TilePainter(QSize(self._thumbnail_px, 1)).size.width() + GAP_PX
        self._columns = max(1, width_px // least)
        each_px = max(80, self._thumbnail_px + (width_px - self._columns * least) // self._columns)
        self._painter = TilePainter(QSize(each_px, each_px * 3 // 4))
        row_px = self._painter.size.height() + GAP_PX
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, self._rows() * row_px + GAP_PX - self.viewport().height()))
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(round(row_px * WHEEL_STEP_ROWS))
        self.viewport().update()

    def _rows(self) -> int:
        return -(-len(self._results) // self._columns)

    def _show_row(self, row: int) -> None:
        row_px = self._painter.size.height() + GAP_PX
        bar = self.verticalScrollBar()
        top_px = row * row_px
        bar.setValue(max(min(bar.value(), top_px), top_px + row_px + GAP_PX - self.viewport().height()))

    def scrollContentsBy(self, _dx: int, dy: int) -> None:
        """Move what is painted and paint only what comes into sight."""
        self.viewport().scroll(0, dy)

    def _scrolled(self) -> None:
        row_px = self._painter.size.height() + GAP_PX
        bar = self.verticalScrollBar()
        if self._results and bar.maximum() - bar.value() < MORE_WITHIN_ROWS * row_px:
            self.end_near.emit()

    # --- events ------------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.ApplicationFontChange):
            self._lay_out()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        for place in self.places_in_sight():
            cell = self.cell(place)
            if cell.intersects(event.rect()):
                tile = self._results[place]
                away = self._offline.root_of(tile.hit.path) is not None
                state = State(place == self._current, self.hasFocus(), place == self._hovered, away)
                self._painter.paint(painter, cell, tile, self._thumbnails.pixmap(tile.hit.item_id), state)
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        place = self._current
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -self._columns,
            Qt.Key.Key_Down: self._columns,
            Qt.Key.Key_PageUp: -self._columns * self._rows_in_sight(),
            Qt.Key.Key_PageDown: self._columns * self._rows_in_sight(),
            Qt.Key.Key_Home: -len(self._results),
            Qt.Key.Key_End: len(self._results),
        }
        key = Qt.Key(event.key())
        if key in steps:
            self.set_current(0 if place is None else self._step(place, steps[key]))
        elif place is None:
            super().keyPressEvent(event)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.activated.emit(self._results[place].hit)
        elif key is Qt.Key.Key_Space:
            self.play_wanted.emit()
        elif key is Qt.Key.Key_M:
            self.toggle_moments(place)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self.place_at(event.position().toPoint())
        if place is None:
            return
        tile = self._results[place]
        on_badge = self._painter.fold_badge(self.cell(place), tile).contains(event.position().toPoint())
        if on_badge and event.button() is Qt.MouseButton.LeftButton:
            self.toggle_moments(place)
            return
        self.set_current(place)
        if event.button() is Qt.MouseButton.LeftButton:
            self._pressed_at = event.position().toPoint()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._pressed_at = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        place = self.place_at(event.position().toPoint())
        if place is not None and event.button() is Qt.MouseButton.LeftButton:
            self.activated.emit(self._results[place].hit)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        point = event.position().toPoint()
        if self._pressed_at is not None:
            if (point - self._pressed_at).manhattanLength() >= QApplication.startDragDistance():
                self._pressed_at = None
                self._drag_out()
            return
        self._hover(self.place_at(point))

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(None)
        super().leaveEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            place = self.place_at(event.pos())
            if place is None:
                QToolTip.hideText()
            else:
                QToolTip.showText(event.globalPos(), self._tooltip(self._results[place]), self, self.cell(place))
            return True
        return super().viewportEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_mouse = event.reason() is QContextMenuEvent.Reason.Mouse
        place = self.place_at(event.pos()) if by_mouse else self._current
        if place is None:
            return
        self.set_current(place)
        at = event.globalPos() if by_mouse else self.viewport().mapToGlobal(self.cell(place).center())
        hit = self._results[place].hit
        menu = HitMenu(hit, self._offline.root_of(hit.path), self)
        menu.search_like.connect(self.search_like)
        menu.more_like.connect(self.more_like)
        menu.less_like.connect(self.less_like)
        menu.popup(at)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if self._current is None and event.reason() is not Qt.FocusReason.MouseFocusReason:
            self.set_current(0)

    # --- helpers -----------------------------------------------------------------------------------------------------

    def _step(self, place: int, step: int) -> int:
        """A step up or down that would leave the grid goes to the last row's end or stays, never sideways."""
        last = len(self._results) - 1
        if abs(step) >= self._columns and step < 0 and place + step < 0:
            return 0 if step <= -len(self._results) else place % self._columns
        return min(place + step, last)

    def _rows_in_sight(self) -> int:
        return max(1, self.viewport().height() // (self._painter.size.height() + GAP_PX))

    def _hover(self, place: int | None) -> None:
        if place != self._hovered:
            self._hovered = place
            self.viewport().update()

    def _repaint_items(self, item_ids: set[int]) -> None:
        for place in self.places_in_sight():
            if self._results[place].hit.item_id in item_ids:
                self.viewport().update(self.cell(place))

    def _tooltip(self, tile: Tile) -> str:
        lines = [tile.hit.path, wording.place(tile.hit), caption(tile.hit)]
        if away := self._offline.root_of(tile.hit.path):
            lines.append(self.tr("{0} is not there now. Connect its drive to open this file.").format(away))
        if tile.hit.copies:
            lines.append(
                self.tr("and {0} with the same content").format(wording.count(tile.hit.copies, "file", "files"))
            )
        if tile.folded:
            lines.append(self.tr("Press M to show or fold away this file's other moments"))
        return "\n".join(line for line in lines if line)

    def _drag_out(self) -> None:
        if self.current is None:
            return
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(self.current.path)])
        data.setData(intake.MOMENT_TYPE, str(self.current.start_ms or 0).encode())
        drag = QDrag(self)
        drag.setMimeData(data)
        if pixmap := self._thumbnails.pixmap(self.current.item_id):
            drag.setPixmap(pixmap.scaled(96, 96, Qt.AspectRatioMode.KeepAspectRatio))
        drag.exec(Qt.DropAction.CopyAction)
