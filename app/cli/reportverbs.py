"""The command about reports: written, exported, computed again, taken in."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from app.cli import documents, evaluationtables, tables
from app.cli.answers import DONE, FAILED, Answer, open_session
from app.cli.progress import watched
from app.engine.errors import AppError
from app.engine.evaltypes import EvaluationRequest, ReportRequest, RobustnessRequest, Written

MOST_DIFFERENCES = 20


def report(options: argparse.Namespace, home: Path) -> Answer:
    if options.recompute:
        return _recompute(options.recompute)
    if options.take_in:
        return _take_in(options, home)
    with open_session(options, home) as session, watched() as job:
        request = _request(options, session)
        if options.robustness:
            asked = request.evaluation
            measured = session.evaluations.robustness(
                RobustnessRequest(models=asked.models, k=asked.k, set_id=asked.set_id, judge=asked.judge), job
            )
            request = replace(request, robustness=measured)
        write = session.evaluations.write_report if options.html else session.evaluations.export
        written: Written = write(_absolute(options.html or options.export), request, options.replace, job)
    return Answer(documents.plain(written), lambda console: _say_written(console, written))


def _request(options: argparse.Namespace, session: Any) -> ReportRequest:
    return ReportRequest(
        evaluation=EvaluationRequest(
            models=options.models, k=options.k, set_id=_set_id(session, options.set), judge=options.judge
        ),
        pictures=options.pictures,
        title=options.title,
    )


def _set_id(session: Any, name: str) -> int | None:
    """The set of a name; None for no name.

    Raises:
        AppError: there is no such set.
    """
    if not name:
        return None
    sets = session.evaluations.sets()
    for one in sets:
        if one.name.casefold() == name.casefold():
            return int(one.id)
    known = ", ".join(f"“{one.name}”" for one in sets)
    raise AppError("There is no such set", f"“{name}” was given; there are {known or 'none yet'}.")


def _take_in(options: argparse.Namespace, home: Path) -> Answer:
    with open_session(options, home) as session, watched() as job:
        taken = session.evaluations.import_export(_absolute(options.take_in), job)

    def show(console: Console) -> None:
        tables.imported(console, taken)
        for note in taken.notes:
            console.print(escape(note))

    return Answer(documents.imported(taken), show)


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
    console.print(f"{escape(written.path)}: {len(written.files)} files, {written.size_bytes / 1e6:,.1f} MB.")


def _absolute(path: str) -> str:
    return str(Path(path).absolute())
