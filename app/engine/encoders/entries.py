"""The entries of ``resources/models.toml``: what the program knows about each model without touching its weights."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.engine.encoders.base import EncoderSpec
from app.engine.samples import PictureInput, SoundInput
from app.engine.types import Modality

Channels = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One model.

    ``files`` are the patterns of its one weights file, the preferred first; ``companions`` are the further files it
    needs beside the weights. Both are empty for a built-in model. ``mean`` and ``std`` are per channel, on the scale
    0..1. ``revision`` counts the changes of the program's own part of the model that change its vectors.
    ``model_cfg`` is an architecture in open_clip's terms, found beside the weights, that replaces ``architecture``.
    """

    key: str
    name: str
    family: str
    accepts: frozenset[Modality]
    dim: int
    revision: int
    batch_size: int
    licence: str
    licence_note: str
    summary: str
    parameters: int
    languages: tuple[str, ...] = ()
    paper: str = ""
    architecture: str = ""
    files: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()
    picture: PictureInput | None = None
    mean: Channels = (0.0, 0.0, 0.0)
    std: Channels = (1.0, 1.0, 1.0)
    sound: SoundInput | None = None
    model_cfg: Mapping[str, Any] | None = None

    @property
    def built_in(self) -> bool:
        return not self.files

    @property
    def spec(self) -> EncoderSpec:
        return EncoderSpec(self.key, self.accepts, self.dim, self.picture, self.sound, self.batch_size)


def read_entries(path: Path) -> tuple[Entry, ...]:
    """The entries of a catalogue file, in its order."""
    with path.open("rb") as file:
        return tuple(_entry(table) for table in tomllib.load(file)["model"])


def _entry(table: dict[str, Any]) -> Entry:
    known = dict(table)
    for name in ("files", "companions", "languages", "mean", "std"):
        if name in known:
            known[name] = tuple(known[name])
    known["accepts"] = frozenset(Modality(word) for word in known["accepts"])
    if "picture" in known:
        known["picture"] = PictureInput(**known["picture"])
    if "sound" in known:
        known["sound"] = SoundInput(**known["sound"])
    return Entry(**known)
