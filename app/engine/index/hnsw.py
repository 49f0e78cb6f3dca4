"""One hnswlib graph and its file. The file is a cache: it is verified when loaded, and made again on any doubt.

hnswlib 0.8 keeps no ``ef`` in its file, refuses a ``k`` above its items, needs searches and changes to take turns, says
a save succeeded on a full disk, and loads a damaged file without a word: all of that is met here.
"""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

import hnswlib
import numpy as np
import numpy.typing as npt

from app.engine.errors import IndexOutdated, IndexStale
from app.engine.index import narrow
from app.engine.index.exact import NOTHING, Ids, Neighbours
from app.engine.samples import Vectors
from app.engine.syncing import sync_file, sync_folder

M = 16
EF_CONSTRUCTION = 200
EF_SEARCH = 128
"""Measured among 200,000 vectors of 512, those of 400 real pictures (or 2,148 real texts) again and again with noise:
recall@10 and median ms, hnswlib built for any x86-64.

    M   ef    pictures by pictures   texts by texts   pictures by words
    16  64    0.992   0.17           0.996  0.19      0.23  0.27
    16  96    0.998   0.18           1.000  0.23      0.31  0.37
    16  128   0.9997  0.20           1.000  0.32      0.37  0.47
    16  256   1.000   0.27           1.000  0.60      0.50  0.77
    16  2048  1.000   3.1            -                0.89  8.8
    32  128   0.9997  0.27           -                0.35  0.65
    32  2048  1.000   3.3            -                0.92  5.7

So M 16 and ef 128; more of either costs time and memory and finds nothing more. Pictures are not looked up by words:
the scan, which misses none, takes 12 ms. ``ef_construction`` 200 is hnswlib's own advice.
"""

INITIAL_CAPACITY = 1024
GROWTH = 1.5
FORMAT = 2


@dataclass(frozen=True)
class Sidecar:
    """What must hold of an index file before it is believed."""

    format: int
    parameters: list[int]
    space: str
    dim: int
    count: int
    last_row: int
    size_bytes: int
    sha256: str


class HnswIndex:
    """Approximate neighbours by cosine. Any thread may call.

    Its labels are rows of the store, which are numbered in the order they were written and never twice: ``last_row``
    says all that it holds. Nothing is ever taken out of it; who asks knows which rows are still there.
    """

    def __init__(self, dim: int, capacity: int = INITIAL_CAPACITY) -> None:
        self._dim = dim
        self._lock = threading.Lock()
        self._graph = hnswlib.Index(space="ip", dim=dim)  # rows are unit vectors: inner product is the cosine
        self._graph.init_index(capacity, M=M, ef_construction=EF_CONSTRUCTION)
        self.last_row = 0

    def __len__(self) -> int:
        return int(self._graph.get_current_count())

    def add(self, rows: Ids, vectors: Vectors, threads: int) -> None:
        """Add rows, ascending, all after ``last_row``. A search waits meanwhile: give few at a time."""
        with self._lock:
            needed = len(self) + len(rows)
            if needed > self._graph.get_max_elements():
                self._graph.resize_index(max(needed, int(GROWTH * self._graph.get_max_elements())))
            self._graph.add_items(vectors, rows, num_threads=threads)
            self.last_row = int(rows[-1])

    def search(self, query: npt.NDArray[np.float32], k: int, ef: int = EF_SEARCH) -> Neighbours:
        """About the ``k`` nearest, as rows; fewer when it holds fewer. A larger ``ef`` looks further."""
        with self._lock:
            k = min(k, len(self))
            if k == 0:
                return NOTHING
            self._graph.set_ef(max(ef, 2 * k))
            labels, distances = self._graph.knn_query(query, k=k, num_threads=1)
        return Neighbours(labels[0].astype(np.int64), (1.0 - distances[0]).astype(np.float32))

    def holds(self, rows: Ids, vectors: Vectors) -> bool:
        """Whether these rows are in the graph with these vectors."""
        try:
            with self._lock:
                held = self._graph.get_items(rows, return_type="numpy")
        except RuntimeError:  # a label it does not know
            return False
        return bool(np.allclose(held, vectors, atol=1e-3))

    # --- the file ---

    def save(self, path: Path, space: str) -> None:
        """Write the graph so that ``path`` is at every moment a whole old one or a whole new one. Searches go on; the
        caller sees to it that nothing is added meanwhile.

        Raises:
            OSError: the disk is full or fails; the old file stays.
            IndexStale: not all of it was written; the old file stays.
        """
        new, new_side = path.with_suffix(".new"), path.with_suffix(".json.new")
        try:
            with narrow.to_write(new) as name:
                self._graph.save_index(name)
            sync_file(new)
            size_bytes = new.stat().st_size
            if size_bytes != self._graph.index_file_size():
                raise IndexStale(
                    "The search index could not be saved",
                    "Not all of it was written: the disk may be full. All that was indexed is kept; make room, and the "
                    "search index is made again by itself.",
                    str(path),
                )
            sidecar = Sidecar(
                FORMAT, [M, EF_CONSTRUCTION], space, self._dim, len(self), self.last_row, size_bytes, _digest(new)
            )
            new_side.write_bytes(_sealed(json.dumps(asdict(sidecar)).encode()))
            sync_file(new_side)
            # A crash between these two leaves a file that its sidecar does not vouch for.
            new.replace(path)
            new_side.replace(sidecar_path(path))
            sync_folder(path.parent)
        finally:
            new.unlink(missing_ok=True)
            new_side.unlink(missing_ok=True)

    @staticmethod
    def load(path: Path, space: str, dim: int) -> HnswIndex:
        """Read a saved index.

        Raises:
            IndexOutdated: another version of the program wrote it (that of format 1 did not seal its sidecar).
            IndexStale: the file is missing, of another space, or not byte for byte what was saved.
        """
        try:
            content = sidecar_path(path).read_bytes()
            if content.startswith(b"{") or (told := json.loads(_unsealed(content)))["format"] != FORMAT:
                raise IndexOutdated(*_stale("is of another version", path).args)
            sidecar = Sidecar(**told)
            if (sidecar.parameters, sidecar.space, sidecar.dim) != ([M, EF_CONSTRUCTION], space, dim):
                raise _stale("is of another model", path)
            if path.stat().st_size != sidecar.size_bytes or _digest(path) != sidecar.sha256:
                raise _stale("is damaged", path)
            index = HnswIndex(dim, capacity=1)
            index._graph = hnswlib.Index(space="ip", dim=dim)
            with narrow.to_read(path) as name:
                index._graph.load_index(name, max_elements=sidecar.count)
        except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
            raise _stale("cannot be read", path) from error
        if len(index) != sidecar.count:
            raise _stale("is incomplete", path)
        index.last_row = sidecar.last_row
        return index


def sidecar_path(path: Path) -> Path:
    """Where the sidecar of an index file is."""
    return path.with_suffix(".json")


def _stale(what: str, path: Path) -> IndexStale:
    return IndexStale(f"The search index {what}", "It is made again from the library.", str(path))


def _sealed(content: bytes) -> bytes:
    """The content after its own digest, so that no byte of either can change unseen."""
    return hashlib.sha256(content).hexdigest().encode() + b"\n" + content


def _unsealed(sealed: bytes) -> bytes:
    content = sealed.partition(b"\n")[2]
    if _sealed(content) != sealed:
        raise ValueError("its digest is another's")
    return content


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
