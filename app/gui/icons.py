"""The program's own icons: one-colour drawings that take the colour of the text and follow the theme."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QIconEngine, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer

from app.gui import theme
from app.paths import resources_dir


def icon(name: str, colour: str = "") -> QIcon:
    """The drawing ``resources/icons/<name>.svg`` as an icon.

    Args:
        name: the file's name without its ending.
        colour: the name of one of the `theme.Colours`, for example "bad", or a fixed "#rrggbb"; empty: as text.
    """
    return QIcon(_Engine(name, colour))


def pixmap(name: str, size_px: int, colour: str = "", device_pixel_ratio: float = 1.0) -> QPixmap:
    """The drawing at a size in device-independent pixels, for labels and for widgets that paint themselves."""
    return _drawn(
        name, _colour(colour, QIcon.Mode.Normal).rgba(), round(size_px * device_pixel_ratio), device_pixel_ratio
    )


class _Engine(QIconEngine):
    """Colours the drawing when it is painted, so that a change of theme needs no word to any button."""

    def __init__(self, name: str, colour: str) -> None:
        super().__init__()
        self._name = name
        self._colour = colour

    def clone(self) -> QIconEngine:
        return _Engine(self._name, self._colour)

    def isNull(self) -> bool:
        return False

    def actualSize(self, size: QSize, _mode: QIcon.Mode, _state: QIcon.State) -> QSize:
        return size

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, _state: QIcon.State) -> None:
        ratio = painter.device().devicePixelRatioF()
        side_px = min(rect.width(), rect.height())
        drawn = _drawn(self._name, _colour(self._colour, mode).rgba(), round(side_px * ratio), ratio)
        painter.drawPixmap(rect.center() - QPoint((side_px - 1) // 2, (side_px - 1) // 2), drawn)

    def pixmap(self, size: QSize, mode: QIcon.Mode, _state: QIcon.State) -> QPixmap:
        return self.scaledPixmap(size, mode, _state, 1.0)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, _state: QIcon.State, scale: float) -> QPixmap:
        side_px = round(min(size.width(), size.height()) * scale)
        return _drawn(self._name, _colour(self._colour, mode).rgba(), side_px, scale)


def _colour(name: str, mode: QIcon.Mode) -> QColor:
    if mode is QIcon.Mode.Disabled:
        return QGuiApplication.palette().color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.ButtonText)
    return QColor(name if name.startswith("#") else getattr(theme.colours(), name or "text"))


@lru_cache(maxsize=512)
def _drawn(name: str, rgba: int, side_px: int, ratio: float) -> QPixmap:
    made = QPixmap(side_px, side_px)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    QSvgRenderer(str(resources_dir() / "icons" / f"{name}.svg")).render(painter, QRectF(0, 0, side_px, side_px))
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
    painter.fillRect(made.rect(), QColor.fromRgba(rgba))
    painter.end()
    made.setDevicePixelRatio(ratio)
    return made
