"""The small pictures of the grid and the larger ones of the preview.

A photo's or a frame's thumbnail is a JPEG of quality 85: about 15 kB, made in 2 ms and shown by every toolkit. WebP
would take a third less room for ten times the time. A sound is drawn as its waveform, a PNG with a transparent
background, since it lies on light and on dark.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image

THUMBNAIL_PX = 320
"""The long side of a thumbnail."""
WAVEFORM_RATIO = 2
"""Width to height of a waveform."""

_JPEG_QUALITY = 85
_WAVEFORM_RGB = (0x4C, 0x8D, 0xCA)  # a mid-tone: its contrast is alike on white and on near-black
_WAVEFORM_FILL = 0.94  # of the height, for the loudest moment
_ENVELOPE_ALPHA = 0.45  # the outer shape, from lowest to highest sample; the core, the effective value, is opaque
_SILENCE = 10 ** (-80 / 20)  # below -80 dB of full scale there is nothing to make visible


def picture(image: Image.Image, size_px: int = THUMBNAIL_PX) -> bytes:
    """A JPEG of an RGB picture, its long side at most ``size_px``; a smaller picture keeps its size."""
    scale = min(1.0, size_px / max(image.size))
    width_px, height_px = (max(1, round(side_px * scale)) for side_px in image.size)
    if scale < 1:
        # Half the time of the sharper filters, which a thumbnail does not show; the gap halves a large picture first.
        image = image.resize((width_px, height_px), Image.Resampling.HAMMING, reducing_gap=2.0)
    output = BytesIO()
    image.save(output, "JPEG", quality=_JPEG_QUALITY)
    return output.getvalue()


def waveform(samples: npt.NDArray[np.float32], size_px: int = THUMBNAIL_PX) -> bytes:
    """A PNG of a sound, ``size_px`` wide and half as high.

    Args:
        samples: (n,) mono; the left edge is the first of them, the right edge the last.

    The loudest moment fills the height, so that a quiet clip can be seen too. The outer shape reaches from the lowest
    to the highest sample of each column, the core inside it is the root mean square.
    """
    height_px = max(1, size_px // WAVEFORM_RATIO)
    low, high, effective = _columns(samples, size_px)
    peak = max(float(np.abs([low, high]).max()), _SILENCE)
    middle = height_px / 2
    per_unit = middle * _WAVEFORM_FILL / peak
    outer = _coverage(middle - high * per_unit, middle - low * per_unit, height_px)
    core = _coverage(middle - effective * per_unit, middle + effective * per_unit, height_px)
    pixels = np.empty((height_px, size_px, 4), np.uint8)
    pixels[..., :3] = _WAVEFORM_RGB
    pixels[..., 3] = np.round(255 * (outer * _ENVELOPE_ALPHA + core * (1 - _ENVELOPE_ALPHA)))
    output = BytesIO()
    Image.fromarray(pixels).save(output, "PNG")
    return output.getvalue()


def _columns(
    samples: npt.NDArray[np.float32], columns: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The lowest, the highest and the effective value of each of ``columns`` equal stretches."""
    if samples.size < columns:
        samples = np.repeat(samples, -(-columns // max(1, samples.size))) if samples.size else np.zeros(columns, "f4")
    starts = np.arange(columns) * samples.size // columns
    counts = np.diff(np.append(starts, samples.size))
    effective = np.sqrt(np.add.reduceat(np.square(samples), starts) / counts)
    return np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts), effective.astype(np.float32)


def _coverage(top: npt.NDArray[np.float32], bottom: npt.NDArray[np.float32], height_px: int) -> npt.NDArray[np.float32]:
    """How much of each pixel a column's bar from ``top`` to ``bottom`` covers, 0 to 1; a bar is 1 pixel high at least.

    Returns:
        (height_px, columns) float32: exact coverage is antialiasing.
    """
    middle = (top + bottom) / 2
    top, bottom = np.minimum(top, middle - 0.5), np.maximum(bottom, middle + 0.5)
    rows = np.arange(height_px, dtype=np.float32)[:, None]
    covered: npt.NDArray[np.float32] = np.clip(np.minimum(bottom, rows + 1) - np.maximum(top, rows), 0, 1)
    return covered
