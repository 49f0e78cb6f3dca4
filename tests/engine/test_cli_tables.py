"""What a person reads on a terminal fits it, and nothing is cut."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from app.cli import blocks, evaluationtables
from app.engine.evaltypes import (
    Comparison,
    Evaluation,
    Measured,
    ModelCosts,
    ModelEvaluation,
    QueryEvaluation,
    Verdict,
)

MEASURES = ("P@10", "R@10", "nDCG@10", "AP", "RR", "F1@10", "Success@10", "Rprec", "Judged@10")
MODELS = ("siglip2-so400m-14", "colour-texture", "clip-xlm-roberta-b-32")


def printed(evaluation: Evaluation, width: int) -> list[str]:
    console = Console(file=io.StringIO(), soft_wrap=True, width=width)
    evaluationtables.evaluation(console, evaluation)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


@pytest.fixture
def evaluation() -> Evaluation:
    measured = {name: Measured(0.612, 0.55, 0.68) for name in MEASURES}
    results = (QueryEvaluation(1, "text:bay", "bay", dict.fromkeys(MEASURES, 0.612)),)
    costs = ModelCosts(items_per_s=21.5, device="cpu", query_p50_ms=38.2, licence="Apache-2.0", memory_bytes=3 * 10**9)
    models = tuple(ModelEvaluation(key, key, measured, results, costs=costs) for key in MODELS)
    return Evaluation(10, MEASURES, models, (), measure="P@10")


@pytest.mark.parametrize("width", [80, 100, 160])
def test_measures_stand_in_blocks_that_fit(evaluation: Evaluation, width: int) -> None:
    lines = printed(evaluation, width)
    of_models = [line for line in lines if line.startswith(MODELS) or line.startswith("model")]
    assert all(len(line) <= width for line in of_models)
    assert sum(line.count("0.612 (0.550–0.680)") for line in of_models) == len(MODELS) * len(MEASURES)
    heads = " ".join(line for line in of_models if line.startswith("model"))
    assert [heads.split().count(name) for name in MEASURES] == [1] * len(MEASURES)
    assert not any("…" in line for line in lines)


def test_in_a_pipe_a_model_is_one_line(evaluation: Evaluation) -> None:
    lines = printed(evaluation, 500)
    assert sum(line.startswith(MODELS[0]) and "0.612" in line for line in lines) == 1


def test_what_is_wider_than_the_terminal_is_still_whole() -> None:
    console = Console(file=io.StringIO(), soft_wrap=True, width=20)
    blocks.show(console, ("name", "what"), [blocks.Line(("a very long name indeed", "and as long a value"))])
    assert isinstance(console.file, io.StringIO)
    assert "a very long name indeed  and as long a value" in console.file.getvalue()


def test_what_is_not_judged_and_how_sure_a_comparison_is_are_told(evaluation: Evaluation) -> None:
    unsure = {**evaluation.models[0].measures, "P@10": Measured(0.612, 0.55, 0.68, 0.9, 0.6, 0.7)}
    models = (replace(evaluation.models[0], measures=unsure), *evaluation.models[1:])
    sentence = "A beats B (P@10 +0.12, 95% 0.03 to 0.21)."
    comparison = Comparison(
        "P@10", *MODELS[:2], 9, 0.1, 0.0, 0.2, 0.01, 0.02, 0.8, 5, 2, 2, Verdict.BETTER, None, sentence
    )
    lines = printed(replace(evaluation, models=models, comparisons=(comparison,)), 500)
    assert f"{sentence} p = 0.020, corrected" in lines
    assert any(
        "10% of the results that P@10 looks at are not judged, and count as not relevant; judging those that are shown "
        "first could make it 0.600 to 0.700." in line
        for line in lines
    )


def test_what_comparisons_do_not_speak_of_is_told_below_them(evaluation: Evaluation) -> None:
    tied = Comparison(
        "P@10", *MODELS[:2], 9, 0.1, 0.0, 0.2, 0.01, 0.02, 0.8, 5, 2, 2, Verdict.ALIKE, None, "A and B are alike."
    )
    lines = printed(replace(evaluation, comparisons=(tied,), caution="They hold for two folders."), 500)
    at = lines.index("A and B are alike.")  # without the p of a difference
    assert lines[at + 1] == "They hold for two folders."


def test_why_a_model_has_no_figures_is_told_below_them(evaluation: Evaluation) -> None:
    why = "Cannot search by words, so 280 queries are left out."
    of_sounds = ModelEvaluation("timbre", "Timbre", {}, (), note=why)
    lines = printed(replace(evaluation, models=(*evaluation.models, of_sounds)), 500)
    assert lines.count(f"timbre: {why}") == 1


@pytest.mark.parametrize(("p50_ms", "words"), [(0.1234, "0.123 ms"), (38.24, "38.2 ms"), (1034.2, "1,034 ms")])
def test_times_are_told_without_powers_of_ten(evaluation: Evaluation, p50_ms: float, words: str) -> None:
    costs = replace(evaluation.models[0].costs, query_p50_ms=p50_ms)
    slow = replace(evaluation, models=(replace(evaluation.models[0], costs=costs),))
    assert any(words in line for line in printed(slow, 500))


def test_sizes_are_told_in_one_unit(evaluation: Evaluation) -> None:
    assert any("3.0 GB" in line for line in printed(evaluation, 160))
