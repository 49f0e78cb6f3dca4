"""A table of facts: a name in small letters, and beside it what is so, to be selected and copied."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from app.gui import theme


class Facts(QWidget):
    def __init__(self, rows: Iterable[tuple[str, str]] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, theme.TINY_PX, 0, 0)
        self._grid.setHorizontalSpacing(theme.LARGE_PX)
        self._grid.setVerticalSpacing(theme.TINY_PX)
        self._grid.setColumnStretch(1, 1)
        for name, value in rows:
            words = theme.label(value)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self.add(name, words)

    def add(self, name: str, value: QWidget, fills: bool = True) -> None:
        """One more row; ``fills``: the value takes all the width there is."""
        row = self._grid.rowCount()
        label = theme.label(name, theme.Type.CAPTION)
        self._grid.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(value, row, 1, Qt.AlignmentFlag(0) if fills else Qt.AlignmentFlag.AlignLeft)
