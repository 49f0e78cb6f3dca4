"""Disturbances do what they say, the same at every run, and keep what must be kept."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageStat

from app.engine.media import disturbing
from app.engine.media.audio import Window
from app.engine.media.disturbing import SeededDisturbance, disturbed_picture, disturbed_sound
from app.engine.types import Modality

PICTURES = [one.key for one in disturbing.disturbances() if one.modality is Modality.IMAGE]
SOUNDS = [one.key for one in disturbing.disturbances() if one.modality is Modality.AUDIO]
RANDOM = {
    "picture-crop",
    "picture-rotation",
    "picture-noise",
    "sound-noise-20",
    "sound-noise-10",
    "sound-noise-0",
    "sound-shift",
}
RATE_HZ = 16_000


def picture(width_px: int = 300, height_px: int = 200) -> Image.Image:
    """Coloured patches with soft edges: something of every frequency."""
    small = np.random.default_rng(4).integers(0, 256, (10, 15, 3), np.uint8)
    return Image.fromarray(small).resize((width_px, height_px), Image.Resampling.BICUBIC)


def tone(frequency_hz: float = 1000.0, seconds: float = 2.0, rate_hz: int = RATE_HZ) -> Window:
    times_s = np.arange(int(seconds * rate_hz)) / rate_hz
    samples = (0.3 * np.sin(2 * np.pi * frequency_hz * times_s)).astype(np.float32)
    return Window(500, 500 + round(seconds * 1000), samples, rate_hz)


def hiss(seconds: float = 2.0, rate_hz: int = RATE_HZ) -> Window:
    samples = np.random.default_rng(5).standard_normal(int(seconds * rate_hz)).astype(np.float32) * np.float32(0.1)
    return Window(0, round(seconds * 1000), samples, rate_hz)


def spectrum(window: Window) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies in Hz and their power."""
    power = np.abs(np.fft.rfft(window.samples * np.hanning(window.samples.size))) ** 2
    return np.fft.rfftfreq(window.samples.size, 1 / window.rate_hz), power


def done_to_picture(key: str, image: Image.Image, seed: int = 1) -> Image.Image:
    return disturbed_picture(image, SeededDisturbance(key, seed))


def done_to_sound(key: str, window: Window, seed: int = 1) -> Window:
    return disturbed_sound(window, SeededDisturbance(key, seed))


# --- all of them -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", PICTURES)
def test_a_picture_is_disturbed_the_same_way_by_the_same_seed(key: str) -> None:
    image = picture()
    first, again, other = (np.asarray(done_to_picture(key, image, seed)) for seed in (7, 7, 8))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, np.asarray(image))
    others = [np.asarray(done_to_picture(key, image, seed)) for seed in range(8, 12)]  # a turn has but two sides
    assert any(not np.array_equal(first, one) for one in others) == (key in RANDOM)
    assert other.dtype == np.uint8


@pytest.mark.parametrize("key", SOUNDS)
def test_a_sound_is_disturbed_the_same_way_by_the_same_seed_and_keeps_its_length(key: str) -> None:
    window = hiss()
    first, again, other = (done_to_sound(key, window, seed) for seed in (7, 7, 8))
    assert np.array_equal(first.samples, again.samples)
    assert np.array_equal(first.samples, other.samples) == (key not in RANDOM)
    assert not np.array_equal(first.samples, window.samples)
    assert (first.samples.shape, first.samples.dtype) == (window.samples.shape, np.float32)
    assert (first.start_ms, first.end_ms, first.rate_hz) == (window.start_ms, window.end_ms, window.rate_hz)


@pytest.mark.parametrize("key", SOUNDS)
@pytest.mark.parametrize(("count", "rate_hz"), [(1, 8000), (100, 8000), (5000, 4000), (9600, 96_000)])
def test_short_sounds_of_any_rate_can_be_disturbed(key: str, count: int, rate_hz: int) -> None:
    samples = np.linspace(-0.5, 0.5, count, dtype=np.float32)
    worse = done_to_sound(key, Window(0, 1, samples, rate_hz))
    assert worse.samples.size == count
    assert np.isfinite(worse.samples).all()


@pytest.mark.parametrize("key", SOUNDS)
def test_silence_stays_silent(key: str) -> None:
    worse = done_to_sound(key, Window(0, 1000, np.zeros(RATE_HZ, np.float32), RATE_HZ))
    assert np.abs(worse.samples).max() < 1e-4


