"""Write SHA256SUMS over what is to be given away: ``python packaging/checksums.py [FOLDER]`` (by default ``dist``).

The form is that of ``sha256sum``, so that ``sha256sum --check SHA256SUMS`` says whether a download is whole.
Standard library only.
"""

from __future__ import annotations

import sys
from pathlib import Path

from parts.hashes import sha256

DIST = Path(__file__).resolve().parent.parent / "dist"
NAME = "SHA256SUMS"


def write(folder: Path = DIST) -> Path:
    """One line for each file of ``folder``, not of what is below it, in the order of their names; returns the list."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != NAME)
    sums = folder / NAME
    text = "".join(f"{sha256(path)}  {path.name}\n" for path in files)
    sums.write_text(text, encoding="utf-8", newline="\n")
    return sums


if __name__ == "__main__":
    print(write(Path(sys.argv[1]) if len(sys.argv) > 1 else DIST).read_text(encoding="utf-8"), end="")
