"""A small model to install: what a catalogue says of it, and its weights: a real network's, of seeded numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import safetensors.torch
import timm
import torch

from app.engine.encoders.catalogue import Catalogue

KEY = "tiny"
REPO = "maker/tiny"
WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
WEIGHTS_BYTES = 400_000

_ENTRY = """
[[model]]
key = "{key}"
name = "Tiny"
family = "timm"
architecture = "test_efficientnet"
dim = 256
picture = {{ size_px = 160, resize_px = 160, fit = "crop", resample = "bilinear" }}
accepts = ["image"]
revision = 1
batch_size = 32
files = ["model.safetensors", "weights.safetensors", "*.safetensors", "*.pth"]
companions = {companions}
licence = "MIT"
licence_note = "Free for any use."
commercial = true
summary = "Small."
parameters = 100
{source}
"""


def weights(seed: int = 0, size_bytes: int = WEIGHTS_BYTES) -> bytes:
    """A safetensors file of about this size: the network's, and for the rest its classifier, which is not used."""
    torch.manual_seed(seed)
    tensors = timm.create_model("test_efficientnet", num_classes=0).state_dict()
    network_bytes = sum(tensor.nbytes for tensor in tensors.values())
    tensors["classifier.weight"] = torch.rand(max(1, (size_bytes - network_bytes) // 4))
    return safetensors.torch.save(tensors)


def entry(key: str = KEY, companions: Sequence[str] = (), source: str = "") -> str:
    return _ENTRY.format(key=key, companions=list(companions), source=f"source = {source}" if source else "")


def hub_source(*files: Mapping[str, object], repo: str = REPO) -> str:
    return f'{{ repo = "{repo}", files = {_inline(files)} }}'


def url_source(url: str, *files: Mapping[str, object]) -> str:
    return f'{{ url = "{url}", files = {_inline(files)} }}'


def write_catalogue(path: Path, *entries: str) -> Path:
    path.write_text("".join(entries), "utf-8")
    return path


def _inline(files: Sequence[Mapping[str, object]]) -> str:
    tables = (
        ", ".join(f"{name} = {value if isinstance(value, int) else f'{value!r}'}" for name, value in file.items())
        for file in files
    )
    return "[" + ", ".join(f"{{ {table} }}" for table in tables) + "]"


def source(models_dir: Path) -> Catalogue:
    """The source of encoders of an engine whose home has a catalogue of its own."""
    return Catalogue(models_dir, "cpu", models_dir.parent / "catalogue.toml")
