"""One sitting of judging as plain values: which item is shown, what was graded or skipped, and the way back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from app.engine.judgingtypes import Mark, PoolItem


@dataclass(frozen=True)
class Step:
    """What was done at once, and the grade that each item had before."""

    query_id: int
    set_id: int
    before: tuple[tuple[int, int | None], ...]


class PoolRound:
    """Rows are places in ``items``, the pool of ``query_id``. Steps and what was skipped are remembered by query and
    item: they outlive a pool that has grown, and the way back leads through all queries of the sitting."""

    def __init__(self) -> None:
        self.query_id = self.set_id = 0
        self.items: list[PoolItem] = []
        self.row = -1
        self.offers_later = False
        """Whether what is marked to be judged later is offered too."""
        self.offers_imported = False
        """Whether what folders or captions have judged is offered too, and counts as left. It is chosen for one set."""
        self._skipped: set[tuple[int, int]] = set()
        self._steps: list[Step] = []
        self._entered: dict[int, int | None] = {}
        """Grades by item that the pool on its way does not know."""

    @property
    def current(self) -> PoolItem | None:
        return self.items[self.row] if 0 <= self.row < len(self.items) else None

    @property
    def dealt_with(self) -> int:
        """How many items have a grade or are marked as unsure, or were judged by folders or captions."""
        return sum(1 for item in self.items if not self.is_left(item))

    @property
    def last_step(self) -> Step | None:
        return self._steps[-1] if self._steps else None

    def begin(self, query_id: int, set_id: int = 1) -> None:
        """Turn to another query, whose pool is not there yet."""
        self.offers_imported = self.offers_imported and set_id == self.set_id
        self.query_id, self.set_id, self.items, self.row = query_id, set_id, [], -1
        self._entered.clear()

    def expect(self) -> None:
        """The pool is asked for now: what is entered from here on may not be in it."""
        self._entered.clear()

    def load(self, items: Iterable[PoolItem]) -> None:
        """Take in the pool, perhaps a newer one, with what was entered since it was asked for; the current item stays
        current if it is still there."""
        before, entered = self.current, self._entered
        self.items = [replace(one, grade=entered.get(one.item.item_id, one.grade)) for one in items]
        self.row = -1 if before is None else self.row_of(before.item.item_id)

    def row_of(self, item_id: int) -> int:
        """The row of an item, -1 if it is not in the pool."""
        return next((row for row, item in enumerate(self.items) if item.item.item_id == item_id), -1)

    def is_left(self, item: PoolItem) -> bool:
        """Whether an item waits to be judged."""
        if item.grade is None and item.imported:
            return self.offers_imported
        return is_left(item.grade)

    def open_rows(self) -> list[int]:
        """The rows that are to be judged now, beginning behind the current one and going round the end."""
        count = len(self.items)
        rows = ((self.row + step) % count for step in range(1, count + 1))
        return [row for row in rows if self._is_open(self.items[row])]

    def next_row(self) -> int | None:
        """The next row that is to be judged."""
        return next(iter(self.open_rows()), None)

    def skipped_in(self, query_id: int) -> int:
        """How many items of a query were skipped."""
        return sum(1 for query, _ in self._skipped if query == query_id)

    def set_grade(self, row: int, grade: int | None) -> None:
        self.items[row] = replace(self.items[row], grade=grade)
        self._entered[self.items[row].item.item_id] = grade

    def step(self, rows: Sequence[int]) -> None:
        """Remember items as they are, before they are graded."""
        self._remember(rows)
        for row in rows:
            self._skipped.discard(self._place(row))

    def skip(self, row: int) -> None:
        """Leave an item as it is; it is not offered again before `offer_left`."""
        self._remember([row])
        if self._is_open(self.items[row]):
            self.put_off([row])

    def put_off(self, rows: Sequence[int]) -> None:
        """Offer items no more before `offer_left`."""
        self._skipped.update(map(self._place, rows))

    def step_back(self) -> Step | None:
        """Forget the last step."""
        if not self._steps:
            return None
        step = self._steps.pop()
        for item_id, _ in step.before:
            self._skipped.discard((step.query_id, item_id))
        return step

    def offer_left(self) -> None:
        """Offer again what was skipped, and what is marked to be judged later."""
        self._skipped.clear()
        self.offers_later = True

    def offer_imported(self) -> None:
        """Offer what folders or captions have judged."""
        self._skipped.clear()
        self.offers_imported = True

    def forget(self, query_id: int) -> None:
        """A query is gone: no way leads back to it."""
        self._steps = [step for step in self._steps if step.query_id != query_id]

    def _remember(self, rows: Sequence[int]) -> None:
        before = tuple((self.items[row].item.item_id, self.items[row].grade) for row in rows)
        self._steps.append(Step(self.query_id, self.set_id, before))

    def _place(self, row: int) -> tuple[int, int]:
        return self.query_id, self.items[row].item.item_id

    def _is_open(self, item: PoolItem) -> bool:
        waits = self.is_left(item) and (item.grade is None or self.offers_later)
        return waits and (self.query_id, item.item.item_id) not in self._skipped


def is_left(grade: int | None) -> bool:
    """Whether this judge has not dealt with an item: it has neither a grade nor the mark `Mark.UNSURE`."""
    return grade is None or grade == Mark.LATER
