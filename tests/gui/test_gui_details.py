"""The details pane and what it plays: what is shown of a hit, what is said when it is out of reach, and silence."""

from __future__ import annotations

import sys
import wave
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QPoint, Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.engine.errors import AppError
from app.engine.types import Hit, ItemDetails, ItemKind, MediaKind
from app.gui.details import DetailsPane
from app.gui.engine import Engine
from app.gui.player import Player
from app.gui.thumbnails import ThumbnailStore

MakeHit = Callable[..., Hit]


@pytest.fixture
def pane(qtbot: QtBot, engine: Engine) -> Iterator[DetailsPane]:
    thumbnails = ThumbnailStore(engine)
    made = DetailsPane(engine, thumbnails)
    qtbot.addWidget(made)
    made.resize(340, 700)
    made.show()
    yield made
    thumbnails.deleteLater()


@pytest.fixture
def describe(jpeg: bytes) -> Callable[..., ItemDetails]:
    def make(hit: Hit, **changes: Any) -> ItemDetails:
        details = ItemDetails(
            item_id=hit.item_id, path=hit.path, copies=("/backup/holiday.jpg",), kind=hit.kind,
            item_kind=hit.item_kind, start_ms=hit.start_ms, end_ms=hit.end_ms, width_px=4000, height_px=3000,
            duration_ms=None, size_bytes=2_500_000, taken_ms=None, modified_ms=1_600_000_000_000,
            caption="A quiet bay", preview=jpeg,
        )  # fmt: skip
        return replace(details, **changes)

    return make


def clipped(pane: DetailsPane) -> list[str]:
    """The texts that have not the height their lines take."""
    labels = [label for label in pane.findChildren(QLabel) if label.isVisible() and label.hasHeightForWidth()]
    return [label.text() for label in labels if label.height() < label.heightForWidth(label.width())]


@pytest.fixture
def sound_hit(make_hit: MakeHit, tmp_path: Path) -> Hit:
    """A stretch of 0.1 to 0.3 s of a real, silent sound file."""
    path = tmp_path / "silence.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16_000))
    return make_hit(
        1, path=str(path), kind=MediaKind.AUDIO, item_kind=ItemKind.AUDIO, start_ms=100, end_ms=300
    )  # fmt: skip


@pytest.fixture
def no_multimedia(monkeypatch: pytest.MonkeyPatch) -> None:
    """A computer without the system libraries that QtMultimedia needs."""
    monkeypatch.setitem(sys.modules, "PySide6.QtMultimedia", None)


def test_a_path_that_wraps_is_shown_whole(
    qtbot: QtBot, pane: DetailsPane, fake_client: Any, make_hit: MakeHit, describe: Callable[..., ItemDetails]
) -> None:
    for letters in range(1, 60):
        copy = (
            f"/home/{'holiday-pictures-'[:letters]}/{'of-last-summer-in-the-mountains-'[: max(0, letters - 17)]}/1.jpg"
        )
        fake_client.answers["details"] = lambda _id, copy=copy: describe(make_hit(2), copies=(copy,))
        with qtbot.waitSignal(pane.preview.described):
            pane.show_hit(make_hit(2))
        QCoreApplication.processEvents()
        assert pane.facts["Copies"] == copy
        assert not clipped(pane)


def test_a_photo_is_shown_with_its_facts(
    qtbot: QtBot, pane: DetailsPane, fake_client: Any, make_hit: MakeHit, describe: Callable[..., ItemDetails]
) -> None:
    hit = make_hit(2)
    pane.show_hit(hit)
    assert pane.facts["Kind"] == "Photo"
    with qtbot.waitSignal(pane.preview.described):
        fake_client.last("details").answer(describe(hit))
    assert pane.facts["Dimensions"] == "4,000 × 3,000 px"
    assert pane.facts["Caption"] == "A quiet bay"
    assert pane.facts["Copies"] == "/backup/holiday.jpg"
    assert "0.380" in pane.facts["Similarity"]
    assert not pane.preview.playable


def test_only_the_newest_hit_is_shown(
    qtbot: QtBot, pane: DetailsPane, fake_client: Any, make_hit: MakeHit, describe: Callable[..., ItemDetails]
) -> None:
    pane.show_hit(make_hit(1))
    pane.show_hit(make_hit(2))
    first, second = fake_client.of("details")
    assert first.actions  # it was cancelled
    with qtbot.waitSignal(pane.preview.described):
        second.answer(describe(make_hit(2), caption="The second"))
    assert pane.facts["Caption"] == "The second"


def test_choosing_nothing_forgets_the_facts(pane: DetailsPane, make_hit: MakeHit) -> None:
    pane.show_hit(make_hit(1))
    pane.show_hit(None)
    assert pane.facts == {}


