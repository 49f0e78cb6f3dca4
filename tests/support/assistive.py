"""Using the window as a screen reader or a switch does."""

from __future__ import annotations

from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QWidget


def act(widget: QWidget) -> None:
    """Do the widget's first action: of what can be checked, it is to toggle it, which is no click."""
    actions = QAccessible.queryAccessibleInterface(widget).actionInterface()
    actions.doAction(actions.actionNames()[0])
