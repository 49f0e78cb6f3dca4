"""The dialogs that edit a set of test queries, and one query of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from PySide6.QtWidgets import QComboBox, QLineEdit, QPlainTextEdit, QPushButton, QWidget

from app.engine.errors import AppError
from app.engine.judgingtypes import QuerySet, QuerySummary, Scale
from app.engine.types import Modality
from app.gui import theme
from app.gui.modeldialogs import ModelDialog

GUIDELINES_PX, TRANSLATIONS_PX = 88, 64
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
"""A language tag as BCP 47 writes them, without the rarer forms."""

Ended = tuple[Callable[[object], None], Callable[[AppError], None]]
"""What to do once it is saved, and once it is refused."""


def read_translations(text: str) -> dict[str, str]:
    """Lines of ``de: ein rotes Auto`` as words by language tag.

    Raises:
        AppError: a line has another form; it is named.
    """
    found: dict[str, str] = {}
    for line in filter(str.strip, text.splitlines()):
        language, _, words = line.partition(":")
        if not _LANGUAGE.fullmatch(language.strip()) or not words.strip():
            raise AppError("This is no translation", f"Write each as “de: ein rotes Auto”; there is “{line.strip()}”.")
        found[language.strip()] = words.strip()
    return found


def write_translations(translations: Mapping[str, str]) -> str:
    """See `read_translations`."""
    return "\n".join(f"{language}: {' '.join(words.split())}" for language, words in translations.items())


class _EditDialog(ModelDialog):
    """Fields below their names, and a button that saves; what the engine refuses is said in the dialog."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self._closed = False
        self._error = theme.label("", theme.Type.BODY)
        theme.set_role(self._error, "bad")
        self._error.hide()
        self.ok = QPushButton(self.tr("Save"))
        theme.set_role(self.ok, "primary")
        self.ok.clicked.connect(self._save)
        self.finished.connect(self._close)

    @property
    def error(self) -> str:
        return "" if self._error.isHidden() else self._error.text()

    def add_field(self, name: str, field: QWidget) -> None:
        field.setAccessibleName(name)
        self.column.addWidget(theme.label(name, theme.Type.CAPTION))
        self.column.addWidget(field)

    def end(self) -> None:
        """Put the line for errors and the buttons below the fields."""
        self.column.addWidget(self._error)
        self.finish(self.cancel_button(self.tr("Cancel")), self.ok)
        self.ok.setDefault(True)

    def save(self, ended: Ended) -> None:
        """Ask the engine.

        Raises:
            AppError: a field holds what cannot be saved.
        """
        raise NotImplementedError

    def _save(self) -> None:
        self.ok.setEnabled(False)
        self._error.hide()
        try:
            self.save((self._saved, self._refused))
        except AppError as error:
            self._refused(error)

    def _saved(self, _value: object) -> None:
        if not self._closed:
            self.accept()

    def _refused(self, error: AppError) -> None:
        if not self._closed:
            self.ok.setEnabled(True)
            self._error.setText(f"{error.title}. {error.message}")
            self._error.show()

    def _close(self) -> None:
        self._closed = True


SaveSet = Callable[[str, Scale, str, Ended], None]
SaveQuery = Callable[[str, str, dict[str, str], Ended], None]


class SetDialog(_EditDialog):
    """A set's name, scale and guidelines.

    Args:
        before: the set to change; None for a new one.
        save: called with name, scale, guidelines and what to do then.
    """

    def __init__(self, before: QuerySet | None, save: SaveSet, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._send = save
        title = self.tr("Edit “{0}”").format(before.name) if before else self.tr("New set of test queries")
        self.begin(title, self.tr("Queries that belong together: judged on one scale, and measured together."))
        self.name = QLineEdit(before.name if before else "")
        self.scale = QComboBox()
        self.scale.addItem(self.tr("Relevant, or not"), Scale.BINARY)
        self.scale.addItem(self.tr("In grades, from 0 to 3"), Scale.GRADED)
        self.scale.setCurrentIndex(max(0, self.scale.findData(before.scale if before else Scale.BINARY)))
        self.guidelines = _text_field(before.guidelines if before else "", GUIDELINES_PX)
        self.guidelines.setPlaceholderText(self.tr("For queries that say nothing of their own"))
        self.add_field(self.tr("Name"), self.name)
        self.add_field(self.tr("How results are judged"), self.scale)
        self.add_field(self.tr("What counts as relevant?"), self.guidelines)
        self.end()
        self.name.textChanged.connect(self._show_can)
        self._show_can()

    def save(self, ended: Ended) -> None:
        guidelines = self.guidelines.toPlainText().strip()
        self._send(self.name.text().strip(), Scale(self.scale.currentData()), guidelines, ended)

    def _show_can(self) -> None:
        self.ok.setEnabled(bool(self.name.text().strip()))


class QueryDialog(_EditDialog):
    """A query's title, guidelines and, where it has words, their translations.

    Args:
        before: the query as it is.
        save: called with title, guidelines, translations and what to do then.
    """

    def __init__(self, before: QuerySummary, save: SaveQuery, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._send = save
        self.begin(self.tr("Edit this query"), self.tr("What it asks for stays as it is, and so do its judgments."))
        self.title = QLineEdit(before.title)
        self.guidelines = _text_field(before.guidelines, GUIDELINES_PX)
        self.guidelines.setPlaceholderText(self.tr("As “the same kind of dog, in any surroundings”"))
        self.translations = _text_field(write_translations(before.translations), TRANSLATIONS_PX)
        self.translations.setPlaceholderText(self.tr("de: ein rotes Auto\nfr: une voiture rouge"))
        self.add_field(self.tr("Title"), self.title)
        self.add_field(self.tr("What counts as relevant?"), self.guidelines)
        if Modality.TEXT in before.query.modalities:
            self.add_field(self.tr("The words in other languages, one to a line"), self.translations)
        self.end()
        self.title.textChanged.connect(self._show_can)

    def save(self, ended: Ended) -> None:
        translations = read_translations(self.translations.toPlainText())
        self._send(self.title.text().strip(), self.guidelines.toPlainText().strip(), translations, ended)

    def _show_can(self) -> None:
        self.ok.setEnabled(bool(self.title.text().strip()))


def _text_field(text: str, height_px: int) -> QPlainTextEdit:
    field = QPlainTextEdit(text)
    field.setTabChangesFocus(True)
    field.setFixedHeight(height_px)
    return field
