"""A tree laid out for packing: hard links to the frozen folder, and what a Linux desktop wants to find beside it.

Every file, folder and link in such a tree has the same time and one of two modes, so that packing the same program
twice gives the same bytes.
"""

from __future__ import annotations

import functools
import gzip
import os
import platform
import re
import shutil
import subprocess
import time
from pathlib import Path

from app import __version__ as VERSION  # noqa: N812  a constant here, as its name says
from app.cli.arguments import parser

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
PROGRAMS = ("semblance", "semblance-window")
MACHINE = platform.machine()
ICON_SIZES_PX = (16, 24, 32, 48, 64, 128, 256, 512)
BINARY_MODE, PLAIN_MODE = 0o755, 0o644


@functools.cache
def epoch_s() -> int:
    """The time that all files get, in seconds since 1970: SOURCE_DATE_EPOCH, else the last commit's, else now."""
    if chosen := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(chosen)
    asked = ["git", "-C", str(PROJECT), "log", "-1", "--format=%ct"]
    try:
        return int(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
    except (OSError, ValueError, subprocess.CalledProcessError):
        return int(time.time())


def link_tree(source: Path, target: Path) -> None:
    """Lay out ``source`` as ``target`` without copying its bytes; symbolic links stay what they are.

    A hard link shares its mode and time with the file, so those of ``source`` become uniform too. What is on another
    disk, or belongs to somebody else, is copied.
    """
    for folder, subfolders, files in os.walk(source):
        here = target / Path(folder).relative_to(source)
        here.mkdir(parents=True, exist_ok=True)
        for name in (*subfolders, *files):
            path = Path(folder, name)
            if path.is_symlink():
                (here / name).symlink_to(path.readlink())
            elif name in files:
                _link(path, here / name)


def _link(source: Path, target: Path) -> None:
    # A wheel marks its libraries as it likes; a library is not run.
    executable = source.stat().st_mode & 0o111 and not re.search(r"\.so(\.|$)", source.name)
    mode = BINARY_MODE if executable else PLAIN_MODE
    try:
        os.link(source, target)
        _make_uniform(target, mode)
    except OSError:
        target.unlink(missing_ok=True)
        shutil.copyfile(source, target)
        _make_uniform(target, mode)


def _make_uniform(path: Path, mode: int) -> None:
    path.chmod(mode)
    os.utime(path, (epoch_s(), epoch_s()))


def write(path: Path, content: str | bytes, mode: int = PLAIN_MODE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)


def write_packed(path: Path, content: str) -> None:
    """Write a text as gzip, which holds neither a name nor a time."""
    write(path, gzip.compress(content.encode(), 9, mtime=0))


def finish(tree: Path) -> None:
    """Give the time of the release to all that is in the tree; the last step before packing."""
    for folder, subfolders, files in os.walk(tree, topdown=False):
        for name in (*subfolders, *files):
            os.utime(Path(folder, name), (epoch_s(), epoch_s()), follow_symlinks=False)
        Path(folder).chmod(BINARY_MODE)
        os.utime(folder, (epoch_s(), epoch_s()))


def add_share(share: Path) -> None:
    """Write what goes below ``share``: desktop entry, icons, metadata, manual page."""
    write(share / "applications" / "semblance.desktop", (HERE / "semblance.desktop").read_bytes())
    write(share / "metainfo" / "org.semblance.Semblance.metainfo.xml", metainfo())
    icons = PROJECT / "resources" / "icons"
    for size_px in ICON_SIZES_PX:
        drawing = (icons / f"semblance-{size_px}.png").read_bytes()
        write(share / f"icons/hicolor/{size_px}x{size_px}/apps/semblance.png", drawing)
    write(share / "icons/hicolor/scalable/apps/semblance.svg", (icons / "semblance.svg").read_bytes())
    write_packed(share / "man/man1/semblance.1.gz", manual())
    (share / "man/man1/semblance-window.1.gz").symlink_to("semblance.1.gz")


def metainfo() -> str:
    """AppStream's description of the program, with this version as its release."""
    text = (HERE / "org.semblance.Semblance.metainfo.xml").read_text(encoding="utf-8")
    return text.replace("@VERSION@", VERSION).replace("@DATE@", day())


def manual() -> str:
    """The manual page, in which the commands are those that the command line knows."""
    lines = []
    for verb, told in verbs():
        lines += [".TP", f".B {verb}", told[:1].upper() + told[1:] + "."]
    text = (HERE / "semblance.1").read_text(encoding="utf-8")
    text = text.replace("@VERSION@", VERSION).replace("@DATE@", day())
    return text.replace("@COMMANDS@", "\n".join(lines).replace("-", r"\-"))


def verbs() -> list[tuple[str, str]]:
    """The commands of the command line, each with its line of help."""
    actions = (action for action in parser()._actions if action.dest == "verb")
    return [(choice.dest, choice.help or "") for action in actions for choice in action._get_subactions()]


def day() -> str:
    """The day of the release, year-month-day."""
    return time.strftime("%Y-%m-%d", time.gmtime(epoch_s()))
