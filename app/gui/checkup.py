"""The check of this computer: asked for in the menu, and made unasked, quietly, at the first start of each version."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from app import __version__
from app.bridge.client import Call
from app.engine.checktypes import CheckUp, Verdict
from app.engine.errors import AppError
from app.gui.banner import Banner
from app.gui.checkupdialog import CheckUpDialog
from app.gui.choices import Choices
from app.gui.engine import Engine
from app.gui.workspace import Workspace

QUIET_MS = 8_000
"""After the library was opened, or could not be, so that nothing that is then drawn waits; and again while
indexing has the cores."""


class CheckUpWork(QObject):
    """Its dialog is the ``owner``'s. Nothing is said of a machine on which everything works."""

    def __init__(self, engine: Engine, workspace: Workspace, banner: Banner, choices: Choices, owner: QWidget) -> None:
        super().__init__(owner)
        self._owner = owner
        self._engine = engine
        self._workspace = workspace
        self._banner = banner
        self._choices = choices
        self._call: Call | None = None
        self._has_looked = False
        self._later = QTimer(self)
        self._later.setInterval(QUIET_MS)
        self._later.timeout.connect(self.look_quietly)
        workspace.opened.connect(self._look_later)
        workspace.open_failed.connect(self._look_later)  # what is wrong here may be why

    def show_dialog(self) -> None:
        """Look at everything now, and show it."""
        self._stop()
        self._show(None)

    def look_quietly(self) -> None:
        """Have the engine look, where it has not yet for this version and has nothing else to do."""
        if self._workspace.job.running or self._call:
            return
        self._later.stop()
        self._has_looked = True  # also if the engine dies of it: it is not to die again
        self._call = self._engine.request(
            "doctor", on_done=self._looked, on_failed=self._failed, on_cancelled=self._cancelled
        )

    def _look_later(self, _opened: object) -> None:
        if self._choices.settings.checked_version != __version__ and not self._has_looked:
            self._later.start()

    def _looked(self, found: CheckUp) -> None:
        self._call = None
        self._choices.note_checked(__version__)
        problems = [finding for finding in found.findings if finding.verdict is Verdict.PROBLEM]
        if problems:
            more = self.tr(" And more: {0} in all.").format(len(problems)) if len(problems) > 1 else ""
            self._banner.warn(
                self.tr("Something does not work on this computer"),
                f"{problems[0].title}: {problems[0].sentence}{more}",
                action=(self.tr("Show it"), lambda: self._show(found)),
            )

    def _failed(self, _error: AppError) -> None:
        """Nobody asked for it; the next start looks again."""
        self._call = None

    def _cancelled(self) -> None:
        self._call = None

    def _stop(self) -> None:
        self._later.stop()
        if self._call:
            self._call.cancel()

    def _show(self, found: CheckUp | None) -> None:
        dialog = CheckUpDialog(self._engine, found, self._owner)
        dialog.show()
