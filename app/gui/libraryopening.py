"""What is shown while a library is opened, brought up to date or gone back to, and where none can be."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.engine.errors import AppError, LibraryLocked, Restorable
from app.engine.jobs import Progress
from app.gui.banner import Banner
from app.gui.goingback import WayBack
from app.gui.searchpage import SearchPage
from app.gui.workspace import Workspace


class LibraryOpening(QObject):
    """Shows it on the page that searches. Signals: ``check_up_wanted`` and ``quit_wanted`` for buttons.

    Args:
        workspace: what opens libraries.
        search: the page.
        banner: for what is told beside an open library.
        is_awaited: whether files wait to be searched by.
        log_path: the engine's log, named where it keeps stopping.
        owner: the window, whose questions are asked.
    """

    check_up_wanted = Signal()
    quit_wanted = Signal()

    def __init__(
        self,
        workspace: Workspace,
        search: SearchPage,
        banner: Banner,
        is_awaited: Callable[[], bool],
        log_path: str,
        owner: QWidget,
    ) -> None:
        super().__init__(owner)
        self._workspace = workspace
        self._search = search
        self._banner = banner
        self._is_awaited = is_awaited
        self._log_path = log_path
        self._way_back = WayBack(workspace, banner, owner)
        self._restarting = False
        workspace.opening.connect(self._opening)
        workspace.upgrading.connect(self._upgrading)
        workspace.stopping.connect(self._stopping)
        workspace.going_back.connect(self._going_back)
        workspace.opened.connect(self._opened)
        workspace.open_cancelled.connect(self._cancelled)
        workspace.open_failed.connect(self._failed)
        workspace.engine_restarting.connect(self._engine_restarting)
        workspace.engine_gave_up.connect(self._engine_gave_up)
        search.states.cancel_wanted.connect(workspace.cancel_opening)

    @property
    def is_restart(self) -> bool:
        """Whether a library is opened because the engine had stopped."""
        return self._restarting

    def _opening(self) -> None:
        self._search.show_opening(self._is_awaited())

    def _upgrading(self, progress: Progress) -> None:
        self._search.states.say_upgrading(progress)

    def _stopping(self) -> None:
        self._search.states.say_stopping()

    def _going_back(self) -> None:
        self._search.states.say_going_back()

    def _opened(self) -> None:
        if self._restarting:
            self._restarting = False
            self._banner.tell(self.tr("The engine was restarted"), self.tr("What was indexed is kept."))

    def _cancelled(self) -> None:
        error = AppError(
            self.tr("“{0}” was not brought up to date").format(self._workspace.library),
            self.tr(
                "It is as it was, and the earlier Semblance still opens it. This one can use it once it is up to date."
            ),
        )
        self._search.show_problem(
            error, ((self.tr("Try again"), self._open_again), (self.tr("Quit Semblance"), self.quit_wanted.emit))
        )

    def _failed(self, error: AppError) -> None:
        actions = [(self.tr("Try again"), self._open_again)]
        if isinstance(error, Restorable) and error.backup:
            actions.insert(0, (self.tr("Go back to the copy…"), partial(self._way_back.ask, error)))  # what can help
        if not isinstance(error, (Restorable, LibraryLocked)):
            actions.append((self.tr("Check this computer…"), self.check_up_wanted.emit))
        self._search.show_problem(error, actions)

    def _open_again(self) -> None:
        self._workspace.open(self._workspace.library)

    def _engine_restarting(self) -> None:
        self._restarting = True
        self._banner.warn(self.tr("The engine stopped and is being restarted"), self.tr("What was indexed is kept."))

    def _engine_gave_up(self) -> None:
        error = AppError(
            self.tr("The engine keeps stopping"),
            self.tr(
                "It stopped three times within a minute, so it is not started again by itself. What was indexed is "
                "kept. The log tells what happened:"
            ),
            self._log_path,
        )
        self._banner.hide()
        self._search.show_problem(error, ((self.tr("Restart the engine"), self._workspace.restart),))
