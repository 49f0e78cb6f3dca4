"""The page of models: which one suits, which there are, how they come here, and which are used in this library."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.engine.librarytypes import LibraryStatus
from app.engine.modeltypes import ModelStatus
from app.gui import icons, theme
from app.gui.carried import CarriedOffer
from app.gui.modelchoice import ModelChoice
from app.gui.modellist import ModelList

WIDTH_PX = 880


class ModelsPage(QWidget):
    """Shows values and says what is wanted; `ModelActions` does it.

    Signals: ``chosen`` with the keys of the ticked models; ``forget_wanted`` with the key of a model taken out of
    the library whose vectors are not to be kept; ``index_wanted`` to encode with those that are new;
    ``refresh_wanted`` to look again for weights that were put in place; ``add_wanted``, ``import_wanted``,
    ``export_wanted`` and ``check_wanted`` for what concerns more than one model; ``became_visible``.
    """

    chosen = Signal(object)
    forget_wanted = Signal(str)
    index_wanted = Signal()
    refresh_wanted = Signal()
    add_wanted = Signal()
    import_wanted = Signal()
    export_wanted = Signal()
    check_wanted = Signal()
    became_visible = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.carried = CarriedOffer()
        self.choice = ModelChoice()
        self.list = ModelList()
        self._scroll = QScrollArea()
        self._unindexed = theme.label("")
        self._index = QPushButton(self.tr("Index with the ticked models"))
        self._foot = self._make_foot()
        self._compose()
        self.list.chosen.connect(self.chosen)
        self.list.forget_wanted.connect(self.forget_wanted)
        self.choice.shown.connect(self.show_card)
        self.choice.use_wanted.connect(self._use)
        self._show_unindexed()

    def set_models(self, models: Sequence[ModelStatus]) -> None:
        self.list.set_models(models)
        self.choice.set_models(models)
        self._show_unindexed()

    def set_library(self, status: LibraryStatus) -> None:
        self.list.set_library(status)
        self.choice.set_library(status)
        self._show_unindexed()

    def show_forgotten(self, key: str) -> None:
        """A model's vectors are gone."""
        self.list.show_forgotten(key)

    def show_card(self, key: str) -> None:
        """Scroll to a model's card and open its facts."""
        if card := self.list.card(key):
            self.list.show_all()
            card.open()
            QTimer.singleShot(0, card, lambda: self._scroll.ensureWidgetVisible(card, 0, theme.HUGE_PX))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.became_visible.emit()

    # --- composition -------------------------------------------------------------------------------------------------

    def _compose(self) -> None:
        content = QWidget()
        content.setObjectName("content")
        column = QVBoxLayout(content)
        column.setContentsMargins(theme.HUGE_PX, theme.HUGE_PX, theme.HUGE_PX, theme.HUGE_PX)
        column.setSpacing(theme.MEDIUM_PX)
        column.addWidget(theme.label(self.tr("Models"), theme.Type.TITLE))
        column.addWidget(
            theme.label(
                self.tr(
                    "A model turns pictures, sounds and words into numbers that can be compared. Tick those to use in "
                    "this library; the Evaluate page tells which is best on your own files."
                )
            )
        )
        column.addWidget(self.carried)
        column.addWidget(self.choice)
        column.addSpacing(theme.MEDIUM_PX)
        column.addLayout(self._compose_heading())
        column.addWidget(self.list)
        column.addStretch()
        content.setMaximumWidth(WIDTH_PX)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(content)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self._scroll, 1)
        outer.addWidget(self._foot)

    def _compose_heading(self) -> QHBoxLayout:
        add = QPushButton(icons.icon("plus"), self.tr("Add a model…"))
        add.setToolTip(self.tr("A weights file or folder of your own; it can also be dropped here"))
        add.clicked.connect(self.add_wanted)
        more = QPushButton(self.tr("Packs and files"))
        menu = QMenu(more)
        menu.addAction(self.tr("Import a pack…"), self.import_wanted.emit)
        menu.addAction(self.tr("Export a pack…"), self.export_wanted.emit)
        menu.addSeparator()
        menu.addAction(icons.icon("check"), self.tr("Check the files of all models"), self.check_wanted.emit)
        menu.addAction(icons.icon("refresh"), self.tr("Look again"), self.refresh_wanted.emit)
        menu.setToolTipsVisible(True)
        more.setMenu(menu)
        theme.set_role(more, "menu")
        heading = QHBoxLayout()
        heading.setSpacing(theme.SMALL_PX)
        heading.addWidget(theme.label(self.tr("All models"), theme.Type.HEADING), 1)
        heading.addWidget(add)
        heading.addWidget(more)
        return heading

    def _make_foot(self) -> QFrame:
        """What stays in sight while ticked models wait for an indexing."""
        theme.set_role(self._index, "primary")
        self._index.clicked.connect(self.index_wanted)
        foot = QFrame()
        theme.set_role(foot, "bar")
        row = QHBoxLayout(foot)
        row.setContentsMargins(theme.HUGE_PX, theme.SMALL_PX, theme.HUGE_PX, theme.SMALL_PX)
        row.addWidget(self._unindexed, 1)
        row.addWidget(self._index)
        return foot

    def _show_unindexed(self) -> None:
        names = self.list.unindexed
        self._unindexed.setText(self.tr("Not indexed yet: {0}").format(", ".join(names)))
        self._index.setVisible(bool(names))
        self._foot.setVisible(bool(names))

    def _use(self, key: str) -> None:
        if use := self.list.use_of(key):
            use.use()
