"""Weights files as they come: missing, broken, hostile. None of them is executed, each gets a sentence."""

from __future__ import annotations

import hashlib
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.folder import HASHES_FILE, check_unchanged, sha256_of
from app.engine.encoders.weights import Uninitialised, read_weights
from app.engine.errors import WeightsCorrupt, WeightsMissing, WeightsUnreadable


class Trap:
    """Unpickled, it writes a file."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (self.canary, "code was executed")


def test_a_pickle_with_code_in_it_is_refused_unopened(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    zipped, legacy, bare = (tmp_path / name for name in ("zipped.pth", "legacy.pth", "bare.pth"))
    content = {"conv1.weight": torch.zeros(2), "extra": Trap(canary)}
    torch.save(content, zipped)
    torch.save(content, legacy, _use_new_zipfile_serialization=False)
    bare.write_bytes(pickle.dumps(Trap(canary)))
    for path in (zipped, legacy, bare):
        with pytest.raises(WeightsCorrupt, match="cannot be read") as caught:
            read_weights(path)
        assert not canary.exists()
        assert caught.value.path == str(path)
    with pytest.raises(WeightsCorrupt, match="holds program code, which is not run here"):
        read_weights(zipped)


def test_a_torchscript_program_is_refused_and_the_wanted_format_named(tmp_path: Path) -> None:
    """OpenAI publishes CLIP as such a program."""
    path = tmp_path / "ViT-B-32.pt"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("data.pkl", "constants.pkl", "code/__torch__.py", "version"):
            archive.writestr(f"ViT-B-32/{name}", "3")
    with pytest.raises(WeightsCorrupt, match=r"TorchScript program.* safetensors file"):
        read_weights(path)


@pytest.mark.parametrize("ending", ["pth", "pt", "bin", "safetensors"])
@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 64, b"PK\x03\x04 no archive", b"<html>404</html>", b"\x80\x02}q\x00."]
)
def test_a_broken_file_is_refused(tmp_path: Path, content: bytes, ending: str) -> None:
    path = tmp_path / f"weights.{ending}"
    path.write_bytes(content)
    with pytest.raises(WeightsCorrupt):
        read_weights(path)


@pytest.mark.parametrize("content", [b"<html>404</html>", b"\xff\xd8\xff\xe0 a photo", b"MZ a program", b"\x80 noise"])
def test_what_is_no_pickle_is_not_said_to_hold_code(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "stray.bin"
    path.write_bytes(content * 40)
    with pytest.raises(WeightsUnreadable, match="not a weights file at all"):
        read_weights(path)


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    tensors = {"weight": torch.arange(1000.0)}
    safetensors.torch.save_file(tensors, tmp_path / "a.safetensors")
    torch.save(tensors, tmp_path / "a.pth")
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-500])
        with pytest.raises(WeightsCorrupt, match="damaged"):
            read_weights(path)


@pytest.mark.parametrize("content", [{}, {"epoch": 3}, {"state_dict": {}}, torch.zeros(3), [1, 2]])
def test_a_file_without_a_network_is_refused(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "notes.pth")
    with pytest.raises(WeightsCorrupt, match="no network in it"):
        read_weights(tmp_path / "notes.pth")


def test_missing_weights_name_the_files_and_the_folder(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing) as caught:
        Catalogue(tmp_path).load("resnet50")
    assert "resnet50-11ad3fa6.pth" in caught.value.message
    assert str(tmp_path / "resnet50") in caught.value.message
    assert caught.value.path == str(tmp_path / "resnet50")


def test_several_files_that_could_be_meant_are_not_guessed_among(tmp_path: Path) -> None:
    (tmp_path / "resnet50").mkdir()
    for name in ("mine.pth", "yours.pth"):
        (tmp_path / "resnet50" / name).write_bytes(b"")
    with pytest.raises(WeightsCorrupt, match=r"mine\.pth, yours\.pth.* Keep the one to use"):
        Catalogue(tmp_path).load("resnet50")
    (tmp_path / "resnet50" / "resnet50-11ad3fa6.pth").write_bytes(b"")
    with pytest.raises(WeightsCorrupt, match="cannot be read"):
        Catalogue(tmp_path).load("resnet50")


def test_a_tensor_too_many_and_a_tensor_too_few_are_named(tmp_path: Path) -> None:
    import torchvision

    with Uninitialised():
        state = torchvision.models.resnet50(weights=None).state_dict()
    (tmp_path / "resnet50").mkdir()
    weights = tmp_path / "resnet50" / "mine.pth"
    torch.save({**state, "layer5.weight": torch.zeros(2, 3)}, weights)
    with pytest.raises(WeightsCorrupt, match=r"found layer5\.weight 2×3, which the model does not have"):
        Catalogue(tmp_path, device="cpu").load("resnet50")
    torch.save({name: tensor for name, tensor in state.items() if name != "layer1.0.conv1.weight"}, weights)
    with pytest.raises(WeightsCorrupt, match=r"expected layer1\.0\.conv1\.weight 64×64×1×1, found none"):
        Catalogue(tmp_path, device="cpu").load("resnet50")
    torch.save({name: tensor for name, tensor in state.items() if not name.startswith("fc.")}, weights)
    assert Catalogue(tmp_path, device="cpu").load("resnet50").spec.dim == 2048


def test_a_hash_is_remembered_until_the_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"one")
    first = sha256_of(path)
    change_by_itself(path, b"two")
    assert sha256_of(path) == first  # it was not read again
    path.write_bytes(b"three")
    assert sha256_of(path) == hashlib.sha256(b"three").hexdigest()


def change_by_itself(path: Path, content: bytes) -> None:
    """As a failing disk does: neither size nor time tell of it."""
    stat = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_a_file_that_changed_by_itself_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"one")
    check_unchanged(path)
    change_by_itself(path, b"oNe")
    for _ in range(2):
        with pytest.raises(WeightsCorrupt, match="fresh copy"):
            check_unchanged(path)
    change_by_itself(path, b"one")
    check_unchanged(path)
    path.write_bytes(b"another model")
    check_unchanged(path)


def test_damage_to_the_memory_of_hashes_is_not_taken_for_damage_to_the_weights(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"one")
    expected = sha256_of(path)
    memory = (tmp_path / HASHES_FILE).read_bytes()
    for at in range(len(memory)):
        (tmp_path / HASHES_FILE).write_bytes(memory[:at] + bytes([memory[at] ^ 1]) + memory[at + 1 :])
        check_unchanged(path)
        assert sha256_of(path) == expected


@pytest.mark.parametrize("content", ["", "[]", "{", '{"weights.pth": 3}', "\x00"])
def test_a_broken_memory_of_hashes_costs_only_time(tmp_path: Path, content: str) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"one")
    expected = sha256_of(path)
    (tmp_path / HASHES_FILE).write_text(content, "utf-8")
    assert sha256_of(path) == expected


def test_a_folder_that_cannot_be_written_to_costs_only_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"one")

    def read_only(*_: object, **__: object) -> None:
        raise PermissionError(30, os.strerror(30))

    monkeypatch.setattr(Path, "write_text", read_only)
    assert len(sha256_of(path)) == 64
    assert [file.name for file in tmp_path.iterdir()] == ["weights.pth"]
