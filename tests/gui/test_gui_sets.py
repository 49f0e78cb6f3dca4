"""The column of test queries: sets chosen, made, changed and removed, queries edited, files and folders taken in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFileDialog, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app.bridge.messages import Action
from app.engine.errors import AppError
from app.engine.jobs import Progress
from app.engine.judgingtypes import Imported, QuerySet, QuerySummary, Scale
from app.engine.types import Query
from app.gui.engine import Engine
from app.gui.evaluate import COLUMN_PX
from app.gui.setdialogs import QueryDialog, SetDialog, read_translations, write_translations
from app.gui.testqueries import QueryColumn
from app.gui.window import MainWindow

PETS = QuerySet(1, "Pets", Scale.GRADED, "Any pet", queries=2, judged=1, judgments=5)
CARS = QuerySet(2, "Cars", queries=1)
CAT = QuerySummary(1, "text:cat", "a cat", Query.of_text("a cat"), 2, 5)
DOG = QuerySummary(2, "text:dog", "a dog", Query.of_text("a dog"), 0, 0, translations={"de": "ein Hund"})
CAR = QuerySummary(3, "image:car", "car.jpg", Query.of_image("/photos/car.jpg"), 0, 0, set_id=2)


@pytest.fixture
def sets(fake_client: Any) -> list[QuerySet]:
    """An engine with two sets, which it keeps."""
    kept = [PETS, CARS]
    of_set = {1: (CAT, DOG), 2: (CAR,)}

    def change(set_id: int, name: str, scale: Scale, guidelines: str) -> QuerySet:
        where = next(place for place, one in enumerate(kept) if one.id == set_id)
        kept[where] = replace(kept[where], name=name, scale=scale, guidelines=guidelines)
        return kept[where]

    def create(name: str, scale: Scale, guidelines: str) -> QuerySet:
        if any(one.name == name for one in kept):
            raise AppError("There is a set of this name", "Choose another name.")
        kept.append(QuerySet(7, name, scale, guidelines))
        return kept[-1]

    def remove(set_id: int) -> None:
        kept[:] = [one for one in kept if one.id != set_id]

    fake_client.answers |= {
        "evaluations_sets": lambda: tuple(kept),
        "evaluations_queries": lambda set_id, **_how: of_set.get(set_id, ()),
        "evaluations_change_set": change,
        "evaluations_create_set": create,
        "evaluations_remove_set": remove,
    }
    return kept


@pytest.fixture
def column(qtbot: QtBot, engine: Engine, sets: list[QuerySet]) -> QueryColumn:
    """The column with the first set shown."""
    made = QueryColumn(engine)
    qtbot.addWidget(made)
    made.work.setParent(made)
    made.resize(COLUMN_PX, 600)
    made.show()
    with qtbot.waitSignal(made.chosen):
        made.reload()
    return made


def titles(column: QueryColumn) -> list[str]:
    return [summary.title for summary in column.summaries]


def drop(column: QueryColumn, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    moment = QDropEvent(
        QPointF(QPoint(20, 200)), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    column.dropEvent(moment)


class TestChoosing:
    def test_the_queries_of_one_set_are_shown_with_how_far_they_are_judged(self, column: QueryColumn) -> None:
        assert column.current_set == PETS
        assert titles(column) == ["a cat", "a dog"]
        assert column.sets.progress == "1 of 2 queries have judgments"

    def test_turning_to_another_set_shows_its_queries_and_tells(self, qtbot: QtBot, column: QueryColumn) -> None:
        with qtbot.waitSignal(column.chosen):
            column.sets.choose(CARS.id)
        assert column.current_set == CARS
        assert titles(column) == ["car.jpg"]
        assert column.current == CAR

    def test_a_judgment_is_counted_at_once(self, column: QueryColumn) -> None:
        column.update_summary(replace(DOG, judged=4))
        assert column.sets.progress == "2 of 2 queries have judgments"

    def test_a_new_query_goes_into_the_set_that_is_shown(
        self, qtbot: QtBot, column: QueryColumn, fake_client: Any
    ) -> None:
        fake_client.answers["evaluations_add_query"] = lambda query, title, into: CAR
        with qtbot.waitSignal(column.chosen):
            column.sets.choose(CARS.id)
        qtbot.keyClicks(column.words, "a van\r")
        assert fake_client.last("evaluations_add_query").args == (Query.of_text("a van"), "", CARS.id)

    def test_without_any_set_there_is_still_room_for_a_first_query(
        self, qtbot: QtBot, column: QueryColumn, sets: list[QuerySet], fake_client: Any
    ) -> None:
        sets.clear()
        with qtbot.waitSignal(column.chosen):
            column.reload()
        assert column.current_set is None
        assert column.current is None
        column.add(Query.of_text("a van"))
        assert fake_client.last("evaluations_add_query").args[2] is None


class TestSets:
    def test_a_new_set_is_turned_to(self, qtbot: QtBot, column: QueryColumn) -> None:
        column.actions_.create()
        dialog = column.findChild(SetDialog)
        assert not dialog.ok.isEnabled()
        dialog.name.setText(" Birds ")
        dialog.scale.setCurrentIndex(1)
        dialog.guidelines.setPlainText("With feathers")
        with qtbot.waitSignal(column.chosen):
            dialog.ok.click()
        assert column.current_set == QuerySet(7, "Birds", Scale.GRADED, "With feathers")
        assert titles(column) == []

    def test_a_name_that_is_taken_is_said_in_the_dialog(self, qtbot: QtBot, column: QueryColumn) -> None:
        column.actions_.create()
        dialog = column.findChild(SetDialog)
        dialog.name.setText("Cars")
        dialog.ok.click()
        qtbot.waitUntil(lambda: "There is a set of this name" in dialog.error)
        assert dialog.isVisible()
        dialog.reject()

    def test_a_set_is_changed_in_place(self, qtbot: QtBot, column: QueryColumn) -> None:
        column.actions_.edit()
        dialog = column.findChild(SetDialog)
        assert (dialog.name.text(), dialog.guidelines.toPlainText()) == ("Pets", "Any pet")
        dialog.name.setText("Animals")
        with qtbot.waitSignal(column.chosen):
            dialog.ok.click()
        assert column.current_set == replace(PETS, name="Animals")
        assert titles(column) == ["a cat", "a dog"]

    def test_a_set_is_removed_only_after_asking(self, qtbot: QtBot, column: QueryColumn, sets: list[QuerySet]) -> None:
        column.actions_.ask_to_remove()
        box = column.findChild(QMessageBox)
        assert "2 queries and 5 judgments" in box.informativeText()
        assert len(sets) == 2
        with qtbot.waitSignal(column.chosen):
            next(button for button in box.buttons() if button.text() == "Remove").click()
        assert column.current_set == CARS


class TestQueries:
    def test_a_query_is_edited(self, qtbot: QtBot, column: QueryColumn, fake_client: Any) -> None:
        changed = replace(DOG, title="dogs", guidelines="Any breed")
        fake_client.answers["evaluations_change_query"] = lambda *_values: changed
        column.list.turn_to(DOG.id)
        column.edit()
        dialog = column.findChild(QueryDialog)
        assert dialog.translations.toPlainText() == "de: ein Hund"
        dialog.title.setText("dogs")
        dialog.guidelines.setPlainText("Any breed")
        dialog.translations.setPlainText("fr: un chien")
        with qtbot.waitSignal(column.chosen) as told:
            dialog.ok.click()
        assert told.args == [changed]
        values = (DOG.id, "dogs", "Any breed", {"fr": "un chien"})
        assert fake_client.last("evaluations_change_query").args == values
        assert titles(column) == ["a cat", "dogs"]

    def test_what_is_no_translation_is_said(self, column: QueryColumn, fake_client: Any) -> None:
        column.edit()
        dialog = column.findChild(QueryDialog)
        dialog.translations.setPlainText("ein Hund")
        dialog.ok.click()
        assert "ein Hund" in dialog.error
        assert not fake_client.of("evaluations_change_query")
        dialog.reject()

    def test_translations_say_the_same_after_a_round_trip(self) -> None:
        said = {"de": "ein Hund: bellt", "pt-BR": "um cão"}
        assert read_translations(write_translations(said)) == said


class TestImports:
    def test_an_import_shows_how_far_it_is_and_what_came_of_it(
        self, qtbot: QtBot, column: QueryColumn, fake_client: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_a, **_k: "/photos/cars")
        column.actions_.choose_folder()
        call = fake_client.last("evaluations_import_folders")
        assert call.args == ("/photos/cars",)
        call.progress(Progress("Importing", 30, 240))
        qtbot.waitUntil(lambda: "30 of 240" in column.work.text)
        with qtbot.waitSignal(column.chosen):
            call.answer(Imported(CARS.id, "Cars", 240, 57_360, ("new.jpg",), ("One note.",)))
        assert column.current_set == CARS
        assert "57,360 judgments for 240 queries. One note. 1 name was not found" in column.work.text

    def test_it_can_be_cancelled_with_all_that_waits(self, qtbot: QtBot, column: QueryColumn, fake_client: Any) -> None:
        column.actions_.import_captions("/a.csv")
        column.actions_.import_captions("/b.csv")
        assert len(fake_client.of("evaluations_import_captions")) == 1
        with qtbot.waitSignal(column.chosen):
            column.work.findChildren(QPushButton)[1].click()
        assert fake_client.last("evaluations_import_captions").actions == [Action.CANCEL]
        assert len(fake_client.of("evaluations_import_captions")) == 1
        assert column.work.isHidden()

    def test_one_that_fails_says_why_and_the_next_begins(
        self, qtbot: QtBot, column: QueryColumn, fake_client: Any
    ) -> None:
        column.actions_.import_topics("/a.txt")
        column.actions_.import_judgments("/b.qrels")
        assert fake_client.last("evaluations_import_topics").args == ("/a.txt", PETS.id)
        fake_client.last("evaluations_import_topics").fail(AppError("No topics", "There are none."))
        qtbot.waitUntil(lambda: bool(fake_client.of("evaluations_import_qrels")))
        fake_client.last("evaluations_import_qrels").fail(AppError("No judgments", "There are none either."))
        qtbot.waitUntil(lambda: "There are none either." in column.work.text)

    def test_a_folder_of_folders_is_taken_for_classes_and_one_of_files_for_examples(
        self, qtbot: QtBot, column: QueryColumn, fake_client: Any, tmp_path: Path
    ) -> None:
        (tmp_path / "classes" / "cats").mkdir(parents=True)
        (tmp_path / "examples" / ".hidden").mkdir(parents=True)
        drop(column, tmp_path / "classes", tmp_path / "examples")
        call = fake_client.last("evaluations_import_folders")
        assert call.args == (str(tmp_path / "classes"),)
        call.answer(Imported(PETS.id, "Pets", 2, 2))
        qtbot.waitUntil(lambda: bool(fake_client.of("evaluations_import_examples")))
        call = fake_client.last("evaluations_import_examples")
        assert call.args == (str(tmp_path / "examples"), PETS.id)
        with qtbot.waitSignal(column.chosen):
            call.answer(Imported(PETS.id, "Pets", 3, 0))

    def test_export_writes_the_set_that_is_shown(
        self, qtbot: QtBot, column: QueryColumn, fake_client: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, **_k: ("/out.qrels", ""))
        fake_client.answers["evaluations_export_qrels"] = lambda path, set_id, replaces: 5
        with qtbot.waitSignal(column.told) as told:
            column.actions_.choose_export()
        assert fake_client.last("evaluations_export_qrels").args == ("/out.qrels", PETS.id)
        assert told.args[1] == "5 judgments written."


def test_a_search_is_kept_without_leaving_its_page(
    qtbot: QtBot, window: MainWindow, fake_client: Any, sets: list[QuerySet]
) -> None:
    fake_client.answers["evaluations_add_query"] = lambda query, title, into: CAT
    page = window.search
    page.bar.set_query(Query.of_text("a cat"))
    qtbot.waitUntil(lambda: page.grid.results.hits > 0)
    next(button for button in page.findChildren(QPushButton) if button.text() == "Keep as test query").click()
    qtbot.waitUntil(lambda: "“a cat” is kept as a test query" in window.banner.text)
    assert fake_client.last("evaluations_add_query").args == (Query.of_text("a cat"), "a cat", None)
    assert window.pages.currentWidget() is page
    assert not fake_client.of("evaluations_pool")


def test_many_dropped_files_are_listed_once(
    qtbot: QtBot, column: QueryColumn, fake_client: Any, tmp_path: Path
) -> None:
    fake_client.answers["evaluations_add_query"] = lambda query, title, into: CAR
    paths = [tmp_path / f"{number}.png" for number in range(20)]
    for path in paths:
        path.touch()
    listed = len(fake_client.of("evaluations_sets"))
    drop(column, *paths)
    qtbot.waitUntil(lambda: len(fake_client.of("evaluations_sets")) > listed)
    assert len(fake_client.of("evaluations_add_query")) == 20
    assert len(fake_client.of("evaluations_sets")) == listed + 1
