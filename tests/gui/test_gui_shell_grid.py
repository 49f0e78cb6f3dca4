"""The grid of results and the thumbnails it asks for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QPaintEvent, QPixmap
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.engine.types import Hit, ItemKind, MediaKind
from app.gui.engine import Engine
from app.gui.grid import ResultGrid
from app.gui.results import Results
from app.gui.thumbnails import WAITING_MAX, ThumbnailStore


class Painted(QObject):
    """Notes how much of a widget was painted last."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.height_px = 0
        widget.installEventFilter(self)
        widget.update()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QPaintEvent):
            self.height_px = event.rect().height()
        return False


@pytest.fixture
def store(engine: Engine) -> Iterator[ThumbnailStore]:
    made = ThumbnailStore(engine)
    yield made
    made.deleteLater()


@pytest.fixture
def grid(qtbot: QtBot, store: ThumbnailStore) -> ResultGrid:
    made = ResultGrid(store)
    qtbot.addWidget(made)
    made.resize(840, 600)
    made.show()
    return made


def test_arrows_walk_rows_and_columns_and_stop_at_the_edges(qtbot: QtBot, grid: ResultGrid, make_hit) -> None:
    grid.set_results(Results([make_hit(rank) for rank in range(1, 11)]))
    columns = sum(1 for place in range(10) if grid.cell(place).top() == grid.cell(0).top())
    assert columns == 4

    walked = []
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_End,
                Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_Up):  # fmt: skip
        qtbot.keyClick(grid, key)
        walked.append(grid.current.rank)
    assert walked == [1, 2, 6, 5, 1, 10, 10, 1, 1]


def test_enter_opens_and_space_plays(qtbot: QtBot, grid: ResultGrid, make_hit) -> None:
    grid.set_results(Results([make_hit(1), make_hit(2)]))
    grid.set_current(1)
    with qtbot.waitSignal(grid.activated) as opened:
        qtbot.keyClick(grid, Qt.Key.Key_Return)
    assert opened.args == [make_hit(2)]
    with qtbot.waitSignal(grid.play_wanted):
        qtbot.keyClick(grid, Qt.Key.Key_Space)


def test_the_other_moments_of_a_file_unfold_by_key_and_by_their_badge(qtbot: QtBot, grid: ResultGrid, make_hit) -> None:
    moment = {"kind": MediaKind.VIDEO, "item_kind": ItemKind.FRAME, "path": "/film.mp4"}
    grid.set_results(Results([make_hit(1, start_ms=0, **moment), make_hit(2), make_hit(3, start_ms=4000, **moment)]))
    assert [tile.hit.rank for tile in grid.results] == [1, 2]

    grid.set_current(0)
    qtbot.keyClick(grid, Qt.Key.Key_M)
    assert [tile.hit.rank for tile in grid.results] == [1, 3, 2]

    corner = grid.cell(0).topRight()
    qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=corner - corner.__class__(24, -20))
    assert [tile.hit.rank for tile in grid.results] == [1, 2]


def test_more_hits_of_the_same_query_keep_the_place(grid: ResultGrid, make_hit) -> None:
    grid.set_results(Results([make_hit(rank) for rank in range(1, 61)]))
    grid.set_current(40)
    scrolled = grid.verticalScrollBar().value()
    grid.set_results(Results([make_hit(rank) for rank in range(1, 121)]), keep_place=True)
    assert grid.current == make_hit(41)
    assert grid.verticalScrollBar().value() == scrolled > 0


def test_the_end_of_the_list_is_announced_and_the_middle_is_not(qtbot: QtBot, grid: ResultGrid, make_hit) -> None:
    with qtbot.assertNotEmitted(grid.end_near):
        grid.set_results(Results([make_hit(rank) for rank in range(1, 101)]))
        grid.set_current(50)
    with qtbot.waitSignal(grid.end_near):
        grid.set_current(99)


def test_a_screen_reader_hears_the_current_tile(grid: ResultGrid, make_hit) -> None:
    grid.set_results(Results([make_hit(1), make_hit(2)]))
    grid.set_current(1)
    assert grid.accessibleDescription() == "holiday 2.jpg, photo, similarity 0.380, 2 of 2"


