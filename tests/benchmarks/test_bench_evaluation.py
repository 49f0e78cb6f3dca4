"""The simulation of intervals and tests runs and tells what it says. That a figure is met is no test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.bench import evaluation
from app.bench.figure import Workbench
from app.bench.run import measures


def test_coverage_and_size_are_simulated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "QUERIES", (20,))
    monkeypatch.setattr(
        evaluation, "FIGURES", {name: evaluation.FIGURES[name] for name in ("p5_low", "rr_high", "success_sure")}
    )
    covered, of_extremes, of_differences, rejected = evaluation.coverage(Workbench(tmp_path, scale=0.01))
    assert [each.name for each in (covered, of_extremes, of_differences, rejected)] == [
        "interval-coverage",
        "extreme-coverage",
        "difference-coverage",
        "test-size",
    ]
    assert 85 < covered.details["least_percent"] <= covered.details["most_percent"] <= 100
    assert 85 < of_differences.details["least_percent"] <= 100
    assert rejected.details["most_percent"] < 15
    assert covered.details["trials"] == 200


@pytest.mark.parametrize("name", evaluation.FIGURES)
def test_the_means_that_are_to_be_covered_are_those_that_are_drawn(name: str) -> None:
    draw, true = evaluation.FIGURES[name]
    assert draw(np.random.default_rng(1), (400, 500)).mean() == pytest.approx(true, abs=0.004)


def test_the_simulation_is_one_of_the_programs_measurements() -> None:
    assert measures()["coverage"] is evaluation.coverage
