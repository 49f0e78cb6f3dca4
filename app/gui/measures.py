"""The table of measures: a row per model, a column per measure, the best of comparable models marked."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem, QWidget

from app.engine.evaltypes import Evaluation, ModelEvaluation
from app.gui import theme

BEST_MARK = "★"
DECIMALS = 3
MODEL, QUERIES, SPEED, AGREEMENT, FIRST_MEASURE = range(5)
"""The columns. What a model costs stands before what it finds, where the smallest window shows it."""
_DEVICES = {"cpu": "the processor"}
_NAME = re.compile(r"(?P<base>[A-Za-z0-9]+)(?:@(?P<k>\d+))?")

_EXPLANATIONS = {
    "P": "Of the first {k} results, the share that was judged relevant.",
    "R": "Of everything judged relevant so far, the share found among the first {k} results. Relevant items that "
    "nobody has judged are not known, so true recall may be lower.",
    "F1": "The harmonic mean of precision and recall among the first {k} results: high only when both are.",
    "AP": "Average precision: the precision at each relevant result, averaged. It rewards relevant results that come "
    "early, down the whole list.",
    "RR": "Reciprocal rank: 1 divided by the rank of the first relevant result. 1 means the first one is right.",
    "nDCG": "How good the order of the first {k} results is, against the best possible order: 1 is perfect.",
    "Judged": "The share of the first {k} results that somebody has judged. What is not judged counts as not relevant, "
    "so below 1 the other measures may be too low.",
}


def header(name: str) -> str:
    """A measure's standard name, but that recall says of what it is the share: what nobody judged is not known."""
    return f"Recall{name[1:]} of\njudged relevant" if name.startswith("R@") else name


def explanation(name: str) -> str:
    """A measure in a plain sentence."""
    match = _NAME.fullmatch(name)
    if not match or match["base"] not in _EXPLANATIONS:
        return f"{name}, as ir_measures defines it."
    return _EXPLANATIONS[match["base"]].format(k=match["k"] or "")


def speed_words(model: ModelEvaluation) -> str:
    """Items a second in as many digits as mean something."""
    rate = model.costs.items_per_s
    return "–" if not rate else f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"


def agreement_words(model: ModelEvaluation) -> str:
    return "–" if model.costs.agreement is None else f"{model.costs.agreement:.4f}"


def answered_keys(model: ModelEvaluation) -> frozenset[str]:
    """The queries a model's means are over; only means over the same queries may be compared."""
    return frozenset(result.query_key for result in model.queries)


def best(evaluation: Evaluation) -> set[tuple[str, str]]:
    """The (model, measure) pairs that are best among the models over the same queries.

    Values that read the same are equally good; where all do, none is best. Judged@k says how far the judging is, not
    how good a model is, so it has no best.
    """
    found = set()
    for keys in {answered_keys(model) for model in evaluation.models if model.queries}:
        peers = [model for model in evaluation.models if answered_keys(model) == keys]
        for name in evaluation.measures:
            values = {model.model: round(model.mean[name], DECIMALS) for model in peers if name in model.mean}
            if len(set(values.values())) > 1 and not name.startswith("Judged"):
                found |= {(model, name) for model, value in values.items() if value == max(values.values())}
    return found


def as_text(evaluation: Evaluation, separator: str) -> str:
    """The table for a spreadsheet: model, number of queries, the measures by their standard names, then its costs."""
    written = io.StringIO()
    writer = csv.writer(written, delimiter=separator, lineterminator="\n")
    writer.writerow(["model", "queries", *evaluation.measures, "items_per_s", "agreement"])
    for model in _rows(evaluation):
        values = [f"{model.mean[name]:.6f}" if name in model.mean else "" for name in evaluation.measures]
        speed = "" if model.costs.items_per_s is None else f"{model.costs.items_per_s:.6g}"
        agreement = "" if model.costs.agreement is None else f"{model.costs.agreement:.6f}"
        writer.writerow([model.name, len(model.queries), *values, speed, agreement])
    return written.getvalue()


