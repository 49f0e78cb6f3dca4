"""A layout like words in a paragraph: side by side while there is room, then on the next line."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget

from app.gui import theme


class FlowLayout(QLayout):
    """Every item has its preferred size; what is wider than the whole line is made as narrow as the line."""

    def __init__(self, parent: QWidget | None = None, spacing_px: int = theme.SMALL_PX) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self.setSpacing(spacing_px)
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width_px: int) -> int:
        return self._arrange(QRect(0, 0, width_px, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._arrange(rect, move=True)

    def sizeHint(self) -> QSize:
        shown = self._shown()
        width_px = sum(item.sizeHint().width() for item in shown) + self.spacing() * max(0, len(shown) - 1)
        return QSize(width_px, max((item.sizeHint().height() for item in shown), default=0))

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._shown():
            size = size.expandedTo(item.minimumSize())
        return size

    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]

    def _arrange(self, rect: QRect, move: bool) -> int:
        """The height in pixels that the lines take in this width."""
        y = rect.y()
        for line in self._lines(rect.width()):
            line_px = max(size.height() for _item, size in line)
            x = rect.x()
            for item, size in line:
                if move:
                    item.setGeometry(QRect(QPoint(x, y + (line_px - size.height()) // 2), size))
                x += size.width() + self.spacing()
            y += line_px + self.spacing()
        return max(0, y - self.spacing() - rect.y())

    def _lines(self, width_px: int) -> list[list[tuple[QLayoutItem, QSize]]]:
        """What goes on each line, with its size."""
        lines: list[list[tuple[QLayoutItem, QSize]]] = []
        room_px = -1
        for item in self._shown():
            hint = item.sizeHint()
            size = QSize(min(hint.width(), width_px), hint.height())
            if size.width() > room_px:
                lines.append([])
                room_px = width_px
            lines[-1].append((item, size))
            room_px -= size.width() + self.spacing()
        return lines
