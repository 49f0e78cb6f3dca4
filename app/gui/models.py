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

from app.engine.modeltypes import ModelStatus
from app.engine.types import LibraryStatus, Modality, SpaceCount
from app.gui import desktop, icons, theme, wording

MODALITY_WORDS = {Modality.TEXT: "words", Modality.IMAGE: "pictures", Modality.AUDIO: "sounds"}
WIDTH_PX = 820
VECTOR_BYTES = 2
"""Vectors are stored in half precision: this much for each of a model's numbers."""


class ModelsPage(QWidget):
    """Signals: ``chosen`` with the keys of the ticked models; ``forget_wanted`` with the key of a model taken out of
    the library whose vectors are not to be kept; ``index_wanted`` to encode with those that are new;
    ``refresh_wanted`` to look again for weights that were put in place."""

    chosen = Signal(object)
    forget_wanted = Signal(str)
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
        if self._models == tuple(models):  # the cards stay, with the focus and what they ask
            return
        self._models = tuple(models)
        for card in self._cards:
            self._list.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._cards = [ModelCard(model) for model in sorted(models, key=lambda model: not model.ready)]
        for card in self._cards:
            card.toggled.connect(self._choose)
            card.forget_wanted.connect(self.forget_wanted)
            self._list.addWidget(card)
        self._show_state()

    def set_library(self, status: LibraryStatus) -> None:
        if self._status is None or self._status.folder != status.folder:
            for card in self._cards:
                card.ask_nothing()
        self._status = status
        self._show_state()

    def show_forgotten(self, key: str) -> None:
        """A model's vectors are gone."""
        for card in self._cards:
            if card.key == key:
                card.show_forgotten()

    def _choose(self) -> None:
        self.chosen.emit(tuple(card.key for card in self._cards if card.used))

    def _show_state(self) -> None:
        status = self._status
        for card in self._cards:
            space = status.spaces.get(card.key) or status.kept.get(card.key) if status else None
            card.show_use(status is not None, status is not None and card.key in status.models, space)
        waiting = status is not None and any(
            card.used and card.key not in status.spaces for card in self._cards if status.roots
        )
        self._index.setVisible(waiting)


class ModelCard(QFrame):
    """One model: its name, what it compares, whether it is ready, and what to do if it is not.

    Signals: ``toggled``; ``forget_wanted`` with its key. A model that is taken out of the library stays as it is until
    its card's question whether to keep its vectors is answered, which nobody has to.
    """

    toggled = Signal()
    forget_wanted = Signal(str)

    def __init__(self, model: ModelStatus, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.set_role(self, "card")
        self.key = model.key
        self._ready = model.ready
        self._folder = model.folder
        self._use = QCheckBox(self.tr("Use in this library"))
        self._use.setAccessibleName(self.tr("Use {0} in this library").format(model.name))
        self._use.toggled.connect(self._toggled)
        self._space: SpaceCount | None = None
        self._sentence = theme.label("", theme.Type.BODY)
        self._free = QPushButton()
        self._keep = QPushButton(self.tr("Keep them"))
        self._encoded = theme.label("", theme.Type.CAPTION)
        self._free_kept = QPushButton(self.tr("Free"))
        self._free_kept.setAccessibleName(self.tr("Free the space of {0}").format(model.name))
        theme.set_role(self._free_kept, "link")
        self._question = self._make_question()
        top = QHBoxLayout()
        top.addWidget(theme.label(model.name, theme.Type.HEADING), 1)
        top.addWidget(_state_label(model))
        bottom = QHBoxLayout()
        bottom.addWidget(self._use)
        bottom.addStretch()
        bottom.addWidget(self._encoded)
        bottom.addWidget(self._free_kept)
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
        column.addWidget(self._question)

    @property
    def used(self) -> bool:
        return self._use.isChecked()

    def show_use(self, library_open: bool, used: bool, space: SpaceCount | None) -> None:
        """Tick the box without telling anyone, and say how much is encoded."""
        self._space = space
        self._use.blockSignals(True)
        self._use.setChecked(used)
        self._use.blockSignals(False)
        self._use.setEnabled(library_open and self._ready)
        if used:
            self.ask_nothing()
        else:
            self._show_space()

    def ask_nothing(self) -> None:
        """The question about the vectors is answered, or there is none any more."""
        self._question.hide()
        self._show_space()

    def show_forgotten(self) -> None:
        self._free_kept.hide()
        self._encoded.setText(self.tr("Its space is free again"))

    def _show_space(self) -> None:
        """Say what is encoded of a used model, or kept of another; the latter can be freed, once nothing else asks."""
        items = self._space.items if self._space else 0
        kept = items > 0 and not self.used
        encoded = wording.count(items, self.tr("item"), self.tr("items")) + self.tr(" encoded")
        if kept:
            encoded = self.tr("Keeps about {0}").format(self._size)
        self._encoded.setText(encoded if items else self.tr("Not indexed yet") if self.used else "")
        self._free_kept.setVisible(kept and self._question.isHidden())

    @property
    def _size(self) -> str:
        """About what its vectors take."""
        return wording.size(self._space.items * self._space.dim * VECTOR_BYTES) if self._space else ""

    def _toggled(self, used: bool) -> None:
        if used or self._space is None or not self._space.items:
            self.ask_nothing()
        else:
            self._sentence.setText(
                self.tr("Its vectors of {0} are kept, so that it can be used again without indexing.").format(
                    wording.count(self._space.items, self.tr("item"), self.tr("items"))
                )
            )
            self._free.setText(self.tr("Free about {0}").format(self._size))
            self._question.show()
            self._show_space()
        self.toggled.emit()

    def _forget(self) -> None:
        self._question.hide()
        self._free_kept.hide()
        self._encoded.setText(self.tr("Its space is being freed…"))
        self.forget_wanted.emit(self.key)

    def _make_question(self) -> QWidget:
        question = QFrame()
        theme.set_role(question, "chip")
        for button in (self._free, self._free_kept):
            button.setToolTip(self.tr("Throw its vectors away. Using it again means indexing with it again."))
            button.clicked.connect(self._forget)
        self._keep.clicked.connect(self.ask_nothing)
        row = QHBoxLayout(question)
        row.setContentsMargins(theme.MEDIUM_PX, theme.SMALL_PX, theme.SMALL_PX, theme.SMALL_PX)
        row.setSpacing(theme.SMALL_PX)
        row.addWidget(self._sentence, 1)
        row.addWidget(self._free)
        row.addWidget(self._keep)
        question.hide()
        return question

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