@pytest.mark.parametrize("key", PICTURES)
@pytest.mark.parametrize("size_px", [(1, 1), (3, 90), (900, 700)])
def test_pictures_of_any_size_can_be_disturbed(key: str, size_px: tuple[int, int]) -> None:
    worse = done_to_picture(key, picture(*size_px))
    assert worse.mode == "RGB"
    assert min(worse.size) >= 1


def test_another_process_disturbs_alike() -> None:
    code = (
        "import numpy as np; from app.engine.media.disturbing import *; from app.engine.media.audio import Window; "
        "print(float(disturbed_sound(Window(0, 1, np.ones(50, np.float32), 8000), "
        "SeededDisturbance('sound-noise-0', 3)).samples.sum()))"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    here = done_to_sound("sound-noise-0", Window(0, 1, np.ones(50, np.float32), 8000), 3)
    assert float(there) == float(here.samples.sum())


# --- pictures --------------------------------------------------------------------------------------------------------


def test_a_crop_keeps_60_percent_of_the_area_and_the_shape() -> None:
    image = picture(600, 400)
    worse = done_to_picture("picture-crop", image)
    assert worse.width * worse.height == pytest.approx(0.6 * 600 * 400, rel=0.01)
    assert worse.width / worse.height == pytest.approx(1.5, rel=0.01)
    left_top = {np.asarray(done_to_picture("picture-crop", image, seed))[0, 0].tobytes() for seed in range(6)}
    assert len(left_top) > 1


def test_a_turn_is_of_15_degrees_to_either_side_and_adds_no_colour() -> None:
    image = Image.new("RGB", (200, 200), (10, 200, 30))
    assert np.abs(np.asarray(done_to_picture("picture-rotation", image), int) - (10, 200, 30)).max() <= 1
    pole = Image.new("RGB", (201, 201))
    pole.paste("white", (95, 0, 106, 201))
    leans = set()
    for seed in range(8):
        grey = np.asarray(done_to_picture("picture-rotation", pole, seed).convert("L")) > 128
        rows = np.arange(60, 141)
        centres = [float((grey[row] * np.arange(201)).sum() / grey[row].sum()) for row in rows]
        leans.add(round(float(np.degrees(np.arctan(np.polyfit(rows, centres, 1)[0])))))
    assert all(abs(abs(lean) - 15) <= 3 for lean in leans)
    assert len({lean > 0 for lean in leans}) == 2


def test_blur_takes_detail_and_keeps_the_colours() -> None:
    image = picture()
    noisy = done_to_picture("picture-noise", image)
    worse = done_to_picture("picture-blur", noisy)
    assert worse.size == noisy.size
    assert np.diff(np.asarray(worse, float), axis=1).std() < 0.5 * np.diff(np.asarray(noisy, float), axis=1).std()
    assert ImageStat.Stat(worse).mean == pytest.approx(ImageStat.Stat(noisy).mean, abs=1)


def test_noise_has_the_strength_it_says() -> None:
    grey = Image.new("RGB", (400, 300), (128, 128, 128))
    worse = np.asarray(done_to_picture("picture-noise", grey), float)
    assert worse.std() == pytest.approx(0.12 * 255, rel=0.03)
    assert worse.mean() == pytest.approx(128, abs=0.5)


def test_a_large_picture_gets_noise_and_jpeg_as_a_copy_for_the_web() -> None:
    for key in ("picture-noise", "picture-jpeg"):
        assert min(done_to_picture(key, picture(1500, 1000)).size) == disturbing.WEB_SHORT_PX
        assert done_to_picture(key, picture(300, 200)).size == (300, 200)


def test_jpeg_leaves_its_blocks() -> None:
    image = picture(320, 240)
    steps = np.abs(np.diff(np.asarray(done_to_picture("picture-jpeg", image), float), axis=1)).mean(axis=(0, 2))
    before = np.abs(np.diff(np.asarray(image, float), axis=1)).mean(axis=(0, 2))
    extra = steps - before
    at_edges = extra[7::8].mean()
    inside = np.delete(extra, np.s_[7::8]).mean()
    assert at_edges > inside + 0.5
    reference = BytesIO()
    image.save(reference, "JPEG", quality=20)
    assert np.array_equal(np.asarray(done_to_picture("picture-jpeg", image)), np.asarray(Image.open(reference)))


def test_brightness_goes_down_and_up() -> None:
    image = Image.new("RGB", (20, 20), (100, 60, 40))
    assert done_to_picture("picture-darker", image).getpixel((3, 3)) == (50, 30, 20)
    assert done_to_picture("picture-brighter", image).getpixel((3, 3)) == (160, 96, 64)


def test_greyscale_has_no_colour() -> None:
    worse = np.asarray(done_to_picture("picture-grey", picture()))
    assert (worse == worse[:, :, :1]).all()


def test_resizing_loses_what_64_pixels_cannot_hold() -> None:
    image = Image.fromarray(np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8))
    worse = done_to_picture("picture-resize", image)
    assert worse.size == image.size
    assert np.asarray(worse, float).std() < 0.3 * np.asarray(image, float).std()
    small = picture(60, 50)
    assert np.array_equal(np.asarray(done_to_picture("picture-resize", small)), np.asarray(small))


