"""How well and how fast the neighbours are found: through the shelf that searches use, against the plain scan."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.bench.figure import Figure, Measure, Target, Workbench, figure
from app.engine.index.exact import Ids, Neighbours, ranked
from app.engine.index.shelf import EXACT_UP_TO, Shelf
from app.engine.samples import Vectors
from app.engine.types import Space

VECTORS = 200_000
DIM = 512
K = 10
QUERIES = 200
IN_TURN = 20
NOISE = 0.5
"""The length of the noise that is added to a unit vector when few are made many; copies are 0.8 alike then."""

RECALL = Target(">=", 0.99)
LATENCY = Target("<=", 0.1)
FILTERED = Target("<=", 1.3)
REBUILT_LATENCY = Target("<=", 1.3)
FILTER_SHARES = (0.01, 0.05, 0.1)
TEXT_FILES = ("lvis_v1_clip_a+cname", "coco_clip_a+cname", "oid_clip_a+cname", "o365_clip_a+cnamefix")

Query = npt.NDArray[np.float32]
Find = Callable[[Query], Neighbours]


class Source:
    """Vectors in memory, as the store would give them. The item of a row has its number."""

    def __init__(self, vectors: Vectors) -> None:
        self.version = self.rewrites = 0
        self.numbers: Ids = np.arange(1, len(vectors) + 1, dtype=np.int64)
        self.vectors = vectors
        self.last_row = len(vectors)

    def rows(self, space_id: int, after_row: int = 0) -> tuple[Ids, Ids]:  # noqa: ARG002 - the store has many spaces
        later = self.numbers[np.searchsorted(self.numbers, after_row, side="right") :]
        return later, later

    def after(self, space: Space, row: int, block: int = 4096) -> Iterator[tuple[Ids, Ids, Vectors]]:  # noqa: ARG002 - as above
        begin = int(np.searchsorted(self.numbers, row, side="right"))
        numbers, vectors = self.numbers, self.vectors
        for first in range(begin, len(numbers), block):
            some = numbers[first : first + block]
            yield some, some, vectors[first : first + block]

    def replace(self, gone: npt.NDArray[np.bool_], new: Vectors) -> None:
        """Take rows out and append others."""
        numbers = np.arange(self.last_row + 1, self.last_row + 1 + len(new), dtype=np.int64)
        self.vectors = np.concatenate((self.vectors[~gone], new))
        self.numbers = np.concatenate((self.numbers[~gone], numbers))
        self.last_row += len(new)
        self.version += 1
        self.rewrites += 1


# --- the vectors ---


def unit(rows: npt.NDArray[np.floating]) -> Vectors:
    wide = rows.astype(np.float32)
    vectors: Vectors = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    return vectors


def tiled(vectors: Vectors, count: int, seed: int) -> Vectors:
    """``count`` vectors: these again and again, each time with noise of its own."""
    random = np.random.default_rng(seed)
    made = np.empty((count, vectors.shape[1]), np.float32)
    for begin in range(0, count, 8192):
        some = vectors[np.arange(begin, min(begin + 8192, count)) % len(vectors)]
        noise = random.standard_normal(some.shape, np.float32) * np.float32(NOISE / np.sqrt(vectors.shape[1]))
        made[begin : begin + len(some)] = unit(some + noise)
    return made


def photos(bench: Workbench) -> Vectors:
    """The 400 real picture vectors, or where the reference data is not, seeded ones as alike as those."""
    if bench.reference:
        return unit(np.load(bench.reference / "ref" / "clip_vitb32" / "photos_image_embeddings.npy"))
    return seeded(DIM)


def seeded(dim: int) -> Vectors:
    """400 vectors, 0.64 alike."""
    random = np.random.default_rng(0)
    return unit(0.8 * unit(random.normal(size=(1, dim))) + 0.6 * unit(random.normal(size=(400, dim))))


def words(reference: Path) -> Vectors:
    """The 2,148 real text vectors."""
    folder = reference / "ref" / "clip_vitb32" / "text"
    return unit(np.concatenate([np.load(folder / f"{name}.npy").astype(np.float32) for name in TEXT_FILES]))


# --- the two sides ---


@contextmanager
def shelf_of(source: Source, folder: Path, exact_up_to: int = EXACT_UP_TO, build: bool = True) -> Iterator[Shelf]:
    """A shelf over these vectors, its graph built."""
    with ThreadPoolExecutor(1) as background:
        shelf = Shelf(source, Space(1, "bench", "bench", source.vectors.shape[1]), folder, background, exact_up_to)
        try:
            if build:
                shelf.save()
            yield shelf
        finally:
            shelf.close()


def scan(ids: Ids, vectors: Vectors) -> Find:
    """The plain exact search: every vector compared, in one product."""
    return lambda query: ranked(ids, vectors @ query, K)


def through(shelf: Shelf, allowed: Ids) -> Find:
    return lambda query: shelf.search(query, K, allowed)[0]


def recall(find: Find, exact: Find, queries: Vectors) -> float:
    """The share of the exact ten nearest that are found."""
    shares = []
    for query in queries:
        nearest = set(exact(query).ids.tolist())
        shares.append(len(nearest & set(find(query).ids.tolist())) / max(1, len(nearest)))
    return float(np.mean(shares))


def latencies_ms(find: Find, queries: Vectors) -> list[float]:
    taken = []
    for query in queries:
        began_s = time.perf_counter()
        find(query)
        taken.append((time.perf_counter() - began_s) * 1000)
    return taken


@dataclass(frozen=True)
class Compared:
    """The latency of one way to search as a share of another's, run for run, and both in milliseconds."""

    ratios: tuple[float, ...]
    p50_ms: float
    p95_ms: float
    other_p50_ms: float
    other_p95_ms: float


