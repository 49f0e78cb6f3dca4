"""How far two judges agree, in a line, and in a table for who asks."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.engine.judgingtypes import Agreement, Scale
from app.gui import theme, wording
from app.gui.engine import Engine
from app.gui.grades import verdict
from app.gui.judgesession import JudgeSession

FRAME_PX = 4 * theme.TINY_PX
STRENGTHS = ((0.2, "poor"), (0.4, "fair"), (0.6, "moderate"), (0.8, "good"))
"""Words for a kappa up to so much, above the last "very good" (Altman, Practical Statistics for Medical Research, 1991,
after Landis and Koch)."""

LEAST_FOR_A_WORD = 20
"""Of fewer results the interval is so wide that any word would mislead."""


def strength(kappa: float) -> str:
    """Cohen's kappa in a word."""
    return next((word for limit, word in STRENGTHS if kappa <= limit), "very good")


def kappa_words(agreement: Agreement) -> str:
    """``κ 0.72 (0.55 to 0.88)``: with the interval of 95 %."""
    if agreement.kappa is None:
        return "κ is not defined"
    words = f"κ {_number(agreement.kappa)}"
    if agreement.low is not None and agreement.high is not None:
        words += f" ({_number(agreement.low)} to {_number(agreement.high)})"
    return words


def line_words(agreement: Agreement, name: str) -> str:
    """``Agreement with Ann: good, κ 0.72 (0.55 to 0.88), 40 results``."""
    shared = wording.count(agreement.items, "result", "results")
    if agreement.kappa is None:
        return f"Agreement with {name}: {agreement.agreed} of {shared}"
    word = f"{strength(agreement.kappa)}, " if agreement.items >= LEAST_FOR_A_WORD else ""
    return f"Agreement with {name}: {word}{kappa_words(agreement)}, {shared}"


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


class AgreementLine(QPushButton):
    """Tells of the judge with whom the present one shares most results; hidden where there is none. A click shows the
    table. Before all of the set is judged, so that nobody is swayed, it tells only who asks for it by a click."""

    def __init__(self, engine: Engine, session: JudgeSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._session = session
        self._generation = 0
        self._known: dict[str, Agreement] = {}
        self._of: tuple[int, str, tuple[str, ...]] = (0, "", ())
        """The set, the present judge and the others."""
        self._is_old = True
        self._is_wanted = False
        self._words = ""
        theme.set_role(self, "link")
        self.setMinimumWidth(1)  # else its words would keep the window wide
        self.clicked.connect(self._click)
        self.hide()
        session.changed.connect(self._age)
        session.judges_changed.connect(self._age)
        for signal in (session.judges_changed, session.counted):
            signal.connect(self._follow)

    @property
    def shown(self) -> Agreement | None:
        """The agreement that is told of now."""
        shared = [one for one in self._known.values() if one.items and self._may_tell]
        return max(shared, key=lambda one: one.items, default=None)

    @property
    def _is_done(self) -> bool:
        plan = self._session.plan
        return plan is not None and plan.pooled > 0 and not plan.left

    @property
    def _may_tell(self) -> bool:
        return self._is_wanted or self._is_done

    def ask(self) -> None:
        """Ask anew how far the judges of the set agree with the present one."""
        self._generation += 1
        self._is_old = False
        set_id, judge, others = self._of
        for other in others:
            self._ask(set_id, judge, other)

    def _age(self) -> None:
        self._is_old = True

    def _follow(self) -> None:
        """Another set or judge, or more judgments, as the session has them now."""
        summary, judge = self._session.summary, self._session.judge
        others = tuple(other for other in self._session.judged_by if other != judge) if summary else ()
        of = (summary.set_id if summary else 0, judge, others)
        if of != self._of:  # else what is told stays until it is told anew
            self._of = of
            self._is_old, self._is_wanted = True, False
            self._known.clear()
        if self._is_old and self._is_done:
            self.ask()
        self._show()

    def _click(self) -> None:
        if self._may_tell:
            self.show_table()
        else:
            self._is_wanted = True
            self.ask()

    def _ask(self, set_id: int, judge: str, other: str) -> None:
        generation = self._generation

        def done(agreement: Agreement) -> None:
            if generation == self._generation:
                self._known[other] = agreement
                self._show()

        self._engine.request("evaluations_agreement", set_id, judge, other, on_done=done, on_failed=lambda _error: None)

    def _show(self) -> None:
        shown = self.shown
        waits = bool(self._of[2]) and not self._may_tell
        self.setVisible(shown is not None or waits)
        told = self.tr("Show what either judge said (kappa: 1 is full agreement, 0 that of chance)")
        self._words = line_words(shown, self._name(shown.second)) if shown else ""
        if waits:
            self._words = self.tr("Agreement…")
            told = self.tr("Told when all of the set is judged, so that it sways nobody. Click to see it now.")
        self.setAccessibleName(self._words)
        self.setToolTip(f"{self._words}\n{told}")
        self.updateGeometry()
        self._elide()

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self._words) + FRAME_PX + 2, super().sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        room_px = max(0, self.width() - FRAME_PX)
        self.setText(self.fontMetrics().elidedText(self._words, Qt.TextElideMode.ElideRight, room_px))

    def show_table(self) -> None:
        """Show how often either judge gave each grade."""
        shown = self.shown
        if shown is None:
            return
        dialog = QDialog(self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(self.tr("Agreement of judges"))
        column = QVBoxLayout(dialog)
        column.setSpacing(theme.MEDIUM_PX)
        names = (self._name(shown.first), self._name(shown.second))
        heading = self.tr("{0} and {1}").format(*names)
        column.addWidget(theme.label(heading[:1].upper() + heading[1:], theme.Type.HEADING))
        told = self.tr("The same grade for {0} of {1}. Cohen's {2}, with its interval of 95%.").format(
            shown.agreed, wording.count(shown.items, "result", "results"), kappa_words(shown)
        )
        if shown.kappa is not None and shown.items >= LEAST_FOR_A_WORD:
            told += " " + self.tr("That is {0} agreement beyond chance.").format(strength(shown.kappa))
        column.addWidget(theme.label(told))
        column.addWidget(self._table(shown, names))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(dialog.close)
        column.addWidget(buttons)
        dialog.open()

    def _table(self, agreement: Agreement, names: tuple[str, str]) -> QTableWidget:
        graded = len(agreement.table) > 2
        words = [verdict(grade, Scale.GRADED if graded else Scale.BINARY) for grade in range(len(agreement.table))]
        table = QTableWidget(len(words), len(words))
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        table.setHorizontalHeaderLabels([f"{names[1]}: {word}" for word in words])
        table.setVerticalHeaderLabels([f"{names[0]}: {word}" for word in words])
        for row, counts in enumerate(agreement.table):
            for column, count in enumerate(counts):
                cell = QTableWidgetItem(f"{count:,}")
                cell.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
                table.setItem(row, column, cell)
        table.resizeColumnsToContents()
        table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        width_px = table.verticalHeader().sizeHint().width() + table.horizontalHeader().length()
        height_px = table.horizontalHeader().sizeHint().height() + table.verticalHeader().length()
        table.setFixedHeight(height_px + theme.TINY_PX)
        table.setMinimumWidth(width_px + theme.TINY_PX)
        return table

    def _name(self, judge: str) -> str:
        return wording.judge(judge, self.tr("you"))
