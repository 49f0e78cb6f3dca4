"""The dialog for how one library is indexed, and what a change means for what it holds."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.engine.errors import AppError
from app.engine.librarytypes import LibraryBackup, LibrarySettings, LibraryStatus
from app.gui import theme, wording
from app.gui.passingdialog import PassingDialog

WIDTH_PX = 560
SECONDS_PX = 110
PATTERNS_PX = 104
LONGEST_S = 3_600.0
"""The engine says what is of use; the fields only keep out what is no time at all."""

Save = Callable[[LibrarySettings, Callable[[], None], Callable[[AppError], None]], None]


class Seconds(QDoubleSpinBox):
    """A time of whole milliseconds, typed and shown in seconds: ``2 s``, ``0.5 s``."""

    def __init__(self, value_ms: int, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDecimals(3)
        self.setRange(0.001, LONGEST_S)
        self.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.setMinimumWidth(SECONDS_PX)
        self.setSuffix(self.tr(" s"))
        self.setValue(value_ms / 1000)
        self.setAccessibleName(name)

    @property
    def value_ms(self) -> int:
        return round(self.value() * 1000)

    def textFromValue(self, value: float) -> str:
        return self.locale().toString(value, "g", 7).replace(self.locale().groupSeparator(), "")


class LibrarySettingsDialog(PassingDialog):
    """Does not block the window; deletes itself when it closes.

    Signal: ``index_wanted`` once the settings are saved and the person wants them applied at once.

    Args:
        library: as it is now.
        save: called with the new settings, and with what to do once they are saved or refused.
    """

    index_wanted = Signal()

    def __init__(self, library: LibraryStatus, save: Save, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        settings = library.settings
        self._before = settings
        self._save = save
        self.setWindowTitle(self.tr("Settings of “{0}”").format(library.name))
        self.setMinimumWidth(WIDTH_PX)
        self.resize(WIDTH_PX, 0)
        self._interval = Seconds(settings.frame_interval_ms, self.tr("Frame interval"))
        self._window = Seconds(settings.window_ms, self.tr("Audio window"))
        self._patterns = QPlainTextEdit("\n".join(settings.excluded))
        self._patterns.setAccessibleName(self.tr("Excluded patterns"))
        self._patterns.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._patterns.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._patterns.setTabChangesFocus(True)
        self._patterns.setPlaceholderText("*.gif\nthumbs\nexports/20??")
        self._patterns.setFixedHeight(PATTERNS_PX)
        self._hidden = _check_box(self.tr("Look into hidden files and folders"), settings.hidden)
        self._watch = _check_box(self.tr("Keep this library current while it is open"), settings.watch)
        self._errors = {field: _error_label() for field in (self._interval, self._window, self._patterns, None)}
        self._effect = theme.label("", theme.Type.BODY)
        self._copies = theme.label(copies(library), theme.Type.CAPTION)
        self._copies.setWordWrap(True)
        self._copies.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._copies.setVisible(bool(self._copies.text()))
        self._index = QPushButton(self.tr("Save and index now"))
        self._only_save = QPushButton(self.tr("Save"))
        self._compose()
        self._connect()
        self._show_effect()

    def settings(self) -> LibrarySettings:
        """What the fields say now. Empty lines are no patterns."""
        lines = (line.strip() for line in self._patterns.toPlainText().splitlines())
        return LibrarySettings(
            frame_interval_ms=self._interval.value_ms,
            window_ms=self._window.value_ms,
            excluded=tuple(dict.fromkeys(line for line in lines if line)),
            hidden=self._hidden.isChecked(),
            watch=self._watch.isChecked(),
        )

    @property
    def error(self) -> str:
        """What is said to be wrong now."""
        return "\n".join(label.text() for label in self._errors.values() if label.text())

    @property
    def effect(self) -> str:
        """What is said to happen to the library."""
        return self._effect.text()

    # --- composition -------------------------------------------------------------------------------------------------

    def _compose(self) -> None:
        times = QGridLayout()
        times.setHorizontalSpacing(theme.LARGE_PX)
        times.setVerticalSpacing(theme.SMALL_PX)
        times.setColumnStretch(2, 1)
        for row, (field, name, why) in enumerate(
            (
                (self._interval, self.tr("&Frame interval"), self.tr("A video gives one picture this often.")),
                (self._window, self.tr("&Audio window"), self.tr("Sounds are cut into pieces of this length.")),
            )
        ):
            label = QLabel(name)
            label.setBuddy(field)
            times.addWidget(label, 2 * row, 0)
            times.addWidget(field, 2 * row, 1)
            hint = theme.label(why, theme.Type.CAPTION)
            hint.setWordWrap(True)
            times.addWidget(hint, 2 * row, 2)
            times.addWidget(self._errors[field], 2 * row + 1, 0, 1, 3)
        patterns = QLabel(self.tr("&Leave out"))
        patterns.setBuddy(self._patterns)
        explained = theme.label(
            self.tr(
                "One pattern a line: * stands for any letters, ? for a single one. A pattern is compared with the "
                "names of files and folders, or, if it holds a slash, with the path below a folder of this library. "
                "For example, thumbs leaves out every folder of that name and *.gif every GIF."
            ),
            theme.Type.CAPTION,
        )
        explained.setWordWrap(True)
        buttons = QHBoxLayout()
        cancel = QPushButton(self.tr("Cancel"))
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        buttons.addStretch()
        for button in (cancel, self._only_save, self._index):
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.HUGE_PX, theme.LARGE_PX, theme.HUGE_PX, theme.LARGE_PX)
        column.setSpacing(theme.SMALL_PX)
        column.addLayout(times)
        column.addSpacing(theme.TINY_PX)
        parts: tuple[QWidget, ...] = (patterns, self._patterns, explained, self._errors[self._patterns])
        for widget in (*parts, self._hidden, self._watch, self._copies, self._effect, self._errors[None]):
            column.addWidget(widget)
        column.addStretch()
        column.addSpacing(theme.SMALL_PX)
        column.addLayout(buttons)

    def _connect(self) -> None:
        for changed in (
            self._interval.valueChanged,
            self._window.valueChanged,
            self._patterns.textChanged,
            self._hidden.toggled,
            self._watch.toggled,
        ):
            changed.connect(self._show_effect)
        self._index.clicked.connect(self._save_and_index)
        self._only_save.clicked.connect(self._save_only)

    # --- saving ------------------------------------------------------------------------------------------------------

    def _show_effect(self) -> None:
        """Say what the change means, and offer to index only where that changes anything."""
        sentences = effect(self._before, self.settings())
        self._effect.setText(" ".join(sentences))
        self._effect.setVisible(bool(sentences))
        self._index.setVisible(bool(sentences))
        theme.set_role(self._index, "primary")
        theme.set_role(self._only_save, "" if sentences else "primary")
        (self._index if sentences else self._only_save).setDefault(True)
        for label in self._errors.values():
            label.setText("")
            label.hide()
        self._fit()

    def _save_and_index(self) -> None:
        self._keep(self._index_and_close)

    def _save_only(self) -> None:
        self._keep(self.accept)

    def _keep(self, then: Callable[[], None]) -> None:
        self._set_saving(True)
        self._save(self.settings(), lambda: None if self._closed else then(), self._show_error)

    def _index_and_close(self) -> None:
        self.index_wanted.emit()
        self.accept()

    def _set_saving(self, saving: bool) -> None:
        for button in (self._index, self._only_save):
            button.setEnabled(not saving)

    def _show_error(self, error: AppError) -> None:
        if self._closed:
            return
        self._set_saving(False)
        field = self._field_of(error)
        label = self._errors[field]
        label.setText("\n".join(word for word in (f"{error.title}. {error.message}", error.path) if word))
        label.show()
        self._fit()
        if field:
            field.setFocus()

    def _fit(self) -> None:
        """Grow where the words need more lines: a dialog does not do so by itself for lines that wrap."""
        if column := self.layout():
            self.resize(self.width(), max(self.height(), column.totalHeightForWidth(self.width())))

    def _field_of(self, error: AppError) -> Seconds | QPlainTextEdit | None:
        """Which field an error is about, by the words the engine uses for the settings."""
        words = (("frame interval", self._interval), ("audio window", self._window), ("pattern", self._patterns))
        return next((field for word, field in words if word in error.title.lower()), None)


def copies(library: LibraryStatus) -> str:
    """What is said of the copies from before upgrades, and of what was set aside by going back to one."""
    before = [
        f"A copy from before the last upgrade ({_age_and_size(copy)}) lies beside the library; delete it when all is "
        f"well: {copy.path}"
        for copy in library.backups
    ]
    newer = [
        f"The newer library from before you went back to a copy ({_age_and_size(copy)}) is kept; delete it when you do "
        f"not want it back: {copy.path}"
        for copy in library.set_aside
    ]
    return "\n".join(before + newer)


def _age_and_size(copy: LibraryBackup) -> str:
    return f"{wording.date_time(copy.changed_ms)}, {wording.size(copy.size_bytes)}"


def effect(before: LibrarySettings, after: LibrarySettings) -> list[str]:
    """What the next indexing does because of a change, in sentences; none if nothing of the library changes."""
    sentences = []
    cut = [
        what
        for what, changed in (
            ("videos", before.frame_interval_ms != after.frame_interval_ms),
            ("sounds and the sound tracks of videos", before.window_ms != after.window_ms),
        )
        if changed
    ]
    if cut:
        sentences.append(
            f"{' and '.join(cut).capitalize()} are cut again at the next indexing; photos keep their vectors."
        )
    if set(before.excluded) != set(after.excluded):
        sentences.append("At the next indexing, files that are left out go from the results, and others come in.")
    if after.hidden and not before.hidden:
        sentences.append("Hidden files come in at the next indexing.")
    if before.hidden and not after.hidden:
        sentences.append("Hidden files go from the results at the next indexing.")
    return sentences


def _check_box(words: str, checked: bool) -> QCheckBox:
    box = QCheckBox(words)
    box.setChecked(checked)
    return box


def _error_label() -> QLabel:
    label = theme.label("", theme.Type.BODY)
    theme.set_role(label, "bad")
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.hide()
    return label
