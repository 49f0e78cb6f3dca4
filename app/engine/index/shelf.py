"""One index per space: what is asked here is answered from what SQLite holds now, by whichever path is right.

Three things answer. The matrix holds vectors in memory and compares them all: small spaces, narrow filters and exact
requests. The graph holds the rows up to its last one. What was written since, its tail, is compared from the matrix and
merged. No search waits for the graph to be built: that is done in the background, and until then the matrix answers.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from concurrent.futures import Executor, Future
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.engine.errors import IndexOutdated, IndexStale
from app.engine.index.exact import Ids, Neighbours
from app.engine.index.hnsw import HnswIndex, sidecar_path
from app.engine.index.matrix import Matrix, Selection, select
from app.engine.index.rows import NO_IDS, Rows, VectorSource, contains
from app.engine.index.view import View
from app.engine.jobs import NULL_JOB, Cancelled, Job
from app.engine.types import Space

log = logging.getLogger(__name__)

EXACT_UP_TO = 20_000
"""Sets this small are scanned, and the answer is exact."""

EVERYTHING = 2**63 - 1
"""As ``scan_up_to``: compare every vector, however many they are."""

TAIL_UP_TO = 4096
"""This many rows may wait for the graph; more are added to it in the background."""

REBUILD_ABOVE_DEAD_SHARE = 0.2
ROWS_PER_TURN = 16
"""How many rows a thread adds to a graph before it lets a search in: about 10 ms."""

TURN_PAUSE_S = 0.0005
BACKGROUND_SHARE = 0.5
"""Of the cores; saving takes all of them."""

CHECKED_ROWS = 16


class Shelf:
    """The neighbours in one space. Any thread may call.

    Args:
        source: where the vectors are.
        space: which of them.
        folder: where the index file goes.
        background: runs the building of graphs, out of the way of searches.
        exact_up_to: sets up to this size are scanned.
    """

    def __init__(
        self, source: VectorSource, space: Space, folder: Path, background: Executor, exact_up_to: int = EXACT_UP_TO
    ) -> None:
        self._source = source
        self._space = space
        self._path = folder / f"space-{space.id}.hnsw"
        self._background = background
        self._exact_up_to = exact_up_to
        self._lock = threading.Lock()  # of what a search looks at
        self._rows: Rows | None = None
        self._matrix: Matrix | None = None
        self._matrix_follows: Rows | None = None
        self._selected: tuple[Ids, Ids, Selection] | None = None
        self._is_opened = False
        self._graph: HnswIndex | None = None
        self._building = threading.Lock()  # of who changes graphs and the file; may be held for minutes
        self._next: HnswIndex | None = None
        self._saved: tuple[HnswIndex | None, int] = None, 0
        self._is_closed = False
        self._job = Job()
        self._work: Future[None] | None = None

    # --- searching ---

    def search(
        self,
        query: npt.NDArray[np.float32],
        k: int,
        allowed: Ids,
        excluded: Ids = NO_IDS,
        scan_up_to: int | None = None,
    ) -> tuple[Neighbours, bool]:
        """The ``k`` nearest of the ``allowed`` items but the ``excluded`` few, and whether they are exact.

        As many as exist come back, up to ``k``, whatever the filter. Both arrays ascend. What is prepared for one array
        of allowed items is kept for the next search with the same array. Sets up to ``scan_up_to`` are scanned; None
        is the shelf's own limit.
        """
        scan_up_to = self._exact_up_to if scan_up_to is None else scan_up_to
        view = selection = None
        with self._lock:
            rows = self._synced_rows()
            if min(len(rows), len(allowed)) > scan_up_to:
                view = self._view(rows)
            if view is None:
                selection = self._selection(rows, allowed)
        if view:
            if found := view.nearest(query, k, allowed, excluded):
                return found, False
            with self._lock:
                selection = self._selection(rows, allowed)
        assert selection  # noqa: S101 - there is no view then
        near = selection.search(query, k + len(excluded))
        if len(excluded) == 0:
            return near, True
        kept = ~contains(excluded, near.ids)
        return Neighbours(near.ids[kept][:k], near.similarities[kept][:k]), True

    @property
    def numbers(self) -> Ids:
        """The rows there are, ascending: the same array while no vector came or went."""
        with self._lock:
            return self._synced_rows().numbers

    @property
    def file_bytes(self) -> int:
        """What the index file takes on the disk; 0 where there is none."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    @property
    def graph_state(self) -> tuple[object, int]:
        """The graph and its last row: the same while a search through it finds the same. None without one."""
        graph = self._graph
        return graph, graph.last_row if graph else 0

    def _view(self, rows: Rows) -> View | None:
        """What the graph and its tail hold now; None while there is no graph that can be used."""
        if len(rows) <= self._exact_up_to:
            return None
        self._open(rows)
        graph = self._graph
        if graph is None or self._is_worn(graph, rows) or len(rows) - rows.up_to(graph.last_row) > TAIL_UP_TO:
            self._start_work()
        if graph is None:
            return None
        last_row = graph.last_row
        if rows.up_to(last_row) == len(rows):
            return View(rows, graph, last_row, NO_IDS, ())
        matrix = self._synced_matrix(rows, last_row)
        begin = int(np.searchsorted(matrix.rows, last_row, side="right"))
        return View(rows, graph, last_row, matrix.rows[begin:], matrix.blocks(begin))

    def _selection(self, rows: Rows, allowed: Ids) -> Selection:
        if self._selected and self._selected[0] is allowed and self._selected[1] is rows.numbers:
            return self._selected[2]
        matrix = self._synced_matrix(rows, 0)
        wanted, items = rows.of_items(allowed)
        there = contains(matrix.rows, wanted)
        positions = np.searchsorted(matrix.rows, wanted[there])
        selection = select(matrix, positions, items[there], copy_up_to=self._exact_up_to)
        self._selected = allowed, rows.numbers, selection
        return selection

    # --- staying in step with SQLite; with the lock held ---

    def _synced_rows(self) -> Rows:
        """Costs nothing while nothing was written, and only new rows are read while none was taken out."""
        version, rewrites = self._source.version, self._source.rewrites  # first: the rows may be newer, never older
        held = self._rows
        if held is not None and held.version == version:
            return held
        if held is not None and held.rewrites == rewrites:
            numbers, items = self._source.rows(self._space.id, held.last)
            numbers, items = np.concatenate((held.numbers, numbers)), np.concatenate((held.items, items))
        else:
            numbers, items = self._source.rows(self._space.id)
        if held is not None and np.array_equal(numbers, held.numbers):  # what was prepared for these stands
            numbers, items = held.numbers, held.items
        self._rows = Rows(version, rewrites, numbers, items)
        return self._rows

    def _synced_matrix(self, rows: Rows, after_row: int) -> Matrix:
        """A matrix of all rows after ``after_row``, and maybe some before."""
        matrix, followed = self._matrix, self._matrix_follows
        if matrix is None or matrix.after_row > after_row or _is_mostly_before(after_row, matrix):
            matrix, followed = Matrix(self._space.dim, after_row), None
        if followed is None or followed.numbers is not rows.numbers:
            if followed is not None and followed.rewrites != rows.rewrites:
                matrix.keep_only(rows.numbers)
            if matrix.last_row < rows.last:
                matrix.extend(
                    (numbers, found) for numbers, _, found in self._source.after(self._space, matrix.last_row)
                )
        self._matrix, self._matrix_follows = matrix, rows
        return matrix

    # --- the graph ---

    def save(self, job: Job = NULL_JOB) -> None:
        """Bring a large space's graph up to date, with all cores, and then its file.

        Raises:
            OSError, IndexStale: the disk is full or fails; the old file stays, and the graph in memory serves on.
            Cancelled: the job was cancelled; what was added stays.
        """
        with self._lock:
            if len(self._synced_rows()) <= self._exact_up_to:
                return
            self._job.cancel()  # what works in the background stops after its turn; here it is gone on with
        with self._building:
            self._build(os.cpu_count() or 1, job)
            self._write()

    def verify(self) -> bool:
        """Whether the index file, if there is one, is what was saved. One that is not goes, and is written again by the
        next `save`."""
        with self._building:
            if not self._path.exists():
                return True
            try:
                HnswIndex.load(self._path, self._space.fingerprint, self._space.dim)
            except IndexStale as stale:
                log.log(_level_of(stale), "%s: it is written again by the next run", stale)
                self._path.unlink(missing_ok=True)
                self._saved = None, 0
                return isinstance(stale, IndexOutdated)
            return True

    @property
    def is_building(self) -> bool:
        """Whether a graph is changed in the background now."""
        return self._work is not None and not self._work.done()

    def close(self) -> None:
        """End what works in the background; nothing new is begun there."""
        with self._lock:
            self._is_closed = True
            self._job.cancel()

    def delete(self) -> None:
        """Close, and delete the index file."""
        self.close()
        with self._building:
            self._path.unlink(missing_ok=True)
            sidecar_path(self._path).unlink(missing_ok=True)

    def _start_work(self) -> None:
        if not self._is_closed and not self.is_building:
            self._job = Job()
            self._work = self._background.submit(self._build_in_background, self._job)

    def _build_in_background(self, job: Job) -> None:
        try:
            with self._building:
                before = self._graph
                self._build(max(1, int(BACKGROUND_SHARE * (os.cpu_count() or 1))), job)
                if self._graph is not before:
                    self._write()
        except Cancelled:
            log.info("space %s: building the index is left for later", self._space.id)
        except Exception:
            log.exception("space %s: the index could not be built; the next search tries again", self._space.id)

    def _build(self, threads: int, job: Job) -> None:
        """Bring the graph up to the last row: a new one where there is none or too much of it is gone."""
        with self._lock:
            rows = self._synced_rows()
            self._open(rows)
            graph = self._graph
        if self._next is None and (graph is None or self._is_worn(graph, rows)):
            log.info("space %s: building an index of %d vectors", self._space.id, len(rows))
            self._next = HnswIndex(self._space.dim, capacity=max(1, len(rows)))
        growing = graph if self._next is None else self._next
        assert growing is not None  # noqa: S101 - without a graph there is a next one
        per_turn = ROWS_PER_TURN * threads
        for numbers, _, vectors in self._source.after(self._space, growing.last_row):
            for begin in range(0, len(numbers), per_turn):
                job.check()
                growing.add(numbers[begin : begin + per_turn], vectors[begin : begin + per_turn], threads)
                if growing is graph:
                    time.sleep(TURN_PAUSE_S)  # a lock is not fair: a search that waits would wait on
        if self._next is not None:
            with self._lock:
                self._graph, self._next = self._next, None

    def _write(self) -> None:
        graph = self._graph
        if graph is not None and (graph, graph.last_row) != self._saved:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            graph.save(self._path, self._space.fingerprint)
            self._saved = graph, graph.last_row

    def _open(self, rows: Rows) -> None:
        """Read the file, once."""
        if self._is_opened:
            return
        self._is_opened = True
        try:
            graph = HnswIndex.load(self._path, self._space.fingerprint, self._space.dim)
        except IndexStale as stale:
            if self._path.exists():
                log.log(_level_of(stale), "%s: building it from the library", stale)
            return
        if self._agrees(graph, rows):
            self._graph, self._saved = graph, (graph, graph.last_row)
        else:
            log.warning("%s is of another state of the library: building it anew", self._path)

    def _agrees(self, graph: HnswIndex, rows: Rows) -> bool:
        """Whether a graph from a file fits the library, which may be an older copy, put back: by its size and by some
        vectors, the latest among them, since there two copies would differ."""
        covered = rows.up_to(graph.last_row)
        if covered > len(graph) or graph.last_row > self._source.last_row:
            return False
        places = np.unique(np.linspace(0, covered - 1, min(covered, CHECKED_ROWS)).astype(np.int64))
        for number in rows.numbers[places].tolist():
            found = next(self._source.after(self._space, number - 1, 1), None)
            if found is None or not graph.holds(found[0], found[2]):  # None: it was deleted meanwhile
                return False
        return True

    @staticmethod
    def _is_worn(graph: HnswIndex, rows: Rows) -> bool:
        return len(graph) - rows.up_to(graph.last_row) > REBUILD_ABOVE_DEAD_SHARE * len(graph)


def _is_mostly_before(row: int, matrix: Matrix) -> bool:
    """Whether a matrix that was made for a graph's tail holds much that the graph holds by now."""
    return matrix.after_row > 0 and int(np.searchsorted(matrix.rows, row, side="right")) > TAIL_UP_TO


def _level_of(stale: IndexStale) -> int:
    """How loud the log is about an index file that cannot be used."""
    return logging.INFO if isinstance(stale, IndexOutdated) else logging.WARNING
