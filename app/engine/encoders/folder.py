"""The folder of a model, ``models/<key>/``: which of its files are the weights, and their hashes."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.engine.encoders.entries import Entry
from app.engine.encoders.hashing import hashed
from app.engine.encoders.record import RECORD_FILE, read_installation
from app.engine.errors import WeightsCorrupt, WeightsMissing
from app.engine.jobs import NULL_JOB, Job
from app.engine.modeltypes import Installation

HASHES_FILE = ".sha256.json"
MEND = "Install the model again, or remove it and add it anew."
INCOMING_DIR = ".incoming"
"""Beside the folders of the models: where the files of those lie that are on their way in or out."""
PART_SUFFIX = ".part"
"""After the name of a file that has not come whole."""

MOST_JSON_BYTES = 2**20
"""A config has a few hundred lines."""

_noted: dict[Path, list[int]] = {}
"""The damaged files, as they are noted on the disk too: the folder may be one that cannot be written to."""


def incoming(folder: Path) -> Path:
    """Where the new files of a model's ``folder`` are gathered: on the same disk."""
    return folder.parent / INCOMING_DIR / folder.name


def find_weights(entry: Entry, folder: Path) -> Path:
    """The one weights file of a model in its folder.

    Raises:
        WeightsMissing: it, or a file it needs beside it, is not there.
        WeightsCorrupt: several files could be it.
    """
    for pattern in entry.files:
        found = sorted(path for path in folder.glob(pattern) if path.is_file() and not path.name.startswith("."))
        if len(found) > 1:
            names = ", ".join(path.name for path in found)
            raise WeightsCorrupt(
                f"Several weights files for {entry.name}",
                f"The folder holds {names}. Keep the one to use and move the others elsewhere.",
                str(folder),
            )
        if found:
            _check_companions(entry, folder)
            return found[0]
    preferred, *others = entry.files
    instead = f" (or one file of the kind {', '.join(others)})" if others else ""
    beside = f" and {' and '.join(entry.companions)}" if entry.companions else ""
    raise WeightsMissing(
        f"No weights for {entry.name}", f"Put {preferred}{instead}{beside} into {folder}.", str(folder)
    )


def _check_companions(entry: Entry, folder: Path) -> None:
    missing = [name for name in entry.companions if not (folder / name).is_file()]
    if missing:
        raise WeightsMissing(
            f"{entry.name} is incomplete",
            f"Its weights are there, but {' and '.join(missing)} must lie beside them in {folder}.",
            str(folder),
        )


