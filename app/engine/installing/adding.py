"""Taking in a model of the person's own: it is looked at, copied, tried, and only then there.

A checkpoint that is a pickle is kept as safetensors: the same tensors to the bit, without the training program's notes,
in a format that cannot hold anything but numbers. So a pickle is read once, at the adding, and never again. The record
names the file that it came from and its SHA-256.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.folder import remember, sha256_of
from app.engine.encoders.openclip_config import CONFIG_FILE
from app.engine.encoders.record import write_record
from app.engine.errors import AppError, DeviceExhausted
from app.engine.installing import offered, placing
from app.engine.installing.checking import now
from app.engine.jobs import NULL_JOB, Job
from app.engine.modeltypes import AddRequest, Installation, InstalledFile, Pin
from app.engine.sizes import in_words

if TYPE_CHECKING:
    from app.engine.encoders.entries import Entry
    from app.engine.encoders.offer import Recognised

CHUNK_BYTES = 2**22
LONGEST_NAME = 80
LICENCE_NOT_SAID = "Its licence was not said when it was added: you know best what you may do with it."
SAFETENSORS = ".safetensors"


def add(catalogue: Catalogue, models_dir: Path, request: AddRequest, job: Job = NULL_JOB) -> str:
    """Take in the model that ``request`` names; returns its key. The catalogue knows it then.

    Raises:
        AppError: it cannot be read, is not what it is said to be, its key is taken, the disk or the memory is too
            small. The message says what to do.
        Cancelled: by the owner of ``job``.
        In each case nothing has changed.
    """
    files = offered.find(Path(request.path))
    key = _free_key(request.key or offered.key_of(files.name), bool(request.key), catalogue, models_dir)
    job.begin("Looking at the model")
    recognised = _recognised(files, request)
    entry = replace(
        recognised.entry,
        key=key,
        name=_shown(request.name or files.name) or key,
        licence=_shown(request.licence) or "unknown",
        licence_note=f"You said: {_shown(request.licence)}." if request.licence else LICENCE_NOT_SAID,
        companions=tuple(name for name in recognised.copied if name != CONFIG_FILE),
    )
    with placing.stage(models_dir / key) as staging:
        try:
            # A pickle is there twice for a while.
            times = 1 if files.weights.suffix == SAFETENSORS else 2
            placing.check_room(models_dir, files.weights.stat().st_size * times)
            installation = _copied(files, recognised, entry, staging, job)
            write_record(staging, installation, entry)
            job.begin("Trying it")
            _prove(entry, staging)
            job.check()
            if (models_dir / key).exists():
                raise _taken(key)
            placing.put_in_place(staging, models_dir / key)
        except AppError as error:
            raise _of_the_offered(error, staging, files, request.path) from error
    catalogue.refresh()
    return key


def _of_the_offered(error: AppError, staging: Path, files: offered.OfferedFiles, path: str) -> AppError:
    """The same error, of the files that the person offered: their copies, which it names, are deleted."""
    concerned = path if error.path and Path(error.path).is_relative_to(staging) else error.path
    return type(error)(error.title, error.message.replace(str(staging), str(files.weights.parent)), concerned)


def _shown(text: str) -> str:
    """A name from a file system as it can stand in a list: a line of letters."""
    return "".join(letter for letter in text if letter.isprintable())[:LONGEST_NAME].strip()


def _free_key(key: str, is_chosen: bool, catalogue: Catalogue, models_dir: Path) -> str:
    if is_chosen and not offered.is_key(key):
        raise AppError("This key cannot be used", f"{key[:80]!r} holds more than small letters, digits and hyphens.")
    if not key:
        raise AppError("This model needs a key", "Its file's name gives none: choose one (--key).")
    if key in catalogue.keys() or (models_dir / key).exists():
        raise _taken(key)
    return key


def _taken(key: str) -> AppError:
    return AppError("This key is taken", f"There is a model “{key}” already: choose another key for yours (--key).")


def _recognised(files: offered.OfferedFiles, request: AddRequest) -> Recognised:
    from app.engine.encoders.checkpoint import notes_in, outline
    from app.engine.encoders.offer import Offer
    from app.engine.encoders.recognising import recognise

    with _memory_told():
        offer = Offer(
            files.weights,
            outline(files.weights),
            files.beside,
            notes_in(files.weights),
            request.architecture,
            files.name,
        )
        return recognise(offer, request.family)


def _copied(files: offered.OfferedFiles, recognised: Recognised, entry: Entry, staging: Path, job: Job) -> Installation:
    """Bring the files into ``staging``, and say what they are."""
    from app.engine.encoders.checkpoint import check_finite, write_plain

    weights = staging / entry.files[0]
    copied = {name: files.beside[name] for name in recognised.copied}
    job.begin("Copying", sum(path.stat().st_size for path in (files.weights, *copied.values())), in_bytes=True)
    original = staging / f"original{files.weights.suffix}"
    digest = _copy(files.weights, original, job)
    for name, source in copied.items():
        _copy(source, staging / name, job)
    for name, table in recognised.written.items():
        (staging / name).write_text(json.dumps(table, indent=1), "utf-8")
    job.begin("Checking its numbers")
    with _memory_told():
        if original.suffix == SAFETENSORS:
            original.rename(weights)
            remember(weights, weights.stat(), digest)
        else:
            write_plain(original, weights)
            original.unlink()
        check_finite(weights)
    names = (weights.name, *copied, *recognised.written)
    return Installation(
        source=f"{_shown(files.weights.name)} (SHA-256 {digest})",
        revision="",
        installed_utc=now(),
        files=tuple(_installed(staging / name) for name in names),
    )


def _installed(path: Path) -> InstalledFile:
    return InstalledFile(path.name, path.stat().st_size, sha256_of(path), Pin.FIRST_USE)


def _copy(source: Path, target: Path, job: Job) -> str:
    """Copy a file; returns the SHA-256 of what was copied."""
    digest = hashlib.sha256()
    with source.open("rb") as reading, target.open("wb") as writing:
        while chunk := reading.read(CHUNK_BYTES):
            digest.update(chunk)
            writing.write(chunk)
            job.advance(len(chunk))
    return digest.hexdigest()


def _prove(entry: Entry, staging: Path) -> None:
    """Load the model from where it has been gathered, and have it encode."""
    from app.engine.encoders.proof import prove

    free_bytes = psutil.virtual_memory().available
    if free_bytes < entry.memory_bytes:
        raise DeviceExhausted(
            "Not enough memory",
            f"Trying this model takes about {in_words(entry.memory_bytes)}, and {in_words(free_bytes)} are "
            "free. Close other programs and try again.",
        )
    with _memory_told():
        prove(Catalogue(staging.parent, device="cpu").load(entry.key))


@contextmanager
def _memory_told() -> Iterator[None]:
    try:
        yield
    except MemoryError as error:
        raise DeviceExhausted(
            "Out of memory", "There is not enough free memory for this model. Close other programs and try again."
        ) from error
