"""Packs: models as one file, for machines without a network."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from app.engine.encoders.added import is_portable_name
from app.engine.encoders.base import ready_keys
from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.entries import Entry, table_of
from app.engine.encoders.folder import find_weights, is_damaged, sha256_of
from app.engine.encoders.record import RECORD_FILE, read_added_entry, read_installation, write_record
from app.engine.errors import AppError, WeightsCorrupt
from app.engine.installing import placing
from app.engine.installing.checking import BY_HAND
from app.engine.installing.licences import licence_notices
from app.engine.installing.packcontents import check_model, checked_installation, entry_of
from app.engine.installing.packfile import (
    SUFFIX,
    ContentDiffers,
    PackedModel,
    PackReader,
    write_pack,
)
from app.engine.jobs import NULL_JOB, Job
from app.engine.modeltypes import Installation, InstalledFile, OfferedModel, Origin, PackContents, PackReport, Pin
from app.engine.wholefiles import gathered

READABLE = "See that the file is there and that you may read it."


def export_pack(
    catalogue: Catalogue, keys: Sequence[str], path: Path, replacing: bool = False, job: Job = NULL_JOB
) -> PackReport:
    """Write models into a pack. Every file is held against its model's record while it is read.

    Args:
        keys: the models; none: all that are ready and have files.
        path: the file to write.
        replacing: whether a file of that name gives way, once the new one is whole.

    Raises:
        AppError: a model is not here or its files have changed, there is no room, or the place cannot be written.
        Cancelled: nothing is left of the pack.
    """
    keys = _exported(catalogue, keys)
    models = tuple(_described(catalogue, key) for key in job.track(keys, "Looking at the models", len(keys)))
    total_bytes = sum(model.size_bytes for model in models)
    if path.is_dir():
        raise AppError("This is a folder", "Name the file that the pack is to be in it.", str(path))
    if path.exists() and not (replacing and path.is_file()):
        raise AppError("There is such a file already", "Give the pack another name, or move that one away.", str(path))
    notices = licence_notices(catalogue.entry(model.key) for model in models)
    with _telling("The pack cannot be written", "Choose another place.", path):
        placing.check_room(path.parent, total_bytes)
        job.begin("Writing the pack", total_bytes, in_bytes=True)
        with gathered(path) as file:
            try:
                sha256 = write_pack(
                    file, models, notices, lambda key, name: (catalogue.folder(key) / name).open("rb"), job.advance
                )
            except ContentDiffers as error:
                raise WeightsCorrupt(
                    "A model's file has changed",
                    f"{error} does not hold the bytes that it was first used with. Check the models, install that one "
                    "again, then export it.",
                ) from error
        return PackReport(str(path), tuple(model.key for model in models), (), path.stat().st_size, sha256)


def read_pack(path: Path) -> PackReport:
    """What a pack says it holds; its models' files are not read.

    Raises:
        AppError: it is no pack that can be used.
    """
    with _telling("The pack cannot be read", READABLE, path), path.open("rb") as file:
        pack = PackReader(file, path)
        return PackReport(str(path), tuple(model.key for model in pack.models), (), pack.size_bytes, pack.sha256)


def pack_contents(catalogue: Catalogue, models_dir: Path, path: Path) -> PackContents:
    """What a pack says it holds, and how that stands to what is here; its models' files are not read.

    Raises:
        AppError: it is no pack that can be used.
    """
    with _telling("The pack cannot be read", READABLE, path), path.open("rb") as file:
        pack = PackReader(file, path)
        offered = []
        for model in pack.models:
            entry = entry_of(model, catalogue, path)
            present, differs = _standing(models_dir, model, entry)
            licence = entry.licence, entry.licence_note
            offered.append(OfferedModel(model.key, entry.name, model.size_bytes, *licence, present, differs))
        return PackContents(str(path), pack.size_bytes, pack.sha256, tuple(offered))


def carried_packs(catalogue: Catalogue, folder: Path) -> tuple[PackReport, ...]:
    """The packs in a folder that hold models which are not ready here; those that are count as skipped. A pack that
    cannot be used is passed over."""
    ready = ready_keys(catalogue)
    reports = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        with contextlib.suppress(AppError):
            pack = read_pack(path)
            missing = tuple(key for key in pack.models if key not in ready)
            if missing:
                reports.append(replace(pack, models=missing, skipped=tuple(sorted({*pack.models} - {*missing}))))
    return tuple(reports)


def import_pack(
    catalogue: Catalogue,
    models_dir: Path,
    path: Path,
    replacing: bool = False,
    expected_sha256: str = "",
    job: Job = NULL_JOB,
) -> PackReport:
    """Take the models of a pack in, once all of them are found right; each takes its place in one step.

    Args:
        replacing: whether a model that is here with other bytes gives way.
        expected_sha256: the manifest's SHA-256 as the export told it; "" for any.

    Raises:
        AppError: the pack is damaged, holds what does not fit, clashes with a model that is here, or finds no room.
        Cancelled: everything is as it was.
    """
    with _telling("The pack cannot be read", READABLE, path), path.open("rb") as file, contextlib.ExitStack() as stages:
        pack = PackReader(file, path)
        if expected_sha256 and expected_sha256.strip().lower() != pack.sha256:
            raise AppError(
                "This is another pack",
                f"The SHA-256 of its manifest is {pack.sha256}, and another was expected. Have both sent again.",
                str(path),
            )
        entries = {model.key: entry_of(model, catalogue, path) for model in pack.models}
        staged = {key: stages.enter_context(placing.stage(models_dir / key)) for key in entries}
        present = [model.key for model in pack.models if _is_here(models_dir, model, entries[model.key], replacing)]
        taken = [model for model in pack.models if model.key not in present]
        placing.check_room(models_dir, sum(model.size_bytes for model in taken))
        _extract(pack, {model.key: staged[model.key] for model in taken}, job)
        for model in job.track(taken, "Trying the models", len(taken)):
            entry, folder = entries[model.key], staged[model.key]
            installation = checked_installation(model, entry, folder, path)
            write_record(folder, installation, entry if entry.origin is Origin.ADDED else None)
            check_model(catalogue, entry, folder, path)
        try:
            for model in taken:
                catalogue.unload(model.key)
                placing.put_in_place(staged[model.key], models_dir / model.key)
        finally:
            catalogue.refresh()
        return PackReport(str(path), tuple(m.key for m in taken), tuple(present), pack.size_bytes, pack.sha256)


# --- describing what is here -----------------------------------------------------------------------------------------


def _exported(catalogue: Catalogue, keys: Sequence[str]) -> list[str]:
    """The models whose folders are packed, each once: a variant has the files of another."""
    asked = keys or [status.key for status in catalogue.statuses() if status.ready and status.folder]
    entries = [catalogue.entry(catalogue.entry(key).variant_of or key) for key in asked]
    packed = [entry.key for entry in entries if not entry.built_in]
    if not packed:
        raise AppError(
            "There is nothing to pack",
            "The built-in models are part of every copy of this program. Name a model that has files of its own.",
        )
    return list(dict.fromkeys(packed))


def _described(catalogue: Catalogue, key: str) -> PackedModel:
    """A model with its files as its record has them, or as they are where there is no record."""
    entry, folder = catalogue.entry(key), catalogue.folder(key)
    weights = find_weights(entry, folder)
    installation = read_installation(folder) or Installation(BY_HAND, "", "", ())
    recorded = {file.name: file for file in installation.files}
    files = [recorded.get(path.name) or _pinned(path) for path in (weights, *_beside(entry, folder))]
    return PackedModel(
        key, replace(installation, files=tuple(files)), table_of(entry) if entry.origin is Origin.ADDED else None
    )


def _pinned(path: Path) -> InstalledFile:
    if not is_portable_name(path.name):
        raise AppError(
            "This file cannot be packed", "Not every system can hold a file of its name: rename it.", str(path)
        )
    return InstalledFile(path.name, path.stat().st_size, sha256_of(path), Pin.FIRST_USE)


def _beside(entry: Entry, folder: Path) -> list[Path]:
    """What lies in a model's folder beside its weights: config, tokenizer, its own licence; no weights of other
    formats, and nothing of the program's own."""
    return [
        path
        for path in _visible(folder)
        if path.is_file()
        and path.name.casefold() != RECORD_FILE
        and not any(path.match(pattern) for pattern in entry.files)
    ]


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if not path.name.startswith("."))


