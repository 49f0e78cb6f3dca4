"""Grades and marks as a person sees them: their words, their keys, and the sign that is painted on a thumbnail."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFont, QPainter

from app.engine.judgingtypes import Mark, Scale
from app.gui import icons, theme

SIGN_PX = 20


@dataclass(frozen=True)
class Choice:
    """A verdict that can be given. ``keys``: the first is shown on its button."""

    grade: int
    words: str
    keys: tuple[str, ...]
    icon: str = ""


UNSURE = Choice(Mark.UNSURE, "Unsure", ("H",), "question")
LATER = Choice(Mark.LATER, "Later", ("L",), "later")
GRADES = {
    Scale.BINARY: (
        Choice(1, "Relevant", ("F", "1"), "check"),
        Choice(0, "Not relevant", ("J", "0"), "cross"),
    ),
    Scale.GRADED: (
        Choice(1, "Slightly", ("S", "1")),
        Choice(2, "Relevant", ("D", "2")),
        Choice(3, "Highly", ("F", "3")),
        Choice(0, "Not relevant", ("J", "0"), "cross"),
    ),
}
"""J is no and F the strongest yes on either scale, so that the hands need not learn anew."""

_GRADED_WORDS = {0: "not relevant", 1: "slightly relevant", 2: "relevant", 3: "highly relevant"}


def verdict(grade: int | None, scale: Scale = Scale.BINARY) -> str:
    """A grade or a mark in words."""
    if grade is None:
        return "not judged yet"
    if grade == Mark.UNSURE:
        return "unsure"
    if grade == Mark.LATER:
        return "to be judged later"
    if scale is Scale.GRADED:
        return _GRADED_WORDS.get(grade, "highly relevant")
    return "relevant" if grade > 0 else "not relevant"


def colour(grade: int) -> str:
    """The name of the colour of a verdict."""
    if grade < 0:
        return "warning"
    return "good" if grade > 0 else "bad"


def paint_sign(painter: QPainter, sign: QRect, grade: int, scale: Scale) -> None:
    """The sign of a verdict on a disc: a tick or a cross, a number on a graded scale, the icon of a mark."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.colours().surface))
    painter.drawEllipse(sign)
    if scale is Scale.GRADED and grade >= 0:
        painter.setFont(theme.font(theme.Type.CAPTION, QFont.Weight.Bold))
        painter.setPen(QColor(getattr(theme.colours(), colour(grade))))
        painter.drawText(sign, Qt.AlignmentFlag.AlignCenter, str(grade))
        return
    marks = {Mark.UNSURE: UNSURE.icon, Mark.LATER: LATER.icon}
    name = marks[Mark(grade)] if grade < 0 else "check" if grade > 0 else "cross"
    side_px = sign.width() - 4
    ratio = painter.device().devicePixelRatioF()
    painter.drawPixmap(sign.left() + 2, sign.top() + 2, icons.pixmap(name, side_px, colour(grade), ratio))
