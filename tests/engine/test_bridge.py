"""The bridge: requests cross to the engine's process and come back; its death is noticed and loses nothing."""

from __future__ import annotations

import functools
import multiprocessing
import os
import queue
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import app.engine.session
from app.bridge import server
from app.bridge.client import EngineClient, ProcessLauncher
from app.bridge.messages import Event, Part, Request
from app.engine.errors import AppError, EngineDied, LibraryTooNew
from app.engine.jobs import Cancelled, Job, Progress
from app.engine.librarytypes import IndexRequest, LibrarySettings, News
from app.engine.types import Query, SearchRequest
from app.engine.watching import Pace, Watcher

Make = Callable[..., Path]
WAIT_S = 60
BRISK = Pace(quiet_s=0.2, longest_s=2.0, poll_s=0.2)


class Died:
    """Remembers that the engine ended by itself."""

    def __init__(self) -> None:
        self.event = threading.Event()

    def __call__(self) -> None:
        self.event.set()


@pytest.fixture
def died() -> Died:
    return Died()


@pytest.fixture
def client(home: Path, died: Died) -> Iterator[EngineClient]:
    engine = EngineClient(ProcessLauncher(home), died)
    engine.start()
    yield engine
    engine.close()


def test_a_library_is_opened_indexed_and_searched_across_the_bridge(
    client: EngineClient, photo: Make, tmp_path: Path
) -> None:
    first, second = photo("a.png", 1), photo("b.png", 2)
    assert client.call("open", "default").future.result(WAIT_S).roots == ()
    seen: list[Progress] = []
    request = IndexRequest((str(tmp_path / "media"),), ("colour-texture",))
    report = client.call("index", request, on_progress=seen.append).future.result(WAIT_S)
    assert report.spaces["colour-texture"].items == 2
    assert {"Looking through folders", "Encoding"} <= {progress.phase for progress in seen}
    reply = client.call("search", SearchRequest(Query.of_image(str(first)), generation=7)).future.result(WAIT_S)
    assert ([Path(hit.path) for hit in reply.hits], reply.generation) == ([second], 7)
    assert client.call("libraries").future.result(WAIT_S) == ("default",)


def test_errors_cross_as_they_are(client: EngineClient, tmp_path: Path) -> None:
    client.call("open", "default").future.result(WAIT_S)
    with pytest.raises(AppError, match="no such folder") as refused:
        client.call("index", IndexRequest((str(tmp_path / "nowhere"),))).future.result(WAIT_S)
    assert refused.value.path == str(tmp_path / "nowhere")


def test_a_fault_of_the_program_is_called_one(client: EngineClient) -> None:
    client.call("open", "default").future.result(WAIT_S)
    with pytest.raises(AppError, match="fault of the program"):
        client.call("search", "not a request").future.result(WAIT_S)
    with pytest.raises(AppError, match="fault of the program"):
        client.call("close").future.result(WAIT_S)


def test_nothing_can_be_asked_before_a_library_is_open(client: EngineClient) -> None:
    with pytest.raises(AppError, match="Open or create"):
        client.call("status").future.result(WAIT_S)


