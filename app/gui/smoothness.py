"""How smoothly the window answers while the engine indexes and a long list of results is scrolled.

A timer that fires every `TICK_MS` notes when it really did: what lies between two ticks beyond that is time in which
the window answered nobody. The window, the engine process and the bridge between them are the real ones.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from app.bridge.client import EngineClient, ProcessLauncher
from app.engine.librarytypes import IndexRequest
from app.engine.types import Query
from app.gui import theme
from app.gui.engine import Engine
from app.gui.garbage import GarbageCollector
from app.gui.window import MainWindow

TICK_MS = 2
FRAME_MS = 16
SCROLL_PX = 64
"""At every frame: 4,000 pixels or 20 rows a second, a brisk turn of the wheel."""

SIZE_PX = (1280, 800)
WAIT_S = 120.0
POLL_MS = 5


class Ticker(QObject):
    """Notes the time between the ticks of a timer, in milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.gaps_ms: list[float] = []
        self._last_s = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        self._last_s = time.perf_counter()
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    def _tick(self) -> None:
        now_s = time.perf_counter()
        self.gaps_ms.append((now_s - self._last_s) * 1000)
        self._last_s = now_s


def measure(home: str, folder: str, words: str, results: int, seconds: float) -> dict[str, float]:
    """Open the window on the default library of ``home``, index ``folder``, find ``results`` hits by ``words``, and
    scroll through them for ``seconds``, or until the indexing is done.

    To be called in a process of its own: it makes the QApplication, offscreen.

    Returns:
        From the typed query to the end of the scrolling: how many ``ticks`` there were, and the median, the 99th
        percentile and the longest of the gaps between them; the same for the scrolling alone, and its seconds.

    Raises:
        TimeoutError: the library was not opened, or the results did not come.
    """
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    app = QApplication(["semblance"])
    theme.apply()
    GarbageCollector(app)
    window = MainWindow(Engine(EngineClient(ProcessLauncher(Path(home)))), Path(home))
    window.resize(*SIZE_PX)
    window.show()
    try:
        window.start()
        _wait(lambda: window.workspace.status is not None, "the library to open")
        window.workspace.job.index(IndexRequest((folder,)))
        return _arrive_and_scroll(window, words, results, seconds)
    finally:
        window.close()
        window.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        app.processEvents()


def _arrive_and_scroll(window: MainWindow, words: str, results: int, seconds: float) -> dict[str, float]:
    grid = window.search.grid
    bar = grid.verticalScrollBar()
    ticker = Ticker()
    ticker.start()
    window.search.bar.set_query(Query.of_text(words))

    def all_there() -> bool:
        bar.setValue(bar.maximum())
        return grid.results.hits >= results

    _wait(all_there, "the results")
    arriving = len(ticker.gaps_ms)
    bar.setValue(0)
    began_s = time.perf_counter()
    scroll = QTimer()
    scroll.setTimerType(Qt.TimerType.PreciseTimer)
    scroll.timeout.connect(lambda: bar.setValue((bar.value() + SCROLL_PX) % max(1, bar.maximum())))
    scroll.start(FRAME_MS)
    _wait(lambda: time.perf_counter() - began_s > seconds or not window.workspace.job.running, "the scrolling")
    scroll.stop()
    ticker.stop()
    return {
        **_summary("", ticker.gaps_ms),
        **_summary("scrolling_", ticker.gaps_ms[arriving:]),
        "scrolling_s": time.perf_counter() - began_s,
    }


def _wait(done: Callable[[], bool], what: str) -> None:
    """Let the event loop run until ``done``."""
    loop = QEventLoop()
    poll = QTimer()
    poll.timeout.connect(lambda: loop.quit() if done() else None)
    poll.start(POLL_MS)
    deadline = QTimer()
    deadline.setSingleShot(True)
    deadline.timeout.connect(loop.quit)
    deadline.start(round(WAIT_S * 1000))
    loop.exec()
    poll.stop()
    if not done():
        raise TimeoutError(f"Waited {WAIT_S:.0f} s for {what}.")


def _summary(prefix: str, gaps_ms: list[float]) -> dict[str, float]:
    ordered = sorted(gaps_ms)
    return {
        f"{prefix}ticks": len(ordered),
        f"{prefix}p50_ms": ordered[len(ordered) // 2],
        f"{prefix}p99_ms": ordered[len(ordered) * 99 // 100],
        f"{prefix}max_ms": ordered[-1],
    }
