"""The long work on models' files, one piece after another: downloads, checks, packs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.bridge.client import Call
from app.engine.errors import AppError, EngineDied
from app.engine.jobs import Progress
from app.gui.engine import Engine


@dataclass(frozen=True)
class Task:
    """``method`` and ``args`` are what the engine is asked; ``title`` is what it is about, as a person knows it;
    ``key`` the model it belongs to, "" for none or many; ``wanted`` the variant of it that all this is for."""

    method: str
    args: tuple[Any, ...]
    title: str
    key: str = ""
    wanted: str = ""


class ModelJobs(QObject):
    """Signals, each with the `Task`: ``queued``, and ``progressed`` with a `Progress` from its beginning on; then one
    of ``finished`` with the answer, ``cancelled``, or ``failed`` with an `AppError`. ``changed`` whenever another set
    of models is being worked on.

    One task is asked of the engine at a time, so that one that waits can be taken back at once. The engine's death
    fails all of them: what a download had fetched is kept, and starting it again goes on there. After several such
    failures ``interrupted`` tells of them together, with a tuple of the tasks.
    """

    queued = Signal(object)
    progressed = Signal(object, object)
    finished = Signal(object, object)
    cancelled = Signal(object)
    failed = Signal(object, object)
    interrupted = Signal(object)
    changed = Signal()

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._waiting: deque[Task] = deque()
        self._current: Task | None = None
        self._call: Call | None = None

    @property
    def current(self) -> Task | None:
        return self._current

    @property
    def waiting(self) -> tuple[Task, ...]:
        return tuple(self._waiting)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What is under way, then what waits."""
        return (*((self._current,) if self._current else ()), *self._waiting)

    @property
    def busy_keys(self) -> frozenset[str]:
        """The models whose files are not to be touched otherwise."""
        return frozenset(task.key for task in self.tasks if task.key)

    def start(self, task: Task) -> None:
        """Begin, or wait for what is under way. What is asked for already is not done twice."""
        if task in self.tasks:
            return
        self._waiting.append(task)
        self.queued.emit(task)
        if self._current is None:
            self._next()
        else:
            self.changed.emit()

    def cancel(self, task: Task) -> None:
        """Take back what waits, or stop what is under way; ``cancelled`` follows."""
        if task in self._waiting:
            self._waiting.remove(task)
            self.cancelled.emit(task)
            self.changed.emit()
        elif task == self._current and self._call:
            self._call.cancel()

    def _next(self) -> None:
        self._current = self._waiting.popleft() if self._waiting else None
        self._call = None
        self.changed.emit()
        if task := self._current:
            self.progressed.emit(task, Progress())
            self._call = self._engine.request(
                task.method,
                *task.args,
                on_done=lambda value: self._end(lambda: self.finished.emit(task, value)),
                on_failed=lambda error: self._fail(task, error),
                on_cancelled=lambda: self._end(lambda: self.cancelled.emit(task)),
                on_progress=lambda progress: self.progressed.emit(task, progress) if task == self._current else None,
            )

    def _end(self, tell: Callable[[], None]) -> None:
        self._current = self._call = None
        tell()
        if self._current is None:
            self._next()

    def _fail(self, task: Task, error: AppError) -> None:
        lost = list(self._waiting) if isinstance(error, EngineDied) else []
        for one in lost:
            self._waiting.remove(one)
        self._end(lambda: self.failed.emit(task, error))
        for one in lost:
            self.failed.emit(one, error)
        if lost:
            self.interrupted.emit((task, *lost))
