"""The filter by labels: a button with a list of what pictures were given, and how many."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QMenu, QPushButton, QVBoxLayout, QWidget, QWidgetAction

from app.engine.labeltypes import LabelStatus
from app.gui import theme, wording

NAME_ROLE = Qt.ItemDataRole.UserRole
LIST_PX = QSize(240, 260)
SHOWN_LETTERS, LISTED_LETTERS = 14, 22


class LabelFilter(QPushButton):
    """Signals: ``changed`` when other labels were chosen; ``edit_wanted`` to see or change the list itself."""

    changed = Signal()
    edit_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chosen: tuple[str, ...] = ()
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Labels to find"))
        self.list.setFixedSize(LIST_PX)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemChanged.connect(self._ticked)
        self.any = QPushButton(self.tr("Any label"))
        self.any.clicked.connect(self._choose_any)
        self.edit = QPushButton(self.tr("Edit the labels…"))
        self.edit.clicked.connect(self._edit)
        panel = QWidget()
        column = QVBoxLayout(panel)
        column.setContentsMargins(theme.MEDIUM_PX, theme.MEDIUM_PX, theme.MEDIUM_PX, theme.MEDIUM_PX)
        column.setSpacing(theme.SMALL_PX)
        for widget in (self.list, self.any, self.edit):
            column.addWidget(widget)
        action = QWidgetAction(self)
        action.setDefaultWidget(panel)
        menu = QMenu(self)
        menu.addAction(action)
        menu.aboutToShow.connect(self.list.setFocus)
        self.setMenu(menu)
        theme.set_role(self, "menu")
        self.setToolTip(self.tr("Find only pictures that have any of these labels"))
        self.set_status(LabelStatus(()))

    @property
    def chosen(self) -> tuple[str, ...]:
        """The ticked labels, in the order of the alphabet."""
        return self._chosen

    def set_status(self, status: LabelStatus) -> None:
        """The labels there are; those that were chosen stay so, if they are still among them."""
        counts = {label.name: label.items for label in status.labels}
        self.list.blockSignals(True)
        self.list.clear()
        for name in sorted(counts, key=lambda one: (-counts[one], one.casefold())):
            row = QListWidgetItem(f"{wording.short(name, LISTED_LETTERS)}  {counts[name]:,}")
            row.setData(NAME_ROLE, name)
            row.setToolTip(name)
            row.setFlags(row.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            row.setCheckState(Qt.CheckState.Checked if name in self._chosen else Qt.CheckState.Unchecked)
            self.list.addItem(row)
        self.list.blockSignals(False)
        self.list.setVisible(bool(counts))
        self.any.setVisible(bool(counts))
        self.edit.setText(self.tr("Edit the labels…") if counts else self.tr("Give pictures labels…"))
        self._note()

    def choose(self, *names: str) -> None:
        """Tick these labels and no others."""
        self.list.blockSignals(True)
        for row in self._rows():
            row.setCheckState(Qt.CheckState.Checked if row.data(NAME_ROLE) in names else Qt.CheckState.Unchecked)
        self.list.blockSignals(False)
        self._note()

    def _rows(self) -> list[QListWidgetItem]:
        return [self.list.item(row) for row in range(self.list.count())]

    def _ticked(self, _row: QListWidgetItem) -> None:
        self._note()

    def _note(self) -> None:
        before = self._chosen
        ticked = [row.data(NAME_ROLE) for row in self._rows() if row.checkState() is Qt.CheckState.Checked]
        self._chosen = tuple(sorted(ticked))
        if not self._chosen:
            words = self.tr("Any label")
        elif len(self._chosen) == 1:
            words = wording.short(self._chosen[0], SHOWN_LETTERS)
        else:
            words = self.tr("{0} labels").format(len(self._chosen))
        self.setText(words)
        self.setAccessibleName(self.tr("Labels: {0}").format(", ".join(self._chosen) or words))
        if self._chosen != before:
            self.changed.emit()

    def _choose_any(self) -> None:
        self.choose()
        self.menu().close()

    def _edit(self) -> None:
        self.menu().close()
        self.edit_wanted.emit()
