"""Named sets of test queries. A query is once in a set, by its TREC id, and is judged there."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from app.engine.errors import AppError
from app.engine.judgingtypes import DEFAULT_SET, Mark, QuerySet, QuerySummary, Scale
from app.engine.store.database import Database
from app.engine.store.integrity import checksum, sound
from app.engine.store.judgments import Grades, Judgments
from app.engine.store.labels import forget_label_set
from app.engine.types import Modality, Query, QueryPart, printable

SOUND_SET = sound("s", name="text", scale="text", guidelines="text")
SOUND_QUERY = sound(
    "q", set_id="integer", key="text", title="text", parts="text", guidelines="text", translations="text"
)
LONGEST_NAME = 100

_SET_COLUMNS = "s.id, s.name, s.scale, s.guidelines"
_SetRow = tuple[int, str, str, str]
_COLUMNS = "q.id, q.set_id, q.key, q.title, q.parts, q.guidelines, q.translations"
_QueryRow = tuple[int, int, str, str, str, str, str]


class Queries:
    """The test queries of one library, in their sets."""

    def __init__(self, database: Database, judgments: Judgments) -> None:
        self._database = database
        self._judgments = judgments

    # --- sets ---

    def sets(self) -> tuple[QuerySet, ...]:
        """The sets with what is in them, in the order they were made. A damaged one is left out."""
        with self._database.snapshot() as read:
            rows = read.execute(f"SELECT {_SET_COLUMNS} FROM query_sets s WHERE {SOUND_SET} ORDER BY s.id").fetchall()
            (count,) = read.execute("SELECT count(*) FROM query_sets").fetchone()
            sets = tuple(map(self._counted, rows))
        if len(rows) != count:
            self._database.doubt("Damaged sets of test queries are left out.")
        return sets

    def set_of(self, set_id: int) -> QuerySet:
        """One set with what is in it.

        Raises:
            AppError: it is gone.
        """
        with self._database.snapshot():
            return self._counted(self._row(set_id))

    def about(self, set_id: int) -> tuple[str, Scale, str]:
        """Name, scale and guidelines of a set. To count what is in a large one takes a while.

        Raises:
            AppError: it is gone.
        """
        _, name, scale, guidelines = self._row(set_id)
        return name, Scale(scale), guidelines

    def _row(self, set_id: int) -> _SetRow:
        row: _SetRow | None = self._database.read.execute(
            f"SELECT {_SET_COLUMNS} FROM query_sets s WHERE s.id = ? AND {SOUND_SET}",
            (set_id,),
        ).fetchone()
        if row is None:
            raise AppError("This set of queries is gone", "It was removed; choose another.")
        return row

    def default_set(self) -> int:
        """The id of the set that takes queries nobody chose another for; made if it is not there."""
        found = self.named(DEFAULT_SET)
        return self.create_set(DEFAULT_SET, Scale.BINARY, "") if found is None else found[0]

    def named(self, name: str) -> tuple[int, str] | None:
        """The id of the set of a name, and how it is written; upper and lower case are one."""
        return self.names().get(" ".join(name.split()).casefold())

    def names(self) -> dict[str, tuple[int, str]]:
        """The ids of the sets, and how their names are written, by the names without case."""
        rows = self._database.read.execute(f"SELECT s.id, s.name FROM query_sets s WHERE {SOUND_SET}")
        return {name.casefold(): (set_id, name) for set_id, name in rows}

    def create_set(self, name: str, scale: Scale, guidelines: str) -> int:
        """Make a set; its id.

        Raises:
            AppError: the name is empty, too long, or taken.
        """
        name, guidelines = self._free_name(name, None), printable(guidelines)
        with self._database.transaction() as change:
            made = change.execute(
                "INSERT INTO query_sets (name, scale, guidelines, crc) VALUES (?, ?, ?, ?)",
                (name, scale, guidelines, checksum(name, scale, guidelines)),
            )
            return int(made.lastrowid or 0)

    def change_set(self, set_id: int, name: str | None, scale: Scale | None, guidelines: str | None) -> None:
        """Change what is not None.

        Raises:
            AppError: the set is gone, or the name is empty, too long, or taken.
        """
        old_name, old_scale, old_guidelines = self.about(set_id)
        name = old_name if name is None else self._free_name(name, set_id)
        scale = old_scale if scale is None else scale
        guidelines = old_guidelines if guidelines is None else printable(guidelines)
        with self._database.transaction() as change:
            change.execute(
                "UPDATE query_sets SET name = ?, scale = ?, guidelines = ?, crc = ? WHERE id = ?",
                (name, scale, guidelines, checksum(name, scale, guidelines), set_id),
            )

    def remove_set(self, set_id: int) -> None:
        """Forget a set with its queries and their judgments."""
        with self._database.transaction() as change:
            change.execute("DELETE FROM query_sets WHERE id = ?", (set_id,))
            forget_label_set(change, set_id)

    # --- queries ---

    def queries(
        self, set_id: int | None = None, judge: str | None = None, imported: bool = False
    ) -> tuple[QuerySummary, ...]:
        """The queries of a set, or all, with how far they are judged. Damaged rows are left out; see
        `Database.doubt`."""
        return self.judged(set_id, judge, imported)[0]

    def judged(
        self, set_id: int | None = None, judge: str | None = None, imported: bool = False
    ) -> tuple[tuple[QuerySummary, ...], dict[int, Grades]]:
        """`queries`, and their judgments by query id: see `Judgments.of_queries`."""
        of_set, values = ("q.set_id = ?", (set_id,)) if set_id is not None else ("1", ())
        with self._database.snapshot() as read:
            rows = read.execute(
                f"SELECT {_COLUMNS} FROM queries q WHERE {of_set} AND {SOUND_QUERY} ORDER BY q.id",
                values,
            ).fetchall()
            (count,) = read.execute(f"SELECT count(*) FROM queries q WHERE {of_set}", values).fetchone()
            grades = self._judgments.of_queries([row[0] for row in rows], judge, imported)
        if len(rows) != count:
            self._database.doubt("Damaged test queries are left out.")
        return _summaries(rows, grades), grades

    def ids(self, set_id: int) -> dict[str, int]:
        """The ids of a set's queries by their keys."""
        rows = self._database.read.execute("SELECT key, id FROM queries WHERE set_id = ? ORDER BY id", (set_id,))
        return {key: query_id for key, query_id in rows if isinstance(key, str)}

    def query(self, query_id: int, judge: str | None = None, imported: bool = False) -> QuerySummary:
        """One query, with how far it is judged: see `Judgments.of_queries`.

        Raises:
            AppError: it is gone.
        """
        rows = self._database.read.execute(
            f"SELECT {_COLUMNS} FROM queries q WHERE q.id = ? AND {SOUND_QUERY}",
            (query_id,),
        ).fetchall()
        if not rows:
            raise AppError("This query is gone", "It was removed; choose another.")
        return _summaries(rows, self._judgments.of_queries([query_id], judge, imported))[0]

    def save(
        self,
        set_id: int,
        key: str,
        title: str,
        query: Query,
        guidelines: str = "",
        translations: Mapping[str, str] | None = None,
    ) -> int:
        """Keep a query; its id. One that is in the set keeps its title and its judgments, and takes the paths; its
        guidelines and translations change only where new ones are given.

        Raises:
            AppError: the set is gone.
        """
        with self._database.transaction() as change:
            return save_query(change, set_id, key, title, query, guidelines, translations)

    def save_all(self, set_id: int, queries: Sequence[tuple[str, str, Query, str, Mapping[str, str]]]) -> list[int]:
        """`save` for many, each ``(key, title, query, guidelines, translations)``, in one transaction."""
        with self._database.transaction() as change:
            return [save_query(change, set_id, *one) for one in queries]

    def change(
        self, query_id: int, title: str | None, guidelines: str | None, translations: Mapping[str, str] | None
    ) -> None:
        """Change what is not None.

        Raises:
            AppError: the query is gone.
        """
        before = self.query(query_id)
        title = before.title if title is None else title
        guidelines = before.guidelines if guidelines is None else guidelines
        translations = before.translations if translations is None else dict(translations)
        with self._database.transaction() as change:
            _update(change, query_id, before.set_id, before.key, title, before.query, guidelines, translations)

    def remove(self, query_id: int) -> None:
        """Forget a query with its judgments."""
        with self._database.transaction() as change:
            change.execute("DELETE FROM queries WHERE id = ?", (query_id,))

    # --- shared ---

    def _free_name(self, name: str, own_id: int | None) -> str:
        name = printable(" ".join(name.split()))
        if not name or len(name) > LONGEST_NAME:
            raise AppError("This cannot be a set's name", f"Give it a name of up to {LONGEST_NAME} characters.")
        found = self.named(name)
        if found and found[0] != own_id:
            raise AppError("There is a set of this name", f"Choose another name than “{name}”.")
        return name

    def _counted(self, row: _SetRow) -> QuerySet:
        set_id, name, scale, guidelines = row
        (queries,) = self._database.read.execute("SELECT count(*) FROM queries WHERE set_id = ?", (set_id,)).fetchone()
        return QuerySet(set_id, name, Scale(scale), guidelines, queries, *self._judgments.counts(set_id))


