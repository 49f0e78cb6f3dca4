"""One picture or sound of the query, shown as a chip."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QWidget

from app.engine.errors import AppError
from app.engine.types import Modality, QueryPart
from app.gui import icons, theme, wording
from app.gui.engine import Engine

PREVIEW_PX = 28
NAME_PX = 110


class QueryChip(QFrame):
    """A tiny preview, the name, a switch between more and less like this, and a way to take it out.

    Signals: ``changed`` when its weight was turned; ``removed`` when it is to go, with the chip.
    """

    changed = Signal()
    removed = Signal(object)

    def __init__(self, part: QueryPart, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._part = part
        theme.set_role(self, "chip")
        self._preview = QLabel()
        self._preview.setFixedSize(PREVIEW_PX, PREVIEW_PX)
        self._preview.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._has_preview = False
        self._name = theme.label("", theme.Type.CAPTION)
        self._weight = _button(self)
        self._weight.clicked.connect(self._turn)
        self._weight.setVisible(part.modality is Modality.IMAGE)  # a sound stands alone: less of it is nothing
        close = _button(self)
        close.setIcon(icons.icon("close"))
        close.setToolTip(self.tr("Take this out of the query"))
        close.setAccessibleName(self.tr("Take {0} out of the query").format(self.name))
        close.clicked.connect(self._remove)
        row = QHBoxLayout(self)
        row.setContentsMargins(3, 2, 2, 2)
        row.setSpacing(theme.TINY_PX)
        for widget in (self._preview, self._name, self._weight, close):
            row.addWidget(widget)
        self._show_weight()
        self._draw_icon()
        self.set_compact(False)
        engine.request("query_preview", part, on_done=self._show_preview, on_failed=self._show_failure)

    @property
    def part(self) -> QueryPart:
        return self._part

    @property
    def name(self) -> str:
        moment = f" {wording.moment(self._part.at_ms)}" if self._part.at_ms else ""
        return PurePath(self._part.path).name + moment

    def set_compact(self, compact: bool) -> None:
        """Without the name, when chips are many."""
        metrics = QFontMetrics(theme.font(theme.Type.CAPTION))
        self._name.setText(metrics.elidedText(self.name, Qt.TextElideMode.ElideMiddle, NAME_PX))
        self._name.setVisible(not compact)
        self.setToolTip(self._part.path)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.PaletteChange and not self._has_preview:
            self._draw_icon()
        super().changeEvent(event)

    def _turn(self) -> None:
        self._part = replace(self._part, weight=-self._part.weight)
        self._show_weight()
        self.changed.emit()

    def _remove(self) -> None:
        self.removed.emit(self)

    def _show_weight(self) -> None:
        more = self._part.weight > 0
        self._weight.setText("+" if more else "−")
        words = self.tr("More like this. Click for less.") if more else self.tr("Less like this. Click for more.")
        self._weight.setToolTip(words)
        self._weight.setAccessibleName(f"{self.name}: {words}")

    def _draw_icon(self) -> None:
        name = "sound" if self._part.modality is Modality.AUDIO else "image"
        self._preview.setPixmap(icons.pixmap(name, theme.ICON_PX, "muted", self.devicePixelRatioF()))

    def _show_preview(self, encoded: bytes) -> None:
        pixmap = QPixmap()
        if pixmap.loadFromData(encoded):
            ratio = self.devicePixelRatioF()
            side_px = round(PREVIEW_PX * ratio)
            size = QSize(side_px, side_px)
            filled = pixmap.scaled(
                size, Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
            )
            cut = filled.copy((filled.width() - side_px) // 2, (filled.height() - side_px) // 2, side_px, side_px)
            cut.setDevicePixelRatio(ratio)
            self._preview.setPixmap(cut)
            self._has_preview = True

    def _show_failure(self, error: AppError) -> None:
        self._preview.setPixmap(icons.pixmap("warning", theme.ICON_PX, "warning", self.devicePixelRatioF()))
        self._has_preview = True
        self.setToolTip(f"{self._part.path}\n{error.message}")


def _button(parent: QWidget) -> QToolButton:
    button = QToolButton(parent)
    button.setIconSize(QSize(14, 14))
    button.setFixedSize(26, 26)
    return button
