"""All models on their page: filters, facts, states, variants; and that it can be read and reached at any size."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.engine.jobs import Progress
from app.engine.librarytypes import SpaceCount
from app.engine.modeltypes import (
    Advice,
    Installation,
    InstalledFile,
    InstallPlan,
    ModelStatus,
    Origin,
    Pin,
    Recommendation,
)
from app.engine.types import Modality
from app.gui import modelwords, theme
from app.gui.installdialog import InstallDialog
from app.gui.modelcard import ModelCard
from app.gui.models import ModelsPage

SOUND = frozenset({Modality.AUDIO})


@pytest.fixture
def offered(make_model) -> tuple[ModelStatus, ...]:
    long = "Finds pictures by words in many languages. The best first choice for photos; it needs 1.5 GB of memory."
    record = Installation("hub: makers/clip", "main", "2026-01-01", (InstalledFile("w.pt", 605, "ab", Pin.PUBLISHED),))
    return (
        make_model("many", name="SigLIP 2", languages=("mul",), summary=long, licence="Apache-2.0"),
        make_model("clip", ready=True, installation=record),
        make_model("clip-8bit", name="Fast 8-bit variant", ready=True, variant_of="clip", source=""),
        make_model("research", commercial=False, licence="CC-BY-NC-4.0", languages=("de", "en")),
        make_model("cnn", accepts=SOUND, languages=(), ready=True, summary="Finds sounds of a kind."),
        make_model("bad", accepts=SOUND, damaged=True, problem="Its file cnn.pth has changed.", summary="Sounds."),
        make_model("mine", origin=Origin.ADDED, ready=True, source="", commercial=None, licence=""),
    )


@pytest.fixture
def page(qtbot: QtBot, offered, make_status) -> ModelsPage:
    made = ModelsPage()
    qtbot.addWidget(made)
    made.set_models(offered)
    made.set_library(make_status(models=("clip",), spaces={"clip": SpaceCount(3, 512)}))
    made.resize(900, 700)
    made.show()
    return made


def shown(page: ModelsPage) -> set[str]:
    return {card.key for card in page.findChildren(ModelCard) if card.isVisible()}


def card(page: ModelsPage, key: str) -> ModelCard:
    return next(one for one in page.findChildren(ModelCard) if one.key == key)


def said(within: QWidget) -> str:
    return "\n".join(label.text() for label in within.findChildren(QLabel) if label.isVisible())


def press(within: QWidget, words: str) -> None:
    next(made for made in within.findChildren(QPushButton) if made.text() == words and made.isVisible()).click()


# --- filters ---------------------------------------------------------------------------------------------------------


def test_what_is_here_comes_first_and_a_variant_below_its_base(page: ModelsPage) -> None:
    cards = [one for one in page.findChildren(ModelCard) if one.isVisible()]
    assert [one.key for one in sorted(cards, key=lambda one: one.y())] == [
        "clip", "cnn", "bad", "mine", "many", "research",
    ]  # fmt: skip
    assert "Fast 8-bit variant" in said(card(page, "clip"))


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("siglip", {"many"}),
        ("german", {"research", "many"}),
        ("music", {"cnn", "bad"}),
        ("photos many", {"many"}),
        ("many languages", {"many"}),
        ("apache", {"many"}),
        ("sounds kind", {"cnn"}),
        ("8-bit", {"clip"}),
        ("violin", set()),
    ],
)
def test_words_find_models_by_name_language_licence_and_sentence(page: ModelsPage, words: str, left: set[str]) -> None:
    page.list.findChild(QLineEdit).setText(words)
    assert shown(page) == left
    assert f"{len(left)} of 6 models" in said(page.list)


@pytest.mark.parametrize(
    ("switches", "left"),
    [
        (("Sounds",), {"cnn", "bad"}),
        (("Pictures", "Installed"), {"clip", "mine"}),
        (("Words", "May be used at work"), {"many", "clip"}),
        (("Words", "Sounds"), set()),
    ],
)
def test_switches_must_all_hold(page: ModelsPage, switches: tuple[str, ...], left: set[str]) -> None:
    for words in switches:
        press(page.list, words)
    assert shown(page) == left


def test_an_empty_list_offers_the_way_back(page: ModelsPage) -> None:
    page.list.findChild(QLineEdit).setText("violin")
    assert "No model is like that." in said(page.list)
    press(page.list, "Show all models")
    assert len(shown(page)) == 6


def test_looking_at_a_models_facts_takes_the_filter_away(page: ModelsPage) -> None:
    press(page.list, "Sounds")
    page.show_card("many")
    assert "many" in shown(page)


def test_a_ticked_model_whose_space_is_empty_is_not_indexed_yet(page: ModelsPage, make_status) -> None:
    """Its weights may have changed, or could not be read. One with nothing here to encode waits for nothing."""
    spaces = {"clip": SpaceCount(0, 512), "cnn": SpaceCount(0, 512)}
    page.set_library(make_status(models=("clip", "cnn"), spaces=spaces))
    assert page.list.unindexed == ("CLIP",)


def test_what_a_model_takes_is_said_with_its_units(make_model) -> None:
    sounds = make_model("cnn", accepts=SOUND, input_px=None, sample_rate_hz=48_000)
    assert ("Input", "Sounds at 48,000 Hz") in modelwords.facts(sounds)


def test_the_names_of_facts_keep_their_width_beside_a_paper(page: ModelsPage) -> None:
    press(card(page, "many"), "All facts")
    QApplication.processEvents()
    labels = {label.text(): label for label in card(page, "many").findChildren(QLabel) if label.isVisible()}
    assert labels["Parameters"].width() < labels["151 million"].width() / 2


# --- cards -----------------------------------------------------------------------------------------------------------


def test_a_card_says_how_its_model_stands_and_what_is_wrong(page: ModelsPage) -> None:
    assert "Ready" in said(card(page, "clip"))
    assert "Not installed" in said(card(page, "many"))
    assert "Put its weights" not in said(card(page, "many"))
    assert "Needs attention" in said(card(page, "bad"))
    assert "Its file cnn.pth has changed." in said(card(page, "bad"))
    press(card(page, "many"), "All facts")
    assert "Put its weights into that folder." in said(card(page, "many"))


def test_all_facts_are_there_on_demand(page: ModelsPage) -> None:
    clip = card(page, "clip")
    assert "151 million" not in said(clip)
    press(clip, "All facts")
    for words in (
        "Pictures, by words or by example", "English", "512", "Pictures of 224 × 224 pixels", "151 million",
        "605.0 MB", "about 900.0 MB", "MIT: Free for any use.", "May be used at work", "hub: makers/clip",
        "w.pt, 605 bytes, held against the checksum that its makers publish",
    ):  # fmt: skip
        assert words in said(clip)
    press(clip, "All facts")
    assert "151 million" not in said(clip)


def test_the_paper_opens_only_when_it_is_asked_for(page: ModelsPage, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url) or True)
    press(card(page, "clip"), "All facts")
    assert opened == []
    press(card(page, "clip"), "https://arxiv.org/abs/2103.00020")
    assert opened == [QUrl("https://arxiv.org/abs/2103.00020")]


def test_a_variant_is_offered_unticked_and_chosen_by_hand(qtbot: QtBot, page: ModelsPage) -> None:
    box = next(made for made in page.findChildren(QCheckBox) if "Fast 8-bit" in made.accessibleName())
    assert not box.isChecked()
    with qtbot.waitSignal(page.chosen) as chosen:
        box.click()
    assert chosen.args == [("clip", "clip-8bit")]


def test_a_variant_that_this_machine_cannot_run_says_so(page: ModelsPage, offered, make_model) -> None:
    variant = make_model("clip-8bit", variant_of="clip", source="", problem="This processor computes no 8-bit layers.")
    page.set_models(tuple(variant if model.key == "clip-8bit" else model for model in offered))
    assert "This processor computes no 8-bit layers." in said(card(page, "clip"))
    boxes = [box for box in card(page, "clip").findChildren(QCheckBox) if box.isVisible()]
    assert [box.accessibleName() for box in boxes] == ["Use CLIP in this library"]


def test_models_that_change_keep_their_cards_and_the_focus(page: ModelsPage, offered, make_model) -> None:
    page.activateWindow()
    many = card(page, "many")
    install = next(made for made in many.findChildren(QPushButton) if made.text() == "Install…")
    details = next(made for made in many.findChildren(QPushButton) if made.text() == "All facts")
    details.setFocus()
    details.click()
    page.set_models((make_model("many", ready=True, name="SigLIP 2"), *offered[1:]))
    assert card(page, "many") is many
    assert "Ready" in said(many)
    assert not install.isVisible()
    assert page.focusWidget() is details


def test_an_added_model_comes_and_goes_without_touching_the_others(page: ModelsPage, offered, make_model) -> None:
    clip = card(page, "clip")
    page.set_models((*offered, make_model("new", origin=Origin.ADDED, ready=True, source="")))
    assert "new" in shown(page)
    page.set_models(offered[:-1])
    assert shown(page) == {"clip", "cnn", "bad", "many", "research"}
    assert card(page, "clip") is clip
    assert "Fast 8-bit variant" in said(clip)


def test_a_model_in_use_whose_files_are_gone_can_be_taken_out(qtbot: QtBot, page: ModelsPage, make_status) -> None:
    page.set_library(make_status(models=("many",)))
    box = next(made for made in card(page, "many").findChildren(QCheckBox) if made.isVisible())
    with qtbot.waitSignal(page.chosen) as chosen:
        box.click()
    assert chosen.args == [()]


@pytest.mark.parametrize(
    ("commercial", "words"),
    [(True, "May be used at work"), (False, "Not for use at work"), (None, "Use at work: not known, read the licence")],
)
def test_use_at_work_is_a_plain_answer(commercial: bool | None, words: str) -> None:
    assert modelwords.at_work(commercial) == words


def test_languages_have_names() -> None:
    assert modelwords.languages(("en", "de", "mul", "tlh-x")) == "English, German, many languages, tlh-x"


# --- to be read and reached ------------------------------------------------------------------------------------------


@pytest.fixture
def dressed(qapp: QApplication) -> Iterator[None]:
    """In the program's own style, as the window is."""
    sheet, palette = qapp.styleSheet(), qapp.palette()
    theme.apply("light")
    yield
    qapp.setStyleSheet(sheet)
    qapp.setPalette(palette)


