"""Opening the window: first the window, then the engine."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from app import settings
from app.bridge.client import EngineClient, ProcessLauncher
from app.gui import theme
from app.gui.engine import Engine
from app.gui.garbage import GarbageCollector
from app.gui.window import MainWindow
from app.paths import resources_dir


def run(home: Path, library: str | None) -> int:
    """Show the window, start the engine beside it, and return the exit status once the window is closed."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    if not isinstance(app, QApplication):
        raise TypeError("The window needs a QApplication, but another kind of application runs in this process.")
    app.setApplicationName("Semblance")
    app.setDesktopFileName("semblance")
    app.setWindowIcon(QIcon(str(resources_dir() / "icons" / "semblance.svg")))
    theme.apply(settings.load(home).theme)
    GarbageCollector(app)
    engine = Engine(EngineClient(ProcessLauncher(home)), app)
    window = MainWindow(engine, home, library)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Qt's loop would hold back Python's own answer to Ctrl+C
    window.show()
    QTimer.singleShot(0, window.start)
    return app.exec()
