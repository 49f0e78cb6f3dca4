"""The files of models, held against what they should be: when they come, and whenever a person asks."""

from __future__ import annotations

import datetime
import fnmatch
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.entries import Entry, Source
from app.engine.encoders.folder import MEND, check_unchanged, note_damage
from app.engine.encoders.hashing import hashed
from app.engine.encoders.record import read_added_entry, read_installation, write_record
from app.engine.errors import AppError, WeightsCorrupt
from app.engine.installing.orders import Found, drop_part, part_of
from app.engine.installing.placing import disk_error
from app.engine.jobs import NULL_JOB, Job
from app.engine.modeltypes import Installation, InstalledFile, ModelCheck, ModelStatus, Pin
from app.engine.sizes import folder_bytes

BY_HAND = "put in place by hand"


def checked(entry: Entry, source: Source, found: Sequence[Found], staging: Path, job: Job) -> tuple[InstalledFile, ...]:
    """The files that came. What is wrong is thrown away, and the rest kept for the next try.

    Raises:
        WeightsCorrupt: a file has not the bytes, or is not of the kind, that it should have.
    """
    parts = [part_of(staging, file.name) for file in found]
    job.begin("Checking", sum(part.stat().st_size for part in parts), in_bytes=True)
    files = []
    for download, file, part in zip(source.files, found, parts, strict=True):
        pin = Pin.PUBLISHED if download.checksum else Pin.HUB if file.checksum else Pin.FIRST_USE
        digest, is_right = hashed(part, download.checksum or file.checksum, job)
        if not is_right:
            drop_part(part)
            who = "its makers have published" if pin is Pin.PUBLISHED else "the hub says it is"
            raise WeightsCorrupt(
                "These are not the right bytes",
                f"What came as {file.name} is not the file that {who}, and was thrown away. Try again; if that "
                "does not help, a proxy or a mirror changes files: go round it, or take in a pack.",
                file.url,
            )
        files.append(InstalledFile(file.name, part.stat().st_size, digest, pin))
    weights = _weights_of(entry, found)
    _check_weights(weights, part_of(staging, weights.name))
    return tuple(files)


def verify(catalogue: Catalogue, keys: Sequence[str], job: Job = NULL_JOB) -> tuple[ModelCheck, ...]:
    """Hash every file of these models, of all that are here if none is named, and hold it against its record.

    Files that were put in place by hand have no record: they get one, and the next check holds against it. What a
    model's makers publish of a file is held against it in any case. A file that is found wrong makes its model
    damaged: see `app.engine.encoders.folder.is_damaged`.

    Raises:
        AppError: there is no such model.
        Cancelled: the job was cancelled.
    """
    asked = [owner(catalogue, key).key for key in keys]
    here = [status.key for status in catalogue.statuses() if _is_here(status) and not status.variant_of]
    chosen = tuple(dict.fromkeys(asked)) or here
    job.begin("Checking", sum(folder_bytes(catalogue.folder(key)) for key in chosen), in_bytes=True)
    return tuple(_verified(catalogue, key, job) for key in chosen)


def owner(catalogue: Catalogue, key: str) -> Entry:
    """The model whose folder a model uses: a variant's is that of another.

    Raises:
        AppError: there is no such model.
    """
    entry = catalogue.entry(key)
    return catalogue.entry(entry.variant_of) if entry.variant_of else entry


def published_checksums(entry: Entry) -> dict[str, str]:
    """What a model's makers publish of its files, by their names: see `Download.checksum`."""
    return {file.name: file.checksum for file in (entry.source.files if entry.source else ()) if file.checksum}


def not_published(name: str, entry: Entry) -> str:
    """The sentence on a file that has a published name, and not the bytes."""
    return f"{name} is not what the makers of {entry.name} publish under this name."


def now() -> str:
    """The time of a record."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _weights_of(entry: Entry, found: Sequence[Found]) -> Found:
    """Which of the files is the weights: as `find_weights` would choose."""
    return next(file for pattern in entry.files for file in found if fnmatch.fnmatch(file.name, pattern))


def _check_weights(file: Found, part: Path) -> None:
    try:
        if file.name.endswith(".safetensors"):
            _check_safetensors(part)
        else:
            from app.engine.encoders.weights import read_weights

            read_weights(part)
    except WeightsCorrupt as error:
        drop_part(part)
        raise WeightsCorrupt(
            "This is no weights file",
            f"What came as {file.name} was thrown away. {error.message} A network with a login page gives that page "
            "instead of files: log in first.",
            file.url,
        ) from error


def _check_safetensors(path: Path) -> None:
    """The header must be one, and fit the file's length."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as tensors:
            if tensors.keys():
                return
    except SafetensorError as error:
        raise WeightsCorrupt("This weights file cannot be read", f"It is damaged: {error}.") from error
    raise WeightsCorrupt("This file holds no weights", "There is nothing in it.")


def _is_here(status: ModelStatus) -> bool:
    return bool(status.folder) and (status.ready or status.damaged)


def _verified(catalogue: Catalogue, key: str, job: Job) -> ModelCheck:
    entry, folder = catalogue.entry(key), catalogue.folder(key)
    try:
        installation = read_installation(folder)
        if not installation or not installation.files:
            return _pinned(entry, folder, catalogue.files(key), job)
        found = [_problem(entry, folder / file.name, file, job) for file in installation.files]
        problems = tuple(problem for problem in found if problem)
        if not problems:
            catalogue.files(key)  # a file beside the installed ones can make them unusable too
    except OSError as error:
        return ModelCheck(key, 0, (disk_error(error, folder).message,))
    except AppError as error:
        return ModelCheck(key, 0, (error.message,))
    return ModelCheck(key, len(installation.files), problems)


def _pinned(entry: Entry, folder: Path, paths: Sequence[Path], job: Job) -> ModelCheck:
    """Write the record of files that were put in place by hand."""
    files, checksums = [], published_checksums(entry)
    for path in paths:
        checksum = checksums.get(path.name, "")
        digest, is_right = check_unchanged(path, checksum, job)
        if not is_right:
            what_to_do = "Get it again; or, if these are weights of your own, move them elsewhere and add them."
            return ModelCheck(entry.key, len(paths), (f"{not_published(path.name, entry)} {what_to_do}",), pinned=False)
        pin = Pin.PUBLISHED if checksum else Pin.FIRST_USE
        files.append(InstalledFile(path.name, path.stat().st_size, digest, pin))
    if files:
        installation = read_installation(folder) or Installation(BY_HAND, "", now(), ())
        write_record(folder, replace(installation, files=tuple(files)), read_added_entry(folder))
    return ModelCheck(entry.key, len(files), (), pinned=not files)


def _problem(entry: Entry, path: Path, file: InstalledFile, job: Job) -> str:
    """What is wrong with an installed file, in a sentence; "" if nothing is."""
    if not path.is_file():
        return f"{file.name} is not there any more. {MEND}"
    if path.stat().st_size != file.size_bytes:
        note_damage(path, True)
        return f"{file.name} has {path.stat().st_size:,} bytes instead of {file.size_bytes:,}. {MEND}"
    try:
        _, is_right = check_unchanged(path, published_checksums(entry).get(file.name, ""), job)
    except WeightsCorrupt as error:
        return error.message
    note_damage(path, not is_right)
    return "" if is_right else f"{not_published(file.name, entry)} {MEND}"
