"""A model's files are those that were published, or installed: whatever else lies there is found and told of."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import packing
import pytest
import tinyclip
import tinymodel
from hub import Hub, running, sha256
from packing import KEY
from rich.console import Console
from tinymodel import WEIGHTS, url_source

from app.cli import modeltables, tables
from app.engine.encoders import folder as folders
from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.record import RECORD_FILE, read_installation
from app.engine.errors import WeightsCorrupt
from app.engine.librarytypes import IndexRequest
from app.engine.models import Models
from app.engine.modeltypes import Pin
from app.engine.session import Session

Make = Callable[..., Path]
DATA = tinymodel.weights()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("NO_PROXY", "*")
    with running() as started:
        started.plain[f"/files/{WEIGHTS}"] = DATA
        yield started


@pytest.fixture
def models(home: Path, hub: Hub) -> Models:
    """One model, of which its makers publish the checksum."""
    home.mkdir(exist_ok=True)
    file = {"name": WEIGHTS, "checksum": f"sha256:{sha256(DATA)}"}
    one = tinymodel.entry(source=url_source(f"{hub.address}/files", file))
    return Models(home, Catalogue(home / "models", "cpu", tinymodel.write_catalogue(home / "catalogue.toml", one)))


@pytest.fixture
def clip(home: Path) -> Path:
    """The folder of a model that a person has added, its bytes pinned."""
    folder = tinyclip.add(home / "models", KEY)
    Models(home).verify([KEY])
    return folder


def flip(path: Path, keeping_time: bool = True) -> None:
    """Change one bit in the middle of a file, as a failing disk does."""
    stat, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    if keeping_time:
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.mark.parametrize("pin", list(Pin))
def test_a_pack_cannot_say_how_a_published_file_is_known(tmp_path: Path, home: Path, pin: Pin) -> None:
    pack = packing.forged(tmp_path / "pack", {"resnet50-11ad3fa6.pth": b"of somebody else"}, key="resnet50", pin=pin)
    assert "not what the makers" in packing.refused(home, pack).message


def test_what_a_pack_says_of_a_hub_is_not_believed(tmp_path: Path, home: Path) -> None:
    Models(home).import_pack(str(packing.forged(tmp_path / "pack", entry=tinyclip.table(KEY), pin=Pin.HUB)))
    installation = read_installation(home / "models" / KEY)
    assert installation
    assert {file.pin for file in installation.files} == {Pin.FIRST_USE}


def test_a_file_put_in_place_by_hand_is_held_against_what_its_makers_publish(models: Models, home: Path) -> None:
    path = home / "models" / tinymodel.KEY / WEIGHTS
    path.parent.mkdir(parents=True)
    path.write_bytes(tinymodel.weights(seed=5))
    (check,) = models.verify()
    assert "not what the makers of Tiny publish" in check.problems[0]
    assert read_installation(path.parent) is None

    path.write_bytes(DATA)
    (check,) = models.verify()
    installation = read_installation(path.parent)
    assert installation
    assert (check.problems, check.pinned, installation.files[0].pin) == ((), False, Pin.PUBLISHED)


def test_a_file_that_has_changed_by_itself_is_not_pinned(home: Path) -> None:
    path = tinyclip.add(home / "models", KEY) / tinyclip.WEIGHTS
    Catalogue(home / "models").fingerprint(KEY)
    flip(path)
    for _ in range(2):
        (check,) = Models(home).verify()
        assert "does not hold the bytes any more that it was first used with" in check.problems[0]
    assert Models(home).status(KEY).damaged


@pytest.mark.parametrize("memory_only", [False, True])
def test_a_model_that_was_found_damaged_is_not_ready_until_its_file_is_another(
    clip: Path, home: Path, monkeypatch: pytest.MonkeyPatch, memory_only: bool
) -> None:
    if memory_only:  # a folder that cannot be written to
        monkeypatch.setattr(folders, "_write_hashes", lambda *_: None)
    path = clip / tinyclip.WEIGHTS
    flip(path)
    assert Models(home).status(KEY).ready  # nobody has looked
    with pytest.raises(WeightsCorrupt):
        Catalogue(home / "models", "cpu").load(KEY)
    if not memory_only:
        folders._noted.clear()  # as for the next process
    status = Models(home).status(KEY)
    assert (status.ready, status.damaged) == (False, True)
    assert "Install the model again" in status.problem
    path.write_bytes(tinyclip.weights())
    assert Models(home).status(KEY).ready


def test_a_damaged_model_is_not_taken_for_that_of_a_pack(clip: Path, home: Path, tmp_path: Path) -> None:
    pack = str(tmp_path / "pack")
    Models(home).export_pack([KEY], pack)
    flip(clip / tinyclip.WEIGHTS)
    Models(home).verify([KEY])
    assert Models(home).import_pack(pack, replacing=True).models == (KEY,)
    assert Models(home).status(KEY).ready


def test_a_truncated_file_makes_a_model_damaged(clip: Path, home: Path) -> None:
    with (clip / tinyclip.WEIGHTS).open("r+b") as file:
        file.truncate(1000)
    status = Models(home).status(KEY)
    assert (status.ready, status.damaged) == (False, True)
    assert "1,000 bytes instead of" in status.problem


def test_damage_makes_no_earlier_vectors(home: Path, clip: Path, photo: Make) -> None:
    with Session.open(home, device="cpu") as session:
        session.index(IndexRequest((str(photo("a.png", 1).parent),), (KEY,)))
    flip(clip / tinyclip.WEIGHTS, keeping_time=False)
    with Session.open(home, device="cpu") as session:
        status = session.status()
        assert (status.earlier, status.spaces[KEY].items) == ({}, 1)
        session.forget_model(KEY, earlier=True)
        assert session.status().spaces[KEY].items == 1
    Models(home).verify()
    with Session.open(home, device="cpu") as session:
        with pytest.raises(WeightsCorrupt, match="Install the model again"):
            session.forget_model(KEY, earlier=True)
        assert session.status().kept[KEY].items == 1


def test_a_config_put_beside_pinned_weights_is_found_and_refused(clip: Path, home: Path) -> None:
    before = Catalogue(home / "models").fingerprint(KEY)
    config = clip / "open_clip_config.json"
    config.write_text(json.dumps({"model_cfg": tinyclip.CONFIG, "preprocess_cfg": {"mean": [0, 0, 0]}}))
    (check,) = Models(home).verify([KEY])
    assert "open_clip_config.json would change what the model computes" in check.problems[0]
    assert check.problems[0] == Models(home).status(KEY).problem
    with pytest.raises(WeightsCorrupt, match=RECORD_FILE):
        Catalogue(home / "models", "cpu").load(KEY)
    config.unlink()
    assert Catalogue(home / "models").fingerprint(KEY) == before


def test_a_record_without_files_says_nothing_of_any_byte(home: Path) -> None:
    tinyclip.add(home / "models", KEY)
    checks = [Models(home).verify([KEY])[0] for _ in range(2)]
    assert [(check.files, check.pinned) for check in checks] == [(1, False), (1, True)]
    assert Models(home).status(KEY).name == f"Tiny {KEY}"  # its entry is still there


@pytest.mark.parametrize(
    "odd",
    [
        {"name": 5},
        {"licence": [1]},
        {"summary": None},
        {"languages": [1]},
        {"memory_bytes": "x"},
        {"files": ["../x*"]},
        {"picture": {"size_px": "9"}},
        {"model_cfg": 3},
        {"accepts": {}},
    ],
)
def test_an_odd_record_breaks_no_list(home: Path, odd: dict[str, Any]) -> None:
    folder = tinyclip.add(home / "models", KEY)
    tinyclip.add(home / "models", "whole")
    record = json.loads((folder / RECORD_FILE).read_text())
    record["entry"].update(odd)
    (folder / RECORD_FILE).write_text(json.dumps(record))
    statuses = {status.key: status for status in Models(home).statuses()}
    console = Console(file=io.StringIO())
    tables.models(console, tuple(statuses.values()))
    modeltables.info(console, statuses["whole"])
    assert KEY not in statuses
