"""Write SHA256SUMS over what is to be given away: ``python packaging/checksums.py FOLDER``, over all files in it.

The form is that of ``sha256sum``, so that ``sha256sum --check SHA256SUMS`` says whether a download is whole.
Standard library only.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from parts.hashes import sha256

NAME = "SHA256SUMS"


def write(folder: Path, files: Iterable[Path]) -> Path:
    """The list in ``folder`` of these of its files, in the order of their names; returns its path."""
    sums = folder / NAME
    text = "".join(f"{sha256(path)}  {path.name}\n" for path in sorted(files))
    sums.write_text(text, encoding="utf-8", newline="\n")
    return sums


if __name__ == "__main__":
    given = Path(sys.argv[1])
    found = [path for path in given.iterdir() if path.is_file() and path.name != NAME]
    print(write(given, found).read_text(encoding="utf-8"), end="")
