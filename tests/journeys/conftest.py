"""The real window over a real engine in its own process, offscreen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from pytestqt.qtbot import QtBot

from app.bridge.client import EngineClient, ProcessLauncher
from app.gui.engine import Engine
from app.gui.window import MainWindow

WAIT_MS = 90_000


@dataclass(frozen=True)
class Opened:
    """A window and what a test may do to the engine behind it."""

    window: MainWindow
    client: EngineClient


Open = Callable[..., Opened]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def open_window(qtbot: QtBot, home: Path) -> Iterator[Open]:
    """Opens the window as the program does; ``encoders`` names another source of them."""
    opened: list[Opened] = []

    def open_(encoders: str | None = None) -> Opened:
        client = EngineClient(ProcessLauncher(home, encoders))
        window = MainWindow(Engine(client), home)
        opened.append(Opened(window, client))
        window.resize(1280, 800)
        window.show()
        with qtbot.waitSignal(window.workspace.opened, timeout=WAIT_MS):
            window.start()
        return opened[-1]

    yield open_
    for one in opened:
        one.window.close()
        one.window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
