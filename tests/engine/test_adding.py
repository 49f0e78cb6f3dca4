"""Bringing a model of one's own: found out, copied, tried; or refused with a sentence, and nothing has changed."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import psutil
import pytest
import safetensors.torch
import timm
import torch
from hypothesis import given
from hypothesis import strategies as st
from offers import (
    SMALL_CLIP,
    SMALL_TIMM,
    all_files,
    clip_folder,
    clip_tensors,
    panns_tensors,
    timm_tensors,
    write_tokenizer,
)

from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.checkpoint import outline, read_weights, write_plain
from app.engine.encoders.openclip_offer import fitting
from app.engine.encoders.record import RECORD_FILE
from app.engine.errors import AppError, DeviceExhausted, WeightsCorrupt
from app.engine.installing import offered
from app.engine.jobs import Cancelled, Job, Progress
from app.engine.models import Models
from app.engine.modeltypes import AddRequest, ModelStatus, Origin, Pin
from app.engine.samples import Picture, Sound, Text
from app.engine.types import Modality
from app.paths import models_dir

Add = Callable[..., ModelStatus]


@pytest.fixture
def add(home: Path) -> Add:
    """Adds a model to the data home."""

    def run(path: Path, job: Job | None = None, **request: str) -> ModelStatus:
        return Models(home).add(AddRequest(str(path), **request), job or Job())

    return run


def refused(add: Add, home: Path, path: Path, match: str, **request: str) -> None:
    """The model is refused in these words, and nothing is left of it."""
    before = all_files(home)
    with pytest.raises(AppError, match=match) as caught:
        add(path, **request)
    assert caught.value.message.endswith((".", "?", ")."))
    assert ".incoming/" not in str(caught.value)
    assert all_files(home) == before


def loaded(home: Path, key: str) -> Any:
    return Catalogue(models_dir(home), device="cpu").load(key)


# --- open_clip -------------------------------------------------------------------------------------------------------


def test_a_folder_in_open_clips_layout_becomes_a_model(add: Add, home: Path, tmp_path: Path) -> None:
    folder = clip_folder(tmp_path / "Herbarium CLIP v2", mean=[0.5, 0.5, 0.5], std=[0.25, 0.25, 0.25])
    weights = (folder / "open_clip_model.safetensors").read_bytes()
    status = add(folder, licence="CC-BY-4.0", name="Herbarium")
    assert (status.key, status.name, status.family) == ("herbarium-clip-v2", "Herbarium", "open_clip")
    assert status.ready
    assert status.origin is Origin.ADDED
    assert status.accepts == {Modality.TEXT, Modality.IMAGE}
    assert (status.dim, status.input_px, status.licence) == (32, 32, "CC-BY-4.0")
    assert status.parameters == sum(tensor.numel() for tensor in clip_tensors().values())
    assert status.languages == ("en",)
    shutil.rmtree(folder)  # the original may go away

    network = open_clip.CLIP(**SMALL_CLIP).eval()
    network.load_state_dict(clip_tensors())
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    with torch.inference_mode():
        prepared = (torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255 - 0.5) / 0.25
        theirs = torch.nn.functional.normalize(network.encode_image(prepared), dim=1).numpy()
    encoder = loaded(home, "herbarium-clip-v2")
    np.testing.assert_allclose(encoder.encode([Picture(each) for each in pixels]), theirs, atol=1e-6)
    assert encoder.encode([Text("a plant")]).shape == (1, 32)

    assert status.installation
    kept = {file.name: file for file in status.installation.files}
    assert kept["model.safetensors"].sha256 == hashlib.sha256(weights).hexdigest()
    assert {file.pin for file in kept.values()} == {Pin.FIRST_USE}
    assert (models_dir(home) / status.key / "model.safetensors").read_bytes() == weights


def test_a_training_checkpoint_is_recognised_by_its_shapes_and_kept_as_plain_numbers(
    add: Add, home: Path, tmp_path: Path
) -> None:
    torch.manual_seed(3)
    state = open_clip.CLIP(**open_clip.get_model_config("ViT-S-32-alt")).half().state_dict()
    checkpoint = tmp_path / "My_Fine-Tune.pt"
    named = {f"module.{name}": tensor for name, tensor in state.items()}
    torch.save({"epoch": 3, "state_dict": named, "optimizer": {"state": {0: {"exp_avg": torch.ones(9)}}}}, checkpoint)
    status = add(checkpoint)
    assert (status.key, status.dim, status.input_px) == ("my-fine-tune", 256, 224)
    assert "ViT-S-32-alt" in status.summary
    assert status.installation
    assert hashlib.sha256(checkpoint.read_bytes()).hexdigest() in status.installation.source
    kept = safetensors.torch.load_file(models_dir(home) / "my-fine-tune" / "model.safetensors")
    assert kept.keys() == state.keys()
    assert all(torch.equal(kept[name], tensor) for name, tensor in state.items())

    wrong = r"expected positional_embedding 77×512, found 77×256\. This looks like ViT-S-32-alt\."
    refused(add, home, checkpoint, wrong, architecture="ViT-B-32", key="other")
    refused(add, home, checkpoint, "Did you mean ViT-S-32", architecture="ViT-S-23", key="other")


@pytest.mark.parametrize(
    ("architecture", "found"),
    [
        ("ViT-L-14", ("ViT-L-14", "ViT-L-14-quickgelu")),
        ("ViT-B-16-SigLIP", ("ViT-B-16-SigLIP",)),
        ("ViT-B-16-SigLIP2-256", ("ViT-B-16-SigLIP2-256",)),
        ("convnext_base", ("convnext_base",)),
    ],
)
def test_known_architectures_are_told_apart_by_shapes(architecture: str, found: tuple[str, ...]) -> None:
    model_cfg = open_clip.get_model_config(architecture)
    custom = model_cfg.pop("custom_text", False)
    with torch.device("meta"):
        network = (open_clip.CustomTextCLIP if custom else open_clip.CLIP)(**model_cfg)
    assert fitting(network.state_dict()) == found


def test_what_shapes_cannot_tell_is_asked(
    add: Add, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.engine.encoders import openclip_offer

    monkeypatch.setattr(openclip_offer, "fitting", lambda _: ("ViT-B-32", "ViT-B-32-quickgelu"))
    torch.save(clip_tensors(), tmp_path / "clip.pt")
    refused(add, home, tmp_path / "clip.pt", r"fit ViT-B-32, ViT-B-32-quickgelu, .*\(--architecture\)")


def test_tensors_of_no_architecture_need_a_config(add: Add, home: Path, tmp_path: Path) -> None:
    torch.save(clip_tensors(), tmp_path / "small.pt")
    refused(add, home, tmp_path / "small.pt", "no architecture that open_clip has.*open_clip_config.json")


def test_a_config_that_is_not_of_these_weights_names_what_does_not_fit(add: Add, home: Path, tmp_path: Path) -> None:
    model_cfg = {**SMALL_CLIP, "vision_cfg": {**SMALL_CLIP["vision_cfg"], "patch_size": 8}}
    refused(add, home, clip_folder(tmp_path / "clip", model_cfg), r"visual\.positional_embedding 17×64, found 5×64")


def test_words_of_another_vocabulary_need_their_tokenizer(add: Add, home: Path, tmp_path: Path) -> None:
    text_cfg = {**SMALL_CLIP["text_cfg"], "hf_tokenizer_name": "somebody/words"}
    folder = clip_folder(tmp_path / "clip", {**SMALL_CLIP, "text_cfg": text_cfg})
    refused(add, home, folder, r"tokenizer\.json and tokenizer_config\.json")
    write_tokenizer(folder)
    status = add(folder)
    assert status.ready
    assert {"tokenizer.json", "tokenizer_config.json"} < {*status.files, ""}
    assert status.languages == ()
    (folder / "tokenizer.json").write_text("{}", "utf-8")
    refused(add, home, folder, "Put the files .*tokenizer.json", key="again")


# --- timm and PANNs --------------------------------------------------------------------------------------------------


def test_a_backbone_of_timm_is_known_by_its_config(add: Add, home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "birds"
    folder.mkdir()
    safetensors.torch.save_file(timm_tensors(), folder / "model.safetensors")
    prepared = {"input_size": [3, 96, 96], "crop_pct": 0.75, "interpolation": "bilinear", "mean": [0.1, 0.2, 0.3]}
    config = {"architecture": SMALL_TIMM, "num_classes": 10, "pretrained_cfg": {**prepared, "url": "file:///etc"}}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    status = add(folder)
    assert (status.key, status.family, status.accepts, status.input_px) == ("birds", "timm", {Modality.IMAGE}, 96)
    encoder = loaded(home, "birds")
    assert encoder.spec.picture.resize_px == 128
    network = timm.create_model(SMALL_TIMM, num_classes=0).eval()
    network.load_state_dict({name: tensor for name, tensor in timm_tensors().items() if not name.startswith("fc.")})
    std = torch.tensor(network.pretrained_cfg["std"]).view(3, 1, 1)
    pixels = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)
    with torch.inference_mode():
        picture = (torch.from_numpy(pixels).permute(2, 0, 1) / 255 - torch.tensor([0.1, 0.2, 0.3]).view(3, 1, 1)) / std
        theirs = torch.nn.functional.normalize(network(picture[None]), dim=1).numpy()
    np.testing.assert_allclose(encoder.encode([Picture(pixels)]), theirs, atol=1e-5)


def test_a_backbone_of_timm_is_known_by_its_name(add: Add, home: Path, tmp_path: Path) -> None:
    safetensors.torch.save_file(timm_tensors(), tmp_path / "birds.safetensors")
    refused(add, home, tmp_path / "birds.safetensors", "--family timm --architecture NAME")
    refused(add, home, tmp_path / "birds.safetensors", "name it", family="timm")
    refused(add, home, tmp_path / "birds.safetensors", "Did you mean resnet18", architecture="resnet81")
    refused(add, home, tmp_path / "birds.safetensors", "not timm's resnet18: expected", architecture="resnet18")
    refused(add, home, tmp_path / "birds.safetensors", "Choose one of: open_clip, timm, panns", family="tim")
    assert add(tmp_path / "birds.safetensors", architecture=SMALL_TIMM).ready
    (tmp_path / "birds.safetensors").rename(tmp_path / f"{SMALL_TIMM}.safetensors")
    assert add(tmp_path / f"{SMALL_TIMM}.safetensors").key == "test-resnet"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"model_args": {"act_layer": "relu6"}}, "changes the network.*act_layer"),
        ({"pretrained_cfg": {"input_size": [3, -1, -1]}}, "input_size"),
        ({"pretrained_cfg": {"input_size": [3, 10**9, 10**9]}}, "input_size"),
        ({"pretrained_cfg": {"crop_pct": 0}}, "crop_pct"),
        ({"pretrained_cfg": {"std": [0, 0, 0]}}, "std"),
        ({"pretrained_cfg": {"interpolation": "random"}}, "interpolation"),
    ],
)
def test_a_config_of_timm_with_strange_values_is_refused(
    add: Add, home: Path, tmp_path: Path, change: dict[str, Any], match: str
) -> None:
    torch.save(timm_tensors(), tmp_path / "weights.pth")
    (tmp_path / "config.json").write_text(json.dumps({"architecture": SMALL_TIMM, **change}), "utf-8")
    refused(add, home, tmp_path, match)


@pytest.mark.parametrize("architecture", ["Cnn6", "MobileNetV1"])
def test_a_network_of_panns_is_known_by_its_shapes(add: Add, home: Path, tmp_path: Path, architecture: str) -> None:
    torch.save({"model": panns_tensors(architecture), "iteration": 5}, tmp_path / "bats.pth")
    status = add(tmp_path / "bats.pth")
    assert (status.family, status.accepts, status.sample_rate_hz) == ("panns", {Modality.AUDIO}, 32_000)
    assert architecture in status.summary
    assert loaded(home, "bats").encode([Sound(np.zeros(1000, np.float32))]).shape == (1, status.dim)


def test_an_added_model_is_verified_and_removed_as_any_other(add: Add, home: Path, tmp_path: Path) -> None:
    add(clip_folder(tmp_path / "clip"))
    (check,) = Models(home).verify(["clip"])
    assert (check.problems, check.pinned) == ((), True)
    for name in ("model.safetensors", "open_clip_config.json"):
        path = models_dir(home) / "clip" / name
        content = path.read_bytes()
        path.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
        (check,) = Models(home).verify(["clip"])
        assert name in check.problems[0]
        path.write_bytes(content)
    Models(home).remove("clip")
    assert "clip" not in [status.key for status in Models(home).statuses()]
    assert add(tmp_path / "clip").ready


# --- what is refused -------------------------------------------------------------------------------------------------


def test_numbers_that_are_none_are_refused(add: Add, home: Path, tmp_path: Path) -> None:
    for bad in (float("nan"), float("inf")):
        tensors = panns_tensors()
        tensors["fc1.weight"][3, 4] = bad
        torch.save(tensors, tmp_path / "bats.pth")
        with pytest.raises(WeightsCorrupt, match=r"fc1\.weight holds what is no number.*bats\.pth\)$"):
            add(tmp_path / "bats.pth")
        assert not all_files(home)


def test_an_empty_network_is_found_out_by_trying_it(add: Add, home: Path, tmp_path: Path) -> None:
    empty = {name: torch.zeros_like(tensor) for name, tensor in panns_tensors().items()}
    torch.save(empty, tmp_path / "bats.pth")
    refused(add, home, tmp_path / "bats.pth", "same vector for two different samples")


def test_keys_are_derived_checked_and_never_taken_twice(add: Add, home: Path, tmp_path: Path) -> None:
    torch.save(panns_tensors(), tmp_path / "resnet50.pth")
    refused(add, home, tmp_path / "resnet50.pth", "There is a model “resnet50” already: .*--key")
    refused(add, home, tmp_path / "resnet50.pth", "small letters, digits and hyphens", key="../up")
    refused(add, home, tmp_path / "resnet50.pth", "small letters", key=".incoming")
    assert add(tmp_path / "resnet50.pth", key="bats").key == "bats"
    refused(add, home, tmp_path / "resnet50.pth", "There is a model “bats” already", key="bats")
    (models_dir(home) / "left-behind").mkdir()
    refused(add, home, tmp_path / "resnet50.pth", "already", key="left-behind")


def test_a_name_from_a_file_system_is_shown_as_a_line(add: Add, tmp_path: Path) -> None:
    path = tmp_path / "two\nlines\x1b[31m and \udcff.pth"
    torch.save(panns_tensors(), path)
    status = add(path, licence="MIT\x07")
    assert (status.key, status.name, status.licence) == ("two-lines-31m-and", "twolines[31m and", "MIT")


def test_numbers_of_another_kind_are_refused(add: Add, home: Path, tmp_path: Path) -> None:
    """Quantised weights have the same names and shapes, and mean nothing without their scales."""
    tensors = panns_tensors()
    torch.save({**tensors, "fc1.weight": tensors["fc1.weight"].to(torch.int8)}, tmp_path / "bats.pth")
    refused(add, home, tmp_path / "bats.pth", r"fc1\.weight in floating point, found int8")
    eight = {**tensors, "fc1.weight": tensors["fc1.weight"].to(torch.float8_e4m3fn)}
    safetensors.torch.save_file(eight, tmp_path / "bats.safetensors")
    refused(add, home, tmp_path / "bats.safetensors", r"fc1\.weight is stored as F8_E4M3")


@given(st.text())
def test_whatever_a_file_is_called_its_key_is_one(name: str) -> None:
    key = offered.key_of(name)
    assert not key or offered.is_key(key)
    assert offered.key_of(key) == key


def test_a_folder_says_what_a_plain_name_does_not(tmp_path: Path) -> None:
    for name, called in {
        "model.safetensors": "Fungi",
        "open_clip_pytorch_model.bin": "Fungi",
        "epoch_12.pt": "Fungi",
        "best.ckpt": "Fungi",
        "fungi-b32.pt": "fungi-b32",
        "fungi.pth.tar": "fungi",
        "Cnn6_mAP=0.343.pth": "Cnn6_mAP=0.343",
        "model_best.pth.tar": "Fungi",
    }.items():
        folder = tmp_path / name / "Fungi"
        folder.mkdir(parents=True)
        (folder / name).write_bytes(b"x")
        assert offered.find(folder).name == called
        assert offered.find(folder / name).weights == folder / name
        assert offered.find(folder / name).name == ("epoch_12" if name == "epoch_12.pt" else called)


def test_of_several_weights_files_none_is_guessed(add: Add, home: Path, tmp_path: Path) -> None:
    for name in ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"):
        (tmp_path / name).write_bytes(b"")
    refused(add, home, tmp_path, "holds model-00001-of-00002.safetensors, model-00002-of-00002.safetensors")
    refused(add, home, tmp_path / "nothing", "Give a weights file")
    (tmp_path / "empty").mkdir()
    refused(add, home, tmp_path / "empty", "one file of the kind")


def test_the_weights_of_another_network_are_refused(add: Add, home: Path, shared_data: Path) -> None:
    other = shared_data / "hostile" / "weights" / "resnet20-12fca82f.th"
    refused(add, home, other, "no model that can be added")
    refused(add, home, other, "not timm's resnet18: expected", architecture="resnet18", family="timm")


# --- what may go wrong on the way ------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["Looking at the model", "Copying", "Checking its numbers", "Trying it"])
def test_cancelling_leaves_nothing(add: Add, home: Path, tmp_path: Path, phase: str) -> None:
    torch.save(panns_tensors(), tmp_path / "bats.pth")

    def cancel(progress: Progress) -> None:
        if progress.phase == phase:
            job.cancel()

    job = Job(cancel, min_interval_s=0)
    with pytest.raises(Cancelled):
        add(tmp_path / "bats.pth", job)
    assert not all_files(home)
    assert not (models_dir(home) / "bats").exists()
    assert add(tmp_path / "bats.pth").ready


def test_a_full_disk_and_a_small_memory_are_said_before_anything_is_copied(
    add: Add, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(panns_tensors(), tmp_path / "bats.pth")
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10**6))
        refused(add, home, tmp_path / "bats.pth", "1.0 MB are free")
    small = psutil.virtual_memory()._replace(available=10**6)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: small)
    with pytest.raises(DeviceExhausted, match="1.0 MB are free"):
        add(tmp_path / "bats.pth")
    assert not all_files(home)


def test_what_a_killed_adding_left_is_no_model_and_in_nobodys_way(add: Add, home: Path, tmp_path: Path) -> None:
    torch.save(panns_tensors(), tmp_path / "bats.pth")
    left = models_dir(home) / ".incoming" / "bats.stage" / "bats"
    left.mkdir(parents=True)
    (left / "model.safetensors").write_bytes(b"half")
    (left / RECORD_FILE).write_text("{", "utf-8")
    (left / "tokenizer.json").write_text("of another", "utf-8")
    assert "bats" not in [status.key for status in Models(home).statuses()]
    status = add(tmp_path / "bats.pth")
    assert status.ready
    assert not left.exists()
    assert not (models_dir(home) / "bats" / "tokenizer.json").exists()


# --- checkpoints -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrap",
    [
        lambda tensors: tensors,
        lambda tensors: {"state_dict": tensors, "epoch": 1},
        lambda tensors: {"model": {"state_dict": tensors}},
        lambda tensors: {"model_state_dict": {f"module.{name}": tensor for name, tensor in tensors.items()}},
        lambda tensors: {f"_orig_mod.{name}": tensor for name, tensor in tensors.items()},
        lambda tensors: {f"module._orig_mod.{name}": tensor for name, tensor in tensors.items()},
        lambda tensors: {"state_dict": {f"model.{name}": tensor for name, tensor in tensors.items()}},
        lambda tensors: {"state_dict": {"a": torch.ones(2)}, "state_dict_ema": tensors},
        lambda tensors: {"n_averaged": torch.tensor(3), **{f"module.{name}": each for name, each in tensors.items()}},
    ],
)
def test_what_training_programs_put_around_the_tensors_is_taken_off(tmp_path: Path, wrap: Any) -> None:
    tensors = {"a": torch.arange(3.0), "b.c": torch.ones(2, 2)}
    path = tmp_path / "checkpoint.pt"
    torch.save(wrap(tensors), path)
    read, seen = read_weights(path), outline(path)
    assert read.keys() == seen.keys() == tensors.keys()
    assert all(torch.equal(read[name], tensor) for name, tensor in tensors.items())
    assert all(seen[name].is_meta and seen[name].shape == tensor.shape for name, tensor in tensors.items())


def test_a_pickle_becomes_the_same_numbers(tmp_path: Path) -> None:
    tied = torch.randn(4, 3)
    tensors = {
        "tied": tied,
        "same": tied,
        "turned": tied.T,
        "part": torch.randn(10)[2:5],
        "half": torch.randn(3).bfloat16(),
        "count": torch.tensor(7),
        "learned": torch.nn.Parameter(torch.randn(2)),
    }
    for legacy in (False, True):
        torch.save(tensors, tmp_path / "a.pt", _use_new_zipfile_serialization=not legacy)
        write_plain(tmp_path / "a.pt", tmp_path / "a.safetensors")
        kept = safetensors.torch.load_file(tmp_path / "a.safetensors")
        assert kept.keys() == tensors.keys()
        assert all(torch.equal(kept[name], tensor) for name, tensor in tensors.items())
        assert outline(tmp_path / "a.safetensors")["turned"].shape == (3, 4)
