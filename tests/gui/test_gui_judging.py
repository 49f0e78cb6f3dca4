"""Judging through a set: keys, marks, the way back, what is left, a grid, a second judge, and what is heard."""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QPushButton, QTableWidget
from pytestqt.qtbot import QtBot

from app.engine.errors import AppError
from app.engine.judgingtypes import (
    IMPORTED,
    Agreement,
    JudgingOrder,
    JudgingProgress,
    Mark,
    Pool,
    PoolItem,
    QueryProgress,
    QuerySet,
    QuerySummary,
    Scale,
)
from app.engine.types import Hit, ItemDetails, ItemKind, MediaKind, Query
from app.gui.agreement import line_words, strength
from app.gui.engine import Engine
from app.gui.evaluate import RESULTS, EvaluatePage
from app.gui.grades import verdict
from app.gui.judgeplan import JudgePlan
from app.gui.judging import FILM_MS, JudgePanel
from app.gui.offline import Offline
from app.gui.poollist import ITEM_ROLE
from app.gui.poolround import PoolRound, is_left
from app.gui.thumbnails import ThumbnailStore

MakeHit = Callable[..., Hit]
K = Qt.Key
ME = ""


class Library:
    """An engine with a set of three queries of three items each; it keeps what every judge says."""

    def __init__(self, make_hit: MakeHit, jpeg: bytes) -> None:
        self.given: dict[str, dict[tuple[int, int], int]] = {ME: {}}
        self.scale = Scale.BINARY
        self.guidelines = ""
        self.disputed = {1: 0.1, 2: 0.2, 3: 0.9}
        self.hits = [replace(make_hit(n), rank=0, similarity=None, found_by=(), item_id=n) for n in (1, 2, 3)]
        self.jpeg = jpeg

    def answers(self) -> dict[str, Callable[..., Any]]:
        return {
            "evaluations_sets": self.sets,
            "evaluations_queries": self.queries,
            "models": tuple,
            "evaluations_pool": self.pool,
            "evaluations_progress": self.progress,
            "evaluations_judge_all": self.judge,
            "evaluations_agreement": lambda _set, one, other: Agreement(
                one, other, 0, 0, None, None, None, ((0, 0),) * 2
            ),
            "thumbnails": lambda _ids: {},
            "details": self.details,
        }

    def sets(self) -> tuple[QuerySet, ...]:
        return (
            QuerySet(1, "Beaches", self.scale, "", 3, judges=tuple(name for name in self.given if self.given[name])),
        )

    def queries(self, _set: int, judge: str | None, imported: bool) -> tuple[QuerySummary, ...]:
        assert imported
        return tuple(self.summary(query, judge) for query in self.disputed)

    def summary(self, query_id: int, judge: str | None) -> QuerySummary:
        own = self.given.get(IMPORTED, {}) | self.given.get(judge or ME, {})
        of = [own] if judge is not None else self.given.values()
        given = [grade for one in of for (query, _), grade in one.items() if query == query_id and grade >= 0]
        relevant = sum(map(bool, given))
        return QuerySummary(query_id, f"q{query_id}", f"query {query_id}", Query.of_text("bay"), relevant, len(given))

    def pool(self, query_id: int, depth: int, judge: str, order: JudgingOrder) -> Pool:
        grades = self.given.get(judge, {})
        places = [(hit, (query_id, hit.item_id)) for hit in self.hits]
        said = self.given.get(IMPORTED, {})
        items = tuple(PoolItem(hit, grades.get(place), place in said) for hit, place in places)
        return Pool(query_id, "", items, ("clip",), self.scale, self.guidelines)

    def progress(self, _set: int, depth: int, judge: str, order: JudgingOrder) -> JudgingProgress:
        queries = []
        for query_id, disagreement in self.disputed.items():
            items = self.pool(query_id, depth, judge, order).items
            grades = [item.grade for item in items]
            left, later = sum(map(is_left, grades)), grades.count(Mark.LATER)
            imported = sum(item.imported and item.grade is None for item in items)
            queries.append(QueryProgress(query_id, 3, left, disagreement, later, imported))
        if order is JudgingOrder.DISAGREEMENT:
            queries.sort(key=lambda one: (one.left == 0, -one.disagreement))
        return JudgingProgress(tuple(queries), 20_000)

    def judge(self, query_id: int, item_ids: tuple[int, ...], grade: int | None, judge: str) -> QuerySummary:
        given = self.given.setdefault(judge, {})
        for item_id in item_ids:
            given.pop((query_id, item_id), None)
            if grade is not None:
                given[query_id, item_id] = grade
        return self.summary(query_id, judge)

    def details(self, item_id: int) -> ItemDetails:
        hit = next(hit for hit in self.hits if hit.item_id == item_id)
        return ItemDetails(
            item_id, hit.path, (), hit.kind, hit.item_kind, hit.start_ms, hit.end_ms, 96, 64, 1000, 100, None, 0, "",
            self.jpeg,
        )  # fmt: skip


