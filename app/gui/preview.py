"""One item as large as there is room: a picture, a video from the found moment, a sound with its waveform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QSlider, QToolButton, QVBoxLayout, QWidget

from app.bridge.client import Call
from app.engine.errors import AppError
from app.engine.types import Hit, ItemDetails, ItemKind
from app.gui import desktop, icons, theme, wording
from app.gui.canvas import Canvas
from app.gui.engine import Engine
from app.gui.player import Player
from app.gui.thumbnails import ThumbnailStore

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QVideoFrame

SEEK_STEP_MS = 1000


class Preview(QWidget):
    """Asks the engine for an item and shows it; nothing of an earlier item is left playing. A video plays to its end,
    or with ``film_ms`` only so long from the moment found; who seeks in it sees all of it.

    Signals: ``described`` with the item's `ItemDetails`, ``failed`` with the `AppError` when there are none,
    ``playing_changed``.
    """

    described = Signal(object)
    failed = Signal(object)
    playing_changed = Signal(bool)

    def __init__(
        self,
        engine: Engine,
        thumbnails: ThumbnailStore,
        film_ms: int | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._thumbnails = thumbnails
        self._film_ms = film_ms
        self._hit: Hit | None = None
        self._details: ItemDetails | None = None
        self._call: Call | None = None
        self._ahead: dict[int, ItemDetails | None] = {}
        self._library = 0
        self._first_frame = QPixmap()
        self.player = Player(self)
        self.canvas = Canvas()
        self._button = QToolButton()
        self._button.clicked.connect(self.toggle_play)
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setAccessibleName(self.tr("Position"))
        self._slider.setSingleStep(SEEK_STEP_MS)
        self._time = theme.label("", theme.Type.CAPTION)
        self._controls = QWidget()
        self._sentence = theme.label("", theme.Type.CAPTION)
        self._sentence.setWordWrap(True)
        self._sentence.hide()
        self._compose()
        self._connect()
        self._show_playing(False)

    @property
    def sentence(self) -> str:
        """What is said below the picture now, if anything."""
        return "" if self._sentence.isHidden() else self._sentence.text()

    @property
    def playable(self) -> bool:
        return self._hit is not None and self._hit.item_kind is not ItemKind.PHOTO

    def show_hit(self, hit: Hit | None) -> None:
        """Show another item, or none. What is known of it is shown at once, the rest when the engine has answered."""
        self.stop()
        if self._call:
            self._call.cancel()
            self._call = None
        self._hit, self._details = hit, None
        self._say("")
        self._controls.setVisible(self.playable)
        self.canvas.set_cursor(0.0 if hit and hit.item_kind is ItemKind.AUDIO else None)
        self.canvas.show_pixmap((hit and self._thumbnails.pixmap(hit.item_id)) or QPixmap())
        self.canvas.setAccessibleName(wording.spoken(hit) if hit else "")
        if hit:
            self._set_range(hit.start_ms or 0, hit.end_ms or hit.start_ms or 0)
            ahead = self._ahead.pop(hit.item_id, None)
            if ahead:
                self._show_details(ahead)
            else:
                self._ask(hit)

    def prefetch(self, hits: Sequence[Hit]) -> None:
        """Ask ahead for what will be shown next, so that it is there at once; what was asked for before is dropped."""
        wanted = {hit.item_id for hit in hits}
        self._ahead = {item_id: details for item_id, details in self._ahead.items() if item_id in wanted}
        for item_id in wanted - set(self._ahead):
            self._ahead[item_id] = None
            self._thumbnails.pixmap(item_id)
            self._fetch(item_id)

    def leave_library(self) -> None:
        """Another library is opened, where the same ids name other items."""
        self._library += 1
        self._ahead.clear()
        self.show_hit(None)

    def _fetch(self, item_id: int) -> None:
        library = self._library

        def done(details: ItemDetails) -> None:
            if library == self._library and item_id in self._ahead:
                self._ahead[item_id] = details

        def failed(_error: AppError) -> None:  # told when it is shown
            if library == self._library:
                self._ahead.pop(item_id, None)

        self._engine.request("details", item_id, on_done=done, on_failed=failed)

    def stop(self) -> None:
        """Fall silent and let go of the file."""
        self.player.stop()

    def toggle_play(self) -> None:
        """Play or pause, where there is something to play."""
        if self.playable and self._details and self._details.present:
            if not self.player.path:
                self._load(self._details)
            self.player.toggle()

    def show_away(self, root: str) -> None:
        """Say at once that the file cannot be opened, because this folder is not there."""
        self._say(self.tr("The file is out of reach: {0} is not there now. Connect its drive to open it.").format(root))

    def open_externally(self) -> None:
        if self._details and not self._details.present:  # what is said below the picture says why
            return
        if self._hit and not desktop.open_file(self._hit.path):
            self._say(self.tr("The desktop knows no program that opens this file."))

    def hideEvent(self, event: QHideEvent) -> None:
        if not event.spontaneous():  # a minimised window may go on playing, another page must not
            self.stop()
        super().hideEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and self.playable:
            self.toggle_play()
        else:
            super().keyPressEvent(event)

    def _compose(self) -> None:
        row = QHBoxLayout(self._controls)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.SMALL_PX)
        row.addWidget(self._button)
        row.addWidget(self._slider, 1)
        row.addWidget(self._time)
        self._controls.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SMALL_PX)
        column.addWidget(self.canvas, 1)
        column.addWidget(self._controls)
        column.addWidget(self._sentence)

    def _connect(self) -> None:
        self.canvas.sought.connect(self._seek_share)
        self.canvas.opened.connect(self.open_externally)
        self._slider.valueChanged.connect(self._seek)
        self.player.moved.connect(self._show_position)
        self.player.playing_changed.connect(self._show_playing)
        self.player.frame_arrived.connect(self._show_frame)
        self.player.rewound.connect(self._show_first_frame)
        self.player.troubled.connect(self._say)

    def _ask(self, hit: Hit) -> None:
        def done(details: ItemDetails) -> None:
            if self._hit is hit and self._details is None:  # the same one may have been asked for twice
                self._show_details(details)

        def failed(error: AppError) -> None:
            if self._hit is hit:
                self._say(error.message)
                self.failed.emit(error)

        self._call = self._engine.request("details", hit.item_id, on_done=done, on_failed=failed)

    def _show_details(self, details: ItemDetails) -> None:
        self._call = None
        self._details = details
        self._first_frame = QPixmap()
        if self._first_frame.loadFromData(details.preview):
            self.canvas.show_pixmap(self._first_frame)
        if not details.present and not self.sentence:
            self._say(self.tr("The file is out of reach: its drive or folder is not there now. Connect it to open it."))
        self._button.setEnabled(details.present)
        self._slider.setEnabled(details.present)
        self._set_range(*self._stretch(details))
        self.described.emit(details)

    @staticmethod
    def _stretch(details: ItemDetails) -> tuple[int, int]:
        """What the slider spans, in milliseconds: the window of a sound, the whole of a video."""
        if details.item_kind is ItemKind.AUDIO:
            start_ms = details.start_ms or 0
            return start_ms, details.end_ms or max(details.duration_ms or 0, start_ms)
        return 0, details.duration_ms or details.start_ms or 0

    def _load(self, details: ItemDetails) -> None:
        start_ms = details.start_ms or 0
        end_ms = start_ms + self._film_ms if self._film_ms else None
        self.player.load(details.path, start_ms, details.end_ms if details.item_kind is ItemKind.AUDIO else end_ms)

    def _set_range(self, first_ms: int, last_ms: int) -> None:
        self._slider.blockSignals(True)
        self._slider.setRange(first_ms, max(first_ms, last_ms))
        self._slider.setPageStep(max(SEEK_STEP_MS, (last_ms - first_ms) // 10))
        self._slider.blockSignals(False)
        self._show_position((self._hit.start_ms if self._hit else 0) or 0)

    def _seek_share(self, share: float) -> None:
        first_ms, last_ms = self._slider.minimum(), self._slider.maximum()
        self._slider.setValue(round(first_ms + share * (last_ms - first_ms)))

    def _seek(self, position_ms: int) -> None:
        if not self._details or not self._details.present:
            return
        if not self.player.path:
            self._load(self._details)
        if self._details.item_kind is ItemKind.FRAME:
            self.player.play_on()
        self._show_position(position_ms)
        self.player.seek(position_ms)

    def _show_position(self, position_ms: int) -> None:
        first_ms, last_ms = self._slider.minimum(), self._slider.maximum()
        self._slider.blockSignals(True)
        self._slider.setValue(position_ms)
        self._slider.blockSignals(False)
        self._time.setText(f"{wording.moment(position_ms)} / {wording.moment(last_ms)}")
        if self._hit and self._hit.item_kind is ItemKind.AUDIO:
            share = (position_ms - first_ms) / (last_ms - first_ms) if last_ms > first_ms else 0.0
            self.canvas.set_cursor(min(1.0, max(0.0, share)))

    def _show_frame(self, frame: QVideoFrame) -> None:
        if self._hit and self._hit.item_kind is ItemKind.FRAME:
            self.canvas.show_frame(frame)

    def _show_first_frame(self) -> None:
        if not self._first_frame.isNull():
            self.canvas.show_pixmap(self._first_frame)

    def _show_playing(self, playing: bool) -> None:
        words = self.tr("Pause") if playing else self.tr("Play")
        self._button.setIcon(icons.icon("pause" if playing else "play"))
        self._button.setToolTip(self.tr("{0} (Space)").format(words))
        self._button.setAccessibleName(words)
        self.playing_changed.emit(playing)

    def _say(self, sentence: str) -> None:
        self._sentence.setText(sentence)
        self._sentence.setVisible(bool(sentence))
