"""Neighbours: the exact scan, the graph, its file, and the shelf that chooses between them."""

from __future__ import annotations

import errno
import os
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.errors import IndexStale
from app.engine.index import matrix as matrix_module
from app.engine.index import narrow
from app.engine.index import shelf as shelf_module
from app.engine.index.exact import Ids, ranked
from app.engine.index.hnsw import HnswIndex
from app.engine.index.matrix import Matrix, select
from app.engine.index.shelf import EVERYTHING, Shelf
from app.engine.jobs import Cancelled, Job
from app.engine.samples import Vectors
from app.engine.types import Space

DIM = 16
SPACE = Space(1, "encoder", "fingerprint", DIM)


def unit_vectors(count: int, seed: int = 0) -> Vectors:
    rows = np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class Rows:
    """Vectors in memory, as the store would give them. The item of row ``n`` is ``99 + n``, unless it is given anew."""

    def __init__(self, vectors: Vectors) -> None:
        self.version = self.rewrites = self.last_row = 0
        self.entries: dict[int, tuple[int, Vectors]] = {}
        self.reads = 0
        self.add(vectors)

    def rows(self, space_id: int, after_row: int = 0) -> tuple[Ids, Ids]:
        self.reads += 1
        later = [(row, item) for row, (item, _) in self.entries.items() if row > after_row]
        pairs = np.array(later, np.int64).reshape(-1, 2)
        return pairs[:, 0].copy(), pairs[:, 1].copy()

    def after(self, space: Space, row: int, block: int = 4096) -> Iterator[tuple[Ids, Ids, Vectors]]:
        while later := [(number, *entry) for number, entry in self.entries.items() if number > row][:block]:
            numbers, items, vectors = zip(*later, strict=True)
            yield np.array(numbers, np.int64), np.array(items, np.int64), np.stack(vectors)
            row = numbers[-1]

    def items(self) -> Ids:
        return np.unique(np.array([item for item, _ in self.entries.values()], np.int64))

    def add(self, vectors: Vectors, items: Ids | None = None) -> None:
        first = self.last_row + 1
        numbers = range(first, first + len(vectors))
        given = [99 + number for number in numbers] if items is None else items.tolist()
        self.entries = {**self.entries, **dict(zip(numbers, zip(given, vectors, strict=True), strict=True))}
        self.last_row += len(vectors)
        self.version += 1

    def remove(self, items: Ids) -> None:
        gone = {int(item) for item in items}
        self.entries = {row: entry for row, entry in self.entries.items() if entry[0] not in gone}
        self.version += 1
        self.rewrites += 1

    def nearest(self, query: Vectors, k: int, allowed: Ids | None = None) -> list[int]:
        """The oracle: every vector compared."""
        wanted = set(self.items().tolist() if allowed is None else allowed.tolist())
        pairs = [(-float(vector @ query), item) for item, vector in self.entries.values() if item in wanted]
        return [item for _, item in sorted(pairs)[:k]]


def exact(query: Vectors, rows: Ids, vectors: Vectors, k: int) -> list[int]:
    order = np.lexsort((rows, -(vectors @ query)))[:k]
    return rows[order].tolist()


@given(st.lists(st.integers(1, 7000), min_size=1, max_size=4), st.floats(0.0, 1.0), st.booleans(), st.integers(0, 9))
@settings(max_examples=25, deadline=None)
def test_a_matrix_scans_what_is_selected(counts: list[int], share: float, is_copied: bool, seed: int) -> None:
    """Whatever blocks the vectors came in, whatever left since, and whether the selection is copied or picked."""
    random = np.random.default_rng(seed)
    vectors = unit_vectors(sum(counts), seed)
    rows = np.cumsum(random.integers(1, 4, len(vectors)))
    matrix = Matrix(DIM)
    with pytest.MonkeyPatch.context() as small:
        small.setattr(matrix_module, "BLOCK_ROWS", 1000)
        for end, count in zip(np.cumsum(counts), counts, strict=True):
            matrix.extend([(rows[end - count : end], vectors[end - count : end])])
    before = matrix.blocks()
    kept = random.random(len(rows)) < 0.9
    matrix.keep_only(rows[kept])
    np.testing.assert_array_equal(np.concatenate(before), vectors)
    np.testing.assert_array_equal(np.concatenate((*matrix.blocks(), vectors[:0])), vectors[kept])
    rows, vectors = rows[kept], vectors[kept]
    positions = np.flatnonzero(random.random(len(rows)) < share)
    query = unit_vectors(1, seed=99)[0]
    found = select(matrix, positions, rows[positions], copy_up_to=len(rows) if is_copied else 0).search(query, 10)
    expected = exact(query, rows[positions], vectors[positions], 10)
    assert len(found.ids) == len(expected)
    np.testing.assert_allclose(found.similarities, -np.sort(-(vectors[positions] @ query))[:10], atol=1e-6)