def test_a_file_out_of_reach_is_said_and_not_played(
    qtbot: QtBot, pane: DetailsPane, fake_client: Any, sound_hit: Hit, describe: Callable[..., ItemDetails]
) -> None:
    pane.show_hit(sound_hit)
    with qtbot.waitSignal(pane.preview.described):
        fake_client.last("details").answer(describe(sound_hit, present=False))
    pane.toggle_play()
    assert "out of reach" in pane.preview.sentence
    assert not pane.preview.player.path


def test_an_item_that_is_gone_is_said(qtbot: QtBot, pane: DetailsPane, fake_client: Any, make_hit: MakeHit) -> None:
    pane.show_hit(make_hit(1))
    with qtbot.waitSignal(pane.preview.failed):
        fake_client.last("details").fail(AppError("Gone", "Its file has left the library."))
    assert pane.preview.sentence == "Its file has left the library."


def test_more_like_this_asks_with_the_hit(qtbot: QtBot, pane: DetailsPane, make_hit: MakeHit) -> None:
    hit = make_hit(3)
    pane.show_hit(hit)
    with qtbot.waitSignal(pane.search_like) as asked:
        qtbot.mouseClick(pane._like, Qt.MouseButton.LeftButton)
    assert asked.args == [hit]


def test_a_double_click_opens_the_picture_with_its_own_program(
    qtbot: QtBot,
    pane: DetailsPane,
    fake_client: Any,
    make_hit: MakeHit,
    describe: Callable[..., ItemDetails],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()) is None)
    hit = make_hit(1)
    pane.show_hit(hit)
    with qtbot.waitSignal(pane.preview.described):
        fake_client.last("details").answer(describe(hit))
    qtbot.mouseDClick(pane.preview.canvas, Qt.MouseButton.LeftButton)
    assert opened == [hit.path]


def test_without_its_libraries_playing_is_refused_in_a_sentence(
    qtbot: QtBot,
    pane: DetailsPane,
    fake_client: Any,
    sound_hit: Hit,
    describe: Callable[..., ItemDetails],
    no_multimedia: None,
) -> None:
    pane.show_hit(sound_hit)
    with qtbot.waitSignal(pane.preview.described):
        fake_client.last("details").answer(describe(sound_hit, duration_ms=1000))
    pane.toggle_play()
    assert "Open the file in another program" in pane.preview.sentence
    assert not pane.preview.player.playing


class TestRealPlaying:
    """With QtMultimedia itself, where the system has the libraries it links to."""

    @pytest.fixture(autouse=True)
    def needs_multimedia(self) -> None:
        pytest.importorskip(
            "PySide6.QtMultimedia", reason="QtMultimedia's system libraries are missing", exc_type=ImportError
        )

    def test_a_stretch_is_played_to_its_end_and_rewound(self, qtbot: QtBot, sound_hit: Hit) -> None:
        player = Player()
        moments: list[int] = []
        player.moved.connect(moments.append)
        player.load(sound_hit.path, 100, 300)
        with qtbot.waitSignal(player.rewound, timeout=20_000):
            player.play()
        assert not player.playing
        assert moments[0] == 100
        assert moments[-1] == 100
        assert all(100 <= moment < 300 for moment in moments)
        player.stop()

    def test_a_click_on_the_waveform_seeks_and_another_hit_brings_silence(
        self,
        qtbot: QtBot,
        pane: DetailsPane,
        fake_client: Any,
        sound_hit: Hit,
        make_hit: MakeHit,
        describe: Callable[..., ItemDetails],
    ) -> None:
        pane.show_hit(sound_hit)
        with qtbot.waitSignal(pane.preview.described):
            fake_client.last("details").answer(describe(sound_hit, duration_ms=1000))
        player, canvas = pane.preview.player, pane.preview.canvas
        middle = QPoint(canvas.width() // 2, 10)
        with qtbot.waitSignal(player.moved, timeout=20_000) as moved:
            qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=middle)
        assert abs(moved.args[0] - 200) <= 2
        assert not player.playing
        pane.toggle_play()
        assert player.playing
        pane.show_hit(make_hit(2))
        assert not player.playing
        assert not player.path

    def test_hiding_the_pane_brings_silence(
        self,
        qtbot: QtBot,
        pane: DetailsPane,
        fake_client: Any,
        sound_hit: Hit,
        describe: Callable[..., ItemDetails],
    ) -> None:
        pane.show_hit(sound_hit)
        with qtbot.waitSignal(pane.preview.described):
            fake_client.last("details").answer(describe(sound_hit, duration_ms=1000))
        pane.toggle_play()
        assert pane.preview.player.playing
        pane.hide()
        assert not pane.preview.player.playing

    def test_a_file_that_is_no_medium_is_said(self, qtbot: QtBot, tmp_path: Path) -> None:
        path = tmp_path / "notes.wav"
        path.write_text("no sound at all")
        player = Player()
        said: list[str] = []
        player.troubled.connect(said.append)
        player.load(str(path))
        player.play()
        qtbot.waitUntil(lambda: any("cannot be played" in sentence for sentence in said), timeout=20_000)
        assert not player.playing
        player.stop()
