"""Whether a model is used in the open library, and what becomes of its vectors when it no longer is."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.engine.librarytypes import SpaceCount
from app.engine.modeltypes import ModelStatus
from app.gui import theme, wording
from app.gui.modelwords import VECTOR_BYTES


class ModelUse(QWidget):
    """A box to tick, how much is encoded, and a question when the tick is taken out.

    Signals: ``toggled``; ``forget_wanted`` with its key; ``forget_earlier_wanted`` with its key, for what other weights
    than it has now have encoded. A model that is taken out of the library stays as it is until
    the question whether to keep its vectors is answered, which nobody has to.
    """

    toggled = Signal()
    forget_wanted = Signal(str)
    forget_earlier_wanted = Signal(str)

    def __init__(self, model: ModelStatus, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.key = model.key
        self._ready = model.ready
        self._library_open = False
        self._space: SpaceCount | None = None
        self._box = QCheckBox(self.tr("Use in this library"))
        self._box.setAccessibleName(self.tr("Use {0} in this library").format(model.name))
        self._box.toggled.connect(self._toggled)
        self._encoded = theme.label("", theme.Type.CAPTION)
        self._sentence = theme.label("")
        self._free, self._keep = QPushButton(), QPushButton(self.tr("Keep them"))
        self._free_kept = QPushButton(self.tr("Free"))
        theme.set_role(self._free_kept, "link")
        self._question = self._make_question()
        self._changed = theme.label("")
        self._free_earlier = QPushButton()
        self._earlier = self._make_earlier()
        self._row = row = QHBoxLayout()
        row.setSpacing(theme.SMALL_PX)
        row.addWidget(self._box)
        row.addStretch()
        row.addWidget(self._encoded)
        row.addWidget(self._free_kept)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SMALL_PX)
        column.addLayout(row)
        column.addWidget(self._question)
        column.addWidget(self._earlier)
        self._show_box()

    def add_beside(self, before: QWidget, *after: QWidget) -> None:
        """Put what else is to be done with the model into the row of the box."""
        self._row.insertWidget(0, before)
        for widget in after:
            self._row.addWidget(widget)

    @property
    def used(self) -> bool:
        return self._box.isChecked()

    def set_ready(self, ready: bool) -> None:
        """Whether it can run here."""
        self._ready = ready
        self._show_box()

    def use(self) -> None:
        """Tick the box, as a person does."""
        if self._box.isEnabled():
            self._box.setChecked(True)

    def show_use(
        self, library_open: bool, used: bool, space: SpaceCount | None, earlier: SpaceCount | None = None
    ) -> None:
        """Tick the box without telling anyone, and say how much is encoded. ``earlier`` is what its weights encoded
        before they changed."""
        self._space = space
        self._show_earlier(earlier)
        self._library_open = library_open
        self._box.blockSignals(True)
        self._box.setChecked(used)
        self._box.blockSignals(False)
        self._show_box()
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

    def _show_box(self) -> None:
        self._box.setEnabled(self._library_open and (self._ready or self.used))
        self._box.setVisible(self._ready or self.used)

    def _show_space(self) -> None:
        """Say what is encoded of a used model, or kept of another; the latter can be freed, once nothing else asks."""
        items = self._space.items if self._space else 0
        kept = items > 0 and not self.used
        encoded = wording.count(items, self.tr("item"), self.tr("items")) + self.tr(" encoded")
        if kept:
            encoded = self.tr("Keeps about {0}").format(_size(self._space))
        self._encoded.setText(encoded if items else self.tr("Not indexed yet") if self.used else "")
        self._free_kept.setVisible(kept and self._question.isHidden())

    def _show_earlier(self, earlier: SpaceCount | None) -> None:
        self._earlier.setVisible(earlier is not None and earlier.items > 0)
        if earlier:
            self._changed.setText(
                self.tr(
                    "Its weights have changed. What the earlier ones encoded, {0}, is kept and not searched."
                ).format(wording.count(earlier.items, self.tr("item"), self.tr("items")))
            )
            self._free_earlier.setText(self.tr("Free about {0}").format(_size(earlier)))

    def _forget_earlier(self) -> None:
        self._earlier.hide()
        self.forget_earlier_wanted.emit(self.key)

    def _toggled(self, used: bool) -> None:
        if used or self._space is None or not self._space.items:
            self.ask_nothing()
        else:
            self._sentence.setText(
                self.tr("Its vectors of {0} are kept, so that it can be used again without indexing.").format(
                    wording.count(self._space.items, self.tr("item"), self.tr("items"))
                )
            )
            self._free.setText(self.tr("Free about {0}").format(_size(self._space)))
            self._question.show()
            self._show_space()
        self.toggled.emit()

    def _forget(self) -> None:
        self._question.hide()
        self._free_kept.hide()
        self._encoded.setText(self.tr("Its space is being freed…"))
        self.forget_wanted.emit(self.key)

    def _make_question(self) -> QWidget:
        for button in (self._free, self._free_kept):
            button.setToolTip(self.tr("Throw its vectors away. Using it again means indexing with it again."))
            button.clicked.connect(self._forget)
        self._keep.clicked.connect(self.ask_nothing)
        return _chip(self._sentence, self._free, self._keep)

    def _make_earlier(self) -> QWidget:
        self._free_earlier.setToolTip(self.tr("Throw these vectors away. Only the earlier weights could use them."))
        self._free_earlier.clicked.connect(self._forget_earlier)
        return _chip(self._changed, self._free_earlier)


def _chip(sentence: QWidget, *buttons: QWidget) -> QFrame:
    """A sentence and what to answer; hidden until it is asked."""
    made = QFrame()
    theme.set_role(made, "chip")
    row = QHBoxLayout(made)
    row.setContentsMargins(theme.MEDIUM_PX, theme.SMALL_PX, theme.SMALL_PX, theme.SMALL_PX)
    row.setSpacing(theme.SMALL_PX)
    row.addWidget(sentence, 1)
    for button in buttons:
        row.addWidget(button)
    made.hide()
    return made


def _size(space: SpaceCount | None) -> str:
    """About what its vectors take."""
    return wording.size(space.items * space.dim * VECTOR_BYTES) if space else ""
