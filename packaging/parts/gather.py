"""The parts of a frozen program: Python, distributions, the libraries inside of them, the system's."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import ssl
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from pathlib import Path

from . import frozen, licensing
from .frozen import Owners, Taken

VENDORED = (".libs", ".dylibs")
"""Endings of folders into which wheels put libraries of others."""
PYTHON_HOME = "https://www.python.org/downloads/source/"


@dataclass(frozen=True, order=True)
class Part:
    """Something of others in the folder, under one licence (an SPDX expression; "" where nobody knows it)."""

    name: str
    version: str
    licence: str
    kind: str
    """ "python", "distribution", "library" (inside of a distribution, `holder`) or "system"."""
    holder: str = ""
    files: tuple[str, ...] = ()
    """Places in the folder of its libraries and extension modules."""
    texts: tuple[tuple[str, Path], ...] = field(default=(), compare=False)
    """Its own licence files, each with the path to keep it under."""
    source: str = ""
    note: str = ""
    purl: str = ""
    bills: tuple[Path, ...] = field(default=(), compare=False)
    """Bills of materials of its own, of what is linked into it."""

    @property
    def title(self) -> str:
        return f"{self.name} {self.version}".strip() + (f" (in {self.holder})" if self.holder else "")


@dataclass(frozen=True)
class Inventory:
    parts: list[Part]
    unknown: list[str]
    """Files of which nobody knows whose they are."""


def gather(work: Path) -> Inventory:
    """All parts that PyInstaller took; ``work`` is its work folder."""
    entries, owners = frozen.taken(work), Owners()
    wheels = frozen.by_distribution(entries, owners)
    own: dict[str, list[str]] = {}
    libraries: dict[tuple[str, str], list[str]] = {}
    system: dict[str, Taken] = {}
    unknown: list[str] = []
    for entry in entries:
        if entry.kind not in frozen.NATIVE:
            continue
        owner, name = owners.of(entry.source), Path(entry.source).name
        if owner and (library := licensing.known_library(name)):
            libraries.setdefault((library.name, owner.name), []).append(entry.place)
        elif owner and Path(entry.source).parent.name.endswith(VENDORED):
            unknown.append(f"{entry.place} (in {owner.name})")
        elif owner:
            own.setdefault(owner.name, []).append(entry.place)
        elif _is_pythons(entry.source, work):
            own.setdefault("", []).append(entry.place)
        else:
            system[entry.source] = entry
    parts = [_python(own.get("", [])), _bootloader()]
    parts += [_distribution(owner, own.get(name, [])) for name, (owner, _) in wheels.items() if _is_foreign(owner)]
    parts += [_library(name, holder, files) for (name, holder), files in libraries.items()]
    packaged, unpackaged = _system_parts(system.values())
    everything = sorted(parts + packaged, key=lambda part: (part.name.lower(), part))
    return Inventory(everything, sorted(unknown + unpackaged))


def _is_foreign(distribution: Distribution) -> bool:
    return distribution.name not in ("semblance", "pyinstaller")


def _is_pythons(source: str, work: Path) -> bool:
    real = os.path.realpath(source)
    inside = [os.path.realpath(folder) for folder in (sys.base_prefix, sys.prefix, work)]
    return any(real.startswith(folder + os.sep) for folder in inside) and not _is_system_library(real)


def _is_system_library(path: str) -> bool:
    """Whether it lies where Linux keeps its libraries, which a Python in /usr would claim for its own."""
    return path.startswith(("/usr/lib/", "/lib/", "/lib64/")) and "/python3" not in path


def _python(files: list[str]) -> Part:
    home = Path(sys.base_prefix)
    candidates = (home / "LICENSE.txt", Path(sysconfig.get_path("stdlib")) / "LICENSE.txt")
    here = platform.python_version()
    folder = licensing.kept_in("Python", here)
    texts = [(f"{folder}/LICENSE.txt", path) for path in candidates if path.is_file()][:1]
    return Part(
        "Python",
        here,
        "PSF-2.0",
        "python",
        files=tuple(sorted(files)),
        texts=tuple(texts),
        source=PYTHON_HOME,
        purl=f"pkg:generic/python@{here}",
    )


def _bootloader() -> Part:
    """The executables themselves are PyInstaller's, with the program's modules behind them."""
    return _distribution(distribution("pyinstaller"), [])


def _distribution(owner: Distribution, files: list[str]) -> Part:
    known = licensing.known_distribution(owner.name)
    return Part(
        owner.name,
        owner.version,
        licensing.licence_of(owner),
        "distribution",
        files=tuple(sorted(files)),
        texts=tuple(licensing.texts_of(owner)),
        source=known.source or _source_of(owner),
        note=known.note,
        purl=f"pkg:pypi/{owner.name.lower().replace('_', '-')}@{owner.version}",
        bills=tuple(licensing.bills_of(owner)),
    )


def _source_of(owner: Distribution) -> str:
    """Where the distribution says that its source is, or its home page."""
    links = dict(link.split(", ", 1) for link in owner.metadata.get_all("Project-URL") or () if ", " in link)
    named = {name.lower(): address for name, address in links.items()}
    wanted = ("source", "source code", "repository", "github", "homepage", "home")
    return next((named[name] for name in wanted if name in named), owner.metadata.get("Home-page") or "")


def _library(name: str, holder: str, files: list[str]) -> Part:
    known = licensing.known_library(Path(files[0]).name) or licensing.Known()
    return Part(
        name,
        _asked(name, holder),
        known.licence,
        "library",
        holder,
        tuple(sorted(files)),
        tuple(licensing.texts_in(holder, known)),
        known.source,
        known.note,
    )


# --- versions --------------------------------------------------------------------------------------------------------


def _asked(name: str, holder: str) -> str:
    """The version of a library, where the distribution around it can tell."""
    ask = _TELLERS.get((name, holder))
    try:
        return ask() if ask else ""
    except (ImportError, AttributeError, PackageNotFoundError):
        return ""


def _ffmpeg_of_av() -> str:
    import av

    return str(av.ffmpeg_version_info)


def _heif() -> str:
    import pi_heif

    return str(pi_heif.libheif_version())


def _pillows(feature: str) -> Callable[[], str]:
    def ask() -> str:
        from PIL import features

        return str(features.version(feature) or "")

    return ask


def _qt() -> str:
    return version("PySide6_Essentials")


_TELLERS: dict[tuple[str, str], Callable[[], str]] = {
    ("FFmpeg", "av"): _ffmpeg_of_av,
    ("libheif", "pi_heif"): _heif,
    ("libwebp", "pillow"): _pillows("webp"),
    ("libavif", "pillow"): _pillows("avif"),
    ("FreeType", "pillow"): _pillows("freetype2"),
    ("HarfBuzz", "pillow"): _pillows("harfbuzz"),
    ("Little CMS", "pillow"): _pillows("littlecms2"),
    ("OpenJPEG", "pillow"): _pillows("jpg_2000"),
    ("LibTIFF", "pillow"): _pillows("libtiff"),
    ("libjpeg-turbo", "pillow"): _pillows("libjpeg_turbo"),
    ("Qt", "PySide6_Essentials"): _qt,
    ("Qt", "PySide6_Addons"): _qt,
    ("OpenSSL", ""): lambda: ssl.OPENSSL_VERSION.split()[1],
    ("SQLite", ""): lambda: sqlite3.sqlite_version,
}

# --- the system's libraries ------------------------------------------------------------------------------------------


def _system_parts(entries: Iterable[Taken]) -> tuple[list[Part], list[str]]:
    """The packages (Debian's) that the libraries come from, and the files of which no package is known."""
    files_of: dict[str, list[str]] = {}
    unpackaged: dict[licensing.Known, list[str]] = {}
    unknown = []
    listed = list(entries)
    packages = _packages_of([entry.source for entry in listed])
    for entry in listed:
        if package := packages.get(entry.source):
            files_of.setdefault(package, []).append(entry.place)
        elif library := licensing.known_library(Path(entry.source).name):
            unpackaged.setdefault(library, []).append(entry.place)
        else:
            unknown.append(f"{entry.place} (from {entry.source})")
    parts = [_packaged(*described, files_of) for described in _described(list(files_of))]
    return parts + [_unpackaged(library, files) for library, files in unpackaged.items()], unknown


def _packaged(package: str, number: str, source: str, architecture: str, files_of: dict[str, list[str]]) -> Part:
    text = Path("/usr/share/doc") / package / "copyright"
    return Part(
        package,
        number,
        licensing.known_system_package(package, source),
        "system",
        files=tuple(sorted(files_of[package])),
        texts=((f"{licensing.kept_in(package, number)}/copyright", text),) if text.is_file() else (),
        note=f"Of the system that the program was built on. Its source is the package {source} {number} there.",
        purl=f"pkg:deb/{_linux()}/{package}@{number}?arch={architecture}",
    )


def _unpackaged(library: licensing.Known, files: list[str]) -> Part:
    return Part(
        library.name,
        _asked(library.name, ""),
        library.licence,
        "system",
        files=tuple(sorted(files)),
        texts=tuple(licensing.texts_in("", library)),
        source=library.source,
        note=library.note,
    )


def _packages_of(sources: list[str]) -> dict[str, str]:
    """The installed packages that files belong to; nothing where there is no dpkg. A file may be known by its older
    path in /lib, or by the one that a link points to."""
    spelt = {
        spelling: source
        for source in sources
        for spelling in (source, os.path.realpath(source), os.path.realpath(source).removeprefix("/usr"))
    }
    answers = (line.rpartition(": ") for line in _dpkg("--search", *spelt))
    return {spelt[path]: owner.split(",")[0].split(":")[0] for owner, _, path in answers if path in spelt}


def _described(packages: list[str]) -> list[tuple[str, str, str, str]]:
    form = "--showformat=${Package}\t${Version}\t${source:Package}\t${Architecture}\n"
    lines = _dpkg("--show", form, *packages) if packages else []
    return sorted({(name, number, source, kind) for name, number, source, kind in (line.split("\t") for line in lines)})


def _dpkg(*arguments: str) -> list[str]:
    """The lines of an answer of dpkg's, as far as there is one."""
    if not shutil.which("dpkg-query"):
        return []
    command = ["dpkg-query", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()


@cache
def _linux() -> str:
    return platform.freedesktop_os_release().get("ID", "debian")
