"""Which of Debian's packages a frozen folder needs: read from its ELF files, not from the machine that built it.

dpkg-shlibdeps asks the build machine's own packages, and on another release these have other names and later versions
than the binaries ask for: a package made on one Ubuntu would not install on the next Debian. Names from a table hold on
all of them, and of versions only those of the C and C++ libraries matter, which binaries state in their symbols.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import check_system

GLIBC = frozenset(
    f"lib{name}.so.{version}"
    for name, version in (
        *((name, 6) for name in ("c", "m")),
        *((name, 2) for name in ("dl", "resolv")),
        *((name, 1) for name in ("mvec", "rt", "util", "anl")),
        ("pthread", 0),
    )
)
GLIBC_PACKAGE = "libc6"
CPP_PACKAGE = "libstdc++6"
GCC_RELEASES = (
    ("11", (3, 4, 29), (1, 3, 13)),
    ("12", (3, 4, 30), (1, 3, 13)),
    ("13.1", (3, 4, 31), (1, 3, 14)),
    ("13.2", (3, 4, 32), (1, 3, 14)),
    ("14", (3, 4, 33), (1, 3, 15)),
    ("15", (3, 4, 34), (1, 3, 16)),
)
"""The last GLIBCXX and CXXABI of each release's C++ library ("ABI Policy and Guidelines" of its manual)."""
PLAYING = {library.name: library.debian for library in check_system.PLAYBACK}
PACKAGES = {
    **{library.name: library.debian for library in (*check_system.BASE, *check_system.XCB, *check_system.WAYLAND)},
    "libasound.so.2": "libasound2",
    "libbrotlicommon.so.1": "libbrotli1",
    "libbrotlidec.so.1": "libbrotli1",
    "libbz2.so.1": "libbz2-1.0",
    "libbz2.so.1.0": "libbz2-1.0",
    "libcrypt.so.1": "libcrypt1",
    "libdrm.so.2": "libdrm2",
    "libexpat.so.1": "libexpat1",
    "libffi.so.8": "libffi8",
    "libgbm.so.1": "libgbm1",
    "libgcc_s.so.1": "libgcc-s1",
    "libgio-2.0.so.0": "libglib2.0-0",
    "libgmodule-2.0.so.0": "libglib2.0-0",
    "libgobject-2.0.so.0": "libglib2.0-0",
    "libgomp.so.1": "libgomp1",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "liblzma.so.5": "liblzma5",
    "libstdc++.so.6": CPP_PACKAGE,
    "libudev.so.1": "libudev1",
    "libuuid.so.1": "libuuid1",
    "libwayland-egl.so.1": "libwayland-egl1",
    "libwayland-server.so.0": "libwayland-server0",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-glx.so.0": "libxcb-glx0",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb.so.1": "libxcb1",
    "libz.so.1": "zlib1g",
    "libzstd.so.1": "libzstd1",
}
DATA = {"libfontconfig.so.1": "fontconfig-config", "libX11.so.6": "libx11-data", "libxkbcommon.so.0": "xkb-data"}
"""What a library reads from the system, on which its own package depends. A library that is carried has none."""
DRIVERS = frozenset({"libcuda.so.1", "libnvidia-ml.so.1", "libnvcuvid.so.1", "libamdhip64.so"})
"""Come with a graphics card's driver; without one the processor computes."""

Version = tuple[int, ...]

ARGUMENTS = 200
"""Files per call of objdump; a command line has a longest."""

OPTIONAL_PARTS = re.compile(
    r"(^|/)(nvidia|triton|numba)/|/Qt/plugins/(?!platforms/|xcbglintegrations/|wayland-|multimedia/)|/nvshmem"
)
"""Plug-ins that are loaded where the system has what they need: clusters' networks, desktops' themes, databases."""


@dataclass(frozen=True)
class Needs:
    """Names of packages, versions where one matters."""

    depends: tuple[str, ...]
    recommends: tuple[str, ...]


