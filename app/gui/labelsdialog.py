"""The dialog of a library's labels: the words, the model that gives them, and how many pictures have each."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QPlainTextEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.engine.errors import AppError, EngineDied
from app.engine.jobs import Progress
from app.engine.judgingtypes import QuerySet
from app.engine.labeltypes import LabelStatus
from app.engine.modeltypes import ModelStatus
from app.engine.types import Modality
from app.gui import icons, theme, wording
from app.gui.engine import Engine
from app.gui.jobline import JobLine
from app.gui.passingdialog import PassingDialog

WIDTH_PX, HEIGHT_PX = 680, 520
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
EXAMPLES = "dog\ncat\nbirthday cake\na day at the sea"


class LabelsDialog(PassingDialog):
    """Blocks the window it belongs to; deletes itself when it closes, and stops giving labels then: what was given
    stays, and the rest is given after the next run of indexing.

    Signals: ``changed`` with a `LabelStatus` whenever the list or what pictures have of it is another;
    ``judge_wanted`` with the id of the set in which labels are judged.
    """

    changed = Signal(object)
    judge_wanted = Signal(int)

    def __init__(self, engine: Engine, models: Sequence[ModelStatus], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._status: LabelStatus | None = None
        self.setWindowTitle(self.tr("Labels"))
        self.resize(WIDTH_PX, HEIGHT_PX)
        self.names = QPlainTextEdit()
        self.names.setAccessibleName(self.tr("Labels, one a line"))
        self.names.setPlaceholderText(EXAMPLES)
        self.names.setTabChangesFocus(True)
        self.model = QComboBox()
        self.model.setAccessibleName(self.tr("Model that gives the labels"))
        self.model.addItem(self.tr("Best available"), "")
        for one in models:
            if one.ready and {Modality.TEXT, Modality.IMAGE} <= one.accepts:
                self.model.addItem(one.name, one.key)
        self.counts = QTreeWidget()
        self.counts.setAccessibleName(self.tr("How many pictures have each label"))
        self.counts.setHeaderLabels([self.tr("Label"), self.tr("Pictures"), self.tr("Judged right")])
        self.counts.setRootIsDecorated(False)
        self._worth = theme.label("", theme.Type.CAPTION)
        self._worth.setWordWrap(True)
        self._error = theme.label("")
        theme.set_role(self._error, "bad")
        self._error.hide()
        self.work = JobLine()
        self.assign = QPushButton(self.tr("Save and give labels"))
        self.judge = QPushButton(icons.icon("check"), self.tr("Judge labels"))
        self.judge.setToolTip(self.tr("Say which pictures have their label rightly; confidences then follow that"))
        self.close_ = QPushButton(self.tr("Close"))
        self._compose()
        self._connect()
        self._show_can()
        engine.request("labels_status", on_done=self._loaded, on_failed=self._refused)

    @property
    def error(self) -> str:
        """What is said to be wrong now."""
        return "" if self._error.isHidden() else self._error.text()

    @property
    def worth(self) -> str:
        """What is said of the confidences."""
        return self._worth.text()

    def lines(self) -> list[str]:
        """The labels as they are typed; the engine cleans them."""
        return [line for line in self.names.toPlainText().splitlines() if line.strip()]

    def refresh(self) -> None:
        """The library may hold other pictures now, or another model's vectors."""
        if self._call is None and not self._closed:
            self._error.hide()
            self._engine.request("labels_status", on_done=self._show, on_failed=self._refused)

    # --- composition -------------------------------------------------------------------------------------------------

    def _compose(self) -> None:
        explained = theme.label(
            self.tr(
                "Write down words, one a line. Every picture is given those that it most likely shows: they become "
                "filters, and searches find them."
            )
        )
        left = QVBoxLayout()
        left.setSpacing(theme.TINY_PX)
        left.addWidget(theme.label(self.tr("Labels, one a line"), theme.Type.CAPTION))
        left.addWidget(self.names, 1)
        left.addWidget(theme.label(self.tr("Given by"), theme.Type.CAPTION))
        left.addWidget(self.model)
        right = QVBoxLayout()
        right.setSpacing(theme.TINY_PX)
        right.addWidget(theme.label(self.tr("What pictures show"), theme.Type.CAPTION))
        right.addWidget(self.counts, 1)
        header = self.counts.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
            self.counts.headerItem().setTextAlignment(column, _RIGHT)
        sides = QHBoxLayout()
        sides.setSpacing(theme.LARGE_PX)
        sides.addLayout(left, 2)
        sides.addLayout(right, 3)
        buttons = QHBoxLayout()
        buttons.addWidget(self.judge)
        buttons.addStretch()
        buttons.addWidget(self.close_)
        buttons.addWidget(self.assign)
        theme.set_role(self.assign, "primary")
        self.assign.setDefault(True)
        for button in (self.judge, self.close_):
            button.setAutoDefault(False)
        column_ = QVBoxLayout(self)
        column_.setContentsMargins(theme.HUGE_PX, theme.LARGE_PX, theme.HUGE_PX, theme.LARGE_PX)
        column_.setSpacing(theme.MEDIUM_PX)
        column_.addWidget(explained)
        column_.addLayout(sides, 1)
        for widget in (self._worth, self._error, self.work):
            column_.addWidget(widget)
        column_.addLayout(buttons)

    def _connect(self) -> None:
        self.names.textChanged.connect(self._show_can)
        self.model.activated.connect(self._show_can)
        self.assign.clicked.connect(self._save)
        self.judge.clicked.connect(self._judge)
        self.close_.clicked.connect(self.reject)
        self.work.cancel_wanted.connect(self._stop)

    # --- showing -----------------------------------------------------------------------------------------------------

    def _loaded(self, status: LabelStatus) -> None:
        if self._closed:
            return
        typed = self.names.toPlainText()
        if not typed:  # somebody may have begun to write
            self.names.setPlainText("\n".join(label.name for label in status.labels))
        self.model.setCurrentIndex(max(0, self.model.findData(status.model if status.labels else "")))
        self._show(status)

    def _show(self, status: LabelStatus) -> None:
        if self._closed:
            return
        self._status = status
        self.counts.clear()
        for label in sorted(status.labels, key=lambda one: -one.items):
            right = f"{label.right:,} of {label.judged:,}" if label.judged else "–"
            row = QTreeWidgetItem([label.name, f"{label.items:,}", right])
            row.setToolTip(0, label.name)
            for column in (1, 2):
                row.setTextAlignment(column, _RIGHT)
            self.counts.addTopLevelItem(row)
        self._worth.setText(self._words(status))
        self._show_can()

    def _words(self, status: LabelStatus) -> str:
        sentences = []
        if self.model.count() == 1:  # nothing beside the best available
            sentences.append(
                self.tr("No model that reads words for pictures is here yet: install one on the Models page.")
            )
        if status.pending and status.labels:
            sentences.append(
                self.tr("{0} not been looked at yet.").format(
                    wording.count(status.pending, self.tr("picture has"), self.tr("pictures have"))
                )
            )
        if status.calibrated:
            sentences.append(
                self.tr("Confidences follow {0}.").format(
                    wording.count(status.judged, self.tr("judgment"), self.tr("judgments"))
                )
            )
        elif status.labels:
            sentences.append(self.tr("Confidences are the model's own: judge some labels to have them follow you."))
        return " ".join(sentences)

    def _show_can(self) -> None:
        """Offer what makes sense now."""
        status, working = self._status, self._call is not None
        is_new = self._is_changed()
        is_due = status is not None and bool(is_new or (status.pending and status.labels))
        self.assign.setEnabled(is_due and not working)
        self.assign.setText(self.tr("Give labels") if is_due and not is_new else self.tr("Save and give labels"))
        has_given = status is not None and any(label.items for label in status.labels)
        self.judge.setEnabled(has_given and not is_new and not working)
        self.close_.setText(self.tr("Cancel") if is_new else self.tr("Close"))

    def _is_changed(self) -> bool:
        """Whether the dialog says something else than is kept."""
        if self._status is None:
            return False
        other_words = sorted(self.lines()) != sorted(label.name for label in self._status.labels)
        return other_words or self.model.currentData() not in ("", self._status.model)

    # --- asking ------------------------------------------------------------------------------------------------------

    def _save(self) -> None:
        self._error.hide()
        if not self._is_changed():
            self._give()
            return
        self._call = self._engine.request(
            "labels_choose", self.lines(), self.model.currentData(), on_done=self._chosen, on_failed=self._refused
        )
        self._show_can()

    def _chosen(self, status: LabelStatus) -> None:
        self._call = None
        self.changed.emit(status)
        if self._closed:
            return
        self.names.setPlainText("\n".join(label.name for label in status.labels))
        self._show(status)
        if status.labels:
            self._give()

    def _give(self) -> None:
        self.work.show_waiting(self.tr("Giving labels"))
        self._call = self._engine.request(
            "labels_assign",
            on_done=self._assigned,
            on_failed=self._refused,
            on_cancelled=self._stopped,
            on_progress=self._progressed,
        )
        self._show_can()

    def _assigned(self, status: LabelStatus) -> None:
        self._call = None
        self.changed.emit(status)
        if not self._closed:
            self.work.put_away()
            self._show(status)

    def _progressed(self, progress: Progress) -> None:
        if not self._closed:
            self.work.show_progress(progress.phase, progress)

    def _stop(self) -> None:
        if self._call:
            self._call.cancel()

    def _stopped(self) -> None:
        self._call = None
        if not self._closed:
            self.work.put_away()
            self._engine.request("labels_status", on_done=self._show, on_failed=self._refused)

    def _refused(self, error: AppError) -> None:
        self._call = None
        if self._closed or isinstance(error, EngineDied):
            return
        self.work.put_away()
        self._error.setText(f"{error.title}. {error.message}")
        self._error.show()
        self._show_can()

    def _judge(self) -> None:
        def done(made: QuerySet) -> None:
            if not self._closed:
                self.judge_wanted.emit(made.id)
                self.accept()

        self._engine.request("labels_to_test_set", on_done=done, on_failed=self._refused)
