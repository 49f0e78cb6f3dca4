"""A desktop session for the frozen window: a screen, a window manager, a message bus with accessibility, a person.

All of it runs outside the machine that has nothing (`frozen`) and reaches in by sockets that have a path, which is
what a desktop has around a program. The person reads over the accessibility bus and types with xdotool.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from accessibility import Bus
from PIL import Image, ImageGrab

SCREEN_PX = (1440, 900)
ANSWER_S = 240
"""Something happens within this time, on a busy machine too."""
POLL_S = 0.2
DOCK = "/tmp/.X11-unix"
T = TypeVar("T")


def wait_for(what: str, ask: Callable[[], T | None], explain: Callable[[], str] = str) -> T:
    """The first answer that is true; fails with ``what`` was waited for, and what explains it."""
    end = time.monotonic() + ANSWER_S
    while time.monotonic() < end:
        if answer := ask():
            return answer
        time.sleep(POLL_S)
    raise AssertionError(f"waited {ANSWER_S} s in vain: {what}\n{explain()}")


class Desktop:
    """One session. ``mounts`` and ``environment`` are what a program inside the machine gets of it."""

    def __init__(self, runtime: Path, pictures: Path, owned: ExitStack) -> None:
        self._pictures = pictures
        self._taken = 0
        self._environment = {
            "HOME": str(runtime),
            "LANG": "C.UTF-8",
            "PATH": os.environ["PATH"],
            "XDG_RUNTIME_DIR": str(runtime),
        }
        self._own = owned
        self.display = self._start_screen()
        self._environment["DISPLAY"] = self.display
        self.bus_address = self._start_bus(runtime)
        self._environment["DBUS_SESSION_BUS_ADDRESS"] = self.bus_address
        self.bus = Bus(self.bus_address)
        owned.callback(self.bus.close)
        self._start("openbox")
        # Until a window manager is there no window is shown and no key arrives, and it starts slowly in an empty home.
        wait_for("a window manager", lambda: self._succeeds("get_num_desktops"))
        inside = ("DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR")
        self.environment = {name: self._environment[name] for name in inside}
        self.mounts = ("--ro-bind", DOCK, DOCK, "--bind", str(runtime), str(runtime))

    def press(self, *keys: str) -> None:
        """Press keys one after the other, in xdotool's names ("ctrl+l", "Return")."""
        self._wait_for_the_keyboard()
        self._xdotool("key", "--delay", "40", *keys)

    def type(self, words: str) -> None:
        self._wait_for_the_keyboard()
        self._xdotool("type", "--delay", "25", words)

    def look(self, name: str) -> Image.Image:
        """A picture of the screen, kept for a person to see."""
        self._taken += 1
        picture = ImageGrab.grab(xdisplay=self.display)
        picture.save(self._pictures / f"{self._taken:02}-{name}.png")
        return picture

    def _wait_for_the_keyboard(self) -> None:
        """What a window says of itself may be read before the screen has it."""
        wait_for("a window with the keyboard", lambda: self._succeeds("getactivewindow"))

    def _succeeds(self, *words: str) -> bool:
        done = subprocess.run(["xdotool", *words], env=self._environment, capture_output=True, timeout=60, check=False)
        return done.returncode == 0

    def _xdotool(self, *words: str) -> None:
        subprocess.run(["xdotool", *words], env=self._environment, check=True, capture_output=True, timeout=60)

    def _start_screen(self) -> str:
        reads, writes = os.pipe()
        size = "{}x{}x24".format(*SCREEN_PX)
        words = ("Xvfb", "-displayfd", str(writes), "-screen", "0", size, "-nolisten", "tcp", "-noreset")
        self._start(*words, pass_fds=(writes,))
        os.close(writes)
        with os.fdopen(reads) as told:
            return f":{told.readline().strip()}"

    def _start_bus(self, runtime: Path) -> str:
        words = ("dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1")
        bus = self._start(*words, f"--address=unix:path={runtime}/bus", stdout=subprocess.PIPE)
        assert bus.stdout
        return bus.stdout.readline().decode().strip()

    def _start(self, *words: str, stdout: int = subprocess.DEVNULL, pass_fds: tuple[int, ...] = ()) -> subprocess.Popen:
        """Start a part of the session in a group of its own, which ends with the session."""
        process = subprocess.Popen(
            words,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.DEVNULL,
            pass_fds=pass_fds,
            start_new_session=True,
        )
        self._own.callback(_end, process)
        return process


def _end(process: subprocess.Popen) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)  # the bus has started others
    process.wait(timeout=20)
    if process.stdout:
        process.stdout.close()


@contextmanager
def session(runtime: Path, pictures: Path) -> Iterator[Desktop]:
    """A desktop session that ends with the block."""
    runtime.mkdir(mode=0o700)
    with ExitStack() as owned:
        yield Desktop(runtime, pictures, owned)
