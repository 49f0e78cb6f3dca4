"""How the window opens: with files to search by, and what is said where it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app import __version__
from app.engine.librarytypes import FileCounts, IndexReport
from app.engine.types import Modality, Query
from app.gui import app as opening
from app.gui import arrivals, desktop, intake, topbar
from app.gui.about import AboutDialog
from app.gui.emptystate import EmptyState
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
    made.arrivals.add([str(picture), str(tmp_path)])
    made.start()
    qtbot.wait(2 * arrivals.TOGETHER_MS)
    assert not fake_client.of("search")
    assert not fake_client.of("index")
    assert "as soon as it is ready" in made.search.findChild(EmptyState).sentence
    fake_client.last("open").answer(make_status())
    qtbot.waitUntil(lambda: bool(fake_client.of("search")))
    assert asked(fake_client) == [(Modality.IMAGE, str(picture))]
    assert fake_client.last("index").args[0].folders == (str(tmp_path),)


def test_several_files_are_one_query_in_place_of_the_one_before(
    qtbot: QtBot, window: MainWindow, fake_client: Any, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.search.bar.set_query(Query.of_text("words"))
    window.show_page(topbar.MODELS)
    monkeypatch.chdir(picture.parent)
    for word in (picture.as_uri(), picture.name):
        window.arrivals.add(intake.absolute([word]))
    qtbot.waitUntil(lambda: asked(fake_client) == [(Modality.IMAGE, str(picture))] * 2)
    assert window.pages.currentWidget() is window.search
    window.arrivals.add(["/elsewhere/dog.wav"])
    qtbot.waitUntil(lambda: asked(fake_client) == [(Modality.AUDIO, "/elsewhere/dog.wav")])


def test_in_an_empty_library_a_file_stays_the_query_until_there_is_a_folder(
    qtbot: QtBot, window: MainWindow, fake_client: Any, make_status: Any, picture: Path
) -> None:
    fake_client.answers["open"] = fake_client.answers["status"] = lambda *_: make_status(name="new", roots=(), items={})
    window.workspace.open("new")
    window.arrivals.add([str(picture)])
    state = window.search.findChild(EmptyState)
    qtbot.waitUntil(lambda: state.headline == "There is nothing to search in yet")
    assert not fake_client.of("search")
    fake_client.answers["status"] = lambda: make_status(name="new")
    window.library.add_folders(["/photos"])
    fake_client.last("index").answer(IndexReport(FileCounts(new=3), {}, {}, (), (), {}, 1.0))
    qtbot.waitUntil(lambda: bool(fake_client.of("search")))
    assert asked(fake_client) == [(Modality.IMAGE, str(picture))]


def test_what_cannot_be_searched_by_is_named(
    qtbot: QtBot, window: MainWindow, fake_client: Any, tmp_path: Path
) -> None:
    (tmp_path / "letter.txt").touch()
    window.arrivals.add([str(tmp_path / "letter.txt")])
    qtbot.waitUntil(lambda: bool(window.banner.text))
    assert not fake_client.of("search")
    assert "This is no picture, video or sound" in window.banner.text
    assert "letter.txt" in window.banner.text
    window.arrivals.add(["/not/there", str(tmp_path / "letter.txt")])
    qtbot.waitUntil(lambda: "There is no such file or folder" in window.banner.text)
    assert window.banner.text.endswith("/not/there and 1 more")


def test_a_refusal_is_put_away_once_something_else_is_given(
    window: MainWindow, fake_client: Any, picture: Path, tmp_path: Path
) -> None:
    for give in (lambda: window._take(intake.from_paths([str(picture)])), lambda: window.search.bar.typed.emit()):
        window._take(intake.from_paths([str(tmp_path / "letter.txt")]))
        assert window.banner.text
        give()
        assert not window.banner.text
    window.banner.warn("Of other things", "This stays.")
    window._take(intake.from_paths([str(picture)]))
    assert window.banner.text


def test_what_is_opened_together_with_a_sound_is_said_to_be_left_out(
    window: MainWindow, fake_client: Any, picture: Path
) -> None:
    for files in (["/a/dog.wav", str(picture)], [str(picture), "/a/dog.wav"]):
        window.banner.hide()
        window._take(intake.from_paths(files))
        assert asked(fake_client) == [(Modality.AUDIO, "/a/dog.wav")]
        assert window.banner.text.startswith("A sound is searched by alone")


def test_where_there_is_no_screen_a_sentence_says_so(tmp_path: Path) -> None:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    ended = subprocess.run(
        [sys.executable, "-m", "app", "window", "--home", str(tmp_path)],
        env=environment | {"QT_QPA_PLATFORM": "xcb"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert "found no screen" in ended.stderr


def test_where_a_part_of_the_program_is_missing_a_sentence_says_which(
    qapp: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(opening, "resources_dir", lambda: tmp_path)
    assert opening.run(tmp_path, None) == 1
    said = capsys.readouterr().err
    assert "A part of Semblance is missing" in said
    assert str(tmp_path / "models.toml") in said


def test_a_fault_before_the_window_is_there_is_said(
    qapp: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_home: Path, _wish: Any) -> int:
        raise RuntimeError("something odd")

    monkeypatch.setattr(opening, "_run", fail)
    assert opening.run(tmp_path, None) == 1
    said = capsys.readouterr().err
    assert "RuntimeError: something odd" in said
    assert str(tmp_path / "logs" / "window.log") in said


class Desktop(QObject):
    """Stands in for the desktop: what it was asked to open, and with which environment."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, dict[str, str]]] = []

    @Slot(QUrl)
    def open(self, address: QUrl) -> None:
        self.asked.append((address.toString(), dict(os.environ)))


