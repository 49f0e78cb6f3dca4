"""Models are installed whole or not at all, known to the byte, and leave without a trace."""

from __future__ import annotations

import fnmatch
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import tinymodel
from hub import Fault, Hub, running, sha256
from tinymodel import KEY, REPO, TOKENIZER, WEIGHTS, hub_source, url_source

from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.entries import read_entries
from app.engine.encoders.folder import HASHES_FILE, INCOMING_DIR, check_unchanged
from app.engine.encoders.record import RECORD_FILE, read_installation
from app.engine.errors import AppError, WeightsCorrupt
from app.engine.installing import installer, placing
from app.engine.jobs import Cancelled, Job, Progress
from app.engine.models import Models
from app.engine.modeltypes import Pin
from app.paths import resources_dir

DATA = tinymodel.weights()
SMALL_DISK_BYTES = 1 << 20
MakeModels = Callable[..., Models]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("NO_PROXY", "*")
    with running() as started:
        monkeypatch.setenv("HF_ENDPOINT", started.address)
        started.put(REPO, {WEIGHTS: DATA, TOKENIZER: b'{"words": 3}'})
        started.plain[f"/files/{WEIGHTS}"] = DATA
        yield started


@pytest.fixture
def make(home: Path) -> MakeModels:
    """Models of a home whose catalogue has this one, and others if given."""

    def models(source: str, *others: str, companions: tuple[str, ...] = ()) -> Models:
        home.mkdir(exist_ok=True)
        one = tinymodel.entry(companions=companions, source=source)
        entries = tinymodel.write_catalogue(home / "catalogue.toml", one, *others)
        return Models(home, Catalogue(home / "models", "cpu", entries))

    return models


@pytest.fixture
def models(make: MakeModels, hub: Hub) -> Models:
    """One model of a hub, of a weights file and another."""
    return make(hub_source({"name": WEIGHTS}, {"name": TOKENIZER}), companions=(TOKENIZER,))


@pytest.fixture
def folder(home: Path) -> Path:
    return home / "models" / KEY


def left(home: Path) -> list[str]:
    """What lies in the folder of the models beside the models, but for empty locks."""
    root = home / "models" / INCOMING_DIR
    return sorted(path.name for path in root.rglob("*") if path.suffix != ".lock") if root.exists() else []


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_weights_that_have_another_name_at_the_hub_are_found(models: Models, hub: Hub, folder: Path) -> None:
    hub.repositories.clear()
    hub.put(REPO, {"weights.safetensors": DATA, TOKENIZER: b"{}"})
    assert models.install(KEY).ready
    assert {"weights.safetensors", TOKENIZER, RECORD_FILE} <= names(folder)


def test_weights_of_a_known_checksum_are_asked_for_by_their_own_name_alone(make: MakeModels, hub: Hub) -> None:
    hub.repositories.clear()
    hub.put(REPO, {"weights.safetensors": DATA})
    models = make(hub_source({"name": WEIGHTS, "checksum": f"sha256:{sha256(DATA)}"}))
    with pytest.raises(AppError, match=WEIGHTS):
        models.install(KEY)


def test_a_model_of_a_hub_is_installed_with_the_record_of_what_came(
    models: Models, hub: Hub, home: Path, folder: Path
) -> None:
    phases: list[str] = []
    status = models.install(KEY, job=Job(lambda progress: phases.append(progress.phase), min_interval_s=0))
    assert status.ready
    assert names(folder) == {WEIGHTS, TOKENIZER, RECORD_FILE, HASHES_FILE}
    assert (folder / WEIGHTS).read_bytes() == DATA
    assert left(home) == []
    assert list(dict.fromkeys(phases)) == ["Asking the source", "Downloading", "Checking", "Trying it"]
    installed = status.installation
    assert installed
    assert (installed.source, installed.revision) == (f"{hub.address}/{REPO}", hub.repositories[REPO].commit)
    assert [(file.name, file.pin) for file in installed.files] == [(WEIGHTS, Pin.HUB), (TOKENIZER, Pin.HUB)]
    assert installed.files[0].sha256 == sha256(DATA)
    assert installed.files[0].size_bytes == len(DATA)


