"""The search index where the data home is. hnswlib is compiled, and has a child's time for itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.engine.checks.places import OTHER_HOME, work_folder
from app.engine.checks.telling import again, detail, fine, problem
from app.engine.checktypes import Finding
from app.engine.encoders.base import unit_rows
from app.engine.errors import IndexStale
from app.engine.index.hnsw import HnswIndex
from app.engine.samples import Vectors

_VECTORS, _DIM = 400, 24


def look(home: Path) -> Finding:
    """Nothing is left behind, and a home that is not there is not made."""
    with work_folder(home) as (folder, where):
        return index(folder, where)


def index(folder: Path, where: str) -> Finding:
    """The search index: built, saved, loaded, asked."""
    key, title = "index", "Search index"
    vectors = _vectors()
    rows = np.arange(1, _VECTORS + 1)
    graph = HnswIndex(_DIM, capacity=8)
    graph.add(rows, vectors, threads=1)
    try:
        graph.save(folder / "space-1.hnsw", "checkup")
        loaded = HnswIndex.load(folder / "space-1.hnsw", "checkup", _DIM)
    except (OSError, IndexStale) as error:
        sentence = f"It cannot be saved and read again {where} ({detail(error)})."
        return problem(
            key, title, sentence, f"Searches work and are slow in large libraries. To mend it, {OTHER_HOME}."
        )
    nearest = [int(loaded.search(vectors[at], 1).ids[0]) for at in range(0, _VECTORS, 16)]
    if nearest != rows[::16].tolist() or not loaded.holds(rows, vectors):
        return problem(key, title, "It finds something else than what was put in.", again())
    return fine(key, title, "Built, saved, read again and asked: it finds what was put in.")


def _vectors() -> Vectors:
    drawn = np.random.default_rng(1).standard_normal((_VECTORS, _DIM))
    return unit_rows(drawn.astype(np.float32))
