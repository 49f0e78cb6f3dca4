"""The two built-in descriptors: what they promise for any picture and any sound."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from app.engine.encoders.base import Encoder, unit_rows
from app.engine.encoders.catalogue import Catalogue
from app.engine.errors import UnsupportedModality
from app.engine.samples import Picture, Sound, Text

SIZE_PX = 256
RATE_HZ = 32000


@pytest.fixture(scope="module")
def colour_texture(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return Catalogue(tmp_path_factory.mktemp("models")).load("colour-texture")


@pytest.fixture(scope="module")
def timbre(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return Catalogue(tmp_path_factory.mktemp("models")).load("timbre")


def scene(seed: int) -> npt.NDArray[np.uint8]:
    """A picture with smooth regions and a few strokes and discs, at places of its own."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (5, 5, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((SIZE_PX, SIZE_PX), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(8):
        x, y, other_x, other_y, radius, *colour = rng.integers(10, 246, 8).tolist()
        draw.line((x, y, other_x, other_y), fill=tuple(colour), width=6)
        draw.circle((other_x, y), radius / 6, fill=tuple(reversed(colour)))
    return np.array(image)


def tone(frequency_hz: float, seconds: float = 2.0, partials: int = 6, decay_s: float = 1.0) -> npt.NDArray[np.float32]:
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    waves = sum(np.sin(2 * np.pi * frequency_hz * n * time_s) / n for n in range(1, partials + 1))
    return np.asarray(0.3 * waves * np.exp(-time_s / decay_s), dtype=np.float32)


def hiss(seconds: float = 2.0, seed: int = 0) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 0.1, int(seconds * RATE_HZ)).astype(np.float32)


def cosine(encoder: Encoder, first: Picture | Sound, second: Picture | Sound) -> float:
    vectors = encoder.encode([first, second])
    return float(vectors[0] @ vectors[1])


# --- pictures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0, 127, 255])
def test_a_blank_picture_has_a_vector(colour_texture: Encoder, value: int) -> None:
    vectors = colour_texture.encode([Picture(np.full((SIZE_PX, SIZE_PX, 3), value, np.uint8))])
    assert vectors.shape == (1, colour_texture.spec.dim)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors) == pytest.approx(1, abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(st.binary(min_size=48, max_size=48))
def test_any_picture_has_a_vector_of_length_one(colour_texture: Encoder, content: bytes) -> None:
    coarse = np.frombuffer(content, np.uint8).reshape(4, 4, 3)
    vectors = colour_texture.encode([Picture(np.kron(coarse, np.ones((64, 64, 1), np.uint8)))])
    assert np.linalg.norm(vectors) == pytest.approx(1, abs=1e-6)


def test_a_mirror_image_has_the_same_vector(colour_texture: Encoder) -> None:
    pixels = scene(1)
    mirrored = np.ascontiguousarray(pixels[:, ::-1])
    assert cosine(colour_texture, Picture(pixels), Picture(mirrored)) == pytest.approx(1, abs=1e-3)


def test_copies_are_nearer_than_any_other_picture(colour_texture: Encoder) -> None:
    pixels = scene(2)
    grey = np.array(Image.fromarray(pixels).convert("L").convert("RGB"))
    darker = (pixels * 0.8).astype(np.uint8)
    others = max(cosine(colour_texture, Picture(pixels), Picture(scene(seed))) for seed in range(10, 30))
    for copy in (grey, darker):
        assert cosine(colour_texture, Picture(pixels), Picture(copy)) > others


# --- sounds --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 1, 100, 1024, 9999])
@pytest.mark.parametrize("make", [np.zeros, np.ones, lambda n: hiss()[:n]], ids=["silence", "constant", "hiss"])
def test_a_sound_of_any_length_has_a_vector(timbre: Encoder, make: type, length: int) -> None:
    vectors = timbre.encode([Sound(make(length).astype(np.float32))])
    assert vectors.shape == (1, timbre.spec.dim)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors) == pytest.approx(1, abs=1e-6)


def test_samples_that_are_no_numbers_count_as_silence(timbre: Encoder) -> None:
    wave = tone(220)
    broken = wave.copy()
    wave[500:510] = 0
    broken[500:510] = np.nan, np.inf, -np.inf, *[np.nan] * 7
    assert cosine(timbre, Sound(wave), Sound(broken)) == pytest.approx(1, abs=1e-6)


def test_loudness_does_not_matter(timbre: Encoder) -> None:
    wave = tone(330)
    assert cosine(timbre, Sound(wave), Sound(wave * np.float32(0.05))) == pytest.approx(1, abs=1e-4)


def test_tones_are_nearer_to_tones_than_to_hiss(timbre: Encoder) -> None:
    plucked = cosine(timbre, Sound(tone(220)), Sound(tone(247)))
    assert plucked > 0.7
    assert plucked > cosine(timbre, Sound(tone(220)), Sound(hiss())) + 0.5
    assert cosine(timbre, Sound(hiss(seed=1)), Sound(hiss(seed=2))) > 0.9


# --- both ----------------------------------------------------------------------------------------------------------


def test_a_vector_does_not_depend_on_its_company(colour_texture: Encoder, timbre: Encoder) -> None:
    pictures = [Picture(scene(seed)) for seed in range(3)]
    sounds = [Sound(tone(200)), Sound(hiss(0.7)), Sound(tone(440, 1.3))]
    for encoder, samples in ((colour_texture, pictures), (timbre, sounds)):
        together = encoder.encode(samples)
        alone = np.concatenate([encoder.encode([sample]) for sample in samples])
        np.testing.assert_allclose(together, alone, atol=1e-6)
        np.testing.assert_array_equal(together, encoder.encode(samples))
        assert encoder.encode([]).shape == (0, encoder.spec.dim)


def test_each_refuses_what_it_cannot_compare(colour_texture: Encoder, timbre: Encoder) -> None:
    with pytest.raises(UnsupportedModality, match=r"compares pictures, not words\. Choose another model"):
        colour_texture.encode([Text("a cat")])
    with pytest.raises(UnsupportedModality, match="compares sounds, not pictures"):
        timbre.encode([Picture(scene(0))])
    with pytest.raises(ValueError, match="one kind"):
        timbre.encode([Sound(hiss()), Text("a cat")])


def test_a_row_without_a_direction_becomes_the_diagonal() -> None:
    rows = unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]]))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0.5**0.5, 0.5**0.5]], atol=1e-7)
