"""Judgments from TREC qrels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from app.engine.evaluation import topics, trec
from app.engine.evaluation.titles import title_of
from app.engine.importing.writing import Entry, Writer, read_text
from app.engine.jobs import NULL_JOB, Job
from app.engine.judgingtypes import OWN_JUDGE, Imported, QuerySummary, Scale
from app.engine.store.lookup import Lookup
from app.engine.store.places import Places
from app.engine.store.queries import Queries
from app.engine.types import ItemKind, ItemRef, Modality, Query, printable


class QrelsImporter:
    """Takes judgments in, with the queries that they name."""

    def __init__(self, lookup: Lookup, queries: Queries, writer: Writer) -> None:
        self._lookup = lookup
        self._queries = queries
        self._writer = writer

    def import_qrels(
        self, path: str, set_id: int | None = None, judge: str = OWN_JUDGE, job: Job = NULL_JOB
    ) -> Imported:
        """Take in TREC qrels. A query is named by its TREC id, or by the number of a topic that the set has. What is
        named by path is looked for beside the file and in the library's folders, else by the end of its path.

        They replace what this judge has said of the same items before; but a person's own grades, under no name, stay.
        A grade above 3 counts as 3; one below 0 is none, as trec_eval has it. A set in which nothing is judged yet
        becomes graded where they are.

        Raises:
            AppError: the file cannot be read, a line has another form, the judge's name is too long, or the set is
                gone.
            Cancelled: the job was cancelled; what was entered stays.
        """
        job.begin("Reading the judgments")
        lines, notes = _in_scale(trec.read_qrels(read_text(path, "This judgments file cannot be read"), path))
        into = self._writer.set_at(set_id)
        places = self._writer.places(path)
        here = self._queries.queries(into.id)
        kept = _by_name(here)
        by_query: dict[str, list[trec.QrelLine]] = {}
        for line in lines:
            by_query.setdefault(line.query_id, []).append(line)
        entries: list[Entry] = []
        unknown: list[str] = []
        for name, group in job.track(by_query.items(), "Looking for the files", len(by_query)):
            query = kept[name].query if name in kept else self._query(trec.parse_query(name), places)
            if query is None:
                unknown.append(name)
                continue
            found = [(self._item(line.document_id, query, places), line) for line in group]
            unknown += [line.document_id for ref, line in found if ref is None]
            key = trec.query_id(query)
            entries.append(
                Entry(key, printable(title_of(query)), query, [(ref, line.grade) for ref, line in found if ref])
            )
        taken = self._writer.enter(into, entries, job, unknown, notes, judge)
        scaled = self._scaled(taken, entries, is_judged=any(query.judged for query in here))
        return replace(taken, notes=(*taken.notes, *scaled))

    def _scaled(self, taken: Imported, entries: Sequence[Entry], is_judged: bool) -> list[str]:
        """What is said where grades are above the set's scale. They change it where nothing was judged by it."""
        highest = max((grade for one in entries for _, grade in one.grades), default=0)
        name, scale, _ = self._queries.about(taken.set_id)
        if highest <= scale.highest:
            return []
        if is_judged:
            return [
                f"“{name}” only tells relevant from not relevant: higher grades are kept, and count once it is graded. "
                "“Name, scale and guidelines…” in its menu does that, or `semblance queries change-set NAME --scale "
                "graded`."
            ]
        self._queries.change_set(taken.set_id, None, Scale.GRADED, None)
        return [f"“{name}” is judged in grades from 0 to {Scale.GRADED.highest} from now on, as in this file."]

    def _query(self, query: Query, places: Places) -> Query | None:
        """A query with the files that it names; None where one of them is not in the library."""
        parts = []
        for part in query.parts:
            if part.path:
                known = places.find(part.path)
                if known is None:
                    return None
                part = replace(part, path=os.fsdecode(known[0]), content=known[1].hex())
            elif part.content:
                paths = self._lookup.paths_of(bytes.fromhex(part.content))
                if not paths:
                    return None
                part = replace(part, path=os.fsdecode(paths[0]))
            parts.append(part)
        return Query(tuple(parts))

    def _item(self, document_id: str, query: Query, places: Places) -> ItemRef | None:
        if ref := trec.parse_document(document_id):
            return ref  # kept even where its file is not here yet: it may come
        path, moment_ms = trec.parse_path(document_id)
        wanted = (ItemKind.AUDIO,) if Modality.AUDIO in query.modalities else tuple(ItemKind)
        known = places.find(path)
        items = self._lookup.moments(known[1], wanted) if known else []
        if known is None or not items:
            return None
        kind, start_ms = min(items, key=lambda item: (abs(item[1] - (moment_ms or 0)), item[0] is ItemKind.AUDIO))
        return ItemRef(known[1], kind, start_ms)


def _in_scale(lines: Sequence[trec.QrelLine]) -> tuple[list[trec.QrelLine], list[str]]:
    """The lines with grades that can be given here, and what was done about others."""
    highest = Scale.GRADED.highest
    kept = [replace(line, grade=min(line.grade, highest)) for line in lines if line.grade >= 0]
    notes = []
    if above := sum(line.grade > highest for line in lines):
        notes.append(f"{above:,} grades above {highest} were taken as {highest}.")
    if below := len(lines) - len(kept):
        notes.append(f"{below:,} lines with a grade below 0 were left out: that means not judged.")
    return kept, notes


def _by_name(queries: tuple[QuerySummary, ...]) -> dict[str, QuerySummary]:
    """The queries by the numbers of their topics, and by their keys."""
    numbered = {number: one for one in queries if (number := topics.number_of(one.title))}
    return numbered | {one.key: one for one in queries}
