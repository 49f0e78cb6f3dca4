"""Sounds become mono windows that sit at their exact times at every encoder's rate."""

from __future__ import annotations

import os
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from app.engine.errors import MediaUnreadable
from app.engine.media import decode as decoding
from app.engine.media.decode import Cursor, DecodedItem, DecodeRequest, decode, preview, sample_at
from app.engine.samples import PictureInput, SoundInput
from app.engine.types import ItemKind, MediaKind

PANNS = SoundInput(32_000)
CLAP = SoundInput(48_000)
FORMATS = ["aac", "ac3", "aiff", "flac", "m4a", "mp3", "ogg", "ogx", "wav", "wma"]


def windows(path: Path, *, sounds: tuple[SoundInput, ...] = (PANNS,), window_ms: int = 10_000) -> list[DecodedItem]:
    """The sound items of all parts."""
    found: list[DecodedItem] = []
    cursor: Cursor | None = Cursor("sound", 0)
    while cursor is not None:
        part = decode(DecodeRequest(os.fsencode(path), sounds=sounds, window_ms=window_ms, cursor=cursor))
        found += part.items
        cursor = part.next
    return found


def spans(items: list[DecodedItem]) -> list[tuple[int | None, int | None]]:
    return [(item.start_ms, item.end_ms) for item in items]


