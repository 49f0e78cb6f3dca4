"""A machine that has nothing, for the frozen program: no Python, no network, an empty home, nothing writable but that.

bubblewrap makes it from this machine: only the system's own files are there, all of them read-only; what belongs to
Python among them is covered. A copy of the frozen folder is mounted at `INSTALLED`, read-only unless it is portable.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
INSTALLED = Path("/opt/Größe é 写真/Semblance app")
SAMPLE = INSTALLED / "_internal" / "resources" / "sample"
HOME = Path("/home/person")
RUNTIME = Path("/run/user/desktop")
MEDIA = Path("/media/Ferien und Töne")
SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/usr", "/etc", "/var/cache/fontconfig")
PYTHON = ("usr/lib/python3*", "usr/local", "usr/share/pyshared", "usr/lib/*/qt*", "usr/lib/qt*")
"""Covered by empty folders: Python, and a Qt that the program could take for its own."""
COMMAND_S = 400
"""A command may take this long on a busy machine."""


def folder() -> Path:
    """The frozen folder that is asked about."""
    return Path(os.environ.get("SEMBLANCE_FROZEN") or PROJECT / "dist" / "semblance").absolute()


def copy(into: Path) -> Path:
    """A copy of the folder without a second time its gigabytes, where the disk can."""
    shutil.copytree(folder(), into, symlinks=True, copy_function=_link_or_copy)
    return into


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def listing(top: Path) -> dict[str, tuple[int, int]]:
    """Every file and folder below ``top`` with its size in bytes and its time of change in nanoseconds."""
    found = {}
    for path in (top, *top.rglob("*")):
        facts = path.lstat()
        found[str(path.relative_to(top))] = (facts.st_size if path.is_file() else 0, facts.st_mtime_ns)
    return found


@dataclass(frozen=True)
class Things:
    """What there is to find in `MEDIA`: a folder whose folders are classes, files to search by, and a word that stands
    in the path of the picture."""

    classes: Path
    picture: Path
    sound: Path
    word: str


@dataclass(frozen=True)
class Machine:
    """``installed``: a copy of the frozen folder. ``home``: the person's empty folder. ``media``: what may be read."""

    installed: Path
    home: Path
    media: Path | None = None
    portable: bool = False
    session: Mapping[str, str] = field(default_factory=dict)
    """What a desktop session adds to the environment."""
    mounts: tuple[str, ...] = ()
    """Further arguments for bubblewrap: the sockets of a desktop session."""

    def command(self, *words: str | Path) -> list[str]:
        """What starts a program in it."""
        environment = {"HOME": str(HOME), "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(RUNTIME)}
        environment |= self.session
        command = ["bwrap", "--unshare-net", "--die-with-parent", "--clearenv", *_system()]
        command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", str(RUNTIME)]
        command += ["--bind" if self.portable else "--ro-bind", str(self.installed), str(INSTALLED)]
        command += ["--bind", str(self.home), str(HOME)]
        if self.media:
            command += ["--ro-bind", str(self.media), str(MEDIA)]
        command += [*self.mounts, "--remount-ro", "/"]
        for name, value in environment.items():
            command += ["--setenv", name, value]
        return [*command, "--chdir", str(HOME), *map(str, words)]

    def run(self, *words: str | Path, wrapper: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """Run ``semblance`` with these words to its end."""
        command = self.command(*wrapper, INSTALLED / "semblance", *words)
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=COMMAND_S)

    def answer(self, *words: str | Path, status: int = 0) -> Any:
        """The document that a command with ``--json`` prints; it must end with this status and print nothing else."""
        done = self.run(*words, "--json")
        assert done.returncode == status, f"{' '.join(map(str, words))}: {done.returncode}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout)


def _system() -> list[str]:
    """The system's own files, without Python."""
    mounts = []
    for name in SYSTEM:
        path = Path(name)
        if path.is_symlink():
            mounts += ["--symlink", os.readlink(path), name]
        elif path.is_dir():
            mounts += ["--ro-bind", name, name]
    for pattern in PYTHON:
        for path in Path("/").glob(pattern):
            if path.is_dir() and not path.is_symlink():
                mounts += ["--tmpfs", str(path), "--remount-ro", str(path)]
    return mounts
