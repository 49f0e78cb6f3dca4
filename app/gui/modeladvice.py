"""Asks the engine which models suit, as often as an answer may have changed, and drops what comes too late."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal

from app.engine.errors import AppError
from app.engine.librarytypes import LibraryStatus
from app.engine.modeltypes import Advice, Needs
from app.engine.types import Modality
from app.gui.engine import Engine
from app.gui.modeljobs import ModelJobs, Task
from app.gui.models import ModelsPage
from app.gui.workspace import Workspace


class Adviser(QObject):
    """Signal: ``needs_changed`` with the `Needs` that are worth remembering.

    Nothing is asked while the page is out of sight, or while the last answer still holds.
    """

    needs_changed = Signal(object)

    def __init__(self, engine: Engine, workspace: Workspace, page: ModelsPage, jobs: ModelJobs, needs: Needs) -> None:
        super().__init__(page)
        self._engine = engine
        self._workspace = workspace
        self._page = page
        self._asked: Any = None
        page.choice.form.set_needs(needs)
        page.choice.changed.connect(self._change)
        page.became_visible.connect(self.ask)
        workspace.status_changed.connect(self._changed)
        workspace.models_changed.connect(self._changed)
        jobs.finished.connect(self._ask_again)

    def ask(self) -> None:
        """Ask if what the answer depends on has changed."""
        needs = self._page.choice.form.needs()
        about = (needs, items(self._workspace.status), self._workspace.models)
        if about == self._asked:
            return
        self._asked = about

        def show(advice: Advice) -> None:
            if about is self._asked:
                self._page.choice.set_advice(advice)

        def fail(error: AppError) -> None:
            if about is self._asked:
                self._asked = None
                self._page.choice.show_problem(f"{error.title}. {error.message}")

        self._engine.request("models_advise", needs, about[1], on_done=show, on_failed=fail)

    def _ask_again(self, task: Task) -> None:
        """The machine's speed may be known now, or the same question have another answer."""
        self._asked = None
        self._changed(task)

    def _change(self, needs: Needs) -> None:
        self.needs_changed.emit(needs)
        self.ask()

    def _changed(self, _what: Any) -> None:
        if self._page.isVisible():
            self.ask()


def items(status: LibraryStatus | None) -> dict[Modality, int]:
    """How many items of each kind a library holds."""
    counted = dict.fromkeys((Modality.IMAGE, Modality.AUDIO), 0)
    for kind, number in (status.items if status else {}).items():
        counted[kind.modality] += number
    return counted
