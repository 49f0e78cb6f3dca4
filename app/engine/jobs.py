"""Long work that can be watched, paused and cancelled.

A long function takes ``job: Job = NULL_JOB`` and loops over ``job.track(...)``. The caller samples ``job.progress``
or is called back; cancelling raises `Cancelled` inside the work, which commits nothing half.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

T = TypeVar("T")

PAUSE_POLL_S = 0.1


@dataclass(frozen=True)
class Progress:
    """A snapshot of a job. ``total`` is None while it is not known; ``remaining_s`` until it can be estimated.
    ``in_bytes``: what is counted are bytes. ``is_final``: it can no longer be cancelled."""

    phase: str = ""
    done: int = 0
    total: int | None = None
    failed: int = 0
    rate_per_s: float | None = None
    remaining_s: float | None = None
    paused: bool = False
    note: str = ""
    in_bytes: bool = False
    is_final: bool = False


class Cancelled(Exception):
    """Raised inside a job's work when its owner has cancelled it."""


class Job:
    """One piece of long work as its owner sees it. Thread-safe: the owner pauses and cancels, the work reports."""

    def __init__(self, on_progress: Callable[[Progress], None] | None = None, min_interval_s: float = 0.1) -> None:
        self._on_progress = on_progress
        self._min_interval_s = min_interval_s
        self._cancelled = threading.Event()
        self._running = threading.Event()
        self._running.set()
        self._progress = Progress()
        self._phase_began_s = time.monotonic()
        self._paused_s = 0.0
        self._done_before = 0
        self._last_report_s = 0.0

    @property
    def progress(self) -> Progress:
        return self._progress

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def cancel(self) -> None:
        self._cancelled.set()
        self._running.set()

    def pause(self) -> None:
        self._running.clear()

    def resume(self) -> None:
        self._running.set()

    def check(self) -> None:
        """Wait while paused.

        Raises:
            Cancelled: the owner has cancelled the job.
        """
        if not self._running.is_set() and not self._cancelled.is_set():
            paused_at_s = time.monotonic()
            self._set(replace(self._progress, paused=True), force=True)
            while not self._running.wait(PAUSE_POLL_S):
                pass
            self._paused_s += time.monotonic() - paused_at_s
            self._set(replace(self._progress, paused=False), force=True)
        if self._cancelled.is_set():
            raise Cancelled

    def begin(
        self, phase: str, total: int | None = None, done: int = 0, in_bytes: bool = False, is_final: bool = False
    ) -> None:
        """Start a phase. ``done`` units were done by an earlier job, and say nothing about how fast this one is.

        Raises:
            Cancelled: the owner has cancelled the job: a final phase was not begun yet.
        """
        self.check()
        self._phase_began_s = time.monotonic()
        self._paused_s = 0.0
        self._done_before = done
        self._set(Progress(phase=phase, done=done, total=total, in_bytes=in_bytes, is_final=is_final), force=True)

    def advance(self, done: int = 1, failed: int = 0, note: str = "") -> None:
        """Count ``done`` more units, ``failed`` of which failed.

        Raises:
            Cancelled: the owner has cancelled the job.
        """
        count = self._progress.done + done
        elapsed_s = time.monotonic() - self._phase_began_s - self._paused_s
        rate = (count - self._done_before) / elapsed_s if elapsed_s > 0.5 else None
        total = self._progress.total
        remaining_s = (total - count) / rate if rate and total is not None else None
        self._set(
            replace(
                self._progress,
                done=count,
                failed=self._progress.failed + failed,
                rate_per_s=rate,
                remaining_s=remaining_s,
                note=note or self._progress.note,
            ),
            force=count == total,
        )
        self.check()

    def track(self, items: Iterable[T], phase: str, total: int | None = None) -> Iterator[T]:
        """Iterate ``items`` as one phase, one unit each."""
        self.begin(phase, total)
        for item in items:
            yield item
            self.advance()

    def _set(self, progress: Progress, force: bool = False) -> None:
        self._progress = progress
        now_s = time.monotonic()
        if self._on_progress and (force or now_s - self._last_report_s >= self._min_interval_s):
            self._last_report_s = now_s
            self._on_progress(progress)


NULL_JOB = Job()
"""For callers that neither watch nor cancel."""
