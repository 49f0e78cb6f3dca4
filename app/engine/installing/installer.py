"""Models come to this machine, and leave it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.entries import NEWEST, Entry, Source
from app.engine.encoders.folder import incoming, remember
from app.engine.encoders.record import RECORD_FILE, read_installation, write_record
from app.engine.errors import AppError
from app.engine.installing.checking import checked, now, owner
from app.engine.installing.downloading import Found, Listing, Order, Wanted, drop_part, part_of
from app.engine.installing.fetching import fetch
from app.engine.installing.placing import discard, held, put_in_place
from app.engine.jobs import NULL_JOB, Job
from app.engine.modeltypes import Installation, InstallPlan, ModelStatus, Origin

HUB = "https://huggingface.co"
MARGIN_BYTES = 256_000_000
"""What is left free on the disk: a full one stops other programs, and this one's libraries."""


def plan(catalogue: Catalogue, key: str, mirror: str = "") -> InstallPlan:
    """What `install` would do, for a person to agree to. Asks no server.

    Args:
        catalogue: the models.
        key: the model; of a variant, the model whose weights it uses is installed.
        mirror: the address of a server to fetch from instead: a hub's mirror, or a folder with the same files.

    Raises:
        AppError: there is no such model, it is not to be had by download, or the mirror is no address.
    """
    entry, source = _fetched(catalogue, key)
    folder = catalogue.folder(entry.key)
    sizes = [file.size_bytes for file in source.files]
    parts = (part_of(incoming(folder), file.name) for file in source.files)
    return InstallPlan(
        key=entry.key,
        name=entry.name,
        source=str(source),
        address=_address(source, mirror),
        files=tuple(file.name for file in source.files),
        download_bytes=entry.download_bytes if None in sizes else sum(size or 0 for size in sizes),
        present_bytes=sum(part.stat().st_size for part in parts if part.is_file()),
        free_bytes=_free_bytes(folder),
        licence=entry.licence,
        licence_note=entry.licence_note,
        commercial=entry.commercial,
        folder=str(folder),
        fixed=all(file.url or file.revision != NEWEST for file in _wanted(entry, source, mirror)),
    )


def install(catalogue: Catalogue, key: str, mirror: str = "", job: Job = NULL_JOB) -> ModelStatus:
    """Fetch a model that a person has agreed to, check every byte, and put it in place in one step.

    A model that is here already is left as it is. What a broken or cancelled download has fetched is kept for the next.

    Raises:
        AppError: see `plan` and `fetch`; or the disk has no room, somebody else is installing the model, or its folder
            holds files that this program did not put there.
        WeightsCorrupt: what came is not what it should be; it is thrown away.
        Cancelled: the job was cancelled.
    """
    entry, source = _fetched(catalogue, key)
    folder = catalogue.folder(entry.key)
    if not catalogue.status(entry.key).ready:
        with held(folder) as staging:
            if not catalogue.status(entry.key).ready:  # as it may be by another program, just now
                _check_folder(folder)
                _bring(entry, source, mirror, staging, job)
                catalogue.unload(entry.key)
                put_in_place(staging, folder)
    return catalogue.status(key)


def remove(catalogue: Catalogue, key: str) -> None:
    """Delete a model's files, and what a broken download left of them. What it computed stays in the libraries.

    Raises:
        AppError: there is no such model, it has no files of its own, none are here, or somebody else is changing it.
    """
    entry = catalogue.entry(key)
    if entry.built_in:
        raise AppError("This model is built in", f"{entry.name} is part of the program and takes no room on the disk.")
    if entry.variant_of:
        raise AppError(
            "This model has no files of its own", f"{entry.name} uses those of {entry.variant_of}: remove that one."
        )
    folder = catalogue.folder(key)
    if not folder.exists() and not incoming(folder).exists():
        raise AppError("This model is not here", f"There are no files of {entry.name} to remove.")
    with held(folder) as staging:
        catalogue.unload(key)
        discard(staging)
        discard(folder)
    catalogue.refresh()


