"""Models of one's own, packs, checks and removals: asked of the person, then of the engine, and told in sentences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QFileDialog, QLabel, QLineEdit, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.bridge.server import LANES
from app.engine.errors import AppError, WeightsUnreadable
from app.engine.librarytypes import IndexRequest
from app.engine.modeltypes import (
    AddRequest,
    Installation,
    InstalledFile,
    ModelCheck,
    OfferedModel,
    Origin,
    PackContents,
    PackReport,
    Pin,
)
from app.gui import modelactions
from app.gui.modeldialogs import AddDialog, ModelDialog, RemoveDialog, model_in
from app.gui.packdialogs import ExportDialog, ImportDialog, PackDialog
from app.gui.topbar import MODELS, SEARCH
from app.gui.window import MainWindow

RECORD = Installation("hub: makers/a", "main", "2026-01-01", (InstalledFile("w.pt", 605_000_000, "ab", Pin.HUB),))
CONTENTS = PackContents(
    "/media/usb/two.semblance-pack", 912_000_000, "3f" * 32,
    (OfferedModel("a", "Model A", 605_000_000, "MIT", "Free for any use."),
     OfferedModel("mine", "Mine", 307_000_000, "unknown", "", present=True)),
)  # fmt: skip
PACK = PackReport("/media/usb/two.semblance-pack", ("a", "mine"), (), 912_000_000, "3f" * 32)


@pytest.fixture
def shown(qtbot: QtBot, window: MainWindow, fake_client, models, make_model) -> MainWindow:
    offered = (
        *models,
        make_model("a", name="Model A", ready=True, installation=RECORD),
        make_model("gone"),
        make_model("mine", name="Mine", ready=True, origin=Origin.ADDED, source=""),
        make_model("bad", damaged=True),
        make_model("plug", ready=True, origin=Origin.PLUG_IN),
    )
    fake_client.answers["models"] = lambda: offered
    window.workspace.refresh_models()
    qtbot.waitUntil(lambda: window.workspace.models == offered)
    window.show_page(MODELS)
    return window


def dialog(window: MainWindow, kind: type[QDialog]) -> QDialog:
    return next(made for made in window.findChildren(kind) if made.isVisible())


def press(within: QWidget, words: str) -> None:
    button = next(made for made in within.findChildren(QPushButton) if made.text() == words and made.isVisible())
    assert button.isEnabled(), words
    button.click()


def pick(within: QWidget, words: str) -> None:
    """Choose from whichever menu has these words."""
    next(action for menu in within.findChildren(QMenu) for action in menu.actions() if action.text() == words).trigger()


def said(within: QWidget) -> str:
    return "\n".join(label.text() for label in within.findChildren(QLabel) if label.isVisible())


def drop(window: MainWindow, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    window.dropEvent(
        QDropEvent(
            QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
    )


# --- adding ----------------------------------------------------------------------------------------------------------


def test_a_chosen_file_is_added_and_can_then_be_used(
    qtbot: QtBot, shown: MainWindow, fake_client, make_model, monkeypatch: pytest.MonkeyPatch
) -> None:
    press(shown.models, "Add a model…")
    made = dialog(shown, AddDialog)
    assert not any(field.isVisible() for field in made.findChildren(QComboBox))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args: ("/data/birds.safetensors", ""))
    press(made, "File…")
    assert not fake_client.of("models_add")
    press(made, "Add")
    assert fake_client.last("models_add").args == (AddRequest("/data/birds.safetensors"),)
    birds = make_model("birds", name="Birds", origin=Origin.ADDED, ready=True, source="")
    before = fake_client.answers["models"]()
    fake_client.answers["models"] = lambda: (*before, birds)
    fake_client.last("models_add").answer(birds)
    qtbot.waitUntil(lambda: shown.model_work.text == "Birds is ready\nIts files are here and checked.")
    qtbot.waitUntil(lambda: shown.models.list.card("birds") is not None)
    press(shown.model_work, "Use in this library")
    assert fake_client.last("set_models").args == (("clip-vit-b-32", "birds"),)


def test_what_the_engine_cannot_find_out_is_asked(qtbot: QtBot, shown: MainWindow, fake_client) -> None:
    press(shown.models, "Add a model…")
    made = dialog(shown, AddDialog)
    made.findChild(QLineEdit).setText("/data/birds.pt")
    press(made, "Add")
    fake_client.last("models_add").fail(AppError("It is not clear what this is", "Say which family it is of."))
    qtbot.waitUntil(lambda: shown.model_work.text.startswith("birds.pt: It is not clear what this is"))
    press(shown.model_work, "Try again…")
    again = dialog(shown, AddDialog)
    assert "It is not clear what this is. Say which family it is of." in said(again)
    family = again.findChild(QComboBox)
    family.setCurrentIndex(family.findData("timm"))
    for placed, words in enumerate(("/data/birds.pt", "resnet18", "Birds", "MIT")):
        fields = [field for field in again.findChildren(QLineEdit) if field.isVisible()]
        fields[placed].setText(words)
    press(again, "Add")
    expected = AddRequest("/data/birds.pt", "timm", "resnet18", "", "Birds", "MIT")
    assert fake_client.last("models_add").args == (expected,)


def test_a_file_that_is_no_weights_is_not_asked_about(qtbot: QtBot, shown: MainWindow, fake_client) -> None:
    shown.model_actions.add(AddRequest("/data/letter.bin"))
    press(dialog(shown, AddDialog), "Add")
    fake_client.last("models_add").fail(WeightsUnreadable("This weights file cannot be read", "It is damaged."))
    qtbot.waitUntil(lambda: "cannot be read" in shown.model_work.text)
    press(shown.model_work, "Try again…")
    again = dialog(shown, AddDialog)
    assert "This weights file cannot be read. It is damaged." in said(again)
    assert not any(field.isVisible() for field in again.findChildren(QComboBox))
    again.reject()


def test_without_a_path_nothing_can_be_added(shown: MainWindow) -> None:
    press(shown.models, "Add a model…")
    made = dialog(shown, AddDialog)
    assert not next(one for one in made.findChildren(QPushButton) if one.text() == "Add").isEnabled()
    made.reject()


@pytest.mark.parametrize(
    ("names", "is_model"),
    [
        (("birds.pt",), True),
        (("birds.safetensors", "README.md", "vocab.txt", ".gitattributes"), True),
        (("open_clip_model.safetensors", "a.png"), True),
        (("weights.bin", "config.json", "a.png"), True),
        (("a.jpg", "game.bin"), False),
        (("notes.txt",), False),
        ((), False),
    ],
)
def test_a_folder_is_a_model_by_what_is_in_it(tmp_path: Path, names: tuple[str, ...], is_model: bool) -> None:
    for name in names:
        (tmp_path / name).touch()
    assert model_in((str(tmp_path),)) == (str(tmp_path) if is_model else "")


@pytest.mark.parametrize("as_folder", [False, True])
def test_a_dropped_model_is_asked_about(shown: MainWindow, fake_client, tmp_path: Path, as_folder: bool) -> None:
    weights = tmp_path / "birds" / "open_clip_model.safetensors"
    weights.parent.mkdir()
    weights.touch()
    drop(shown, weights.parent if as_folder else weights)
    assert not fake_client.of("models_add")
    press(dialog(shown, AddDialog), "Add")
    expected = str(weights.parent if as_folder else weights)
    assert fake_client.last("models_add").args == (AddRequest(expected),)


def test_elsewhere_and_otherwise_a_drop_means_what_it_always_did(
    shown: MainWindow, fake_client, tmp_path: Path
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("a.jpg", "stray.bin"):
        (photos / name).touch()
    drop(shown, photos)
    assert fake_client.last("index").args == (IndexRequest((str(photos),)),)
    pack = tmp_path / "x.semblance-pack"
    pack.touch()
    shown.show_page(SEARCH)
    drop(shown, pack)
    assert not fake_client.of("models_import_pack")


# --- packs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("named", "asked"), [("/media/usb/two", False), ("/media/usb/two.semblance-pack", True)])
def test_a_pack_of_the_chosen_models_is_written_and_its_checksum_shown(
    qtbot: QtBot, shown: MainWindow, fake_client, monkeypatch: pytest.MonkeyPatch, named: str, asked: bool
) -> None:
    """The dialog asks whether a file gives way, of the name that was typed and of no other."""
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args: (named, ""))
    pick(shown.models, "Export a pack…")
    made = dialog(shown, ExportDialog)
    boxes = {box.text(): box for box in made.findChildren(QCheckBox)}
    assert "Model A, 605.0 MB" in boxes
    assert not [words for words in boxes if words.startswith(("GONE", "BAD", "PLUG"))]
    for words, box in boxes.items():
        box.setChecked(words.startswith("Model A"))
    press(made, "Choose where…")
    call = fake_client.last("models_export_pack")
    assert call.args == (("a",), "/media/usb/two.semblance-pack", asked)
    call.answer(PACK)
    qtbot.waitUntil(lambda: shown.model_work.text == "The pack is written\nModel A, Mine. 912.0 MB in all.")
    press(shown.model_work, "Show its checksum")
    report = dialog(shown, PackDialog)
    assert report.findChild(QLineEdit).text() == "3f" * 32
    press(report, "Copy the checksum")
    assert QGuiApplication.clipboard().text() == "3f" * 32
    press(report, "Close")


def test_a_pack_needs_a_model(shown: MainWindow) -> None:
    pick(shown.models, "Export a pack…")
    made = dialog(shown, ExportDialog)
    for box in made.findChildren(QCheckBox):
        box.setChecked(False)
    assert not next(one for one in made.findChildren(QPushButton) if one.text() == "Choose where…").isEnabled()
    made.reject()


def test_a_pack_is_taken_in_by_menu_or_drop(
    qtbot: QtBot, shown: MainWindow, fake_client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args: ("/media/usb/two.semblance-pack", ""))
    fake_client.answers["models_pack_contents"] = lambda path: replace(CONTENTS, path=path)
    pick(shown.models, "Import a pack…")
    qtbot.waitUntil(lambda: any(one.isVisible() for one in shown.findChildren(ImportDialog)))
    assert not fake_client.of("models_import_pack")
    press(dialog(shown, ImportDialog), "Take in")
    call = fake_client.last("models_import_pack")
    assert call.args == ("/media/usb/two.semblance-pack", False, "")
    looked = len(fake_client.of("models"))
    call.answer(PackReport("/media/usb/two.semblance-pack", ("a",), ("mine",), 912_000_000, "3f" * 32))
    words = "The pack is taken in\nModel A. Here already, the same to the byte: Mine. 912.0 MB in all."
    qtbot.waitUntil(lambda: shown.model_work.text == words)
    assert len(fake_client.of("models")) == looked + 1
    drop(shown, tmp_path / "other.semblance-pack")
    assert fake_client.last("models_pack_contents").args == (str(tmp_path / "other.semblance-pack"),)
    qtbot.waitUntil(lambda: any(one.isVisible() for one in shown.findChildren(ImportDialog)))
    press(dialog(shown, ImportDialog), "Cancel")
    assert len(fake_client.of("models_import_pack")) == 1


def test_what_a_pack_holds_is_said_compared_and_replaces_nothing_unasked(
    qtbot: QtBot, shown: MainWindow, fake_client
) -> None:
    other = replace(CONTENTS.models[0], replaces=True)
    fake_client.answers["models_pack_contents"] = lambda path: replace(CONTENTS, models=(other, *CONTENTS.models[1:]))
    shown.model_actions.import_pack("/media/usb/two.semblance-pack")
    qtbot.waitUntil(lambda: any(one.isVisible() for one in shown.findChildren(ImportDialog)))
    made = dialog(shown, ImportDialog)
    for words in ("Model A", "605.0 MB\nMIT: Free for any use.\nHere with other files", "Here already, the same"):
        assert words in said(made)
    agree = next(one for one in made.findChildren(QPushButton) if one.text() == "Take in")
    assert not agree.isEnabled()
    made.findChild(QCheckBox).setChecked(True)
    assert agree.isEnabled()
    made.findChild(QLineEdit).setText("00" * 32)
    assert not agree.isEnabled()
    assert f"its checksum is {CONTENTS.sha256}" in said(made)
    made.findChild(QLineEdit).setText(f" {CONTENTS.sha256.upper()} ")
    assert "This is that very pack." in said(made)
    agree.click()
    expected = ("/media/usb/two.semblance-pack", True, CONTENTS.sha256)
    assert fake_client.last("models_import_pack").args == expected


def test_a_refused_pack_says_why(qtbot: QtBot, shown: MainWindow, fake_client) -> None:
    shown.model_actions.import_pack("/media/usb/evil.semblance-pack")
    fake_client.last("models_pack_contents").fail(AppError("This is no pack", "A name in it leaves its folder."))
    expected = "evil.semblance-pack: This is no pack\nA name in it leaves its folder."
    qtbot.waitUntil(lambda: shown.model_work.text == expected)


def test_the_engine_answers_all_that_is_asked_of_it() -> None:
    asked = {value for name, value in vars(modelactions).items() if name.isupper() and str(value).startswith("models_")}
    assert len(asked) == 10
    assert asked | {"models_plan", "models_advise"} <= set(LANES)


# --- checking and removing -------------------------------------------------------------------------------------------


def test_all_files_are_checked_and_what_has_changed_is_listed(qtbot: QtBot, shown: MainWindow, fake_client) -> None:
    pick(shown.models, "Check the files of all models")
    call = fake_client.last("models_verify")
    assert {"a", "mine", "bad"} <= set(call.args[0])
    assert not {"gone", "plug"} & set(call.args[0])
    call.answer((ModelCheck("mine", 1, ()), ModelCheck("a", 2, ("w.pt has changed.",))))
    qtbot.waitUntil(lambda: shown.model_work.text.startswith("Files of models have changed"))
    press(shown.model_work, "Show them")
    made = next(one for one in shown.findChildren(ModelDialog) if one.isVisible())
    assert "Model A: w.pt has changed." in said(made)
    press(made, "Close")


@pytest.mark.parametrize("pinned", [True, False])
def test_one_models_files_can_be_checked(qtbot: QtBot, shown: MainWindow, fake_client, pinned: bool) -> None:
    card = shown.models.list.card("a")
    pick(card, "Check its files")
    assert fake_client.last("models_verify").args == (("a",),)
    fake_client.last("models_verify").answer((ModelCheck("a", 2, (), pinned),))
    qtbot.waitUntil(lambda: card.job.text.startswith("Every byte is as it was"))
    assert ("put in place by hand" in card.job.text) is not pinned


def test_removing_says_that_vectors_stay_and_is_confirmed(qtbot: QtBot, shown: MainWindow, fake_client) -> None:
    card = shown.models.list.card("a")
    pick(card, "Remove its files…")
    made = dialog(shown, RemoveDialog)
    assert "About 605.0 MB are freed. What it has encoded stays in your libraries" in said(made)
    assert "It can be installed again." in said(made)
    press(made, "Keep them")
    assert not fake_client.of("models_remove")
    pick(card, "Remove its files…")
    press(dialog(shown, RemoveDialog), "Remove its files")
    assert fake_client.last("models_remove").args == ("a",)
    looked = len(fake_client.of("models"))
    fake_client.last("models_remove").answer(None)
    qtbot.waitUntil(lambda: card.job.text == "The files of Model A are gone\nWhat it has encoded is kept.")
    assert len(fake_client.of("models")) == looked + 1


def test_removing_ones_own_model_says_that_it_comes_back_only_by_hand(shown: MainWindow) -> None:
    pick(shown.models.list.card("mine"), "Remove its files…")
    made = dialog(shown, RemoveDialog)
    assert "it can only come back the same way" in said(made)
    made.reject()


def test_models_that_the_program_carries_are_offered_until_they_are_here(
    qtbot: QtBot, shown: MainWindow, fake_client
) -> None:
    packs = [(PackReport("/opt/packs/a", ("a", "gone"), (), 912_000_000),)]
    fake_client.answers["models_carried_packs"] = lambda: packs[-1]
    fake_client.answers["models_import_carried"] = lambda: packs[0]
    offer = shown.models.carried
    assert offer.isHidden()
    shown.show_page(SEARCH)
    shown.show_page(MODELS)
    qtbot.waitUntil(offer.isVisible)
    assert "Model A" in said(offer)
    assert "912.0 MB" in said(offer)
    packs.append(())
    press(offer, "Take them in")
    qtbot.waitUntil(offer.isHidden)
    assert fake_client.last("models_import_carried").args == ()
