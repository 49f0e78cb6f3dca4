"""Picture networks as timm builds them, up to the pooled features before the classifier. DINOv2 is one of them.

Oquab et al.: DINOv2: Learning Robust Visual Features without Supervision, 2023. Its published weights are for pictures
of 518 px. The catalogue runs it at 224 px, for which it was trained but for its last steps and at which its authors
measure retrieval; at 518 px a picture costs seven times as much.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import timm
import timm.data
import torch

from app.engine.encoders.entries import Channels, Entry
from app.engine.encoders.network import NetworkEncoder, picture_tensor, placed
from app.engine.encoders.weights import Uninitialised, fit, read_weights
from app.engine.errors import AppError
from app.engine.samples import LARGEST_PX, Picture, PictureInput
from app.engine.types import Modality

_FITS: Mapping[str, Literal["crop", "squash"]] = {"center": "crop", "squash": "squash"}


@dataclass(frozen=True)
class Backbone:
    """What timm says of an architecture: how many numbers it gives, how many it has learned without its classifier,
    and how a picture is prepared for it."""

    dim: int
    parameters: int
    picture: PictureInput
    mean: Channels
    std: Channels


def load(entry: Entry, weights_path: Path, fingerprint: str, device: str) -> NetworkEncoder:
    """Raises WeightsCorrupt; AppError for an architecture that timm does not have."""
    network = build(entry.architecture, entry.picture.size_px if entry.picture else None)
    fit(network, backbone_tensors(read_weights(weights_path), network), entry, weights_path)

    def encode_pictures(pictures: Sequence[Picture], place: str) -> torch.Tensor:
        features: torch.Tensor = network(picture_tensor(pictures, entry.mean, entry.std, place))
        return features

    placement = placed(network, device, entry.batch_size)
    return NetworkEncoder(entry.spec, fingerprint, placement, {Modality.IMAGE: encode_pictures})


def build(architecture: str, size_px: int | None = None) -> Any:
    """The network without its classifier, its weights not yet set.

    Args:
        architecture: its name in timm, with or without the tag of published weights ("resnet50.a1_in1k").
        size_px: the side of its pictures; the one it was published for if None.

    Raises:
        AppError: timm has no network of that name, or it cannot take pictures of that size.
    """
    if not timm.is_model(architecture.partition(".")[0]):  # other names may be addresses that timm would fetch
        raise AppError("No such network", f"timm has no network “{architecture}”. Give a name from its list of models.")
    try:
        with Uninitialised():
            return timm.create_model(architecture, pretrained=False, num_classes=0, **_sizes(architecture, size_px))
    except (TypeError, ValueError, RuntimeError, AssertionError) as error:
        raise AppError(
            "This network cannot be built",
            f"timm cannot build {architecture}{f' for pictures of {size_px} px' if size_px else ''} ({error}).",
        ) from error


def _sizes(architecture: str, size_px: int | None) -> dict[str, int]:
    """What must be said of the size when the network is built: nothing, but to one of fixed size that is to have
    another. Most take pictures of any."""
    published = timm.models.get_pretrained_cfg(architecture, allow_unregistered=True)
    is_fixed = published is not None and published.fixed_input_size
    return {"img_size": size_px} if size_px and is_fixed and published.input_size[-1] != size_px else {}


def describe(architecture: str, overrides: Mapping[str, Any] | None = None) -> Backbone:
    """What an entry needs to know of an architecture.

    Args:
        architecture: as in `build`.
        overrides: what a checkpoint says otherwise, in the terms of timm's ``pretrained_cfg``, as ``config.json``
            beside the weights has it.

    Raises:
        AppError: timm has no such network, or it prepares pictures in a way that this program does not know.
    """
    network = build(architecture)
    try:
        cfg = timm.data.resolve_data_config({}, {**network.pretrained_cfg, **(overrides or {})})
        picture = _picture_input(cfg)
        mean, std = _channels(cfg["mean"]), _channels(cfg["std"])
        if tuple(cfg["input_size"]) != network.pretrained_cfg["input_size"]:
            network = build(architecture, picture.size_px)
    except (ValueError, KeyError, TypeError, ArithmeticError, AssertionError) as error:
        raise AppError(
            "This network cannot be used",
            f"{architecture} prepares pictures in a way this program does not know ({error}). Choose another network.",
        ) from error
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return Backbone(network.head_hidden_size, parameters, picture, mean, std)


def backbone_tensors(tensors: Mapping[str, torch.Tensor], network: Any) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint as ``network`` names and shapes them: changed as timm changes them when it loads its
    own (position embeddings are resampled for another size of picture), and without the classifier.

    What timm cannot change is handed back as it is: `fit` says what is wrong with it.
    """
    adapt = getattr(sys.modules[type(network).__module__], "checkpoint_filter_fn", None)
    adapted: dict[str, torch.Tensor] = dict(tensors)
    if adapt is not None:
        try:
            adapted = adapt(dict(tensors), network)
        except Exception:  # these functions expect their own networks, and fail in any way at others
            adapted = dict(tensors)
    classifiers = network.pretrained_cfg.get("classifier") or ()
    names = [classifiers] if isinstance(classifiers, str) else classifiers
    heads = tuple(f"{name.partition('.')[0]}." for name in names)
    kept = network.state_dict().keys()
    return {name: tensor for name, tensor in adapted.items() if name in kept or not name.startswith(heads)}


def _picture_input(cfg: Mapping[str, Any]) -> PictureInput:
    _, height_px, width_px = map(int, cfg["input_size"])
    resize_px = math.floor(width_px / cfg["crop_pct"])
    fit_ = _FITS.get(cfg["crop_mode"])
    if height_px != width_px or not 0 < width_px <= resize_px <= LARGEST_PX:
        raise ValueError(f"pictures of {width_px} by {height_px} px, cut from {resize_px}")
    if fit_ is None or (fit_ == "squash" and resize_px != width_px):
        raise ValueError(f"crop_mode {cfg['crop_mode']}")
    if cfg["interpolation"] not in ("bicubic", "bilinear"):
        raise ValueError(f"interpolation {cfg['interpolation']}")
    return PictureInput(width_px, resize_px, fit_, cfg["interpolation"])


def _channels(values: Sequence[float]) -> Channels:
    red, green, blue = values
    return float(red), float(green), float(blue)
