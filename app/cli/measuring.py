"""What the commands that measure have in common: which set of queries, and whether anything is judged."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from app.engine.errors import AppError
from app.engine.evaltypes import EvaluationRequest
from app.engine.judgingtypes import OWN_JUDGE, QuerySet


def set_named(name: str, session: Any) -> int:
    """The id of a set.

    Raises:
        AppError: there is none of this name.
    """
    sets: Sequence[QuerySet] = session.evaluations.sets()
    found = next((one.id for one in sets if one.name.casefold() == " ".join(name.split()).casefold()), None)
    if found is None:
        there = ", ".join(f"“{one.name}”" for one in sets) or "none yet"
        raise AppError("There is no such set of queries", f"“{name}” was given; there is: {there}.")
    return found


def set_of(options: argparse.Namespace, session: Any) -> int | None:
    """The set of ``--set``; None where it is not given."""
    return set_named(options.set, session) if options.set else None


def judge_named(name: str | None, session: Any, set_id: int | None) -> str | None:
    """A judge of a set, or of any, as the library writes the name; None for all together.

    Raises:
        AppError: nobody of this name has judged there.
    """
    if name is None or not name.strip():
        return None if name is None else OWN_JUDGE
    sets: Sequence[QuerySet] = session.evaluations.sets()
    there = {judge for one in sets if set_id in (None, one.id) for judge in one.judges}
    wanted = " ".join(name.split()).casefold()
    found = next((judge for judge in sorted(there) if judge.casefold() == wanted), None)
    if found is None:
        listed = ", ".join(f"“{judge}”" if judge else "'' (you)" for judge in sorted(there)) or "nobody yet"
        raise AppError("Nobody of this name has judged here", f"“{name}” was given; there is: {listed}.")
    return found


def request_of(
    options: argparse.Namespace, session: Any, set_id: int | None, measures: Sequence[str] = ()
) -> EvaluationRequest:
    """What the options of `app.cli.measuringarguments.add_measuring` ask for.

    Raises:
        AppError: nobody of the judge's name has judged there.
    """
    return EvaluationRequest(
        models=options.models,
        k=options.k,
        set_id=set_id,
        judge=judge_named(options.judge, session, set_id),
        measure=options.measure,
        measures=tuple(measures),
    )


def check_judged(session: Any, request: EvaluationRequest) -> None:
    """Refuse to measure by nothing.

    Raises:
        AppError: nothing of the set is judged by this judge.
    """
    if not any(query.judged for query in session.evaluations.queries(request.set_id, request.judge)):
        raise AppError(
            "Nothing is judged yet",
            "Judge some results on the Evaluate page, or take judgments in: semblance judge import FILE",
        )
