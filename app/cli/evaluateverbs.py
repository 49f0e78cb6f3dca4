"""The commands about test queries: judgments in and out, models measured by them."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.cli import documents, tables
from app.cli.answers import Answer, open_session
from app.cli.progress import watched
from app.engine.errors import AppError
from app.engine.evaltypes import EvaluationRequest


def judge(options: argparse.Namespace, home: Path) -> Answer:
    with open_session(options, home) as session:
        if options.action == "import":
            taken = session.evaluations.import_qrels(options.file)
            return Answer(documents.imported(taken), lambda console: tables.imported(console, taken))
        count = session.evaluations.export_qrels(options.file)
    return Answer(
        {"exported": count, "path": options.file}, lambda console: console.print(f"{count} judgments written.")
    )


def evaluate(options: argparse.Namespace, home: Path) -> Answer:
    with open_session(options, home) as session, watched() as job:
        if not any(query.judged for query in session.evaluations.queries()):
            raise AppError(
                "Nothing is judged yet",
                "Judge some results on the Evaluate page, or take judgments in: semblance judge import FILE",
            )
        evaluation = session.evaluations.evaluate(EvaluationRequest(options.models, (), options.k), job)
    return Answer(documents.evaluation(evaluation), lambda console: tables.evaluation(console, evaluation))
