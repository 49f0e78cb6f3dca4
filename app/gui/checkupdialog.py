"""The dialog that has this computer looked at, and says what was found and how to mend what is wrong."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.engine.checktypes import CheckUp, Finding, Verdict
from app.engine.errors import AppError
from app.engine.jobs import Progress
from app.gui import icons, theme
from app.gui.engine import Engine
from app.gui.passingdialog import PassingDialog
from app.gui.windowchecks import own_findings

WIDTH_PX, HEIGHT_PX = 720, 560
_MARKS = {
    Verdict.FINE: ("check", "good"),
    Verdict.NOTE: ("info", "warning"),
    Verdict.PROBLEM: ("cross", "bad"),
}


class CheckUpDialog(PassingDialog):
    """Does not block the window; deletes itself when it closes, and cancels then what is under way.

    Args:
        engine: asked to look, where nothing was found yet.
        found: what the engine has found already; None: it is asked at once.
    """

    def __init__(self, engine: Engine, found: CheckUp | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._found: CheckUp | None = None
        self.setWindowTitle(self.tr("Check of this computer"))
        self.resize(WIDTH_PX, HEIGHT_PX)
        self._heading = theme.label("", theme.Type.HEADING)
        self._words = theme.label("")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._list = QScrollArea()
        self._list.setWidgetResizable(True)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setAccessibleName(self.tr("What was found"))
        self.copy = QPushButton(self.tr("Copy"))
        self.copy.setToolTip(self.tr("Copy all of it as text, to ask somebody for help"))
        self.again = QPushButton(icons.icon("refresh"), self.tr("Check again"))
        self.close_ = QPushButton(self.tr("Close"))
        self._compose()
        self.copy.clicked.connect(self._copy)
        self.again.clicked.connect(self._ask)
        self.close_.clicked.connect(self.reject)
        if found:
            self._show(found)
        else:
            self._ask()

    @property
    def text(self) -> str:
        """All that is said now, a line each."""
        return "\n".join(label.text() for label in self.findChildren(QLabel) if not label.isHidden() and label.text())

    # --- composition -------------------------------------------------------------------------------------------------

    def _compose(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.copy)
        buttons.addWidget(self.again)
        buttons.addStretch()
        buttons.addWidget(self.close_)
        self.close_.setDefault(True)
        for button in (self.copy, self.again):
            button.setAutoDefault(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.LARGE_PX, theme.LARGE_PX, theme.LARGE_PX, theme.LARGE_PX)
        column.setSpacing(theme.SMALL_PX)
        for widget in (self._heading, self._words, self._bar):
            column.addWidget(widget)
        column.addWidget(self._list, 1)
        column.addLayout(buttons)

    # --- asking and answering ----------------------------------------------------------------------------------------

    def _ask(self) -> None:
        self._found = None
        self._list.setWidget(QWidget())
        self._say(self.tr("Looking at this computer"), self.tr("This takes some ten seconds."))
        self._bar.setRange(0, 0)
        self._bar.show()
        self.copy.setEnabled(False)
        self.again.setEnabled(False)
        self._call = self._engine.request(
            "doctor", on_done=self._show, on_failed=self._fail, on_progress=self._progressed
        )

    def _progressed(self, progress: Progress) -> None:
        if self._closed or self._bar.isHidden():
            return
        self._bar.setRange(0, progress.total or 0)
        self._bar.setValue(progress.done)
        if progress.note:
            self._words.setText(progress.note)

    def _fail(self, error: AppError) -> None:
        if not self._closed:
            self._end(error.title, error.message)

    def _show(self, found: CheckUp) -> None:
        if self._closed:
            return
        self._found = found = replace(found, findings=(*found.findings, *own_findings()))
        wrong = sum(finding.verdict is Verdict.PROBLEM for finding in found.findings)
        headings = {
            Verdict.FINE: self.tr("Everything works"),
            Verdict.NOTE: self.tr("Everything works, some of it less well than it could"),
            Verdict.PROBLEM: self.tr("{0} things do not work").format(wrong)
            if wrong > 1
            else self.tr("One thing does not work"),
        }
        self._end(headings[found.worst], f"Semblance {found.program} · {found.system}")
        self._list.setWidget(_rows(found))

    def _end(self, heading: str, words: str) -> None:
        self._bar.hide()
        self._say(heading, words)
        self.copy.setEnabled(self._found is not None)
        self.again.setEnabled(True)

    def _say(self, heading: str, words: str) -> None:
        self._heading.setText(heading)
        self._words.setText(words)

    def _copy(self) -> None:
        if self._found:
            QGuiApplication.clipboard().setText(self._found.text)


def _rows(found: CheckUp) -> QWidget:
    content = QWidget()
    content.setObjectName("content")
    column = QVBoxLayout(content)
    column.setContentsMargins(0, 0, theme.SMALL_PX, 0)
    column.setSpacing(theme.SMALL_PX)
    for finding in found.condensed:
        column.addWidget(FindingRow(finding))
    column.addStretch()
    return content


class FindingRow(QFrame):
    """One finding: its mark, what it is of, what was found, and what to do about it."""

    def __init__(self, finding: Finding, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mark_of = _MARKS[finding.verdict]
        self._mark = QLabel(alignment=Qt.AlignmentFlag.AlignTop)
        self._draw_mark()
        self.setAccessibleName(f"{finding.title}: {finding.sentence} {finding.remedy}".strip())
        lines = QVBoxLayout()
        lines.setSpacing(2)
        lines.addWidget(theme.label(finding.title, theme.Type.HEADING))
        remedy = self.tr("What to do: {0}").format(finding.remedy) if finding.remedy else ""
        for words in (finding.sentence, remedy):
            if words:
                line = theme.label(words)
                line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                lines.addWidget(line)
        row = QHBoxLayout(self)
        is_fine = finding.verdict is Verdict.FINE
        above_px = theme.TINY_PX if is_fine else theme.SMALL_PX
        row.setContentsMargins(theme.MEDIUM_PX, above_px, theme.MEDIUM_PX, above_px)
        row.setSpacing(theme.MEDIUM_PX)
        row.addWidget(self._mark)
        row.addLayout(lines, 1)
        if not is_fine:
            theme.set_role(self, "card")

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.PaletteChange:
            self._draw_mark()
        super().changeEvent(event)

    def _draw_mark(self) -> None:
        name, colour = self._mark_of
        self._mark.setPixmap(icons.pixmap(name, theme.ICON_PX, colour, self.devicePixelRatioF()))
