"""One window for each data home: what a second start does, and what a stranger at the socket cannot."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QUrl
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app import settings
from app.engine.errors import AppError
from app.engine.librarytypes import FileCounts, IndexReport
from app.engine.types import Modality
from app.gui import handover
from app.gui.application import Application
from app.gui.handover import MESSAGE_MAX_BYTES, Door, Wish, parsed, written
from app.gui.window import MainWindow

CHECKOUT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="looks at sockets as files")


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """The folder of the lock and the socket."""
    folder = tmp_path / "s"
    folder.mkdir()
    return folder


@pytest.fixture
def make_door(qapp: QApplication, session: Path, tmp_path: Path) -> Iterator[Callable[..., Door]]:
    made: list[Door] = []

    def make(home: str = "home") -> Door:
        made.append(Door(tmp_path / home, session))
        return made[-1]

    yield make
    for door in made:
        door.leave()
        door.deleteLater()


@pytest.fixture
def second_start(session: Path, tmp_path: Path) -> Callable[[Wish], subprocess.Popen[str]]:
    """Another process that wants to be the window of the same home; it prints whether it is."""

    def start(wish: Wish) -> subprocess.Popen[str]:
        script = (
            "import sys; from pathlib import Path; from app.gui.handover import Door, parsed\n"
            "from PySide6.QtCore import QCoreApplication\n"
            "app = QCoreApplication([]); door = Door(Path(sys.argv[1]), Path(sys.argv[2]))\n"
            "print(door.enter(parsed(sys.argv[3].encode())))"
        )
        arguments = [str(tmp_path / "home"), str(session), written(wish).decode()]
        return subprocess.Popen(
            [sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT
        )

    return start


def settle() -> None:
    """What was posted to the window is done, and what that posts."""
    for _ in range(3):
        QCoreApplication.processEvents()


def the_socket(session: Path) -> Path:
    return next(path for path in session.iterdir() if path.is_socket())


def knock(session: Path, data: bytes) -> tuple[socket.socket, bytearray, threading.Thread]:
    """A stranger's connection that sends some bytes and listens, on a thread, until it is cut off."""
    heard = bytearray()
    stranger = socket.socket(socket.AF_UNIX)
    stranger.connect(str(the_socket(session)))

    def talk() -> None:
        try:
            stranger.sendall(data)
            while part := stranger.recv(100):
                heard.extend(part)
        except OSError:
            pass

    thread = threading.Thread(target=talk)
    thread.start()
    return stranger, heard, thread


def test_a_second_start_hands_its_files_to_the_window_and_ends(
    qtbot: QtBot, make_door: Callable[..., Door], second_start: Any
) -> None:
    door, wish = make_door(), Wish(("/photos/ein Föto.jpg", "/photos/\udcff.png"), "holiday", "token")
    assert door.enter(Wish())
    door.listen()
    with qtbot.waitSignal(door.asked, timeout=120_000) as asked:
        started = second_start(wish)
    assert asked.args == [wish]
    assert started.communicate(timeout=120)[0].strip() == "False"


def test_another_home_has_a_window_of_its_own(make_door: Callable[..., Door]) -> None:
    assert make_door("one").enter(Wish())
    assert make_door("two").enter(Wish())


def test_only_the_same_user_may_connect(make_door: Callable[..., Door], session: Path) -> None:
    door = make_door()
    door.enter(Wish())
    door.listen()
    mode = the_socket(session).stat().st_mode
    assert stat.S_IMODE(mode) & (stat.S_IRWXG | stat.S_IRWXO) == 0


def test_a_window_that_was_killed_is_followed_by_the_next(
    make_door: Callable[..., Door], session: Path, second_start: Any
) -> None:
    door = make_door()
    door.enter(Wish())
    door.listen()
    path = the_socket(session)
    door.leave()
    left = socket.socket(socket.AF_UNIX)  # a socket's file outlives the program that listened there
    left.bind(str(path))
    left.close()
    started = second_start(Wish())
    assert started.communicate(timeout=120)[0].strip() == "True"


def test_who_comes_while_the_window_closes_is_the_next_window(
    make_door: Callable[..., Door], second_start: Any
) -> None:
    door = make_door()
    door.enter(Wish())
    door.listen()
    door.shut()
    started = second_start(Wish())
    with pytest.raises(subprocess.TimeoutExpired):
        started.wait(0.5)
    door.leave()
    assert started.communicate(timeout=120)[0].strip() == "True"


