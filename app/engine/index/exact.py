"""The exact scan: every vector compared. The oracle for the approximate index, and the path for small sets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.engine.samples import Vectors

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Items and their cosines, best first; among equals the lower item id is first."""

    ids: Ids
    similarities: npt.NDArray[np.float32]


NOTHING = Neighbours(np.empty(0, np.int64), np.empty(0, np.float32))


def top_k(query: npt.NDArray[np.float32], blocks: Iterable[tuple[Ids, Vectors]], k: int) -> Neighbours:
    """The ``k`` vectors nearest to ``query`` (dim,), a unit vector, in blocks of (ids, unit vectors)."""
    best = NOTHING
    for ids, vectors in blocks:
        best = ranked(np.concatenate((best.ids, ids)), np.concatenate((best.similarities, vectors @ query)), k)
    return best


def ranked(ids: Ids, similarities: npt.NDArray[np.float32], k: int) -> Neighbours:
    """The ``k`` most similar, in order."""
    if k < len(ids):
        # Everything as similar as the k-th stays in, so that equals are told apart by id and not by chance.
        threshold = np.partition(similarities, len(ids) - k)[len(ids) - k]
        kept = similarities >= threshold
        ids, similarities = ids[kept], similarities[kept]
    order = np.lexsort((ids, -similarities))[:k]
    return Neighbours(ids[order], similarities[order])
