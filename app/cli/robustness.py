"""The command that asks the test queries again, made worse."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from app.cli import blocks, documents
from app.cli.answers import Answer, open_session
from app.cli.measuring import check_judged, request_of, set_of
from app.cli.progress import watched
from app.engine.evaltypes import Drop, EvaluationRequest, Robustness, RobustnessRequest

NO_DIFFERENCE = "~"
"""Stands before a change whose interval includes none."""


def robustness(options: argparse.Namespace, home: Path) -> Answer:
    with open_session(options, home) as session, watched() as job:
        asked = request_of(options, session, set_of(options, session))
        check_judged(session, asked)
        request = robustness_of(asked, options.disturbances, options.seed)
        result = session.evaluations.robustness(request, job)
    return Answer(document(result), lambda console: show(console, result))


def robustness_of(asked: EvaluationRequest, disturbances: Sequence[str] = (), seed: int = 1) -> RobustnessRequest:
    """The same models, queries and judge, asked for how they stand disturbances."""
    return RobustnessRequest(
        models=asked.models,
        query_ids=asked.query_ids,
        k=asked.k,
        set_id=asked.set_id,
        judge=asked.judge,
        measure=asked.measure,
        disturbances=tuple(disturbances),
        seed=seed,
    )


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
    lines = []
    for disturbance in result.disturbances:
        cells = [drops.get((model, disturbance.key)) for model in result.models]
        lines.append(blocks.Line((escape(disturbance.name), *(_cell(drop) if drop else "" for drop in cells))))
    blocks.show(console, ("disturbance", *map(escape, result.models)), lines)
    console.print(
        f"[dim]{escape(result.measure)}, after less before, with the 95% interval over queries. "
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
