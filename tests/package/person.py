"""What a person does in the window and what they see of it, by the names that a screen reader says."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil
from accessibility import Node
from desktop import Desktop, wait_for
from frozen import INSTALLED, Machine
from jeepney import DBusErrorResponse

CLOSE_S = 60


class Person:
    """Somebody before an open window. ``output``: a file for what the program says on the console."""

    def __init__(self, desktop: Desktop, machine: Machine, output: Path, *files: Path | str) -> None:
        self.desktop = desktop
        self.output = output
        self._said_last = ""
        with output.open("wb") as said:
            command = machine.command(INSTALLED / "semblance-window", *files)
            self._program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)

    # --- seeing ------------------------------------------------------------------------------------------------------

    def shown(self) -> list[Node]:
        """Every widget in sight, in all windows of the program."""
        with suppress(DBusErrorResponse):  # the program comes or goes
            return [
                node for program in self.desktop.bus.applications() for top in program.children for node in top.walk()
            ]
        return []

    def find(self, role: str, name: str, starts: bool = False) -> Node:
        """Wait for the widget of this role and name; ``starts``: the name may go on."""

        def look() -> Node | None:
            assert self._program.poll() is None, f"the window is gone\n{self._said()}"
            for node in self.shown():
                with suppress(DBusErrorResponse):
                    if node.role == role and (node.name.startswith(name) if starts else node.name == name):
                        return node
            return None

        return wait_for(f"{role} “{name}”", look, explain=self._explain)

    def reads(self, *words: str) -> str:
        """Wait until a label says all of these; the whole of what it says."""

        def look() -> str | None:
            assert self._program.poll() is None, f"the window is gone\n{self._said()}"
            said = (text for text in self._texts(("label",)) if all(word in text for word in words))
            return next(said, None)

        return wait_for(f"a label with {words}", look, explain=self._explain)

    def cells(self) -> list[str]:
        """What the tables in sight say, cell by cell."""
        return self._texts(("cell",))

    def result(self) -> str:
        """Go to the first result; what is said of it, once all is known of it."""
        grid = self.find("filler", "Results")
        grid.focus()
        if grid.description in ("", self._said_last):  # it had the focus before there were these results
            self.desktop.press("Home")
        wait_for("a result is said", lambda: grid.description, explain=self._explain)
        self.reads("Changed")
        self._said_last = grid.description
        return self._said_last

    def _texts(self, roles: Iterable[str]) -> list[str]:
        found = []
        for node in self.shown():
            with suppress(DBusErrorResponse):
                if node.role in roles:
                    found.append(node.name.replace("\u200b", ""))
        return found

    def _explain(self) -> str:
        self.desktop.look("in-vain")
        return "\n".join([*self._texts(("label", "push button", "dialog")), self._said()])

    def _said(self) -> str:
        return self.output.read_text(errors="replace")[-3000:]

    # --- doing -------------------------------------------------------------------------------------------------------

    def press(self, name: str) -> None:
        self.find("push button", name).press()

    def clear_query(self) -> None:
        if any(node.name == "Clear the query" for node in self.shown()):
            self.press("Clear the query")

    def tick(self, name: str) -> None:
        """Press a button that stays down, by the keyboard."""
        self.find("check box", name).focus()
        self.desktop.press("space")

    def search_words(self, words: str) -> None:
        self.clear_query()
        self.find("text", "What to search for").focus()
        self.desktop.type(words)
        self.desktop.press("Return")

    def search_file(self, button: str, path: Path) -> None:
        """Choose a file to search by in the dialog that this button of the empty page opens."""
        self.clear_query()
        self.press(button)
        field = self.find("text", "File name:")
        field.focus()
        field.write(str(path))
        self.desktop.press("Return")

    def close(self) -> int:
        """Close the window by the keyboard; the exit status, after all of its processes have gone."""
        processes = [psutil.Process(self._program.pid), *psutil.Process(self._program.pid).children(recursive=True)]
        self.desktop.press("alt+F4")
        status = self._program.wait(CLOSE_S)
        _, left = psutil.wait_procs(processes[1:], timeout=CLOSE_S)
        assert left == [], f"still there: {left}"
        return status

    def leave(self) -> None:
        """End the program, however far the test has come."""
        if self._program.poll() is None:
            children = psutil.Process(self._program.pid).children(recursive=True)
            self._program.kill()
            self._program.wait()
            for child in children:
                with suppress(psutil.NoSuchProcess):
                    child.kill()
