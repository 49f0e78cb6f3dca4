"""The one indexing run at a time, as the window knows it: what runs, what waits, and what to run again.

A *quiet* run was asked for by nobody: files changed in a watched folder. It is told about only if it lasts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.bridge.client import Call
from app.engine.errors import AppError, EngineDied
from app.engine.jobs import Progress
from app.engine.librarytypes import IndexReport, IndexRequest
from app.gui.engine import Engine

QUIET_FOR_MS = 1500
"""A quiet run that takes longer than this is shown like any other."""


@dataclass(frozen=True)
class _Run:
    method: str
    args: tuple[Any, ...] = ()
    quiet: bool = False


class IndexJob(QObject):
    """Signals: ``started``; ``progressed`` with a `Progress`; then one of ``finished`` with an `IndexReport`,
    ``cancelled`` or ``failed`` with an `AppError`. A run that the engine's death cut short ends with none of them:
    it stays ``running`` until `again` or `abandon`. Of a quiet run ``started`` and ``progressed`` are told only once
    it has lasted `QUIET_FOR_MS`, its failure is told by ``quiet_failed``, and one not told of is not run again."""

    started = Signal()
    progressed = Signal(object)
    finished = Signal(object)
    cancelled = Signal()
    failed = Signal(object)
    quiet_failed = Signal(object)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._waiting: deque[_Run] = deque()
        self._current: _Run | None = None
        self._call: Call | None = None
        self._told = False
        self._lasts = QTimer(self)
        self._lasts.setSingleShot(True)
        self._lasts.setInterval(QUIET_FOR_MS)
        self._lasts.timeout.connect(self._tell)

    @property
    def running(self) -> bool:
        return self._current is not None

    @property
    def engaged(self) -> bool:
        """Whether something runs or waits that a person asked for or was told of. It is the open library's: until it is
        done or cancelled no other may take its place."""
        return (self.running and self._told) or any(not run.quiet for run in self._waiting)

    def index(self, request: IndexRequest) -> None:
        """Index now, or after what is being indexed."""
        self._enqueue(_Run("index", (request,)))

    def load_sample(self) -> None:
        """Fill the open library with the sample that ships with the program."""
        self._enqueue(_Run("load_sample"))

    def follow(self, folders: Iterable[str]) -> None:
        """Bring in quietly what changed in these folders. At most one quiet run waits; it takes in what comes."""
        waiting = next((run for run in self._waiting if run.quiet), None)
        if waiting:
            self._waiting.remove(waiting)
            folders = (*waiting.args[0].folders, *folders)
        if together := tuple(dict.fromkeys(folders)):
            self._enqueue(_Run("index", (IndexRequest(together, followed=True),), quiet=True))

    def forget_quiet(self) -> None:
        """Forget the quiet run that waits: another library is being opened."""
        self._waiting = deque(run for run in self._waiting if not run.quiet)

    def pause(self) -> None:
        if self._call:
            self._call.pause()

    def resume(self) -> None:
        if self._call:
            self._call.resume()

    def cancel(self) -> None:
        """Stop what runs and forget what waits. What is done is kept."""
        self._waiting.clear()
        if self._call:
            self._call.cancel()
        elif self.running:  # the engine is away, so nobody else will say so
            self._end()
            self.cancelled.emit()

    def again(self) -> None:
        """Run once more what the engine's death cut short, or what waits; what it had done is found done."""
        if not self.running:
            self._next()
        elif self._call is None:
            self._ask()

    def abandon(self) -> None:
        """Give up what was cut short."""
        self._waiting.clear()
        self._end()

    def _enqueue(self, run: _Run) -> None:
        self._waiting.append(run)
        if not self.running:
            self._next()

    def _next(self) -> None:
        if self._waiting:
            self._current = self._waiting.popleft()
            self._told = False
            self._ask()
            if self._current.quiet:
                self._lasts.start()
            else:
                self._tell()

    def _tell(self) -> None:
        self._told = True
        self.started.emit()

    def _ask(self) -> None:
        if self._current:
            self._call = self._engine.request(
                self._current.method,
                *self._current.args,
                on_done=self._finished,
                on_failed=self._failed,
                on_cancelled=self._cancelled,
                on_progress=self._progressed,
            )

    def _progressed(self, progress: Progress) -> None:
        if self._call and self._told:
            self.progressed.emit(progress)

    def _finished(self, report: IndexReport) -> None:
        self._end()
        self.finished.emit(report)
        self._next()

    def _failed(self, error: AppError) -> None:
        quiet = self._current is not None and self._current.quiet
        if isinstance(error, EngineDied):
            if quiet and not self._told:  # the library's next opening looks for what has changed
                self._end()
            self._call = None
            return
        self._end()
        (self.quiet_failed if quiet else self.failed).emit(error)
        self._next()

    def _cancelled(self) -> None:
        self._end()
        self.cancelled.emit()

    def _end(self) -> None:
        self._lasts.stop()
        self._current = self._call = None


def changes(report: IndexReport) -> bool:
    """Whether a run brought anything that a search could find, or took something away."""
    files = report.files
    return any((files.new, files.changed, files.renamed, files.removed, *report.encoded.values()))
