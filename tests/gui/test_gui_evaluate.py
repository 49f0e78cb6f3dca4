"""The Evaluate page: queries kept, their results judged blind, the models compared by the judgments."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from app.engine.errors import AppError
from app.engine.evaltypes import (
    Evaluation,
    EvaluationRequest,
    Imported,
    JudgedHit,
    Measured,
    ModelCosts,
    ModelEvaluation,
    Pool,
    PoolItem,
    QueryEvaluation,
    QuerySet,
    QuerySummary,
)
from app.engine.modeltypes import ModelStatus
from app.engine.types import Hit, Modality, Query
from app.gui import comparing, measures, ranking
from app.gui.engine import Engine
from app.gui.evaluate import COMPARE, JUDGE, EvaluatePage
from app.gui.thumbnails import ThumbnailStore

MakeHit = Callable[..., Hit]

BAY = QuerySummary(1, "text:bay", "a quiet bay", Query.of_text("a quiet bay"), 2, 3)
DOG = QuerySummary(2, "image:dog", "dog.jpg", Query.of_image("/photos/dog.jpg"), 1, 2)
BELL = QuerySummary(3, "sound:bell", "bell.wav", Query.of_sound("/sounds/bell.wav"), 1, 4)
OWN = QuerySet(1, "Test queries", queries=2)
NEW = QuerySummary(4, "text:new", "new", Query.of_text("new"), 0, 0)
MEASURES = ("P@5", "R@5", "AP", "Judged@5")


def judged_by(name: str, query: QuerySummary, values: tuple[float, ...], hits: tuple[JudgedHit, ...] = ()) -> Any:
    return QueryEvaluation(query.id, query.key, query.title, dict(zip(MEASURES, values, strict=True)), hits)


def model(name: str, *results: QueryEvaluation, unanswered: tuple[str, ...] = ()) -> ModelEvaluation:
    mean = {key: sum(result.measures[key] for result in results) / len(results) for key in MEASURES} if results else {}
    return ModelEvaluation(
        name.lower(), name, {key: Measured(value) for key, value in mean.items()}, results, unanswered
    )


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

    def judge(key: int, item_id: int, grade: int | None, judge: str) -> QuerySummary:
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
        "evaluations_queries": lambda _set: tuple(summary(key) for key in grades),
        "models": lambda: models,
        "evaluations_pool": pool,
        "evaluations_judge": judge,
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


class TestQueries:
    def test_with_none_the_page_says_how_to_begin(self, qtbot: QtBot, page: EvaluatePage, fake_client: Any) -> None:
        fake_client.answers |= {"evaluations_sets": tuple, "models": tuple}
        with qtbot.waitSignal(page.queries.loaded):
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
        qtbot.waitUntil(lambda: "dog.jpg" in page.judging.question)

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
        assert "1 judgment would be lost" in box.informativeText()
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
            "evaluations_queries": lambda _set: (),
            "evaluations_import_qrels": lambda path, set_id: Imported(1, "Test queries", 3, 1200, ("a.jpg",)),
        }
        with qtbot.waitSignal(page.queries.loaded):
            page.queries.actions_.choose_judgments()
        assert "1,200 judgments for 3 queries" in page.queries.work.text
        assert "a.jpg" in page.queries.work.text


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
        judging.judging.judge_skipped()
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
        assert not fake_client.of("evaluations_judge")

    def test_a_judgment_the_engine_refuses_is_taken_back(
        self, qtbot: QtBot, judging: EvaluatePage, fake_client: Any
    ) -> None:
        def refuse(*_args: Any, **_kwargs: Any) -> QuerySummary:
            raise AppError("Not saved", "The disk is full.")

        fake_client.answers["evaluations_judge"] = refuse
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


class TestComparing:
    @pytest.fixture
    def evaluation(self, make_hit: MakeHit) -> Evaluation:
        hits = tuple(JudgedHit(make_hit(rank), grade) for rank, grade in enumerate((1, 0, None), start=1))
        return Evaluation(
            5,
            MEASURES,
            (
                model("CLIP", judged_by("CLIP", BAY, (0.4, 1.0, 0.7, 0.6), hits)),
                model("SigLIP", judged_by("SigLIP", BAY, (0.2, 1.0, 0.9, 1.0), hits[:2])),
                model("Timbre", unanswered=(BAY.title,)),
            ),
            (BAY,),
        )

    @pytest.fixture
    def compared(
        self, qtbot: QtBot, judging: EvaluatePage, fake_client: Any, library: Any, evaluation: Evaluation
    ) -> EvaluatePage:
        library[BAY.id] |= {1: 1, 2: 0}
        fake_client.answers["evaluations_evaluate"] = lambda request: replace(evaluation, k=request.k)
        with qtbot.waitSignal(judging.queries.loaded):
            judging.refresh()
        judging.show_view(COMPARE)
        qtbot.waitUntil(lambda: judging.comparing.evaluation is not None)
        return judging

    def test_the_table_marks_the_best_with_words_beside_the_weight(self, compared: EvaluatePage) -> None:
        table = compared.comparing.table
        cells = [
            [table.item(row, column).text() for column in range(table.columnCount())] for row in range(table.rowCount())
        ]
        assert cells == [
            ["CLIP", "1", "–", "–", "★ 0.400", "1.000", "0.700", "0.600"],
            ["SigLIP", "1", "–", "–", "0.200", "1.000", "★ 0.900", "1.000"],
        ]
        assert table.item(0, measures.FIRST_MEASURE).font().bold()

    def test_what_is_missing_is_said(self, compared: EvaluatePage) -> None:
        assert compared.comparing.warning.startswith("1 of 3 results of CLIP are not judged yet")
        assert compared.comparing.notes == "Timbre cannot search by words."

    def test_the_warning_leads_to_a_pool_as_deep_as_the_lists(
        self, qtbot: QtBot, compared: EvaluatePage, fake_client: Any
    ) -> None:
        compared.comparing.k.setCurrentIndex(comparing.KS.index(20))
        compared.comparing._want_judging()
        assert compared.judging.isVisible()
        assert fake_client.last("evaluations_pool").kwargs["depth"] == 20

    def test_two_lists_stand_side_by_side_with_their_counts(self, qtbot: QtBot, compared: EvaluatePage) -> None:
        left, right = compared.comparing.ranking.left, compared.comparing.ranking.right
        assert (left.models.currentText(), right.models.currentText()) == ("CLIP", "SigLIP")
        words = left.list.item(2).data(Qt.ItemDataRole.AccessibleTextRole)
        assert words.startswith("3. holiday 3.jpg")
        assert words.endswith("not judged yet")
        with qtbot.waitSignal(compared.item_opened) as opened:
            left.list.itemActivated.emit(left.list.item(0))
        assert opened.args[0].rank == 1

    def test_a_second_model_that_answers_takes_the_second_list(
        self, compared: EvaluatePage, evaluation: Evaluation
    ) -> None:
        compared.comparing._show(replace(evaluation, models=evaluation.models[1:]))
        assert not compared.comparing.ranking.right.isVisible()
        compared.comparing._show(evaluation)
        sides = (compared.comparing.ranking.left, compared.comparing.ranking.right)
        assert [side.models.currentText() for side in sides] == ["SigLIP", "CLIP"]

    def test_k_and_scope_are_what_is_asked_for(self, qtbot: QtBot, compared: EvaluatePage, fake_client: Any) -> None:
        compared.comparing.k.setCurrentIndex(comparing.KS.index(5))
        compared.comparing.k.activated.emit(2)
        assert fake_client.last("evaluations_evaluate").args == (
            EvaluationRequest(query_ids=(BAY.id,), k=5, hits=True),
        )
        compared.comparing.scope.setCurrentIndex(1)
        compared.comparing.scope.activated.emit(1)
        assert fake_client.last("evaluations_evaluate").args[0].query_ids == (BAY.id,)  # the other one is not judged

    def test_a_stale_answer_is_dropped(
        self, qtbot: QtBot, compared: EvaluatePage, fake_client: Any, evaluation: Evaluation
    ) -> None:
        del fake_client.answers["evaluations_evaluate"]
        compared.comparing.measure()
        old = fake_client.last("evaluations_evaluate")
        compared.comparing.measure()
        fake_client.last("evaluations_evaluate").answer(replace(evaluation, k=4))
        qtbot.waitUntil(lambda: compared.comparing.evaluation.k == 4)
        assert old.actions

    def test_an_unjudged_query_has_nothing_to_measure(self, qtbot: QtBot, compared: EvaluatePage) -> None:
        compared.queries.list.setCurrentRow(1)
        assert compared.comparing.evaluation is None
        assert "Nothing to measure yet" in compared.comparing._message.headline

    def test_speed_and_agreement_are_shown_where_they_are_known(self, qtbot: QtBot, evaluation: Evaluation) -> None:
        table = measures.MeasuresTable()
        qtbot.addWidget(table)
        table.show_evaluation(evaluation)
        assert [table.isColumnHidden(column) for column in (measures.SPEED, measures.AGREEMENT)] == [True, True]
        clip, siglip, *others = evaluation.models
        known = (
            replace(clip, costs=ModelCosts(items_per_s=23.4, device="cpu")),
            replace(siglip, costs=ModelCosts(items_per_s=0.267, device="cpu", base="CLIP", agreement=0.99981)),
        )
        table.show_evaluation(replace(evaluation, models=(*known, *others)))
        assert [table.isColumnHidden(column) for column in (measures.SPEED, measures.AGREEMENT)] == [False, False]
        shown = [[table.item(row, column).text() for column in (measures.SPEED, measures.AGREEMENT)] for row in (0, 1)]
        assert shown == [["23", "–"], ["0.27", "0.9998"]]
        assert "the processor" in table.horizontalHeaderItem(measures.SPEED).toolTip()

    def test_the_table_can_be_copied_and_saved(
        self, compared: EvaluatePage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        compared.comparing.copy_table()
        assert QGuiApplication.clipboard().text().splitlines()[0] == "\t".join(
            ("model", "queries", *MEASURES, "items_per_s", "agreement")
        )
        path = tmp_path / "measures.csv"
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, **_k: (str(path), ""))
        compared.comparing.choose_csv()
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
        assert [(row["model"], float(row["AP"])) for row in rows] == [("CLIP", 0.7), ("SigLIP", 0.9)]

    def test_a_failure_is_said_with_a_way_to_try_again(
        self, qtbot: QtBot, compared: EvaluatePage, fake_client: Any
    ) -> None:
        def fail(_request: EvaluationRequest) -> Evaluation:
            raise AppError("No memory", "Close other programs.")

        fake_client.answers["evaluations_evaluate"] = fail
        compared.comparing.measure()
        qtbot.waitUntil(lambda: compared.comparing._message.headline == "No memory")

    def test_turning_back_to_judging_silences_nothing_and_loses_nothing(self, compared: EvaluatePage) -> None:
        compared.show_view(JUDGE)
        assert compared.judging.progress == "2 of 3 judged"


def test_only_models_over_the_same_queries_are_compared() -> None:
    over_both = model("A", judged_by("A", BAY, (0.1, 0.1, 0.1, 1)), judged_by("A", DOG, (0.1, 0.1, 0.1, 1)))
    over_one = [model(name, judged_by(name, DOG, (value, 0.5, value, value))) for name, value in (("B", 0.9), ("C", 1))]
    evaluation = Evaluation(5, MEASURES, (over_both, *over_one), (BAY, DOG))
    assert measures.best(evaluation) == {("c", "P@5"), ("c", "AP")}
    assert "cannot be compared" in comparing.note_lines(evaluation)[-1]


def test_values_that_read_the_same_are_equally_good() -> None:
    rows = (("A", 0.5001), ("B", 0.5), ("C", 0.1))
    models_ = tuple(model(name, judged_by(name, DOG, (value, 0.5, 0.5, 1))) for name, value in rows)
    assert measures.best(Evaluation(5, MEASURES, models_, (DOG,))) == {("a", "P@5"), ("b", "P@5")}


def test_a_model_says_which_kinds_of_query_it_cannot_answer() -> None:
    able = model("A", judged_by("A", DOG, (1, 1, 1, 1)), unanswered=(BAY.title, BELL.title))
    gone = ModelEvaluation("b", "B", {}, (), (BAY.title,), "Its weights are missing.")
    lines = comparing.note_lines(Evaluation(5, MEASURES, (able, gone), (BAY, DOG, BELL)))
    assert lines == ["A cannot search by words or by sound: 2 queries left out.", "B: Its weights are missing."]


def test_the_counts_below_a_list_are_ticks_and_the_values_the_engines(make_hit: MakeHit) -> None:
    hits = tuple(JudgedHit(make_hit(rank), grade) for rank, grade in enumerate((1, 2, 0, None, 1), start=1))
    result = QueryEvaluation(1, "q", "q", {"P@5": 0.6, "R@5": 0.375}, hits)
    summary = replace(BAY, relevant=8)
    assert ranking.score_words(result, summary, 5) == "Precision@5: 3/5 = 0.60\nRecall@5 of judged relevant: 3/8 = 0.38"
    assert "nothing judged relevant yet" in ranking.score_words(result, NEW, 5)


@pytest.mark.parametrize("name", ["P@4", "R@20", "F1@10", "AP", "RR", "nDCG@10", "Judged@1"])
def test_every_measure_of_the_engine_is_explained(name: str) -> None:
    sentence = measures.explanation(name)
    assert "as ir_measures" not in sentence
    assert "{" not in sentence


def test_an_unknown_measure_is_shown_by_its_own_name() -> None:
    assert measures.header("ERR@20") == "ERR@20"
    assert measures.explanation("ERR@20").startswith("ERR@20")
