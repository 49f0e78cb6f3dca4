"""Evaluating again after a judgment: 50 models, 500 queries, 10,000 judgments, the rankings known."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from app.bench.figure import Figure, Measure, Target, Workbench, figure
from app.bench.index import unit
from app.engine.encoders.base import Encoder, EncoderSpec, unit_rows
from app.engine.evaltypes import EvaluationRequest
from app.engine.modeltypes import ModelStatus
from app.engine.samples import PictureInput, Sample, Text, Vectors
from app.engine.session import Session
from app.engine.store.batches import STORED
from app.engine.store.database import Database
from app.engine.store.integrity import vector_checksum
from app.engine.store.judgments import Judgments
from app.engine.store.preferences import Preferences
from app.engine.store.queries import Queries
from app.engine.store.spaces import Spaces
from app.engine.types import ItemKind, ItemRef, Modality, Query
from app.paths import libraries_dir

MODELS, QUERIES, JUDGED_PER_QUERY = 50, 500, 20
ITEMS, DIM = 1_500, 16
LIBRARY = "evaluated"
A_SECOND = Target("<=", 1.0)


class _Seeded:
    """An encoder whose vectors are drawn by what is encoded."""

    device = "cpu"
    batch_size = 32

    def __init__(self, spec: EncoderSpec) -> None:
        self.spec = spec
        self.fingerprint = f"seeded-{spec.key}"

    def encode(self, samples: Sequence[Sample]) -> Vectors:
        return unit_rows(np.stack([self._vector(sample) for sample in samples]))

    def _vector(self, sample: Sample) -> Vectors:
        assert isinstance(sample, Text)  # noqa: S101 - the queries here are words
        seed = hashlib.sha256(f"{self.spec.key} {sample.text}".encode()).digest()[:8]
        return np.random.default_rng(int.from_bytes(seed, "big")).standard_normal(DIM).astype(np.float32)


class _Source:
    """As many seeded models as are wanted."""

    def __init__(self, count: int) -> None:
        accepts = frozenset({Modality.TEXT, Modality.IMAGE})
        picture = PictureInput(8, 8)
        specs = [EncoderSpec(f"model-{number:02}", accepts, DIM, picture) for number in range(count)]
        self._encoders = {spec.key: _Seeded(spec) for spec in specs}
        self._statuses = tuple(
            ModelStatus(spec.key, spec.key, "seeded", accepts, DIM, "MIT", "", ready=True) for spec in specs
        )

    def keys(self) -> tuple[str, ...]:
        return tuple(self._encoders)

    def statuses(self) -> tuple[ModelStatus, ...]:
        return self._statuses

    def spec(self, key: str) -> EncoderSpec:
        return self._encoders[key].spec

    def fingerprint(self, key: str) -> str:
        return self._encoders[key].fingerprint

    def load(self, key: str) -> Encoder:
        return self._encoders[key]

    def ease(self) -> None:
        """Nothing is held."""


def measure_again(bench: Workbench) -> Sequence[Figure]:
    """Seconds that an evaluation takes after one more judgment, when every ranking is known."""
    home = bench.scratch / "home"
    source = _Source(bench.scaled(MODELS, least=2))
    queries = bench.scaled(QUERIES, least=10)
    bench.note("making a judged library")
    _make_library(home, source, queries)
    with Session.open(home, LIBRARY, encoders=source) as session:
        request = EvaluationRequest(k=10, costs=False)
        bench.note("ranking for the first time")
        began_s = time.perf_counter()
        first = session.evaluations.evaluate(request)
        first_s = time.perf_counter() - began_s
        bench.note("evaluating again")
        seconds = []
        for run in range(bench.runs):
            query = first.queries[run % queries].id
            session.evaluations.judge(query, 1 + run, 1)
            began_s = time.perf_counter()
            session.evaluations.evaluate(request)
            seconds.append(time.perf_counter() - began_s)
    return [
        figure(
            "evaluate-again",
            seconds,
            A_SECOND,
            "the paired tests of every two models, and reading judgments with their checksums",
            models=len(source.keys()),
            queries=queries,
            judgments=queries * JUDGED_PER_QUERY,
            comparisons=len(first.comparisons),
            first_s=first_s,
        )
    ]


def _make_library(home: Path, source: _Source, queries: int) -> None:
    """Photos that are not there, with vectors of every model, and judged queries by words."""
    random = np.random.default_rng(7)
    numbers = range(1, ITEMS + 1)
    contents = [hashlib.sha256(b"%d" % number).digest() for number in numbers]
    with closing(Database(libraries_dir(home) / LIBRARY)) as database:
        Preferences(database).choose_models(source.keys())
        spaces = [Spaces(database).ensure(key, source.fingerprint(key), DIM) for key in source.keys()]
        with database.transaction() as change:
            change.execute("INSERT INTO folders (id, path) VALUES (1, ?)", (b"/photos",))
            change.executemany(
                "INSERT INTO contents (id, sha256, kind) VALUES (?, ?, 'photo')", zip(numbers, contents, strict=True)
            )
            change.executemany(
                "INSERT INTO files (path, size_bytes, mtime_ns, content_id, folder_id) VALUES (?, 1, 1, ?, 1)",
                ((b"/photos/%08d.jpg" % number, number) for number in numbers),
            )
            change.executemany(
                "INSERT INTO items (id, content_id, kind, start_ms) VALUES (?, ?, 'photo', 0)",
                ((number, number) for number in numbers),
            )
            for space in spaces:
                blobs = [vector.astype(STORED).tobytes() for vector in unit(random.normal(size=(ITEMS, DIM)))]
                change.executemany(
                    "INSERT INTO vectors (space_id, item_id, vector, crc) VALUES (?, ?, ?, ?)",
                    (
                        (space.id, number, blob, vector_checksum(space.id, number, blob))
                        for number, blob in zip(numbers, blobs, strict=True)
                    ),
                )
        judgments = Judgments(database)
        kept = Queries(database, judgments)
        asked = [Query.of_text(f"query {number}") for number in range(queries)]
        into = kept.default_set()
        ids = kept.save_all(into, [(f"text:{one.words}", one.words, one, "", {}) for one in asked])
        for query_id in ids:
            judged = random.choice(ITEMS, JUDGED_PER_QUERY, replace=False)
            refs = [ItemRef(contents[item], ItemKind.PHOTO, 0) for item in judged]
            judgments.judge(query_id, "", [(ref, int(random.integers(0, 2))) for ref in refs])


MEASURES: dict[str, Measure] = {"evaluate-again": measure_again}