def fill(page: ModelsPage) -> None:
    """All that can be shown at once: advice, facts, progress, a question about vectors, an error."""
    reasons = ("It understands words in many languages.", "It is the most exact that this computer runs quickly.")
    page.choice.set_advice(
        Advice(
            tuple(
                Recommendation(key, reasons, ("It needs a lot of memory.",), 42_310, 8400.0, False, 10**7, 10**9, 10**9)
                for key in ("many", "clip", "research")
            ),
            (),
            "cpu",
        )
    )
    for one in page.findChildren(ModelCard):
        one.open()
    card(page, "many").job.show_progress(
        "Downloading open_clip_model.safetensors", Progress("Downloading", 1, 2, 0, 8e6, 3)
    )
    card(page, "clip").findChild(QCheckBox).click()
    QApplication.processEvents()


def clipped(within: QWidget) -> list[str]:
    """The words that have less room than they need."""
    found = []
    for made in within.findChildren(QWidget):
        if not made.isVisible() or made.width() <= 0:
            continue
        if isinstance(made, QLabel) and made.text():
            enough = (
                made.height() >= made.heightForWidth(made.width())
                if made.wordWrap()
                else made.width() >= made.sizeHint().width()
            )
        elif isinstance(made, QAbstractButton) and made.text():
            enough = made.width() >= made.sizeHint().width() and made.height() >= made.sizeHint().height()
        else:
            continue
        if not enough:
            found.append(f"{made.text()!r}: {made.size()}, wants {made.sizeHint()}")
    return found