def test_a_window_that_hangs_is_not_waited_for(make_door: Callable[..., Door], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing turns this process's loop while the second door waits: the first is as a hung window."""
    monkeypatch.setattr(handover, "ANSWER_S", 0.1)
    door = make_door()
    assert door.enter(Wish())
    door.listen()
    with pytest.raises(AppError, match="does not answer"):
        make_door().enter(Wish())


def test_a_window_that_never_listens_is_not_waited_for(
    make_door: Callable[..., Door], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "TURN_S", 0.1)
    assert make_door().enter(Wish())
    with pytest.raises(AppError, match="does not answer"):
        make_door().enter(Wish())


def test_a_window_that_cannot_listen_keeps_nobody_waiting(make_door: Callable[..., Door], session: Path) -> None:
    taken = "x" * 90  # with the folder's own path too long for a socket
    first, second = (Door(session, session / taken) for _ in range(2))
    (session / taken).mkdir()
    assert first.enter(Wish())
    first.listen()
    assert second.enter(Wish())
    second.leave()


def test_a_user_whom_the_system_does_not_know_gets_a_window(
    make_door: Callable[..., Door], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    assert make_door().enter(Wish())


def test_where_there_is_no_place_for_a_lock_the_window_opens_nevertheless(qapp: QApplication, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    door = Door(tmp_path, tmp_path / "file")
    assert door.enter(Wish())
    door.listen()
    door.leave()


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b"null",
        b'["/a.png"]',
        b'{"files": ["/a.png"]}',
        b'{"files": "/a.png", "library": null, "activation": ""}',
        b'{"files": [1], "library": null, "activation": ""}',
        b'{"files": ["relative.png"], "library": null, "activation": ""}',
        b'{"files": ["/nul\\u0000.png"], "library": null, "activation": ""}',
        b'{"files": [], "library": 1, "activation": ""}',
        b'{"files": [], "library": null, "activation": "a\\u0000"}',
        b'{"files": [], "library": null, "activation": "", "more": 1}',
    ],
)
def test_only_a_wish_is_read_as_one(line: bytes) -> None:
    assert parsed(line) is None


def test_garbage_is_cut_off_and_the_next_start_is_heard(
    qtbot: QtBot, make_door: Callable[..., Door], session: Path
) -> None:
    door = make_door()
    door.enter(Wish())
    door.listen()
    wishes: list[Wish] = []
    door.asked.connect(wishes.append)
    for data in (b"GET / HTTP/1.0\r\n\r\n", b"x" * (MESSAGE_MAX_BYTES + 2), json.dumps(["/a.png"]).encode() + b"\n"):
        stranger, heard, thread = knock(session, data)
        qtbot.waitUntil(lambda thread=thread: not thread.is_alive())
        stranger.close()
        assert not heard
    wish = Wish(("/a.png",))
    stranger, heard, thread = knock(session, written(wish))
    qtbot.waitUntil(lambda: bytes(heard) == handover.TAKEN)
    stranger.shutdown(socket.SHUT_RDWR)
    thread.join()
    stranger.close()
    assert wishes == [wish]


def test_more_files_than_a_window_takes_are_refused_with_a_sentence() -> None:
    with pytest.raises(AppError, match="too many files"):
        written(Wish(("/a" * 100,) * 10_000))


def test_a_wish_brings_the_window_to_the_front_and_turns_to_its_library(
    qtbot: QtBot, window: MainWindow, fake_client: Any
) -> None:
    window.showMinimized()
    window.arrivals.grant(Wish(("/photos/a.png",), "holiday"))
    assert not window.isMinimized()
    qtbot.waitUntil(lambda: window.workspace.status is not None and window.workspace.status.name == "holiday")
    assert [call.args for call in fake_client.of("open")] == [("default",), ("holiday",)]
    qtbot.waitUntil(lambda: bool(fake_client.of("search")))
    assert fake_client.last("search").args[0].query.parts[0].path == "/photos/a.png"
    window.arrivals.grant(Wish())
    assert len(fake_client.of("open")) == 2


def test_a_library_that_is_wished_for_while_another_is_indexed_is_refused_and_nothing_goes_astray(
    qtbot: QtBot, window: MainWindow, fake_client: Any, tmp_path: Path
) -> None:
    window.library.add_folders(["/a"])
    window.library.add_folders(["/b"])
    window.arrivals.grant(Wish(("/photos/a.png", str(tmp_path)), "holiday"))
    assert "“holiday” cannot be opened now" in window.banner.text
    assert "Wait for the indexing, or cancel it" in window.banner.text
    qtbot.waitUntil(lambda: bool(fake_client.of("search")))
    assert fake_client.last("search").args[0].query.parts[0].path == "/photos/a.png"
    for _ in range(2):
        fake_client.last("index").answer(IndexReport(FileCounts(), {}, {}, (), (), {}, 1.0))
        settle()
    assert [call.args[0].folders for call in fake_client.of("index")] == [("/a",), ("/b",)]
    assert [call.args for call in fake_client.of("open")] == [("default",)]
    window.arrivals.grant(Wish((), "holiday"))
    assert fake_client.last("open").args == ("holiday",)


def test_a_library_that_cannot_be_opened_leaves_the_one_there_is(
    qtbot: QtBot, window: MainWindow, fake_client: Any, make_status: Any, tmp_path: Path
) -> None:
    def opened(name: str) -> Any:
        if name == "no/such":
            raise AppError("This cannot be a library's name", "Use letters, digits and spaces.")
        return make_status(name=name)

    fake_client.answers["open"] = opened
    window.arrivals.grant(Wish((str(tmp_path), "/photos/a.png"), "no/such"))
    qtbot.waitUntil(lambda: bool(fake_client.of("search")))
    assert "This cannot be a library's name" in window.banner.text
    assert window.workspace.library == "default"
    assert not fake_client.of("index")
    window.sidebar.library_chosen.emit("no/such")
    qtbot.waitUntil(lambda: window.workspace.has_failed)
    window.arrivals.grant(Wish(("/photos/b.png",)))
    qtbot.waitUntil(lambda: "as soon as one is" in window.banner.text)
    window.close()
    assert settings.load(tmp_path).library == "default"


def test_files_opened_with_the_program_on_macos_arrive_together(
    qtbot: QtBot, qapp: Application, window: MainWindow, fake_client: Any
) -> None:
    qapp.file_opened.connect(lambda path: window.arrivals.grant(Wish((path,))))
    for event in (QFileOpenEvent("/photos/a.png"), QFileOpenEvent(QUrl.fromLocalFile("/photos/b c.png"))):
        QApplication.sendEvent(qapp, event)
    qtbot.waitUntil(lambda: bool(fake_client.of("search")))
    parts = fake_client.last("search").args[0].query.parts
    assert [(part.modality, part.path) for part in parts] == [
        (Modality.IMAGE, "/photos/a.png"),
        (Modality.IMAGE, "/photos/b c.png"),
    ]
    qapp.file_opened.disconnect()
