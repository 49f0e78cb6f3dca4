"""The models: which can run here, what the others lack, and which are used in this library."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.engine.types import LibraryStatus, Modality, ModelStatus
from app.gui import desktop, icons, theme, wording

MODALITY_WORDS = {Modality.TEXT: "words", Modality.IMAGE: "pictures", Modality.AUDIO: "sounds"}
WIDTH_PX = 820


class ModelsPage(QWidget):
    """Signals: ``chosen`` with the keys of the ticked models; ``index_wanted`` to encode with those that are new;
    ``refresh_wanted`` to look again for weights that were put in place."""

    chosen = Signal(object)
    index_wanted = Signal()
    refresh_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models: tuple[ModelStatus, ...] = ()
        self._status: LibraryStatus | None = None
        self._cards: list[ModelCard] = []
        again = QPushButton(icons.icon("refresh"), self.tr("Look again"))
        again.setToolTip(self.tr("Look for weights that were put in place meanwhile"))
        again.clicked.connect(self.refresh_wanted)
        self._index = QPushButton(self.tr("Index with the ticked models"))
        theme.set_role(self._index, "primary")
        self._index.clicked.connect(self.index_wanted)
        heading = QHBoxLayout()
        heading.addWidget(theme.label(self.tr("Models"), theme.Type.TITLE), 1)
        heading.addWidget(self._index)
        heading.addWidget(again)
        self._list = QVBoxLayout()
        self._list.setSpacing(theme.MEDIUM_PX)
        content = QWidget()
        content.setObjectName("content")
        column = QVBoxLayout(content)
        column.setContentsMargins(theme.HUGE_PX, theme.HUGE_PX, theme.HUGE_PX, theme.HUGE_PX)
        column.setSpacing(theme.MEDIUM_PX)
        column.addLayout(heading)
        column.addWidget(
            theme.label(
                self.tr(
                    "A model turns pictures, sounds and words into numbers that can be compared. Tick those to use in "
                    "this library; the Evaluate page tells which is best on your own files."
                )
            )
        )
        column.addLayout(self._list)
        column.addStretch()
        content.setMaximumWidth(WIDTH_PX)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        scroll.setWidget(content)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)
        self._show_state()

    def set_models(self, models: Sequence[ModelStatus]) -> None:
        self._models = tuple(models)
        for card in self._cards:
            self._list.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._cards = [ModelCard(model) for model in sorted(models, key=lambda model: not model.ready)]
        for card in self._cards:
            card.toggled.connect(self._choose)
            self._list.addWidget(card)
        self._show_state()

    def set_library(self, status: LibraryStatus) -> None:
        self._status = status
        self._show_state()

    def _choose(self) -> None:
        self.chosen.emit(tuple(card.key for card in self._cards if card.used))

    def _show_state(self) -> None:
        status = self._status
        for card in self._cards:
            items = status.spaces[card.key].items if status and card.key in status.spaces else 0
            card.show_use(status is not None, status is not None and card.key in status.models, items)
        waiting = status is not None and any(
            card.used and card.key not in status.spaces for card in self._cards if status.roots
        )
        self._index.setVisible(waiting)


class ModelCard(QFrame):
    """One model: its name, what it compares, whether it is ready, and what to do if it is not. Signal: ``toggled``."""

    toggled = Signal()

    def __init__(self, model: ModelStatus, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.set_role(self, "card")
        self.key = model.key
        self._ready = model.ready
        self._folder = model.folder
        self._use = QCheckBox(self.tr("Use in this library"))
        self._use.setAccessibleName(self.tr("Use {0} in this library").format(model.name))
        self._use.toggled.connect(self.toggled)
        self._encoded = theme.label("", theme.Type.CAPTION)
        top = QHBoxLayout()
        top.addWidget(theme.label(model.name, theme.Type.HEADING), 1)
        top.addWidget(_state_label(model))
        bottom = QHBoxLayout()
        bottom.addWidget(self._use)
        bottom.addStretch()
        bottom.addWidget(self._encoded)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.LARGE_PX, theme.MEDIUM_PX, theme.LARGE_PX, theme.MEDIUM_PX)
        column.setSpacing(theme.SMALL_PX)
        column.addLayout(top)
        column.addWidget(theme.label(model.summary))
        facts = (_accepts(model), self.tr("{0} numbers per item").format(model.dim), model.licence)
        column.addWidget(theme.label(" · ".join(fact for fact in facts if fact), theme.Type.CAPTION))
        if not model.ready:
            column.addWidget(self._make_advice(model))
        column.addLayout(bottom)

    @property
    def used(self) -> bool:
        return self._use.isChecked()

    def show_use(self, library_open: bool, used: bool, items: int) -> None:
        """Tick the box without telling anyone, and say how much is encoded."""
        self._use.blockSignals(True)
        self._use.setChecked(used)
        self._use.blockSignals(False)
        self._use.setEnabled(library_open and self._ready)
        encoded = wording.count(items, self.tr("item"), self.tr("items")) + self.tr(" encoded")
        self._encoded.setText(encoded if items else self.tr("Not indexed yet") if used else "")

    def _make_advice(self, model: ModelStatus) -> QWidget:
        advice = QWidget()
        column = QVBoxLayout(advice)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.TINY_PX)
        problem = theme.label(model.problem)
        problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(problem)
        if model.folder:
            button = QPushButton(icons.icon("folder"), self.tr("Open that folder"))
            button.setToolTip(model.folder)
            theme.set_role(button, "link")
            button.clicked.connect(self._open_folder)
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        return advice

    def _open_folder(self) -> None:
        if not desktop.open_file(self._folder):  # it is not made yet: show where it goes
            desktop.show_in_folder(self._folder)


def _state_label(model: ModelStatus) -> QLabel:
    label = theme.label("Ready" if model.ready else "Not ready", theme.Type.CAPTION)
    theme.set_role(label, "good" if model.ready else "warning")
    return label


def _accepts(model: ModelStatus) -> str:
    return ", ".join(MODALITY_WORDS[modality] for modality in Modality if modality in model.accepts)
