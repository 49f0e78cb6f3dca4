"""The open library: opening, indexing and its panel, and outliving the engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QPushButton, QTreeWidget
from pytestqt.qtbot import QtBot

from app.bridge.client import Call
from app.bridge.messages import Action
from app.engine.errors import AppError, EngineDied, LibraryLocked
from app.engine.jobs import Cancelled, Progress
from app.engine.librarytypes import Failure, FileCounts, IndexReport, IndexRequest, LibrarySettings, LibraryStatus, Root
from app.gui.engine import Engine
from app.gui.failures import FailuresDialog
from app.gui.indexing import IndexingPanel
from app.gui.workspace import DEATHS_WITHIN_S, Workspace

FAILURE = Failure("/photos/broken.jpg", "The file is cut short.")


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workspace(engine: Engine, fake_client, make_status, models, clock: Clock) -> Iterator[Workspace]:
    fake_client.answers.update(
        open=lambda name: make_status(name=name), libraries=lambda: ("default",), models=lambda: models,
        status=make_status,
    )  # fmt: skip
    made = Workspace(engine, "default", clock)
    made.start()
    QCoreApplication.processEvents()
    yield made
    made.deleteLater()


@pytest.fixture
def panel(qtbot: QtBot, engine: Engine, workspace: Workspace) -> IndexingPanel:
    made = IndexingPanel(engine, workspace.job)
    qtbot.addWidget(made)
    return made


def report(**files: Any) -> IndexReport:
    failures = (FAILURE,) * files.get("failed", 0)
    return IndexReport(FileCounts(**files), {}, {}, failures, (), {}, 1.0)


def button(panel: IndexingPanel, text: str) -> QPushButton:
    return next(made for made in panel.findChildren(QPushButton) if made.text() == text and not made.isHidden())


def test_opening_tells_the_status_the_libraries_and_the_models(workspace: Workspace, fake_client, models) -> None:
    assert [call.method for call in fake_client.calls] == ["open", "models", "libraries"]
    assert workspace.status is not None
    assert workspace.models == models


def test_a_library_that_cannot_be_opened_is_told(qtbot: QtBot, workspace: Workspace, fake_client) -> None:
    def refuse(name: str) -> LibraryStatus:
        raise LibraryLocked("In use", "Close the other window.")

    fake_client.answers["open"] = refuse
    with qtbot.waitSignal(workspace.open_failed) as failed:
        workspace.open("other")
    assert failed.args[0].title == "In use"


def test_the_answer_of_a_library_that_is_no_longer_wanted_is_dropped(
    qtbot: QtBot, workspace: Workspace, fake_client, make_status
) -> None:
    del fake_client.answers["open"]
    opened = []
    workspace.opened.connect(opened.append)
    workspace.open("first")
    workspace.open("second")
    for call in fake_client.of("open")[1:]:
        call.answer(make_status(name=call.args[0]))
    qtbot.waitUntil(lambda: bool(opened))
    assert [status.name for status in opened] == ["second"]


def test_the_sample_is_filled_the_first_time_only(qtbot: QtBot, workspace: Workspace, fake_client, make_status) -> None:
    fake_client.answers["open"] = lambda name: make_status(name=name, roots=())
    workspace.open_sample()
    qtbot.waitUntil(lambda: len(fake_client.of("load_sample")) == 1)
    fake_client.last("load_sample").answer(report(new=88))
    fake_client.answers["open"] = lambda name: make_status(name=name)
    with qtbot.waitSignal(workspace.opened):
        workspace.open_sample()
    assert len(fake_client.of("load_sample")) == 1


def test_folders_added_while_indexing_wait_their_turn(qtbot: QtBot, workspace: Workspace, fake_client) -> None:
    workspace.add_folders(["/a"])
    workspace.add_folders(["/b"])
    assert [call.args for call in fake_client.of("index")] == [(IndexRequest(("/a",)),)]
    fake_client.last("index").answer(report())
    qtbot.waitUntil(lambda: len(fake_client.of("index")) == 2)
    assert fake_client.last("index").args == (IndexRequest(("/b",)),)


def test_no_run_goes_into_another_library(workspace: Workspace, fake_client) -> None:
    refused: list[AppError] = []
    workspace.refused.connect(refused.append)
    workspace.job.follow(["/photos"])  # nobody knows of it
    workspace.add_folders(["/a"])
    assert not workspace.open("other")
    assert refused[0].title == "“other” cannot be opened now"
    workspace.job.cancel()
    settle()
    workspace.job.follow(["/photos"])
    assert workspace.open("other")
    fake_client.die()
    fake_client.last("index").fail(EngineDied("The engine ended", "It is started again."))
    settle()
    assert workspace.status
    assert workspace.status.name == "other"
    assert len(fake_client.of("index")) == 2
    assert not workspace.job.running


def test_counts_are_refreshed_while_indexing_but_not_at_every_step(
    qtbot: QtBot, workspace: Workspace, fake_client, clock: Clock
) -> None:
    workspace.rescan()
    for done in range(20):
        clock.now_s += 0.5
        fake_client.last("index").progress(Progress("Encoding", done, 20))
        QCoreApplication.processEvents()
    assert len(fake_client.of("status")) == 2


def test_counts_are_refreshed_once_when_indexing_is_paused(workspace: Workspace, fake_client) -> None:
    workspace.rescan()
    fake_client.last("index").progress(Progress("Encoding", 191, 421))
    settle()
    assert not fake_client.of("status")
    fake_client.last("index").progress(Progress("Encoding", 191, 421, paused=True))
    settle()
    fake_client.last("index").progress(Progress("Encoding", 191, 421))
    settle()
    assert len(fake_client.of("status")) == 1


# --- the panel -------------------------------------------------------------------------------------------------------


def test_the_panel_says_how_far_how_fast_and_how_long(qtbot: QtBot, workspace: Workspace, panel, fake_client) -> None:
    assert panel.isHidden()
    workspace.rescan()
    fake_client.last("index").progress(Progress("Encoding", 1234, 5678, 12, 52.1, 85.0))
    qtbot.waitUntil(lambda: panel.text == "Encoding 1,234 of 5,678 · 52 a second · about 1 minute left")
    assert button(panel, "12 failed")
    assert not panel.isHidden()


def test_pause_resume_and_cancel_reach_the_engine(qtbot: QtBot, workspace: Workspace, panel, fake_client) -> None:
    workspace.rescan()
    call = fake_client.last("index")
    button(panel, "Pause").click()
    button(panel, "Resume").click()
    button(panel, "Cancel").click()
    assert call.actions == [Action.PAUSE, Action.RESUME, Action.CANCEL]
    qtbot.waitUntil(lambda: not workspace.job.running)
    assert panel.text.startswith("Stopped")
    assert "kept" in panel.text


def test_afterwards_the_panel_sums_up_and_lists_what_failed(
    qtbot: QtBot, workspace: Workspace, panel: IndexingPanel, fake_client
) -> None:
    workspace.rescan()
    fake_client.last("index").answer(report(seen=400, new=312, changed=4, failed=2))
    qtbot.waitUntil(lambda: panel.text == "Indexed 312 new, 4 changed, 2 could not be read")
    button(panel, "Details").click()
    dialog = panel.findChild(FailuresDialog)
    row = dialog.findChild(QTreeWidget).topLevelItem(0)
    assert (row.text(0), row.text(1)) == (FAILURE.path, FAILURE.reason)
    dialog.close()


def test_what_failed_so_far_can_be_seen_while_indexing(
    qtbot: QtBot, workspace: Workspace, panel: IndexingPanel, fake_client, make_status
) -> None:
    fake_client.answers["status"] = lambda: make_status(failures=(FAILURE,))
    workspace.rescan()
    fake_client.last("index").progress(Progress("Reading files", 3, 9, failed=1))
    qtbot.waitUntil(lambda: any(made.text() == "1 failed" for made in panel.findChildren(QPushButton)))
    button(panel, "1 failed").click()
    qtbot.waitUntil(lambda: panel.findChild(FailuresDialog) is not None)
    panel.findChild(FailuresDialog).close()


def test_nothing_new_is_said_as_such(qtbot: QtBot, workspace: Workspace, panel: IndexingPanel, fake_client) -> None:
    workspace.rescan()
    fake_client.last("index").answer(report(seen=1, unchanged=1))
    qtbot.waitUntil(lambda: panel.text == "Indexed Nothing has changed in 1 file")


def test_the_rest_of_an_earlier_run_is_no_nothing(qtbot: QtBot, workspace: Workspace, panel, fake_client) -> None:
    workspace.rescan()
    fake_client.last("index").answer(replace(report(seen=9, unchanged=9), encoded={"timbre": 4}))
    qtbot.waitUntil(lambda: panel.text == "Indexed 4 items encoded")


def test_an_error_ends_the_run_and_is_said(qtbot: QtBot, workspace: Workspace, panel, fake_client) -> None:
    workspace.rescan()
    fake_client.last("index").fail(AppError("The disk is full", "Free some space and index again."))
    qtbot.waitUntil(lambda: panel.text == "The disk is full Free some space and index again.")
    assert not workspace.job.running


# --- the engine's death ----------------------------------------------------------------------------------------------


def die(fake_client) -> None:
    """As the bridge does: what was under way fails first, then the death is told."""
    for call in fake_client.calls:
        if not call.future.done():
            call.fail(EngineDied("The engine stopped", ""))
    fake_client.die()


def test_a_dead_engine_is_started_again_and_goes_on_indexing(
    qtbot: QtBot, workspace: Workspace, panel: IndexingPanel, fake_client
) -> None:
    workspace.add_folders(["/a"])
    starts = fake_client.starts
    with qtbot.waitSignal(workspace.engine_restarting):
        die(fake_client)
    qtbot.waitUntil(lambda: len(fake_client.of("index")) == 2)
    assert fake_client.starts == starts + 1
    assert len(fake_client.of("open")) == 2
    assert fake_client.of("index")[0].args == fake_client.of("index")[1].args
    fake_client.last("index").answer(report(new=1))
    qtbot.waitUntil(lambda: panel.text == "Indexed 1 new")


def test_an_engine_that_keeps_dying_is_left_until_the_user_asks(
    qtbot: QtBot, workspace: Workspace, fake_client
) -> None:
    for _ in range(2):
        with qtbot.waitSignal(workspace.engine_restarting):
            die(fake_client)
    starts = fake_client.starts
    with qtbot.waitSignal(workspace.engine_gave_up):
        die(fake_client)
    assert fake_client.starts == starts
    with qtbot.waitSignal(workspace.opened):
        workspace.restart()
    with qtbot.waitSignal(workspace.engine_restarting):
        die(fake_client)


def test_deaths_far_apart_are_each_survived(qtbot: QtBot, workspace: Workspace, fake_client, clock: Clock) -> None:
    for _ in range(5):
        clock.now_s += DEATHS_WITHIN_S / 2 + 1
        with qtbot.waitSignal(workspace.engine_restarting):
            die(fake_client)


def test_cancelling_while_the_engine_is_away_ends_the_run(qtbot: QtBot, workspace: Workspace, fake_client) -> None:
    workspace.rescan()
    del fake_client.answers["open"]
    with qtbot.waitSignal(workspace.engine_restarting):
        die(fake_client)
    with qtbot.waitSignal(workspace.job.cancelled):
        workspace.job.cancel()
    assert not workspace.job.running


def test_stopping_is_said_until_the_run_has_stopped(qtbot: QtBot, workspace: Workspace, panel, fake_client) -> None:
    workspace.rescan()
    call = fake_client.last("index")
    workspace.job._call = Call(call.future, call.actions.append)  # the engine takes a moment to stop
    button(panel, "Cancel").click()
    call.progress(Progress("Encoding", 3, 9))
    QCoreApplication.processEvents()
    assert panel.text == "Stopping What is done is kept."
    assert not button(panel, "Pause").isEnabled()
    call.fail(Cancelled())
    qtbot.waitUntil(lambda: panel.text.startswith("Stopped"))


# --- watched folders -------------------------------------------------------------------------------------------------


def settle() -> None:
    for _ in range(3):
        QCoreApplication.processEvents()


def test_the_space_of_a_forgotten_folder_is_given_back(workspace: Workspace, fake_client, make_status) -> None:
    workspace.forget_root("/photos")
    fake_client.last("forget_root").answer(make_status(roots=()))
    settle()
    fake_client.last("give_back_space").answer(make_status(roots=(), size_bytes=7))
    settle()
    assert workspace.status.size_bytes == 7


def test_a_change_in_a_watched_folder_is_brought_in_without_a_word(
    workspace: Workspace, panel: IndexingPanel, fake_client
) -> None:
    finished: list[IndexReport] = []
    workspace.job.finished.connect(finished.append)
    fake_client.tell("folders_changed", ("/photos",))
    settle()
    assert fake_client.last("index").args == (IndexRequest(("/photos",), followed=True),)
    fake_client.last("index").progress(Progress("Encoding", 1, 2))
    fake_client.last("index").answer(report(new=1))
    settle()
    assert finished == [report(new=1)]
    assert panel.isHidden()
    assert len(fake_client.of("status")) == 1


def test_a_quiet_run_that_lasts_is_shown_like_any_other(
    qtbot: QtBot, workspace: Workspace, panel: IndexingPanel, fake_client
) -> None:
    workspace.job._lasts.setInterval(1)
    fake_client.tell("folders_changed", ("/photos",))
    qtbot.waitUntil(lambda: not panel.isHidden())
    fake_client.last("index").progress(Progress("Encoding", 1, 2))
    qtbot.waitUntil(lambda: panel.text == "Encoding 1 of 2")
    fake_client.last("index").answer(report(new=2))
    qtbot.waitUntil(lambda: panel.text == "Indexed 2 new")


def test_a_root_that_goes_or_comes_back_is_shown_and_nothing_is_indexed_for_it(
    qtbot: QtBot, workspace: Workspace, fake_client, make_status
) -> None:
    for online in (False, True):
        roots = (Root("/photos", online, 3, 3),)
        fake_client.answers["status"] = lambda roots=roots: make_status(roots=roots)
        with qtbot.waitSignal(workspace.status_changed) as shown:
            fake_client.tell("roots_changed", ("/photos",))
        assert shown.args[0].roots == roots
    assert not fake_client.of("index")


def test_that_the_system_tells_of_no_more_folders_is_said_once(workspace: Workspace, fake_client) -> None:
    said: list[str] = []
    workspace.watching_limited.connect(said.append)
    for root in ("/photos", "/videos"):
        fake_client.tell("watching_limited", f"{root} cannot be watched whole.")
    settle()
    assert said == ["/photos cannot be watched whole."]


def test_what_changes_during_a_run_waits_and_is_brought_in_together(
    qtbot: QtBot, workspace: Workspace, fake_client
) -> None:
    workspace.rescan(["/videos"])
    for folders in (("/photos/a",), ("/photos/b", "/photos/a"), ("/sounds",)):
        fake_client.tell("folders_changed", folders)
    settle()
    assert len(fake_client.of("index")) == 1
    fake_client.last("index").answer(report())
    qtbot.waitUntil(lambda: len(fake_client.of("index")) == 2)
    assert fake_client.last("index").args == (IndexRequest(("/photos/a", "/photos/b", "/sounds"), followed=True),)
    fake_client.last("index").answer(report())
    settle()
    assert len(fake_client.of("index")) == 2


def test_what_came_of_the_last_run_stays_in_sight_through_a_quiet_one(
    qtbot: QtBot, workspace: Workspace, panel: IndexingPanel, fake_client
) -> None:
    workspace.rescan()
    fake_client.last("index").answer(report(seen=9, new=9))
    qtbot.waitUntil(lambda: panel.text == "Indexed 9 new")
    fake_client.tell("folders_changed", ("/photos",))
    settle()
    fake_client.last("index").answer(report(new=1))
    settle()
    assert panel.text == "Indexed 9 new"


def test_another_library_is_not_given_the_changes_of_the_one_before(
    qtbot: QtBot, workspace: Workspace, fake_client
) -> None:
    fake_client.tell("folders_changed", ("/photos/a",))
    fake_client.tell("folders_changed", ("/photos/b",))
    settle()
    with qtbot.waitSignal(workspace.opened):
        workspace.open("other")
    fake_client.last("index").answer(report())
    settle()
    assert [call.args for call in fake_client.of("index")] == [(IndexRequest(("/photos/a",), followed=True),)]


def test_what_changed_while_the_library_was_closed_is_brought_in_when_it_is_opened(
    qtbot: QtBot, workspace: Workspace, panel: IndexingPanel, fake_client, make_status
) -> None:
    roots = (Root("/photos", True, 3, 3), Root("/media/usb", False, 3, 3))
    fake_client.answers["open"] = lambda name: make_status(name=name, roots=roots, settings=LibrarySettings())
    with qtbot.waitSignal(workspace.opened):
        workspace.open("other")
    assert [call.args for call in fake_client.of("index")] == [(IndexRequest(("/photos",), followed=True),)]
    assert panel.isHidden()


def test_a_library_that_is_not_watched_is_left_as_it_is(qtbot: QtBot, workspace: Workspace, fake_client) -> None:
    with qtbot.waitSignal(workspace.opened):
        workspace.open("other")
    settle()
    assert not fake_client.of("index")


def test_a_quiet_run_that_fails_is_told_unless_the_drive_is_away(
    qtbot: QtBot, workspace: Workspace, panel: IndexingPanel, fake_client, make_status
) -> None:
    fake_client.answers["status"] = lambda: make_status(roots=(Root("/media/usb", False, 3, 3),))
    fake_client.tell("folders_changed", ("/media/usb",))
    settle()
    fake_client.last("index").fail(AppError("This folder cannot be indexed", "It is gone.", "/media/usb"))
    qtbot.waitUntil(lambda: workspace.status is not None and not workspace.status.roots[0].online)
    assert panel.isHidden()

    fake_client.tell("folders_changed", ("/photos",))
    settle()
    fake_client.last("index").fail(AppError("The disk is full", "Free some space and index again."))
    qtbot.waitUntil(lambda: panel.text == "The disk is full Free some space and index again.")


def test_a_choice_of_models_is_not_undone_by_the_answer_to_an_earlier_one(
    workspace: Workspace, fake_client, make_status
) -> None:
    told: list[tuple[str, ...]] = []
    workspace.status_changed.connect(lambda status: told.append(status.models))
    workspace.set_models(("a",))
    workspace.set_models(("a", "b"))
    first, second = fake_client.of("set_models")
    workspace.refresh()
    QCoreApplication.processEvents()
    first.answer(make_status(models=("a",)))
    QCoreApplication.processEvents()
    assert set(told) == {("a", "b")}
    second.fail(AppError("The disk is full", "Make room."))
    QCoreApplication.processEvents()
    QCoreApplication.processEvents()
    assert told[-1] == make_status().models  # as the engine has it


def test_what_a_run_has_to_say_is_said_below_its_counts(
    panel: IndexingPanel, workspace: Workspace, fake_client
) -> None:
    workspace.rescan()
    left_out = "clip-vit-b-32 was left out: Install it again."
    fake_client.last("index").answer(replace(report(seen=3), notes=(left_out,)))
    QCoreApplication.processEvents()
    assert panel.text == f"Indexed Nothing has changed in 3 files {left_out}"
    workspace.rescan()
    QCoreApplication.processEvents()
    assert left_out not in panel.text
