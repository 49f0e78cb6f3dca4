"""The figures of a view for a spreadsheet: copied, or saved as a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QWidget

from app.engine.errors import AppError
from app.gui import theme


class FigureButtons(QWidget):
    """Two quiet buttons. Signal: ``failed`` with an `AppError` where no file could be written.

    Args:
        as_text: the figures as they are now, with this separator; empty while there are none.
        file_name: what a file is called unless another name is chosen.
    """

    failed = Signal(object)

    def __init__(self, as_text: Callable[[str], str], file_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._as_text = as_text
        self._file_name = file_name
        copy = QPushButton(self.tr("Copy"))
        copy.setToolTip(self.tr("Copy as tab-separated text, to paste into a spreadsheet"))
        copy.clicked.connect(self.copy)
        save = QPushButton(self.tr("Save as CSV…"))
        save.clicked.connect(self.choose_file)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.SMALL_PX)
        self.last = save
        """After which the keyboard goes on."""
        for button in (copy, save):
            theme.set_role(button, "quiet")
            row.addWidget(button)

    def copy(self) -> None:
        """Put the figures on the clipboard as tab-separated text."""
        if text := self._as_text("\t"):
            QGuiApplication.clipboard().setText(text)

    def choose_file(self) -> None:
        """Save the figures as comma-separated text."""
        path, _ = QFileDialog.getSaveFileName(
            self, self.tr("Save the figures"), self._file_name, self.tr("Comma-separated values (*.csv)")
        )
        if path and (text := self._as_text(",")):
            try:
                # A spreadsheet takes a CSV file for UTF-8 only when it begins with this mark.
                Path(path).write_text(text, encoding="utf-8-sig")
            except OSError as error:
                sentence = self.tr("{0}. Choose another folder.").format(error.strerror or error)
                self.failed.emit(AppError(self.tr("The figures could not be saved"), sentence, path))
