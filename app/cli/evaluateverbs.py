"""``semblance evaluate``: models measured by the judgments."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from app.cli import documents, tables
from app.cli.answers import Answer, open_session
from app.cli.progress import watched
from app.cli.queryverbs import show_taken, taken_in
from app.engine.errors import AppError
from app.engine.evaltypes import EvaluationRequest


def evaluate(options: argparse.Namespace, home: Path) -> Answer:
    with open_session(options, home) as session, watched() as job:
        taken = taken_in(options, session, None, job)
        set_id = taken[0].set_id if taken else None
        if not any(query.judged for query in session.evaluations.queries(set_id)):
            raise AppError(
                "Nothing is judged yet",
                "Judge some results on the Evaluate page, or take judgments in: semblance judge import FILE",
            )
        evaluation = session.evaluations.evaluate(EvaluationRequest(options.models, (), options.k, set_id), job)
    document = documents.evaluation(evaluation) | {"imported": [documents.imported(one) for one in taken]}

    def show(console: Console) -> None:
        show_taken(console, taken)
        tables.evaluation(console, evaluation)

    return Answer(document, show)
