"""Checking the library for damage: asked for in the menu, answered in sentences."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.bridge.messages import Action
from app.engine.errors import AppError
from app.engine.jobs import Progress
from app.engine.librarytypes import VerifyReport
from app.gui.verifying import VerifyDialog
from app.gui.window import MainWindow


@pytest.fixture
def dialog(qtbot: QtBot, window: MainWindow) -> VerifyDialog:
    window.actions_.check_library.trigger()
    made = window.findChild(VerifyDialog)
    assert made is not None
    return made


def close(qtbot: QtBot, window: MainWindow, dialog: VerifyDialog) -> None:
    dialog.findChild(QPushButton).click()
    qtbot.waitUntil(lambda: window.findChild(VerifyDialog) is None)


def test_a_sound_library_is_called_one(qtbot: QtBot, window: MainWindow, dialog: VerifyDialog, fake_client) -> None:
    call = fake_client.last("verify")
    call.progress(Progress("Checking the search indexes", 1, 2))
    qtbot.waitUntil(lambda: dialog.text.startswith("Checking the search indexes"))
    call.answer(VerifyReport(seconds=1.5))
    qtbot.waitUntil(lambda: dialog.text == "Nothing is damaged")
    close(qtbot, window, dialog)
    assert call.actions == []


def test_what_is_damaged_is_said_worst_first_and_the_counts_are_asked_for_again(
    qtbot: QtBot, window: MainWindow, dialog: VerifyDialog, fake_client
) -> None:
    before = len(fake_client.of("status"))
    report = VerifyReport(mended=("An index is made again.",), lost=("A judgment is gone.",), broken=("A page.",))
    fake_client.last("verify").answer(report)
    expected = "Damage was found\nA page.\nA judgment is gone.\nAn index is made again."
    qtbot.waitUntil(lambda: dialog.text == expected)
    assert len(fake_client.of("status")) == before + 1
    close(qtbot, window, dialog)


def test_closing_it_early_cancels_the_check(
    qtbot: QtBot, window: MainWindow, dialog: VerifyDialog, fake_client
) -> None:
    close(qtbot, window, dialog)
    assert fake_client.last("verify").actions == [Action.CANCEL]


def test_a_check_that_fails_says_why(qtbot: QtBot, window: MainWindow, dialog: VerifyDialog, fake_client) -> None:
    fake_client.last("verify").fail(AppError("The disk is full", "Free some space."))
    qtbot.waitUntil(lambda: dialog.text == "The disk is full\nFree some space.")
    close(qtbot, window, dialog)
