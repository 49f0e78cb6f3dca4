"""Entries of models that a person added: they come with a model's folder, or in a pack, and can come from anywhere."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from app.engine.encoders.entries import Entry, entry_from
from app.engine.modeltypes import Origin
from app.engine.samples import LARGEST_PX
from app.engine.types import Modality

ADDABLE = ("open_clip", "timm", "panns")
"""The families of models that a person can add."""

_LONGEST_NAME_BYTES = 100
_MOST_OVERSAMPLING = 8
_FORBIDDEN = re.compile(r'[/\\:*?"<>|]')
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\..*)?", re.IGNORECASE)

_KINDS: dict[str, Any] = {
    "str": str,
    "int": int,
    "float": int | float,
    "int | None": int | None,
    "bool | None": bool | None,
    "Mapping[str, Any] | None": Mapping | None,
}
"""By the annotations of `Entry`; its other fields are made by `entry_from`, of the right kind or not at all."""


def added_entry(table: Mapping[str, Any]) -> Entry:
    """The entry of a model that a person added.

    Raises:
        KeyError, TypeError, ValueError: the table is not one of such an entry.
    """
    try:
        entry = entry_from(table)
        if entry.family not in ADDABLE or entry.origin is not Origin.ADDED or not _is_sound(entry):
            raise ValueError("it says what no added model says")
    except AttributeError as error:
        raise ValueError("it is none") from error
    return entry


def is_portable_name(name: str) -> bool:
    """Whether a visible file of just this name can be made on every system, in its folder and nowhere else."""
    return (
        name.isprintable()
        and 0 < len(name.encode()) <= _LONGEST_NAME_BYTES
        and not name.startswith((".", " "))
        and not name.endswith((".", " "))
        and not _FORBIDDEN.search(name)
        and not _RESERVED.fullmatch(name)
    )


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
