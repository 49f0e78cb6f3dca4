"""The files of models, held against what they should be: when they come, and whenever a person asks."""

from __future__ import annotations

import datetime
import fnmatch
from collections.abc import Sequence
from pathlib import Path

from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.entries import Entry, Source
from app.engine.encoders.folder import check_unchanged, is_damaged, note_damage
from app.engine.encoders.record import RECORD_FILE, read_installation, write_record
from app.engine.errors import AppError, WeightsCorrupt
from app.engine.installing.downloading import Found, drop_part, part_of
from app.engine.installing.hashing import hashed
from app.engine.installing.placing import disk_error, size_bytes
from app.engine.jobs import NULL_JOB, Job
from app.engine.modeltypes import Installation, InstalledFile, ModelCheck, ModelStatus, Pin

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

    Files that were put in place by hand have no record: they get one, and the next check holds against it.

    Raises:
        AppError: there is no such model, or the disk cannot be written.
        Cancelled: the job was cancelled.
    """
    asked = [owner(catalogue, key).key for key in keys]
    here = [status.key for status in catalogue.statuses() if _is_here(status) and not status.variant_of]
    chosen = tuple(dict.fromkeys(asked)) or here
    job.begin("Checking", sum(size_bytes(catalogue.folder(key)) for key in chosen), in_bytes=True)
    return tuple(_verified(catalogue, key, job) for key in chosen)


def owner(catalogue: Catalogue, key: str) -> Entry:
    """The model whose folder a model uses: a variant's is that of another.

    Raises:
        AppError: there is no such model.
    """
    entry = catalogue.entry(key)
    return catalogue.entry(entry.variant_of) if entry.variant_of else entry


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
    return bool(status.folder) and (status.ready or (Path(status.folder) / RECORD_FILE).exists())


def _verified(catalogue: Catalogue, key: str, job: Job) -> ModelCheck:
    folder = catalogue.folder(key)
    try:
        installation = read_installation(folder)
        if not installation:
            return _pinned(catalogue, key, job)
        found = [_problem(folder / file.name, file, job) for file in installation.files]
        problems = tuple(problem for problem in found if problem)
        if not problems:
            catalogue.files(key)  # a second weights file beside the installed one makes it unusable too
    except AppError as error:
        return ModelCheck(key, 0, (error.message,))
    return ModelCheck(key, len(installation.files), problems)


def _pinned(catalogue: Catalogue, key: str, job: Job) -> ModelCheck:
    """Write the record of files that were put in place by hand."""
    paths = catalogue.files(key)
    for path in paths:
        if is_damaged(path):
            check_unchanged(path)
    files = tuple(
        InstalledFile(path.name, path.stat().st_size, hashed(path, job=job)[0], Pin.FIRST_USE) for path in paths
    )
    folder = catalogue.folder(key)
    if files:
        try:
            write_record(folder, Installation(BY_HAND, "", now(), files))
        except OSError as error:
            raise disk_error(error, folder) from error
    return ModelCheck(key, len(files), (), pinned=not files)


def _problem(path: Path, file: InstalledFile, job: Job) -> str:
    """What is wrong with an installed file, in a sentence; "" if nothing is."""
    if not path.is_file():
        return f"{file.name} is not there any more."
    if path.stat().st_size != file.size_bytes:
        note_damage(path, True)
        return f"{file.name} has {path.stat().st_size:,} bytes instead of {file.size_bytes:,}."
    is_right = hashed(path, job=job)[0] == file.sha256
    note_damage(path, not is_right)
    return "" if is_right else f"{file.name} does not hold the bytes any more that it was installed with."
