"""What a command hands back, and how it opens a library."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from app import settings

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
"""The exit statuses."""


class Answer(NamedTuple):
    """``document`` is what ``--json`` prints, ``show`` prints the same for a person, ``status`` is how it ends."""

    document: Any
    show: Callable[[Console], None]
    status: int = DONE


def open_session(options: argparse.Namespace, home: Path, library: str | None = None) -> Any:
    from app.engine.session import Session  # numpy and the codecs are loaded only by a command that needs them

    return Session.open(home, library or options.library or settings.load(home).library)
