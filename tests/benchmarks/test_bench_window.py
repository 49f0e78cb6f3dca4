"""The measurement of the window works: it ticks, finds its results and gives numbers that can be."""

from __future__ import annotations

from pathlib import Path

from app.bench.figure import Workbench
from app.bench.window import MEASURES


def test_the_window_is_measured_over_its_real_engine(tmp_path: Path) -> None:
    p99, longest = MEASURES["window-gap"](Workbench(tmp_path, runs=1, scale=0.02))
    assert (str(p99.target), str(longest.target)) == ("<= 1", "<= 1")
    numbers = p99.details
    assert numbers["ticks"] >= numbers["scrolling_ticks"] > 0
    assert 0 < numbers["p50_ms"] <= numbers["p99_ms"] <= numbers["max_ms"]
    assert numbers["scrolling_max_ms"] <= numbers["max_ms"]
    assert p99.ratio == numbers["p99_ms"] / 16
    assert longest.ratio == numbers["max_ms"] / 50
    assert p99.limited_by
