"""What can be done with a hit, as a context menu."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QMenu, QWidget

from app.engine.types import Hit, ItemKind
from app.gui import desktop, icons


class HitMenu(QMenu):
    """Signals: ``search_like``, ``more_like`` and ``less_like`` with the hit. It deletes itself when it closes."""

    search_like = Signal(object)
    more_like = Signal(object)
    less_like = Signal(object)

    def __init__(self, hit: Hit, away: str | None, parent: QWidget) -> None:
        """``away`` is the folder that is not there now and holds the hit, if it cannot be opened."""
        super().__init__(parent)
        self._hit = hit
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.addAction(icons.icon("search"), self.tr("Search for what is like this"), self._search_like)
        if hit.item_kind is not ItemKind.AUDIO:  # a sound stands alone in a query
            self.addAction(icons.icon("plus"), self.tr("Add to the query: more like this"), self._more_like)
            self.addAction(icons.icon("cross"), self.tr("Add to the query: less like this"), self._less_like)
        self.addSeparator()
        if away:
            self.addAction(icons.icon("folder-offline"), self.tr("Not there now: {0}").format(away)).setEnabled(False)
        else:
            self.addAction(icons.icon("play"), self.tr("Open with its own program"), self._open)
            self.addAction(icons.icon("folder"), self.tr("Show in its folder"), self._show)

    def _search_like(self) -> None:
        self.search_like.emit(self._hit)

    def _more_like(self) -> None:
        self.more_like.emit(self._hit)

    def _less_like(self) -> None:
        self.less_like.emit(self._hit)

    def _open(self) -> None:
        desktop.open_file(self._hit.path)

    def _show(self) -> None:
        desktop.show_in_folder(self._hit.path)
