"""Files that the window was started with, or that another start of the program or the system hands to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QWidget

from app.gui import intake
from app.gui.banner import Banner
from app.gui.handover import Wish
from app.gui.workspace import Workspace

TOGETHER_MS = 300
"""Files with no longer pauses between them were chosen together: Windows starts the program once for each, and macOS
tells it of each."""


class Arrivals(QObject):
    """Hands them on as if they were dropped on the window, together, once the library is open.

    Args:
        take: takes what was dropped.
    """

    def __init__(
        self, window: QWidget, workspace: Workspace, banner: Banner, take: Callable[[intake.Intake], None]
    ) -> None:
        super().__init__(window)
        self._window = window
        self._workspace = workspace
        self._banner = banner
        self._take = take
        self._waiting = intake.Intake()
        self._together = QTimer(self)
        self._together.setSingleShot(True)
        self._together.setInterval(TOGETHER_MS)
        self._together.timeout.connect(self._hand_on)
        workspace.opened.connect(self._hand_on)
        workspace.open_failed.connect(self._hand_on)
        workspace.open_cancelled.connect(self._hand_on)
        workspace.refused.connect(self._keep_out_folders)

    def is_waiting(self) -> bool:
        """Whether files wait to be handed on."""
        return bool(self._waiting)

    def add(self, paths: Iterable[str]) -> None:
        """Search by files and add folders."""
        self._waiting += intake.from_paths(paths)
        if self._waiting:
            self._together.start()

    def grant(self, wish: Wish) -> None:
        """Come to the front, and do what another start of the program was asked for."""
        if wish.activation:
            os.environ["XDG_ACTIVATION_TOKEN"] = wish.activation  # where Qt looks for it
        window = self._window
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
        window.show()
        window.raise_()
        window.activateWindow()
        self.add(wish.files)
        if wish.library and wish.library != self._workspace.library:
            self._workspace.open(wish.library, or_stay=True)

    def _hand_on(self) -> None:
        if not self._waiting or self._together.isActive():
            return
        if self._workspace.status:
            waiting, self._waiting = self._waiting, intake.Intake()
            self._take(waiting)
        elif self._workspace.has_failed:
            self._banner.tell(
                self.tr("No library is open"), self.tr("It is searched by what you opened as soon as one is.")
            )

    def _keep_out_folders(self) -> None:
        """They were to go into another library than the one that stays."""
        self._waiting = replace(self._waiting, folders=())