def compare(find: Find, other: Find, queries: Vectors, runs: int) -> Compared:
    """``runs`` times all queries on both sides, some and some in turns, so that both meet the same machine."""
    mine, others, ratios = [], [], []
    for _ in range(runs):
        latencies_ms(find, queries[:3])
        latencies_ms(other, queries[:3])
        my_run: list[float] = []
        other_run: list[float] = []
        for begin in range(0, len(queries), IN_TURN):
            other_run += latencies_ms(other, queries[begin : begin + IN_TURN])
            my_run += latencies_ms(find, queries[begin : begin + IN_TURN])
        mine.append(my_run)
        others.append(other_run)
        ratios.append(float(np.percentile(my_run, 95) / np.percentile(other_run, 95)))
    (p50_ms, p95_ms), (other_p50_ms, other_p95_ms) = (np.percentile(side, (50, 95)).tolist() for side in (mine, others))
    return Compared(tuple(ratios), p50_ms, p95_ms, other_p50_ms, other_p95_ms)


# --- the measures ---


def hnsw_recall(bench: Workbench) -> Sequence[Figure]:
    """Recall@10 of the graph: among the real vectors, among many made of them, and of pictures by words."""
    count = bench.scaled(VECTORS, least=1000)
    pictures = photos(bench)
    sets = {
        "photos": (pictures, {"photos": pictures}),
        "photos-tiled": (tiled(pictures, count, 1), {"photos-tiled": tiled(pictures, QUERIES, 2)}),
    }
    if bench.reference:
        texts = words(bench.reference)
        some = texts[np.random.default_rng(3).permutation(len(texts))[:QUERIES]]
        for name in tuple(sets):
            sets[name][1][f"{name}-by-words"] = some
        sets["texts"] = texts, {"texts": some}
        sets["texts-tiled"] = tiled(texts, count, 4), {"texts-tiled": tiled(some, QUERIES, 5)}
    figures = []
    for name, (vectors, asked) in sets.items():
        bench.note(f"recall among {name}: {len(vectors)} vectors")
        source = Source(vectors)
        # No set is small here: the graph answers, whatever the size.
        with shelf_of(source, bench.scratch / name, exact_up_to=0) as shelf:
            for kind, queries in asked.items():
                found = recall(through(shelf, source.numbers), scan(source.numbers, vectors), queries)
                figures.append(
                    figure(f"hnsw-recall {kind}", [found], RECALL, _recall_limit(kind), vectors=len(vectors))
                )
    return figures


def _recall_limit(name: str) -> str:
    if name == "photos-tiled-by-words":
        return (
            "words lying far from every picture: which of the noisy copies is nearest is the noise's doing, and a "
            "graph cannot know; the program scans up to 250,000 vectors for words, exactly"
        )
    return "how far the graph is looked through (ef 128)"


