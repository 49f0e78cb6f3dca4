"""Taking a model out of a library: its vectors are kept until the person says that their space is wanted."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QCheckBox, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.engine.librarytypes import SpaceCount
from app.gui.modelcard import ModelCard
from app.gui.models import ModelsPage
from app.gui.window import MainWindow


@pytest.fixture
def page(qtbot: QtBot, window: MainWindow, fake_client, make_status) -> ModelsPage:
    """The page of a library with 500,000 items of CLIP; choosing answers as the engine does."""
    spaces = {"clip-vit-b-32": SpaceCount(500_000, 512)}
    fake_client.answers.update(
        status=lambda: make_status(spaces=spaces),
        set_models=lambda keys: make_status(
            models=keys,
            spaces={key: space for key, space in spaces.items() if key in keys},
            kept={key: space for key, space in spaces.items() if key not in keys},
        ),
    )
    window.show_page(2)
    window.workspace.refresh()
    qtbot.waitUntil(lambda: window.workspace.status is not None and window.workspace.status.spaces == spaces)
    return window.models


def card(page: ModelsPage) -> ModelCard:
    return next(one for one in page.findChildren(ModelCard) if one.key == "clip-vit-b-32")


def untick(page: ModelsPage) -> None:
    card(page).findChild(QCheckBox).click()


def button(page: ModelsPage, words: str) -> QPushButton:
    made = [made for made in card(page).findChildren(QPushButton) if made.text() == words]
    return next((one for one in made if one.isVisible()), made[0])


def says(page: ModelsPage, words: str) -> bool:
    return any(label.text() == words for label in card(page).findChildren(QLabel) if label.isVisible())


def test_a_model_taken_out_keeps_its_vectors_and_asks_in_place(qtbot: QtBot, page: ModelsPage, fake_client) -> None:
    untick(page)
    qtbot.waitUntil(lambda: fake_client.last("set_models").args == ((),))
    assert says(page, "Its vectors of 500,000 items are kept, so that it can be used again without indexing.")
    assert button(page, "Free about 512.0 MB").isVisible()
    button(page, "Keep them").click()
    assert not button(page, "Free about 512.0 MB").isVisible()
    assert not fake_client.of("forget_model")
    assert says(page, "Keeps about 512.0 MB")
    assert button(page, "Free").isVisible()


def test_what_was_kept_can_be_freed_later(
    qtbot: QtBot, window: MainWindow, page: ModelsPage, fake_client, make_status
) -> None:
    kept = {"clip-vit-b-32": SpaceCount(500_000, 512)}
    assert not button(page, "Free").isVisible()
    fake_client.answers["status"] = lambda: make_status(models=(), spaces={}, kept=kept)
    window.workspace.refresh()
    qtbot.waitUntil(lambda: says(page, "Keeps about 512.0 MB"))
    button(page, "Free").click()
    assert [call.args for call in fake_client.of("forget_model")] == [("clip-vit-b-32",)]
    assert says(page, "Its space is being freed…")
    assert not button(page, "Free").isVisible()
    fake_client.last("forget_model").answer(make_status(models=(), spaces={}))
    qtbot.waitUntil(lambda: says(page, "Its space is free again"))
    assert not button(page, "Free").isVisible()


def test_freeing_asks_the_engine_once_and_says_when_it_is_done(
    qtbot: QtBot, window: MainWindow, page: ModelsPage, fake_client, make_status
) -> None:
    untick(page)
    button(page, "Free about 512.0 MB").click()
    assert [call.args for call in fake_client.of("forget_model")] == [("clip-vit-b-32",)]
    assert says(page, "Its space is being freed…")
    fake_client.last("forget_model").answer(make_status(models=(), spaces={}))
    qtbot.waitUntil(lambda: says(page, "Its space is free again"))


def test_ticking_it_again_answers_the_question(qtbot: QtBot, page: ModelsPage, fake_client) -> None:
    untick(page)
    qtbot.waitUntil(lambda: len(fake_client.of("set_models")) == 1)
    untick(page)
    assert fake_client.last("set_models").args == (("clip-vit-b-32",),)
    assert not button(page, "Keep them").isVisible()


def test_the_question_outlives_a_look_at_the_models(
    qtbot: QtBot, window: MainWindow, page: ModelsPage, fake_client, models
) -> None:
    untick(page)
    asked = button(page, "Keep them")
    window.workspace.refresh_models()
    qtbot.waitUntil(lambda: window.workspace.models == models)
    assert asked.isVisible()


def test_a_model_without_vectors_is_taken_out_without_a_question(qtbot: QtBot, models, make_status) -> None:
    page = ModelsPage()
    qtbot.addWidget(page)
    page.set_models(models)
    page.set_library(make_status(spaces={}))
    page.show()
    untick(page)
    assert not button(page, "Keep them").isVisible()


def test_what_earlier_weights_encoded_is_told_and_can_be_freed(
    qtbot: QtBot, window: MainWindow, page: ModelsPage, fake_client, make_status
) -> None:
    earlier = {"clip-vit-b-32": SpaceCount(500_000, 512)}
    fake_client.answers["status"] = lambda: make_status(spaces={"clip-vit-b-32": SpaceCount(7, 512)}, earlier=earlier)
    window.workspace.refresh()
    words = "Its weights have changed. What the earlier ones encoded, 500,000 items, is kept and not searched."
    qtbot.waitUntil(lambda: says(page, words))
    assert says(page, "7 items encoded")
    button(page, "Free about 512.0 MB").click()
    call = fake_client.last("forget_model")
    assert (call.args, call.kwargs) == (("clip-vit-b-32",), {"earlier": True})
    call.answer(make_status(spaces={"clip-vit-b-32": SpaceCount(7, 512)}))
    qtbot.wait(20)
    assert not says(page, words)
    assert card(page).use.used
