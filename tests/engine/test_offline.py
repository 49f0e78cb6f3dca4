"""Nothing is ever fetched: every model works in a process that has no network and writes down whoever asks for one."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import airtight
import open_clip
import pytest
import safetensors.torch
import smallclip
import torch

from app.bench.models import SIGLIP, install_seeded, save_weights, seeded_clip, write_tokenizer
from app.engine.encoders.entries import read_entries
from app.engine.encoders.openclip_config import configured
from app.engine.encoders.weights import Uninitialised
from app.engine.models import Models
from app.paths import models_dir, resources_dir

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has network namespaces")

APP_DIR = resources_dir().parent / "app"
SAMPLE = resources_dir() / "sample"
CHOSEN = (
    *(SIGLIP, "biomedclip", "clip-xlm-roberta-b-32", "mobileclip-s2", "clip-vit-b-32-int8"),
    *("dinov2-vit-s-14", "resnet50", "clap-htsat", "colour-texture", "timbre"),
)
IN_PACK = (smallclip.KEY, "panns-cnn10")
"""Of each family, of each way to build a tower and to read a tokenizer one; an 8-bit variant. The rest of the catalogue
differs from these in its sizes, and siglip-b-16 in its vocabulary. Those in the pack are small ones, and between them
answer by words, by pictures and by sounds."""
KINDS = ((".jpg", ".png", ".webp"), (".wav", ".flac", ".ogg", ".mp3"))
FETCHES = APP_DIR / "engine" / "installing" / "failures.py"
"""Belongs to the process that fetches, and is imported by no other."""
REACHING = {"huggingface_hub", "open_clip", "panns_inference", "timm", "tokenizers", "transformers"}
"""Packages that would fetch something, or tell somebody of being used, if they were not told otherwise."""


# --- the guard itself ------------------------------------------------------------------------------------------------


def test_the_guard_notices_what_it_is_there_for(tmp_path: Path) -> None:
    found = airtight.run(tmp_path / "home", "misbehave")
    assert len(found["attempts"]) == found["deeds"] == 5


# --- models ----------------------------------------------------------------------------------------------------------


def test_models_of_every_family_are_tried() -> None:
    families = {entry.key: entry.family for entry in read_entries(resources_dir() / "models.toml")}
    assert {families[key] for key in (*CHOSEN, *IN_PACK)} == set(families.values())


def write_blank(tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    """A safetensors file of zeros that take no room: what is asked here is whom a model calls, not what it says."""
    header, size_bytes = {}, 0
    for name, tensor in tensors.items():
        end = size_bytes + tensor.numel() * tensor.element_size()
        kind = {torch.float32: "F32", torch.int64: "I64"}[tensor.dtype]
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [size_bytes, end]}
        size_bytes = end
    described = json.dumps(header).encode()
    with path.with_suffix(".safetensors").open("wb") as file:
        file.write(len(described).to_bytes(8, "little") + described)
        file.truncate(8 + len(described) + size_bytes)


def write_slim_siglip(home: Path) -> None:
    """SigLIP 2 with its picture tower and tokenizer, and hardly a text tower, which has most of the bytes."""
    entry = next(entry for entry in read_entries(resources_dir() / "models.toml") if entry.key == SIGLIP)
    folder = models_dir(home) / SIGLIP
    folder.mkdir(parents=True)
    write_tokenizer(entry, folder)
    model_cfg = open_clip.get_model_config(entry.architecture)
    model_cfg["text_cfg"] |= {"width": 64, "heads": 2, "layers": 1}
    config = {
        "model_cfg": model_cfg,
        "preprocess_cfg": {"mean": entry.mean, "std": entry.std, "resize_mode": "squash"},
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config), "utf-8")
    save_weights(seeded_clip(configured(entry, folder), folder), folder / entry.files[0])


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with a chosen set of models."""
    home = tmp_path_factory.mktemp("blank")
    with pytest.MonkeyPatch.context() as patch, Uninitialised():
        patch.setattr(safetensors.torch, "save_file", write_blank)
        patch.setattr(torch, "save", write_blank)
        write_slim_siglip(home)
        install_seeded(home, (*CHOSEN, "clip-vit-b-32"))  # which the variant has its weights of
    yield home
    shutil.rmtree(home)