@pytest.fixture
def library(make_hit: MakeHit, jpeg: bytes) -> Library:
    return Library(make_hit, jpeg)


@pytest.fixture
def page(qtbot: QtBot, engine: Engine, fake_client: Any, library: Library) -> Iterator[EvaluatePage]:
    fake_client.answers |= library.answers()
    thumbnails = ThumbnailStore(engine)
    made = EvaluatePage(engine, thumbnails)
    qtbot.addWidget(made)
    made.resize(1000, 640)
    made.show()
    yield made
    thumbnails.deleteLater()


@pytest.fixture
def judging(qtbot: QtBot, page: EvaluatePage) -> JudgePanel:
    """The panel with the first item of the first query, and what is left known."""
    page.refresh()
    panel = page.judging
    qtbot.waitUntil(lambda: panel.current is not None and panel.session.plan is not None)
    return panel


def press(qtbot: QtBot, panel: JudgePanel, *keys: Qt.Key) -> None:
    for key in keys:
        qtbot.keyClick(panel, key)


def at(panel: JudgePanel) -> tuple[int, int]:
    """Query and item shown."""
    assert panel.current
    return panel.session.round.query_id, panel.current.item.item_id


def choose(panel: JudgePanel, words: str) -> None:
    """Press a button of what is said instead of an item."""
    next(button for button in panel.findChildren(QPushButton) if button.text() == words).click()


class TestGoingOn:
    def test_the_next_query_comes_by_itself(self, qtbot: QtBot, judging: JudgePanel) -> None:
        press(qtbot, judging, K.Key_F, K.Key_J, K.Key_F)
        qtbot.waitUntil(lambda: judging.session.round.query_id == 2 and judging.current is not None)
        assert at(judging) == (2, 1)
        assert "query 2" in judging.question

    def test_it_waits_where_that_is_turned_off(self, qtbot: QtBot, judging: JudgePanel) -> None:
        judging.session.goes_on = False
        press(qtbot, judging, K.Key_F, K.Key_F, K.Key_F)
        assert "All 3 results are judged" in judging.sentence
        judging.query_wanted.emit(2, 1)
        qtbot.waitUntil(lambda: judging.current is not None and at(judging) == (2, 1))

    def test_progress_is_the_sets_and_tells_how_long_the_rest_takes(self, qtbot: QtBot, judging: JudgePanel) -> None:
        assert judging.progress == "0 of 9 results judged, about 3 minutes left"
        press(qtbot, judging, K.Key_F)
        assert judging.progress.startswith("1 of 9 results judged")

    def test_most_disagreement_first_goes_where_models_differ_most(
        self, qtbot: QtBot, judging: JudgePanel, fake_client: Any
    ) -> None:
        judging.session.set_order(JudgingOrder.DISAGREEMENT)
        qtbot.waitUntil(lambda: judging.current is not None and judging.session.plan is not None)
        assert fake_client.last("evaluations_pool").kwargs["order"] is JudgingOrder.DISAGREEMENT
        press(qtbot, judging, K.Key_F, K.Key_F, K.Key_F)
        qtbot.waitUntil(lambda: judging.current is not None and at(judging) == (3, 1))

    def test_the_next_query_is_asked_for_before_it_is_needed(
        self, qtbot: QtBot, judging: JudgePanel, fake_client: Any
    ) -> None:
        press(qtbot, judging, K.Key_F)
        qtbot.waitUntil(lambda: judging.session.ahead.pool is not None)
        asked = len(fake_client.of("evaluations_pool"))
        press(qtbot, judging, K.Key_F, K.Key_F)
        assert at(judging) == (2, 1)  # without a turn of the event loop
        assert len([call for call in fake_client.of("evaluations_pool")[asked:] if call.args == (2,)]) == 0

    def test_undo_leads_back_into_the_query_before(self, qtbot: QtBot, judging: JudgePanel, library: Library) -> None:
        press(qtbot, judging, K.Key_F, K.Key_F, K.Key_J)
        qtbot.waitUntil(lambda: judging.current is not None and at(judging) == (2, 1))
        press(qtbot, judging, K.Key_U)
        qtbot.waitUntil(lambda: judging.current is not None and at(judging) == (1, 3))
        assert (1, 3) not in library.given[ME]
        assert judging.progress.startswith("2 of 9")
        press(qtbot, judging, K.Key_U)
        assert at(judging) == (1, 2)

    def test_undo_into_a_query_that_was_removed_is_dropped(self, qtbot: QtBot, judging: JudgePanel) -> None:
        press(qtbot, judging, K.Key_F, K.Key_F, K.Key_F)
        qtbot.waitUntil(lambda: judging.current is not None and at(judging) == (2, 1))
        judging.forget_query(1)
        assert not judging.buttons.undo.isEnabled()

    def test_the_whole_set_done_leads_to_the_comparison(self, qtbot: QtBot, judging: JudgePanel) -> None:
        for query_id in (1, 2, 3):
            qtbot.waitUntil(lambda wanted=query_id: judging.current is not None and at(judging) == (wanted, 1))
            press(qtbot, judging, K.Key_F, K.Key_J, K.Key_H)
        assert "Everything in this set is judged" in judging.sentence
        with qtbot.waitSignal(judging.compare_wanted):
            judging._message._buttons.itemAt(1).widget().click()

    def test_a_deeper_pool_of_a_query_that_was_done_is_judged_on(
        self, qtbot: QtBot, judging: JudgePanel, library: Library, make_hit: MakeHit
    ) -> None:
        judging.session.goes_on = False
        press(qtbot, judging, K.Key_F, K.Key_F, K.Key_F)
        assert "All 3 results are judged" in judging.sentence
        library.hits.append(replace(make_hit(4), item_id=4))
        judging.show_query(judging.session.summary, depth=20)
        qtbot.waitUntil(lambda: at(judging) == (1, 4))
        assert judging.preview.isVisible()
        judging.query_wanted.emit(2, 1)  # the rest of the set as deep
        qtbot.waitUntil(lambda: judging.current is not None and at(judging) == (2, 1))
        assert judging.session._depth == 20

    def test_who_changes_their_mind_about_a_query_that_is_done_stays_there(
        self, qtbot: QtBot, judging: JudgePanel, library: Library
    ) -> None:
        press(qtbot, judging, K.Key_F, K.Key_F, K.Key_F)
        qtbot.waitUntil(lambda: judging.current is not None and at(judging) == (2, 1))
        judging.query_wanted.emit(1, 1)
        qtbot.waitUntil(lambda: "All 3 results are judged" in judging.sentence)
        judging.session.go(1)
        press(qtbot, judging, K.Key_J)
        assert library.given[ME][1, 2] == 0
        assert at(judging) == (1, 2)
        assert judging.preview.isVisible()

    def test_arrows_move_among_the_results_once_one_is_judged(
        self, qtbot: QtBot, page: EvaluatePage, judging: JudgePanel
    ) -> None:
        page.queries.list.setFocus()
        press(qtbot, judging, K.Key_F)
        assert judging.strip.hasFocus()
        qtbot.keyClick(judging.strip, K.Key_Right)
        assert at(judging) == (1, 3)


