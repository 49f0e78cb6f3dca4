"""Handing a file to the desktop: opening it with its own program, and showing it in its folder."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QProcess, QUrl
from PySide6.QtGui import QDesktopServices


def open_file(path: str) -> bool:
    """Open a file with the program the user has chosen for it; False if the desktop knows none."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(path))


def show_in_folder(path: str) -> bool:
    """Show a file, selected where the desktop can, in its folder."""
    if sys.platform == "win32":
        return QProcess.startDetached("explorer.exe", ["/select,", str(Path(path))])[0]
    if sys.platform == "darwin":
        return QProcess.startDetached("open", ["-R", path])[0]
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(path).parent)))
