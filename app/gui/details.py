"""The pane beside the results: the chosen item large, what is known of it, and what can be done with it."""

from __future__ import annotations

from pathlib import PurePath

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import (
    QFormLayout,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.engine.types import Hit, ItemDetails, ItemKind, MediaKind
from app.gui import desktop, icons, theme, tile, wording
from app.gui.emptystate import EmptyState
from app.gui.engine import Engine
from app.gui.flow import FlowLayout
from app.gui.labelchips import LabelChips
from app.gui.offline import Offline
from app.gui.preview import Preview
from app.gui.thumbnails import ThumbnailStore

PREVIEW_HEIGHT_PX = 250


class DetailsPane(QWidget):
    """Shows one hit. Signal ``search_like`` carries it when the person asks for more like it."""

    search_like = Signal(object)

    def __init__(self, engine: Engine, thumbnails: ThumbnailStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hit: Hit | None = None
        self._offline = Offline()
        self.preview = Preview(engine, thumbnails)
        self.preview.setFixedHeight(PREVIEW_HEIGHT_PX)
        self.preview.described.connect(self._show_facts)
        self.labels = LabelChips(engine)
        self._name = theme.label("", theme.Type.HEADING)
        self._folder = theme.label("", theme.Type.CAPTION)
        self._folder.setWordWrap(True)
        copy = QAction(self.tr("Copy the path"), self)
        copy.triggered.connect(self._copy_path)
        for text in (self._name, self._folder):
            text.addAction(copy)
            text.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self._like = self._button("search", self.tr("More like this"), self._search_like)
        theme.set_role(self._like, "primary")
        self._open = self._button("play", self.tr("Open"), self.preview.open_externally)
        self._show = self._button("folder", self.tr("Show in folder"), self._show_in_folder)
        self._facts = QFormLayout()
        self._shown: dict[str, str] = {}
        self._stack = QStackedWidget()
        self._compose()
        self.show_hit(None)

    def show_hit(self, hit: Hit | None) -> None:
        """Show a hit, or say that none is chosen. What played before falls silent."""
        self._hit = hit
        self.preview.show_hit(hit)
        self.labels.show_hit(hit)
        self._stack.setCurrentIndex(0 if hit is None else 1)
        self._clear_facts()
        if hit is None:
            return
        path = PurePath(hit.path)
        self._name.setText(_breakable(path.name))
        self._folder.setText(_breakable(str(path.parent)))
        for button in (self._open, self._show):
            button.setEnabled(True)
        self._add_hit_facts(hit)
        if away := self._offline.root_of(hit.path):
            self.preview.show_away(away)
            for button in (self._open, self._show):
                button.setEnabled(False)

    def set_offline(self, offline: Offline) -> None:
        """The drives that are away, or back, as the library sees it now."""
        was_away = self._hit is not None and self._offline.root_of(self._hit.path) is not None
        self._offline = offline
        if self._hit and was_away != (offline.root_of(self._hit.path) is not None):
            self.show_hit(self._hit)

    def stop(self) -> None:
        """Fall silent, because another page is shown."""
        self.preview.stop()

    def toggle_play(self) -> None:
        self.preview.toggle_play()

    @property
    def facts(self) -> dict[str, str]:
        """The facts as they are shown: name → value."""
        return dict(self._shown)

    def _compose(self) -> None:
        empty = EmptyState()
        empty.say(
            "image", self.tr("Nothing chosen"), self.tr("Choose a result to see it large and what is known of it.")
        )
        content = QWidget()
        content.setObjectName("content")
        buttons = FlowLayout()
        buttons.addWidget(self._open)
        buttons.addWidget(self._show)
        self._facts.setHorizontalSpacing(theme.LARGE_PX)
        self._facts.setVerticalSpacing(theme.SMALL_PX)
        self._facts.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self._facts.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        column = QVBoxLayout(content)
        column.setContentsMargins(theme.MEDIUM_PX, theme.MEDIUM_PX, theme.MEDIUM_PX, theme.MEDIUM_PX)
        column.setSpacing(theme.SMALL_PX)
        for widget in (self.preview, self._name, self._folder, self.labels, self._like):
            column.addWidget(widget)
        column.addLayout(buttons)
        column.addSpacing(theme.SMALL_PX)
        column.addLayout(self._facts)
        column.addStretch()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(content)
        self._stack.addWidget(empty)
        self._stack.addWidget(scroll)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._stack)

    def _button(self, icon: str, words: str, action: object) -> QPushButton:
        made = QPushButton(icons.icon(icon, "on_accent" if icon == "search" else ""), words)
        made.clicked.connect(action)
        return made

    def _add_hit_facts(self, hit: Hit) -> None:
        self._add(self.tr("Kind"), _kind(hit))
        self._add(self.tr("Moment"), wording.place(hit))
        self._add(self.tr("Similarity"), tile.caption(hit))

    def _show_facts(self, details: ItemDetails) -> None:
        for button in (self._open, self._show):
            button.setEnabled(details.present)
        if details.width_px and details.height_px:
            self._add(self.tr("Dimensions"), f"{details.width_px:,} × {details.height_px:,} px")
        if details.duration_ms:
            self._add(self.tr("Length"), wording.moment(details.duration_ms))
        self._add(self.tr("Size"), wording.size(details.size_bytes))
        if details.taken_ms is not None:
            self._add(self.tr("Taken"), wording.date_time(details.taken_ms))
        self._add(self.tr("Changed"), wording.date_time(details.modified_ms))
        self._add(self.tr("Caption"), details.caption)
        self._add(self.tr("Copies"), "\n".join(details.copies))

    def _add(self, name: str, value: str) -> None:
        if not value:
            return
        self._shown[name] = value
        shown = theme.label(_breakable(value))
        self._facts.addRow(theme.label(name, theme.Type.CAPTION), shown)

    def _clear_facts(self) -> None:
        self._shown.clear()
        while self._facts.rowCount():
            self._facts.removeRow(0)

    def _search_like(self) -> None:
        if self._hit:
            self.search_like.emit(self._hit)

    def _copy_path(self) -> None:
        if self._hit:
            QGuiApplication.clipboard().setText(self._hit.path)

    def _show_in_folder(self) -> None:
        if self._hit:
            desktop.show_in_folder(self._hit.path)


def _kind(hit: Hit) -> str:
    if hit.kind is MediaKind.VIDEO:
        return "Sound track of a video" if hit.item_kind is ItemKind.AUDIO else "Frame of a video"
    return wording.KIND_NAMES[hit.kind]


def _breakable(path: str) -> str:
    """The path with places where a line may end: a long name has no space for it."""
    return "".join(f"{letter}\u200b" if letter in "/\\_-." else letter for letter in path)
