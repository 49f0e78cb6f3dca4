"""Freeze the program into ``dist/semblance``, check that the frozen one does the main job, and make its installers.

Run by ``make package``, which is this on every system. The folder can be copied to a machine that has neither Python
nor a network. Exit status: 0 when all is made, 1 when a step failed, 2 when something else was wanted than can be made.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import check_frozen
import checksums
import inventory
import sizes
from ffmpeg.check import gpl_parts
from linux import packages
from macos import image
from windows import installer

PROJECT = Path(__file__).resolve().parent.parent
DIST = PROJECT / "dist"
WORK = PROJECT / "build"
SPEC = PROJECT / "packaging" / "semblance.spec"
FOLDER = DIST / "semblance"
APPLICATION = DIST / "Semblance.app"
"""Which macOS has beside the folder."""
LISTS = WORK / "semblance"
"""What PyInstaller tells there of what it took."""

README = """Semblance finds what is alike in your own photos, videos and sounds, without a network.

Start semblance-window; semblance is the same for a terminal, and "semblance --help" tells what it can do there.
An empty file named "portable" beside them keeps all that Semblance makes in the folder "indexes" here.
"""


class NotPossible(Exception):
    """What was wanted cannot be made here; the message says what to do."""


FAILURES = (check_frozen.Unfit, installer.NoCompiler, inventory.NotToBeReleased)
"""What the steps say when they cannot be done."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        check_flavour(options.flavour)
        check_packs(options.with_pack)
        if options.release:
            check_licences(None)
    except NotPossible as refusal:
        print(refusal, file=sys.stderr)
        return 2
    try:
        freeze()
        furnish(FOLDER, options.with_pack)
        if options.release:
            check_licences(FOLDER)
        inventory.write(FOLDER, LISTS, release=options.release)
        sizes.report(FOLDER, inventory.included(LISTS))
        check_frozen.check(FOLDER)
        if not options.folder_only:
            make_installers()
    except (NotPossible, subprocess.CalledProcessError, *FAILURES) as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


def installed_flavour() -> str:
    """ "gpu" where this environment's torch can compute on a GPU of NVIDIA's or AMD's, else "cpu". (Apple's GPUs are
    used by either.)"""
    import torch

    return "gpu" if torch.version.cuda or torch.version.hip else "cpu"


def check_flavour(wanted: str | None) -> None:
    """Raises NotPossible where the environment's torch is not of the flavour that is wanted."""
    found = installed_flavour()
    if wanted not in (None, found):
        able, other = ("the CPU alone", "GPUs") if found == "cpu" else ("GPUs", "the CPU alone")
        raise NotPossible(
            f"The flavour is decided by torch, and the torch of this environment is the one for {able}. Install torch, "
            f"torchvision and torchaudio for {other} in it (pytorch.org tells the command), then start again."
        )


def check_packs(packs: Sequence[Path]) -> None:
    """Raises NotPossible for one that is not there, is no pack, or has the name of another."""
    from app.engine.errors import AppError
    from app.engine.installing.packs import SUFFIX, read_pack

    for path in packs:
        if not path.is_file():
            raise NotPossible(f"There is no file {path}. Make a pack with: semblance models export-pack")
        if path.suffix != SUFFIX:
            raise NotPossible(f"{path} is not called *{SUFFIX}, and the program would not see it. Rename it.")
        try:
            read_pack(path)
        except AppError as error:
            raise NotPossible(f"{path} cannot be carried. {error.title}. {error.message}") from error
    names = [path.name for path in packs]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise NotPossible(f"Two packs are called {twice}. Rename one of them.")


def check_licences(folder: Path | None) -> None:
    """Raises NotPossible where parts are under the GPL: in the frozen folder, or without one in the environment."""
    if parts := gpl_parts(folder):
        listed = "\n".join(parts)
        raise NotPossible(
            f"A release may hold nothing that is under the GPL, and this would be in it:\n{listed}\n"
            "“make release” builds PyAV on an FFmpeg without such parts and uses that."
        )


def freeze() -> None:
    """Make the folder. What can be is the same for the same sources and libraries: the order of sets, and the times in
    archives, which are those of the last commit."""
    commit = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=PROJECT, capture_output=True, text=True)
    fixed = {"PYTHONHASHSEED": "0"}
    if commit.returncode == 0 and "SOURCE_DATE_EPOCH" not in os.environ:
        fixed["SOURCE_DATE_EPOCH"] = commit.stdout.strip()
    command = [sys.executable, "-m", "PyInstaller", str(SPEC), "--noconfirm", "--log-level=WARN"]
    command += [f"--distpath={DIST}", f"--workpath={WORK}"]
    subprocess.run(command, env={**os.environ, **fixed}, check=True)


def furnish(folder: Path, packs: Sequence[Path]) -> None:
    """Put in what is no part of the program itself: packs of models, and what lies beside the executables."""
    for resources in (folder / "_internal" / "resources", APPLICATION / "Contents" / "Resources" / "resources"):
        for pack in packs if resources.is_dir() else ():
            (resources / "packs").mkdir(exist_ok=True)
            shutil.copyfile(pack, resources / "packs" / pack.name)
    shutil.copyfile(PROJECT / "LICENSE", folder / "LICENSE")
    (folder / "README.txt").write_text(README, encoding="utf-8", newline="\r\n" if sys.platform == "win32" else "\n")


def make_installers() -> None:
    """Pack the folder as this system's people install it, and write the sums of what was made."""
    if sys.platform == "win32":
        made = installer.build(FOLDER, DIST, WORK)
    elif sys.platform == "darwin":
        made = [image.build(APPLICATION, FOLDER, DIST)]
    else:
        made = packages.build(FOLDER, DIST)
    checksums.write(DIST, made)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="build.py", description="Freeze the program and make its installers.")
    parser.add_argument(
        "--with-pack", metavar="FILE", action="append", default=[], type=Path, help="carry this pack of models inside"
    )
    parser.add_argument(
        "--flavour", choices=("cpu", "gpu"), help="refuse to build any other; without it, what the installed torch is"
    )
    parser.add_argument("--release", action="store_true", help="refuse what may not be handed on under our licence")
    parser.add_argument("--folder-only", action="store_true", help="make no installers")
    return parser


if __name__ == "__main__":
    sys.exit(main())
