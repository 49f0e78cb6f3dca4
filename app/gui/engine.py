"""The engine as the window sees it: requests whose answers come back on the window's own thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol

from PySide6.QtCore import QObject, Qt, Signal
from shiboken6 import isValid

from app.bridge.client import Call
from app.engine.errors import AppError, EngineDied
from app.engine.jobs import Cancelled, Progress

Done = Callable[[Any], None]
Failed = Callable[[AppError], None]
Progressed = Callable[[Progress], None]


class Client(Protocol):
    """What the window needs of `app.bridge.client.EngineClient`; tests give a recording one."""

    on_exit: Callable[[], None]
    on_event: Callable[[str, Any], None]

    def start(self) -> None: ...
    def call(self, method: str, *args: Any, on_progress: Progressed | None = None, **kwargs: Any) -> Call: ...
    def close(self) -> None: ...


class Engine(QObject):
    """Turns futures, which end on another thread, into callbacks on the window's thread.

    ``died`` is emitted when the engine process ended by itself; ``failed`` for an error that nobody took; ``told``
    with the name and the value of what the engine tells without being asked.
    """

    died = Signal()
    failed = Signal(object)
    told = Signal(str, object)
    _posted = Signal(object)

    def __init__(self, client: Client, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client = client
        self._closed = False
        self._posted.connect(self._run, Qt.ConnectionType.QueuedConnection)
        client.on_exit = lambda: self._post(self.died.emit)
        client.on_event = lambda name, value: self._post(lambda: self.told.emit(name, value))

    def start(self) -> None:
        """Start the engine, unless it was ended: a window may be closed before its engine was started."""
        if not self._closed:
            self._client.start()

    def close(self) -> None:
        """End the engine; answers that come later are dropped."""
        self._closed = True
        self._client.close()

    def request(
        self,
        method: str,
        *args: Any,
        on_done: Done | None = None,
        on_failed: Failed | None = None,
        on_cancelled: Callable[[], None] | None = None,
        on_progress: Progressed | None = None,
        prepare: Callable[[Any], Any] = lambda value: value,
        **kwargs: Any,
    ) -> Call:
        """Ask for ``Session.<method>(*args, **kwargs)``; exactly one of the ``on_`` endings follows, later, here.

        ``on_done`` gets what ``prepare`` makes of the answer; that runs on the bridge's thread, so that long work does
        not hold the window up. Without ``on_failed`` an error goes to ``failed``. An answer lost because the engine
        died goes to ``on_failed`` if there is one, and else only ``died`` tells. What belongs to a widget that was
        deleted meanwhile is dropped.
        """
        progressed = (lambda progress: self._post(lambda: on_progress(progress))) if on_progress else None
        call = self._client.call(method, *args, on_progress=progressed, **kwargs)

        def ended(future: Future[Any]) -> None:
            error = future.exception()
            value = prepare(future.result()) if error is None else None
            self._post(lambda: self._deliver(value, error, on_done, on_failed, on_cancelled))

        call.future.add_done_callback(ended)
        return call

    def _deliver(
        self,
        value: Any,
        error: BaseException | None,
        on_done: Done | None,
        on_failed: Failed | None,
        on_cancelled: Callable[[], None] | None,
    ) -> None:
        if error is None:
            if on_done and not _is_gone(on_done):
                on_done(value)
        elif isinstance(error, Cancelled):
            if on_cancelled:
                on_cancelled()
        elif isinstance(error, AppError) and on_failed:
            if not _is_gone(on_failed):
                on_failed(error)
        elif not isinstance(error, EngineDied):
            self.failed.emit(error)

    def _post(self, action: Callable[[], None]) -> None:
        if not self._closed:
            self._posted.emit(action)

    def _run(self, action: Callable[[], None]) -> None:
        if not self._closed:
            action()


def _is_gone(callback: Callable[..., None]) -> bool:
    """Whether it is a method of an object of Qt's that was deleted."""
    owner = getattr(callback, "__self__", None)
    return isinstance(owner, QObject) and not isValid(owner)
