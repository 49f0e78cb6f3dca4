"""Where the windowed executable begins; the other one begins in ``app/__main__.py`` itself."""

import sys

from app.__main__ import window

if __name__ == "__main__":
    sys.exit(window())