def test_equals_are_ordered_by_id_and_cut_fairly() -> None:
    found = ranked(np.array([5, 3, 4, 1], np.int64), np.array([0.5, 0.5, 0.9, 0.5], np.float32), 3)
    assert found.ids.tolist() == [4, 1, 3]


def test_the_graph_agrees_with_the_exact_scan() -> None:
    vectors, rows = unit_vectors(3000), np.arange(1, 3001, dtype=np.int64)
    graph = HnswIndex(DIM)
    graph.add(rows, vectors, threads=2)
    queries = unit_vectors(50, seed=1)
    hits = sum(
        len(set(graph.search(query, 10).ids.tolist()) & set(exact(query, rows, vectors, 10))) for query in queries
    )
    assert hits / 500 >= 0.99


def test_a_graph_gives_what_it_has_when_asked_for_more() -> None:
    graph = HnswIndex(DIM)
    assert len(graph.search(unit_vectors(1)[0], 5).ids) == 0
    graph.add(np.arange(1, 4, dtype=np.int64), unit_vectors(3), threads=1)
    assert sorted(graph.search(unit_vectors(1)[0], 10).ids.tolist()) == [1, 2, 3]


def saved_graph(folder: Path) -> Path:
    graph = HnswIndex(DIM)
    graph.add(np.arange(1, 51, dtype=np.int64), unit_vectors(50), threads=1)
    graph.save(folder / "a.hnsw", "space")
    return folder / "a.hnsw"


