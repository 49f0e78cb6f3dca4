"""Thumbnails for whoever paints them: asked for while painting, fetched in batches, kept while there is room."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal
from PySide6.QtGui import QPixmap

from app.engine.errors import AppError
from app.gui.engine import Engine

BATCH = 32
WAITING_MAX = 256
DECODE_BUDGET_MS = 6
"""Decoding stops after this long in one turn of the event loop, so that scrolling stays smooth."""


class ThumbnailStore(QObject):
    """A cache of pixmaps by item id, least recently used out first.

    ``arrived`` carries the ``set[int]`` of items whose pixmap has just come. The newest wish is served first and the
    oldest of more than `WAITING_MAX` is dropped: what was scrolled past is not fetched, and asks again if it is
    painted again.
    """

    arrived = Signal(object)

    def __init__(self, engine: Engine, parent: QObject | None = None, budget_bytes: int = 192 << 20) -> None:
        super().__init__(parent)
        self._engine = engine
        self._budget_bytes = budget_bytes
        self._held_bytes = 0
        self._pixmaps: OrderedDict[int, QPixmap] = OrderedDict()
        self._waiting: OrderedDict[int, None] = OrderedDict()
        self._asked: set[int] = set()
        self._missing: set[int] = set()
        self._undecoded: dict[int, bytes] = {}
        self._generation = 0
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.timeout.connect(self._work)

    def pixmap(self, item_id: int) -> QPixmap | None:
        """The thumbnail, or None while it is on its way (``arrived`` tells) or if the item has none."""
        if item_id in self._pixmaps:
            self._pixmaps.move_to_end(item_id)
            return self._pixmaps[item_id]
        if item_id not in self._missing and item_id not in self._asked:
            self._waiting[item_id] = None
            self._waiting.move_to_end(item_id)
            if len(self._waiting) > WAITING_MAX:
                self._waiting.popitem(last=False)
            self._wake()
        return None

    def clear(self) -> None:
        """Forget everything, answers under way too: another library's items have the same numbers."""
        self._generation += 1
        self._held_bytes = 0
        for held in (self._pixmaps, self._waiting, self._asked, self._missing, self._undecoded):
            held.clear()

    def _wake(self) -> None:
        if not self._turn.isActive():
            self._turn.start(0)

    def _work(self) -> None:
        if self._undecoded:
            self._decode()
        if self._waiting and not self._asked:
            self._ask()
        if self._undecoded:
            self._wake()

    def _ask(self) -> None:
        newest = [self._waiting.popitem()[0] for _ in range(min(BATCH, len(self._waiting)))]
        self._asked.update(newest)
        generation = self._generation

        def done(answer: Any) -> None:
            if generation == self._generation:
                self._take(newest, answer)

        def failed(_error: AppError) -> None:
            if generation == self._generation:  # they stay blank and are asked for again when next painted
                self._asked.difference_update(newest)

        self._engine.request("thumbnails", tuple(newest), on_done=done, on_failed=failed)

    def _take(self, asked: list[int], answer: dict[int, bytes]) -> None:
        self._missing.update(set(asked) - set(answer))
        self._asked.intersection_update(answer)
        self._undecoded.update(answer)
        self._wake()

    def _decode(self) -> None:
        clock = QElapsedTimer()
        clock.start()
        come = set()
        while self._undecoded and clock.elapsed() < DECODE_BUDGET_MS:
            item_id, encoded = self._undecoded.popitem()
            self._asked.discard(item_id)
            decoded = QPixmap()
            if decoded.loadFromData(encoded):
                self._keep(item_id, decoded)
                come.add(item_id)
            else:
                self._missing.add(item_id)
        if come:
            self.arrived.emit(come)

    def _keep(self, item_id: int, decoded: QPixmap) -> None:
        self._pixmaps[item_id] = decoded
        self._held_bytes += _size_bytes(decoded)
        while self._held_bytes > self._budget_bytes and len(self._pixmaps) > 1:
            _, dropped = self._pixmaps.popitem(last=False)
            self._held_bytes -= _size_bytes(dropped)


def _size_bytes(pixmap: QPixmap) -> int:
    return pixmap.width() * pixmap.height() * 4
