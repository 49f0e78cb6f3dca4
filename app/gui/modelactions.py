"""What is done about models: it asks the person, then the engine, and lets the page say what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QMimeData, QObject
from PySide6.QtWidgets import QFileDialog

from app.engine.errors import AppError, EngineDied, WeightsCorrupt
from app.engine.jobs import Progress
from app.engine.modeltypes import AddRequest, InstallPlan, ModelCheck, ModelStatus, Origin, PackContents, PackReport
from app.gui import modelwords, wording
from app.gui.engine import Engine
from app.gui.installdialog import InstallDialog
from app.gui.jobline import Action, JobLine
from app.gui.modeldialogs import AddDialog, ModelDialog, RemoveDialog, model_in
from app.gui.modeljobs import ModelJobs, Task
from app.gui.models import ModelsPage
from app.gui.packdialogs import PACK_SUFFIX, ExportDialog, ImportDialog, PackDialog
from app.gui.workspace import Workspace

INSTALL, ADD, REMOVE, VERIFY = "models_install", "models_add", "models_remove", "models_verify"
EXPORT, IMPORT, MEASURE = "models_export_pack", "models_import_pack", "models_measure"
CONTENTS, CARRIED, IMPORT_CARRIED = "models_pack_contents", "models_carried_packs", "models_import_carried"


class ModelActions(QObject):
    """Stands between the page, the strip at the foot of the window, and the engine. Dialogs belong to the page.

    What belongs to one model is told on its card, and all of it in the strip, wherever the person is.
    """

    def __init__(self, engine: Engine, workspace: Workspace, page: ModelsPage, strip: JobLine) -> None:
        super().__init__(page)
        self._engine = engine
        self._workspace = workspace
        self._page = page
        self._strip = strip
        self.jobs = ModelJobs(engine, self)
        self._told: tuple[Task, Progress] | None = None
        self._wire()

    def _wire(self) -> None:
        page, jobs, workspace = self._page, self.jobs, self._workspace
        page.chosen.connect(workspace.set_models)
        page.forget_wanted.connect(workspace.forget_model)
        page.list.forget_earlier_wanted.connect(workspace.forget_earlier)
        page.index_wanted.connect(workspace.rescan)
        page.refresh_wanted.connect(workspace.refresh_models)
        page.became_visible.connect(workspace.refresh_models)
        page.became_visible.connect(self._ask_for_carried)
        page.carried.wanted.connect(lambda: jobs.start(Task(IMPORT_CARRIED, (), self.tr("What comes with Semblance"))))
        workspace.model_forgotten.connect(page.show_forgotten)
        page.add_wanted.connect(lambda: self.add(AddRequest("")))
        page.import_wanted.connect(self.choose_pack)
        page.export_wanted.connect(self.export_pack)
        page.check_wanted.connect(self.check_all)
        page.list.install_wanted.connect(self.install)
        page.list.cancel_wanted.connect(self._cancel_key)
        page.list.check_wanted.connect(lambda key: self._check((key,)))
        page.list.remove_wanted.connect(self.remove)
        page.choice.install_wanted.connect(self.install)
        page.choice.measure_wanted.connect(self._measure)
        self._strip.cancel_wanted.connect(self._cancel_current)
        jobs.queued.connect(self._queued)
        jobs.progressed.connect(self._progressed)
        jobs.finished.connect(self._finished)
        jobs.cancelled.connect(self._cancelled)
        jobs.failed.connect(self._failed)
        jobs.interrupted.connect(self._interrupted)
        jobs.changed.connect(self._show_busy)

    # --- what a person wants -----------------------------------------------------------------------------------------

    def install(self, key: str) -> None:
        """Ask whether a model's files may be fetched, saying which, from where and under what licence. A variant's
        are those of its base."""
        model = self._model(key)
        variant = key if model and model.variant_of else ""
        key = model.variant_of or key if model else key
        if key in self.jobs.busy_keys:  # its card tells how far it is
            self._page.show_card(key)
            return
        name = self._name(key)

        def ask(mirror: str, done: Callable[[InstallPlan], None], failed: Callable[[AppError], None]) -> None:
            self._engine.request("models_plan", key, mirror, on_done=done, on_failed=failed)

        dialog = InstallDialog(name, ask, self._page, self._name(variant) if variant else "")
        dialog.agreed.connect(lambda mirror: self.jobs.start(Task(INSTALL, (key, mirror), name, key, variant)))
        dialog.open()

    def add(self, request: AddRequest, error: AppError | None = None) -> None:
        """Ask for a model of one's own; after a refusal with ``error`` also what it is."""
        dialog = AddDialog(request, error, self._page)
        dialog.agreed.connect(lambda said: self.jobs.start(Task(ADD, (said,), said.name or _last(said.path))))
        dialog.open()

    def take(self, data: QMimeData) -> bool:
        """Take what was dropped if it is one model or one pack; else it is for others."""
        paths = [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
        if len(paths) == 1 and paths[0].endswith(PACK_SUFFIX):
            self.import_pack(paths[0])
        elif model := model_in(paths):
            self.add(AddRequest(model))
        else:
            return False
        return True

    def choose_pack(self) -> None:
        kinds = self.tr("Packs (*{0});;All files (*)").format(PACK_SUFFIX)
        path, _kind = QFileDialog.getOpenFileName(self._page, self.tr("Import a pack"), "", kinds)
        if path:
            self.import_pack(path)

    def import_pack(self, path: str) -> None:
        """Ask whether what a pack holds is to be taken in."""

        def ask(pack: PackContents) -> None:
            dialog = ImportDialog(pack, self._page)
            dialog.agreed.connect(lambda *said: self.jobs.start(Task(IMPORT, (path, *said), _last(path))))
            dialog.open()

        def refuse(error: AppError) -> None:
            if self.jobs.current:  # the strip tells of that
                self._engine.failed.emit(error)
            else:
                self._strip.show_error(error, about=_last(path))

        self._engine.request(CONTENTS, path, on_done=ask, on_failed=refuse)

    def export_pack(self) -> None:
        """Ask which models, then where to."""
        dialog = ExportDialog(
            [model for model in self._workspace.models if model.ready and modelwords.has_files(model)], self._page
        )
        dialog.agreed.connect(self._export)
        dialog.open()

    def check_all(self) -> None:
        self._check(tuple(model.key for model in self._workspace.models if modelwords.has_files(model)))

    def remove(self, key: str) -> None:
        """Ask whether a model's files are to go."""
        if model := self._model(key):
            dialog = RemoveDialog(model, bool(model.source) and model.origin is Origin.CATALOGUE, self._page)
            dialog.agreed.connect(lambda: self.jobs.start(Task(REMOVE, (key,), model.name, key)))
            dialog.open()

    def _export(self, keys: tuple[str, ...]) -> None:
        kinds = self.tr("Packs (*{0})").format(PACK_SUFFIX)
        offered = f"models{PACK_SUFFIX}"
        path, _kind = QFileDialog.getSaveFileName(self._page, self.tr("Export a pack"), offered, kinds)
        if path:
            replacing = path.endswith(PACK_SUFFIX)  # of any other name the dialog has not asked
            path = path if replacing else path + PACK_SUFFIX
            self.jobs.start(Task(EXPORT, (keys, path, replacing), _last(path)))

    def _check(self, keys: tuple[str, ...]) -> None:
        if keys:
            title = self._name(keys[0]) if len(keys) == 1 else self.tr("All models")
            self.jobs.start(Task(VERIFY, (keys,), title, keys[0] if len(keys) == 1 else ""))
        else:
            self._strip.show_end(self.tr("There is nothing to check"), self.tr("No model is installed yet."))

    def _measure(self, keys: tuple[str, ...]) -> None:
        self.jobs.start(Task(MEASURE, (keys,), self.tr("This machine")))

    def _cancel_key(self, key: str) -> None:
        for task in self.jobs.tasks:
            if task.key == key:
                self._stop(task)

    def _cancel_current(self) -> None:
        if task := self.jobs.current:
            self._stop(task)

    def _stop(self, task: Task) -> None:
        if task == self.jobs.current:
            for line in self._lines(task):
                line.show_stopping()
        self.jobs.cancel(task)

    # --- what the work tells -----------------------------------------------------------------------------------------

    def _queued(self, task: Task) -> None:
        if line := self._card_line(task):
            line.show_waiting(self.tr("Waiting"))

    def _progressed(self, task: Task, progress: Progress) -> None:
        phase = progress.phase or self.tr("Getting ready")
        if line := self._card_line(task):
            line.show_progress(phase, progress)
        self._told = task, progress
        self._show_in_strip(task, progress)

    def _show_in_strip(self, task: Task, progress: Progress) -> None:
        phase = progress.phase or self.tr("Getting ready")
        waiting = len(self.jobs.waiting)
        more = self.tr(" ({0} more waiting)").format(waiting) if waiting else ""
        self._strip.show_progress(f"{task.title}: {phase}{more}", progress)

    def _cancelled(self, task: Task) -> None:
        lines = self._lines(task)
        for line in lines:
            line.put_away()
        if task.method == INSTALL and self._strip in lines:
            self._strip.show_end(
                self.tr("{0}: stopped").format(task.title), self.tr("What was fetched is kept for the next time.")
            )
        self._workspace.refresh_models()

    def _failed(self, task: Task, error: AppError) -> None:
        if isinstance(error, EngineDied):
            kept = self.tr("What was fetched is kept.") if task.method == INSTALL else ""
            error = AppError(self.tr("It was interrupted"), f"{self.tr('The engine stopped.')} {kept}".strip())
        action = self._way_on(task, error)
        for line in self._lines(task):
            line.show_error(error, action, task.title if line is self._strip else "")
        self._workspace.refresh_models()

    def _interrupted(self, tasks: Sequence[Task]) -> None:
        """Each card tells of its own; here they go on together."""
        downloads = all(task.method == INSTALL for task in tasks)
        said = self.tr("{0} downloads were interrupted") if downloads else self.tr("{0} tasks were interrupted")
        stopped = self.tr("The engine stopped. What was fetched is kept.")
        error = AppError(said.format(len(tasks)), stopped if downloads else self.tr("The engine stopped."))

        def go_on() -> None:
            for task in tasks:
                self.jobs.start(task)

        self._strip.show_error(error, (self.tr("Go on with all"), go_on))

    def _way_on(self, task: Task, error: AppError) -> Action:
        """What may help: to say what a model is, or the same once more; a download goes on where it stopped."""
        if task.method == ADD:
            return self.tr("Try again…"), lambda: self.add(task.args[0], error)
        kept = task.method == INSTALL and not isinstance(error, WeightsCorrupt)  # what is not right is thrown away
        again = self.tr("Go on") if kept else self.tr("Try again")
        return again, lambda: self.jobs.start(task)

    def _finished(self, task: Task, value: Any) -> None:
        heading, words, action = self._outcome(task, value)
        for line in self._lines(task):
            line.show_end(heading, words, action)
        if task.method == MEASURE:
            self._strip.put_away()  # the answers themselves say it
        self._workspace.refresh_models()
        self._ask_for_carried()

    def _outcome(self, task: Task, value: Any) -> tuple[str, str, Action | None]:
        """What came of it, in words, and what may come next."""
        match value:
            case ModelStatus():
                wanted = task.wanted or value.key
                name = self._name(task.wanted) if task.wanted else value.name
                use = (self.tr("Use in this library"), lambda: self._use(wanted))
                return self.tr("{0} is ready").format(name), self.tr("Its files are here and checked."), use
            case PackReport():
                return self._packed(task, value)
            case (ModelCheck(), *_):
                return self._checked(value)
            case (PackReport(), *_):
                names = ", ".join(self._name(key) for report in value for key in report.models)
                return self.tr("Ready to use"), names, None
            case None if task.method == REMOVE:
                gone = self.tr("The files of {0} are gone").format(task.title)
                return gone, self.tr("What it has encoded is kept."), None
            case _:
                return self.tr("{0}: done").format(task.title), "", None

    def _packed(self, task: Task, report: PackReport) -> tuple[str, str, Action | None]:
        written = task.method == EXPORT
        done = self.tr("The pack is written") if written else self.tr("The pack is taken in")
        words = [f"{', '.join(map(self._name, report.models))}." if report.models else self.tr("Nothing in it is new.")]
        if report.skipped:
            here = ", ".join(map(self._name, report.skipped))
            words.append(self.tr("Here already, the same to the byte: {0}.").format(here))
        said = " ".join([*words, self.tr("{0} in all.").format(wording.size(report.size_bytes))])
        show = (self.tr("Show its checksum"), lambda: PackDialog(done, report, said, written, self._page).open())
        return done, said, show

    def _checked(self, checks: Sequence[ModelCheck]) -> tuple[str, str, Action | None]:
        bad = [check for check in checks if check.problems]
        if not bad:
            unpinned = any(not check.pinned for check in checks)
            new = self.tr("Those that were put in place by hand are held against this check from now on.")
            return self.tr("Every byte is as it was"), new if unpinned else "", None
        said = "\n".join(f"{self._name(check.key)}: {' '.join(check.problems)}" for check in bad)
        title = self.tr("Files of models have changed")
        show = (self.tr("Show them"), lambda: self._show_findings(title, said))
        return title, self.tr("Install these models again, or put the right files in place."), show

    def _show_findings(self, title: str, said: str) -> None:
        dialog = ModelDialog(self._page)
        dialog.begin(title, said)
        dialog.finish(dialog.cancel_button(self.tr("Close")))
        dialog.open()

    def _ask_for_carried(self) -> None:
        def done(packs: Sequence[PackReport]) -> None:
            self._page.carried.set_packs(packs, self._name)

        self._engine.request(CARRIED, on_done=done, on_failed=lambda _error: None)

    def _show_busy(self) -> None:
        if self._told and self._told[0] == self.jobs.current:  # others wait now, or no longer
            self._show_in_strip(*self._told)
        self._page.list.set_busy(self.jobs.busy_keys)
        self._page.carried.set_busy(any(task.method == IMPORT_CARRIED for task in self.jobs.tasks))
        self._page.choice.set_measuring(any(task.method == MEASURE for task in self.jobs.tasks))

    def _use(self, key: str) -> None:
        """Tick it; that it was ready is no news any more."""
        if use := self._page.list.use_of(key):
            use.use()
        self._strip.put_away_end()

    # --- helpers -----------------------------------------------------------------------------------------------------

    def _lines(self, task: Task) -> list[JobLine]:
        """Where it is told of a task: on its card, and in the strip unless that tells of another one."""
        card = self._card_line(task)
        others = self.jobs.current is not None and self.jobs.current != task
        return [line for line in (card, None if others else self._strip) if line]

    def _card_line(self, task: Task) -> JobLine | None:
        card = self._page.list.card(task.key) if task.key else None
        return card.job if card else None

    def _model(self, key: str) -> ModelStatus | None:
        return next((model for model in self._workspace.models if model.key == key), None)

    def _name(self, key: str) -> str:
        model = self._model(key)
        return model.name if model else key


def _last(path: str) -> str:
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]
