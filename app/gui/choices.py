"""What a person has chosen for the window: known from the start, changed as it is used, written when it closes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QByteArray
from PySide6.QtWidgets import QWidget

from app import settings
from app.engine.modeltypes import Needs
from app.gui import theme
from app.gui.modelneeds import remember, remembered


class Choices:
    """``settings`` are the choices as they are now.

    Args:
        home: the data home that keeps them.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self.settings = settings.load(home)

    @property
    def needs(self) -> Needs:
        """What was last said to be wanted of a model."""
        return remembered(self.settings)

    def choose_needs(self, needs: Needs) -> None:
        self.settings = remember(self.settings, needs)

    def choose_theme(self, choice: str) -> None:
        self.settings = replace(self.settings, theme=choice)
        theme.apply(choice)

    def choose_thumbnail_px(self, thumbnail_px: int) -> None:
        self.settings = replace(self.settings, thumbnail_px=thumbnail_px)

    def note_checked(self, version: str) -> None:
        """This version has looked at the machine."""
        self.settings = replace(self.settings, checked_version=version)

    def restore_geometry(self, window: QWidget) -> bool:
        """Give the window the size and place it had; False if it had none."""
        saved = QByteArray.fromHex(self.settings.window_geometry.encode())
        return not saved.isEmpty() and window.restoreGeometry(saved)

    def save(self, window: QWidget, library: str) -> None:
        """Write them, with the window's size and place and the library to open next time, if one was opened. In a home
        that cannot be written the choices last as long as the window."""
        geometry = bytes(window.saveGeometry().toHex().data()).decode()
        try:
            settings.save(
                self._home, replace(self.settings, library=library or self.settings.library, window_geometry=geometry)
            )
        except OSError:
            return
