"""Opening the window: first the window, then the engine."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QMessageBox

from app import settings
from app.bridge.client import EngineClient, ProcessLauncher
from app.gui import theme
from app.gui.engine import Engine
from app.gui.garbage import GarbageCollector
from app.gui.window import MainWindow
from app.paths import resources_dir

log = logging.getLogger(__name__)


def run(home: Path, library: str | None, files: Sequence[str] = (), has_console: bool = True) -> int:
    """Show the window, start the engine beside it, and return the exit status once the window is closed.

    Args:
        home: the data home.
        library: opened instead of the last one.
        files: paths or ``file:`` URLs of pictures, videos or a sound to search by, and of folders to add.
        has_console: where not, a failure to start is said in a message box.
    """
    try:
        return _run(home, library, files)
    except Exception as error:
        log.exception("The window could not be opened")
        if not has_console:
            say(f"Semblance could not be opened.\n\n{type(error).__name__}: {error}")
        return 1


def say(words: str) -> None:
    """Say something in a message box, where there is no window and no console."""
    app = _application()
    QMessageBox.information(None, app.applicationName(), words)


def _run(home: Path, library: str | None, files: Sequence[str]) -> int:
    app = _application()
    app.setDesktopFileName("semblance")
    app.setWindowIcon(QIcon(str(resources_dir() / "icons" / "semblance.svg")))
    theme.apply(settings.load(home).theme)
    GarbageCollector(app)
    engine = Engine(EngineClient(ProcessLauncher(home)), app)
    window = MainWindow(engine, home, library)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Qt's loop would hold back Python's own answer to Ctrl+C
    window.show()
    QTimer.singleShot(0, window.start)
    if files:
        window.search_by_files(files)
    return app.exec()


def _application() -> QApplication:
    app = QApplication.instance() or QApplication(sys.argv[:1])
    if not isinstance(app, QApplication):
        raise TypeError("The window needs a QApplication, but another kind of application runs in this process.")
    app.setApplicationName("Semblance")
    return app
