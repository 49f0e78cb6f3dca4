"""Small checkpoints of real architectures with seeded weights, as a person would bring them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import open_clip
import safetensors.torch
import timm
import tokenizers
import torch
from tokenizers import models, pre_tokenizers, processors

from app.engine.encoders.panns_network import ARCHITECTURES, build

SEED = 11
SMALL_CLIP: dict[str, Any] = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}
SMALL_TIMM = "test_resnet"


def clip_tensors(model_cfg: dict[str, Any] = SMALL_CLIP) -> dict[str, torch.Tensor]:
    torch.manual_seed(SEED)
    return open_clip.CLIP(**model_cfg).state_dict()  # type: ignore[no-any-return]


def clip_folder(folder: Path, model_cfg: dict[str, Any] = SMALL_CLIP, **preprocess_cfg: Any) -> Path:
    """A folder in open_clip's layout."""
    folder.mkdir(parents=True, exist_ok=True)
    safetensors.torch.save_file(clip_tensors(), folder / "open_clip_model.safetensors")
    config = {"model_cfg": model_cfg, "preprocess_cfg": preprocess_cfg}
    (folder / "open_clip_config.json").write_text(json.dumps(config), "utf-8")
    return folder


def timm_tensors(classes: int = 10) -> dict[str, torch.Tensor]:
    torch.manual_seed(SEED)
    return timm.create_model(SMALL_TIMM, num_classes=classes).state_dict()  # type: ignore[no-any-return]


def panns_tensors(architecture: str = "Cnn6") -> dict[str, torch.Tensor]:
    torch.manual_seed(SEED)
    network = build(ARCHITECTURES[architecture])
    for parameter in network.parameters():
        if parameter.requires_grad and parameter.ndim > 1:
            torch.nn.init.kaiming_normal_(parameter)
    return {**network.state_dict(), "fc_audioset.weight": torch.zeros(527, 512), "fc_audioset.bias": torch.zeros(527)}


def write_tokenizer(folder: Path) -> None:
    """A tokenizer of words, as transformers keeps it."""
    words = {"<pad>": 0, "<eos>": 1, "<unk>": 2, "a": 3, "dog": 4, "beach": 5, "rain": 6, "night": 7, "window": 8}
    tokenizer = tokenizers.Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", 1)])
    tokenizer.save(str(folder / "tokenizer.json"))
    facts = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>", "eos_token": "<eos>"}
    (folder / "tokenizer_config.json").write_text(json.dumps({**facts, "unk_token": "<unk>"}), "utf-8")


def all_files(folder: Path) -> dict[str, bytes]:
    """What lies below a folder, locks apart."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}
