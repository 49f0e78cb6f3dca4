"""A list whose cells are the items of a pool, each with its verdict: what the strip and the grid share."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from app.engine.judgingtypes import PoolItem, Scale
from app.gui import wording
from app.gui.grades import verdict
from app.gui.offline import Offline
from app.gui.thumbnails import ThumbnailStore

ITEM_ROLE = Qt.ItemDataRole.UserRole


class PoolList(QListWidget):
    """Signal ``moved`` with the row a person went to."""

    moved = Signal(int)

    def __init__(self, thumbnails: ThumbnailStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scale = Scale.BINARY
        self.offline = Offline()
        self.setUniformItemSizes(True)
        self.currentRowChanged.connect(self.moved)
        thumbnails.arrived.connect(self._repaint)

    def show_items(self, items: Sequence[PoolItem], scale: Scale) -> None:
        self.scale = scale
        self.blockSignals(True)
        self.clear()
        for item in items:
            cell = QListWidgetItem()
            self.addItem(cell)
            self._describe(cell, item)
        self.blockSignals(False)

    def show_item(self, row: int, item: PoolItem) -> None:
        """A new verdict on one item."""
        if cell := self.item(row):
            self._describe(cell, item)

    def set_offline(self, offline: Offline) -> None:
        """Grey what cannot be reached now."""
        self.offline = offline
        for row in range(self.count()):
            self._describe(self.item(row), self.item(row).data(ITEM_ROLE))

    def go(self, row: int) -> None:
        """Make a row current without saying that a person went there."""
        self.blockSignals(True)
        self.setCurrentRow(row)
        self.blockSignals(False)
        if cell := self.currentItem():
            self.reveal(cell)
        self.viewport().update()

    def reveal(self, cell: QListWidgetItem) -> None:
        """Scroll to a cell."""
        self.scrollToItem(cell)

    def _describe(self, cell: QListWidgetItem, item: PoolItem) -> None:
        """Let a cell hold an item and say what it is."""
        words = f"{wording.spoken(item.item)}, {verdict(item.grade, self.scale)}"
        if away := self.offline.root_of(item.item.path):
            told = self.tr("{0} is not there now. Connect its drive to open this file.").format(away)
            words = f"{words}\n{told}"
        cell.setData(ITEM_ROLE, item)
        cell.setData(Qt.ItemDataRole.AccessibleTextRole, words)
        cell.setToolTip(words)

    def _repaint(self, _arrived: object) -> None:
        self.viewport().update()
