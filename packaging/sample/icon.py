"""The program's icon as PNGs: the drawing of resources/icons/semblance.svg, in the sizes that desktops ask for."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageChops, ImageDraw

SIZES_PX = (16, 24, 32, 48, 64, 128, 256, 512)
VIEW_BOX = 512
LOWER, UPPER, CORNER_RADIUS = (36, 148, 364, 476), (148, 36, 476, 364), 92
BLUE, TEAL, WHITE = "#3f63e0", "#12b3a0", "#ffffff"


def draw_icon(size_px: int) -> Image.Image:
    """(size_px, size_px) RGBA: two rounded squares and, in white, what they have in common."""
    scale = max(8 * size_px, VIEW_BOX) / VIEW_BOX
    lower, upper = (_rounded(box, scale) for box in (LOWER, UPPER))
    image = Image.new("RGBA", lower.size)
    for mask, colour in ((lower, BLUE), (upper, TEAL), (ImageChops.darker(lower, upper), WHITE)):
        image.paste(colour, mask=mask)
    return image.resize((size_px, size_px), Image.Resampling.BOX)


def _rounded(box: tuple[int, int, int, int], scale: float) -> Image.Image:
    mask = Image.new("L", (round(VIEW_BOX * scale),) * 2)
    ImageDraw.Draw(mask).rounded_rectangle([side * scale for side in box], CORNER_RADIUS * scale, fill=255)
    return mask


def write_icons(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for size_px in SIZES_PX:
        draw_icon(size_px).save(folder / f"semblance-{size_px}.png", optimize=True)