@pytest.mark.parametrize("width_px", [548, 680, 900, 1700])
def test_no_words_are_cut_off_at_any_width(qtbot: QtBot, dressed: None, page: ModelsPage, width_px: int) -> None:
    page.resize(width_px, 600)
    fill(page)
    content = page.findChild(QWidget, "content")
    assert content
    qtbot.waitUntil(lambda: clipped(page) == [])
    assert content.width() <= width_px


def test_no_words_are_cut_off_in_the_consent(qtbot: QtBot, dressed: None) -> None:
    plan = InstallPlan(
        "a", "A", "hub: makers/a", "https://hub.example/" + "makers/" * 20, ("open_clip_model.safetensors",) * 5,
        605_000_000, 0, 90_000_000_000, "Apple-AMLR", "For research only, and never at work. " * 4, False,
        "/home/me/.local/share/semblance/models/a-very-long-name-of-a-model-that-somebody-gave-it",
    )  # fmt: skip
    dialog = InstallDialog("A", lambda _mirror, done, _failed: done(plan))
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitUntil(lambda: clipped(dialog) == [])


def test_everything_has_a_name_and_is_reached_from_top_to_bottom(page: ModelsPage) -> None:
    fill(page)
    reached: list[QWidget] = []
    widget = page.nextInFocusChain()
    while widget is not page and widget is not None:
        if widget.isVisible() and isinstance(widget, (QAbstractButton, QLineEdit)) and widget.isEnabled():
            reached.append(widget)
        widget = widget.nextInFocusChain()
    for one in page.findChildren(QAbstractButton):
        if one.isVisible() and one.isEnabled() and not one.objectName().startswith("qt_") and one.text():
            assert one in reached
    for one in reached:
        assert one.accessibleName() or getattr(one, "text", str)() or one.toolTip() or one.objectName()
    parts = [page.choice, page.list]
    order = [next(index for index, part in enumerate(parts) if part.isAncestorOf(one)) for one in reached
             if any(part.isAncestorOf(one) for part in parts)]  # fmt: skip
    assert order == sorted(order)
    cards = page.findChildren(ModelCard)
    tops = [inside.y() for one in reached for inside in cards if inside.isAncestorOf(one)]
    assert tops == sorted(tops)


@pytest.mark.parametrize("choice", ["light", "dark"])
def test_both_themes_dress_every_part(dressed: None, page: ModelsPage, choice: str) -> None:
    theme.apply(choice)
    fill(page)
    worn, other = (theme.DARK, theme.LIGHT) if choice == "dark" else (theme.LIGHT, theme.DARK)
    image = page.grab().toImage()
    seen = {image.pixelColor(x, y).name() for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)}
    assert {worn.ground, worn.surface, worn.accent} <= seen
    assert not {other.ground, other.surface} & seen - {worn.on_accent}
