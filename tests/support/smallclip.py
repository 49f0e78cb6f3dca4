"""CLIP ViT-B/32's files, of a network with one narrow layer: built, loaded and run in a blink."""

from __future__ import annotations

import json
from pathlib import Path

import open_clip
import safetensors.torch
import torch

KEY = "clip-vit-b-32"
MODEL_CFG = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 1},
}


def write(models_dir: Path, seed: int = 1, bias: float | None = None) -> Path:
    """Its folder, with weights drawn from ``seed``; with a ``bias`` it is one that learns as SigLIP does."""
    folder = models_dir / KEY
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    model_cfg = MODEL_CFG if bias is None else {**MODEL_CFG, "init_logit_bias": bias}
    network = open_clip.CLIP(**model_cfg)
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": model_cfg}), "utf-8")
    state = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    safetensors.torch.save_file(state, folder / "model.safetensors")
    return folder
