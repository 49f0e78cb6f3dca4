"""Two models' ranked lists of one query side by side, with a tick or a cross at every result."""

from __future__ import annotations

from collections.abc import Mapping
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

from app.bridge.client import Call
from app.engine.errors import AppError
from app.engine.evaltypes import JudgedHit, QueryEvaluation
from app.engine.judgingtypes import QuerySummary, Scale
from app.gui import icons, theme, tile, wording
from app.gui.engine import Engine
from app.gui.grades import verdict
from app.gui.offline import Offline
from app.gui.thumbnails import ThumbnailStore

JUDGED_ROLE, AWAY_ROLE, GRADE_ROLE = (Qt.ItemDataRole.UserRole + place for place in range(3))
ROW_PX = 48
"""At least; see `row_px`."""
RANK_PX, MARK_PX = 24, 28
ROWS_SHOWN = 10
"""A longer list scrolls."""


def row_px() -> int:
    """A row is as tall as its thumbnail wants, or as the two lines of letters beside it need."""
    return max(ROW_PX, 2 * QFontMetrics(theme.font(theme.Type.BODY)).height() + theme.SMALL_PX)


def score_words(result: QueryEvaluation, summary: QuerySummary, k: int) -> str:
    """``Precision@5: 3/5 = 0.60`` and the like for recall. The ticks are counted, the values are the engine's."""
    ticks = sum(1 for judged in result.hits if (judged.grade or 0) > 0)
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

    def show_result(
        self, result: QueryEvaluation | None, summary: QuerySummary | None, k: int, offline: Offline, scale: Scale
    ) -> None:
        self.list.clear()
        if result is None or summary is None:
            self.score.setText(self.tr("This model has no list for this query."))
            return
        for judged in result.hits:
            away = offline.root_of(judged.hit.path)
            item = QListWidgetItem()
            item.setData(JUDGED_ROLE, judged)
            item.setData(AWAY_ROLE, away is not None)
            # Ticks and crosses tell all of two grades.
            if scale is Scale.GRADED and judged.grade is not None:
                item.setData(GRADE_ROLE, verdict(judged.grade, scale))
            words = f"{judged.hit.rank}. {wording.spoken(judged.hit)}, {verdict(judged.grade, scale)}"
            said = [judged.hit.path, verdict(judged.grade, scale).capitalize()]
            if away:
                words += ", elsewhere now"
                said.append(self.tr("It is on a drive that is not there now: {0}").format(away))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, words)
            item.setToolTip("\n".join(said))
            self.list.addItem(item)
        rows = min(max(1, self.list.count()), ROWS_SHOWN)
        self.list.setFixedHeight(rows * row_px() + 2 * self.list.frameWidth() + theme.SMALL_PX)
        self.score.setText(score_words(result, summary, k))

    def _open(self, item: QListWidgetItem) -> None:
        self.opened.emit(item.data(JUDGED_ROLE).hit)

    def _repaint(self, _arrived: object) -> None:
        self.list.viewport().update()


