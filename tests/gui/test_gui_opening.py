"""What the window makes of the files it was started with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app.engine.types import Modality
from app.gui import topbar
from app.gui.engine import Engine
from app.gui.window import MainWindow


@pytest.fixture
def picture(tmp_path: Path, jpeg: bytes) -> Path:
    path = tmp_path / "ein Föto.jpg"
    path.write_bytes(jpeg)
    return path


def asked(fake_client: Any) -> list[tuple[Modality, str]]:
    """What the last search is by."""
    return [(part.modality, part.path) for part in fake_client.last("search").args[0].query.parts]


def test_files_wait_until_the_library_is_open(
    qtbot: QtBot, window: MainWindow, fake_client: Any, make_status: Any, picture: Path, tmp_path: Path
) -> None:
    del fake_client.answers["open"]
    made = MainWindow(Engine(fake_client), tmp_path)
    qtbot.addWidget(made)
    made.search_by_files([str(picture), str(tmp_path)])
    made.start()
    qtbot.wait(1)
    assert not fake_client.of("search")
    assert not fake_client.of("index")
    fake_client.last("open").answer(make_status())
    qtbot.waitUntil(lambda: bool(fake_client.of("search")))
    assert asked(fake_client) == [(Modality.IMAGE, str(picture))]
    assert fake_client.last("index").args[0].folders == (str(tmp_path),)


def test_several_files_are_one_query_in_place_of_the_one_before(
    qtbot: QtBot, window: MainWindow, fake_client: Any, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.search_by_files(["/elsewhere/film.mp4"])
    window.show_page(topbar.MODELS)
    monkeypatch.chdir(picture.parent)
    window.search_by_files([picture.as_uri(), picture.name])
    assert window.pages.currentWidget() is window.search
    assert asked(fake_client) == [(Modality.IMAGE, str(picture))] * 2
    window.search_by_files(["/elsewhere/dog.wav"])
    assert asked(fake_client) == [(Modality.AUDIO, "/elsewhere/dog.wav")]


def test_what_cannot_be_searched_by_is_named(window: MainWindow, fake_client: Any, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    window.search_by_files([str(tmp_path / "letter.txt")])
    assert not fake_client.of("search")
    assert "This is no picture, video or sound" in window.banner.text
    assert "letter.txt" in window.banner.text
