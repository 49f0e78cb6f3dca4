"""A library's own choices, as rows of its settings table."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from app.engine.errors import AppError
from app.engine.librarytypes import LibrarySettings
from app.engine.store.database import Database
from app.engine.store.integrity import checksum, sound

SHORTEST_SAMPLE_MS, LONGEST_SAMPLE_MS = 500, 600_000
SOUND_SETTING = sound("s", key="text", value="text")
_SETTINGS = frozenset(field.name for field in fields(LibrarySettings))


class Preferences:
    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def models(self) -> tuple[str, ...]:
        """The models chosen for this library; empty until it was first indexed."""
        return tuple(self._get("models") or ())

    def choose_models(self, keys: Sequence[str]) -> None:
        self._set("models", list(keys))

    @property
    def settings(self) -> LibrarySettings:
        """How the library is indexed; the defaults until something else was chosen."""
        saved = {key: value for key, value in self._indexing().items() if key in _SETTINGS}
        return LibrarySettings(**{**saved, "excluded": tuple(saved.get("excluded", ()))})

    def choose_settings(self, settings: LibrarySettings) -> None:
        """What a later version of the program keeps beside these stays.

        Raises:
            AppError: an interval or a window is too short or too long to be of use.
        """
        for name, value_ms in (("frame interval", settings.frame_interval_ms), ("audio window", settings.window_ms)):
            if not SHORTEST_SAMPLE_MS <= value_ms <= LONGEST_SAMPLE_MS:
                raise AppError(
                    f"This {name} cannot be used",
                    f"Choose between {SHORTEST_SAMPLE_MS / 1000:g} and {LONGEST_SAMPLE_MS / 1000:g} seconds.",
                )
        self._set("indexing", {**self._indexing(), **asdict(settings)})

    def _indexing(self) -> dict[str, Any]:
        saved = self._get("indexing")
        return saved if isinstance(saved, dict) else {}

    def _get(self, key: str) -> Any:
        return read_setting(self._database, key)

    def _set(self, key: str, value: Any) -> None:
        with self._database.transaction() as change:
            write_setting(change, key, value)


def write_setting(change: sqlite3.Connection, key: str, value: Any) -> None:
    """Keep a choice within a transaction."""
    text = json.dumps(value)
    change.execute(
        "INSERT INTO settings (key, value, crc) VALUES (?, ?, ?) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value, crc = excluded.crc",
        (key, text, checksum(key, text)),
    )


def read_setting(database: Database, key: str) -> Any:
    """A choice as it was kept; None where there is none, or it is damaged."""
    row = database.read.execute("SELECT CAST(value AS BLOB), crc FROM settings WHERE key = ?", (key,)).fetchone()
    if row and row[1] != checksum(key, row[0]):
        database.doubt(f"The choice of {key} is damaged and taken to be the default.")
        return None
    return json.loads(row[0]) if row else None
