"""The open library as the window knows it: opening, changing and refreshing it, and outliving the engine."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.bridge.client import Call
from app.engine.errors import AppError, EngineDied
from app.engine.jobs import Progress
from app.engine.librarytypes import IndexRequest, LibrarySettings, LibraryStatus, News, Restored
from app.engine.modeltypes import ModelStatus
from app.gui.engine import Engine
from app.gui.indexjob import IndexJob
from app.gui.offline import Offline

SAMPLE = "sample"

REFRESH_S = 3.0
"""While folders are indexed the counts are asked for again this often, and search finds what is new."""

DEATHS_MAX = 3
DEATHS_WITHIN_S = 60.0
"""An engine that dies this often in this time is not started again by itself."""


class Workspace(QObject):
    """Signals: ``opening`` with a library's name; ``upgrading`` with the `Progress` of bringing one up to date that an
    earlier version made, ``stopping`` where that is cancelled, and ``going_back`` while its copy is put back; then
    ``opened`` with its `LibraryStatus`, ``open_cancelled``, or ``open_failed`` with an `AppError`; ``refused`` with an
    `AppError` where the open library stays in place of another that was wanted; ``restored`` with a `Restored` before
    the library that was gone back to is opened; ``status_changed`` with the status whenever its contents may have
    changed; ``libraries_changed`` with the names; ``models_changed`` with every `ModelStatus`; ``model_forgotten`` with
    the key of one whose vectors are gone; ``watching_limited`` with a sentence, once; ``engine_restarting`` and
    ``engine_gave_up``.
    """

    opening = Signal(str)
    upgrading = Signal(object)
    stopping = Signal()
    going_back = Signal()
    opened = Signal(object)
    open_cancelled = Signal()
    open_failed = Signal(object)
    refused = Signal(object)
    restored = Signal(object)
    status_changed = Signal(object)
    libraries_changed = Signal(object)
    models_changed = Signal(object)
    model_forgotten = Signal(str)
    watching_limited = Signal(str)
    engine_restarting = Signal()
    engine_gave_up = Signal()

    def __init__(
        self,
        engine: Engine,
        library: str,
        clock: Callable[[], float] = time.monotonic,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._clock = clock
        self._deaths_s: deque[float] = deque(maxlen=DEATHS_MAX)
        self._on_opened: Callable[[], None] | None = None
        self._attempt = 0
        self._opening: Call | None = None
        self._failed = False
        self._refreshed_s = clock()
        self._limit_told = False
        self._choices: deque[tuple[str, ...]] = deque()
        self.library = library
        self.status: LibraryStatus | None = None
        self.models: tuple[ModelStatus, ...] = ()
        self.job = IndexJob(engine, self)
        self.job.progressed.connect(self._progressed)
        self.job.finished.connect(self._refresh_all)
        self.job.cancelled.connect(self.refresh)
        self.job.failed.connect(self.refresh)
        self.job.quiet_failed.connect(self._quiet_run_failed)
        engine.died.connect(self._engine_died)
        engine.told.connect(self._engine_told)

    # --- libraries ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the engine and open the library."""
        self._engine.start()
        self.open(self.library)

    @property
    def has_failed(self) -> bool:
        """Whether no library is open and none is being opened: the last one could not be."""
        return self._failed

    def open(self, library: str, or_stay: bool = False) -> bool:
        """Open a library, or make it if there is none of that name. While the one that is open is indexed, or is to
        be, no other is opened (False), which ``refused`` tells.

        Args:
            or_stay: where it cannot be opened, the one there is now is opened again.
        """
        earlier = self.library
        if library != earlier:
            if self.job.engaged:
                self.refused.emit(self._is_busy(library))
                return False
            self.job.forget_quiet()
        self.library = library
        self.status = None
        self._failed = False
        self._choices = deque()
        self._attempt += 1
        attempt = self._attempt
        self.opening.emit(library)

        def failed(error: AppError) -> None:
            if isinstance(error, EngineDied):
                return
            if or_stay and library != earlier:
                self.refused.emit(error)
                self.open(earlier)
            else:
                self._not_opened(partial(self.open_failed.emit, error))

        def cancelled() -> None:
            self._not_opened(self.open_cancelled.emit)

        def progressed(progress: Progress) -> None:
            if self._opening:  # and not cancelled
                self.upgrading.emit(progress)

        def latest(act: Callable[..., None]) -> Callable[..., None]:
            return lambda *told: act(*told) if attempt == self._attempt else None

        self._opening = self._engine.request(
            "open",
            library,
            on_done=latest(self._opened),
            on_failed=latest(failed),
            on_cancelled=latest(cancelled),
            on_progress=latest(progressed),
        )
        return True

    def _not_opened(self, tell: Callable[[], None]) -> None:
        self._failed = True
        tell()
        self._ask_libraries()

    def cancel_opening(self) -> None:
        """Leave a library as it was that is being brought up to date; if it is too late for that, it is opened."""
        call, self._opening = self._opening, None
        if call:
            self.stopping.emit()
            call.cancel()

    def go_back(self) -> None:
        """Put back the copy of a library that a newer version has changed since, and open it."""
        self._failed = False
        self.opening.emit(self.library)
        self.going_back.emit()

        def failed(error: AppError) -> None:
            if not isinstance(error, EngineDied):
                self._not_opened(partial(self.open_failed.emit, error))

        def done(restored: Restored) -> None:
            self.restored.emit(restored)
            self.open(self.library)

        self._engine.request("restore", self.library, on_done=done, on_failed=failed)

    def open_sample(self) -> None:
        """Open the sample library and fill it the first time."""
        self._on_opened = self._fill_sample if self.open(SAMPLE) else None

    def refresh(self, _why: Any = None) -> None:
        """Ask for the library's contents again."""
        self._refreshed_s = self._clock()
        if self.status:
            self._engine.request("status", on_done=self._show_status)

    def refresh_if_old(self) -> None:
        """Ask again if that was a while ago: a drive may have been plugged in or out."""
        if self._clock() - self._refreshed_s > REFRESH_S:
            self.refresh()

    # --- folders -----------------------------------------------------------------------------------------------------

    def add_folders(self, paths: Iterable[str]) -> None:
        self.job.index(IndexRequest(folders=tuple(paths)))

    def rescan(self, folders: Iterable[str] = ()) -> None:
        """Look for what is new, changed or gone in these folders, or in all."""
        self.job.index(IndexRequest(folders=tuple(folders)))

    def forget_root(self, path: str) -> None:
        """Take a folder out of the library; its files are not touched."""

        def done(status: LibraryStatus) -> None:
            self._show_status(status)
            self._engine.request("give_back_space", on_done=self._show_status)

        self._engine.request("forget_root", path, on_done=done)

    def set_settings(
        self, settings: LibrarySettings, on_done: Callable[[], None], on_failed: Callable[[AppError], None]
    ) -> None:
        """Choose how the library is indexed; the next indexing brings it in line."""

        def done(status: LibraryStatus) -> None:
            self._show_status(status)
            on_done()

        self._engine.request("set_settings", settings, on_done=done, on_failed=on_failed)

    # --- models ------------------------------------------------------------------------------------------------------

    def set_models(self, keys: tuple[str, ...]) -> None:
        """Choose the models of this library; the next indexing encodes with those that are new to it. Until it is
        answered, every status is shown with this choice: one on its way knows only what was chosen before."""
        choices = self._choices
        choices.append(keys)

        def done(status: LibraryStatus) -> None:
            choices.popleft()
            self._show_status(status)

        def failed(error: AppError) -> None:
            choices.popleft()
            if not isinstance(error, EngineDied):
                self._engine.failed.emit(error)
            self.refresh()

        self._engine.request("set_models", keys, on_done=done, on_failed=failed)

    def forget_model(self, key: str) -> None:
        """Give back the space of a model's vectors."""

        def done(status: LibraryStatus) -> None:
            self._show_status(status)
            self.model_forgotten.emit(key)

        self._engine.request("forget_model", key, on_done=done)

    def forget_earlier(self, key: str) -> None:
        """Give back the space of what a model has encoded with other weights than it has now."""
        self._engine.request("forget_model", key, earlier=True, on_done=self._show_status)

    def refresh_models(self) -> None:
        """Look again which models are ready."""
        if self.status:
            self._engine.request("models", on_done=self._show_models)

    # --- answers -----------------------------------------------------------------------------------------------------

    def _opened(self, status: LibraryStatus) -> None:
        self.status = status
        self.refresh_models()
        self._ask_libraries()
        self.opened.emit(status)
        self.status_changed.emit(status)
        self.job.again()
        self._catch_up(status)
        then, self._on_opened = self._on_opened, None
        if then:
            then()

    def _fill_sample(self) -> None:
        if self.status and self.status.name == SAMPLE and not self.status.roots:
            self.job.load_sample()

    def _is_busy(self, wanted: str) -> AppError:
        return AppError(
            self.tr("“{0}” cannot be opened now").format(wanted),
            self.tr("Wait for the indexing, or cancel it, to open another library."),
        )

    def _show_status(self, status: LibraryStatus) -> None:
        if self.status and status.name == self.status.name:
            self.status = replace(status, models=self._choices[-1]) if self._choices else status
            self.status_changed.emit(self.status)

    def _show_models(self, models: tuple[ModelStatus, ...]) -> None:
        self.models = models
        self.models_changed.emit(models)

    def _ask_libraries(self) -> None:
        self._engine.request("libraries", on_done=self.libraries_changed.emit)

    def _progressed(self, progress: Progress) -> None:
        if progress.paused:  # nothing more is told until it goes on
            self.refresh()
        else:
            self.refresh_if_old()

    def _refresh_all(self, _report: Any) -> None:
        self.refresh()
        self.refresh_models()

    # --- watched folders ---------------------------------------------------------------------------------------------

    def _engine_told(self, name: str, value: Any) -> None:
        match name:
            case News.FOLDERS_CHANGED if self.status:  # what changes before the library is open is caught up with then
                self.job.follow(value)
            case News.ROOTS_CHANGED:
                self.refresh()
            case News.WATCHING_LIMITED if not self._limit_told:
                self._limit_told = True
                self.watching_limited.emit(value)

    def _catch_up(self, status: LibraryStatus) -> None:
        """Nobody watched while the library was closed."""
        if status.settings.watch:
            self.job.follow(root.path for root in status.roots if root.online)

    def _quiet_run_failed(self, error: AppError) -> None:
        """A drive that was unplugged is shown as offline and is no error of the run that noticed it."""

        def done(status: LibraryStatus) -> None:
            self._show_status(status)
            if not (error.path and Offline.among(status.roots).root_of(error.path)):
                self.job.failed.emit(error)

        self._engine.request("status", on_done=done)

    # --- the engine's death ------------------------------------------------------------------------------------------

    def restart(self) -> None:
        """Start the engine again because the user asks for it."""
        self._deaths_s.clear()
        self.start()

    def _engine_died(self) -> None:
        now_s = self._clock()
        self._deaths_s.append(now_s)
        if len(self._deaths_s) == DEATHS_MAX and now_s - self._deaths_s[0] < DEATHS_WITHIN_S:
            self.status = None
            self._failed = True
            self._attempt += 1
            self.engine_gave_up.emit()
            return
        self.engine_restarting.emit()
        self.start()
