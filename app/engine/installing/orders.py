"""What the process that fetches is asked for and tells, and where it gathers the files: see `downloading`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.engine.encoders.folder import PART_SUFFIX


@dataclass(frozen=True)
class Wanted:
    """A file to fetch as ``name``: ``path`` of a hub's repository at a revision, or else of a folder's ``url``.
    ``others`` are names that a repository may have it under instead. ``size_bytes`` is what it must have, where that is
    known beforehand."""

    name: str
    path: str
    repo: str = ""
    revision: str = ""
    url: str = ""
    others: tuple[str, ...] = ()
    size_bytes: int | None = None


@dataclass(frozen=True)
class Order:
    """What is fetched into ``folder``. ``endpoint`` is the address of the hub, or of a mirror of it. ``spare_bytes``
    stay free on the disk."""

    files: tuple[Wanted, ...]
    endpoint: str
    folder: Path
    spare_bytes: int = 0


@dataclass(frozen=True)
class Found:
    """A file as its server describes it. ``size_bytes`` is None where it does not say.

    ``version`` tells these bytes from all others: a hub's hash of them, or the address with a plain server's
    ``validator`` (a strong ETag, or the date of change); "" where there is nothing of the kind. ``checksum`` is the
    hub's: "sha256:<hex>" or "git-sha1:<hex>", else "".
    """

    name: str
    url: str
    size_bytes: int | None
    version: str = ""
    validator: str = ""
    checksum: str = ""
    repo: str = ""
    commit: str = ""


@dataclass(frozen=True)
class Listing:
    """All files before the first is fetched. ``present_bytes`` of them are here since an earlier try."""

    files: tuple[Found, ...]
    present_bytes: int


@dataclass(frozen=True)
class Fetching:
    """How far it is: ``done_bytes`` of all files together, and the ``name`` of the one that is coming."""

    name: str
    done_bytes: int


def part_of(folder: Path, name: str) -> Path:
    """Where a file is gathered until it is whole and known to be right."""
    return folder / f"{name}{PART_SUFFIX}"


def state_of(part: Path) -> Path:
    """The note beside a part of which file it is. It stays until the file is in use: so a whole file can go back to
    being a part."""
    return part.with_name(f".{part.name}.json")


def drop_part(part: Path) -> None:
    part.unlink(missing_ok=True)
    state_of(part).unlink(missing_ok=True)
