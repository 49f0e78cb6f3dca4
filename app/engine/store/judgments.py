"""What a person judged: a grade or a mark per query, judge and item, keyed by content: re-indexing loses none of it."""

from __future__ import annotations

import datetime
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from app.engine.store.database import Database
from app.engine.store.integrity import checksum, sound
from app.engine.types import ItemKind, ItemRef

SOUND_JUDGMENT = sound(
    "j",
    query_id="integer",
    judge="text",
    sha256="blob",
    kind="text",
    start_ms="integer",
    grade="integer",
    judged_at="text",
)

Grades = dict[ItemRef, int]
"""A grade, or a `Mark`, of each item."""


class Judgments:
    """The judgments of one library."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def judge(self, query_id: int, judge: str, judgments: Sequence[tuple[ItemRef, int | None]]) -> None:
        """Enter grades or marks of one query; None takes a judgment back."""
        with self._database.transaction() as change:
            enter(change, query_id, judge, judgments)

    def of_query(self, query_id: int, judge: str | None = None) -> Grades:
        """See `of_queries`."""
        return self.of_queries([query_id], judge).get(query_id, {})

    def of_queries(self, query_ids: Iterable[int], judge: str | None = None) -> dict[int, Grades]:
        """The grades and marks of queries, of one judge, or of all together: then an item has the lower median of its
        grades, and a mark only where nobody graded it. A damaged judgment is left out."""
        wanted = set(query_ids)
        one = next(iter(wanted), -1)
        condition, values = ("j.query_id = ?", (one,)) if len(wanted) <= 1 else ("1", ())
        if judge is not None:
            condition, values = f"{condition} AND j.judge = ?", (*values, judge)
        rows = self._database.read.execute(
            "SELECT j.query_id, j.sha256, j.kind, j.start_ms, j.grade FROM judgments j "  # noqa: S608 - fixed
            f"WHERE {condition} AND {SOUND_JUDGMENT} ORDER BY j.judged_at",
            values,
        )
        given: dict[int, dict[ItemRef, list[int]]] = defaultdict(lambda: defaultdict(list))
        for query_id, sha256, kind, start_ms, grade in rows:
            if query_id in wanted:
                given[query_id][ItemRef(sha256, ItemKind(kind), start_ms)].append(grade)
        return {
            query_id: {ref: _together(grades) for ref, grades in items.items()} for query_id, items in given.items()
        }

    def judges(self, set_id: int) -> tuple[str, ...]:
        """Who judged something of a set."""
        rows = self._database.read.execute(
            "SELECT DISTINCT j.judge FROM judgments j JOIN queries q ON q.id = j.query_id "  # noqa: S608 - fixed
            f"WHERE q.set_id = ? AND {SOUND_JUDGMENT} ORDER BY j.judge",
            (set_id,),
        )
        return tuple(judge for (judge,) in rows)

    def counts(self, set_id: int) -> tuple[int, int]:
        """How many queries of a set have a grade, and how many grades there are."""
        queries, grades = self._database.read.execute(
            "SELECT count(DISTINCT j.query_id), count(*) FROM judgments j JOIN queries q ON q.id = j.query_id "  # noqa: S608
            f"WHERE q.set_id = ? AND j.grade >= 0 AND {SOUND_JUDGMENT}",
            (set_id,),
        ).fetchone()
        return int(queries), int(grades)

    def moments(self, set_id: int, judge: str, limit: int) -> list[datetime.datetime]:
        """When a judge made the latest judgments of a set, ascending."""
        rows = self._database.read.execute(
            "SELECT j.judged_at FROM judgments j JOIN queries q ON q.id = j.query_id "  # noqa: S608 - fixed
            f"WHERE q.set_id = ? AND j.judge = ? AND {SOUND_JUDGMENT} ORDER BY j.judged_at DESC LIMIT ?",
            (set_id, judge, limit),
        ).fetchall()
        return [datetime.datetime.fromisoformat(moment) for (moment,) in reversed(rows)]

    def state(self) -> tuple[int, int]:
        """Another one after every change: how many judgments there are, and the sum of their checksums."""
        count, total = self._database.read.execute("SELECT count(*), coalesce(sum(crc), 0) FROM judgments").fetchone()
        return int(count), int(total)

    def count(self) -> int:
        """How many judgments there are, damaged ones left out."""
        count = self._count(f"judgments j WHERE {SOUND_JUDGMENT}")
        if count != self._count("judgments"):
            self._database.doubt("Damaged judgments are not counted.")
        return count

    def _count(self, rows: str) -> int:
        (count,) = self._database.read.execute(f"SELECT count(*) FROM {rows}").fetchone()  # noqa: S608 - fixed
        return int(count)


def graded(given: Mapping[ItemRef, int]) -> Grades:
    """The grades alone, without marks."""
    return {ref: grade for ref, grade in given.items() if grade >= 0}


def enter(
    change: sqlite3.Connection, query_id: int, judge: str, judgments: Iterable[tuple[ItemRef, int | None]]
) -> None:
    """`Judgments.judge` within a transaction."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    places = [((query_id, judge, ref.sha256, ref.kind, ref.start_ms), grade) for ref, grade in judgments]
    change.executemany(
        "DELETE FROM judgments WHERE query_id = ? AND judge = ? AND sha256 = ? AND kind = ? AND start_ms = ?",
        (place for place, grade in places if grade is None),
    )
    given = ((place, int(grade)) for place, grade in places if grade is not None)
    change.executemany(
        "INSERT INTO judgments (query_id, judge, sha256, kind, start_ms, grade, judged_at, crc) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET grade = excluded.grade, "
        "judged_at = excluded.judged_at, crc = excluded.crc",
        ((*place, grade, now, checksum(*place, grade, now)) for place, grade in given),
    )


def _together(grades: Sequence[int]) -> int:
    """The lower median of the grades, else the last mark."""
    given = sorted(grade for grade in grades if grade >= 0)
    return given[(len(given) - 1) // 2] if given else grades[-1]
