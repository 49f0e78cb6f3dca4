"""A small model to install: what a catalogue says of it, and its weights: real safetensors of seeded numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import safetensors.numpy

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
family = "resnet50"
accepts = ["image"]
dim = 2048
revision = 1
batch_size = 32
architecture = "resnet50"
files = ["model.safetensors", "weights.safetensors", "*.safetensors", "*.pth"]
companions = {companions}
picture = {{ size_px = 224, resize_px = 232, fit = "crop", resample = "bilinear" }}
licence = "MIT"
licence_note = "Free for any use."
commercial = true
summary = "Small."
parameters = 100
{source}
"""


def weights(seed: int = 0, size_bytes: int = WEIGHTS_BYTES) -> bytes:
    """A safetensors file of about this size."""
    numbers = np.random.default_rng(seed).standard_normal(size_bytes // 4, np.float32)
    return safetensors.numpy.save({"layer.weight": numbers})


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
