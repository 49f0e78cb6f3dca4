"""``semblance evaluate``: models measured by the judgments."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from app.cli import documents, evaluationtables
from app.cli.answers import Answer, open_session
from app.cli.progress import watched
from app.cli.queryverbs import set_named, show_taken, taken_in
from app.engine.errors import AppError
from app.engine.evaltypes import EvaluationRequest


def evaluate(options: argparse.Namespace, home: Path) -> Answer:
    with open_session(options, home) as session, watched() as job:
        set_id = set_named(options.set, session) if options.set else None
        taken = taken_in(options, session, set_id, job)
        set_id = taken[0].set_id if taken else set_id
        if not any(query.judged for query in session.evaluations.queries(set_id, options.judge)):
            raise AppError(
                "Nothing is judged yet",
                "Judge some results on the Evaluate page, or take judgments in: semblance judge import FILE",
            )
        request = EvaluationRequest(
            options.models,
            k=options.k,
            set_id=set_id,
            judge=options.judge,
            measure=options.measure,
            measures=options.measures,
            hits=True,
        )
        evaluation = session.evaluations.evaluate(request, job)
    document = documents.evaluation(evaluation) | {"imported": [documents.imported(one) for one in taken]}

    def show(console: Console) -> None:
        show_taken(console, taken)
        evaluationtables.evaluation(console, evaluation)

    return Answer(document, show)
