"""Cyclic garbage is collected between events, by the window's own thread."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.gui.garbage import GarbageCollector


class Knot:
    """Refers to itself, so that only the collector can take it away."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def collector(qapp: QApplication) -> Iterator[GarbageCollector]:
    made = GarbageCollector(qapp)
    yield made
    made.deleteLater()
    gc.enable()


def test_new_garbage_goes_between_events_and_never_by_itself(qtbot: QtBot, collector: GarbageCollector) -> None:
    knot = weakref.ref(Knot())
    kept = [[] for _ in range(5_000)]  # many times what sets the automatic collection off
    assert knot() is not None
    qtbot.waitUntil(lambda: knot() is None)
    assert len(kept) == 5_000


def test_old_garbage_goes_when_the_person_turns_away(qapp: QApplication, collector: GarbageCollector) -> None:
    made = Knot()
    gc.collect()  # it is old now
    knot = weakref.ref(made)
    del made
    gc.collect(1)
    assert knot() is not None
    qapp.applicationStateChanged.emit(Qt.ApplicationState.ApplicationInactive)
    assert knot() is None
