"""A CLIP that a person has added: the real architecture, its sizes small (two megabytes, nearly all of it the table of
words), its weights seeded."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import open_clip
import safetensors.torch
import torch

from app.engine.encoders.entries import Entry, entry_from
from app.engine.encoders.record import write_record
from app.engine.modeltypes import Installation

WEIGHTS = "open_clip_model.safetensors"
CONFIG = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 8, "heads": 1, "layers": 1},
}


def entry(key: str) -> Entry:
    return entry_from(table(key))


def table(key: str, /, **changes: Any) -> dict[str, Any]:
    return {
        "key": key,
        "name": f"Tiny {key}",
        "family": "open_clip",
        "accepts": ["image", "text"],
        "dim": 32,
        "revision": 1,
        "batch_size": 8,
        "licence": "MIT",
        "licence_note": "",
        "summary": "Made for trying.",
        "parameters": 20_000,
        "files": [WEIGHTS],
        "picture": {"size_px": 32, "resize_px": 32},
        "model_cfg": CONFIG,
        "origin": "added",
    } | changes


@cache
def weights(seed: int = 1) -> bytes:
    torch.manual_seed(seed)
    tensors = {name: tensor.contiguous() for name, tensor in open_clip.CLIP(**CONFIG).state_dict().items()}
    return safetensors.torch.save(tensors)


def add(models_dir: Path, key: str, seed: int = 1) -> Path:
    """The folder of such a model, with its record; the record pins nothing."""
    folder = models_dir / key
    folder.mkdir(parents=True)
    (folder / WEIGHTS).write_bytes(weights(seed))
    write_record(folder, Installation("a file of one's own", "", "2026-01-01T00:00:00+00:00", ()), entry(key))
    return folder
