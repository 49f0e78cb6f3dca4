"""Takes a set of test queries with the judgments of all its judges into a library, all of it or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.engine.evaltypes import QuerySet, QuerySummary
from app.engine.jobs import NULL_JOB, Job
from app.engine.store.database import Database
from app.engine.store.integrity import checksum
from app.engine.store.judgments import Grades, Judgments, enter
from app.engine.store.queries import LONGEST_NAME, Queries, save_query

GivenByJudge = Mapping[str, Mapping[str, Grades]]
"""Judge → query key → grades and marks."""


@dataclass(frozen=True)
class TakenIn:
    """What became of a set. ``numbered``: a set of its name is here and contradicts it, so it came beside it.
    ``merged``: into one that held queries."""

    set_id: int
    queries: int
    judgments: int
    numbered: bool
    merged: bool


class Exchanges:
    """Sets that come from other libraries."""

    def __init__(self, database: Database, queries: Queries, judgments: Judgments) -> None:
        self._database = database
        self._queries = queries
        self._judgments = judgments

    def take_in(
        self, of_set: QuerySet, queries: Sequence[QuerySummary], given: GivenByJudge, job: Job = NULL_JOB
    ) -> TakenIn:
        """Enter a set, in one transaction. Nothing that is here changes:

        - where no set has its name, or an empty one, it becomes that;
        - into a set of its name and scale it is merged, if no judge has graded an item otherwise there; what is here
          of a query (title, guidelines, translations) stays;
        - else it comes as a set of its own, its name with a number.

        Raises:
            AppError: the disk is full or fails.
            Cancelled: the job was cancelled; nothing was taken in.
        """
        name = " ".join(of_set.name.split())[:LONGEST_NAME] or "Test queries"
        same = next((one for one in self._queries.sets() if one.name.casefold() == name.casefold()), None)
        fills = same is not None and not same.queries
        merged = same is not None and not fills and same.scale is of_set.scale and not self._contradicts(same.id, given)
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
            for one in queries:
                query_id = known.get(one.key) or save_query(
                    change, set_id, one.key, one.title, one.query, one.guidelines, one.translations
                )
                for judge, of_judge in given.items():
                    entered += self._entered(change, query_id, judge, of_judge.get(one.key, {}))
                job.advance()
        return TakenIn(set_id, len(queries), entered, same is not None and not fills and not merged, merged)

    def _entered(self, change: sqlite3.Connection, query_id: int, judge: str, grades: Grades) -> int:
        """Enter what is not here yet; how many grades there are. What is here the same keeps the time it was made."""
        here = self._judgments.of_query(query_id, judge)
        enter(change, query_id, judge, [(ref, grade) for ref, grade in grades.items() if ref not in here])
        return sum(grade >= 0 for grade in grades.values())

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