def read_json(path: Path, most_bytes: int = MOST_JSON_BYTES) -> dict[str, Any]:
    """The table in a JSON file from anywhere.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no such file, is larger than ``most_bytes``, or is nested too deeply to be read.
    """
    if not path.is_file():
        raise ValueError("no file")
    if path.stat().st_size > most_bytes:
        raise ValueError(f"more than {most_bytes:,} bytes")
    try:
        table = json.loads(path.read_text("utf-8"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(table, dict):
        raise ValueError("no table")
    return table


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, remembered beside it by name, size and time of change: hashing a gigabyte takes seconds.

    A folder that cannot be written to only costs the time again.
    """
    return _remembered(path) or _hash_and_remember(path)


def check_unchanged(path: Path, checksum: str = "", job: Job = NULL_JOB) -> tuple[str, bool]:
    """Hash a file that is about to be loaded, whatever is remembered of it. What is found is remembered: see
    `is_damaged`.

    Returns:
        What `hashed` says of the file and the ``checksum``.

    Raises:
        WeightsCorrupt: its bytes are not those that were installed, or that it had at this size and time of change.
    """
    stat, remembered = path.stat(), _remembered(path)
    digest, is_right = hashed(path, checksum, job)
    installation = read_installation(path.parent)
    recorded = {file.name: file.sha256 for file in installation.files} if installation else {}
    expected = recorded.get(path.name) or remembered or digest
    note_damage(path, digest != expected)
    if digest == expected != remembered:
        remember(path, stat, digest)
    if digest != expected == remembered:
        raise WeightsCorrupt(
            "This weights file has changed by itself",
            f"{path.name} does not hold the bytes any more that it was first used with, though nothing has written to "
            "it: its disk may be failing. Put a fresh copy of the file in its place.",
            str(path),
        )
    if digest != expected:
        raise WeightsCorrupt(
            "This is not the file that was installed",
            f"{path.name} does not hold the bytes any more that it was installed with. {MEND} Or, if you have put "
            f"another file in its place yourself, delete {RECORD_FILE} beside it.",
            str(path),
        )
    return digest, is_right


def check_recorded(paths: Sequence[Path], installation: Installation | None) -> None:
    """Look whether all files that a model's vectors depend on are among those that were installed, if its record names
    any.

    Raises:
        WeightsCorrupt: one has been put beside them.
    """
    recorded = {file.name for file in installation.files} if installation else set()
    for path in paths:
        if recorded and path.name not in recorded:
            raise WeightsCorrupt(
                "A file was put beside this model",
                f"{path.name} would change what the model computes, and was not installed with it. Move it elsewhere; "
                f"or, if you want it there, delete {RECORD_FILE} beside it.",
                str(path),
            )


def known_damage(folder: Path, installation: Installation | None) -> str:
    """What is known to be wrong with the files of a model, in a sentence; "" if nothing is. None of them is read: their
    sizes are held against the record, and what `check_unchanged` has found of these files is remembered.
    """
    for file in installation.files if installation else ():
        path = folder / file.name
        if not path.is_file():
            return f"{file.name} is not there any more. {MEND}"
        if path.stat().st_size != file.size_bytes:
            return f"{file.name} has {path.stat().st_size:,} bytes instead of {file.size_bytes:,}. {MEND}"
        if _remembered(path) not in (None, file.sha256):
            return f"{file.name} is not the file that was installed. {MEND}"
    for path in sorted(folder.glob("*")):
        if path.is_file() and is_damaged(path):
            return f"{path.name} does not hold the bytes any more that it should. {MEND}"
    return ""


def note_damage(path: Path, damaged: bool) -> None:
    """Remember whether a file's bytes were found to be wrong, for as long as its size and time of change stay."""
    _noted.pop(path, None)
    known = _read_hashes(path.parent)
    hashes = {name: entry for name, entry in known.items() if name != _damage_of(path)}
    if damaged:
        _noted[path] = hashes[_damage_of(path)] = _stamp(path)
    if hashes != known:
        _write_hashes(path.parent / HASHES_FILE, hashes)


def is_damaged(path: Path) -> bool:
    """Whether a file was found to hold wrong bytes and is still the same. Nothing is hashed."""
    return _stamp(path) in (_noted.get(path), _read_hashes(path.parent).get(_damage_of(path)))


def _damage_of(path: Path) -> str:
    """Under which name damage is noted among the hashes: no file's name has a slash."""
    return f"damaged/{path.name}"


def _stamp(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]


def remember(path: Path, stat: os.stat_result, sha256: str) -> None:
    """Note the SHA-256 of a file beside it. ``stat`` is from before it was hashed."""
    entry = [stat.st_size, stat.st_mtime_ns, sha256]
    _write_hashes(path.parent / HASHES_FILE, {**_read_hashes(path.parent), path.name: [*entry, _seal(path, entry)]})


def _hash_and_remember(path: Path) -> str:
    stat = path.stat()
    digest, _ = hashed(path)
    remember(path, stat, digest)
    return digest


def _remembered(path: Path) -> str | None:
    match _read_hashes(path.parent).get(path.name):
        case [*entry, seal] if entry[:2] == _stamp(path) and seal == _seal(path, entry):
            return str(entry[2])
    return None


def _seal(path: Path, entry: list[Any]) -> int:
    """The CRC-32 of an entry, so that damage to it is not taken for damage to the weights."""
    return zlib.crc32(json.dumps([path.name, *entry]).encode())


def _read_hashes(folder: Path) -> dict[str, Any]:
    try:
        known = json.loads((folder / HASHES_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write_hashes(path: Path, hashes: Mapping[str, Any]) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        temporary.write_text(json.dumps(hashes), "utf-8")
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