# --- sounds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("snr_db", [20, 10, 0])
def test_noise_lies_as_far_below_the_sound_as_it_says(snr_db: int) -> None:
    window = tone()
    noise = done_to_sound(f"sound-noise-{snr_db}", window).samples - window.samples
    measured_db = 10 * np.log10(np.square(window.samples).mean() / np.square(noise).mean())
    assert measured_db == pytest.approx(snr_db, abs=0.5)


def test_gain_is_12_db_less() -> None:
    window = tone()
    ratio = done_to_sound("sound-gain", window).samples.std() / window.samples.std()
    assert 20 * np.log10(ratio) == pytest.approx(-12, abs=0.01)


def test_a_low_pass_takes_what_is_above_2_khz_and_leaves_what_is_below() -> None:
    window = hiss()
    frequencies, before = spectrum(window)
    _, after = spectrum(done_to_sound("sound-low-pass", window))
    above, below = frequencies > 2600, (frequencies > 50) & (frequencies < 1600)
    assert after[above].sum() < 0.001 * before[above].sum()
    assert after[below].sum() == pytest.approx(before[below].sum(), rel=0.05)


def test_a_shift_moves_the_sound_round_and_loses_nothing() -> None:
    window = hiss()
    worse = done_to_sound("sound-shift", window).samples
    begin = int(np.flatnonzero(window.samples == worse[0])[0])
    assert 0.1 <= begin / worse.size <= 0.5
    assert np.array_equal(worse, np.roll(window.samples, -begin))


@pytest.mark.parametrize(("key", "semitones"), [("sound-pitch-up", 2), ("sound-pitch-down", -2)])
@pytest.mark.parametrize("rate_hz", [8000, 44_100])
def test_pitch_moves_a_tone_by_2_semitones(key: str, semitones: int, rate_hz: int) -> None:
    frequencies, power = spectrum(done_to_sound(key, tone(1000.0, 2.0, rate_hz)))
    assert 12 * np.log2(frequencies[power.argmax()] / 1000) == pytest.approx(semitones, abs=0.05)


def test_pitch_keeps_the_tempo() -> None:
    clicks = np.zeros(4 * RATE_HZ, np.float32)
    for second in range(4):
        clicks[second * RATE_HZ + 8000 : second * RATE_HZ + 8400] = 0.8
    worse = done_to_sound("sound-pitch-up", Window(0, 4000, clicks, RATE_HZ)).samples
    loud = [int(np.abs(worse[second * RATE_HZ : (second + 1) * RATE_HZ]).argmax()) for second in range(4)]
    assert all(abs(place - 8200) < 1600 for place in loud)


@pytest.mark.skipif("sound-mp3" not in SOUNDS, reason="this build of FFmpeg cannot write MP3")
def test_mp3_went_through_a_codec_and_stays_in_step() -> None:
    window = hiss(rate_hz=44_100)
    frequencies, before = spectrum(window)
    worse = done_to_sound("sound-mp3", window)
    _, after = spectrum(worse)
    above = frequencies > 17_000  # no encoder has bits for that at 32 kbit/s
    assert after[above].sum() < 0.01 * before[above].sum()
    low = tone(440.0, rate_hz=44_100)
    heard = done_to_sound("sound-mp3", low).samples
    assert not np.array_equal(heard, low.samples)
    assert np.corrcoef(heard[4000:-4000], low.samples[4000:-4000])[0, 1] > 0.999  # a delay would turn its phase


def test_without_an_encoder_mp3_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disturbing, "MP3_ENCODER", "no_such_encoder")
    assert "sound-mp3" not in [one.key for one in disturbing.disturbances()]
