"""The small pictures of a report, each stored once in the page however often it is shown."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from io import BytesIO

from PIL import Image, UnidentifiedImageError

MOST_PICTURES = 3000
"""About 10 MB: what a browser opens and a mail takes. Later results are shown by name alone."""
SIDE_PX = 112
"""Shown at half of it, for screens and printers of high density."""

_JPEG_QUALITY = 72


def data_uris(pictures: Mapping[int, bytes]) -> dict[int, str]:
    """Small pictures as ``data:`` addresses; what cannot be read is left out."""
    uris = {}
    for number, encoded in pictures.items():
        if uri := data_uri(encoded):
            uris[number] = uri
    return uris


def data_uri(encoded: bytes) -> str:
    """One small picture, "" where it cannot be read. A waveform keeps its transparent background."""
    try:
        with Image.open(BytesIO(encoded)) as image:
            image.thumbnail((SIDE_PX, SIDE_PX))
            output = BytesIO()
            is_drawing = image.mode in ("RGBA", "LA", "P")
            if is_drawing:
                image.quantize(32).save(output, "PNG", optimize=True)
            else:
                image.convert("RGB").save(output, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError):
        return ""
    kind = "png" if is_drawing else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(output.getvalue()).decode('ascii')}"
