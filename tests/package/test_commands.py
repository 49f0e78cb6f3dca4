"""The frozen command line on a machine that has nothing: the whole job, and what it must not do."""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path

import pytest
from frozen import HOME, INSTALLED, MEDIA, PROJECT, SAMPLE, Machine, Things

from app.engine.store.migrations import SCHEMA_VERSION

GOLDEN = sorted((PROJECT / "tests" / "golden").glob("schema*.json"))

pytestmark = [pytest.mark.package, pytest.mark.timeout(1800)]

NOT_READ = {".md", ".csv", ".txt", ".json", ".py", ".npy", ".npz"}


def names(document: dict) -> list[str]:
    return [Path(hit["path"]).name for hit in document["hits"]]


def test_there_is_no_python_no_network_and_no_place_to_write_but_home(machine: Machine) -> None:
    """What the other tests stand on."""
    script = (
        "python3 -c 'pass' 2>/dev/null && echo python; touch /usr/x /opt/x /etc/x \"$1/x\" 2>/dev/null && echo writes; "
        "ls -A /home/person; grep -v lo: /proc/net/dev | tail -n +3; touch /home/person/x && echo home"
    )
    command = machine.command("/bin/sh", "-c", script, "sh", INSTALLED)
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "home\n"


def test_the_sample_library_is_indexed_searched_and_measured(machine: Machine) -> None:
    shown = machine.answer("demo")
    assert shown["index"]["items"] == {"photo": 60, "frame": 10, "audio": 27}
    assert shown["index"]["failures"] == []
    in_sample = ("--library", "sample")
    assert names(machine.answer("search", "--text", "lighthouse", *in_sample)) == ["red-sail-by-the-lighthouse.jpg"]
    by_picture = machine.answer("search", "--image", SAMPLE / "pictures/snow/snowman.jpg", *in_sample)
    assert by_picture["model"] == "colour-texture"
    by_sound = machine.answer("search", "--audio", SAMPLE / "sounds/bells/church-bell.flac", *in_sample)
    assert by_sound["model"] == "timbre"
    assert all(hit["kind"] == "audio" for hit in by_sound["hits"])
    measured = machine.answer("evaluate", *in_sample)
    assert {model["model"] for model in measured["models"]} >= {"colour-texture", "timbre"}
    page = machine.home / "report.html"
    machine.answer("report", "--html", HOME / "report.html", *in_sample)
    assert "Colour &amp; texture" in page.read_text(encoding="utf-8")
    assert machine.answer("verify", *in_sample)["broken"] == []


def test_files_of_every_format_are_read_and_found(machine: Machine, things: Things) -> None:
    report = machine.answer("index", MEDIA)
    assert report["failures"] == []
    assert all(report["items"].values())
    unread = {Path(skipped["path"]).suffix.lower() for skipped in report["skipped"]}
    assert unread <= NOT_READ
    assert things.picture.name in names(machine.answer("search", "--text", things.word, "-k", "50"))
    assert names(machine.answer("search", "--image", things.picture, "-k", "3"))
    assert names(machine.answer("search", "--audio", things.sound, "-k", "3"))
    measured = machine.answer("evaluate", "--from-folders", things.classes)
    answered = [model for model in measured["models"] if model["queries_answered"]]
    assert answered
    assert all(0 < model["mean"]["P@10"] <= 1 for model in answered)


@pytest.mark.parametrize("told", GOLDEN, ids=lambda file: file.stem)
def test_a_library_of_an_earlier_program_is_backed_up_and_brought_up_to_date(machine: Machine, told: Path) -> None:
    library = machine.home / ".local" / "share" / "semblance" / "libraries" / "default"
    with tarfile.open(told.with_suffix(".tar.gz")) as packed:
        packed.extractall(library, filter="data")
    then = json.loads(told.read_text(encoding="utf-8"))
    now = machine.answer("status")
    assert (now["judgments"], sum(now["items"].values())) == (len(then["judgments"]), len(then["items"]))
    earlier = [then["schema"]] if then["schema"] < SCHEMA_VERSION else []
    assert [backup["schema"] for backup in now["backups"]] == earlier


def test_the_program_finds_itself_complete(machine: Machine) -> None:
    found = machine.answer("doctor")
    assert found["worst"] in ("fine", "note")
    decoders = [finding for finding in found["findings"] if finding["key"].startswith("decoder.")]
    assert decoders
    assert {finding["verdict"] for finding in decoders} == {"fine"}
    models = {model["key"]: model["ready"] for model in machine.answer("models", "list")["models"]}
    assert models["colour-texture"]
    assert models["timbre"]


def test_what_cannot_be_done_is_told_by_document_and_status(machine: Machine) -> None:
    error = machine.answer("index", "/nowhere", status=1)["error"]
    assert error["path"] == "/nowhere"
    wrong = machine.run("frobnicate")
    assert wrong.returncode == 2
    assert "invalid choice" in wrong.stderr
    assert machine.run("--version").stdout.startswith("semblance ")


@pytest.mark.skipif(not Path("/usr/bin/strace").exists(), reason="strace is not installed")
def test_no_socket_is_opened_but_between_its_own_processes(machine: Machine) -> None:
    """Not even tried: a machine without a network refuses it, one with a network would not."""
    traced = machine.run("demo", "--json", wrapper=("strace", "-f", "-qq", "-e", "trace=socket,connect,sendto"))
    if "PTRACE_TRACEME" in traced.stderr:
        pytest.skip("processes may not be traced here")
    assert traced.returncode == 0, traced.stderr[-3000:]
    opened = [line for line in traced.stderr.splitlines() if "AF_" in line]
    assert [line for line in opened if "AF_UNIX" not in line] == []
