"""How findings are made: in few words, and with what to do about it."""

from __future__ import annotations

from app.engine.checktypes import Finding, Verdict
from app.paths import is_frozen

LONGEST_DETAIL = 300
"""Of what a library says of its own failure."""


def fine(key: str, title: str, sentence: str) -> Finding:
    return Finding(key, title, Verdict.FINE, sentence)


def note(key: str, title: str, sentence: str, remedy: str = "") -> Finding:
    return Finding(key, title, Verdict.NOTE, sentence, remedy)


def problem(key: str, title: str, sentence: str, remedy: str = "") -> Finding:
    return Finding(key, title, Verdict.PROBLEM, sentence, remedy)


def again() -> str:
    """How to get the program and its libraries anew."""
    if is_frozen():
        return "Install Semblance again. If that does not help, report this text."
    # With the versions that the project was tried with: the newest of a library need not fit the others.
    return "In Semblance's folder: python -m pip install --force-reinstall --constraint constraints.txt --editable ."


def detail(error: BaseException) -> str:
    """What an exception says, on one line."""
    said = " ".join(str(error).split())[:LONGEST_DETAIL].rstrip(". ")
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
