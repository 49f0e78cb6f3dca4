"""What a person judged: a grade or a mark per query, judge and item, keyed by content: re-indexing loses none of it."""

from __future__ import annotations

import datetime
import functools
import json
import sqlite3
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from app.engine.errors import AppError
from app.engine.judgingtypes import IMPORTED, LONGEST_JUDGE, Mark, Scale
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
_State = list[int]
"""Count and sums of a query's judgments."""
_Tally = tuple[int, frozenset[str]]
"""How many grades a query has, and who judged it."""


class Judgments:
    """The judgments of one library.

    A judge goes by a name whose case and outer spaces mean nothing; the spelling that was there first stands.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: OrderedDict[int, tuple[_State, _Judgments]] = OrderedDict()
        self._tallied: dict[int, tuple[_State, _Tally]] = {}
        self._size = 0
        self._lock = threading.Lock()

    def judge(self, query_id: int, judge: str, judgments: Sequence[tuple[ItemRef, int | None]]) -> None:
        """Enter grades or marks of one query; None takes a judgment back.

        Raises:
            AppError: this is no grade, or the judge's name is too long.
        """
        with self._database.transaction() as change:
            enter(change, query_id, spelled(change, judge), judgments)

    def of_query(self, query_id: int, judge: str | None = None) -> Grades:
        """See `of_queries`."""
        return self.of_queries([query_id], judge).get(query_id, {})

    def of_queries(
        self, query_ids: Iterable[int], judge: str | None = None, imported: bool = False
    ) -> dict[int, Grades]:
        """The grades and marks of queries, of one judge, or of all together: see `together`. ``imported``: with those
        of folders and captions where the judge has said nothing of an item. In a binary set a grade is 0 or 1, whatever
        was given while it was graded, and is still kept. A damaged judgment is left out."""
        asked = set(query_ids)
        binary = self._binary(asked)
        found = {}
        for query_id, judgments in self._given(asked).items():
            grades = _of_all(judgments) if judge is None else _of_one(judgments, judge)
            if imported and judge is not None:
                grades = _of_one(judgments, IMPORTED) | grades
            if query_id in binary and max(grades.values(), default=0) > Scale.BINARY.highest:
                grades = {ref: min(grade, Scale.BINARY.highest) for ref, grade in grades.items()}
            if grades:
                found[query_id] = grades
        return found

    def counts(self, set_id: int) -> tuple[int, int, tuple[str, ...]]:
        """How many queries of a set have a grade, how many grades there are, and who judged something."""
        tallies = self._tallies(set_id)
        grades = [count for count, _ in tallies]
        names = {folded(whose): whose for _, judges in tallies for whose in sorted(judges, reverse=True)}
        return sum(map(bool, grades)), sum(grades), tuple(sorted(names.values()))

    def _binary(self, query_ids: Iterable[int]) -> set[int]:
        """Those of these queries that are of a binary set."""
        rows = self._database.read.execute(
            "SELECT q.id FROM queries q JOIN query_sets s ON s.id = q.set_id "
            "WHERE s.scale = ? AND q.id IN (SELECT value FROM json_each(?))",
            (Scale.BINARY, json.dumps([*query_ids])),
        )
        return {query_id for (query_id,) in rows}

    # --- what was read is remembered: to check the sums of a hundred thousand judgments takes half a second ---

    def _tallies(self, set_id: int) -> list[_Tally]:
        """Of each query of a set that has judgments. They are few bytes, and remembered all."""
        rows = self._database.read.execute("SELECT id FROM queries WHERE set_id = ?", (set_id,)).fetchall()
        states = self._states(query_id for (query_id,) in rows)
        with self._lock:
            known = {query_id: self._tallied.get(query_id) for query_id in states}
        found = {query_id: one[1] for query_id, one in known.items() if one and one[0] == states[query_id]}
        found |= {query_id: _tally(given) for query_id, given in self._given(states.keys() - found.keys()).items()}
        return list(found.values())

    def _given(self, query_ids: Iterable[int]) -> dict[int, _Judgments]:
        """The sound judgments of queries, in the order they were made; those without any are left out. What was read
        is good for as long as the count and sums of a query's judgments are what they were."""
        states = self._states(query_ids)
        found: dict[int, _Judgments] = {}
        with self._lock:
            for query_id, state in states.items():
                known = self._kept.get(query_id)
                if known and known[0] == state:
                    self._kept.move_to_end(query_id)
                    found[query_id] = known[1]
        # Read after the states: what is here may be newer than they say, and is then read again the next time.
        read = self._read([query_id for query_id in states if query_id not in found])
        self._remember({query_id: (states[query_id], judgments) for query_id, judgments in read.items()})
        found |= read
        return {query_id: found[query_id] for query_id in states if found[query_id]}

    def _states(self, query_ids: Iterable[int]) -> dict[int, _State]:
        rows = self._database.read.execute(
            "SELECT query_id, count(*), sum(crc), sum(grade) FROM judgments "
            "WHERE query_id IN (SELECT value FROM json_each(?)) GROUP BY query_id",
            (json.dumps([*set(query_ids)]),),
        )
        return {query_id: state for query_id, *state in rows}

    def _remember(self, read: Mapping[int, tuple[_State, _Judgments]]) -> None:
        """Keep what was read; what was not asked for the longest makes room."""
        with self._lock:
            for query_id, (state, judgments) in read.items():
                self._tallied[query_id] = state, _tally(judgments)
                _, before = self._kept.pop(query_id, ((), ()))
                self._kept[query_id] = state, judgments
                self._size += len(judgments) - len(before)
            while self._size > REMEMBERED:
                _, (_, oldest) = self._kept.popitem(last=False)
                self._size -= len(oldest)

    def _read(self, query_ids: Sequence[int]) -> dict[int, _Judgments]:
        found: dict[int, _Judgments] = {query_id: [] for query_id in query_ids}
        rows = self._database.read.execute(
            "SELECT j.query_id, j.judge, j.sha256, j.kind, j.start_ms, j.grade FROM judgments j "
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
        judge = spelled(self._database.read, judge)
        rows = self._database.read.execute(
            "SELECT j.judged_at FROM judgments j JOIN queries q ON q.id = j.query_id "
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
        query = f"SELECT count(*), coalesce(sum({SOUND_JUDGMENT}), 0) FROM judgments j"
        count, of_sound = self._database.read.execute(query).fetchone()
        if count != of_sound:
            self._database.doubt("Damaged judgments are not counted.")
        return int(of_sound)


def graded(given: Mapping[ItemRef, int]) -> Grades:
    """The grades alone, without marks."""
    return {ref: grade for ref, grade in given.items() if grade >= 0}


def enter(
    change: sqlite3.Connection, query_id: int, judge: str, judgments: Iterable[tuple[ItemRef, int | None]]
) -> None:
    """`Judgments.judge` within a transaction, by a judge as `spelled`.

    Raises:
        AppError: this is neither a grade nor a mark.
    """
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    places = [((query_id, judge, ref.sha256, ref.kind, ref.start_ms), _checked(grade)) for ref, grade in judgments]
    change.executemany(
        "DELETE FROM judgments WHERE query_id = ? AND judge = ? AND sha256 = ? AND kind = ? AND start_ms = ?",
        (place for place, grade in places if grade is None),
    )
    change.executemany(
        "INSERT INTO judgments (query_id, judge, sha256, kind, start_ms, grade, judged_at, crc) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET grade = excluded.grade, "
        "judged_at = excluded.judged_at, crc = excluded.crc",
        ((*place, grade, now, checksum(*place, grade, now)) for place, grade in places if grade is not None),
    )


def given_by(change: sqlite3.Connection, query_id: int, judge: str) -> Grades:
    """What a judge, as `spelled`, has entered for a query: within a transaction, and as it was entered."""
    rows = change.execute(
        f"SELECT j.sha256, j.kind, j.start_ms, j.grade FROM judgments j "
        f"WHERE j.query_id = ? AND j.judge = ? AND {SOUND_JUDGMENT}",
        (query_id, judge),
    )
    return {ItemRef(sha256, ItemKind(kind), start_ms): grade for sha256, kind, start_ms, grade in rows}


def spelled(connection: sqlite3.Connection, judge: str) -> str:
    """A judge's name as this library writes it.

    Raises:
        AppError: it is too long.
    """
    name = " ".join(judge.split())
    if len(name) > LONGEST_JUDGE:
        raise AppError("This name is too long", f"Give a judge a name of up to {LONGEST_JUDGE} characters.")
    if not name:
        return name
    rows = connection.execute(  # from one judge of a query to the next, without a look at what they judged
        "WITH RECURSIVE judges (query_id, judge) AS (SELECT id, '' FROM queries UNION ALL "
        "SELECT query_id, (SELECT min(j.judge) FROM judgments j WHERE j.query_id = judges.query_id "
        "AND j.judge > judges.judge) FROM judges WHERE judge IS NOT NULL) "
        "SELECT DISTINCT judge FROM judges WHERE judge IS NOT NULL AND typeof(judge) = 'text' ORDER BY judge"
    )
    return next((known for (known,) in rows if folded(known) == folded(name)), name)


@functools.lru_cache
def folded(judge: str) -> str:
    """By what two names are one judge's."""
    return " ".join(judge.split()).casefold()


def together(said: Iterable[tuple[str, int]]) -> int:
    """What several judges, each with a grade or mark, say of one item: the lower median of the grades that persons
    gave; where none did, that of `IMPORTED`; else the last mark."""
    given = list(said)
    grades = sorted(grade for whose, grade in given if grade >= 0 and whose != IMPORTED)
    if grades:
        return grades[(len(grades) - 1) // 2]
    return next((grade for whose, grade in given if whose == IMPORTED), given[-1][1])


def _of_all(judgments: _Judgments) -> Grades:
    grades = {ref: grade for _, ref, grade in judgments}
    if len(grades) == len(judgments):  # no item was judged by two
        return grades
    said: dict[ItemRef, list[tuple[str, int]]] = defaultdict(list)
    for whose, ref, grade in judgments:
        said[ref].append((whose, grade))
    return {ref: together(given) for ref, given in said.items()}


def _of_one(judgments: _Judgments, judge: str) -> Grades:
    wanted = folded(judge)
    return {ref: grade for whose, ref, grade in judgments if folded(whose) == wanted}


def _tally(judgments: _Judgments) -> _Tally:
    return sum(grade >= 0 for _, _, grade in judgments), frozenset(whose for whose, _, _ in judgments)


def _checked(grade: int | None) -> int | None:
    if grade is None:
        return None
    if grade not in range(Mark.LATER, Scale.GRADED.highest + 1):
        raise AppError("This is no grade", f"Grades go from 0 to {Scale.GRADED.highest}; {grade} was given.")
    return int(grade)
