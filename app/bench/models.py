"""Models to measure with: those that are installed, or the same architectures with seeded weights, at the same cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import safetensors.torch
import timm
import tokenizers
import torch
import torchvision
from transformers import ClapConfig, ClapModel

from app.bench import vocabularies
from app.engine.encoders import openclip, panns_network
from app.engine.encoders.entries import Entry, read_entries
from app.paths import models_dir, resources_dir

SEEDED_FILE = "model.safetensors"
SEED = 7
CLIP, RESNET, CNN14 = "clip-vit-b-32", "resnet50", "panns-cnn14"
DINO_S, DINO_B, CNN10, CLAP = "dinov2-vit-s-14", "dinov2-vit-b-14", "panns-cnn10", "clap-htsat"
COLOUR_TEXTURE = "colour-texture"
SIGLIP = "siglip2-b-16"

_LAYER_SCALE = 0.3
"""About what training makes of it; it begins at a hundred-thousandth, at which a block of layers does nothing."""

_CALIBRATION_PICTURES = 4


def install_seeded(home: Path, keys: Sequence[str]) -> None:
    """Write weights drawn from a seed for those of these models that have none in the home, with the files they need
    beside them, under no name that a published file has.

    The vectors mean nothing, but differ from picture to picture and from text to text; computing them costs what it
    costs with the published weights. It takes as much memory as the weights have bytes.
    """
    for entry in read_entries(resources_dir() / "models.toml"):
        folder = models_dir(home) / entry.key
        if entry.key in keys and (entry.family == "open_clip" or entry.key in _NETWORKS) and not folder.is_dir():
            folder.mkdir(parents=True)
            write_tokenizer(entry, folder)
            if entry.family == "open_clip":
                save_weights(seeded_clip(entry, folder), folder / SEEDED_FILE)
            else:
                torch.manual_seed(SEED)
                save_weights(_NETWORKS[entry.key](), folder / SEEDED_FILE)


def seeded_clip(entry: Entry, folder: Path) -> Any:
    """A network of open_clip's as training begins with it, but for the towers whose blocks of layers are switched off
    then: their scales are set, and their normalisations take the statistics of a few noisy pictures."""
    torch.manual_seed(SEED)
    network = openclip.build(entry, folder).requires_grad_(False)
    tower = network.visual
    norms = [module for module in tower.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    if not norms:
        return network.eval()
    for name, parameter in tower.named_parameters():
        if name.endswith(".gamma"):
            parameter.fill_(_LAYER_SCALE)
    for norm in norms:
        norm.momentum = 1.0
    assert entry.picture is not None  # noqa: S101 - it has a picture tower
    tower.train()(torch.rand(_CALIBRATION_PICTURES, 3, entry.picture.size_px, entry.picture.size_px))
    return network.eval()


def write_tokenizer(entry: Entry, folder: Path) -> None:
    """What must lie beside the weights of a model that takes words, where anything must."""
    if entry.key in _TOKENIZERS:
        _TOKENIZERS[entry.key](folder)


def save_weights(network: torch.nn.Module, path: Path) -> None:
    """Every tensor of a network, in the format that the file's ending asks for."""
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    if path.suffix == ".safetensors":
        safetensors.torch.save_file(tensors, path)
    else:
        torch.save(tensors, path)


def _panns(architecture: str) -> Any:
    """With weights that keep the scale from layer to layer and mean and spread of real decibels, so that sounds that
    differ get vectors that differ."""
    network: Any = panns_network.build(panns_network.ARCHITECTURES[architecture])
    for parameter in network.parameters():
        if parameter.requires_grad and parameter.ndim > 1:
            torch.nn.init.kaiming_normal_(parameter, nonlinearity="relu")
    network.bn0.running_mean.fill_(-30)
    network.bn0.running_var.fill_(20**2)
    return network


def _dinov2(architecture: str) -> torch.nn.Module:
    """With blocks that count as much as in a trained network: a new one almost leaves them out, and would give every
    picture the same vector."""
    network: torch.nn.Module = timm.create_model(architecture, num_classes=0)
    for name, parameter in network.named_parameters():
        if name.endswith(".gamma"):
            torch.nn.init.ones_(parameter)
    return network


def _clap() -> torch.nn.Module:
    """With layers that change what passes through them as much as trained ones do: new ones hardly look at a text."""
    network: torch.nn.Module = ClapModel(ClapConfig())
    for module in network.modules():
        if isinstance(module, torch.nn.Linear):
            torch.nn.init.normal_(module.weight, std=module.in_features**-0.5)
    return network


def write_roberta_tokenizer(folder: Path, texts: Sequence[str] = ()) -> None:
    """A tokenizer of RoBERTa's kind: bytes, the merges that ``texts`` teach, <s> before and </s> behind a text."""
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        special_tokens=special,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = tokenizers.processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    tokenizer.save(str(folder / "tokenizer.json"))


_NETWORKS: dict[str, Callable[[], torch.nn.Module]] = {
    RESNET: lambda: torchvision.models.resnet50(weights=None),
    DINO_S: lambda: _dinov2("vit_small_patch14_dinov2"),
    DINO_B: lambda: _dinov2("vit_base_patch14_dinov2"),
    CNN14: lambda: _panns("Cnn14"),
    CNN10: lambda: _panns("Cnn10"),
    CLAP: _clap,
}
_TOKENIZERS: dict[str, Callable[[Path], None]] = {
    "siglip2-so400m-14": vocabularies.write_gemma,
    "siglip2-b-16": vocabularies.write_gemma,
    "siglip-b-16": vocabularies.write_t5,
    "clip-xlm-roberta-b-32": vocabularies.write_xlm_roberta,
    "biomedclip": vocabularies.write_bert,
    CLAP: write_roberta_tokenizer,
}
