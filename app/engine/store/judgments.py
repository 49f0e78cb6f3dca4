"""What a person judged: a grade or a mark per query, judge and item, keyed by content: re-indexing loses none of it."""

from __future__ import annotations

import datetime
import json
import sqlite3
import threading
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

REMEMBERED = 500_000
"""Judgments, of some 100 bytes each."""

Grades = dict[ItemRef, int]
"""A grade, or a `Mark`, of each item."""
_Judgments = list[tuple[str, ItemRef, int]]
"""Whose, of what, and the grade or mark."""


class Judgments:
    """The judgments of one library."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[int, tuple[list[int], _Judgments]] = {}
        self._lock = threading.Lock()

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
        found = {}
        for query_id, judgments in self._given(query_ids).items():
            grades: dict[ItemRef, list[int]] = defaultdict(list)
            for whose, ref, grade in judgments:
                if judge is None or judge == whose:
                    grades[ref].append(grade)
            if grades:
                found[query_id] = {ref: together(given) for ref, given in grades.items()}
        return found

    def judges(self, set_id: int) -> tuple[str, ...]:
        """Who judged something of a set."""
        given = self._given(self._queries_of(set_id))
        return tuple(sorted({whose for judgments in given.values() for whose, _, _ in judgments}))

    def counts(self, set_id: int) -> tuple[int, int]:
        """How many queries of a set have a grade, and how many grades there are."""
        given = self._given(self._queries_of(set_id)).values()
        grades = [sum(grade >= 0 for _, _, grade in judgments) for judgments in given]
        return sum(map(bool, grades)), sum(grades)

    def _queries_of(self, set_id: int) -> list[int]:
        rows = self._database.read.execute("SELECT id FROM queries WHERE set_id = ?", (set_id,))
        return [query_id for (query_id,) in rows]

    def _given(self, query_ids: Iterable[int]) -> dict[int, _Judgments]:
        """The sound judgments of queries, in the order they were made; those without any are left out.

        To check the sums of a hundred thousand takes half a second, so what was read is remembered for as long as
        count and sums of a query's judgments are what they were.
        """
        wanted = json.dumps([*set(query_ids)])
        rows = self._database.read.execute(
            "SELECT query_id, count(*), sum(crc), sum(grade) FROM judgments "
            "WHERE query_id IN (SELECT value FROM json_each(?)) GROUP BY query_id",
            (wanted,),
        )
        states = {query_id: state for query_id, *state in rows}
        with self._lock:
            kept = {query_id: self._kept[query_id] for query_id in states.keys() & self._kept.keys()}
        changed = [query_id for query_id, state in states.items() if query_id not in kept or kept[query_id][0] != state]
        # Read after the states: what is here may be newer than they say, and is then read again the next time.
        kept |= {query_id: (states[query_id], judgments) for query_id, judgments in self._read(changed).items()}
        with self._lock:
            if sum(len(judgments) for _, judgments in self._kept.values()) > REMEMBERED:
                self._kept.clear()
            self._kept |= {query_id: kept[query_id] for query_id in changed}
        return {query_id: kept[query_id][1] for query_id in states if kept[query_id][1]}

    def _read(self, query_ids: Sequence[int]) -> dict[int, _Judgments]:
        found: dict[int, _Judgments] = {query_id: [] for query_id in query_ids}
        rows = self._database.read.execute(
            "SELECT j.query_id, j.judge, j.sha256, j.kind, j.start_ms, j.grade FROM judgments j "  # noqa: S608 - fixed
            f"WHERE j.query_id IN (SELECT value FROM json_each(?)) AND {SOUND_JUDGMENT} ORDER BY j.judged_at",
            (json.dumps([*query_ids]),),
        )
        refs: dict[ItemRef, ItemRef] = {}  # one object for an item, whatever the number of queries that judge it
        for query_id, judge, sha256, kind, start_ms, grade in rows:
            ref = ItemRef(sha256, ItemKind(kind), start_ms)
            found[query_id].append((judge, refs.setdefault(ref, ref), grade))
        return found

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


def together(grades: Sequence[int]) -> int:
    """What several judges say of one item: the lower median of the grades, else the last mark."""
    given = sorted(grade for grade in grades if grade >= 0)
    return given[(len(given) - 1) // 2] if given else grades[-1]
