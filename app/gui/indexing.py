"""The slim panel at the foot of the window while folders are indexed, and what came of it afterwards."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.engine.errors import AppError
from app.engine.jobs import Progress
from app.engine.librarytypes import Failure, IndexReport, LibraryStatus
from app.gui import icons, theme, wording
from app.gui.engine import Engine
from app.gui.failures import FailuresDialog
from app.gui.indexjob import IndexJob
from app.gui.jobline import show_share


class IndexingPanel(QFrame):
    """Shows one `IndexJob`; hidden until it starts, and when what came of it has been put away."""

    def __init__(self, engine: Engine, job: IndexJob, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._job = job
        self._paused = self._running = False
        self._failures: Sequence[Failure] | None = None
        theme.set_role(self, "bar")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._phase = theme.label("", theme.Type.BODY)
        self._phase.setWordWrap(False)
        self._counts = theme.label("", theme.Type.CAPTION)
        self._notes = theme.label("")
        theme.set_role(self._notes, "warning")
        self._failed = QPushButton()
        self._failed.setIcon(icons.icon("warning", "warning"))
        self._pause = QPushButton(icons.icon("pause"), self.tr("Pause"))
        self._cancel = QPushButton(icons.icon("stop"), self.tr("Cancel"))
        self._cancel.setToolTip(self.tr("Stop indexing. What is done is kept."))
        self._close = QToolButton()
        self._close.setIcon(icons.icon("close"))
        self._close.setToolTip(self.tr("Put this away"))
        self._close.setAccessibleName(self.tr("Put this away"))
        for button in (self._failed, self._pause, self._cancel):
            theme.set_role(button, "quiet")
            button.setIconSize(QSize(16, 16))
        self._compose()
        self._failed.clicked.connect(self._show_failures)
        self._pause.clicked.connect(self._toggle_pause)
        self._cancel.clicked.connect(self._cancel_job)
        self._close.clicked.connect(self.hide)
        job.started.connect(self._started)
        job.progressed.connect(self._progressed)
        job.finished.connect(self._finished)
        job.cancelled.connect(self._cancelled)
        job.failed.connect(self._broke)
        self.hide()

    @property
    def text(self) -> str:
        """What is said now."""
        notes = "" if self._notes.isHidden() else self._notes.text()
        return f"{self._phase.text()} {self._counts.text()} {notes}".strip()

    def _compose(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(theme.LARGE_PX, theme.TINY_PX, theme.SMALL_PX, theme.TINY_PX)
        row.setSpacing(theme.SMALL_PX)
        row.addWidget(self._phase)
        row.addWidget(self._counts)
        row.addStretch()
        for button in (self._failed, self._pause, self._cancel, self._close):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._bar)
        column.addLayout(row)
        notes = QHBoxLayout()
        notes.setContentsMargins(theme.LARGE_PX, 0, theme.LARGE_PX, 0)
        notes.addWidget(self._notes)
        column.addLayout(notes)

    # --- while it runs -----------------------------------------------------------------------------------------------

    def _started(self) -> None:
        self._failures = None
        self._paused = False
        self._show_notes(())
        self._set_running(True)
        self._progressed(Progress(phase=self.tr("Getting ready")))
        self.show()

    def _progressed(self, progress: Progress) -> None:
        if self._running and not self._cancel.isEnabled():  # what was under way when it was cancelled
            return
        self._paused = progress.paused
        self._show_pause()
        self._phase.setText(self.tr("Paused") if progress.paused else progress.phase)
        self._counts.setText(" · ".join(wording.counts(progress)))
        show_share(self._bar, progress)
        if not progress.total and (progress.paused or not self._job.running):
            self._bar.setRange(0, 1)  # at rest
        self._failed.setVisible(progress.failed > 0)
        self._failed.setText(self.tr("{0} failed").format(f"{progress.failed:,}"))
        self._failed.setToolTip(progress.note or self.tr("See which files could not be read, and why"))

    def _toggle_pause(self) -> None:
        self._paused = not self._paused
        if self._paused:
            self._job.pause()
        else:
            self._job.resume()
        self._show_pause()

    def _show_pause(self) -> None:
        self._pause.setText(self.tr("Resume") if self._paused else self.tr("Pause"))
        self._pause.setIcon(icons.icon("play" if self._paused else "pause"))

    def _cancel_job(self) -> None:
        self._cancel.setEnabled(False)
        self._pause.setEnabled(False)
        self._phase.setText(self.tr("Stopping"))
        self._counts.setText(self.tr("What is done is kept."))
        self._job.cancel()

    # --- afterwards --------------------------------------------------------------------------------------------------

    def _finished(self, report: IndexReport) -> None:
        if not self._running:  # a quiet run that was over before it was told of
            return
        self._failures = report.failures
        self._end(self.tr("Indexed"), summary(report))
        self._show_notes(report.notes)
        self._failed.setText(self.tr("Details"))
        self._failed.setVisible(bool(report.failures))

    def _show_notes(self, notes: Sequence[str]) -> None:
        """What a run has to say beside its counts: models that were left out, folders that are not there."""
        self._notes.setText("\n".join(notes))
        self._notes.setContentsMargins(0, 0, 0, theme.SMALL_PX if notes else 0)
        self._notes.setVisible(bool(notes))

    def _cancelled(self) -> None:
        self._end(self.tr("Stopped"), self.tr("What was indexed so far is kept. Press F5 to go on."))

    def _broke(self, error: AppError) -> None:
        self._end(error.title, error.message)

    def _end(self, phase: str, words: str) -> None:
        self._set_running(False)
        self._phase.setText(phase)
        self._counts.setText(words)
        self._failed.hide()
        self.show()

    def _set_running(self, running: bool) -> None:
        self._running = running
        self._bar.setVisible(running)
        self._pause.setVisible(running)
        self._cancel.setVisible(running)
        for button in (self._pause, self._cancel):
            button.setEnabled(running)
        self._close.setVisible(not running)

    # --- failures ----------------------------------------------------------------------------------------------------

    def _show_failures(self) -> None:
        if self._failures is None:  # still running: what is committed so far
            self._engine.request("status", on_done=self._show_failures_of)
        else:
            FailuresDialog(self._failures, self.window()).show()

    def _show_failures_of(self, status: LibraryStatus) -> None:
        FailuresDialog(status.failures, self.window()).show()


def summary(report: IndexReport) -> str:
    """``312 new, 4 changed, 2 could not be read``."""
    files = report.files
    words = {
        "new": files.new,
        "changed": files.changed,
        "renamed": files.renamed,
        "removed": files.removed,
        "could not be read": files.failed,
    }
    said = [f"{number:,} {word}" for word, number in words.items() if number]
    encoded = max(report.encoded.values(), default=0)
    if not said and encoded:  # the rest of an earlier run, or a model that is new to the library
        said.append(wording.count(encoded, "item", "items") + " encoded")
    return ", ".join(said) or f"Nothing has changed in {wording.count(files.seen, 'file', 'files')}"
