"""Photos of every kind become upright sRGB pictures, and those become an encoder's exact input."""

from __future__ import annotations

import io
import json
import os
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from app.engine.errors import MediaUnreadable
from app.engine.media import images, thumbnails
from app.engine.samples import PictureInput

CLIP_INPUT = PictureInput(224, 224)
ORIENTATION = 0x0112

QUARTERS = np.zeros((40, 60, 3), np.uint8)
"""Upright: red, green over blue, white, so that every way to hold it differs."""
QUARTERS[:20, :30] = (255, 0, 0)
QUARTERS[:20, 30:] = (0, 255, 0)
QUARTERS[20:, :30] = (0, 0, 255)
QUARTERS[20:, 30:] = 255


def read(path: Path) -> np.ndarray:
    return np.asarray(images.read(os.fsencode(path)).image)


def saved(folder: Path, image: Image.Image, name: str, **options: object) -> Path:
    path = folder / name
    image.save(path, **options)
    return path


def difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(float) - other.astype(float)).mean())


def refusal(path: Path) -> str:
    with pytest.raises(MediaUnreadable) as caught:
        read(path)
    assert caught.value.path == str(path)
    return caught.value.message


# --- an encoder's input ----------------------------------------------------------------------------------------------


@pytest.mark.shared_data
def test_clips_own_tensors_are_reproduced_to_the_last_bit(shared_data: Path) -> None:
    folder = shared_data / "ref" / "clip_vitb32"
    expected = np.load(folder / "known7_expected.npz")
    mean = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
    std = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)
    for name, tensor in zip(expected["names"], expected["preprocessed"], strict=True):
        photo = images.read(os.fsencode(folder / "known7" / f"{name}.jpg"))
        pixels = images.prepare(photo.image, CLIP_INPUT)
        normalised = (pixels.astype(np.float32) / np.float32(255) - mean) / std
        assert np.abs(normalised.transpose(2, 0, 1) - tensor).max() == 0.0


@settings(max_examples=60, deadline=None)
@given(
    width_px=st.integers(1, 300),
    height_px=st.integers(1, 300),
    size_px=st.integers(1, 64),
    extra_px=st.integers(0, 40),
    resample=st.sampled_from(["bicubic", "bilinear"]),
)
def test_preparing_equals_torchvision(
    width_px: int, height_px: int, size_px: int, extra_px: int, resample: str
) -> None:
    from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Resize

    if max(width_px, height_px) > 16 * min(width_px, height_px):
        return  # a strip loses its ends first
    noise = np.random.default_rng(width_px * 1000 + height_px).integers(0, 256, (height_px, width_px, 3), np.uint8)
    image = Image.fromarray(noise)
    reference = Compose([Resize(size_px + extra_px, InterpolationMode(resample)), CenterCrop(size_px)])
    spec = PictureInput(size_px, size_px + extra_px, "crop", resample)
    assert np.array_equal(images.prepare(image, spec), np.asarray(reference(image)))
    square = Resize((size_px, size_px), InterpolationMode(resample))
    squashed = PictureInput(size_px, size_px, "squash", resample)
    assert np.array_equal(images.prepare(image, squashed), np.asarray(square(image)))


@pytest.mark.parametrize("size", [(1, 20_000), (20_000, 1)])
def test_a_strip_is_prepared_without_growing_huge(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    resize = Image.Image.resize
    largest = 0

    def watched(image: Image.Image, wanted: tuple[int, int], *options: object) -> Image.Image:
        nonlocal largest
        largest = max(largest, wanted[0] * wanted[1])
        return resize(image, wanted, *options)

    monkeypatch.setattr(Image.Image, "resize", watched)
    prepared = images.prepare(Image.new("RGB", size, "red"), CLIP_INPUT)
    assert prepared.shape == (224, 224, 3)
    assert (prepared == (255, 0, 0)).all()
    assert largest <= 224 * 224 * 16


# --- upright ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["png", "webp", "tiff"])
def test_every_orientation_gives_the_same_upright_pixels(tmp_path: Path, orientation: int, ending: str) -> None:
    # To store a picture so that `orientation` rights it, undo what righting does; only 6 and 8 undo each other.
    undo = {6: 8, 8: 6}.get(orientation, orientation)
    upright = Image.fromarray(QUARTERS)
    stored = upright.transpose(images._UPRIGHT[undo]) if undo > 1 else upright
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = saved(tmp_path, stored, f"a.{ending}", exif=exif, **({"lossless": True} if ending == "webp" else {}))
    assert np.array_equal(read(path), QUARTERS)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    "name", [*(f"hopper_orientation_{number}.jpg" for number in range(2, 9)), "hopper_orientation_8.webp"]
)
def test_cameras_orientations_are_righted(shared_data: Path, name: str) -> None:
    folder = shared_data / "images" / "odd" / "pillow"
    assert difference(read(folder / name), read(folder / "hopper.jpg")) < 8


