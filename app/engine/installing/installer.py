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
from app.engine.errors import AppError, WeightsCorrupt
from app.engine.installing.checking import checked, now, owner
from app.engine.installing.fetching import fetch
from app.engine.installing.orders import Found, Listing, Order, Wanted, part_of, state_of
from app.engine.installing.placing import (
    MARGIN_BYTES,
    check_room,
    discard,
    free_bytes,
    held,
    is_begun,
    put_in_place,
)
from app.engine.installing.trying import try_model
from app.engine.jobs import NULL_JOB, Job
from app.engine.modeltypes import Installation, InstallPlan, ModelStatus, Origin

HUB = "https://huggingface.co"


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
    staging = incoming(folder)
    arrived = [path for file in source.files for path in (part_of(staging, file.name), staging / file.name)]
    return InstallPlan(
        key=entry.key,
        name=entry.name,
        source=str(source),
        address=_address(source, mirror),
        files=tuple(file.name for file in source.files),
        download_bytes=entry.download_bytes if None in sizes else sum(size or 0 for size in sizes),
        present_bytes=sum(path.stat().st_size for path in arrived if path.is_file()),
        free_bytes=free_bytes(folder),
        licence=entry.licence,
        licence_note=entry.licence_note,
        commercial=entry.commercial,
        folder=str(folder),
        fixed=all(file.url or file.revision != NEWEST for file in _wanted(entry, source, mirror)),
    )


def install(catalogue: Catalogue, key: str, mirror: str = "", job: Job = NULL_JOB) -> ModelStatus:
    """Fetch a model that a person has agreed to, check every byte, and put it in place in one step.

    A model that is ready is left as it is, and one that is damaged fetched anew. What a broken or cancelled download
    has fetched is kept for the next.

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
                _try(catalogue, entry, staging, job)
                catalogue.unload(entry.key)
                put_in_place(staging, folder)
                for state in folder.glob(state_of(part_of(folder, "*")).name):
                    state.unlink(missing_ok=True)
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
    if not folder.exists() and not is_begun(folder):
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
            size_bytes=file.size_bytes,
        )
        for file in source.files
    )


def _bring(entry: Entry, source: Source, mirror: str, staging: Path, job: Job) -> None:
    """Gather the model's files and their record in ``staging``."""
    order = Order(_wanted(entry, source, mirror), _hub(mirror), staging, MARGIN_BYTES)
    for name in (name for wanted in order.files for name in (wanted.name, *wanted.others)):
        if (staging / name).is_file():  # whole, and checked, by a try that could not put it in place
            (staging / name).replace(part_of(staging, name))
    found = fetch(order, lambda listing: _check_room(entry, staging, listing), job)
    files = checked(entry, source, found, staging, job)
    _clear(staging, [part_of(staging, file.name) for file in files])
    for file in files:
        path = staging / file.name
        part_of(staging, file.name).replace(path)
        remember(path, path.stat(), file.sha256)
    write_record(staging, Installation(_address(source, mirror), _revision(source, found), now(), files))


def _try(catalogue: Catalogue, entry: Entry, staging: Path, job: Job) -> None:
    """Load the model and have it encode. Raises WeightsCorrupt where it does not; what came is thrown away then."""
    job.begin("Trying it")
    try:
        try_model(catalogue, entry, staging)
    except WeightsCorrupt as error:
        discard(staging)
        raise WeightsCorrupt(
            "What came does not work",
            f"It was thrown away. {error.title}: {error.message} The source may have changed its files: try again "
            "later or from a mirror, or take in a pack.",
        ) from error
    job.check()


def _clear(staging: Path, parts: Sequence[Path]) -> None:
    """Delete what earlier tries have left beside these parts, and would go into place with them."""
    wanted = {*parts, *map(state_of, parts)}
    for path in staging.iterdir():
        if path not in wanted:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


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


def _check_room(entry: Entry, staging: Path, listing: Listing) -> None:
    sizes = [file.size_bytes for file in listing.files]
    total_bytes = sum(size or 0 for size in sizes)
    if None in sizes:  # the server does not say all
        total_bytes = max(total_bytes, entry.download_bytes or 0)
    check_room(staging, total_bytes - listing.present_bytes)


def _revision(source: Source, found: Sequence[Found]) -> str:
    """The commit that was fetched, and those of other repositories that files came from."""
    commits = {file.repo: file.commit for file in found if file.commit}
    main = commits.pop(source.repo, "")
    named = [main, *(f"{repo} {commit}" for repo, commit in commits.items())]
    return ", ".join(name for name in named if name)
