"""Packs: what goes in comes out to the byte, and what is not to the byte a pack comes in nowhere."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import packing
import pytest
import tinyclip
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packing import KEY, OTHER, TOKENIZER, contents, refused

from app.__main__ import main
from app.engine.encoders.added import is_portable_name
from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.record import RECORD_FILE, read_installation, write_record
from app.engine.errors import AppError, WeightsCorrupt, WeightsMissing
from app.engine.installing import placing
from app.engine.installing.packs import read_pack
from app.engine.jobs import Cancelled, Job
from app.engine.models import Models
from app.engine.modeltypes import Installation, InstalledFile, Pin
from app.engine.samples import Picture


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return packing.fill(tmp_path / "home")


@pytest.fixture
def away(tmp_path: Path) -> Path:
    """The home of another machine: nothing in it."""
    return tmp_path / "away"


@pytest.fixture
def pack(home: Path, tmp_path: Path) -> Path:
    path = tmp_path / "two.semblance-pack"
    Models(home).export_pack((), str(path))
    return path


# --- there and back --------------------------------------------------------------------------------------------------


def test_a_home_is_filled_from_a_pack(home: Path, away: Path, pack: Path) -> None:
    there = Models(away)
    report = there.import_pack(str(pack))
    assert set(report.models) == {KEY, OTHER}
    assert (report.skipped, report.size_bytes) == ((), pack.stat().st_size)
    sent, come = contents(home / "models"), contents(away / "models")
    assert {name: sent[name] for name in sent if RECORD_FILE not in name} == {
        name: come[name] for name in come if RECORD_FILE not in name
    }
    record = read_installation(away / "models" / OTHER)
    assert record
    (file,) = record.files
    weights = tinyclip.weights(2)
    assert (file.size_bytes, file.sha256) == (len(weights), hashlib.sha256(weights).hexdigest())
    assert {status.key for status in there.statuses() if status.ready} >= {KEY, OTHER}


def test_an_imported_model_computes_the_same(home: Path, away: Path, pack: Path) -> None:
    Models(away).import_pack(str(pack))
    picture = Picture(np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8))
    here, there = (Catalogue(place / "models", "cpu").load(KEY) for place in (home, away))
    assert here.fingerprint == there.fingerprint
    assert (here.encode([picture]) == there.encode([picture])).all()


def test_any_tar_opens_a_pack_and_any_sha256_holds_it(pack: Path, tmp_path: Path) -> None:
    with tarfile.open(pack, "r:") as archive:
        members = archive.getmembers()
        archive.extractall(tmp_path / "out", filter="data")
    assert [member.name for member in members][:3] == ["manifest.sha256", "manifest.json", "LICENCES.txt"]
    assert all(member.isreg() and member.mode == 0o644 for member in members)
    out = tmp_path / "out"
    sha256, name = (out / "manifest.sha256").read_text().split()
    assert (name, sha256) == ("manifest.json", hashlib.sha256((out / "manifest.json").read_bytes()).hexdigest())
    for model in json.loads((out / "manifest.json").read_text())["models"]:
        for file in model["installation"]["files"]:
            content = (out / "models" / model["key"] / file["name"]).read_bytes()
            assert (file["size_bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    licences = (out / "LICENCES.txt").read_text("utf-8")
    assert "Tiny other-clip\n  in models/other-clip\n  Licence: MIT." in licences
    assert "Permission is hereby granted, free of charge" in licences


def test_the_same_models_make_the_same_pack(home: Path, pack: Path, tmp_path: Path) -> None:
    Models(home).export_pack((), str(tmp_path / "again"))
    assert (tmp_path / "again").read_bytes() == pack.read_bytes()


NAMES = st.text(min_size=1, max_size=20).filter(
    lambda name: is_portable_name(name) and not name.endswith((".pth", ".safetensors")) and name != RECORD_FILE
)
SIZES = st.one_of(st.sampled_from([0, 1, 511, 512, 513, 1024]), st.integers(0, 3000))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.dictionaries(NAMES, SIZES, max_size=5), seed=st.integers(0, 99))
def test_any_files_come_out_as_they_went_in(sizes: Mapping[str, int], seed: int, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path)
    folder = tinyclip.add(tmp_path / "home" / "models", KEY)
    # a file system that takes two names for one holds the later content under the first name
    for name, size in sizes.items():
        (folder / name).write_bytes(random.Random(seed).randbytes(size))
    names = [path.name for path in folder.iterdir()]
    if len({name.casefold() for name in names}) != len(names):
        return
    path = tmp_path / "pack"
    Models(tmp_path / "home").export_pack([KEY], str(path))
    Models(tmp_path / "away").import_pack(str(path))
    sent, come = contents(folder), contents(tmp_path / "away" / "models" / KEY)
    assert sent.keys() == come.keys()
    assert all(come[name] == sent[name] for name in sent if name != RECORD_FILE)


# --- exporting -------------------------------------------------------------------------------------------------------


def test_a_file_that_is_not_what_its_record_says_is_not_exported(home: Path, tmp_path: Path) -> None:
    folder = home / "models" / OTHER
    pinned = InstalledFile(tinyclip.WEIGHTS, len(tinyclip.weights(2)), "0" * 64, Pin.PUBLISHED)
    write_record(folder, Installation("somewhere", "", "", (pinned,)), tinyclip.entry(OTHER))
    with pytest.raises(WeightsCorrupt, match="has changed"):
        Models(home).export_pack([OTHER], str(tmp_path / "pack"))
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_what_cannot_be_exported_is_said(home: Path, pack: Path, tmp_path: Path) -> None:
    models = Models(home)
    with pytest.raises(AppError, match="such a file already"):
        models.export_pack((), str(pack))
    assert models.export_pack((), str(pack), replacing=True).size_bytes == pack.stat().st_size
    with pytest.raises(AppError, match="No such model"):
        models.export_pack(["nothing"], str(tmp_path / "x"))
    with pytest.raises(WeightsMissing):
        models.export_pack(["clip-vit-b-32"], str(tmp_path / "x"))
    with pytest.raises(AppError, match="nothing to pack"):
        models.export_pack(["timbre"], str(tmp_path / "x"))
    with pytest.raises(AppError, match=r"cannot be written: No such file or directory\. Choose another place\. "):
        models.export_pack((), str(tmp_path / "nowhere" / "x"))
    for replacing in (True, False):
        with pytest.raises(AppError, match="This is a folder"):
            models.export_pack((), str(tmp_path), replacing)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", pack.name]


@pytest.mark.parametrize("report", [1, 4, 7])
def test_a_cancelled_export_leaves_nothing(report: int, home: Path, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        Models(home).export_pack((), str(tmp_path / "pack"), job=cancelled_at(report))
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def cancelled_at(report: int) -> Job:
    """A job that its owner cancels at its n-th report."""
    reports = 0

    def count(_progress: object) -> None:
        nonlocal reports
        reports += 1
        if reports == report:
            job.cancel()

    job = Job(count, min_interval_s=0)
    return job


# --- importing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("report", [1, 2, 4, 6, 7, 8, 9])
def test_a_cancelled_import_leaves_nothing(report: int, away: Path, pack: Path) -> None:
    with pytest.raises(Cancelled):
        Models(away).import_pack(str(pack), job=cancelled_at(report))
    assert contents(away) == {}


def test_models_that_are_here_are_skipped(home: Path, pack: Path) -> None:
    before = contents(home)
    report = Models(home).import_pack(str(pack))
    assert (report.models, set(report.skipped)) == ((), {KEY, OTHER})
    assert contents(home) == before


def test_a_model_that_is_here_with_other_bytes_gives_way_only_where_that_is_asked(away: Path, pack: Path) -> None:
    folder = tinyclip.add(away / "models", KEY, seed=2)
    (folder / "notes").mkdir()
    assert "--replace" in refused(away, pack).message
    models = Models(away)
    report = models.import_pack(str(pack), replacing=True)
    assert KEY in report.models
    assert (folder / tinyclip.WEIGHTS).read_bytes() == tinyclip.weights()
    assert not (folder / "notes").exists()
    assert [path.name for path in (away / "models" / ".incoming").iterdir() if path.suffix != ".lock"] == []


def test_what_a_pack_would_bring_and_replace_is_told_beforehand(home: Path, away: Path, pack: Path) -> None:
    def standing(where: Path) -> dict[str, tuple[bool, bool]]:
        return {one.key: (one.present, one.replaces) for one in Models(where).pack_contents(str(pack)).models}

    held = read_pack(pack)
    contents = Models(away).pack_contents(str(pack))
    assert (contents.sha256, contents.size_bytes) == (held.sha256, held.size_bytes)
    assert all(one.name and one.licence and one.size_bytes for one in contents.models)
    assert standing(away) == dict.fromkeys(held.models, (False, False))
    assert standing(home) == dict.fromkeys(held.models, (True, False))
    key = held.models[0]
    weights = max((home / "models" / key).iterdir(), key=lambda path: path.stat().st_size)
    weights.write_bytes(b"other" + weights.read_bytes()[5:])
    assert standing(home)[key] == (False, True)


def test_what_is_missing_of_a_model_is_added_without_asking(home: Path, away: Path, pack: Path) -> None:
    tinyclip.add(away / "models", KEY)
    assert KEY in Models(away).import_pack(str(pack)).models
    assert (away / "models" / KEY / "tokenizer.json").read_bytes() == TOKENIZER


def test_a_replaced_model_is_another_space(away: Path, pack: Path) -> None:
    tinyclip.add(away / "models", KEY, seed=2)
    catalogue = Catalogue(away / "models", "cpu")
    before = catalogue.load(KEY)
    Models(away, catalogue).import_pack(str(pack), replacing=True)
    assert catalogue.load(KEY).fingerprint == catalogue.fingerprint(KEY) != before.fingerprint


def test_the_pack_that_was_told_of_is_the_one_that_is_taken(away: Path, home: Path, pack: Path) -> None:
    report = Models(home).export_pack((), str(pack.with_name("again")))
    assert "another was expected" in refused(away, pack, expected_sha256="0" * 64).message
    assert Models(away).import_pack(str(pack), expected_sha256=report.sha256.upper()).sha256 == report.sha256


# --- damage ----------------------------------------------------------------------------------------------------------


def test_a_flipped_bit_anywhere_is_noticed(away: Path, pack: Path) -> None:
    models, whole = Models(away), pack.read_bytes()
    flips = [*range(0, 6000, 11), *range(6000, len(whole), len(whole) // 80), *range(len(whole) - 1100, len(whole), 19)]
    for place in flips:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        pack.write_bytes(damaged)
        with pytest.raises(AppError, match="This pack cannot be used"):
            models.import_pack(str(pack))
        assert contents(away) == {}, place


def test_a_pack_cut_short_anywhere_is_noticed_before_anything_is_written(away: Path, pack: Path) -> None:
    models, whole = Models(away), pack.read_bytes()
    for length in [len(whole) - 1, *range(len(whole) - 512, 6000, -5003), *range(6000, -1, -13)]:
        os.truncate(pack, length)
        with pytest.raises(AppError, match="This pack cannot be used"):
            models.import_pack(str(pack))
    pack.write_bytes(whole + bytes(512))
    with pytest.raises(AppError, match="This pack cannot be used"):
        models.import_pack(str(pack))
    assert not away.exists() or contents(away) == {}


@pytest.mark.parametrize("kind", ["empty", "zeros", "text", "zip", "gzip", "other tar", "folder", "nothing"])
def test_what_is_no_pack_is_refused(kind: str, away: Path, pack: Path, tmp_path: Path) -> None:
    whole = pack.read_bytes()
    pack.unlink()
    if kind == "zip":
        with zipfile.ZipFile(pack, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("manifest.json", "{}")
            archive.writestr("models/a/bomb", bytes(10_000_000))
    elif kind == "gzip":
        with tarfile.open(pack, "w:gz") as packed:
            packed.add(tmp_path / "home", "models")
    elif kind == "other tar":
        with tarfile.open(pack, "w") as packed:
            packed.add(tmp_path / "home", "models")
    elif kind == "folder":
        pack.mkdir()
    elif kind != "nothing":
        pack.write_bytes({"empty": b"", "zeros": bytes(len(whole)), "text": b"weights " * 1000}[kind])
    refused(away, pack)


# --- faults ----------------------------------------------------------------------------------------------------------


def test_a_link_to_nowhere_in_a_models_place_is_told_of(away: Path, pack: Path) -> None:
    (away / "models").mkdir(parents=True)
    (away / "models" / OTHER).symlink_to("nowhere")
    refused(away, pack)


@contextmanager
def small_files() -> Iterator[None]:
    """While this lasts, no file can be longer than a megabyte: as on a disk whose format has a limit."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_holds_no_long_files_is_told_of(home: Path, tmp_path: Path) -> None:
    with small_files(), pytest.raises(AppError, match="format it as exFAT"):
        Models(home).export_pack([KEY], str(tmp_path / "pack"))
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_an_import_that_cannot_be_written_leaves_nothing(away: Path, pack: Path) -> None:
    with small_files():
        refused(away, pack)


