"""An evaluation under way: asked for, told how far it is, cancelled, or dropped for a newer question."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QTimer

from app.bridge.client import Call
from app.engine.errors import AppError
from app.engine.evaltypes import Evaluation, EvaluationRequest
from app.engine.jobs import Progress
from app.gui.engine import Engine
from app.gui.jobline import JobLine

PATIENCE_MS = 400
"""What is measured sooner is shown without a word of progress."""


class Measuring(QObject):
    """One at a time; what it has to say is said in ``line``."""

    def __init__(self, engine: Engine, line: JobLine, parent: QObject) -> None:
        super().__init__(parent)
        self._engine = engine
        self._line = line
        self._call: Call | None = None
        self._generation = 0
        self._heading = ""
        self._progress = Progress()
        self._cancelled: Callable[[], None] = line.put_away
        self._impatient = QTimer(self)
        self._impatient.setSingleShot(True)
        self._impatient.setInterval(PATIENCE_MS)
        self._impatient.timeout.connect(self._show_progress)
        line.cancel_wanted.connect(self.cancel)

    def ask(
        self,
        heading: str,
        request: EvaluationRequest,
        done: Callable[[Evaluation], None],
        failed: Callable[[AppError], None],
        cancelled: Callable[[], None],
    ) -> None:
        """Ask for an evaluation in place of the one under way. One of the endings follows, unless it is dropped."""
        self.drop()
        generation = self._generation

        def ended(then: Callable[[Any], None], value: Any) -> None:
            if generation == self._generation:
                self._end()
                then(value)

        def progressed(progress: Progress) -> None:
            if generation == self._generation:
                self._progress = progress
                if not self._impatient.isActive():
                    self._show_progress()

        self._heading, self._cancelled = heading, cancelled
        self._impatient.start()
        self._call = self._engine.request(
            "evaluations_evaluate",
            request,
            on_done=partial(ended, done),
            on_failed=partial(ended, failed),
            on_progress=progressed,
        )

    def drop(self) -> None:
        """Want no answer any more to what was asked."""
        self._generation += 1
        if self._call:
            self._call.cancel()
        self._end()

    def cancel(self) -> None:
        """Stop what is under way, because a person wants it."""
        self.drop()
        self._cancelled()

    def _end(self) -> None:
        self._call = None
        self._progress = Progress()
        self._impatient.stop()
        self._line.put_away()

    def _show_progress(self) -> None:
        """It lasts, so that a person wants to know how long and to be able to stop it."""
        if self._call:
            self._line.show_progress(self._heading, self._progress)