class TestMarks:
    def test_unsure_counts_as_dealt_with_and_later_comes_again(
        self, qtbot: QtBot, judging: JudgePanel, library: Library
    ) -> None:
        for query_id in (1, 2, 3):
            qtbot.waitUntil(lambda wanted=query_id: judging.current is not None and at(judging) == (wanted, 1))
            press(qtbot, judging, K.Key_H, K.Key_L, K.Key_F)
        assert library.given[ME][1, 1] == Mark.UNSURE
        assert library.given[ME][1, 2] == Mark.LATER
        assert judging.progress.startswith("6 of 9")
        assert "3 results were left" in judging.sentence
        judging.session.offer_left()
        assert at(judging) == (3, 2)
        press(qtbot, judging, K.Key_F)
        qtbot.waitUntil(lambda: judging.current is not None and at(judging) == (1, 2))

    def test_what_is_put_off_again_is_not_offered_at_once(self, qtbot: QtBot, judging: JudgePanel) -> None:
        judging.session.goes_on = False
        press(qtbot, judging, K.Key_L, K.Key_F, K.Key_F)
        judging.session.offer_left()
        assert at(judging) == (1, 1)
        press(qtbot, judging, K.Key_L)
        assert "1 result was left" in judging.sentence

    def test_the_strip_says_each_verdict(self, qtbot: QtBot, judging: JudgePanel) -> None:
        press(qtbot, judging, K.Key_H, K.Key_L)
        spoken = [judging.strip.item(row).toolTip() for row in range(3)]
        assert spoken[0].endswith("unsure")
        assert spoken[1].endswith("to be judged later")
        assert spoken[2].endswith("not judged yet")

    @pytest.mark.parametrize(
        ("grade", "scale", "words"),
        [
            (None, Scale.BINARY, "not judged yet"), (1, Scale.BINARY, "relevant"), (0, Scale.GRADED, "not relevant"),
            (1, Scale.GRADED, "slightly relevant"), (2, Scale.GRADED, "relevant"), (3, Scale.GRADED, "highly relevant"),
            (Mark.UNSURE, Scale.GRADED, "unsure"), (Mark.LATER, Scale.BINARY, "to be judged later"),
        ],
    )  # fmt: skip
    def test_verdicts_in_words(self, grade: int | None, scale: Scale, words: str) -> None:
        assert verdict(grade, scale) == words


