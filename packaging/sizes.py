"""How large the frozen program is: part by part, and beside what its libraries take up where pip installs them."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import Distribution
from pathlib import Path

BYTES_PER_MIB = 1 << 20
LARGE_BYTES = 20 * BYTES_PER_MIB
GROUPS = {"PySide6/Qt": 3, "PySide6": 2, "nvidia": 4, "torch": 2}
"""Of these folders the parts are shown, so many levels down."""


def folder_bytes(folder: Path) -> int:
    """What the files below a folder hold; a link counts nothing."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def wheels_bytes(distributions: Iterable[Distribution]) -> int:
    """What the wheels of these distributions hold, unpacked: all files that are listed with a checksum. So what pip
    compiles or writes when it installs them does not count."""
    return sum(file.size or 0 for found in distributions for file in found.files or () if file.hash)


def large_parts(folder: Path) -> list[tuple[str, int]]:
    """The parts of the frozen folder from 20 MiB on, the largest first, each with its bytes."""
    sizes: dict[str, int] = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            part = _part(path.relative_to(folder))
            sizes[part] = sizes.get(part, 0) + path.stat().st_size
    large = [(part, size_bytes) for part, size_bytes in sizes.items() if size_bytes >= LARGE_BYTES]
    return sorted(large, key=lambda entry: -entry[1])


def report(folder: Path, distributions: Iterable[Distribution]) -> None:
    """Print both."""
    for part, size_bytes in large_parts(folder):
        print(f"{size_bytes / BYTES_PER_MIB:8.0f} MiB  {part}")
    frozen_bytes, installed_bytes = folder_bytes(folder), wheels_bytes(distributions)
    print(
        f"{frozen_bytes / BYTES_PER_MIB:8.0f} MiB  in all: {frozen_bytes / installed_bytes:.2f} of the "
        f"{installed_bytes / BYTES_PER_MIB:.0f} MiB that the wheels it is made of hold unpacked"
    )


def _part(path: Path) -> str:
    """Which part a file belongs to: its top folder in ``_internal``, or one of that folder's own parts."""
    inside = path.relative_to("_internal") if path.parts[0] == "_internal" else path
    name = inside.as_posix()
    levels = next((levels for group, levels in GROUPS.items() if name.startswith(f"{group}/")), 1)
    return "/".join(inside.parts[:levels])
