"""What is measured: which queries, how many results, by whose judgments, and what models are compared by."""

from __future__ import annotations

from collections import Counter

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from app.engine.evaltypes import EvaluationRequest
from app.engine.judgingtypes import QuerySet, QuerySummary
from app.gui import theme, wording
from app.gui.flow import FlowLayout
from app.gui.measures import kind_words, short
from app.gui.querylist import query_icon

KS = (1, 4, 5, 10, 20)
DEFAULT_K = 10
MOST_K = 1000
THIS_QUERY, ALL_QUERIES = "this", "all"
COMPARED_BY = ("P@{k}", "nDCG@{k}", "R@{k}", "F1@{k}", "Success@{k}", "AP", "RR", "Rprec")
"""What models may be compared by; the first is what they are compared by unless another is chosen."""


class MeasuringBar(QWidget):
    """Signal ``changed`` when a person chose something else."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._summary: QuerySummary | None = None
        self._summaries: tuple[QuerySummary, ...] = ()
        self._set: QuerySet | None = None
        self._k = DEFAULT_K
        self.scope = self._combo(self.tr("Which queries are measured"))
        self.k = self._combo(self.tr("How many results are measured"))
        self.k.setEditable(True)
        self.k.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.k.setToolTip(self.tr("How many of the first results are measured: choose, or type a number up to 1,000"))
        for k in KS:
            self.k.addItem(str(k))
        self.k.setCurrentText(str(DEFAULT_K))
        self.k.setLineEdit(typed := QLineEdit())
        typed.editingFinished.connect(self._take_k)
        self.measure = self._combo(self.tr("What models are compared by"))
        self.judge = self._combo(self.tr("By whose judgments"))
        self.judge.currentIndexChanged.connect(self._say_how_joined)
        self.k.activated.connect(self._take_k)
        for combo in (self.scope, self.measure, self.judge):
            combo.activated.connect(self.changed)
        row = FlowLayout(self)
        first = theme.label(self.tr("First"), theme.Type.CAPTION)
        for widget in (self.scope, first, self.k, self.measure, self.judge):
            row.addWidget(widget)
        self._name_measures()
        self.show_set(None)

    @property
    def chosen_k(self) -> int:
        return self._k

    @property
    def chosen_judge(self) -> str | None:
        """None: all judges together."""
        judge: str | None = self.judge.currentData()
        return judge

    @property
    def summary(self) -> QuerySummary | None:
        return self._summary

    def show_set(self, query_set: QuerySet | None) -> None:
        """Offer the judges of a set, where there is more than one."""
        self._set = query_set
        judges = query_set.judges if query_set else ()
        chosen = self.judge.currentData()
        self.judge.clear()
        self.judge.addItem(self.tr("All judges"), None)
        for judge in judges:
            self.judge.addItem(wording.judge(judge, self.tr("You")), judge)
        self.judge.setCurrentIndex(max(0, self.judge.findData(chosen)))
        for role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleDescriptionRole):
            self.judge.setItemData(0, self._how_joined(), role)
        self._say_how_joined()
        self.judge.setVisible(len(judges) > 1)

    def set_queries(self, summaries: tuple[QuerySummary, ...], current: QuerySummary | None) -> None:
        """What there is to measure. All queries together are offered first; one alone tells little."""
        self._summaries, self._summary = summaries, current
        chosen = self.scope.currentData() or ALL_QUERIES
        judged = [summary for summary in summaries if summary.judged]
        kinds = Counter(query_icon(summary.query) for summary in judged)
        words = {query_icon(summary.query): kind_words(summary.query.modalities) for summary in judged}
        self.scope.clear()
        self.scope.addItem(wording.count(len(judged), "judged query", "judged queries"), ALL_QUERIES)
        self.scope.addItem(self.tr("This query"), THIS_QUERY)
        for kind, count in kinds.items() if len(kinds) > 1 else ():
            self.scope.addItem(f"{count:,} {words[kind]}", kind)
        self.scope.setCurrentIndex(max(0, self.scope.findData(chosen)))

    def request(self) -> EvaluationRequest | None:
        """What is chosen; None if no query of it has been judged: every measure would be 0 and mean nothing."""
        ids = self._query_ids()
        if not ids:
            return None
        scope = self.scope.currentData()
        return EvaluationRequest(
            query_ids=() if scope == ALL_QUERIES else ids,
            k=self._k,
            set_id=self._set.id if self._set else None,
            judge=self.chosen_judge,
            measure=str(self.measure.currentData()).format(k=self._k),
            costs=scope != THIS_QUERY,
        )

    def _how_joined(self) -> str:
        return self.tr(
            "Where two persons differ, the lower grade counts; of more, the middle one, and of two middle ones the "
            "lower. Folders and captions count where no person has given a grade."
        )

    def _say_how_joined(self) -> None:
        """At what is chosen too, where nobody opens the list."""
        words = self._how_joined() if self.chosen_judge is None else ""
        self.judge.setAccessibleDescription(words)
        self.judge.setToolTip("\n".join(filter(None, (self.judge.accessibleName(), words))))

    def _query_ids(self) -> tuple[int, ...]:
        scope = self.scope.currentData()
        if scope == THIS_QUERY:
            return (self._summary.id,) if self._summary and self._summary.judged else ()
        return tuple(
            summary.id
            for summary in self._summaries
            if summary.judged and scope in (ALL_QUERIES, query_icon(summary.query))
        )

    def _combo(self, name: str) -> QComboBox:
        made = QComboBox()
        made.setAccessibleName(name)
        made.setToolTip(name)
        made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        return made

    def _take_k(self) -> None:
        """A number was chosen or typed; the same one again asks for nothing, and what is none leaves the one before."""
        words = self.k.currentText()
        k = int(words) if words.isdigit() and 1 <= int(words) <= MOST_K else self._k
        self.k.setEditText(str(k))
        if k != self._k:
            self._k = k
            self._name_measures()
            self.changed.emit()

    def _name_measures(self) -> None:
        chosen = self.measure.currentIndex()
        self.measure.clear()
        for name in COMPARED_BY:
            self.measure.addItem(short(name.format(k=self._k)), name)
        self.measure.setCurrentIndex(max(0, chosen))
