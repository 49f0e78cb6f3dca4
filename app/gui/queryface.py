"""What a test query looks like: its picture, its sound to be heard, or its words."""

from __future__ import annotations

import base64

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from app.engine.judgingtypes import QuerySummary
from app.engine.types import Modality, QueryPart
from app.gui import icons, theme
from app.gui.engine import Engine
from app.gui.player import Player
from app.gui.querylist import query_icon

FACE_PX = 64
PICTURE_PX = 104
"""A picture is what results are compared with."""
ICON_PX = 28


class QueryFace(QWidget):
    """A small picture of the query, and a button to hear it where it is a sound."""

    def __init__(self, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._key = ""
        self._part: QueryPart | None = None
        self._icon = ""
        self._side_px = FACE_PX
        self.player = Player(self)
        self.player.playing_changed.connect(self._show_playing)
        self.player.troubled.connect(self.setToolTip)
        self._picture = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._picture.setFixedSize(FACE_PX, FACE_PX)
        theme.set_role(self._picture, "chip")
        self._button = QToolButton()
        self._button.clicked.connect(self._toggle)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.TINY_PX)
        row.addWidget(self._picture)
        row.addWidget(self._button)
        self._show_playing(False)
        self._button.hide()

    def show_query(self, summary: QuerySummary) -> None:
        """Show another query; the same one again changes nothing."""
        if summary.key == self._key:
            return
        self.stop()
        self._key = summary.key
        self._part = next((part for part in summary.query.parts if part.modality is not Modality.TEXT), None)
        self._button.setVisible(self._part is not None and self._part.modality is Modality.AUDIO)
        self._icon = query_icon(summary.query)
        self._side_px = PICTURE_PX if self._part and self._part.modality is Modality.IMAGE else FACE_PX
        self._picture.setFixedSize(self._side_px, self._side_px)
        self._picture.setToolTip("")
        self._draw_icon()
        self._picture.setAccessibleName(summary.title)
        if self._part:
            key = summary.key

            def done(encoded: bytes) -> None:
                if key == self._key:
                    self._show_picture(encoded)

            # Without a preview the icon stays: the file may be on a drive that is not there.
            self._engine.request("query_preview", self._part, on_done=done, on_failed=lambda _error: None)

    def stop(self) -> None:
        self.player.stop()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.PaletteChange:
            self._draw_icon()
        super().changeEvent(event)

    def _draw_icon(self) -> None:
        if self._icon:
            self._picture.setPixmap(icons.pixmap(self._icon, ICON_PX, "muted", self.devicePixelRatioF()))

    def _show_picture(self, encoded: bytes) -> None:
        pixmap = QPixmap()
        if pixmap.loadFromData(encoded):
            ratio = self.devicePixelRatioF()
            fitted = pixmap.scaled(
                QSize(self._side_px, self._side_px) * ratio,
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            fitted.setDevicePixelRatio(ratio)
            self._picture.setPixmap(fitted)
            self._icon = ""
            large = base64.b64encode(encoded).decode()
            self._picture.setToolTip(f'<img src="data:image/jpeg;base64,{large}">')

    def _toggle(self) -> None:
        if self._part and not self.player.path:
            self.player.load(self._part.path, self._part.at_ms)
        self.player.toggle()

    def _show_playing(self, playing: bool) -> None:
        words = self.tr("Stop the query's sound") if playing else self.tr("Play the query's sound")
        self._button.setIcon(icons.icon("pause" if playing else "play"))
        self._button.setToolTip(words)
        self._button.setAccessibleName(words)
