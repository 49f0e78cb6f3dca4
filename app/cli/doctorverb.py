"""``semblance doctor``: what of this machine and of the program works, and how to mend what does not."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from app.cli import documents
from app.cli.answers import DONE, FAILED, Answer
from app.cli.progress import watched
from app.engine.checktypes import CheckUp, Verdict

_COLOURS = {Verdict.FINE: "green", Verdict.NOTE: "yellow", Verdict.PROBLEM: "red"}
_MARKS = {Verdict.FINE: "✓", Verdict.NOTE: "!", Verdict.PROBLEM: "✗"}
_PLAIN_MARKS = {Verdict.FINE: "ok", Verdict.NOTE: "!", Verdict.PROBLEM: "X"}
"""For terminals whose letters are of an older kind."""

_ENDS = {
    Verdict.FINE: "Everything works.",
    Verdict.NOTE: "Everything works, some of it less well than it could.",
    Verdict.PROBLEM: "Something does not work: ✗ marks what, and what to do about it.",
}


def doctor(_options: argparse.Namespace, home: Path) -> Answer:
    from app.engine.doctor import check_up  # numpy and the codecs are loaded only by a command that needs them

    with watched() as job:
        found = check_up(home, job=job)
    status = FAILED if found.worst is Verdict.PROBLEM else DONE
    document = {"worst": found.worst, **documents.plain(found)}
    return Answer(document, lambda console: show(console, found), status)


def show(console: Console, found: CheckUp) -> None:
    marks = _MARKS if _can_print("✓✗", console.encoding) else _PLAIN_MARKS
    console.print(f"[bold]Semblance {escape(found.program)}[/]\n{escape(found.system)}")
    marked = max(map(len, marks.values())) + 1
    titled = max((len(finding.title) for finding in found.condensed), default=0) + 2
    for finding in found.condensed:  # no table: it fills every line with blanks, which a message or a terminal wraps
        mark = f"[{_COLOURS[finding.verdict]}]{marks[finding.verdict]:<{marked}}[/]"
        console.print(f"{mark}[bold]{escape(finding.title.ljust(titled))}[/]{escape(finding.sentence)}")
        if finding.remedy:
            console.print(" " * (marked + titled) + f"[bold]{escape(finding.remedy)}[/]")
    console.print(_ENDS[found.worst].replace("✗", marks[Verdict.PROBLEM]))


def _can_print(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
