"""One round of judging as plain values: which item is shown, what was graded or skipped, and the way back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app.engine.evaltypes import PoolItem


class PoolRound:
    """Rows are places in ``items``; steps are remembered by item, so that they outlive a pool that has grown."""

    def __init__(self) -> None:
        self.items: list[PoolItem] = []
        self.row = -1
        self._skipped: set[int] = set()
        self._steps: list[tuple[int, int | None]] = []

    @property
    def current(self) -> PoolItem | None:
        return self.items[self.row] if 0 <= self.row < len(self.items) else None

    @property
    def judged(self) -> int:
        """How many items have a grade."""
        return sum(1 for item in self.items if item.grade is not None)

    @property
    def can_undo(self) -> bool:
        return bool(self._steps)

    def load(self, items: Iterable[PoolItem]) -> None:
        """Take in the pool, perhaps a newer one; the current item stays current if it is still there."""
        before = self.current
        self.items = list(items)
        self.row = -1 if before is None else self.row_of(before.item.item_id)

    def row_of(self, item_id: int) -> int:
        """The row of an item, -1 if it is not in the pool."""
        return next((row for row, item in enumerate(self.items) if item.item.item_id == item_id), -1)

    def next_row(self) -> int | None:
        """The next row, round the end, that is neither graded nor skipped."""
        count = len(self.items)
        for row in ((self.row + step) % count for step in range(1, count + 1)):
            if self.items[row].grade is None and self.items[row].item.item_id not in self._skipped:
                return row
        return None

    def set_grade(self, row: int, grade: int | None) -> None:
        self.items[row] = replace(self.items[row], grade=grade)

    def step(self, skipped: bool) -> None:
        """Remember the current item as it is, before it is graded or because it is skipped."""
        if item := self.current:
            item_id = item.item.item_id
            self._steps.append((item_id, item.grade))
            if skipped:
                self._skipped.add(item_id)
            else:
                self._skipped.discard(item_id)

    def step_back(self) -> tuple[int, int | None] | None:
        """Forget the last step: the row it was at (-1: the item has left the pool) and the grade it had before."""
        if not self._steps:
            return None
        item_id, grade = self._steps.pop()
        self._skipped.discard(item_id)
        return self.row_of(item_id), grade

    def offer_skipped(self) -> None:
        """Let `next_row` find what was skipped."""
        self._skipped.clear()
