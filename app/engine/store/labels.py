"""The labels of a library: the list of words, which is a person's own, and what each picture was found to show.

The list is checked row by row. What was computed is gone as soon as the list or its model is another: it takes seconds
to make again, and so no score of one list is ever read as one of another.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.engine.store.database import Database
from app.engine.store.integrity import checksum, sound
from app.engine.store.preferences import read_setting, write_setting
from app.engine.store.spaces import Ids
from app.engine.types import ItemKind, ItemRef

SOUND_LABEL = sound("l", name="text")
SOUND_LABELLED = sound("d", item_id="integer")

_MODEL, _MADE_BY, _SET = "label model", "labels made by", "label set"


@dataclass(frozen=True)
class Judged:
    """A label that a picture was given, and what a person said of it."""

    label_id: int
    score: float
    relevant: bool


class LabelStore:
    """The labels of one library and of its pictures."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def version(self) -> int:
        """See `Database`."""
        return self._database.version

    # --- the list ---

    def names(self) -> dict[int, str]:
        """The list by id, in the order of the alphabet. A damaged label is left out."""
        with self._database.snapshot() as read:
            rows = read.execute(f"SELECT l.id, l.name FROM labels l WHERE {SOUND_LABEL}").fetchall()
            (count,) = read.execute("SELECT count(*) FROM labels").fetchone()
        if len(rows) != count:
            self._database.doubt("Damaged labels are left out.")
        return dict(sorted(rows, key=lambda row: (row[1].casefold(), row[1])))

    @property
    def model(self) -> str:
        """The model that was chosen to give the labels, "" for none."""
        return str(read_setting(self._database, _MODEL) or "")

    @property
    def set_id(self) -> int | None:
        """The set of test queries in which labels are judged, None for none yet. It may be gone."""
        kept = read_setting(self._database, _SET)
        return kept if isinstance(kept, int) else None

    def choose_set(self, set_id: int) -> None:
        with self._database.transaction() as change:
            write_setting(change, _SET, set_id)

    def choose(self, names: Sequence[str], model: str) -> None:
        """Keep this list and this model. Where the list is another than before, what was computed goes; what another
        model has computed is there until labels are given by this one."""
        if set(self.names().values()) == set(names):
            if self.model != model:
                with self._database.transaction() as change:
                    write_setting(change, _MODEL, model)
            return
        with self._database.transaction() as change:
            known = {name for (name,) in change.execute(f"SELECT l.name FROM labels l WHERE {SOUND_LABEL}")}
            forget_labels(change)
            change.execute(f"DELETE FROM labels AS l WHERE NOT coalesce({SOUND_LABEL}, 0)")
            change.executemany("DELETE FROM labels WHERE name = ?", [(name,) for name in known.difference(names)])
            change.executemany(
                "INSERT INTO labels (name, crc) VALUES (?, ?)",
                [(name, checksum(name)) for name in names if name not in known],
            )
            write_setting(change, _MODEL, model)

    # --- what was computed ---

    @property
    def made_by(self) -> str:
        """By what the labels of the pictures were made, "" for nothing."""
        return str(read_setting(self._database, _MADE_BY) or "")

    def begin(self, made_by: str) -> None:
        """From now on labels are made by this; those that were made by something else go."""
        if self.made_by != made_by:
            with self._database.transaction() as change:
                forget_labels(change)
                write_setting(change, _MADE_BY, made_by)

    def enter(self, made_by: str, looked_at: Ids, given: Iterable[tuple[int, int, float]]) -> bool:
        """Enter the labels of pictures: (item, label, score), and which were ``looked_at``. False, and nothing is
        entered, where another list or model was chosen meanwhile."""
        with self._database.transaction() as change:
            if self.made_by != made_by:
                return False
            present = {
                item_id
                for (item_id,) in change.execute(
                    "SELECT id FROM items WHERE id IN (SELECT value FROM json_each(?))",
                    (json.dumps(looked_at.tolist()),),
                )
            }
            done = [item_id for item_id in looked_at.tolist() if item_id in present]  # others have just left
            change.executemany(
                "INSERT OR REPLACE INTO labelled (item_id, crc) VALUES (?, ?)",
                [(item_id, checksum(item_id)) for item_id in done],
            )
            change.executemany(
                "INSERT OR REPLACE INTO item_labels (item_id, label_id, score) VALUES (?, ?, ?)",
                [row for row in given if row[0] in present],
            )
        return True

    def pending(self, space_id: int, kinds: Iterable[ItemKind]) -> Ids:
        """The items of these kinds that a file holds, and the space has a vector of, that were not looked at."""
        return self._items(space_id, kinds, all_of_them=False)

    def count_pending(self, space_id: int, kinds: Iterable[ItemKind], all_of_them: bool) -> int:
        """How many items are still to be looked at; ``all_of_them``: by something that has looked at none."""
        return len(self._items(space_id, kinds, all_of_them))

    def counts(self) -> dict[int, int]:
        """How many items have each label."""
        return dict(self._database.read.execute("SELECT label_id, count(*) FROM item_labels GROUP BY label_id"))

    def of_item(self, item_id: int) -> list[tuple[str, float]]:
        """The labels of an item with their scores, the likeliest first."""
        rows = self._database.read.execute(
            "SELECT l.name, CAST(il.score AS REAL) FROM item_labels il JOIN labels l ON l.id = il.label_id "
            f"WHERE il.item_id = ? AND {SOUND_LABEL} ORDER BY il.score DESC, l.name",
            (item_id,),
        ).fetchall()
        return [(name, float(score)) for name, score in rows]

    def judged(self, grades: Mapping[int, Mapping[ItemRef, int]]) -> list[Judged]:
        """Of the graded pictures of each label (by its id) those that were given that label, with their scores."""
        found = []
        for label_id, of_label in grades.items():
            given = self._database.read.execute(
                "SELECT c.sha256, i.kind, i.start_ms, CAST(il.score AS REAL) FROM item_labels il "
                "JOIN items i ON i.id = il.item_id JOIN contents c ON c.id = i.content_id WHERE il.label_id = ?",
                (label_id,),
            )
            for sha256, kind, start_ms, score in given:
                grade = of_label.get(ItemRef(sha256, kind, start_ms))
                if grade is not None and grade >= 0:
                    found.append(Judged(label_id, float(score), grade > 0))
        return found

    def _items(self, space_id: int, kinds: Iterable[ItemKind], all_of_them: bool) -> Ids:
        item_kinds = tuple(kinds)
        condition = "1" if all_of_them else "i.id NOT IN (SELECT item_id FROM labelled)"
        rows = self._database.read.execute(
            "SELECT i.id FROM vectors v JOIN items i ON i.id = v.item_id "
            f"WHERE v.space_id = ? AND i.kind IN ({','.join('?' * len(item_kinds))}) AND {condition} "
            "AND EXISTS (SELECT 1 FROM files f WHERE f.content_id = i.content_id) ORDER BY i.id",
            (space_id, *item_kinds),
        ).fetchall()
        return np.array(rows, dtype=np.int64).reshape(-1)


def forget_label_set(change: sqlite3.Connection, set_id: int) -> None:
    """A set is removed: another one may get its id."""
    change.execute("DELETE FROM settings WHERE key = ? AND value = ?", (_SET, str(set_id)))


def forget_labels(change: sqlite3.Connection) -> None:
    """Drop what was computed: whole tables, which SQLite does without looking at the rows."""
    change.execute("DELETE FROM item_labels")
    change.execute("DELETE FROM labelled")
    change.execute("DELETE FROM settings WHERE key = ?", (_MADE_BY,))