def test_a_model_that_is_here_is_not_fetched_again(models: Models, hub: Hub) -> None:
    models.install(KEY)
    asked = len(hub.requests)
    assert models.install(KEY).ready
    assert len(hub.requests) == asked


@pytest.mark.parametrize(
    ("checksum", "pin"),
    [
        (f"sha256:{sha256(DATA)}", Pin.PUBLISHED),
        (f"sha256-prefix:{sha256(DATA)[:8]}", Pin.PUBLISHED),
        ("md5", Pin.PUBLISHED),
        ("", Pin.FIRST_USE),
    ],
)
def test_a_plain_address_is_held_against_what_its_makers_publish(
    make: MakeModels, hub: Hub, checksum: str, pin: Pin
) -> None:
    if checksum == "md5":
        import hashlib

        checksum = f"md5:{hashlib.md5(DATA).hexdigest()}"
    models = make(url_source(f"{hub.address}/files", {"name": WEIGHTS, "checksum": checksum}))
    installed = models.install(KEY).installation
    assert installed
    assert [file.pin for file in installed.files] == [pin]
    assert (installed.source, installed.revision) == (f"{hub.address}/files", "")


@pytest.mark.parametrize("checksum", ["sha256:" + 64 * "0", "sha256-prefix:00000000", "md5:" + 32 * "0"])
def test_other_bytes_than_published_are_thrown_away(
    make: MakeModels, hub: Hub, home: Path, folder: Path, checksum: str
) -> None:
    models = make(url_source(f"{hub.address}/files", {"name": WEIGHTS, "checksum": checksum}))
    with pytest.raises(WeightsCorrupt, match="makers have published"):
        models.install(KEY)
    assert not folder.exists()
    assert left(home) == []


@pytest.mark.parametrize("name", [WEIGHTS, TOKENIZER])
def test_other_bytes_than_the_hub_says_are_thrown_away_and_the_rest_is_kept(
    models: Models, hub: Hub, folder: Path, name: str
) -> None:
    right = hub.repositories[REPO].files[name]
    hub.tampered[name] = bytes([right[0] ^ 1]) + right[1:]
    with pytest.raises(WeightsCorrupt, match=f"{name} is not the file that the hub says"):
        models.install(KEY)
    assert not folder.exists()
    hub.tampered.clear()
    before = len(hub.gets())
    assert models.install(KEY).ready
    assert [Path(request.path).name for request in hub.gets()[before:]] == [name]


def test_a_page_instead_of_a_file_is_no_model(make: MakeModels, hub: Hub, home: Path, folder: Path) -> None:
    hub.plain[f"/files/{WEIGHTS}"] = b"<html>Log in to the hotel's network</html>" * 100
    with pytest.raises(WeightsCorrupt, match="login page"):
        make(url_source(f"{hub.address}/files", {"name": WEIGHTS})).install(KEY)
    assert not folder.exists()
    assert left(home) == []


class _Canary:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, (str(self.path),))


