"""What a command hands back, and how it opens a library."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from app import settings
from app.cli.progress import cancelled_by_interrupt
from app.engine.errors import AppError, Restorable
from app.engine.jobs import Cancelled, Job, Progress

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
"""The exit statuses."""


class Answer(NamedTuple):
    """``document`` is what ``--json`` prints, ``show`` prints the same for a person, ``status`` is how it ends."""

    document: Any
    show: Callable[[Console], None]
    status: int = DONE


def open_session(options: argparse.Namespace, home: Path, library: str | None = None) -> Any:
    """Open the library that is meant. Bringing one up to date that an earlier version made is told of in a line."""
    from app.engine.session import Session  # numpy and the codecs are loaded only by a command that needs them

    name = library or library_name(options, home)
    job = Job(_tell_once())
    try:
        with cancelled_by_interrupt(job):
            session = Session.open(home, name, job=job)
    except Restorable as error:
        if not error.backup:
            raise
        place = f'--home "{home}" ' if options.home else ""
        told = f'{error.message} This goes back: semblance restore {place}--library "{name}"'
        raise AppError(error.title, told, error.path) from error
    if job.cancelled:  # too late to stop it
        session.close()
        raise Cancelled
    return session


def library_name(options: argparse.Namespace, home: Path) -> str:
    name: str = options.library or settings.load(home).library
    return name


def _tell_once() -> Callable[[Progress], None]:
    told: set[str] = set()

    def tell(progress: Progress) -> None:
        if progress.phase not in told:
            told.add(progress.phase)
            sys.stderr.write(f"{progress.phase}…\n")

    return tell