def hnsw_latency(bench: Workbench) -> Sequence[Figure]:
    """A search through the graph against a scan of everything, p95."""
    pictures = photos(bench)
    vectors = tiled(pictures, bench.scaled(VECTORS, least=1000), 1)
    source = Source(vectors)
    bench.note(f"building a graph of {len(vectors)} vectors")
    with shelf_of(source, bench.scratch, exact_up_to=min(EXACT_UP_TO, len(vectors) // 2)) as shelf:
        queries = tiled(pictures, QUERIES, 2)
        both = compare(through(shelf, source.numbers), scan(source.numbers, vectors), queries, bench.runs)
    return [
        figure(
            "hnsw-latency",
            both.ratios,
            LATENCY,
            "random access to memory; the scan it is compared with has all cores, a search one",
            vectors=len(vectors),
            hnsw_p50_ms=both.p50_ms,
            hnsw_p95_ms=both.p95_ms,
            scan_p50_ms=both.other_p50_ms,
            scan_p95_ms=both.other_p95_ms,
        )
    ]


def filtered_search(bench: Workbench) -> Sequence[Figure]:
    """A search among a filter's items against a scan of just those, which lie together in memory."""
    pictures = photos(bench)
    vectors = tiled(pictures, bench.scaled(VECTORS, least=1000), 1)
    source, queries = Source(vectors), tiled(pictures, QUERIES, 2)
    random = np.random.default_rng(6)
    filters = {
        f"{share:.0%}": np.sort(random.permutation(len(vectors))[: int(share * len(vectors))])
        for share in FILTER_SHARES
    }
    filters["a folder"] = np.arange(len(vectors) // 3, len(vectors) // 3 + int(FILTER_SHARES[-1] * len(vectors)))
    figures, recalls = [], []
    exact_up_to = max(100, int(FILTER_SHARES[-1] * len(vectors)))
    with shelf_of(source, bench.scratch, exact_up_to, build=False) as shelf:
        for name, places in filters.items():
            allowed, subset = source.numbers[places], vectors[places].copy()
            (first_ms,) = latencies_ms(through(shelf, allowed), queries[:1])
            both = compare(through(shelf, allowed), scan(allowed, subset), queries, bench.runs)
            recalls.append(recall(through(shelf, allowed), scan(allowed, subset), queries))
            figures.append(
                figure(
                    f"filtered-search latency, {name}",
                    both.ratios,
                    FILTERED,
                    "the same scan: a filter's vectors are copied together at its first search",
                    items=len(allowed),
                    first_ms=first_ms,
                    search_p50_ms=both.p50_ms,
                    scan_p50_ms=both.other_p50_ms,
                    search_p95_ms=both.p95_ms,
                    scan_p95_ms=both.other_p95_ms,
                )
            )
    worst = figure(
        "filtered-search recall",
        [min(recalls)],
        Target(">=", 1.0),
        "the order of equals alone: filters this narrow are scanned",
    )
    return [worst, *figures]


def after_replacing_half(bench: Workbench) -> Sequence[Figure]:
    """Half of the items taken out and as many put in: the graph built anew in the background against a fresh one."""
    pictures = photos(bench)
    count = bench.scaled(VECTORS, least=1000)
    exact_up_to = min(EXACT_UP_TO, count // 4)
    source, queries = Source(tiled(pictures, count, 1)), tiled(pictures, QUERIES, 2)
    with shelf_of(source, bench.scratch / "used", exact_up_to) as used:
        gone = np.zeros(count, np.bool_)
        gone[np.random.default_rng(7).permutation(count)[: count // 2]] = True
        source.replace(gone, tiled(pictures, count // 2, 8))
        exact = scan(source.numbers, source.vectors)
        find = through(used, source.numbers)
        bench.note("searching while the graph is built anew")
        find(queries[0])
        meanwhile, meanwhile_ms, rebuild_s = _search_while_building(used, find, exact, queries)
        with shelf_of(source, bench.scratch / "fresh", exact_up_to) as fresh:
            fresh_find = through(fresh, source.numbers)
            recalls = recall(find, exact, queries), recall(fresh_find, exact, queries)
            both = compare(find, fresh_find, queries, bench.runs)
    details = {
        "recall_meanwhile": meanwhile,
        "p50_meanwhile_ms": float(np.percentile(meanwhile_ms, 50)),
        "p95_meanwhile_ms": float(np.percentile(meanwhile_ms, 95)),
        "rebuild_s": rebuild_s,
    }
    limit = "the graph, which is built anew with more than a fifth gone; until then the new rows are scanned"
    return [
        figure("after-replacing-half recall", [recalls[0] / max(recalls[1], 1e-9)], RECALL, limit, **details),
        figure(
            "after-replacing-half latency",
            both.ratios,
            REBUILT_LATENCY,
            limit,
            used_p95_ms=both.p95_ms,
            fresh_p95_ms=both.other_p95_ms,
        ),
    ]


def _search_while_building(shelf: Shelf, find: Find, exact: Find, queries: Vectors) -> tuple[float, list[float], float]:
    """Recall and latencies of searches until the graph is new, and how long that took."""
    began_s = time.perf_counter()
    taken: list[float] = []
    recalls: list[float] = []
    while True:
        is_building = shelf.is_building
        query = queries[len(taken) % len(queries)][None, :]
        taken += latencies_ms(find, query)
        if len(recalls) < len(queries):
            recalls.append(recall(find, exact, query))
        if not is_building:
            return float(np.mean(recalls)), taken, time.perf_counter() - began_s


MEASURES: dict[str, Measure] = {
    "hnsw-recall": hnsw_recall,
    "hnsw-latency": hnsw_latency,
    "filtered-search": filtered_search,
    "after-replacing-half": after_replacing_half,
}
