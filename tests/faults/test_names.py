"""Any name, link or special file that a disk can hold, through the program as a person runs it, with no network."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import faulty
import psutil
import pytest

from app.engine.errors import LibraryLocked
from app.engine.session import Session
from app.engine.types import Query, SearchRequest

NAMES = {
    "newline": b"two\nlines.png",
    "no text": b"\xff\xfe.png",
    "composed": unicodedata.normalize("NFC", "Am\u00e9lie.png").encode(),
    "decomposed": unicodedata.normalize("NFD", "Am\u00e9lie.png").encode(),
    "longest": b"x" * 251 + b".png",
    "leading dashes": b"--home.png",
    "a dash": b"-",
    "quotes": b"\"'`$(rm -rf)%s.png",
    "control": b"\x01\x1b[31m\r\t.png",
    "rtl": "\u202egnp.exe.png".encode(),
    "spaces": b"  .png",
    "emoji": "🦀🏳️‍🌈.png".encode(),
}
MODELS = "colour-texture"
TIMEOUT_S = 120

Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, shim: Path, environment: dict[str, str]) -> Iterator[Run]:
    """Runs the command line with ``--json`` in a process of its own, and fails if it or a child opens a socket."""
    sockets = tmp_path / "sockets"

    def call(*arguments: str | bytes, status: int = 0) -> Any:
        command = [sys.executable, "-m", "app", *arguments, "--home", str(tmp_path / "home"), "--json"]
        guarded = {**environment, "LD_PRELOAD": str(shim), "SHIM_SOCKETS": str(sockets)}
        ended = subprocess.run(command, env=guarded, capture_output=True, timeout=TIMEOUT_S)
        assert ended.returncode == status, ended.stderr.decode(errors="replace")
        return json.loads(ended.stdout)

    yield call
    assert not sockets.exists()


def test_the_guard_sees_sockets(shim: Path, environment: dict[str, str], tmp_path: Path) -> None:
    note = tmp_path / "sockets"
    script = "import socket; socket.socket(socket.AF_UNIX); socket.socket(socket.AF_INET)"
    guarded = {**environment, "LD_PRELOAD": str(shim), "SHIM_SOCKETS": str(note)}
    ended = subprocess.run([sys.executable, "-c", script], env=guarded, capture_output=True)
    assert ended.returncode == 1
    assert note.read_text() == "socket\n"
    with socket.socket() as here, pytest.raises(AssertionError, match="network"):
        here.connect(("127.0.0.1", 9))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_names_links_and_special_files(run: Run, tmp_path: Path) -> None:
    media = tmp_path / "media"
    folder = os.fsencode(media)
    for seed, name in enumerate(NAMES.values()):
        os.rename(faulty.write_photo(media / "photo.png", seed), os.path.join(folder, name))
    deep = os.path.join(folder, b"\xffolder\n")
    os.mkdir(deep)
    os.rename(faulty.write_photo(media / "photo.png", 500), os.path.join(deep, b"\xe9.png"))
    os.symlink(folder, os.path.join(deep, b"loop"))
    os.symlink(b"myself.png", os.path.join(folder, b"myself.png"))
    os.symlink(b"nowhere.png", os.path.join(folder, b"dangling.png"))
    os.mkfifo(os.path.join(folder, b"fifo.png"))
    with socket.socket(socket.AF_UNIX) as local, suppress(OSError):
        local.bind(os.path.join(folder, b"socket.png"))
    with suppress(PermissionError):  # root's alone
        os.mknod(os.path.join(folder, b"device.png"), 0o600 | 0o020000, os.makedev(1, 5))  # /dev/zero: it never ends
    report = run("index", folder, "--models", MODELS)
    assert {Path(failure["path"]).name for failure in report["failures"]} == {"dangling.png", "myself.png"}
    found = {os.fsencode(os.path.relpath(path, media)) for path in _found(run, media)}
    expected = {name for name in NAMES.values() if name.endswith(b".png")} | {os.path.join(b"\xffolder\n", b"\xe9.png")}
    assert found >= expected
    assert not {
        name for name in found if name.split(b".")[0] in (b"fifo", b"device", b"socket", b"dangling", b"myself")
    }
    assert report["files"]["new"] == len(found)
    again = run("index")
    assert (again["files"]["new"], again["files"]["changed"], again["files"]["removed"]) == (0, 0, 0)
    assert again["encoded"] == {MODELS: 0}
    status = run("status")
    assert status["roots"][0]["path"] == str(media)


def _found(run: Run, media: Path) -> set[str]:
    """All that a search by a picture finds, and the picture."""
    query = os.path.join(os.fsencode(media), NAMES["leading dashes"])
    reply = run("search", "--image", query, "-k", "100")
    return {hit["path"] for hit in reply["hits"]} | {os.fsdecode(query)}


def test_a_file_replaced_while_it_is_read_is_taken_as_it_is_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its hash and its decoding another picture takes its place; the next run puts that right."""
    home, media = tmp_path / "home", tmp_path / "media"
    victim = faulty.write_photo(media / "victim.png", 1)
    faulty.write_photo(media / "twin.png", 2)
    other = faulty.write_photo(tmp_path / "other.png", 2)
    with faulty.opened(home) as session:
        inner = session._pool

        class Replacing:
            def __getattr__(self, name: str) -> Any:
                return getattr(inner, name)

            def decode(self, request: Any) -> Any:
                if request.path == os.fsencode(victim) and other.exists():
                    other.replace(victim)
                return inner.decode(request)

        monkeypatch.setattr(session._indexer, "_pool", Replacing())
        faulty.index(session, media)
    counter = [0]
    with faulty.opened(home, counter) as session:
        faulty.index(session, media)
        seen = faulty.view(session, media)
    fresh = tmp_path / "fresh"
    with faulty.opened(fresh) as session:
        faulty.index(session, media)
        assert faulty.view(session, media) == seen
    with faulty.opened(home) as session:
        faulty.index(session, media)
        assert session.status().kinds == {**session.status().kinds, "photo": 2}
    faulty.assert_consistent(home)


