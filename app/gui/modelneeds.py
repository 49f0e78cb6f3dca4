"""What a person wants from a model, asked in four questions."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QGridLayout, QPushButton, QWidget

from app.engine.modeltypes import Needs
from app.engine.types import Modality
from app.gui import modelwords, theme
from app.gui.flow import FlowLayout
from app.settings import Settings

KINDS = ((Modality.IMAGE, "Photos and videos"), (Modality.AUDIO, "Sounds"))
LANGUAGES = (*modelwords.OFFERED_LANGUAGES, modelwords.MANY)


def remembered(settings: Settings) -> Needs:
    """The needs that were last said; what cannot be read falls back to the default."""
    known = {str(kind): kind for kind, _words in KINDS}
    kinds = frozenset(known[word] for word in settings.needs_kinds.split() if word in known)
    languages = tuple(tag for tag in settings.needs_languages.split() if tag in LANGUAGES)
    return Needs(
        kinds or frozenset({Modality.IMAGE}),
        settings.needs_by_words,
        languages or ("en",),
        settings.needs_commercial,
    )


def remember(settings: Settings, needs: Needs) -> Settings:
    return replace(
        settings,
        needs_kinds=" ".join(sorted(needs.kinds)),
        needs_by_words=needs.by_words,
        needs_languages=" ".join(needs.languages),
        needs_commercial=needs.commercial,
    )


class NeedsForm(QWidget):
    """Signal: ``changed`` when an answer was changed. At least one kind and one language stay chosen."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kinds = {kind: _switch(self.tr(words)) for kind, words in KINDS}
        self._languages = {tag: _switch(_language(tag)) for tag in LANGUAGES}
        self._words = _switch(self.tr("By words, and by example"))
        self._example = _switch(self.tr("By example only"))
        how = QButtonGroup(self)
        for switch in (self._words, self._example):
            how.addButton(switch)
        self._at_work = QCheckBox(self.tr("I use it at work"))
        self._at_work.setToolTip(self.tr("Only models whose licence allows commercial use"))
        self._language_row = _row(*self._languages.values())
        self._compose()
        self.set_needs(Needs(frozenset({Modality.IMAGE})))
        for switch in (*self._kinds.values(), *self._languages.values()):
            switch.toggled.connect(self._changed)  # by assistive programs without a click
        how.buttonToggled.connect(self._how_toggled)
        self._at_work.toggled.connect(self.changed)

    @property
    def last(self) -> QWidget:
        """The last of the answers to be reached by Tab."""
        return self._at_work

    def needs(self) -> Needs:
        return Needs(
            frozenset(kind for kind, switch in self._kinds.items() if switch.isChecked()),
            self._words.isChecked(),
            tuple(tag for tag, switch in self._languages.items() if switch.isChecked()),
            self._at_work.isChecked(),
        )

    def set_needs(self, needs: Needs) -> None:
        """Show these without telling anyone."""
        self.blockSignals(True)
        for kind, switch in self._kinds.items():
            _set(switch, kind in needs.kinds)
        for tag, switch in self._languages.items():
            _set(switch, tag in needs.languages)
        (self._words if needs.by_words else self._example).setChecked(True)
        self._at_work.setChecked(needs.commercial)
        self._show_languages()
        self.blockSignals(False)

    def _compose(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.LARGE_PX)
        grid.setVerticalSpacing(theme.MEDIUM_PX)
        grid.setColumnStretch(1, 1)
        self._language_label = theme.label(self.tr("My words are in"))
        questions = (
            (theme.label(self.tr("I search")), _row(*self._kinds.values())),
            (theme.label(self.tr("I search them")), _row(self._words, self._example)),
            (self._language_label, self._language_row),
        )
        for row, (label, answers) in enumerate(questions):
            label.setWordWrap(False)
            label.setFixedHeight(self._example.sizeHint().height())  # beside the first line of the answers
            grid.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(answers, row, 1)
        grid.addWidget(self._at_work, len(questions), 1)

    def _how_toggled(self, _button: QPushButton, checked: bool) -> None:
        if checked:
            self._show_languages()
            self.changed.emit()

    def _show_languages(self) -> None:
        for widget in (self._language_label, self._language_row):
            widget.setVisible(self._words.isChecked())

    def _changed(self) -> None:
        """The last one of a row cannot be taken out: nothing at all would be searched."""
        for switches in (self._kinds, self._languages):
            if not any(switch.isChecked() for switch in switches.values()):
                switch = self.sender()
                if isinstance(switch, QPushButton):
                    _set(switch, True)
                return
        self.changed.emit()


def _language(tag: str) -> str:
    return "Others" if tag == modelwords.MANY else modelwords.language(tag)


def _switch(words: str) -> QPushButton:
    switch = QPushButton(words)
    switch.setCheckable(True)
    return switch


def _set(switch: QPushButton, is_on: bool) -> None:
    """Without telling anyone."""
    with QSignalBlocker(switch):
        switch.setChecked(is_on)


def _row(*widgets: QWidget) -> QWidget:
    made = QWidget()
    row = FlowLayout(made)
    for widget in widgets:
        row.addWidget(widget)
    return made