def test_a_program_that_is_started_gets_nothing_of_the_packed_programs_environment(
    qapp: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "semblance" / "_internal"
    ours = {
        "LD_LIBRARY_PATH": f"{inside}{os.pathsep}/opt/theirs",
        "LD_LIBRARY_PATH_ORIG": "/opt/theirs",
        "QT_PLUGIN_PATH": str(inside / "PySide6" / "Qt" / "plugins"),
        "_PYI_ARCHIVE_FILE": str(inside.parent / "semblance-window"),
    }
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "_MEIPASS", str(inside), raising=False)
    before, there = dict(os.environ), Desktop()
    QDesktopServices.setUrlHandler("file", there, "open")
    assert desktop.open_file("/photos/a.png")
    assert desktop.show_in_folder("/photos/a.png")
    QDesktopServices.unsetUrlHandler("file")
    assert [address for address, _environment in there.asked] == ["file:///photos/a.png", "file:///photos"]
    for _address, environment in there.asked:
        assert environment == {name: value for name, value in before.items() if name not in ours} | {
            "LD_LIBRARY_PATH": "/opt/theirs"
        }
    assert dict(os.environ) == before


def test_about_tells_version_and_data_folder_and_copies_them(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(desktop, "open_file", opened.append)
    window.actions_.about.trigger()
    dialog = window.findChild(AboutDialog)
    assert f"Version: {__version__}" in dialog.text
    assert f"Data folder: {tmp_path}" in dialog.text
    assert "LGPL" in dialog.text
    buttons = {button.text(): button for button in dialog.findChildren(QPushButton)}
    assert buttons["Third-party licences"].isHidden()  # only a frozen program carries any
    buttons["Copy"].click()
    assert dialog.text in QGuiApplication.clipboard().text()
    buttons["Open the data folder"].click()
    assert opened == [str(tmp_path)]
    buttons["Close"].click()


def test_about_a_portable_copy_says_so_and_opens_the_licences_beside_it(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(desktop, "open_file", opened.append)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "semblance"))
    (tmp_path / "portable").touch()
    (tmp_path / "licences").mkdir()
    dialog = AboutDialog(tmp_path / "indexes")
    qtbot.addWidget(dialog)
    assert "portable copy" in dialog.text
    buttons = {button.text(): button for button in dialog.findChildren(QPushButton)}
    assert not buttons["Open the data folder"].isEnabled()  # there is none yet
    buttons["Third-party licences"].click()
    assert opened == [str(tmp_path / "licences")]


def test_the_window_opens_and_leaves_nothing_outside_the_data_home(tmp_path: Path) -> None:
    """The real start and end. It is closed before its engine is started, which must not be started then; a file dialog
    is what else would remember something."""
    for name in ("home", "user", "session"):
        (tmp_path / name).mkdir(mode=0o700)
    script = (
        "import sys; from pathlib import Path; from PySide6.QtCore import QTimer\n"
        "from PySide6.QtWidgets import QFileDialog\n"
        "from app.gui.app import MainWindow, run; from app.gui.application import application\n"
        "def use():\n"
        "    window = next(one for one in application().topLevelWidgets() if isinstance(one, MainWindow))\n"
        "    dialog = QFileDialog(window); dialog.setOption(QFileDialog.Option.DontUseNativeDialog)\n"
        "    dialog.open(); dialog.reject(); window.close()\n"
        "if __name__ == '__main__':\n"
        "    QTimer.singleShot(0, application(), use); sys.exit(run(Path(sys.argv[1]), None))"
    )
    started = tmp_path / "start.py"
    started.write_text(script)
    places = {
        "HOME": str(tmp_path / "user"),
        "XDG_RUNTIME_DIR": str(tmp_path / "session"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")} | places
    ended = subprocess.run(
        [sys.executable, str(started), str(tmp_path / "home")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    assert list((tmp_path / "user").rglob("*")) == []
    assert (tmp_path / "home" / "settings.json").exists()
    assert not [path for path in (tmp_path / "session").iterdir() if path.is_socket()]
