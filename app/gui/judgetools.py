"""The tools of judging: who judges, how far judges agree, one result or a grid, and how it goes on."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QMenu, QToolButton, QWidget

from app.engine.judgingtypes import IMPORTED, OWN_JUDGE, JudgingOrder
from app.engine.types import ItemKind
from app.gui import icons, theme
from app.gui.agreement import AgreementLine
from app.gui.engine import Engine
from app.gui.judgesession import JudgeSession

LONGEST_NAME = 60
JUDGE_PX = 150


class JudgeChooser(QComboBox):
    """Who judges: a name of the list or a new one. ``left`` when a person is done with it and wants to judge."""

    left = Signal()

    def __init__(self, session: JudgeSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._line = QLineEdit()
        self.setLineEdit(self._line)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setCompleter(None)  # type: ignore[arg-type]  # else a new name would become the longer one that is known
        self.setFixedWidth(JUDGE_PX)
        self.setAccessibleName(self.tr("Who judges"))
        self.setToolTip(self.tr("Choose who judges, or type another name. Nobody sees what the others said."))
        line = self._line
        line.setMaxLength(LONGEST_NAME)
        line.returnPressed.connect(self._take)
        line.editingFinished.connect(self._take_quietly)
        line.installEventFilter(self)
        self.activated.connect(self._take)
        session.judges_changed.connect(self._fill)
        self._fill()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.FocusIn and watched is self._line:
            self._line.selectAll()
        return super().eventFilter(watched, event)

    def _fill(self) -> None:
        if self._line.isModified() and self._line.hasFocus():  # a name is being typed
            return
        self.blockSignals(True)
        self.clear()
        for judge in self._session.judges or (OWN_JUDGE,):
            if judge != IMPORTED:  # nobody judges as the folders
                self.addItem(self._shown(judge), judge)
        self.setCurrentIndex(self.findData(self._session.judge))
        self.blockSignals(False)

    def _take(self) -> None:
        self._take_quietly()
        self.left.emit()

    def _take_quietly(self) -> None:
        name = " ".join(self.currentText().split())
        self._line.setModified(False)
        own = dict.fromkeys(("", self._shown(OWN_JUDGE).casefold()), OWN_JUDGE)
        known = {judge.casefold(): judge for judge in self._session.judges} | own
        judge = known.get(name.casefold(), name)
        if judge.casefold() != IMPORTED:
            self._session.set_judge(judge)
        self._fill()

    def _shown(self, judge: str) -> str:
        return judge or self.tr("me")


class JudgeTools(QWidget):
    """Signals: ``grid_wanted`` with whether the pool is to be shown as a grid; ``keys_wanted`` for the list of keys;
    ``left`` when a person is done here and wants to judge."""

    grid_wanted = Signal(bool)
    keys_wanted = Signal()
    left = Signal()

    def __init__(self, engine: Engine, session: JudgeSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.judge = JudgeChooser(session)
        self.judge.left.connect(self.left)
        self.agreement = AgreementLine(engine, session)
        self.grid = self._tool("grid", self.tr("Show all results at once (G)"), self.tr("Grid"))
        self.grid.setCheckable(True)
        self.grid.toggled.connect(self.grid_wanted)
        self.sounds = self._tool("sound", "", self.tr("Play sounds at once"))
        self.sounds.setCheckable(True)
        self.sounds.setChecked(True)
        self.sounds.toggled.connect(self._show_sounds)
        self._options = self._tool("gear", self.tr("How judging goes on"), self.tr("How judging goes on"))
        self._options.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._options.setMenu(self._menu())
        keys = self._tool("keys", self.tr("What the keys do (? or F1)"), self.tr("What the keys do"))
        keys.clicked.connect(self.keys_wanted)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.TINY_PX)
        row.addWidget(theme.label(self.tr("Judging as"), theme.Type.CAPTION))
        row.addWidget(self.judge)
        row.addSpacing(theme.TINY_PX)
        row.addWidget(self.agreement, 1, Qt.AlignmentFlag.AlignLeft)
        row.addStretch()
        for tool in (self.sounds, self.grid, self._options, keys):
            row.addWidget(tool)
        self._show_sounds(True)
        self.show_kinds(())

    @property
    def plays_sounds(self) -> bool:
        return self.sounds.isChecked()

    @property
    def plays_films(self) -> bool:
        return self._films.isChecked()

    def show_kinds(self, kinds: Collection[ItemKind]) -> None:
        """What kinds of item are to be judged: where nothing can be heard, nothing is said of it."""
        self.sounds.setVisible(not {ItemKind.AUDIO, ItemKind.FRAME}.isdisjoint(kinds))

    def _menu(self) -> QMenu:
        menu = QMenu(self._options)
        menu.setToolTipsVisible(True)
        orders = QActionGroup(menu)
        for order, words, told in (
            (JudgingOrder.SHUFFLED, self.tr("Shuffled"), self.tr("Queries as they are listed, results in any order")),
            (
                JudgingOrder.DISAGREEMENT,
                self.tr("Most disagreement first"),
                self.tr("First what the models disagree about: it settles soonest which one is better"),
            ),
        ):
            action = menu.addAction(words)
            action.setToolTip(told)
            action.setCheckable(True)
            action.setChecked(order is self._session.order)
            action.setData(order.value)
            orders.addAction(action)
        orders.triggered.connect(self._choose_order)
        menu.addSeparator()
        goes_on = menu.addAction(self.tr("Go on to the next query"))
        goes_on.setCheckable(True)
        goes_on.setChecked(self._session.goes_on)
        goes_on.toggled.connect(self._set_goes_on)
        self._films = menu.addAction(self.tr("Play videos at once, from the moment found"))
        self._films.setCheckable(True)
        self._films.setChecked(True)
        return menu

    def _choose_order(self, action: QAction) -> None:
        self._session.set_order(JudgingOrder(action.data()))

    def _set_goes_on(self, goes_on: bool) -> None:
        self._session.goes_on = goes_on

    def _show_sounds(self, plays: bool) -> None:
        self.sounds.setIcon(icons.icon("sound" if plays else "mute"))
        words = (
            self.tr("Sounds play when they are shown (M)")
            if plays
            else self.tr("Sounds wait to be played, and videos are silent (M)")
        )
        self.sounds.setToolTip(words)

    @staticmethod
    def _tool(icon: str, told: str, name: str) -> QToolButton:
        tool = QToolButton()
        tool.setIcon(icons.icon(icon))
        tool.setToolTip(told)
        tool.setAccessibleName(name)
        return tool
