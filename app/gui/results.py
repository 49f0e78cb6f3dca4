"""The order of tiles: one per file, its further moments behind it, shown or folded away."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import overload

from app.engine.types import Hit


@dataclass(frozen=True)
class Tile:
    """One place in the grid. ``folded`` counts the file's further hits behind its best one; ``unfolded`` says that
    they are shown after it; ``further`` that this tile is one of those."""

    hit: Hit
    folded: int = 0
    unfolded: bool = False
    further: bool = False


class Results(Sequence[Tile]):
    """The tiles of one reply's hits, grouped by file in the order of each file's best hit.

    A tile is made when it is looked at: 100,000 hits take little more room than the hits themselves.
    """

    def __init__(self, hits: Sequence[Hit] = ()) -> None:
        self._best: list[Hit] = []
        self._further: dict[int, list[Hit]] = {}
        self._group: dict[str, int] = {}
        for hit in hits:
            group = self._group.setdefault(hit.path, len(self._best))
            if group == len(self._best):
                self._best.append(hit)
            else:
                self._further.setdefault(group, []).append(hit)
        self.hits = len(hits)
        self._unfold_groups([])

    @property
    def files(self) -> int:
        return len(self._best)

    @property
    def unfolded(self) -> frozenset[str]:
        """The paths of the files all of whose hits are shown."""
        return frozenset(self._best[group].path for group in self._unfolded)

    def unfold(self, paths: frozenset[str]) -> None:
        """Show all hits of these files, as they were shown in an earlier reply."""
        groups = (self._group[path] for path in paths if path in self._group)
        self._unfold_groups([group for group in groups if group in self._further])

    def toggle(self, path: str) -> None:
        """Show or fold away the further hits of a file."""
        group = self._group.get(path)
        if group in self._further:
            self._unfold_groups({*self._unfolded} ^ {group})

    def position(self, item_id: int) -> int | None:
        """Where an item's tile is now."""
        for group, hit in enumerate(self._best):
            if hit.item_id == item_id:
                return self._place(group)
        for group in self._unfolded:
            for at, hit in enumerate(self._further[group], start=1):
                if hit.item_id == item_id:
                    return self._place(group) + at
        return None

    def place_of(self, path: str) -> int:
        """Where the best hit of a file is now."""
        return self._place(self._group[path])

    def __len__(self) -> int:
        return len(self._best) + (self._more_until[-1] if self._more_until else 0)

    @overload
    def __getitem__(self, place: int) -> Tile: ...
    @overload
    def __getitem__(self, place: slice) -> list[Tile]: ...
    def __getitem__(self, place: int | slice) -> Tile | list[Tile]:
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        if not 0 <= place < len(self):
            raise IndexError(place)
        at = bisect_right(self._unfolded_at, place) - 1
        if at < 0:
            return self._best_tile(place)
        beyond = place - self._unfolded_at[at]
        further = self._further[self._unfolded[at]]
        if 0 < beyond <= len(further):
            return Tile(further[beyond - 1], further=True)
        return self._best_tile(self._unfolded[at] + max(0, beyond - len(further)))

    def _best_tile(self, group: int) -> Tile:
        return Tile(self._best[group], len(self._further.get(group, ())), group in self._unfolded)

    def _place(self, group: int) -> int:
        before = bisect_right(self._unfolded, group - 1)
        return group + (self._more_until[before - 1] if before else 0)

    def _unfold_groups(self, groups: Sequence[int] | set[int]) -> None:
        """Note which groups are unfolded, where each begins, and how many more tiles there are up to its end."""
        self._unfolded = sorted(groups)
        self._more_until = list(accumulate(len(self._further[group]) for group in self._unfolded))
        self._unfolded_at = [
            group + until - len(self._further[group])
            for group, until in zip(self._unfolded, self._more_until, strict=True)
        ]
