"""The check-up: what is right is said to be, and each thing that is broken for real is found and told of."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import warnings
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faulty
import numpy as np
import psutil
import pytest
import torch
from disks import disk_of
from PIL import Image
from struck_pool import StruckPool

import app.engine.doctor
from app.__main__ import main
from app.bridge.client import EngineClient, ProcessLauncher
from app.engine.checks import decoders, graph, installed, known, names, networks, places, program
from app.engine.checks.expendable import Expendable
from app.engine.checktypes import CheckUp, Finding, Verdict
from app.engine.encoders.catalogue import Catalogue
from app.engine.errors import CatalogueDamaged
from app.engine.jobs import Cancelled, Job, Progress
from app.paths import models_dir, resources_dir

PROJECT_DIR = Path(__file__).resolve().parents[2]
WAIT_S = 280
CHECKUP_DIR = resources_dir() / "checkup"
READ = {
    *("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif", "heic"),
    *("mp4", "mov", "mkv", "webm", "avi", "mjpeg", "wmv", "mpg", "ogv"),
    *("wav", "flac", "mp3", "ogg", "opus", "m4a", "alac", "aac", "aiff", "wma"),
}


def test_a_sound_machine_gets_no_problem_and_nothing_is_left_behind(tmp_path: Path) -> None:
    home = tmp_path / "hömé of 家"
    models_dir(home).mkdir(parents=True)
    engine = EngineClient(ProcessLauncher(home))
    engine.start()
    seen: list[Progress] = []
    try:
        found = engine.call("doctor", on_progress=seen.append).future.result(WAIT_S)
    finally:
        engine.close()
    assert [finding for finding in found.findings if finding.verdict is Verdict.PROBLEM] == []
    keys = [finding.key for finding in found.findings]
    assert len(keys) == len(set(keys))
    assert {f"decoder.{key}" for key in READ} | {f"encoder.{name}" for name in names.NAMES} < set(keys)
    assert {"resources", "memory", "clock", "home", "temporary", "disk", "database", "index", "processor"} < set(keys)
    assert "models" in keys
    assert any(key.startswith("gpu") for key in keys)
    assert all(finding.sentence.endswith(".") for finding in found.findings)
    assert sorted(path.name for path in home.iterdir()) == ["logs", "models"]  # the engine's own log
    assert seen[-1].total == seen[-1].done
    assert {"Clock", "Pictures: JPEG", "Processor"} & {progress.note for progress in seen}


def spawned() -> set[psutil.Process]:
    """The children in which something is looked at."""
    return {child for child in psutil.Process().children(recursive=True) if "spawn_main" in str(child.cmdline())}


def test_a_check_up_that_is_cancelled_ends_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = spawned()

    def until_a_child_runs(_resources: Path) -> Finding:
        while not spawned() - before:
            time.sleep(0.01)
        return program.clock()

    monkeypatch.setattr(app.engine.doctor, "_OWN", (("Clock", until_a_child_runs),))
    job = Job(lambda progress: job.cancel() if progress.done else None, min_interval_s=0.0)
    with pytest.raises(Cancelled):
        app.engine.doctor.check_up(tmp_path / "home", job=job)
    assert spawned() == before


# --- the command line ---


def checked(*findings: Finding) -> Callable[..., CheckUp]:
    return lambda _home, job: CheckUp("0.0, made up", "a machine", findings)


FINE = Finding("decoder.png", "Pictures: PNG", Verdict.FINE, "Decoded as it should be.")
NOTE = Finding("disk", "Disk", Verdict.NOTE, "Little is free.", "Make room there.")
PROBLEM = Finding("index", "Search index", Verdict.PROBLEM, "It [cannot] be saved.", "Choose another folder.")


def test_the_command_line_tells_what_is_wrong_first_and_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(app.engine.doctor, "check_up", checked(FINE, NOTE, PROBLEM))
    monkeypatch.setattr("sys.argv", ["semblance", "doctor"])
    assert main() == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["Semblance 0.0, made up", "a machine"]
    assert [line.split()[0] for line in lines[2:]] == ["✗", "Choose", "!", "Make", "✓", "Something"]
    assert "It [cannot] be saved." in lines[2]
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize(("findings", "status"), [((FINE,), 0), ((FINE, NOTE), 0), ((PROBLEM, FINE), 1)])
def test_json_has_every_finding_and_the_status_says_whether_one_is_a_problem(
    findings: tuple[Finding, ...], status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(app.engine.doctor, "check_up", checked(*findings))
    monkeypatch.setattr("sys.argv", ["semblance", "doctor", "--json"])
    assert main() == status
    document = json.loads(capsys.readouterr().out)
    assert [finding["key"] for finding in document["findings"]] == [finding.key for finding in findings]
    assert document["worst"] in ("fine", "note", "problem")
    assert document["program"] == "0.0, made up"


def test_what_is_fine_of_one_group_is_told_together_and_the_worst_comes_first() -> None:
    jpeg = Finding("decoder.jpeg", "Pictures: JPEG", Verdict.FINE, "Decoded as it should be.")
    found = CheckUp("", "", (FINE, jpeg, NOTE, PROBLEM))
    assert [finding.title for finding in found.condensed] == ["Search index", "Disk", "Pictures"]
    assert found.condensed[-1].sentence == "All is as it should be: PNG, JPEG."
    assert found.worst is Verdict.PROBLEM
    assert all(finding.title in found.text for finding in found.findings)


# --- decoders ---


@pytest.fixture
def checkup(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CHECKUP_DIR, tmp_path / "checkup"))


def replace(folder: Path, name: str, content: bytes) -> None:
    """Another file of that name, which the manifest says is the right one."""
    manifest = folder / decoders.MANIFEST
    old = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / name).write_bytes(content)
    manifest.write_text(manifest.read_text("utf-8").replace(old, hashlib.sha256(content).hexdigest()), "utf-8")


def found_by_key(folder: Path, pool: Any = None) -> dict[str, Finding]:
    return {finding.key: finding for finding in decoders.check(folder, pool or faulty.InlinePool())}


def test_a_decoder_that_gives_rubbish_or_nothing_is_noticed(checkup: Path) -> None:
    with Image.open(checkup / "picture.png") as picture:
        Image.fromarray(np.asarray(picture)[:, :, ::-1]).save(checkup / "swapped.png")
        picture.resize((90, 64)).save(checkup / "narrow.bmp")
    sounds = checkup / "sounds"
    faulty.write_sound(sounds / "higher.wav", 660.0)
    replace(checkup, "picture.png", (checkup / "swapped.png").read_bytes())
    replace(checkup, "picture.bmp", (checkup / "narrow.bmp").read_bytes())
    replace(checkup, "picture.webp", b"RIFF no picture")
    replace(checkup, "sound.wav", (sounds / "higher.wav").read_bytes())
    replace(checkup, "film.webm", (checkup / "sound.opus").read_bytes())
    (checkup / "sound.flac").write_bytes((checkup / "sound.flac").read_bytes()[:-1] + b"?")
    (checkup / "sound.mp3").unlink()
    found = found_by_key(checkup)
    wrong = {key: finding for key, finding in found.items() if finding.verdict is Verdict.PROBLEM}
    assert set(wrong) == {f"decoder.{key}" for key in ("png", "bmp", "webp", "wav", "webm", "flac", "mp3")}
    assert all(finding.remedy for finding in wrong.values())
    assert "the colour (40, 40, 200) instead of (200, 40, 40)" in wrong["decoder.png"].sentence
    assert "90 × 64 px instead of 96 × 64" in wrong["decoder.bmp"].sentence
    assert "cannot be read here" in wrong["decoder.webp"].sentence
    assert "a tone of 660 Hz instead of 440" in wrong["decoder.wav"].sentence
    assert "no picture" in wrong["decoder.webm"].sentence
    assert "sound.flac, with which it is tried, is damaged" in wrong["decoder.flac"].sentence
    assert "sound.mp3, with which it is tried, cannot be read" in wrong["decoder.mp3"].sentence


def test_a_decoder_that_crashes_or_hangs_costs_its_own_format(checkup: Path) -> None:
    manifest = checkup / decoders.MANIFEST
    head, *files = manifest.read_text("utf-8").split("[[file]]")
    text = "[[file]]".join([head, *(file for file in files if re.search("jpg|gif|png", file))])
    for old, new in (("picture.jpg", "segfault.jpg"), ("picture.gif", "hang.gif")):
        (checkup / old).rename(checkup / new)
        text = text.replace(old, new)
    manifest.write_text(text, "utf-8")
    with StruckPool(workers=1, time_limit_s=3.0) as pool:
        found = found_by_key(checkup, pool)
    wrong = {key: finding.sentence for key, finding in found.items() if finding.verdict is Verdict.PROBLEM}
    assert wrong.keys() == {"decoder.jpeg", "decoder.gif"}
    assert found["decoder.png"].verdict is Verdict.FINE
    assert wrong["decoder.jpeg"].endswith("the decoder crashed.")
    assert "longer than 3 s" in wrong["decoder.gif"]


@pytest.mark.parametrize("damage", [b"", b"size_px = [96", b"\xff"])
def test_without_the_files_to_try_them_with_nothing_is_said_of_the_decoders(checkup: Path, damage: bytes) -> None:
    (checkup / decoders.MANIFEST).write_bytes(damage)
    (finding,) = decoders.check(checkup, faulty.InlinePool())  # type: ignore[arg-type]
    assert finding.verdict is Verdict.PROBLEM
    assert "cannot be read" in finding.sentence


# --- what may crash ---


def test_a_check_that_crashes_hangs_or_fails_is_a_finding_and_the_next_one_runs() -> None:
    with Expendable() as expendable:
        asked = [
            expendable.ask("crash", "Crash", "ctypes:string_at", 0, limit_s=30, remedy="Mend it."),
            expendable.ask("hang", "Hang", "time:sleep", 3600, limit_s=0.5, remedy="Mend it."),
            expendable.ask("fail", "Fail", "json:loads", "{", limit_s=30, remedy="Mend it."),
            expendable.ask("load", "Load", "no_such_module:look", limit_s=30, remedy="Mend it."),
            expendable.ask("clock", "Clock", "app.engine.checks.program:clock", limit_s=30, remedy="Mend it."),
        ]
        for each in asked:
            while not each.wait(1.0):
                pass
        found = [finding for each in asked for finding in each.findings()]
    assert [finding.key for finding in found] == ["crash", "hang", "fail", "load", "clock"]
    assert [finding.verdict for finding in found[:4]] == [Verdict.PROBLEM] * 4
    assert [finding.remedy for finding in found] == ["Mend it."] * 4 + [""]
    assert found[0].sentence.startswith("Its library crashed (")
    assert "longer than 0.5 s" in found[1].sentence
    assert "JSONDecodeError" in found[2].sentence
    assert "cannot be loaded (ModuleNotFoundError" in found[3].sentence
    assert found[4].verdict is Verdict.FINE


def test_a_decoders_library_that_cannot_be_loaded_is_a_finding_and_nothing_is_loaded_beside_it(tmp_path: Path) -> None:
    (tmp_path / "pi_heif.py").write_text("raise ImportError('libheif.so.1: cannot open shared object file')", "utf-8")
    (tmp_path / "ask.py").write_text(LOADING, "utf-8")
    path = os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", ""), str(PROJECT_DIR)))
    child = subprocess.run(
        [sys.executable, tmp_path / "ask.py"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    key, verdict, sentence, loaded = child.stdout.splitlines()
    assert (key, verdict, loaded) == ("decoders", "problem", "[]")
    assert "cannot be loaded (ImportError: libheif.so.1" in sentence


LOADING = """
import sys
from pathlib import Path
from app.engine import doctor
from app.engine.checks.expendable import Expendable
from app.engine.jobs import NULL_JOB

