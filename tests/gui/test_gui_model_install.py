"""Installing from the window: nothing before the consent, and a way on after every end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.bridge.messages import Action
from app.engine.errors import AppError, EngineDied, WeightsCorrupt
from app.engine.jobs import Progress
from app.engine.modeltypes import InstallPlan
from app.gui.installdialog import InstallDialog
from app.gui.modelcard import ModelCard
from app.gui.topbar import MODELS, SEARCH
from app.gui.window import MainWindow

PLAN = InstallPlan(
    "a", "A", "hub: makers/a", "https://hub.example/makers/a", ("model.safetensors", "tokenizer.json"), 605_000_000, 0,
    90_000_000_000, "MIT", "Free for any use.", True, "/home/me/models/a",
)  # fmt: skip


@pytest.fixture
def shown(qtbot: QtBot, window: MainWindow, fake_client, models, make_model) -> MainWindow:
    fast = make_model("a-8bit", variant_of="a", source="")
    offered = (*models, make_model("a"), fast, make_model("b"), make_model("c"))
    fake_client.answers["models"] = lambda: offered
    window.workspace.refresh_models()
    qtbot.waitUntil(lambda: window.workspace.models == offered)
    window.show_page(MODELS)
    return window


def card(window: MainWindow, key: str) -> ModelCard:
    made = window.models.list.card(key)
    assert made
    return made


def press(within: QWidget, words: str) -> None:
    button = next(made for made in within.findChildren(QPushButton) if made.text() == words and made.isVisible())
    assert button.isEnabled()
    button.click()


def offers(within: QWidget, words: str) -> bool:
    return any(made.text() == words and made.isVisible() for made in within.findChildren(QPushButton))


def consent(window: MainWindow, key: str) -> InstallDialog:
    press(card(window, key), "Install…")
    return next(made for made in window.findChildren(InstallDialog) if made.isVisible())


def agree(qtbot: QtBot, window: MainWindow, fake_client, key: str) -> None:
    dialog = consent(window, key)
    fake_client.last("models_plan").answer(replace(PLAN, key=key))
    qtbot.waitUntil(lambda: "hub: makers/a" in dialog.text)
    press(dialog, "Install")


# --- the consent -----------------------------------------------------------------------------------------------------


def test_nothing_is_fetched_before_all_was_said_and_agreed_to(qtbot: QtBot, shown: MainWindow, fake_client) -> None:
    dialog = consent(shown, "a")
    assert fake_client.last("models_plan").args == ("a", "")
    button = next(made for made in dialog.findChildren(QPushButton) if made.text() == "Install")
    assert not button.isEnabled()
    fake_client.last("models_plan").answer(PLAN)
    qtbot.waitUntil(button.isEnabled)
    for words in (
        PLAN.source,
        PLAN.address,
        "model.safetensors, tokenizer.json",
        "605.0 MB",
        "90.0 GB",
        PLAN.folder,
        "MIT: Free for any use.",
        "May be used at work",
        "Nothing else is ever fetched",
    ):
        assert words in dialog.text
    assert not fake_client.of("models_install")
    button.click()
    assert fake_client.last("models_install").args == ("a", "")


def test_cancel_and_escape_fetch_nothing(qtbot: QtBot, shown: MainWindow, fake_client) -> None:
    dialog = consent(shown, "a")
    fake_client.last("models_plan").answer(PLAN)
    qtbot.waitUntil(lambda: PLAN.source in dialog.text)
    qtbot.keyClick(dialog, Qt.Key.Key_Return)  # the focus is on Cancel
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not shown.findChildren(InstallDialog))
    press(consent(shown, "a"), "Cancel")
    assert not fake_client.of("models_install")


def test_a_plan_that_comes_after_the_dialog_was_closed_finds_nobody(
    qtbot: QtBot, shown: MainWindow, fake_client
) -> None:
    press(consent(shown, "a"), "Cancel")
    qtbot.waitUntil(lambda: not shown.findChildren(InstallDialog))
    fake_client.last("models_plan").answer(PLAN)
    qtbot.wait(20)
    assert not shown.banner.text


def test_another_address_is_planned_anew_before_it_can_be_agreed_to(
    qtbot: QtBot, shown: MainWindow, fake_client
) -> None:
    dialog = consent(shown, "a")
    fake_client.last("models_plan").answer(PLAN)
    qtbot.waitUntil(lambda: PLAN.address in dialog.text)
    press(dialog, "Fetch from another address…")
    install = next(made for made in dialog.findChildren(QPushButton) if made.text() == "Install")
    field = dialog.findChild(QLineEdit)
    qtbot.keyClicks(field, "https://mirror")
    assert not install.isEnabled()
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert not fake_client.of("models_install")
    assert fake_client.last("models_plan").args == ("a", "https://mirror")
    fake_client.last("models_plan").fail(AppError("No such mirror", "Nobody answers there."))
    qtbot.waitUntil(lambda: "No such mirror. Nobody answers there." in dialog.text)
    assert not install.isEnabled()
    qtbot.keyClicks(field, ".example")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    fake_client.last("models_plan").answer(replace(PLAN, address="https://mirror.example/makers/a"))
    qtbot.waitUntil(install.isEnabled)
    assert "https://mirror.example/makers/a" in dialog.text
    assert "No such mirror" not in dialog.text
    install.click()
    assert fake_client.last("models_install").args == ("a", "https://mirror.example")


def test_a_plan_for_an_address_typed_over_is_dropped(qtbot: QtBot, shown: MainWindow, fake_client) -> None:
    dialog = consent(shown, "a")
    late = fake_client.last("models_plan")
    press(dialog, "Fetch from another address…")
    field = dialog.findChild(QLineEdit)
    qtbot.keyClicks(field, "https://mirror")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    late.answer(PLAN)
    qtbot.wait(20)
    assert PLAN.address not in dialog.text
    dialog.reject()


@pytest.mark.parametrize(
    ("changes", "words", "allowed"),
    [
        ({"free_bytes": 5_000_000}, "free 600.0 MB first", False),
        ({"free_bytes": 5_000_000, "present_bytes": 601_000_000}, "601.0 MB are here already", True),
        ({"commercial": False}, "does not allow use at work", True),
        ({"download_bytes": None}, "Not known before it begins", True),
    ],
)
def test_what_stands_against_it_is_said(qtbot: QtBot, shown, fake_client, changes, words: str, allowed: bool) -> None:
    dialog = consent(shown, "a")
    fake_client.last("models_plan").answer(replace(PLAN, **changes))
    qtbot.waitUntil(lambda: words in dialog.text)
    install = next(made for made in dialog.findChildren(QPushButton) if made.text() in ("Install", "Go on"))
    assert install.isEnabled() is allowed
    dialog.reject()


# --- the download ----------------------------------------------------------------------------------------------------


def test_progress_is_shown_on_the_card_and_at_the_foot_and_goes_on_on_other_pages(
    qtbot: QtBot, shown: MainWindow, fake_client
) -> None:
    agree(qtbot, shown, fake_client, "a")
    call = fake_client.last("models_install")
    call.progress(
        Progress("Downloading model.safetensors", 120_000_000, 605_000_000, 0, 8_200_000.0, 59.0, in_bytes=True)
    )
    words = "Downloading model.safetensors\n120.0 MB of 605.0 MB · 8.2 MB a second · about 1 minute left"
    qtbot.waitUntil(lambda: card(shown, "a").job.text == words)
    assert shown.model_work.text == f"A: {words}"
    assert not offers(card(shown, "a"), "Install…")
    shown.show_page(SEARCH)
    assert shown.model_work.isVisible()
    assert call.actions == []
    shown.show_page(MODELS)
    assert card(shown, "a").job.text == words


def test_cancelling_is_told_to_the_engine_and_leaves_the_card_as_before(
    qtbot: QtBot, shown: MainWindow, fake_client
) -> None:
    agree(qtbot, shown, fake_client, "a")
    press(card(shown, "a").job, "Cancel")
    assert fake_client.last("models_install").actions == [Action.CANCEL]
    qtbot.waitUntil(lambda: offers(card(shown, "a"), "Install…"))
    assert card(shown, "a").job.text == ""
    assert shown.model_work.text == "A: stopped\nWhat was fetched is kept for the next time."


def test_a_break_says_why_and_goes_on_with_the_same_address(qtbot: QtBot, shown: MainWindow, fake_client) -> None:
    agree(qtbot, shown, fake_client, "a")
    fake_client.last("models_install").fail(AppError("The download broke", "What was fetched is kept."))
    qtbot.waitUntil(lambda: card(shown, "a").job.text == "The download broke\nWhat was fetched is kept.")
    assert shown.model_work.text.startswith("A: The download broke")
    assert not shown.banner.text
    press(card(shown, "a").job, "Go on")
    assert [call.args for call in fake_client.of("models_install")] == [("a", ""), ("a", "")]
    assert len(fake_client.of("models_plan")) == 1


def test_a_model_that_has_come_turns_ready_and_can_be_used_at_once(
    qtbot: QtBot, shown: MainWindow, fake_client, make_model, make_status, models
) -> None:
    agree(qtbot, shown, fake_client, "a")
    installed = make_model("a", ready=True)
    before = card(shown, "a")
    fake_client.answers["models"] = lambda: (*models, installed, make_model("b"), make_model("c"))
    fake_client.answers["set_models"] = lambda keys: make_status(models=keys)
    fake_client.last("models_install").answer(installed)
    qtbot.waitUntil(lambda: "Ready" in card(shown, "a").accessibleName())
    assert card(shown, "a") is before
    assert before.job.text == "A is ready\nIts files are here and checked."
    press(before.job, "Use in this library")
    assert fake_client.last("set_models").args == (("clip-vit-b-32", "a"),)
    assert before.job.text == ""
    qtbot.waitUntil(lambda: offers(shown.models, "Index with the ticked models"))
    press(shown.models, "Index with the ticked models")
    assert fake_client.of("index")


def test_several_wait_for_each_other_and_one_that_waits_can_be_taken_back(
    qtbot: QtBot, shown: MainWindow, fake_client, make_model
) -> None:
    for key in ("a", "b", "c"):
        agree(qtbot, shown, fake_client, key)
    assert [call.args[0] for call in fake_client.of("models_install")] == ["a"]
    assert card(shown, "b").job.text.startswith("Waiting")
    assert shown.model_work.text.startswith("A: Getting ready (2 more waiting)")
    press(card(shown, "b").job, "Cancel")
    assert shown.model_work.text.startswith("A: Getting ready (1 more waiting)")
    assert card(shown, "b").job.text == ""
    assert fake_client.last("models_install").actions == []
    fake_client.last("models_install").answer(make_model("a", ready=True))
    qtbot.waitUntil(lambda: [call.args[0] for call in fake_client.of("models_install")] == ["a", "c"])


def test_what_is_being_installed_is_not_asked_about_again(qtbot: QtBot, shown: MainWindow, fake_client) -> None:
    agree(qtbot, shown, fake_client, "a")
    shown.models.choice.install_wanted.emit("a")
    assert not [dialog for dialog in shown.findChildren(InstallDialog) if dialog.isVisible()]
    assert len(fake_client.of("models_plan")) == 1
    assert len(fake_client.of("models_install")) == 1


def test_one_that_fails_does_not_hold_up_the_next(qtbot: QtBot, shown: MainWindow, fake_client) -> None:
    for key in ("a", "b"):
        agree(qtbot, shown, fake_client, key)
    fake_client.last("models_install").fail(AppError("Refused", "Its checksum is another."))
    qtbot.waitUntil(lambda: fake_client.last("models_install").args == ("b", ""))
    assert card(shown, "a").job.text == "Refused\nIts checksum is another."
    assert shown.model_work.text.startswith("B: ")


def test_an_engine_that_died_fails_all_of_them_and_each_can_go_on(qtbot: QtBot, shown: MainWindow, fake_client) -> None:
    for key in ("a", "b"):
        agree(qtbot, shown, fake_client, key)
    fake_client.last("models_install").fail(EngineDied("The engine stopped", ""))
    fake_client.die()
    for key in ("a", "b"):
        qtbot.waitUntil(lambda key=key: card(shown, key).job.text.startswith("It was interrupted"))
    assert len(fake_client.of("models_install")) == 1
    words = "2 downloads were interrupted\nThe engine stopped. What was fetched is kept."
    qtbot.waitUntil(lambda: shown.model_work.text == words)
    press(card(shown, "b").job, "Go on")
    assert fake_client.last("models_install").args == ("b", "")


def test_downloads_that_were_interrupted_together_go_on_together(qtbot: QtBot, shown: MainWindow, fake_client) -> None:
    for key in ("a", "b", "c"):
        agree(qtbot, shown, fake_client, key)
    fake_client.last("models_install").fail(EngineDied("The engine stopped", ""))
    qtbot.waitUntil(lambda: shown.model_work.text.startswith("3 downloads were interrupted"))
    press(shown.model_work, "Go on with all")
    assert [task.args for task in shown.model_actions.jobs.tasks] == [("a", ""), ("b", ""), ("c", "")]
    assert card(shown, "b").job.text.startswith("Waiting")


def test_an_8_bit_variant_is_installed_with_its_base_and_is_the_one_that_is_used(
    qtbot: QtBot, shown: MainWindow, fake_client, make_model, make_status, models
) -> None:
    shown.models.choice.install_wanted.emit("a-8bit")
    dialog = next(made for made in shown.findChildren(InstallDialog) if made.isVisible())
    assert "A-8BIT runs on the files of A: installed once, they serve both." in dialog.text
    fake_client.last("models_plan").answer(PLAN)
    qtbot.waitUntil(lambda: PLAN.source in dialog.text)
    press(dialog, "Install")
    fast = make_model("a-8bit", variant_of="a", source="", ready=True)
    installed = make_model("a", ready=True)
    fake_client.answers["models"] = lambda: (*models, installed, fast, make_model("b"), make_model("c"))
    fake_client.answers["set_models"] = lambda keys: make_status(models=keys)
    fake_client.last("models_install").answer(installed)
    qtbot.waitUntil(lambda: card(shown, "a").job.text == "A-8BIT is ready\nIts files are here and checked.")
    qtbot.waitUntil(lambda: "Ready" in card(shown, "a").accessibleName())
    press(card(shown, "a").job, "Use in this library")
    assert fake_client.last("set_models").args == (("clip-vit-b-32", "a-8bit"),)


def test_what_was_thrown_away_is_tried_again_by_one_button(qtbot: QtBot, shown: MainWindow, fake_client) -> None:
    agree(qtbot, shown, fake_client, "a")
    fake_client.last("models_install").fail(WeightsCorrupt("These are not the right bytes", "They were thrown away."))
    qtbot.waitUntil(lambda: offers(card(shown, "a"), "Try again"))
    assert not offers(card(shown, "a"), "Install…")
    card(shown, "a").job.put_away()
    assert offers(card(shown, "a"), "Install…")


def test_a_download_that_was_left_is_shown_and_gone_on_with(
    qtbot: QtBot, shown: MainWindow, fake_client, make_model, models
) -> None:
    offered = (*models, make_model("a", partial_bytes=120_000_000))
    fake_client.answers["models"] = lambda: offered
    shown.workspace.refresh_models()
    qtbot.waitUntil(lambda: "Unfinished download" in card(shown, "a").accessibleName())
    press(card(shown, "a"), "Go on…")
    dialog = next(made for made in shown.findChildren(InstallDialog) if made.isVisible())
    dialog.reject()


def test_progress_that_was_under_way_does_not_undo_the_word_of_stopping(
    qtbot: QtBot, shown: MainWindow, fake_client
) -> None:
    agree(qtbot, shown, fake_client, "a")
    call = fake_client.last("models_install")
    line = card(shown, "a").job
    line.show_stopping()
    call.progress(Progress("Downloading model.safetensors", 1, 2))
    qtbot.wait(20)
    assert line.text == "Stopping"
    call.fail(AppError("Stopped", "Too late."))
    qtbot.waitUntil(lambda: line.text == "Stopped\nToo late.")
