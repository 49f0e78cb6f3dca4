"""What a picture of the sample library is, and the skies that many of them share."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from sample.canvas import Canvas, Pixels
from sample.landscapes import Stops


@dataclass(frozen=True)
class Picture:
    """``themes`` are what the picture shows, its folder's theme first; two pictures that share one are alike."""

    file: str
    caption: str
    draw: Callable[[Canvas], None]
    themes: frozenset[str]

    def pixels(self) -> Pixels:
        """(480, 640, 3) uint8 sRGB, the same at every call. A PNG has flat colours, as that format likes them."""
        canvas = Canvas(zlib.crc32(self.file.encode()))
        self.draw(canvas)
        return canvas.finish(grain=0, vignette=0) if self.file.endswith(".png") else canvas.finish()


def picture(file: str, caption: str, draw: Callable[[Canvas], None], *also: str) -> Picture:
    """A picture in its theme's folder; ``also`` are further themes that it shows."""
    return Picture(f"pictures/{file}", caption, draw, frozenset((file.split("/")[0], *also)))


EVENING: Stops = [(0, "#2c3a6e"), (120, "#8a5a8c"), (220, "#f08a5d"), (290, "#ffd08a")]
CRIMSON: Stops = [(0, "#3a1436"), (130, "#a0283c"), (230, "#f2582c"), (300, "#ffb03a")]
PASTEL: Stops = [(0, "#7f9fd0"), (130, "#d8a8c8"), (230, "#ffc9b0"), (290, "#fff0c8")]
GOLD: Stops = [(0, "#6a4a2c"), (140, "#c8802c"), (240, "#ffc24a"), (300, "#fff0b0")]
VIOLET: Stops = [(0, "#141033"), (140, "#4a2a78"), (240, "#c85a9a"), (300, "#ffb8a0")]
BLUE_DAY: Stops = [(0, "#3f86d6"), (140, "#86bdf0"), (240, "#d6ecfa")]
DEEP_DAY: Stops = [(0, "#1f5fb8"), (150, "#63a6e6"), (250, "#c3e2f6")]
GREY_DAY: Stops = [(0, "#7f8f9f"), (140, "#aab8c4"), (250, "#dbe3e8")]
MORNING: Stops = [(0, "#8fb8e0"), (160, "#ffd9c0"), (260, "#fff2dc")]
NIGHT: Stops = [(0, "#060a1e"), (220, "#101c44"), (400, "#24386e")]
DUSK: Stops = [(0, "#141b42"), (180, "#43407c"), (320, "#c0688a"), (420, "#f7b28a")]
