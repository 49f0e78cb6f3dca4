"""Chooses one of the library's sets of test queries, and has a menu of what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QMenu,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.engine.judgingtypes import QuerySet
from app.gui import theme, wording

SET_ROLE = Qt.ItemDataRole.UserRole
WORDS_ROLE = Qt.ItemDataRole.UserRole + 1
POPUP_PX = 340


def size_words(queries: int) -> str:
    """``40 queries``: how far others have judged them is not told to who judges now."""
    return wording.count(queries, "query", "queries") if queries else "No queries yet"


def judged_words(judged: int, queries: int) -> str:
    """``12 of 40 queries have judgments``."""
    words = size_words(queries)
    return f"{judged:,} of {words} {'has' if queries == 1 else 'have'} judgments" if queries else words


class SetChooser(QWidget):
    """Signal: ``chosen`` with the id of the `QuerySet` a person turned to."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._box = QComboBox()
        self._box.setAccessibleName(self.tr("Set of test queries"))
        self._box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._box.view().setMinimumWidth(POPUP_PX)  # the names are cut in the column, and not where one chooses
        self._box.setItemDelegate(_SetDelegate(self._box))
        self._box.activated.connect(self._tell)
        self._more = QToolButton()
        self._more.setText("⋯")
        self._more.setToolTip(self.tr("New set, import, export, and more"))
        self._more.setAccessibleName(self.tr("What can be done with sets"))
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = QMenu(self._more)
        self._more.setMenu(self.menu)
        self._progress = theme.label("", theme.Type.CAPTION)
        self._progress.setWordWrap(True)
        row = QHBoxLayout()
        row.setSpacing(theme.TINY_PX)
        row.addWidget(self._box, 1)
        row.addWidget(self._more)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.TINY_PX)
        column.addLayout(row)
        column.addWidget(self._progress)

    @property
    def current(self) -> QuerySet | None:
        chosen: QuerySet | None = self._box.currentData(SET_ROLE)
        return chosen

    @property
    def sets(self) -> tuple[QuerySet, ...]:
        return tuple(self._box.itemData(row, SET_ROLE) for row in range(self._box.count()))

    @property
    def progress(self) -> str:
        return self._progress.text()

    def set_sets(self, sets: Sequence[QuerySet], wanted: int) -> None:
        """Show these. The one with the id ``wanted`` is current, else the first that has queries, else the first."""
        self._box.blockSignals(True)
        self._box.clear()
        for one in sets:
            self._box.addItem(one.name, one)
            words = size_words(one.queries)
            last = self._box.count() - 1
            self._box.setItemData(last, words, WORDS_ROLE)
            self._box.setItemData(last, f"{one.name}\n{words}", Qt.ItemDataRole.ToolTipRole)
            self._box.setItemData(last, f"{one.name}, {words}", Qt.ItemDataRole.AccessibleTextRole)
        ids = [one.id for one in sets]
        filled = next((row for row, one in enumerate(sets) if one.queries), 0 if ids else -1)
        self._box.setCurrentIndex(ids.index(wanted) if wanted in ids else filled)
        self._box.blockSignals(False)
        self._show_size()

    def set_progress(self, judged: int, queries: int) -> None:
        """How far the current set is judged."""
        self._progress.setText(judged_words(judged, queries))

    def choose(self, set_id: int) -> None:
        """Turn to a set as a person does."""
        row = next((row for row, one in enumerate(self.sets) if one.id == set_id), -1)
        if row >= 0:
            self._box.setCurrentIndex(row)
            self._tell()

    def _tell(self) -> None:
        current = self.current
        if current:
            self._show_size()
            self.chosen.emit(current.id)

    def _show_size(self) -> None:
        """Before it is known how far the queries are judged."""
        current = self.current
        self._box.setToolTip(current.name if current else "")  # the name may be cut
        self._progress.setText(size_words(current.queries if current else 0))


class _SetDelegate(QStyledItemDelegate):
    """Paints a set's name, and how large it is behind it."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        style: QStyle = option.widget.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        inner: QRect = option.rect.adjusted(theme.SMALL_PX, 0, -theme.SMALL_PX, 0)
        caption = theme.font(theme.Type.CAPTION)
        words = index.data(WORDS_ROLE)
        painter.setFont(caption)
        painter.setPen(QColor(theme.colours().muted))
        painter.drawText(inner, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
        inner.setRight(inner.right() - QFontMetrics(caption).horizontalAdvance(words) - theme.SMALL_PX)
        body = theme.font(theme.Type.BODY)
        painter.setFont(body)
        painter.setPen(QColor(theme.colours().text))
        name = QFontMetrics(body).elidedText(index.data(), Qt.TextElideMode.ElideRight, inner.width())
        painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(POPUP_PX, QFontMetrics(theme.font(theme.Type.BODY)).height() + theme.MEDIUM_PX)
