"""Chooses one of the library's sets of test queries, and has a menu of what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QMenu, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app.engine.evaltypes import QuerySet
from app.gui import theme

SET_ROLE = Qt.ItemDataRole.UserRole
POPUP_PX = 300


def judged_words(judged: int, queries: int) -> str:
    """``12 of 40 judged``."""
    return f"{judged:,} of {queries:,} judged" if queries else "No queries yet"


class SetChooser(QWidget):
    """Signal: ``chosen`` with the id of the `QuerySet` a person turned to."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._box = QComboBox()
        self._box.setAccessibleName(self.tr("Set of test queries"))
        self._box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._box.view().setMinimumWidth(POPUP_PX)  # the names are cut in the column, and not where one chooses
        self._box.view().setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._box.activated.connect(self._tell)
        self._more = QToolButton()
        self._more.setText("⋯")
        self._more.setToolTip(self.tr("New set, import, export, and more"))
        self._more.setAccessibleName(self.tr("What can be done with sets"))
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = QMenu(self._more)
        self._more.setMenu(self.menu)
        self._progress = theme.label("", theme.Type.CAPTION)
        row = QHBoxLayout()
        row.setSpacing(theme.TINY_PX)
        row.addWidget(self._box, 1)
        row.addWidget(self._more)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.TINY_PX)
        column.addLayout(row)
        column.addWidget(self._progress)

    @property
    def current(self) -> QuerySet | None:
        chosen: QuerySet | None = self._box.currentData(SET_ROLE)
        return chosen

    @property
    def sets(self) -> tuple[QuerySet, ...]:
        return tuple(self._box.itemData(row, SET_ROLE) for row in range(self._box.count()))

    @property
    def progress(self) -> str:
        return self._progress.text()

    def set_sets(self, sets: Sequence[QuerySet], wanted: int) -> None:
        """Show these. The one with the id ``wanted`` is current, else the first that has queries, else the first."""
        self._box.blockSignals(True)
        self._box.clear()
        for one in sets:
            self._box.addItem(one.name, one)
            words = judged_words(one.judged, one.queries)
            last = self._box.count() - 1
            self._box.setItemData(last, f"{one.name}\n{words}", Qt.ItemDataRole.ToolTipRole)
            self._box.setItemData(last, f"{one.name}, {words}", Qt.ItemDataRole.AccessibleTextRole)
        ids = [one.id for one in sets]
        filled = next((row for row, one in enumerate(sets) if one.queries), 0 if ids else -1)
        self._box.setCurrentIndex(ids.index(wanted) if wanted in ids else filled)
        self._box.blockSignals(False)
        current = self.current
        self.set_progress(current.judged if current else 0, current.queries if current else 0)

    def set_progress(self, judged: int, queries: int) -> None:
        """How far the current set is judged."""
        self._progress.setText(judged_words(judged, queries))

    def choose(self, set_id: int) -> None:
        """Turn to a set as a person does."""
        row = next((row for row, one in enumerate(self.sets) if one.id == set_id), -1)
        if row >= 0:
            self._box.setCurrentIndex(row)
            self._tell()

    def _tell(self) -> None:
        current = self.current
        if current:
            self.set_progress(current.judged, current.queries)
            self.chosen.emit(current.id)
