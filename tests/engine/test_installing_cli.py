"""``semblance models``: what a script and a person are told, and that nothing is fetched without consent."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tinymodel
from hub import Fault, Hub, running
from tinymodel import KEY, REPO, WEIGHTS, hub_source

from app.__main__ import main
from app.engine.encoders.folder import INCOMING_DIR

DATA = tinymodel.weights()
NO_ADDRESSES = ("http://", "http://[::1", "http://127.0.0.1:99999", "http://127.0.0.1:abc", "http://:80", "//host")
Run = Callable[..., tuple[int, Any, str]]


class Person(io.StringIO):
    """Standard input with somebody at it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("NO_PROXY", "*")
    with running() as started:
        monkeypatch.setenv("HF_ENDPOINT", started.address)
        started.put(REPO, {WEIGHTS: DATA})
        yield started


@pytest.fixture
def resources(tmp_path: Path) -> Path:
    """A folder of resources whose catalogue has one small model."""
    folder = tmp_path / "resources"
    folder.mkdir()
    source = hub_source({"name": WEIGHTS, "size_bytes": len(DATA)})
    tinymodel.write_catalogue(folder / "models.toml", tinymodel.entry(source=source), tinymodel.entry("by-hand"))
    return folder


@pytest.fixture
def run(
    home: Path, resources: Path, hub: Hub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Runs a command: its status, its document or what it printed, and what it wrote to standard error. ``person``
    is what somebody at the terminal answers; nobody is there if None."""
    monkeypatch.setattr("app.engine.encoders.catalogue.resources_dir", lambda: resources)

    def call(*arguments: str, as_json: bool = True, person: str | None = None) -> tuple[int, Any, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO() if person is None else Person(person))
        chosen = [*arguments, "--home", str(home), *(["--json"] if as_json else [])]
        monkeypatch.setattr(sys, "argv", ["semblance", "models", *chosen])
        status = main()
        out, err = capsys.readouterr()
        return status, json.loads(out) if as_json else out, " ".join(err.split())

    return call


def test_a_model_is_installed_verified_shown_and_removed(run: Run, home: Path) -> None:
    status, document, _ = run("install", KEY, "--yes")
    (model,) = document["models"]
    assert (status, model["key"], model["ready"]) == (0, KEY, True)
    status, document, _ = run("verify")
    assert (status, document) == (0, {"checks": [{"key": KEY, "files": 1, "problems": [], "pinned": True}]})
    status, document, _ = run("info", KEY)
    assert (status, document["installation"]["files"][0]["pin"]) == (0, "hub")
    status, document, _ = run("list")
    assert [(model["key"], model["ready"]) for model in document["models"]] == [(KEY, True), ("by-hand", False)]
    assert run("remove", KEY)[:2] == (0, {"removed": KEY})
    assert not (home / "models" / KEY).exists()


def test_nothing_is_fetched_without_consent(run: Run, hub: Hub, home: Path) -> None:
    for as_json in (True, False):
        status, document, err = run("install", KEY, as_json=as_json)
        assert status == 1
        assert "add --yes" in err
        if as_json:
            assert document["error"]["title"] == "Nothing was fetched"
    for answer in ("\n", "n\n", "", "whatever\n"):
        assert run("install", KEY, person=answer)[0] == 1
    assert hub.requests == []
    assert not (home / "models").exists()


@pytest.mark.parametrize("as_json", [True, False])
def test_a_person_agrees_to_source_size_licence_and_place(run: Run, hub: Hub, home: Path, as_json: bool) -> None:
    status, _, err = run("install", KEY, person="y\n", as_json=as_json)
    assert status == 0
    for told in (
        f"{hub.address}/{REPO}",
        "not fixed",
        WEIGHTS,
        f"{len(DATA) / 1000:.1f} kB",
        "MIT",
        "Free for any use.",
        "At work: yes",
        "[y/N]",
    ):
        assert told in err, told
    assert (home / "models" / KEY / WEIGHTS).read_bytes() == DATA


def test_a_person_reads_what_was_done(run: Run, home: Path) -> None:
    assert "tiny is ready" in run("install", KEY, "--yes", as_json=False)[1]
    assert "every byte as it was" in run("verify", as_json=False)[1]
    shown = run("info", KEY, as_json=False)[1]
    assert "MIT" in shown
    assert "SHA-256" in shown
    assert "models forget tiny" in run("remove", KEY, as_json=False)[1]
    assert "No model" in run("verify", as_json=False)[1]


def test_a_model_that_is_here_needs_no_consent(run: Run, hub: Hub) -> None:
    run("install", KEY, "--yes")
    asked = len(hub.requests)
    assert run("install", KEY)[0] == 0
    assert len(hub.requests) == asked


def test_a_flipped_byte_ends_with_an_error_and_names_the_file(run: Run, home: Path) -> None:
    run("install", KEY, "--yes")
    (home / "models" / KEY / WEIGHTS).write_bytes(DATA[:-1] + bytes([DATA[-1] ^ 1]))
    status, document, _ = run("verify", KEY)
    assert status == 1
    assert WEIGHTS in document["checks"][0]["problems"][0]
    status, out, _ = run("verify", as_json=False)
    assert (status, WEIGHTS in out) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("install", "nobody", "--yes"), "no model"),
        (("install", "by-hand", "--yes"), "No public source"),
        (("install", KEY, "--yes", "--mirror", "mirror"), "begin with https"),
        *((("install", KEY, "--yes", "--mirror", address), "name a host") for address in NO_ADDRESSES),
        (("install", KEY, "--yes", "--mirror", "http://127.0.0.1:9"), "could not be reached"),
        (("info", "nobody"), "no model"),
        (("remove", KEY), "no files of Tiny"),
        (("verify", "nobody"), "no model"),
    ],
)
def test_errors_are_sentences(run: Run, arguments: tuple[str, ...], says: str) -> None:
    status, document, err = run(*arguments)
    assert status == 1
    assert says in document["error"]["message"]
    assert "Traceback" not in err


def test_ctrl_c_keeps_what_came_and_the_next_run_goes_on(run: Run, resources: Path, hub: Hub, home: Path) -> None:
    hub.faults.append(Fault(WEIGHTS, trickle=True))
    script = (
        "import sys; from pathlib import Path; import app.engine.encoders.catalogue as catalogue\n"
        f"catalogue.resources_dir = lambda: Path({str(resources)!r})\n"
        "from app.__main__ import main; sys.exit(main())"
    )
    command = [sys.executable, "-c", script, "models", "install", KEY, "--yes", "--json", "--home", str(home)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert hub.begun.wait(60)
    for _ in range(100):
        hub.release.release()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to all of the command's processes
    out, err = process.communicate(timeout=60)
    assert (process.returncode, json.loads(out)["error"]["title"]) == (130, "Interrupted")
    assert "Run it again to go on" in err
    assert "Traceback" not in err
    kept = (home / "models" / INCOMING_DIR / KEY / f"{WEIGHTS}.part").stat().st_size
    assert run("install", KEY, "--yes")[0] == 0
    assert hub.gets(WEIGHTS)[-1].first_byte == kept
