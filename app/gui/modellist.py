"""All models: a card each, and a filter above them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.engine.librarytypes import LibraryStatus
from app.engine.modeltypes import ModelStatus
from app.engine.types import Modality
from app.gui import focus, icons, modelwords, theme
from app.gui.flow import FlowLayout
from app.gui.modelcard import ModelCard, ModelVariant
from app.gui.modeluse import ModelUse

FILTERS: tuple[tuple[str, Callable[[ModelStatus], bool]], ...] = (
    ("Words", lambda model: Modality.TEXT in model.accepts),
    ("Pictures", lambda model: Modality.IMAGE in model.accepts),
    ("Sounds", lambda model: Modality.AUDIO in model.accepts),
    ("May be used at work", lambda model: model.commercial is True),
    ("Installed", lambda model: model.ready),
)


class ModelFilter(QWidget):
    """A field for words and switches that all must hold. Signal: ``changed``."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = QLineEdit()
        self._words.setPlaceholderText(self.tr("Name, language, licence…"))
        self._words.setAccessibleName(self.tr("Find a model by its name, language or licence"))
        self._words.setClearButtonEnabled(True)
        self._words.setMinimumWidth(220)
        self._words.textChanged.connect(self.changed)
        row = FlowLayout(self)
        row.addWidget(self._words)
        self._switches: list[tuple[QPushButton, Callable[[ModelStatus], bool]]] = []
        for words, holds in FILTERS:
            switch = QPushButton(self.tr(words))
            switch.setCheckable(True)
            switch.toggled.connect(self.changed)
            row.addWidget(switch)
            self._switches.append((switch, holds))

    def lets_through(self, model: ModelStatus) -> bool:
        words = self._words.text().lower().split()
        said = modelwords.found_by(model) if words else ""
        return all(word in said for word in words) and all(
            holds(model) for switch, holds in self._switches if switch.isChecked()
        )

    def clear(self) -> None:
        self._words.clear()
        for switch, _holds in self._switches:
            switch.setChecked(False)


