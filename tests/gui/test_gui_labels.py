"""Labels in the window: the dialog of the list, the filter, and the chips in the details."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.engine.errors import AppError
from app.engine.jobs import Cancelled, Progress
from app.engine.judgingtypes import QuerySet
from app.engine.labeltypes import ItemLabel, LabelCount, LabelStatus
from app.engine.modeltypes import ModelStatus
from app.engine.types import Hit, ItemKind, Query
from app.gui.engine import Engine
from app.gui.labelchips import LabelChips
from app.gui.labelfilter import LabelFilter
from app.gui.labelsdialog import LabelsDialog
from app.gui.topbar import EVALUATE
from app.gui.window import MainWindow

MODEL = "clip-vit-b-32"
TWO = LabelStatus((LabelCount("cat", 3), LabelCount("dog", 12, 4, 3)), MODEL)


@pytest.fixture
def open_dialog(
    qtbot: QtBot, engine: Engine, fake_client: Any, models: tuple[ModelStatus, ...]
) -> Callable[[LabelStatus], LabelsDialog]:
    def make(status: LabelStatus) -> LabelsDialog:
        fake_client.answers["labels_status"] = lambda: status
        dialog = LabelsDialog(engine, models)
        qtbot.addWidget(dialog)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        dialog.show()
        qtbot.waitUntil(lambda: dialog.counts.topLevelItemCount() == len(status.labels))
        return dialog

    return make


def rows(dialog: LabelsDialog) -> list[list[str]]:
    items = (dialog.counts.topLevelItem(row) for row in range(dialog.counts.topLevelItemCount()))
    return [[item.text(column) for column in range(3)] for item in items]


# --- the dialog ---


def test_the_list_is_shown_with_what_pictures_have_of_it(open_dialog: Callable[..., LabelsDialog]) -> None:
    dialog = open_dialog(replace(TWO, calibrated=True, judged=4))
    assert dialog.lines() == ["cat", "dog"]
    assert rows(dialog) == [["dog", "12", "3 of 4"], ["cat", "3", "–"]]
    assert "4 judgments" in dialog.worth
    assert not dialog.assign.isEnabled()
    assert [dialog.model.itemData(index) for index in range(dialog.model.count())] == ["", MODEL]


def test_a_new_list_is_kept_and_given(qtbot: QtBot, open_dialog: Callable[..., LabelsDialog], fake_client: Any) -> None:
    dialog = open_dialog(TWO)
    changes: list[LabelStatus] = []
    dialog.changed.connect(changes.append)
    dialog.names.setPlainText("cat\n\n horse \n")
    assert not dialog.judge.isEnabled()
    qtbot.mouseClick(dialog.assign, Qt.MouseButton.LeftButton)
    assert fake_client.last("labels_choose").args == (["cat", " horse "], MODEL)
    chosen = LabelStatus((LabelCount("cat", 0), LabelCount("horse", 0)), MODEL, pending=15)
    fake_client.last("labels_choose").answer(chosen)
    qtbot.waitUntil(lambda: bool(fake_client.of("labels_assign")))
    assert dialog.lines() == ["cat", "horse"]
    asked = fake_client.last("labels_assign")
    assert asked.on_progress
    asked.on_progress(Progress("Giving labels", 5, 15))
    qtbot.waitUntil(lambda: "5 of 15" in dialog.work.text)
    given = LabelStatus((LabelCount("cat", 3), LabelCount("horse", 1)), MODEL)
    asked.answer(given)
    qtbot.waitUntil(lambda: changes == [chosen, given])
    assert rows(dialog) == [["cat", "3", "–"], ["horse", "1", "–"]]
    assert not dialog.work.isVisible()


def test_new_pictures_are_given_the_same_list(
    qtbot: QtBot, open_dialog: Callable[..., LabelsDialog], fake_client: Any
) -> None:
    dialog = open_dialog(replace(TWO, pending=2))
    assert "2 pictures have not been looked at" in dialog.worth
    qtbot.keyClick(dialog.assign, Qt.Key.Key_Space)
    assert fake_client.of("labels_choose") == []
    fake_client.last("labels_assign").fail(AppError("No model here", "Index first."))
    qtbot.waitUntil(lambda: dialog.error == "No model here. Index first.")
    assert dialog.assign.isEnabled()


def test_what_indexing_has_changed_is_asked_for_again(
    qtbot: QtBot, open_dialog: Callable[..., LabelsDialog], fake_client: Any
) -> None:
    nowhere = LabelStatus((LabelCount("dog", 0), LabelCount("cat", 0)), MODEL, pending=5)
    dialog = open_dialog(nowhere)
    assert not dialog.judge.isEnabled()  # no picture has any label yet
    dialog.assign.click()
    fake_client.last("labels_assign").fail(AppError("No model here can give labels", "Index again."))
    qtbot.waitUntil(lambda: bool(dialog.error))
    fake_client.answers["labels_status"] = lambda: TWO
    dialog.refresh()
    assert not dialog.error
    qtbot.waitUntil(dialog.judge.isEnabled)


def test_what_is_wrong_with_a_list_leaves_it_as_it_is_typed(
    qtbot: QtBot, open_dialog: Callable[..., LabelsDialog], fake_client: Any
) -> None:
    dialog = open_dialog(TWO)
    dialog.names.setPlainText("x" * 200)
    dialog.assign.click()
    fake_client.last("labels_choose").fail(AppError("This label is too long", "100 are the most."))
    qtbot.waitUntil(lambda: "too long" in dialog.error)
    assert dialog.lines() == ["x" * 200]
    assert dialog.close_.text() == "Cancel"


def test_giving_labels_can_be_stopped(qtbot: QtBot, open_dialog: Callable[..., LabelsDialog], fake_client: Any) -> None:
    dialog = open_dialog(replace(TWO, pending=2))
    dialog.assign.click()
    dialog.work.cancel_wanted.emit()
    with pytest.raises(Cancelled):
        fake_client.last("labels_assign").future.result()
    qtbot.waitUntil(lambda: dialog.assign.isEnabled())


def test_closing_stops_what_is_under_way(open_dialog: Callable[..., LabelsDialog], fake_client: Any) -> None:
    dialog = open_dialog(replace(TWO, pending=2))
    dialog.assign.click()
    dialog.reject()
    assert fake_client.last("labels_assign").future.done()


def test_labels_are_judged_on_the_evaluate_page(qtbot: QtBot, window: MainWindow, fake_client: Any) -> None:
    fake_client.answers.update(
        labels_status=lambda: TWO,
        labels_to_test_set=lambda: QuerySet(7, "Labels"),
        evaluations_sets=lambda: (QuerySet(7, "Labels"),),
        evaluations_queries=lambda *_args, **_for: (),
    )
    window.actions_.labels.trigger()
    dialog = next(one for one in QApplication.topLevelWidgets() if isinstance(one, LabelsDialog))
    qtbot.waitUntil(dialog.judge.isEnabled)
    dialog.judge.click()
    qtbot.waitUntil(lambda: window.pages.currentIndex() == EVALUATE)
    qtbot.waitUntil(lambda: window.evaluate.queries.current_set is not None)
    assert window.evaluate.queries.current_set.id == 7


# --- the filter ---


def test_the_filter_offers_the_labels_by_how_many_have_them(qtbot: QtBot) -> None:
    bar = LabelFilter()
    qtbot.addWidget(bar)
    bar.set_status(TWO)
    assert [bar.list.item(row).text() for row in range(bar.list.count())] == ["dog  12", "cat  3"]
    assert (bar.text(), bar.chosen) == ("Any label", ())
    bar.list.setCurrentRow(1)
    with qtbot.waitSignal(bar.changed):
        qtbot.keyClick(bar.list, Qt.Key.Key_Space)
    assert (bar.text(), bar.chosen) == ("cat", ("cat",))
    with qtbot.waitSignal(bar.changed):
        bar.list.item(0).setCheckState(Qt.CheckState.Checked)
    assert (bar.text(), bar.chosen) == ("2 labels", ("cat", "dog"))
    with qtbot.waitSignal(bar.changed):
        bar.any.click()
    assert bar.chosen == ()


def test_a_label_that_is_gone_is_no_longer_filtered_by(qtbot: QtBot) -> None:
    bar = LabelFilter()
    qtbot.addWidget(bar)
    bar.set_status(TWO)
    bar.choose("dog")
    with qtbot.assertNotEmitted(bar.changed):
        bar.set_status(replace(TWO, labels=(LabelCount("dog", 13), LabelCount("horse", 1))))
    assert bar.chosen == ("dog",)
    with qtbot.waitSignal(bar.changed):
        bar.set_status(replace(TWO, labels=(LabelCount("horse", 1),)))
    assert bar.chosen == ()


def test_a_search_is_filtered_by_the_chosen_labels(qtbot: QtBot, window: MainWindow, fake_client: Any) -> None:
    window.labels.refresh()
    fake_client.last("labels_status").answer(TWO)
    window.search.bar.set_query(Query.of_text("beach"))
    qtbot.waitUntil(lambda: window.search.filters.labels.list.count() == 2)
    window.search.filters.labels.choose("dog")
    assert fake_client.last("search").args[0].filters.labels == ("dog",)
    assert window.search.filters.narrowed
    window.search.filters.reset()
    assert fake_client.last("search").args[0].filters.labels == ()


# --- the chips ---


def test_an_item_shows_its_labels_and_how_sure_they_are(
    qtbot: QtBot, engine: Engine, fake_client: Any, make_hit: Callable[..., Hit]
) -> None:
    chips = LabelChips(engine)
    qtbot.addWidget(chips)
    fake_client.answers["labels_of_item"] = lambda _id: (ItemLabel("dog", 0.943), ItemLabel("cat", 0.003))
    chips.show_hit(make_hit(1))
    assert fake_client.of("labels_of_item") == []  # the library has no labels
    chips.set_status(TWO)
    qtbot.waitUntil(lambda: chips.words == ("dog 94%", "cat < 1%"))
    assert "the model's own figure" in chips.chips[0].toolTip()
    chips.set_status(replace(TWO, calibrated=True, judged=120))
    qtbot.waitUntil(lambda: bool(chips.chips) and "calibrated by 120 judgments" in chips.chips[0].toolTip())
    with qtbot.waitSignal(chips.chosen) as chosen:
        qtbot.keyClick(chips.chips[0], Qt.Key.Key_Space)
    assert chosen.args == ["dog"]
    chips.show_hit(make_hit(2, item_kind=ItemKind.AUDIO))
    assert chips.words == ()


def test_a_label_of_an_item_becomes_the_filter(qtbot: QtBot, window: MainWindow, fake_client: Any) -> None:
    window.labels.refresh()
    fake_client.answers["labels_of_item"] = lambda _id: (ItemLabel("cat", 0.5),)
    fake_client.last("labels_status").answer(TWO)
    window.search.bar.set_query(Query.of_text("beach"))
    qtbot.waitUntil(lambda: window.search.filters.labels.list.count() == 2)
    window.search.grid.setFocus()
    qtbot.waitUntil(lambda: window.search.grid.results.hits > 0)
    qtbot.keyClick(window.search.grid, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: window.details.labels.words == ("cat 50%",))
    chip: QPushButton = window.details.labels.chips[0]
    chip.click()
    assert window.search.filters.labels.chosen == ("cat",)


def test_long_names_fit(qtbot: QtBot, engine: Engine, fake_client: Any, make_hit: Callable[..., Hit]) -> None:
    name = "a very long label that nobody would want to read whole in a narrow pane"
    chips, bar = LabelChips(engine), LabelFilter()
    for widget in (chips, bar):
        qtbot.addWidget(widget)
    long = LabelStatus((LabelCount(name, 1),), MODEL)
    fake_client.answers["labels_of_item"] = lambda _id: (ItemLabel(name, 0.5),)
    chips.set_status(long)
    chips.show_hit(make_hit(1))
    qtbot.waitUntil(lambda: chips.words == ("a very long label that no… 50%",))
    bar.set_status(long)
    bar.choose(name)
    assert bar.text() == "a very long l…"
    assert bar.chosen == (name,)


def test_without_a_model_that_reads_words_it_is_said_what_to_do(qtbot: QtBot, engine: Engine, fake_client: Any) -> None:
    fake_client.answers["labels_status"] = lambda: LabelStatus(())
    dialog = LabelsDialog(engine, ())
    qtbot.addWidget(dialog)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.waitUntil(lambda: "install one on the Models page" in dialog.worth)
