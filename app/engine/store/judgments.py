"""What a person judged: queries, and a grade per query and item, keyed by content: re-indexing loses none of it."""

from __future__ import annotations

import datetime
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from app.engine.store.database import Database
from app.engine.store.integrity import checksum
from app.engine.types import ItemKind, ItemRef, Modality, Query, QueryPart


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
                "INSERT INTO queries (key, title, parts) VALUES (?, ?, ?) "
                "ON CONFLICT (key) DO UPDATE SET title = excluded.title, parts = excluded.parts",
                (key, title, parts),
            )

    def remove_query(self, key: str) -> None:
        """Forget a query with its judgments."""
        with self._database.transaction() as change:
            change.execute("DELETE FROM queries WHERE key = ?", (key,))

    def queries(self) -> tuple[StoredQuery, ...]:
        rows = self._database.read.execute(
            "SELECT q.key, q.title, q.parts, count(j.grade), coalesce(sum(j.grade > 0), 0) FROM queries q "
            "LEFT JOIN judgments j ON j.query_id = q.id GROUP BY q.id ORDER BY q.id"
        )
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
        rows = self._database.read.execute(
            "SELECT j.sha256, j.kind, j.start_ms, j.grade FROM judgments j JOIN queries q ON q.id = j.query_id "
            "WHERE q.key = ? ORDER BY j.judged_at",
            (key,),
        )
        return {ItemRef(sha256, ItemKind(kind), start_ms): grade for sha256, kind, start_ms, grade in rows}

    def count(self) -> int:
        (count,) = self._database.read.execute("SELECT count(*) FROM judgments").fetchone()
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
            (*place, grade, now, checksum(*place, grade)),
        )


def _query(parts: str) -> Query:
    return Query(tuple(QueryPart(**{**part, "modality": Modality(part["modality"])}) for part in json.loads(parts)))