def test_only_tiles_in_sight_are_painted_and_asked_for(
    qtbot: QtBot, fake_client, grid: ResultGrid, make_hit: Callable[..., Hit]
) -> None:
    grid.set_results(Results([make_hit(rank) for rank in range(1, 20_001)]))
    qtbot.waitUntil(lambda: bool(fake_client.of("thumbnails")))
    grid.verticalScrollBar().setValue(grid.verticalScrollBar().maximum() // 2)
    began_s = time.perf_counter()
    grid.viewport().grab()
    painted_s = time.perf_counter() - began_s

    assert len(grid.places_in_sight()) <= 24
    assert sum(len(call.args[0]) for call in fake_client.of("thumbnails")) <= 48
    assert painted_s < 0.5  # 20,000 tiles would take far longer


def test_scrolling_paints_what_comes_into_sight_and_nothing_else(qtbot: QtBot, grid: ResultGrid, make_hit) -> None:
    grid.set_results(Results([make_hit(rank) for rank in range(1, 201)]))
    painted = Painted(grid.viewport())
    qtbot.waitUntil(lambda: painted.height_px == grid.viewport().height())
    qtbot.wait(20)
    painted.height_px = 0
    grid.verticalScrollBar().setValue(40)
    qtbot.waitUntil(lambda: painted.height_px > 0)
    assert painted.height_px == 40
    grid.set_results(Results([make_hit(1)]), keep_place=True)
    qtbot.waitUntil(lambda: painted.height_px == grid.viewport().height())


def test_thumbnails_come_in_batches_and_are_kept(qtbot: QtBot, fake_client, store: ThumbnailStore, jpeg: bytes) -> None:
    fake_client.answers["thumbnails"] = lambda ids: dict.fromkeys(ids, jpeg)
    with qtbot.waitSignal(store.arrived) as arrived:
        assert [store.pixmap(item_id) for item_id in (1, 2, 3)] == [None] * 3
    assert arrived.args == [{1, 2, 3}]
    assert [call.args for call in fake_client.of("thumbnails")] == [((3, 2, 1),)]
    assert isinstance(store.pixmap(2), QPixmap)
    assert len(fake_client.calls) == 1


def test_what_was_scrolled_past_is_not_fetched(qtbot: QtBot, fake_client, store: ThumbnailStore, jpeg: bytes) -> None:
    fake_client.answers["thumbnails"] = lambda ids: dict.fromkeys(ids, jpeg)
    for item_id in range(WAITING_MAX + 100):
        store.pixmap(item_id)
    come: set[int] = set()
    store.arrived.connect(come.update)
    qtbot.waitUntil(lambda: len(come) == WAITING_MAX)
    asked = [item_id for call in fake_client.of("thumbnails") for item_id in call.args[0]]
    assert asked[0] == WAITING_MAX + 99
    assert min(asked) == 100


def test_an_item_without_a_thumbnail_is_asked_for_once(qtbot: QtBot, fake_client, store: ThumbnailStore) -> None:
    fake_client.answers["thumbnails"] = lambda ids: {}
    for _ in range(2):
        store.pixmap(7)
        qtbot.waitUntil(lambda: len(fake_client.calls) == 1)
    store.pixmap(8)
    qtbot.waitUntil(lambda: len(fake_client.calls) == 2)
    assert fake_client.calls[-1].args == ((8,),)


def test_another_librarys_late_thumbnails_are_dropped(
    qtbot: QtBot, fake_client, store: ThumbnailStore, jpeg: bytes
) -> None:
    store.pixmap(1)
    qtbot.waitUntil(lambda: bool(fake_client.calls))
    store.clear()
    with qtbot.assertNotEmitted(store.arrived, wait=20):
        fake_client.calls[0].answer({1: jpeg})
    assert store.pixmap(1) is None


def test_the_cache_stays_within_its_budget(qtbot: QtBot, engine: Engine, fake_client, jpeg: bytes) -> None:
    picture_bytes = 96 * 64 * 4
    small = ThumbnailStore(engine, budget_bytes=2 * picture_bytes)
    fake_client.answers["thumbnails"] = lambda ids: dict.fromkeys(ids, jpeg)
    for item_id in (1, 2, 3):
        with qtbot.waitSignal(small.arrived):
            small.pixmap(item_id)
    assert small.pixmap(3) is not None
    assert small.pixmap(1) is None
    small.deleteLater()
