"""What disturbances cost every model, as a map of cells that carry their colour and their number."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractTableModel, QCoreApplication, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QLinearGradient, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app.engine.evaltypes import Disturbance, Drop, Robustness
from app.engine.evaluation.report.spreadsheets import harmless
from app.engine.types import Modality
from app.gui import theme, wording

translate = QCoreApplication.translate

UNSURE_MARK = "~"
"""Stands before a change whose interval includes none."""

CELL_PX = QSize(84, 30)
INSET = "\N{EM SPACE}"
"""Before the names of disturbances below a heading."""

LEAST_RANGE = 0.1
"""Even where nothing changes more, this is full colour: small changes must look small."""

UNSURE_STRENGTH = 0.35
NAME_FLAGS = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
LEGEND_PX = QSize(160, 30)

_SHEET = """
QHeaderView { background: transparent; border: none; }
QHeaderView::section:vertical { border-bottom: none; font-weight: 400; color: palette(window-text); }
QTableCornerButton::section { background: transparent; border: none; }
"""


def groups() -> dict[Modality, str]:
    """What is disturbed, in the order of the map."""
    return {
        Modality.TEXT: translate("HeatMap", "Words"),
        Modality.IMAGE: translate("HeatMap", "Pictures"),
        Modality.AUDIO: translate("HeatMap", "Sounds"),
    }


@dataclass(frozen=True)
class Row:
    """A row of the map: a disturbance, or the heading of those of one kind."""

    name: str
    disturbance: Disturbance | None = None


def rows(disturbances: Sequence[Disturbance]) -> list[Row]:
    """The disturbances, by what they disturb; with headings where that is more than one thing."""
    made: list[Row] = []
    kinds = {kind: name for kind, name in groups().items() if any(one.modality is kind for one in disturbances)}
    for kind, name in kinds.items():
        if len(kinds) > 1:
            made.append(Row(name))
        made += [Row(one.name, one) for one in disturbances if one.modality is kind]
    return made


def signed(value: float) -> str:
    """``+0.12``, ``−0.03``, ``0.00``: with a true minus."""
    words = f"{value:+.2f}"
    return "0.00" if words in ("+0.00", "-0.00") else words.replace("-", "−")


def is_unsure(drop: Drop) -> bool:
    """Whether the change may be chance: its interval includes none, or is not known. Where no query changes at all,
    there is nothing unsure."""
    return drop.low is None or drop.high is None or (drop.low <= 0 <= drop.high and drop.low < drop.high)


def told(drop: Drop, disturbance: Disturbance, measure: str, model: str) -> str:
    """A cell in sentences."""
    lines = [f"{model}, {disturbance.name}"]
    figures = measure, f"{drop.before:.3f}", f"{drop.after:.3f}", signed(drop.change)
    lines.append(translate("HeatMap", "{0} {1} before, {2} after: {3}").format(*figures))
    if drop.low is not None and drop.high is not None:
        ends = signed(drop.low), signed(drop.high)
        lines.append(translate("HeatMap", "95% interval {0} to {1}").format(*ends))
    lines.append(wording.count(drop.queries, translate("HeatMap", "query"), translate("HeatMap", "queries")))
    if is_unsure(drop):
        lines.append(translate("HeatMap", "No difference can be told from so many queries."))
    return "\n".join(lines)


def as_text(result: Robustness, separator: str) -> str:
    """All the figures for a spreadsheet."""
    named = {one.key: one for one in result.disturbances}
    written = io.StringIO()
    writer = csv.writer(written, delimiter=separator, lineterminator="\n")
    writer.writerow(
        ["model", "disturbance", "kind", "measure", "queries", "before", "after", "change", "low", "high", "seed"]
    )
    for drop in result.drops:
        one = named[drop.disturbance]
        figures = [drop.before, drop.after, drop.change, drop.low, drop.high]
        shown = ["" if figure is None else f"{figure:.6f}" for figure in figures]
        name = result.names.get(drop.model, drop.model)
        writer.writerow(
            [harmless(name), one.name, one.modality.value, result.measure, drop.queries, *shown, result.seed]
        )
    return written.getvalue()


class HeatMap(QTableView):
    """Disturbances down, models across; the names stay in sight. Read only."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cells = Cells(self)
        self.setModel(self.cells)
        self.setItemDelegate(_Painter(self))
        self.setAccessibleName(self.tr("What each disturbance costs each model"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setCornerButtonEnabled(False)
        self.setStyleSheet(_SHEET)
        across, down = self.horizontalHeader(), self.verticalHeader()
        across.setHighlightSections(False)
        across.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        across.setMinimumSectionSize(CELL_PX.width())
        across.setTextElideMode(Qt.TextElideMode.ElideNone)  # else a name is shortened rather than wrapped
        across.setDefaultAlignment(NAME_FLAGS)
        down.setHighlightSections(False)
        down.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        down.setDefaultSectionSize(CELL_PX.height())
        down.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

    def show_result(self, result: Robustness) -> None:
        self.cells.set_result(result)
        self.clearSpans()
        for number, row in enumerate(self.cells.rows):
            if row.disturbance is None and len(result.models) > 1:
                self.setSpan(number, 0, 1, len(result.models))
        self._fit_names()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_names()

    def _fit_names(self) -> None:
        """Give the names of the models as many lines as the longest needs."""
        across = self.horizontalHeader()
        metrics = QFontMetrics(theme.font(theme.Type.BODY, QFont.Weight.DemiBold))
        heights_px = [metrics.height()]
        for column in range(self.cells.columnCount()):
            name = str(self.cells.headerData(column, Qt.Orientation.Horizontal))
            room = QRect(0, 0, across.sectionSize(column) - 2 * theme.SMALL_PX, 1000)
            heights_px.append(metrics.boundingRect(room, NAME_FLAGS, name).height())
        height_px = max(heights_px) + 2 * theme.SMALL_PX
        if height_px != across.height() or height_px != across.minimumHeight():
            across.setFixedHeight(height_px)


class Cells(QAbstractTableModel):
    """The drops of one result by row (disturbance) and column (model). `DROP_ROLE` gives a cell's `Drop` or None."""

    DROP_ROLE = Qt.ItemDataRole.UserRole

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[Row] = []
        self.range = LEAST_RANGE
        """The change that has full colour."""
        self._result: Robustness | None = None
        self._drops: dict[tuple[str, str], Drop] = {}

    def set_result(self, result: Robustness) -> None:
        self.beginResetModel()
        self._result = result
        self._drops = {(drop.model, drop.disturbance): drop for drop in result.drops}
        self.rows = rows(result.disturbances)
        self.range = max(LEAST_RANGE, *(abs(drop.change) for drop in result.drops))
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own
        return 0 if parent.isValid() or self._result is None else len(self._result.models)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if self._result is None:
            return None
        if orientation is Qt.Orientation.Horizontal:
            key = self._result.models[section]
            name = self._result.names.get(key, key)
            return name if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole) else None
        row = self.rows[section]
        inset = INSET if row.disturbance and any(other.disturbance is None for other in self.rows) else ""
        return inset + row.name if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        disturbance = self.rows[index.row()].disturbance
        drop = self._drop(index)
        if role == self.DROP_ROLE:
            return drop
        if drop is None or disturbance is None or self._result is None:
            words = self.tr("This model is not asked so.") if disturbance else None
            return words if role == Qt.ItemDataRole.ToolTipRole else None
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{UNSURE_MARK} {signed(drop.change)}" if is_unsure(drop) else signed(drop.change)
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return told(drop, disturbance, self._result.measure, self._result.names.get(drop.model, drop.model))
        return None

    def flags(self, index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        is_cell = self._drop(index) is not None
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable if is_cell else Qt.ItemFlag.NoItemFlags

    def _drop(self, index: QModelIndex | QPersistentModelIndex) -> Drop | None:
        disturbance = self.rows[index.row()].disturbance
        if disturbance is None or self._result is None:
            return None
        return self._drops.get((self._result.models[index.column()], disturbance.key))


def cell_colour(change: float, full: float, unsure: bool) -> QColor:
    """From the ground (no change) to orange (a loss) or blue (a gain), which ``full`` has; paler where unsure."""
    colours = theme.colours()
    strength = min(1.0, abs(change) / full) * (UNSURE_STRENGTH if unsure else 1.0)
    end = QColor(colours.loss if change < 0 else colours.gain)
    return _blend(QColor(colours.surface), end, strength)


def text_colour(ground: QColor) -> QColor:
    """Black or white, whichever stands out more (WCAG's contrast)."""
    return QColor("#000000") if _luminance(ground) > 0.179 else QColor("#ffffff")


def _blend(one: QColor, other: QColor, share: float) -> QColor:
    mixed = (a + (b - a) * share for a, b in zip(_rgb(one), _rgb(other), strict=True))
    return QColor.fromRgbF(*mixed)


def _rgb(colour: QColor) -> tuple[float, float, float]:
    return colour.redF(), colour.greenF(), colour.blueF()


def _luminance(colour: QColor) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4) for value in _rgb(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


class _Painter(QStyledItemDelegate):
    """Paints a cell: its colour, its number, and a frame when it is the current one."""

    def __init__(self, view: HeatMap) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        return CELL_PX

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        drop: Drop | None = index.data(Cells.DROP_ROLE)
        if drop is None:
            return
        rect: QRect = option.rect.adjusted(1, 1, -1, -1)
        ground = cell_colour(drop.change, self._view.cells.range, is_unsure(drop))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        selected = QStyle.StateFlag.State_Selected in option.state
        painter.setPen(QColor(theme.colours().text) if selected else Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(rect, 4, 4)
        weight = QFont.Weight.Normal if is_unsure(drop) else QFont.Weight.DemiBold
        painter.setFont(theme.font(theme.Type.BODY, weight))
        painter.setPen(text_colour(ground))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, index.data(Qt.ItemDataRole.DisplayRole))
        painter.restore()


class Legend(QWidget):
    """What the colours of a map mean: a strip from the largest loss to the largest gain, with its figures."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._full = LEAST_RANGE
        self.setFixedSize(LEGEND_PX)

    def set_range(self, full: float) -> None:
        self._full = full
        words = self.tr("Orange is a loss and blue a gain; full colour is {0} or more.").format(f"{full:.2f}")
        self.setToolTip(words)
        self.setAccessibleName(words)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        strip = QRect(0, 0, self.width(), 10)
        gradient = QLinearGradient(strip.topLeft(), strip.topRight())
        for place, change in ((0.0, -1.0), (0.5, 0.0), (1.0, 1.0)):
            gradient.setColorAt(place, cell_colour(change, 1.0, unsure=False))
        painter.setPen(QColor(theme.colours().border))
        painter.setBrush(gradient)
        painter.drawRect(strip.adjusted(0, 0, -1, -1))
        painter.setFont(theme.font(theme.Type.CAPTION))
        painter.setPen(QColor(theme.colours().muted))
        below = self.rect().adjusted(0, strip.height(), 0, 0)
        for side, words in (
            (Qt.AlignmentFlag.AlignLeft, signed(-self._full)),
            (Qt.AlignmentFlag.AlignHCenter, "0"),
            (Qt.AlignmentFlag.AlignRight, signed(self._full)),
        ):
            painter.drawText(below, side | Qt.AlignmentFlag.AlignVCenter, words)
