"""One hnswlib graph and its file. The file is a cache: it is verified when loaded, and made again on any doubt.

hnswlib 0.8 keeps no ``ef`` in its file, refuses a ``k`` above its live items, needs searches and changes to take turns,
says a save succeeded on a full disk, and loads a damaged file without a word: all of that is met here.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

import hnswlib
import numpy as np
import numpy.typing as npt

from app.engine.errors import IndexStale
from app.engine.index.exact import NOTHING, Ids, Neighbours, ranked
from app.engine.samples import Vectors

M = 16
EF_CONSTRUCTION = 200
EF_SEARCH = 128
"""hnswlib's recommended middle of the road (its ALGO_PARAMS guide); ``ef`` is raised to 2 k where k asks for more."""

INITIAL_CAPACITY = 1024
FORMAT = 1


@dataclass(frozen=True)
class Sidecar:
    """What must hold of an index file before it is believed."""

    format: int
    space: str
    dim: int
    count: int
    last_row: int
    size_bytes: int
    sha256: str
    deleted: list[int]
    """hnswlib's file keeps these marks but does not tell them."""


class HnswIndex:
    """Approximate neighbours by cosine. Item ids are the labels; any thread may call."""

    def __init__(self, dim: int) -> None:
        self._dim = dim
        self._lock = threading.Lock()
        self._marked: set[int] = set()
        self._graph = hnswlib.Index(space="ip", dim=dim)  # rows are unit vectors: inner product is the cosine
        self._graph.init_index(INITIAL_CAPACITY, M=M, ef_construction=EF_CONSTRUCTION, allow_replace_deleted=False)

    def __len__(self) -> int:
        return int(self._graph.get_current_count()) - len(self._marked)

    def ids(self) -> set[int]:
        """All labels, the deleted ones too."""
        return {int(label) for label in self._graph.get_ids_list()}

    def add(self, ids: Ids, vectors: Vectors) -> None:
        with self._lock:
            needed = int(self._graph.get_current_count()) + len(ids)
            if needed > self._graph.get_max_elements():
                self._graph.resize_index(max(needed, 2 * self._graph.get_max_elements()))
            self._graph.add_items(vectors, ids)

    def keep_only(self, live: set[int]) -> None:
        """Mark all other labels deleted."""
        with self._lock:
            dead = self.ids() - live
            for label in dead - self._marked:
                self._graph.mark_deleted(label)
            self._marked = dead

    def search(self, query: npt.NDArray[np.float32], k: int) -> Neighbours:
        """About the ``k`` nearest, fewer when fewer live."""
        with self._lock:
            k = min(k, len(self))
            if k == 0:
                return NOTHING
            self._graph.set_ef(max(EF_SEARCH, 2 * k))
            labels, distances = self._graph.knn_query(query, k=k, num_threads=1)
        return ranked(labels[0].astype(np.int64), (1.0 - distances[0]).astype(np.float32), k)

    # --- the file ---

    def save(self, path: Path, space: str, last_row: int) -> None:
        """Write the graph so that ``path`` is at every moment a whole old one or a whole new one.

        Raises:
            OSError: the disk is full or fails; the old file stays.
            IndexStale: what was written does not read back.
        """
        new = path.with_suffix(".new")
        try:
            with self._lock:
                self._graph.save_index(str(new))
                count = int(self._graph.get_current_count())
            _sync(new)
            size_bytes, sha256 = new.stat().st_size, _digest(new)
            sidecar = Sidecar(FORMAT, space, self._dim, count, last_row, size_bytes, sha256, sorted(self._marked))
            _read(new, sidecar)
            side = _sidecar_path(path)
            # The old sidecar goes first: a crash between these lines leaves a file nobody vouches for, not a false one.
            side.unlink(missing_ok=True)
            new.replace(path)
            _write_durably(side, json.dumps(asdict(sidecar)).encode())
        finally:
            new.unlink(missing_ok=True)

    @staticmethod
    def load(path: Path, space: str, dim: int) -> tuple[HnswIndex, int]:
        """Read a saved index and the last row it holds.

        Raises:
            IndexStale: the file is missing, of another space or format, or not byte for byte what was saved.
        """
        try:
            sidecar = Sidecar(**json.loads(_sidecar_path(path).read_bytes()))
            if (sidecar.format, sidecar.space, sidecar.dim) != (FORMAT, space, dim):
                raise IndexStale(
                    "The search index is of another model", "It is made again from the library.", str(path)
                )
            if path.stat().st_size != sidecar.size_bytes or _digest(path) != sidecar.sha256:
                raise IndexStale("The search index is damaged", "It is made again from the library.", str(path))
        except (OSError, ValueError, TypeError) as error:
            raise IndexStale(
                "The search index cannot be read", "It is made again from the library.", str(path)
            ) from error
        index = HnswIndex(dim)
        index._graph = _read(path, sidecar)
        index._marked = set(sidecar.deleted)
        return index, sidecar.last_row


def _read(path: Path, sidecar: Sidecar) -> hnswlib.Index:
    graph = hnswlib.Index(space="ip", dim=sidecar.dim)
    try:
        graph.load_index(str(path), max_elements=sidecar.count)
    except RuntimeError as error:
        raise IndexStale("The search index cannot be read", "It is made again from the library.", str(path)) from error
    if graph.get_current_count() != sidecar.count:
        raise IndexStale("The search index is incomplete", "It is made again from the library.", str(path))
    return graph


def _sidecar_path(path: Path) -> Path:
    return path.with_suffix(".json")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
