"""What a person does to the open library: adds folders, has them looked through, sets it up, has it checked."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from app.gui.banner import Banner
from app.gui.engine import Engine
from app.gui.librarysettings import LibrarySettingsDialog
from app.gui.verifying import VerifyDialog
from app.gui.workspace import Workspace


class LibraryWork(QObject):
    """Its dialogs are the ``owner``'s."""

    def __init__(self, engine: Engine, workspace: Workspace, banner: Banner, owner: QWidget) -> None:
        super().__init__(owner)
        self._engine = engine
        self._workspace = workspace
        self._banner = banner
        self._owner = owner

    def choose_folder(self) -> None:
        title = self.tr("Add a folder of photos, videos and sounds")
        if folder := QFileDialog.getExistingDirectory(self._owner, title):
            self.add_folders((folder,))

    def add_folders(self, folders: Iterable[str]) -> None:
        if self._workspace.status is None:
            self._banner.tell(
                self.tr("The library is not open yet"), self.tr("Add the folder again once it is: a moment.")
            )
            return
        self._workspace.add_folders(folders)

    def rescan(self) -> None:
        if self._workspace.status and self._workspace.status.roots:
            self._workspace.rescan()

    def show_settings(self) -> None:
        if status := self._workspace.status:
            dialog = LibrarySettingsDialog(status, self._workspace.set_settings, self._owner)
            dialog.index_wanted.connect(self.rescan)
            dialog.open()

    def check(self) -> None:
        if status := self._workspace.status:
            dialog = VerifyDialog(status.name, self._engine, self._owner)
            dialog.checked.connect(self._workspace.refresh)
            dialog.open()
