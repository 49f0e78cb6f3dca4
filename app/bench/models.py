"""Models to measure with: those that are installed, or the same architectures with seeded weights, at the same cost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import open_clip
import safetensors.torch
import torch
import torchvision

from app.engine.encoders.panns import build_cnn14
from app.paths import models_dir

SEED = 7
CLIP, RESNET, CNN14 = "clip-vit-b-32", "resnet50", "panns-cnn14"
COLOUR_TEXTURE = "colour-texture"


def install_seeded(home: Path, keys: Sequence[str]) -> None:
    """Write weights drawn from a seed for those of these models that have none in the home.

    The vectors mean nothing; computing them costs what it costs with the published weights.
    """
    for key in keys:
        folder = models_dir(home) / key
        if key in _NETWORKS and not folder.is_dir():
            folder.mkdir(parents=True)
            torch.manual_seed(SEED)
            network = _NETWORKS[key]()
            tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
            safetensors.torch.save_file(tensors, folder / "model.safetensors")


def _clip() -> torch.nn.Module:
    config = open_clip.get_model_config("ViT-B-32-quickgelu")
    network: torch.nn.Module = open_clip.CLIP(**config)
    return network


def _cnn14() -> torch.nn.Module:
    network = build_cnn14()
    for parameter in network.parameters():
        if parameter.requires_grad and parameter.ndim > 1:
            torch.nn.init.xavier_uniform_(parameter)
        elif parameter.requires_grad:
            torch.nn.init.constant_(parameter, 0.5)
    return network


_NETWORKS = {CLIP: _clip, RESNET: lambda: torchvision.models.resnet50(weights=None), CNN14: _cnn14}