def test_what_a_killed_import_left_is_cleared_up(away: Path, pack: Path) -> None:
    incoming = away / "models" / ".incoming"
    gone = [incoming / f"{key}.stage" / key / "half" for key in (KEY, "one-of-another-day")]
    gone.append(incoming / ".removed-1-a-third" / "half")
    for left in gone:
        left.parent.mkdir(parents=True)
        left.write_bytes(b"half")
    Models(away).import_pack(str(pack))
    assert [path.name for path in (away / "models" / ".incoming").iterdir() if path.suffix != ".lock"] == []


def test_what_another_program_is_at_work_with_is_not_cleared_up(away: Path, pack: Path) -> None:
    aside = away / "models" / ".incoming" / ".removed-1-mine"
    with placing.stage(away / "models" / "mine") as stage:
        aside.mkdir()
        Models(away).import_pack(str(pack))
        assert stage.exists()
        assert aside.exists()


def test_two_exports_to_one_name_are_each_whole(home: Path, tmp_path: Path, away: Path) -> None:
    path = tmp_path / "same.semblance-pack"

    class Meanwhile(Job):
        """Another export begins and ends while this one writes."""

        done = False

        def advance(self, *args: Any, **kwargs: Any) -> None:
            super().advance(*args, **kwargs)
            if not self.done:
                self.done = True
                Models(home).export_pack([OTHER], str(path), True)

    Models(home).export_pack([KEY], str(path), True, Meanwhile())
    assert Models(away).import_pack(str(path)).models == (KEY,)
    assert [left.name for left in tmp_path.iterdir() if left.suffix == ".part"] == []


