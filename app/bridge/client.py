"""The window's end of the bridge: requests out, futures and progress back, and notice when the engine dies."""

from __future__ import annotations

import itertools
import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol

from app.bridge.messages import Action, Answer, Control, Event, Fault, Part, Report, Request
from app.bridge.server import serve
from app.engine.errors import EngineDied
from app.engine.jobs import Progress
from app.engine.types import Hit

STOP_TIMEOUT_S = 5.0


class Launcher(Protocol):
    """Starts an engine and returns the window's end of its pipe, and the process if there is one."""

    def __call__(self) -> tuple[Connection, BaseProcess | None]: ...


@dataclass(frozen=True)
class ProcessLauncher:
    """Starts the engine in a fresh interpreter. ``encoders`` names another source of encoders as
    ``module:callable`` (called with the models folder); None is the catalogue."""

    home: Path
    encoders: str | None = None

    def __call__(self) -> tuple[Connection, BaseProcess | None]:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs, self.home, self.encoders), name="semblance-engine")
        process.start()
        theirs.close()
        return ours, process


class Call:
    """One request under way. ``future`` ends with the answer, an `AppError`, `Cancelled` or `EngineDied`."""

    def __init__(self, future: Future[Any], control: Callable[[Action], None]) -> None:
        self.future = future
        self._control = control

    def cancel(self) -> None:
        self._control(Action.CANCEL)

    def pause(self) -> None:
        self._control(Action.PAUSE)

    def resume(self) -> None:
        self._control(Action.RESUME)


@dataclass(frozen=True)
class _Pending:
    future: Future[Any]
    on_progress: Callable[[Progress], None] | None
    parts: list[tuple[Hit, ...]] = field(default_factory=list)


class EngineClient:
    """Talks to one engine process. All methods may be called from any thread; callbacks come from the reader thread.

    Args:
        launch: starts an engine.
        on_exit: called once when the engine has ended without being asked to.
        on_event: called with the name and the value of what the engine tells without being asked: see
            `app.bridge.messages.Event`.
    """

    def __init__(
        self,
        launch: Launcher,
        on_exit: Callable[[], None] = lambda: None,
        on_event: Callable[[str, Any], None] = lambda _name, _value: None,
    ) -> None:
        self._launch = launch
        self.on_exit = on_exit
        self.on_event = on_event
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._pending: dict[int, _Pending] = {}
        self._connection: Connection | None = None
        self._process: BaseProcess | None = None
        self._reader: threading.Thread | None = None
        self._closing = False

    @property
    def running(self) -> bool:
        return self._connection is not None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the engine, or start it again after it died."""
        if self.running:
            return
        if self._reader:
            self._reader.join()
        self._connection, self._process = self._launch()
        self._reader = threading.Thread(target=self._read, args=(self._connection,), name="engine-reader", daemon=True)
        self._reader.start()

    def call(
        self, method: str, *args: Any, on_progress: Callable[[Progress], None] | None = None, **kwargs: Any
    ) -> Call:
        """Ask the engine for ``Session.<method>(*args, **kwargs)``.

        The future fails with `EngineDied` when the engine is not running or ends before it answers.
        """
        request_id = next(self._ids)
        future: Future[Any] = Future()
        with self._lock:
            self._pending[request_id] = _Pending(future, on_progress)
        if not self._send(Request(request_id, method, args, kwargs)):
            self._fail_pending()
        return Call(future, lambda action: self._control(request_id, action))

    def close(self) -> None:
        """Ask the engine to end, wait for it, and end it by force if it does not."""
        self._closing = True
        self._send(None)
        if self._process:
            self._process.join(STOP_TIMEOUT_S)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
        if self._reader:
            self._reader.join()
        if self._process:
            self._process.close()
            self._process = None

    def _control(self, request_id: int, action: Action) -> None:
        self._send(Control(request_id, action))

    def _send(self, message: Request | Control | None) -> bool:
        with self._lock:
            if self._connection is None:
                return False
            try:
                self._connection.send(message)
            except OSError:  # the engine has just died; the reader sees the same and says so
                return False
            return True

    def _read(self, connection: Connection) -> None:
        try:
            while True:
                self._dispatch(connection.recv())
        except (EOFError, OSError):
            pass
        finally:  # also when a caller's callback raised: nobody may wait for ever
            with self._lock:
                self._connection = None
            connection.close()
            self._fail_pending()
            if not self._closing:
                self.on_exit()

    def _dispatch(self, message: Answer | Fault | Report | Part | Event) -> None:
        if isinstance(message, Event):
            self.on_event(message.name, message.value)
            return
        if isinstance(message, Report | Part):
            self._note(message)
            return
        with self._lock:
            pending = self._pending.pop(message.id, None)
        if pending is None:
            return
        if isinstance(message, Answer):
            pending.future.set_result(_joined(pending.parts, message.value))
        else:
            pending.future.set_exception(message.error)

    def _note(self, message: Report | Part) -> None:
        """Take what comes before the answer."""
        pending = self._pending.get(message.id)
        if pending and isinstance(message, Part):
            pending.parts.append(message.hits)
        elif pending and isinstance(message, Report) and pending.on_progress:
            pending.on_progress(message.progress)

    def _fail_pending(self) -> None:
        with self._lock:
            lost, self._pending = self._pending, {}
        for pending in lost.values():
            pending.future.set_exception(
                EngineDied(
                    "The engine stopped", "What was saved before is kept; what was under way can be started again."
                )
            )


def _joined(parts: list[tuple[Hit, ...]], value: Any) -> Any:
    """A search's answer with the hits that came before it."""
    return replace(value, hits=tuple(itertools.chain(*parts, value.hits))) if parts else value
