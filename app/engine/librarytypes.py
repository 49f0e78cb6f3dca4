"""The words about a library: its folders and settings, what indexing and checking it found, and what it holds.

Only the standard library is imported here, as in `types`. Times are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from app.engine.types import ItemKind, MediaKind


class News(StrEnum):
    """What an open library tells without being asked, each with its value."""

    FOLDERS_CHANGED = "folders_changed"
    """A tuple of the folders to index again."""
    ROOTS_CHANGED = "roots_changed"
    """A tuple of the roots that have gone or come back."""
    WATCHING_LIMITED = "watching_limited"
    """A sentence: the system does not tell of every folder."""


@dataclass(frozen=True)
class Failure:
    path: str
    reason: str


@dataclass(frozen=True)
class FileCounts:
    """What one pass over the folders met. ``skipped`` files are no media (counted in ``seen`` too)."""

    seen: int = 0
    new: int = 0
    changed: int = 0
    renamed: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: int = 0
    skipped: int = 0


@dataclass(frozen=True)
class SpaceCount:
    """How many items one model has encoded."""

    items: int
    dim: int


@dataclass(frozen=True)
class IndexRequest:
    """``folders`` empty: every root again. ``models`` empty: the library's own choice, or at the first time every
    model that can run here. ``followed``: the folders are those that `Session.watch` told of, and one that has gone
    since is no mistake."""

    folders: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    followed: bool = False


@dataclass(frozen=True)
class IndexReport:
    files: FileCounts
    items: dict[ItemKind, int]
    spaces: dict[str, SpaceCount]
    failures: tuple[Failure, ...]
    skipped: tuple[Failure, ...]
    encoded: dict[str, int]
    """How many vectors this pass computed, per model: 0 when nothing had to be embedded again."""
    seconds: float
    notes: tuple[str, ...] = ()
    """Sentences about models that were left out and folders that are not there."""


@dataclass(frozen=True)
class VerifyReport:
    """What a check of a library found, in sentences.

    ``mended``: is well again, or will be after the next run of indexing. ``lost``: a person's own work that was
    damaged and had to be taken out. ``broken``: could not be mended; a copy from a backup is the only help.
    """

    mended: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def sentences(self) -> tuple[str, ...]:
        return (*self.broken, *self.lost, *self.mended)


@dataclass(frozen=True)
class Root:
    """One indexed folder. ``online`` False: it is empty or not there now (an unplugged drive); its items are kept.
    A file counts for the innermost root that it is in."""

    path: str
    online: bool
    files: int
    items: int


@dataclass(frozen=True)
class LibrarySettings:
    """How one library is indexed.

    A video gives a frame every ``frame_interval_ms``; a sound is cut into windows of ``window_ms``. ``excluded`` are
    patterns with ``*`` and ``?`` for the names of files and folders, or for paths below a root where they hold a
    slash. ``hidden`` looks into names with a leading dot too. ``watch`` keeps the library current while it is open in
    the window.
    """

    frame_interval_ms: int = 2_000
    window_ms: int = 10_000
    excluded: tuple[str, ...] = ()
    hidden: bool = False
    watch: bool = True


@dataclass(frozen=True)
class LibraryBackup:
    """A database that is kept beside a library's own: of which schema it is, its size, and when the library was last
    changed in it (since the epoch)."""

    path: str
    schema: int
    size_bytes: int
    changed_ms: int


@dataclass(frozen=True)
class Restored:
    """A library's copy was put back: where, of which schema it is, and where what was there is kept ("" where nothing
    was)."""

    path: str
    schema: int
    set_aside: str


@dataclass(frozen=True)
class LibraryStatus:
    name: str
    folder: str
    roots: tuple[Root, ...]
    kinds: dict[MediaKind, int]
    items: dict[ItemKind, int]
    spaces: dict[str, SpaceCount]
    models: tuple[str, ...]
    """The models chosen for this library, best for a text query first."""
    failures: tuple[Failure, ...]
    judgments: int
    size_bytes: int
    settings: LibrarySettings = LibrarySettings()
    kept: dict[str, SpaceCount] = field(default_factory=dict)
    """What models that are no longer chosen, or cannot be used now, have encoded, and the library still holds."""
    earlier: dict[str, SpaceCount] = field(default_factory=dict)
    """What the chosen models have encoded with other weights than they have now, and the library still holds."""
    backups: tuple[LibraryBackup, ...] = ()
    """What it was before it was brought up to date; the files may be deleted."""
    set_aside: tuple[LibraryBackup, ...] = ()
    """What newer versions had made of it when a copy was put back; the files may be deleted."""
