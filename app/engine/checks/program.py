"""The program itself: which it is, and whether its own files came with it."""

from __future__ import annotations

import csv
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from app import __version__
from app.engine.checks.telling import again, detail, fine, note, problem
from app.engine.checktypes import Finding
from app.engine.sizes import in_words
from app.paths import is_frozen

_OLDEST_CLOCK_S = 1_704_067_200.0
"""The beginning of 2024, UTC: no clock that is right shows less."""
_LEAST_MEMORY_BYTES = 4 * 10**9
"""Two usual models, the decoders and the system; with less, one small model at a time."""
_NOT_EMPTY = ("icons/semblance-128.png", "report/page.html")


def about() -> str:
    """The version, its kind and its Python."""
    kind = "packaged" if is_frozen() else "run by Python"
    return f"{__version__}, {kind} {platform.python_version() if not is_frozen() else ''}".strip()


def system() -> str:
    """The operating system, its processor's kind and how much of both cores and memory there is. Runs no program."""
    cores = f"{os.cpu_count() or 1} cores, {in_words(psutil.virtual_memory().total)} of memory"
    return f"{_system_name()}, {platform.machine()}, {cores}"


def _system_name() -> str:
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}"
    if sys.platform == "win32":
        return f"Windows {platform.release()} ({platform.version()})"
    with suppress(OSError):
        return f"{platform.freedesktop_os_release()['PRETTY_NAME']} (Linux {platform.release()})"
    return f"{platform.system()} {platform.release()}"


def resources(folder: Path) -> Finding:
    """Whether what ships beside the code is there. The list of models is looked at with the models."""
    key, title = "resources", "The program's own files"
    faults = list(_faults_of_resources(folder))
    if not faults:
        return fine(key, title, "All are there: the sample library, icons and pages.")
    more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
    return problem(key, title, f"{faults[0]}{more}, in {folder}.", again())


def _faults_of_resources(folder: Path) -> Iterator[str]:
    names = [*_NOT_EMPTY]
    try:
        with (folder / "sample" / "captions.csv").open(encoding="utf-8", newline="") as table:
            names += [f"sample/{row['file']}" for row in csv.DictReader(table)]
    except (OSError, ValueError, KeyError) as error:
        yield f"sample/captions.csv cannot be read ({detail(error)})"
    for name in names:
        with suppress(OSError):
            if (folder / name).stat().st_size:
                continue
        yield f"{name} is missing or empty"


def memory() -> Finding:
    key, title = "memory", "Memory"
    known = psutil.virtual_memory()
    sentence = f"{in_words(known.total)}, of which {in_words(known.available)} are free now."
    if known.total < _LEAST_MEMORY_BYTES:
        return note(key, title, sentence, "Choose small models: the Models page says what each one takes.")
    return fine(key, title, sentence)


def clock() -> Finding:
    key, title = "clock", "Clock"
    now_s = time.time()
    shown = time.strftime("%Y-%m-%d %H:%M", time.localtime(now_s))
    if now_s < _OLDEST_CLOCK_S:
        return note(
            key,
            title,
            f"It shows {shown}, which is long past.",
            "Set the clock: models are fetched only with a right one.",
        )
    return fine(key, title, f"It shows {shown}.")