def _fetched(catalogue: Catalogue, key: str) -> tuple[Entry, Source]:
    entry = owner(catalogue, key)
    if entry.built_in:
        raise AppError("This model is built in", f"{entry.name} is part of the program: there is nothing to install.")
    if not entry.source or entry.origin is not Origin.CATALOGUE:  # what others wrote names no addresses and files
        raise AppError(
            "This model cannot be fetched",
            f"No public source is known for {entry.name}. {catalogue.status(entry.key).problem}",
            str(catalogue.folder(entry.key)),
        )
    return entry, entry.source


def _hub(mirror: str) -> str:
    return _checked_address(mirror or os.environ.get("HF_ENDPOINT") or HUB)


def _address(source: Source, mirror: str) -> str:
    return f"{_hub(mirror)}/{source.repo}" if source.repo else _checked_address(mirror or source.url)


def _checked_address(address: str) -> str:
    with suppress(ValueError):  # of a bracket that is not closed, or a port that is none
        parts = urlsplit(address)
        if parts.scheme in ("https", "http") and parts.hostname and parts.port != 0:
            return address.rstrip("/")
    raise AppError(
        "This is no address of a server",
        f"It must begin with https:// or http:// and name a host, and its port if it needs one: {address!r}.",
    )


def _wanted(entry: Entry, source: Source, mirror: str) -> tuple[Wanted, ...]:
    """What to ask the source for. Hubs' repositories come with other names for the weights, of which any will do."""
    weights = [name for name in entry.files if "*" not in name]
    return tuple(
        Wanted(
            name=file.name,
            path=file.path or file.name,
            repo=file.repo or source.repo,
            revision=NEWEST if file.repo and file.repo != source.repo else source.revision,
            url="" if file.repo or source.repo else _address(source, mirror),
            others=tuple(name for name in weights if name != file.name)
            if file.name in weights and not file.checksum
            else (),
        )
        for file in source.files
    )


def _bring(entry: Entry, source: Source, mirror: str, staging: Path, job: Job) -> None:
    """Gather the model's files and their record in ``staging``."""
    order = Order(_wanted(entry, source, mirror), _hub(mirror), staging)
    found = fetch(order, lambda listing: _check_room(staging, listing), job)
    files = checked(entry, source, found, staging, job)
    for file in files:
        part, path = part_of(staging, file.name), staging / file.name
        part.replace(path)
        drop_part(part)
        remember(path, path.stat(), file.sha256)
    write_record(staging, Installation(_address(source, mirror), _revision(source, found), now(), files))


def _check_folder(folder: Path) -> None:
    """Raises AppError for a folder with files that were not installed; what was and is incomplete is replaced."""
    if not folder.is_dir():
        return
    installation = read_installation(folder)
    ours = {RECORD_FILE, *(file.name for file in installation.files)} if installation else set()
    others = sorted(path.name for path in folder.iterdir() if path.name not in ours and not path.name.startswith("."))
    if others:
        raise AppError(
            "Other files are in the way",
            f"The folder of this model holds {', '.join(others)}, which this program has not put there. "
            "Move them elsewhere, and install again.",
            str(folder),
        )


def _check_room(folder: Path, listing: Listing) -> None:
    needed_bytes = sum(file.size_bytes or 0 for file in listing.files) - listing.present_bytes + MARGIN_BYTES
    free_bytes = _free_bytes(folder)
    if free_bytes < needed_bytes:
        raise AppError(
            "There is no room on the disk",
            f"{needed_bytes / 1e6:,.0f} MB are needed, of which {MARGIN_BYTES / 1e6:,.0f} MB stay free, and there are "
            f"{free_bytes / 1e6:,.0f} MB. Make room, or choose another data home.",
            str(folder),
        )


def _free_bytes(folder: Path) -> int:
    """The room on the disk on which a folder is, or will be."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(there).free


def _revision(source: Source, found: Sequence[Found]) -> str:
    """The commit that was fetched, and those of other repositories that files came from."""
    commits = {file.repo: file.commit for file in found if file.commit}
    main = commits.pop(source.repo, "")
    named = [main, *(f"{repo} {commit}" for repo, commit in commits.items())]
    return ", ".join(name for name in named if name)