class TestGrades:
    @pytest.fixture
    def graded(self, qtbot: QtBot, page: EvaluatePage, library: Library) -> JudgePanel:
        library.scale = Scale.GRADED
        library.guidelines = "Sand and sea, both of them, and nobody who stands before them."
        page.refresh()
        qtbot.waitUntil(lambda: page.judging.current is not None)
        return page.judging

    def test_home_row_and_digits_grade(self, qtbot: QtBot, graded: JudgePanel, library: Library) -> None:
        press(qtbot, graded, K.Key_D, K.Key_3, K.Key_J)
        assert [library.given[ME][1, item] for item in (1, 2, 3)] == [2, 3, 0]

    def test_the_keys_are_on_the_buttons_and_the_guidelines_above(self, graded: JudgePanel) -> None:
        graded.buttons.resize(2000, graded.buttons.height())
        words = [button.text() for button in graded.buttons.grades.values()]
        assert words == ["1 Slightly  (S)", "2 Relevant  (D)", "3 Highly  (F)", "0 Not relevant  (J)"]
        assert graded.head.guidelines == f"Relevant: {graded.session.guidelines}"

    def test_keys_of_the_other_scale_do_nothing(self, qtbot: QtBot, judging: JudgePanel, library: Library) -> None:
        press(qtbot, judging, K.Key_S, K.Key_D, K.Key_3)
        assert library.given[ME] == {}

    def test_the_list_of_keys_opens(self, qtbot: QtBot, graded: JudgePanel) -> None:
        for key in (K.Key_F1, K.Key_Question):
            qtbot.keyClick(graded, key)
            dialog = next(one for one in graded.window().findChildren(QDialog) if one.isVisible())
            dialog.close()

    def test_in_a_narrow_window_marks_keep_their_keys(self, graded: JudgePanel) -> None:
        graded.buttons.resize(430, graded.buttons.height())
        assert graded.buttons.unsure.text() == "(H)"
        assert graded.buttons.grades[3].text() == "3  (F)"
        assert graded.buttons.unsure.accessibleName() == "Unsure"


