"""Measured on a person's own files: what cannot be read is passed by, and what is not there is said."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from app.bench import media, models, pipeline, queries, scanning, streams
from app.bench.figure import NothingToMeasure, Target, Workbench, figure
from app.bench.run import BenchReport, document
from app.cli import tables
from app.cli.arguments import parser
from app.cli.run import run
from app.engine.types import MediaKind

PHOTO_PX = (320, 240)
ON_OWN_FILES = ("images", "three-models", "scaled-decode", "films", "sounds", "query-load")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "mine"
    made.mkdir()
    return made


@pytest.fixture
def workbench(tmp_path: Path, folder: Path) -> Workbench:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return Workbench(scratch, folder, scale=0.02, runs=1)


def photo(path: Path, seed: int) -> None:
    media.picture(seed, PHOTO_PX).save(path)


def damaged(path: Path) -> None:
    """A JPEG that breaks off within its header."""
    path.write_bytes(media.jpeg(Image.new("RGB", PHOTO_PX))[:100])


def refusal(line: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    assert run(parser().parse_args(["bench", *line, "--scale", "0.02", "--json"])) == 1
    error: dict[str, str] = json.loads(capsys.readouterr().out)["error"]
    return error


@pytest.mark.parametrize("name", ["rescan", *ON_OWN_FILES])
def test_an_empty_folder_is_told_of(
    name: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = refusal([str(folder), "--only", name, "--home", str(tmp_path / "home")], capsys)
    assert (error["title"], error["path"]) == ("There is nothing to measure", str(folder))
    assert error["message"].startswith("This folder holds no ")


@pytest.mark.parametrize("name", ON_OWN_FILES)
def test_a_folder_of_damaged_files_is_told_of(
    name: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for ending in ("jpg", "mp4", "flac"):
        (folder / f"damaged.{ending}").write_bytes(b"damaged")
    error = refusal([str(folder), "--only", name, "--home", str(tmp_path / "home")], capsys)
    assert (error["title"], error["path"]) == ("There is nothing to measure", str(folder))


def test_pictures_of_any_format_are_measured_and_damaged_ones_passed_by(
    workbench: Workbench, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "CLIP", models.COLOUR_TEXTURE)  # takes no seconds to make and to load
    photo(folder / "a.png", 1)
    damaged(folder / "b.jpg")
    photo(folder / "c.jpg", 2)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    figures = pipeline.image_pipeline(workbench)
    assert [each.runs for each in figures] == [1, 1]
    assert all(each.ratio > 0 for each in figures)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_copies_keep_their_endings_and_decode_as_their_originals(tmp_path: Path, folder: Path) -> None:
    photo(folder / "a.png", 1)
    photo(folder / "b.webp", 2)
    found = sorted(media.copyable(folder, MediaKind.PHOTO, tmp_path / "trial"))
    paths = media.copies(tmp_path / "copies", found, 4)
    assert [path.suffix for path in paths] == [".png", ".webp"] * 2
    for path, original in zip(paths, found * 2, strict=True):
        with Image.open(path) as copy, Image.open(original) as first:
            assert copy.tobytes() == first.tobytes()
    assert len({path.read_bytes() for path in paths}) == 4


def test_scaled_decoding_passes_damaged_photos_by(workbench: Workbench, folder: Path) -> None:
    damaged(folder / "00.jpg")
    for seed in range(pipeline.FEWEST_LARGE_PHOTOS - 1):
        photo(folder / f"{seed + 1:02}.jpg", seed)
    with pytest.raises(NothingToMeasure, match="12 photos"):
        pipeline.scaled_decode(workbench)
    photo(folder / "more.png", 99)
    assert len(pipeline._large_photos(workbench)) == pipeline.FEWEST_LARGE_PHOTOS


def test_all_neighbours_of_few_are_compared() -> None:
    vectors = np.eye(4, dtype=np.float32)
    assert pipeline._overlap(vectors, vectors, 10) == 1.0


def test_own_films_are_measured_where_they_lie_at_the_distance_of_their_key_frames(
    workbench: Workbench, folder: Path
) -> None:
    media.film(folder / "a.mkv", 1, key_frame_every_s=0.5)
    (folder / "b.mkv").write_bytes((folder / "a.mkv").read_bytes()[:1000])
    assert streams._key_frame_interval_ms(folder / "a.mkv") == 500
    (made,) = streams.key_frames(workbench)
    assert made.details["films"] == 1
    assert made.ratio > 0
    assert list(workbench.scratch.iterdir()) == []


def test_a_film_with_few_key_frames_is_no_measure(workbench: Workbench, folder: Path) -> None:
    film = folder / "slow.mkv"
    with av.open(str(film), "w") as container:
        stream = container.add_stream("mpeg4", rate=1, options={"g": "100"})
        stream.width, stream.height = 64, 48
        for shade in range(20):
            picture = np.full((48, 64, 3), shade, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode(None))
    with pytest.raises(NothingToMeasure, match="key frame"):
        streams.key_frames(workbench)


def test_own_sounds_are_as_many_as_hold_enough_windows(workbench: Workbench, folder: Path) -> None:
    for seed, length in enumerate((1, 3)):
        media.write_sound(folder / f"{seed}.flac", np.tile(media.clip(seed), length))
    (folder / "2.flac").write_bytes(b"damaged")
    own, count = streams._sounds(workbench)
    assert {path.name for path in own} == {"0.flac", "1.flac"}
    assert count == 2


def test_a_file_that_cannot_be_read_is_no_change_to_the_folder(workbench: Workbench, folder: Path) -> None:
    photo(folder / "a.png", 1)
    (folder / "b.png").symlink_to(folder / "gone.png")
    (folder / "c.png").write_bytes(b"")
    (made,) = scanning.rescan(workbench)
    assert made.ratio > 0


def test_searches_are_measured_in_a_folder_with_a_damaged_file(workbench: Workbench, folder: Path) -> None:
    photo(folder / "a.jpg", 1)
    damaged(folder / "b.jpg")
    (made,) = queries.measure_load(workbench)
    assert made.details["items"] == 1


def test_measurements_that_find_nothing_are_left_out_and_named_when_all_are_taken(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.bench import run as taking

    photo(folder / "a.jpg", 1)
    some = {"films": streams.key_frames, "sounds": streams.sounds, "rescan": scanning.rescan}
    monkeypatch.setattr(taking, "measures", lambda: some)
    report = taking.bench([], folder, tmp_path, scale=0.02, runs=1)
    assert [each.name for each in report.figures] == ["rescan"]
    assert [sentence.split(":")[0] for sentence in document(report)["left_out"]] == ["films", "sounds"]


def test_a_report_reads_as_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    figures = (
        figure("one", [2.0], Target(">=", 1.0), "the disk", frames_hz=3.0),
        figure("two", [0.5], Target(">=", 1.0), "the cores"),
    )
    report = BenchReport("a machine", (0.0, 0.0), figures, ("films: None are there.",))
    tables.bench(Console(width=200), document(report))
    lines = capsys.readouterr().out.splitlines()
    assert lines[-3:] == [
        "one: frames_hz 3; what limits it: the disk.",
        "two: limited by: the cores.",
        "Left out: films: None are there.",
    ]


def test_no_name_is_no_measurement(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["bench", "--only", ",", "--home", str(tmp_path)])
    assert "give at least one name" in capsys.readouterr().err


def test_an_interrupted_measurement_promises_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.bench import run as taking

    def interrupt(_bench: Workbench) -> list[object]:
        raise KeyboardInterrupt

    monkeypatch.setattr(taking, "measures", lambda: {"films": interrupt})
    assert run(parser().parse_args(["bench", "--home", str(tmp_path)])) == 130
    assert capsys.readouterr().err == "Interrupted: Nothing that was measured is kept.\n"
