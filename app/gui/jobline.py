"""One piece of long work in a line: what happens, a bar, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.engine.errors import AppError
from app.engine.jobs import Progress
from app.gui import icons, theme, wording

BAR_STEPS = 1000

Action = tuple[str, Callable[[], None]]


class JobLine(QFrame):
    """Hidden until there is something to say, and once that has been put away. Signals: ``cancel_wanted``; ``changed``
    when something else is said."""

    cancel_wanted = Signal()
    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._act: Callable[[], None] | None = None
        self._stopping = False
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._heading = theme.label("")
        self._words = theme.label("", theme.Type.CAPTION)
        self._words.setWordWrap(True)
        self._action = QPushButton()
        self._cancel = QPushButton(icons.icon("stop"), self.tr("Cancel"))
        self._close = QToolButton()
        self._close.setIcon(icons.icon("close"))
        theme.set_role(self._cancel, "quiet")
        self._action.clicked.connect(self._run)
        self._cancel.clicked.connect(self.cancel_wanted)
        self._close.setToolTip(self.tr("Put this away"))
        self._close.setAccessibleName(self.tr("Put this away"))
        self._close.clicked.connect(self.put_away)
        self._compose()
        self.hide()

    @property
    def text(self) -> str:
        """All that is said now; empty while nothing is shown."""
        said = (self._heading.text(), self._words.text())
        return "" if self.isHidden() else "\n".join(words for words in said if words)

    @property
    def offers_again(self) -> bool:
        """Whether it tells of a failure, with a button to try once more."""
        return not (self.isHidden() or self._action.isHidden()) and self._heading.property("role") == "bad"

    def show_waiting(self, heading: str) -> None:
        """It begins when other work is done."""
        self._stopping = False
        self._show(heading, self.tr("Begins when what is under way is done."), cancel=True)

    def show_progress(self, heading: str, progress: Progress) -> None:
        if self._stopping:  # what was under way when it was cancelled
            return
        words = " · ".join(wording.counts(progress))
        if (heading, words) != (self._heading.text(), self._words.text()) or self._bar.isHidden():
            self._show(heading, words, cancel=True, bar=True)
        show_share(self._bar, progress)

    def show_stopping(self) -> None:
        self._stopping = True
        self._heading.setText(self.tr("Stopping"))
        self._words.setText("")
        self._cancel.setEnabled(False)

    def show_end(self, heading: str, words: str, action: Action | None = None) -> None:
        """It is done; ``action`` is what may come next."""
        self._show(heading, words, action=action)

    def show_error(self, error: AppError, action: Action | None = None, about: str = "") -> None:
        """``about`` is what it belongs to, where that is not seen from the place of the line."""
        said = "\n".join(words for words in (error.message, error.path) if words)
        self._show(f"{about}: {error.title}" if about else error.title, said, action=action, role="bad")

    def put_away(self) -> None:
        self._stopping = False
        self.hide()
        self.changed.emit()

    def put_away_end(self) -> None:
        """Put away what came of it, and leave what is under way."""
        if self._cancel.isHidden():
            self.put_away()

    def _show(
        self,
        heading: str,
        words: str,
        cancel: bool = False,
        bar: bool = False,
        action: Action | None = None,
        role: str = theme.Type.BODY,
    ) -> None:
        if not cancel:
            self._stopping = False
        if self._heading.property("role") != role:
            theme.set_role(self._heading, role)
        self._heading.setText(heading)
        self._words.setText(words)
        self._words.setVisible(bool(words))
        self._bar.setVisible(bar)
        self._cancel.setVisible(cancel)
        self._cancel.setEnabled(True)
        self._close.setVisible(not cancel)
        self._action.setVisible(action is not None)
        said, self._act = action if action else ("", None)
        self._action.setText(said)
        self.setAccessibleName(f"{heading}. {words}")
        self.show()
        self.changed.emit()

    def _run(self) -> None:
        if self._act:
            self._act()

    def _compose(self) -> None:
        said = QVBoxLayout()
        said.setSpacing(2)
        said.addWidget(self._heading)
        said.addWidget(self._words)
        row = QHBoxLayout()
        row.setSpacing(theme.SMALL_PX)
        row.addLayout(said, 1)
        for button in (self._action, self._cancel, self._close):
            row.addWidget(button)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.TINY_PX)
        self._column.addWidget(self._bar)
        self._column.addLayout(row)

    def as_strip(self) -> JobLine:
        """Dressed for the foot of the window."""
        theme.set_role(self, "bar")
        self._column.setContentsMargins(theme.LARGE_PX, theme.TINY_PX, theme.SMALL_PX, theme.TINY_PX)
        return self


def show_share(bar: QProgressBar, progress: Progress) -> None:
    """How much of it is done; where nobody knows, the bar only moves."""
    bar.setRange(0, BAR_STEPS if progress.total else 0)
    if progress.total:
        bar.setValue(progress.done * BAR_STEPS // progress.total)
