"""The few choices of the window that outlive it, as one JSON file in the data home."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

FILE_NAME = "settings.json"


@dataclass(frozen=True)
class Settings:
    """``window_geometry`` is Qt's own, as hexadecimal; ``theme`` is "system", "light" or "dark".

    ``checked_version`` is the last one that has looked whether everything works on this machine. The four that begin
    with ``needs_`` are what was last said to be wanted of a model; ``needs_kinds`` and ``needs_languages`` are words
    with blanks between them.
    """

    library: str = "default"
    theme: str = "system"
    thumbnail_px: int = 180
    window_geometry: str = ""
    needs_kinds: str = "image"
    needs_by_words: bool = True
    needs_languages: str = "en"
    needs_commercial: bool = False
    checked_version: str = ""


def load(home: Path) -> Settings:
    """The saved settings; what is missing, unknown or unreadable falls back to the default."""
    saved, defaults = _read(home), Settings()
    known = {
        field.name: saved[field.name]
        for field in fields(Settings)
        if isinstance(saved.get(field.name), type(getattr(defaults, field.name)))
    }
    return replace(defaults, **known)


def save(home: Path, settings: Settings) -> None:
    """Write the settings in one step: the old file stays whole until the new one is. What a later version of the
    program keeps in it beside these stays.

    Raises:
        OSError: the home cannot be written.
    """
    table = {**_read(home), **asdict(settings)}
    home.mkdir(parents=True, exist_ok=True)
    new = home / (FILE_NAME + ".new")
    new.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    os.replace(new, home / FILE_NAME)  # noqa: PTH105 - the one call that is atomic on every system


def _read(home: Path) -> dict[str, Any]:
    try:
        saved = json.loads((home / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return saved if isinstance(saved, dict) else {}