@pytest.mark.shared_data
def test_avif_turned_and_mirrored_in_its_container_is_righted(shared_data: Path) -> None:
    folder = shared_data / "images" / "odd" / "pillow" / "avif"
    first, *others = (read(folder / f"{name}.avif") for name in ("rot0mir0", "rot1mir0", "rot2mir1"))
    for other in others:  # the picture names its own rotation in a few pixels of text
        assert other.shape == first.shape
        assert difference(first, other) < 10
        assert difference(first, other[::-1]) > 20
        assert difference(first, other[:, ::-1]) > 20


# --- colour ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "ending"),
    [("RGBA", "png"), ("RGBA", "webp"), ("RGBA", "gif"), ("RGBA", "tiff"), ("LA", "png"), ("LA", "tiff")],
)
def test_transparency_lies_on_white(tmp_path: Path, mode: str, ending: str) -> None:
    image = Image.new("RGBA", (32, 16), (0, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 16, 16))
    pixels = read(saved(tmp_path, image.convert(mode), f"a.{ending}"))
    assert (pixels[:, 2:14] > 250).all()
    assert (pixels[:, 18:] < 5).all()


def test_half_transparent_black_is_grey(tmp_path: Path) -> None:
    assert read(saved(tmp_path, Image.new("RGBA", (4, 4), (0, 0, 0, 128)), "a.png"))[0, 0, 0] == 127


def test_a_transparent_colour_of_a_palette_lies_on_white(tmp_path: Path) -> None:
    image = Image.fromarray(np.arange(4, dtype=np.uint8)[None]).convert("P")
    pixels = read(saved(tmp_path, image, "a.png", transparency=0))
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[0, 3].max() < 10


@pytest.mark.parametrize("ending", ["jpg", "tiff"])
def test_cmyk_keeps_its_colours(tmp_path: Path, ending: str) -> None:
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    red, green, blue = read(saved(tmp_path, image, f"a.{ending}"))[8, 8]
    assert red > 240
    assert max(green, blue) < 15


def test_a_profile_of_another_space_is_converted(tmp_path: Path) -> None:
    lab = Image.new("LAB", (8, 8), (128, 128 + 60, 128 + 40))
    lab_profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    expected = np.asarray(ImageCms.profileToProfile(lab, lab_profile, srgb, outputMode="RGB"))
    assert difference(read(saved(tmp_path, lab, "a.tiff")), expected) < 2


@pytest.mark.shared_data
def test_a_phones_wide_gamut_becomes_srgb(shared_data: Path) -> None:
    path = shared_data / "images" / "odd" / "heif" / "arrow.heic"
    with Image.open(path) as image:
        raw = np.asarray(image.convert("RGB"))
        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"])))
    assert "sRGB" not in name
    assert 0 < difference(read(path), raw) < 10


@pytest.mark.parametrize(
    "profile", [b"junk", b"\0" * 200, ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()]
)
def test_a_broken_profile_is_as_good_as_none(tmp_path: Path, profile: bytes) -> None:
    plain = read(saved(tmp_path, Image.fromarray(QUARTERS), "a.png"))
    assert np.array_equal(read(saved(tmp_path, Image.fromarray(QUARTERS), "b.png", icc_profile=profile)), plain)


def test_a_profile_that_does_not_fit_the_picture_is_left_out(tmp_path: Path) -> None:
    lab_profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    path = saved(tmp_path, Image.fromarray(QUARTERS), "a.png", icc_profile=lab_profile)
    assert np.array_equal(read(path), QUARTERS)


RAMP = np.linspace(0, 1, 256)[None].repeat(4, 0)


