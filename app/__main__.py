"""The one entrance: alone it opens the window, with a verb it is a command."""

from __future__ import annotations

import multiprocessing
import sys


def main() -> int:
    """Start the window or the command line; returns the exit status."""
    multiprocessing.freeze_support()
    from app.cli.arguments import parser

    options = parser().parse_args()
    if options.verb:
        from app.cli.run import run

        return run(options)
    from app.gui.app import run as run_window
    from app.paths import data_home

    return run_window(data_home(options.home), options.library)


if __name__ == "__main__":
    sys.exit(main())