def test_a_pickle_that_wants_to_run_something_runs_nothing(
    make: MakeModels, hub: Hub, home: Path, folder: Path, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    hub.plain["/files/weights.pth"] = pickle.dumps(_Canary(canary))
    with pytest.raises(WeightsCorrupt, match="thrown away"):
        make(url_source(f"{hub.address}/files", {"name": "weights.pth"})).install(KEY)
    assert not canary.exists()
    assert not folder.exists()
    assert left(home) == []


def test_what_broke_goes_on_at_the_next_try(models: Models, hub: Hub, folder: Path) -> None:
    hub.faults.extend([Fault(WEIGHTS, cut_after=150_000), Fault(WEIGHTS, status=503)])
    with pytest.raises(AppError, match="busy or broken"):
        models.install(KEY)
    assert not folder.exists()
    assert models.plan(KEY).present_bytes == 150_000
    assert models.status(KEY).partial_bytes == 150_000
    assert models.install(KEY).ready
    assert [request.first_byte for request in hub.gets(WEIGHTS)] == [0, 150_000]
    assert models.status(KEY).partial_bytes == 0


def test_cancelling_while_files_are_checked_loses_nothing(models: Models, hub: Hub, folder: Path) -> None:
    def cancel(progress: Progress) -> None:
        if progress.phase == "Checking":
            job.cancel()

    job = Job(cancel, min_interval_s=0)
    with pytest.raises(Cancelled):
        models.install(KEY, job=job)
    assert not folder.exists()
    before = len(hub.gets())
    assert models.install(KEY).ready
    assert hub.gets()[before:] == []


def test_files_that_make_no_model_that_works_are_refused(models: Models, hub: Hub, folder: Path, home: Path) -> None:
    hub.put(REPO, {WEIGHTS: safetensors.numpy.save({"layer.weight": np.ones(1000, np.float32)})})
    with pytest.raises(WeightsCorrupt, match="These are not the weights of Tiny"):
        models.install(KEY)
    assert not folder.exists()
    assert left(home) == []
    hub.put(REPO, {WEIGHTS: DATA})
    assert models.install(KEY).ready


def test_files_that_could_not_be_put_in_place_are_not_fetched_again(
    models: Models, hub: Hub, folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Path) -> None:
        raise PermissionError(13, "in use")

    with monkeypatch.context() as patched:
        patched.setattr(installer, "put_in_place", refuse)
        with pytest.raises(AppError, match="cannot be changed"):
            models.install(KEY)
    assert models.plan(KEY).present_bytes == len(DATA) + len(b'{"words": 3}')
    before = len(hub.gets())
    (home / "models" / INCOMING_DIR / KEY / "old.safetensors").write_bytes(DATA)
    assert models.install(KEY).ready
    assert hub.gets()[before:] == []
    assert names(folder) == {WEIGHTS, TOKENIZER, RECORD_FILE, HASHES_FILE}


@pytest.mark.parametrize("is_truncated", [True, False])
def test_installing_a_damaged_model_fetches_it_anew(models: Models, folder: Path, is_truncated: bool) -> None:
    models.install(KEY)
    path = folder / WEIGHTS
    content = DATA[:1000] if is_truncated else bytes([*DATA[:-1], DATA[-1] ^ 1])
    path.write_bytes(content)
    (check,) = models.verify()
    assert "Install the model again" in check.problems[0]
    assert models.status(KEY).damaged
    assert models.install(KEY).ready
    assert path.read_bytes() == DATA
    assert models.verify()[0].problems == ()


def test_without_sizes_from_the_server_the_catalogue_says_how_much_room_it_takes(make: MakeModels, hub: Hub) -> None:
    hub.answers_head = False
    models = make(url_source(f"{hub.address}/files", {"name": WEIGHTS}) + "\ndownload_bytes = 10_000_000_000_000_000")
    with pytest.raises(AppError, match="not enough room"):
        models.install(KEY)
    assert hub.gets() == []


def test_there_must_be_room_before_anything_is_fetched(
    models: Models, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(Path.cwd())
    short = placing.MARGIN_BYTES + len(DATA) - 1
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=short))
    with pytest.raises(AppError, match="not enough room"):
        models.install(KEY)
    assert hub.gets() == []
    assert models.plan(KEY).free_bytes == short