@pytest.mark.skipif(os.name == "nt", reason="pipes have no names there")
def test_a_pack_replaces_nothing_but_files(home: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(AppError, match="such a file already"):
        Models(home).export_pack([KEY], str(pipe), True)
    assert pipe.is_fifo()


def test_a_model_that_another_program_is_changing_is_left_alone(away: Path, pack: Path) -> None:
    with placing.held(away / "models" / KEY):
        assert "being changed" in refused(away, pack).title


# --- the command line ------------------------------------------------------------------------------------------------


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, Any]]:
    def call(home: Path, *arguments: str) -> tuple[int, Any]:
        monkeypatch.setattr(sys, "argv", ["semblance", "models", *arguments, "--home", str(home), "--json"])
        status = main()
        return status, json.loads(capsys.readouterr().out)

    return call


def test_the_command_line_exports_and_imports(
    run: Callable[..., tuple[int, Any]], home: Path, away: Path, tmp_path: Path
) -> None:
    pack = str(tmp_path / "pack")
    status, told = run(home, "export-pack", pack, KEY)
    assert (status, told["models"], told["size_bytes"]) == (0, [KEY], os.path.getsize(pack))
    status, answer = run(away, "import-pack", pack, "--expect", "0" * 64)
    assert (status, answer["error"]["title"]) == (1, "This is another pack")
    status, taken = run(away, "import-pack", pack, "--expect", told["sha256"])
    assert (status, taken["models"], taken["skipped"]) == (0, [KEY], [])
    _, again = run(away, "import-pack", pack)
    assert (again["models"], again["skipped"]) == ([], [KEY])


