"""The window as a whole, the folders, the models, and the drawings and themes all of it uses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from assistive import act
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QFont, QFontMetrics
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QListWidget,
    QMessageBox,
    QProgressBar,
    QPushButton,
)
from pytestqt.qtbot import QtBot

import app.gui
from app import settings
from app.bridge.messages import Action
from app.engine.errors import AppError, EngineDied, LibraryTooNew
from app.engine.jobs import Progress
from app.engine.librarytypes import IndexRequest, LibraryBackup, Restored, Root
from app.engine.types import ItemKind, Modality, Query, QueryPart
from app.gui import theme, topbar, wording
from app.gui.emptystate import EmptyState
from app.gui.engine import Engine
from app.gui.models import ModelsPage
from app.gui.sidebar import Sidebar
from app.gui.window import MainWindow
from app.paths import log_path, resources_dir


@pytest.fixture
def restored_theme(qapp: QApplication) -> Iterator[None]:
    sheet, palette = qapp.styleSheet(), qapp.palette()
    yield
    qapp.setStyleSheet(sheet)
    qapp.setPalette(palette)


def drop(window: MainWindow, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    window.dropEvent(
        QDropEvent(
            QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
    )


def page_state(window: MainWindow) -> EmptyState:
    return window.search.findChild(EmptyState)


def press(qtbot: QtBot, state: EmptyState, words: str) -> None:
    def found() -> list[QPushButton]:  # a new button is not shown at once
        return [made for made in state.findChildren(QPushButton) if made.text() == words and not made.isHidden()]

    qtbot.waitUntil(lambda: bool(found()))
    found()[0].click()


def test_the_window_is_there_before_the_engine_is_started(qtbot: QtBot, fake_client, tmp_path: Path) -> None:
    window = MainWindow(Engine(fake_client), tmp_path)
    qtbot.addWidget(window)
    window.show()
    assert fake_client.starts == 0
    assert not fake_client.calls
    assert page_state(window).headline == "Opening your library…"


def test_a_dropped_folder_is_indexed_and_a_dropped_picture_searched_by(
    window: MainWindow, fake_client, tmp_path: Path
) -> None:
    folder, picture = tmp_path / "photos", tmp_path / "a.jpg"
    folder.mkdir()
    picture.touch()
    drop(window, folder)
    assert fake_client.last("index").args == (IndexRequest((str(folder),)),)
    window.show_page(2)
    drop(window, picture)
    assert fake_client.last("search").args[0].query == Query.of_image(str(picture))
    assert window.pages.currentWidget() is window.search


def test_something_else_dropped_is_refused_in_a_sentence(window: MainWindow, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.touch()
    drop(window, letter)
    assert "no picture, video or sound" in window.banner.text
    assert str(letter) in window.banner.text


def test_keys_reach_the_query_and_the_pages(qtbot: QtBot, window: MainWindow) -> None:
    window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    assert window.pages.currentWidget() is window.models
    qtbot.keyClick(window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert window.pages.currentWidget() is window.search
    assert window.focusWidget() is window.search.bar.findChild(QLineEdit, "words")
    window.search.bar.set_query(Query.of_text("dog"))
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert window.search.bar.is_empty


def test_assistive_programs_turn_the_pages_without_a_click(qtbot: QtBot, window: MainWindow, fake_client) -> None:
    buttons = {made.text(): made for made in window.top.findChildren(QPushButton)}
    sets = len(fake_client.of("evaluations_sets"))
    act(buttons["Evaluate"])
    assert window.pages.currentWidget() is window.evaluate
    assert len(fake_client.of("evaluations_sets")) == sets + 1
    act(buttons["Evaluate"])
    assert buttons["Evaluate"].isChecked()
    window.show_page(topbar.MODELS)
    assert buttons["Models"].isChecked()
    assert len(fake_client.of("evaluations_sets")) == sets + 1
    qtbot.mouseClick(buttons["Search"], Qt.MouseButton.LeftButton)
    assert window.pages.currentWidget() is window.search


def test_f5_looks_for_changes(qtbot: QtBot, window: MainWindow, fake_client) -> None:
    qtbot.keyClick(window, Qt.Key.Key_F5)
    assert fake_client.last("index").args == (IndexRequest(),)


def test_details_appear_beside_results_and_not_beside_nothing(qtbot: QtBot, window: MainWindow) -> None:
    assert window.details.isHidden()
    window.search.bar.set_query(Query.of_text("dog"))
    qtbot.waitUntil(lambda: not window.details.isHidden())
    window.show_page(2)
    assert window.details.isHidden()
    window.show_page(0)
    assert not window.details.isHidden()


def test_a_result_found_while_indexing_is_asked_for_again_when_it_ends(
    qtbot: QtBot, window: MainWindow, fake_client
) -> None:
    window.search.bar.set_query(Query.of_text("dog"))
    window.workspace.rescan()
    asked = len(fake_client.of("search"))
    fake_client.last("index").fail(AppError("Stopped", "Try again."))
    qtbot.waitUntil(lambda: len(fake_client.of("search")) == asked + 1)


def test_the_first_indexing_can_be_searched_before_it_ends(
    qtbot: QtBot, window: MainWindow, fake_client, make_status
) -> None:
    fake_client.answers["open"] = lambda name: make_status(
        name=name, folder="/new", roots=(), items={ItemKind.PHOTO: 0}
    )
    window.workspace.open("new")
    qtbot.waitUntil(lambda: page_state(window).headline == "Welcome to Semblance")
    window.library.add_folders(["/photos"])
    assert page_state(window).headline == "Your files are being read"
    window.search.bar.set_query(Query.of_text("dog"))
    assert fake_client.last("search").args[0].query == Query.of_text("dog")


def test_a_query_typed_into_an_empty_library_is_answered_once_there_is_something(
    qtbot: QtBot, window: MainWindow, fake_client, make_status
) -> None:
    fake_client.answers["open"] = lambda name: make_status(name=name, folder="/new", roots=(), items={})
    window.workspace.open("new")
    qtbot.waitUntil(lambda: page_state(window).headline == "Welcome to Semblance")
    window.search.bar.set_query(Query.of_text("dog"))
    assert not fake_client.of("search")
    window.library.add_folders(["/photos"])
    assert fake_client.last("search").args[0].query == Query.of_text("dog")


def test_an_error_nobody_took_is_told_in_the_banner(qtbot: QtBot, window: MainWindow, fake_client) -> None:
    window.workspace.forget_root("/photos")
    fake_client.last("forget_root").fail(AppError("That folder is busy", "Try again when indexing is done.", "/photos"))
    qtbot.waitUntil(lambda: "That folder is busy" in window.banner.text)
    assert "/photos" in window.banner.text


def test_a_library_that_is_too_new_says_what_to_do_and_can_be_tried_again(
    qtbot: QtBot, window: MainWindow, fake_client
) -> None:
    def refuse(name: str) -> None:
        raise LibraryTooNew("This library is newer than the program", "Update Semblance.", "/libraries/new")

    fake_client.answers["open"] = refuse
    window.workspace.open("new")
    qtbot.waitUntil(lambda: page_state(window).headline == "This library is newer than the program")
    assert "Update Semblance." in page_state(window).sentence
    next(made for made in page_state(window).findChildren(QPushButton) if made.text() == "Try again").click()
    assert len(fake_client.of("open")) == 3


@pytest.mark.parametrize("aside", ["/libraries/new/library.schema9.set-aside.sqlite", ""])
def test_a_library_that_is_too_new_goes_back_to_its_copy_once_a_person_knows_how_old_it_is(
    qtbot: QtBot, window: MainWindow, fake_client, aside: str
) -> None:
    opening = fake_client.answers["open"]
    copy = LibraryBackup("/libraries/new/library.schema2.backup.sqlite", 2, 12_000_000, 1_700_000_000_000)
    refusal = LibraryTooNew("This library needs a newer Semblance", "Update Semblance.", "/libraries/new", copy)
    del fake_client.answers["open"]
    window.workspace.open("new")
    fake_client.last("open").fail(refusal)
    qtbot.waitUntil(lambda: page_state(window).headline == "This library needs a newer Semblance")
    fake_client.answers["open"] = opening
    buttons = {made.text(): made for made in page_state(window).findChildren(QPushButton)}
    buttons["Go back to the copy…"].click()
    box = window.findChild(QMessageBox)
    assert wording.date_time(copy.changed_ms) in box.informativeText()
    assert "12.0 MB" in box.informativeText()
    assert not fake_client.of("restore")
    next(made for made in box.buttons() if made.text() == "Go back").click()
    assert [call.args for call in fake_client.of("restore")] == [("new",)]
    assert page_state(window).headline == "Going back to the copy…"  # and no button that could be pressed again
    fake_client.last("restore").answer(Restored("/libraries/new/library.sqlite", 2, aside))
    qtbot.waitUntil(lambda: window.workspace.status is not None and window.workspace.status.name == "new")
    assert aside in window.banner.text
    assert bool(window.banner.text) == bool(aside)


def test_going_back_that_fails_says_why(qtbot: QtBot, window: MainWindow, fake_client) -> None:
    window.workspace.go_back()
    fake_client.last("restore").fail(AppError("The copy could not be put back", "The disk is full."))
    qtbot.waitUntil(lambda: page_state(window).headline == "The copy could not be put back")


def test_a_library_that_is_brought_up_to_date_shows_how_far_it_is(
    qtbot: QtBot, window: MainWindow, fake_client
) -> None:
    opening = fake_client.answers.pop("open")
    window.workspace.open("old")
    state = page_state(window)
    bar = state.findChild(QProgressBar)
    assert (state.headline, bar.isHidden()) == ("Opening your library…", True)
    call = fake_client.last("open")
    call.progress(Progress("Changing", 250_000_000, 1_000_000_000, remaining_s=30, in_bytes=True))
    qtbot.waitUntil(lambda: state.headline == "Changing…")
    assert "A copy of it stays beside it" in state.sentence
    assert state.count == "250.0 MB of 1.0 GB · less than a minute left"
    assert (bar.isHidden(), bar.value() * 4) == (False, bar.maximum())
    call.progress(Progress("Writing", is_final=True))
    qtbot.waitUntil(lambda: state.headline == "Writing…")
    assert (bar.maximum(), [made for made in state.findChildren(QPushButton) if not made.isHidden()]) == (0, [])
    call.answer(opening("old"))
    qtbot.waitUntil(lambda: window.workspace.status is not None)
    assert (state.headline, bar.isHidden()) == ("What are you looking for?", True)


def test_bringing_a_library_up_to_date_can_be_cancelled_and_tried_again(
    qtbot: QtBot, window: MainWindow, fake_client
) -> None:
    del fake_client.answers["open"]
    window.workspace.open("old")
    state = page_state(window)
    call = fake_client.last("open")
    call.progress(Progress("Changing", 1, 4))
    qtbot.waitUntil(lambda: state.headline == "Changing…")
    press(qtbot, state, "Cancel")
    assert call.actions == [Action.CANCEL]
    assert state.headline == "Stopping…"
    qtbot.waitUntil(lambda: state.headline == "“old” was not brought up to date")
    assert "It is as it was" in state.sentence
    assert window.workspace.has_failed
    press(qtbot, state, "Try again")
    assert [asked.args for asked in fake_client.of("open")[-2:]] == [("old",), ("old",)]
    fake_client.last("open").progress(Progress("Changing", 1, 4))
    qtbot.waitUntil(lambda: state.headline == "Changing…")


def test_cancelling_too_late_opens_the_library(
    qtbot: QtBot, window: MainWindow, fake_client, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = fake_client.answers.pop("open")
    monkeypatch.setattr(type(fake_client.last("open")), "control", lambda call, action: call.actions.append(action))
    window.workspace.open("old")
    call = fake_client.last("open")
    window.workspace.cancel_opening()
    assert call.actions == [Action.CANCEL]
    call.progress(Progress("Writing"))
    call.answer(opening("old"))
    qtbot.waitUntil(lambda: window.workspace.status is not None)
    assert page_state(window).headline == "What are you looking for?"


def test_after_a_cancelled_upgrade_the_program_can_be_quit(qtbot: QtBot, window: MainWindow, fake_client) -> None:
    del fake_client.answers["open"]
    window.workspace.open("old")
    window.workspace.cancel_opening()
    qtbot.waitUntil(lambda: "not brought up to date" in page_state(window).headline)
    press(qtbot, page_state(window), "Quit Semblance")
    assert fake_client.closed


def test_a_dying_engine_is_told_and_then_given_up_with_the_logs_path(
    qtbot: QtBot, window: MainWindow, fake_client, tmp_path: Path
) -> None:
    opening = fake_client.answers.pop("open")
    fake_client.die()
    qtbot.waitUntil(lambda: "The engine stopped and is being restarted" in window.banner.text)
    assert "What was indexed is kept." in window.banner.text
    fake_client.last("open").answer(opening("default"))
    qtbot.waitUntil(lambda: "The engine was restarted" in window.banner.text)
    fake_client.die()
    fake_client.die()
    qtbot.waitUntil(lambda: page_state(window).headline == "The engine keeps stopping")
    assert str(log_path(tmp_path)) in page_state(window).sentence
    starts = fake_client.starts
    next(made for made in page_state(window).findChildren(QPushButton) if "Restart" in made.text()).click()
    assert fake_client.starts == starts + 1


def test_closing_ends_the_engine_and_keeps_the_choices(window: MainWindow, fake_client, tmp_path: Path) -> None:
    window.actions_.thumbnail_px_chosen.emit(260)
    window.close()
    assert fake_client.closed
    saved = settings.load(tmp_path)
    assert (saved.library, saved.thumbnail_px) == ("default", 260)
    assert saved.window_geometry


def test_every_button_and_field_has_a_name_for_screen_readers(window: MainWindow) -> None:
    window.search.bar.add_parts([QueryPart(Modality.IMAGE, path="/a.jpg")])
    for kind in (QPushButton, QComboBox, QLineEdit):
        for widget in window.search.findChildren(kind) + window.sidebar.findChildren(kind):
            said = widget.accessibleName() or getattr(widget, "text", str)() or widget.toolTip()
            assert said or widget.objectName().startswith("qt_"), widget


# --- the sidebar -----------------------------------------------------------------------------------------------------


@pytest.fixture
def sidebar(qtbot: QtBot, make_status) -> Sidebar:
    made = Sidebar()
    qtbot.addWidget(made)
    made.set_status(make_status(roots=(Root("/photos", True, 1204, 1204), Root("/media/usb", False, 7, 7))))
    return made


def test_folders_show_their_counts_and_that_one_is_offline(sidebar: Sidebar) -> None:
    rows = sidebar.findChild(QListWidget)
    assert [rows.item(row).text() for row in range(3)] == [
        "All folders\n1,211 files",
        "photos\n1,204 files",
        "usb\n7 files, offline",
    ]
    assert "is kept" in rows.item(2).toolTip()


def test_a_folder_stays_chosen_until_it_is_gone(qtbot: QtBot, sidebar: Sidebar, make_status) -> None:
    with qtbot.waitSignal(sidebar.folder_chosen) as chosen:
        sidebar.findChild(QListWidget).setCurrentRow(1)
    assert chosen.args == ["/photos"]
    with qtbot.assertNotEmitted(sidebar.folder_chosen):
        sidebar.set_status(make_status())
    assert sidebar.folder == "/photos"
    with qtbot.waitSignal(sidebar.folder_chosen) as chosen:
        sidebar.set_status(make_status(roots=()))
    assert chosen.args == [None]


def test_no_other_library_can_be_opened_while_indexing(sidebar: Sidebar) -> None:
    sidebar.set_indexing(True)
    assert not sidebar.findChild(QComboBox).isEnabled()
    sidebar.set_indexing(False)
    assert sidebar.findChild(QComboBox).isEnabled()


# --- the models ------------------------------------------------------------------------------------------------------


def test_models_are_ticked_and_what_is_missing_is_said(qtbot: QtBot, models, make_status) -> None:
    page = ModelsPage()
    qtbot.addWidget(page)
    page.set_models(models)
    page.set_library(make_status())
    boxes = {box.accessibleName(): box for box in page.findChildren(QCheckBox)}
    clip = boxes["Use CLIP ViT-B/32 in this library"]
    assert clip.isChecked()
    assert not boxes["Use SigLIP 2 B/16 in this library"].isEnabled()
    said = " ".join(label.text() for label in page.findChildren(type(theme.label(""))))
    assert "Its weights are not on this computer." in said
    links = (made for made in page.findChildren(QPushButton) if made.text() == "Open that folder")
    link = next(made for made in links if not made.isHidden())
    assert link.toolTip() == "/home/me/semblance/models/siglip2-b-16"
    with qtbot.waitSignal(page.chosen) as chosen:
        boxes["Use Timbre in this library"].click()
    assert chosen.args == [("clip-vit-b-32", "timbre")]


def test_a_model_that_is_not_indexed_yet_offers_to_index(qtbot: QtBot, models, make_status) -> None:
    page = ModelsPage()
    qtbot.addWidget(page)
    page.set_models(models)
    page.set_library(make_status(models=("clip-vit-b-32", "timbre")))
    index = next(made for made in page.findChildren(QPushButton) if made.text().startswith("Index"))
    assert not index.isHidden()
    page.set_library(make_status())
    assert index.isHidden()


# --- drawings and themes ---------------------------------------------------------------------------------------------


def test_every_drawing_the_window_names_ships_with_it() -> None:
    named = set()
    for module in Path(app.gui.__path__[0]).glob("*.py"):
        text = module.read_text(encoding="utf-8")
        named |= set(re.findall(r'(?:icons\.icon|icons\.pixmap|_drawing|\.say)\(\s*"([a-z-]+)"', text))
    assert {"search", "folder", "chevron", "warning"} <= named
    assert [name for name in sorted(named) if not (resources_dir() / "icons" / f"{name}.svg").is_file()] == []


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2."""

    def luminance(colour: str) -> float:
        channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_text_can_be_read_on_every_ground(colours: theme.Colours) -> None:
    for ground in (colours.ground, colours.surface, colours.raised, colours.selection):
        for text in (colours.text, colours.muted, colours.accent, colours.good, colours.bad, colours.warning):
            assert contrast(text, ground) >= 4.5, (text, ground)
    assert contrast(colours.on_accent, colours.accent) >= 4.5


