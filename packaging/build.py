"""Freeze the program into ``dist/semblance``, and check that the frozen one does the main job.

Run by ``make package``. The folder can be copied to a machine that has neither Python nor a network.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import PyInstaller.__main__

PROJECT = Path(__file__).resolve().parent.parent
DIST = PROJECT / "dist"
BYTES_PER_MIB = 1 << 20


def build() -> Path:
    """Make the folder; returns the program in it."""
    PyInstaller.__main__.run(
        [
            str(PROJECT / "packaging" / "semblance.spec"),
            "--noconfirm",
            f"--distpath={DIST}",
            f"--workpath={PROJECT / 'build'}",
            "--log-level=WARN",
        ]
    )
    return DIST / "semblance" / ("semblance.exe" if sys.platform == "win32" else "semblance")


def check(program: Path) -> None:
    """With the frozen program alone: index, search and evaluate the sample library, take in the models it carries."""
    with tempfile.TemporaryDirectory() as home:

        def answer(*words: str) -> Any:
            command = [str(program), *words, "--json", "--home", home]
            return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

        shown, taken = answer("demo"), answer("models", "import-pack", "--carried")
    print(f"{shown['index']['items']} items, {len(shown['searches'])} searches, {shown['index']['seconds']} s")
    print(f"Carried inside: {', '.join(key for pack in taken['packs'] for key in pack['models']) or 'no model'}")


def report(folder: Path) -> None:
    """Print what is large."""
    sizes = {
        part: sum(file.stat().st_size for file in part.rglob("*") if file.is_file())
        for part in (folder / "_internal").iterdir()
        if part.is_dir()
    }
    for part, size_bytes in sorted(sizes.items(), key=lambda entry: -entry[1])[:10]:
        print(f"{size_bytes / BYTES_PER_MIB:8.0f} MiB  {part.name}")


if __name__ == "__main__":
    frozen = build()
    report(frozen.parent)
    check(frozen)
