"""A child process for what may crash, hang or take memory: networks, graphics drivers, native libraries, drives."""

from __future__ import annotations

import importlib
import multiprocessing
import signal
import time
from concurrent.futures import CancelledError, Future, wait
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from pebble import ProcessExpired, ProcessPool

from app.engine.checks.telling import detail, problem
from app.engine.checktypes import Finding
from app.engine.media import child

PATIENCE_S = 300.0
"""For all checks together: where no child can be started, no time limit begins."""


class Expendable:
    """Runs checks one after another in a child process, which begins with the first. A check that crashes it, or takes
    too long, is a finding, and the next one gets a fresh child."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")  # the engine has threads
        self._pool = ProcessPool(1, initializer=child.begin, initargs=(False, False), context=context)

    def ask(self, key: str, title: str, check: str, *arguments: Any, limit_s: float, remedy: str) -> Asked:
        """Have a check run. It is named ``module:function``, so that no library of it is loaded but in the child, and
        gives a finding or some. ``remedy`` is for where it ends without an answer."""
        work = self._pool.schedule(_run, (check, *arguments), timeout=limit_s)
        return Asked(work, key, title, limit_s, remedy)

    def close(self) -> None:
        self._pool.stop()
        self._pool.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _run(check: str, *arguments: Any) -> Any:
    module, _, function = check.partition(":")
    return getattr(importlib.import_module(module), function)(*arguments)


class Asked:
    """A check under way."""

    def __init__(self, future: Future[Any], key: str, title: str, limit_s: float, remedy: str) -> None:
        self.title = title
        self._future = future
        self._key = key
        self._limit_s = limit_s
        self._remedy = remedy
        self._deadline_s = time.monotonic() + PATIENCE_S

    def wait(self, timeout_s: float) -> bool:
        """Whether it has ended, within that time; or whether it is not to be waited for any longer."""
        return bool(wait([self._future], timeout_s).done) or time.monotonic() > self._deadline_s

    def findings(self) -> tuple[Finding, ...]:
        """What was found, once `wait` says so. Raises nothing."""
        if not self._future.done():
            return (problem(self._key, self.title, "There was no answer in time.", self._remedy),)
        try:
            found = self._future.result()
        except (Exception, CancelledError) as error:
            return (problem(self._key, self.title, self._why(error), self._remedy),)
        return found if isinstance(found, tuple) else (found,)

    def _why(self, error: BaseException) -> str:
        if isinstance(error, TimeoutError):
            return f"Looking at it took longer than {self._limit_s:g} s and was stopped."
        if isinstance(error, ProcessExpired):
            return f"Its library crashed{_how(error)}."
        if isinstance(error, ImportError):
            return f"A library of it cannot be loaded ({detail(error)})."
        if isinstance(error, MemoryError):
            return "There was not enough memory to look at it."
        return f"It fails ({detail(error)})."


def _how(error: ProcessExpired) -> str:
    code = getattr(error, "exitcode", None)
    if not isinstance(code, int) or code >= 0:
        return f" (exit code {code})" if code else ""
    with suppress(ValueError):
        return f" ({signal.Signals(-code).name})"
    return f" (signal {-code})"
