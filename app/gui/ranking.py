"""Two models' ranked lists of one query side by side, with a tick or a cross at every result."""

from __future__ import annotations

from pathlib import PurePath

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.engine.evaltypes import Evaluation, JudgedHit, ModelEvaluation, QueryEvaluation, QuerySummary
from app.gui import icons, theme, tile, wording
from app.gui.grades import verdict
from app.gui.thumbnails import ThumbnailStore

JUDGED_ROLE = Qt.ItemDataRole.UserRole
ROW_PX = 48
RANK_PX, MARK_PX = 24, 28
MIN_LIST_PX = 180


def score_words(result: QueryEvaluation, summary: QuerySummary, k: int) -> str:
    """``Precision@5: 3/5 = 0.60`` and the like for recall. The ticks are counted, the values are the engine's."""
    ticks = sum(1 for judged in result.hits if judged.grade)
    lines = []
    if (precision := result.measures.get(f"P@{k}")) is not None:
        lines.append(f"Precision@{k}: {ticks}/{k} = {precision:.2f}")
    if (recall := result.measures.get(f"R@{k}")) is not None:
        share = f"{ticks}/{summary.relevant} = {recall:.2f}" if summary.relevant else "nothing judged relevant yet"
        lines.append(f"Recall@{k} of judged relevant: {share}")
    return "\n".join(lines)


class RankedList(QWidget):
    """One model's results. Signal ``opened`` with the `Hit` that was chosen; ``model_chosen`` when another model is."""

    opened = Signal(object)
    model_chosen = Signal()

    def __init__(self, thumbnails: ThumbnailStore, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.models = QComboBox()
        self.models.setAccessibleName(self.tr("Model of the {0} list").format(name))
        self.models.activated.connect(self.model_chosen)
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Results of the {0} list").format(name))
        self.list.setItemDelegate(_HitDelegate(thumbnails, self.list))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setMinimumHeight(MIN_LIST_PX)
        self.list.itemActivated.connect(self._open)
        self.list.itemClicked.connect(self._open)
        thumbnails.arrived.connect(self._repaint)
        self.score = theme.label("", theme.Type.BODY)
        self.score.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SMALL_PX)
        column.addWidget(self.models)
        column.addWidget(self.list, 1)
        column.addWidget(self.score)

    def show_result(self, result: QueryEvaluation | None, summary: QuerySummary | None, k: int) -> None:
        self.list.clear()
        if result is None or summary is None:
            self.score.setText(self.tr("This model has no list for this query."))
            return
        for judged in result.hits:
            item = QListWidgetItem()
            item.setData(JUDGED_ROLE, judged)
            words = f"{judged.hit.rank}. {wording.spoken(judged.hit)}, {verdict(judged.grade)}"
            item.setData(Qt.ItemDataRole.AccessibleTextRole, words)
            item.setToolTip(f"{judged.hit.path}\n{verdict(judged.grade).capitalize()}")
            self.list.addItem(item)
        self.score.setText(score_words(result, summary, k))

    def _open(self, item: QListWidgetItem) -> None:
        self.opened.emit(item.data(JUDGED_ROLE).hit)

    def _repaint(self, _arrived: object) -> None:
        self.list.viewport().update()


