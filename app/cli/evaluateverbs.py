"""``semblance evaluate``: models measured by the judgments."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from app.cli import documents, evaluationtables
from app.cli.answers import Answer, open_session
from app.cli.measuring import check_judged, request_of, set_of
from app.cli.progress import watched
from app.cli.queryverbs import show_taken, taken_in


def evaluate(options: argparse.Namespace, home: Path) -> Answer:
    with open_session(options, home) as session, watched() as job:
        taken = taken_in(options, session, job)
        set_id = taken[0].set_id if taken else set_of(options, session)
        request = request_of(options, session, set_id, options.measures)
        check_judged(session, request)
        evaluation = session.evaluations.evaluate(replace(request, hits=True), job)
    document = documents.evaluation(evaluation) | {"taken_in": [documents.imported(one) for one in taken]}

    def show(console: Console) -> None:
        show_taken(console, taken)
        evaluationtables.evaluation(console, evaluation)

    return Answer(document, show)