def test_models_encode_without_asking_for_anything(blank: Path, tmp_path: Path) -> None:
    """By Python's own account; and, where strace may be used, not a socket of the internet is made below it either."""
    log = tmp_path / "calls"
    tracer = ("strace", "--follow-forks", "--seccomp-bpf", "--trace=network", f"--output={log}")
    if not shutil.which("strace") or subprocess.run([*tracer, "true"], check=False, capture_output=True).returncode:
        tracer = ()
    reached = airtight.run(tmp_path / "reached", "reach", wrapper=tracer)
    assert reached["error"] == "Network is unreachable"
    assert not tracer or "AF_INET" in log.read_text()
    found = airtight.run(tmp_path / "home", "encode", str(models_dir(blank)), *CHOSEN, wrapper=tracer)
    assert found["encoded"] == list(CHOSEN)
    assert found["attempts"] == []
    assert not tracer or "AF_INET" not in log.read_text()


# --- the program around them -----------------------------------------------------------------------------------------


def test_the_program_is_imported_without_asking_for_anything(tmp_path: Path) -> None:
    found = airtight.run(tmp_path / "home", "import-everything")
    assert found["attempts"] == []
    assert {"app.gui.app", "app.cli.run", "app.engine.session", "app.bench.run"} <= set(found["imported"])


def test_packages_that_would_fetch_are_told_not_to_before_they_are_imported() -> None:
    """`app.engine.encoders` tells them when it is imported, which a package does before its modules are."""
    for path in APP_DIR.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        at_once = {name for node in tree.body for name in imported(node)}
        if at_once & REACHING and path != FETCHES:
            assert any(tells(folder) for folder in path.parents if folder.is_relative_to(APP_DIR)), path


def imported(node: ast.stmt) -> set[str]:
    """The packages of others that an import brings in."""
    if isinstance(node, ast.Import):
        return {name.name.partition(".")[0] for name in node.names}
    return {(node.module or "").partition(".")[0]} if isinstance(node, ast.ImportFrom) else set()


def tells(package: Path) -> bool:
    return package == APP_DIR / "engine" / "encoders" or "import app.engine.encoders" in (
        (package / "__init__.py").read_text("utf-8")
    )


# --- a home filled from a pack ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("pack")
    smallclip.write(models_dir(folder / "home"))
    install_seeded(folder / "home", IN_PACK)
    path = folder / "models.semblance-pack"
    report = Models(folder / "home").export_pack(IN_PACK, str(path))
    assert report.models == IN_PACK
    shutil.rmtree(folder / "home")
    yield path
    shutil.rmtree(folder)


@pytest.mark.timeout(900)
def test_a_home_filled_from_a_pack_runs_every_search(pack: Path, tmp_path: Path) -> None:
    media, home = tmp_path / "media", tmp_path / "data"
    media.mkdir()
    for path in (*sorted(SAMPLE.glob("pictures/*/*"))[:5], *sorted(SAMPLE.glob("sounds/*/*"))[:4]):
        shutil.copy(path, media)
    picture, sound = (next(str(path) for path in sorted(media.iterdir()) if path.suffix in kinds) for kinds in KINDS)
    searches = [
        ("clip-vit-b-32", ["--text", "a red car"]),
        ("clip-vit-b-32", ["--image", picture, "--text", "at night", "--minus-text", "snow"]),
        ("panns-cnn10", ["--audio", sound]),
    ]
    commands = [
        ["models", "import-pack", str(pack)],
        ["models", "list"],
        ["index", str(media), "--models", ",".join(IN_PACK)],
        *(["search", *query, "--model", model, "-k", "3", "--no-keywords"] for model, query in searches),
    ]
    found = airtight.run(
        tmp_path / "person", "command", *(json.dumps([*words, "--home", str(home)]) for words in commands)
    )
    (taken, listed, indexed, *replies) = found["answers"]
    assert found["attempts"] == []
    assert (taken[0], tuple(taken[1]["models"])) == (0, IN_PACK)
    assert set(IN_PACK) <= {model["key"] for model in listed[1]["models"] if model["ready"]}
    assert (indexed[0], indexed[1]["failures"]) == (0, [])
    for (model, query), (status, reply) in zip(searches, replies, strict=True):
        assert (status, reply["model"]) == (0, model), query
        assert len(reply["hits"]) == 3, query
        kind = "audio" if model == "panns-cnn10" else "photo"
        assert {hit["kind"] for hit in reply["hits"]} == {kind}, query
