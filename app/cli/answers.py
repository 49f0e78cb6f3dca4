"""What a command hands back, and how it opens a library."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from app import settings
from app.cli.progress import watched
from app.engine.errors import AppError, Restorable
from app.engine.jobs import Cancelled

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
"""The exit statuses."""


class Answer(NamedTuple):
    """``document`` is what ``--json`` prints, ``show`` prints the same for a person, ``status`` is how it ends."""

    document: Any
    show: Callable[[Console], None]
    status: int = DONE


def open_session(options: argparse.Namespace, home: Path, library: str | None = None) -> Any:
    """Open the library that is meant. It is shown how one that an earlier version made is brought up to date.

    Raises:
        AppError: it cannot be opened.
        Cancelled: it was interrupted; in an upgrade, its words say what became of the library.
    """
    from app.engine.session import Session  # numpy and the codecs are loaded only by a command that needs them

    name = library or library_name(options, home)
    try:
        with watched(says_phases=True) as job:
            session = Session.open(home, name, job=job)
    except Cancelled as error:
        if not job.progress.phase:  # it needed not to be brought up to date
            raise
        raise Cancelled("The library is as it was. Run the command again to bring it up to date.") from error
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