if __name__ == "__main__":
    with Expendable() as expendable:
        (found,) = doctor._decoders(doctor._ask_decoders(expendable), Path("nowhere"), NULL_JOB)
    compiled = {"numpy", "torch", "av", "PIL", "cv2", "hnswlib", "scipy"}
    print(found.key, found.verdict, found.sentence, sorted(compiled & set(sys.modules)), sep="\\n")
"""


# --- places ---


def looked(home: Path) -> dict[str, Finding]:
    return {finding.key: finding for finding in (*places.look(home), graph.look(home))}


def problems(found: dict[str, Finding]) -> set[str]:
    return {key for key, finding in found.items() if finding.verdict is Verdict.PROBLEM}


def test_a_home_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    found = looked(tmp_path / "new" / "home")
    assert not problems(found)
    assert "is made when it is first needed" in found["home"].sentence
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_is_a_file_or_below_one_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "home").write_bytes(b"")
    found = looked(tmp_path / "home")
    assert problems(found) == {"home"}
    assert "--home" in found["home"].remedy
    assert problems(looked(tmp_path / "home" / "below")) == {"home"}


def test_what_a_killed_check_left_goes_at_the_next_and_nothing_else(tmp_path: Path) -> None:
    left, recent, other = (tmp_path / name for name in (f"{places.TRACE}old", f"{places.TRACE}new", "libraries"))
    for folder in (left, recent, other):
        (folder / "below").mkdir(parents=True)
    os.utime(left, (1, 1))
    os.utime(other, (1, 1))
    assert not problems(looked(tmp_path))
    assert sorted(tmp_path.iterdir()) == sorted([recent, other])


def test_a_home_that_cannot_be_written_is_told_of_and_the_rest_is_looked_at_elsewhere(tmp_path: Path) -> None:
    with disk_of(tmp_path / "home", "ro") as home:
        found = looked(home)
        assert {"home", "disk"} >= problems(found) >= {"home"}
        assert "cannot be written" in found["home"].sentence
        below = looked(home / "new")
        assert "home" in problems(below)


def test_a_full_disk_is_told_of(tmp_path: Path) -> None:
    with disk_of(tmp_path / "home", "size=256k") as home:
        (home / "filler").write_bytes(b"x" * (240 << 10))
        found = looked(home)
        assert {"home", "disk", "database", "index"} == problems(found)
        assert "Make room" in found["disk"].remedy
        assert "kB are free" in found["disk"].sentence
        assert [path.name for path in home.iterdir()] == ["filler"]


def test_an_index_that_cannot_be_saved_and_a_database_that_cannot_be_opened_are_told_of(tmp_path: Path) -> None:
    (tmp_path / "space-1.new").mkdir()
    assert graph.index(tmp_path, "here").verdict is Verdict.PROBLEM
    (tmp_path / "library.sqlite").mkdir()
    finding = places.database(tmp_path, "here")
    assert finding.verdict is Verdict.PROBLEM
    assert "fails here" in finding.sentence


def test_a_home_on_a_network_drive_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mount = namedtuple("mount", "device mountpoint fstype opts")
    mounts = [mount("d", "/", "ext4", "rw"), mount("s:/x", str(tmp_path), "nfs4", "rw,hard")]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: mounts)  # noqa: A006 - psutil's own name
    finding = places.database(tmp_path, "here")
    assert finding.verdict is Verdict.NOTE
    assert "nfs4" in finding.sentence


# --- what computes ---


def test_torch_is_held_against_known_results(monkeypatch: pytest.MonkeyPatch) -> None:
    assert known.wrong_on("cpu", torch.float32) == known.wrong_on("cpu", torch.float16) == ""
    assert networks.processor().verdict is Verdict.FINE
    true_conv2d = torch.nn.functional.conv2d
    monkeypatch.setattr(torch.nn.functional, "conv2d", lambda *given: true_conv2d(*given) * 1.1)
    finding = networks.processor()
    assert finding.verdict is Verdict.PROBLEM
    assert "computes wrongly: a convolution" in finding.sentence


def test_a_family_whose_networks_cannot_be_built_is_told_of(tmp_path: Path) -> None:
    catalogue = (resources_dir() / "models.toml").read_text("utf-8")
    (tmp_path / "models.toml").write_text(catalogue.replace('"vit_small_patch14_dinov2', '"no_such_network'), "utf-8")
    (broken,) = networks.family("timm", tmp_path)
    assert broken.verdict is Verdict.PROBLEM
    assert "no_such_network" in broken.sentence
    (whole,) = networks.family("timm", resources_dir())
    assert whole.verdict is Verdict.FINE


NEEDS_A_DRIVER = "Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU"
TOO_OLD = "The NVIDIA driver on your system is too old (found version 11040). Please update your GPU driver"
HIDDEN = "No CUDA GPUs are available"
UNKNOWN = "CUDA unknown error - this may be due to an incorrectly set up environment"


@pytest.mark.parametrize(
    ("complaint", "has_card", "verdict", "words"),
    [
        (NEEDS_A_DRIVER, False, Verdict.FINE, "None that could be used"),
        (NEEDS_A_DRIVER, True, Verdict.NOTE, "driver is not there"),
        (TOO_OLD, True, Verdict.NOTE, "too old: it is for CUDA 11.4"),
        (HIDDEN, True, Verdict.NOTE, "no card that it shows"),
        (UNKNOWN, True, Verdict.NOTE, "CUDA unknown error"),
    ],
)
def test_why_no_card_computes_is_said_plainly(complaint: str, has_card: bool, verdict: Verdict, words: str) -> None:
    finding = networks.why_no_card(complaint, has_card)
    assert finding.verdict is verdict
    assert words in finding.sentence
    assert bool(finding.remedy) is (verdict is not Verdict.FINE)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
def test_a_device_that_is_asked_for_and_not_there_is_a_problem() -> None:
    with warnings.catch_warnings(record=True):
        (finding,) = networks.graphics("cuda")
        assert finding.verdict is Verdict.PROBLEM
        assert "“cuda” is asked for" in finding.sentence
        assert networks.graphics("auto")[0].verdict is not Verdict.PROBLEM


def test_a_card_that_cannot_compute_is_a_problem_with_a_way_out() -> None:
    """On the "meta" device nothing is computed, as on a card that torch has no code for."""
    finding = networks._card(torch, "meta", "A card", "gpu.0")
    assert finding.verdict is Verdict.PROBLEM
    assert "networks fail on it" in finding.sentence
    assert "CUDA_VISIBLE_DEVICES" in finding.remedy
    assert networks._card(torch, "cpu", "A card", "gpu.0").verdict is Verdict.FINE


# --- the program and its models ---


def test_a_resource_that_is_missing_empty_or_damaged_is_named(tmp_path: Path) -> None:
    assert program.resources(resources_dir()).verdict is Verdict.FINE
    copy = Path(shutil.copytree(resources_dir(), tmp_path / "resources"))
    next((copy / "sample").rglob("*.webm")).write_bytes(b"")
    (copy / "report" / "page.html").unlink()
    finding = program.resources(copy)
    assert finding.verdict is Verdict.PROBLEM
    assert "report/page.html is missing or empty and 1 more" in finding.sentence


@pytest.mark.parametrize("content", [None, "[[model", "", "[[model]]\nkey = 3\n"])
def test_a_list_of_models_that_cannot_be_read_is_told_of_once(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "models.toml").write_text(content, "utf-8")
    assert not any(networks.family(name, tmp_path) for name in names.NAMES)
    finding = installed.look(tmp_path / "models", tmp_path)
    assert finding.verdict is Verdict.PROBLEM
    assert str(tmp_path / "models.toml") in finding.sentence
    with pytest.raises(CatalogueDamaged, match="Install Semblance again"):
        Catalogue(tmp_path / "models", entries=tmp_path / "models.toml")


def test_an_added_model_with_a_damaged_record_is_named(tmp_path: Path) -> None:
    record = tmp_path / "models" / "mine" / "installed.json"
    record.parent.mkdir(parents=True)
    record.write_text("{", "utf-8")
    finding = installed.look(tmp_path / "models", resources_dir())
    assert finding.verdict is Verdict.PROBLEM
    assert f"{record.parent} is left out" in finding.sentence


def test_a_clock_in_the_past_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 86_400.0)
    finding = program.clock()
    assert finding.verdict is Verdict.NOTE
    assert "1970" in finding.sentence


def test_a_damaged_model_is_named_and_no_folder_is_made(tmp_path: Path) -> None:
    assert installed.look(tmp_path / "models", resources_dir()).verdict is Verdict.FINE
    assert not (tmp_path / "models").exists()
    folder = tmp_path / "models" / "resnet50"
    folder.mkdir(parents=True)
    for name in ("a.safetensors", "b.safetensors"):
        (folder / name).write_bytes(b"x")
    finding = installed.look(tmp_path / "models", resources_dir())
    assert finding.verdict is Verdict.PROBLEM
    assert "ResNet-50" in finding.sentence
