"""Whether the models of a pack may come in: what they claim to be, and what their files are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.engine.encoders.added import added_entry
from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.entries import Entry
from app.engine.encoders.hashing import hashed
from app.engine.errors import AppError
from app.engine.installing.checking import not_published, now, published_checksums
from app.engine.installing.offered import is_key
from app.engine.installing.packfile import PackedModel
from app.engine.installing.trying import try_model
from app.engine.modeltypes import Installation, Pin


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
        entry = added_entry(model.entry)
        if not is_key(entry.key) or entry.key != model.key:
            raise ValueError("its key")
    except (KeyError, TypeError, ValueError) as error:
        raise _unfit(f"The description of “{model.key}” cannot be used ({error}).", path) from error
    return entry


def check_model(catalogue: Catalogue, entry: Entry, folder: Path, path: Path) -> None:
    """See `try_model`.

    Raises:
        AppError: the files are not of this model, or do not work.
    """
    try:
        try_model(catalogue, entry, folder)
    except AppError as error:
        raise _unfit(f"Its {entry.name} does not work. {error.title}: {error.message}", path) from error


def checked_installation(model: PackedModel, entry: Entry, folder: Path, path: Path) -> Installation:
    """What the record of an imported model says. How a file is known to be right is believed to nobody: where the
    catalogue has what its makers publish, that is held against it, and else it is pinned by its own hash.

    Raises:
        AppError: a file is not the one that is published under its name.
    """
    checksums = published_checksums(entry)
    for name in {file.name for file in model.installation.files} & checksums.keys():
        if not hashed(folder / name, checksums[name])[1]:
            raise _unfit(not_published(name, entry), path)
    files = tuple(
        replace(file, pin=Pin.PUBLISHED if file.name in checksums else Pin.FIRST_USE)
        for file in model.installation.files
    )
    return replace(model.installation, installed_utc=now(), files=files)


def _unfit(message: str, path: Path) -> AppError:
    return AppError("This pack cannot be used", message, str(path))
