"""Photos: any picture file becomes an upright sRGB picture, and that becomes an encoder's input.

A damaged file is read as far as it goes: half a photo from a failing card is still worth finding. It is refused only
if nothing of it could be decoded.

A large JPEG is decoded at a half, a quarter or an eighth of its size, several times as fast, as long as what is left is
larger than what is wanted of it (``Image.draft``).
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
import pi_heif
from PIL import Image, ImageCms, ImageFile, UnidentifiedImageError

from app.engine.media import captions
from app.engine.media.refusal import refuse, refuse_if_empty, refusing
from app.engine.samples import PictureInput

pi_heif.register_heif_opener()

MAX_PIXELS = 300_000_000
"""More than any camera takes; a picture of this size decodes within a child's memory limit."""

# Named, since Pillow goes by contents: a PostScript file called .jpg would start Ghostscript. JPEG includes MPO.
_FORMATS = "AVIF BMP DDS DIB GIF HEIF ICNS ICO JPEG JPEG2000 PCX PNG PPM PSD QOI SGI TGA TIFF WEBP"

_ORIENTATION_TAG = 0x0112
_UPRIGHT = {  # EXIF 2.32, 4.6.4: what each orientation needs
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = (5, 6, 7, 8)
_RESAMPLE = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
_INTEGER_DEPTHS_BITS = (8, 10, 12, 14, 16, 24, 32)
_FULL_RANGE_FORMATS = frozenset({"PNG", "PPM", "HEIF"})  # their 16-bit samples are stretched to the whole range

_MAX_16_BIT = 65535.0
_MIN_DRAWN = 0.005  # of all pixels: what is less shows nothing, or the noise of the place where the file broke off

_STRIP_RATIO = 16
"""Beyond this ratio of its sides a picture's ends, which no central crop sees, are cut off before scaling: a strip of
1 x 10,000 pixels would grow to 500 megapixels otherwise."""


@dataclass(frozen=True)
class LeastSize:
    """What a picture is large enough for, if its short and its long side have at least these."""

    short_px: int = 0
    long_px: int = 0

    def scaled(self, size_px: tuple[int, int]) -> tuple[int, int]:
        """The smallest size of this shape that is large enough; never above ``size_px``."""
        scale = max(self.short_px / min(size_px), self.long_px / max(size_px))
        width_px, height_px = (min(side_px, math.ceil(side_px * scale)) for side_px in size_px)
        return max(1, width_px), max(1, height_px)


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture file's contents. ``image`` is upright, RGB, in sRGB, perhaps at a fraction of the file's upright size
    of ``width_px`` by ``height_px``; ``taken_ms`` is in ms since 1970."""

    image: Image.Image
    width_px: int
    height_px: int
    taken_ms: int | None
    caption: str


def read(path: bytes, least: LeastSize | None = None) -> Photo:
    """Read a picture file; of an animation or a file of several pictures the first.

    Args:
        least: what is enough; None: its full size.

    Raises:
        MediaUnreadable: it is no picture, too large, or nothing of it can be decoded.
    """
    with refusing(path, "picture"), _quiet():
        refuse_if_empty(path)
        try:
            with Path(os.fsdecode(path)).open("rb") as file:
                image, size_px = _load_what_there_is(file, least)
                orientation = _orientation(image)
                caption = captions.picture_caption(image)
                taken_ms = captions.picture_taken_ms(image)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise refuse(
                path,
                f"The picture claims more than {MAX_PIXELS // 1_000_000} megapixels, which is more than Semblance "
                "reads. Save a smaller copy of it to have it found.",
            ) from error
        except UnidentifiedImageError as error:
            raise refuse(
                path,
                "Its contents are no picture in a format that Semblance reads: it may be damaged, or its name may have "
                "the wrong ending. If you have another copy, put that in its place.",
            ) from error
        upright = _to_srgb(image)
        if orientation in _UPRIGHT:
            upright = upright.transpose(_UPRIGHT[orientation])
        width_px, height_px = reversed(size_px) if orientation in _SIDEWAYS else size_px
        return Photo(upright, width_px, height_px, taken_ms, caption)


def is_picture(path: bytes) -> bool:
    """Whether the contents of the file begin like a picture, whatever its name."""
    with _quiet():
        try:
            with Path(os.fsdecode(path)).open("rb") as file, Image.open(file, formats=_FORMATS.split()):
                return True
        except Exception:
            return False


def prepare(image: Image.Image, spec: PictureInput) -> npt.NDArray[np.uint8]:
    """Scale and cut an RGB picture as ``spec`` says, to the last bit as torchvision does with a PIL picture.

    The rounding is that of torchvision's Resize (the long side rounds down) and CenterCrop (half to even).

    Returns:
        (size_px, size_px, 3) uint8.
    """
    resample = _RESAMPLE[spec.resample]
    if spec.fit == "squash":
        return np.array(image.resize((spec.size_px, spec.size_px), resample))
    image = _without_far_ends(image)
    short_px, long_px = sorted(image.size)
    scaled_px = int(spec.resize_px * long_px / short_px)
    size = (spec.resize_px, scaled_px) if image.width <= image.height else (scaled_px, spec.resize_px)
    scaled = image if size == image.size else image.resize(size, resample)
    left, top = (round((side_px - spec.size_px) / 2.0) for side_px in scaled.size)
    return np.array(scaled.crop((left, top, left + spec.size_px, top + spec.size_px)))


def _without_far_ends(image: Image.Image) -> Image.Image:
    short_px, long_px = sorted(image.size)
    if long_px <= _STRIP_RATIO * short_px:
        return image
    cut_px = (long_px - _STRIP_RATIO * short_px) // 2
    if image.width > image.height:
        return image.crop((cut_px, 0, image.width - cut_px, image.height))
    return image.crop((0, cut_px, image.width, image.height - cut_px))


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back Pillow's warnings, and make of the one about size a refusal before anything is allocated."""
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _load_what_there_is(file: IO[bytes], least: LeastSize | None) -> tuple[ImageFile.ImageFile, tuple[int, int]]:
    """The picture, and the size it has in the file."""
    try:
        return _load(file, least)
    except (MemoryError, UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise
    except Exception:
        file.seek(0)
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        try:
            image, size_px = _load(file, least)
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = False
        if _is_blank(image):
            raise
        return image, size_px


def _load(file: IO[bytes], least: LeastSize | None) -> tuple[ImageFile.ImageFile, tuple[int, int]]:
    image = Image.open(file, formats=_FORMATS.split())
    size_px = image.size
    if least:
        image.draft(None, least.scaled(size_px))  # no other mode; formats other than JPEG pass it by
    image.load()
    return image, size_px


def _is_blank(image: Image.Image) -> bool:
    """Whether next to nothing was drawn on the canvas before the file broke off: its end tells the canvas's colour."""
    samples = np.asarray(image).reshape(image.width * image.height, -1)
    drawn = (samples != samples[-1]).any(axis=1)
    return bool(drawn.mean() < _MIN_DRAWN)


def _orientation(image: Image.Image) -> int:
    # HEIF has been turned by its decoder; AVIF and XMP orientations reach us as EXIF.
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # whatever broken EXIF makes Pillow raise
        return 1


def _to_srgb(image: Image.Image) -> Image.Image:
    """RGB in sRGB from any mode, transparent parts on white."""
    profile = image.info.get("icc_profile")
    if image.mode == "F" or image.mode.startswith("I"):
        return _eight_bit(image).convert("RGB")
    if image.mode == "LAB":
        return _converted(image, _LAB) or image.getchannel("L").convert("RGB")
    if image.has_transparency_data:
        image = _on_white(image.convert("RGBA"))
    elif image.mode not in ("L", "RGB", "CMYK"):  # those that a profile can speak of
        image = image.convert("RGB")
    if profile:
        return _with_profile(image, profile)
    return image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def _with_profile(image: Image.Image, profile: bytes) -> Image.Image:
    """Convert by an embedded ICC profile; a broken or unfitting one is as good as none."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        is_srgb = "srgb" in ImageCms.getProfileDescription(source).lower()
    except (OSError, ImageCms.PyCMSError):
        is_srgb = True
    return (None if is_srgb else _converted(image, source)) or image.convert("RGB")


def _converted(image: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image | None:
    try:
        return ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
    except ImageCms.PyCMSError:
        return None


def _eight_bit(image: Image.Image) -> Image.Image:
    """Bring deep grey to 8 bits by its range, where Pillow's own conversion would clip it.

    Where the file's format does not fix the range, white is taken as the top of the smallest usual depth that holds
    the brightest sample, since scanners and microscopes put 10, 12 or 14 bits into 16.
    """
    samples = np.nan_to_num(np.asarray(image), posinf=0, neginf=0)
    low, high = float(samples.min()), float(samples.max())
    black = min(low, 0.0)
    if image.mode == "F":
        white = next((top for top in (1.0, 255.0) if black == 0 and high <= top), high)
    elif image.format in _FULL_RANGE_FORMATS and high <= _MAX_16_BIT:
        white = _MAX_16_BIT
    else:
        white = next(2.0**bits - 1 for bits in _INTEGER_DEPTHS_BITS if high < 2**bits)
    scale = 255.0 / max(white - black, 1e-30)
    return Image.fromarray(np.uint8((samples - np.float32(black)) * np.float32(scale) + np.float32(0.5)))
