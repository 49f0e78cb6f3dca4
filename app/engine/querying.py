"""From a query to a vector: its files found and read, its parts encoded, their weighted sum taken."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from app.engine.encoders.base import EncoderSource, EncoderSpec
from app.engine.errors import AppError, MediaUnreadable, UnsupportedModality
from app.engine.media.disturbing import SeededDisturbance
from app.engine.media.pool import DecoderPool
from app.engine.media.reading import sha256_of
from app.engine.samples import PictureInput, Prepared, Sample, SoundInput, Text, Vectors, prepared_sample
from app.engine.store.lookup import Lookup
from app.engine.store.spaces import Spaces
from app.engine.targets import Target
from app.engine.types import ItemKind, Modality, Query, QueryPart

CACHED_QUERIES = 256

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Afresh:
    """A query that is to be encoded anew, the files of some of its parts (by their place in it) disturbed."""

    query: Query
    disturbances: Mapping[int, SeededDisturbance] = field(default_factory=dict)


class QueryVectors:
    """Turns queries into vectors, of which it remembers the latest. Any thread may ask."""

    def __init__(self, lookup: Lookup, spaces: Spaces, encoders: EncoderSource, pool: DecoderPool) -> None:
        self._lookup = lookup
        self._spaces = spaces
        self._encoders = encoders
        self._pool = pool
        self._cache: OrderedDict[tuple[str, QueryPart], Vector] = OrderedDict()
        self._cache_lock = threading.Lock()

    def resolve(self, query: Query) -> Query:
        """The query with the content of each of its files.

        Raises:
            AppError: it has no parts or empty words, or a file cannot be read.
        """
        if not query.parts or any(part.modality is Modality.TEXT and not part.text.strip() for part in query.parts):
            raise AppError("Nothing to search for", "Type some words, or give a picture or a sound.")
        if Modality.AUDIO in query.modalities and len(query.parts) > 1:
            raise UnsupportedModality(
                "A sound is searched for alone", "Words and pictures can be mixed; a sound cannot be mixed with them."
            )
        return Query(tuple(self._resolve_part(part) for part in query.parts))

    def vector(self, query: Query, target: Target, anew: bool = False) -> Vector:
        """The query in the target's space: the weighted sum of its parts' unit vectors, (dim,), length 1.

        Args:
            query: whose files have been read.
            target: the model.
            anew: as `afresh`.

        Raises:
            MediaUnreadable: the query's file is gone, and its vector is not known.
            AppError: its parts cancel each other out.
        """
        if anew:
            (answer,) = self.afresh([Afresh(query)], target)
            if isinstance(answer, AppError):
                raise answer
            return answer
        return _mixed(query, [self._part_vector(part, target) for part in query.parts])

    def afresh(self, asked: Sequence[Afresh], target: Target) -> list[Vector | AppError]:
        """The vectors of queries encoded from their words and files as these are now: nothing stored is used, and
        nothing is remembered. All that can be asked of the decoders and of the encoder at once is. In place of a vector
        stands why there is none: a file is gone or cannot be read, or a mix cancels itself out.

        Raises:
            AppError: the model cannot be loaded.
        """
        samples: dict[tuple[int, int], Sample] = {}
        why: dict[int, AppError] = {}
        for at, decoding in [(at, self._decoding(one, at[1], target.spec)) for at, one in _places(asked)]:
            try:
                samples[at] = decoding if isinstance(decoding, Text) else prepared_sample(decoding.result())
            except MediaUnreadable as error:
                why[at[0]] = error
        encoder = self._encoders.load(target.key)
        vectors: dict[tuple[int, int], Vector] = {}
        for kind in dict.fromkeys(map(type, samples.values())):
            of_kind = {at: sample for at, sample in samples.items() if isinstance(sample, kind)}
            vectors.update(zip(of_kind, encoder.encode(list(of_kind.values())), strict=True))
        answers: list[Vector | AppError] = []
        for number, one in enumerate(asked):
            try:
                parts = range(len(one.query.parts))
                answers.append(why.get(number) or _mixed(one.query, [vectors[number, place] for place in parts]))
            except AppError as error:
                answers.append(error)
        return answers

    def _resolve_part(self, part: QueryPart) -> QueryPart:
        if part.modality is Modality.TEXT:
            return part
        if not part.path:
            paths = self._lookup.paths_of(bytes.fromhex(part.content))
            present = next((path for path in paths if os.path.exists(path)), b"")
            return replace(part, path=os.fsdecode(present))
        path = os.path.abspath(part.path)  # resolving links would miss the library's own path
        known = self._lookup.content_at(os.fsencode(path))
        try:
            facts = os.stat(path)
        except OSError:
            if known and part.content in ("", known[0].hex()):
                return replace(part, path=path, content=known[0].hex())  # its drive is away; its vectors are here
            facts = None
        if known and facts and (facts.st_size, facts.st_mtime_ns) == known[1:]:
            return replace(part, path=path, content=known[0].hex())
        return replace(part, path=path, content=sha256_of(path).hex())

    def forget(self) -> None:
        """Drop what is remembered: the library it came from was found damaged."""
        with self._cache_lock:
            self._cache.clear()

    def _part_vector(self, part: QueryPart, target: Target) -> Vector:
        key = (target.space.fingerprint, replace(part, weight=1.0, path="" if part.content else part.path))
        with self._cache_lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
        vector = self._stored(part, target)
        if vector is None:
            vector = self._encoders.load(target.key).encode([self._sample(part, target.spec)])[0]
        with self._cache_lock:
            self._cache[key] = vector
            while len(self._cache) > CACHED_QUERIES:
                self._cache.popitem(last=False)
        return vector

    def _stored(self, part: QueryPart, target: Target) -> Vector | None:
        """The vector of an item that is in the library already."""
        if not part.content:
            return None
        kinds = (ItemKind.AUDIO,) if part.modality is Modality.AUDIO else (ItemKind.PHOTO, ItemKind.FRAME)
        for kind in kinds:
            item_id = self._lookup.find_item(bytes.fromhex(part.content), kind, part.at_ms)
            if item_id is not None:
                stored: Vectors | None = next(
                    (vectors for _, vectors in self._spaces.of_items(target.space, np.array([item_id], np.int64))), None
                )
                return None if stored is None else np.asarray(stored[0], np.float32)
        return None

    def _sample(self, part: QueryPart, spec: EncoderSpec) -> Sample:
        if part.modality is Modality.TEXT:
            return Text(part.text)
        prepared = self._pool.sample_at(self._file_of(part), _preparation(part, spec), part.at_ms).result()
        return prepared_sample(prepared)

    def _decoding(self, asked: Afresh, place: int, spec: EncoderSpec) -> Text | Future[Prepared]:
        part = asked.query.parts[place]
        if part.modality is Modality.TEXT:
            return Text(part.text)
        try:
            path = self._file_of(part)
        except MediaUnreadable as error:
            failed: Future[Prepared] = Future()
            failed.set_exception(error)
            return failed
        return self._pool.sample_for_job(path, _preparation(part, spec), part.at_ms, asked.disturbances.get(place))

    def _file_of(self, part: QueryPart) -> bytes:
        """A file that holds the part's content now: its own may have been moved or overwritten since it was kept.

        Raises:
            MediaUnreadable: there is none.
        """
        copies = self._lookup.paths_of(bytes.fromhex(part.content))
        for path in (part.path, *map(os.fsdecode, copies)):
            with suppress(AppError):
                if path and self._resolve_part(QueryPart(part.modality, path=path)).content == part.content:
                    return os.fsencode(path)
        raise MediaUnreadable(
            "The query's file is gone", "It was moved, deleted or changed since; choose it anew.", part.path or None
        )


def _preparation(part: QueryPart, spec: EncoderSpec) -> PictureInput | SoundInput:
    prepare = spec.sound if part.modality is Modality.AUDIO else spec.picture
    if prepare is None:
        raise UnsupportedModality("This model cannot answer this", f"{spec.key} takes no {part.modality} queries.")
    return prepare


def _mixed(query: Query, vectors: Sequence[Vector]) -> Vector:
    """The weighted sum of its parts' unit vectors, scaled to length 1."""
    total = np.zeros_like(vectors[0])
    for part, vector in zip(query.parts, vectors, strict=True):
        total += part.weight * vector
    length = float(np.linalg.norm(total))
    if length < 1e-6:
        raise AppError("This mix cancels itself out", "Give the parts different weights, or leave one out.")
    return total / np.float32(length)


def _places(asked: Sequence[Afresh]) -> list[tuple[tuple[int, int], Afresh]]:
    """Every part of every query: the numbers of both, and the query."""
    return [((number, place), one) for number, one in enumerate(asked) for place in range(len(one.query.parts))]
