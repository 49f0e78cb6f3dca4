"""The quality–cost plot: every model a point with its interval, and a line along those that no other beats in both."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from math import log10
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QComboBox, QFrame, QVBoxLayout, QWidget

from app.engine.evaltypes import Evaluation, ModelCosts
from app.engine.evaluation.order import answered_keys
from app.gui import theme
from app.gui.costtable import rate_words, size_words, time_words
from app.gui.measures import compared_by, plain, ranked

if TYPE_CHECKING:
    from app.gui.plotting import Chart

HEIGHT_PX = 320
NUMBERS = "numpy"
ASK_AGAIN_MS = 30


@dataclass(frozen=True)
class Axis:
    """A cost: how it is read from a model, said, and drawn. ``more_is_better``: speed; else it is a burden."""

    name: str
    title: str
    of: Callable[[ModelCosts], float | None]
    words: Callable[[float], str]
    logarithmic: bool = False
    more_is_better: bool = False


AXES = (
    Axis("Indexing speed", "Items a second", lambda costs: costs.items_per_s, rate_words, True, True),
    Axis("Time of a search", "What 95% of searches take at most", lambda costs: costs.query_p95_ms, time_words, True),
    Axis("Memory", "Memory while it is loaded", lambda costs: costs.memory_bytes, lambda size: size_words(round(size))),
    Axis("Size of an item", "What an item takes in the library", lambda costs: costs.bytes_per_item,
         lambda size: size_words(round(size))),
)  # fmt: skip


@dataclass(frozen=True)
class Point:
    """A model at a cost, with the interval of its quality."""

    key: str
    name: str
    cost: float
    value: float
    low: float | None = None
    high: float | None = None


def points(evaluation: Evaluation, axis: Axis) -> list[Point]:
    """The models whose cost is known and not 0, of those that answered the same queries: where there are several such
    groups, of the one with the most models, or else the most queries. Means over other queries are not comparable."""
    name = compared_by(evaluation)
    groups: dict[frozenset[str], list[Point]] = {}
    for model in ranked(evaluation):
        cost, measured = axis.of(model.costs), model.measures.get(name)
        if cost and measured:
            point = Point(model.model, model.name, float(cost), measured.value, measured.low, measured.high)
            groups.setdefault(answered_keys(model), []).append(point)
    return max(groups.values(), key=len, default=[])


def frontier(found: Sequence[Point], more_is_better: bool) -> list[Point]:
    """Those that no other beats in both quality and cost, cheapest first."""
    sign = -1 if more_is_better else 1
    kept: list[Point] = []
    for point in sorted(found, key=lambda point: (sign * point.cost, -point.value)):
        if not kept or point.value > kept[-1].value:
            kept.append(point)
    return kept


def ticks(low: float, high: float) -> list[float]:
    """Round figures (1, 2, 5 times a power of ten) of a logarithmic axis between two costs."""
    decades = range(int(log10(low)) - 1, int(log10(high)) + 2)
    return [digit * 10.0**decade for decade in decades for digit in (1, 2, 5) if low <= digit * 10.0**decade <= high]


class CostPlot(QWidget):
    """Draws nothing before it comes into sight. What is shown is said in words too.

    Of what plots numpy is read beside the window's own thread as soon as there is something to show, and pyqtgraph in
    it when that is seen, once for a quarter of a second: it asks for all of Qt's classes, which are made at that
    moment, and two threads that make them at once crash.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._evaluation: Evaluation | None = None
        self._drawn = False
        self._loading: threading.Thread | None = None
        self.chart: Chart | None = None
        self.axis = QComboBox()
        self.axis.setAccessibleName(self.tr("The cost that the plot shows"))
        self.axis.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.axis.activated.connect(self._say)
        self._card = QFrame()
        theme.set_role(self._card, "card")
        self._card.setFixedHeight(HEIGHT_PX)
        self._inside = QVBoxLayout(self._card)
        self._inside.setContentsMargins(theme.SMALL_PX, theme.MEDIUM_PX, theme.SMALL_PX, theme.SMALL_PX)
        self._words = theme.label("", theme.Type.CAPTION)
        self._words.setWordWrap(True)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.SMALL_PX)
        self._column.addWidget(self._card)
        self._column.addWidget(self._words)

    @property
    def words(self) -> str:
        """What the plot shows, in a sentence."""
        return self._words.text()

    def show_evaluation(self, evaluation: Evaluation) -> None:
        """Offer the costs that are known of two models at least; with none the plot is hidden."""
        self._evaluation = evaluation
        chosen = self.axis.currentText()
        self.axis.clear()
        for number, axis in enumerate(AXES):
            if len(points(evaluation, axis)) > 1:
                self.axis.addItem(axis.name, number)
        self.axis.setCurrentIndex(max(0, self.axis.findText(chosen)))
        self.axis.setVisible(self.axis.count() > 1)
        self.setVisible(self.axis.count() > 0)
        if self.axis.count() and self._loading is None and NUMBERS not in sys.modules:
            self._loading = threading.Thread(target=import_module, args=(NUMBERS,), daemon=True)
            self._loading.start()
        self._say()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._drawn:
            self._drawn = True
            QTimer.singleShot(0, self, self._draw)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.PaletteChange:
            self._drawn = False
        super().changeEvent(event)

    def _chosen(self) -> tuple[Axis, list[Point], list[Point]] | None:
        """The axis, all points, and those on the frontier."""
        if self._evaluation is None or self.axis.currentData() is None:
            return None
        axis = AXES[self.axis.currentData()]
        found = points(self._evaluation, axis)
        return axis, found, frontier(found, axis.more_is_better)

    def _left_out(self, found: Sequence[Point]) -> str:
        """Which models answered other queries, and so have no place beside these."""
        shown = {point.key for point in found}
        models = self._evaluation.models if self._evaluation else ()
        keys = next((answered_keys(model) for model in models if model.model in shown), frozenset())
        others = [model.name for model in models if model.queries and answered_keys(model) != keys]
        sentence = self.tr("Not shown, because other queries were answered: {0}.")
        return sentence.format(", ".join(others)) if others else ""

    def _quality(self) -> str:
        return plain(compared_by(self._evaluation)) if self._evaluation else ""

    def _say(self) -> None:
        chosen = self._chosen()
        if chosen:
            axis, found, best = chosen
            quality, cost = self._quality(), axis.name.lower()
            names = ", ".join(point.name for point in best)
            alone = self.tr("No other model is better than {2} in {0} or in {1}.")
            several = self.tr("No other model beats these in both {0} and {1}: {2}.")
            said = (several if len(best) > 1 else alone).format(quality, cost, names)
            self._words.setText(" ".join(filter(None, (said, self._left_out(found)))))
        self._drawn = False
        self.update()

    def _draw(self) -> None:
        chosen = self._chosen()
        if chosen is None or self._card.visibleRegion().isEmpty():  # it has been laid out elsewhere meanwhile
            self._drawn = False
            return
        if self._loading and self._loading.is_alive():
            QTimer.singleShot(ASK_AGAIN_MS, self, self._draw)
            return
        if self.chart is None:
            from app.gui.plotting import Chart  # with numpy, which the window does without until there are results

            self.chart = Chart()
            self._inside.addWidget(self.chart)
        axis, found, best = chosen
        self.chart.draw(axis, self._quality(), found, best)
        self.chart.setAccessibleName(self.tr("{0} against {1}").format(self._quality(), axis.name.lower()))
        self.chart.setAccessibleDescription(self._words.text())
