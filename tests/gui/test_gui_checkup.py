"""The check of this computer: in the menu, and unasked at the first start of a version, where it speaks of problems."""

from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app import __version__, settings
from app.bridge.messages import Action
from app.engine.checktypes import CheckUp, Finding, Verdict
from app.engine.errors import AppError, LibraryLocked, LibraryTooNew
from app.engine.jobs import Progress
from app.gui import windowchecks
from app.gui.checkupdialog import CheckUpDialog
from app.gui.emptystate import EmptyState
from app.gui.window import MainWindow

FINE = Finding("disk", "Disk", Verdict.FINE, "Much is free.")
HEIC = Finding("decoder.heic", "Pictures: HEIC", Verdict.PROBLEM, "The decoder crashed.", "Install Semblance again.")
INDEX = Finding("index", "Search index", Verdict.PROBLEM, "It cannot be saved.", "Choose another folder.")


def found(*findings: Finding) -> CheckUp:
    return CheckUp("0.0, made up", "a machine", findings)


@pytest.fixture
def dialog(window: MainWindow) -> CheckUpDialog:
    window.actions_.check_computer.trigger()
    made = window.findChild(CheckUpDialog)
    assert made is not None
    return made


def close(qtbot: QtBot, window: MainWindow) -> None:
    window.findChild(CheckUpDialog).close_.click()
    qtbot.waitUntil(lambda: window.findChild(CheckUpDialog) is None)


def test_it_says_what_it_looks_at_and_then_what_it_found_the_worst_first(
    qtbot: QtBot, window: MainWindow, dialog: CheckUpDialog, fake_client
) -> None:
    call = fake_client.last("doctor")
    assert dialog.text.startswith("Looking at this computer")
    call.progress(Progress("Looking at this machine", 1, 40, note="Pictures: PNG"))
    qtbot.waitUntil(lambda: "Pictures: PNG" in dialog.text)
    assert not dialog.copy.isEnabled()
    call.answer(found(FINE, HEIC))
    qtbot.waitUntil(lambda: dialog.text.startswith("One thing does not work"))
    lines = dialog.text.splitlines()
    assert lines[1] == "Semblance 0.0, made up · a machine"
    assert lines[2:5] == ["Pictures: HEIC", "The decoder crashed.", "What to do: Install Semblance again."]
    assert {"Disk", "Window", "Playing"} < set(lines)
    close(qtbot, window)


def test_it_can_be_copied_and_made_again(qtbot: QtBot, window: MainWindow, dialog: CheckUpDialog, fake_client) -> None:
    fake_client.last("doctor").answer(found(HEIC, INDEX))
    qtbot.waitUntil(lambda: dialog.text.startswith("2 things do not work"))
    dialog.copy.click()
    copied = QGuiApplication.clipboard().text()
    assert copied.startswith("Semblance 0.0, made up\na machine\n[problem] Pictures: HEIC: The decoder crashed.")
    assert "Window" in copied
    dialog.again.click()
    assert len(fake_client.of("doctor")) == 2
    fake_client.last("doctor").fail(AppError("It did not answer", "Try again."))
    qtbot.waitUntil(lambda: dialog.text.startswith("It did not answer\nTry again."))
    assert not dialog.copy.isEnabled()
    close(qtbot, window)


def test_closing_it_early_cancels_it(qtbot: QtBot, window: MainWindow, dialog: CheckUpDialog, fake_client) -> None:
    close(qtbot, window)
    assert fake_client.last("doctor").actions == [Action.CANCEL]


def test_the_first_start_of_a_version_looks_once_and_is_silent_where_all_works(
    qtbot: QtBot, window: MainWindow, fake_client
) -> None:
    assert fake_client.of("doctor") == []
    window.checkup.look_quietly()
    window.checkup.look_quietly()
    (call,) = fake_client.of("doctor")
    call.answer(found(FINE))
    qtbot.waitUntil(lambda: window.checkup._call is None)
    assert window.banner.text == ""
    window.close()
    assert settings.load(window._home).checked_version == __version__


def test_a_problem_that_was_found_unasked_is_told_and_shown_without_looking_again(
    qtbot: QtBot, window: MainWindow, fake_client
) -> None:
    window.checkup.look_quietly()
    fake_client.last("doctor").answer(found(FINE, HEIC, INDEX))
    qtbot.waitUntil(lambda: window.banner.text != "")
    title, message = window.banner.text.splitlines()
    assert title == "Something does not work on this computer"
    assert message == "Pictures: HEIC: The decoder crashed. And more: 2 in all."
    next(button for button in window.banner.findChildren(QPushButton) if button.text() == "Show it").click()
    dialog = window.findChild(CheckUpDialog)
    assert dialog.text.startswith("2 things do not work")
    assert len(fake_client.of("doctor")) == 1
    close(qtbot, window)


def test_asking_for_it_takes_the_place_of_what_runs_unasked(qtbot: QtBot, window: MainWindow, fake_client) -> None:
    window.checkup.look_quietly()
    window.actions_.check_computer.trigger()
    quiet, asked = fake_client.of("doctor")
    assert quiet.actions == [Action.CANCEL]
    asked.answer(found(FINE))
    dialog = window.findChild(CheckUpDialog)
    qtbot.waitUntil(lambda: dialog.text.startswith("Everything works"))
    assert window.banner.text == ""
    close(qtbot, window)


def test_it_does_not_begin_while_files_are_indexed_nor_in_a_version_that_has_looked(
    qtbot: QtBot, window: MainWindow, fake_client
) -> None:
    assert window.checkup._later.isActive()
    window.library.add_folders(("/photos",))
    qtbot.waitUntil(lambda: window.workspace.job.running)
    window.checkup.look_quietly()
    assert fake_client.of("doctor") == []
    fake_client.last("index").fail(AppError("It ended", "For this test."))
    qtbot.waitUntil(lambda: not window.workspace.job.running)
    window._choices.note_checked(__version__)
    window.checkup._later.stop()
    window.workspace.opened.emit(window.workspace.status)
    assert not window.checkup._later.isActive()


def test_where_the_library_cannot_be_opened_it_is_made_too_and_offered(
    qtbot: QtBot, window: MainWindow, fake_client
) -> None:
    def offered() -> list[str]:
        page = window.search.findChild(EmptyState)
        return [button.text() for button in page.findChildren(QPushButton) if not button.isHidden()]

    window.checkup._later.stop()
    del fake_client.answers["open"]
    for error, words in (
        (LibraryLocked("This library is in use", "Close the other."), ["Try again"]),
        (LibraryTooNew("This library needs a newer Semblance", "Update."), ["Try again"]),
        (AppError("Something went wrong", "TOMLDecodeError"), ["Try again", "Check this computer…"]),
    ):
        window.workspace.open("default")
        fake_client.last("open").fail(error)
        qtbot.waitUntil(lambda title=error.title: window.search.findChild(EmptyState).headline == title)
        QCoreApplication.processEvents()  # a layout shows its new buttons in the next turn
        assert offered() == words
    assert window.checkup._later.isActive()
    next(b for b in window.search.findChildren(QPushButton) if b.text() == "Check this computer…").click()
    fake_client.last("doctor").answer(found(FINE))
    close(qtbot, window)


def test_a_window_that_cannot_play_says_what_is_missing(qapp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "a_media_module", None)
    finding = windowchecks.playing("a_media_module")
    assert finding.verdict is Verdict.PROBLEM
    assert "cannot be played here" in finding.sentence
    assert "libpulse0" in finding.remedy
    assert windowchecks.drawing().sentence.startswith("Qt 6")
