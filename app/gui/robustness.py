"""Robustness: the test queries asked again, made worse, and what that takes from every model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from app.bridge.client import Call
from app.engine.errors import AppError
from app.engine.evaltypes import Disturbance, QuerySummary, Robustness, RobustnessRequest
from app.engine.jobs import Progress
from app.engine.types import Modality
from app.gui import icons, theme, wording
from app.gui.disturbancemenu import DisturbanceMenu
from app.gui.emptystate import EmptyState
from app.gui.engine import Engine
from app.gui.heatmap import UNSURE_MARK, HeatMap, Legend, as_text
from app.gui.jobline import JobLine
from app.gui.robustnesswords import headline

KS = (1, 4, 5, 10, 20)
DEFAULT_K = 10
MEASURES = ("P@{k}", "R@{k}", "nDCG@{k}", "Success@{k}", "AP", "RR")
MESSAGE, MAP = 0, 1


class RobustnessPanel(QWidget):
    """Signals: ``judge_wanted`` when nothing is judged yet; ``models_wanted``; ``failed`` with an `AppError`."""

    judge_wanted = Signal()
    models_wanted = Signal()
    failed = Signal(object)

    def __init__(self, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._summaries: tuple[QuerySummary, ...] = ()
        self._set_id: int | None = None
        self._call: Call | None = None
        self._known: tuple[Disturbance, ...] = ()
        self.result: Robustness | None = None
        self.k = QComboBox()
        self.measure = QComboBox()
        self.disturbances = DisturbanceMenu()
        self.run_button = QPushButton(icons.icon("compare", "on_accent"), self.tr("Run"))
        self.job = JobLine()
        self.headline = theme.label("", theme.Type.HEADING)
        self.legend = Legend()
        self._key = theme.label("", theme.Type.CAPTION)
        self._key.setWordWrap(True)
        self.map = HeatMap()
        self._notes = theme.label("", theme.Type.CAPTION)
        self._notes.setWordWrap(True)
        self.message = EmptyState()
        self._stack = QStackedWidget()
        self._copy = QPushButton(self.tr("Copy table"))
        self._save = QPushButton(self.tr("Save as CSV…"))
        self._set_up()
        self._compose()
        self._say_what_there_is()

    @property
    def notes(self) -> str:
        return self._notes.text()

    def set_queries(self, summaries: Sequence[QuerySummary], set_id: int | None = None) -> None:
        """What there is to ask again: the queries of a set (None: of all sets). What was measured on others goes."""
        judged = {summary.id for summary in summaries if summary.judged}
        before = {summary.id for summary in self._summaries if summary.judged}
        self._summaries = tuple(summaries)
        if (set_id, judged) != (self._set_id, before):
            self.result = None
        self._set_id = set_id
        self._show_known()
        self._say_what_there_is()

    def refresh(self) -> None:
        """Ask which disturbances there are: another language is one where a query has its words in it."""
        self._engine.request("evaluations_disturbances", on_done=self._take_known, on_failed=self.failed.emit)

    def run(self) -> None:
        """Ask the engine; what was measured before stays in sight until the answer comes."""
        chosen = self.disturbances.chosen
        if self._call or not self._kinds() or not chosen:
            return
        k = int(self.k.currentData())
        request = RobustnessRequest(
            k=k,
            set_id=self._set_id,
            measure=str(self.measure.currentData()).format(k=k),
            disturbances=() if self.disturbances.has_all else chosen,
        )
        self.job.show_waiting(self.tr("Asking the queries again"))
        self.run_button.setEnabled(False)
        self._call = self._engine.request(
            "evaluations_robustness",
            request,
            on_done=self._done,
            on_failed=self._fail,
            on_cancelled=self._end,
            on_progress=self._show_progress,
        )

    def copy_table(self) -> None:
        """Put the figures on the clipboard as tab-separated text."""
        if self.result:
            QGuiApplication.clipboard().setText(as_text(self.result, "\t"))

    def choose_csv(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self, self.tr("Save the figures"), "robustness.csv", self.tr("Comma-separated values (*.csv)")
        )
        if path and self.result:
            try:
                # A spreadsheet takes a CSV file for UTF-8 only when it begins with this mark.
                Path(path).write_text(as_text(self.result, ","), encoding="utf-8-sig")
            except OSError as error:
                sentence = self.tr("{0}. Choose another folder.").format(error.strerror or error)
                self.failed.emit(AppError(self.tr("The figures could not be saved"), sentence, path))

    def showEvent(self, event: QShowEvent) -> None:
        self.refresh()
        super().showEvent(event)

    # --- composition -------------------------------------------------------------------------------------------------

    def _set_up(self) -> None:
        for k in KS:
            self.k.addItem(self.tr("First {0}").format(k), k)
        self.k.setCurrentIndex(KS.index(DEFAULT_K))
        self.k.setAccessibleName(self.tr("How many results are measured"))
        self.k.currentIndexChanged.connect(self._name_measures)
        self.measure.setAccessibleName(self.tr("The measure that is compared"))
        for name in MEASURES:
            self.measure.addItem("", name)
        self._name_measures()
        theme.set_role(self.run_button, "primary")
        self.run_button.clicked.connect(self.run)
        self.disturbances.changed.connect(self._allow)
        self.job.cancel_wanted.connect(self._cancel)
        self._copy.setToolTip(self.tr("Copy as tab-separated text, to paste into a spreadsheet"))
        self._copy.clicked.connect(self.copy_table)
        self._save.clicked.connect(self.choose_csv)
        self._key.setText(
            self.tr(
                "Each number is the change of the measure. {0} and a pale colour: it may be chance. Point at a cell "
                "for its interval."
            ).format(UNSURE_MARK)
        )

    def _compose(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(theme.SMALL_PX)
        for widget in (self.measure, self.k, self.disturbances, self.run_button):
            head.addWidget(widget)
        head.addStretch()
        head.addWidget(self._copy)
        head.addWidget(self._save)
        key = QHBoxLayout()
        key.setSpacing(theme.LARGE_PX)
        key.addWidget(self._key, 1)
        key.addWidget(self.legend)
        work = QWidget()
        below = QVBoxLayout(work)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(theme.SMALL_PX)
        below.addWidget(self.headline)
        below.addLayout(key)
        below.addWidget(self.map, 1)
        below.addWidget(self._notes)
        self._stack.addWidget(self.message)
        self._stack.addWidget(work)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.MEDIUM_PX)
        column.addLayout(head)
        column.addWidget(self.job)
        column.addWidget(self._stack, 1)

    def _name_measures(self) -> None:
        for index, name in enumerate(MEASURES):
            self.measure.setItemText(index, name.format(k=self.k.currentData()))

    # --- what is asked -----------------------------------------------------------------------------------------------

    def _kinds(self) -> frozenset[Modality]:
        """What the judged queries are made of."""
        return frozenset().union(*(summary.query.modalities for summary in self._summaries if summary.judged))

    def _take_known(self, known: tuple[Disturbance, ...]) -> None:
        self._known = known
        self._show_known()

    def _show_known(self) -> None:
        kinds = self._kinds()
        self.disturbances.offer([one for one in self._known if one.modality in kinds])
        self._allow()

    def _allow(self) -> None:
        self.run_button.setEnabled(bool(self._kinds()) and bool(self.disturbances.chosen) and self._call is None)

    def _say_what_there_is(self) -> None:
        for button in (self._copy, self._save):
            button.setEnabled(self.result is not None)
        self._allow()
        if self.result is not None:
            self._stack.setCurrentIndex(MAP)
            return
        self._stack.setCurrentIndex(MESSAGE)
        if not self._kinds():
            self.message.say(
                "check",
                self.tr("Nothing to ask again yet"),
                self.tr("Judge some results first: a loss is measured by what you found relevant."),
                ((self.tr("Judge results"), self.judge_wanted.emit),),
            )
            return
        judged = sum(1 for summary in self._summaries if summary.judged)
        self.message.say(
            "compare",
            self.tr("Does it still find the same?"),
            self.tr(
                "Your {0} asked again with worse pictures, noisier sounds and mistyped words: how much does each model "
                "lose?"
            ).format(wording.count(judged, "judged query is", "judged queries are")),
        )

    # --- the answer --------------------------------------------------------------------------------------------------

    def _show_progress(self, progress: Progress) -> None:
        if self._call:
            self.job.show_progress(progress.note or progress.phase, progress)

    def _cancel(self) -> None:
        if self._call:
            self.job.show_stopping()
            self._call.cancel()

    def _end(self) -> None:
        self._call = None
        self.job.put_away()
        self._allow()

    def _fail(self, error: AppError) -> None:
        self._end()
        self.job.show_error(error, (self.tr("Try again"), self.run))

    def _done(self, result: Robustness) -> None:
        self._end()
        if not result.drops:
            self.result = None
            self._say_what_there_is()
            self.message.say(
                "info",
                self.tr("No model can answer this"),
                "\n".join(result.notes) or self.tr("No disturbance that is chosen fits these queries."),
                ((self.tr("Show the models"), self.models_wanted.emit),),
            )
            return
        self.result = result
        self.map.show_result(result)
        self.legend.set_range(self.map.cells.range)
        self.headline.setText(headline(result))
        self._notes.setText("\n".join(result.notes))
        self._notes.setVisible(bool(result.notes))
        self._say_what_there_is()
