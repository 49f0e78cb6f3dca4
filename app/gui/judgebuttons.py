"""The buttons that judge, with their keys on them, and the keys themselves."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.engine.judgingtypes import Scale
from app.gui import icons, theme
from app.gui.grades import GRADES, LATER, UNSURE, Choice


class JudgeButtons(QWidget):
    """Signals: ``chosen`` with a grade or a mark; ``skip_wanted``; ``undo_wanted``."""

    chosen = Signal(int)
    skip_wanted = Signal()
    undo_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scale: Scale | None = None
        self.grades: dict[int, KeyButton] = {}
        self.unsure = self._mark(UNSURE)
        self.later = self._mark(LATER)
        self.skip = KeyButton("skip", self.tr("Skip"), "K", "quiet")
        self.skip.clicked.connect(self.skip_wanted)
        self.undo = KeyButton("undo", self.tr("Undo"), "U", "quiet")
        self.undo.clicked.connect(self.undo_wanted)
        self._grades = QHBoxLayout()
        self._grades.setSpacing(theme.SMALL_PX)
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.TINY_PX)
        row.addLayout(self._grades, 1)
        row.addSpacing(theme.SMALL_PX)
        for button in (self.unsure, self.later, self.skip, self.undo):
            row.addWidget(button)
        self.setMinimumWidth(1)  # where there is not room for all the words, the marks show their icons and keys alone
        self.set_scale(Scale.BINARY)

    def set_scale(self, scale: Scale) -> None:
        """Offer the grades of a scale."""
        if scale is self._scale:
            return
        self._scale = scale
        for button in self.grades.values():
            self._grades.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.grades = {choice.grade: self._grade(choice) for choice in GRADES[scale]}
        for button in self.grades.values():
            self._grades.addWidget(button, 1)
            button.show()  # at once, or it would not count when what has room is reckoned
        self._order()
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        self._order()
        super().showEvent(event)

    def _order(self) -> None:
        """Tab goes through the buttons as they stand, though the grades are made anew with every scale."""
        for before, after in pairwise((self, *self.grades.values(), self.unsure, self.later, self.skip, self.undo)):
            QWidget.setTabOrder(before, after)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def event(self, event: QEvent) -> bool:
        handled = super().event(event)
        if event.type() is QEvent.Type.LayoutRequest:  # a style, a font or other words may take other room
            self._fit()
        return handled

    def _fit(self) -> None:
        """With all words; where they would not fit, first the marks and then the grades show their signs and keys
        alone."""
        marks = [self.unsure, self.later, self.skip, self.undo]
        grades = list(self.grades.values())
        shorts: list[list[KeyButton]] = [[], marks, marks + grades]
        short = next((some for some in shorts if self._needed_px(some) <= self.width()), shorts[-1])
        for button in marks + grades:
            words = button.short if button in short else button.full
            if words != button.text():  # each change asks for the layout anew
                button.setText(words)

    def _needed_px(self, short: list[KeyButton]) -> int:
        """How wide the row would be with these buttons short and the others with all words."""
        change_px = 0
        for button in (self.unsure, self.later, self.skip, self.undo, *self.grades.values()):
            advance = button.fontMetrics().horizontalAdvance
            change_px += advance(button.short if button in short else button.full) - advance(button.text())
        return self._row.sizeHint().width() + change_px

    def set_enabled(self, can_judge: bool, can_undo: bool) -> None:
        for button in (*self.grades.values(), self.unsure, self.later, self.skip):
            button.setEnabled(can_judge)
        self.undo.setEnabled(can_undo)

    def grade_of(self, key: str) -> int | None:
        """The grade that a key gives on the present scale."""
        choices = GRADES[self._scale or Scale.BINARY]
        return next((choice.grade for choice in choices if key in choice.keys), None)

    def _grade(self, choice: Choice) -> KeyButton:
        graded = self._scale is Scale.GRADED
        words = f"{choice.grade} {choice.words}" if graded else choice.words
        button = KeyButton("" if graded else choice.icon, words, choice.keys[0])
        if graded:
            button.short = f"{choice.grade}  ({choice.keys[0]})"
        button.setToolTip(f"{choice.words} ({self.tr(' or ').join(choice.keys)})")
        button.clicked.connect(lambda: self.chosen.emit(choice.grade))
        return button

    def _mark(self, choice: Choice) -> KeyButton:
        button = KeyButton(choice.icon, choice.words, choice.keys[0], "quiet")
        button.clicked.connect(lambda: self.chosen.emit(choice.grade))
        return button


class JudgeKeys(QObject):
    """The keys of a panel. They are the whole window's, so that they work right after a query was chosen in the list;
    those of a hidden panel do nothing, and a text field or a list to choose from with the focus takes letters, the
    space bar and Ctrl+Z for itself."""

    def __init__(self, panel: QWidget, buttons: JudgeButtons, actions: dict[str, Callable[[], None]]) -> None:
        super().__init__(panel)
        self._shortcuts: list[QShortcut] = []
        self._buttons = buttons
        self._skip = actions["K"]
        marks = {choice.keys[0]: choice.grade for choice in (UNSURE, LATER)}
        graded = dict.fromkeys(key for scale in Scale for choice in GRADES[scale] for key in choice.keys)
        for key in graded:
            self._connect(panel, key, partial(self._press, key))
        for key, mark in marks.items():
            self._connect(panel, key, partial(self._buttons.chosen.emit, mark))
        for key, action in actions.items():
            self._connect(panel, key, action)
        self._connect(panel, "Space", self._space)
        QApplication.instance().focusChanged.connect(self._spare)  # type: ignore[union-attr]  # there is a panel

    def _connect(self, panel: QWidget, key: str, action: Callable[[], None]) -> None:
        shortcut = QShortcut(QKeySequence(key), panel)
        shortcut.activated.connect(action)
        self._shortcuts.append(shortcut)

    def _spare(self, _before: QWidget | None, focused: QWidget | None) -> None:
        """A list to choose from opens with the space bar and finds its entries by their letters."""
        for shortcut in self._shortcuts:
            shortcut.setEnabled(not isinstance(focused, QComboBox))

    def _press(self, key: str) -> None:
        grade = self._buttons.grade_of(key)
        if grade is not None:
            self._buttons.chosen.emit(grade)

    def _space(self) -> None:
        """Skip; but the space bar presses the button that has the focus, as everywhere."""
        focused = QApplication.focusWidget()
        if isinstance(focused, QAbstractButton):
            focused.animateClick()
        else:
            self._skip()


def show_keys(parent: QWidget, scale: Scale) -> QDialog:
    """The list of keys, in a window of its own."""
    dialog = QDialog(parent.window())
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(parent.tr("Keys for judging"))
    form = QFormLayout()
    form.setHorizontalSpacing(theme.HUGE_PX)
    rows = [(parent.tr(" or ").join(choice.keys), choice.words) for choice in GRADES[scale]]
    rows += [
        (UNSURE.keys[0], parent.tr("Unsure: cannot be judged, and counts as not judged")),
        (LATER.keys[0], parent.tr("Later: comes again when all else is judged")),
        (parent.tr("K or Space"), parent.tr("Skip: leave it for now")),
        (parent.tr("U or Ctrl+Z"), parent.tr("Undo, also in the query before")),
        (parent.tr("← and →"), parent.tr("Look at another result")),
        ("P", parent.tr("Play or pause")),
        ("M", parent.tr("Sounds play at once, or wait")),
        ("G", parent.tr("All results at once, or one at a time")),
    ]
    for keys, words in rows:
        form.addRow(theme.label(keys, theme.Type.HEADING), theme.label(words))
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.close)
    column = QVBoxLayout(dialog)
    column.setSpacing(theme.MEDIUM_PX)
    column.addLayout(form)
    column.addWidget(buttons)
    dialog.open()
    return dialog


class KeyButton(QPushButton):
    """A button with its key on it."""

    def __init__(self, icon: str, words: str, key: str, role: str = "") -> None:
        super().__init__(f"{words}  ({key})")
        self.full = self.text()
        self.short = f"({key})"
        if icon:
            self.setIcon(icons.icon(icon))
        self.setAccessibleName(words)
        self.setToolTip(f"{words} ({key})")
        theme.set_role(self, role)
