"""Packs that mean harm, by names, links, sizes, manifests, entries or weights: nothing in them is run or gets out."""

from __future__ import annotations

import io
import pickle
import tarfile
from pathlib import Path
from typing import Any

import packing
import pytest
import safetensors.torch
import tinyclip
import torch
from packing import KEY, WEIGHTS, forged, refused, with_manifest

from app.engine.encoders.record import read_installation
from app.engine.installing import packfile
from app.engine.models import Models
from app.engine.modeltypes import Pin


@pytest.fixture
def away(tmp_path: Path) -> Path:
    """The home of another machine: nothing in it."""
    return tmp_path / "away"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    path = tmp_path / "two.semblance-pack"
    Models(packing.fill(tmp_path / "home")).export_pack((), str(path))
    return path


def test_the_forger_can_make_packs_that_are_taken(away: Path, tmp_path: Path) -> None:
    """Else the refusals below would mean nothing."""
    path = forged(tmp_path / "pack", entry=tinyclip.table(KEY))
    with_manifest(path, lambda table: table)
    assert Models(away).import_pack(str(path)).models == (KEY,)


EVIL_NAMES = [
    *("../evil", "../../evil", "/tmp/evil", "a/b", "a\\b", "..\\evil", "C:evil", "C:\\evil", "\\\\server\\evil"),
    *("..", ".", "", " ", "evil ", "evil.", " evil", "e\x00vil", "e\nvil", "e\u202evil", "\ud800", "x" * 101, "é" * 51),
    *("CON", "con.txt", "Nul", "aux.json", "COM1", "lpt9.bin", "nul .txt", "evil:stream", "evil?", "evil*", "a|b"),
    *("installed.json", "Installed.JSON", ".sha256.json", ".hidden"),
]


@pytest.mark.parametrize("name", EVIL_NAMES)
@pytest.mark.parametrize("where", ["file", "key"])
def test_a_name_that_leads_elsewhere_is_refused(name: str, where: str, away: Path, tmp_path: Path) -> None:
    path = forged(tmp_path / "pack", entry=tinyclip.table(KEY))

    def rename(table: dict[str, Any]) -> None:
        (model,) = table["models"]
        if where == "file":
            model["installation"]["files"][0]["name"] = name
        else:
            model["key"] = model["entry"]["key"] = name

    with_manifest(path, rename)
    refused(away, path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["pack"]


@pytest.mark.parametrize("names", [("a", "a"), ("a", "A"), ("straße", "STRASSE"), ("é", "e\u0301")])
def test_names_that_some_system_takes_for_one_are_refused(names: tuple[str, str], away: Path, tmp_path: Path) -> None:
    def double(table: dict[str, Any]) -> None:
        files = table["models"][0]["installation"]["files"]
        files[0]["name"], files[1]["name"] = names

    path = forged(tmp_path / "pack", {"x": b"1", "y": b"2", tinyclip.WEIGHTS: WEIGHTS}, entry=tinyclip.table(KEY))
    assert "two names" in refused(away, with_manifest(path, double)).message

    def double_key(table: dict[str, Any]) -> None:
        table["models"] *= 2

    path = forged(tmp_path / "pack", entry=tinyclip.table(KEY))
    assert "two names" in refused(away, with_manifest(path, double_key)).message


@pytest.mark.parametrize(
    "kind",
    [
        *(tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE),
        *(tarfile.GNUTYPE_SPARSE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME),
    ],
)
def test_links_devices_and_the_like_are_refused(kind: bytes, away: Path, pack: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    with tarfile.open(pack, "r:") as archive:
        *_, last = archive.getmembers()
    whole = pack.read_bytes()
    header = tarfile.TarInfo(last.name)
    header.type, header.linkname, header.size = kind, str(canary), last.size
    block = header.tobuf(tarfile.USTAR_FORMAT)
    pack.write_bytes(whole[: last.offset] + block + whole[last.offset + 512 :])
    assert "damaged at" in refused(away, pack).message
    assert not canary.exists()


def test_no_more_is_written_than_there_is_room_for(away: Path, tmp_path: Path) -> None:
    """A pack that claims a terabyte, and on a file system with holes has it."""
    path = forged(tmp_path / "pack", {tinyclip.WEIGHTS: bytes(512)}, entry=tinyclip.table(KEY))
    size_bytes = 1 << 43
    with_manifest(path, lambda table: table["models"][0]["installation"]["files"][0].update(size_bytes=size_bytes))
    assert "its copying was broken off" in refused(away, path).message
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 512 + size_bytes)
    assert "not enough room" in refused(away, path).title


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"format": 1, "licences": {"size_bytes": 1e999, "sha256": ""}, "models": []}',
        b'{"format": 1, "licences": null, "models": null}',
        b'{"format": 1, "licences": {"size_bytes": ' + b"9" * 5000 + b', "sha256": ""}, "models": []}',
        b'{"format": "1", "models": []}',
        b" " * (packfile.LARGEST_MANIFEST_BYTES + 1),
    ],
)
def test_a_manifest_of_nonsense_is_refused(manifest: bytes, away: Path, tmp_path: Path) -> None:
    refused(away, with_manifest(forged(tmp_path / "pack"), lambda _table: manifest))


@pytest.mark.parametrize("size_bytes", [-1, -512, 2**63, 1.5, "12x", None, True])
def test_a_size_of_nonsense_is_refused(size_bytes: Any, away: Path, tmp_path: Path) -> None:
    def claim(table: dict[str, Any]) -> None:
        table["models"][0]["installation"]["files"][0]["size_bytes"] = size_bytes

    refused(away, with_manifest(forged(tmp_path / "pack", entry=tinyclip.table(KEY)), claim))


