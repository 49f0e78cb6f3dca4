"""Measures and costs in words, which models may be compared, and the plot's geometry."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import QImage, QPainter
from pytestqt.qtbot import QtBot

from app.engine.evaltypes import (
    Evaluation,
    JudgedHit,
    Measured,
    ModelCosts,
    ModelEvaluation,
    QueryEvaluation,
    Threshold,
)
from app.engine.judgingtypes import QuerySummary
from app.engine.types import Hit, Modality, Query
from app.gui import costtable, measures, ranking
from app.gui.celltable import Bar, CellTable, Column, Row, paint_bar
from app.gui.costplot import AXES, CostPlot, Point, frontier, points, ticks

BAY = QuerySummary(1, "text:bay", "a quiet bay", Query.of_text("a quiet bay"), 2, 3)
DOG = QuerySummary(2, "image:dog", "dog.jpg", Query.of_image("/photos/dog.jpg"), 1, 2)
BELL = QuerySummary(3, "sound:bell", "bell.wav", Query.of_sound("/sounds/bell.wav"), 1, 4)
NEW = QuerySummary(4, "text:new", "new", Query.of_text("new"), 0, 0)
MEASURES = ("P@5", "R@5", "AP", "Judged@5")


def judged_by(query: QuerySummary, values: tuple[float, ...]) -> QueryEvaluation:
    return QueryEvaluation(query.id, query.key, query.title, dict(zip(MEASURES, values, strict=True)))


def model(name: str, *results: QueryEvaluation, **changes: Any) -> ModelEvaluation:
    mean = {key: sum(result.measures[key] for result in results) / len(results) for key in MEASURES} if results else {}
    means = {key: Measured(value) for key, value in mean.items()}
    return replace(ModelEvaluation(name.lower(), name, means, results), **changes)


def test_only_models_over_the_same_queries_are_compared() -> None:
    over_both = model("A", judged_by(BAY, (0.1, 0.1, 0.1, 1)), judged_by(DOG, (0.1, 0.1, 0.1, 1)))
    over_one = [model(name, judged_by(DOG, (value, 0.5, value, value))) for name, value in (("B", 0.9), ("C", 1))]
    evaluation = Evaluation(5, MEASURES, (over_both, *over_one), (BAY, DOG))
    assert measures.best(evaluation) == {("c", "P@5"), ("c", "AP")}
    assert "cannot be compared" in measures.note_lines(evaluation)[-1]
    assert [row.name for row in measures.rows(evaluation)] == ["A", "C", "B"]  # most queries first, then the best
    assert [row.caption for row in measures.rows(evaluation)] == ["2 queries", "1 query", "1 query"]


def test_values_that_read_the_same_are_equally_good() -> None:
    rows = (("A", 0.5001), ("B", 0.5), ("C", 0.1))
    models = tuple(model(name, judged_by(DOG, (value, 0.5, 0.5, 1))) for name, value in rows)
    assert measures.best(Evaluation(5, MEASURES, models, (DOG,))) == {("a", "P@5"), ("b", "P@5")}


def test_a_model_says_why_it_has_no_figures_for_a_query() -> None:
    why = "Cannot search by words, so 1 query is left out."
    able = model("A", judged_by(DOG, (1, 1, 1, 1)), unanswered=(BAY.title,), note=why)
    gone = ModelEvaluation("b", "B", {}, (), (BAY.title,), "Its weights are missing.")
    lines = measures.note_lines(Evaluation(5, MEASURES, (able, gone), (BAY, DOG)))
    assert lines == [f"A: {why}", "B: Its weights are missing."]


def test_what_a_query_is_made_of_is_said() -> None:
    assert measures.kind_words({Modality.IMAGE, Modality.TEXT}) == "by words and picture"


def test_a_figure_tells_how_sure_it_is_and_what_judging_could_change() -> None:
    cell = measures.cell("P@10", Measured(0.62, 0.5, 0.74, 0.9, 0.62, 0.72), is_best=True)
    assert (cell.text, cell.caption, cell.strong) == ("★ 0.62", "0.50–0.74", True)
    assert cell.explanation.splitlines() == [
        "Precision at 10: 0.62",
        "The highest of the models over the same queries. How sure that is, the sentences above say.",
        "95% interval of the mean: 0.50 to 0.74.",
        "10% of the results it looks at are not judged, and count as not relevant. Judging those that are shown first "
        "could make it 0.62 to 0.72.",
    ]
    assert measures.cell("P@10", None).text == "–"
    assert measures.cell("P@10", Measured(0.5)).caption == ""


@pytest.mark.parametrize("name", ["P@4", "R@20", "F1@10", "Rprec", "AP", "RR", "nDCG@10", "Success@5", "Judged@1"])
def test_every_measure_of_the_engine_is_explained(name: str) -> None:
    sentence = measures.explanation(name)
    assert "as ir_measures" not in sentence
    assert "{" not in sentence + measures.plain(name)


def test_recall_says_what_it_is_the_share_of_where_there_is_room() -> None:
    assert (measures.short("R@5"), measures.plain("R@5")) == ("Recall at 5", "Recall at 5, of judged relevant")
    assert measures.short("P@5") == measures.plain("P@5") == "Precision at 5"


def test_an_unknown_measure_is_shown_by_its_own_name() -> None:
    assert measures.header("ERR@20") == measures.plain("ERR@20") == "ERR@20"
    assert measures.explanation("ERR@20").startswith("ERR@20")


def test_the_counts_below_a_list_are_ticks_and_the_values_the_engines(make_hit: Callable[..., Hit]) -> None:
    hits = tuple(JudgedHit(make_hit(rank), grade) for rank, grade in enumerate((1, 2, 0, None, 1), start=1))
    result = QueryEvaluation(1, "q", "q", {"P@5": 0.6, "R@5": 0.375}, hits)
    summary = replace(BAY, relevant=8)
    assert ranking.score_words(result, summary, 5) == "Precision@5: 3/5 = 0.60\nRecall@5 of judged relevant: 3/8 = 0.38"
    assert "nothing judged relevant yet" in ranking.score_words(result, NEW, 5)


class TestCosts:
    def cells(self, **changes: Any) -> dict[str, Any]:
        """The cells of one model by the column's name."""
        one = model("A", judged_by(DOG, (1, 1, 1, 1)), **changes)
        columns, rows = costtable.columns_and_rows(Evaluation(5, MEASURES, (one,), (DOG,)))
        names = [column.name.replace("\n", " ") for column in columns]
        return dict(zip(names, rows[0].cells, strict=True)) if rows else {}

    def test_figures_have_as_many_digits_as_mean_something(self) -> None:
        costs = ModelCosts(0.267, "cpu", 38.4, 52.0, 1234.0, 60, 900_000_000, None, 1796, None, "MIT", True)
        cells = self.cells(costs=costs)
        assert cells["Items a second"].text == "0.27"
        assert cells["Items a second"].caption == "processor"
        assert (cells["A search"].text, cells["95% of searches"].caption) == ("38 ms", "99%: 1.2 s")
        assert (cells["Licence"].text, cells["Licence"].caption) == ("MIT", "any use")
        assert not {"Graphics memory", "Download"} & cells.keys()  # not known of any model

    def test_the_index_s_loss_is_kept_apart_from_the_model(self) -> None:
        assert self.cells()["Lost by the index"].text == "nothing"
        lossy = self.cells(uses_index=True, index_recall=Measured(0.987, 0.98, 0.99))["Lost by the index"]
        assert (lossy.text, lossy.caption) == ("1.3%", "recall 0.987")

    def test_a_threshold_that_could_not_be_found_says_why(self) -> None:
        found = Threshold("a", Modality.TEXT, 0.9, 0.268, 0.93, 112, 0.6, 120)
        missing = Threshold("a", Modality.IMAGE, 0.9, None, note="Too few judgments.")
        cell = self.cells(thresholds=(found, missing))["90% right from"]
        assert (cell.text, cell.caption) == ("0.27", "words")
        assert cell.explanation.splitlines() == [
            "By words: 90% right from similarity 0.27 (93% of the 112 judged results above it); 60% of the relevant "
            "results lie above.",
            "By picture: Too few judgments.",
        ]


