"""Runs a command: opens the library, watches the job, prints the answer, and ends with the right status.

0 done, 1 an error a user can act on, 2 a wrong command line, 130 interrupted. With ``--json`` one document goes to
standard output; progress and logs always go to standard error.
"""

from __future__ import annotations

import argparse
import datetime
import json
import logging
import os
import sqlite3
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from app.cli import documents, tables
from app.cli.answers import FAILED, INTERRUPTED, Answer, library_name, open_session
from app.cli.doctorverb import doctor
from app.cli.evaluateverbs import evaluate
from app.cli.labelverbs import check_known, labels
from app.cli.modelverbs import models
from app.cli.progress import noted, watched
from app.cli.queryverbs import judge, queries
from app.cli.reportverbs import report
from app.cli.robustness import robustness
from app.engine.errors import AppError
from app.engine.jobs import Cancelled
from app.engine.libraries import restore
from app.engine.librarytypes import IndexRequest
from app.engine.store.database import storage_error
from app.engine.types import Filters, Modality, Query, QueryPart, SearchRequest
from app.paths import data_home

DEMO_LIBRARY = "sample"

UNSURE = "Nothing is left: leave out --min-precision, give a smaller share, or judge more results."


def run(options: argparse.Namespace) -> int:
    """Do what the parsed command line says; returns the exit status."""
    home = data_home(options.home)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s", stream=sys.stderr)
    try:
        document, show, status = _VERBS[options.verb](options, home)
    except AppError as error:
        _report(error, options.json)
        return FAILED
    except (KeyboardInterrupt, Cancelled) as error:
        _report(AppError("Interrupted", str(error) or _what_is_kept(options)), options.json)
        return INTERRUPTED
    except sqlite3.Error as error:
        if not (told := storage_error(error)):
            raise
        _report(told, options.json)
        return FAILED
    try:
        if options.json:
            print(json.dumps(document, indent=2), flush=True)
        else:
            show(tables.console())
            sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough (``| head``); what is buffered has nowhere to go at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status


def _what_is_kept(options: argparse.Namespace) -> str:
    """What is said of the work of a command that was interrupted."""
    if options.verb == "bench":
        return "Nothing that was measured is kept."
    if options.verb == "doctor":
        return "Nothing was changed."
    action = getattr(options, "action", "")
    if action in ("add", "export-pack", "import-pack") and not getattr(options, "carried", False):
        return "Everything is as it was."
    goes_on = options.verb == "index" or action == "install"
    return "What was finished is kept." + (" Run it again to go on." if goes_on else "")


def _index(options: argparse.Namespace, home: Path) -> Answer:
    with open_session(options, home) as session:
        if not options.folders and not session.status().roots:
            raise AppError("There is nothing to index yet", "Name a folder: semblance index FOLDER")
        with watched() as job:
            report = session.index(IndexRequest(tuple(options.folders), options.models), job)
    return Answer(documents.index(report), lambda console: tables.index(console, report))


def _search(options: argparse.Namespace, home: Path) -> Answer:
    request = SearchRequest(
        query=_query(options),
        model=options.model,
        k=options.k,
        filters=_filters(options),
        exact=options.exact,
        keywords=not options.no_keywords,
        min_precision=options.min_precision,
    )
    with open_session(options, home) as session:
        is_empty = not sum(session.status().items.values())
        under = request.filters.under
        if under and not is_empty and not session.holds(under):
            raise AppError("This folder is not in the library", "Nothing below it was indexed.", under)
        check_known(session, request.filters.labels)
        reply = session.search(request)
    nothing = UNSURE if reply.all_unsure else _nothing(is_empty, request.filters)
    return Answer(documents.search(reply), lambda console: tables.search(console, reply, nothing))


def _status(options: argparse.Namespace, home: Path) -> Answer:
    with open_session(options, home) as session:
        status = session.status()
    return Answer(documents.plain(status), lambda console: tables.status(console, status))


def _restore(options: argparse.Namespace, home: Path) -> Answer:
    restored = restore(home, library_name(options, home))
    return Answer(documents.plain(restored), lambda console: tables.restored(console, restored))


def _settings(options: argparse.Namespace, home: Path) -> Answer:
    named = {
        "frame_interval_ms": options.frame_interval_s,
        "window_ms": options.audio_window_s,
        "hidden": options.hidden,
        "watch": options.watch,
    }
    with open_session(options, home) as session:
        before = session.status().settings
        wanted = replace(
            before,
            excluded=_excluded(options, before.excluded),
            **{name: value for name, value in named.items() if value is not None},
        )
        if wanted != before:
            session.set_settings(wanted)
    is_due = replace(wanted, watch=before.watch) != before
    return Answer(documents.plain(wanted), lambda console: tables.library_settings(console, wanted, is_due))


