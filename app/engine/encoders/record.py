"""``installed.json``: the record in a model's folder of what was installed, from where, and which bytes that were."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.engine.encoders.added import added_entry
from app.engine.encoders.entries import Entry, table_of
from app.engine.errors import WeightsCorrupt
from app.engine.modeltypes import Installation, InstalledFile, Pin
from app.engine.syncing import sync_file

RECORD_FILE = "installed.json"
FORMAT = 1


def read_installation(folder: Path) -> Installation | None:
    """The record of a model's folder, or None where there is none.

    Raises:
        WeightsCorrupt: there is one that cannot be read.
    """
    table = _read(folder)
    if table is None:
        return None
    try:
        return installation_from(table["installation"])
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(folder) from error


def read_added_entry(folder: Path) -> Entry | None:
    """The entry of a model that a person added, or None where the folder holds no such model.

    Raises:
        WeightsCorrupt: there is a record that cannot be read.
    """
    table = _read(folder)
    if table is None or "entry" not in table:
        return None
    try:
        entry = added_entry(table["entry"])
        if entry.key != folder.name:
            raise ValueError("not the entry of this folder")
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(folder) from error
    return entry


def write_record(folder: Path, installation: Installation, entry: Entry | None = None) -> None:
    """Write the record in one step. ``entry`` is that of an added model; a model of the catalogue has its own there.
    What a later version of the program has added to a record that is there stays.

    Raises:
        OSError: the folder cannot be written.
        WeightsCorrupt: there is a record that cannot be read.
    """
    known = _read(folder) or {}
    table: dict[str, Any] = {**known, "format": FORMAT}
    table["installation"] = {**known.get("installation", {}), **asdict(installation)}
    if entry is not None:
        table["entry"] = table_of(entry)
    new = folder / f".{RECORD_FILE}.new"
    new.write_text(json.dumps(table, indent=1), "utf-8")
    sync_file(new)
    new.replace(folder / RECORD_FILE)


def installation_from(table: Mapping[str, Any]) -> Installation:
    """Raises KeyError, TypeError or ValueError for what is no installation."""
    files = tuple(
        InstalledFile(str(file["name"]), int(file["size_bytes"]), str(file["sha256"]), Pin(file["pin"]))
        for file in table["files"]
    )
    return Installation(str(table["source"]), str(table["revision"]), str(table["installed_utc"]), files)


def _read(folder: Path) -> dict[str, Any] | None:
    try:
        table = json.loads((folder / RECORD_FILE).read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(folder) from error
    found = table.get("format") if isinstance(table, dict) else None
    if isinstance(found, int) and found > FORMAT:
        raise WeightsCorrupt(
            "This model needs a newer Semblance",
            "A newer version has installed it. Update Semblance; or remove the model and install it again.",
            str(folder),
        )
    if not isinstance(table, dict) or found != FORMAT:
        raise _unreadable(folder)
    return table


def _unreadable(folder: Path) -> WeightsCorrupt:
    return WeightsCorrupt(
        "The record of this model cannot be read",
        f"{RECORD_FILE} in its folder is damaged, or says what only a newer Semblance knows. Update Semblance, or "
        "remove the model and install it again.",
        str(folder),
    )
