"""Handing a file to the desktop: opening it with its own program, and showing it in its folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QProcess, QUrl
from PySide6.QtGui import QDesktopServices

from app.paths import is_frozen

BOOTLOADERS = ("_PYI_", "LD_LIBRARY_PATH_ORIG")
"""What the variables begin with that a frozen program's start sets for itself. (PyInstaller's manual, "Run-time
Information".)"""


def open_file(path: str) -> bool:
    """Open a file with the program the user has chosen for it; False if the desktop knows none."""
    return open_address(QUrl.fromLocalFile(path))


def open_address(address: QUrl | str) -> bool:
    """Open a page of the web, or what else has an address; False if the desktop knows no program for it."""
    with users_environment():
        return QDesktopServices.openUrl(QUrl(address))


def show_in_folder(path: str) -> bool:
    """Show a file, selected where the desktop can, in its folder."""
    with users_environment():
        if sys.platform == "win32":
            return QProcess.startDetached("explorer.exe", ["/select,", str(Path(path))])[0]
        if sys.platform == "darwin":
            return QProcess.startDetached("open", ["-R", path])[0]
    return open_file(str(Path(path).parent))


@contextmanager
def users_environment() -> Iterator[None]:
    """Without what a frozen program put into the environment for itself: a program that is started inherits it, and
    would load libraries and plugins of ours in place of its own."""
    before = dict(os.environ)
    if is_frozen():
        for name, value in before.items():
            if name.startswith(BOOTLOADERS):
                del os.environ[name]
            elif (kept := _not_ours(value)) != value:
                os.environ[name] = kept
                if not kept:
                    del os.environ[name]
    try:
        yield
    finally:
        for name, value in before.items():
            if os.environ.get(name) != value:
                os.environ[name] = value


def _not_ours(paths: str) -> str:
    """A list of paths without those of what the program carries."""
    ours = Path(sys._MEIPASS)  # type: ignore[attr-defined]  # PyInstaller's
    return os.pathsep.join(path for path in paths.split(os.pathsep) if not Path(path).is_relative_to(ours))