def of(folder: Path) -> Needs:
    """What the system must have, and what it had better have, for the programs in ``folder``.

    Raises:
        SystemExit: a library is needed of which these tables do not know the package, or not the version.
    """
    carried = {name for _, _, names in os.walk(folder) for name in names}
    needed: dict[str, list[str]] = defaultdict(list)
    newest: dict[str, Version] = defaultdict(tuple)
    for path, sonames, versions in dynamic_sections(folder):
        newest |= {name: max(newest[name], version) for name, version in versions.items()}
        for soname in sonames:
            if soname not in carried and soname not in GLIBC | DRIVERS and not soname.startswith("ld-linux"):
                needed[soname].append(path)
    unknown = {
        soname: paths
        for soname, paths in needed.items()
        if soname not in PACKAGES | PLAYING and not all(map(OPTIONAL_PARTS.search, paths))
    }
    if unknown:
        told = "\n".join(f"  {soname}, needed by {paths[0]}" for soname, paths in sorted(unknown.items()))
        raise SystemExit(
            f"Nobody knows which package holds these libraries:\n{told}\n"
            "Name it in PACKAGES of packaging/linux/needs.py, or leave out what needs the library."
        )
    glibc = newest["GLIBC"]
    base = f"{GLIBC_PACKAGE} (>= {'.'.join(map(str, glibc))})" if glibc else GLIBC_PACKAGE
    depends = {PACKAGES[soname] for soname in needed if soname in PACKAGES and _is_required(needed[soname])}
    depends |= {DATA[soname] for soname in carried & DATA.keys()}
    recommends = {PLAYING[soname] for soname in needed if soname in PLAYING} - depends
    if CPP_PACKAGE in depends:
        depends = depends - {CPP_PACKAGE} | {f"{CPP_PACKAGE} (>= {_gcc_of(newest)})"}
    return Needs((base, *sorted(depends)), tuple(sorted(recommends)))


def _gcc_of(newest: Mapping[str, Version]) -> str:
    """The first release of GCC whose C++ library has all that is asked for."""
    for release, library, abi in GCC_RELEASES:
        if newest["GLIBCXX"] <= library and newest["CXXABI"] <= abi:
            return release
    raise SystemExit("The C++ library that is needed is later than those in GCC_RELEASES of packaging/linux/needs.py.")


def _is_required(paths: list[str]) -> bool:
    return not all(map(OPTIONAL_PARTS.search, paths))


def dynamic_sections(folder: Path) -> Iterator[tuple[str, list[str], dict[str, Version]]]:
    """Each ELF file's path, the libraries that it names, and the latest versions that it asks for of the C and C++
    libraries' symbols (GLIBC, GLIBCXX, CXXABI)."""
    found = elf_files(folder)
    for files in (found[start : start + ARGUMENTS] for start in range(0, len(found), ARGUMENTS)):
        told = subprocess.run(
            ["objdump", "--private-headers", *files],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,  # it also fails for an ELF file of another machine, which a GPU's kernels are
            env={**os.environ, "LC_ALL": "C"},
        ).stdout
        for section in re.split(r"^(?=\S.*:\s+file format )", told, flags=re.MULTILINE)[1:]:
            path = re.split(r":\s+file format ", section, maxsplit=1)[0]
            asked = section.partition("Version References:")[2]
            versions: dict[str, Version] = defaultdict(tuple)
            for name, numbers in re.findall(r"\b(GLIBC|GLIBCXX|CXXABI)_([\d.]+)", asked):
                versions[name] = max(versions[name], tuple(map(int, numbers.split("."))))
            yield path, re.findall(r"^\s+NEEDED\s+(\S+)", section, re.MULTILINE), versions


def elf_files(folder: Path) -> list[str]:
    """The paths of all ELF files, relative to the folder."""
    found = []
    for place, _, names in os.walk(folder):
        for path in (Path(place, name) for name in names):
            if path.is_symlink() or not path.is_file():
                continue
            with path.open("rb") as file:
                if file.read(4) == b"\x7fELF":
                    found.append(str(path.relative_to(folder)))
    return sorted(found)
