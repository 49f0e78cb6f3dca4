"""A small library to break, what can be seen of it from outside, and what must hold of it whatever happened."""

from __future__ import annotations

import os
import random
import sqlite3
import wave
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import app.engine.embedding
import app.engine.session
from app.engine.encoders.base import Encoder, EncoderSpec, Scoring, unit_rows
from app.engine.errors import MediaUnreadable
from app.engine.evaltypes import EvaluationRequest
from app.engine.librarytypes import IndexReport, IndexRequest
from app.engine.media import decode
from app.engine.modeltypes import ModelStatus
from app.engine.samples import Picture, PictureInput, Sample, SoundInput, Text, Vectors
from app.engine.session import Session
from app.engine.types import Modality, Query, SearchRequest

MODELS = ("tiny-picture", "tiny-sound")
EXACT_UP_TO = 20
"""So small that the pictures' vectors go into a graph and its file."""

GROUP_ITEMS = 16
"""Encoded and committed together: so few that a small library takes several."""

SAMPLE_RATE_HZ = 8_000


# --- a library ---


def write_photo(path: Path, seed: int) -> Path:
    """Stripes of seeded colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = np.random.default_rng(seed).integers(0, 256, (6, 1, 3), np.uint8).repeat(8, 0).repeat(48, 1)
    Image.fromarray(rows).save(path)
    return path


def write_sound(path: Path, frequency_hz: float) -> Path:
    """A short tone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    times_s = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes((np.sin(2 * np.pi * frequency_hz * times_s) * 12_000).astype("<i2").tobytes())
    return path


def write_media(folder: Path, photos: int, sounds: int = 2) -> Path:
    """Photos in three folders, sounds in a fourth."""
    for seed in range(photos):
        write_photo(folder / f"day {seed % 3}" / f"photo {seed:03}.png", seed)
    for number in range(sounds):
        write_sound(folder / "sounds" / f"tone {number}.wav", 220.0 * (number + 1))
    return folder


# --- without child processes ---


class InlinePool:
    """Decodes at once and in this process: for tests of what is written, not of how files are decoded."""

    workers = 1

    def start(self) -> None:
        pass

    def decode(self, request: decode.DecodeRequest) -> Future[Any]:
        return _done(decode.decode, request)

    def preview(self, *arguments: Any) -> Future[Any]:
        return _done(decode.preview, *arguments)

    def sample_at(self, *arguments: Any) -> Future[Any]:
        return _done(decode.sample_at, *arguments)

    def sample_for_job(self, path: bytes, spec: Any, at_ms: int = 0, disturbance: Any = None) -> Future[Any]:
        return _done(decode.sample_at, path, spec, at_ms, decode.DecodeRequest.window_ms, disturbance)

    def close(self) -> None:
        pass


def _done(function: Any, *arguments: Any) -> Future[Any]:
    future: Future[Any] = Future()
    try:
        future.set_result(function(*arguments))
    except MediaUnreadable as error:
        future.set_exception(error)
    return future


class Tiny:
    """A quick encoder of pictures and words, or of sounds: random projections. ``counter[0]`` counts what it encodes
    of files."""

    device = "cpu"
    batch_size = 8
    scoring = Scoring("sigmoid", 10.0)

    def __init__(self, spec: EncoderSpec, counter: Any) -> None:
        self.spec = spec
        self.fingerprint = f"fingerprint of {spec.key}"
        self._counter = counter

    def encode(self, samples: Sequence[Sample]) -> Vectors:
        if isinstance(samples[0], Text):
            seeds = [zlib.crc32(sample.text.encode()) for sample in samples if isinstance(sample, Text)]
            return unit_rows(np.stack([np.random.default_rng(seed).standard_normal(TINY_DIM) for seed in seeds]))
        self._counter[0] += len(samples)
        arrays = [sample.pixels if isinstance(sample, Picture) else sample.samples for sample in samples]
        rows = np.stack([np.resize(array.astype(np.float32).ravel(), TINY_VALUES) for array in arrays])
        return unit_rows((rows - rows.mean(1, keepdims=True)) @ _PROJECTION)


TINY_VALUES, TINY_DIM = 12 * 12 * 3, 48
_PROJECTION = np.random.default_rng(1).standard_normal((TINY_VALUES, TINY_DIM)).astype(np.float32)
_SPECS = {
    "tiny-picture": EncoderSpec(
        "tiny-picture", frozenset({Modality.IMAGE, Modality.TEXT}), TINY_DIM, picture=PictureInput(12, 12)
    ),
    "tiny-sound": EncoderSpec("tiny-sound", frozenset({Modality.AUDIO}), TINY_DIM, sound=SoundInput(8_000)),
}


class TinySource:
    """An `EncoderSource` of the two. Counting reaches another process where the counter is shared memory."""

    def __init__(self, counter: Any = None) -> None:
        self._encoders = {key: Tiny(spec, [0] if counter is None else counter) for key, spec in _SPECS.items()}

    def keys(self) -> tuple[str, ...]:
        return tuple(_SPECS)

    def statuses(self) -> tuple[ModelStatus, ...]:
        return tuple(
            ModelStatus(key, key, "test", spec.accepts, spec.dim, "MIT", "", ready=True) for key, spec in _SPECS.items()
        )

    def spec(self, key: str) -> EncoderSpec:
        return _SPECS[key]

    def fingerprint(self, key: str) -> str:
        return self._encoders[key].fingerprint

    def load(self, key: str) -> Encoder:
        return self._encoders[key]

    def ease(self) -> None:
        """There is nothing to let go of."""


