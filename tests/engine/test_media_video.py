"""Videos give the frames that a player shows, at their exact times, whatever the container and the way to a frame."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from app.engine.errors import MediaUnreadable
from app.engine.media import decode as decoding
from app.engine.media.decode import Cursor, DecodedItem, DecodedPart, DecodeRequest, decode, preview, sample_at
from app.engine.samples import PictureInput, SoundInput
from app.engine.types import ItemKind, MediaKind

SMALL = PictureInput(48, 48)
CONTAINERS = [f"sea-360p.{ending}" for ending in ("avi", "mkv", "mov", "mp4", "mpg", "ogg", "webm", "wmv")]


def parts(path: Path, **options: object) -> Iterator[DecodedPart]:
    request = DecodeRequest(os.fsencode(path), (SMALL,), **options)
    while True:
        part = decode(request)
        yield part
        if part.next is None:
            return
        request = DecodeRequest(os.fsencode(path), (SMALL,), **{**options, "cursor": part.next})


def frames(path: Path, interval_ms: int = 2000) -> list[DecodedItem]:
    found = [item for part in parts(path, frame_interval_ms=interval_ms) for item in part.items]
    return [item for item in found if item.kind is ItemKind.FRAME]


def exact_frames(path: Path, interval_ms: int = 2000) -> list[DecodedItem]:
    """As where key frames are too few."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding.Film, "_has_key_frames_every", lambda *_: False)
        return frames(path, interval_ms)


def times_ms(items: list[DecodedItem]) -> list[int | None]:
    return [item.start_ms for item in items]


