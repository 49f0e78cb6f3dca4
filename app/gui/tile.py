"""Painting one tile of the grid: the thumbnail with its badges, the file's name, how alike it is and who found it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPainterPath, QPen, QPixmap

from app.engine.types import FoundBy, Hit, ItemKind, MediaKind
from app.gui import icons, theme, wording
from app.gui.results import Tile

PADDING_PX = 6
BADGE_PX = 20
BADGE_GROUND = QColor(12, 14, 20, 190)
BADGE_TEXT = "#ffffff"
AWAY_OPACITY = 0.4
"""Badges lie on pictures of any colour, so they are the same in both themes."""

FOUND_BY = {
    (FoundBy.MEANING,): "meaning",
    (FoundBy.KEYWORDS,): "keywords",
    (FoundBy.MEANING, FoundBy.KEYWORDS): "meaning + keywords",
}


@dataclass(frozen=True)
class State:
    """What the painter must know beside the tile itself."""

    current: bool = False
    focused: bool = False
    hovered: bool = False
    away: bool = False


class TilePainter:
    """Paints tiles of one size; made anew when the size or the font changes."""

    def __init__(self, thumbnail: QSize) -> None:
        self._thumbnail = thumbnail
        self._name_font = theme.font(theme.Type.BODY)
        self._caption_font = theme.font(theme.Type.CAPTION)
        self._badge_font = theme.font(theme.Type.CAPTION, QFont.Weight.DemiBold)
        self._name_px = QFontMetrics(self._name_font).height()
        self._caption_px = QFontMetrics(self._caption_font).height()
        text_px = self._name_px + self._caption_px + theme.TINY_PX
        self.size = QSize(
            thumbnail.width() + 2 * PADDING_PX, thumbnail.height() + theme.TINY_PX + text_px + 2 * PADDING_PX
        )

    def fold_badge(self, cell: QRect, tile: Tile) -> QRect:
        """Where the badge of a file's further moments is, to be clicked; empty if there is none."""
        if not tile.folded:
            return QRect()
        width_px = QFontMetrics(self._badge_font).horizontalAdvance(_fold_words(tile)) + 2 * theme.SMALL_PX
        frame = self._frame(cell)
        return QRect(frame.right() - width_px - 5, frame.top() + 6, width_px, BADGE_PX)

    def paint(self, painter: QPainter, cell: QRect, tile: Tile, pixmap: QPixmap | None, state: State) -> None:
        colours = theme.colours()
        self._paint_ground(painter, cell, tile, state)
        frame = self._frame(cell)
        painter.setOpacity(AWAY_OPACITY if state.away else 1.0)
        paint_thumbnail(painter, frame, pixmap, tile.hit)
        painter.setOpacity(1.0)
        if badge := _badge_words(tile.hit):
            self._paint_badge(painter, frame, tile.hit, badge)
        if tile.folded:
            self._paint_pill(painter, self.fold_badge(cell, tile), _fold_words(tile))
        text = QRect(frame.left() + 2, frame.bottom() + 1 + theme.TINY_PX, frame.width() - 4, self._name_px)
        name_colour = colours.muted if state.away else colours.text
        self._paint_line(painter, text, self._name_font, name_colour, PurePath(tile.hit.path).name)
        text = QRect(text.left(), text.bottom() + 1 + theme.TINY_PX // 2, text.width(), self._caption_px)
        words = f"offline · {caption(tile.hit)}" if state.away else caption(tile.hit)
        self._paint_line(painter, text, self._caption_font, colours.muted, words)

    def _frame(self, cell: QRect) -> QRect:
        return QRect(cell.topLeft() + QPoint(PADDING_PX, PADDING_PX), self._thumbnail)

    def _paint_ground(self, painter: QPainter, cell: QRect, tile: Tile, state: State) -> None:
        colours = theme.colours()
        ground = colours.selection if state.current else colours.raised if state.hovered or tile.further else ""
        painter.setBrush(QColor(ground) if ground else Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(colours.accent), 2) if state.current and state.focused else Qt.PenStyle.NoPen)
        painter.drawRoundedRect(QRectF(cell).adjusted(1, 1, -1, -1), theme.RADIUS_PX + 2, theme.RADIUS_PX + 2)

    def _paint_badge(self, painter: QPainter, frame: QRect, hit: Hit, words: str) -> None:
        width_px = QFontMetrics(self._badge_font).horizontalAdvance(words) + BADGE_PX + theme.SMALL_PX
        pill = QRect(frame.left() + 6, frame.bottom() - BADGE_PX - 5, width_px, BADGE_PX)
        self._paint_pill(painter, pill, words, indent_px=BADGE_PX - theme.TINY_PX)
        ratio = painter.device().devicePixelRatioF()
        name = "video" if hit.kind is MediaKind.VIDEO else "sound"
        painter.drawPixmap(pill.left() + 5, pill.top() + 4, icons.pixmap(name, 12, BADGE_TEXT, ratio))

    def _paint_pill(self, painter: QPainter, pill: QRect, words: str, indent_px: int = 0) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(BADGE_GROUND)
        painter.drawRoundedRect(pill, BADGE_PX / 2, BADGE_PX / 2)
        painter.setPen(QColor(BADGE_TEXT))
        painter.setFont(self._badge_font)
        painter.drawText(pill.adjusted(indent_px, 0, 0, 0), Qt.AlignmentFlag.AlignCenter, words)

    def _paint_line(self, painter: QPainter, room: QRect, font: QFont, colour: str, words: str) -> None:
        painter.setFont(font)
        painter.setPen(QColor(colour))
        elided = QFontMetrics(font).elidedText(words, Qt.TextElideMode.ElideMiddle, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, elided)


def caption(hit: Hit) -> str:
    """``0.283 · meaning``: the cosine, if there is one, and which search found the hit."""
    found_by = FOUND_BY.get(tuple(sorted(hit.found_by, key=list(FoundBy).index)), "")
    return " · ".join(word for word in (wording.similarity(hit.similarity), found_by) if word)


def _badge_words(hit: Hit) -> str:
    return "" if hit.item_kind is ItemKind.PHOTO else wording.place(hit)


def _fold_words(tile: Tile) -> str:
    return f"− {tile.folded}" if tile.unfolded else f"+{wording.count(tile.folded, 'moment', 'moments')}"


def paint_thumbnail(painter: QPainter, frame: QRect, pixmap: QPixmap | None, hit: Hit, whole: bool = False) -> None:
    """A picture fills its frame and loses what stands over, or is shown ``whole``, as a waveform always is."""
    outline = QPainterPath()
    outline.addRoundedRect(QRectF(frame), theme.RADIUS_PX, theme.RADIUS_PX)
    painter.fillPath(outline, QColor(theme.colours().raised))
    if pixmap is None:
        return
    fits = whole or hit.item_kind is ItemKind.AUDIO
    mode = Qt.AspectRatioMode.KeepAspectRatio if fits else Qt.AspectRatioMode.KeepAspectRatioByExpanding
    shown = QRectF(QPointF(0, 0), pixmap.deviceIndependentSize().scaled(frame.size(), mode))
    shown.moveCenter(QRectF(frame).center())
    painter.save()
    painter.setClipPath(outline)
    painter.drawPixmap(shown, pixmap, QRectF(pixmap.rect()))
    painter.restore()
