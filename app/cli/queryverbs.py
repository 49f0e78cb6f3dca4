"""``semblance queries …`` and ``semblance judge …``: sets of test queries, and what is taken in and given out."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.cli import documents, tables
from app.cli.answers import Answer, open_session
from app.cli.measuring import set_named
from app.cli.progress import watched
from app.engine.errors import AppError, NotIndexed
from app.engine.evaltypes import Imported, QuerySummary
from app.engine.jobs import Job
from app.engine.types import Modality, Query, QueryPart


def queries(options: argparse.Namespace, home: Path) -> Answer:
    with open_session(options, home) as session:
        return _ACTIONS[options.action](options, session)


def judge(options: argparse.Namespace, home: Path) -> Answer:
    with open_session(options, home) as session, watched() as job:
        set_id = set_named(options.set, session) if options.set else None
        if options.action == "import":
            return _imported(session.evaluations.import_qrels(options.file, set_id, options.judge or "", job))
        count = session.evaluations.export_qrels(options.file, set_id, options.judge)
    return Answer(
        {"exported": count, "path": options.file}, lambda console: console.print(f"{count} judgments written.")
    )


def taken_in(options: argparse.Namespace, session: Any, set_id: int | None, job: Job) -> tuple[Imported, ...]:
    """What ``--from-folders``, ``--from-captions`` and ``--qrels`` name, all in one set: that of the first. Judgments
    alone go into the set of ``set_id``.

    Raises:
        AppError: a file cannot be read, or nothing that it names is indexed.
    """
    taken: list[Imported] = []

    def into() -> str:
        return taken[0].set_name if taken else ""

    if folder := options.from_folders:
        with _naming_index(folder):
            taken.append(_told(session.evaluations.import_folders(folder, into(), job), folder))
    if table := options.from_captions:
        folder = str(Path(table).parent)
        with _naming_index(folder):
            taken.append(_told(session.evaluations.import_captions(table, into(), job), folder))
    if options.qrels:
        taken.append(session.evaluations.import_qrels(options.qrels, taken[0].set_id if taken else set_id, job=job))
    return tuple(taken)


def show_taken(console: Console, taken: Sequence[Imported]) -> None:
    """What was taken in."""
    for one in taken:
        tables.imported(console, one)


def _told(taken: Imported, folder: str | Path) -> Imported:
    """With what to do about files that are not indexed."""
    if not taken.unknown:
        return taken
    sentence = f"Files that are not indexed: {len(taken.unknown):,}. To take them in too: semblance index {folder}"
    return replace(taken, notes=(*taken.notes, sentence))


@contextmanager
def _naming_index(folder: str | Path) -> Iterator[None]:
    try:
        yield
    except NotIndexed as error:
        raise AppError(error.title, f"Index it first: semblance index {folder}", error.path) from error


def _sets(_options: argparse.Namespace, session: Any) -> Answer:
    sets = session.evaluations.sets()

    def show(console: Console) -> None:
        table = Table("set", "scale", "queries", "judged", "judgments", "judges", box=None, pad_edge=False)
        for one in sets:
            judges = ", ".join(name or "you" for name in one.judges)
            counts = (f"{count:,}" for count in (one.queries, one.judged, one.judgments))
            table.add_row(escape(one.name), one.scale, *counts, escape(judges))
        console.print(table)

    return Answer({"sets": documents.plain(sets)}, show)


def _list(options: argparse.Namespace, session: Any) -> Answer:
    listed = session.evaluations.queries(set_named(options.set, session) if options.set else None)
    return _listed(listed)


def _listed(listed: Sequence[QuerySummary]) -> Answer:
    def show(console: Console) -> None:
        table = Table("id", "query", "by", "relevant", "judged", box=None, pad_edge=False)
        for one in listed:
            by = ", ".join(sorted(one.query.modalities))
            table.add_row(str(one.id), escape(one.title), by, f"{one.relevant:,}", f"{one.judged:,}")
        console.print(table)

    return Answer({"queries": documents.plain(tuple(listed))}, show)


def _add(options: argparse.Namespace, session: Any) -> Answer:
    parts = [QueryPart(Modality.TEXT, text=text) for text in options.text]
    parts += [QueryPart(Modality.IMAGE, path=file) for file in options.image]
    parts += [QueryPart(Modality.AUDIO, path=options.audio)] if options.audio else []
    if not parts:
        raise AppError("There is no query to keep", "Give --text, --image or --audio.")
    evaluations = session.evaluations
    known = {one.name.casefold() for one in evaluations.sets()}
    if options.set and options.set.casefold() not in known:
        evaluations.create_set(options.set)
    kept = evaluations.add_query(
        Query(tuple(parts)), options.title, set_named(options.set, session) if options.set else None
    )
    if options.guidelines:
        kept = evaluations.change_query(kept.id, guidelines=options.guidelines)
    return _listed([kept])


def _remove(options: argparse.Namespace, session: Any) -> Answer:
    there = {one.id for one in session.evaluations.queries()}
    for query_id in options.ids:
        if query_id not in there:
            raise AppError("There is no such query", f"{query_id} was given; `semblance queries list` numbers them.")
    for query_id in options.ids:
        session.evaluations.remove_query(query_id)
    ids = list(options.ids)
    return Answer({"removed": ids}, lambda console: console.print(f"{len(ids):,} queries removed."))


def _import_folders(options: argparse.Namespace, session: Any) -> Answer:
    with watched() as job, _naming_index(options.path):
        return _imported(_told(session.evaluations.import_folders(options.path, options.set, job), options.path))


def _import_captions(options: argparse.Namespace, session: Any) -> Answer:
    folder = str(Path(options.path).parent)
    with watched() as job, _naming_index(folder):
        return _imported(_told(session.evaluations.import_captions(options.path, options.set, job), folder))


def _import_topics(options: argparse.Namespace, session: Any) -> Answer:
    with watched() as job:
        return _imported(session.evaluations.import_topics(options.path, None, options.set, job))


def _imported(taken: Imported) -> Answer:
    return Answer(documents.imported(taken), lambda console: show_taken(console, [taken]))


_ACTIONS: dict[str, Callable[[argparse.Namespace, Any], Answer]] = {
    "sets": _sets,
    "list": _list,
    "add": _add,
    "remove": _remove,
    "import-folders": _import_folders,
    "import-captions": _import_captions,
    "import-topics": _import_topics,
}
