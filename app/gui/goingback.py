"""Going back to the copy of a library from before a newer version changed it: asked before, and told afterwards."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from app.engine.errors import LibraryTooNew, Restorable
from app.engine.librarytypes import Restored
from app.gui import desktop, wording
from app.gui.banner import Banner
from app.gui.workspace import Workspace


class WayBack(QObject):
    """Its question is the ``owner``'s."""

    def __init__(self, workspace: Workspace, banner: Banner, owner: QWidget) -> None:
        super().__init__(owner)
        self._owner = owner
        self._workspace = workspace
        self._banner = banner
        workspace.restored.connect(self._restored)

    def ask(self, error: Restorable) -> None:
        """Put the copy in the library's place, after asking."""
        if error.backup is None:
            return
        box = QMessageBox(self._owner)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.Question)
        box.setText(self.tr("Go back to the copy of “{0}”?").format(self._workspace.library))
        sentence = self.tr("It is what the library was on {0}, {1}. What was done since is not in it.").format(
            wording.date_time(error.backup.changed_ms), wording.size(error.backup.size_bytes)
        )
        if isinstance(error, LibraryTooNew):
            sentence += self.tr(" The newer library is kept beside it, for when you update Semblance.")
        box.setInformativeText(sentence)
        box.addButton(self.tr("Go back"), QMessageBox.ButtonRole.AcceptRole).clicked.connect(self._workspace.go_back)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.open()

    def _restored(self, back: Restored) -> None:
        def show() -> None:
            desktop.show_in_folder(back.set_aside)

        if back.set_aside:
            self._banner.tell(
                self.tr("The library is what it was before the upgrade"),
                self.tr("The newer one is kept: {0}").format(back.set_aside),
                (self.tr("Show it"), show),
            )
