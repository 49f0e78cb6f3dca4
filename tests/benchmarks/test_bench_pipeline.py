"""The measurements run and tell what they say. That a figure is met is no test: it is for `semblance bench`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.bench import load, pipeline, streams
from app.bench.figure import Figure, Target, Workbench, figure
from app.bench.run import bench, document, measures
from app.cli.arguments import parser
from app.cli.run import run
from app.engine.errors import AppError


@pytest.fixture
def workbench(tmp_path: Path) -> Workbench:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return Workbench(scratch, scale=0.02, runs=2)


def assert_sane(figures: list[Figure]) -> None:
    for each in figures:
        assert 0 < each.ratio < 1000
        assert each.runs >= 1
        assert each.spread >= 0
        assert each.limited_by
        assert all(value >= 0 for value in each.details.values())


def test_a_figure_is_the_median_of_its_runs() -> None:
    made = figure("name", [3.0, 1.0, 2.0], Target(">=", 1.5), "why", seconds=4.0)
    assert (made.ratio, made.runs, made.spread, made.met) == (2.0, 3, 1.0, True)
    assert not Target("<=", 1.5).met(2.0)
    assert str(Target("<=", 1.5)) == "<= 1.5"


def test_films_are_compared_with_their_key_frames(workbench: Workbench) -> None:
    figures = streams.key_frames(workbench)
    assert_sane(figures)
    assert figures[0].details["frames_hz"] > 0


def test_every_model_that_is_ready_is_measured(workbench: Workbench) -> None:
    figures = load.models(workbench)
    assert_sane(figures)
    assert [each.name.split()[0] for each in figures] == ["colour-texture", "timbre"]
    assert all(each.details["items_hz"] > 0 for each in figures)


def test_photos_to_measure_on_are_large_and_differ(tmp_path: Path) -> None:
    from PIL import Image

    from app.bench import media

    pictures = [media.jpeg(media.picture(seed, (640, 480))) for seed in (1, 2)]
    paths = media.copies(tmp_path / "copies", media.written(tmp_path / "originals", pictures, ".jpg"), 4)
    contents = [path.read_bytes() for path in paths]
    assert len(set(contents)) == 4
    with Image.open(paths[0]) as first, Image.open(paths[2]) as third:
        assert first.size == (640, 480)
        assert first.tobytes() == third.tobytes()


@pytest.mark.shared_data
def test_real_photos_lie_side_by_side_without_being_enlarged(shared_data: Path) -> None:
    from app.bench import media

    photos = sorted((shared_data / "images" / "photos_clip").glob("*.jpg"))
    assert media.mosaic(photos, (1440, 1080)).size == (1440, 1080)


def test_memory_is_compared_between_the_halves_of_a_run_and_the_report_is_a_document(tmp_path: Path) -> None:
    report = bench(["memory"], None, tmp_path, scale=0.004, runs=1)
    (memory,) = report.figures
    assert_sane([memory])
    assert memory.details["items"] == 200
    assert memory.details["first_half_mib"] > 10
    made = document(report)
    assert made["machine"]
    assert len(made["load"]) == 2
    assert set(made["figures"][0]) == {
        "name", "ratio", "target", "met", "runs", "spread", "limited_by", "details",
    }  # fmt: skip
    json.dumps(made)


def test_an_unknown_measurement_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(AppError, match=r"no “speed”.*images"):
        bench(["speed"], None, tmp_path, 1.0, 1)


def test_every_measurement_has_one_name(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(parser().parse_args(["bench", "--only", "list", "--json", "--home", str(tmp_path)])) == 0
    assert json.loads(capsys.readouterr().out) == list(measures())
    assert set(pipeline.MEASURES) < set(measures())


def test_a_folder_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(parser().parse_args(["bench", str(tmp_path / "gone"), "--home", str(tmp_path)])) == 1
    assert "no such folder" in capsys.readouterr().err
