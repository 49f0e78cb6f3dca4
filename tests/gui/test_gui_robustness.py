"""The Robustness view: what is chosen is asked for, and the losses are shown as colour, number and words."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QPushButton
from pytestqt.qtbot import QtBot

from app.bridge.messages import Action
from app.engine.errors import AppError
from app.engine.evaltypes import Disturbance, Drop, EvaluationRequest, Robustness, RobustnessRequest
from app.engine.jobs import Progress
from app.engine.judgingtypes import QuerySet, QuerySummary
from app.engine.types import Modality, Query
from app.gui import heatmap, theme
from app.gui.engine import Engine
from app.gui.evaluate import ROBUSTNESS, EvaluatePage
from app.gui.heatmap import cell_colour, text_colour
from app.gui.robustness import MAP, MESSAGE, RobustnessPanel
from app.gui.robustnesswords import headline
from app.gui.thumbnails import ThumbnailStore

TYPOS = Disturbance("text-typos", "Typing errors", Modality.TEXT)
GREY = Disturbance("picture-grey", "Greyscale", Modality.IMAGE)
JPEG = Disturbance("picture-jpeg", "JPEG, quality 20", Modality.IMAGE)
GAIN = Disturbance("sound-gain", "12 dB quieter", Modality.AUDIO)
KNOWN = (TYPOS, GREY, JPEG, GAIN)

BAY = QuerySummary(1, "text:bay", "a quiet bay", Query.of_text("a quiet bay"), 2, 3)
DOG = QuerySummary(2, "image:dog", "dog.jpg", Query.of_image("/photos/dog.jpg"), 1, 2)
NEW = QuerySummary(4, "text:new", "new", Query.of_text("new"), 0, 0)
MINE = QuerySet(7, "Mine", queries=2, judged=2, judgments=5, judges=("",))


def drop(model: str, disturbance: Disturbance, change: float, spread: float | None = 0.02, queries: int = 24) -> Drop:
    ends = (None, None) if spread is None else (change - spread, change + spread)
    return Drop(model, disturbance.key, queries, 0.6, 0.6 + change, change, *ends)


RESULT = Robustness(
    "P@10",
    1,
    (GREY, JPEG),
    ("clip", "colours"),
    {"clip": "CLIP", "colours": "Colours"},
    (drop("clip", GREY, -0.05), drop("clip", JPEG, 0.01), drop("colours", GREY, -0.31), drop("colours", JPEG, -0.06)),
    ("Left out: “sea.jpg”. The query's file is gone.",),
)


@pytest.fixture
def panel(qtbot: QtBot, engine: Engine, fake_client: Any) -> RobustnessPanel:
    fake_client.answers["evaluations_disturbances"] = lambda: KNOWN
    made = RobustnessPanel(engine)
    qtbot.addWidget(made)
    made.resize(740, 560)
    made.show_set(MINE)
    made.set_queries((BAY, DOG), BAY)
    made.show()
    qtbot.waitUntil(lambda: bool(made.disturbances.chosen))
    return made


def shown(panel: RobustnessPanel) -> int:
    return panel._stack.currentIndex()


def answered(qtbot: QtBot, panel: RobustnessPanel, fake_client: Any, result: Robustness = RESULT) -> None:
    qtbot.mouseClick(panel.run_button, Qt.MouseButton.LeftButton)
    fake_client.last("evaluations_robustness").answer(result)
    qtbot.waitUntil(panel.run_button.isEnabled)


def test_disturbances_of_the_kinds_that_are_asked_are_offered_all_ticked(panel: RobustnessPanel) -> None:
    assert list(panel.disturbances.boxes) == ["text-typos", "picture-grey", "picture-jpeg"]
    assert all(box.isChecked() for box in panel.disturbances.boxes.values())
    assert panel.disturbances.text() == "All disturbances"


def test_what_is_chosen_is_asked_for(qtbot: QtBot, panel: RobustnessPanel, fake_client: Any) -> None:
    qtbot.mouseClick(panel.run_button, Qt.MouseButton.LeftButton)
    (request,) = fake_client.last("evaluations_robustness").args
    assert request == RobustnessRequest(k=10, set_id=7, measure="P@10")
    fake_client.last("evaluations_robustness").answer(RESULT)
    qtbot.waitUntil(panel.run_button.isEnabled)
    panel.disturbances.boxes["picture-jpeg"].setChecked(False)
    assert panel.disturbances.text() == "2 of 3 disturbances"
    panel.bar.k.setCurrentText("5")
    panel.bar.k.activated.emit(0)
    panel.bar.measure.setCurrentIndex(1)
    qtbot.mouseClick(panel.run_button, Qt.MouseButton.LeftButton)
    (request,) = fake_client.last("evaluations_robustness").args
    assert request == RobustnessRequest(k=5, set_id=7, measure="nDCG@5", disturbances=("text-typos", "picture-grey"))


def test_how_much_there_is_to_do_is_told_before(panel: RobustnessPanel) -> None:
    assert "about 5 searches" in panel.message.sentence  # words: typos; a picture: grey, JPEG; each once as it is
    panel.disturbances.boxes["picture-grey"].setChecked(False)
    assert "about 4 searches" in panel.message.sentence


def test_without_a_disturbance_nothing_can_be_run(panel: RobustnessPanel) -> None:
    panel.disturbances.choose_all(False)
    assert not panel.run_button.isEnabled()
    panel.disturbances.choose_all(True)
    assert panel.run_button.isEnabled()


def test_the_map_carries_numbers_beside_colours(qtbot: QtBot, panel: RobustnessPanel, fake_client: Any) -> None:
    answered(qtbot, panel, fake_client)
    assert shown(panel) == MAP
    cells = panel.map.cells
    assert [cells.headerData(row, Qt.Orientation.Vertical) for row in range(2)] == ["Greyscale", "JPEG, quality 20"]
    assert [cells.headerData(column, Qt.Orientation.Horizontal) for column in range(2)] == ["CLIP", "Colours"]
    texts = [[cells.index(row, column).data() for column in range(2)] for row in range(2)]
    assert texts == [["−0.05", "−0.31"], ["~ +0.01", "−0.06"]]
    told = cells.index(0, 1).data(Qt.ItemDataRole.ToolTipRole)
    for words in ("Colours, Greyscale", "0.600 before, 0.290 after", "−0.33 to −0.29", "24 queries"):
        assert words in told
    assert "No difference can be told" in cells.index(1, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert panel.headline.text() == "CLIP loses least on average (−0.02); worst: Greyscale (−0.18)."
    assert "sea.jpg" in panel.notes


def test_several_kinds_have_headings_and_sentences_of_their_own() -> None:
    result = Robustness(
        "AP",
        1,
        (GAIN, TYPOS, GREY),
        ("a", "b"),
        {},
        (drop("a", TYPOS, -0.2), drop("b", TYPOS, -0.1), drop("b", GREY, -0.01), drop("a", GAIN, 0.0, 0.0)),
    )
    assert [row.name for row in heatmap.rows(result.disturbances)] == [
        "Words", "Typing errors", "Pictures", "Greyscale", "Sounds", "12 dB quieter",
    ]  # fmt: skip
    assert headline(result).split("\n") == [
        "Words: b loses least on average (−0.10); worst: Typing errors (−0.15).",
        "Pictures: no loss in AP can be told from chance with 24 queries.",
        "Sounds: no loss in AP can be told from chance with 24 queries.",
    ]


def test_models_asked_less_are_not_ranked_with_the_others() -> None:
    drops = (drop("a", GREY, -0.1), drop("a", JPEG, -0.2), drop("b", GREY, -0.01))
    assert headline(Robustness("P@5", 1, (GREY, JPEG), ("a", "b"), {}, drops)) == ("Worst: JPEG, quality 20 (−0.20).")


def test_what_changes_no_query_is_not_unsure() -> None:
    assert not heatmap.is_unsure(drop("a", GAIN, 0.0, 0.0))
    assert heatmap.is_unsure(drop("a", GAIN, -0.1, None))
    assert heatmap.is_unsure(drop("a", GAIN, -0.1, 0.2))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_numbers_can_be_read_on_every_colour(scheme: str, qapp: Any) -> None:
    theme.apply(scheme)
    try:
        for step in range(-20, 21):
            for unsure in (False, True):
                ground = cell_colour(step / 20, 1.0, unsure)
                one, other = sorted((heatmap._luminance(ground), heatmap._luminance(text_colour(ground))))
                assert (other + 0.05) / (one + 0.05) >= 4.5
        lost, gained = cell_colour(-1, 1, False), cell_colour(1, 1, False)
        assert lost.red() > lost.blue()
        assert gained.blue() > gained.red()
        assert cell_colour(0, 1, False) == QColor(theme.colours().surface)
    finally:
        theme.apply()


def test_progress_is_shown_and_work_can_be_cancelled(qtbot: QtBot, panel: RobustnessPanel, fake_client: Any) -> None:
    qtbot.mouseClick(panel.run_button, Qt.MouseButton.LeftButton)
    call = fake_client.last("evaluations_robustness")
    assert not panel.run_button.isEnabled()
    call.progress(Progress("Asking again", 30, 120, note="CLIP: Greyscale"))
    qtbot.waitUntil(lambda: "CLIP: Greyscale" in panel.job.text)
    assert "30 of 120" in panel.job.text
    panel.job.cancel_wanted.emit()
    qtbot.waitUntil(panel.run_button.isEnabled)
    assert call.actions == [Action.CANCEL]
    assert panel.job.isHidden()
    assert shown(panel) == MESSAGE


def test_a_failure_is_told_and_can_be_tried_again(qtbot: QtBot, panel: RobustnessPanel, fake_client: Any) -> None:
    answered(qtbot, panel, fake_client)
    panel.run()
    fake_client.last("evaluations_robustness").fail(AppError("No such measure", "Choose another."))
    qtbot.waitUntil(lambda: panel.job.offers_again)
    assert "No such measure" in panel.job.text
    assert shown(panel) == MAP  # what was measured before is still there


def test_another_choice_says_that_the_map_is_of_the_one_before(
    qtbot: QtBot, panel: RobustnessPanel, fake_client: Any
) -> None:
    answered(qtbot, panel, fake_client)
    assert "before" not in panel.key
    panel.disturbances.boxes["picture-grey"].setChecked(False)
    assert "chosen before" in panel.key
    panel.disturbances.boxes["picture-grey"].setChecked(True)
    assert "before" not in panel.key


def test_each_set_has_its_map_and_what_is_under_way_goes_on(
    qtbot: QtBot, panel: RobustnessPanel, fake_client: Any
) -> None:
    answered(qtbot, panel, fake_client)
    panel.run()
    call = fake_client.last("evaluations_robustness")
    panel.show_set(QuerySet(8, "Other"))
    panel.set_queries((DOG,), DOG)
    assert (panel.result, shown(panel)) == (None, MESSAGE)
    assert not any(button.isVisible() for button in panel.message.findChildren(QPushButton))  # one at a time
    assert call.actions == []
    call.answer(replace(RESULT, measure="AP"))
    qtbot.waitUntil(panel.run_button.isEnabled)
    assert (panel.result, shown(panel)) == (None, MESSAGE)
    panel.show_set(MINE)
    panel.set_queries((BAY, DOG), BAY)
    assert panel.result
    assert panel.result.measure == "AP"
    assert shown(panel) == MAP


def test_another_library_has_none_of_it(qtbot: QtBot, panel: RobustnessPanel, fake_client: Any) -> None:
    answered(qtbot, panel, fake_client)
    panel.run()
    panel.clear()
    assert fake_client.last("evaluations_robustness").actions == [Action.CANCEL]
    panel.show_set(MINE)
    panel.set_queries((BAY, DOG), BAY)
    assert (panel.result, shown(panel)) == (None, MESSAGE)


def test_what_is_missing_is_said(qtbot: QtBot, panel: RobustnessPanel, fake_client: Any) -> None:
    panel.set_queries((NEW,), NEW)
    assert panel.message.headline == "Nothing to ask again yet"
    assert not panel.run_button.isEnabled()
    panel.set_queries((BAY, DOG), BAY)
    answered(qtbot, panel, fake_client, Robustness("P@10", 1, (), (), {}, (), ("CLIP: nothing is indexed.",)))
    assert panel.message.headline == "No model can answer this"
    assert "CLIP: nothing is indexed." in panel.message.sentence


def test_a_report_takes_only_what_was_measured_of_the_same(
    qtbot: QtBot, panel: RobustnessPanel, fake_client: Any
) -> None:
    evaluated = EvaluationRequest(k=10, set_id=MINE.id, measure="P@10")
    assert panel.result_of(evaluated) is None
    answered(qtbot, panel, fake_client)
    assert panel.result_of(evaluated) == RESULT
    for other in (replace(evaluated, k=5), replace(evaluated, judge="Ada"), replace(evaluated, set_id=8)):
        assert panel.result_of(other) is None


def test_a_judgment_makes_it_old(qtbot: QtBot, panel: RobustnessPanel, fake_client: Any) -> None:
    answered(qtbot, panel, fake_client)
    panel.forget()
    assert panel.result is RESULT
    assert "judged before" in panel.key
    assert panel.result_of(EvaluationRequest(k=10, set_id=MINE.id, measure="P@10")) is None
    qtbot.mouseClick(panel.run_button, Qt.MouseButton.LeftButton)
    panel.forget()  # while it is asked
    fake_client.last("evaluations_robustness").answer(RESULT)
    qtbot.waitUntil(panel.run_button.isEnabled)
    assert "judged before" in panel.key


def test_many_notes_leave_room_for_the_map(qtbot: QtBot, panel: RobustnessPanel, fake_client: Any) -> None:
    names = ", ".join(f"holiday-{number}.jpg" for number in range(300))
    answered(qtbot, panel, fake_client, replace(RESULT, notes=(f"The query's file is gone. Left out: {names}.",)))
    assert panel.notes.endswith("…")
    assert len(panel.notes) <= 300
    assert "holiday-299.jpg" in panel._notes.toolTip()


def test_the_figures_can_be_copied_and_saved(
    qtbot: QtBot, panel: RobustnessPanel, fake_client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(qtbot, panel, fake_client)
    panel.figures.copy()
    assert "CLIP\tGreyscale\timage\tP@10\t24\t0.600000\t0.550000\t-0.050000" in QGuiApplication.clipboard().text()
    file = tmp_path / "robustness.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, **_k: (str(file), ""))
    panel.figures.choose_file()
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [(row["model"], row["disturbance"], row["change"]) for row in rows][2] == (
        "Colours",
        "Greyscale",
        "-0.310000",
    )
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, **_k: (str(tmp_path / "no" / "x.csv"), ""))
    with qtbot.waitSignal(panel.failed) as told:
        panel.figures.choose_file()
    assert "could not be saved" in told.args[0].title


def test_the_map_fits_a_small_window(qtbot: QtBot, panel: RobustnessPanel, fake_client: Any) -> None:
    models = tuple(f"model-{number}" for number in range(5))
    drops = tuple(drop(model, one, -0.1) for model in models for one in (GREY, JPEG))
    answered(qtbot, panel, fake_client, Robustness("P@10", 1, (GREY, JPEG), models, {}, drops))
    assert panel.map.horizontalScrollBar().maximum() == 0
    panel.map.grab()  # paints without a warning


@pytest.fixture
def page(qtbot: QtBot, engine: Engine) -> Iterator[EvaluatePage]:
    thumbnails = ThumbnailStore(engine)
    made = EvaluatePage(engine, thumbnails)
    qtbot.addWidget(made)
    made.show()
    yield made
    thumbnails.deleteLater()


def test_the_page_has_a_view_of_it(page: EvaluatePage) -> None:
    page.show_view(ROBUSTNESS)
    assert page._views.currentWidget() is page.robustness
