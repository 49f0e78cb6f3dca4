"""What a person reads on a terminal fits it, and nothing is cut."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from app.cli import blocks, evaluationtables
from app.engine.evaltypes import Evaluation, Measured, ModelCosts, ModelEvaluation, QueryEvaluation

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
    assert sum(line.count("0.612 (0.55–0.68)") for line in of_models) == len(MODELS) * len(MEASURES)
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


def test_sizes_are_told_in_one_unit(evaluation: Evaluation) -> None:
    assert any("3.0 GB" in line for line in printed(evaluation, 160))
