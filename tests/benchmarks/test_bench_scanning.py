"""The measurement of rescanning measures what it says: an unchanged library, every file of it, nothing encoded."""

from __future__ import annotations

from pathlib import Path

from app.bench.figure import Workbench
from app.bench.scanning import FILES_PER_FOLDER, MEASURES


def test_a_small_library_is_walked_and_rescanned(tmp_path: Path) -> None:
    (figure,) = MEASURES["rescan"](Workbench(tmp_path, scale=0.001, runs=3))
    assert (figure.name, figure.runs, str(figure.target)) == ("rescan", 3, "<= 1.5")
    assert figure.details["files"] == 2 * FILES_PER_FOLDER
    assert figure.ratio > 0


def test_a_folder_of_the_users_own_is_measured_and_left_as_it_is(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("a.png", "b.png"):
        (photos / name).write_bytes(name.encode())
    (tmp_path / "scratch").mkdir()
    (figure,) = MEASURES["rescan"](Workbench(tmp_path / "scratch", folder=photos, runs=1))
    assert figure.details["files"] == 2
    assert {path.name: path.read_bytes() for path in photos.iterdir()} == {"a.png": b"a.png", "b.png": b"b.png"}
