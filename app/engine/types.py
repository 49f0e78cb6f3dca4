"""The words of the program: immutable values that cross from the engine to the window and the command line.

Only the standard library is imported here, so that the window can hold these without loading numpy or torch.
Times are milliseconds; a similarity is a cosine, -1 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


def printable(text: str) -> str:
    """A text without what is none: half a surrogate pair, a byte of a file's name that is no letter."""
    return text.encode("utf-8", "replace").decode()


class Modality(StrEnum):
    """A kind of sample an encoder can accept."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"


class MediaKind(StrEnum):
    """What a file is."""

    PHOTO = "photo"
    VIDEO = "video"
    AUDIO = "audio"


class ItemKind(StrEnum):
    """What a found unit is: a photo, a frame of a video, or a window of a sound (of a video's sound track too)."""

    PHOTO = "photo"
    FRAME = "frame"
    AUDIO = "audio"

    @property
    def modality(self) -> Modality:
        return Modality.AUDIO if self is ItemKind.AUDIO else Modality.IMAGE


class FoundBy(StrEnum):
    """Which of the two searches found a hit."""

    MEANING = "meaning"
    KEYWORDS = "keywords"


# --- queries ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class QueryPart:
    """One ingredient of a query: words, or the path of a picture or a sound.

    ``at_ms`` picks the moment of a video (its frame) or of a sound (its window). A negative weight means *less like
    this*. ``content`` is the SHA-256 of the file's bytes once the engine has read it; by it a query is recognised
    after the file was moved.
    """

    modality: Modality
    text: str = ""
    path: str = ""
    at_ms: int = 0
    weight: float = 1.0
    content: str = ""


@dataclass(frozen=True)
class Query:
    """A weighted sum of parts. The sum of texts and pictures is one query; a sound stands alone."""

    parts: tuple[QueryPart, ...]

    @staticmethod
    def of_text(text: str) -> Query:
        return Query((QueryPart(Modality.TEXT, text=text),))

    @staticmethod
    def of_image(path: str, at_ms: int = 0) -> Query:
        return Query((QueryPart(Modality.IMAGE, path=path, at_ms=at_ms),))

    @staticmethod
    def of_sound(path: str, at_ms: int = 0) -> Query:
        return Query((QueryPart(Modality.AUDIO, path=path, at_ms=at_ms),))

    @property
    def words(self) -> str:
        """The wanted words, for the keyword search."""
        return " ".join(part.text for part in self.parts if part.modality is Modality.TEXT and part.weight > 0)

    @property
    def modalities(self) -> frozenset[Modality]:
        return frozenset(part.modality for part in self.parts)


@dataclass(frozen=True)
class Filters:
    """Which files may be found. ``after_ms`` and ``before_ms`` bound the time a picture was taken (else the file's
    own time), in milliseconds since 1970 UTC, both inclusive. ``labels``: only items that have any of these, by name;
    none: all items."""

    kinds: frozenset[MediaKind] = frozenset(MediaKind)
    under: str | None = None
    after_ms: int | None = None
    before_ms: int | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class SearchRequest:
    """``model`` None: the library's first model that accepts the query. ``generation`` is handed back untouched, so
    that a window can drop a stale answer. ``keywords`` False searches by meaning alone. ``min_precision`` leaves out
    what lies below the similarity from which, by the judgments, the model's results are right in this share of all
    cases; what the keywords found stays."""

    query: Query
    model: str | None = None
    k: int = 50
    filters: Filters = field(default_factory=Filters)
    exact: bool = False
    keywords: bool = True
    generation: int = 0
    min_precision: float | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One found item. ``path`` is one present file with that content and ``copies`` counts the others.

    ``similarity`` is None where only the keywords know the item. ``start_ms``/``end_ms`` are None for a photo;
    ``end_ms`` is None for a frame.
    """

    rank: int
    item_id: int
    path: str
    kind: MediaKind
    item_kind: ItemKind
    start_ms: int | None
    end_ms: int | None
    similarity: float | None
    found_by: tuple[FoundBy, ...]
    copies: int = 0

    def __reduce__(self) -> tuple[type[Hit], tuple[object, ...]]:
        """Unpickling by the constructor takes a third of the time, and many hits cross to the window."""
        return Hit, tuple(getattr(self, name) for name in self.__slots__)


@dataclass(frozen=True)
class Timings:
    encode_ms: float
    neighbours_ms: float
    total_ms: float


@dataclass(frozen=True)
class SearchReply:
    """``models`` answered: none when only the keywords were asked (``note`` then says why in a sentence), two when
    words looked for pictures with one and for sounds with another. ``note`` also says where there is no threshold yet
    for ``min_precision``, and where nothing reaches it. ``all_unsure``: something was found by meaning, and all of it
    was left out for that."""

    models: tuple[str, ...]
    hits: tuple[Hit, ...]
    timings: Timings
    generation: int = 0
    exact: bool = True
    note: str = ""
    all_unsure: bool = False

    @property
    def model(self) -> str | None:
        """The first of the models."""
        return self.models[0] if self.models else None


# --- items -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Space:
    """One encoder at one fingerprint, as a library numbers it. Vectors of two spaces never mix."""

    id: int
    encoder: str
    fingerprint: str
    dim: int


@dataclass(frozen=True)
class ItemDetails:
    """Everything the details pane shows of one item. ``preview`` is a JPEG or PNG; for a sound the waveform of its
    window. ``present`` False: none of its files can be reached now (an unplugged drive)."""

    item_id: int
    path: str
    copies: tuple[str, ...]
    kind: MediaKind
    item_kind: ItemKind
    start_ms: int | None
    end_ms: int | None
    width_px: int | None
    height_px: int | None
    duration_ms: int | None
    size_bytes: int
    taken_ms: int | None
    modified_ms: int
    caption: str
    preview: bytes
    present: bool = True


@dataclass(frozen=True)
class ItemRef:
    """An item by what it is, not by where: the content's SHA-256, the kind, and the start (0 for a photo)."""

    sha256: bytes
    kind: ItemKind
    start_ms: int
