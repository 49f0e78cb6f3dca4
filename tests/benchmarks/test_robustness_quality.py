"""What disturbances take from the two built-in models on real data. The figures are in ``quality.md``."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from app.engine.evaltypes import Drop, RobustnessRequest
from app.engine.librarytypes import IndexRequest
from app.engine.session import Session

pytestmark = pytest.mark.shared_data


def losses(tmp_path: Path, folder: Path, model: str, every: int, *disturbances: str) -> dict[str, Drop]:
    """Each ``every``-th file asks for the others of its folder; what each disturbance costs, by its key."""
    prefix = "sound" if model == "timbre" else "image"
    files = sorted(folder.glob("*/*"))
    lines = [
        f"{prefix}:{quote(str(one))} 0 {quote(str(other))} 1"
        for one in files[::every]
        for other in one.parent.iterdir()
        if other != one
    ]
    tmp_path.mkdir(exist_ok=True)
    (tmp_path / "qrels.txt").write_text("\n".join(lines))
    with Session.open(tmp_path / "home", device="cpu") as session:
        session.index(IndexRequest((str(folder),), (model,)))
        assert session.evaluations.import_qrels(str(tmp_path / "qrels.txt")).unknown == ()
        result = session.evaluations.robustness(RobustnessRequest(k=5, disturbances=disturbances))
    assert result.notes == ()
    for drop in result.drops:
        print(
            f"{drop.disturbance}: {drop.queries} queries, {drop.before:.3f} to {drop.after:.3f}, {drop.change:+.3f} "
            f"({drop.low:+.3f} to {drop.high:+.3f})"
        )
    return {drop.disturbance: drop for drop in result.drops}


def test_greyscale_costs_a_model_of_colours_more_than_jpeg(shared_data: Path, tmp_path: Path) -> None:
    found = losses(tmp_path, shared_data / "images" / "clothing", "colour-texture", 4, "picture-grey", "picture-jpeg")
    assert found["picture-grey"].queries == 60
    assert found["picture-grey"].change < found["picture-jpeg"].change - 0.01


def test_timbre_does_not_mind_how_loud_a_sound_is_but_noise(shared_data: Path, tmp_path: Path) -> None:
    found = losses(
        tmp_path, shared_data / "audio" / "instruments", "timbre", 4, "sound-gain", "sound-noise-20", "sound-noise-0"
    )
    assert found["sound-gain"].change == 0
    assert found["sound-noise-0"].change < found["sound-noise-20"].change < 0


@pytest.mark.lengthy
def test_all_disturbances_on_all_files(shared_data: Path, tmp_path: Path) -> None:
    pictures = losses(tmp_path / "a", shared_data / "images" / "clothing", "colour-texture", 1)
    sounds = losses(tmp_path / "b", shared_data / "audio" / "instruments", "timbre", 1)
    assert min(pictures, key=lambda key: pictures[key].change) == "picture-rotation"
    assert min(sounds, key=lambda key: sounds[key].change) == "sound-noise-0"
