"""What draws plots in the window, by pyqtgraph. Import it when a plot is first seen: it brings numpy along."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import pairwise
from math import log10
from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPen, QWheelEvent
from PySide6.QtWidgets import QFrame

from app.gui import theme
from app.gui.costplot import Axis, Point, ticks

# pyqtgraph would import this where it is installed (with torch), which runs a program to look for a graphics card; in
# the window's process nobody needs one.
sys.modules.setdefault("cuda.bindings", None)  # type: ignore[arg-type]
import pyqtgraph  # noqa: E402 - only after that

LABEL_MOST_PX = 170
POINT_PX = 10
_GAP_PX = 9
_PAD = 0.08
_LEAST_DECADES, _LEAST_QUALITY = 0.5, 0.1
_FRONTIER_WIDTH, _INTERVAL_WIDTH = 1.5, 1.5


class Chart(pyqtgraph.GraphicsLayoutWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """A still picture of points: nothing in it is dragged, and the wheel turns the page it stands on.

    It is put together from a view and two axes, because pyqtgraph's plot makes menus that outlive it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # what it shows is said below it and in the table
        self.setFrameShape(QFrame.Shape.NoFrame)
        self._view = pyqtgraph.ViewBox(enableMenu=False, enableMouse=False)
        self._axes = {side: pyqtgraph.AxisItem(side, linkView=self._view) for side in ("left", "bottom")}
        self.addItem(self._axes["left"], 0, 0)
        self.addItem(self._view, 0, 1)
        self.addItem(self._axes["bottom"], 1, 1)
        self.ci.setSpacing(0)
        for axis in self._axes.values():
            axis.enableAutoSIPrefix(False)
        self._labels: list[tuple[Any, QPointF, str]] = []
        self._lines: list[tuple[QPointF, QPointF]] = []
        self._points: list[QPointF] = []
        self._view.sigResized.connect(self._place_labels)

    def draw(self, axis: Axis, quality: str, points: Sequence[Point], frontier: Sequence[Point]) -> None:
        """Show points with their intervals and names; ``frontier`` are filled and joined."""
        self._view.clear()
        self._labels.clear()
        self._lines.clear()
        self.setBackground(theme.colours().surface)
        over_px = QFontMetrics(theme.font(theme.Type.CAPTION)).height() / 2  # of a figure at the very top of the scale
        self.ci.setContentsMargins(0, over_px, 0, 0)
        places = {
            point.key: QPointF(log10(point.cost) if axis.logarithmic else point.cost, point.value) for point in points
        }
        self._points = list(places.values())
        self._scale(axis, quality, points)
        self._draw_frontier([places[point.key] for point in frontier])
        for point in points:
            self._draw_point(point, places[point.key], point in frontier)
        self._place_labels()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    # --- axes --------------------------------------------------------------------------------------------------------

    def _scale(self, axis: Axis, quality: str, points: Sequence[Point]) -> None:
        costs = [point.cost for point in points]
        left, right = (log10(min(costs)), log10(max(costs))) if axis.logarithmic else (0.0, max(costs))
        spare = _LEAST_DECADES - (right - left) if axis.logarithmic else 0.0
        pad = max(_PAD * (right - left), spare / 2)
        right += 2 * pad  # names stand on the right of their points
        left = left - pad if axis.logarithmic else left
        low = min(point.value if point.low is None else point.low for point in points)
        high = max(point.value if point.high is None else point.high for point in points)
        pad = max(_PAD * (high - low), (_LEAST_QUALITY - (high - low)) / 2)
        self._view.setXRange(left, right, padding=0)
        self._view.setYRange(max(0.0, low - pad), min(1.0 + _PAD / 2, high + pad), padding=0)
        self._name_axis("bottom", axis.title)
        self._name_axis("left", quality)
        marks = ticks(10**left, 10**right) if axis.logarithmic else None
        words = [(log10(mark), axis.words(mark)) for mark in marks] if marks else None
        if words is None:
            words = [(mark, axis.words(mark)) for mark in _even_ticks(right)]
        self._axes["bottom"].setTicks([words])

    def _name_axis(self, side: str, words: str) -> None:
        colours = theme.colours()
        axis = self._axes[side]
        axis.setPen(pyqtgraph.mkPen(colours.border))
        axis.setTextPen(pyqtgraph.mkPen(colours.muted))
        axis.setStyle(tickFont=theme.font(theme.Type.CAPTION), tickLength=-4)
        axis.setLabel(words, color=colours.muted)

    # --- points ------------------------------------------------------------------------------------------------------

    def _draw_frontier(self, places: Sequence[QPointF]) -> None:
        """A stair: between two models, the cheaper one is still the best to be had."""
        corners = []
        for number, place in enumerate(places):
            if number:
                corners.append(QPointF(place.x(), places[number - 1].y()))
            corners.append(place)
        self._lines += pairwise(corners)
        pen = pyqtgraph.mkPen(theme.colours().accent, width=_FRONTIER_WIDTH, style=Qt.PenStyle.DashLine)
        self._view.addItem(_line(corners, pen))

    def _draw_point(self, point: Point, place: QPointF, on_frontier: bool) -> None:
        colours = theme.colours()
        colour = QColor(colours.accent if on_frontier else colours.muted)
        if point.low is not None and point.high is not None:
            pen = pyqtgraph.mkPen(colour, width=_INTERVAL_WIDTH)
            ends = (QPointF(place.x(), point.low), QPointF(place.x(), point.high))
            self._view.addItem(_line(ends, pen))
            self._lines.append(ends)
        brush = colour if on_frontier else QColor(colours.surface)
        dot = pyqtgraph.ScatterPlotItem(
            [place.x()], [place.y()], size=POINT_PX, pen=pyqtgraph.mkPen(colour, width=2), brush=brush
        )
        self._view.addItem(dot)
        font = theme.font(theme.Type.CAPTION)
        words = QFontMetrics(font).elidedText(point.name, Qt.TextElideMode.ElideMiddle, LABEL_MOST_PX)
        label = pyqtgraph.TextItem(words, color=colours.text if on_frontier else colours.muted)
        label.setFont(font)
        self._view.addItem(label)
        label.setPos(place)
        self._labels.append((label, place, words))

    def _place_labels(self) -> None:
        view = self._view
        (left, right), (low, high) = view.viewRange()
        x_px, y_px = view.width() / (right - left), view.height() / (high - low)
        metrics = QFontMetrics(theme.font(theme.Type.CAPTION))
        sizes = [QSizeF(metrics.horizontalAdvance(words) + 8, metrics.height() + 4) for _i, _p, words in self._labels]

        def pixel(place: QPointF) -> QPointF:
            return QPointF((place.x() - left) * x_px, (high - place.y()) * y_px)

        spots = [pixel(place) for place in self._points]
        half = POINT_PX / 2 + 1
        dots = [QRectF(spot.x() - half, spot.y() - half, 2 * half, 2 * half) for spot in spots]
        lines = [QRectF(pixel(begin), pixel(end)).normalized().adjusted(-1, -1, 1, 1) for begin, end in self._lines]
        corners = place_labels(spots, sizes, QRectF(0, 0, view.width(), view.height()), dots, lines)
        for (label, _place, _words), spot, size, corner in zip(self._labels, spots, sizes, corners, strict=True):
            label.setAnchor(((spot.x() - corner.x()) / size.width(), (spot.y() - corner.y()) / size.height()))