class MeasuresTable(QTableWidget):
    """Read only; as tall as its rows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Measures per model"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.horizontalHeader().setHighlightSections(False)
        self.setStyleSheet(f"QTableView::item {{ padding: {theme.TINY_PX}px {theme.SMALL_PX}px; }}")
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_evaluation(self, evaluation: Evaluation) -> None:
        models = list(_rows(evaluation))
        marked = best(evaluation)
        self.clear()
        self.setColumnCount(FIRST_MEASURE + len(evaluation.measures))
        self.setRowCount(len(models))
        self._set_headers(evaluation)
        for row, model in enumerate(models):
            self._set_cell(row, MODEL, model.name)
            self._set_cell(row, QUERIES, str(len(model.queries)))
            self._set_cell(row, SPEED, speed_words(model))
            self._set_cell(row, AGREEMENT, agreement_words(model))
            for column, name in enumerate(evaluation.measures, start=FIRST_MEASURE):
                value = f"{model.mean[name]:.{DECIMALS}f}" if name in model.mean else "–"
                self._set_cell(row, column, value, (model.model, name) in marked)
        self.setColumnHidden(QUERIES, len(evaluation.queries) == 1)
        self.setColumnHidden(SPEED, not any(model.costs.items_per_s for model in models))
        self.setColumnHidden(AGREEMENT, all(model.costs.agreement is None for model in models))
        self.resizeRowsToContents()
        self._fit_height()
        self._fit_columns()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_columns()

    def _set_headers(self, evaluation: Evaluation) -> None:
        device = next((model.costs.device for model in evaluation.models if model.costs.device), "")
        speed = self.tr("How many items it encodes a second on {0} of this computer.")
        agreement = self.tr(
            "Of a faster variant: how near its vectors are to those of its base, as a mean cosine. 1 is the same."
        )
        columns = [
            (self.tr("Model"), self.tr("The model whose results are measured.")),
            (self.tr("Queries"), self.tr("How many queries it answered; its figures are means over them.")),
            (self.tr("Items\na second"), speed.format(_DEVICES.get(device, f"the GPU ({device})"))),
            (self.tr("Like\nits base"), agreement),
            *((header(name), explanation(name)) for name in evaluation.measures),
        ]
        for column, (words, sentence) in enumerate(columns):
            item = QTableWidgetItem(words)
            item.setToolTip(sentence)
            side = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
            item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
            self.setHorizontalHeaderItem(column, item)

    def _set_cell(self, row: int, column: int, words: str, is_best: bool = False) -> None:
        item = QTableWidgetItem(f"{BEST_MARK} {words}" if is_best else words)
        if is_best:
            item.setFont(theme.font(theme.Type.BODY, QFont.Weight.Bold))
            item.setToolTip(self.tr("Best of the models over the same queries"))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, self.tr("{0}, best").format(words))
        side = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
        item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
        self.setItem(row, column, item)

    def _fit_columns(self) -> None:
        """Every column as wide as its contents, and what room is left to the names."""
        self.resizeColumnsToContents()
        spare_px = self.viewport().width() - sum(self.columnWidth(column) for column in range(self.columnCount()))
        if spare_px > 0 and self.columnCount():
            self.setColumnWidth(0, self.columnWidth(0) + spare_px)

    def _fit_height(self) -> None:
        rows_px = sum(self.rowHeight(row) for row in range(self.rowCount()))
        bar_px = self.horizontalScrollBar().sizeHint().height()
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + rows_px + bar_px)


def _rows(evaluation: Evaluation) -> Iterable[ModelEvaluation]:
    """The models that answered anything, those over the same queries together and most queries first."""
    answered = [model for model in evaluation.models if model.queries]
    return sorted(answered, key=lambda model: (-len(model.queries), sorted(answered_keys(model))))
