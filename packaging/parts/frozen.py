"""What PyInstaller took, read from the lists that it leaves in its work folder, and whose it is."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

LISTS = ("COLLECT-*.toc", "PYZ-*.toc", "EXE-*.toc")
"""What lies in the folder, what is packed in the archives of modules, and what is inside the executables."""
CODE = frozenset({"EXTENSION", "BINARY", "PYMODULE", "PYSOURCE"})
KINDS = CODE | {"DATA"}
NATIVE = frozenset({"EXTENSION", "BINARY"})


@dataclass(frozen=True, order=True)
class Taken:
    """One file: its place in the folder (or the name of the module), where it came from, PyInstaller's word for it."""

    place: str
    source: str
    kind: str

    @property
    def is_metadata(self) -> bool:
        """A distribution's own description, which goes with another one's code that asks for its version."""
        return ".dist-info/" in self.place.replace("\\", "/")


def taken(work: Path) -> list[Taken]:
    """All that was taken. Raises FileNotFoundError where ``work`` holds no list of PyInstaller's."""
    lists = sorted(path for pattern in LISTS for path in work.glob(pattern))
    if not any(path.name.startswith("COLLECT") for path in lists):
        raise FileNotFoundError(f"There is no list of what PyInstaller collected in {work}: build the program first.")
    return sorted({entry for path in lists for entry in _entries(ast.literal_eval(path.read_text(encoding="utf-8")))})


def _entries(value: Any) -> Iterator[Taken]:
    if isinstance(value, tuple) and len(value) == 3 and value[2] in KINDS:
        yield Taken(*value)
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from _entries(inner)


class Owners:
    """Which installed distribution a file belongs to, by the lists of files of the distributions."""

    def __init__(self, installed: Iterator[Distribution] | None = None) -> None:
        self._owners: dict[str, Distribution] = {}
        for distribution in installed or distributions():
            root = os.path.realpath(str(distribution.locate_file("")))
            for file in distribution.files or ():
                self._owners[os.path.normpath(f"{root}/{file}")] = distribution

    def of(self, source: str) -> Distribution | None:
        """The distribution, or None: Python's own, the system's, or the program's."""
        folder, name = os.path.split(source)
        return self._owners.get(f"{_real(folder)}{os.sep}{name}")


@cache
def _real(folder: str) -> str:
    return os.path.realpath(folder)


def by_distribution(entries: list[Taken], owners: Owners) -> Mapping[str, tuple[Distribution, list[Taken]]]:
    """What was taken of each distribution, by its name; one of which only the description was taken is left out."""
    found: dict[int, tuple[Distribution, list[Taken]]] = {}
    for entry in entries:
        if not entry.is_metadata and (owner := owners.of(entry.source)):
            found.setdefault(id(owner), (owner, []))[1].append(entry)  # asking for a name reads a file
    return dict(
        sorted(((owner.name, (owner, parts)) for owner, parts in found.values()), key=lambda one: one[0].lower())
    )