@pytest.mark.parametrize("folder", ["plain", "größe 家"])
def test_a_graph_is_saved_and_read_by_a_name_that_hnswlib_can_open_where_it_opens_ascii_alone(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(narrow, "IS_NEEDED", True)
    (tmp_path / folder).mkdir()
    path = saved_graph(tmp_path / folder)
    assert len(HnswIndex.load(path, "space", DIM)) == 50
    for way in (narrow.to_read, narrow.to_write):
        with way(path) as name:
            assert name.isascii()
            assert (name == str(path)) is (folder == "plain")
            assert way is narrow.to_write or Path(name).read_bytes() == path.read_bytes()
            Path(name).write_bytes(b"written")
        assert not Path(name).parent.exists() or folder == "plain"
    assert path.read_bytes() == b"written"


def test_without_a_folder_of_ascii_letters_the_graph_is_not_saved_and_the_old_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "größe"
    home.mkdir()
    path = saved_graph(home)
    old = path.read_bytes()
    monkeypatch.setattr(narrow, "IS_NEEDED", True)
    monkeypatch.setattr(tempfile, "tempdir", str(home))
    monkeypatch.setenv("PROGRAMDATA", "")
    with pytest.raises(OSError, match="ASCII"):
        saved_graph(home)
    assert path.read_bytes() == old
    with pytest.raises(IndexStale):
        HnswIndex.load(path, "space", DIM)


def test_a_saved_graph_comes_back(tmp_path: Path) -> None:
    loaded = HnswIndex.load(saved_graph(tmp_path), "space", DIM)
    query = unit_vectors(1, seed=3)[0]
    assert (len(loaded), loaded.last_row) == (50, 50)
    nearest = exact(query, np.arange(1, 51, dtype=np.int64), unit_vectors(50), 10)
    assert loaded.search(query, 10).ids.tolist() == nearest
    assert {path.name for path in tmp_path.iterdir()} == {"a.hnsw", "a.json"}
    loaded.add(np.array([51], np.int64), unit_vectors(1, seed=3), threads=1)
    assert loaded.search(query, 1).ids.tolist() == [51]


@pytest.mark.parametrize(
    "damage", ["flip", "cut", "empty sidecar", "no sidecar", "no file", "other space", "other dim"]
)
def test_a_doubtful_file_is_refused(tmp_path: Path, damage: str) -> None:
    path = saved_graph(tmp_path)
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    elif damage == "cut":
        path.write_bytes(content[:-100])
    elif damage == "empty sidecar":
        path.with_suffix(".json").write_text("{}")
    elif damage == "no sidecar":
        path.with_suffix(".json").unlink()
    elif damage == "no file":
        path.unlink()
    with pytest.raises(IndexStale):
        HnswIndex.load(path, "x" if damage == "other space" else "space", 8 if damage == "other dim" else DIM)


def test_no_byte_of_a_sidecar_changes_unseen(tmp_path: Path) -> None:
    path = saved_graph(tmp_path)
    side = path.with_suffix(".json")
    good = side.read_bytes()
    for place in range(len(good)):
        side.write_bytes(good[:place] + bytes([good[place] ^ (1 << place % 8)]) + good[place + 1 :])
        with pytest.raises(IndexStale):
            HnswIndex.load(path, "space", DIM)
    side.write_bytes(good)
    assert len(HnswIndex.load(path, "space", DIM)) == 50


# --- the shelf ---


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture
def held() -> Iterator[Held]:
    executor = Held()
    yield executor
    executor.release()


class Held(ThreadPoolExecutor):
    """Begins nothing before it is released."""

    def __init__(self) -> None:
        super().__init__(1)
        self._gate = threading.Event()
        super().submit(self._gate.wait)

    def release(self) -> None:
        self._gate.set()
        self.shutdown()


def finish(background: ThreadPoolExecutor) -> None:
    """Wait for what was begun in the background."""
    background.submit(int).result()


def large_shelf(rows: Rows, folder: Path, background: ThreadPoolExecutor, exact_up_to: int = 100) -> Shelf:
    """A shelf whose graph is built and saved."""
    shelf = Shelf(rows, SPACE, folder, background, exact_up_to)
    shelf.save()
    return shelf


@pytest.mark.parametrize("exact_up_to", [10_000, 100])
def test_a_shelf_follows_additions_and_removals(
    tmp_path: Path, background: ThreadPoolExecutor, exact_up_to: int
) -> None:
    rows = Rows(unit_vectors(500))
    shelf = large_shelf(rows, tmp_path, background, exact_up_to)
    query = unit_vectors(1, seed=5)[0]
    best = shelf.search(query, 5, rows.items())[0].ids
    rows.remove(best[:2])
    assert shelf.search(query, 3, rows.items())[0].ids.tolist() == best[2:].tolist()
    rows.add(query[None, :])
    assert shelf.search(query, 1, rows.items())[0].ids.tolist() == [rows.items()[-1]]


@given(
    steps=st.lists(st.tuples(st.sampled_from(["add", "remove", "again"]), st.integers(1, 90)), min_size=1, max_size=8),
    exact_up_to=st.sampled_from([30, 10_000]),
    share=st.sampled_from([1.0, 0.6, 0.1]),
    seed=st.integers(0, 9),
)
@settings(max_examples=40, deadline=None)
def test_a_shelf_answers_from_what_is_there_now(
    steps: list[tuple[str, int]], exact_up_to: int, share: float, seed: int
) -> None:
    """Against the oracle, whatever was added, taken out, or given another vector, and whatever was filtered."""
    random = np.random.default_rng(seed)
    with ThreadPoolExecutor(1) as background, TemporaryDirectory() as folder:
        rows = Rows(unit_vectors(60, seed))
        shelf = Shelf(rows, SPACE, Path(folder), background, exact_up_to)
        for step, (action, count) in enumerate(steps):
            some = random.permutation(rows.items())[:count]
            if action != "add":
                rows.remove(some)
            if action != "remove":
                new = unit_vectors(len(some) if action == "again" else count, seed=1000 + step)
                rows.add(new, some if action == "again" else None)
            query = unit_vectors(1, seed=step)[0]
            allowed = np.sort(random.permutation(rows.items())[: max(1, int(share * len(rows.items())))])
            excluded = np.sort(random.permutation(rows.items())[:2])
            for _ in range(2):  # before and after the graph has caught up
                found, exact = shelf.search(query, 10, allowed, excluded)
                expected = rows.nearest(query, 10, np.setdiff1d(allowed, excluded))
                vectors = dict(rows.entries.values())
                assert len(found.ids) == len(expected)
                assert len(set(found.ids.tolist()) & set(expected)) >= (len(expected) if exact else len(expected) - 1)
                similarities = [float(vectors[item] @ query) for item in found.ids.tolist()]
                np.testing.assert_allclose(found.similarities, similarities, atol=1e-5)
                finish(background)
        shelf.close()


@pytest.mark.parametrize("share", [0.9, 0.5, 0.3, 0.02])
def test_as_many_come_back_as_the_filter_leaves(tmp_path: Path, background: ThreadPoolExecutor, share: float) -> None:
    rows = Rows(unit_vectors(2000))
    shelf = large_shelf(rows, tmp_path, background, exact_up_to=300)
    allowed = np.sort(np.random.default_rng(2).choice(rows.items(), int(2000 * share), replace=False))
    query = unit_vectors(1, seed=6)[0]
    found, exact = shelf.search(query, 40, allowed)
    assert exact == (share == 0.02)
    assert len(found.ids) == min(40, len(allowed))
    assert set(found.ids.tolist()) <= set(allowed.tolist())
    oracle = rows.nearest(query, 40, allowed)
    assert len(set(found.ids.tolist()) & set(oracle)) >= 0.9 * len(oracle)
    everything, exact = shelf.search(query, 40, allowed, scan_up_to=EVERYTHING)
    assert exact
    assert everything.ids.tolist() == oracle


def test_a_filter_that_leaves_only_the_farthest_is_answered_in_full(
    tmp_path: Path, background: ThreadPoolExecutor
) -> None:
    rows = Rows(unit_vectors(6000))
    shelf = large_shelf(rows, tmp_path, background, exact_up_to=300)
    query = unit_vectors(1, seed=6)[0]
    allowed = np.sort(np.array(rows.nearest(query, 6000)[-400:], np.int64))
    found, exact = shelf.search(query, 40, allowed)
    assert exact
    assert found.ids.tolist() == rows.nearest(query, 40, allowed)


def test_the_querys_own_items_make_room_for_others(tmp_path: Path, background: ThreadPoolExecutor) -> None:
    rows = Rows(unit_vectors(500))
    query = unit_vectors(1, seed=4)[0]
    nearest = rows.nearest(query, 60)
    own = np.sort(np.array(nearest[:50], np.int64))
    for exact_up_to in (100, 10_000):
        shelf = large_shelf(rows, tmp_path, background, exact_up_to)
        assert shelf.search(query, 10, rows.items(), own)[0].ids.tolist() == nearest[50:60]


def test_a_search_does_not_wait_for_a_graph(tmp_path: Path, held: Held) -> None:
    rows = Rows(unit_vectors(500))
    shelf = Shelf(rows, SPACE, tmp_path, held, exact_up_to=100)
    query = unit_vectors(1, seed=7)[0]
    found, exact = shelf.search(query, 10, rows.items())
    assert exact
    assert found.ids.tolist() == rows.nearest(query, 10)
    held.release()
    found, exact = shelf.search(query, 10, rows.items())
    assert not exact
    assert found.ids.tolist() == rows.nearest(query, 10)
    assert list(tmp_path.glob("*.hnsw"))


def test_the_tail_is_scanned_until_the_graph_has_caught_up(
    tmp_path: Path, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf_module, "TAIL_UP_TO", 50)
    rows = Rows(unit_vectors(400))
    shelf = large_shelf(rows, tmp_path, held)
    rows.add(unit_vectors(80, seed=2))
    for _ in range(2):
        for seed in range(20, 40):
            query = unit_vectors(1, seed=seed)[0]
            found, exact = shelf.search(query, 10, rows.items())
            assert not exact
            assert found.ids.tolist() == rows.nearest(query, 10)
        held.release()


def test_searches_go_on_while_a_worn_graph_is_built_anew(tmp_path: Path, background: ThreadPoolExecutor) -> None:
    rows = Rows(unit_vectors(3000))
    shelf = large_shelf(rows, tmp_path, background)
    rows.remove(rows.items()[::2])
    rows.add(unit_vectors(1500, seed=2))
    items = rows.items()
    answered = 0
    while shelf._next is not None or answered < 20:
        query = unit_vectors(1, seed=100 + answered)[0]
        found, _ = shelf.search(query, 10, items)
        assert len(found.ids) == 10
        assert set(found.ids.tolist()) <= set(items.tolist())
        assert len(set(found.ids.tolist()) & set(rows.nearest(query, 10))) >= 9
        answered += 1
    finish(background)
    assert shelf._graph is not None
    assert len(shelf._graph) == len(items)
    assert HnswIndex.load(tmp_path / "space-1.hnsw", SPACE.fingerprint, DIM).last_row == rows.last_row


def test_many_threads_search_while_one_writes(tmp_path: Path, background: ThreadPoolExecutor) -> None:
    rows = Rows(unit_vectors(400))
    shelf = large_shelf(rows, tmp_path, background)
    is_done = threading.Event()

    def search(thread: int) -> int:
        searches = 0
        while not is_done.is_set() or searches < 10:
            items, query = rows.items(), unit_vectors(1, seed=1000 * thread + searches)[0]
            found, _ = shelf.search(query, 10, items)
            assert len(set(found.ids.tolist())) == len(found.ids)
            assert set(found.ids.tolist()) <= set(items.tolist())
            searches += 1
        return searches

    with ThreadPoolExecutor(3) as searchers:
        searching = [searchers.submit(search, thread) for thread in range(3)]
        for step in range(12):
            rows.add(unit_vectors(60, seed=step))
            rows.remove(rows.items()[step : step + 40])
            if step % 4 == 3:
                shelf.save()
        is_done.set()
        assert all(searched.result() >= 10 for searched in searching)
    finish(background)
    query = unit_vectors(1, seed=77)[0]
    assert len(set(shelf.search(query, 10, rows.items())[0].ids.tolist()) & set(rows.nearest(query, 10))) >= 9


def test_saving_goes_on_with_what_the_background_had_begun(tmp_path: Path, held: Held) -> None:
    rows = Rows(unit_vectors(400))
    shelf = Shelf(rows, SPACE, tmp_path, held, exact_up_to=100)
    shelf.search(unit_vectors(1)[0], 1, rows.items())  # asks for a graph
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        shelf.save(job)
    assert not list(tmp_path.iterdir())
    shelf.save()
    assert len(HnswIndex.load(tmp_path / "space-1.hnsw", SPACE.fingerprint, DIM)) == 400


def test_a_failure_in_the_background_is_logged_and_tried_again(
    tmp_path: Path, background: ThreadPoolExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(Rows):
        is_failing = True

        def after(self, space: Space, row: int, block: int = 4096) -> Iterator[tuple[Ids, Ids, Vectors]]:
            if self.is_failing and threading.current_thread() is not threading.main_thread():
                raise OSError("the disk is gone")
            return super().after(space, row, block)

    rows = Failing(unit_vectors(400))
    shelf = Shelf(rows, SPACE, tmp_path, background, exact_up_to=100)
    query = unit_vectors(1)[0]
    assert shelf.search(query, 5, rows.items())[0].ids.tolist() == rows.nearest(query, 5)
    finish(background)
    assert "could not be built" in caplog.text
    rows.is_failing = False
    assert shelf.search(query, 5, rows.items())[1]
    finish(background)
    assert not shelf.search(query, 5, rows.items())[1]


def test_a_closed_shelf_leaves_its_work(tmp_path: Path, held: Held) -> None:
    rows = Rows(unit_vectors(400))
    shelf = Shelf(rows, SPACE, tmp_path, held, exact_up_to=100)
    shelf.search(unit_vectors(1)[0], 1, rows.items())
    shelf.close()
    held.release()
    assert shelf._graph is None
    assert not list(tmp_path.iterdir())


def test_an_unchanged_library_is_not_asked_again(tmp_path: Path, background: ThreadPoolExecutor) -> None:
    rows = Rows(unit_vectors(400))
    for exact_up_to in (100, 10_000):
        shelf = large_shelf(rows, tmp_path, background, exact_up_to)
        items = rows.items()
        shelf.search(unit_vectors(1)[0], 5, items)
        before = rows.reads
        for seed in range(5):
            shelf.search(unit_vectors(1, seed)[0], 5, items)
        assert rows.reads == before


def test_what_arrives_while_a_shelf_is_in_use_is_found_next_time(
    tmp_path: Path, background: ThreadPoolExecutor
) -> None:
    class Growing(Rows):
        """Gains a row whenever its rows are read, as while another thread indexes."""

        def rows(self, space_id: int, after_row: int = 0) -> tuple[Ids, Ids]:
            read = super().rows(space_id, after_row)
            self.add(unit_vectors(1, seed=1000 + self.last_row))
            return read

    rows = Growing(unit_vectors(300))
    shelf = large_shelf(rows, tmp_path, background)
    graph = shelf._graph
    for _ in range(3):
        item, vector = rows.entries[rows.last_row]
        assert shelf.search(vector, 1, rows.items())[0].ids.tolist() == [item]
    assert shelf._graph is graph


# --- its file ---


def test_a_large_shelf_is_saved_and_read_again(tmp_path: Path, held: Held) -> None:
    rows = Rows(unit_vectors(400))
    large_shelf(rows, tmp_path / "indexes", held)
    rows.remove(rows.items()[:30])
    rows.add(unit_vectors(20, seed=3))
    again = Shelf(rows, SPACE, tmp_path / "indexes", held, exact_up_to=100)
    for seed in range(20):
        query = unit_vectors(1, seed=50 + seed)[0]
        found, exact = again.search(query, 10, rows.items())
        assert not exact  # the file was believed
        assert found.ids.tolist() == rows.nearest(query, 10)


@pytest.mark.parametrize("damage", ["no graph", "older library", "lost rows"])
def test_a_doubtful_index_answers_exactly_and_is_built_again(tmp_path: Path, held: Held, damage: str) -> None:
    rows = Rows(unit_vectors(400))
    large_shelf(rows, tmp_path, held)
    path = tmp_path / "space-1.hnsw"
    if damage == "no graph":
        path.write_bytes(b"not a graph")
    elif damage == "older library":  # a copy of before the last rows was put back, and others were written since
        rows = Rows(unit_vectors(380))
        rows.add(unit_vectors(60, seed=9))
    else:
        rows = Rows(unit_vectors(500))
        rows.last_row = 399
    query = unit_vectors(1, seed=8)[0]
    shelf = Shelf(rows, SPACE, tmp_path, held, exact_up_to=100)
    found, exact = shelf.search(query, 10, rows.items())
    assert exact
    assert found.ids.tolist() == rows.nearest(query, 10)
    held.release()
    found, exact = shelf.search(query, 10, rows.items())
    assert not exact
    assert found.ids.tolist() == rows.nearest(query, 10)
    assert HnswIndex.load(path, SPACE.fingerprint, DIM).last_row == max(rows.entries)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_disk_that_fails_leaves_the_old_file(
    tmp_path: Path, background: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = Rows(unit_vectors(400))
    shelf = large_shelf(rows, tmp_path, background)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    rows.add(unit_vectors(30, seed=2))

    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as failing:
        failing.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="Input/output"):
            shelf.save()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    query = unit_vectors(1, seed=2)[0]
    assert shelf.search(query, 10, rows.items())[0].ids.tolist() == rows.nearest(query, 10)
    (tmp_path / "space-1.new").symlink_to("/dev/full")  # hnswlib says that it has saved
    with pytest.raises((OSError, IndexStale)):
        shelf.save()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    shelf.save()
    assert HnswIndex.load(tmp_path / "space-1.hnsw", SPACE.fingerprint, DIM).last_row == rows.last_row


def test_rows_deleted_while_a_file_is_compared_with_them_are_no_fault(tmp_path: Path, held: Held) -> None:
    """The last rows go between the reading of their numbers and that of their vectors."""

    class Shrinking(Rows):
        def after(self, space: Space, row: int, block: int = 4096) -> Iterator[tuple[Ids, Ids, Vectors]]:
            if block == 1 and row == 0:  # the first of the rows that are compared
                self.remove(np.arange(99 + 301, 99 + 401))
            return super().after(space, row, block)

    large_shelf(Rows(unit_vectors(400)), tmp_path, held)
    rows = Shrinking(unit_vectors(400))
    query = unit_vectors(1, seed=8)[0]
    found, exact = Shelf(rows, SPACE, tmp_path, held, exact_up_to=100).search(query, 10, rows.items())
    assert exact  # the file was not believed
    assert len(rows.entries) == 300
    assert found.ids.tolist() == rows.nearest(query, 10)


def test_a_deleted_shelf_leaves_no_file(tmp_path: Path, background: ThreadPoolExecutor) -> None:
    shelf = large_shelf(Rows(unit_vectors(400)), tmp_path, background)
    assert list(tmp_path.iterdir())
    shelf.delete()
    assert not list(tmp_path.iterdir())
