"""What the window knows of a library's labels, and who is told: the filter, the details, and the dialog of the list."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.engine.errors import AppError
from app.engine.labeltypes import LabelStatus
from app.gui.engine import Engine
from app.gui.labelchips import LabelChips
from app.gui.labelfilter import LabelFilter
from app.gui.labelsdialog import LabelsDialog
from app.gui.workspace import Workspace


class LabelWork(QObject):
    """Its dialog is the ``owner``'s. Signals: ``judge_wanted`` with the id of the set in which labels are judged;
    ``changed`` when pictures have other labels than before."""

    judge_wanted = Signal(int)
    changed = Signal()

    def __init__(
        self, engine: Engine, workspace: Workspace, of_search: LabelFilter, of_item: LabelChips, owner: QWidget
    ) -> None:
        super().__init__(owner)
        self._owner = owner
        self._engine = engine
        self._workspace = workspace
        self._filter = of_search
        self._chips = of_item
        self._generation = 0
        of_search.edit_wanted.connect(self.show_dialog)
        of_item.chosen.connect(of_search.choose)
        workspace.opening.connect(self._forget)
        workspace.opened.connect(self.refresh)
        workspace.job.finished.connect(self.refresh)

    def refresh(self, _event: object = None) -> None:
        """Ask again how many pictures have which label."""
        self._generation += 1
        generation = self._generation

        def done(status: LabelStatus) -> None:
            if generation == self._generation:
                self._tell(status)

        def failed(_error: AppError) -> None:
            """Without it a search works as well; what is wrong with the library is told by what needs it."""

        self._engine.request("labels_status", on_done=done, on_failed=failed)

    def show_dialog(self) -> None:
        """Let the person see and change the list."""
        if status := self._workspace.status:
            models = [model for model in self._workspace.models if model.key in status.spaces]
            dialog = LabelsDialog(self._engine, models, self._owner)
            dialog.changed.connect(self._changed)
            dialog.judge_wanted.connect(self.judge_wanted)
            self._workspace.job.finished.connect(dialog.refresh)
            dialog.open()

    def _changed(self, status: LabelStatus) -> None:
        self._generation += 1
        self._tell(status)
        self.changed.emit()

    def _tell(self, status: LabelStatus) -> None:
        self._filter.set_status(status)
        self._chips.set_status(status)

    def _forget(self, _library: str) -> None:
        self._tell(LabelStatus(()))
