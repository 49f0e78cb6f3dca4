"""What can be done with sets of test queries: made, changed, removed, and exchanged with files."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from app.bridge.client import Call
from app.engine.errors import AppError
from app.engine.jobs import Progress
from app.engine.judgingtypes import Imported, QuerySet, Scale
from app.gui import wording
from app.gui.engine import Engine
from app.gui.jobline import JobLine
from app.gui.setchooser import SetChooser
from app.gui.setdialogs import Ended, SetDialog

UNKNOWN_SHOWN = 3


@dataclass(frozen=True)
class _Import:
    heading: str
    method: str
    values: tuple[object, ...]


class SetActions(QObject):
    """Fills the menu of a `SetChooser`. ``line`` shows an import that is under way, and what came of it; a second one
    waits for its end.

    Signals: ``turned`` with the id of a set to show; ``changed`` when sets or queries are others; ``told`` with a title
    and a sentence of good news; ``failed`` with an `AppError`. ``judgments_came`` when an import has brought some,
    before ``turned`` tells of which set.
    """

    turned = Signal(int)
    changed = Signal()
    told = Signal(str, str)
    failed = Signal(object)
    judgments_came = Signal()

    def __init__(self, engine: Engine, sets: SetChooser, owner: QWidget) -> None:
        super().__init__(owner)
        self._engine = engine
        self._sets = sets
        self._owner = owner
        self._call: Call | None = None
        self._waiting: deque[_Import] = deque()
        self.line = JobLine()
        self.line.cancel_wanted.connect(self.cancel)
        menu = sets.menu
        menu.addAction(self.tr("New set…"), self.create)
        self._of_set = [
            menu.addAction(self.tr("Name, scale and guidelines…"), self.edit),
            menu.addAction(self.tr("Remove this set…"), self.ask_to_remove),
        ]
        menu.addSeparator()
        menu.addAction(self.tr("Import a folder of classes…"), self.choose_folder)
        menu.addAction(self.tr("Import captions (CSV)…"), self.choose_captions)
        menu.addAction(self.tr("Import topics (TREC)…"), self.choose_topics)
        menu.addAction(self.tr("Import judgments (TREC qrels)…"), self.choose_judgments)
        menu.addAction(self.tr("Import an exported evaluation…"), self.choose_evaluation)
        menu.addSeparator()
        self._of_set.append(menu.addAction(self.tr("Export judgments (TREC qrels)…"), self.choose_export))
        menu.aboutToShow.connect(self._show_can)

    # --- sets --------------------------------------------------------------------------------------------------------

    def create(self) -> None:
        """Make a set and turn to it."""

        def save(name: str, scale: Scale, guidelines: str, ended: Ended) -> None:
            self._save("evaluations_create_set", (name, scale, guidelines), ended)

        SetDialog(None, save, self._owner).open()

    def edit(self) -> None:
        """Change name, scale and guidelines of the current set."""
        current = self._sets.current
        if current is None:
            return

        def save(name: str, scale: Scale, guidelines: str, ended: Ended) -> None:
            self._save("evaluations_change_set", (current.id, name, scale, guidelines), ended)

        SetDialog(current, save, self._owner).open()

    def ask_to_remove(self) -> None:
        """Remove the current set, after asking."""
        current = self._sets.current
        if current is None:
            return
        box = QMessageBox(self._owner)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.Question)
        box.setText(self.tr("Remove the set “{0}”?").format(current.name))
        lost = [wording.count(current.queries, "query", "queries")]
        lost += [wording.count(current.judgments, "judgment", "judgments")] if current.judgments else []
        box.setInformativeText(self.tr("{0} would be lost. Your files are not touched.").format(" and ".join(lost)))
        remove = box.addButton(self.tr("Remove"), QMessageBox.ButtonRole.DestructiveRole)
        remove.clicked.connect(lambda: self._remove_now(current.id))
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.open()

    def _save(self, method: str, values: tuple[object, ...], ended: Ended) -> None:
        done, failed = ended

        def saved(one: QuerySet) -> None:
            done(one)
            self.turned.emit(one.id)

        self._engine.request(method, *values, on_done=saved, on_failed=failed)

    def _remove_now(self, set_id: int) -> None:
        def done(_nothing: object) -> None:
            self.changed.emit()

        self._engine.request("evaluations_remove_set", set_id, on_done=done, on_failed=self.failed.emit)

    # --- imports -----------------------------------------------------------------------------------------------------

    def choose_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self._owner, self.tr("Choose a folder with one folder per class"))
        if path:
            self.import_folders(path)

    def choose_captions(self) -> None:
        kinds = self.tr("Captions (*.csv *.tsv *.txt *.json *.jsonl);;All files (*)")
        self._choose_file(self.tr("Import captions"), kinds, self.import_captions)

    def choose_topics(self) -> None:
        kinds = self.tr("TREC topics (*.txt *.topics *.tsv *.xml *.sgml);;All files (*)")
        self._choose_file(self.tr("Import topics"), kinds, self.import_topics)

    def choose_judgments(self) -> None:
        self._choose_file(self.tr("Import judgments"), self._qrels(), self.import_judgments)

    def choose_evaluation(self) -> None:
        path = QFileDialog.getExistingDirectory(self._owner, self.tr("Choose the folder of an exported evaluation"))
        if path:
            self.import_evaluation(path)

    def import_folders(self, folder: str) -> None:
        """A set of its own, with the classes of a folder."""
        self._import(self.tr("Importing classes"), "evaluations_import_folders", folder)

    def import_examples(self, folder: str) -> None:
        """Every file of a folder as a query of the current set."""
        self._import(self.tr("Importing examples"), "evaluations_import_examples", folder, self._set_id())

    def import_captions(self, path: str) -> None:
        """A set of its own, with the captions of a file."""
        self._import(self.tr("Importing captions"), "evaluations_import_captions", path)

    def import_topics(self, path: str) -> None:
        """Into the current set, whose judgments may follow."""
        self._import(self.tr("Importing topics"), "evaluations_import_topics", path, self._set_id())

    def import_judgments(self, path: str) -> None:
        """Into the current set."""
        self._import(self.tr("Importing judgments"), "evaluations_import_qrels", path, self._set_id())

    def import_evaluation(self, folder: str) -> None:
        """The set of an exported evaluation, with the judgments of all its judges."""
        self._import(self.tr("Importing an evaluation"), "evaluations_import_export", folder)

    def cancel(self) -> None:
        """End what is under way, and forget what waits."""
        self._waiting.clear()
        if self._call:
            self.line.show_stopping()
            self._call.cancel()

    def _import(self, heading: str, method: str, *values: object) -> None:
        self._waiting.append(_Import(heading, method, values))
        if self._call is None:
            self._begin_next()

    def _begin_next(self) -> None:
        if not self._waiting:
            return
        one = self._waiting.popleft()

        def progressed(progress: Progress) -> None:
            self.line.show_progress(one.heading, progress)

        self.line.show_progress(one.heading, Progress())
        self._call = self._engine.request(
            one.method,
            *one.values,
            on_done=self._imported,
            on_failed=self._failed,
            on_cancelled=self._cancelled,
            on_progress=progressed,
        )

    def _imported(self, taken: Imported) -> None:
        self._call = None
        self.line.show_end(self.tr("Imported into “{0}”").format(taken.set_name), imported_words(taken))
        if taken.judgments:
            self.judgments_came.emit()
        self.turned.emit(taken.set_id)
        self._begin_next()

    def _failed(self, error: AppError) -> None:
        self._call = None
        self.line.show_error(error)
        self.changed.emit()  # judgments that were entered before it failed stay
        self._begin_next()

    def _cancelled(self) -> None:
        self._call = None
        self.line.put_away()
        self.changed.emit()

    # --- exports -----------------------------------------------------------------------------------------------------

    def choose_export(self) -> None:
        current = self._sets.current
        if current is None:
            return
        name = f"{current.name}.qrels".replace("/", "-")
        path, _ = QFileDialog.getSaveFileName(self._owner, self.tr("Export judgments"), name, self._qrels())
        if path:
            self._engine.request(
                "evaluations_export_qrels",
                path,
                current.id,
                replaces=True,  # the dialog has asked
                on_done=self._exported,
                on_failed=self.failed.emit,
            )

    def _exported(self, count: int) -> None:
        written = wording.count(count, "judgment", "judgments")
        self.told.emit(self.tr("Judgments exported"), self.tr("{0} written.").format(written))

    # --- shared ------------------------------------------------------------------------------------------------------

    def _choose_file(self, title: str, kinds: str, then: Callable[[str], None]) -> None:
        path, _ = QFileDialog.getOpenFileName(self._owner, title, filter=kinds)
        if path:
            then(path)

    def _qrels(self) -> str:
        return self.tr("TREC judgments (*.qrels *.txt);;All files (*)")

    def _set_id(self) -> int | None:
        return self._sets.current.id if self._sets.current else None

    def _show_can(self) -> None:
        for action in self._of_set:
            action.setEnabled(self._sets.current is not None)


def imported_words(taken: Imported) -> str:
    """What an import took in, and in further sentences what it did not."""
    queries = wording.count(taken.queries, "query", "queries")
    judgments = wording.count(taken.judgments, "judgment", "judgments")
    sentences = [f"{judgments} for {queries}." if taken.queries else "There is nothing new."]
    sentences += taken.notes
    if taken.unknown:
        shown = ", ".join(taken.unknown[:UNKNOWN_SHOWN]) + (", …" if taken.unknown_count > UNKNOWN_SHOWN else "")
        names = wording.count(taken.unknown_count, "name was", "names were")
        sentences.append(f"{names} not found in this library: {shown}")
    return " ".join(sentences)
