"""Takes a set of test queries with the judgments of all its judges into a library, all of it or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.engine.jobs import NULL_JOB, Job
from app.engine.judgingtypes import OWN_JUDGE, QuerySet, QuerySummary
from app.engine.store.database import Database
from app.engine.store.integrity import checksum
from app.engine.store.judgments import Grades, Judgments, enter, given_by, spelled
from app.engine.store.queries import LONGEST_NAME, Queries, save_query

GivenByJudge = Mapping[str, Mapping[str, Grades]]
"""Judge → query key → grades and marks."""


@dataclass(frozen=True)
class TakenIn:
    """What became of a set. ``numbered``: a set of its name is here and contradicts it, so it came beside it.
    ``merged``: into one that held queries. ``owner``: whose the judgments without a name became, None where there are
    none."""

    set_id: int
    queries: int
    judgments: int
    numbered: bool
    merged: bool
    owner: str | None = None


class Exchanges:
    """Sets that come from other libraries."""

    def __init__(self, database: Database, queries: Queries, judgments: Judgments) -> None:
        self._database = database
        self._queries = queries
        self._judgments = judgments

    def take_in(
        self,
        of_set: QuerySet,
        queries: Sequence[QuerySummary],
        given: GivenByJudge,
        stranger: str,
        owner: str | None = None,
        job: Job = NULL_JOB,
    ) -> TakenIn:
        """Enter a set, in one transaction. Nothing that is here changes:

        - where no set has its name, or an empty one, it becomes that;
        - into a set of its name and scale it is merged, if no judge has graded an item otherwise there; what is here
          of a query (title, guidelines, translations) stays;
        - else it comes as a set of its own, its name with a number.

        Judgments without a name, those of the owner of the library that they come from, become ``owner``'s. Where that
        is None they become the own ones of this library, but ``stranger``'s where a set is merged in which the own ones
        say something else.

        Raises:
            AppError: the disk is full or fails.
            Cancelled: the job was cancelled; nothing was taken in.
        """
        name = " ".join(of_set.name.split())[:LONGEST_NAME] or "Test queries"
        same = next((one for one in self._queries.sets() if one.name.casefold() == name.casefold()), None)
        fills = same is not None and not same.queries
        taker = OWN_JUDGE if owner is None else owner
        merged = False
        if same is not None and not fills and same.scale is of_set.scale:
            if owner is None and not self._holds(same.id, given.get(OWN_JUDGE, {})):
                taker = stranger
            merged = not self._contradicts(same.id, _owned(given, taker))
        if not merged:
            taker = OWN_JUDGE if owner is None else owner
        is_owned = OWN_JUDGE in given
        given = _owned(given, taker)
        job.begin("Taking queries and judgments in", len(queries))
        with self._database.transaction() as change:
            if same and (fills or merged):
                set_id = same.id
                if fills:
                    _describe(change, same, of_set)
            else:
                set_id = _made(change, of_set, self._free(name))
            known = {one.key: one.id for one in self._queries.queries(set_id)} if merged else {}
            entered = 0
            names = {judge: spelled(change, judge) for judge in given}
            for one in queries:
                query_id = known.get(one.key) or save_query(
                    change, set_id, one.key, one.title, one.query, one.guidelines, one.translations
                )
                for judge, of_judge in given.items():
                    entered += _entered(change, query_id, names[judge], of_judge.get(one.key, {}))
                job.advance()
        return TakenIn(
            set_id,
            len(queries),
            entered,
            same is not None and not fills and not merged,
            merged,
            taker if is_owned else None,
        )

    def _holds(self, set_id: int, own: Mapping[str, Grades]) -> bool:
        """Whether these own judgments can be of the person whose library this is: of a set in which nothing is judged
        so far, or where every one of them is here already."""
        here = {one.key: one.id for one in self._queries.queries(set_id)}
        ours = self._judgments.of_queries(here.values(), OWN_JUDGE)
        return not ours or all(ours.get(here.get(key, -1), {}).items() >= grades.items() for key, grades in own.items())

    def _contradicts(self, set_id: int, given: GivenByJudge) -> bool:
        """Whether some judge has given another grade or mark to an item of a query here."""
        here = {one.key: one.id for one in self._queries.queries(set_id)}
        for judge, of_judge in given.items():
            ours = self._judgments.of_queries([here[key] for key in of_judge if key in here], judge)
            for key, grades in of_judge.items():
                known = ours.get(here.get(key, -1), {})
                if any(known.get(ref, grade) != grade for ref, grade in grades.items()):
                    return True
        return False

    def _free(self, name: str) -> str:
        taken = {one.name.casefold() for one in self._queries.sets()}
        free, number = name, 1
        while free.casefold() in taken:
            number += 1
            ending = f" ({number})"
            free = name[: LONGEST_NAME - len(ending)] + ending
        return free


def _owned(given: GivenByJudge, owner: str) -> GivenByJudge:
    """The same with the judgments without a name under ``owner``; what it says itself of an item goes first."""
    found: dict[str, dict[str, Grades]] = {}
    for judge in sorted(given):  # the one without a name first
        of_owner = found.setdefault(judge or owner, {})
        for key, grades in given[judge].items():
            of_owner[key] = of_owner.get(key, {}) | grades
    return found


def _entered(change: sqlite3.Connection, query_id: int, judge: str, grades: Grades) -> int:
    """Enter what is not here yet; how many grades there are. What is here the same keeps the time it was made."""
    here = given_by(change, query_id, judge)
    enter(change, query_id, judge, [(ref, grade) for ref, grade in grades.items() if ref not in here])
    return sum(grade >= 0 for grade in grades.values())


def _made(change: sqlite3.Connection, of_set: QuerySet, name: str) -> int:
    values = (name, str(of_set.scale), of_set.guidelines)
    made = change.execute(
        "INSERT INTO query_sets (name, scale, guidelines, crc) VALUES (?, ?, ?, ?)", (*values, checksum(*values))
    )
    return int(made.lastrowid or 0)


def _describe(change: sqlite3.Connection, empty: QuerySet, of_set: QuerySet) -> None:
    """Give a set without queries the scale of the one that fills it, and its guidelines where it has none."""
    values = (empty.name, str(of_set.scale), empty.guidelines or of_set.guidelines)
    change.execute(
        "UPDATE query_sets SET name = ?, scale = ?, guidelines = ?, crc = ? WHERE id = ?",
        (*values, checksum(*values), empty.id),
    )
