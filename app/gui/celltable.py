"""A table that is never wider than its place: columns that have no room are left out, or follow in a further block.

A cell holds a figure, a line of small letters below it, and where it is known a bar that shows how sure the figure is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.gui import theme

NAME_PX, NAME_MOST_PX = 132, 260
COLUMN_PX, COLUMN_MOST_PX = 86, 120
BAR_PX = 7
CELL_ROLE = Qt.ItemDataRole.UserRole
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True)
class Column:
    name: str
    explanation: str = ""


@dataclass(frozen=True)
class Bar:
    """A figure between 0 and 1, its interval, and how far it could move if more were known. ``start`` and ``end``: what
    part of the scale is drawn."""

    value: float
    low: float | None = None
    high: float | None = None
    least: float | None = None
    most: float | None = None
    start: float = 0.0
    end: float = 1.0

    @property
    def places(self) -> list[float]:
        """All that is drawn."""
        return [place for place in (self.value, self.low, self.high, self.least, self.most) if place is not None]


@dataclass(frozen=True)
class Cell:
    """``spoken`` is said instead of the text and the caption by a screen reader."""

    text: str
    caption: str = ""
    explanation: str = ""
    strong: bool = False
    bar: Bar | None = None
    spoken: str = ""


@dataclass(frozen=True)
class Row:
    """``inset``: it is a part of the row above it."""

    name: str
    cells: tuple[Cell, ...]
    caption: str = ""
    explanation: str = ""
    inset: bool = False


class CellTable(QWidget):
    """As tall as its rows. Signal ``fitted`` when another number of columns is shown.

    ``wraps``: columns that have no room follow in a further block below; else they are left out.
    """

    fitted = Signal()

    def __init__(self, name: str, wraps: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._wraps = wraps
        self._heading = ""
        self._columns: tuple[Column, ...] = ()
        self._rows: tuple[Row, ...] = ()
        self._spread: list[int] = []
        self._column_px = COLUMN_PX
        """What a column needs at least."""
        self.blocks: list[Block] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.SMALL_PX)

    @property
    def left_out(self) -> int:
        """How many columns have no room in one block."""
        return max(0, len(self._columns) - self._per_block())

    @property
    def wraps(self) -> bool:
        return self._wraps

    def set_wraps(self, wraps: bool) -> None:
        self._wraps = wraps
        self._arrange(anew=True)

    def show_rows(self, heading: str, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        """``heading`` stands over the names of the rows."""
        self._heading, self._columns, self._rows = heading, tuple(columns), tuple(rows)
        self._column_px = least_column_px(self._columns, self._rows)
        self._arrange(anew=True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange(anew=False)

    def _per_block(self) -> int:
        return max(1, (self.width() - NAME_PX) // self._column_px)

    def _arrange(self, anew: bool) -> None:
        per_block, count = self._per_block(), len(self._columns)
        if self._wraps and count:
            blocks = -(-count // per_block)
            per_block = -(-count // blocks)  # as many in each
        starts = range(0, count, per_block) if self._wraps else range(min(1, count))
        spread = [min(per_block, count - start) for start in starts]
        if anew or spread != self._spread:
            self._spread = spread
            for block in self.blocks:
                block.hide()
                block.deleteLater()
            self.blocks = [self._block(start, size) for start, size in zip(starts, spread, strict=True)]
            self.fitted.emit()
        for block in self.blocks:
            block.fit(self.width(), self._column_px)

    def _block(self, start: int, size: int) -> Block:
        chosen = slice(start, start + size)
        rows = [Row(row.name, row.cells[chosen], row.caption, row.explanation, row.inset) for row in self._rows]
        block = Block(self._heading, self._columns[chosen], rows)
        block.setAccessibleName(self._name)
        self._column.addWidget(block)
        return block


def least_column_px(columns: Sequence[Column], rows: Sequence[Row]) -> int:
    """What the widest column needs for its figures and its name, none of which is cut."""
    cells = [cell for row in rows for cell in row.cells]
    body, caption = theme.Type.BODY, theme.Type.CAPTION
    words = (
        (theme.font(body, QFont.Weight.DemiBold), [line for column in columns for line in column.name.split("\n")]),
        (theme.font(body, QFont.Weight.Bold), [cell.text for cell in cells if cell.strong]),
        (theme.font(body), [cell.text for cell in cells if not cell.strong]),
        (theme.font(caption), [cell.caption for cell in cells]),
    )
    widths_px = [QFontMetrics(font).horizontalAdvance(line) for font, lines in words for line in lines]
    return max([COLUMN_PX, *(width_px + 2 * theme.SMALL_PX for width_px in widths_px)])


class Block(QTableWidget):
    """A name and as many columns as have room beside it. Read only."""

    def __init__(
        self, heading: str, columns: Sequence[Column], rows: Sequence[Row], parent: QWidget | None = None
    ) -> None:
        super().__init__(len(rows), 1 + len(columns), parent)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setItemDelegate(_CellDelegate(self))
        for number, column in enumerate((Column(heading), *columns)):
            item = QTableWidgetItem(column.name)
            item.setToolTip(column.explanation)
            item.setTextAlignment(_RIGHT if number else _LEFT)
            self.setHorizontalHeaderItem(number, item)
        for row_number, row in enumerate(rows):
            named = Cell(row.name, row.caption, row.explanation)
            for number, cell in enumerate((named, *row.cells)):
                self.setItem(row_number, number, _item(cell, row.inset and not number))
        self._fit_height(rows)

    def fit(self, width_px: int, column_px: int) -> None:
        """Share out a width: what the figures, which need ``column_px``, do not need goes to the names."""
        columns = self.columnCount() - 1
        frame_px = 2 * self.frameWidth() + 2
        name_px = NAME_PX if columns else width_px - frame_px
        if columns:
            each_px = min(max(COLUMN_MOST_PX, column_px), max(column_px, (width_px - frame_px - NAME_PX) // columns))
            name_px = max(NAME_PX - frame_px, width_px - frame_px - columns * each_px)
            if name_px > NAME_MOST_PX:
                each_px = (width_px - frame_px - NAME_MOST_PX) // columns
                name_px = width_px - frame_px - columns * each_px
            for column in range(1, columns + 1):
                self.setColumnWidth(column, each_px)
        self.setColumnWidth(0, name_px)

    def _fit_height(self, rows: Sequence[Row]) -> None:
        lines_px = [QFontMetrics(theme.font(kind)).height() for kind in (theme.Type.BODY, theme.Type.CAPTION)]
        captions = any(row.caption or any(cell.caption for cell in row.cells) for row in rows)
        bars = any(cell.bar for row in rows for cell in row.cells)
        height_px = lines_px[0] + captions * lines_px[1] + bars * BAR_PX + 2 * theme.TINY_PX + 2
        for number in range(len(rows)):
            self.setRowHeight(number, height_px)
        rows_px = sum(self.rowHeight(number) for number in range(self.rowCount()))
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + rows_px + 2 * self.frameWidth() + 4)


def _item(cell: Cell, inset: bool) -> QTableWidgetItem:
    item = QTableWidgetItem(cell.text)
    item.setData(CELL_ROLE, (cell, inset))
    item.setToolTip(cell.explanation)
    spoken = cell.spoken or ", ".join(words for words in (cell.text, cell.caption) if words)
    item.setData(Qt.ItemDataRole.AccessibleTextRole, spoken)
    return item


class _CellDelegate(QStyledItemDelegate):
    """Paints the figure, the small letters below it, and the bar."""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(COLUMN_PX, 0)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        cell, inset = index.data(CELL_ROLE)
        style: QStyle = option.widget.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        side = _RIGHT if index.column() else _LEFT
        rect: QRect = option.rect.adjusted(theme.SMALL_PX, theme.TINY_PX, -theme.SMALL_PX, -theme.TINY_PX)
        if inset:
            rect.setLeft(rect.left() + theme.LARGE_PX)
        weight = QFont.Weight.Bold if cell.strong else QFont.Weight.Normal
        colours = theme.colours()
        body = theme.font(theme.Type.BODY, weight)
        if not index.column() and not cell.caption:
            _name(painter, rect, body, colours.muted if inset else colours.text, cell.text)
            return
        top = _line(painter, rect, side, body, colours.muted if inset else colours.text, cell.text)
        if cell.caption:
            rect.setTop(top)
            top = _line(painter, rect, side, theme.font(theme.Type.CAPTION), colours.muted, cell.caption)
        if cell.bar:
            rect.setTop(top)
            paint_bar(painter, QRect(rect.left(), top + 1, rect.width(), BAR_PX), cell.bar)


def _name(painter: QPainter, rect: QRect, font: QFont, colour: str, words: str) -> None:
    """A name that may take two lines, where the row has them."""
    metrics = QFontMetrics(font)
    if metrics.horizontalAdvance(words) <= rect.width() or rect.height() < 2 * metrics.height():
        _line(painter, rect, _LEFT, font, colour, words)
        return
    ends = [end for end in range(len(words), 0, -1) if metrics.horizontalAdvance(words[:end].rstrip()) < rect.width()]
    first = next((words[:end] for marks in (" ", "-/") for end in ends if words[end - 1] in marks), "")
    top = _line(painter, rect, _LEFT, font, colour, first.rstrip()) if first else rect.top()
    _line(painter, QRect(rect.left(), top, rect.width(), metrics.height()), _LEFT, font, colour, words[len(first) :])


def _line(painter: QPainter, rect: QRect, side: Qt.AlignmentFlag, font: QFont, colour: str, words: str) -> int:
    """Write a line at the top of ``rect``; where the next one begins."""
    metrics = QFontMetrics(font)
    line = QRect(rect.left(), rect.top(), rect.width(), metrics.height())
    painter.setFont(font)
    painter.setPen(QColor(colour))
    painter.drawText(line, side, metrics.elidedText(words, Qt.TextElideMode.ElideRight, rect.width()))
    return line.bottom() + 1


def paint_bar(painter: QPainter, rect: QRect, bar: Bar) -> None:
    """A part of the scale from 0 to 1: the interval as a thick line, the figure as a dot on it, and light ticks where
    it would be if nothing, or everything, that is not judged were relevant."""
    colours = theme.colours()
    middle = rect.center().y()
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)

    def x(value: float) -> int:
        share = (value - bar.start) / (bar.end - bar.start)
        return rect.left() + 2 + round(min(max(share, 0.0), 1.0) * (rect.width() - 5))

    painter.fillRect(QRect(rect.left(), middle, rect.width(), 1), QColor(colours.border))
    if bar.least is not None and bar.most is not None and bar.most - bar.least > 0.005:
        for bound in (bar.least, bar.most):
            painter.fillRect(QRect(x(bound), rect.top() + 1, 1, rect.height() - 2), QColor(colours.muted))
    if bar.low is not None and bar.high is not None:
        span = QRect(x(bar.low), middle - 1, max(1, x(bar.high) - x(bar.low)), 3)
        light = QColor(colours.accent)
        light.setAlphaF(0.55)
        painter.fillRect(span, light)
    painter.setBrush(QColor(colours.accent))
    painter.drawEllipse(QRect(x(bar.value) - 2, middle - 2, 5, 5))
    painter.restore()
