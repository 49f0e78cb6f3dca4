"""Neighbours: the exact scan, the graph, its file, and the shelf that chooses between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.errors import IndexStale
from app.engine.index.exact import Ids, ranked, top_k
from app.engine.index.hnsw import HnswIndex
from app.engine.index.shelf import Shelf
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
        later = [row for row in sorted(self.entries) if row > after_row]
        return np.array(later, np.int64), np.array([self.entries[row][0] for row in later], np.int64)

    def after(self, space: Space, row: int, block: int = 4096) -> Iterator[tuple[Ids, Ids, Vectors]]:
        while later := [number for number in sorted(self.entries) if number > row][:block]:
            items, vectors = zip(*(self.entries[number] for number in later), strict=True)
            yield np.array(later, np.int64), np.array(items, np.int64), np.stack(vectors)
            row = later[-1]

    def items(self) -> Ids:
        return np.unique(np.array([item for item, _ in self.entries.values()], np.int64))

    def add(self, vectors: Vectors, items: Ids | None = None) -> None:
        for place, vector in enumerate(vectors):
            self.last_row += 1
            item = 99 + self.last_row if items is None else int(items[place])
            self.entries = {**self.entries, self.last_row: (item, vector)} if len(vectors) < 9 else self.entries
            self.entries[self.last_row] = (item, vector)
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


@given(st.integers(1, 60), st.integers(1, 70), st.integers(1, 20))
def test_blocks_do_not_change_the_exact_answer(count: int, k: int, block: int) -> None:
    vectors, ids = unit_vectors(count), np.arange(count, dtype=np.int64)
    query = unit_vectors(1, seed=9)[0]
    blocks = ((ids[begin : begin + block], vectors[begin : begin + block]) for begin in range(0, count, block))
    found = top_k(query, blocks, k)
    expected = np.argsort(-(vectors @ query), kind="stable")[:k]
    assert found.ids.tolist() == expected.tolist()


def test_equals_are_ordered_by_id_and_cut_fairly() -> None:
    found = ranked(np.array([5, 3, 4, 1], np.int64), np.array([0.5, 0.5, 0.9, 0.5], np.float32), 3)
    assert found.ids.tolist() == [4, 1, 3]


def test_the_graph_agrees_with_the_exact_scan() -> None:
    vectors, ids = unit_vectors(3000), np.arange(3000, dtype=np.int64)
    graph = HnswIndex(DIM)
    graph.add(ids, vectors)
    queries = unit_vectors(50, seed=1)
    hits = sum(
        len(set(graph.search(query, 10).ids.tolist()) & set(top_k(query, [(ids, vectors)], 10).ids.tolist()))
        for query in queries
    )
    assert hits / 500 >= 0.99


def test_a_graph_gives_what_it_has_when_asked_for_more() -> None:
    graph = HnswIndex(DIM)
    assert len(graph.search(unit_vectors(1)[0], 5).ids) == 0
    graph.add(np.arange(3, dtype=np.int64), unit_vectors(3))
    graph.keep_only({0, 2})
    assert sorted(graph.search(unit_vectors(1)[0], 10).ids.tolist()) == [0, 2]


def test_a_saved_graph_comes_back_with_its_deletions(tmp_path: Path) -> None:
    graph = HnswIndex(DIM)
    graph.add(np.arange(50, dtype=np.int64), unit_vectors(50))
    graph.keep_only(set(range(10, 50)))
    graph.save(tmp_path / "a.hnsw", "space", last_row=50)
    loaded, last_row = HnswIndex.load(tmp_path / "a.hnsw", "space", DIM)
    query = unit_vectors(1, seed=3)[0]
    assert last_row == 50
    assert loaded.search(query, 20).ids.tolist() == graph.search(query, 20).ids.tolist()
    assert {path.name for path in tmp_path.iterdir()} == {"a.hnsw", "a.json"}


@pytest.mark.parametrize("damage", ["flip", "cut", "sidecar", "no sidecar", "other space"])
def test_a_doubtful_file_is_refused(tmp_path: Path, damage: str) -> None:
    graph = HnswIndex(DIM)
    graph.add(np.arange(50, dtype=np.int64), unit_vectors(50))
    path = tmp_path / "a.hnsw"
    graph.save(path, "space", last_row=50)
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    elif damage == "cut":
        path.write_bytes(content[:-100])
    elif damage == "sidecar":
        path.with_suffix(".json").write_text("{}")
    elif damage == "no sidecar":
        path.with_suffix(".json").unlink()
    with pytest.raises(IndexStale):
        HnswIndex.load(path, "another" if damage == "other space" else "space", DIM)


@pytest.mark.parametrize("exact_up_to", [10_000, 100])
def test_a_shelf_follows_additions_and_removals(tmp_path: Path, exact_up_to: int) -> None:
    rows = Rows(unit_vectors(500))
    shelf = Shelf(rows, SPACE, tmp_path, exact_up_to)
    query = unit_vectors(1, seed=5)[0]
    best = shelf.search(query, 5, rows.ids(1))[0].ids
    rows.remove(best[:2])
    assert shelf.search(query, 3, rows.ids(1))[0].ids.tolist() == best[2:].tolist()
    rows.add(query[None, :])
    assert shelf.search(query, 1, rows.ids(1))[0].ids.tolist() == [rows.ids(1)[-1]]


@pytest.mark.parametrize("share", [0.9, 0.5, 0.3, 0.02])
def test_as_many_come_back_as_the_filter_leaves(tmp_path: Path, share: float) -> None:
    rows = Rows(unit_vectors(2000))
    shelf = Shelf(rows, SPACE, tmp_path, exact_up_to=300)
    allowed = np.sort(np.random.default_rng(2).choice(rows.ids(1), int(2000 * share), replace=False))
    query = unit_vectors(1, seed=6)[0]
    found, _ = shelf.search(query, 40, allowed)
    assert len(found.ids) == min(40, len(allowed))
    assert set(found.ids.tolist()) <= set(allowed.tolist())
    oracle, exact = shelf.search(query, 40, allowed, exact=True)
    assert exact
    assert len(set(found.ids.tolist()) & set(oracle.ids.tolist())) >= 0.9 * len(oracle.ids)


def test_what_arrives_while_a_shelf_is_in_use_is_found_next_time(tmp_path: Path) -> None:
    class Growing(Rows):
        """Gains a row whenever it is counted, as while another thread indexes."""

        def count(self, space_id: int, up_to_row: int = 10**9) -> int:
            counted = super().count(space_id, up_to_row)
            self.add(unit_vectors(1, seed=1000 + len(self.rows)))
            return counted

    rows = Growing(unit_vectors(300))
    shelf = Shelf(rows, SPACE, tmp_path, exact_up_to=100)
    shelf.search(unit_vectors(1)[0], 5, rows.ids(1))
    graph = shelf._graph
    newest = rows.rows[max(rows.rows)]
    assert shelf.search(newest[1], 1, rows.ids(1))[0].ids.tolist() == [newest[0]]
    assert shelf._graph is graph


def test_a_large_shelf_is_saved_and_read_again(tmp_path: Path) -> None:
    rows = Rows(unit_vectors(400))
    shelf = Shelf(rows, SPACE, tmp_path / "indexes", exact_up_to=100)
    shelf.save()
    query = unit_vectors(1, seed=7)[0]
    again = Shelf(rows, SPACE, tmp_path / "indexes", exact_up_to=100)
    assert again.search(query, 10, rows.ids(1))[0].ids.tolist() == shelf.search(query, 10, rows.ids(1))[0].ids.tolist()


def test_a_damaged_index_file_is_built_again(tmp_path: Path) -> None:
    rows = Rows(unit_vectors(400))
    Shelf(rows, SPACE, tmp_path, exact_up_to=100).save()
    (file,) = tmp_path.glob("*.hnsw")
    file.write_bytes(b"not a graph")
    query = unit_vectors(1, seed=8)[0]
    found, _ = Shelf(rows, SPACE, tmp_path, exact_up_to=100).search(query, 10, rows.ids(1))
    oracle, _ = Shelf(rows, SPACE, tmp_path).search(query, 10, rows.ids(1))
    assert found.ids.tolist() == oracle.ids.tolist()
