"""The order of tiles: one per file, its further moments behind it, shown or folded away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.engine.types import Hit


@dataclass(frozen=True)
class Tile:
    """One place in the grid. ``folded`` counts the file's further hits behind its best one; ``unfolded`` says that
    they are shown after it; ``further`` that this tile is one of those."""

    hit: Hit
    folded: int = 0
    unfolded: bool = False
    further: bool = False


class Results:
    """The hits of one reply, grouped by file in the order of each file's best hit."""

    def __init__(self, hits: Sequence[Hit] = ()) -> None:
        self._groups: dict[str, list[Hit]] = {}
        for hit in hits:
            self._groups.setdefault(hit.path, []).append(hit)
        self._unfolded: set[str] = set()
        self.hits = len(hits)
        self.tiles: list[Tile] = []
        self._lay_out()

    @property
    def files(self) -> int:
        return len(self._groups)

    @property
    def unfolded(self) -> frozenset[str]:
        """The paths of the files all of whose hits are shown."""
        return frozenset(self._unfolded)

    def unfold(self, paths: frozenset[str]) -> None:
        """Show all hits of these files, as they were shown in an earlier reply."""
        self._unfolded = {path for path in paths if len(self._groups.get(path, ())) > 1}
        self._lay_out()

    def toggle(self, path: str) -> None:
        """Show or fold away the further hits of a file."""
        if len(self._groups.get(path, ())) > 1:
            self._unfolded ^= {path}
            self._lay_out()

    def position(self, item_id: int) -> int | None:
        """Where an item's tile is now."""
        return next((place for place, tile in enumerate(self.tiles) if tile.hit.item_id == item_id), None)

    def _lay_out(self) -> None:
        self.tiles = []
        for path, (best, *further) in self._groups.items():
            unfolded = path in self._unfolded
            self.tiles.append(Tile(best, len(further), unfolded))
            if unfolded:
                self.tiles.extend(Tile(hit, further=True) for hit in further)
