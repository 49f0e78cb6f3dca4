"""The labels of one item, as chips with how sure they are."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QWidget

from app.bridge.client import Call
from app.engine.labeltypes import ItemLabel, LabelStatus
from app.engine.types import Hit, ItemKind
from app.gui import theme, wording
from app.gui.engine import Engine
from app.gui.flow import FlowLayout

CHIP_LETTERS = 26
"""What fits into the pane at its narrowest."""


class LabelChips(QWidget):
    """Hidden while there are none. Signal: ``chosen`` with the name of a label, to find more that have it."""

    chosen = Signal(str)

    def __init__(self, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._call: Call | None = None
        self._item_id = -1
        self._status = LabelStatus(())
        self._flow = FlowLayout(self, theme.TINY_PX)
        self.hide()

    @property
    def words(self) -> tuple[str, ...]:
        """``dog 94 %``: what the chips say."""
        return tuple(chip.text() for chip in self.chips)

    @property
    def chips(self) -> list[QPushButton]:
        items = (self._flow.itemAt(index) for index in range(self._flow.count()))
        return [chip for item in items if item and isinstance(chip := item.widget(), QPushButton)]

    def set_status(self, status: LabelStatus) -> None:
        """The labels there are; whether confidences follow judgments."""
        self._status = status
        if self._item_id >= 0:
            self._ask(self._item_id)

    def show_hit(self, hit: Hit | None) -> None:
        self._clear()
        self._item_id = -1 if hit is None or hit.item_kind is ItemKind.AUDIO else hit.item_id
        if self._item_id >= 0:
            self._ask(self._item_id)

    def _ask(self, item_id: int) -> None:
        if self._call:
            self._call.cancel()
            self._call = None
        if not self._status.labels:
            self._clear()
            return

        def done(labels: tuple[ItemLabel, ...]) -> None:
            if item_id == self._item_id:
                self._show(labels)

        self._call = self._engine.request("labels_of_item", item_id, on_done=done, on_failed=lambda _error: None)

    def _show(self, labels: Sequence[ItemLabel]) -> None:
        self._clear()
        for label in labels:
            chip = QPushButton(f"{wording.short(label.name, CHIP_LETTERS)} {wording.percent(label.confidence)}")
            theme.set_role(chip, "chip")
            chip.setToolTip(f"{self._sure(label)}\n{self.tr('Find more with this label')}")
            chip.clicked.connect(lambda _checked=False, name=label.name: self.chosen.emit(name))
            self._flow.addWidget(chip)
        self.setVisible(bool(labels))
        self.updateGeometry()

    def _sure(self, label: ItemLabel) -> str:
        percent = wording.percent(label.confidence)
        if self._status.calibrated:
            judged = wording.count(self._status.judged, self.tr("judgment"), self.tr("judgments"))
            return self.tr("“{0}” is right with {1}, calibrated by {2}").format(label.name, percent, judged)
        return self.tr("“{0}”, {1}: the model's own figure, not yet judged").format(label.name, percent)

    def _clear(self) -> None:
        while taken := self._flow.takeAt(0):
            if chip := taken.widget():
                chip.hide()
                chip.deleteLater()
        self.hide()
