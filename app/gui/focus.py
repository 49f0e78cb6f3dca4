"""The order in which Tab goes through widgets that were made later than those after them."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def lead(first: QWidget, parts: Iterable[QWidget]) -> None:
    """Let Tab go from ``first`` through all that these parts hold, in the order in which they were put together. Qt
    would put what is made later at the end of the window."""
    for part in parts:
        for widget in (part, *part.findChildren(QWidget)):
            if widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
                QWidget.setTabOrder(first, widget)
                first = widget
