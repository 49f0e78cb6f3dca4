"""A report or an export of what the Results view shows, and an export taken in again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from app.bridge.messages import Action
from app.engine.errors import AppError
from app.engine.evaltypes import EvaluationRequest, ReportRequest, Written
from app.engine.jobs import Progress
from app.engine.judgingtypes import QuerySet
from app.gui import reporting
from app.gui.engine import Engine
from app.gui.reporting import ReportActions

ASKED = EvaluationRequest(("a", "b"), k=5, set_id=7)


@pytest.fixture
def owner(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def actions(engine: Engine, owner: QWidget) -> Iterator[ReportActions]:
    made = ReportActions(engine, lambda: ASKED, lambda: QuerySet(7, "Clothes: all/best"), lambda _asked: None, owner)
    made.line.setParent(owner)
    made.button.setParent(owner)
    return made


def test_a_report_asks_for_what_is_on_screen(
    actions: ReportActions, fake_client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, qtbot: QtBot
) -> None:
    offered = []

    def choose(_parent: QWidget, _title: str, name: str, _kinds: str) -> tuple[str, str]:
        offered.append(name)
        return str(tmp_path / "r.html"), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    actions.choose_page()
    assert offered[0].startswith("Clothes- all-best 20")
    call = fake_client.last("evaluations_write_report")
    assert call.args == (str(tmp_path / "r.html"), ReportRequest(ASKED, True), True)
    call.progress(Progress("Gathering pictures", 3, 10))
    qtbot.waitUntil(lambda: "Writing the report" in actions.line.text)
    opened: list[str] = []
    monkeypatch.setattr(reporting, "open_file", lambda path: opened.append(path) is None)
    call.answer(Written(str(tmp_path / "r.html"), ("r.html",), 2_000_000))
    qtbot.waitUntil(lambda: "Report saved" in actions.line.text)
    actions.line._action.click()
    assert opened == [str(tmp_path / "r.html")]


def test_pictures_can_be_left_out_and_a_name_gets_its_ending(
    actions: ReportActions, fake_client, tmp_path: Path
) -> None:
    actions.pictures.setChecked(False)
    actions.save_page(str(tmp_path / "r"))
    path, request, replaces = fake_client.last("evaluations_write_report").args
    assert (path, request.pictures, replaces) == (str(tmp_path / "r.html"), False, False)


def test_a_dot_in_a_name_is_no_ending(actions: ReportActions, fake_client, tmp_path: Path) -> None:
    actions.save_page(str(tmp_path / "Report v1.2"))
    path, _, replaces = fake_client.last("evaluations_write_report").args
    assert (path, replaces) == (str(tmp_path / "Report v1.2.html"), False)


def test_an_export_goes_into_a_folder_of_its_own(
    actions: ReportActions, fake_client, tmp_path: Path, qtbot: QtBot
) -> None:
    actions.export_into(str(tmp_path))
    first = fake_client.last("evaluations_export")
    Path(first.args[0]).mkdir()
    first.answer(Written(first.args[0], ("README.txt", "qrels.txt"), 4000))
    qtbot.waitUntil(lambda: "2 files" in actions.line.text)
    actions.export_into(str(tmp_path))
    assert fake_client.last("evaluations_export").args[0] == f"{first.args[0]} (2)"


def test_one_at_a_time_and_it_can_be_cancelled(
    actions: ReportActions, fake_client, tmp_path: Path, qtbot: QtBot
) -> None:
    actions.save_page(str(tmp_path / "r.html"))
    actions.save_page(str(tmp_path / "s.html"))
    (call,) = fake_client.of("evaluations_write_report")
    actions.cancel()
    assert call.actions == [Action.CANCEL]
    qtbot.waitUntil(lambda: actions.line.text == "")
    actions.save_page(str(tmp_path / "s.html"))
    fake_client.last("evaluations_write_report").fail(AppError("The disk is full", "Make room there.", "/s.html"))
    qtbot.waitUntil(lambda: "The disk is full" in actions.line.text)


def test_without_an_answer_there_is_nothing_to_report(engine: Engine, owner: QWidget, fake_client) -> None:
    made = ReportActions(engine, lambda: None, lambda: None, lambda _asked: None, owner)
    made.line.setParent(owner)
    made.button.setParent(owner)
    made.menu.aboutToShow.emit()
    assert not [
        action for action in made.menu.actions() if action.text().startswith(("Save", "Export")) and action.isEnabled()
    ]
    made.save_page("/tmp/x.html")
    assert fake_client.calls == []
