"""The dialog that has the library checked for damage and says what was found."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.engine.errors import AppError
from app.engine.jobs import Progress
from app.engine.librarytypes import VerifyReport
from app.gui import theme
from app.gui.engine import Engine
from app.gui.passingdialog import PassingDialog

WIDTH_PX = 480


class VerifyDialog(PassingDialog):
    """Starts the check at once, and cancels it where it is closed before the end. Deletes itself when it closes.

    Signal: ``checked`` once the check is over: what was damaged may have been mended or taken out.
    """

    checked = Signal()

    def __init__(self, library: str, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Check of “{0}”").format(library))
        self.setMinimumWidth(WIDTH_PX)
        self._heading = theme.label(self.tr("Waiting until nothing else is at work"), theme.Type.HEADING)
        self._words = theme.label(self.tr("Everything that the library holds is read once and compared."))
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 0)
        self._button = QPushButton(self.tr("Cancel"))
        self._button.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(self._button)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.HUGE_PX, theme.LARGE_PX, theme.HUGE_PX, theme.LARGE_PX)
        column.setSpacing(theme.SMALL_PX)
        for widget in (self._heading, self._words, self._bar):
            column.addWidget(widget)
        column.addStretch()
        column.addLayout(buttons)
        self._call = engine.request(
            "verify", on_done=self._show_report, on_failed=self._show_error, on_progress=self._progressed
        )

    @property
    def text(self) -> str:
        """What is said now."""
        return f"{self._heading.text()}\n{self._words.text()}".strip()

    def _progressed(self, progress: Progress) -> None:
        if self._closed:
            return
        self._heading.setText(progress.phase)
        self._bar.setRange(0, progress.total or 0)
        self._bar.setValue(progress.done)

    def _show_report(self, report: VerifyReport) -> None:
        if self._closed:
            return
        sentences = report.sentences
        self._end(self.tr("Damage was found") if sentences else self.tr("Nothing is damaged"), "\n".join(sentences))
        self.checked.emit()

    def _show_error(self, error: AppError) -> None:
        if not self._closed:
            self._end(error.title, "\n".join(words for words in (error.message, error.path) if words))

    def _end(self, heading: str, words: str) -> None:
        self._bar.hide()
        self._heading.setText(heading)
        self._words.setText(words)
        self._words.setVisible(bool(words))
        self._button.setText(self.tr("Close"))
        self._button.setDefault(True)
        if column := self.layout():  # a dialog does not grow by itself for lines that wrap
            self.resize(self.width(), max(self.height(), column.totalHeightForWidth(self.width())))
