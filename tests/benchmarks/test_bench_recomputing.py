"""The measurement of evaluating again runs and tells what it says."""

from __future__ import annotations

from pathlib import Path

from app.bench import recomputing
from app.bench.figure import Workbench


def test_an_evaluation_after_a_judgment_is_timed(tmp_path: Path) -> None:
    (figure,) = recomputing.measure_again(Workbench(tmp_path, scale=0.04, runs=2))
    assert figure.ratio > 0
    assert (figure.details["models"], figure.details["queries"], figure.details["comparisons"]) == (2, 20, 1)
