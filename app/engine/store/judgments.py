"""What a person judged: queries, and a grade per query and item, keyed by content: re-indexing loses none of it."""

from __future__ import annotations

import datetime
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from app.engine.store.database import Database
from app.engine.store.integrity import checksum, sound
from app.engine.types import ItemKind, ItemRef, Modality, Query, QueryPart

SOUND_QUERY = sound("q", key="text", title="text", parts="text")
SOUND_JUDGMENT = sound(
    "j", query_id="integer", sha256="blob", kind="text", start_ms="integer", grade="integer", judged_at="text"
)


@dataclass(frozen=True)
class StoredQuery:
    key: str
    title: str
    query: Query
    relevant: int
    judged: int


class Judgments:
    """The queries and judgments of one library."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save_query(self, key: str, title: str, query: Query) -> None:
        """Keep a query; one that is there keeps its judgments and takes the new title and paths."""
        parts = json.dumps([asdict(part) for part in query.parts])
        with self._database.transaction() as change:
            change.execute(
                "INSERT INTO queries (key, title, parts, crc) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (key) DO UPDATE SET title = excluded.title, parts = excluded.parts, crc = excluded.crc",
                (key, title, parts, checksum(key, title, parts)),
            )

    def remove_query(self, key: str) -> None:
        """Forget a query with its judgments."""
        with self._database.transaction() as change:
            change.execute("DELETE FROM queries WHERE key = ?", (key,))

    def queries(self) -> tuple[StoredQuery, ...]:
        """The queries with how many judgments each has. Damaged rows are left out; see `Database.doubt`."""
        rows = self._database.read.execute(
            "SELECT q.key, q.title, q.parts, count(j.grade), coalesce(sum(j.grade > 0), 0) FROM queries q "  # noqa: S608
            f"LEFT JOIN judgments j ON j.query_id = q.id AND {SOUND_JUDGMENT} WHERE {SOUND_QUERY} "
            "GROUP BY q.id ORDER BY q.id"
        ).fetchall()
        if len(rows) != self._count("queries"):
            self._database.doubt("Damaged test queries are left out.")
        return tuple(
            StoredQuery(key, title, _query(parts), relevant, judged) for key, title, parts, judged, relevant in rows
        )

    def judge(self, key: str, judgments: Sequence[tuple[ItemRef, int | None]]) -> None:
        """Enter grades of one query; None takes a judgment back."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        with self._database.transaction() as change:
            (query_id,) = change.execute("SELECT id FROM queries WHERE key = ?", (key,)).fetchone()
            for ref, grade in judgments:
                _enter(change, query_id, ref, grade, now)

    def grades(self, key: str) -> dict[ItemRef, int]:
        """The grades of a query. A damaged one is left out."""
        rows = self._database.read.execute(
            "SELECT j.sha256, j.kind, j.start_ms, j.grade FROM judgments j JOIN queries q ON q.id = j.query_id "  # noqa: S608
            f"WHERE q.key = ? AND {SOUND_JUDGMENT} ORDER BY j.judged_at",
            (key,),
        )
        return {ItemRef(sha256, ItemKind(kind), start_ms): grade for sha256, kind, start_ms, grade in rows}

    def count(self) -> int:
        """How many judgments there are, damaged ones left out."""
        count = self._count(f"judgments j WHERE {SOUND_JUDGMENT}")
        if count != self._count("judgments"):
            self._database.doubt("Damaged judgments are not counted.")
        return count

    def _count(self, rows: str) -> int:
        (count,) = self._database.read.execute(f"SELECT count(*) FROM {rows}").fetchone()  # noqa: S608 - fixed
        return int(count)


def _enter(change: sqlite3.Connection, query_id: int, ref: ItemRef, grade: int | None, now: str) -> None:
    place = (query_id, ref.sha256, ref.kind, ref.start_ms)
    if grade is None:
        change.execute("DELETE FROM judgments WHERE query_id = ? AND sha256 = ? AND kind = ? AND start_ms = ?", place)
    else:
        change.execute(
            "INSERT INTO judgments (query_id, sha256, kind, start_ms, grade, judged_at, crc) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET grade = excluded.grade, "
            "judged_at = excluded.judged_at, crc = excluded.crc",
            (*place, grade, now, checksum(*place, grade, now)),
        )


def _query(parts: str) -> Query:
    return Query(tuple(QueryPart(**{**part, "modality": Modality(part["modality"])}) for part in json.loads(parts)))
