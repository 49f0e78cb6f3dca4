"""What is asked above the item: the query, what counts as relevant, and how far the set is judged."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.engine.judgingtypes import QuerySummary
from app.engine.types import Modality
from app.gui import theme
from app.gui.engine import Engine
from app.gui.judgesession import JudgeSession
from app.gui.queryface import QueryFace


class FoldedText(QWidget):
    """A caption of one line; where it is longer a button shows all of it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self._unfolded = False
        self._label = theme.label("", theme.Type.CAPTION)
        self._label.setMinimumWidth(1)  # else what is elided would keep the window wide
        self._more = QPushButton()
        theme.set_role(self._more, "link")
        self._more.clicked.connect(self._toggle)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.TINY_PX)
        row.addWidget(self._label, 1)
        row.addWidget(self._more, 0, Qt.AlignmentFlag.AlignTop)
        self._show()

    def set_text(self, text: str) -> None:
        if text != self._text:
            self._text, self._unfolded = text, False
            self._show()

    @property
    def text(self) -> str:
        return self._text

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show()

    def _toggle(self) -> None:
        self._unfolded = not self._unfolded
        self._show()

    def _show(self) -> None:
        metrics = QFontMetrics(theme.font(theme.Type.CAPTION))
        line = " ".join(self._text.split())
        fits = metrics.horizontalAdvance(line) <= self.width() and line == self._text
        self._more.setVisible(not fits)
        self._more.setText(self.tr("Less") if self._unfolded else self.tr("More"))
        self._more.setAccessibleName(self.tr("Show less of it") if self._unfolded else self.tr("Show all of it"))
        self._label.setWordWrap(self._unfolded or fits)
        room_px = self.width() - self._more.sizeHint().width() - 2 * theme.TINY_PX
        folded = line if fits else metrics.elidedText(line, Qt.TextElideMode.ElideRight, max(0, room_px))
        self._label.setText(self._text if self._unfolded else folded)
        self._label.setAccessibleName(self._text)
        self._label.setToolTip("" if fits or self._unfolded else self._text)


class JudgeHead(QWidget):
    """Shows the query of a `JudgeSession`; `face` plays it where it is a sound."""

    def __init__(self, engine: Engine, session: JudgeSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.face = QueryFace(engine)
        self._question = theme.label("", theme.Type.HEADING)
        self._guidelines = FoldedText()
        self._count = theme.label("", theme.Type.CAPTION)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        counts = QHBoxLayout()
        counts.setSpacing(theme.MEDIUM_PX)
        counts.addWidget(self._count)
        counts.addWidget(self._bar, 1)
        words = QVBoxLayout()
        words.setSpacing(theme.TINY_PX)
        words.addWidget(self._question)
        words.addWidget(self._guidelines)
        words.addLayout(counts)
        words.addStretch()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.MEDIUM_PX)
        row.addWidget(self.face, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        session.counted.connect(self.show_progress)
        session.loaded.connect(self._show_guidelines)
        session.waiting.connect(self.show_progress)
        self._show_guidelines()

    @property
    def question(self) -> str:
        return self._question.text()

    @property
    def guidelines(self) -> str:
        return self._guidelines.text

    @property
    def progress(self) -> str:
        return self._count.text()

    def show_query(self, summary: QuerySummary) -> None:
        self.face.show_query(summary)
        made_of = {part.modality for part in summary.query.parts}
        if made_of == {Modality.IMAGE}:  # a file's name says nothing of what is asked
            question = self.tr("Is this like the picture on the left?")
        elif made_of == {Modality.AUDIO}:
            question = self.tr("Does this sound like the sound on the left?")
        else:
            question = self.tr("Is this a good answer to: “{0}”?").format(summary.title)
        self._question.setText(question)

    def show_progress(self) -> None:
        """How far the set is judged; while that is not known, how far the query is."""
        plan, round_ = self._session.plan, self._session.round
        pooled, done = len(round_.items), round_.dealt_with
        words = self.tr("{0} of {1} judged").format(done, pooled)
        if plan:
            pooled, done, words = plan.pooled, plan.pooled - plan.open(round_), plan.words(round_)
        self._count.setText(words)
        for widget in (self._count, self._bar):
            widget.setVisible(pooled > 0)
        self._bar.setRange(0, max(1, pooled))
        self._bar.setValue(done)
        self._bar.setAccessibleName(words)

    def _show_guidelines(self) -> None:
        guidelines = self._session.guidelines.strip()
        blind = self.tr("Models and ranks are hidden on purpose.")
        self._guidelines.set_text(self.tr("Relevant: {0}").format(guidelines) if guidelines else blind)
        self._question.setToolTip(
            self.tr("Which model found it, and at which rank, is hidden on purpose, so that your judgment is fair.")
        )