class ModelList(QWidget):
    """Signals: ``chosen`` with the keys of the ticked models; ``forget_wanted`` with the key of one whose vectors are
    not to be kept, ``forget_earlier_wanted`` if only those of its earlier weights; ``install_wanted``,
    ``cancel_wanted``, ``check_wanted`` and ``remove_wanted`` with a key."""

    chosen = Signal(object)
    forget_wanted = Signal(str)
    forget_earlier_wanted = Signal(str)
    install_wanted = Signal(str)
    cancel_wanted = Signal(str)
    check_wanted = Signal(str)
    remove_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models: tuple[ModelStatus, ...] = ()
        self._status: LibraryStatus | None = None
        self._cards: dict[str, ModelCard] = {}
        self._variants: dict[str, ModelVariant] = {}
        self._filter = ModelFilter()
        self._filter.changed.connect(self._show_filtered)
        self._count = theme.label("", theme.Type.CAPTION)
        self._none = QWidget()
        self._clear = QPushButton(icons.icon("close"), self.tr("Show all models"))
        self._clear.clicked.connect(self._filter.clear)
        none = QHBoxLayout(self._none)
        none.addWidget(theme.label(self.tr("No model is like that.")), 1)
        none.addWidget(self._clear)
        self._list = QVBoxLayout()
        self._list.setSpacing(theme.MEDIUM_PX)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.MEDIUM_PX)
        for widget in (self._filter, self._count, self._none):
            column.addWidget(widget)
        column.addLayout(self._list)

    def set_models(self, models: Sequence[ModelStatus]) -> None:
        """Show how the models stand. Cards stay where they are, with the focus and what they ask, while the models
        are the same ones; else those that are here come first."""
        same = [model.key for model in models] == [model.key for model in self._models]
        self._models = tuple(models)
        if not same:
            self._make_cards()
        for model in models:
            if model.key in self._cards:
                self._cards[model.key].set_model(model)
            else:
                self._variants[model.key].set_model(model, self._cards[model.variant_of].model.ready)
        self._show_library()
        self._show_filtered()

    def set_library(self, status: LibraryStatus) -> None:
        if self._status is None or self._status.folder != status.folder:
            for use in self._uses():
                use.ask_nothing()
        self._status = status
        self._show_library()

    def card(self, key: str) -> ModelCard | None:
        """The card of a model, or of the one that it is a variant of."""
        base = next((model.variant_of for model in self._models if model.key == key), "")
        return self._cards.get(key) or self._cards.get(base)

    def use_of(self, key: str) -> ModelUse | None:
        shown = self._cards.get(key) or self._variants.get(key)
        return shown.use if shown else None

    def set_busy(self, keys: Collection[str]) -> None:
        """The files of these models are being worked on."""
        for card in self._cards.values():
            card.set_busy(card.key in keys)

    def show_all(self) -> None:
        self._filter.clear()

    def show_forgotten(self, key: str) -> None:
        """A model's vectors are gone."""
        if use := self.use_of(key):
            use.show_forgotten()

    @property
    def unindexed(self) -> tuple[str, ...]:
        """The names of ticked models that have encoded nothing of this library yet, if there is anything in it. Not of
        damaged ones: what these need, their cards say."""
        status = self._status
        if status is None or not status.roots:
            return ()
        used = {use.key for use in self._uses() if use.used}
        able = (model for model in self._models if model.key in used and not model.damaged)
        return tuple(model.name for model in able if _lacks(model, status))

    # --- helpers -----------------------------------------------------------------------------------------------------

    def _uses(self) -> Iterator[ModelUse]:
        yield from (card.use for card in self._cards.values())
        yield from (variant.use for variant in self._variants.values())

    def _make_cards(self) -> None:
        """One card a model, none for a variant. Cards of models that are still there are kept."""
        keys = {model.key for model in self._models}
        before, self._cards = self._cards, {}
        kept_variants, self._variants = self._variants, {}
        for model in sorted(self._models, key=lambda model: not (model.ready or model.damaged)):
            if model.variant_of not in keys:
                self._cards[model.key] = before.pop(model.key) if model.key in before else self._make_card(model)
        for card in before.values():
            self._list.removeWidget(card)
            card.hide()
            card.deleteLater()
        for card in self._cards.values():  # adding one that is there moves it
            self._list.addWidget(card)
        for model in self._models:
            if model.key not in self._cards:
                self._variants[model.key] = kept_variants.get(model.key) or self._make_variant(model)
        focus.lead(self._clear, self._cards.values())

    def _make_card(self, model: ModelStatus) -> ModelCard:
        card = ModelCard(model)
        self._wire(card.use)
        card.install_wanted.connect(self.install_wanted)
        card.cancel_wanted.connect(self.cancel_wanted)
        card.check_wanted.connect(self.check_wanted)
        card.remove_wanted.connect(self.remove_wanted)
        return card

    def _make_variant(self, model: ModelStatus) -> ModelVariant:
        variant = ModelVariant(model)
        self._wire(variant.use)
        self._cards[model.variant_of].add_variant(variant)
        return variant

    def _wire(self, use: ModelUse) -> None:
        use.toggled.connect(self._choose)
        use.forget_wanted.connect(self.forget_wanted)
        use.forget_earlier_wanted.connect(self.forget_earlier_wanted)

    def _choose(self) -> None:
        used = {use.key for use in self._uses() if use.used}
        self.chosen.emit(tuple(model.key for model in self._models if model.key in used))

    def _show_library(self) -> None:
        status = self._status
        for use in self._uses():
            if status is None:
                use.show_use(False, False, None)
                continue
            space = status.spaces.get(use.key) or status.kept.get(use.key)
            use.show_use(True, use.key in status.models, space, status.earlier.get(use.key))

    def _show_filtered(self) -> None:
        """A card is shown if its model, or a variant of it, is let through."""
        through = {model.variant_of or model.key for model in self._models if self._filter.lets_through(model)}
        through |= {model.key for model in self._models if self._filter.lets_through(model)}
        for key, card in self._cards.items():
            card.setVisible(key in through)
        shown = sum(key in through for key in self._cards)
        self._count.setText(self.tr("{0} of {1} models").format(shown, len(self._cards)))
        self._none.setVisible(bool(self._cards) and not shown)


def _lacks(model: ModelStatus, status: LibraryStatus) -> bool:
    """Whether a model has encoded nothing of a library that holds something for it."""
    space = status.spaces.get(model.key)
    some = any(number and kind.modality in model.accepts for kind, number in status.items.items())
    return space is None or (some and not space.items)
