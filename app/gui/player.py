"""Playing: a thin wrapper of QMediaPlayer that is made on first need and says in a sentence when it cannot play."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, QUrl, Signal

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QMediaPlayer, QVideoFrame

TICK_MS = 33
"""The backend tells its position ten times a second; between two of its words the cursor is moved by the clock."""


class Player(QObject):
    """Plays one stretch of one file: from ``start_ms`` to ``end_ms``, then goes back to the start and waits.

    QtMultimedia is imported when something is first played or sought: browsing costs nothing, and a computer without
    its system libraries can do everything else. ``moved`` carries the position in milliseconds, ``frame_arrived`` a
    QVideoFrame, ``troubled`` a sentence for the person, and ``rewound`` says that the end was reached.
    """

    moved = Signal(int)
    playing_changed = Signal(bool)
    frame_arrived = Signal(object)
    rewound = Signal()
    troubled = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._media: QMediaPlayer | None = None
        self._path = ""
        self._start_ms = 0
        self._end_ms: int | None = None
        self._position_ms = 0
        self._loaded = False
        self._playing = False
        self._muted = False
        self._since_word = QElapsedTimer()
        self._tick = QTimer(self)
        self._tick.setInterval(TICK_MS)
        self._tick.timeout.connect(self._glide)

    @property
    def playing(self) -> bool:
        return self._playing

    @property
    def path(self) -> str:
        """What `play` plays; empty when nothing is chosen."""
        return self._path

    def load(self, path: str, start_ms: int = 0, end_ms: int | None = None) -> None:
        """Choose what `play` plays. The file is not touched before that."""
        self.stop()
        self._path, self._start_ms, self._end_ms = path, start_ms, end_ms
        self._position_ms = start_ms

    def play_on(self) -> None:
        """Do not end before the file does, wherever `load` said so."""
        self._end_ms = None

    def set_muted(self, muted: bool) -> None:
        """Play without sound, or with it."""
        self._muted = muted
        if self._media and self._media.audioOutput():
            self._media.audioOutput().setMuted(muted)
        elif self._media and self._path and not muted:
            self._give_sound(self._media)

    def play(self) -> None:
        self._go(self._position_ms, play=True)

    def pause(self) -> None:
        self._set_playing(False)
        if self._media and self._loaded:
            self._media.pause()

    def toggle(self) -> None:
        if self._playing:
            self.pause()
        elif self._path:
            self.play()

    def seek(self, position_ms: int) -> None:
        """Go to a moment of the file; a video shows its frame there."""
        if self._path:
            self._go(max(position_ms, self._start_ms if self._end_ms is not None else 0), play=self._playing)

    def stop(self) -> None:
        """Fall silent and let go of the file, so that it can be moved or its drive be unplugged."""
        self._set_playing(False)
        self._loaded = False
        self._path = ""
        if self._media:
            self._media.stop()
            self._media.setSource(QUrl())

    def _go(self, position_ms: int, play: bool) -> None:
        media = self._media or self._make()
        if media is None:
            return
        self._position_ms = position_ms
        self._set_playing(play)
        if self._loaded:
            self._apply(media)
        elif media.source().isEmpty():
            if not self._muted:
                self._give_sound(media)
            media.setSource(QUrl.fromLocalFile(self._path))

    def _apply(self, media: QMediaPlayer) -> None:
        media.setPosition(self._position_ms)
        self._since_word.start()
        if self._playing:
            media.play()
        else:
            media.pause()
        self.moved.emit(self._position_ms)

    def _make(self) -> QMediaPlayer | None:
        try:
            from PySide6.QtMultimedia import QMediaPlayer, QVideoSink
        except ImportError as error:  # QtMultimedia links to the system's PulseAudio library
            library = str(error).partition(":")[0]
            self.troubled.emit(
                self.tr("Playing needs {0}, which is missing. Open the file in another program instead.").format(
                    library
                )
            )
            return None
        media = QMediaPlayer(self)
        if not media.isAvailable():
            self.troubled.emit(self.tr("This computer has no way to play media. Open the file in another program."))
            return None
        sink = QVideoSink(media)
        sink.videoFrameChanged.connect(self._show)
        media.setVideoSink(sink)
        media.positionChanged.connect(self._hear_position)
        media.mediaStatusChanged.connect(self._hear_status)
        media.errorOccurred.connect(self._hear_error)
        self._media = media
        return media

    def _give_sound(self, media: QMediaPlayer) -> None:
        from PySide6.QtMultimedia import QAudioOutput, QMediaDevices

        if QMediaDevices.defaultAudioOutput().isNull():
            self.troubled.emit(
                self.tr("No loudspeaker or headphones were found. Connect them, then choose this again to hear it.")
            )
        elif media.audioOutput() is None:
            media.setAudioOutput(QAudioOutput(media))

    def _show(self, frame: QVideoFrame) -> None:
        if self._loaded and frame.isValid():
            self.frame_arrived.emit(frame)

    def _hear_position(self, position_ms: int) -> None:
        if not self._loaded or not self._playing:
            return
        self._position_ms = position_ms
        self._since_word.start()
        if self._end_ms is not None and position_ms >= self._end_ms:
            self._rewind()
        else:
            self.moved.emit(position_ms)

    def _hear_status(self, status: QMediaPlayer.MediaStatus) -> None:
        states = type(status)
        if status in (states.LoadedMedia, states.BufferedMedia) and self._media and self._path and not self._loaded:
            self._loaded = True
            self._apply(self._media)
        elif status is states.EndOfMedia and self._loaded:
            self._rewind()

    def _hear_error(self, *_what: object) -> None:
        if self._path:
            self._set_playing(False)
            self.troubled.emit(self.tr("This file cannot be played here. Open it in another program to play it."))

    def _rewind(self) -> None:
        self._set_playing(False)
        self._position_ms = self._start_ms
        if self._media:
            self._media.pause()
            self._media.setPosition(self._start_ms)
        self.moved.emit(self._start_ms)
        self.rewound.emit()

    def _glide(self) -> None:
        if not self._loaded:
            return
        position_ms = self._position_ms + self._since_word.elapsed()
        if self._end_ms is not None and position_ms >= self._end_ms:
            self._rewind()
        else:
            self.moved.emit(position_ms)

    def _set_playing(self, playing: bool) -> None:
        if playing:
            self._tick.start()
        else:
            self._tick.stop()
        if playing != self._playing:
            self._playing = playing
            self.playing_changed.emit(playing)
