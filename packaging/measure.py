"""How long until the frozen program shows its window, beside the unfrozen one: ``measure.py [FOLDER] [TIMES]``.

Linux only; needs Xvfb and xev (Debian: xvfb, x11-utils). Both are started by turns on one virtual display, and what is
timed is the same for both, seen from outside: from the start of the process until the X server maps a window.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
TIMES = 7
WARM_UP = 1
"""Starts of each that are not counted: they bring the files into memory."""


@contextmanager
def virtual_display() -> Iterator[str]:
    """A display of its own, by name."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x860x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as told:
            yield f":{told.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


def first_window_s(command: list[str], display: str) -> float:
    """Start a program, wait for its first window, end it; returns the seconds between the first two."""
    environment = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
    watch = ["xev", "-display", display, "-root", "-event", "substructure"]
    with subprocess.Popen(watch, stdout=subprocess.PIPE, text=True, bufsize=1) as watcher:
        time.sleep(0.5)  # until it listens
        begin_s = time.perf_counter()
        with subprocess.Popen(command, env=environment, cwd=PROJECT) as program:
            assert watcher.stdout is not None
            if not any(line.startswith("MapNotify") for line in watcher.stdout):
                program.kill()
                sys.exit(f"xev ended before a window of {command[0]} was shown.")
            shown_s = time.perf_counter() - begin_s
            program.terminate()
        watcher.terminate()
    return shown_s


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else PROJECT / "dist" / "semblance"
    times = int(sys.argv[2]) if len(sys.argv) > 2 else TIMES
    programs = {"unfrozen": [sys.executable, "-m", "app"], "frozen": [str(folder / "semblance-window")]}
    taken_s: dict[str, list[float]] = {name: [] for name in programs}
    with tempfile.TemporaryDirectory() as home, virtual_display() as display:
        for turn in range(WARM_UP + times):
            for name, command in programs.items():
                shown_s = first_window_s([*command, "--home", home], display)
                if turn >= WARM_UP:
                    taken_s[name].append(shown_s)
    for name, seconds in taken_s.items():
        print(f"{name:>9}: median {statistics.median(seconds):.2f} s, {min(seconds):.2f} to {max(seconds):.2f} s")
    ratios = [frozen / unfrozen for unfrozen, frozen in zip(*taken_s.values(), strict=True)]
    print(
        f"frozen / unfrozen: median {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}, "
        f"{times} turns, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )


if __name__ == "__main__":
    main()
