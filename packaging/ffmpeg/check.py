"""What is under the GPL in the installed PyAV, or in a frozen folder: ``python packaging/ffmpeg/check.py [FOLDER]``.

The names of the libraries tell, and the options that FFmpeg was configured with, which it keeps as text. Its own word
for its licence is not enough: the FFmpeg in PyAV's wheels was changed to count x264 among what is not under the GPL.
The files are read, not loaded, so that any system's folder can be looked at.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import files
from pathlib import Path

GPL_LIBRARIES = (
    # those that FFmpeg's own ``configure`` wants --enable-gpl for
    *("avisynth", "cdio", "davs2", "dvdnav", "dvdread", "frei0r", "rubberband", "smbclient", "vidstab"),
    *("x264", "x265", "xavs", "xavs2", "xvid", "xvidcore"),
    "postproc",  # FFmpeg's, under the GPL until it was taken out
    *("libreadline", "libgdbm"),  # what some Pythons are linked to
)
_NAME = re.compile(rf"(?:lib)?(?:{'|'.join(GPL_LIBRARIES)})(?:[-_.\d].*)?")
_LIBRARY = re.compile(r".*\.(?:so[.\d]*|dylib|dll|pyd)", re.IGNORECASE)
_OPTION = re.compile(rf"--enable-(?:gpl|nonfree|(?:lib)?(?:{'|'.join(GPL_LIBRARIES)}))(?![\w-])".encode())
_LICENCE = re.compile(rb"lib[a-z]+ license: ((?:GPL|nonfree)[ -~]*)")


def gpl_parts(folder: Path | None = None) -> list[str]:
    """What is under the GPL (or may not be given away at all) in ``folder``, or in the installed ``av`` without one.

    Each is a file's name with what is wrong with it; none is best.
    """
    return sorted({part for file in _libraries(folder) for part in _wrong_with(file)})


def _libraries(folder: Path | None) -> Iterator[Path]:
    found: Iterable[Path]
    if folder:
        found = (file for file in folder.rglob("*") if file.is_file())
    else:
        found = (Path(str(file.locate())) for file in files("av") or ())
    return (file for file in found if _LIBRARY.fullmatch(file.name))


def _wrong_with(file: Path) -> Iterator[str]:
    name = file.name.lower()
    if _NAME.fullmatch(name):
        yield f"{file.name}: is a library under the GPL"
    if "avcodec" in name or "ffmpeg" in name:
        content = file.read_bytes()
        for option in _OPTION.findall(content):
            yield f"{file.name}: was configured with {option.decode()}"
        for licence in _LICENCE.findall(content):
            yield f"{file.name}: its licence is {licence.decode()}"


def main() -> None:
    parts = gpl_parts(Path(sys.argv[1]) if sys.argv[1:] else None)
    print("\n".join(parts) or "No part is under the GPL.")
    sys.exit(1 if parts else 0)


if __name__ == "__main__":
    main()