def test_an_interrupted_import_says_what_is_kept(
    run: Callable[..., tuple[int, Any]], away: Path, pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engine.installing.packs._extract", lambda *_: signal.raise_signal(signal.SIGINT))
    told = {"title": "Interrupted", "message": "Everything is as it was.", "path": None}
    assert run(away, "import-pack", str(pack)) == (130, {"error": told})
    assert not [path for path in (away / "models").iterdir() if not path.name.startswith(".")]


def test_packs_that_ship_inside_are_named_and_taken_in_with_one_call(
    run: Callable[..., tuple[int, Any]],
    away: Path,
    pack: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("app.engine.models.packs_dir", lambda: tmp_path / "packs")
    assert Models(away).carried_packs() == ()
    (tmp_path / "packs").mkdir()
    pack.rename(tmp_path / "packs" / pack.name)
    (tmp_path / "packs" / "broken.semblance-pack").write_bytes(b"broken")
    (carried,) = Models(away).carried_packs()
    assert set(carried.models) == {KEY, OTHER}
    monkeypatch.setattr(sys, "argv", ["semblance", "models", "list", "--home", str(away)])
    main()
    assert "import-pack --carried" in capsys.readouterr().out
    _, listed = run(away, "list")
    assert [set(one["models"]) for one in listed["carried"]] == [{KEY, OTHER}]
    for option in (("--expect", "0" * 64), ("--replace",)):
        status, answer = run(away, "import-pack", "--carried", *option)
        assert (status, answer["error"]["title"]) == (1, "These options do not go together")
    status, told = run(away, "import-pack", "--carried")
    assert (status, len(told["packs"])) == (0, 1)
    assert Models(away).carried_packs() == ()
    assert run(away, "import-pack", "--carried") == (0, {"packs": []})
