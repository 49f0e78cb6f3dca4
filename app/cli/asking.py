"""Asks the person at the terminal before something is done that cannot be taken back."""

from __future__ import annotations

import sys

from app.engine.errors import AppError


def ask(question: str, refused: str, nobody: str) -> None:
    """Ask on standard error, and go on if the answer is yes.

    Args:
        question: as "Fetch this?".
        refused: what is said to have come of it otherwise: "Nothing was fetched".
        nobody: what to do where nobody is there to be asked.

    Raises:
        AppError: the person does not agree, or there is none.
    """
    if not sys.stdin.isatty():
        raise AppError(refused, nobody)
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise AppError(refused, "You did not agree.")
