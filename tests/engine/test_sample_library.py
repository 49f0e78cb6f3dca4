"""The sample library is whole, small, readable and what its script makes."""

from __future__ import annotations

import csv
import importlib
import re
from pathlib import Path
from urllib.parse import unquote

import av
import numpy as np
import pytest
from PIL import Image

PROJECT_DIR = Path(__file__).resolve().parents[2]
SAMPLE_DIR = PROJECT_DIR / "resources" / "sample"
ICONS_DIR = PROJECT_DIR / "resources" / "icons"
MAX_SIZE_BYTES = 6_000_000
MEDIA_FOLDERS = {"pictures": 60, "sounds": 25, "videos": 3}


@pytest.fixture(scope="module")
def captions():
    with (SAMPLE_DIR / "captions.csv").open(encoding="utf-8", newline="") as file:
        return {row["file"]: row["caption"] for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def judgments():
    lines = (SAMPLE_DIR / "qrels.txt").read_text(encoding="utf-8").splitlines()
    return [(query, document, int(grade)) for query, _, document, grade in (line.split() for line in lines)]


@pytest.fixture
def scripts(monkeypatch):
    """Imports a module of the scripts, which stand outside the package."""
    monkeypatch.syspath_prepend(str(PROJECT_DIR / "packaging"))
    return lambda name: importlib.import_module(f"sample.{name}")


def media_files():
    return sorted(
        path.relative_to(SAMPLE_DIR).as_posix()
        for folder in MEDIA_FOLDERS
        for path in (SAMPLE_DIR / folder).rglob("*")
        if path.is_file()
    )


def test_every_file_has_a_caption_and_every_caption_a_file(captions):
    assert sorted(captions) == media_files()
    assert all(captions.values())
    assert len(set(captions.values())) == len(captions)


def test_it_holds_what_it_promises_and_stays_small(captions):
    for folder, count in MEDIA_FOLDERS.items():
        assert sum(file.startswith(f"{folder}/") for file in captions) == count
    assert sum(path.stat().st_size for path in SAMPLE_DIR.rglob("*") if path.is_file()) < MAX_SIZE_BYTES


def test_every_picture_opens_and_carries_its_caption(captions):
    for file, caption in captions.items():
        if file.startswith("pictures/"):
            with Image.open(SAMPLE_DIR / file) as image:
                image.load()
                assert image.size == (640, 480)
                assert caption in (image.getexif().get(0x010E), image.info.get("Description")), file


def test_every_sound_and_video_opens_and_carries_its_caption(captions):
    long_sounds = 0
    for file, caption in captions.items():
        if not file.startswith("pictures/"):
            with av.open(str(SAMPLE_DIR / file)) as container:
                tags = [container.metadata, *(stream.metadata for stream in container.streams)]
                assert caption in [each.get("title", each.get("TITLE")) for each in tags], file
                assert next(container.decode(container.streams[0])) is not None
                duration_s = container.duration / av.time_base
                assert 2 <= duration_s <= 15, file
                long_sounds += file.startswith("sounds/") and duration_s > 10
    assert long_sounds == 1


def test_one_video_has_a_sound_track_and_all_have_a_keyframe_every_two_seconds():
    with_sound = 0
    for path in sorted((SAMPLE_DIR / "videos").iterdir()):
        with av.open(str(path)) as container:
            with_sound += bool(container.streams.audio)
            keys = [float(packet.pts * packet.time_base) for packet in container.demux(video=0) if packet.is_keyframe]
        assert keys == [2.0 * number for number in range(len(keys))]
        assert len(keys) >= 3
    assert with_sound == 1


def test_judgments_name_files_that_are_there(captions, judgments):
    for query, document, grade in judgments:
        path, _, moment = document.partition("#")
        assert unquote(path) in captions
        assert not moment or moment.isdigit()
        assert grade in (0, 1)
        kind, _, value = query.partition(":")
        assert kind in ("text", "image", "sound")
        if kind != "text":
            assert unquote(value) in captions
            assert unquote(value) != unquote(path), "a query's own file is not judged"


def test_every_query_has_some_relevant_and_many_not(judgments):
    queries = {query for query, _, _ in judgments}
    assert sorted(query.split(":")[0] for query in queries) == ["image"] * 10 + ["sound"] * 6 + ["text"] * 9
    for query in queries:
        grades = [grade for name, _, grade in judgments if name == query]
        assert 2 <= sum(grades) <= 14, query
        assert len(grades) >= 25, query


def test_each_pair_is_judged_once(judgments):
    assert len({(query, document) for query, document, _ in judgments}) == len(judgments)


def test_the_judgments_and_captions_are_the_scripts_own(scripts, captions):
    assert scripts("judgments").qrels() == (SAMPLE_DIR / "qrels.txt").read_text(encoding="utf-8")
    works = [*scripts("pictures").PICTURES, *scripts("sound_list").SOUNDS, *scripts("videos").VIDEOS]
    assert {work.file: work.caption for work in works} == captions


def test_a_picture_drawn_again_is_the_one_that_ships(scripts):
    picture = next(each for each in scripts("pictures").PICTURES if each.file.endswith("striped-sun.jpg"))
    with Image.open(SAMPLE_DIR / picture.file) as image:
        shipped = np.asarray(image.convert("RGB"), np.float32)
    assert np.abs(shipped - picture.pixels()).mean() < 4  # of 255: what JPEG loses


def test_a_sound_played_again_is_the_one_that_ships(scripts):
    sound = next(each for each in scripts("sound_list").SOUNDS if each.file.endswith("harp-arpeggio.flac"))
    with av.open(str(SAMPLE_DIR / sound.file)) as container:
        shipped = np.concatenate([frame.to_ndarray().ravel() for frame in container.decode(audio=0)])
    np.testing.assert_allclose(shipped / 32767, sound.samples(), atol=1e-3)


def test_the_icon_png_is_the_drawing_in_the_script(scripts):
    icon = scripts("icon")
    for size_px in icon.SIZES_PX:
        with Image.open(ICONS_DIR / f"semblance-{size_px}.png") as image:
            assert image.size == (size_px, size_px)
    with Image.open(ICONS_DIR / "semblance-64.png") as image:
        assert np.array_equal(np.asarray(image), np.asarray(icon.draw_icon(64)))


def test_the_icons_share_one_style_and_are_listed():
    listed = set(re.findall(r"`([a-z-]+)` ", (ICONS_DIR / "README.md").read_text(encoding="utf-8")))
    drawn = {
        path.stem: path.read_text(encoding="utf-8") for path in ICONS_DIR.glob("*.svg") if path.stem != "semblance"
    }
    assert set(drawn) == listed
    for name, svg in drawn.items():
        assert 'viewBox="0 0 24 24"' in svg, name
        if name in ("chevron", "check-white"):  # for the style sheet, which shows drawings in the colours they have
            continue
        assert 'stroke="#000" stroke-width="1.75"' in svg, name
