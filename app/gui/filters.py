"""Which files may be found, and by which model: kinds, dates, labels, the model."""

from __future__ import annotations

from PySide6.QtCore import QDate, QDateTime, QObject, QSize, QTime, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QComboBox,
    QDateEdit,
    QGridLayout,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QWidget,
    QWidgetAction,
)

from app.engine.librarytypes import LibraryStatus
from app.engine.modeltypes import ModelStatus
from app.engine.types import Filters, MediaKind, Query
from app.gui import icons, theme
from app.gui.labelfilter import LabelFilter

KINDS = (
    (MediaKind.PHOTO, "image", "Photos"),
    (MediaKind.VIDEO, "video", "Videos"),
    (MediaKind.AUDIO, "sound", "Sounds"),
)
MODEL_LEAST_PX = 110
SURE_PRECISION = 0.9
"""What is likely right: the share that the Evaluate page finds a similarity for."""
END_OF_DAY = QTime(23, 59, 59, 999)


class FilterBar(QWidget):
    """Signal: ``changed`` when the same query is to be asked again under other filters or of another model."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models: tuple[ModelStatus, ...] = ()
        self._indexed: frozenset[str] = frozenset()
        self._under: str | None = None
        self._offered: list[tuple[str, str]] | None = None
        self._line = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(theme.TINY_PX)
        self._filters = row = QHBoxLayout()
        row.setSpacing(theme.TINY_PX)
        self._line.addLayout(row, 1)
        self._kinds: dict[MediaKind, QPushButton] = {}
        for kind, icon, words in KINDS:
            button = _toggle(icon, self.tr(words))
            button.setAccessibleName(self.tr(words))
            button.setToolTip(self.tr("Show or hide {0} among the results").format(words.lower()))
            button.toggled.connect(self._toggled)
            self._kinds[kind] = button
            row.addWidget(button)
        self._dates = DateRange(self)
        self._dates.changed.connect(self.changed)
        row.addWidget(self._dates)
        self.labels = LabelFilter(self)
        self.labels.changed.connect(self.changed)
        row.addWidget(self.labels)
        self._sure = _toggle("sure", "")
        self._sure.setAccessibleName(self.tr("Only what is likely right"))
        self._sure.setToolTip(
            self.tr(
                "Only what is likely right: leave out results below the similarity from which 90 in 100 are right, by "
                "your judgments on the Evaluate page"
            )
        )
        self._sure.toggled.connect(self._toggled)
        row.addWidget(self._sure)
        row.addStretch()
        self._model = QComboBox()
        self._model.setAccessibleName(self.tr("Model to search with"))
        self._model.setToolTip(self.tr("The model that compares: those that are indexed and can answer this query"))
        self._model.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._model.setMinimumWidth(MODEL_LEAST_PX)  # a long name gives way before the page grows
        self._model.activated.connect(self.changed)
        self._line.addWidget(self._model)
        self.changed.connect(self._arrange)
        self.show_models_for(None)

    def filters(self) -> Filters:
        shown = frozenset(kind for kind, button in self._kinds.items() if button.isChecked())
        after_ms, before_ms = self._dates.bounds_ms()
        return Filters(shown or frozenset(MediaKind), self._under, after_ms, before_ms, self.labels.chosen)

    @property
    def narrowed(self) -> bool:
        """Whether anything is filtered out."""
        return self.filters() != Filters() or self.min_precision is not None

    @property
    def min_precision(self) -> float | None:
        """How likely results must be right to be shown; None: all are."""
        return SURE_PRECISION if self._sure.isChecked() else None

    @property
    def model(self) -> str | None:
        """The chosen model's key, or None for the library's first that accepts the query."""
        key: str | None = self._model.currentData()
        return key

    def set_under(self, folder: str | None) -> None:
        self._under = folder
        self.changed.emit()

    def reset(self) -> None:
        """All kinds, dates and labels, sure or not, again; the folder is the sidebar's to change."""
        self.blockSignals(True)
        for button in self._kinds.values():
            button.setChecked(False)
        self._dates.reset()
        self.labels.choose()
        self._sure.setChecked(False)
        self.blockSignals(False)
        self.changed.emit()

    def show_unsure(self) -> None:
        """No longer leave out what is not likely right."""
        self._sure.setChecked(False)

    def set_models(self, models: tuple[ModelStatus, ...]) -> None:
        self._models = models

    def set_library(self, status: LibraryStatus) -> None:
        self._indexed = frozenset(status.spaces)

    def show_models_for(self, query: Query | None) -> None:
        """Offer the models that are ready, indexed and accept the query; keep the chosen one if it is among them."""
        able = [
            (model.name, model.key)
            for model in self._models
            if model.ready and model.key in self._indexed and (query is None or query.modalities <= model.accepts)
        ]
        if able == self._offered:  # leave an open list alone
            return
        self._offered = able
        chosen = self.model
        self._model.clear()
        self._model.addItem(self.tr("Best available"), None)
        for name, key in able:
            self._model.addItem(name, key)
        self._model.setCurrentIndex(max(0, self._model.findData(chosen)))
        self._arrange()

    def name_of(self, key: str | None) -> str:
        """A model's name as a person knows it."""
        return next((model.name for model in self._models if model.key == key), key or "")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def minimumSizeHint(self) -> QSize:
        """The page may become as narrow as the drawings alone."""
        return QSize(self._bare_px(), super().minimumSizeHint().height())

    def _bare_px(self) -> int:
        """How wide the filters are with drawings alone."""
        buttons = self._kinds.values()
        said_px = sum(button.fontMetrics().horizontalAdvance(button.text()) for button in buttons)
        # The layout's own hint may be from before other words, and to have it look anew asks for a layout without end.
        items = [
            item for item in map(self._filters.itemAt, range(self._filters.count())) if item and not item.isEmpty()
        ]
        items_px = sum(item.sizeHint().width() for item in items)
        return items_px + self._filters.spacing() * (len(items) - 1) - said_px

    def _arrange(self) -> None:
        """Where there is little room, the kinds are drawings alone; with less, the model has a line of its own."""
        named = {self._kinds[kind]: self.tr(words) for kind, _icon, words in KINDS}
        words_px = sum(button.fontMetrics().horizontalAdvance(words) for button, words in named.items())
        bare_px = self._bare_px()
        model_px = max(self._model.sizeHint().width(), MODEL_LEAST_PX) + self._line.spacing()
        has_room = bare_px + words_px + model_px <= self.width()
        for button, words in named.items():
            button.setText(words if has_room else "")
        metrics = self._model.fontMetrics()
        longest_px = max(metrics.horizontalAdvance(self._model.itemText(row)) for row in range(self._model.count()))
        needed_px = model_px - longest_px + metrics.horizontalAdvance(self._model.currentText())
        directions = QBoxLayout.Direction
        is_line = bare_px + needed_px <= self.width()
        self._line.setDirection(directions.LeftToRight if is_line else directions.TopToBottom)

    def _toggled(self) -> None:
        self.changed.emit()


