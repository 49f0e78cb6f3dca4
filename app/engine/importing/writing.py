"""Enters what an import has read: queries with what is known of their results, into a set of their own or another."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.engine.errors import AppError
from app.engine.jobs import Job
from app.engine.judgingtypes import IMPORTED, MOST_UNKNOWN, OWN_JUDGE, Imported, Scale
from app.engine.store.database import Database
from app.engine.store.files import Files
from app.engine.store.judgments import enter, given_by, spelled
from app.engine.store.places import Places
from app.engine.store.queries import LONGEST_NAME, Queries, save_query
from app.engine.types import ItemRef, Query, printable

COMMIT_EVERY_ROWS = 20_000
LARGEST_BYTES = 256 * 1024**2
"""Of a file to import. The captions of COCO take a third of it."""
NOTHING_KNOWN = "Nothing of this is in the library"

Grade = tuple[ItemRef, int]


@dataclass(frozen=True)
class Entry:
    """A query to keep under its TREC id, with what is known of its results. ``retitle``: one that is there takes the
    title too."""

    key: str
    title: str
    query: Query
    grades: Sequence[Grade] = ()
    guidelines: str = ""
    translations: Mapping[str, str] = field(default_factory=dict)
    retitle: bool = False


@dataclass(frozen=True)
class Into:
    """The set that an import goes to; ``id`` None: it is made when the first query is entered."""

    id: int | None
    name: str


class Writer:
    """Enters queries and judgments into one library."""

    def __init__(self, database: Database, files: Files, queries: Queries) -> None:
        self._database = database
        self._files = files
        self._queries = queries

    def places(self, path: str) -> Places:
        """Finds what a file names: relative to its own folder, or to one of the library."""
        return Places(self._database, [os.fsencode(Path(path).absolute().parent), *self._files.roots()])

    def set_at(self, set_id: int | None) -> Into:
        """A set by its id; None: the one that takes queries nobody chose another for.

        Raises:
            AppError: the set is gone.
        """
        chosen = self._queries.default_set() if set_id is None else set_id
        return Into(chosen, self._queries.about(chosen)[0])

    def set_for(self, asked: str, given: str, keys: Collection[str]) -> Into:
        """The set of a name that was asked for, there or not. Where none was: that of the ``given`` name, with a number
        where another set has it; but if one of these has some of the queries already, that one."""
        if asked := " ".join(asked.split()):
            return Into(*(self._queries.named(asked) or (None, asked)))
        name = printable(" ".join(given.split()))[: LONGEST_NAME - 5] or "Imported"
        taken = self._queries.names()
        for candidate in _numbered(name):
            same = taken.get(candidate.casefold())
            if same is None:
                return Into(None, candidate)
            if not self._queries.ids(same[0]).keys().isdisjoint(keys):
                return Into(*same)
        raise AssertionError("numbers do not end")

    def ids(self, into: Into) -> dict[str, int]:
        """The ids of the queries that the set has, by their keys."""
        return self._queries.ids(into.id) if into.id is not None else {}

    def enter(
        self,
        into: Into,
        entries: Sequence[Entry],
        job: Job,
        unknown: Iterable[str] = (),
        notes: Sequence[str] = (),
        judge: str = IMPORTED,
    ) -> Imported:
        """Keep the entries, and tell what of them is new. Grades of other judges stay, and so do a person's own, which
        no file replaces; a note counts those that are another grade here or now. A set that is made for them is taken
        back if not all of them could be entered.

        Raises:
            AppError: the set is gone, its name or the judge's cannot be one, or the disk is full or fails.
            Cancelled: the job was cancelled.
        """
        job.begin("Importing", len(entries))
        set_id = self._queries.create_set(into.name, Scale.BINARY, "") if into.id is None else into.id
        before = self._queries.ids(set_id)
        queries = judgments = differing = 0
        try:
            for group in _groups(entries):
                with self._database.transaction() as change:
                    name = spelled(change, judge)
                    for one in group:
                        values = (one.key, one.title, one.query, one.guidelines, one.translations, one.retitle)
                        query_id = save_query(change, set_id, *values)
                        here = given_by(change, query_id, name)
                        new = {ref: grade for ref, grade in dict(one.grades).items() if here.get(ref) != grade}
                        others = new.keys() & here.keys()
                        if name == OWN_JUDGE:
                            new = {ref: grade for ref, grade in new.items() if ref not in here}
                        enter(change, query_id, name, new.items())
                        queries += bool(new) or one.key not in before
                        judgments += len(new)
                        differing += len(others)
                job.advance(len(group))
        except BaseException:
            if into.id is None:
                self._queries.remove_set(set_id)
            raise
        told = [_differing(differing, judge)] if differing else []
        names = tuple(dict.fromkeys(printable(name) for name in unknown))
        return Imported(
            set_id,
            into.name,
            queries,
            judgments,
            names[:MOST_UNKNOWN],
            (*notes, *told),
            more_unknown=len(names[MOST_UNKNOWN:]),
        )


def _differing(count: int, judge: str) -> str:
    if judge == OWN_JUDGE:
        return (
            f"You judged {count:,} of these otherwise, and your grades stay. To have the file's beside them, take it "
            "in under another judge's name."
        )
    return f"{count:,} judgments were here with another grade, which was replaced."


def read_text(path: str, title: str) -> str:
    """The text of a file.

    Raises:
        AppError: it cannot be read, or is not in UTF-8.
    """
    try:
        return read_bytes(path, title).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise AppError(title, "It is not in UTF-8. Save it as UTF-8 text, and import it again.", path) from None


def read_bytes(path: str, title: str) -> bytes:
    """The bytes of a file.

    Raises:
        AppError: it cannot be read, is no file, or is too large to be one of those that are imported.
    """
    try:
        if Path(path).exists() and not Path(path).is_file():
            raise AppError(title, "It is no file.", path)
        with Path(path).open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise AppError(title, f"{getattr(error, 'strerror', None) or error}.", path) from error
    if len(data) > LARGEST_BYTES:
        raise AppError(title, f"It is larger than {LARGEST_BYTES // 1024**2} MB. Import it in parts.", path)
    return data


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name} {number}"
        number += 1


def _groups(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """The entries in groups of so many rows that one is committed in a moment."""
    group: list[Entry] = []
    rows = 0
    for one in entries:
        group.append(one)
        rows += 1 + len(one.grades)
        if rows >= COMMIT_EVERY_ROWS:
            yield group
            group, rows = [], 0
    if group:
        yield group
