"""The command that asks the test queries again, made worse."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.cli import documents
from app.cli.answers import Answer, open_session
from app.cli.progress import watched
from app.engine.errors import AppError
from app.engine.evaltypes import Drop, Robustness, RobustnessRequest

NO_DIFFERENCE = "~"
"""Stands before a change whose interval includes none."""


def robustness(options: argparse.Namespace, home: Path) -> Answer:
    with open_session(options, home) as session, watched() as job:
        set_id = _set_id(session, options.set) if options.set else None
        if not any(query.judged for query in session.evaluations.queries(set_id)):
            raise AppError(
                "Nothing is judged yet",
                "Judge some results on the Evaluate page, or take judgments in: semblance judge import FILE",
            )
        request = RobustnessRequest(
            models=options.models,
            k=options.k,
            set_id=set_id,
            measure=options.measure,
            disturbances=options.disturbances,
            seed=options.seed,
        )
        result = session.evaluations.robustness(request, job)
    return Answer(document(result), lambda console: show(console, result))


def document(result: Robustness) -> dict[str, Any]:
    return {
        "measure": result.measure,
        "seed": result.seed,
        "disturbances": documents.plain(result.disturbances),
        "drops": documents.plain(result.drops),
        "notes": list(result.notes),
    }


def show(console: Console, result: Robustness) -> None:
    """A line for each disturbance, a column for each model: the change with its interval."""
    drops = {(drop.model, drop.disturbance): drop for drop in result.drops}
    table = Table("disturbance", *result.models, box=None, pad_edge=False)
    for disturbance in result.disturbances:
        cells = (drops.get((model, disturbance.key)) for model in result.models)
        table.add_row(escape(disturbance.name), *(_cell(drop) if drop else "" for drop in cells))
    console.print(table)
    console.print(
        f"[dim]{escape(result.measure)}, after less before, with the interval of 95 % over queries. "
        f"{NO_DIFFERENCE} no difference can be told. Each interval stands for itself: of twenty without a real change, "
        f"one seems to have one. Seed {result.seed}."
    )
    for note in result.notes:
        console.print(f"[yellow]{escape(note)}")


def _cell(drop: Drop) -> str:
    if drop.low is None or drop.high is None:
        return f"{drop.change:+.3f}"
    mark = NO_DIFFERENCE if drop.low <= 0 <= drop.high and drop.low < drop.high else " "
    return f"{mark}{drop.change:+.3f} ({drop.low:+.3f} to {drop.high:+.3f})"


def _set_id(session: Any, name: str) -> int:
    sets = {one.name: int(one.id) for one in session.evaluations.sets()}
    if name not in sets:
        there = f"There are: {', '.join(sets)}." if sets else "There is none yet."
        raise AppError("There is no such set of queries", f"{name!r} was given. {there}")
    return sets[name]
