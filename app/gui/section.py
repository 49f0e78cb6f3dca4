"""A part of a long page: a heading with what can be done beside it, and what is read below it."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QBoxLayout, QVBoxLayout, QWidget

from app.gui import theme
from app.gui.flow import FlowLayout


class Section(QWidget):
    """``note`` is a line below the heading in small letters, that says how to read what follows."""

    def __init__(self, title: str, note: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = theme.label(title, theme.Type.HEADING)
        self._note = theme.label("", theme.Type.CAPTION)
        self._note.setWordWrap(True)
        self._title.setWordWrap(False)
        self._actions = FlowLayout()
        self._head = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._head.setSpacing(theme.SMALL_PX)
        self._head.addWidget(self._title, 1)
        self._head.addLayout(self._actions)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.SMALL_PX)
        self._column.addLayout(self._head)
        self._column.addWidget(self._note)
        self.set_note(note)

    @property
    def title(self) -> str:
        return self._title.text()

    @property
    def note(self) -> str:
        return self._note.text()

    def set_note(self, note: str) -> None:
        self._note.setText(note)
        self._note.setVisible(bool(note))

    def add_action(self, widget: QWidget) -> None:
        """Put a button or a choice beside the heading; they go below it where they have no room."""
        self._actions.addWidget(widget)

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            wanted_px = self._title.sizeHint().width() + self._head.spacing() + self._actions.sizeHint().width()
            directions = QBoxLayout.Direction
            self._head.setDirection(directions.LeftToRight if wanted_px <= self.width() else directions.TopToBottom)
        return super().event(event)

    def add(self, widget: QWidget, stretch: int = 0) -> None:
        self._column.addWidget(widget, stretch)
