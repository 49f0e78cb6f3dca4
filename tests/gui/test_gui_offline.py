"""Folders whose drive is away: what is still shown of them, and what is said where they would be opened."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QDesktopServices
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.engine.librarytypes import Root
from app.engine.types import Query
from app.gui import theme
from app.gui.hitmenu import HitMenu
from app.gui.offline import Offline
from app.gui.sidebar import Sidebar, offline_words
from app.gui.window import MainWindow

HERE, AWAY = Root("/photos", True, 1204, 1204), Root("/media/usb", False, 7, 7)


@pytest.mark.parametrize(
    ("path", "root"),
    [("/media/usb/a.jpg", "/media/usb"), ("/photos/a.jpg", None), ("/media/usb2/a.jpg", None),
     ("/media/usb/card/a.jpg", None)],
)  # fmt: skip
def test_a_file_is_away_with_the_folder_that_holds_it(path: str, root: str | None) -> None:
    assert Offline.among((HERE, AWAY, Root("/media/usb/card", True, 1, 1))).root_of(path) == root


def test_the_sidebar_greys_the_folder_and_says_that_nothing_is_lost(qtbot: QtBot, make_status) -> None:
    sidebar = Sidebar()
    qtbot.addWidget(sidebar)
    sidebar.set_status(make_status(roots=(HERE, AWAY)))
    rows = [sidebar._folders.item(row) for row in range(3)]
    assert [row.foreground().color() == QColor(theme.colours().muted) for row in rows] == [False, False, True]
    said = next(label for label in sidebar.findChildren(QLabel) if "not there now" in label.text())
    assert (
        said.text() == "usb is not there now. What was indexed of it is kept and can still be searched. "
        "Moved? Add it again from the new place."
    )
    assert not said.isHidden()
    sidebar.set_status(make_status(roots=(HERE,)))
    assert said.isHidden()


def test_several_folders_are_named_together() -> None:
    said = offline_words((AWAY, HERE, Root("/media/card", False, 1, 1)))
    assert (
        said == "usb, card are not there now. What was indexed of them is kept and can still be searched. "
        "Moved? Add them again from the new place."
    )


@pytest.fixture
def away(qtbot: QtBot, window: MainWindow, fake_client, make_status, make_reply, make_hit) -> MainWindow:
    """A window whose first result is there and whose second is on a drive that is not."""
    hits = (make_hit(1), make_hit(2, path="/media/usb/sea.jpg"))
    fake_client.answers["status"] = lambda: make_status(roots=(HERE, AWAY))
    fake_client.answers["search"] = lambda request: make_reply(hits=hits, generation=request.generation)
    window.workspace.refresh()
    window.search.bar.set_query(Query.of_text("sea"))
    qtbot.waitUntil(lambda: window.search.grid.results.hits == 2)
    qtbot.waitUntil(lambda: window.workspace.status is not None and len(window.workspace.status.roots) == 2)
    return window


def colour_of(window: MainWindow, place: int) -> QColor:
    """The colour in the middle of a tile's picture."""
    grid = window.search.grid
    middle = QPoint(grid.cell(place).center().x(), grid.cell(place).top() + 60)
    return QColor(grid.viewport().grab().toImage().pixel(middle))


def test_a_tile_of_a_file_that_is_away_is_grey_until_the_drive_is_back(
    qtbot: QtBot, away: MainWindow, fake_client, make_status
) -> None:
    grid = away.search.grid
    qtbot.waitUntil(lambda: colour_of(away, 0) != QColor(theme.colours().raised))  # the thumbnails have come
    qtbot.waitUntil(lambda: colour_of(away, 1) != colour_of(away, 0))
    assert "/media/usb is not there now" in grid._tooltip(grid.results[1])
    assert "not there now" not in grid._tooltip(grid.results[0])
    fake_client.answers["status"] = lambda: make_status(roots=(HERE, Root("/media/usb", True, 7, 7)))
    away.workspace.refresh()
    qtbot.waitUntil(lambda: colour_of(away, 1) == colour_of(away, 0))


def test_opening_a_file_that_is_away_says_so(
    qtbot: QtBot, away: MainWindow, fake_client, make_status, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    away.search.grid.activated.emit(away.search.grid.results[1].hit)
    assert away.details.preview.sentence == (
        "The file is out of reach: /media/usb is not there now. Connect its drive to open it."
    )
    disabled = [made.text() for made in away.details.findChildren(QPushButton) if not made.isEnabled()]
    assert disabled == ["Open", "Show in folder"]
    fake_client.answers["status"] = lambda: make_status(roots=(HERE, Root("/media/usb", True, 7, 7)))
    away.workspace.refresh()
    qtbot.waitUntil(lambda: away.details.preview.sentence == "")
    assert not opened


def test_the_menu_names_the_folder_that_is_away(qtbot: QtBot, window: MainWindow, make_hit) -> None:
    menu = HitMenu(make_hit(1, path="/media/usb/sea.jpg"), "/media/usb", window)
    offered = {action.text(): action.isEnabled() for action in menu.actions() if action.text()}
    assert offered["Not there now: /media/usb"] is False
    assert "Open with its own program" not in offered
    assert offered["Search for what is like this"] is True
    menu.close()
    menu.deleteLater()