@contextmanager
def opened(home: Path, counter: Any = None) -> Iterator[Session]:
    """The library of a home, decoding in this process, with two quick encoders."""
    kept = app.engine.session.DecoderPool, app.engine.embedding.GROUP_ITEMS
    app.engine.session.DecoderPool, app.engine.embedding.GROUP_ITEMS = InlinePool, GROUP_ITEMS  # type: ignore
    try:
        with Session.open(home, encoders=TinySource(counter), exact_up_to=EXACT_UP_TO) as session:
            yield session
    finally:
        app.engine.session.DecoderPool, app.engine.embedding.GROUP_ITEMS = kept  # type: ignore


def index(session: Session, *folders: Path) -> IndexReport:
    return session.index(IndexRequest(tuple(map(str, folders)), MODELS))


def library_dir(home: Path) -> Path:
    return home / "libraries" / "default"


def database_file(home: Path) -> Path:
    return library_dir(home) / "library.sqlite"


# --- what can be seen ---


def judge_some(session: Session, media: Path) -> None:
    """One test query with three judgments, and labels of all pictures."""
    session.labels.choose(LABELS)
    session.labels.assign()
    query = session.evaluations.add_query(Query.of_image(str(next(media.rglob("*.png")))), "like this")
    for grade, item in enumerate(session.evaluations.pool(query.id, MODELS[:1]).items[:3]):
        session.evaluations.judge(query.id, item.item.item_id, grade)


LABELS = ("dog", "cat", "red car", "tree", "house", "snow", "a day at the sea", "bread")


def view(session: Session, media: Path, judged: bool = False) -> dict[str, Any]:
    """All that a person could see of a library, without the numbers of its rows."""
    photos, sounds = sorted(media.rglob("*.png")), sorted(media.rglob("*.wav"))
    queries = [
        Query.of_text("photo"),
        *map(Query.of_image, map(str, photos[:2])),
        *map(Query.of_sound, map(str, sounds[:1])),
    ]
    seen: dict[str, Any] = {}
    for query in queries:
        for exact in (True, False):
            reply = session.search(SearchRequest(query, k=12, exact=exact))
            seen[f"{query.parts} exact={exact}"] = [
                (
                    os.path.relpath(hit.path, media),
                    hit.kind,
                    hit.start_ms,
                    hit.end_ms,
                    None if hit.similarity is None else Cosine(hit.similarity),
                    hit.copies,
                )
                for hit in reply.hits
            ]
            pictures = session.thumbnails([hit.item_id for hit in reply.hits])
            seen[f"{query.parts} thumbnails"] = [pictures.get(hit.item_id) for hit in reply.hits]
    status = session.status()
    seen["kinds"], seen["items"] = status.kinds, status.items
    seen["failures"], seen["models"], seen["settings"] = status.failures, status.models, status.settings
    if judged:
        seen["queries"] = [(one.title, one.relevant, one.judged) for one in session.evaluations.queries()]
        seen["labels"] = {
            os.path.relpath(path, media): [
                [(label.name, Cosine(label.confidence)) for label in one.labels]
                for one in session.labels.of_file(str(path))
            ]
            for path in photos
        }
        seen["measures"] = [model.mean for model in session.evaluations.evaluate(EvaluationRequest(MODELS)).models]
    return seen


class Cosine(float):
    """Equal to what half precision may make of it."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and abs(float(self) - float(other)) < 0.002

    def __ne__(self, other: object) -> bool:
        return not self == other


# --- what must hold ---


def assert_consistent(home: Path) -> None:
    """No damage, no duplicate, no orphan in the closed library of a home."""
    with closing(sqlite3.connect(f"file:{database_file(home)}?mode=ro", uri=True)) as connection:

        def ask(question: str) -> list[Any]:
            return connection.execute(question).fetchall()

        assert ask("PRAGMA integrity_check") == [("ok",)]
        assert ask("PRAGMA foreign_key_check") == []
        assert ask("SELECT path FROM files GROUP BY path HAVING count(*) > 1") == []
        assert ask("SELECT sha256 FROM contents GROUP BY sha256 HAVING count(*) > 1") == []
        assert ask("SELECT 1 FROM items GROUP BY content_id, kind, start_ms HAVING count(*) > 1") == []
        assert ask("SELECT 1 FROM vectors GROUP BY item_id, space_id HAVING count(*) > 1") == []
        assert ask("SELECT i.id FROM items i WHERE NOT EXISTS (SELECT 1 FROM vectors v WHERE v.item_id = i.id)") == []
        assert ask("SELECT id FROM items WHERE id NOT IN (SELECT item_id FROM thumbnails)") == []
        assert ask("SELECT id FROM files WHERE id NOT IN (SELECT rowid FROM words)") == []
        assert ask("SELECT rowid FROM words WHERE rowid NOT IN (SELECT id FROM files)") == []


def rows(home: Path) -> dict[str, int]:
    """How many rows each table has."""
    tables = ("roots", "files", "contents", "items", "thumbnails", "spaces", "vectors", "encoded", "words", "judgments")
    with closing(sqlite3.connect(f"file:{database_file(home)}?mode=ro", uri=True)) as connection:
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


def moments(calls: str, count: int, seed: int) -> list[int]:
    """Seeded numbers of calls to strike at: renames, removals and truncations first, which are few beside the writes,
    then any."""
    chance = random.Random(seed)
    rare = [number for number, kind in enumerate(calls, 1) if kind in "rut"]
    chosen = chance.sample(rare, min(len(rare), count // 3))
    others = [number for number in range(1, len(calls) + 1) if number not in chosen]
    return chosen + chance.sample(others, count - len(chosen))
