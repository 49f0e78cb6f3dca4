"""What was dropped, pasted or chosen: folders to index, and pictures and sounds to search by."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QMimeData, QMimeDatabase, QUrl
from PySide6.QtGui import QImage

from app.engine.errors import AppError
from app.engine.types import Hit, ItemKind, Modality, QueryPart

MOMENT_TYPE = "application/x-semblance-start-ms"
"""Beside a file dragged from the program's own grid: where in it the item begins."""


@dataclass(frozen=True)
class Intake:
    """``parts`` are query parts; ``refused`` are neither picture, video nor sound, or not there."""

    folders: tuple[str, ...] = ()
    parts: tuple[QueryPart, ...] = ()
    refused: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.folders or self.parts or self.refused)

    def __add__(self, other: Intake) -> Intake:
        return Intake(self.folders + other.folders, self.parts + other.parts, self.refused + other.refused)


def can_take(data: QMimeData) -> bool:
    """Whether a drag is worth accepting, without looking at the disk."""
    return data.hasImage() or any(url.isLocalFile() for url in data.urls())


def from_data(data: QMimeData, pasted_dir: Path) -> Intake:
    """Take files and folders, else a bare picture, else words that are the path or URL of a file that is there.

    A bare picture, as a browser or a screenshot puts it on the clipboard, is written as a PNG file into
    ``pasted_dir``, named by its content, because the engine reads queries from files.

    Raises:
        AppError: the picture could not be written.
    """
    local = [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
    if local:
        start_ms = int(bytes(data.data(MOMENT_TYPE).data()) or 0)
        return from_paths(local, start_ms)
    if data.hasImage():
        image = data.imageData()
        if isinstance(image, QImage) and not image.isNull():
            return Intake(parts=(QueryPart(Modality.IMAGE, path=str(_save(image, pasted_dir))),))
    words = data.text().strip()
    path = _local(words)
    return from_paths([path]) if path and "\n" not in path and is_there(Path(path)) else Intake()


def from_paths(paths: Iterable[str], at_ms: int = 0) -> Intake:
    """Sort paths into folders and query parts by the file's type, which is known from its name."""
    folders, parts, refused = [], [], []
    for path in paths:
        if Path(path).is_dir():
            folders.append(path)
        elif modality := modality_of(path):
            parts.append(QueryPart(modality, path=path, at_ms=at_ms))
        else:
            refused.append(path)
    return Intake(tuple(folders), tuple(parts), tuple(refused))


def absolute(words: Iterable[str]) -> tuple[str, ...]:
    """The paths of what was named on a command line, from the current folder if need be; also of ``file:`` URLs."""
    return tuple(os.path.abspath(_local(word)) for word in words)  # noqa: PTH100 - links in them are not resolved


def from_hit(hit: Hit, weight: float = 1.0) -> QueryPart:
    """The query part that asks for what is like a hit."""
    modality = Modality.AUDIO if hit.item_kind is ItemKind.AUDIO else Modality.IMAGE
    return QueryPart(modality, path=hit.path, at_ms=hit.start_ms or 0, weight=weight)


def modality_of(path: str) -> Modality | None:
    """What a file can ask for; a video asks with its picture."""
    kind = QMimeDatabase().mimeTypeForFile(path, QMimeDatabase.MatchMode.MatchExtension).name().partition("/")[0]
    return {"image": Modality.IMAGE, "video": Modality.IMAGE, "audio": Modality.AUDIO}.get(kind)


def has_folders(folder: str) -> bool:
    """Whether a folder has others in it, hidden ones aside."""
    try:
        return any(entry.is_dir() and not entry.name.startswith(".") for entry in Path(folder).iterdir())
    except OSError:
        return False


def _local(words: str) -> str:
    return QUrl(words).toLocalFile() if words.startswith("file:") else words


def is_there(path: Path) -> bool:
    """Whether an absolute path is that of a file or folder."""
    try:
        return path.is_absolute() and path.exists()
    except (OSError, ValueError):  # words too long or too odd to be a path
        return False


def _save(image: QImage, folder: Path) -> Path:
    pixels = bytes(image.convertToFormat(QImage.Format.Format_RGBA8888).constBits())
    path = folder / f"{hashlib.sha256(pixels).hexdigest()[:16]}.png"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = image.save(str(path))
    except OSError:
        written = False
    if not written:
        raise AppError(
            "The picture could not be pasted",
            "It could not be written to the data folder. See that the folder can be written and the disk has room.",
            str(path),
        )
    return path
