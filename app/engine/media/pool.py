"""Decoding in expendable child processes: a file that crashes or hangs a codec costs that file alone."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt
from pebble import ProcessPool

from app.engine.errors import MediaUnreadable
from app.engine.media import child, decode
from app.engine.media.decode import DecodedPart, DecodeRequest
from app.engine.media.disturbing import SeededDisturbance
from app.engine.media.refusal import OUT_OF_MEMORY, refuse
from app.engine.samples import PictureInput, SoundInput
from app.engine.types import ItemKind

T = TypeVar("T")

_TASKS_PER_CHILD = 2000
"""Then a fresh child takes its place, so that a codec that leaks cannot grow for ever; a start costs half a second."""


def default_workers() -> int:
    """One child per core. They yield to whatever else runs: while the encoder computes it has the cores, and when it
    waits for pictures all of them decode, so that no core is ever idle and none is fought over."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class DecoderPool:
    """Runs `decode`, `preview` and `sample_at` in child processes, which start with the first task.

    `preview` and `sample_at`, for which a person waits, have a child of their own and never queue behind indexing or
    `sample_for_job`.

    Every method returns at once. A future fails with MediaUnreadable alone, or is cancelled by `close`; cancelling a
    future ends its work. Thread-safe.

    Args:
        workers: how many children decode; by default `default_workers`.
        time_limit_s: a task that takes longer is ended together with its child.
        yielding: whether those that index work only with what others leave of the cores.
    """

    def __init__(self, workers: int | None = None, time_limit_s: float = 60.0, yielding: bool = True) -> None:
        self.workers = workers or default_workers()
        self._bulk = _Lane(self.workers, time_limit_s, yielding)
        self._quick = _Lane(1, time_limit_s, yielding=False)

    def start(self) -> None:
        """Start the children that index before there is work for them; it takes them half a second."""
        self._bulk.start()

    def decode(self, request: DecodeRequest) -> Future[DecodedPart]:
        """See `app.engine.media.decode.decode`."""
        return self._bulk.submit(request.path, decode.decode, request)

    def preview(
        self, path: bytes, item_kind: ItemKind, start_ms: int | None, end_ms: int | None, size_px: int
    ) -> Future[bytes]:
        """See `app.engine.media.decode.preview`."""
        return self._quick.submit(path, decode.preview, path, item_kind, start_ms, end_ms, size_px)

    def sample_at(
        self,
        path: bytes,
        spec: PictureInput | SoundInput,
        at_ms: int = 0,
        window_ms: int = DecodeRequest.window_ms,
    ) -> Future[npt.NDArray[np.uint8] | npt.NDArray[np.float32]]:
        """See `app.engine.media.decode.sample_at`."""
        return self._quick.submit(path, decode.sample_at, path, spec, at_ms, window_ms)

    def sample_for_job(
        self,
        path: bytes,
        spec: PictureInput | SoundInput,
        at_ms: int = 0,
        disturbance: SeededDisturbance | None = None,
    ) -> Future[npt.NDArray[np.uint8] | npt.NDArray[np.float32]]:
        """The same sample where nobody waits for it alone, perhaps disturbed: made by the children that index."""
        return self._bulk.submit(path, decode.sample_at, path, spec, at_ms, DecodeRequest.window_ms, disturbance)

    def close(self) -> None:
        """End the children and cancel what is not done. Later calls raise RuntimeError."""
        self._bulk.close()
        self._quick.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class _Lane:
    """A queue of tasks and the children that work on it."""

    def __init__(self, workers: int, time_limit_s: float, yielding: bool) -> None:
        self._workers = workers
        self._time_limit_s = time_limit_s
        self._yielding = yielding
        self._lock = threading.RLock()  # reentrant: a future may be done before its callback is added
        self._outstanding: dict[Future[Any], Future[Any]] = {}
        self._is_closed = False
        self._pool = self._new_pool()

    def submit(self, path: bytes, function: Callable[..., T], *arguments: object) -> Future[T]:
        """Run ``function`` in a child; what fails is said of ``path``."""
        result: Future[T] = Future()
        with self._lock:
            work = self._outstanding[result] = self._schedule(function, arguments)
        # The result must not hold the work that holds it: pixels would wait for the garbage collector.
        result.add_done_callback(self._forget)
        work.add_done_callback(lambda done: self._hand_on(done, result, path))
        return result

    def start(self) -> None:
        with self._lock:
            if not self._is_closed:
                self._schedule(os.getpid, ())  # the first task starts the children

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            outstanding = list(self._outstanding)
        for future in outstanding:  # Pebble would leave them pending for ever
            future.cancel()
        _end(self._pool)

    def _new_pool(self) -> ProcessPool:
        # Spawned, never forked: the engine has threads and holds torch and the database.
        context = multiprocessing.get_context("spawn")
        return ProcessPool(self._workers, _TASKS_PER_CHILD, child.begin, (self._yielding,), context=context)

    def _schedule(self, function: Callable[..., T], arguments: tuple[object, ...]) -> Future[T]:
        if self._is_closed:
            raise RuntimeError("The decoder pool is closed")
        work: Future[T]
        try:
            work = self._pool.schedule(function, arguments, timeout=self._time_limit_s)
        except RuntimeError:  # Pebble gives up when a child is killed while all are idle
            _end(self._pool)
            self._pool = self._new_pool()
            work = self._pool.schedule(function, arguments, timeout=self._time_limit_s)
        return work

    def _forget(self, result: Future[Any]) -> None:
        with self._lock:
            work = self._outstanding.pop(result)
        if result.cancelled():
            work.cancel()

    def _hand_on(self, work: Future[T], result: Future[T], path: bytes) -> None:
        if not result.set_running_or_notify_cancel():
            return
        try:
            result.set_result(work.result())
        except MediaUnreadable as error:
            result.set_exception(error)
        except (Exception, CancelledError) as error:
            result.set_exception(refuse(path, self._sentence(error), passing=True))

    def _sentence(self, error: BaseException) -> str:
        if isinstance(error, TimeoutError):
            return (
                f"It took longer than {self._time_limit_s:g} s to decode, so it was left out. It may be damaged; "
                "if it plays elsewhere, save it anew in a common format."
            )
        if isinstance(error, MemoryError):
            return OUT_OF_MEMORY
        return (
            "The decoder crashed on it, so it was left out; nothing else is affected. It may be damaged; "
            "if it opens elsewhere, save it anew in a common format."
        )


def _end(pool: ProcessPool) -> None:
    pool.stop()
    pool.join()
