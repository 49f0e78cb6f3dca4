"""What the keyboard and the menu can do, each thing once."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from app.gui import icons
from app.gui.topbar import PAGES
from app.settings import Settings

THUMBNAILS = ((120, "Small"), (180, "Medium"), (260, "Large"))
THEMES = (("system", "As the desktop"), ("light", "Light"), ("dark", "Dark"))


class Actions(QObject):
    """Signals beside the actions' own: ``page_chosen`` with an index; ``sidebar_toggled`` and ``details_toggled``;
    ``theme_chosen`` with a `theme.Choice`; ``thumbnail_px_chosen``."""

    page_chosen = Signal(int)
    sidebar_toggled = Signal(bool)
    details_toggled = Signal(bool)
    theme_chosen = Signal(str)
    thumbnail_px_chosen = Signal(int)

    def __init__(self, window: QMainWindow, chosen: Settings) -> None:
        super().__init__(window)
        self._window = window
        self.menu = QMenu(window)
        self.add_folder = self._action("plus", self.tr("Add a folder…"), "Ctrl+O")
        self.rescan = self._action("refresh", self.tr("Look for changes in all folders"), "F5")
        self.library_settings = self._action("gear", self.tr("Settings of this library…"), "Ctrl+,")
        self.labels = self._action("tag", self.tr("Labels…"), "Ctrl+T")
        self.check_library = self._action("check", self.tr("Check the library…"))
        self.check_computer = self._action("computer", self.tr("Check this computer…"))
        self.menu.addSeparator()
        self.focus_query = self._action("search", self.tr("Go to the query"), "Ctrl+L", "Ctrl+F")
        self.clear_query = self._action("close", self.tr("Clear the query"), "Esc")
        self.menu.addSeparator()
        for index, (icon, words) in enumerate(PAGES):
            page = self._action(icon, self.tr(words), f"Ctrl+{index + 1}")
            page.setData(index)
            page.triggered.connect(self._choose_page)
        self.menu.addSeparator()
        self._sidebar = self._toggle(self.tr("Show the folders"), "Ctrl+B")
        self._sidebar.toggled.connect(self.sidebar_toggled)
        self.details = self._toggle(self.tr("Show the details"), "Ctrl+D")
        self.details.toggled.connect(self.details_toggled)
        self._sizes = self._choice(self.tr("Thumbnails"), THUMBNAILS, chosen.thumbnail_px)
        self._sizes.triggered.connect(self._choose_size)
        self._themes = self._choice(self.tr("Theme"), THEMES, chosen.theme)
        self._themes.triggered.connect(self._choose_theme)
        self.menu.addSeparator()
        self.about = self._action("info", self.tr("About Semblance"))
        self.quit = self._action("", self.tr("Quit"), "Ctrl+Q")

    def _action(self, icon: str, words: str, *shortcuts: str) -> QAction:
        action = QAction(words, self)
        if icon:
            action.setIcon(icons.icon(icon))
        action.setShortcuts([QKeySequence(shortcut) for shortcut in shortcuts])
        self.menu.addAction(action)
        self._window.addAction(action)
        return action

    def _toggle(self, words: str, shortcut: str) -> QAction:
        action = self._action("", words, shortcut)
        action.setCheckable(True)
        action.setChecked(True)
        return action

    def _choice(self, words: str, choices: tuple[tuple[int | str, str], ...], chosen: int | str) -> QActionGroup:
        menu = self.menu.addMenu(words)
        group = QActionGroup(self)
        for value, name in choices:
            action = QAction(self.tr(name), group)
            action.setCheckable(True)
            action.setChecked(value == chosen)
            action.setData(value)
            menu.addAction(action)
        return group

    def _choose_page(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self.page_chosen.emit(action.data())

    def _choose_size(self, action: QAction) -> None:
        self.thumbnail_px_chosen.emit(action.data())

    def _choose_theme(self, action: QAction) -> None:
        self.theme_chosen.emit(action.data())
