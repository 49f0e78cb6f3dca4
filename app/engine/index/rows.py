"""What a shelf asks of the store, and which rows a space has at one moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from app.engine.index.exact import Ids
from app.engine.samples import Vectors
from app.engine.types import Space

NO_IDS: Ids = np.empty(0, np.int64)


class VectorSource(Protocol):
    """What a shelf needs of the store; see `app.engine.store.spaces.Spaces`.

    Rows are numbered in the order they are written, and no number is given twice; ``last_row`` is the last one given.
    """

    @property
    def version(self) -> int: ...
    @property
    def rewrites(self) -> int: ...
    @property
    def last_row(self) -> int: ...
    def rows(self, space_id: int, after_row: int = 0) -> tuple[Ids, Ids]: ...
    def after(self, space: Space, row: int, block: int = 4096) -> Iterator[tuple[Ids, Ids, Vectors]]: ...


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows a space has, ascending, and the item of each."""

    version: int
    rewrites: int
    numbers: Ids
    items: Ids

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def last(self) -> int:
        return int(self.numbers[-1]) if len(self) else 0

    def up_to(self, row: int) -> int:
        """How many there are up to a row."""
        return int(np.searchsorted(self.numbers, row, side="right"))

    def of_items(self, items: Ids) -> tuple[Ids, Ids]:
        """The rows of these items (ascending), ascending, and their items; items without one are left out."""
        kept = contains(items, self.items)
        return self.numbers[kept], self.items[kept]

    def items_of(self, rows: Ids) -> tuple[Ids, npt.NDArray[np.bool_]]:
        """The items of these rows, and which of the rows are still there."""
        if len(self) == 0:
            return rows, np.zeros(len(rows), np.bool_)
        places = np.minimum(np.searchsorted(self.numbers, rows), len(self) - 1)
        return self.items[places], self.numbers[places] == rows


def contains(ascending: Ids, wanted: Ids) -> npt.NDArray[np.bool_]:
    """Which of the ``wanted`` are among the ``ascending``."""
    if len(ascending) == 0:
        return np.zeros(len(wanted), np.bool_)
    places = np.minimum(np.searchsorted(ascending, wanted), len(ascending) - 1)
    found: npt.NDArray[np.bool_] = ascending[places] == wanted
    return found