def test_a_library_that_cannot_be_opened_leaves_the_engine_alive(client: EngineClient, home: Path) -> None:
    client.call("open", "default").future.result(WAIT_S)
    client.call("open", "second").future.result(WAIT_S)
    connection = sqlite3.connect(home / "libraries" / "default" / "library.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(LibraryTooNew):
        client.call("open", "default").future.result(WAIT_S)
    assert client.call("open", "second").future.result(WAIT_S).name == "second"


def test_a_job_is_paused_resumed_and_cancelled(client: EngineClient, photo: Make, tmp_path: Path) -> None:
    for seed in range(8):
        photo(f"{seed}.png", seed)
    client.call("open", "default").future.result(WAIT_S)
    paused = threading.Event()

    def watch(progress: Progress) -> None:
        if progress.paused:
            paused.set()

    call = client.call("index", IndexRequest((str(tmp_path / "media"),), ("colour-texture",)), on_progress=watch)
    call.pause()
    assert paused.wait(WAIT_S)
    assert client.call("status").future.result(WAIT_S).name == "default"
    call.resume()
    call.cancel()
    with pytest.raises(Cancelled):
        call.future.result(WAIT_S)


def test_a_killed_engine_is_noticed_restarted_and_has_kept_what_was_committed(
    client: EngineClient, died: Died, photo: Make, tmp_path: Path
) -> None:
    for seed in range(150):
        photo(f"{seed}.png", seed)
    client.call("open", "default").future.result(WAIT_S)
    under_way = threading.Event()

    def watch(progress: Progress) -> None:
        if progress.phase == "Encoding" and progress.done > 70:  # at least one group is committed
            under_way.set()

    request = IndexRequest((str(tmp_path / "media"),), ("colour-texture",))
    call = client.call("index", request, on_progress=watch)
    assert under_way.wait(WAIT_S)
    assert client.pid
    os.kill(client.pid, signal.SIGKILL)
    with pytest.raises(EngineDied):
        call.future.result(WAIT_S)
    assert died.event.wait(WAIT_S)
    with pytest.raises(EngineDied):
        client.call("status").future.result(WAIT_S)

    client.start()
    kept = client.call("open", "default").future.result(WAIT_S).spaces["colour-texture"].items
    report = client.call("index", request).future.result(WAIT_S)
    assert 64 <= kept < 150
    assert report.encoded["colour-texture"] == 150 - kept
    assert report.spaces["colour-texture"].items == 150


def test_closing_ends_the_engine_and_is_no_death(home: Path, died: Died) -> None:
    client = EngineClient(ProcessLauncher(home), died)
    client.start()
    client.call("open", "default").future.result(WAIT_S)
    client.close()
    assert not died.event.is_set()
    assert client.pid is None


def test_changing_the_library_waits_for_what_is_being_asked(client: EngineClient, photo: Make, tmp_path: Path) -> None:
    client.call("open", "default").future.result(WAIT_S)
    photo("tree.png")
    client.call("index", IndexRequest((str(tmp_path / "media"),), ("colour-texture",))).future.result(WAIT_S)
    asked = []
    for round_ in range(10):
        for _ in range(10):
            asked.append(client.call("status"))
            asked.append(client.call("search", SearchRequest(Query.of_text("tree"))))
        asked.append(client.call("open", ("second", "default")[round_ % 2]))
    for call in asked:
        call.future.result(WAIT_S)


def test_what_was_asked_before_another_library_is_opened_is_done_in_the_one_it_was_asked_of(
    client: EngineClient, photo: Make, tmp_path: Path
) -> None:
    picture = photo("a.png", 1)
    for name in ("second", "default"):
        client.call("open", name).future.result(WAIT_S)
    client.call("index", IndexRequest((str(tmp_path / "media"),))).future.result(WAIT_S)
    for _ in range(20):
        client.call("search", SearchRequest(Query.of_image(str(picture))))
    kept = client.call("evaluations_add_query", Query.of_image(str(picture)), "kept")
    client.call("open", "second").future.result(WAIT_S)
    assert kept.future.result(WAIT_S).title == "kept"
    assert client.call("evaluations_queries").future.result(WAIT_S) == ()
    client.call("open", "default").future.result(WAIT_S)
    assert [one.title for one in client.call("evaluations_queries").future.result(WAIT_S)] == ["kept"]


def test_a_long_answer_comes_in_parts_and_whole(
    home: Path, photo: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine on a thread of this process, so that what it sends can be watched."""
    monkeypatch.setattr(server, "PART_HITS", 2)
    sent: list[object] = []
    send = server._Server._send
    monkeypatch.setattr(server._Server, "_send", lambda self, message: (sent.append(message), send(self, message))[1])
    for seed in range(5):
        photo(f"holiday {seed}.png", seed)
    ours, theirs = multiprocessing.Pipe()
    engine = threading.Thread(target=server.serve, args=(theirs, home))
    engine.start()
    client = EngineClient(lambda: (ours, None))
    client.start()
    client.call("open", "default").future.result(WAIT_S)
    request = IndexRequest((str(tmp_path / "media"),), ("colour-texture",))
    client.call("index", request).future.result(WAIT_S)
    reply = client.call("search", SearchRequest(Query.of_text("holiday"))).future.result(WAIT_S)
    client.close()
    engine.join(WAIT_S)
    assert [hit.rank for hit in reply.hits] == [1, 2, 3, 4, 5]
    assert [len(message.hits) for message in sent if isinstance(message, Part)] == [2, 2]


def test_an_engine_that_is_closed_while_it_begins_to_open_a_library_logs_no_fault(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ours, theirs = multiprocessing.Pipe()
    engine = server._Server(theirs, home, None)
    for lane in engine._lanes.values():
        lane.shutdown()
    engine._jobs[1] = Job()
    engine._answer(Request(1, "open", ("default",), {}))
    fault = ours.recv()
    engine.close()
    ours.close()
    assert isinstance(fault.error, Cancelled)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_what_the_engine_tells_unasked_is_passed_on() -> None:
    ours, theirs = multiprocessing.Pipe()
    told: list[tuple[str, object]] = []
    heard = threading.Event()

    def listen(name: str, value: object) -> None:
        told.append((name, value))
        heard.set()

    client = EngineClient(lambda: (ours, None), on_event=listen)
    client.start()
    theirs.send(Event(News.FOLDERS_CHANGED, ("/photos",)))
    assert heard.wait(WAIT_S)
    theirs.close()
    client.close()
    assert told == [("folders_changed", ("/photos",))]


Watching = tuple[EngineClient, "queue.Queue[tuple[str, object]]"]


@pytest.fixture
def watching(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watching]:
    """An engine on a thread of this process, which looks after its folders more often, and what it tells unasked."""
    monkeypatch.setattr(app.engine.session, "Watcher", functools.partial(Watcher, pace=BRISK))
    ours, theirs = multiprocessing.Pipe()
    engine = threading.Thread(target=server.serve, args=(theirs, home))
    engine.start()
    told: queue.Queue[tuple[str, object]] = queue.Queue()
    client = EngineClient(lambda: (ours, None), on_event=lambda name, value: told.put((name, value)))
    client.start()
    yield client, told
    client.close()
    engine.join(WAIT_S)


def test_a_changed_folder_is_told_while_its_library_is_open_and_wishes_it(
    watching: Watching, photo: Make, tmp_path: Path
) -> None:
    client, told = watching
    photo("sub/a.png", 1)
    media = tmp_path / "media"
    client.call("open", "default").future.result(WAIT_S)
    client.call("index", IndexRequest((str(media),), ("colour-texture",))).future.result(WAIT_S)
    assert told.get(timeout=WAIT_S) == ("folders_changed", (str(media),))  # watched from now on
    photo("sub/b.png", 2)
    name, folders = told.get(timeout=WAIT_S)
    assert (name, folders) == ("folders_changed", (str(media / "sub"),))
    report = client.call("index", IndexRequest(folders)).future.result(WAIT_S)
    assert (report.files.new, report.files.unchanged) == (1, 1)
    client.call("set_settings", LibrarySettings(watch=False)).future.result(WAIT_S)
    client.call("open", "other").future.result(WAIT_S)
    photo("sub/c.png", 3)
    client.call("open", "default").future.result(WAIT_S)
    assert told.empty()


def test_a_root_that_goes_and_comes_back_is_told_while_its_library_is_open(
    watching: Watching, photo: Make, tmp_path: Path
) -> None:
    client, told = watching
    photo("a.png", 1)
    media = tmp_path / "media"
    client.call("open", "default").future.result(WAIT_S)
    client.call("index", IndexRequest((str(media),), ("colour-texture",))).future.result(WAIT_S)
    assert told.get(timeout=WAIT_S) == ("folders_changed", (str(media),))  # watched from now on
    away = media.rename(tmp_path / "unplugged")
    assert told.get(timeout=WAIT_S) == ("roots_changed", (str(media),))
    assert [root.online for root in client.call("status").future.result(WAIT_S).roots] == [False]
    away.rename(media)
    assert {told.get(timeout=WAIT_S) for _ in range(2)} == {
        ("roots_changed", (str(media),)),
        ("folders_changed", (str(media),)),
    }
    assert [root.online for root in client.call("status").future.result(WAIT_S).roots] == [True]