class Ranking(QWidget):
    """Model A's list and model B's, asked for by themselves: they are there for any query, measured or not.

    Signal ``opened`` with the `Hit` that was chosen.
    """

    opened = Signal(object)

    def __init__(self, engine: Engine, thumbnails: ThumbnailStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._call: Call | None = None
        self._generation = 0
        self._offline = Offline()
        self._scale = Scale.BINARY
        self._names: Mapping[str, str] = {}
        self._lists: dict[str, QueryEvaluation] = {}
        self._summary: QuerySummary | None = None
        self._k = ROWS_SHOWN
        self._title = theme.label("", theme.Type.HEADING)
        self._words = theme.label("", theme.Type.CAPTION)
        self._words.setWordWrap(True)
        self.left = RankedList(thumbnails, self.tr("left"))
        self.right = RankedList(thumbnails, self.tr("right"))
        row = QHBoxLayout()
        row.setSpacing(theme.LARGE_PX)
        for side in (self.left, self.right):
            side.opened.connect(self.opened)
            side.model_chosen.connect(self._show_lists)
            row.addWidget(side, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SMALL_PX)
        column.addWidget(self._title)
        column.addWidget(self._words)
        column.addLayout(row)
        self._say("")

    @property
    def title(self) -> str:
        return self._title.text()

    @property
    def words(self) -> str:
        """What is said instead of lists, if anything."""
        return self._words.text()

    def set_names(self, names: Mapping[str, str]) -> None:
        """Every model's name by its key, the best first: these are shown unless others are chosen."""
        self._names = names
        for side in (self.left, self.right):
            for number in range(side.models.count()):
                key = side.models.itemData(number)
                side.models.setItemText(number, names.get(key, key))

    def set_offline(self, offline: Offline) -> None:
        if offline != self._offline:
            self._offline = offline
            self._show_lists()

    def set_scale(self, scale: Scale) -> None:
        """How the set is judged whose queries are shown."""
        if scale is not self._scale:
            self._scale = scale
            self._show_lists()

    def ask(self, summary: QuerySummary | None, k: int, judge: str | None) -> None:
        """Ask for the first ``k`` results of every model for a query."""
        self._generation += 1
        generation = self._generation
        if self._call:
            self._call.cancel()
            self._call = None
        if summary is None:
            self.hide()
            return
        self.show()
        if self._summary is None or self._summary.id != summary.id:
            self._lists = {}
            self._fill()
            self._say(self.tr("Every model is asked for its results."))
        self._title.setText(self.tr("The first {0} results for “{1}”").format(k, summary.title))

        def done(lists: tuple[tuple[str, QueryEvaluation], ...]) -> None:
            if generation == self._generation:
                self._summary, self._k, self._lists = summary, k, dict(lists)
                self._fill()

        def failed(error: AppError) -> None:
            if generation == self._generation:
                self._lists = {}
                self._fill()
                self._say(f"{error.title}. {error.message}")

        self._call = self._engine.request(
            "evaluations_lists", summary.id, k=k, judge=judge, on_done=done, on_failed=failed
        )

    def _say(self, words: str) -> None:
        self._words.setText(words)
        self._words.setVisible(bool(words))

    def _fill(self) -> None:
        """Show the chosen models' lists, at first the best two of those that answered."""
        place = {key: number for number, key in enumerate(self._names)}
        keys = sorted(self._lists, key=lambda key: place.get(key, len(place)))
        chosen = [side.models.currentData() for side in (self.left, self.right)]
        left = chosen[0] if chosen[0] in keys else next(iter(keys), None)
        others = [key for key in keys if key != left]
        right = chosen[1] if chosen[1] in others else next(iter(others), None)
        for side, shown in ((self.left, left), (self.right, right)):
            side.models.clear()
            for key in keys:
                side.models.addItem(self._names.get(key, key), key)
            side.models.setCurrentIndex(side.models.findData(shown))
            side.setVisible(shown is not None)
        self._say("" if keys else self.tr("No model can answer this query."))
        self._show_lists()

    def _show_lists(self) -> None:
        for side in (self.left, self.right):
            side.show_result(
                self._lists.get(side.models.currentData()), self._summary, self._k, self._offline, self._scale
            )


class _HitDelegate(QStyledItemDelegate):
    """Paints rank, thumbnail, name above similarity, and verdict."""

    def __init__(self, thumbnails: ThumbnailStore, parent: QWidget) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(160, row_px())

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
        side_px = rect.height() - theme.SMALL_PX
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
        away = "offline" if index.data(AWAY_ROLE) else ""
        words = " · ".join(
            filter(None, (away, wording.similarity(judged.hit.similarity), index.data(GRADE_ROLE) or ""))
        )
        _text(painter, similarity, caption, colours.muted, words, Qt.AlignmentFlag.AlignLeft)


def _paint_mark(painter: QPainter, rect: QRect, grade: int | None) -> None:
    if grade is None:
        _text(painter, rect, theme.font(theme.Type.BODY), theme.colours().muted, "?", Qt.AlignmentFlag.AlignHCenter)
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