def _excluded(options: argparse.Namespace, before: Sequence[str]) -> tuple[str, ...]:
    """The patterns of a library once those that were named are taken out and added."""
    kept = [] if options.exclude_nothing else list(before)
    for pattern in options.include:
        if pattern not in kept:
            raise AppError(
                "This pattern is not left out", f"{pattern!r} was given; `semblance settings` shows those that are."
            )
        kept.remove(pattern)
    return tuple(dict.fromkeys([*kept, *options.exclude]))


def _forget(options: argparse.Namespace, home: Path) -> Answer:
    folder = _absolute(options.folder)
    with open_session(options, home) as session, watched() as job:
        if folder not in (root.path for root in session.status().roots):
            raise AppError("This folder is not in the library", "`semblance status` names those that are.", folder)
        session.forget_root(folder)
        status = session.give_back_space(job)
    return Answer(documents.plain(status), lambda console: tables.status(console, status))


def _verify(options: argparse.Namespace, home: Path) -> Answer:
    with open_session(options, home) as session, watched() as job:
        report = session.verify(job)
    return Answer(documents.plain(report), lambda console: tables.verified(console, report))


def _bench(options: argparse.Namespace, home: Path) -> Answer:
    from app.bench.run import bench, document, measures

    if "list" in options.only:
        names = list(measures())
        return Answer(names, lambda console: console.print("\n".join(names)))
    folder = Path(options.folder).absolute() if options.folder else None
    if folder and not folder.is_dir():
        raise AppError("There is no such folder", "Give a folder that holds photos, videos or sounds.", str(folder))
    with noted() as note:
        report = bench(options.only, folder, home, options.scale, options.runs, note)
    return Answer(document(report), lambda console: tables.bench(console, document(report)))


def _demo(options: argparse.Namespace, home: Path) -> Answer:
    from app.cli.demo import demo

    with open_session(options, home, options.library or DEMO_LIBRARY) as session:
        shown = demo(session)
    return Answer(documents.demo(shown), lambda console: tables.demo(console, shown))


_VERBS: dict[str, Callable[[argparse.Namespace, Path], Answer]] = {
    "index": _index,
    "search": _search,
    "status": _status,
    "settings": _settings,
    "forget": _forget,
    "verify": _verify,
    "restore": _restore,
    "bench": _bench,
    "models": models,
    "queries": queries,
    "judge": judge,
    "labels": labels,
    "evaluate": evaluate,
    "robustness": robustness,
    "report": report,
    "doctor": doctor,
    "demo": _demo,
}


def _query(options: argparse.Namespace) -> Query:
    parts = [QueryPart(Modality.TEXT, text=text, weight=options.text_weight) for text in options.text]
    parts += [
        QueryPart(Modality.IMAGE, path=file, at_ms=options.at_ms, weight=options.image_weight) for file in options.image
    ]
    if options.audio:
        parts.append(QueryPart(Modality.AUDIO, path=options.audio, at_ms=options.at_ms))
    parts += [QueryPart(Modality.TEXT, text=text, weight=-1.0) for text in options.minus_text]
    if not any(part.weight > 0 for part in parts):
        raise AppError("Nothing to search for", "Give --text, --image or --audio.")
    return Query(tuple(parts))


def _filters(options: argparse.Namespace) -> Filters:
    after_ms, before_ms = _day_ms(options.after), _day_ms(options.before, end=True)
    if after_ms is not None and before_ms is not None and after_ms > before_ms:
        raise AppError(
            "No day lies between these", f"--after {options.after} is later than --before {options.before}: swap them."
        )
    under = _absolute(options.under) if options.under else None
    return Filters(options.kind, under, after_ms, before_ms, tuple(options.label))


def _nothing(is_empty: bool, filters: Filters) -> str:
    """What is said when a search finds nothing."""
    if is_empty:
        return "The library holds nothing yet: semblance index FOLDER"
    if filters != Filters():
        return "Nothing was found that the filters let through: loosen --kind, --under, --after, --before or --label."
    return "Nothing in the library matches this."


def _absolute(folder: str) -> str:
    return os.path.abspath(folder)  # noqa: PTH100 - the library's paths are normal, and links in them not resolved


def _day_ms(day: str | None, end: bool = False) -> int | None:
    """The first millisecond of a day in local time, or its last."""
    if day is None:
        return None
    try:
        begin = datetime.datetime.strptime(day, "%Y-%m-%d").astimezone()
        moment = begin + datetime.timedelta(days=1) if end else begin
        return round(moment.timestamp() * 1000) - (1 if end else 0)
    except (ValueError, OverflowError):  # the calendar has an end
        raise AppError("This is not a date", f"Write it as 2024-07-31; {day!r} was given.") from None


def _report(error: AppError, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"error": {"title": error.title, "message": error.message, "path": error.path}}))
    sys.stderr.write(f"{error}\n")
