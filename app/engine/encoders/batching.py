"""How many samples a network takes at a time: found from the first batches of the real work, on the real device."""

from __future__ import annotations

WORTH = 1.05
"""A doubled batch must be so much faster an item; smaller ones let a search in sooner, and cancelling."""

TIMED_BATCHES = 2
"""Of each size, after one that is not timed: a device's first batch of a size compiles and allocates."""


class BatchSize:
    """Doubles from ``first`` while that pays, up to ``largest``; then stays. Halved when memory runs out.

    ``current`` is what the next batch may hold.
    """

    def __init__(self, first: int, largest: int) -> None:
        self._largest = largest
        self.current = min(first, largest)
        self._settled = self.current == largest
        self._seconds: list[float] = []
        self._slower: tuple[int, float] | None = None

    def took(self, count: int, seconds: float) -> None:
        """Learn from one batch; a part of a batch tells nothing."""
        if self._settled or count != self.current:
            return
        self._seconds.append(seconds)
        if len(self._seconds) <= TIMED_BATCHES:
            return
        per_item_s = min(self._seconds[1:]) / count
        if self._slower and self._slower[1] < per_item_s * WORTH:
            self.current, self._settled = self._slower[0], True
        elif count * 2 > self._largest:
            self._settled = True
        else:
            self._slower = (count, per_item_s)
            self.current = count * 2
            self._seconds = []

    def halve(self, failed: int) -> None:
        """Memory did not hold ``failed`` samples: never take so many again."""
        self.current = max(1, failed // 2)
        self._settled = True
