"""Robustness: the test queries asked again, made worse, and what that takes from every model."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from app.bridge.client import Call
from app.engine.errors import AppError
from app.engine.evaltypes import Disturbance, EvaluationRequest, Robustness, RobustnessRequest
from app.engine.jobs import Progress
from app.engine.judgingtypes import QuerySet, QuerySummary
from app.engine.types import Modality
from app.gui import icons, theme
from app.gui.disturbancemenu import DisturbanceMenu
from app.gui.emptystate import EmptyState
from app.gui.engine import Engine
from app.gui.figures import FigureButtons
from app.gui.flow import FlowLayout
from app.gui.heatmap import UNSURE_MARK, HeatMap, Legend, as_text
from app.gui.jobline import JobLine
from app.gui.measuringbar import MeasuringBar
from app.gui.robustnesswords import headline

MESSAGE, MAP = 0, 1
MOST_NOTED = 300
"""Letters below the map, so that a list of lost files does not push it out; the rest is in the tooltip."""


@dataclass(frozen=True)
class _Asked:
    """What a measurement is of; ``disturbances`` are their keys."""

    evaluation: EvaluationRequest
    disturbances: tuple[str, ...]


@dataclass(frozen=True)
class _Kept:
    """What was measured; ``asked`` None: something was judged since, so that it is no answer to anything now."""

    result: Robustness
    asked: _Asked | None


class RobustnessPanel(QWidget):
    """What was measured of a set is kept until it is measured anew or another library is opened; a measurement goes on
    while another set is looked at.

    Signals: ``judge_wanted`` with k when nothing is judged yet; ``models_wanted``; ``failed`` with an `AppError`."""

    judge_wanted = Signal(int)
    models_wanted = Signal()
    failed = Signal(object)

    def __init__(self, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._set: QuerySet | None = None
        self._summaries: tuple[QuerySummary, ...] = ()
        self._known: tuple[Disturbance, ...] = ()
        self._call: Call | None = None
        self._kept: dict[int | None, _Kept] = {}
        self._forgotten = 0
        self.bar = MeasuringBar()
        self.disturbances = DisturbanceMenu()
        self.run_button = QPushButton(icons.icon("play", "on_accent"), self.tr("Run"))
        self.job = JobLine()
        self.headline = theme.label("", theme.Type.HEADING)
        self.legend = Legend()
        self._key = theme.label("", theme.Type.CAPTION)
        self.map = HeatMap()
        self._notes = theme.label("", theme.Type.CAPTION)
        self.message = EmptyState()
        self._stack = QStackedWidget()
        self.figures = FigureButtons(self._as_text, "robustness.csv")
        self._set_up()
        self._compose()
        self._say_what_there_is()

    @property
    def result(self) -> Robustness | None:
        """What is shown of the set's robustness."""
        kept = self._kept.get(self._set_id)
        return kept.result if kept and kept.result.drops else None

    @property
    def notes(self) -> str:
        return self._notes.text()

    @property
    def key(self) -> str:
        """What is said of how to read the map."""
        return self._key.text()

    def show_set(self, query_set: QuerySet | None) -> None:
        """The set whose queries are asked again."""
        before, self._set = self._set_id, query_set
        self.bar.show_set(query_set)
        if self._set_id != before:
            self._show()

    def forget(self) -> None:
        """What was measured may no longer be so, because something was judged or the library is another: it stays in
        sight as what it is, and belongs in no report."""
        self._forgotten += 1
        self._kept = {set_id: replace(kept, asked=None) for set_id, kept in self._kept.items()}
        self._say_what_there_is()

    def clear(self) -> None:
        """Another library is opened, whose sets may have the same ids."""
        self._kept = {}
        if self._call:
            self._call.cancel()
            self._end()

    def result_of(self, evaluated: EvaluationRequest) -> Robustness | None:
        """What was measured of the very queries, judgments and measure that this evaluation is of, for its report."""
        kept = self._kept.get(evaluated.set_id)
        return kept.result if kept and kept.asked and kept.asked.evaluation == evaluated else None

    def set_queries(self, summaries: tuple[QuerySummary, ...], current: QuerySummary | None) -> None:
        """What there is to ask again."""
        self._summaries = tuple(summaries)
        self.bar.set_queries(self._summaries, current)
        self._show_known()
        self._say_what_there_is()

    def refresh(self) -> None:
        """Ask which disturbances there are: another language is one where a query has its words in it."""
        self._engine.request("evaluations_disturbances", on_done=self._take_known, on_failed=self.failed.emit)

    def run(self) -> None:
        """Ask the engine; what was measured before stays in sight until the answer comes."""
        wanted, chosen = self.bar.request(), self.disturbances.chosen
        if self._call or wanted is None or not chosen:
            return
        asked, forgotten = _Asked(wanted, chosen), self._forgotten
        request = RobustnessRequest(
            query_ids=wanted.query_ids,
            k=wanted.k,
            set_id=wanted.set_id,
            judge=wanted.judge,
            measure=wanted.measure,
            disturbances=() if self.disturbances.has_all else chosen,
        )
        self.job.show_waiting(self.tr("Asking the queries again"))

        def done(result: Robustness) -> None:
            if self._call is call:
                self._kept[wanted.set_id] = _Kept(result, asked if forgotten == self._forgotten else None)
                self._end()
                self._show()

        def failed(error: AppError) -> None:
            if self._call is call:
                self._end()
                self.job.show_error(error, (self.tr("Try again"), self.run))

        def progressed(progress: Progress) -> None:
            if self._call is call:
                self.job.show_progress(progress.note or progress.phase, progress)

        def cancelled() -> None:
            if self._call is call:
                self._end()

        self._call = call = self._engine.request(
            "evaluations_robustness",
            request,
            on_done=done,
            on_failed=failed,
            on_cancelled=cancelled,
            on_progress=progressed,
        )
        self._say_what_there_is()

    def cancel(self) -> None:
        """Stop; what was measured before stays."""
        if self._call:
            self.job.show_stopping()
            self._call.cancel()

    def showEvent(self, event: QShowEvent) -> None:
        self.refresh()
        super().showEvent(event)

    # --- composition -------------------------------------------------------------------------------------------------

    def _set_up(self) -> None:
        self.bar.changed.connect(self._say_what_there_is)
        self.disturbances.changed.connect(self._say_what_there_is)
        theme.set_role(self.run_button, "primary")
        self.run_button.clicked.connect(self.run)
        self.job.cancel_wanted.connect(self.cancel)
        self.figures.failed.connect(self.failed)
        self._key.setToolTip(
            self.tr("Each interval stands for itself: of twenty cells without a real change, one seems to have one.")
        )
        for label in (self._key, self._notes):
            label.setWordWrap(True)

    def _compose(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(theme.SMALL_PX)
        head.addWidget(self.bar, 1)
        head.addWidget(self.disturbances, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self.run_button, 0, Qt.AlignmentFlag.AlignTop)
        key = FlowLayout()
        for widget in (self.legend, self.figures):
            key.addWidget(widget)
        work = QWidget()
        below = QVBoxLayout(work)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(theme.SMALL_PX)
        below.addWidget(self.headline)
        below.addWidget(self._key)
        below.addLayout(key)
        below.addWidget(self.map, 1)
        below.addWidget(self._notes)
        work.setObjectName("content")
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(work)
        self._stack.addWidget(self.message)
        self._stack.addWidget(scroll)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.MEDIUM_PX)
        column.addLayout(head)
        column.addWidget(self.job)
        column.addWidget(self._stack, 1)

    # --- what is asked -----------------------------------------------------------------------------------------------

    @property
    def _set_id(self) -> int | None:
        return self._set.id if self._set else None

    def _kinds(self) -> frozenset[Modality]:
        """What the judged queries are made of."""
        return frozenset().union(*(summary.query.modalities for summary in self._summaries if summary.judged))

    def _take_known(self, known: tuple[Disturbance, ...]) -> None:
        self._known = known
        self._show_known()
        self._say_what_there_is()

    def _show_known(self) -> None:
        kinds = self._kinds()
        self.disturbances.offer([one for one in self._known if one.modality in kinds])

    def _say_what_there_is(self) -> None:
        wanted, chosen = self.bar.request(), self.disturbances.chosen
        self.run_button.setEnabled(wanted is not None and bool(chosen) and self._call is None)
        kept = self._kept.get(self._set_id)
        asked = _Asked(wanted, chosen) if wanted else None
        if kept and kept.result.drops:
            self._stack.setCurrentIndex(MAP)
            self._say_key(kept.result, is_old=kept.asked is None or kept.asked != asked)
            return
        self._stack.setCurrentIndex(MESSAGE)
        if wanted is None:
            self.message.say(
                "check",
                self.tr("Nothing to ask again yet"),
                self.tr("Judge some results first: a loss is measured by what you found relevant."),
                ((self.tr("Judge results"), self._want_judging),),
            )
            return
        if kept and kept.asked == asked:
            words = "\n".join(kept.result.notes) or self.tr("None of the chosen disturbances fits these queries.")
            models = ((self.tr("Show the models"), self.models_wanted.emit),)
            self.message.say("info", self.tr("No model can answer this"), words, models)
            return
        self.message.say(
            "compare",
            self.tr("Does it still find the same?"),
            self.tr(
                "The judged queries are asked again with worse pictures, noisier sounds and mistyped words. What each "
                "model loses by that is shown here. Every model has about {0} searches to do: some minutes, or hours "
                "with a large network and no graphics card."
            ).format(f"{self._searches(wanted, chosen):,}"),
            ((self.tr("Run"), self.run),) if self._call is None and chosen else (),
        )

    def _searches(self, wanted: EvaluationRequest, chosen: tuple[str, ...]) -> int:
        """How many searches a model has to make: each query once as it is, and once for each disturbance of it."""
        kinds = {one.key: one.modality for one in self._known}
        asked = [
            summary.query.modalities
            for summary in self._summaries
            if summary.judged and (not wanted.query_ids or summary.id in wanted.query_ids)
        ]
        return sum(1 + sum(kinds.get(key) in made_of for key in chosen) for made_of in asked)

    def _say_key(self, result: Robustness, is_old: bool) -> None:
        words = self.tr("How {0} changes. {1} and pale: it may be chance. Point at a cell to see more.").format(
            result.measure, UNSURE_MARK
        )
        old = self.tr("This is of what was chosen before, or judged before: press Run to measure anew.")
        self._key.setText(f"{words} {old}" if is_old else words)

    def _want_judging(self) -> None:
        self.judge_wanted.emit(self.bar.chosen_k)

    # --- the answer --------------------------------------------------------------------------------------------------

    def _end(self) -> None:
        self._call = None
        self.job.put_away()
        self._say_what_there_is()

    def _as_text(self, separator: str) -> str:
        return as_text(self.result, separator) if self.result else ""

    def _show(self) -> None:
        """Show what is kept of the set."""
        if result := self.result:
            self.map.show_result(result)
            self.legend.set_range(self.map.cells.range)
            self.headline.setText(headline(result))
            self._show_notes("\n".join(result.notes))
        self._say_what_there_is()

    def _show_notes(self, words: str) -> None:
        self._notes.setText(words if len(words) <= MOST_NOTED else words[: MOST_NOTED - 1] + "…")
        self._notes.setToolTip(words)
        self._notes.setVisible(bool(words))