# --- taking in -------------------------------------------------------------------------------------------------------


def _is_here(models_dir: Path, model: PackedModel, entry: Entry, replacing: bool) -> bool:
    """Whether a model is here, the same to the byte.

    Raises:
        AppError: it is here with other bytes, which are not to be replaced.
    """
    is_same, differs = _standing(models_dir, model, entry)
    if differs and not replacing:
        raise AppError(
            f"{entry.name} is here with other files",
            "What is here and what the pack holds differ. To have the pack's, remove the model first, or agree to its "
            "being replaced (--replace on the command line).",
            str(models_dir / model.key),
        )
    return is_same


def _standing(models_dir: Path, model: PackedModel, entry: Entry) -> tuple[bool, bool]:
    """Whether a model is here, the same to the byte; and whether it is here with files that are not."""
    folder = models_dir / model.key
    packed = {file.name: file for file in model.installation.files}
    present = {path.name for path in _visible(folder)} - {RECORD_FILE}
    same = {name for name in present & packed.keys() if _is_same(folder / name, packed[name])}
    if same == packed.keys() and (model.entry is None or _added_entry(folder) == entry):
        return True, False
    return False, bool(present - same)


def _is_same(path: Path, packed: InstalledFile) -> bool:
    if not path.is_file() or path.stat().st_size != packed.size_bytes or is_damaged(path):
        return False
    return sha256_of(path) == packed.sha256


def _added_entry(folder: Path) -> Entry | None:
    with contextlib.suppress(WeightsCorrupt):
        return read_added_entry(folder)
    return None


def _extract(pack: PackReader, staged: Mapping[str, Path], job: Job) -> None:
    """Read the whole pack, and write the files of the models that have a stage."""
    job.begin("Reading the pack", sum(model.size_bytes for model in pack.models), in_bytes=True)
    for model, recorded, chunks in pack.contents():
        path = staged[model.key] / recorded.name if model.key in staged else Path(os.devnull)
        with path.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)
                job.advance(len(chunk))


# --- what the disk says ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _telling(title: str, hint: str, path: Path) -> Iterator[None]:
    """Say what the system says in a sentence, and what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            hint = "Make room there, or choose another place."
        if error.errno == errno.EFBIG:
            hint = "A disk formatted as FAT32 holds no file of 4 GiB: format it as exFAT, or make several packs."
        raise AppError(title, f"{error.strerror or error}. {hint}", str(error.filename or path)) from error
