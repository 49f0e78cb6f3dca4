"""What a search for neighbours gives, and how it is put in order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Items and their cosines, best first; among equals the lower item id is first."""

    ids: Ids
    similarities: npt.NDArray[np.float32]


NOTHING = Neighbours(np.empty(0, np.int64), np.empty(0, np.float32))


def ranked(ids: Ids, similarities: npt.NDArray[np.float32], k: int) -> Neighbours:
    """The ``k`` most similar, in order."""
    if k < len(ids):
        # Everything as similar as the k-th stays in, so that equals are told apart by id and not by chance.
        threshold = np.partition(similarities, len(ids) - k)[len(ids) - k]
        kept = similarities >= threshold
        ids, similarities = ids[kept], similarities[kept]
    order = np.lexsort((ids, -similarities))[:k]
    return Neighbours(ids[order], similarities[order])
