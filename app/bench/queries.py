"""The load test: searches from many threads at once, in a library as it is on disk."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.bench.figure import Figure, Measure, Target, Workbench, figure, nothing_in
from app.bench.index import seeded, tiled
from app.engine.encoders.catalogue import Catalogue
from app.engine.librarytypes import IndexRequest
from app.engine.samples import Vectors
from app.engine.session import Session
from app.engine.store.batches import STORED
from app.engine.store.database import Database
from app.engine.store.integrity import vector_checksum
from app.engine.store.lookup import Lookup
from app.engine.store.preferences import Preferences
from app.engine.store.spaces import Spaces
from app.engine.types import Filters, ItemKind, MediaKind, Modality, Query, QueryPart, SearchRequest
from app.paths import libraries_dir, models_dir

MODEL = "colour-texture"
"""A model that is on every machine; its vectors are the library's own, or made."""

CONCURRENCY = (1, 2, 4, 8)
SEARCHES = 200
LIBRARY = "load"
LIBRARY_ITEMS = 50_000
DAY_NS = 86_400 * 10**9
WARMING = 20
DIFFERENT = 50
LOADED = Target("<=", 6.0)
"""Where one runs at a time, four at once take four times as long; half as much again is waiting in vain."""


@dataclass(frozen=True)
class Load:
    """How long searches take while ``concurrency`` of them are under way at any time."""

    concurrency: int
    searches: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    searches_per_s: float


def query_load(
    search: Callable[[SearchRequest], object],
    requests: Sequence[SearchRequest],
    concurrency: Sequence[int] = CONCURRENCY,
    searches: int = SEARCHES,
) -> tuple[Load, ...]:
    """``searches`` of the requests, in turns, at each of these concurrencies; see `Session.search`."""

    def timed(number: int) -> float:
        began_s = time.perf_counter()
        search(requests[number % len(requests)])
        return (time.perf_counter() - began_s) * 1000

    loads = []
    for at_once in concurrency:
        with ThreadPoolExecutor(at_once) as pool:
            began_s = time.perf_counter()
            taken_ms = list(pool.map(timed, range(searches)))
            elapsed_s = time.perf_counter() - began_s
        p50_ms, p95_ms, p99_ms = np.percentile(taken_ms, (50, 95, 99)).tolist()
        loads.append(Load(at_once, searches, p50_ms, p95_ms, p99_ms, searches / elapsed_s))
    return tuple(loads)


def measure_load(bench: Workbench) -> Sequence[Figure]:
    """Searches by a picture of the library: the p95 of four at once against that of one alone."""
    home = bench.scratch / "home"
    if bench.folder:
        with Session.open(home, LIBRARY, device="cpu") as session:
            session.index(IndexRequest((str(bench.folder),), (MODEL,)))
    else:
        bench.note("making a library")
        _make_library(home, bench.scaled(LIBRARY_ITEMS, least=500))
    if not (requests := _requests(home)):
        raise nothing_in(bench.folder, "photos or videos that can be read")
    with Session.open(home, LIBRARY, device="cpu") as session:
        items = session.status().spaces[MODEL].items
        bench.note(f"searching among {items} items")
        session.index(IndexRequest())  # nothing is new; the graph is brought up to date
        query_load(session.search, requests, (1,), WARMING)
        runs = [{load.concurrency: load for load in query_load(session.search, requests)} for _ in range(bench.runs)]
    details = {
        f"{name}_at_{at_once}": float(np.median([getattr(run[at_once], name) for run in runs]))
        for at_once in CONCURRENCY
        for name in ("p50_ms", "p95_ms", "p99_ms", "searches_per_s")
    }
    ratios = [run[4].p95_ms / run[1].p95_ms for run in runs]
    limit = "the cores, and Python's lock around all of a search that is not arithmetic or SQLite"
    return [figure("query-load", ratios, LOADED, limit, items=items, **details)]


def _make_library(home: Path, count: int) -> None:
    """A library of as many photos, none of which is there, with vectors in the model's space."""
    catalogue = Catalogue(models_dir(home), "cpu")
    dim = catalogue.spec(MODEL).dim
    with closing(Database(libraries_dir(home) / LIBRARY)) as database:
        space = Spaces(database).ensure(MODEL, catalogue.fingerprint(MODEL), dim)
        Preferences(database).choose_models([MODEL])
        with database.transaction() as change:
            numbers = range(1, count + 1)
            change.execute("INSERT INTO folders (id, path) VALUES (1, ?)", (b"/photos",))
            change.executemany(
                "INSERT INTO contents (id, sha256, kind) VALUES (?, ?, 'photo')",
                ((number, hashlib.sha256(b"%d" % number).digest()) for number in numbers),
            )
            change.executemany(
                "INSERT INTO files (path, size_bytes, mtime_ns, content_id, folder_id) VALUES (?, 1, ?, ?, 1)",
                ((b"/photos/%08d.jpg" % number, number * DAY_NS // 100, number) for number in numbers),
            )
            change.executemany(
                "INSERT INTO items (id, content_id, kind, start_ms) VALUES (?, ?, 'photo', 0)",
                ((number, number) for number in numbers),
            )
            change.execute("INSERT INTO encoded (content_id, space_id) SELECT id, ? FROM contents", (space.id,))
            change.executemany(
                "INSERT INTO vectors (space_id, item_id, vector, crc) VALUES (?, ?, ?, ?)",
                _vector_rows(space.id, tiled(seeded(dim), count, 1)),
            )


def _vector_rows(space_id: int, vectors: Vectors) -> Iterator[tuple[int, int, bytes, int]]:
    for item_id, vector in enumerate(vectors, start=1):
        blob = vector.astype(STORED).tobytes()
        yield space_id, item_id, blob, vector_checksum(space_id, item_id, blob)


def _requests(home: Path) -> list[SearchRequest]:
    """Some pictures of the library as queries, every other one with a filter."""
    with closing(Database(libraries_dir(home) / LIBRARY)) as database:
        lookup = Lookup(database)
        ids = lookup.visible(Filters(), (ItemKind.PHOTO, ItemKind.FRAME))
        rows = lookup.items(np.random.default_rng(0).permutation(ids)[:DIFFERENT].tolist()).values()
    queries = [Query((QueryPart(Modality.IMAGE, content=row.sha256.hex(), at_ms=row.start_ms),)) for row in rows]
    filters = Filters(), Filters(kinds=frozenset({MediaKind.PHOTO}))
    return [SearchRequest(query, MODEL, filters=filters[place % 2]) for place, query in enumerate(queries)]


MEASURES: dict[str, Measure] = {"query-load": measure_load}