@pytest.mark.parametrize(
    ("samples", "name"),
    [
        ((RAMP * 65535).astype(np.uint16), "16 bit.png"),
        ((RAMP * 65535).astype(np.uint16), "16 bit.tiff"),
        ((RAMP * 4095).astype(np.uint16), "12 of 16 bit.tiff"),
        ((RAMP * 65535).astype(np.int32), "16 bit.pgm"),
        ((RAMP * 65535).astype(np.int32), "32 bit.tiff"),
        (RAMP.astype(np.float32), "unit float.tiff"),
        ((RAMP * 255).astype(np.float32), "byte float.tiff"),
        ((RAMP * 2e6 - 1e6).astype(np.float32), "wild float.tiff"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_deep_grey_is_scaled_not_clipped(tmp_path: Path, samples: np.ndarray, name: str) -> None:
    pixels = read(saved(tmp_path, Image.fromarray(samples), name))
    assert np.abs(pixels[0, :, 0].astype(int) - np.arange(256)).max() <= 1


def test_a_dark_16_bit_png_stays_dark(tmp_path: Path) -> None:
    image = Image.fromarray(np.full((4, 4), 4095, np.uint16))
    assert read(saved(tmp_path, image, "a.png"))[0, 0, 0] == 16


def test_floats_that_are_no_numbers_do_no_harm(tmp_path: Path) -> None:
    samples = np.full((4, 4), 0.5, np.float32)
    samples[0] = np.nan
    samples[1] = np.inf
    assert read(saved(tmp_path, Image.fromarray(samples), "a.tiff"))[3, 3, 0] in (127, 128)


def test_a_bitmap_is_black_and_white(tmp_path: Path) -> None:
    pixels = read(
        saved(tmp_path, Image.fromarray(QUARTERS).convert("L").convert("1", dither=Image.Dither.NONE), "a.bmp")
    )
    assert set(np.unique(pixels)) == {0, 255}


@pytest.mark.shared_data
def test_the_same_grey_at_8_10_and_12_bits_of_heif_is_the_same(shared_data: Path) -> None:
    folder = shared_data / "images" / "odd" / "heif"
    eight = read(folder / "L_8__128x128.heif")
    for bits in (10, 12):
        assert difference(eight, read(folder / f"L_{bits}__128x128.heif")) < 3


@pytest.mark.parametrize("ending", ["gif", "webp", "png", "tiff"])
def test_an_animation_gives_its_first_frame(tmp_path: Path, ending: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    path = saved(tmp_path, frames[0], f"a.{ending}", save_all=True, append_images=frames[1:])
    red, green, blue = read(path)[4, 4]
    assert red > 240
    assert max(green, blue) < 15


# --- damage ----------------------------------------------------------------------------------------------------------


def test_a_photo_that_breaks_off_gives_what_there_is(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    path = saved(tmp_path, Image.fromarray(noise), "a.jpg", quality=95)
    whole = read(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    half = read(path)
    assert half.shape == whole.shape
    assert np.array_equal(half[:100], whole[:100])


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "gif", "avif", "bmp", "tiff"])
def test_a_photo_of_which_only_the_head_is_left_is_refused(tmp_path: Path, ending: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    path = saved(tmp_path, Image.fromarray(noise), f"a.{ending}")
    content = path.read_bytes()
    head_bytes = content.index(b"\xff\xda") + 14 if ending == "jpg" else 200  # of a JPEG, up to its pixels
    path.write_bytes(content[:head_bytes])
    assert refusal(path)


def test_an_empty_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    assert refusal(tmp_path / "a.jpg").startswith("The file is empty.")


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    assert refusal(tmp_path / "a.jpg").startswith("The file is no longer there.")


def test_text_in_a_picture_s_clothes_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("this is no picture")
    assert "no picture" in refusal(tmp_path / "a.jpg")


def test_postscript_in_a_picture_s_clothes_is_not_run(tmp_path: Path) -> None:
    saved(tmp_path, Image.fromarray(QUARTERS), "a.eps")
    (tmp_path / "a.eps").rename(tmp_path / "a.jpg")
    assert "no picture" in refusal(tmp_path / "a.jpg")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.new("1", (8, 8)), "a.png")
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack(">II", 20_000, 20_000)  # 400 megapixels, between Pillow's warning and its error
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    path.write_bytes(content)
    assert "more than 300 megapixels" in refusal(path)


def test_pillows_own_settings_are_left_as_they_were(tmp_path: Path) -> None:
    limit = Image.MAX_IMAGE_PIXELS
    read(saved(tmp_path, Image.fromarray(QUARTERS), "a.png"))
    assert limit == Image.MAX_IMAGE_PIXELS


# --- words and dates -------------------------------------------------------------------------------------------------


def caption(path: Path) -> str:
    return images.read(os.fsencode(path)).caption


def test_exif_words_are_read(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "Hafen im Regen"
    exif[0x9C9B] = "Hamburg\0".encode("utf-16-le")
    exif[0x9C9E] = "ship; water\0".encode("utf-16-le")
    path = saved(tmp_path, Image.fromarray(QUARTERS), "a.jpg", exif=exif)
    assert caption(path) == "Hafen im Regen; Hamburg; ship; water"


def test_iptc_words_are_read_in_utf8_and_latin1(tmp_path: Path) -> None:
    fields = [(105, b"Headline"), (120, "Straße".encode()), (25, "Café".encode("latin-1")), (25, b"boat")]
    records = b"".join(struct.pack(">BBBH", 0x1C, 2, number, len(text)) + text for number, text in fields)
    resource = b"8BIM" + struct.pack(">HHI", 0x0404, 0, len(records)) + records + b"\0" * (len(records) % 2)
    segment = b"Photoshop 3.0\0" + resource
    marker = b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment
    path = saved(tmp_path, Image.fromarray(QUARTERS), "a.jpg", extra=marker)
    assert caption(path) == "Headline; Straße; Café; boat"


XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">A title</rdf:li></rdf:Alt></dc:title>
<dc:subject><rdf:Bag><rdf:li>one</rdf:li><rdf:li>two</rdf:li></rdf:Bag></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


@pytest.mark.parametrize("ending", ["jpg", "webp", "tiff"])
def test_xmp_words_are_read(tmp_path: Path, ending: str) -> None:
    options: dict[str, object] = {"tiffinfo": {700: XMP}} if ending == "tiff" else {"xmp": XMP}
    assert caption(saved(tmp_path, Image.fromarray(QUARTERS), f"a.{ending}", **options)) == "A title; one; two"


def test_xmp_with_entities_is_left_alone(tmp_path: Path) -> None:
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha">]>' + XMP.replace(b"A title", b"&a;")
    assert caption(saved(tmp_path, Image.fromarray(QUARTERS), "a.jpg", xmp=laughs)) == ""


def test_comments_are_read_once(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "A  dog"
    path = saved(tmp_path, Image.fromarray(QUARTERS), "a.jpg", exif=exif, comment=b"A dog")
    assert caption(path) == "A dog"


def test_a_caption_has_an_end(tmp_path: Path) -> None:
    assert len(caption(saved(tmp_path, Image.fromarray(QUARTERS), "a.jpg", comment=b"word " * 5000))) == 2000


@pytest.mark.parametrize(
    ("fields", "taken_ms"),
    [
        ({0x9003: "2020:06:01 12:00:00"}, 1_591_012_800_000),
        ({0x9003: "2020:06:01 12:00:00", 0x9291: "25"}, 1_591_012_800_250),
        ({0x9003: "2020:06:01 12:00:00", 0x9011: "+02:00"}, 1_591_005_600_000),
        ({0x9004: "2020:06:01 12:00:00"}, 1_591_012_800_000),
        ({0x9003: "0000:00:00 00:00:00"}, None),
        ({0x9003: "yesterday"}, None),
        ({}, None),
    ],
    ids=json.dumps,
)
def test_the_shutters_time_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fields: dict[int, str], taken_ms: int | None
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    if hasattr(time, "tzset"):
        time.tzset()
    exif = Image.Exif()
    exif.get_ifd(0x8769).update(fields)
    path = saved(tmp_path, Image.fromarray(QUARTERS), "a.jpg", exif=exif)
    assert images.read(os.fsencode(path)).taken_ms == taken_ms


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows has one time zone a process")
@pytest.mark.parametrize(("fields", "hour"), [({}, 10), ({0x9011: "+09:00"}, 3)])
def test_a_camera_without_an_offset_shows_local_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fields: dict[int, str], hour: int
) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        exif = Image.Exif()
        exif.get_ifd(0x8769).update({0x9003: "2020:06:01 12:00:00", **fields})
        taken_ms = images.read(os.fsencode(saved(tmp_path, Image.fromarray(QUARTERS), "a.jpg", exif=exif))).taken_ms
    finally:
        monkeypatch.undo()
        time.tzset()
    assert taken_ms == 1_590_969_600_000 + hour * 3_600_000


# --- thumbnails ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "expected"),
    [((4000, 3000), (320, 240)), ((30, 900), (11, 320)), ((9000, 1), (320, 1)), ((20, 10), (20, 10))],
)
def test_a_thumbnail_is_a_jpeg_no_larger_than_asked(size: tuple[int, int], expected: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(thumbnails.picture(Image.new("RGB", size, "teal")))) as thumbnail:
        assert thumbnail.format == "JPEG"
        assert thumbnail.size == expected


def drawn(samples: np.ndarray) -> np.ndarray:
    with Image.open(io.BytesIO(thumbnails.waveform(samples.astype(np.float32)))) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGBA", (320, 160))
        return np.asarray(image)[..., 3]


def test_a_quiet_sound_is_drawn_as_large_as_a_loud_one() -> None:
    tone = np.sin(np.linspace(0, 900, 48_000))
    assert np.abs(drawn(tone).astype(int) - drawn(tone * 0.003)).max() <= 2
    assert drawn(tone).any(axis=1).sum() > 0.9 * 160


def test_silence_is_a_line() -> None:
    opacity = drawn(np.zeros(32_000))
    assert opacity.any(axis=0).all()
    assert opacity.any(axis=1).sum() <= 2


def test_a_waveform_runs_from_the_first_sample_to_the_last() -> None:
    samples = np.zeros(32_000)
    samples[-100:] = 1.0
    heights = (drawn(samples) > 0).sum(axis=0)
    assert heights[:-1].max() <= 2
    assert heights[-1] > 60


@pytest.mark.parametrize("count", [0, 1, 5, 319, 320, 321])
def test_few_samples_are_drawn_too(count: int) -> None:
    assert drawn(np.full(count, 0.5)).any()