def recording(
    path: Path, samples: np.ndarray, rate_hz: int = 16_000, layout: str = "mono", codec: str = "pcm_s16le"
) -> Path:
    """``samples``: (channels, n) of full scale 1.0."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=rate_hz, layout=layout)
        interleaved = np.round(samples.T.reshape(1, -1) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(interleaved), "s16", layout)
        frame.sample_rate = rate_hz
        resampler = av.AudioResampler(stream.format, stream.layout, stream.rate, frame_size=stream.frame_size or 1024)
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def tone(frequency_hz: float, seconds: float, rate_hz: int = 16_000) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * frequency_hz * np.arange(round(seconds * rate_hz)) / rate_hz)[None]


# --- windows ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.2, [(0, 200)]),
        (9.0, [(0, 9_000)]),
        (10.0, [(0, 10_000)]),
        (10.9, [(0, 10_000)]),
        (11.0, [(0, 10_000), (10_000, 11_000)]),
        (25.0, [(0, 10_000), (10_000, 20_000), (20_000, 25_000)]),
    ],
)
def test_a_short_rest_makes_no_window_unless_it_is_the_only_one(
    tmp_path: Path, seconds: float, expected: list[tuple[int, int]]
) -> None:
    assert spans(windows(recording(tmp_path / "a.wav", tone(440, seconds)))) == expected


def test_silence_is_a_sound(tmp_path: Path) -> None:
    (item,) = windows(recording(tmp_path / "a.wav", np.zeros((1, 16_000))))
    assert not item.inputs[PANNS].any()


def test_items_are_made_though_no_encoder_listens(tmp_path: Path) -> None:
    part = decode(DecodeRequest(os.fsencode(recording(tmp_path / "a.wav", tone(440, 12)))))
    assert part.kind is MediaKind.AUDIO
    assert [(item.kind, item.inputs) for item in part.items] == [(ItemKind.AUDIO, {})] * 2
    assert all(item.thumbnail.startswith(b"\x89PNG") for item in part.items)


def test_a_long_sound_comes_in_parts(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.wav", np.zeros((1, 8_000 * 305)), rate_hz=8_000)
    part = decode(DecodeRequest(os.fsencode(path)))
    assert len(part.items) == 30
    assert part.next == Cursor("sound", 300_000)
    last = decode(DecodeRequest(os.fsencode(path), cursor=part.next))
    assert (spans(list(last.items)), last.next) == ([(300_000, 305_000)], None)


@pytest.mark.shared_data
@pytest.mark.parametrize("ending", FORMATS)
def test_a_window_is_the_same_on_every_way_to_it(
    shared_data: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shared_data / "audio" / "formats" / f"gs-16b-1c-44100hz.{ending}"
    straight = windows(path, window_ms=5_000)
    assert len(straight) == 3
    monkeypatch.setattr(decoding, "MAX_WINDOWS_PER_PART", 1)
    in_parts = windows(path, window_ms=5_000)
    assert spans(in_parts) == spans(straight)
    for one, other in zip(straight, in_parts, strict=True):
        assert np.array_equal(one.inputs[PANNS], other.inputs[PANNS])
        assert np.array_equal(one.inputs[PANNS], sample_at(os.fsencode(path), PANNS, one.start_ms or 0, 5_000))


# --- samples ---------------------------------------------------------------------------------------------------------


@pytest.mark.shared_data
@pytest.mark.parametrize("ending", FORMATS)
def test_every_format_gives_the_same_sound_at_the_same_time(shared_data: Path, ending: str) -> None:
    folder = shared_data / "audio" / "formats"
    path = folder / f"gs-16b-1c-44100hz.{ending}"
    part = decode(DecodeRequest(os.fsencode(path), sounds=(PANNS,)))
    assert part.kind is MediaKind.AUDIO
    assert part.facts.duration_ms == pytest.approx(15_850, abs=50)
    first, second = part.items
    assert (first.start_ms, first.end_ms, second.start_ms) == (0, 10_000, 10_000)
    samples = first.inputs[PANNS].astype(float)
    reference = sample_at(os.fsencode(folder / "gs-16b-1c-44100hz.wav"), PANNS).astype(float)
    assert samples.shape == reference.shape == (320_000,)
    spectrum = np.fft.rfft(samples, 640_000) * np.conj(np.fft.rfft(reference, 640_000))
    correlation = np.fft.irfft(spectrum) / np.linalg.norm(samples) / np.linalg.norm(reference)
    best = int(correlation.argmax())
    delay_ms = (best - 640_000 if best > 320_000 else best) / 32
    assert correlation[best] > 0.9
    assert abs(delay_ms) < 60  # encoders that do not tell their own delay


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 32_000, 44_100, 48_000])
def test_a_tone_keeps_its_pitch_and_loudness_at_every_rate(tmp_path: Path, rate_hz: int) -> None:
    path = recording(tmp_path / "a.wav", tone(1_000, 2.0, 44_100), rate_hz=44_100)
    samples = sample_at(os.fsencode(path), SoundInput(rate_hz))
    assert samples.shape == (2 * rate_hz,)
    expected = tone(1_000, 2.0, rate_hz)[0]
    assert np.abs(samples - expected)[100:-100].max() < 2e-4


def test_all_rates_come_from_one_decode(tmp_path: Path) -> None:
    (item,) = windows(recording(tmp_path / "a.wav", tone(440, 3.0)), sounds=(PANNS, CLAP, SoundInput(16_000)))
    assert {spec.sample_rate_hz: samples.size for spec, samples in item.inputs.items()} == {
        32_000: 96_000,
        48_000: 144_000,
        16_000: 48_000,
    }
    assert all(samples.dtype == np.float32 for samples in item.inputs.values())


def test_two_channels_are_averaged(tmp_path: Path) -> None:
    left, right = np.full(16_000, 0.8), np.full(16_000, -0.2)
    path = recording(tmp_path / "a.wav", np.stack([left, right]), layout="stereo")
    assert sample_at(os.fsencode(path), SoundInput(16_000)) == pytest.approx(0.3, abs=1e-4)


def test_surround_does_not_clip(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.wav", np.full((6, 16_000), 0.99), layout="5.1")
    samples = sample_at(os.fsencode(path), SoundInput(16_000))
    assert 0.5 < samples.min() <= samples.max() <= 1.0


def test_what_is_no_number_is_silence(tmp_path: Path) -> None:
    samples = tone(440, 1.0)[0].astype("<f4")
    samples[100:200] = np.nan
    form = struct.pack("<HHIIHH", 3, 1, 16_000, 64_000, 4, 32)
    chunks = (
        b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", samples.nbytes) + samples.tobytes()
    )
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFF" + struct.pack("<I", len(chunks)) + chunks)
    heard = sample_at(os.fsencode(path), SoundInput(16_000))
    assert np.array_equal(heard[:100], samples[:100])
    assert not heard[100:200].any()


# --- sound and picture together --------------------------------------------------------------------------------------


def film_with_sound(path: Path, sound_begins_s: int = 0) -> Path:
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=10)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for _ in range(40):
            container.mux(picture.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "rgb24")))
        container.mux(picture.encode(None))
        samples = np.round(tone(440, 4.0 - sound_begins_s) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
        frame.sample_rate, frame.time_base, frame.pts = 16_000, Fraction(1, 16_000), sound_begins_s * 16_000
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return path


def test_a_film_gives_its_frames_and_then_its_sound(tmp_path: Path) -> None:
    part = decode(DecodeRequest(os.fsencode(film_with_sound(tmp_path / "a.mkv")), sounds=(PANNS,)))
    assert part.kind is MediaKind.VIDEO
    assert [(item.kind, item.start_ms, item.end_ms) for item in part.items] == [
        (ItemKind.FRAME, 0, None),
        (ItemKind.FRAME, 2_400, None),  # the key frame nearest to 2 s
        (ItemKind.AUDIO, 0, 4_000),
    ]


def test_a_sound_track_that_begins_late_sits_at_its_time(tmp_path: Path) -> None:
    path = film_with_sound(tmp_path / "a.mkv", sound_begins_s=2)
    (item,) = windows(path, sounds=(SoundInput(16_000),))
    samples = item.inputs[SoundInput(16_000)]
    assert spans([item]) == [(0, 4_000)]
    assert not samples[:31_900].any()
    assert np.abs(samples[32_100:]).max() == pytest.approx(0.5, abs=0.01)


def test_every_part_of_a_film_tells_its_facts(tmp_path: Path) -> None:
    path = os.fsencode(film_with_sound(tmp_path / "a.mkv"))
    whole = decode(DecodeRequest(path)).facts
    assert decode(DecodeRequest(path, cursor=Cursor("sound", 0))).facts == whole
    assert (whole.width_px, whole.height_px) == (64, 48)


@pytest.mark.shared_data
def test_a_sound_with_a_cover_picture_is_a_sound(shared_data: Path, tmp_path: Path) -> None:
    content = (shared_data / "audio" / "formats" / "gs-16b-1c-44100hz.flac").read_bytes()
    cover = (shared_data / "images" / "odd" / "pillow" / "hopper.jpg").read_bytes()
    mime = b"image/jpeg"
    picture = struct.pack(">II", 3, len(mime)) + mime + struct.pack(">6I", 0, 128, 128, 24, 0, len(cover)) + cover
    block = bytes([6]) + len(picture).to_bytes(3, "big") + picture
    path = tmp_path / "a.flac"
    path.write_bytes(content[:42] + block + content[42:])  # after the magic and the STREAMINFO block
    with av.open(str(path)) as container:
        assert len(container.streams.video) == 1
    part = decode(DecodeRequest(os.fsencode(path), (PictureInput(32, 32),), (PANNS,)))
    assert part.kind is MediaKind.AUDIO
    assert {item.kind for item in part.items} == {ItemKind.AUDIO}
    assert part.facts.caption == "Galway; Kevin MacLeod"


# --- damage and the other ways in ------------------------------------------------------------------------------------


@pytest.mark.shared_data
@pytest.mark.parametrize("ending", FORMATS)
def test_a_damaged_stretch_costs_no_more_than_itself(shared_data: Path, tmp_path: Path, ending: str) -> None:
    content = bytearray((shared_data / "audio" / "formats" / f"gs-16b-1c-44100hz.{ending}").read_bytes())
    third = len(content) // 3
    content[third : third + 2000] = np.random.default_rng(0).bytes(2000)
    path = tmp_path / f"a.{ending}"
    path.write_bytes(content)
    found = windows(path)
    assert [item.start_ms for item in found] == [0, 10_000]
    assert found[-1].end_ms == pytest.approx(15_850, abs=700)
    assert np.isfinite(found[0].inputs[PANNS]).all()


@pytest.mark.shared_data
@pytest.mark.parametrize("ending", [ending for ending in FORMATS if ending != "m4a"])  # it keeps its index at the end
def test_a_sound_that_breaks_off_gives_what_there_is(shared_data: Path, tmp_path: Path, ending: str) -> None:
    content = (shared_data / "audio" / "formats" / f"gs-16b-1c-44100hz.{ending}").read_bytes()
    path = tmp_path / f"a.{ending}"
    path.write_bytes(content[: len(content) // 2])
    (item,) = windows(path)
    assert 5_500 < (item.end_ms or 0) < 8_500  # half the bytes are about half the time


@pytest.mark.parametrize("content", [b"", b"ID3", b"fLaC" + b"\0" * 300, b"RIFF\xff\xff\xff\xffWAVEfmt "])
def test_what_is_no_sound_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(content)
    with pytest.raises(MediaUnreadable) as caught:
        decode(DecodeRequest(os.fsencode(path)))
    assert caught.value.path == str(path)


def test_a_preview_is_a_waveform_as_wide_as_asked(tmp_path: Path) -> None:
    image = preview(os.fsencode(recording(tmp_path / "a.wav", tone(440, 12))), ItemKind.AUDIO, 10_000, 12_000, 600)
    assert struct.unpack(">II", image[16:24]) == (600, 300)


def test_after_its_end_there_is_no_sound(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.wav", tone(440, 3))
    with pytest.raises(MediaUnreadable, match="no sound at that time"):
        sample_at(os.fsencode(path), PANNS, at_ms=5_000)


def test_a_sound_has_no_picture_to_search_with(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.wav", tone(440, 3))
    with pytest.raises(MediaUnreadable, match="no picture"):
        sample_at(os.fsencode(path), PictureInput(32, 32))
