"""Which picture network of timm an offered checkpoint is. timm has over a thousand, so its name must be said: by the
person, by the ``config.json`` that timm writes beside its weights, in the header of the file, or by the file's name."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import timm
import torch

from app.engine.encoders import timm_backbone
from app.engine.encoders.counting import gflops_of, memory_for
from app.engine.encoders.folder import read_json
from app.engine.encoders.offer import Offer, Recognised, blank, refusal
from app.engine.encoders.weights import first_mismatch
from app.engine.samples import LARGEST_PX
from app.engine.types import Modality

CONFIG_FILE = "config.json"

_BATCH_SIZE = 32
_FAMILIAR_ARGS = ("img_size", "num_classes")
"""Of ``model_args``: what the size of the pictures says already, and a classifier, which is left out."""


_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "input_size": lambda value: value[0] == 3 == len(value) and all(1 <= side <= LARGEST_PX for side in value[1:]),
    "crop_pct": lambda value: 0.1 <= value <= 1,
    "crop_mode": lambda value: isinstance(value, str),
    "interpolation": lambda value: isinstance(value, str),
    "mean": lambda value: len(value) == 3 and all(map(math.isfinite, value)),
    "std": lambda value: len(value) == 3 and all(0 < channel < math.inf for channel in value),
}
"""What of ``pretrained_cfg`` is taken over, and what may stand there. The rest names files and addresses."""


def is_timm(offer: Offer) -> bool:
    return bool(_named(offer))


def recognise(offer: Offer) -> Recognised:
    """The entry of an offered backbone.

    Raises:
        WeightsCorrupt: it is no network of timm, or its name is not known. The message says what does not fit.
        AppError: it prepares pictures in a way that this program does not know.
    """
    config = _config(offer)
    architecture = offer.architecture or _named(offer)
    if not architecture:
        raise refusal(offer, "It does not say which of timm's networks it is: name it (--architecture).")
    if not _is_known(architecture):
        near = difflib.get_close_matches(architecture, timm.list_models())
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise refusal(offer, f"timm has no network “{architecture[:80]}”.{hint}")
    if strange := sorted(set(_table(config, "model_args")) - set(_FAMILIAR_ARGS)):
        raise refusal(offer, f"Its {CONFIG_FILE} changes the network in a way this program does not: {strange[0]}.")
    with torch.device("meta"):
        backbone = timm_backbone.describe(architecture, _preparation(offer, config))
        network = timm_backbone.build(architecture, backbone.picture.size_px)
        tensors = timm_backbone.backbone_tensors(offer.tensors, network)
    if mismatch := first_mismatch(network.state_dict(), tensors):
        raise refusal(offer, f"It is not timm's {architecture}: {mismatch}.")
    size_px = backbone.picture.size_px
    entry = replace(
        blank("timm", architecture, frozenset({Modality.IMAGE}), _BATCH_SIZE),
        dim=backbone.dim,
        picture=backbone.picture,
        mean=backbone.mean,
        std=backbone.std,
        parameters=backbone.parameters,
        memory_bytes=memory_for(backbone.parameters),
        gflops=gflops_of(network, 1, 3, size_px, size_px),
    )
    return Recognised(entry)


def _named(offer: Offer) -> str:
    """The architecture as the files say it, "" where they do not."""
    config = _config(offer)
    if isinstance(config.get("architecture"), str):
        return str(config["architecture"])
    said = _table(config, "pretrained_cfg").get("architecture") or offer.notes.get("architecture")
    if isinstance(said, str):
        return said
    return offer.name if _is_known(offer.name) else ""


def _is_known(architecture: str) -> bool:
    """With or without the tag of published weights. Names such as "hf-hub:…" would be fetched by timm: none of them is
    in its list."""
    return bool(timm.is_model(architecture.partition(".")[0])) and ":" not in architecture and "/" not in architecture


def _config(offer: Offer) -> Mapping[str, Any]:
    if CONFIG_FILE not in offer.beside:
        return {}
    try:
        return read_json(offer.beside[CONFIG_FILE])
    except (OSError, ValueError) as error:
        raise refusal(offer, f"The {CONFIG_FILE} beside it cannot be read ({error}).") from error


def _table(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = config.get(name)
    return table if isinstance(table, dict) else {}


def _preparation(offer: Offer, config: Mapping[str, Any]) -> dict[str, Any]:
    """How the checkpoint wants its pictures prepared, as far as it says so."""
    said = _table(config, "pretrained_cfg")
    taken = {name: said[name] for name in _CHECKS if said.get(name) is not None}
    for name, value in taken.items():
        try:
            fits = _CHECKS[name](value)
        except (TypeError, ValueError, LookupError, OverflowError):
            fits = False
        if not fits:
            raise refusal(offer, f"The {CONFIG_FILE} beside it cannot be used: {name} {str(value)[:80]}.")
    return {name: tuple(value) if isinstance(value, list) else value for name, value in taken.items()}
