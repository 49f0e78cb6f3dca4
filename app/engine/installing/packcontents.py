"""Whether the models of a pack may come in: what they claim to be, and what their files are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.entries import Entry, entry_from
from app.engine.encoders.folder import find_weights
from app.engine.encoders.record import ADDABLE
from app.engine.errors import AppError, DeviceExhausted
from app.engine.installing.hashing import hashed
from app.engine.installing.offered import is_key
from app.engine.installing.packfile import PackedModel, is_portable_name
from app.engine.modeltypes import Installation, Origin, Pin
from app.engine.samples import LARGEST_PX
from app.engine.types import Modality

MEMORY_FOR_FILES = 3
"""A model takes about so many times what its files have while it is loaded: read, and built, and at work."""

MEMORY_PER_PX = 1024
"""What a network at work takes for each pixel of one picture. Measured in bytes: ViT-Ti/16 100, ResNet-50 263,
ConvNeXt-T 409, VGG-16 789."""

_MOST_OVERSAMPLING = 8
_KINDS: dict[str, Any] = {
    "str": str,
    "int": int,
    "float": int | float,
    "int | None": int | None,
    "bool | None": bool | None,
    "Mapping[str, Any] | None": Mapping | None,
}
"""By the annotations of `Entry`; its other fields are made by `entry_from`, of the right kind or not at all."""


def entry_of(model: PackedModel, catalogue: Catalogue, path: Path) -> Entry:
    """The entry of a packed model: the program's own, or for one that a person added the pack's.

    Raises:
        AppError: the program does not know the model, or the entry is none that `add` makes.
    """
    shipped = catalogue.shipped(model.key)
    if shipped and model.entry is None and not shipped.built_in and not shipped.variant_of:
        return shipped
    if shipped or model.entry is None:
        raise _unfit(
            f"This version of the program has no model “{model.key}” that could come from a pack. Update it.", path
        )

    try:
        entry = entry_from(model.entry)
        if not is_key(entry.key) or entry.key != model.key or entry.family not in ADDABLE:
            raise ValueError("its key or its family")
        if entry.origin is not Origin.ADDED or not _is_sound(entry):
            raise ValueError("it says what no added model says")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _unfit(f"The description of “{model.key}” cannot be used ({error}).", path) from error
    return entry


def check_model(model: PackedModel, entry: Entry, folder: Path, path: Path) -> None:
    """Look at a model's new ``folder`` before it takes its place: its weights are read as plain data, and it is loaded
    and encodes, where there is memory for that now. Nothing in its files is executed.

    Raises:
        AppError: the files are not of this model, or do not work.
    """
    from app.engine.encoders.checkpoint import outline  # these import torch
    from app.engine.encoders.oom import is_out_of_memory
    from app.engine.encoders.proof import prove

    try:
        outline(find_weights(entry, folder))
        px = entry.picture.size_px**2 if entry.picture else 0
        if psutil.virtual_memory().available > MEMORY_FOR_FILES * model.size_bytes + MEMORY_PER_PX * px:
            prove(Catalogue(folder.parent, device="cpu").load(entry.key))
    except AppError as error:
        if not isinstance(error, DeviceExhausted):
            raise _unfit(f"Its {entry.name} does not work. {error.title}: {error.message}", path) from error
    except Exception as error:  # a description that means harm can make the libraries raise anything
        if not is_out_of_memory(error):
            raise _unfit(f"Its {entry.name} cannot be run ({type(error).__name__}: {error}).", path) from error


def checked_installation(model: PackedModel, entry: Entry, folder: Path, path: Path) -> Installation:
    """What the record of an imported model says. That its makers published a file is believed to nobody: where the
    catalogue does not say so too, the file is pinned by its own hash.

    Raises:
        AppError: a file is not the published one that it is said to be.
    """
    checksums = {file.name: file.checksum for file in (entry.source.files if entry.source else ())}
    files = []
    for file in model.installation.files:
        checksum = checksums.get(file.name, "")
        if file.pin is Pin.PUBLISHED and not checksum:
            file = replace(file, pin=Pin.FIRST_USE)
        elif file.pin is Pin.PUBLISHED and not hashed(folder / file.name, checksum)[1]:
            raise _unfit(f"{file.name} is not what the makers of {entry.name} publish under this name.", path)
        files.append(file)
    now_utc = datetime.now(UTC).isoformat(timespec="seconds")
    return replace(model.installation, installed_utc=now_utc, files=tuple(files))


def _is_sound(entry: Entry) -> bool:
    """Whether an entry's values are of their kinds, within reason, and lead to no other place."""
    words = (*entry.files, *entry.companions, *entry.languages)
    return (
        all(isinstance(getattr(entry, field.name), _KINDS.get(str(field.type), object)) for field in fields(entry))
        and all(isinstance(word, str) for word in words)
        and bool(entry.files)
        and all(is_portable_name(name.replace("*", "x")) for name in (*entry.files, *entry.companions))
        and not entry.variant_of
        and entry.source is None
        and _is_within(65_536, entry.dim, entry.batch_size)
        and _is_sound_preparation(entry)
    )


def _is_sound_preparation(entry: Entry) -> bool:
    picture, sound, channels = entry.picture, entry.sound, (*entry.mean, *entry.std)
    return (
        (picture is not None, sound is not None) == (Modality.IMAGE in entry.accepts, Modality.AUDIO in entry.accepts)
        and len(entry.mean) == len(entry.std) == 3
        and all(isinstance(value, int | float) and math.isfinite(value) for value in channels)
        and 0 not in entry.std
        and (picture is None or _is_within(LARGEST_PX, picture.size_px, picture.resize_px))
        and (picture is None or _is_within(_MOST_OVERSAMPLING, picture.oversampling))
        and (picture is None or (picture.fit in ("crop", "squash") and picture.resample in ("bicubic", "bilinear")))
        and (sound is None or _is_within(192_000, sound.sample_rate_hz))
    )


def _is_within(most: int, *values: Any) -> bool:
    return all(isinstance(value, int) and 0 < value <= most for value in values)


def _unfit(message: str, path: Path) -> AppError:
    return AppError("This pack cannot be used", message, str(path))