def test_a_pack_of_a_newer_version_says_so(away: Path, pack: Path) -> None:
    newer = with_manifest(pack, lambda table: {"format": packfile.FORMAT + 1, "whatever": table})
    assert "Update the program" in refused(away, newer).message


@pytest.mark.parametrize(
    "changes",
    [
        {"files": ["../../*"]},
        {"files": ["/etc/*"]},
        {"files": []},
        {"files": "abc"},
        {"files": [3]},
        {"companions": ["../../secret"]},
        {"companions": ["missing.json"]},
        {"key": "another"},
        {"origin": "catalogue"},
        {"origin": "plug-in"},
        {"family": "os.system"},
        {"variant_of": "resnet50"},
        {"source": {"files": [{"name": "x"}], "url": "https://example.org"}},
        {"accepts": ["image", "text", "audio"]},
        {"dim": -1},
        {"dim": "32"},
        {"batch_size": 0},
        {"name": ["x"]},
        {"mean": [0, 0]},
        {"std": [1, 0, 1]},
        {"std": [1, "1", 1]},
        {"picture": {"size_px": 10**9, "resize_px": 10**9}},
        {"picture": {"size_px": 32, "resize_px": 32, "fit": "__import__"}},
        {"picture": 7},
        {"sound": {"sample_rate_hz": 0}},
        {"accepts": ["smell"]},
        {"model_cfg": "os.system"},
        {"model_cfg": {**tinyclip.CONFIG, "vision_cfg": {**tinyclip.CONFIG["vision_cfg"], "layers": 8000}}},
        {"model_cfg": {**tinyclip.CONFIG, "vision_cfg": {"timm_model_name": "hf-hub:somebody/x", "image_size": 32}}},
        {"model_cfg": {**tinyclip.CONFIG, "text_cfg": {**tinyclip.CONFIG["text_cfg"], "tokenizer_kwargs": {"x": 1}}}},
        {"model_cfg": None, "architecture": "hf-hub:somebody/x"},
        {"model_cfg": None, "architecture": "local-dir:/etc"},
        {"picture": {"size_px": 2049, "resize_px": 2049}},
        {"model_cfg": {**tinyclip.CONFIG, "embed_dim": 33}},
        {"model_cfg": {**tinyclip.CONFIG, "text_cfg": {**tinyclip.CONFIG["text_cfg"], "hf_model_name": "../../x"}}},
        {"__class__": "x"},
        {"files": ["open_clip_model.bin"]},
    ],
)
def test_an_entry_that_asks_for_anything_odd_is_refused(changes: dict[str, Any], away: Path, tmp_path: Path) -> None:
    refused(away, forged(tmp_path / "pack", entry=tinyclip.table(KEY, **changes)))


@pytest.mark.parametrize("entry", [[], "x", 3, {}, None])
def test_an_entry_of_nonsense_is_refused(entry: Any, away: Path, tmp_path: Path) -> None:
    refused(away, forged(tmp_path / "pack", entry=entry))


@pytest.mark.parametrize("key", ["resnet50", "timbre", "ResNet50", "Tiny"])
def test_a_pack_cannot_take_the_place_of_the_programs_own_models(key: str, away: Path, tmp_path: Path) -> None:
    refused(away, forged(tmp_path / "pack", key=key, entry=tinyclip.table(key)))


def test_a_claim_that_the_makers_published_it_is_checked(away: Path, tmp_path: Path) -> None:
    content = safetensors.torch.save({"conv1.weight": torch.zeros(3)})
    files = {"open_clip_model.safetensors": content}
    path = forged(tmp_path / "pack", files, key="clip-vit-b-32", pin=Pin.PUBLISHED)
    assert "not what the makers of CLIP ViT-B/32 publish" in refused(away, path).message
    Models(away).import_pack(str(forged(tmp_path / "pack", entry=tinyclip.table(KEY), pin=Pin.PUBLISHED)))
    record = read_installation(away / "models" / KEY)
    assert record
    assert [file.pin for file in record.files] == [Pin.FIRST_USE]


def test_weights_of_another_model_are_refused(away: Path, tmp_path: Path) -> None:
    path = forged(tmp_path / "pack", {"model.safetensors": WEIGHTS}, key="resnet50")
    assert "These are not the weights of ResNet-50" in refused(away, path).message
    sizes = {**tinyclip.CONFIG, "embed_dim": 64}
    path = forged(tmp_path / "pack", entry=tinyclip.table(KEY, dim=64, model_cfg=sizes))
    assert "These are not the weights of Tiny" in refused(away, path).message


class Trap:
    """Unpickled, it writes a file."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (self.canary, "code was executed")


@pytest.mark.parametrize("kind", ["zip", "bare", "not weights"])
def test_weights_with_code_in_them_stay_out(kind: str, away: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    buffer = io.BytesIO()
    if kind == "zip":
        torch.save({"conv1.weight": torch.zeros(2), "extra": Trap(canary)}, buffer)
    elif kind == "bare":
        buffer.write(pickle.dumps(Trap(canary)))
    else:
        buffer.write(b"#!/bin/sh\ntouch canary\n")
    path = forged(tmp_path / "pack", {"resnet50-11ad3fa6.pth": buffer.getvalue()}, key="resnet50")
    refused(away, path)
    assert not canary.exists()
