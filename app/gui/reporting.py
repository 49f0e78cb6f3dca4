"""Reports of what the Results view shows: a page to read, or a folder with everything."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton, QWidget

from app.bridge.client import Call
from app.engine.errors import AppError
from app.engine.evaltypes import EvaluationRequest, ReportRequest, Robustness, Written
from app.engine.jobs import Progress
from app.engine.judgingtypes import QuerySet
from app.gui import theme, wording
from app.gui.desktop import open_file, show_in_folder
from app.gui.engine import Engine
from app.gui.jobline import JobLine

SUFFIX = ".html"
SUFFIXES = (SUFFIX, ".htm", ".xhtml")


class ReportActions(QObject):
    """``button`` opens the menu; ``line`` shows what is under way, and what came of it. Signal: ``failed`` with an
    `AppError`.

    Args:
        engine: is asked for one report at a time.
        asked: what the evaluation on screen answers, None while there is none.
        query_set: the set it is of, for the name of the file.
        robustness: what was measured of its set's robustness too, if anything.
        owner: of the dialogs.
    """

    failed = Signal(object)

    def __init__(
        self,
        engine: Engine,
        asked: Callable[[], EvaluationRequest | None],
        query_set: Callable[[], QuerySet | None],
        robustness: Callable[[EvaluationRequest], Robustness | None],
        owner: QWidget,
    ) -> None:
        super().__init__(owner)
        self._engine = engine
        self._asked = asked
        self._query_set = query_set
        self._robustness = robustness
        self._owner = owner
        self._call: Call | None = None
        self.line = JobLine()
        self.line.cancel_wanted.connect(self.cancel)
        self.button = QPushButton(self.tr("Report"))
        theme.set_role(self.button, "menu")
        self.menu = QMenu(self.button)
        self._save = self.menu.addAction(self.tr("Save report…"), self.choose_page)
        self.pictures = QAction(self.tr("With pictures"), self.menu)
        self.pictures.setCheckable(True)
        self.pictures.setChecked(True)
        self.menu.addAction(self.pictures)
        self.menu.addSeparator()
        self._export = self.menu.addAction(self.tr("Export everything…"), self.choose_folder)
        self._save.setToolTip(self.tr("One HTML file to read, print and send"))
        self._export.setToolTip(self.tr("A folder with tables, TREC files, and all that the figures are made of"))
        self.menu.setToolTipsVisible(True)
        self.menu.aboutToShow.connect(self._show_can)
        self.button.setMenu(self.menu)

    def choose_page(self) -> None:
        """Save the evaluation on screen as one HTML file."""
        path, _ = QFileDialog.getSaveFileName(
            self._owner, self.tr("Save report"), f"{self._name()}{SUFFIX}", self.tr("Web page (*.html)")
        )
        if path:
            self.save_page(path)

    def save_page(self, path: str) -> None:
        # The dialog has asked whether a file of the chosen name may go, and not of one that gets its ending here.
        chosen = Path(path)
        replaces = chosen.suffix.lower() in SUFFIXES  # "Report v1.2" has none, though it has a dot
        page = chosen if replaces else chosen.with_name(chosen.name + SUFFIX)
        self._write("evaluations_write_report", str(page), replaces)

    def choose_folder(self) -> None:
        """Export the evaluation on screen into a new folder."""
        parent = QFileDialog.getExistingDirectory(self._owner, self.tr("Choose where the new folder is to be"))
        if parent:
            self.export_into(parent)

    def export_into(self, parent: str) -> None:
        self._write("evaluations_export", str(_free(Path(parent), self._name())), False)

    def cancel(self) -> None:
        if self._call:
            self.line.show_stopping()
            self._call.cancel()

    def _write(self, method: str, path: str, replaces: bool) -> None:
        asked = self._asked()
        if asked is None or self._call:
            return
        is_page = method == "evaluations_write_report"
        heading = self.tr("Writing the report") if is_page else self.tr("Exporting")
        request = ReportRequest(
            replace(asked, costs=True), self.pictures.isChecked(), robustness=self._robustness(asked)
        )

        def progressed(progress: Progress) -> None:
            self.line.show_progress(heading, progress)

        self.line.show_progress(heading, Progress())
        self._call = self._engine.request(
            method,
            path,
            request,
            replaces,
            on_done=self._page_written if is_page else self._folder_written,
            on_failed=self._end_badly,
            on_cancelled=self._end_quietly,
            on_progress=progressed,
        )

    def _page_written(self, written: Written) -> None:
        self._call = None
        said = self.tr("{0}, {1}").format(written.path, wording.size(written.size_bytes))
        self.line.show_end(self.tr("Report saved"), said, (self.tr("Open"), lambda: self._open(written.path)))

    def _folder_written(self, written: Written) -> None:
        self._call = None
        files = wording.count(len(written.files), "file", "files")
        said = self.tr("{0}: {1}, {2}. README.txt in it says what is what.").format(
            written.path, files, wording.size(written.size_bytes)
        )
        shown = str(Path(written.path) / "README.txt")
        self.line.show_end(self.tr("Exported"), said, (self.tr("Show in folder"), lambda: self._show(shown)))

    def _open(self, path: str) -> None:
        if not open_file(path):
            self.failed.emit(AppError(self.tr("No program opens this"), self.tr("Open the file with a browser."), path))

    def _show(self, path: str) -> None:
        show_in_folder(path)

    def _end_badly(self, error: AppError) -> None:
        self._call = None
        self.line.show_error(error)

    def _end_quietly(self) -> None:
        self._call = None
        self.line.put_away()

    def _name(self) -> str:
        """``Clothes 2025-11-26``, as every file system takes it."""
        query_set = self._query_set()
        name = re.sub(r'[\x00-\x1f/\\:*?"<>|]+', "-", query_set.name if query_set else "Evaluation").strip(". ")
        return f"{name or 'Evaluation'} {datetime.date.today():%Y-%m-%d}"  # noqa: DTZ011 - the day on the wall

    def _show_can(self) -> None:
        is_free = self._asked() is not None and self._call is None
        self._save.setEnabled(is_free)
        self._export.setEnabled(is_free)


def _free(parent: Path, name: str) -> Path:
    """A folder that is not there yet."""
    path, number = parent / name, 1
    while path.exists():
        number += 1
        path = parent / f"{name} ({number})"
    return path
