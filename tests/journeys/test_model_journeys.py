"""A model comes, is checked, and goes again: the real window, engine and downloads; only the hub is made up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hub
import pytest
import tinymodel
from PySide6.QtWidgets import QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.gui.installdialog import InstallDialog
from app.gui.modelcard import ModelCard
from app.gui.modeldialogs import RemoveDialog
from app.gui.topbar import MODELS
from app.gui.window import MainWindow

WAIT_MS = 90_000
CUT_AFTER = 100_000
SOURCE = "tinymodel:source"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[hub.Hub]:
    """A hub that holds the one model of this home's catalogue; no proxy of this machine is asked."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    with hub.running() as made:
        made.put(tinymodel.REPO, {tinymodel.WEIGHTS: tinymodel.weights()})
        monkeypatch.setenv("HF_ENDPOINT", made.address)
        home.mkdir(parents=True)
        source = tinymodel.hub_source({"name": tinymodel.WEIGHTS})
        tinymodel.write_catalogue(home / "catalogue.toml", tinymodel.entry(source=source))
        yield made


@pytest.fixture
def window(qtbot: QtBot, open_window, served: hub.Hub) -> MainWindow:
    """The page of models, with the one model not installed."""
    made: MainWindow = open_window(SOURCE).window
    made.show_page(MODELS)
    qtbot.waitUntil(lambda: bool(made.workspace.models), timeout=WAIT_MS)
    return made


def press(within: QWidget, words: str) -> None:
    button = next(made for made in within.findChildren(QPushButton) if made.text() == words and made.isVisible())
    assert button.isEnabled(), words
    button.click()


def offers(within: QWidget, words: str) -> bool:
    return any(made.text() == words and made.isVisible() for made in within.findChildren(QPushButton))


def pick(within: QWidget, words: str) -> None:
    next(one for menu in within.findChildren(QMenu) for one in menu.actions() if one.text() == words).trigger()


def the_card(window: MainWindow) -> ModelCard:
    made = window.models.list.card(tinymodel.KEY)
    assert made
    return made


def agree(qtbot: QtBot, window: MainWindow, served: hub.Hub) -> None:
    press(the_card(window), "Install…")
    consent = window.findChild(InstallDialog)
    qtbot.waitUntil(lambda: served.address in consent.text, timeout=WAIT_MS)
    assert served.requests == []  # nobody is asked anything before the person agrees
    press(consent, "Install")


def wait_for(qtbot: QtBot, window: MainWindow, words: str) -> None:
    qtbot.waitUntil(lambda: words in window.model_work.text, timeout=WAIT_MS)


def test_a_model_comes_through_a_break_is_checked_and_removed(
    qtbot: QtBot, window: MainWindow, served: hub.Hub, home: Path
) -> None:
    served.faults.append(hub.Fault(tinymodel.WEIGHTS, cut_after=CUT_AFTER))
    agree(qtbot, window, served)
    wait_for(qtbot, window, "Tiny is ready")
    first, second = (got for got in served.gets(tinymodel.WEIGHTS) if got.sent_bytes)
    assert (first.first_byte, second.first_byte) == (0, CUT_AFTER)
    weights = home / "models" / tinymodel.KEY / tinymodel.WEIGHTS
    assert weights.read_bytes() == tinymodel.weights()
    qtbot.waitUntil(lambda: the_card(window).model.ready, timeout=WAIT_MS)
    served.vanish()  # from here on nothing may need it

    pick(the_card(window), "Check its files")
    wait_for(qtbot, window, "Every byte is as it was")
    damaged = bytearray(weights.read_bytes())
    damaged[-1] ^= 1
    weights.write_bytes(damaged)
    pick(the_card(window), "Check its files")
    wait_for(qtbot, window, "Files of models have changed")
    qtbot.waitUntil(lambda: offers(the_card(window), "Install again…"), timeout=WAIT_MS)

    pick(the_card(window), "Remove its files…")
    press(window.findChild(RemoveDialog), "Remove its files")
    wait_for(qtbot, window, "The files of Tiny are gone")
    qtbot.waitUntil(lambda: offers(the_card(window), "Install…"), timeout=WAIT_MS)
    assert not weights.exists()


def test_a_refused_download_says_why_and_goes_on_when_asked(qtbot: QtBot, window: MainWindow, served: hub.Hub) -> None:
    served.always = hub.Fault(status=404, error_code="RepoNotFound")
    agree(qtbot, window, served)
    qtbot.waitUntil(lambda: offers(the_card(window), "Go on"), timeout=WAIT_MS)
    assert the_card(window).job.text
    served.always = None
    press(the_card(window), "Go on")
    wait_for(qtbot, window, "Tiny is ready")


def test_a_download_can_be_cancelled_and_the_window_used_meanwhile(
    qtbot: QtBot, window: MainWindow, served: hub.Hub, home: Path
) -> None:
    served.faults.append(hub.Fault(tinymodel.WEIGHTS, trickle=True))
    agree(qtbot, window, served)
    qtbot.waitUntil(lambda: " of " in the_card(window).job.text, timeout=WAIT_MS)
    with qtbot.waitSignal(window.workspace.status_changed, timeout=WAIT_MS):
        window.workspace.refresh()
    press(the_card(window).job, "Cancel")
    wait_for(qtbot, window, "Tiny: stopped")
    assert not (home / "models" / tinymodel.KEY).exists()
    assert offers(the_card(window), "Install…")
