"""Opening the window: first the window, then the engine."""

from __future__ import annotations

import logging
import logging.handlers
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QSettings, QTimer

from app import settings
from app.bridge.client import EngineClient, ProcessLauncher
from app.engine.errors import AppError
from app.gui import intake, theme
from app.gui.application import Application, application, say
from app.gui.engine import Engine
from app.gui.garbage import GarbageCollector
from app.gui.handover import Door, Wish
from app.gui.window import MainWindow
from app.paths import resources_dir, window_log_path

NEEDED = ("models.toml", "icons/semblance.svg", "sample/captions.csv", "report/page.html")
"""One file of each part of the resources: where one is missing, more will be."""

log = logging.getLogger(__name__)


def run(home: Path, library: str | None, files: Sequence[str] = (), has_console: bool = True) -> int:
    """Show the window, start the engine beside it, and return the exit status once the window is closed. Where a window
    of this home is open already, it is brought to the front and takes the files.

    Args:
        home: the data home.
        library: opened instead of the last one.
        files: paths or ``file:`` URLs of pictures, videos or a sound to search by, and of folders to add.
        has_console: where not, a failure to start is said in a message box.
    """
    try:
        _check_resources()
        return _run(home, Wish(intake.absolute(files), library, os.environ.get("XDG_ACTIVATION_TOKEN", "")))
    except AppError as error:
        say(_sentence(error), has_console)
    except Exception as error:
        log.exception("The window could not be opened")
        fault = AppError(
            "Semblance could not be opened",
            f"This is a fault of the program ({type(error).__name__}: {error}). What was indexed is kept. The log "
            "tells what happened:",
            str(window_log_path(home)),
        )
        say(_sentence(fault), has_console)
    return 1


def _run(home: Path, wish: Wish) -> int:
    _log_faults_to(window_log_path(home))
    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, str(home))  # what Qt's dialogs remember
    app = application()
    door = Door(home, parent=app)
    if not door.enter(wish):
        return 0
    try:
        return _show(app, door, home, wish)
    finally:
        door.leave()


def _show(app: Application, door: Door, home: Path, wish: Wish) -> int:
    theme.apply(settings.load(home).theme)
    GarbageCollector(app)
    engine = Engine(EngineClient(ProcessLauncher(home)), app)
    window = MainWindow(engine, home, wish.library)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Qt's loop would hold back Python's own answer to Ctrl+C
    door.asked.connect(window.arrivals.grant)
    app.file_opened.connect(lambda path: window.arrivals.grant(Wish((path,))))
    window.closing.connect(door.shut)
    window.show()
    door.listen()
    QTimer.singleShot(0, window.start)
    window.arrivals.add(wish.files)
    return app.exec()


def _check_resources() -> None:
    for name in NEEDED:
        if not (resources_dir() / name).is_file():
            raise AppError(
                "A part of Semblance is missing",
                "It was not installed whole, or something was deleted since. Install it again: your libraries are "
                "kept. What is missing:",
                str(resources_dir() / name),
            )


def _log_faults_to(path: Path) -> None:
    """Write what goes wrong in the window to a file too: a windowed program has no other place for it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            path, maxBytes=1_000_000, backupCount=1, encoding="utf-8", delay=True
        )
    except OSError:  # a home that cannot be written is told when the library is opened
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.setLevel(logging.WARNING)
    logging.getLogger().addHandler(handler)
    before = sys.excepthook

    def note(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.critical("Nobody took this", exc_info=(kind, error, trace))
        before(kind, error, trace)

    sys.excepthook = note


def _sentence(error: AppError) -> str:
    return "\n\n".join(words for words in (error.title, error.message, error.path) if words)
