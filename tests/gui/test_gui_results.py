"""The results of the Evaluate page: the answer first, then the figures, the costs, and two ranked lists."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics, QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from app.bridge.messages import Action
from app.engine.errors import AppError
from app.engine.evaltypes import (
    Comparison,
    Evaluation,
    EvaluationRequest,
    JudgedHit,
    Measured,
    ModelCosts,
    ModelEvaluation,
    QueryEvaluation,
    Verdict,
)
from app.engine.jobs import Progress
from app.engine.judgingtypes import QuerySet, QuerySummary, Scale
from app.engine.librarytypes import Root
from app.engine.types import Hit, Modality, Query
from app.gui.comparing import ComparePanel
from app.gui.engine import Engine
from app.gui.offline import Offline
from app.gui.ranking import JUDGED_ROLE
from app.gui.thumbnails import ThumbnailStore

MakeHit = Callable[..., Hit]

BAY = QuerySummary(1, "text:bay", "a quiet bay", Query.of_text("a quiet bay"), 2, 3)
DOG = QuerySummary(2, "image:dog", "dog.jpg", Query.of_image("/photos/dog.jpg"), 1, 2)
NEW = QuerySummary(4, "text:new", "new", Query.of_text("new"), 0, 0)
MEASURES = ("P@10", "R@10", "F1@10", "Rprec", "AP", "RR", "nDCG@10", "Success@10", "Judged@10")
CLOTHES = QuerySet(7, "Clothes", queries=3, judged=2, judgments=5, judges=("", "Anna"))


def measured_model(name: str, value: float, judged: float = 1.0, **costs: Any) -> ModelEvaluation:
    figures = {
        key: Measured(value, value - 0.1, value + 0.1, judged, value, min(1.0, value + 0.05)) for key in MEASURES
    }
    each = {**dict.fromkeys(MEASURES, value), "Judged@10": judged}
    results = tuple(QueryEvaluation(query.id, query.key, query.title, each) for query in (BAY, DOG))
    kinds = {Modality.TEXT: figures, Modality.IMAGE: figures}
    return ModelEvaluation(name.lower(), name, figures, results, by_modality=kinds, costs=ModelCosts(**costs))


def compared_models(better: str, worse: str, verdict: Verdict = Verdict.BETTER) -> Comparison:
    sentence = f"{better} beats {worse}." if verdict is Verdict.BETTER else f"Cannot tell yet: {better}, {worse}."
    return Comparison(
        "P@10", better.lower(), worse.lower(), 2, 0.1, 0.05, 0.15, 0.01, 0.02, 0.8, 2, 0, 0, verdict, None, sentence
    )


@pytest.fixture
def evaluation() -> Evaluation:
    """Three models, the best of which is the slowest; of the second a tenth is not judged."""
    models = (
        measured_model("Clip", 0.5, judged=0.9, items_per_s=30.0, device="cpu"),
        measured_model("SigLip", 0.7, items_per_s=20.0, device="cpu"),
        measured_model("Colour", 0.3, items_per_s=10.0, device="cpu"),
    )
    pairs = (
        compared_models("SigLip", "Clip", Verdict.OPEN),
        compared_models("SigLip", "Colour"),
        compared_models("Clip", "Colour"),
    )
    return Evaluation(10, MEASURES, models, (BAY, DOG), "P@10", pairs)


@pytest.fixture
def hits(make_hit: MakeHit) -> tuple[JudgedHit, ...]:
    return tuple(JudgedHit(make_hit(rank), grade) for rank, grade in enumerate((1, 0, None), start=1))


@pytest.fixture
def panel(
    qtbot: QtBot, engine: Engine, fake_client: Any, evaluation: Evaluation, hits: tuple[JudgedHit, ...]
) -> Iterator[ComparePanel]:
    """The results of two judged queries and one that is not, shown."""

    def lists(query_id: int, k: int, judge: str | None) -> tuple[tuple[str, QueryEvaluation], ...]:
        result = QueryEvaluation(query_id, "q", "q", {f"P@{k}": 1 / k, f"R@{k}": 0.5}, hits)
        return tuple((model.model, result) for model in evaluation.models[:2])

    fake_client.answers |= {
        "evaluations_evaluate": lambda request: replace(evaluation, k=request.k),
        "evaluations_lists": lists,
        "thumbnails": lambda ids: {},
    }
    thumbnails = ThumbnailStore(engine)
    made = ComparePanel(engine, thumbnails)
    qtbot.addWidget(made)
    made.resize(520, 340)
    made.show()
    made.show_set(CLOTHES)
    made.set_queries((BAY, DOG, NEW), BAY)
    made.show_answer()
    qtbot.waitUntil(lambda: made.evaluation is not None)
    qtbot.waitUntil(lambda: made.ranking.left.list.count() == 3)
    yield made
    thumbnails.deleteLater()


@pytest.fixture
def twice_the_letters(qapp: QApplication) -> Iterator[None]:
    before, larger = qapp.font(), qapp.font()
    larger.setPointSizeF(2 * before.pointSizeF())
    qapp.setFont(larger)
    yield
    qapp.setFont(before)


def questions(fake_client: Any) -> list[EvaluationRequest]:
    """What was measured: the quality alone, which is asked for before the costs."""
    requests = [call.args[0] for call in fake_client.of("evaluations_evaluate")]
    return [request for request in requests if not request.costs]


def asked(fake_client: Any) -> EvaluationRequest:
    return replace(questions(fake_client)[-1], costs=True)


class TestWhatIsMeasured:
    def test_at_first_all_judged_queries_of_the_set(self, panel: ComparePanel, fake_client: Any) -> None:
        assert asked(fake_client) == EvaluationRequest(set_id=CLOTHES.id, measure="P@10")

    def test_one_query_or_one_kind_of_query(self, panel: ComparePanel, fake_client: Any) -> None:
        scopes = [panel.bar.scope.itemText(number) for number in range(panel.bar.scope.count())]
        assert scopes == ["2 judged queries", "This query", "1 by words", "1 by picture"]
        for number, ids in ((1, (BAY.id,)), (3, (DOG.id,))):
            panel.bar.scope.setCurrentIndex(number)
            panel.bar.scope.activated.emit(number)
            assert fake_client.last("evaluations_evaluate").args[0].query_ids == ids

    def test_any_number_of_results_may_be_typed(self, qtbot: QtBot, panel: ComparePanel, fake_client: Any) -> None:
        typed = panel.bar.k.lineEdit()
        typed.selectAll()
        qtbot.keyClicks(typed, "7")
        qtbot.keyClick(typed, Qt.Key.Key_Return)
        assert asked(fake_client) == EvaluationRequest(set_id=CLOTHES.id, k=7, measure="P@7")
        assert len(questions(fake_client)) == 2  # and not once more when the field is left
        qtbot.waitUntil(lambda: fake_client.last("evaluations_lists").kwargs["k"] == 7)

    @pytest.mark.parametrize("words", ["", "0", "5000", "100000", "ten"])
    def test_a_number_that_makes_no_sense_leaves_the_one_before(
        self, qtbot: QtBot, panel: ComparePanel, words: str
    ) -> None:
        typed = panel.bar.k.lineEdit()
        typed.selectAll()
        qtbot.keyClick(typed, Qt.Key.Key_Delete)
        qtbot.keyClicks(typed, words)
        qtbot.keyClick(typed, Qt.Key.Key_Return)
        assert (panel.bar.chosen_k, panel.bar.k.currentText()) == (10, "10")

    def test_what_models_are_compared_by_and_whose_judgments_count(self, panel: ComparePanel, fake_client: Any) -> None:
        panel.bar.measure.setCurrentText("nDCG at 10")
        panel.bar.measure.activated.emit(1)
        assert asked(fake_client).measure == "nDCG@10"
        judges = [panel.bar.judge.itemText(number) for number in range(panel.bar.judge.count())]
        assert judges == ["All judges", "You", "Anna"]
        panel.bar.judge.setCurrentIndex(2)
        panel.bar.judge.activated.emit(2)
        assert asked(fake_client).judge == "Anna"
        assert fake_client.last("evaluations_lists").kwargs["judge"] is None  # until the answer is here

    def test_how_judges_are_joined_is_told_where_all_are_chosen(self, panel: ComparePanel) -> None:
        judge = panel.bar.judge
        for role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleDescriptionRole):
            assert "Where two persons differ, the lower grade counts" in judge.itemData(0, role)
        assert "Folders and captions count where no person has given a grade" in judge.accessibleDescription()
        assert judge.accessibleDescription() in judge.toolTip()
        judge.setCurrentIndex(2)
        assert (judge.accessibleDescription(), judge.toolTip()) == ("", "By whose judgments")

    def test_the_choice_of_a_judge_is_not_there_for_one(self, panel: ComparePanel) -> None:
        panel.show_set(replace(CLOTHES, judges=("",)))
        assert panel.bar.judge.isHidden()

    def test_the_same_question_is_not_asked_twice_until_something_was_judged(
        self, qtbot: QtBot, panel: ComparePanel, fake_client: Any
    ) -> None:
        panel.set_queries((BAY, DOG, NEW), DOG)
        panel.show_answer()
        assert len(questions(fake_client)) == 1
        assert fake_client.last("evaluations_lists").args == (DOG.id,)
        panel.forget()
        panel.show_answer()
        assert len(questions(fake_client)) == 2

    def test_figures_of_another_set_go_at_once(self, panel: ComparePanel, fake_client: Any) -> None:
        """A report of them would be called after the set that is chosen now."""
        asked_before = len(questions(fake_client))
        del fake_client.answers["evaluations_evaluate"]
        panel.show_set(replace(CLOTHES, id=CLOTHES.id + 1, name="Others"))
        assert panel.evaluation is None
        assert panel.request is None
        assert panel.message == "Measuring"
        panel.set_queries((BAY, DOG), BAY)
        panel.show_answer()
        assert len(questions(fake_client)) == asked_before + 1
        panel._measuring.cancel()
        assert panel.request is None
        assert panel.message == "Measuring was cancelled"

    def test_out_of_sight_nothing_is_measured(self, panel: ComparePanel, fake_client: Any) -> None:
        panel.forget()
        panel.hide()
        panel.show_answer()
        assert len(questions(fake_client)) == 1

    def test_nothing_judged_is_nothing_to_measure(self, qtbot: QtBot, panel: ComparePanel) -> None:
        panel.set_queries((NEW,), NEW)
        panel.show_answer()
        assert panel.message == "Nothing to measure yet"
        with qtbot.waitSignal(panel.judge_wanted):
            panel._want_judging()


class TestMeasuring:
    @pytest.fixture
    def slow(self, qtbot: QtBot, panel: ComparePanel, fake_client: Any) -> ComparePanel:
        """Measuring anew, and not answered yet."""
        del fake_client.answers["evaluations_evaluate"]
        qtbot.waitUntil(lambda: not panel._costs_due)
        panel.measure()
        return panel

    def test_it_tells_how_far_it_is_when_it_lasts(self, qtbot: QtBot, slow: ComparePanel, fake_client: Any) -> None:
        assert not slow.job.isVisible()
        fake_client.last("evaluations_evaluate").progress(Progress("Measuring", 3, 20))
        qtbot.waitUntil(lambda: "3 of 20" in slow.job.text)
        assert slow.evaluation is not None  # what was shown stays meanwhile

    def test_it_can_be_cancelled_and_begun_anew(
        self, qtbot: QtBot, slow: ComparePanel, fake_client: Any, evaluation: Evaluation
    ) -> None:
        qtbot.waitUntil(lambda: slow.job.isVisible())
        slow.job.cancel_wanted.emit()
        assert fake_client.last("evaluations_evaluate").actions == [Action.CANCEL]
        assert "Measuring was cancelled" in slow.job.text
        slow.job._run()
        fake_client.last("evaluations_evaluate").answer(replace(evaluation, k=4))
        qtbot.waitUntil(lambda: slow.evaluation.k == 4)
        assert not slow.job.isVisible()

    def test_an_answer_to_an_older_question_is_dropped(
        self, qtbot: QtBot, slow: ComparePanel, fake_client: Any, evaluation: Evaluation
    ) -> None:
        old = fake_client.last("evaluations_evaluate")
        slow.measure()
        fake_client.last("evaluations_evaluate").answer(replace(evaluation, k=4))
        qtbot.waitUntil(lambda: slow.evaluation.k == 4)
        assert old.actions == [Action.CANCEL]

    def test_a_failure_is_said_with_a_way_to_try_again(
        self, qtbot: QtBot, slow: ComparePanel, fake_client: Any
    ) -> None:
        fake_client.last("evaluations_evaluate").fail(AppError("No memory", "Close other programs."))
        qtbot.waitUntil(lambda: slow.message == "No memory")
        slow.show_answer()
        assert len(questions(fake_client)) == 3


class TestTheCostsComeAfterwards:
    @pytest.fixture
    def timing(self, qtbot: QtBot, panel: ComparePanel, fake_client: Any) -> ComparePanel:
        """The quality is shown and searches are being timed."""
        del fake_client.answers["evaluations_evaluate"]
        qtbot.waitUntil(lambda: not panel._costs_due)
        panel.measure_costs()
        return panel

    def test_the_quality_is_there_before_searches_are_timed(
        self, qtbot: QtBot, timing: ComparePanel, fake_client: Any, evaluation: Evaluation
    ) -> None:
        assert [call.args[0].costs for call in fake_client.of("evaluations_evaluate")[:2]] == [False, True]
        fake_client.last("evaluations_evaluate").progress(Progress("Timing", 7, 50))
        qtbot.waitUntil(lambda: "Timing searches" in timing.job.text)
        slow = tuple(replace(model, costs=ModelCosts(query_p50_ms=38.0)) for model in evaluation.models)
        fake_client.last("evaluations_evaluate").answer(replace(evaluation, models=slow))
        qtbot.waitUntil(lambda: timing.costs.blocks[0].item(0, 1).text() == "38 ms")

    def test_cancelling_them_leaves_the_quality(self, timing: ComparePanel, fake_client: Any) -> None:
        timing.job.cancel_wanted.emit()
        assert "The costs are not measured" in timing.job.text
        assert timing.evaluation is not None
        timing.job._run()
        assert fake_client.last("evaluations_evaluate").args[0].costs

    def test_their_failure_leaves_the_quality(self, qtbot: QtBot, timing: ComparePanel, fake_client: Any) -> None:
        fake_client.last("evaluations_evaluate").fail(AppError("No memory", "Close other programs."))
        qtbot.waitUntil(lambda: timing.job.offers_again)
        assert timing.evaluation is not None

    def test_they_wait_while_another_page_is_shown(self, timing: ComparePanel, fake_client: Any) -> None:
        stopped = fake_client.last("evaluations_evaluate")
        timing.hide()
        assert stopped.actions == [Action.CANCEL]
        timing.show()
        timing.show_answer()
        assert fake_client.last("evaluations_evaluate") is not stopped
        assert len(questions(fake_client)) == 1  # the quality is known


class TestTheAnswer:
    def test_the_sentences_are_there_at_once_and_nothing_to_beware_of(self, panel: ComparePanel) -> None:
        assert panel.verdicts.sentences == [
            "Cannot tell yet: SigLip, Clip.", "SigLip beats Colour.", "Clip beats Colour.",
        ]  # fmt: skip
        assert panel.verdicts.all_pairs.isHidden()
        assert panel.verdicts.caution == ""

    def test_what_the_sentences_do_not_speak_of_stands_below_them(
        self, panel: ComparePanel, evaluation: Evaluation
    ) -> None:
        panel.verdicts.show_evaluation(replace(evaluation, caution="They hold for two folders."))
        assert panel.verdicts.caution == "They hold for two folders."

    def test_the_other_pairs_are_behind_a_button(self, panel: ComparePanel, evaluation: Evaluation) -> None:
        more = (*evaluation.comparisons, compared_models("Clip", "Timbre"))
        panel.verdicts.show_evaluation(replace(evaluation, comparisons=more))
        assert panel.verdicts.all_pairs.text() == "All 4 pairs"
        assert panel.verdicts.pairs.isHidden()
        panel.verdicts.all_pairs.click()
        assert panel.verdicts.pairs.count() == 4
        assert "p = 0.020 after correction" in panel.verdicts.pairs.item(3).text()

    def test_one_query_tells_nothing_of_any_pair_and_says_so_once(
        self, panel: ComparePanel, evaluation: Evaluation
    ) -> None:
        alone = tuple(replace(comparison, queries=1) for comparison in evaluation.comparisons)
        panel.verdicts.show_evaluation(replace(evaluation, queries=(BAY,), comparisons=alone))
        assert panel.verdicts.sentences == ["Cannot tell yet: SigLip, Clip."]
        assert panel.verdicts.all_pairs.text() == "All 3 pairs"

    def test_what_is_not_judged_is_counted_and_said_to_matter_only_where_it_does(
        self, qtbot: QtBot, panel: ComparePanel, evaluation: Evaluation
    ) -> None:
        assert panel.warning == (
            "10% of the first 10 results of Clip are not judged and count as not relevant. "
            "Whatever they are, the best model stays the best."
        )
        clip, *others = evaluation.models
        close = replace(clip, measures=clip.measures | {"P@10": Measured(0.66, 0.5, 0.8, 0.9, 0.66, 0.76)})
        panel.verdicts.show_evaluation(replace(evaluation, models=(close, *others)))
        assert panel.warning.endswith("Judging them could change the answer.")
        with qtbot.waitSignal(panel.judge_wanted) as wanted:
            panel.verdicts.judge_wanted.emit()
        assert wanted.args == [10]

    @pytest.mark.parametrize(
        ("models", "named"), [(3, None), (4, "results of another model"), (6, "results of 3 other models")]
    )
    def test_models_with_less_unjudged_are_counted(
        self, panel: ComparePanel, evaluation: Evaluation, models: int, named: str | None
    ) -> None:
        made = tuple(measured_model(f"M{number}", 0.5, judged=0.9 - number / 50) for number in range(models))
        panel.verdicts.show_evaluation(replace(evaluation, models=made, comparisons=()))
        ends = f"; and some {named} are not judged and count as not relevant." if named else " of M0 are not judged"
        assert ends in panel.warning

    def test_what_means_are_over_is_true_of_every_row(self, panel: ComparePanel, evaluation: Evaluation) -> None:
        assert panel._quality.note.startswith("Means over 2 queries. ")
        clip, *others = evaluation.models
        fewer = replace(evaluation, models=(replace(clip, queries=clip.queries[:1]), *others))
        panel._show(fewer, replace(panel.request, costs=False))
        assert panel._quality.note.startswith("Means over the queries that each model answered, of 2. ")

    def test_one_model_alone_is_told_so(self, panel: ComparePanel, evaluation: Evaluation) -> None:
        panel.verdicts.show_evaluation(replace(evaluation, models=evaluation.models[1:2], comparisons=()))
        assert "Only SigLip answered." in panel.verdicts._why.text()

    def test_no_model_that_can_answer_is_told_so(self, panel: ComparePanel, evaluation: Evaluation) -> None:
        none = ModelEvaluation("clip", "Clip", {}, (), (BAY.title,), "Its weights are missing.")
        panel._show(replace(evaluation, models=(none,), comparisons=()), EvaluationRequest())
        assert panel.message == "No model can answer this"
        assert panel._message.sentence == "Clip: Its weights are missing."


class TestTheFigures:
    def test_no_table_is_wider_than_the_window(self, panel: ComparePanel) -> None:
        for table in (panel.table, panel.costs):
            for block in table.blocks:
                assert block.horizontalHeader().length() <= block.width()
                assert block.width() <= panel.width()

    def test_what_has_no_room_beside_a_heading_goes_below_it(self, qtbot: QtBot, panel: ComparePanel) -> None:
        panel.resize(380, 340)
        content, viewport = panel._scroll.widget(), panel._scroll.viewport()
        qtbot.waitUntil(lambda: content.width() == viewport.width())
        boxes = [panel._by_kind, panel._more, panel.figures]
        assert all(box.geometry().right() < panel._quality.width() for box in boxes)

    def test_measures_that_have_no_room_come_when_asked_for(self, panel: ComparePanel) -> None:
        assert len(panel.table.blocks) == 1
        shown = [panel.table.blocks[0].horizontalHeaderItem(column).text() for column in range(1, 4)]
        assert shown == ["P@10", "Recall@10\nof judged", "nDCG@10"]
        assert panel._more.isVisible()
        panel._more.setChecked(True)
        columns = sum(block.columnCount() - 1 for block in panel.table.blocks)
        assert columns == len(MEASURES)

    def test_the_keyboard_comes_to_them_after_what_stands_above(self, panel: ComparePanel) -> None:
        for _ in range(2):
            assert panel.figures.last.nextInFocusChain() is panel.table.blocks[0]
            panel._more.click()  # makes them anew

    def test_wide_enough_for_all_nothing_more_is_offered(self, qtbot: QtBot, panel: ComparePanel) -> None:
        panel.resize(1200, 560)
        qtbot.waitUntil(lambda: panel._more.isHidden())
        assert panel.table.blocks[0].columnCount() == 1 + len(MEASURES)

    def test_each_kind_of_query_has_rows_of_its_own_when_asked_for(self, panel: ComparePanel) -> None:
        panel._by_kind.setChecked(True)
        block = panel.table.blocks[0]
        assert [block.item(row, 0).text() for row in range(3)] == ["SigLip", "by words", "by picture"]

    def test_they_can_be_copied_and_saved(
        self, panel: ComparePanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        panel.figures.copy()
        head = QGuiApplication.clipboard().text().splitlines()[0].split("\t")
        assert head[:7] == ["model", "queries", "P@10", "P@10 low", "P@10 high", "P@10 least", "P@10 most"]
        path = tmp_path / "measures.csv"
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, **_k: (str(path), ""))
        panel.figures.choose_file()
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
        assert [(row["model"], float(row["AP"])) for row in rows] == [("SigLip", 0.7), ("Clip", 0.5), ("Colour", 0.3)]
        assert float(rows[0]["AP low"]) == pytest.approx(0.6)
        assert float(rows[0]["items_per_s"]) == 20

    def test_a_file_that_cannot_be_written_is_said(
        self, qtbot: QtBot, panel: ComparePanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, **_k: (str(tmp_path), ""))
        with qtbot.waitSignal(panel.failed) as failed:
            panel.figures.choose_file()
        assert "Choose another folder" in failed.args[0].message


class TestTheLists:
    def test_two_lists_stand_side_by_side_with_their_counts(self, qtbot: QtBot, panel: ComparePanel) -> None:
        left, right = panel.ranking.left, panel.ranking.right
        assert (left.models.currentText(), right.models.currentText()) == ("SigLip", "Clip")
        assert panel.ranking.title == "The first 10 results for “a quiet bay”"
        words = left.list.item(2).data(Qt.ItemDataRole.AccessibleTextRole)
        assert words.startswith("3. holiday 3.jpg")
        assert words.endswith("not judged yet")
        assert left.score.text().startswith("Precision@10: 1/10 = 0.10")
        with qtbot.waitSignal(panel.opened) as opened:
            left.list.itemActivated.emit(left.list.item(0))
        assert opened.args[0].rank == 1

    def test_a_second_model_that_answers_takes_the_second_list(
        self, qtbot: QtBot, panel: ComparePanel, fake_client: Any, hits: tuple[JudgedHit, ...]
    ) -> None:
        result = QueryEvaluation(1, "q", "q", {}, hits[:1])
        fake_client.answers["evaluations_lists"] = lambda *_a, **_k: (("siglip", result),)
        panel.ranking.ask(BAY, 10, None)
        qtbot.waitUntil(lambda: panel.ranking.right.isHidden())
        assert panel.ranking.left.models.currentText() == "SigLip"

    def test_an_unjudged_query_has_lists_too(self, qtbot: QtBot, panel: ComparePanel, fake_client: Any) -> None:
        panel.set_queries((BAY, DOG, NEW), NEW)
        panel.show_answer()
        qtbot.waitUntil(lambda: "“new”" in panel.ranking.title)
        assert fake_client.last("evaluations_lists").args == (NEW.id,)

    def test_a_file_on_a_drive_that_is_away_is_marked(self, panel: ComparePanel) -> None:
        panel.set_offline(Offline.among((Root("/photos", False, 3, 3),)))
        item = panel.ranking.left.list.item(0)
        assert item.data(JUDGED_ROLE).hit.rank == 1
        assert item.data(Qt.ItemDataRole.AccessibleTextRole).endswith("elsewhere now")
        assert "a drive that is not there now: /photos" in item.toolTip()

    def test_grades_of_a_graded_set_are_told_in_words(self, panel: ComparePanel) -> None:
        item = panel.ranking.left.list.item(0)
        assert item.data(Qt.ItemDataRole.AccessibleTextRole).endswith(", relevant")
        panel.show_set(replace(CLOTHES, scale=Scale.GRADED))
        item = panel.ranking.left.list.item(0)
        assert item.data(Qt.ItemDataRole.AccessibleTextRole).endswith(", slightly relevant")

    @pytest.mark.usefixtures("twice_the_letters")
    def test_their_rows_are_as_tall_as_two_lines_of_letters(self, panel: ComparePanel) -> None:
        shown = panel.ranking.left.list
        assert shown.visualItemRect(shown.item(0)).height() >= 2 * QFontMetrics(QApplication.font()).height()

    def test_a_failure_is_said_in_their_place(self, qtbot: QtBot, panel: ComparePanel, fake_client: Any) -> None:
        def fail(*_args: Any, **_kwargs: Any) -> Any:
            raise AppError("The file is gone", "Choose another picture.")

        fake_client.answers["evaluations_lists"] = fail
        panel.ranking.ask(DOG, 10, None)
        qtbot.waitUntil(lambda: panel.ranking.words == "The file is gone. Choose another picture.")


class TestTheCosts:
    def test_the_plot_says_in_words_what_it_shows(self, qtbot: QtBot, panel: ComparePanel) -> None:
        assert panel.plot.chart is None  # below the edge of the page
        panel._scroll.ensureWidgetVisible(panel.plot)
        qtbot.waitUntil(lambda: panel.plot.chart is not None)
        assert (
            panel.plot.words == "No other model beats these in both Precision at 10 and indexing speed: Clip, SigLip."
        )
        assert panel.plot.chart.accessibleDescription() == panel.plot.words

    def test_only_costs_that_are_known_are_shown(self, panel: ComparePanel, evaluation: Evaluation) -> None:
        heads = [panel.costs.blocks[0].horizontalHeaderItem(1).text()]
        assert heads == ["Items\na second"]
        free = tuple(replace(model, costs=ModelCosts()) for model in evaluation.models)
        panel._show_costs(replace(evaluation, models=free))
        assert panel.plot.isHidden()