@pytest.mark.usefixtures("restored_theme")
def test_the_theme_follows_the_choice() -> None:
    theme.apply("dark")
    assert theme.colours() is theme.DARK
    theme.apply("light")
    assert theme.colours() is theme.LIGHT


def test_an_answer_lost_with_the_engine_is_no_error_of_its_own(qtbot: QtBot, window: MainWindow, fake_client) -> None:
    del fake_client.answers["open"]
    window.workspace.forget_root("/photos")
    fake_client.last("forget_root").fail(EngineDied("The engine stopped", ""))
    fake_client.die()
    qtbot.waitUntil(lambda: bool(window.banner.text))
    assert window.banner.text.startswith("The engine stopped and is being restarted")


@pytest.mark.usefixtures("restored_theme")
def test_controls_are_as_tall_as_the_letters_the_system_is_set_to(qtbot: QtBot, qapp: QApplication) -> None:
    before = qapp.font()
    larger = QFont(before)
    larger.setPointSizeF(2 * before.pointSizeF())
    try:
        qapp.setFont(larger)
        theme.apply("light")
        for control in (QPushButton("Judge"), QComboBox(), QLineEdit()):
            qtbot.addWidget(control)
            control.ensurePolished()
            margins_px = 2 * 7  # padding and frame
            assert control.minimumSizeHint().height() >= QFontMetrics(larger).height() + margins_px, control
    finally:
        qapp.setFont(before)
