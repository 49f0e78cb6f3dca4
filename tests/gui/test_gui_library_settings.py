"""The settings of one library: what can be chosen, what a change means, and what is said when it is refused."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.engine.errors import AppError
from app.engine.librarytypes import IndexRequest, LibraryBackup, LibrarySettings, LibraryStatus
from app.gui.librarysettings import LibrarySettingsDialog, effect
from app.gui.window import MainWindow

FAST = "Videos are cut again at the next indexing; photos keep their vectors."


@pytest.fixture
def dialog(qtbot: QtBot, window: MainWindow) -> LibrarySettingsDialog:
    window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    made = window.findChild(LibrarySettingsDialog)
    assert made is not None
    return made


def shown(dialog: LibrarySettingsDialog, words: str) -> QPushButton:
    return next(made for made in dialog.findChildren(QPushButton) if made.text() == words and not made.isHidden())


def buttons(dialog: LibrarySettingsDialog) -> list[str]:
    return [made.text() for made in dialog.findChildren(QPushButton) if not made.isHidden()]


def test_the_dialog_shows_what_is_chosen_and_saves_what_is_changed(
    qtbot: QtBot, window: MainWindow, dialog: LibrarySettingsDialog, fake_client, make_status
) -> None:
    assert dialog.settings() == LibrarySettings(watch=False)
    dialog._interval.setValue(0.5)
    dialog._window.setValue(30)
    dialog._patterns.setPlainText("*.gif\n\n  thumbs \nthumbs\nexports/20??")
    dialog._hidden.click()
    dialog._watch.click()
    chosen = LibrarySettings(500, 30_000, ("*.gif", "thumbs", "exports/20??"), hidden=True, watch=True)
    fake_client.answers["set_settings"] = lambda settings: make_status(settings=settings)
    shown(dialog, "Save").click()
    assert fake_client.last("set_settings").args == (chosen,)
    qtbot.waitUntil(lambda: window.workspace.status is not None and window.workspace.status.settings == chosen)
    qtbot.waitUntil(lambda: window.findChild(LibrarySettingsDialog) is None)
    assert not fake_client.of("index")


def test_a_change_that_reaches_the_items_is_said_and_can_be_applied_at_once(
    qtbot: QtBot, dialog: LibrarySettingsDialog, fake_client, make_status
) -> None:
    assert buttons(dialog) == ["Cancel", "Save"]
    dialog._interval.setValue(1)
    assert dialog.effect == FAST
    fake_client.answers["set_settings"] = lambda settings: make_status(settings=settings)
    shown(dialog, "Save and index now").click()
    qtbot.waitUntil(lambda: bool(fake_client.of("index")))
    assert fake_client.last("index").args == (IndexRequest(),)


def test_watching_alone_needs_no_indexing(dialog: LibrarySettingsDialog) -> None:
    dialog._watch.click()
    assert dialog.effect == ""
    assert buttons(dialog) == ["Cancel", "Save"]


@pytest.mark.parametrize(
    ("title", "field"),
    [("This frame interval cannot be used", "_interval"), ("This audio window cannot be used", "_window"),
     ("This pattern cannot be used", "_patterns"), ("The disk is full", None)],
)  # fmt: skip
def test_a_refusal_is_said_next_to_what_is_wrong_until_it_is_changed(
    qtbot: QtBot, dialog: LibrarySettingsDialog, fake_client, title: str, field: str | None
) -> None:
    def refuse(settings: LibrarySettings) -> LibraryStatus:
        raise AppError(title, "Choose another.")

    fake_client.answers["set_settings"] = refuse
    dialog._hidden.click()
    shown(dialog, "Save").click()
    qtbot.waitUntil(lambda: dialog.error == f"{title}. Choose another.")
    assert dialog.isVisible()
    wrong = getattr(dialog, field) if field else None
    assert not dialog._errors[wrong].isHidden()
    assert shown(dialog, "Save").isEnabled()
    dialog._hidden.click()
    assert dialog.error == ""


def test_an_answer_after_the_dialog_was_closed_still_counts(
    qtbot: QtBot, window: MainWindow, dialog: LibrarySettingsDialog, fake_client, make_status
) -> None:
    dialog._interval.setValue(1)
    shown(dialog, "Save").click()
    dialog.reject()
    saved = make_status(settings=LibrarySettings(frame_interval_ms=1_000))
    fake_client.last("set_settings").answer(saved)
    qtbot.waitUntil(lambda: window.workspace.status is saved)


def test_an_interval_of_whole_milliseconds_is_kept_as_it_is(qtbot: QtBot, make_status) -> None:
    odd = LibrarySettings(frame_interval_ms=1234, window_ms=9600)
    dialog = LibrarySettingsDialog(make_status(settings=odd), lambda *_: None)
    qtbot.addWidget(dialog)
    assert dialog.settings() == odd
    assert dialog._interval.text() == "1.234 s"
    assert dialog._window.text() == "9.6 s"


def test_a_copy_from_before_an_upgrade_is_told_of(qtbot: QtBot, make_status) -> None:
    copy = LibraryBackup("/libraries/default/library.schema2.backup.sqlite", 2, 1_200_000_000, 0)
    dialog = LibrarySettingsDialog(make_status(backups=(copy,)), lambda *_: None)
    qtbot.addWidget(dialog)
    assert "1.2 GB" in dialog._copies.text()
    assert copy.path in dialog._copies.text()
    assert not dialog._copies.isHidden()


def test_a_newer_library_that_was_set_aside_is_told_of(qtbot: QtBot, make_status) -> None:
    aside = LibraryBackup("/libraries/default/library.schema9.set-aside.sqlite", 9, 2_000_000, 0)
    dialog = LibrarySettingsDialog(make_status(set_aside=(aside,)), lambda *_: None)
    qtbot.addWidget(dialog)
    assert aside.path in dialog._copies.text()
    assert "newer library" in dialog._copies.text()


def test_nothing_is_opened_before_the_library_is(window: MainWindow) -> None:
    window.workspace.status = None
    window.sidebar.settings_wanted.emit()
    assert window.findChild(LibrarySettingsDialog) is None


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (LibrarySettings(), []),
        (LibrarySettings(watch=False), []),
        (LibrarySettings(frame_interval_ms=500), [FAST]),
        (
            LibrarySettings(window_ms=5_000),
            [FAST.replace("Videos", "Sounds and the sound tracks of videos")],
        ),
        (
            LibrarySettings(excluded=("*.gif",)),
            ["At the next indexing, files that are left out go from the results, and others come in."],
        ),
        (LibrarySettings(hidden=True), ["Hidden files come in at the next indexing."]),
    ],
)
def test_what_a_change_means(after: LibrarySettings, said: list[str]) -> None:
    assert effect(LibrarySettings(), after) == said


def test_looking_past_hidden_files_again_takes_them_out() -> None:
    sentences = effect(LibrarySettings(hidden=True), LibrarySettings())
    assert sentences == ["Hidden files go from the results at the next indexing."]
