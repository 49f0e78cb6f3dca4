"""The guided choice: what is asked of the engine, what is shown of its answers, and what they lead to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from assistive import act
from PySide6.QtWidgets import QCheckBox, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app import settings
from app.engine.errors import AppError
from app.engine.modeltypes import Advice, Needs, Origin, Recommendation
from app.engine.types import ItemKind, Modality
from app.gui.installdialog import InstallDialog
from app.gui.modelchoice import Answer, ModelChoice
from app.gui.modelneeds import remember, remembered
from app.gui.topbar import EVALUATE, MODELS
from app.gui.window import MainWindow

IMAGE, AUDIO = Modality.IMAGE, Modality.AUDIO


def recommend(key: str, **changes: object) -> Recommendation:
    """4,210 items in 12 minutes, as was measured here; keywords replace any field."""
    said = Recommendation(
        key, ("It knows your languages.",), (), 4210, 720.0, True, 6_500_000, 900_000_000, 605_000_000
    )  # fmt: skip
    return replace(said, **changes)


@pytest.fixture
def shown(qtbot: QtBot, window: MainWindow, fake_client, models, make_model, make_status) -> MainWindow:
    """The page of models, with the question to the engine not answered yet."""
    offered = (*models, make_model("install-me"), make_model("install-me-8bit", variant_of="install-me", source=""))
    items = {ItemKind.PHOTO: 4000, ItemKind.FRAME: 210, ItemKind.AUDIO: 9}
    fake_client.answers.update(models=lambda: offered, status=lambda: make_status(items=items))
    window.workspace.refresh()
    window.workspace.refresh_models()
    qtbot.waitUntil(lambda: window.workspace.models == offered and window.workspace.status.items == items)
    window.show_page(MODELS)
    return window


def choice(window: MainWindow) -> ModelChoice:
    return window.models.choice


def press(window: MainWindow, words: str) -> None:
    next(made for made in choice(window).findChildren(QPushButton) if made.text() == words and made.isVisible()).click()


def said(window: MainWindow) -> str:
    return "\n".join(label.text() for label in choice(window).findChildren(QLabel) if label.isVisible())


def answer(qtbot: QtBot, window: MainWindow, fake_client, advice: Advice) -> None:
    fake_client.last("models_advise").answer(advice)
    qtbot.waitUntil(lambda: choice(window).answers == tuple(one.key for one in advice.best))
    qtbot.waitUntil(lambda: all(made.isVisible() for made in choice(window).findChildren(Answer)))


def test_needs_and_the_librarys_items_are_sent_and_answers_shown_in_order(
    qtbot: QtBot, shown: MainWindow, fake_client
) -> None:
    assert fake_client.last("models_advise").args == (Needs(frozenset({IMAGE})), {IMAGE: 4210, AUDIO: 9})
    press(shown, "Sounds")
    press(shown, "German")
    choice(shown).findChild(QCheckBox).click()
    expected = Needs(frozenset({IMAGE, AUDIO}), True, ("en", "de"), True)
    assert fake_client.last("models_advise").args[0] == expected
    best = (recommend("siglip2-b-16"), recommend("clip-vit-b-32", cautions=("English only.",), measured=False))
    answer(qtbot, shown, fake_client, Advice(best, (), "cpu"))
    words = said(shown)
    assert words.index("1. SigLIP 2 B/16") < words.index("2. CLIP ViT-B/32")
    assert "It knows your languages." in words
    assert "English only." in words
    assert "About 12 minutes for 4,210 items (measured here) · 605.0 MB to download · 900.0 MB of memory" in words
    assert "The times are for the processor" in words
    assert "(reckoned from other models) · 900.0 MB of memory · 6.5 MB for its vectors" in words


def test_advice_for_other_needs_is_dropped(qtbot: QtBot, shown: MainWindow, fake_client) -> None:
    late = fake_client.last("models_advise")
    late.answer(Advice((recommend("timbre"),), (), "cpu"))
    qtbot.waitUntil(lambda: choice(shown).answers == ("timbre",))
    press(shown, "German")
    late = fake_client.last("models_advise")
    press(shown, "By example only")
    asked = fake_client.last("models_advise")
    assert asked is not late
    assert asked.args[0].by_words is False
    assert not any(made.isEnabled() for made in choice(shown).findChildren(Answer))
    asked.answer(Advice((recommend("clip-vit-b-32"),), (), "cpu"))
    qtbot.waitUntil(lambda: choice(shown).answers == ("clip-vit-b-32",))
    assert all(made.isEnabled() for made in choice(shown).findChildren(Answer) if made.key == "clip-vit-b-32")
    late.answer(Advice((recommend("siglip2-b-16"),), (), "cpu"))
    qtbot.wait(20)
    assert choice(shown).answers == ("clip-vit-b-32",)


def test_an_answer_that_stays_keeps_the_focus_and_its_place_under_the_mouse(
    qtbot: QtBot, shown: MainWindow, fake_client
) -> None:
    answer(qtbot, shown, fake_client, Advice((recommend("install-me"), recommend("timbre")), (), "cpu"))
    shown.activateWindow()
    button = action_of(shown, "timbre")
    button.setFocus()
    choice(shown).set_advice(Advice((recommend("timbre", items=1), recommend("siglip2-b-16")), (), "cpu"))
    assert choice(shown).answers == ("timbre", "siglip2-b-16")
    assert action_of(shown, "timbre") is button is shown.focusWidget()
    qtbot.waitUntil(lambda: 0 <= said(shown).find("1. Timbre") < said(shown).find("2. SigLIP 2 B/16"))


def test_languages_are_asked_only_of_who_searches_by_words(shown: MainWindow) -> None:
    german = next(made for made in choice(shown).findChildren(QPushButton) if made.text() == "German")
    assert german.isVisible()
    press(shown, "By example only")
    assert not german.isVisible()


def test_assistive_programs_answer_the_questions_without_a_click(shown: MainWindow, fake_client) -> None:
    asked = len(fake_client.of("models_advise"))
    sounds = next(made for made in choice(shown).findChildren(QPushButton) if made.text() == "Sounds")
    act(sounds)
    assert choice(shown).form.needs().kinds == {IMAGE, Modality.AUDIO}
    assert len(fake_client.of("models_advise")) == asked + 1
    act(sounds)
    assert choice(shown).form.needs().kinds == {IMAGE}


def test_the_last_kind_and_the_last_language_stay_chosen(shown: MainWindow, fake_client) -> None:
    asked = len(fake_client.of("models_advise"))
    press(shown, "Photos and videos")
    press(shown, "English")
    assert choice(shown).form.needs() == Needs(frozenset({IMAGE}))
    assert len(fake_client.of("models_advise")) == asked


def test_nothing_is_asked_twice_or_out_of_sight(qtbot: QtBot, shown: MainWindow, fake_client, make_status) -> None:
    asked = len(fake_client.of("models_advise"))
    shown.show_page(EVALUATE)
    shown.show_page(MODELS)
    shown.workspace.refresh_models()
    qtbot.wait(20)
    assert len(fake_client.of("models_advise")) == asked
    shown.show_page(EVALUATE)
    fake_client.answers["status"] = lambda: make_status(items={ItemKind.PHOTO: 1})
    shown.workspace.refresh()
    qtbot.waitUntil(lambda: shown.workspace.status.items == {ItemKind.PHOTO: 1})
    assert len(fake_client.of("models_advise")) == asked
    shown.show_page(MODELS)
    assert fake_client.last("models_advise").args[1] == {IMAGE: 1, AUDIO: 0}


def action_of(window: MainWindow, key: str) -> QPushButton:
    one = next(made for made in window.models.choice.findChildren(Answer) if made.key == key and made.isVisible())
    return next(made for made in one.findChildren(QPushButton) if made.text() != "All facts" and made.isVisible())


def test_each_answer_offers_the_one_thing_to_do(qtbot: QtBot, shown: MainWindow, fake_client) -> None:
    best = tuple(map(recommend, ("install-me", "clip-vit-b-32", "timbre", "siglip2-b-16")))
    answer(qtbot, shown, fake_client, Advice(best, (), "cpu"))
    assert "In use" in said(shown)
    assert action_of(shown, "siglip2-b-16").text() == "See what is missing"
    action_of(shown, "timbre").click()
    assert fake_client.last("set_models").args == (("clip-vit-b-32", "timbre"),)
    action_of(shown, "install-me").click()
    assert fake_client.last("models_plan").args == ("install-me", "")
    assert not fake_client.of("models_install")
    shown.findChild(InstallDialog).reject()


def test_a_variant_is_installed_by_its_bases_files(qtbot: QtBot, shown: MainWindow, fake_client) -> None:
    answer(qtbot, shown, fake_client, Advice((recommend("install-me-8bit"),), (), "cpu"))
    assert action_of(shown, "install-me-8bit").text() == "Install…"
    action_of(shown, "install-me-8bit").click()
    assert fake_client.last("models_plan").args == ("install-me", "")
    shown.findChild(InstallDialog).reject()


def test_all_facts_leads_to_the_models_card(qtbot: QtBot, shown: MainWindow, fake_client) -> None:
    answer(qtbot, shown, fake_client, Advice((recommend("install-me"),), (), "cpu"))
    press(shown, "All facts")
    card = shown.models.list.card("install-me")
    qtbot.waitUntil(lambda: not card.visibleRegion().isEmpty())
    assert any(label.text() == "151 million" for label in card.findChildren(QLabel) if label.isVisible())


def test_why_not_the_others(qtbot: QtBot, shown: MainWindow, fake_client) -> None:
    others = (recommend("timbre", cautions=("It takes no words.",)),)
    answer(qtbot, shown, fake_client, Advice((recommend("install-me"),), others, "cpu"))
    assert "It takes no words." not in said(shown)
    press(shown, "Why not the others?")
    assert "Timbre: It takes no words." in said(shown)


def test_needs_that_no_model_meets_and_advice_that_fails_are_said(qtbot: QtBot, shown: MainWindow, fake_client) -> None:
    fake_client.last("models_advise").answer(Advice((), (), "cpu"))
    qtbot.waitUntil(lambda: "No model does all of that." in said(shown))
    press(shown, "German")
    fake_client.last("models_advise").fail(AppError("No advice", "The catalogue cannot be read."))
    qtbot.waitUntil(lambda: "No advice. The catalogue cannot be read." in said(shown))
    asked = len(fake_client.of("models_advise"))
    shown.show_page(EVALUATE)
    shown.show_page(MODELS)
    assert len(fake_client.of("models_advise")) == asked + 1


def test_measuring_times_the_models_that_are_ready_and_asks_again(qtbot: QtBot, shown: MainWindow, fake_client) -> None:
    unknown = recommend("install-me", seconds=None, measured=False)
    answer(qtbot, shown, fake_client, Advice((unknown,), (), "cpu"))
    assert said(shown).count("How long encoding takes is not measured yet.") == 1
    assert "The times are" not in said(shown)
    press(shown, "Measure this machine (about 9 s)")
    call = fake_client.last("models_measure")
    assert call.args == (("clip-vit-b-32",),)
    assert any(made.text() == "Measuring this machine…" for made in choice(shown).findChildren(QPushButton))
    asked = len(fake_client.of("models_advise"))
    call.answer(None)
    qtbot.waitUntil(lambda: len(fake_client.of("models_advise")) == asked + 1)
    answer(qtbot, shown, fake_client, Advice((recommend("install-me"),), (), "cpu"))
    button = next(made for made in choice(shown).findChildren(QPushButton) if "easure" in made.text())
    qtbot.waitUntil(lambda: button.text() == "Measure again (about 9 s)")


def test_times_that_nothing_here_was_measured_for_are_said_to_be_rough(
    qtbot: QtBot, shown: MainWindow, fake_client
) -> None:
    rough = recommend("install-me", items=10_000, measured=False, rough=True, assumed=True)
    answer(qtbot, shown, fake_client, Advice((rough,), (), "cpu"))
    words = said(shown)
    assert "Roughly 12 minutes for an example of 10,000 items" in words
    assert words.index("this computer is not measured yet") < words.index("1. INSTALL-ME")
    assert any(made.text().startswith("Measure this machine") for made in choice(shown).findChildren(QPushButton))


def test_what_fits_and_is_here_is_shown_however_far_down_and_the_rest_is_named(
    qtbot: QtBot, shown: MainWindow, fake_client, models, make_model
) -> None:
    many = tuple(make_model(f"model-{number}") for number in range(7))
    mine, colour = make_model("mine", ready=True), make_model("colour", ready=True, origin=Origin.BUILT_IN)
    fake_client.answers["models"] = lambda: (*models, *many, mine, colour)
    shown.workspace.refresh_models()
    qtbot.waitUntil(lambda: len(shown.workspace.models) == len(models) + 9)
    best = tuple(recommend(key) for key in (*(one.key for one in many), "mine", "colour", "clip-vit-b-32"))
    fake_client.last("models_advise").answer(Advice(best, (), "cpu", ("No model finds sounds by words in German.",)))
    expected = (*(one.key for one in many[:5]), "mine", "clip-vit-b-32")
    qtbot.waitUntil(lambda: choice(shown).answers == expected)
    qtbot.waitUntil(lambda: "Also fits: MODEL-5, MODEL-6, COLOUR" in said(shown))
    assert "No model finds sounds by words in German." in said(shown)


def test_comparing_on_ones_own_data_leads_to_the_evaluate_page(shown: MainWindow) -> None:
    press(shown, "Compare on my own data")
    assert shown.pages.currentWidget() is shown.evaluate


def test_what_was_said_is_remembered(shown: MainWindow, tmp_path) -> None:
    press(shown, "Sounds")
    press(shown, "Chinese")
    shown.close()
    assert remembered(settings.load(tmp_path)) == Needs(frozenset({IMAGE, AUDIO}), True, ("en", "zh"), False)


@pytest.mark.parametrize(
    "needs",
    [
        Needs(frozenset({IMAGE})),
        Needs(frozenset({AUDIO}), False, ("de", "mul"), True),
        Needs(frozenset({IMAGE, AUDIO}), True, ("ja",), False),
    ],
)
def test_needs_survive_the_settings(needs: Needs) -> None:
    assert remembered(remember(settings.Settings(), needs)) == needs


def test_settings_that_make_no_sense_fall_back() -> None:
    odd = settings.Settings(needs_kinds="smells", needs_languages="klingon")
    assert remembered(odd) == Needs(frozenset({IMAGE}))
