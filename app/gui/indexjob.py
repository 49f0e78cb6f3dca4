"""The one indexing run at a time, as the window knows it: what runs, what waits, and what to run again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.bridge.client import Call
from app.engine.errors import AppError, EngineDied
from app.engine.jobs import Progress
from app.engine.types import IndexReport, IndexRequest
from app.gui.engine import Engine

Ask = Callable[[], Call]


class IndexJob(QObject):
    """Signals: ``started``; ``progressed`` with a `Progress`; then one of ``finished`` with an `IndexReport`,
    ``cancelled`` or ``failed`` with an `AppError`. A run that the engine's death cut short ends with none of them:
    it stays ``running`` until `again` or `abandon`."""

    started = Signal()
    progressed = Signal(object)
    finished = Signal(object)
    cancelled = Signal()
    failed = Signal(object)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._waiting: deque[tuple[str, tuple[Any, ...]]] = deque()
        self._current: tuple[str, tuple[Any, ...]] | None = None
        self._call: Call | None = None

    @property
    def running(self) -> bool:
        return self._current is not None

    def index(self, request: IndexRequest) -> None:
        """Index now, or after what is being indexed."""
        self._enqueue("index", request)

    def load_sample(self) -> None:
        """Fill the open library with the sample that ships with the program."""
        self._enqueue("load_sample")

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
        """Run once more what the engine's death cut short; what it had done is found done."""
        if self._current and self._call is None:
            self._ask()

    def abandon(self) -> None:
        """Give up what was cut short."""
        self._waiting.clear()
        self._end()

    def _enqueue(self, method: str, *args: Any) -> None:
        self._waiting.append((method, args))
        if not self.running:
            self._next()

    def _next(self) -> None:
        if self._waiting:
            self._current = self._waiting.popleft()
            self._ask()
            self.started.emit()

    def _ask(self) -> None:
        if self._current:
            method, args = self._current
            self._call = self._engine.request(
                method,
                *args,
                on_done=self._finished,
                on_failed=self._failed,
                on_cancelled=self._cancelled,
                on_progress=self._progressed,
            )

    def _progressed(self, progress: Progress) -> None:
        if self._call:
            self.progressed.emit(progress)

    def _finished(self, report: IndexReport) -> None:
        self._end()
        self.finished.emit(report)
        self._next()

    def _failed(self, error: AppError) -> None:
        if isinstance(error, EngineDied):
            self._call = None
            return
        self._end()
        self.failed.emit(error)
        self._next()

    def _cancelled(self) -> None:
        self._end()
        self.cancelled.emit()

    def _end(self) -> None:
        self._current = self._call = None
