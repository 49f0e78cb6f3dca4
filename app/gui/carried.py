"""The offer to take in the models that this copy of the program carries inside."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QWidget

from app.engine.modeltypes import PackReport
from app.gui import theme, wording


class CarriedOffer(QFrame):
    """In sight while there are such models that are not ready here yet. Signals: ``wanted``."""

    wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.set_role(self, "banner")
        self._words = theme.label("")
        self._take = QPushButton(self.tr("Take them in"))
        theme.set_role(self._take, "primary")
        self._take.clicked.connect(self.wanted)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.LARGE_PX, theme.SMALL_PX, theme.MEDIUM_PX, theme.SMALL_PX)
        row.addWidget(self._words, 1)
        row.addWidget(self._take)
        self.hide()

    def set_packs(self, packs: Sequence[PackReport], name: Callable[[str], str]) -> None:
        """``name`` gives a model's name for its key."""
        names = ", ".join(name(key) for pack in packs for key in pack.models)
        size = wording.size(sum(pack.size_bytes for pack in packs))
        self._words.setText(
            self.tr(
                "This copy of Semblance carries {0}. No network is needed; it takes about {1} of your disk."
            ).format(names, size)
        )
        self.setVisible(bool(packs))

    def set_busy(self, busy: bool) -> None:
        self._take.setEnabled(not busy)
