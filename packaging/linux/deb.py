"""A Debian package of the frozen folder.

The program goes to /usr/lib/semblance: Debian Policy (9.1.1) and the FHS (4.6) put a program's own binaries and
libraries, which nobody starts by their path, into one folder there. /opt is for what is installed without the package
manager's order, and Debian's tools take a package that installs to it for a mistake.

There are no maintainer scripts: menus, icons and manual pages are found by the triggers of the packages that keep
them, and nothing is written at installing that dpkg would not take away again. What a person made lies in their home.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import time
from pathlib import Path
from textwrap import dedent

from linux import needs, staging
from linux.staging import PROJECT, VERSION

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
LIBRARY_DIR = "usr/lib/semblance"
COMPRESSION = ("-Zzstd", "-z3")
"""dpkg reads zstd since Debian 12 and Ubuntu 18.04. Of the same 600 MB of libraries level 3 made 344 MB in 2 s of one
core, level 9 made 327 MB in 14 s, and xz took more than 100 s at its fastest."""

_name = os.environ.get("DEBFULLNAME") or "The Semblance authors"
_address = os.environ.get("DEBEMAIL") or "semblance@semblance.invalid"
MAINTAINER = f"{_name} <{_address}>"
"""Who builds the package, in the variables that Debian's tools read; the project itself has no address."""

DEBIAN_VERSION = re.sub(r"\.?(a|b|rc|dev)(\d+)$", r"~\1\2", VERSION)
"""What comes before a release sorts before it only with a tilde (Debian Policy 5.6.12)."""

KIB = 1024


def build(folder: Path, out: Path, scratch: Path) -> Path:
    """Make ``semblance_VERSION_ARCHITECTURE.deb`` in ``out``; ``scratch`` is an empty folder."""
    architecture = ARCHITECTURES[staging.MACHINE]
    staging.link_tree(folder, scratch / LIBRARY_DIR)
    for program in staging.PROGRAMS:
        link = scratch / "usr/bin" / program
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(f"../lib/semblance/{program}")
    staging.add_share(scratch / "usr/share")
    add_documents(scratch / "usr/share")
    sums = md5sums(scratch)
    staging.write(scratch / "DEBIAN/control", control(needs.of(folder), architecture, installed_kib(scratch)))
    staging.write(scratch / "DEBIAN/md5sums", sums)
    staging.finish(scratch)
    package = out / f"semblance_{VERSION}_{architecture}.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", *COMPRESSION, "--build", str(scratch), str(package)],
        check=True,
        stdout=subprocess.DEVNULL,
        # Its own temporary file is as large as the package, and /tmp may be in memory.
        env={**os.environ, "SOURCE_DATE_EPOCH": str(staging.epoch_s()), "TMPDIR": str(out)},
    )
    return package


def add_documents(share: Path) -> None:
    """What Debian Policy (12.5, 12.7) wants to find of every package, and why lintian's other wishes are not met."""
    documents = share / "doc/semblance"
    staging.write(documents / "copyright", copyright_file())
    staging.write_packed(documents / "changelog.gz", changelog())
    staging.write_packed(documents / "NEWS.md.gz", (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8"))
    overrides = (Path(__file__).parent / "lintian-overrides").read_text(encoding="utf-8")
    staging.write(share / "lintian/overrides/semblance", overrides)


def control(needed: needs.Needs, architecture: str, size_kib: int) -> str:
    recommends = f"Recommends: {', '.join(needed.recommends)}\n" if needed.recommends else ""
    return (
        f"Package: semblance\nVersion: {DEBIAN_VERSION}\nArchitecture: {architecture}\nMaintainer: {MAINTAINER}\n"
        f"Installed-Size: {size_kib}\nDepends: {', '.join(needed.depends)}\n{recommends}"
        "Section: graphics\nPriority: optional\n"
        + dedent("""\
        Description: find what is alike in your own photos, videos and sounds
         Semblance searches photos, videos and sounds by words, by a picture or by a
         sound, on this machine and without a network. Several models can look at the
         same files; their results are judged blind, and it tells which model is best
         on your data.
         .
         The package carries Python and all libraries that it computes with.
        """)
    )


def copyright_file() -> str:
    """Debian's machine-readable format 1.0, for the program; what it carries has a folder of licences."""
    licence = (PROJECT / "LICENSE").read_text(encoding="utf-8").partition("\n\n")[2]
    owner, _, terms = licence.partition("\n\n")
    body = "\n".join(f" {line}" if line else " ." for line in terms.strip().splitlines())
    return (
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
        "Upstream-Name: Semblance\n"
        "Comment: The licences of the libraries that the program carries are in\n"
        " /usr/lib/semblance/licences, and the list of them in\n"
        " /usr/lib/semblance/sbom.cdx.json.\n"
        f"\nFiles: *\nCopyright: {owner.removeprefix('Copyright (c) ')}\nLicense: Expat\n"
        f"\nLicense: Expat\n{body}\n"
    )


def changelog() -> str:
    stamp = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(staging.epoch_s()))
    return (
        f"semblance ({DEBIAN_VERSION}) stable; urgency=medium\n\n"
        f"  * Semblance {VERSION}; what is new is in NEWS.md.gz.\n\n -- {MAINTAINER}  {stamp}\n"
    )


def md5sums(tree: Path) -> str:
    """What ``dpkg --verify`` compares."""
    lines = []
    for path in sorted(path for path in tree.rglob("*") if path.is_file() and not path.is_symlink()):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        lines.append(f"{digest}  {path.relative_to(tree)}\n")
    return "".join(lines)


def installed_kib(tree: Path) -> int:
    """Policy 5.6.20: each file rounded up to whole KiB, and one for whatever else there is."""
    return sum(
        -(-path.stat().st_size // KIB) if path.is_file() and not path.is_symlink() else 1 for path in tree.rglob("*")
    )
