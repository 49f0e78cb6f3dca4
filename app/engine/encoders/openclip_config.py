"""``open_clip_config.json``: what a model folder in open_clip's layout says of itself. It wins over the catalogue."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.engine.encoders.entries import Channels, Entry
from app.engine.errors import WeightsCorrupt
from app.engine.samples import PictureInput

CONFIG_FILE = "open_clip_config.json"

CLIP_MEAN: Channels = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD: Channels = (0.26862954, 0.26130258, 0.27577711)
"""What open_clip assumes where a config is silent."""

_FITS = {"shortest": "crop", "squash": "squash"}


def configured(entry: Entry, folder: Path) -> Entry:
    """``entry`` as the config in ``folder`` has it, or unchanged where there is none.

    Raises:
        WeightsCorrupt: the config cannot be read or asks for a preparation the program does not have.
    """
    path = folder / CONFIG_FILE
    if not path.is_file():
        return entry
    try:
        config = json.loads(path.read_text("utf-8"))
        model_cfg = config["model_cfg"]
        picture_cfg = {**config.get("preprocess_cfg", {}), "size": model_cfg["vision_cfg"]["image_size"]}
        return replace(
            entry,
            dim=int(model_cfg["embed_dim"]),
            picture=_picture_input(picture_cfg),
            mean=_channels(picture_cfg.get("mean", CLIP_MEAN)),
            std=_channels(picture_cfg.get("std", CLIP_STD)),
            model_cfg=model_cfg,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsCorrupt(
            f"{CONFIG_FILE} cannot be used",
            f"It is damaged, or it prepares pictures in a way this program does not know ({error}). "
            "Put the file that came with the weights in its place, or remove it to use the usual settings.",
            str(path),
        ) from error


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
    return PictureInput(size_px, size_px, _FITS[resize_mode], interpolation)  # type: ignore[arg-type]


def _channels(values: list[float] | Channels) -> Channels:
    red, green, blue = values
    return float(red), float(green), float(blue)
