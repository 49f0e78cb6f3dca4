"""A library's own choices, as rows of its settings table."""

from __future__ import annotations

import json
from collections.abc import Sequence

from app.engine.store.database import Database


class Preferences:
    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def models(self) -> tuple[str, ...]:
        """The models chosen for this library; empty until it was first indexed."""
        row = self._database.read.execute("SELECT value FROM settings WHERE key = 'models'").fetchone()
        return tuple(json.loads(row[0])) if row else ()

    def choose_models(self, keys: Sequence[str]) -> None:
        with self._database.transaction() as change:
            change.execute(
                "INSERT INTO settings (key, value) VALUES ('models', ?) "
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (json.dumps(list(keys)),),
            )