class Ranking(QWidget):
    """Model A's list and model B's. Signal ``opened`` with the `Hit` that was chosen."""

    opened = Signal(object)

    def __init__(self, thumbnails: ThumbnailStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._evaluation: Evaluation | None = None
        self._summary: QuerySummary | None = None
        self.left = RankedList(thumbnails, self.tr("left"))
        self.right = RankedList(thumbnails, self.tr("right"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.LARGE_PX)
        for side in (self.left, self.right):
            side.opened.connect(self.opened)
            side.model_chosen.connect(self._show_lists)
            row.addWidget(side, 1)

    def show_evaluation(self, evaluation: Evaluation, summary: QuerySummary) -> None:
        """Show ``summary``'s lists by the chosen models, at first the first two that answered it."""
        self._evaluation, self._summary = evaluation, summary
        able = [model for model in evaluation.models if _result(model, summary.key)]
        keys = [model.model for model in able]
        chosen = [side.models.currentData() for side in (self.left, self.right)]
        left = chosen[0] if chosen[0] in keys else next(iter(keys), None)
        others = [key for key in keys if key != left]
        right = chosen[1] if chosen[1] in others else next(iter(others), None)
        for side, key in ((self.left, left), (self.right, right)):
            side.models.clear()
            for model in able:
                side.models.addItem(model.name, model.model)
            side.models.setCurrentIndex(side.models.findData(key))
        self.right.setVisible(right is not None)
        self._show_lists()

    def _show_lists(self) -> None:
        if not self._evaluation or not self._summary:
            return
        by_key = {model.model: model for model in self._evaluation.models}
        for side in (self.left, self.right):
            model = by_key.get(side.models.currentData())
            result = _result(model, self._summary.key) if model else None
            side.show_result(result, self._summary, self._evaluation.k)


def _result(model: ModelEvaluation, key: str) -> QueryEvaluation | None:
    return next((result for result in model.queries if result.query_key == key), None)


class _HitDelegate(QStyledItemDelegate):
    """Paints rank, thumbnail, name above similarity, and verdict."""

    def __init__(self, thumbnails: ThumbnailStore, parent: QWidget) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(160, ROW_PX)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        judged: JudgedHit = index.data(JUDGED_ROLE)
        rect: QRect = option.rect
        style: QStyle = option.widget.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        colours = theme.colours()
        body, caption = theme.font(theme.Type.BODY), theme.font(theme.Type.CAPTION)
        left_px = rect.left() + theme.TINY_PX
        rank = QRect(left_px, rect.top(), RANK_PX, rect.height())
        _text(painter, rank, caption, colours.muted, str(judged.hit.rank), Qt.AlignmentFlag.AlignRight)
        side_px = ROW_PX - theme.SMALL_PX
        frame = QRect(rank.right() + theme.SMALL_PX, rect.top() + theme.TINY_PX, side_px, side_px)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        tile.paint_thumbnail(painter, frame, self._thumbnails.pixmap(judged.hit.item_id), judged.hit)
        mark = QRect(rect.right() - MARK_PX, rect.top(), MARK_PX - theme.TINY_PX, rect.height())
        _paint_mark(painter, mark, judged.grade)
        left_px = frame.right() + theme.SMALL_PX
        lines = QRect(left_px, frame.top(), mark.left() - theme.TINY_PX - left_px, frame.height())
        name = lines.adjusted(0, 0, 0, -lines.height() // 2)
        words = " · ".join(filter(None, (PurePath(judged.hit.path).name, wording.place(judged.hit))))
        _text(painter, name, body, colours.text, words, Qt.AlignmentFlag.AlignLeft)
        similarity = lines.adjusted(0, lines.height() // 2, 0, 0)
        words = wording.similarity(judged.hit.similarity)
        _text(painter, similarity, caption, colours.muted, words, Qt.AlignmentFlag.AlignLeft)


def _paint_mark(painter: QPainter, rect: QRect, grade: int | None) -> None:
    if grade is None:
        _text(painter, rect, theme.font(theme.Type.BODY), theme.colours().muted, "–", Qt.AlignmentFlag.AlignHCenter)
        return
    ratio = painter.device().devicePixelRatioF()
    name, colour = ("check", "good") if grade > 0 else ("cross", "bad")
    side_px = theme.ICON_PX
    corner = rect.center() - QRect(0, 0, side_px, side_px).center()
    painter.drawPixmap(corner, icons.pixmap(name, side_px, colour, ratio))


def _text(painter: QPainter, rect: QRect, font: QFont, colour: str, words: str, side: Qt.AlignmentFlag) -> None:
    painter.setFont(font)
    painter.setPen(QColor(colour))
    elided = QFontMetrics(font).elidedText(words, Qt.TextElideMode.ElideMiddle, rect.width())
    painter.drawText(rect, side | Qt.AlignmentFlag.AlignVCenter, elided)