class TestPlot:
    FAST = Point("fast", "Fast", 100, 0.5)
    GOOD = Point("good", "Good", 10, 0.8)
    POOR = Point("poor", "Poor", 20, 0.4)

    def test_the_frontier_holds_what_no_other_beats_in_both(self) -> None:
        assert frontier([self.POOR, self.GOOD, self.FAST], more_is_better=True) == [self.FAST, self.GOOD]
        assert frontier([self.POOR, self.GOOD, self.FAST], more_is_better=False) == [self.GOOD]

    def test_only_models_over_the_same_queries_stand_beside_each_other(self, qtbot: QtBot) -> None:
        """One of sounds is neither worse nor better than two of pictures."""
        pictures = [
            model(name, judged_by(DOG, (value, 0.5, value, 1)), costs=ModelCosts(items_per_s=rate))
            for name, value, rate in (("A", 0.6, 20.0), ("B", 0.5, 30.0))
        ]
        sounds = model("Timbre", judged_by(BELL, (0.9, 0.5, 0.9, 1)), costs=ModelCosts(items_per_s=90.0))
        compared = Evaluation(5, MEASURES, (*pictures, sounds), (DOG, BELL), "P@5")
        assert [point.name for point in points(compared, AXES[0])] == ["A", "B"]
        plot = CostPlot()
        qtbot.addWidget(plot)
        plot.show_evaluation(compared)
        assert plot.words.endswith("Not shown, because other queries were answered: Timbre.")
        assert "B, A" in plot.words

    def test_the_window_does_not_wait_while_what_plots_need_is_read(self) -> None:
        """In a process of its own: here it has been read."""
        script = """
import sys
from PySide6.QtWidgets import QApplication
from app.engine.evaltypes import Evaluation, Measured, ModelCosts, ModelEvaluation, QueryEvaluation
from app.gui.costplot import CostPlot
app = QApplication([])
answered = (QueryEvaluation(1, "q", "q", {"P@5": 0.5}),)
models = tuple(
    ModelEvaluation(key, key, {"P@5": Measured(value)}, answered, costs=ModelCosts(items_per_s=rate))
    for key, value, rate in (("a", 0.6, 20.0), ("b", 0.5, 30.0))
)
plot = CostPlot()
plot.show()
plot.show_evaluation(Evaluation(5, ("P@5",), models, (), "P@5"))
print(plot._loading is not None, "app.gui.plotting" in sys.modules)
while plot.chart is None:
    app.processEvents()
print("drawn")
"""
        run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
        assert run.stdout.split() == ["True", "False", "drawn"]

    def test_of_equal_ones_in_both_one_stands_for_all(self) -> None:
        twin = replace(self.GOOD, key="twin")
        assert frontier([self.GOOD, twin], more_is_better=True) == [self.GOOD]

    def test_the_marks_of_a_logarithmic_axis_are_round(self) -> None:
        assert ticks(3, 120) == [5, 10, 20, 50, 100]
        assert ticks(0.2, 1.5) == pytest.approx([0.2, 0.5, 1])

    def test_names_keep_clear_of_points_and_of_one_another(self) -> None:
        from app.gui.plotting import place_labels

        spots = [QPointF(100, 100), QPointF(108, 104), QPointF(100, 140)]
        dots = [QRectF(spot.x() - 5, spot.y() - 5, 10, 10) for spot in spots]
        sizes = [QSizeF(60, 14)] * 3
        corners = place_labels(spots, sizes, QRectF(0, 0, 400, 300), dots, [])
        labels = [QRectF(corner, size) for corner, size in zip(corners, sizes, strict=True)]
        for number, label in enumerate(labels):
            others = [*labels[:number], *labels[number + 1 :], *dots]
            assert not any(label.intersects(other) for other in others)


