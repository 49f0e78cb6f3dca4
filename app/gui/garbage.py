"""When Python looks for cyclic garbage in the window's process.

By itself it does so whenever enough was allocated, on whichever thread that was: with 100,000 results in the grid the
window stood still for a tenth of a second, and a widget could be destroyed on a thread that is not its own.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication

YOUNG, ALL = 1, 2
EVERY_MS = 100


class GarbageCollector(QObject):
    """Takes the place of the automatic collection: what is new often, which is quick, and everything when the person
    turns to another program."""

    def __init__(self, app: QGuiApplication) -> None:
        super().__init__(app)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._collect_young)
        self._timer.start(EVERY_MS)
        app.applicationStateChanged.connect(self._state_changed)

    def _collect_young(self) -> None:
        gc.collect(YOUNG)

    def _state_changed(self, state: Qt.ApplicationState) -> None:
        if state is not Qt.ApplicationState.ApplicationActive:
            gc.collect(ALL)
