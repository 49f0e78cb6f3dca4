"""``open_clip_config.json``: what a model folder in open_clip's layout says of itself. It wins over the catalogue."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from app.engine.encoders.entries import Channels, Entry
from app.engine.encoders.folder import read_json
from app.engine.encoders.openclip_bounds import bounded
from app.engine.errors import WeightsCorrupt
from app.engine.samples import PictureInput

CONFIG_FILE = "open_clip_config.json"

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
"""What a text tower of another vocabulary than CLIP's needs beside its weights."""

TEXT_CONFIG_FILE = "config.json"
"""Describes a text tower that is borrowed from transformers."""

CLIP_MEAN: Channels = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD: Channels = (0.26862954, 0.26130258, 0.27577711)
"""What open_clip assumes where a config is silent."""

_FITS: Mapping[str, Literal["crop", "squash"]] = {"shortest": "crop", "squash": "squash"}


def configured(entry: Entry, folder: Path) -> Entry:
    """``entry`` as the config in ``folder`` has it, with the files there that its words need, or unchanged where there
    is none.

    Raises:
        WeightsCorrupt: the config cannot be read or asks for a preparation the program does not have.
    """
    path = folder / CONFIG_FILE
    if not path.is_file():
        return entry
    try:
        entry = described(entry, read_json(path))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsCorrupt(
            f"{CONFIG_FILE} cannot be used",
            f"It is damaged, or it prepares pictures in a way this program does not know ({error}). "
            "Put the file that came with the weights in its place, or remove it to use the usual settings.",
            str(path),
        ) from error
    if not (entry.model_cfg or {})["text_cfg"].get("hf_tokenizer_name"):
        return entry
    beside = (name for name in (*TOKENIZER_FILES, TEXT_CONFIG_FILE) if (folder / name).is_file())
    return replace(entry, companions=tuple(dict.fromkeys((*entry.companions, *beside))))


def described(entry: Entry, config: Mapping[str, Any]) -> Entry:
    """``entry`` as a config has it.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: the config is damaged, or asks for what is not there.
    """
    model_cfg = bounded(config["model_cfg"])
    picture_cfg = {**config.get("preprocess_cfg", {}), "size": model_cfg["vision_cfg"]["image_size"]}
    mean, std = _channels(picture_cfg.get("mean", CLIP_MEAN)), _channels(picture_cfg.get("std", CLIP_STD))
    if not all(map(math.isfinite, mean)) or not all(0 < value < math.inf for value in std):
        raise ValueError(f"mean {mean}, std {std}")
    picture, dim = _picture_input(picture_cfg), int(model_cfg["embed_dim"])
    if picture.size_px < 1 or dim < 1:
        raise ValueError(f"pictures of {picture.size_px} px, vectors of {dim} numbers")
    return replace(entry, dim=dim, picture=picture, mean=mean, std=std, model_cfg=model_cfg)


def _picture_input(picture_cfg: dict[str, Any]) -> PictureInput:
    size = picture_cfg["size"]
    size_px = int(size[0] if isinstance(size, list) else size)
    if isinstance(size, list) and len(set(size)) != 1:
        raise ValueError(f"pictures of {size} px")
    resize_mode = picture_cfg.get("resize_mode", "shortest")
    if resize_mode not in _FITS:
        raise ValueError(f"resize_mode {resize_mode}")
    interpolation = picture_cfg.get("interpolation", "bicubic")
    if interpolation not in ("bicubic", "bilinear"):
        raise ValueError(f"interpolation {interpolation}")
    return PictureInput(size_px, size_px, _FITS[resize_mode], interpolation)


def _channels(values: list[float] | Channels) -> Channels:
    red, green, blue = values
    return float(red), float(green), float(blue)
