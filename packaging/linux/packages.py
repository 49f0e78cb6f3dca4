"""Make the Linux packages of a frozen folder: a tar.gz for any distribution, and a .deb where dpkg-deb is.

    python packaging/linux/packages.py [FOLDER [OUT]]

An AppImage is not made: its runtime and tool are binaries that would have to be fetched while building.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # packaging/ is a plain folder of scripts

from linux import archive, deb

DIST = Path(__file__).resolve().parents[2] / "dist"


def build(folder: Path, out: Path) -> list[Path]:
    """Pack ``folder`` into ``out``; the folder's files get uniform times and modes, and are else left as they are.

    Raises:
        SystemExit: the folder needs a library of which nobody knows the package.
    """
    out.mkdir(parents=True, exist_ok=True)
    formats = [archive, deb] if shutil.which("dpkg-deb") else [archive]
    made = []
    for packed_as in formats:
        begun_s = time.monotonic()
        with tempfile.TemporaryDirectory(dir=out, prefix=".packing-") as scratch:
            made.append(packed_as.build(folder, out, Path(scratch)))
        print(f"{made[-1].stat().st_size / 1e9:8.2f} GB  {made[-1].name}  ({time.monotonic() - begun_s:.0f} s)")
    return made


if __name__ == "__main__":
    places = [Path(argument) for argument in sys.argv[1:]]
    build(*(places or [DIST / "semblance"])[:1], *(places[1:] or [DIST]))