def _line(corners: Sequence[QPointF], pen: QPen) -> Any:
    return pyqtgraph.PlotCurveItem([corner.x() for corner in corners], [corner.y() for corner in corners], pen=pen)


def place_labels(
    spots: Sequence[QPointF], sizes: Sequence[QSizeF], within: QRectF, dots: Sequence[QRectF], lines: Sequence[QRectF]
) -> list[QPointF]:
    """The upper left corner of every label, near its point and, as far as that can be, clear of points, of the labels
    before it, and of lines, in this order of weight. All in pixels."""
    taken = list(dots)
    corners = []
    for spot, size in zip(spots, sizes, strict=True):

        def cost(rect: QRectF) -> float:
            hard = sum(rect.intersects(other) for other in taken)
            soft = sum(rect.intersects(other) for other in lines)
            return 100 * (not within.contains(rect)) + 10 * hard + 2 * soft

        tried = [QRectF(spot + offset, size) for offset in _offsets(size)]
        chosen = min(tried, key=cost)
        taken.append(chosen)
        corners.append(chosen.topLeft())
    return corners


def _offsets(size: QSizeF) -> list[QPointF]:
    """From a point to the corner of its label, the best places first: beside it, above and below, and a line off."""
    width, height = size.width(), size.height()
    right, left, middle = _GAP_PX, -_GAP_PX - width, -width / 2
    beside = [QPointF(x, -height / 2) for x in (right, left)]
    over = [QPointF(x, y) for y in (-height - _GAP_PX, _GAP_PX) for x in (middle, right, left)]
    slanted = [QPointF(x, y) for y in (-height, 0) for x in (right, left)]
    return [*beside, *slanted, *over]


def _even_ticks(most: float) -> list[float]:
    """Four or five round figures from 0 on."""
    step = next(step for step in ticks(most / 10, most) if most / step <= 5)
    return [step * number for number in range(int(most / step) + 1)]
