"""Files as the desktop sees them: open one, show one in its folder, and tell what kind of medium one is."""

from __future__ import annotations

import sys

from PySide6.QtCore import QFileInfo, QMimeDatabase, QProcess, QUrl
from PySide6.QtGui import QDesktopServices

from app.engine.types import MediaKind

_MEDIA_KINDS = {"image": MediaKind.PHOTO, "video": MediaKind.VIDEO, "audio": MediaKind.AUDIO}


def open_file(path: str) -> bool:
    """Open the file in the desktop's own program for it; False if there is none."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(path))


def show_in_folder(path: str) -> bool:
    """Open the file's folder, with the file selected where the desktop has a command for that."""
    if sys.platform == "win32":
        return QProcess.startDetached("explorer", [f"/select,{path.replace('/', chr(92))}"])[0]
    if sys.platform == "darwin":
        return QProcess.startDetached("open", ["-R", path])[0]
    return QDesktopServices.openUrl(QUrl.fromLocalFile(QFileInfo(path).absolutePath()))


def media_kind(path: str) -> MediaKind | None:
    """The kind of medium by the file's ending alone, None if it is none: the file is not read."""
    name = QMimeDatabase().mimeTypeForFile(path, QMimeDatabase.MatchMode.MatchExtension).name()
    return _MEDIA_KINDS.get(name.partition("/")[0])