def test_a_disk_that_fills_up_meanwhile_is_told_of_and_what_came_is_kept(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_BYTES}", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("nothing may be mounted here")
    try:
        hub.put(REPO, {WEIGHTS: tinymodel.weights(size_bytes=2 * SMALL_DISK_BYTES)})
        entries = tinymodel.write_catalogue(
            tmp_path / "catalogue.toml", tinymodel.entry(source=hub_source({"name": WEIGHTS}))
        )
        models = Models(disk, Catalogue(disk / "models", "cpu", entries))
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)  # as if others filled it afterwards
        with pytest.raises(AppError, match="disk is full"):
            models.install(KEY)
        present_bytes = models.plan(KEY).present_bytes
        assert present_bytes > 0
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        assert models.install(KEY).ready
        assert hub.gets(WEIGHTS)[-1].first_byte == present_bytes
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def test_two_programs_do_not_install_the_same_model_at_once(models: Models, hub: Hub, home: Path) -> None:
    hub.faults.append(Fault(WEIGHTS, trickle=True))
    second = Models(home, Catalogue(home / "models", "cpu", home / "catalogue.toml"))
    first = threading.Thread(target=models.install, args=(KEY,))
    first.start()
    assert hub.begun.wait(60)
    for change in (second.install, second.remove):
        with pytest.raises(AppError, match="being changed already"):
            change(KEY)
    for _ in range(2000):
        hub.release.release()
    first.join(60)
    asked = len(hub.requests)
    assert second.install(KEY).ready
    assert len(hub.requests) == asked


def test_files_put_in_place_by_hand_are_never_overwritten(models: Models, hub: Hub, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "mine.safetensors").write_bytes(b"my own")
    with pytest.raises(AppError, match=r"mine\.safetensors"):
        models.install(KEY)
    assert names(folder) == {"mine.safetensors"}
    (folder / TOKENIZER).write_bytes(b"{}")
    assert models.install(KEY).ready  # now it is complete: there is nothing to install
    assert (folder / "mine.safetensors").read_bytes() == b"my own"
    assert hub.gets() == []


def test_an_installed_model_that_lost_a_file_is_made_whole(models: Models, folder: Path) -> None:
    models.install(KEY)
    (folder / WEIGHTS).unlink()
    assert not models.status(KEY).ready
    assert models.install(KEY).ready
    assert (folder / WEIGHTS).read_bytes() == DATA


