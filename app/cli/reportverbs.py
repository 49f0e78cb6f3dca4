"""The command about reports: written, exported, computed again, taken in."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from app.cli import documents, evaluationtables, tables
from app.cli.answers import DONE, FAILED, Answer, open_session
from app.cli.measuring import request_of, set_of
from app.cli.progress import watched
from app.cli.robustness import robustness_of
from app.engine.errors import AppError
from app.engine.evaltypes import EvaluationRequest, ReportRequest, Written
from app.engine.sizes import in_words

MOST_DIFFERENCES = 20


def report(options: argparse.Namespace, home: Path) -> Answer:
    if options.recompute:
        return _recompute(options.recompute)
    if options.take_in:
        return _take_in(options, home)
    with open_session(options, home) as session, watched() as job:
        asked = _asked(options, session)
        measured = session.evaluations.robustness(robustness_of(asked), job) if options.robustness else None
        request = ReportRequest(asked, options.pictures, options.title, measured)
        write = session.evaluations.write_report if options.html else session.evaluations.export
        written: Written = write(_absolute(options.html or options.export), request, options.replace, job)
    return Answer(documents.plain(written), lambda console: _say_written(console, written))


def _asked(options: argparse.Namespace, session: Any) -> EvaluationRequest:
    """
    Raises:
        AppError: there is no such set or query.
    """
    asked = request_of(options, session, set_of(options, session), options.measures)
    return replace(asked, query_ids=_queries_named(options.query, session, asked.set_id)) if options.query else asked


def _queries_named(names: Sequence[str], session: Any, set_id: int | None) -> tuple[int, ...]:
    """The ids of queries that are named by their numbers or their titles."""
    queries = session.evaluations.queries(set_id)
    found: list[int] = []
    for name in names:
        named = [one.id for one in queries if name.strip().casefold() in (str(one.id), one.title.casefold())]
        if not named:
            raise AppError(
                "There is no such query",
                f"“{name}” was given; `semblance queries list` shows numbers and titles.",
            )
        found += named
    return tuple(dict.fromkeys(found))


def _take_in(options: argparse.Namespace, home: Path) -> Answer:
    with open_session(options, home) as session, watched() as job:
        taken = session.evaluations.import_export(_absolute(options.take_in), options.as_judge, job)
    return Answer(documents.imported(taken), lambda console: tables.imported(console, taken))


def _recompute(folder: str) -> Answer:
    from app.engine.recomputing import recompute  # numpy is loaded only by a command that needs it

    found = recompute(_absolute(folder))

    def show(console: Console) -> None:
        evaluationtables.evaluation(console, found.evaluation)
        if not found.differences:
            console.print("Every figure is the same as in the export, to the last digit.")
        for line in found.differences[:MOST_DIFFERENCES]:
            console.print(f"[yellow]{escape(line)}")

    document = {
        "same": not found.differences,
        "differences": list(found.differences),
        **documents.evaluation(found.evaluation),
    }
    return Answer(document, show, FAILED if found.differences else DONE)


def _say_written(console: Console, written: Written) -> None:
    console.print(f"{escape(written.path)}: {len(written.files)} files, {in_words(written.size_bytes)}.")


def _absolute(path: str) -> str:
    return str(Path(path).absolute())
