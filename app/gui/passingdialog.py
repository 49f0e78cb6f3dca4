"""A dialog that asks the engine and may be closed before the answer is there."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QWidget

from app.bridge.client import Call


class PassingDialog(QDialog):
    """Deletes itself when it closes, and cancels then what is under way. An answer that comes after that finds nobody:
    who takes one looks at ``_closed``."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._call: Call | None = None
        self._closed = False
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def done(self, result: int) -> None:
        self._closed = True
        if self._call and not self._call.future.done():
            self._call.cancel()
        super().done(result)