def test_a_mirror_and_other_repositories(make: MakeModels, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    commit = hub.put("other/words", {"vocab.json": b'{"a": 1}'})
    models = make(
        hub_source(
            {"name": WEIGHTS, "path": "deep/down/weights"},
            {"name": TOKENIZER, "repo": "other/words", "path": "vocab.json"},
        )
    )
    main = hub.put(REPO, {"deep/down/weights": DATA})
    plan = models.plan(KEY, hub.address + "/")
    assert (plan.source, plan.address) == (REPO, f"{hub.address}/{REPO}")
    installed = models.install(KEY, hub.address).installation
    assert installed
    assert installed.revision == f"{main}, other/words {commit}"


def test_a_mirror_of_a_plain_address_is_a_folder_with_the_same_files(make: MakeModels, hub: Hub) -> None:
    models = make(url_source("https://example.invalid/weights", {"name": WEIGHTS}))
    assert models.plan(KEY).address == "https://example.invalid/weights"
    assert models.plan(KEY, f"{hub.address}/files").address == f"{hub.address}/files"
    assert models.install(KEY, f"{hub.address}/files").ready


def test_a_plan_says_what_a_person_agrees_to_and_asks_nobody(make: MakeModels, hub: Hub, folder: Path) -> None:
    models = make(hub_source({"name": WEIGHTS, "size_bytes": 1000}, {"name": TOKENIZER, "size_bytes": 10}))
    plan = models.plan(KEY)
    assert (plan.download_bytes, plan.present_bytes, plan.folder) == (1010, 0, str(folder))
    assert (plan.files, plan.licence, plan.licence_note, plan.commercial) == (
        (WEIGHTS, TOKENIZER),
        "MIT",
        "Free for any use.",
        True,
    )
    assert plan.free_bytes > 0
    assert not plan.fixed
    assert make(hub_source({"name": WEIGHTS})).plan(KEY).download_bytes is None
    assert hub.requests == []
    assert not folder.parent.exists()


def test_a_commit_that_is_fixed_is_named(make: MakeModels) -> None:
    pinned = hub_source({"name": WEIGHTS}).replace("files =", 'revision = "0123abc", files =')
    models = make(pinned)
    assert models.plan(KEY).fixed
    assert models.plan(KEY).source == models.status(KEY).source == f"{REPO} at 0123abc"
    others = hub_source({"name": WEIGHTS}, {"name": TOKENIZER, "repo": "other/words"})
    assert not make(others.replace("files =", 'revision = "0123abc", files =')).plan(KEY).fixed
    assert make(url_source("https://example.invalid/weights", {"name": WEIGHTS})).plan(KEY).fixed


def test_what_cannot_be_fetched_is_refused_with_the_reason(make: MakeModels, home: Path) -> None:
    with pytest.raises(AppError, match="No public source is known"):
        make("").plan(KEY)
    with pytest.raises(AppError, match="begin with https"):
        make(hub_source({"name": WEIGHTS})).plan(KEY, "ftp://mirror")
    with pytest.raises(AppError, match="no model"):
        make("").install("nobody")
    with pytest.raises(AppError, match="part of the program"):
        Models(home).install("timbre")


KILLED = """
import os, sys
from pathlib import Path
from app.engine.encoders import timm_backbone  # which takes seconds, and so is imported once for all that are killed
from app.engine.encoders.catalogue import Catalogue
from app.engine.models import Models

home, at, steps = Path(sys.argv[1]), 0, 0


def strike(event, arguments):
    global steps
    changes = event in ("os.rename", "os.remove", "os.rmdir") or (event == "open" and arguments[2] & os.O_CREAT)
    if changes and str(home) in str(arguments[0]):
        steps += 1
        if steps == at:
            os._exit(9)


for at in map(int, sys.stdin):
    child = os.fork()
    if not child:
        models = Models(home, Catalogue(home / "models", "cpu", home / "catalogue.toml"))
        sys.addaudithook(strike)
        models.install("tiny")
        print(steps, flush=True)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows does not fork")
def test_killed_at_any_step_a_model_is_whole_or_not_there(models: Models, home: Path, folder: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        stdin, told = process.stdin, process.stdout

        def install(at: int) -> None:
            stdin.write(f"{at}\n")
            stdin.flush()

        install(0)
        steps = int(told.readline())
        assert (int(told.readline()), steps > 8) == (0, True)
        for at in range(steps % 3 + 1, steps + 1, 3):
            models.remove(KEY)
            install(at)
            assert int(told.readline()) == 9
            assert not folder.exists() or models.verify([KEY])[0].problems == ()
            assert models.install(KEY).ready
            assert left(home) == []
        stdin.close()


def test_every_source_in_the_catalogue_gives_what_its_model_needs() -> None:
    kinds = re.compile(r"|sha256:[0-9a-f]{64}|sha256-prefix:[0-9a-f]{8,63}|md5:[0-9a-f]{32}")
    for entry in read_entries(resources_dir() / "models.toml"):
        if not entry.source:
            continue
        files = [file.name for file in entry.source.files]
        assert bool(entry.source.repo) != bool(entry.source.url), entry.key
        assert sum(any(fnmatch.fnmatch(name, pattern) for pattern in entry.files) for name in files) == 1, entry.key
        assert set(entry.companions) <= set(files), entry.key
        assert all(Path(name).name == name for name in files), entry.key
        assert all(kinds.fullmatch(file.checksum) for file in entry.source.files), entry.key


# --- removing ---


def test_a_removed_model_is_gone_with_what_a_broken_download_left(models: Models, hub: Hub, home: Path) -> None:
    models.install(KEY)
    models.remove(KEY)
    assert not (home / "models" / KEY).exists()
    assert left(home) == []
    assert not models.status(KEY).ready
    hub.faults.extend([Fault(WEIGHTS, cut_after=150_000), Fault(WEIGHTS, status=503)])
    with pytest.raises(AppError, match="busy"):
        models.install(KEY)
    assert left(home)
    models.remove(KEY)
    assert left(home) == []
    with pytest.raises(AppError, match="no files of Tiny"):
        models.remove(KEY)


def test_what_has_no_files_of_its_own_cannot_be_removed(home: Path) -> None:
    with pytest.raises(AppError, match="built in"):
        Models(home).remove("timbre")


def test_what_a_killed_removal_left_is_cleared_away(models: Models, home: Path) -> None:
    models.install(KEY)
    shutil.copytree(home / "models" / KEY, home / "models" / INCOMING_DIR / ".removed-1-other")
    models.remove(KEY)
    assert left(home) == []


# --- verifying ---


def test_every_byte_of_an_installed_model_is_held_against_its_record(models: Models, folder: Path) -> None:
    assert models.verify() == ()
    models.install(KEY)
    (check,) = models.verify()
    assert (check.key, check.files, check.problems, check.pinned) == (KEY, 2, (), True)
    flip(folder / WEIGHTS)
    (check,) = models.verify([KEY])
    assert len(check.problems) == 1
    assert WEIGHTS in check.problems[0]
    (folder / WEIGHTS).write_bytes(DATA[:-1])
    assert "instead of" in models.verify()[0].problems[0]
    (folder / WEIGHTS).unlink()
    assert "not there" in models.verify()[0].problems[0]


def test_a_flipped_byte_is_refused_when_the_model_is_loaded(models: Models, folder: Path) -> None:
    models.install(KEY)
    check_unchanged(folder / WEIGHTS)
    flip(folder / WEIGHTS)
    with pytest.raises(WeightsCorrupt, match="not the file that was installed"):
        check_unchanged(folder / WEIGHTS)


@pytest.mark.parametrize("by", ["the check", "the load"])
def test_a_model_found_damaged_is_not_ready_until_it_is_whole_again(models: Models, folder: Path, by: str) -> None:
    models.install(KEY)
    flip(folder / WEIGHTS)
    if by == "the check":
        assert models.verify([KEY])[0].problems
    else:
        with pytest.raises(WeightsCorrupt):
            check_unchanged(folder / WEIGHTS)
    status = models.status(KEY)
    assert (status.ready, status.damaged) == (False, True)
    assert WEIGHTS in status.problem
    assert models.install(KEY).ready
    stat = (folder / WEIGHTS).stat()
    flip(folder / WEIGHTS)
    assert models.verify([KEY])[0].problems
    (folder / WEIGHTS).write_bytes(DATA)  # put back in place: it is not the file that was found damaged
    assert models.status(KEY).ready
    flip(folder / WEIGHTS)
    os.utime(folder / WEIGHTS, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert models.verify([KEY])[0].problems
    (folder / WEIGHTS).write_bytes(DATA)
    os.utime(folder / WEIGHTS, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert models.status(KEY).damaged  # nothing tells it from the damaged one but its bytes
    assert models.verify([KEY])[0].problems == ()
    assert models.status(KEY).ready


def test_files_put_in_place_by_hand_are_pinned_by_the_first_check(make: MakeModels, folder: Path) -> None:
    models = make("")
    folder.mkdir(parents=True)
    (folder / WEIGHTS).write_bytes(DATA)
    (check,) = models.verify()
    assert (check.files, check.problems, check.pinned) == (1, (), False)
    (check,) = models.verify()
    assert (check.files, check.problems, check.pinned) == (1, (), True)
    assert [file.pin for file in read_installation(folder).files] == [Pin.FIRST_USE]  # type: ignore[union-attr]
    flip(folder / WEIGHTS)
    assert models.verify()[0].problems


def test_a_model_that_is_not_here_or_has_a_broken_record_is_a_problem(models: Models, folder: Path) -> None:
    assert "Put model.safetensors" in models.verify([KEY])[0].problems[0]
    models.install(KEY)
    (folder / RECORD_FILE).write_text(json.dumps({"format": 1}))
    assert "remove the model" in models.verify()[0].problems[0]
    with pytest.raises(AppError, match="no model"):
        models.verify(["nobody"])
    with pytest.raises(WeightsCorrupt, match="remove the model"):
        models.install(KEY)
    models.remove(KEY)
    assert models.install(KEY).ready


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
