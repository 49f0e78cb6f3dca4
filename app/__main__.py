"""The two entrances: `main` is the command line, which can open the window; `window` is the window alone."""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import os
import sys

HAS_CONSOLE = sys.stderr is not None
"""A windowed program of Windows has none, and neither have the processes that it starts."""

if not HAS_CONSOLE:  # at import, because the engine and the decoders run this module and no function of it
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - for as long as it runs
    sys.stderr = sys.stdout


def main() -> int:
    """Start the window or the command line; returns the exit status."""
    multiprocessing.freeze_support()
    from app.cli.arguments import parser

    options = parser().parse_args()
    if options.verb not in (None, "window"):
        from app.cli.run import run

        return run(options)
    return _open_window(options)


def window() -> int:
    """Start the window; returns the exit status. What cannot be said on a console is said in a message box."""
    multiprocessing.freeze_support()
    from app.cli.arguments import window_parser

    parser = window_parser()
    if HAS_CONSOLE:
        return _open_window(parser.parse_args())
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            options = parser.parse_args()
    except SystemExit as end:
        from app.gui.application import say

        say(said.getvalue())
        return int(end.code or 0)
    return _open_window(options)


def _open_window(options: argparse.Namespace) -> int:
    from app.gui.app import run
    from app.paths import data_home

    return run(data_home(options.home), options.library, options.files, HAS_CONSOLE)


if __name__ == "__main__":
    sys.exit(main())