class TestGrid:
    @pytest.fixture
    def grid(self, qtbot: QtBot, judging: JudgePanel) -> JudgePanel:
        press(qtbot, judging, K.Key_G)
        assert judging.grid.isVisible()
        return judging

    def test_keys_grade_the_focused_tile_and_go_on(self, qtbot: QtBot, grid: JudgePanel, library: Library) -> None:
        qtbot.keyClick(grid.grid, K.Key_F)
        assert library.given[ME] == {(1, 1): 1}
        assert grid.grid.currentRow() == 1
        qtbot.keyClick(grid.grid, K.Key_Right)
        qtbot.keyClick(grid.grid, K.Key_J)
        assert library.given[ME] == {(1, 1): 1, (1, 3): 0}
        assert grid.grid.currentRow() == 1

    def test_a_key_grades_all_that_is_selected_and_undo_takes_all_back(
        self, qtbot: QtBot, grid: JudgePanel, library: Library
    ) -> None:
        qtbot.keyClick(grid.grid, K.Key_Right, Qt.KeyboardModifier.ShiftModifier)
        qtbot.keyClick(grid.grid, K.Key_J)
        assert library.given[ME] == {(1, 1): 0, (1, 2): 0}
        qtbot.keyClick(grid.grid, K.Key_U)
        assert library.given[ME] == {}
        assert grid.grid.currentRow() == 0

    def test_a_click_on_a_tiles_grade_grades_it(self, qtbot: QtBot, grid: JudgePanel, library: Library) -> None:
        tile = grid.grid.visualItemRect(grid.grid.item(2))
        relevant = QPoint(tile.left() + tile.width() // 4, tile.bottom() - 16)  # in the order of the buttons
        qtbot.mouseClick(grid.grid.viewport(), Qt.MouseButton.LeftButton, pos=relevant)
        assert library.given[ME] == {(1, 3): 1}
        assert grid.grid.currentRow() == 2
        assert grid.strip.item(2).data(ITEM_ROLE).grade == 1

    def test_enter_shows_a_tile_alone(self, qtbot: QtBot, grid: JudgePanel) -> None:
        qtbot.keyClick(grid.grid, K.Key_Right)
        qtbot.keyClick(grid.grid, K.Key_Return)
        assert grid.preview.isVisible()
        assert at(grid) == (1, 2)

    def test_the_grid_is_as_blind(self, grid: JudgePanel) -> None:
        told = " ".join(grid.grid.item(row).toolTip() for row in range(3))
        assert "imilarity" not in told
        assert "clip" not in told

    def test_what_is_out_of_reach_is_told(self, grid: JudgePanel) -> None:
        grid.set_offline(Offline(away=("/photos",)))
        assert "Connect its drive" in grid.grid.item(0).toolTip()
        assert "Connect its drive" in grid.strip.item(0).toolTip()
        grid.tools.grid.setChecked(False)
        assert "Connect its drive" in grid.preview.sentence


class TestJudges:
    def test_another_judge_sees_nothing_of_what_the_first_said(
        self, qtbot: QtBot, judging: JudgePanel, library: Library
    ) -> None:
        press(qtbot, judging, K.Key_F)
        judging.tools.judge.setFocus()
        judging.tools.judge.lineEdit().selectAll()
        qtbot.keyClicks(judging.tools.judge.lineEdit(), "Flo J")
        qtbot.keyClick(judging.tools.judge.lineEdit(), K.Key_Return)
        qtbot.waitUntil(lambda: judging.current is not None)
        assert library.given == {ME: {(1, 1): 1}}
        assert {item.grade for item in judging.session.items} == {None}
        assert at(judging) == (1, 1)
        press(qtbot, judging, K.Key_J)
        assert library.given["Flo J"] == {(1, 1): 0}
        assert judging.session.round.last_step is not None
        judging.session.set_judge(ME)
        qtbot.waitUntil(lambda: judging.current is not None)
        assert at(judging) == (1, 2)
        assert judging.session.round.last_step is None

    def test_agreement_stands_beside_the_name_and_opens_as_a_table(
        self, qtbot: QtBot, judging: JudgePanel, library: Library, fake_client: Any
    ) -> None:
        told = Agreement(ME, "Ann", 40, 34, 0.68, 0.5, 0.84, ((20, 3), (3, 14)))
        fake_client.answers["evaluations_agreement"] = lambda _set, _one, _other: told
        library.given["Ann"] = {(1, 1): 1}
        judging.session.ask_again()
        qtbot.waitUntil(judging.tools.agreement.isVisible)
        assert judging.tools.agreement.accessibleName() == "Agreement…"  # it would sway who still judges
        assert not fake_client.of("evaluations_agreement")
        judging.tools.agreement.click()
        qtbot.waitUntil(lambda: judging.tools.agreement.shown is not None)
        assert judging.tools.agreement.accessibleName() == "Agreement with Ann: good, κ 0.68 (0.50 to 0.84), 40 results"
        judging.tools.agreement.click()
        dialog = next(one for one in QApplication.topLevelWidgets() if isinstance(one, QDialog) and one.isVisible())
        table = dialog.findChild(QTableWidget)
        assert [[table.item(row, column).text() for column in (0, 1)] for row in (0, 1)] == [["20", "3"], ["3", "14"]]
        dialog.close()

    def test_agreement_is_told_when_all_is_judged_and_again_when_something_changes(
        self, qtbot: QtBot, judging: JudgePanel, library: Library, fake_client: Any
    ) -> None:
        library.given["Ann"] = {(1, 1): 1}
        for query_id in (1, 2, 3):
            qtbot.waitUntil(lambda wanted=query_id: judging.current is not None and at(judging) == (wanted, 1))
            assert not fake_client.of("evaluations_agreement")
            if query_id == 3:
                judging.session.ask_again()  # which hears of Ann
                qtbot.waitUntil(judging.tools.agreement.isVisible)
            press(qtbot, judging, K.Key_F, K.Key_F, K.Key_F)
        assert [call.args for call in fake_client.of("evaluations_agreement")] == [(1, ME, "Ann")]
        judging.session.go(0)
        press(qtbot, judging, K.Key_J)
        assert len(fake_client.of("evaluations_agreement")) == 2

    def test_the_column_counts_for_who_judges_and_for_all_where_results_are_read(
        self, qtbot: QtBot, page: EvaluatePage, judging: JudgePanel
    ) -> None:
        def told() -> tuple[int, int]:
            return page.queries.summaries[0].relevant, page.queries.summaries[0].judged

        press(qtbot, judging, K.Key_F, K.Key_J)
        qtbot.waitUntil(lambda: told() == (1, 2))
        judging.session.set_judge("Ann")
        qtbot.waitUntil(lambda: told() == (0, 0))
        assert page.queries.sets.progress == "0 of 3 queries have judgments"
        page.show_view(RESULTS)
        qtbot.waitUntil(lambda: told() == (1, 2))

    def test_a_judgment_refused_late_changes_nothing_of_another_judge(
        self, qtbot: QtBot, judging: JudgePanel, fake_client: Any
    ) -> None:
        del fake_client.answers["evaluations_judge_all"]
        press(qtbot, judging, K.Key_F)
        judging.session.set_judge("Ann")
        qtbot.waitUntil(lambda: judging.current is not None)
        press(qtbot, judging, K.Key_F)
        of_me, of_ann = fake_client.of("evaluations_judge_all")
        with qtbot.waitSignal(judging.failed):
            of_me.fail(AppError("No", "No."))
        assert judging.session.items[0].grade == 1
        with qtbot.waitSignal(judging.failed):
            of_ann.fail(AppError("No", "No."))
        assert judging.session.items[0].grade is None

    def test_strengths_and_what_has_none(self) -> None:
        assert [strength(kappa) for kappa in (-0.1, 0.2, 0.21, 0.5, 0.8, 0.81)] == [
            "poor", "poor", "fair", "moderate", "good", "very good",
        ]  # fmt: skip
        same = Agreement(ME, "Ann", 8, 8, None, None, None, ((8, 0), (0, 0)))
        assert line_words(same, "Ann") == "Agreement with Ann: 8 of 8 results"


class TestSounds:
    @pytest.fixture
    def sounds(self, qtbot: QtBot, page: EvaluatePage, library: Library, tmp_path: Path) -> JudgePanel:
        pytest.importorskip("PySide6.QtMultimedia")
        path = tmp_path / "a.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(bytes(2 * 8000))
        library.hits = [
            replace(hit, path=str(path), kind=MediaKind.AUDIO, item_kind=ItemKind.AUDIO, start_ms=0, end_ms=1000)
            for hit in library.hits
        ]
        page.refresh()
        qtbot.waitUntil(lambda: page.judging.current is not None)
        return page.judging

    def test_a_sound_plays_when_it_is_shown_and_stops_when_the_next_comes(
        self, qtbot: QtBot, sounds: JudgePanel
    ) -> None:
        qtbot.waitUntil(lambda: sounds.preview.player.playing)
        sounds.stop()
        assert not sounds.preview.player.playing

    def test_muted_it_waits_to_be_played(self, qtbot: QtBot, sounds: JudgePanel) -> None:
        qtbot.waitUntil(lambda: sounds.preview.player.playing)
        assert sounds.tools.sounds.isVisible()
        press(qtbot, sounds, K.Key_M, K.Key_F)
        qtbot.waitUntil(lambda: at(sounds) == (1, 2))
        assert not sounds.preview.player.playing
        press(qtbot, sounds, K.Key_P)
        qtbot.waitUntil(lambda: sounds.preview.player.playing)
        sounds.stop()

    def test_the_query_and_an_item_are_never_heard_at_once(self, qtbot: QtBot, sounds: JudgePanel) -> None:
        qtbot.waitUntil(lambda: sounds.preview.player.playing)
        assert sounds.current
        sounds.head.face.player.load(sounds.current.item.path)
        sounds.head.face.player.play()
        assert not sounds.preview.player.playing
        sounds.preview.toggle_play()
        assert not sounds.head.face.player.playing
        sounds.stop()

    def test_a_tile_of_the_grid_can_be_heard(self, qtbot: QtBot, sounds: JudgePanel) -> None:
        press(qtbot, sounds, K.Key_G)
        assert not sounds.preview.player.playing
        qtbot.keyClick(sounds.grid, K.Key_P)
        qtbot.waitUntil(lambda: sounds.listening.tile.playing)
        qtbot.keyClick(sounds.grid, K.Key_Right)
        assert not sounds.listening.tile.playing

    def test_a_click_on_its_button_plays_a_tile(self, qtbot: QtBot, sounds: JudgePanel) -> None:
        press(qtbot, sounds, K.Key_G)
        tile = sounds.grid.visualItemRect(sounds.grid.item(1))
        button = QPoint(tile.left() + 30, tile.top() + tile.width() * 3 // 4 - 14)
        qtbot.mouseClick(sounds.grid.viewport(), Qt.MouseButton.LeftButton, pos=button)
        qtbot.waitUntil(lambda: sounds.grid.playing_id == 2)
        sounds.stop()
        assert sounds.grid.playing_id == 0


class TestPlan:
    def plan(self, *queries: tuple[int, int, int], ms: float | None = None, **how: Any) -> JudgePlan:
        progress = tuple(QueryProgress(key, 10, left, 0.5, later) for key, left, later in queries)
        return JudgePlan(JudgingProgress(progress, ms), JudgingOrder.SHUFFLED, **how)

    def test_nothing_is_estimated_before_it_is_known(self) -> None:
        assert self.plan((1, 4, 0)).words(PoolRound()) == "6 of 10 results judged"
        assert self.plan((1, 0, 0), ms=1000).words(PoolRound()) == "10 of 10 results judged"

    def test_what_is_seen_now_counts_more_than_what_was(self) -> None:
        now_s = [0.0]
        plan = self.plan((1, 10, 0), (2, 10, 0), ms=60_000, clock=lambda: now_s[0])
        assert plan.words(PoolRound()).endswith("about 20 minutes left")
        for gap_s in (2, 2, 300, 2, 2, 2):
            plan.tick()
            now_s[0] += gap_s
        plan.tick()
        assert plan.words(PoolRound()).endswith("less than a minute left")

    def test_queries_follow_round_the_end_and_what_waits_is_passed_over(self) -> None:
        round_ = PoolRound()
        plan = self.plan((1, 3, 0), (2, 2, 2), (3, 0, 0))
        assert plan.next_query(1, round_) is None
        assert plan.next_query(3, round_) == 1
        round_.offer_left()
        assert plan.next_query(1, round_) == 2


class TestWhatFoldersAndCaptionsJudged:
    @pytest.fixture
    def imported(self, qtbot: QtBot, page: EvaluatePage, library: Library) -> JudgePanel:
        places = [(query, item) for query in (1, 2, 3) for item in (1, 2, 3)]
        library.given[IMPORTED] = {place: int(place[1] == 1) for place in places}
        page.refresh()
        qtbot.waitUntil(lambda: page.judging.session.plan is not None and bool(page.judging.sentence))
        return page.judging

    def test_is_counted_and_not_asked_again(self, page: EvaluatePage, imported: JudgePanel) -> None:
        assert [(one.relevant, one.judged) for one in page.queries.summaries] == [(1, 3)] * 3
        assert page.queries.sets.progress == "3 of 3 queries have judgments"
        assert imported.progress == "9 of 9 results judged"
        assert imported.sentence.startswith(
            "Everything in this set is judged. 9 of 9 results judged, all by folders or captions."
        )
        assert imported.current is None

    def test_is_judged_by_who_wants_to_without_a_word_of_what_they_said(
        self, qtbot: QtBot, imported: JudgePanel, library: Library
    ) -> None:
        choose(imported, "Judge them yourself")
        assert at(imported) == (1, 1)
        assert {item.grade for item in imported.session.items} == {None}
        assert imported.progress == "You judged 0 of 9 results, about 3 minutes left"
        press(qtbot, imported, K.Key_J, K.Key_F, K.Key_F)
        qtbot.waitUntil(lambda: imported.current is not None and at(imported) == (2, 1))
        assert imported.progress.startswith("You judged 3 of 9 results")
        press(qtbot, imported, K.Key_K, K.Key_K, K.Key_K)
        qtbot.waitUntil(lambda: imported.current is not None and at(imported) == (3, 1))
        press(qtbot, imported, K.Key_K, K.Key_K, K.Key_K)
        assert "Where you say nothing, what folders or captions say counts." in imported.sentence
        assert library.given[ME] == {(1, 1): 0, (1, 2): 1, (1, 3): 1}

    def test_one_that_is_chosen_below_is_judged_alone(self, qtbot: QtBot, imported: JudgePanel) -> None:
        imported.session.go(1)
        press(qtbot, imported, K.Key_F)
        assert at(imported) == (1, 2)
        assert imported.progress == "9 of 9 results judged"
        imported.session.ask_again()
        imported.session.go_on()
        assert "8 of them by folders or captions" in imported.sentence

    def test_what_they_left_is_offered_alone(self, qtbot: QtBot, page: EvaluatePage, library: Library) -> None:
        library.given[IMPORTED] = {(query, item): 1 for query in (1, 2, 3) for item in (1, 2, 3)}
        del library.given[IMPORTED][3, 3]
        page.refresh()
        panel = page.judging
        qtbot.waitUntil(lambda: "All 3 results are judged" in panel.sentence and panel.session.plan is not None)
        assert panel.progress.startswith("8 of 9 results judged")
        choose(panel, "Next query")
        qtbot.waitUntil(lambda: panel.current is not None)
        assert at(panel) == (3, 3)
        press(qtbot, panel, K.Key_J)
        assert "9 of 9 results judged, 8 of them by folders or captions" in panel.sentence

    def test_another_set_asks_again_whether_it_is_to_be_judged(self) -> None:
        round_ = PoolRound()
        round_.begin(1, 1)
        round_.offer_imported()
        round_.begin(2, 1)
        assert round_.offers_imported
        round_.begin(3, 2)
        assert not round_.offers_imported


class TestNothingIsLost:
    def test_another_library_with_the_same_ids_is_another(
        self, qtbot: QtBot, page: EvaluatePage, judging: JudgePanel, library: Library, fake_client: Any
    ) -> None:
        press(qtbot, judging, K.Key_F)
        library.hits = [replace(hit, path=hit.path.replace("holiday", "other")) for hit in library.hits]
        library.given = {ME: {}}
        page.leave_library()
        press(qtbot, judging, K.Key_F, K.Key_U)
        assert len(fake_client.of("evaluations_judge_all")) == 1
        assert page.queries.current is None
        page.refresh()  # the page is turned to before the library is there
        assert page.queries.current is None
        page.enter_library()
        qtbot.waitUntil(lambda: judging.current is not None)
        shown: list[str] = []
        judging.preview.described.connect(lambda details: shown.append(details.path))
        press(qtbot, judging, K.Key_U)
        assert len(fake_client.of("evaluations_judge_all")) == 1  # what is undone stays in its library
        press(qtbot, judging, K.Key_F)
        qtbot.waitUntil(lambda: bool(shown))
        assert judging.current is not None
        assert judging.current.item.path in shown
        assert all("other" in path for path in shown)

    def test_a_pool_that_comes_late_brings_back_nothing_older(
        self, qtbot: QtBot, judging: JudgePanel, fake_client: Any, library: Library
    ) -> None:
        before = library.pool(1, 10, ME, JudgingOrder.SHUFFLED)
        del fake_client.answers["evaluations_pool"]
        judging.session.ask_again()
        press(qtbot, judging, K.Key_F)
        with qtbot.waitSignal(judging.session.loaded):
            next(call for call in reversed(fake_client.of("evaluations_pool")) if call.args == (1,)).answer(before)
        assert judging.session.items[0].grade == 1

    def test_undo_leads_back_into_another_set(
        self, qtbot: QtBot, page: EvaluatePage, judging: JudgePanel, library: Library, fake_client: Any
    ) -> None:
        sets = (QuerySet(1, "Beaches", queries=3), QuerySet(2, "Dogs", queries=1))
        other = QuerySummary(9, "q9", "a dog", Query.of_text("a dog"), 0, 0, set_id=2)
        of_set = fake_client.answers["evaluations_queries"]
        fake_client.answers |= {
            "evaluations_sets": lambda: sets,
            "evaluations_queries": lambda set_id, **how: (other,) if set_id == 2 else of_set(set_id, **how),
        }
        press(qtbot, judging, K.Key_F)
        page.queries.turn_to(2)
        qtbot.waitUntil(lambda: judging.current is not None and judging.session.round.query_id == 9)
        press(qtbot, judging, K.Key_U)
        qtbot.waitUntil(lambda: judging.current is not None and at(judging) == (1, 1))
        assert library.given[ME] == {}

    def test_what_results_lack_is_judged_where_something_is_left(
        self, qtbot: QtBot, page: EvaluatePage, judging: JudgePanel
    ) -> None:
        judging.session.goes_on = False
        press(qtbot, judging, K.Key_F, K.Key_F, K.Key_F)
        judging.session.goes_on = True
        page.show_view(RESULTS)
        page.comparing.judge_wanted.emit(10)
        qtbot.waitUntil(lambda: judging.current is not None and at(judging) == (2, 1))

    def test_several_tiles_are_one_request(self, qtbot: QtBot, judging: JudgePanel, fake_client: Any) -> None:
        judging.tools.grid.setChecked(True)
        qtbot.keyClick(judging.grid, K.Key_Right, Qt.KeyboardModifier.ShiftModifier)
        qtbot.keyClick(judging.grid, K.Key_J)
        assert [call.args for call in fake_client.of("evaluations_judge_all")] == [(1, (1, 2), 0)]


class TestKeyboard:
    def test_a_list_to_choose_from_takes_its_own_keys(
        self, qtbot: QtBot, page: EvaluatePage, judging: JudgePanel, fake_client: Any
    ) -> None:
        box = page.queries.sets.findChild(QComboBox)
        box.setFocus()
        qtbot.keyClick(box, K.Key_J)
        qtbot.keyClick(box, K.Key_Space)
        assert not fake_client.of("evaluations_judge_all")
        assert box.view().isVisible()
        assert at(judging) == (1, 1)
        box.hidePopup()

    def test_the_focus_never_wanders_into_a_field_between_two_queries(self, qtbot: QtBot, judging: JudgePanel) -> None:
        press(qtbot, judging, K.Key_F, K.Key_F, K.Key_F)
        assert judging.strip.hasFocus()
        qtbot.waitUntil(lambda: judging.current is not None and at(judging) == (2, 1))
        assert judging.strip.hasFocus()

    @pytest.mark.parametrize("scale", list(Scale))
    def test_tab_goes_through_the_grades_first(self, judging: JudgePanel, scale: Scale) -> None:
        buttons = judging.buttons
        buttons.set_scale(scale)
        wanted = [*buttons.grades.values(), buttons.unsure, buttons.later, buttons.skip, buttons.undo]
        order = [wanted[0]]
        while len(order) < len(wanted):
            order.append(order[-1].nextInFocusChain())
        assert order == wanted
        assert buttons.isAncestorOf(wanted[0].nextInFocusChain())


def test_a_video_plays_from_its_moment_for_a_while_and_muted_without_sound(
    qtbot: QtBot, page: EvaluatePage, library: Library, tmp_path: Path
) -> None:
    path = str(tmp_path / "film.mp4")
    film = {"path": path, "kind": MediaKind.VIDEO, "item_kind": ItemKind.FRAME, "start_ms": 4000}
    library.hits = [replace(hit, **film) for hit in library.hits]
    panel = page.judging
    loads: list[tuple[Any, ...]] = []
    plays: list[bool] = []
    panel.preview.player.load = lambda *args: loads.append(args)  # type: ignore[method-assign]
    panel.preview.player.toggle = lambda: plays.append(panel.preview.player._muted)  # type: ignore[method-assign]
    page.refresh()
    qtbot.waitUntil(lambda: len(plays) == 1)
    assert loads == [(path, 4000, 4000 + FILM_MS)]
    panel.tools.sounds.setChecked(False)
    panel.session.go(1)
    qtbot.waitUntil(lambda: len(plays) == 2)
    assert plays == [False, True]
    panel.tools._films.setChecked(False)
    panel.session.go(2)
    qtbot.wait(50)
    assert len(plays) == 2
