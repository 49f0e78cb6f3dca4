"""The choice of disturbances: a button that says how many, and a menu of boxes to tick that stays open."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget, QWidgetAction

from app.engine.evaltypes import Disturbance
from app.gui import theme
from app.gui.heatmap import groups


class DisturbanceMenu(QPushButton):
    """All are ticked at first; what was unticked stays so. Signal: ``changed``."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.set_role(self, "menu")
        self._offered: tuple[Disturbance, ...] = ()
        self._left_out: set[str] = set()
        self._boxes: dict[str, QCheckBox] = {}
        self._menu = QMenu(self)
        self.setMenu(self._menu)
        self._say()

    @property
    def chosen(self) -> tuple[str, ...]:
        """The keys of those that are ticked."""
        return tuple(one.key for one in self._offered if one.key not in self._left_out)

    @property
    def has_all(self) -> bool:
        return len(self.chosen) == len(self._offered)

    @property
    def boxes(self) -> dict[str, QCheckBox]:
        """The boxes by the disturbances' keys."""
        return self._boxes

    def offer(self, disturbances: Sequence[Disturbance]) -> None:
        """Show these instead of what was shown."""
        if tuple(disturbances) == self._offered:
            return
        self._offered = tuple(disturbances)
        self._menu.clear()
        action = QWidgetAction(self._menu)
        action.setDefaultWidget(self._content())
        self._menu.addAction(action)
        self._say()

    def choose_all(self, ticked: bool) -> None:
        """Tick all boxes, or none."""
        for box in self._boxes.values():
            box.setChecked(ticked)

    def _content(self) -> QWidget:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(theme.MEDIUM_PX, theme.SMALL_PX, theme.MEDIUM_PX, theme.SMALL_PX)
        columns = QHBoxLayout()
        columns.setSpacing(theme.HUGE_PX)
        self._boxes = {}
        for kind, name in groups().items():
            if of_kind := [one for one in self._offered if one.modality is kind]:
                columns.addLayout(self._group(name, of_kind))
        column.addLayout(columns)
        links = QHBoxLayout()
        for words, ticked in ((self.tr("All"), True), (self.tr("None"), False)):
            link = QPushButton(words)
            theme.set_role(link, "link")
            link.clicked.connect(lambda _checked=False, ticked=ticked: self.choose_all(ticked))
            links.addWidget(link)
        links.addStretch()
        column.addLayout(links)
        return content

    def _group(self, name: str, disturbances: Sequence[Disturbance]) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(theme.TINY_PX)
        column.addWidget(theme.label(name, theme.Type.CAPTION))
        for one in disturbances:
            box = QCheckBox(one.name.replace("&", "&&"))
            box.setChecked(one.key not in self._left_out)
            box.toggled.connect(lambda ticked, key=one.key: self._tick(key, ticked))
            self._boxes[one.key] = box
            column.addWidget(box)
        column.addStretch()
        return column

    def _tick(self, key: str, ticked: bool) -> None:
        if ticked:
            self._left_out.discard(key)
        else:
            self._left_out.add(key)
        self._say()
        self.changed.emit()

    def _say(self) -> None:
        count, of = len(self.chosen), len(self._offered)
        words = self.tr("All disturbances") if count == of else self.tr("{0} of {1} disturbances").format(count, of)
        self.setText(words)
        self.setEnabled(of > 0)
