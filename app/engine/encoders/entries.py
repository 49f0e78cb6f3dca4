"""The entries of ``resources/models.toml``: what the program knows about each model without touching its weights."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from app.engine.encoders.base import EncoderSpec
from app.engine.encoders.openclip_bounds import bounded
from app.engine.errors import CatalogueDamaged
from app.engine.modeltypes import Origin
from app.engine.samples import PictureInput, SoundInput
from app.engine.types import Modality

Channels = tuple[float, float, float]

NEWEST = "main"
"""The hub's name of what a repository holds at the time."""


@dataclass(frozen=True)
class Download:
    """One file to fetch. ``path`` is its name at the source where that is another; ``repo`` its repository where that
    is another than its model's. ``checksum`` is what its makers publish: "sha256:<hex>", "sha256-prefix:<hex>" (as
    torchvision's file names carry it), "md5:<hex>", or "" where nobody publishes one. ``size_bytes`` None: not known.
    """

    name: str
    path: str = ""
    repo: str = ""
    size_bytes: int | None = None
    checksum: str = ""


@dataclass(frozen=True)
class Source:
    """Where a model's files are published: a hub's repository at a commit, or the URL of a folder. Where the
    ``revision`` is no commit but `NEWEST`, what stands there is fetched, and its commit noted."""

    files: tuple[Download, ...]
    repo: str = ""
    revision: str = NEWEST
    url: str = ""

    def __str__(self) -> str:
        return (self.repo or self.url) + (f" at {self.revision}" if self.revision != NEWEST else "")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One model.

    ``files`` are the patterns of its one weights file, the preferred first; ``companions`` are the further files it
    needs beside the weights. Both are empty for a built-in model. ``mean`` and ``std`` are per channel, on the scale
    0..1. ``revision`` counts the changes of the program's own part of the model that change its vectors.
    ``model_cfg`` is an architecture in open_clip's terms that replaces ``architecture``: one that open_clip has no name
    for, or that was found beside the weights.

    ``commercial`` answers "may I use it at work?", None where that is not known. ``memory_bytes`` is about what it
    takes while it runs on the CPU; ``download_bytes`` about what its files have. ``gflops`` is what one picture, or ten
    seconds of sound, costs: billions of multiplications, the addition that goes with each not counted again.
    ``variant_of`` names the model whose weights, in that model's folder, this one uses, its image tower in 8 bits.
    ``baseline``: a classic that newer models are measured against.
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
    origin: Origin = Origin.CATALOGUE
    commercial: bool | None = None
    memory_bytes: int = 0
    download_bytes: int | None = None
    gflops: float = 0.0
    source: Source | None = None
    variant_of: str = ""
    baseline: bool = False

    @property
    def built_in(self) -> bool:
        return not self.files and self.origin is Origin.CATALOGUE

    @property
    def folder_name(self) -> str:
        """Of the folder in which its weights lie."""
        return self.variant_of or self.key

    @property
    def spec(self) -> EncoderSpec:
        return EncoderSpec(self.key, self.accepts, self.dim, self.picture, self.sound, self.batch_size)


def read_entries(path: Path) -> tuple[Entry, ...]:
    """The entries of a catalogue file, in its order. A variant's table says what is other than its base's.

    Raises:
        CatalogueDamaged: it is not there, is no TOML, or says something else than entries.
    """
    try:
        with path.open("rb") as file:
            tables = tomllib.load(file)["model"]
        by_key = {table["key"]: table for table in tables}
        return tuple(entry_from({**by_key.get(table.get("variant_of"), {}), **table}) for table in tables)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise CatalogueDamaged(
            "The list of models that ships with Semblance cannot be read",
            f"{path.name} is damaged or missing ({type(error).__name__}: {error}). Install Semblance again: libraries "
            "and installed models are kept.",
            str(path),
        ) from error


def entry_from(table: Mapping[str, Any]) -> Entry:
    """An entry from its table in TOML or JSON. A network that it describes is one of sane size: see `bounded`.

    Raises:
        KeyError, TypeError, ValueError: the table is not one of an entry.
    """
    known = dict(table)
    for name in ("files", "companions", "languages", "mean", "std"):
        if name in known:
            known[name] = tuple(known[name])
    known["accepts"] = frozenset(Modality(word) for word in known["accepts"])
    if "picture" in known:
        known["picture"] = PictureInput(**known["picture"])
    if "sound" in known:
        known["sound"] = SoundInput(**known["sound"])
    if "source" in known:
        source = dict(known["source"])
        known["source"] = Source(**{**source, "files": tuple(Download(**file) for file in source["files"])})
    if known.get("model_cfg") is not None:
        known["model_cfg"] = bounded(known["model_cfg"])
    if "origin" in known:
        known["origin"] = Origin(known["origin"])
    return Entry(**known)


def table_of(entry: Entry) -> dict[str, Any]:
    """An entry as JSON's kinds, without what is as by default: what `entry_from` reads."""
    table = {
        field.name: getattr(entry, field.name) for field in fields(entry) if getattr(entry, field.name) != field.default
    }
    table["accepts"] = sorted(entry.accepts)
    for name in ("picture", "sound", "source"):
        if name in table:
            table[name] = asdict(table[name])
    return table