def film(path: Path, colours: list[tuple[int, int, int]], rate: int = 10, **settings: object) -> Path:
    """A film of one colour, or one given picture, per frame; ``settings`` are the codec context's."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(settings.pop("codec", "mpeg4"), rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, settings.pop("pix_fmt", "yuv420p")
        stream.codec_context.gop_size = settings.pop("gop_size", 12)
        rotation = settings.pop("rotation", None)
        if rotation is not None:
            stream.set_display_rotation(*rotation)
        for name, value in settings.items():
            setattr(stream.codec_context, name, value)
        for colour in colours:
            pixels = np.broadcast_to(np.uint8(colour), (48, 64, 3))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24")))
        container.mux(stream.encode(None))
    return path


GREYS = [(level, level, level) for level in range(0, 250, 5)]


# --- times -----------------------------------------------------------------------------------------------------------


@pytest.mark.shared_data
@pytest.mark.parametrize("stream", [0, 3])
def test_every_frame_has_its_true_time(shared_data: Path, stream: int, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shared_data / "video" / "codecs" / "nasa_13013.mp4"
    truth = json.loads(path.with_name(f"{path.name}.stream{stream}.all_frames_info.json").read_text())
    monkeypatch.setattr(decoding.containers, "picture_stream", lambda container: container.streams[stream])
    monkeypatch.setattr(decoding, "MAX_FRAMES_PER_PART", 1000)
    monkeypatch.setattr(decoding.thumbnails, "picture", lambda image: b"")
    assert times_ms(frames(path, interval_ms=1)) == [round(Fraction(frame["pts_time"]) * 1000) for frame in truth]


@pytest.mark.shared_data
def test_the_frame_shown_is_the_frame_that_is_named(shared_data: Path) -> None:
    folder = shared_data / "video" / "frame_accuracy"
    stills = []
    for number in range(1, 31):
        with Image.open(folder / f"frame{number:03}.png") as still:
            stills.append(np.asarray(still.convert("RGB").reduce(8), float))
    path = os.fsencode(folder / "counter.mp4")
    spec = PictureInput(240, 240, "squash")
    references = [np.asarray(Image.fromarray(still.astype(np.uint8)).resize((240, 240)), float) for still in stills]
    for at_ms in (0, 99, 100, 1_449, 1_450, 1_999, 2_000, 2_900, 2_999, 60_000):
        seen = sample_at(path, spec, at_ms).astype(float)
        nearest = int(np.argmin([np.abs(seen - reference).mean() for reference in references]))
        assert nearest == min(at_ms // 100, 29)


@pytest.mark.shared_data
@pytest.mark.parametrize("name", CONTAINERS)
def test_every_container_gives_a_frame_every_two_seconds(shared_data: Path, name: str) -> None:
    (part,) = parts(shared_data / "video" / "containers" / name)
    assert part.kind is MediaKind.VIDEO
    assert (part.facts.width_px, part.facts.height_px) == (640, 360)
    assert part.facts.duration_ms == pytest.approx(5_100, abs=60)
    times = times_ms(exact_frames(shared_data / "video" / "containers" / name))
    assert len(times) == 3
    for time_ms, wanted_ms in zip(times, (0, 2_000, 4_000), strict=True):
        assert time_ms is not None
        assert wanted_ms - 70 <= time_ms <= wanted_ms + 34  # AVI orders its times by decoding, a frame off
    near = times_ms(list(part.items))
    assert [round((time_ms or 0) / 2_000) for time_ms in near] == [0, 1, 2]


@pytest.mark.shared_data
@pytest.mark.parametrize("name", [*CONTAINERS, "../codecs/av1_video.mkv"])
def test_a_frame_is_the_same_on_every_way_to_it(shared_data: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shared_data / "video" / "containers" / name
    straight = frames(path, interval_ms=700)
    monkeypatch.setattr(decoding, "MAX_FRAMES_PER_PART", 1)
    in_parts = frames(path, interval_ms=700)
    assert times_ms(in_parts) == times_ms(straight)
    for one, other in zip(straight, in_parts, strict=True):
        assert np.array_equal(one.inputs[SMALL], other.inputs[SMALL])
        assert np.array_equal(one.inputs[SMALL], sample_at(os.fsencode(path), SMALL, one.start_ms or 0))


def test_seeking_over_key_frames_gives_what_decoding_through_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = film(tmp_path / "a.mp4", GREYS * 4, gop_size=7, max_b_frames=2)
    sought = exact_frames(path, interval_ms=3_100)
    monkeypatch.setattr(decoding.Film, "_is_worth_seeking", lambda *_: False)
    assert times_ms(exact_frames(path, interval_ms=3_100)) == times_ms(sought) == list(range(0, 20_000, 3_100))
    for one, other in zip(exact_frames(path, interval_ms=3_100), sought, strict=True):
        assert np.array_equal(one.inputs[SMALL], other.inputs[SMALL])


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_key_frames_are_taken_where_there_are_enough_of_them(tmp_path: Path, name: str, b_frames: int) -> None:
    path = film(tmp_path / name, GREYS * 4, gop_size=7, max_b_frames=0 if name == "a.avi" else b_frames)
    with av.open(str(path)) as container:
        start_s = (container.start_time or 0) / av.time_base
        packets = [packet for packet in container.demux(video=0) if packet.is_keyframe]
        keys_ms = [round((float(packet.pts * packet.time_base) - start_s) * 1000) for packet in packets]
    taken = frames(path, interval_ms=1_000)
    closest_ms = [min(keys_ms, key=lambda key_ms: abs(key_ms - wanted_ms)) for wanted_ms in range(0, 20_000, 1_000)]
    assert times_ms(taken) == closest_ms
    for item in taken:
        assert np.array_equal(item.inputs[SMALL], sample_at(os.fsencode(path), SMALL, item.start_ms or 0))


def test_frames_are_exact_where_key_frames_are_too_few(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", GREYS, gop_size=25)
    assert times_ms(frames(path, interval_ms=1_000)) == [0, 1_000, 2_000, 3_000, 4_000]


def test_key_frames_come_in_parts_as_they_come_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = film(tmp_path / "a.mp4", GREYS * 4, gop_size=7)
    whole = frames(path, interval_ms=1_000)
    monkeypatch.setattr(decoding, "MAX_FRAMES_PER_PART", 3)
    assert times_ms(frames(path, interval_ms=1_000)) == times_ms(whole)


def test_a_large_film_is_scaled_as_it_is_decoded_and_keeps_its_size_in_its_facts(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 2560, 1440, "yuv420p"
        stream.set_display_rotation(90)
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((1440, 2560, 3), np.uint8), "rgb24")))
        container.mux(stream.encode(None))
    part = decode(DecodeRequest(os.fsencode(path), (SMALL,)))
    assert (part.facts.width_px, part.facts.height_px) == (1440, 2560)
    with av.open(str(path)) as container:
        film_ = decoding.Film(container, container.streams.video[0], decoding.images.LeastSize(512, 640))
        assert next(film_.shots(2_000)).image.size == (512, 911)


def test_a_frame_shown_long_is_one_item(tmp_path: Path) -> None:
    path = film(tmp_path / "slides.mkv", [(255, 0, 0), (0, 255, 0), (0, 0, 255)], rate=Fraction(1, 5))
    assert times_ms(frames(path)) == [0, 5_000, 10_000]


def test_the_shortest_film_gives_a_frame(tmp_path: Path) -> None:
    assert times_ms(frames(film(tmp_path / "a.mp4", [(9, 9, 9)]))) == [0]


def test_a_part_ends_when_its_time_is_used_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = film(tmp_path / "a.mp4", GREYS)
    whole = frames(path, interval_ms=500)
    monkeypatch.setattr(decoding, "PART_TIME_S", -1.0)
    pieces = list(parts(path, frame_interval_ms=500))
    assert {len(piece.items) for piece in pieces[:-1]} == {1}
    assert pieces[0].next == Cursor("picture", 500, (64, 48))
    assert [item.start_ms for piece in pieces for item in piece.items] == times_ms(whole)


# --- looks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_turned_or_mirrored_film_is_upright(tmp_path: Path, degrees: int, mirrored: bool) -> None:
    stored = np.zeros((48, 64, 3), np.uint8)
    stored[:24, :32], stored[:24, 32:], stored[24:, :32], stored[24:, 32:] = [255, 0, 0], [0, 255, 0], [0, 0, 255], 255
    shown = np.rot90(stored, degrees // 90)
    if mirrored:
        shown = shown[:, ::-1]
    path = film(tmp_path / "a.mp4", [stored], rotation=(degrees, mirrored))
    part = decode(DecodeRequest(os.fsencode(path)))
    assert (part.facts.height_px, part.facts.width_px) == shown.shape[:2]
    seen = sample_at(os.fsencode(path), PictureInput(40, 40, "squash"))
    expected = np.asarray(Image.fromarray(np.ascontiguousarray(shown)).resize((40, 40)))
    assert np.abs(seen.astype(int) - expected).mean() < 12


def test_pixels_that_are_not_square_are_made_square(tmp_path: Path) -> None:
    for aspect, size in ((Fraction(2), (128, 48)), (Fraction(1, 2), (64, 96))):
        path = film(tmp_path / f"{aspect.numerator}.mp4", GREYS[:3], sample_aspect_ratio=aspect)
        facts = decode(DecodeRequest(os.fsencode(path))).facts
        assert (facts.width_px, facts.height_px) == size


@pytest.mark.shared_data
@pytest.mark.parametrize(
    "name", ["h264_10bits.mp4", "h265_10bits.mp4", "h265_video.mp4", "av1_video.mkv", "bt709_full_range.mp4"]
)
def test_every_codec_gives_a_picture_with_contrast(shared_data: Path, name: str) -> None:
    pixels = frames(shared_data / "video" / "codecs" / name)[0].inputs[SMALL]
    assert pixels.std() > 30


def test_high_dynamic_range_is_not_left_grey(tmp_path: Path) -> None:
    tags = {"color_trc": 16, "color_primaries": 9, "colorspace": 9}  # PQ and BT.2020
    path = film(tmp_path / "a.mkv", [(128, 128, 128)] * 3, codec="ffv1", pix_fmt="yuv420p10le", **tags)
    assert sample_at(os.fsencode(path), SMALL).mean() > 150  # half of PQ's range is 92 cd/m2: a bright grey


# --- damage ----------------------------------------------------------------------------------------------------------


@pytest.mark.shared_data
@pytest.mark.parametrize("name", CONTAINERS)
def test_damaged_packets_are_passed_over(shared_data: Path, tmp_path: Path, name: str) -> None:
    content = bytearray((shared_data / "video" / "containers" / name).read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = np.random.default_rng(0).bytes(3000)
    path = tmp_path / name
    path.write_bytes(content)
    found = times_ms(frames(path, interval_ms=250))
    assert min(time_ms or 0 for time_ms in found) < 100
    assert max(time_ms or 0 for time_ms in found) > 4_500
    assert len(found) >= 10


def test_a_film_that_breaks_off_gives_what_there_is(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", GREYS)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = times_ms(frames(path, interval_ms=500))
    assert 2 <= len(found) < 10
    assert found == [500 * number for number in range(len(found))]


@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"RIFF1234AVI LIST", b"\x1aE\xdf\xa3" + b"\xff" * 500])
def test_what_is_no_film_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaUnreadable) as caught:
        decode(DecodeRequest(os.fsencode(path)))
    assert caught.value.path == str(path)


def test_a_playlist_reaches_for_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        path = tmp_path / "a.mp4"
        path.write_text(
            "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n"
            f"http://127.0.0.1:{server.getsockname()[1]}/a.ts\n#EXT-X-ENDLIST\n"
        )
        with pytest.raises(MediaUnreadable):
            decode(DecodeRequest(os.fsencode(path)))
        with pytest.raises(BlockingIOError):
            server.accept()


# --- the other ways in -----------------------------------------------------------------------------------------------


def test_a_preview_is_the_frame_no_larger_than_asked(tmp_path: Path) -> None:
    path = os.fsencode(film(tmp_path / "a.mp4", GREYS))
    (tmp_path / "a.jpg").write_bytes(preview(path, ItemKind.FRAME, 2_000, None, 32))
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.size == (32, 24)
        assert np.asarray(image).mean() == pytest.approx(100, abs=6)


def test_a_film_without_sound_says_so(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", GREYS)
    with pytest.raises(MediaUnreadable, match="no sound track"):
        sample_at(os.fsencode(path), SoundInput(16_000))


def test_tags_and_the_time_of_recording_are_read(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", GREYS[:2])
    tagged = tmp_path / "b.mkv"
    with av.open(str(path)) as source, av.open(str(tagged), "w") as target:
        target.metadata.update({"title": "Harbour", "comment": "rain", "creation_time": "2020-06-01T12:00:00Z"})
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    facts = decode(DecodeRequest(os.fsencode(tagged))).facts
    assert facts.caption == "Harbour; rain"
    assert facts.taken_ms == 1_591_012_800_000