def test_the_bars_of_a_column_share_a_scale_on_which_they_can_be_seen() -> None:
    sure = [
        replace(model(name, judged_by(DOG, (0.5,) * 4)), measures={"P@5": Measured(value, value - 0.01, value + 0.01)})
        for name, value in (("A", 0.62), ("B", 0.57))
    ]
    bars = [row.cells[0].bar for row in measures.rows(Evaluation(5, ("P@5",), tuple(sure), (DOG,), "P@5"))]
    assert [(bar.start, bar.end) for bar in bars if bar] == [(0.5, 0.7), (0.5, 0.7)]


def test_a_bar_is_painted_within_its_place(qapp: Any) -> None:
    image = QImage(60, 9, QImage.Format.Format_ARGB32)
    image.fill(0)
    painter = QPainter(image)
    paint_bar(painter, QRectF(0, 1, 60, 7).toRect(), Bar(1.0, 0.9, 1.1, 0.0, 1.2))
    painter.end()
    rows = {y for y in range(9) for x in range(60) if image.pixelColor(x, y).alpha()}
    assert rows <= set(range(1, 8))


def test_a_table_shares_its_columns_out_evenly(qtbot: Any) -> None:
    table = CellTable("Costs", wraps=True)
    qtbot.addWidget(table)
    table.resize(560, 400)
    cell = measures.cell("P@1", Measured(0.5))
    table.show_rows("Model", [Column(str(number)) for number in range(6)], [Row("A", (cell,) * 6)])
    assert [block.columnCount() - 1 for block in table.blocks] == [3, 3]
    assert table.left_out == 2
