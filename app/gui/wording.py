"""Numbers, times and sizes as a person reads them."""

from __future__ import annotations

from pathlib import PurePath

from PySide6.QtCore import QDateTime, QLocale

from app.engine.jobs import Progress
from app.engine.judgingtypes import IMPORTED
from app.engine.types import Hit, ItemKind, MediaKind

KIND_NAMES = {MediaKind.PHOTO: "Photo", MediaKind.VIDEO: "Video", MediaKind.AUDIO: "Sound"}


def count(number: int, one: str, many: str) -> str:
    """``1 file``, ``1,234 files``."""
    return f"{number:,} {one if number == 1 else many}"


def judge(name: str, own: str) -> str:
    """A judge's name; ``own`` is what the person whose library it is is called."""
    return "Folders and captions" if name == IMPORTED else name or own


def moment(at_ms: int) -> str:
    """A place in a recording: ``0:07``, ``12:34``, ``1:02:03``."""
    minutes, seconds = divmod(at_ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def place(hit: Hit) -> str:
    """Where in its file a hit is: a moment, a span, or nothing for a photo."""
    if hit.start_ms is None:
        return ""
    if hit.end_ms is None:
        return moment(hit.start_ms)
    return f"{moment(hit.start_ms)}–{moment(hit.end_ms)}"


def similarity(value: float | None) -> str:
    """A cosine to three places with its sign: it is no share of anything, so never a per cent."""
    return "" if value is None else f"{value:.3f}".replace("-", "−")


def short(name: str, letters: int) -> str:
    """A name as it fits into little room: its beginning."""
    return name if len(name) <= letters else f"{name[: letters - 1].rstrip()}…"


def percent(share: float) -> str:
    """A probability: ``94%``. What is all but sure is not called certain."""
    if share < 0.01:
        return "< 1%"
    return "> 99%" if share > 0.99 else f"{share * 100:.0f}%"


def duration(seconds: float) -> str:
    """``less than a minute``, ``about 5 minutes``, ``about 2 h 10 min``."""
    minutes = round(seconds / 60)
    if seconds < 45:
        return "less than a minute"
    if minutes < 60:
        return f"about {count(max(1, minutes), 'minute', 'minutes')}"
    return f"about {minutes // 60} h {minutes % 60:02} min"


def remaining(seconds: float) -> str:
    """``less than a minute left``, ``about 5 minutes left``, ``about 2 h 10 min left``."""
    return f"{duration(seconds)} left"


def size(size_bytes: int) -> str:
    return QLocale().formattedDataSize(size_bytes, 1, QLocale.DataSizeFormat.DataSizeSIFormat)


def counts(progress: Progress) -> list[str]:
    """``1,234 of 5,678`` or ``12.0 MB of 605.2 MB``, ``52 a second``, ``about 2 minutes left``: what is known of it."""
    number = size if progress.in_bytes else "{:,}".format
    words = []
    if progress.total:
        words.append(f"{number(progress.done)} of {number(progress.total)}")
    elif progress.done:
        words.append(number(progress.done))
    if progress.paused:
        return words
    if rate := progress.rate_per_s:
        is_slow = rate < 1 and not progress.in_bytes
        words.append(f"{rate * 60:.0f} a minute" if is_slow else f"{number(round(rate))} a second")
    if progress.remaining_s is not None:
        words.append(remaining(progress.remaining_s))
    return words


def date_time(since_epoch_ms: int) -> str:
    """A moment in local time, in the user's own form."""
    return QLocale().toString(QDateTime.fromMSecsSinceEpoch(since_epoch_ms), QLocale.FormatType.ShortFormat)


def spoken(hit: Hit) -> str:
    """A hit in a sentence, for screen readers and tooltips."""
    words = [PurePath(hit.path).name, KIND_NAMES[hit.kind].lower()]
    if hit.kind is MediaKind.VIDEO and hit.item_kind is ItemKind.AUDIO:
        words[-1] = "sound track of a video"
    if at := place(hit):
        words.append(f"at {at}")
    if hit.similarity is not None:
        words.append(f"similarity {similarity(hit.similarity)}")
    return ", ".join(words)
