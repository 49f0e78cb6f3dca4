"""The Evaluate page: queries kept, their results judged blind, the models compared by the judgments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from assistive import act
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.engine.errors import AppError
from app.engine.judgingtypes import Imported, Pool, PoolItem, QuerySet, QuerySummary
from app.engine.modeltypes import ModelStatus
from app.engine.types import Hit, Modality, Query
from app.gui.emptystate import EmptyState
from app.gui.engine import Engine
from app.gui.evaluate import JUDGE, RESULTS, ROBUSTNESS, EvaluatePage
from app.gui.thumbnails import ThumbnailStore

MakeHit = Callable[..., Hit]

BAY = QuerySummary(1, "text:bay", "a quiet bay", Query.of_text("a quiet bay"), 2, 3)
DOG = QuerySummary(2, "image:dog", "dog.jpg", Query.of_image("/photos/dog.jpg"), 1, 2)
BELL = QuerySummary(3, "sound:bell", "bell.wav", Query.of_sound("/sounds/bell.wav"), 1, 4)
OWN = QuerySet(1, "Test queries", queries=2)
NEW = QuerySummary(4, "text:new", "new", Query.of_text("new"), 0, 0)


@pytest.fixture
def page(qtbot: QtBot, engine: Engine) -> Iterator[EvaluatePage]:
    thumbnails = ThumbnailStore(engine)
    made = EvaluatePage(engine, thumbnails)
    qtbot.addWidget(made)
    made.resize(1000, 640)
    made.show()
    yield made
    thumbnails.deleteLater()


@pytest.fixture
def library(fake_client: Any, make_hit: MakeHit, models: tuple[ModelStatus, ...]) -> dict[int, dict[int, int]]:
    """An engine with two queries, a pool of three items each, and judgments that it keeps: query → item → grade."""
    grades: dict[int, dict[int, int]] = {BAY.id: {}, DOG.id: {}}

    def summary(key: int) -> QuerySummary:
        kept = grades[key].values()
        return replace(BAY if key == BAY.id else DOG, relevant=sum(map(bool, kept)), judged=len(kept))

    def judge(key: int, item_ids: tuple[int, ...], grade: int | None, judge: str) -> QuerySummary:
        for item_id in item_ids:
            grades[key].pop(item_id, None)
            if grade is not None:
                grades[key][item_id] = grade
        return summary(key)

    def pool(key: int, depth: int, **_for: Any) -> Pool:
        hits = [replace(make_hit(item), rank=0, similarity=None, found_by=(), item_id=item) for item in (1, 2, 3)]
        return Pool(
            key, str(key), tuple(PoolItem(hit, grades[key].get(hit.item_id)) for hit in hits), ("clip-vit-b-32",)
        )

    fake_client.answers |= {
        "evaluations_sets": lambda: (OWN,),
        "evaluations_queries": lambda _set, **_how: tuple(summary(key) for key in grades),
        "models": lambda: models,
        "evaluations_pool": pool,
        "evaluations_judge_all": judge,
        "evaluations_remove_query": lambda key: grades.pop(key) and None,
        "thumbnails": lambda ids: {},
    }
    return grades


@pytest.fixture
def judging(qtbot: QtBot, page: EvaluatePage, library: dict[int, dict[int, int]]) -> EvaluatePage:
    """The page with the first item of the first query shown."""
    page.refresh()
    qtbot.waitUntil(lambda: page.judging.current is not None)
    return page


def item_id(page: EvaluatePage) -> int:
    assert page.judging.current
    return page.judging.current.item.item_id


def test_assistive_programs_turn_the_views_without_a_click(judging: EvaluatePage, fake_client: Any) -> None:
    buttons = {made.text(): made for made in judging.findChildren(QPushButton)}
    asked = len(fake_client.of("evaluations_evaluate"))
    for view, words in ((RESULTS, "Results"), (ROBUSTNESS, "Robustness"), (JUDGE, "Judge")):
        act(buttons[words])
        assert judging._views.currentIndex() == view
    judging.show_view(RESULTS)
    assert buttons["Results"].isChecked()
    assert len(fake_client.of("evaluations_evaluate")) <= asked + 2


class TestQueries:
    def test_with_none_the_page_says_how_to_begin(self, qtbot: QtBot, page: EvaluatePage, fake_client: Any) -> None:
        fake_client.answers |= {"evaluations_sets": tuple, "models": tuple}
        with qtbot.waitSignal(page.queries.chosen):
            page.refresh()
        assert "Which model is best" in page._empty.headline
        assert page._empty.isVisible()

    def test_words_become_a_query_that_is_judged_next(
        self, qtbot: QtBot, page: EvaluatePage, fake_client: Any, library: dict[int, dict[int, int]]
    ) -> None:
        fake_client.answers["evaluations_add_query"] = lambda query, title, into: DOG
        qtbot.keyClicks(page.queries.words, "  a dog ")
        qtbot.keyClick(page.queries.words, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: page.queries.current is not None)
        assert fake_client.last("evaluations_add_query").args[0] == Query.of_text("a dog")
        assert page.queries.current.key == DOG.key
        assert page.queries.words.text() == ""
        qtbot.waitUntil(lambda: page.judging.question == "Is this like the picture on the left?")

    def test_the_search_page_hands_its_query_over(
        self, qtbot: QtBot, page: EvaluatePage, fake_client: Any, library: dict[int, dict[int, int]]
    ) -> None:
        fake_client.answers["evaluations_add_query"] = lambda query, title, into: BAY
        page.use_query(BAY.query, "a quiet bay")
        qtbot.waitUntil(lambda: page.judging.current is not None)
        assert fake_client.last("evaluations_add_query").args[:2] == (BAY.query, "a quiet bay")

    def test_a_file_that_is_no_medium_is_refused_in_a_sentence(self, page: EvaluatePage, tmp_path: Path) -> None:
        page.queries._add_files([str(tmp_path / "letter.odt")])
        assert "Choose a picture" in page.banner.text

    def test_the_first_query_shown_is_one_that_a_ready_model_understands(
        self, qtbot: QtBot, page: EvaluatePage, fake_client: Any, library: dict[int, dict[int, int]],
        models: tuple[ModelStatus, ...],
    ) -> None:  # fmt: skip
        fake_client.answers["models"] = lambda: (replace(models[0], accepts=frozenset({Modality.IMAGE})),)
        page.refresh()
        qtbot.waitUntil(lambda: page.queries.current is not None)
        assert page.queries.current.key == DOG.key

    def test_removing_a_judged_query_asks_first(
        self, qtbot: QtBot, judging: EvaluatePage, fake_client: Any, library: dict[int, dict[int, int]]
    ) -> None:
        qtbot.keyClick(judging, Qt.Key.Key_F)
        qtbot.waitUntil(lambda: judging.queries.current.judged == 1)
        judging.queries.ask_to_remove()
        box = judging.queries.findChild(QMessageBox)
        assert "All judgments of it would be lost, whoever made them" in box.informativeText()
        assert box.defaultButton().text() == "Cancel"  # so that Enter loses nothing
        assert not fake_client.of("evaluations_remove_query")
        next(button for button in box.buttons() if button.text() == "Remove").click()
        qtbot.waitUntil(lambda: judging.queries.current.key == DOG.key)
        assert BAY.id not in library

    def test_an_import_tells_what_it_took_and_what_it_did_not_know(
        self, qtbot: QtBot, page: EvaluatePage, fake_client: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_a, **_k: ("/qrels.txt", ""))
        fake_client.answers |= {
            "evaluations_sets": lambda: (OWN,),
            "evaluations_queries": lambda _set, **_how: (),
            "evaluations_import_qrels": lambda path, set_id: Imported(1, "Test queries", 3, 1200, ("a.jpg",)),
        }
        with qtbot.waitSignal(page.queries.chosen):
            page.queries.actions_.choose_judgments()
        assert "1,200 judgments for 3 queries" in page.queries.work.text
        assert "a.jpg" in page.queries.work.text

    @pytest.mark.parametrize(("judgments", "view"), [(12, RESULTS), (0, JUDGE)])
    def test_an_import_turns_to_the_results_of_what_it_judged(
        self, qtbot: QtBot, judging: EvaluatePage, fake_client: Any, judgments: int, view: int
    ) -> None:
        pets = QuerySet(2, "Pets", queries=1)
        dog = replace(DOG, set_id=2)
        fake_client.answers |= {
            "evaluations_sets": lambda: (OWN, pets),
            "evaluations_queries": lambda set_id, **_how: (dog,) if set_id == 2 else (BAY,),
            "evaluations_import_folders": lambda folder: Imported(2, "Pets", 1, judgments),
        }
        judging.queries.actions_.import_folders("/pets")
        qtbot.waitUntil(lambda: judging.queries.current == dog)
        assert judging._views.currentIndex() == view
        assert judging.queries.work.isVisible()
        assert "Imported into “Pets”" in judging.queries.work.text
        measured = [call.args[0].set_id for call in fake_client.of("evaluations_evaluate")]
        assert measured == ([2] if judgments else [])


class TestJudging:
    def test_keys_judge_and_the_next_unjudged_comes_by_itself(
        self, qtbot: QtBot, judging: EvaluatePage, library: dict[int, dict[int, int]]
    ) -> None:
        assert item_id(judging) == 1
        qtbot.keyClick(judging, Qt.Key.Key_F)
        assert item_id(judging) == 2
        qtbot.keyClick(judging, Qt.Key.Key_J)
        assert item_id(judging) == 3
        assert judging.judging.progress == "2 of 3 judged"
        assert library[BAY.id] == {1: 1, 2: 0}
        qtbot.waitUntil(lambda: judging.queries.current.judged == 2)

    def test_undo_takes_the_last_steps_back(
        self, qtbot: QtBot, judging: EvaluatePage, library: dict[int, dict[int, int]]
    ) -> None:
        for key in (Qt.Key.Key_F, Qt.Key.Key_K, Qt.Key.Key_J):
            qtbot.keyClick(judging, key)
        for expected in (3, 2, 1):
            qtbot.keyClick(judging, Qt.Key.Key_U)
            assert item_id(judging) == expected
        assert library[BAY.id] == {}
        assert not judging.judging.buttons.undo.isEnabled()

    def test_what_was_skipped_is_offered_at_the_end(self, qtbot: QtBot, judging: EvaluatePage) -> None:
        for key in (Qt.Key.Key_Space, Qt.Key.Key_F, Qt.Key.Key_F):
            qtbot.keyClick(judging, key)
        assert "1 result was left" in judging.judging.sentence
        judging.judging.session.offer_left()
        assert item_id(judging) == 1

    def test_when_all_is_judged_the_way_leads_to_the_comparison(self, qtbot: QtBot, judging: EvaluatePage) -> None:
        for _ in range(3):
            qtbot.keyClick(judging, Qt.Key.Key_F)
        assert "All 3 results are judged" in judging.judging.sentence
        judging.judging.compare_wanted.emit()
        assert judging.comparing.isVisible()

    def test_after_all_is_judged_any_item_can_be_judged_anew(
        self, qtbot: QtBot, judging: EvaluatePage, library: dict[int, dict[int, int]]
    ) -> None:
        for _ in range(3):
            qtbot.keyClick(judging, Qt.Key.Key_F)
        strip = judging.judging.strip
        last = strip.visualItemRect(strip.item(2)).center()
        qtbot.mouseClick(strip.viewport(), Qt.MouseButton.LeftButton, pos=last)
        qtbot.keyClick(judging, Qt.Key.Key_J)
        assert library[BAY.id] == {1: 1, 2: 1, 3: 0}

    def test_space_presses_the_button_that_has_the_focus(self, qtbot: QtBot, judging: EvaluatePage) -> None:
        relevant = judging.judging.buttons.grades[1]
        relevant.setFocus()
        with qtbot.waitSignal(relevant.clicked):
            qtbot.keyClick(relevant, Qt.Key.Key_Space)

    def test_letters_typed_into_the_text_field_judge_nothing(
        self, qtbot: QtBot, judging: EvaluatePage, fake_client: Any
    ) -> None:
        judging.queries.words.setFocus()
        qtbot.keyClicks(judging.queries.words, "fjk u?1")
        assert judging.queries.words.text() == "fjk u?1"
        assert not fake_client.of("evaluations_judge_all")

    def test_a_judgment_the_engine_refuses_is_taken_back(
        self, qtbot: QtBot, judging: EvaluatePage, fake_client: Any
    ) -> None:
        def refuse(*_args: Any, **_kwargs: Any) -> QuerySummary:
            raise AppError("Not saved", "The disk is full.")

        fake_client.answers["evaluations_judge_all"] = refuse
        with qtbot.waitSignal(judging.judging.failed):
            qtbot.keyClick(judging, Qt.Key.Key_F)
        assert judging.judging.progress == "0 of 3 judged"
        assert "The disk is full." in judging.banner.text

    def test_nothing_on_the_panel_tells_model_rank_or_similarity(self, qtbot: QtBot, judging: EvaluatePage) -> None:
        told = " ".join(
            str(widget.property("text") or "") + widget.toolTip() + widget.accessibleName()
            for widget in judging.judging.findChildren(QWidget)
        )
        assert "hidden on purpose" in told
        assert "clip" not in told.lower()
        assert "imilarity" not in told

    def test_coming_back_keeps_the_place(self, qtbot: QtBot, judging: EvaluatePage, fake_client: Any) -> None:
        qtbot.keyClick(judging, Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier)
        judging.judging.strip.setCurrentRow(2)
        asked = len(fake_client.of("evaluations_pool"))
        judging.refresh()
        qtbot.waitUntil(lambda: len(fake_client.of("evaluations_pool")) > asked)
        assert item_id(judging) == 3

    def test_without_a_model_for_the_query_the_panel_says_so(
        self, qtbot: QtBot, page: EvaluatePage, fake_client: Any, library: dict[int, dict[int, int]]
    ) -> None:
        fake_client.answers["evaluations_pool"] = lambda key, **_how: Pool(key, str(key), (), ())
        page.refresh()
        qtbot.waitUntil(lambda: "No model can answer" in page.judging.sentence)
        assert "understands words" in page.judging.sentence


class TestViews:
    @pytest.fixture
    def results(
        self, qtbot: QtBot, judging: EvaluatePage, fake_client: Any, library: dict[int, dict[int, int]]
    ) -> EvaluatePage:
        """The results of one judged query are asked for."""
        library[BAY.id] |= {1: 1, 2: 0}
        with qtbot.waitSignal(judging.queries.chosen):
            judging.refresh()
        judging.show_view(RESULTS)
        return judging

    def test_the_results_are_of_the_set_that_is_chosen(self, results: EvaluatePage, fake_client: Any) -> None:
        assert results.comparing.isVisible()
        request = fake_client.last("evaluations_evaluate").args[0]
        assert (request.set_id, request.query_ids) == (OWN.id, ())

    def test_after_judging_the_results_are_measured_anew(
        self, qtbot: QtBot, results: EvaluatePage, fake_client: Any
    ) -> None:
        results.show_view(JUDGE)
        results.show_view(RESULTS)
        assert len(fake_client.of("evaluations_evaluate")) == 1  # nothing has changed
        results.show_view(JUDGE)
        with qtbot.waitSignal(results.judging.judged):
            qtbot.keyClick(results, Qt.Key.Key_F)
        results.show_view(RESULTS)
        qtbot.waitUntil(lambda: len(fake_client.of("evaluations_evaluate")) == 2)

    def test_what_the_results_lack_is_judged_as_deep_as_they_reach(
        self, qtbot: QtBot, results: EvaluatePage, fake_client: Any
    ) -> None:
        results.comparing.judge_wanted.emit(20)
        assert results.judging.isVisible()
        qtbot.waitUntil(lambda: fake_client.last("evaluations_pool").kwargs["depth"] == 20)

    def test_turning_back_to_judging_loses_nothing(self, results: EvaluatePage) -> None:
        results.show_view(JUDGE)
        assert results.judging.progress == "2 of 3 judged"


@pytest.mark.parametrize("width_px", [480, 800])
def test_the_buttons_of_an_empty_page_are_never_cut(qtbot: QtBot, width_px: int) -> None:
    empty = EmptyState()
    qtbot.addWidget(empty)
    empty.resize(width_px, 420)
    words = ("Type a query", "Choose a picture or a sound…", "Import a folder of classes…")
    empty.say("compare", "Which model?", "Keep a few queries.", tuple((one, lambda: None) for one in words))
    empty.show()
    buttons = empty.findChildren(QPushButton)
    assert len(buttons) == 3
    assert all(button.width() >= button.sizeHint().width() for button in buttons)
    assert len({button.y() for button in buttons}) == (3 if width_px == 480 else 1)


def test_the_words_of_an_empty_page_are_whole_where_there_is_little_height(qtbot: QtBot) -> None:
    empty = EmptyState()
    qtbot.addWidget(empty)
    empty.show()
    empty.say("check", "Everything in this set is judged", "8 of 8 results judged. " * 4, (("Go", lambda: None),))
    for height_px in (420, 200, 160, 200, 420, 160):
        empty.resize(520, height_px)
        QApplication.sendPostedEvents()
        assert empty._icon.isVisible() == (height_px == 420)
        for words in (empty._headline, empty._sentence):
            assert words.height() >= words.heightForWidth(words.width())


def test_other_words_with_a_button_are_whole_where_there_is_little_height(qtbot: QtBot) -> None:
    empty = EmptyState()
    qtbot.addWidget(empty)
    empty.resize(520, 250)
    empty.say("check", "Nothing yet", "")
    empty.show()
    QApplication.sendPostedEvents()
    empty.say("check", "Everything in this set is judged", "8 of 8 results judged. " * 4, (("Go", lambda: None),))
    wanted_px = empty._column.heightForWidth(empty.width())
    QApplication.sendPostedEvents()
    assert empty._column.heightForWidth(empty.width()) == wanted_px  # the button was counted from the first
