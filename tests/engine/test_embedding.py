"""Decoding ahead, cutting anew, and trying again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

from app.engine.embedding import GROUP_ITEMS, LOOK_AHEAD_GROUPS, Chosen, embed
from app.engine.errors import AppError, MediaUnreadable
from app.engine.jobs import NULL_JOB
from app.engine.librarytypes import IndexReport, IndexRequest, LibrarySettings
from app.engine.media.decode import DecodedPart, DecodeRequest, decode
from app.engine.media.pool import DecoderPool
from app.engine.session import Session
from app.engine.store.batches import Sampling
from app.engine.types import ItemKind, SearchRequest
from app.engine.types import Query as Asked

AHEAD_ITEMS = LOOK_AHEAD_GROUPS * GROUP_ITEMS
Index = Callable[..., IndexReport]
MakePhoto = Callable[..., Path]
MakeSound = Callable[..., Path]


class HeldPool(DecoderPool):
    """Decodes here and now, but hands a file over only when it is let go, or fails it as a dying child would."""

    def __init__(self) -> None:
        super().__init__(workers=1)
        self.held: dict[str, tuple[DecodeRequest, Future[DecodedPart]]] = {}
        self.failing: dict[str, MediaUnreadable] = {}
        self.asked: list[str] = []
        self.hold: Callable[[str], bool] = lambda _name: False

    def decode(self, request: DecodeRequest) -> Future[DecodedPart]:
        name = os.path.basename(os.fsdecode(request.path))
        self.asked.append(name)
        future: Future[DecodedPart] = Future()
        if self.hold(name):
            self.held[name] = (request, future)
        else:
            self._finish(name, request, future)
        return future

    def let_go(self) -> None:
        for name, (request, future) in self.held.items():
            self._finish(name, request, future)
        self.held.clear()

    def _finish(self, name: str, request: DecodeRequest, future: Future[DecodedPart]) -> None:
        if name in self.failing:
            future.set_exception(self.failing[name])
            return
        try:
            future.set_result(decode(request))
        except MediaUnreadable as error:
            future.set_exception(error)


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[HeldPool]:
    with HeldPool() as made:
        monkeypatch.setattr("app.engine.session.DecoderPool", lambda: made)
        yield made


def crashed(path: Path) -> MediaUnreadable:
    return MediaUnreadable("This file cannot be read", "The decoder crashed on it.", str(path), passing=True)


def test_no_more_is_decoded_ahead_than_the_bound(pool: HeldPool, photo: MakePhoto, index: Index) -> None:
    for number in range(AHEAD_ITEMS + 20):
        photo(f"{number:03}.png", number)
    most_ahead = 0
    taken = 0
    real = pool.decode

    def counted(request: DecodeRequest) -> Future[DecodedPart]:
        nonlocal most_ahead
        most_ahead = max(most_ahead, len(pool.asked) + 1 - taken)
        future = real(request)
        result = future.result

        def take(timeout: float | None = None) -> DecodedPart:
            nonlocal taken
            taken += 1
            return result(timeout)

        future.result = take  # type: ignore[method-assign]
        return future

    pool.decode = counted  # type: ignore[method-assign]
    report = index()
    assert report.encoded["colour-texture"] == AHEAD_ITEMS + 20
    assert AHEAD_ITEMS // 2 < most_ahead <= AHEAD_ITEMS


def test_a_slow_file_holds_nobody_up(pool: HeldPool, photo: MakePhoto, session: Session, tmp_path: Path) -> None:
    for number in range(4):
        photo(f"{number}.png", number)
    pool.hold = lambda name: name == "0.png"
    real = pool.decode

    def decode_and_let_go(request: DecodeRequest) -> Future[DecodedPart]:
        future = real(request)
        if request.path.endswith(b"3.png"):
            pool.let_go()
        return future

    pool.decode = decode_and_let_go  # type: ignore[method-assign]
    report = session.index(IndexRequest((str(tmp_path / "media"),), ("colour-texture",)))
    assert report.encoded["colour-texture"] == 4


def test_what_failed_by_a_passing_cause_is_tried_again(pool: HeldPool, photo: MakePhoto, index: Index) -> None:
    path = photo("a.png")
    pool.failing["a.png"] = crashed(path)
    assert [failure.path for failure in index().failures] == [str(path)]
    pool.failing.clear()
    report = index()
    assert report.failures == ()
    assert report.encoded["colour-texture"] == 1


def test_what_keeps_failing_is_not_tried_for_ever(pool: HeldPool, photo: MakePhoto, index: Index) -> None:
    path = photo("a.png")
    pool.failing["a.png"] = crashed(path)
    for _ in range(5):
        assert len(index().failures) == 1
    assert pool.asked == ["a.png"] * 3


def test_a_damaged_file_is_not_tried_again(pool: HeldPool, photo: MakePhoto, index: Index) -> None:
    path = photo("a.png")
    path.write_bytes(path.read_bytes()[:60])
    index()
    index()
    assert pool.asked == ["a.png"]


# --- sampling --------------------------------------------------------------------------------------------------------


def test_sounds_are_cut_anew_when_the_window_changes_and_photos_are_left(
    session: Session, photo: MakePhoto, sound: MakeSound, index: Index
) -> None:
    photo("a.png")
    sound("b.wav", seconds=25)
    assert index().items[ItemKind.AUDIO] == 3
    status = session.set_settings(replace(session.status().settings, window_ms=5_000))
    assert status.settings.window_ms == 5_000
    report = index()
    assert report.items == {ItemKind.PHOTO: 1, ItemKind.FRAME: 0, ItemKind.AUDIO: 5}
    assert report.encoded == {"colour-texture": 0, "timbre": 5}
    assert index().encoded == {"colour-texture": 0, "timbre": 0}


def test_search_finds_what_was_cut_anew_and_nothing_of_before(session: Session, sound: MakeSound, index: Index) -> None:
    path = sound("b.wav", seconds=25)
    other = sound("c.wav", 900, seconds=25)
    index()
    session.set_settings(LibrarySettings(window_ms=5_000))
    index()
    hits = session.search(SearchRequest(Asked.of_sound(str(path)), k=50)).hits
    assert {(hit.start_ms, hit.end_ms) for hit in hits if hit.path == str(other)} == {
        (start_ms, start_ms + 5_000) for start_ms in range(0, 25_000, 5_000)
    }


def test_judgments_outlive_a_change_of_the_window(session: Session, sound: MakeSound, index: Index) -> None:
    path = sound("b.wav", seconds=25)
    sound("c.wav", 900, seconds=25)
    index()
    query = session.evaluations.add_query(Asked.of_sound(str(path)))
    pool = session.evaluations.pool(query.id)
    for each in pool.items:
        session.evaluations.judge(query.id, each.item.item_id, 1)
    for window_ms in (5_000, 10_000):
        session.set_settings(LibrarySettings(window_ms=window_ms))
        index()
    assert [each.grade for each in session.evaluations.pool(query.id).items] == [1] * len(pool.items)


@pytest.mark.parametrize("settings", [LibrarySettings(window_ms=0), LibrarySettings(frame_interval_ms=10**9)])
def test_a_useless_sampling_is_refused_with_a_sentence(session: Session, settings: LibrarySettings) -> None:
    with pytest.raises(AppError, match="Choose between 0.5 and 600 seconds"):
        session.set_settings(settings)
    assert session.status().settings == LibrarySettings()


def test_settings_outlive_the_session(home: Path) -> None:
    chosen = LibrarySettings(3_000, 7_000, ("*.tmp", "cache/*"), hidden=True, watch=False)
    with Session.open(home) as session:
        session.set_settings(chosen)
    with Session.open(home) as session:
        assert session.status().settings == chosen


def sizes_given(session: Session, photo: MakePhoto, tmp_path: Path, batch_size: int) -> list[int]:
    """How many of nine photos an encoder that asks for so many is given at a time."""
    for number in range(9):
        photo(f"{number}.png", number)
    encoder = session._encoders.load("colour-texture")
    sizes: list[int] = []
    real = encoder.encode
    encoder.batch_size = batch_size  # type: ignore[misc]
    encoder.encode = lambda samples: sizes.append(len(samples)) or real(samples)  # type: ignore[method-assign,func-returns-value]
    session.index(IndexRequest((str(tmp_path / "media"),), ("colour-texture",)))
    return sizes


def test_an_encoder_is_given_no_more_at_a_time_than_it_asks_for(
    pool: HeldPool, photo: MakePhoto, session: Session, tmp_path: Path
) -> None:
    assert sizes_given(session, photo, tmp_path, batch_size=4) == [4, 4, 1]


def test_a_large_batch_is_one_group(
    pool: HeldPool, photo: MakePhoto, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engine.embedding.GROUP_ITEMS", 2)
    assert sizes_given(session, photo, tmp_path, batch_size=6) == [6, 3]


def test_nothing_to_do_is_done_at_once(pool: HeldPool, session: Session) -> None:
    space = session._indexer._make_space("timbre")
    chosen = [Chosen(session._encoders.load("timbre"), space)]
    spaces, rates = session._indexer._spaces, session._indexer._rates
    assert embed(pool, spaces, chosen, [], Sampling(2_000, 10_000), rates, NULL_JOB) == {"timbre": 0}


def test_short_clips_keep_every_child_busy(pool: HeldPool, sound: MakeSound, session: Session, tmp_path: Path) -> None:
    for number in range(40):
        sound(f"{number}.wav", 300.0 + 10 * number, seconds=0.5)
    pool.hold = lambda _name: len(pool.asked) < 40
    real = pool.decode

    def decode_and_let_go_at_last(request: DecodeRequest) -> Future[DecodedPart]:
        future = real(request)
        if len(pool.asked) == 40:
            pool.let_go()
        return future

    pool.decode = decode_and_let_go_at_last  # type: ignore[method-assign]
    report = session.index(IndexRequest((str(tmp_path / "media"),), ("timbre",)))
    assert report.encoded["timbre"] == 40, "all forty were asked for before the first was handed over"