def _summaries(rows: Sequence[_QueryRow], grades: Mapping[int, Grades]) -> tuple[QuerySummary, ...]:
    summaries = []
    for query_id, set_id, key, title, parts, guidelines, translations in rows:
        given = list(grades.get(query_id, {}).values())
        summaries.append(
            QuerySummary(
                id=query_id,
                key=key,
                title=title,
                query=_query(parts),
                relevant=sum(grade > 0 for grade in given),
                judged=sum(grade >= 0 for grade in given),
                set_id=set_id,
                guidelines=guidelines,
                translations=json.loads(translations),
                unsure=given.count(Mark.UNSURE),
                later=given.count(Mark.LATER),
            )
        )
    return tuple(summaries)


def save_query(
    change: sqlite3.Connection,
    set_id: int,
    key: str,
    title: str,
    query: Query,
    guidelines: str = "",
    translations: Mapping[str, str] | None = None,
    retitle: bool = False,
) -> int:
    """`Queries.save` within a transaction. ``retitle``: one that is in the set takes the title too."""
    if not change.execute("SELECT 1 FROM query_sets WHERE id = ?", (set_id,)).fetchone():
        raise AppError("This set of queries is gone", "It was removed; choose another.")
    known = change.execute(
        "SELECT id, title, guidelines, translations FROM queries WHERE set_id = ? AND key = ?", (set_id, key)
    ).fetchone()
    if known:
        query_id, old_title, old_guidelines, old_translations = known
        title = title if retitle else old_title
        guidelines = guidelines or old_guidelines
        _update(change, query_id, set_id, key, title, query, guidelines, translations or json.loads(old_translations))
        return int(query_id)
    values = _values(set_id, key, title, query, guidelines, translations or {})
    made = change.execute(
        "INSERT INTO queries (set_id, key, title, parts, guidelines, translations, crc) VALUES (?, ?, ?, ?, ?, ?, ?)",
        values,
    )
    return int(made.lastrowid or 0)


def _update(
    change: sqlite3.Connection,
    query_id: int,
    set_id: int,
    key: str,
    title: str,
    query: Query,
    guidelines: str,
    translations: Mapping[str, str],
) -> None:
    change.execute(
        "UPDATE queries SET set_id = ?, key = ?, title = ?, parts = ?, guidelines = ?, translations = ?, crc = ? "
        "WHERE id = ?",
        (*_values(set_id, key, title, query, guidelines, translations), query_id),
    )


def _values(
    set_id: int, key: str, title: str, query: Query, guidelines: str, translations: Mapping[str, str]
) -> tuple[int | str, ...]:
    """The columns of a query with their checksum."""
    parts = json.dumps([asdict(part) for part in query.parts])
    said = json.dumps(dict(translations), ensure_ascii=False)
    values = (set_id, key, printable(title), parts, printable(guidelines), printable(said))
    return (*values, checksum(*values))


def _query(parts: str) -> Query:
    return Query(tuple(QueryPart(**{**part, "modality": Modality(part["modality"])}) for part in json.loads(parts)))