class DateRange(QPushButton):
    """From which day to which day, in local time, in a popup. Signal: ``changed``."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        today = QDate.currentDate()
        self._from = _DayLimit(self.tr("From"), QDate(today.year(), 1, 1), self)
        self._to = _DayLimit(self.tr("To"), today, self)
        any_day = QPushButton(self.tr("Any date"))
        any_day.clicked.connect(self._any_day)
        panel = QWidget()
        grid = QGridLayout(panel)
        grid.setContentsMargins(theme.MEDIUM_PX, theme.MEDIUM_PX, theme.MEDIUM_PX, theme.MEDIUM_PX)
        grid.setSpacing(theme.SMALL_PX)
        for number, limit in enumerate((self._from, self._to)):
            grid.addWidget(limit.use, number, 0)
            grid.addWidget(limit.day, number, 1)
            limit.changed.connect(self._changed)
        grid.addWidget(any_day, 2, 0, 1, 2)
        action = QWidgetAction(self)
        action.setDefaultWidget(panel)
        menu = QMenu(self)
        menu.addAction(action)
        self.setMenu(menu)
        theme.set_role(self, "menu")
        self.setToolTip(self.tr("Find only what was taken (or else changed) between two days"))
        self._show()

    def bounds_ms(self) -> tuple[int | None, int | None]:
        """The first and the last millisecond, since 1970 UTC."""
        first, last = self._from.chosen(), self._to.chosen()
        return (
            QDateTime(first, QTime(0, 0)).toMSecsSinceEpoch() if first else None,
            QDateTime(last, END_OF_DAY).toMSecsSinceEpoch() if last else None,
        )

    def set_days(self, first: QDate | None, last: QDate | None) -> None:
        self._from.choose(first)
        self._to.choose(last)

    def reset(self) -> None:
        self.set_days(None, None)

    def _any_day(self) -> None:
        self.reset()
        self.menu().close()

    def _changed(self) -> None:
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        first, last = self._days()
        if first and last:  # two whole dates would crowd the bar
            words = f"{self.locale().toString(first, 'MMM yy')} – {self.locale().toString(last, 'MMM yy')}"
        elif first:
            words = self.tr("Since {0}").format(self.locale().toString(first, "d MMM yy"))
        elif last:
            words = self.tr("Until {0}").format(self.locale().toString(last, "d MMM yy"))
        else:
            words = self.tr("Any date")
        self.setText(words)

    def _days(self) -> tuple[QDate | None, QDate | None]:
        return self._from.chosen(), self._to.chosen()


class _DayLimit(QObject):
    """A day that may be set or not: a box to tick and the day. Signal: ``changed``."""

    changed = Signal()

    def __init__(self, words: str, day: QDate, parent: QObject) -> None:
        super().__init__(parent)
        self.use = QCheckBox(words)
        self.day = QDateEdit(day)
        self.day.setCalendarPopup(True)
        self.day.setEnabled(False)
        self.use.toggled.connect(self.day.setEnabled)
        self.use.toggled.connect(self.changed)
        self.day.dateChanged.connect(self.changed)

    def chosen(self) -> QDate | None:
        return self.day.date() if self.use.isChecked() else None

    def choose(self, day: QDate | None) -> None:
        if day:
            self.day.setDate(day)
        self.use.setChecked(day is not None)


def _toggle(icon: str, words: str) -> QPushButton:
    button = QPushButton(icons.icon(icon), words)
    button.setCheckable(True)
    button.setIconSize(QSize(16, 16))
    theme.set_role(button, "quiet")
    return button
