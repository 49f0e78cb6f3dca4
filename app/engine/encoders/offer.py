"""A model that a person offers, and what was found out about it: the words between the families and the adding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.engine.encoders.entries import Entry
from app.engine.errors import WeightsCorrupt
from app.engine.modeltypes import Origin
from app.engine.types import Modality

if TYPE_CHECKING:
    import torch

OFFERED_KEY = "offered"
"""Of an entry until it is known what the model will be called."""

WEIGHTS_FILE = "model.safetensors"
"""What the weights of an added model are called in its folder."""


@dataclass(frozen=True)
class Offer:
    """``tensors`` are on the "meta" device; ``beside`` are the further files of the folder by name, none for a single
    file; ``notes`` are the free texts in its header. ``architecture`` "": not known. ``name`` is what the file is
    called, without its ending."""

    weights: Path
    tensors: Mapping[str, torch.Tensor]
    beside: Mapping[str, Path] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    architecture: str = ""
    name: str = ""


@dataclass(frozen=True)
class Recognised:
    """``entry`` is under `OFFERED_KEY`. Beside the weights the files ``copied`` are taken over from where they are,
    and the tables ``written`` are made as JSON."""

    entry: Entry
    copied: tuple[str, ...] = ()
    written: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def blank(family: str, architecture: str, accepts: frozenset[Modality], batch_size: int) -> Entry:
    """The entry of a model of which no more is known than what it is."""
    return Entry(
        key=OFFERED_KEY,
        name=OFFERED_KEY,
        family=family,
        accepts=accepts,
        dim=0,
        revision=1,
        batch_size=batch_size,
        licence="",
        licence_note="",
        summary=f"Your own {architecture or family} model.",
        parameters=0,
        architecture=architecture,
        files=(WEIGHTS_FILE,),
        origin=Origin.ADDED,
    )


def refusal(offer: Offer, sentence: str) -> WeightsCorrupt:
    return WeightsCorrupt("This model cannot be added", sentence, str(offer.weights))


def listed(names: Sequence[str], most: int = 6) -> str:
    """Some names in a sentence."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
