"""The query: words in a line, and beside them the pictures or the sound to search by, as chips."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QLabel, QLineEdit, QMenu, QToolButton, QWidget

from app.engine.errors import AppError
from app.engine.types import Modality, Query, QueryPart
from app.gui import icons, intake, theme
from app.gui.chips import QueryChip
from app.gui.engine import Engine

NAMED_CHIP_PX, WORDS_PX = 190, 180
"""Chips show their names while there is this much room for each and for the words."""

PICTURES = (
    "*.jpg *.jpeg *.png *.webp *.gif *.bmp *.tif *.tiff *.avif *.heic *.heif "
    "*.mp4 *.mkv *.mov *.avi *.webm *.wmv *.mpg *.mpeg *.ogv"
)
SOUNDS = "*.wav *.flac *.mp3 *.ogg *.oga *.opus *.m4a *.aac *.aiff *.aif *.wma"


class QueryBar(QFrame):
    """Signals: ``typed`` while words are typed; ``submitted`` when the query is to be answered at once (Enter, a chip
    put in or taken out); ``folders_taken`` with paths dropped or pasted; ``failed`` with an `AppError` that tells why
    something that was given is not taken."""

    typed = Signal()
    submitted = Signal()
    folders_taken = Signal(object)
    failed = Signal(object)

    def __init__(self, engine: Engine, pasted_dir: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._pasted_dir = pasted_dir
        self._chips: list[QueryChip] = []
        self.setObjectName("query")
        self.setAcceptDrops(True)
        self._words = QLineEdit()
        self._words.setObjectName("words")
        self._words.setAcceptDrops(False)  # a drop is the whole bar's business
        self._words.setAccessibleName(self.tr("What to search for"))
        self._words.setToolTip(self.tr("Words, in the language of your models (Ctrl+L)"))
        self._words.installEventFilter(self)
        self._words.textEdited.connect(self.typed)
        self._words.textChanged.connect(self._show_state)
        self._words.returnPressed.connect(self.submitted)
        self._add = self._make_add_button()
        self._clear = QToolButton()
        self._clear.setIcon(icons.icon("close"))
        self._clear.setToolTip(self.tr("Clear the query (Esc)"))
        self._clear.setAccessibleName(self.tr("Clear the query"))
        self._clear.clicked.connect(self.clear)
        self._glass = QLabel()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(theme.MEDIUM_PX, theme.TINY_PX, theme.SMALL_PX, theme.TINY_PX)
        self._row.setSpacing(theme.SMALL_PX)
        self._row.addWidget(self._glass)
        self._row.addWidget(self._words, 1)
        self._row.addWidget(self._clear)
        self._row.addWidget(self._add)
        self._draw_glass()
        self._show_state()

    # --- the query ---------------------------------------------------------------------------------------------------

    def query(self) -> Query | None:
        """What is asked for now; None while there is nothing to look *for*."""
        words = self._words.text().strip()
        text = (QueryPart(Modality.TEXT, text=words),) if words else ()
        parts = text + tuple(chip.part for chip in self._chips)
        return Query(parts) if any(part.weight > 0 for part in parts) else None

    @property
    def is_empty(self) -> bool:
        return not self._chips and not self._words.text()

    def set_query(self, query: Query) -> None:
        """Show another query in place of this one and have it answered."""
        self._drop_chips()
        self._words.setText(query.words)
        self.add_parts(part for part in query.parts if part.modality is not Modality.TEXT)

    def add_parts(self, parts: Iterable[QueryPart]) -> None:
        """Put pictures or a sound into the query and have it answered. A sound takes the place of all else; what came
        with it is left out, which is told."""
        given = tuple(parts)
        sound = next((part for part in given if part.modality is Modality.AUDIO), None)
        self._put_in((sound,) if sound else given)
        self.submitted.emit()
        if sound and len(given) > 1:
            self.failed.emit(
                AppError(
                    self.tr("A sound is searched by alone"),
                    self.tr("The other files are left out. Search by them without the sound."),
                )
            )

    def clear(self) -> None:
        self._drop_chips()
        self._words.clear()
        self._show_state()
        self.submitted.emit()

    def focus_words(self) -> None:
        self._words.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._words.selectAll()

    # --- taking things in --------------------------------------------------------------------------------------------

    def choose_picture(self) -> None:
        self._choose(self.tr("Choose a picture to search by"), self.tr("Pictures and videos ({0})").format(PICTURES))

    def choose_sound(self) -> None:
        self._choose(self.tr("Choose a sound to search by"), self.tr("Sounds ({0})").format(SOUNDS))

    def paste(self) -> bool:
        """Take a picture, a file or a folder from the clipboard; False if it holds only words, or nothing."""
        data = QGuiApplication.clipboard().mimeData()
        try:
            taken = intake.from_data(data, self._pasted_dir)
        except AppError as error:
            self.failed.emit(error)
            return True
        return self.take(taken)

    def take(self, taken: intake.Intake) -> bool:
        """Search by what can be searched by, pass folders on and name what is neither; False if there is nothing."""
        if taken.folders:
            self.folders_taken.emit(taken.folders)
        if taken.parts:
            self.add_parts(taken.parts)
        if taken.refused:
            self.failed.emit(self._refusal(taken.refused))
        return bool(taken)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if intake.can_take(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        try:
            self.take(intake.from_data(event.mimeData(), self._pasted_dir))
        except AppError as error:
            self.failed.emit(error)
        event.acceptProposedAction()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._words:
            if event.type() is QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
                return self._key_pressed(event)
            if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
                self.setProperty("active", event.type() is QEvent.Type.FocusIn)
                self.style().polish(self)
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_chips()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.PaletteChange:
            self._draw_glass()
        super().changeEvent(event)

    # --- helpers -----------------------------------------------------------------------------------------------------

    def _key_pressed(self, event: QKeyEvent) -> bool:
        if event.matches(QKeySequence.StandardKey.Paste):
            return self.paste()
        if event.key() == Qt.Key.Key_Backspace and self._chips and not self._words.text():
            self._remove(self._chips[-1])
            return True
        return False

    def _choose(self, title: str, filters: str) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, title, "", filters)
        if paths:
            self.add_parts(intake.from_paths(paths).parts)

    def _refusal(self, paths: Sequence[str]) -> AppError:
        more = self.tr(" and {0} more").format(len(paths) - 1) if len(paths) > 1 else ""
        if intake.is_there(Path(paths[0])):
            title = self.tr("This is no picture, video or sound")
            message = self.tr("Search by a picture, a video or a sound, or drop a folder to add it.")
        else:
            title = self.tr("There is no such file or folder")
            message = self.tr("It may have been moved, renamed or deleted, or lie on a drive that is not there.")
        return AppError(title, message, paths[0] + more)

    def _put_in(self, parts: Iterable[QueryPart]) -> None:
        for part in parts:
            sound = part.modality is Modality.AUDIO
            if sound or any(chip.part.modality is Modality.AUDIO for chip in self._chips):
                self._drop_chips()
            if sound:
                self._words.clear()
            chip = QueryChip(part, self._engine, self)
            chip.changed.connect(self.submitted)
            chip.removed.connect(self._remove)
            self._row.insertWidget(self._row.indexOf(self._words), chip)
            self._chips.append(chip)
        self._show_state()

    def _remove(self, chip: QueryChip) -> None:
        self._chips.remove(chip)
        self._discard(chip)
        self._show_state()
        self.submitted.emit()

    def _drop_chips(self) -> None:
        for chip in self._chips:
            self._discard(chip)
        self._chips.clear()

    def _discard(self, chip: QueryChip) -> None:
        self._row.removeWidget(chip)
        chip.hide()
        chip.deleteLater()

    def _show_state(self) -> None:
        by_sound = any(chip.part.modality is Modality.AUDIO for chip in self._chips)
        self._words.setEnabled(not by_sound)
        if by_sound:
            words = self.tr("Searching by a sound. Take it out to type words.")
        elif self._chips:
            words = self.tr("Add words…")
        else:
            words = self.tr("Search: type words, or drop or paste a picture or a sound")
        self._words.setPlaceholderText(words)
        self._clear.setVisible(not self.is_empty)
        self._fit_chips()

    def _fit_chips(self) -> None:
        compact = self.width() < len(self._chips) * NAMED_CHIP_PX + WORDS_PX
        for chip in self._chips:
            chip.set_compact(compact)

    def _make_add_button(self) -> QToolButton:
        menu = QMenu(self)
        menu.addAction(icons.icon("image"), self.tr("Choose a picture or video…"), self.choose_picture)
        menu.addAction(icons.icon("sound"), self.tr("Choose a sound…"), self.choose_sound)
        menu.addAction(icons.icon("plus"), self.tr("Paste from the clipboard"), self.paste)
        button = QToolButton()
        button.setIcon(icons.icon("image"))
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setToolTip(self.tr("Search by a picture or a sound"))
        button.setAccessibleName(self.tr("Search by a picture or a sound"))
        return button

    def _draw_glass(self) -> None:
        self._glass.setPixmap(icons.pixmap("search", theme.ICON_PX, "muted", self.devicePixelRatioF()))
