"""Where an item is painted as large as there is room: a picture, a frame of a video, a waveform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.gui import theme

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QVideoFrame

CURSOR_PX = 2


class Canvas(QWidget):
    """Paints a picture or a video frame whole and in its proportions, or a waveform with a cursor on it.

    Signals: ``sought`` with a share of the width, 0 to 1, when the waveform was clicked; ``opened`` for a double click.
    """

    sought = Signal(float)
    opened = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pixmap = QPixmap()
        self._frame: QVideoFrame | None = None
        self._cursor: float | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 120)

    def sizeHint(self) -> QSize:
        return QSize(320, 240)

    def show_pixmap(self, pixmap: QPixmap) -> None:
        self._pixmap = pixmap
        self._frame = None
        self.update()

    def show_frame(self, frame: QVideoFrame) -> None:
        self._frame = frame
        self.update()

    def set_cursor(self, share: float | None) -> None:
        """Where the sound is, 0 to 1 of the width; None: it is no sound."""
        self._cursor = share
        self.setCursor(Qt.CursorShape.ArrowCursor if share is None else Qt.CursorShape.PointingHandCursor)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(self.rect()), theme.RADIUS_PX, theme.RADIUS_PX)
        painter.fillPath(outline, QColor(theme.colours().raised))
        painter.setClipPath(outline)
        if self._frame is not None:
            self._paint_frame(painter, self._frame)
        elif not self._pixmap.isNull():
            painter.drawPixmap(self._picture_rect(), self._pixmap, QRectF(self._pixmap.rect()))
        if self._cursor is not None:
            x_px = self._cursor * self.width()
            painter.setPen(QPen(QColor(theme.colours().accent), CURSOR_PX))
            painter.drawLine(QPointF(x_px, 0), QPointF(x_px, self.height()))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._seek_to(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._seek_to(event)

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        if self._cursor is None and not self._pixmap.isNull():
            self.opened.emit()

    def _seek_to(self, event: QMouseEvent) -> None:
        if self._cursor is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self.sought.emit(min(1.0, max(0.0, event.position().x() / max(1, self.width()))))

    def _paint_frame(self, painter: QPainter, frame: QVideoFrame) -> None:
        turned = frame.rotation().value % 180 != 0  # a frame is painted upright, but its size is as it is stored
        size = frame.size().transposed() if turned else frame.size()
        frame.paint(painter, self._fitted(size), type(frame).PaintOptions())

    def _picture_rect(self) -> QRectF:
        """Pictures keep their proportions; a waveform takes the whole width, so that the cursor runs along it."""
        if self._cursor is not None:
            height_px = min(self.height(), self.width() * 0.6)
            return QRectF(0, (self.height() - height_px) / 2, self.width(), height_px)
        return self._fitted(self._pixmap.size())

    def _fitted(self, size: QSize) -> QRectF:
        """The largest rectangle of these proportions in the middle of the canvas."""
        shown = QRectF(QPointF(0, 0), size.scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio).toSizeF())
        shown.moveCenter(QRectF(self.rect()).center())
        return shown
