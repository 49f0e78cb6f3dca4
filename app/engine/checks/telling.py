"""How findings are made: in few words, and with what to do about it."""

from __future__ import annotations

import sys

from app.engine.checktypes import Finding, Verdict

BYTES_PER_GB = 10**9
LONGEST_DETAIL = 300
"""Of what a library says of its own failure."""


def fine(key: str, title: str, sentence: str) -> Finding:
    return Finding(key, title, Verdict.FINE, sentence)


def note(key: str, title: str, sentence: str, remedy: str = "") -> Finding:
    return Finding(key, title, Verdict.NOTE, sentence, remedy)


def problem(key: str, title: str, sentence: str, remedy: str = "") -> Finding:
    return Finding(key, title, Verdict.PROBLEM, sentence, remedy)


def is_frozen() -> bool:
    """Whether this is the packaged program, which carries its own Python."""
    return bool(getattr(sys, "frozen", False))


def again(package: str) -> str:
    """How to get a part of the program anew that came in ``package``."""
    if is_frozen():
        return "Install Semblance again. If that does not help, report this text."
    return f"Install it again: python -m pip install --force-reinstall {package}"


def detail(error: BaseException) -> str:
    """What an exception says, on one line."""
    said = " ".join(str(error).split())[:LONGEST_DETAIL].rstrip(". ")
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def gigabytes(size_bytes: float) -> str:
    return f"{size_bytes / BYTES_PER_GB:,.1f} GB"
