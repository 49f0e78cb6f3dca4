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
from app.cli.asking import ask
from app.cli.measuring import judge_named, set_named, set_of
from app.cli.progress import watched
from app.engine.errors import AppError, NotIndexed
from app.engine.jobs import Job
from app.engine.judgingtypes import OWN_JUDGE, Imported, QuerySet, QuerySummary, Scale
from app.engine.types import Modality, Query, QueryPart


def queries(options: argparse.Namespace, home: Path) -> Answer:
    with open_session(options, home) as session:
        return _ACTIONS[options.action](options, session)


def judge(options: argparse.Namespace, home: Path) -> Answer:
    with open_session(options, home) as session, watched() as job:
        set_id = set_of(options, session)
        if options.action == "import":
            return _imported(session.evaluations.import_qrels(options.file, set_id, options.judge or OWN_JUDGE, job))
        judge = judge_named(options.judge, session, set_id)
        count = session.evaluations.export_qrels(options.file, set_id, judge, options.replace)
    return Answer(
        {"exported": count, "path": options.file}, lambda console: console.print(f"{count} judgments written.")
    )


def taken_in(options: argparse.Namespace, session: Any, job: Job) -> tuple[Imported, ...]:
    """What ``--from-folders``, ``--from-captions`` and ``--qrels`` name, all in one set: that of ``--set``, made if it
    is not there, else that of the first. Judgments alone need a set that is there.

    Raises:
        AppError: a file cannot be read, or nothing that it names is indexed.
    """
    taken: list[Imported] = []

    def into() -> str:
        return taken[0].set_name if taken else str(options.set)

    if folder := options.from_folders:
        with _naming_index(folder):
            taken.append(_told(session.evaluations.import_folders(folder, into(), job), folder))
    if table := options.from_captions:
        folder = str(Path(table).parent)
        with _naming_index(folder):
            taken.append(_told(session.evaluations.import_captions(table, into(), job), folder))
    if options.qrels:
        set_id = taken[0].set_id if taken else set_of(options, session)
        taken.append(session.evaluations.import_qrels(options.qrels, set_id, options.judge or OWN_JUDGE, job))
    return tuple(taken)


def show_taken(console: Console, taken: Sequence[Imported]) -> None:
    """What was taken in."""
    for one in taken:
        tables.imported(console, one)


def _told(taken: Imported, folder: str | Path) -> Imported:
    """With what to do about files that are not indexed."""
    if not taken.unknown:
        return taken
    return replace(taken, notes=(*taken.notes, f"To index them: semblance index {folder}"))


@contextmanager
def _naming_index(folder: str | Path) -> Iterator[None]:
    try:
        yield
    except NotIndexed as error:
        raise AppError(error.title, f"Index it first: semblance index {folder}", error.path) from error


def _sets(_options: argparse.Namespace, session: Any) -> Answer:
    return _listed_sets(session.evaluations.sets())


def _listed_sets(sets: Sequence[QuerySet]) -> Answer:
    def show(console: Console) -> None:
        table = Table("set", "scale", "queries", "judged", "judgments", "judges", box=None, pad_edge=False)
        for one in sets:
            judges = ", ".join(name or "you" for name in one.judges)
            counts = (f"{count:,}" for count in (one.queries, one.judged, one.judgments))
            table.add_row(escape(one.name), one.scale, *counts, escape(judges))
        console.print(table)
        for one in sets:
            if one.guidelines:
                console.print(f"[dim]“{escape(one.name)}”: {escape(one.guidelines)}")

    return Answer({"sets": documents.plain(tuple(sets))}, show)


def _add_set(options: argparse.Namespace, session: Any) -> Answer:
    made = session.evaluations.create_set(options.name, Scale(options.scale or Scale.BINARY), options.guidelines or "")
    return _listed_sets([made])


def _change_set(options: argparse.Namespace, session: Any) -> Answer:
    if options.rename is None and options.scale is None and options.guidelines is None:
        raise AppError("There is nothing to change", "Give --rename, --scale or --guidelines.")
    set_id = set_named(options.name, session)
    scale = Scale(options.scale) if options.scale else None
    return _listed_sets([session.evaluations.change_set(set_id, options.rename, scale, options.guidelines)])


def _remove_set(options: argparse.Namespace, session: Any) -> Answer:
    set_id = set_named(options.name, session)
    (one,) = (each for each in session.evaluations.sets() if each.id == set_id)
    lost = f"{_counted(one.queries, 'query', 'queries')} and {_counted(one.judgments, 'judgment', 'judgments')}"
    if not options.yes:
        question = f"Remove “{one.name}” with {lost}? Your files are not touched."
        ask(question, "Nothing was removed", f"“{one.name}” has {lost}, which would be lost. If so, add --yes.")
    session.evaluations.remove_set(set_id)
    document = {"removed": one.name, "queries": one.queries, "judgments": one.judgments}
    return Answer(document, lambda console: console.print(f"“{escape(one.name)}” is removed, with {lost}."))


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _list(options: argparse.Namespace, session: Any) -> Answer:
    listed = session.evaluations.queries(set_of(options, session))
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
    kept = evaluations.add_query(Query(tuple(parts)), options.title, _set_or_new(options.set, session))
    if options.guidelines:
        kept = evaluations.change_query(kept.id, guidelines=options.guidelines)
    return _listed([kept])


def _set_or_new(name: str, session: Any) -> int | None:
    """The id of a set, made if it is not there; None where none is named."""
    if not name:
        return None
    known = {one.name.casefold() for one in session.evaluations.sets()}
    if " ".join(name.split()).casefold() not in known:
        return int(session.evaluations.create_set(name).id)
    return set_named(name, session)


def _change(options: argparse.Namespace, session: Any) -> Answer:
    if options.title is None and options.guidelines is None:
        raise AppError("There is nothing to change", "Give --title or --guidelines.")
    if options.title is not None and not options.title.strip():
        raise AppError("A query needs a title", "Lists show it by that.")
    _check_numbers([options.id], session)
    return _listed([session.evaluations.change_query(options.id, options.title, options.guidelines)])


def _check_numbers(ids: Sequence[int], session: Any) -> None:
    """Raises AppError: there is no query of one of these numbers."""
    there = {one.id for one in session.evaluations.queries()}
    for query_id in ids:
        if query_id not in there:
            raise AppError("There is no such query", f"{query_id} was given; `semblance queries list` numbers them.")


def _remove(options: argparse.Namespace, session: Any) -> Answer:
    _check_numbers(options.ids, session)
    for query_id in options.ids:
        session.evaluations.remove_query(query_id)
    ids = list(options.ids)
    return Answer({"removed": ids}, lambda console: console.print(f"{len(ids):,} queries removed."))


def _import_folders(options: argparse.Namespace, session: Any) -> Answer:
    with watched() as job, _naming_index(options.path):
        return _imported(_told(session.evaluations.import_folders(options.path, options.set, job), options.path))


def _import_examples(options: argparse.Namespace, session: Any) -> Answer:
    with watched() as job, _naming_index(options.path):
        set_id = _set_or_new(options.set, session)
        return _imported(_told(session.evaluations.import_examples(options.path, set_id, job), options.path))


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
    "change": _change,
    "remove": _remove,
    "add-set": _add_set,
    "change-set": _change_set,
    "remove-set": _remove_set,
    "import-folders": _import_folders,
    "import-examples": _import_examples,
    "import-captions": _import_captions,
    "import-topics": _import_topics,
}