def test_two_programs_on_one_library_are_told_apart(run: Run, tmp_path: Path) -> None:
    media = faulty.write_media(tmp_path / "media", photos=4, sounds=0)
    with Session.open(tmp_path / "home") as session:
        told = run("index", str(media), status=1)
        assert "Another Semblance has it open" in json.dumps(told)
        assert session.status().roots == ()
    assert run("index", str(media), "--models", MODELS)["files"]["new"] == 4
    with Session.open(tmp_path / "home") as session:
        with pytest.raises(LibraryLocked):
            Session.open(tmp_path / "home")
        photo = next(media.rglob("*.png"))
        assert len(session.search(SearchRequest(Query.of_image(str(photo)))).hits) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes left behind")
def test_the_program_killed_again_and_again_ends_complete_and_leaves_no_process(
    run: Run, tmp_path: Path, environment: dict[str, str]
) -> None:
    media = faulty.write_media(tmp_path / "media", photos=200, sounds=0)
    home = tmp_path / "home"
    command = [sys.executable, "-m", "app", "index", str(media), "--home", str(home), "--models", MODELS]
    committed = 0
    for turn in range(2):
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as engine:
            _wait_for_vectors(home, committed + 1, engine)
            time.sleep(0.03 * turn)
            family = psutil.Process(engine.pid).children(recursive=True) if engine.poll() is None else []
            engine.send_signal(signal.SIGKILL)
        _, alive = psutil.wait_procs(family, timeout=TIMEOUT_S)
        assert not alive, "a decoder outlived the program"
        now = faulty.rows(home)["vectors"]
        assert now >= committed
        committed = now
    report = run("index")
    assert report["failures"] == []
    assert report["encoded"] == {MODELS: 200 - committed}
    assert report["spaces"][MODELS]["items"] == 200
    faulty.assert_consistent(home)


def _wait_for_vectors(home: Path, count: int, engine: subprocess.Popen[bytes]) -> None:
    """Until so many vectors are committed, or the program has ended."""
    while engine.poll() is None:
        with suppress(Exception):
            if faulty.rows(home)["vectors"] >= count:
                return
        time.sleep(0.02)
