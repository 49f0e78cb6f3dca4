"""The top of the window: which page is shown, and the menu."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QSize, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QMenu, QPushButton, QToolButton, QWidget

from app.gui import icons, theme

SEARCH, EVALUATE, MODELS = range(3)
PAGES = (("search", "Search"), ("compare", "Evaluate"), ("library", "Models"))


class TopBar(QFrame):
    """Signal: ``page_chosen`` with the page's index."""

    page_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.set_role(self, "bar")
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.LARGE_PX, theme.SMALL_PX, theme.SMALL_PX, theme.SMALL_PX)
        row.setSpacing(theme.TINY_PX)
        row.addWidget(theme.label("Semblance", theme.Type.HEADING))
        row.addSpacing(theme.HUGE_PX)
        for index, (icon, words) in enumerate(PAGES):
            button = QPushButton(icons.icon(icon), self.tr(words))
            button.setCheckable(True)
            button.setChecked(index == 0)
            button.setIconSize(QSize(theme.ICON_PX, theme.ICON_PX))
            button.setToolTip(self.tr("{0} (Ctrl+{1})").format(self.tr(words), index + 1))
            theme.set_role(button, "quiet")
            self._group.addButton(button, index)
            row.addWidget(button)
        row.addStretch()
        self._menu = QToolButton()
        self._menu.setIcon(icons.icon("gear"))
        self._menu.setIconSize(QSize(theme.ICON_PX, theme.ICON_PX))
        self._menu.setToolTip(self.tr("Menu: folders, view, theme (Alt+M)"))
        self._menu.setAccessibleName(self.tr("Menu"))
        self._menu.setShortcut(self.tr("Alt+M"))
        self._menu.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        row.addWidget(self._menu)
        self._group.idToggled.connect(self._toggled)  # by assistive programs without a click

    def set_menu(self, menu: QMenu) -> None:
        self._menu.setMenu(menu)

    def set_page(self, index: int) -> None:
        """Show which page is shown, without telling anyone."""
        with QSignalBlocker(self._group):
            self._group.button(index).setChecked(True)

    def _toggled(self, index: int, is_on: bool) -> None:
        if is_on:
            self.page_chosen.emit(index)
