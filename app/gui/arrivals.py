"""Files that the window was started with, or that another start of the program or the system hands to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from app.gui import intake
from app.gui.handover import Wish
from app.gui.workspace import Workspace


class Arrivals(QObject):
    """Hands them on as if they were dropped on the window, once the library is open.

    Args:
        take: takes what was dropped.
    """

    def __init__(self, window: QWidget, workspace: Workspace, take: Callable[[intake.Intake], None]) -> None:
        super().__init__(window)
        self._window = window
        self._workspace = workspace
        self._take = take
        self._waiting = intake.Intake()
        workspace.opened.connect(self._hand_on)

    def add(self, paths: Iterable[str]) -> None:
        """Search by files and add folders."""
        self._waiting += intake.from_paths(paths)
        if self._workspace.status:
            self._hand_on()

    def grant(self, wish: Wish) -> None:
        """Come to the front, and do what another start of the program was asked for."""
        if wish.activation:
            os.environ["XDG_ACTIVATION_TOKEN"] = wish.activation  # where Qt looks for it
        window = self._window
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
        window.show()
        window.raise_()
        window.activateWindow()
        if wish.library and wish.library != self._workspace.library:
            self._workspace.open(wish.library)
        self.add(wish.files)

    def _hand_on(self) -> None:
        waiting, self._waiting = self._waiting, intake.Intake()
        if waiting:
            self._take(waiting)
