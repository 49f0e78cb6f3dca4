"""Check that the frozen program does the main job by itself: ``python packaging/check_frozen.py [FOLDER]``.

It runs in an empty home and an environment of nothing but what the system needs. What it does in full, and in worse
places, is tested by ``make test-package``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

EXE = ".exe" if sys.platform == "win32" else ""
FOLDER = Path(__file__).resolve().parent.parent / "dist" / "semblance"
PATIENCE_S = 600
"""For a cold start on a busy machine: gigabytes are read and looked through by virus scanners."""

ENDING_S = 60
"""For the engine, once its window is gone."""

KEPT_VARIABLES = ("COMSPEC", "PATH", "PATHEXT", "SYSTEMDRIVE", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "WINDIR")


class Unfit(Exception):
    """The frozen program did not do what it should; the message says what."""


def check(folder: Path) -> None:
    """Raises Unfit."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        _check_command(folder / f"semblance{EXE}", Path(place))
        _check_window(folder / f"semblance-window{EXE}", Path(place))


def _check_command(program: Path, place: Path) -> None:
    """Index, search and evaluate the sample library, take in the models it carries, check itself, refuse nonsense."""
    home = str(place / "home")
    shown = _answer(program, place, "demo", "--home", home)
    taken = _answer(program, place, "models", "import-pack", "--carried", "--home", home)
    print(f"{shown['index']['items']} items, {len(shown['searches'])} searches, {shown['index']['seconds']} s")
    print(f"Carried inside: {', '.join(key for pack in taken['packs'] for key in pack['models']) or 'no model'}")
    if shown["index"]["failures"] or not all(search["hits"] for search in shown["searches"]):
        raise Unfit(f"The sample library was not indexed or not searched: {json.dumps(shown)[:2000]}")
    found = _run(program, place, "doctor", "--home", home)
    print(found.stdout)
    if found.returncode:
        raise Unfit(f"The doctor ends with {found.returncode}. {found.stderr}")
    refused = _run(program, place, "search", "--home", home)
    if refused.returncode == 0:
        raise Unfit("A search for nothing ends as if all were well.")


def _check_window(program: Path, place: Path) -> None:
    """Open the window without a display, until its engine has started and written its log; then end it."""
    log = place / "window" / "logs" / "engine.log"
    environment = {**_environment(place), "QT_QPA_PLATFORM": "offscreen"}
    window = subprocess.Popen([str(program), "--home", str(place / "window")], env=environment)
    try:
        end_s = time.monotonic() + PATIENCE_S
        while not log.is_file() and window.poll() is None and time.monotonic() < end_s:
            time.sleep(0.2)
        if window.poll() is not None or not log.is_file():
            raise Unfit(f"The window did not start its engine (exit status {window.poll()}).")
    finally:
        engine = psutil.Process(window.pid).children(recursive=True) if window.poll() is None else []
        window.terminate()
        window.wait()
        psutil.wait_procs(engine, ENDING_S)  # Windows lets no folder go in which the engine has its log open
    print("The window opens and starts its engine")


def _answer(program: Path, place: Path, *words: str) -> Any:
    run = _run(program, place, *words, "--json")
    if run.returncode:
        raise Unfit(f"semblance {' '.join(words)} ended with {run.returncode}: {run.stderr}")
    return json.loads(run.stdout)


def _run(program: Path, place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(program), *words]
    return subprocess.run(
        command, env=_environment(place), capture_output=True, encoding="utf-8", timeout=PATIENCE_S, check=False
    )


def _environment(place: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return {**kept, "HOME": str(place), "USERPROFILE": str(place), "PYTHONUTF8": "1"}


if __name__ == "__main__":
    try:
        check(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
    except Unfit as failure:
        sys.exit(str(failure))
