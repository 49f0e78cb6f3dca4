"""The application object: it finds the screen or says there is none, and takes the files that the system hands over."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QMessageLogContext, Qt, QtMsgType, Signal, qInstallMessageHandler
from PySide6.QtGui import QFileOpenEvent, QIcon
from PySide6.QtWidgets import QApplication, QMessageBox

from app.paths import resources_dir

UNSEEN = ("offscreen", "minimal")
"""Platforms of Qt where nobody could close a message box."""


class Application(QApplication):
    """Signal: ``file_opened`` with the path of a file that was dropped on the program's icon or opened with it, of
    which macOS tells the program that runs."""

    file_opened = Signal(str)

    def __init__(self, arguments: Sequence[str]) -> None:
        super().__init__(arguments)
        self.setApplicationName("Semblance")
        self.setDesktopFileName("semblance")
        self.setWindowIcon(QIcon(str(resources_dir() / "icons" / "semblance.svg")))

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QFileOpenEvent):
            if path := event.file() or event.url().toLocalFile():
                self.file_opened.emit(path)
            return True
        return super().event(event)


def application() -> Application:
    """The one application of this process, made if there is none. Where Qt finds no screen, it would abort the process:
    a sentence is said instead, and the process ends with 1."""
    there = QApplication.instance()
    if there is None:
        return _make()
    if not isinstance(there, Application):
        raise TypeError("The window needs its own kind of application, but another one runs in this process.")
    return there


def say(words: str, has_console: bool = False) -> None:
    """Say something while there is no window: on the console; in a message box where nobody may be looking at one."""
    if has_console:
        sys.stderr.write(f"{words}\n")
    app = application()
    if not has_console or not (sys.stderr.isatty() or app.platformName() in UNSEEN):
        box = QMessageBox(QMessageBox.Icon.Information, app.applicationName(), words)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.exec()


def _make() -> Application:
    reasons: list[str] = []

    def note(kind: QtMsgType, _context: QMessageLogContext, words: str) -> None:
        if kind is not QtMsgType.QtFatalMsg:
            reasons.append(words.strip())
            return
        sys.stderr.write(
            "Semblance found no screen to show its window on. Start it on a desktop, or use the command line: "
            f"`semblance --help` tells how. What Qt says: {' '.join(reasons)}\n"
        )
        sys.stderr.flush()
        os._exit(1)  # Qt aborts when this returns; nothing has been begun yet

    before = qInstallMessageHandler(note)
    try:
        return Application(sys.argv[:1])
    finally:
        qInstallMessageHandler(before)
        if reasons:
            sys.stderr.write("\n".join((*reasons, "")))
