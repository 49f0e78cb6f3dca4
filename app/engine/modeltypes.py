"""The words about models: immutable values that cross from the engine to the window and the command line.

Only the standard library is imported here, as in `app.engine.types`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.engine.types import Modality


class Origin(StrEnum):
    """Where a model comes from."""

    BUILT_IN = "built-in"
    CATALOGUE = "catalogue"
    ADDED = "added"
    """The person's own: a checkpoint that `add` took in."""
    PLUG_IN = "plug-in"
    """A Python package of someone else, through the entry points `semblance.encoders`."""


class Pin(StrEnum):
    """How it is known that an installed file is the right one."""

    PUBLISHED = "published"
    """Its checksum was published by its makers and is in the catalogue."""
    HUB = "hub"
    """The hub named its hash when it was first downloaded: the SHA-256, of small files git's own SHA-1."""
    FIRST_USE = "first use"
    """No published checksum is known: its own when it came is held against it from then on."""


@dataclass(frozen=True)
class InstalledFile:
    name: str
    size_bytes: int
    sha256: str
    pin: Pin


@dataclass(frozen=True)
class Installation:
    """What the record in a model's folder says. ``source`` is the address in words; ``revision`` the hub's commit
    that was downloaded; ``installed_utc`` as ISO 8601."""

    source: str
    revision: str
    installed_utc: str
    files: tuple[InstalledFile, ...]


@dataclass(frozen=True)
class ModelStatus:
    """One model as it stands on this machine. ``problem`` says in a sentence why it is not ready.

    ``damaged``: something of it is there and cannot be used; else a model that is not ready is merely not installed.
    ``folder`` is where its weights go; ``files`` names what is looked for there. ``commercial`` answers "may I use it
    at work?", None where that is not known, and ``licence_note`` says it in a sentence. ``languages`` are BCP 47 tags,
    "mul" for many. ``download_bytes`` and ``memory_bytes`` are about; None and 0 where not known. ``source`` is where
    `install` would get it from, in words, "" where it cannot be installed. ``installation`` is None for a model that
    is not there, or whose files were put in place by hand. ``variant_of`` is the key of the model whose weights a
    faster variant shares. ``partial_bytes`` are here of a download that has not come to its end.
    """

    key: str
    name: str
    family: str
    accepts: frozenset[Modality]
    dim: int
    licence: str
    summary: str
    ready: bool
    problem: str = ""
    folder: str = ""
    files: tuple[str, ...] = ()
    origin: Origin = Origin.CATALOGUE
    licence_note: str = ""
    commercial: bool | None = None
    languages: tuple[str, ...] = ()
    parameters: int = 0
    download_bytes: int | None = None
    memory_bytes: int = 0
    input_px: int | None = None
    sample_rate_hz: int | None = None
    source: str = ""
    paper: str = ""
    installation: Installation | None = None
    variant_of: str = ""
    damaged: bool = False
    partial_bytes: int = 0


# --- installing ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class InstallPlan:
    """What a person agrees to before anything is fetched.

    ``address`` is where the bytes come from (the hub's or a mirror's, or a URL); ``download_bytes`` None while nobody
    knows; ``present_bytes`` are left of an earlier, broken download; ``free_bytes`` is the room on the disk. ``fixed``:
    the same bytes come whenever it is fetched; else what a hub holds then, and its commit is noted in the record.
    """

    key: str
    name: str
    source: str
    address: str
    files: tuple[str, ...]
    download_bytes: int | None
    present_bytes: int
    free_bytes: int
    licence: str
    licence_note: str
    commercial: bool | None
    folder: str
    fixed: bool = True


@dataclass(frozen=True)
class AddRequest:
    """A model of one's own: ``path`` is a weights file, or a folder in open_clip's or timm's layout.

    ``family`` is "open_clip", "timm", "panns", or "" to find out; ``architecture`` its name there, "" to find out.
    ``key`` and ``name`` default to what the file is called. The files are copied into the data home, so the original
    may go away.
    """

    path: str
    family: str = ""
    architecture: str = ""
    key: str = ""
    name: str = ""
    licence: str = ""


@dataclass(frozen=True)
class ModelCheck:
    """What a check of one model's files found. ``problems`` empty: every byte is as it was, if there are ``files``."""

    key: str
    files: int
    problems: tuple[str, ...]
    pinned: bool = True
    """False: there was no record to hold against the files. They were put in place by hand, and are pinned from now if
    there are no problems."""


@dataclass(frozen=True)
class PackReport:
    """What a pack holds, or what was taken from one. ``skipped`` were here already, the same to the byte.

    ``sha256`` is that of its manifest, which names every file of it by its own SHA-256: two people who read the same
    one to each other have the same pack.
    """

    path: str
    models: tuple[str, ...]
    skipped: tuple[str, ...]
    size_bytes: int
    sha256: str = ""


@dataclass(frozen=True)
class OfferedModel:
    """One model of a pack that may be taken in. ``present``: it is here already, the same to the byte; ``replaces``: it
    is here with other files, which would give way."""

    key: str
    name: str
    size_bytes: int
    licence: str
    licence_note: str
    present: bool = False
    replaces: bool = False


@dataclass(frozen=True)
class PackContents:
    """What a person agrees to before a pack is taken in; ``sha256`` is that of its manifest, as in `PackReport`."""

    path: str
    size_bytes: int
    sha256: str
    models: tuple[OfferedModel, ...]


# --- choosing --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Needs:
    """What a person wants from a model.

    ``kinds``: what is searched (IMAGE for photos and films, AUDIO for sounds). ``by_words``: also by words, else by
    example alone. ``languages``: BCP 47 tags of these words. ``commercial``: used at work. ``device``: "auto", "cpu",
    "cuda", "mps".
    """

    kinds: frozenset[Modality]
    by_words: bool = True
    languages: tuple[str, ...] = ("en",)
    commercial: bool = False
    device: str = "auto"


@dataclass(frozen=True)
class Measuring:
    """The models whose speed was measured, and why others could not be."""

    measured: tuple[str, ...]
    failed: dict[str, str]


@dataclass(frozen=True)
class Recommendation:
    """One model for these needs, the best first in a list.

    ``reasons`` and ``cautions`` are short sentences. ``items`` is how many of the library's items it would encode, or
    an example where that has none (``assumed``), and ``seconds`` about how long on this machine, None where that is not
    known; ``measured`` tells whether that very model was timed here, or it was reckoned from another; ``rough`` that
    nothing like it was, and the time is that of usual processors. ``vectors_bytes`` is what its vectors take.
    """

    key: str
    reasons: tuple[str, ...]
    cautions: tuple[str, ...]
    items: int
    seconds: float | None
    measured: bool
    vectors_bytes: int
    memory_bytes: int
    download_bytes: int | None
    rough: bool = False
    assumed: bool = False


@dataclass(frozen=True)
class Advice:
    """``best`` fit the needs, in order; ``others`` do not, each with the reason in its ``cautions``. ``notes`` say in
    sentences what no model does."""

    best: tuple[Recommendation, ...]
    others: tuple[Recommendation, ...]
    device: str
    notes: tuple[str, ...] = ()
