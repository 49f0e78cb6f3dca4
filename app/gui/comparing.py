"""Results: what every model is worth by the judgments, from the answer in a sentence down to single ranked lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.engine.errors import AppError
from app.engine.evaltypes import Evaluation, EvaluationRequest
from app.engine.judgingtypes import QuerySet, QuerySummary
from app.gui import costtable, measures, theme, wording
from app.gui.celltable import CellTable
from app.gui.costplot import CostPlot
from app.gui.emptystate import EmptyState
from app.gui.engine import Engine
from app.gui.figures import FigureButtons
from app.gui.jobline import JobLine
from app.gui.measuring import Measuring
from app.gui.measuringbar import MeasuringBar
from app.gui.offline import Offline
from app.gui.ranking import Ranking
from app.gui.section import Section
from app.gui.thumbnails import ThumbnailStore
from app.gui.verdicts import VerdictView


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
        self._costs_due = False
        self._set_id: int | None = None
        self._asked: EvaluationRequest | None = None
        self.evaluation: Evaluation | None = None
        self.request: EvaluationRequest | None = None
        """What `evaluation` answers: what a report of it would ask for."""
        self.bar = MeasuringBar()
        self.bar.changed.connect(self.measure)
        self.verdicts = VerdictView()
        self.table = CellTable(self.tr("Measures per model"), wraps=False)
        self.figures = FigureButtons(self._as_text, "measures.csv")
        self.costs = CellTable(self.tr("Costs per model"), wraps=True)
        self.plot = CostPlot()
        self.ranking = Ranking(engine, thumbnails)
        self.job = JobLine()
        self._measuring = Measuring(engine, self.job, self)
        self.report_buttons = QHBoxLayout()
        """The place for what makes a report of the answer."""
        self._notes = theme.label("", theme.Type.CAPTION)
        self._notes.setWordWrap(True)
        self._message = EmptyState()
        self._stack = QStackedWidget()
        self._compose()
        self._connect()

    @property
    def warning(self) -> str:
        return self.verdicts.warning.text

    @property
    def notes(self) -> str:
        return self._notes.text()

    @property
    def message(self) -> str:
        """What is said instead of an answer, if anything."""
        return self._message.headline if self._stack.currentIndex() == 0 else ""

    def show_set(self, query_set: QuerySet | None) -> None:
        """The set that is measured. What was measured of another goes, or a report of it would have this one's name."""
        set_id = query_set.id if query_set else None
        if set_id != self._set_id:
            self._set_id = set_id
            self.clear()
        self.bar.show_set(query_set)
        if query_set:
            self.ranking.set_scale(query_set.scale)

    def set_queries(self, summaries: tuple[QuerySummary, ...], current: QuerySummary | None) -> None:
        """What there is to measure; `show_answer` then asks for what is not known yet."""
        self.bar.set_queries(summaries, current)

    def set_offline(self, offline: Offline) -> None:
        self.ranking.set_offline(offline)

    def clear(self) -> None:
        """Show nothing of what was measured, and want no answer to what is asked."""
        self._asked, self._costs_due = None, False
        self._measuring.drop()
        self._say_measuring()

    def forget(self) -> None:
        """What was measured may no longer be so: the next `show_answer` asks again."""
        self._asked = None

    def show_answer(self) -> None:
        """Measure what is chosen, unless that is what is shown or under way, and show the current query's lists.

        Out of sight nothing is measured: the page asks again when it is turned to.
        """
        if not self.isVisible():
            return
        request = self.bar.request()
        if request is None or request != self._asked:
            self.measure()
            return
        self._ask_lists()
        if self._costs_due:
            self.measure_costs()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self._costs_due:  # it takes minutes, and other work would wait for it
            self._measuring.drop()

    def measure(self) -> None:
        """Ask the engine to measure what is chosen; what is shown stays until the answer comes.

        The quality comes first; what the models cost, which takes minutes where searches must be timed, follows.
        """
        self._measuring.drop()
        self._costs_due = False
        request = self.bar.request()
        self._asked = request
        if request is None:
            self._say_unjudged()
            return

        def failed(error: AppError) -> None:
            self._asked = None
            self._say("warning", error.title, error.message, ((self.tr("Try again"), self.measure),))

        if self.evaluation is None:
            self._say_measuring()
        quality = replace(request, costs=False)
        done = partial(self._show, request=request)
        self._measuring.ask(self.tr("Measuring"), quality, done, failed, self._say_cancelled)

    def measure_costs(self) -> None:
        """Ask for what the models cost, beside what is shown."""
        request = self.request
        if request is None:
            return
        again = (self.tr("Measure them"), self.measure_costs)

        def failed(error: AppError) -> None:
            self._costs_due = False
            self.job.show_error(error, again)

        def cancelled() -> None:
            self._costs_due = False
            self.job.show_end(self.tr("The costs are not measured"), "", again)

        self._costs_due = True
        self._measuring.ask(self.tr("Timing searches"), request, self._complete, failed, cancelled)

    # --- composition -------------------------------------------------------------------------------------------------

    def _compose(self) -> None:
        self._more = QCheckBox(self.tr("More measures"))
        self._by_kind = QCheckBox(self.tr("By kind of query"))
        self._quality = Section(self.tr("Measures"))
        for widget in (self._by_kind, self._more, self.figures):
            self._quality.add_action(widget)
        self._quality.add(self.table)
        self._quality.add(self._notes)
        self._cost = Section(
            self.tr("Cost beside quality"), self.tr("On this machine, as far as it has been measured.")
        )
        self._cost.add_action(self.plot.axis)
        self._cost.add(self.plot)
        self._cost.add(self.costs)
        content = QWidget()
        content.setObjectName("content")
        below = QVBoxLayout(content)
        below.setContentsMargins(0, 0, theme.SMALL_PX, 0)
        below.setSpacing(theme.HUGE_PX)
        for part in (self.verdicts, self._quality, self._cost, self.ranking):
            below.addWidget(part)
        below.addStretch()
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)  # a table's columns depend on it
        self._scroll.setWidget(content)
        self._stack.addWidget(self._message)
        self._stack.addWidget(self._scroll)
        head = QHBoxLayout()
        head.setSpacing(theme.SMALL_PX)
        head.addWidget(self.bar, 1)
        head.addLayout(self.report_buttons)
        head.setAlignment(self.report_buttons, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.MEDIUM_PX)
        column.addLayout(head)
        column.addWidget(self.job)
        column.addWidget(self._stack, 1)

    def _connect(self) -> None:
        self.verdicts.judge_wanted.connect(self._want_judging)
        self.verdicts.models_wanted.connect(self.models_wanted)
        self.ranking.opened.connect(self.opened)
        self.figures.failed.connect(self.failed)
        self.table.fitted.connect(self._offer_more)
        for table in (self.table, self.costs):
            table.fitted.connect(self._order_tabs)
        self._more.toggled.connect(self.table.set_wraps)
        self._by_kind.toggled.connect(self._show_table)

    def _say_cancelled(self) -> None:
        self._asked = None
        headline, again = self.tr("Measuring was cancelled"), (self.tr("Measure now"), self.measure)
        if self.evaluation:
            self.job.show_end(headline, self.tr("The figures below are those from before."), again)
        else:
            self._say("compare", headline, self.tr("Nothing is lost."), (again,))

    # --- the answer --------------------------------------------------------------------------------------------------

    def _show(self, evaluation: Evaluation, request: EvaluationRequest) -> None:
        if not any(model.queries for model in evaluation.models):
            self._say_unanswered(evaluation)
            return
        self.evaluation, self.request = evaluation, request
        self._stack.setCurrentIndex(1)
        self.verdicts.show_evaluation(evaluation)
        self._by_kind.setVisible(measures.has_kinds(evaluation))
        self._show_table()
        notes = "\n".join(measures.note_lines(evaluation))
        self._notes.setText(notes)
        self._notes.setVisible(bool(notes))
        self._show_costs(evaluation)
        self.ranking.set_names({model.model: model.name for model in measures.ranked(evaluation)})
        self._ask_lists()
        if request.costs:
            self.measure_costs()

    def _complete(self, evaluation: Evaluation) -> None:
        self._costs_due = False
        self.evaluation = evaluation
        self._show_costs(evaluation)

    def _show_table(self) -> None:
        if self.evaluation is None:
            return
        asked = len(self.evaluation.queries)
        note = self.tr(
            "Means over {0}. The bar is the 95% interval of the mean, on the part of the scale that a column "
            "takes up: how far it may be off because only these queries were asked."
        )
        if any(measured.judged < 1 for model in self.evaluation.models for measured in model.measures.values()):
            note += " " + self.tr("Light ticks: if nothing, or everything, that is not judged were relevant.")
        alone = self.tr("One query alone: there is no interval.")
        self._quality.set_note(note.format(self._meant_over()) if asked > 1 else alone)
        rows = measures.rows(self.evaluation, self._by_kind.isChecked() and measures.has_kinds(self.evaluation))
        self.table.show_rows(self.tr("Model"), measures.columns(self.evaluation), rows)

    def _meant_over(self) -> str:
        """The queries that means are over, which need not be the same for all models."""
        models, queries = (self.evaluation.models, self.evaluation.queries) if self.evaluation else ((), ())
        if any(0 < len(model.queries) < len(queries) for model in models):
            return self.tr("the queries that each model answered, of {0}").format(f"{len(queries):,}")
        return wording.count(len(queries), "query", "queries")

    def _as_text(self, separator: str) -> str:
        return measures.as_text(self.evaluation, separator) if self.evaluation else ""

    def _show_costs(self, evaluation: Evaluation) -> None:
        columns, rows = costtable.columns_and_rows(evaluation)
        self.costs.show_rows(self.tr("Model"), columns, rows)
        self.plot.show_evaluation(evaluation)
        self._cost.setVisible(bool(rows))

    def _order_tabs(self) -> None:
        """The keyboard goes from top to bottom: tables that are made anew would come last."""
        stops = (self.figures.last, *self.table.blocks, self.plot.axis, *self.costs.blocks, self.ranking.left.models)
        for before, after in pairwise(stops):
            QWidget.setTabOrder(before, after)

    def _offer_more(self) -> None:
        self._more.setVisible(self.table.left_out > 0)

    def _ask_lists(self) -> None:
        self.ranking.ask(self.bar.summary, self.bar.chosen_k, self.bar.chosen_judge)

    # --- what is said instead ----------------------------------------------------------------------------------------

    def _say_measuring(self) -> None:
        self._say("compare", self.tr("Measuring"), self.tr("Every model answers the queries once more."))

    def _say_unjudged(self) -> None:
        self._say(
            "check",
            self.tr("Nothing to measure yet"),
            self.tr("Judge some results first: a model is measured by what you found relevant."),
            ((self.tr("Judge results"), self._want_judging),),
        )

    def _say_unanswered(self, evaluation: Evaluation) -> None:
        show_models = ((self.tr("Show the models"), self.models_wanted.emit),)
        lines = "\n".join(measures.note_lines(evaluation))
        self._say("info", self.tr("No model can answer this"), lines, show_models)

    def _say(
        self, icon: str, headline: str, sentence: str, actions: Sequence[tuple[str, Callable[[], None]]] = ()
    ) -> None:
        self.evaluation = self.request = None
        self._message.say(icon, headline, sentence, actions)
        self._stack.setCurrentIndex(0)

    def _want_judging(self) -> None:
        self.judge_wanted.emit(self.bar.chosen_k)
