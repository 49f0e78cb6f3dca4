"""What this program is: its version, its licence and those of what it is built on, and where it keeps its data."""

from __future__ import annotations

import platform
from pathlib import Path

import PySide6
from PySide6.QtCore import QSysInfo, Qt, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app import __version__
from app.gui import desktop, icons, theme
from app.gui.facts import Facts
from app.paths import licences_dir, portable_folder

WIDTH_PX = 560
ICON_PX = 64


class AboutDialog(QDialog):
    """Does not block the window; deletes itself when it closes.

    Args:
        home: the data home.
    """

    def __init__(self, home: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._home = home
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("About Semblance"))
        self.setMinimumWidth(WIDTH_PX)
        self.facts = self._known()
        self._open_home = QPushButton(icons.icon("folder"), self.tr("Open the data folder"))
        self._open_home.setEnabled(home.is_dir())
        self._open_home.clicked.connect(self._show_home)
        self._licences = QPushButton(self.tr("Third-party licences"))
        self._licences.setVisible(licences_dir() is not None)
        self._licences.clicked.connect(self._show_licences)
        self._copy = QPushButton(self.tr("Copy"))
        self._copy.setToolTip(self.tr("Copy what is said here, for example for a report of a fault"))
        self._copy.clicked.connect(self._copy_facts)
        self._close = QPushButton(self.tr("Close"))
        self._close.setDefault(True)
        self._close.clicked.connect(self.accept)
        self._compose()
        self._close.setFocus()

    @property
    def text(self) -> str:
        """The facts, one a line, as they are copied."""
        return "\n".join(f"{name}: {value}" for name, value in self.facts)

    def _known(self) -> tuple[tuple[str, str], ...]:
        place = str(self._home)
        if portable_folder():
            place += "\n" + self.tr("This is a portable copy: everything is kept beside the program.")
        return (
            (self.tr("Version"), __version__),
            (self.tr("Licence"), self.tr("MIT: you may use, change and share it freely")),
            (
                self.tr("Built on"),
                self.tr(
                    "Qt {0} and PySide6 {1}, under the LGPL version 3: they are files of their own, which you may "
                    "replace. PyTorch, FFmpeg and many others, under their own licences."
                ).format(qVersion(), PySide6.__version__),
            ),
            (self.tr("Data folder"), place),
            (self.tr("System"), f"{QSysInfo.prettyProductName()}, {QSysInfo.currentCpuArchitecture()}"),
            (self.tr("Python"), platform.python_version()),
        )

    def _compose(self) -> None:
        badge = QLabel()
        badge.setPixmap(QGuiApplication.windowIcon().pixmap(ICON_PX))
        names = QVBoxLayout()
        names.addStretch()
        names.addWidget(theme.label(self.tr("Semblance"), theme.Type.TITLE))
        names.addWidget(theme.label(self.tr("Finds what is alike in your own photos, videos and sounds, offline")))
        names.addStretch()
        head = QHBoxLayout()
        head.setSpacing(theme.LARGE_PX)
        head.addWidget(badge)
        head.addLayout(names, 1)
        buttons = QHBoxLayout()
        for button in (self._open_home, self._licences, self._copy):
            buttons.addWidget(button)
        buttons.addStretch()
        buttons.addWidget(self._close)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.HUGE_PX, theme.LARGE_PX, theme.HUGE_PX, theme.LARGE_PX)
        column.setSpacing(theme.LARGE_PX)
        column.addLayout(head)
        column.addWidget(Facts(self.facts))
        column.addStretch()
        column.addLayout(buttons)

    def _show_home(self) -> None:
        desktop.open_file(str(self._home))

    def _show_licences(self) -> None:
        if folder := licences_dir():
            desktop.open_file(str(folder))

    def _copy_facts(self) -> None:
        QGuiApplication.clipboard().setText(f"{self.tr('Semblance')}\n{self.text}")
