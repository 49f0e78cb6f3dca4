"""Comparing: what every model is worth by the judgments, and two ranked lists to see why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.bridge.client import Call
from app.engine.errors import AppError
from app.engine.evaltypes import Evaluation, EvaluationRequest, ModelEvaluation, QuerySummary
from app.gui import icons, theme, wording
from app.gui.emptystate import EmptyState
from app.gui.engine import Engine
from app.gui.measures import BEST_MARK, MeasuresTable, answered_keys, as_text
from app.gui.ranking import Ranking
from app.gui.testqueries import query_icon
from app.gui.thumbnails import ThumbnailStore

KS = (1, 4, 5, 10, 20)
DEFAULT_K = 10
THIS_QUERY, ALL_QUERIES = "this", "all"
KIND_WORDS = {"search": "by words", "image": "by picture", "sound": "by sound"}


class ComparePanel(QWidget):
    """Signals: ``judge_wanted`` with k, to judge what the lists show; ``models_wanted``; ``opened`` with a `Hit`;
    ``failed`` with an `AppError`."""

    judge_wanted = Signal(int)
    models_wanted = Signal()
    opened = Signal(object)
    failed = Signal(object)

    def __init__(self, engine: Engine, thumbnails: ThumbnailStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._summary: QuerySummary | None = None
        self._summaries: tuple[QuerySummary, ...] = ()
        self._call: Call | None = None
        self._generation = 0
        self.evaluation: Evaluation | None = None
        self.k = QComboBox()
        for k in KS:
            self.k.addItem(self.tr("First {0}").format(k), k)
        self.k.setCurrentIndex(KS.index(DEFAULT_K))
        self.k.setAccessibleName(self.tr("How many results are measured"))
        self.k.activated.connect(self.measure)
        self.scope = QComboBox()
        self.scope.setAccessibleName(self.tr("Which queries are measured"))
        self.scope.activated.connect(self.measure)
        self.table = MeasuresTable()
        self.ranking = Ranking(thumbnails)
        self.ranking.opened.connect(self.opened)
        self._lists_title = theme.label("", theme.Type.HEADING)
        self._notes = theme.label("", theme.Type.CAPTION)
        self._notes.setWordWrap(True)
        self._warning = QFrame()
        self._warning_mark = QLabel()
        self._warning_words = theme.label("")
        self._message = EmptyState()
        self._stack = QStackedWidget()
        self._copy = QPushButton(self.tr("Copy table"))
        self._copy.setToolTip(self.tr("Copy as tab-separated text, to paste into a spreadsheet"))
        self._copy.clicked.connect(self.copy_table)
        self._save = QPushButton(self.tr("Save as CSV…"))
        self._save.clicked.connect(self.choose_csv)
        self._compose()
        self._draw_mark()

    @property
    def warning(self) -> str:
        return "" if self._warning.isHidden() else self._warning_words.text()

    @property
    def notes(self) -> str:
        return self._notes.text()

    @property
    def chosen_k(self) -> int:
        return int(self.k.currentData())

    def set_queries(self, summaries: tuple[QuerySummary, ...], current: QuerySummary | None) -> None:
        """What there is to measure; `measure` then asks for it."""
        self._summaries, self._summary = summaries, current
        chosen = self.scope.currentData() or THIS_QUERY
        judged = [summary for summary in summaries if summary.judged]
        kinds = list(dict.fromkeys(query_icon(summary.query) for summary in judged))
        self.scope.clear()
        self.scope.addItem(self.tr("This query"), THIS_QUERY)
        self.scope.addItem(self.tr("All judged queries"), ALL_QUERIES)
        if len(kinds) > 1:
            for kind in kinds:
                self.scope.addItem(self.tr("All judged queries {0}").format(KIND_WORDS[kind]), kind)
        self.scope.setCurrentIndex(max(0, self.scope.findData(chosen)))

    def measure(self) -> None:
        """Ask the engine to measure what is chosen; the table stays until the answer comes."""
        self._generation += 1
        generation = self._generation
        if self._call:
            self._call.cancel()
            self._call = None
        ids = self._chosen_ids()
        if not ids:
            self._say_unjudged()
            return

        def done(evaluation: Evaluation) -> None:
            if generation == self._generation:
                self._show(evaluation)

        def failed(error: AppError) -> None:
            if generation == self._generation:
                self._say("warning", error.title, error.message, ((self.tr("Try again"), self.measure),))

        if self.evaluation is None:
            self._say("compare", self.tr("Measuring"), self.tr("Every model answers the queries once more."))
        request = EvaluationRequest(query_ids=ids, hits=True, k=self.chosen_k)
        self._call = self._engine.request("evaluations_evaluate", request, on_done=done, on_failed=failed)

    def copy_table(self) -> None:
        """Put the table on the clipboard as tab-separated text."""
        if self.evaluation:
            QGuiApplication.clipboard().setText(as_text(self.evaluation, "\t"))

    def choose_csv(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self, self.tr("Save the measures"), "measures.csv", self.tr("Comma-separated values (*.csv)")
        )
        if path and self.evaluation:
            try:
                # A spreadsheet takes a CSV file for UTF-8 only when it begins with this mark.
                Path(path).write_text(as_text(self.evaluation, ","), encoding="utf-8-sig")
            except OSError as error:
                sentence = self.tr("{0}. Choose another folder.").format(error.strerror or error)
                self.failed.emit(AppError(self.tr("The measures could not be saved"), sentence, path))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.PaletteChange:
            self._draw_mark()
        super().changeEvent(event)

    def _draw_mark(self) -> None:
        ratio = self.devicePixelRatioF()
        self._warning_mark.setPixmap(icons.pixmap("warning", theme.ICON_PX, "warning", ratio))

    # --- composition -------------------------------------------------------------------------------------------------

    def _compose(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(theme.SMALL_PX)
        head.addWidget(self.scope)
        head.addWidget(self.k)
        head.addStretch()
        head.addWidget(self._copy)
        head.addWidget(self._save)
        theme.set_role(self._warning, "banner")
        judge = QPushButton(self.tr("Judge them"))
        judge.clicked.connect(self._want_judging)
        row = QHBoxLayout(self._warning)
        row.setContentsMargins(theme.MEDIUM_PX, theme.SMALL_PX, theme.MEDIUM_PX, theme.SMALL_PX)
        row.setSpacing(theme.SMALL_PX)
        row.addWidget(self._warning_mark)
        row.addWidget(self._warning_words, 1)
        row.addWidget(judge)
        content = QWidget()
        content.setObjectName("content")
        below = QVBoxLayout(content)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(theme.MEDIUM_PX)
        for widget in (self.table, self._warning, self._notes, self._lists_title):
            below.addWidget(widget)
        below.addWidget(self.ranking, 1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(content)
        self._stack.addWidget(self._message)
        self._stack.addWidget(scroll)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.MEDIUM_PX)
        column.addLayout(head)
        column.addWidget(self._stack, 1)

    # --- the answer --------------------------------------------------------------------------------------------------

    def _chosen_ids(self) -> tuple[int, ...]:
        """The queries to measure: only judged ones, since without a judgment every measure is 0 and means nothing."""
        scope = self.scope.currentData()
        if scope == THIS_QUERY:
            return (self._summary.id,) if self._summary and self._summary.judged else ()
        return tuple(
            summary.id
            for summary in self._summaries
            if summary.judged and scope in (ALL_QUERIES, query_icon(summary.query))
        )

    def _say_unjudged(self) -> None:
        self.evaluation = None
        self._say(
            "check",
            self.tr("Nothing to measure yet"),
            self.tr("Judge some results of this query first: a model is measured by what you found relevant."),
            ((self.tr("Judge results"), self._want_judging),),
        )

    def _say_unanswered(self, evaluation: Evaluation) -> None:
        self.evaluation = None
        show_models = ((self.tr("Show the models"), self.models_wanted.emit),)
        self._say("info", self.tr("No model can answer this"), "\n".join(note_lines(evaluation)), show_models)

    def _show(self, evaluation: Evaluation) -> None:
        self._call = None
        if not any(model.queries for model in evaluation.models):
            self._say_unanswered(evaluation)
            return
        self.evaluation = evaluation
        for button in (self._copy, self._save):
            button.setEnabled(True)
        self._stack.setCurrentIndex(1)
        self.table.show_evaluation(evaluation)
        self._warning_words.setText(unjudged_words(evaluation))
        self._warning.setVisible(bool(self._warning_words.text()))
        self._notes.setText("\n".join(note_lines(evaluation)))
        self._notes.setVisible(bool(self._notes.text()))
        self._show_lists(evaluation)

    def _show_lists(self, evaluation: Evaluation) -> None:
        """The ranked lists of the current query, where it is among the measured ones and a model answered it."""
        if self._summary is None:
            return
        key = self._summary.key
        answered = any(key in answered_keys(model) for model in evaluation.models)
        self.ranking.setVisible(answered)
        if not answered:
            self._lists_title.setText(self.tr("“{0}” is not among the measured queries").format(self._summary.title))
            return
        summary = next(query for query in evaluation.queries if query.key == key)
        self._lists_title.setText(self.tr("The first {0} results for “{1}”").format(evaluation.k, summary.title))
        self.ranking.show_evaluation(evaluation, summary)

    def _say(
        self, icon: str, headline: str, sentence: str, actions: Sequence[tuple[str, Callable[[], None]]] = ()
    ) -> None:
        for button in (self._copy, self._save):
            button.setEnabled(self.evaluation is not None)
        self._message.say(icon, headline, sentence, actions)
        self._stack.setCurrentIndex(0)

    def _want_judging(self) -> None:
        self.judge_wanted.emit(self.chosen_k)


def unjudged_words(evaluation: Evaluation) -> str:
    """Which models have results that nobody has judged, in a sentence; empty when none has."""
    counts = []
    for model in evaluation.models:
        hits = [judged for result in model.queries for judged in result.hits]
        unjudged = sum(1 for judged in hits if judged.grade is None)
        if unjudged:
            counts.append(f"{unjudged:,} of {len(hits):,} results of {model.name}")
    if not counts:
        return ""
    return f"{'; '.join(counts)} are not judged yet and count as not relevant: judge them for a fair comparison."


def note_lines(evaluation: Evaluation) -> list[str]:
    """What a reader must know before comparing the rows: who could not answer, and whose means differ in queries."""
    lines = [line for model in evaluation.models for line in _unanswered_lines(model, evaluation)]
    if len({answered_keys(model) for model in evaluation.models if model.queries}) > 1:
        lines.append(
            f"{BEST_MARK} marks the best among models that answered the same queries. Models that answered different "
            "queries cannot be compared by these means."
        )
    return lines


def _unanswered_lines(model: ModelEvaluation, evaluation: Evaluation) -> list[str]:
    lines = [f"{model.name}: {model.note}"] if model.note else []
    if model.note and not model.queries:
        return lines
    answered = answered_keys(model)
    understood = {query_icon(query.query) for query in evaluation.queries if query.key in answered}
    missed = [query for query in evaluation.queries if query_icon(query.query) not in understood]
    if not missed:
        return lines
    kinds = " or ".join(dict.fromkeys(KIND_WORDS[query_icon(query.query)] for query in missed))
    left_out = f": {wording.count(len(missed), 'query', 'queries')} left out" if model.queries else ""
    return [*lines, f"{model.name} cannot search {kinds}{left_out}."]
