"""Gather the notices of what others made and Qt has built in, from the sources of Qt's modules.

    python packaging/qt_notices.py SOURCES... > packaging/parts/texts/Qt.txt

SOURCES are unpacked folders of the modules that the window is made of (qtbase, qtdeclarative, qtimageformats,
qtmultimedia, qtsvg). Each part of others stands there in a ``qt_attribution.json``, with its licence beside it:
https://contribute.qt-project.org/quips/4. Qt's wheels carry neither.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

MODULES = ("core", "dbus", "gui", "imageformats", "multimedia", "network", "qml", "quick", "svg", "waylandcompositor")
"""Whose parts are taken, without "qt" before. Under the last stand the protocols of the plug-in for Wayland."""
RULE = "=" * 100


def notices(sources: Sequence[Path]) -> str:
    """One text: each licence once, below the parts of all modules that are under it.

    Raises:
        FileNotFoundError: a licence is not where its part says, nor is one of its name in a module's ``LICENSES``.
    """
    general = {file.stem: file for source in sources for file in sorted(source.glob("LICENSES/*.txt"))}
    parts_under: dict[str, list[str]] = {}
    for place, entry in (part for source in sources for part in _parts(source)):
        parts_under.setdefault(_licence(place, entry, general), []).append(_heading(entry))
    told_by = ", ".join(source.resolve().name for source in sources)
    blocks = [f"What others made and Qt has built in, as the sources of its modules tell it: {told_by}."]
    for text, headings in parts_under.items():
        blocks += [RULE, "\n\n".join(dict.fromkeys(headings)), "-" * len(RULE), text]
    return "\n\n".join(blocks) + "\n"


def _parts(source: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The parts that end up in libraries, each with the folder that its entry lies in."""
    for file in sorted(source.rglob("qt_attribution.json")):
        said = json.loads(file.read_text(encoding="utf-8"), strict=False)  # some have tabs and line ends in strings
        for entry in said if isinstance(said, list) else [said]:
            if entry.get("QDocModule", "").removeprefix("qt") in MODULES and "libs" in entry.get("QtParts", ["libs"]):
                yield file.parent, entry


def _heading(entry: dict[str, Any]) -> str:
    """Without the version: the sources may be a little older or newer than the Qt that is carried."""
    return "\n".join([f"{entry['Name']} ({entry['LicenseId']})", *_listed(entry.get("Copyright"))])


def _licence(place: Path, entry: dict[str, Any], general: Mapping[str, Path]) -> str:
    """The texts beside the entry, that of copyrights first; where it names none, those of its SPDX ids."""
    named = [*_listed(entry.get("CopyrightFile")), *_listed(entry.get("LicenseFile") or entry.get("LicenseFiles"))]
    files = [place / name for name in named] or [_by_id(key, place, general) for key in _ids(entry["LicenseId"])]
    return "\n\n".join(map(_read, files))


def _ids(expression: str) -> list[str]:
    return re.split(r" (?:AND|OR) ", expression)


def _by_id(key: str, place: Path, general: Mapping[str, Path]) -> Path:
    own = place / f"LICENSE.{key}.txt"
    if own.is_file():
        return own
    if key not in general:
        raise FileNotFoundError(f"There is no text of {key}, which {place} names.")
    return general[key]


def _listed(value: str | list[str] | None) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []


def _read(file: Path) -> str:
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(line.rstrip() for line in lines).strip("\n")


if __name__ == "__main__":
    sys.stdout.write(notices([Path(argument) for argument in sys.argv[1:]]))
