"""Scenes of sky and land: sunsets, mountains, snow and starry nights."""

from __future__ import annotations

import cv2
import numpy as np

from sample.canvas import Array, Canvas, Colour, Point, mix, rgb, smoothstep
from sample.shapes import conifer, gull, palm, sail_boat, snowman, tent

Stops = list[tuple[float, Colour]]


def clouds(canvas: Canvas, lit: Colour, shade: Colour, *, cover: float, across: float = 240, down: float = 50) -> None:
    """Clouds over the whole sky, lit from one side and shaded on the other. ``cover`` 0..1."""
    field = canvas.noise(across, down, 6, 0.55)
    thick = smoothstep(0.70 - cover * 0.38, 1.0 - cover * 0.38, field)
    slope = cv2.GaussianBlur(
        field - np.roll(field, round(down * 0.22 * canvas.scale), axis=0), (0, 0), 2 * canvas.scale
    )
    colours = rgb(lit) + (rgb(shade) - rgb(lit)) * smoothstep(-0.12, 0.12, slope)[..., None]
    canvas.blend(colours, thick * 0.85)


def sun(canvas: Canvas, x: float, y: float, radius: float, colour: Colour, glow: Colour) -> None:
    canvas.light(glow, 0.45 * canvas.glow(x, y, radius * 11))
    canvas.light(glow, 0.5 * canvas.glow(x, y, radius * 4))
    canvas.blend(colour, canvas.disc(x, y, radius, 1.5))


def stars(canvas: Canvas, count: int, lowest: float, brightness: float = 1.0) -> None:
    """Stars of power-law brightness above ``lowest``, a few bluish, a few warm."""
    for x, y, rank, hue in canvas.rng.random((count, 4)):
        size = 0.35 + 1.1 * rank**9
        shine = brightness * (0.25 + 0.75 * rank**2)
        colour = mix("#bcd0ff", "#ffe2b8", float(hue))
        canvas.ellipse(x * canvas.width, y * lowest, size, size, colour, alpha=float(min(shine, 1)))


def sunset(
    canvas: Canvas,
    sky: Stops,
    *,
    sun_at: Point,
    horizon: float = 290,
    sun_radius: float = 24,
    sun_colour: Colour = "#fff1c2",
    glow: Colour = "#ff9a3c",
    cloud: tuple[Colour, Colour] = ("#ffb27a", "#6b3a5c"),
    cover: float = 0.45,
    sea: Colour = "#1d2340",
    ripple: float = 4,
    extra: str = "",
) -> None:
    """The sun over the sea, its light broken by the waves. ``extra``: boat, palms, gulls or islands."""
    canvas.blend(canvas.gradient(sky), 1)
    clouds(canvas, *cloud, cover=cover)
    sun(canvas, *sun_at, sun_radius, sun_colour, glow)
    if extra == "islands":
        for depth in (0.35, 0.7):
            line = horizon + 6 - 70 * (1.2 - depth) * np.maximum(canvas.line_noise(190) - 0.42, 0) * 4
            canvas.blend(mix(sky[-1][1], sea, 0.3 + depth * 0.6), canvas.below(line))
    canvas.reflect(horizon, ripple, sea, 0.72, smear_px=26)
    depth = np.maximum(canvas.y - horizon, 0)
    path = np.exp(-(((canvas.x - sun_at[0]) / (sun_radius * 1.2 + depth * 0.55)) ** 2))
    sparkle = smoothstep(0.5, 0.62, canvas.ground_noise(horizon, 60, 6))
    canvas.light(mix(glow, "#fff4d0", 0.4), path * canvas.below(horizon) * (0.12 + 0.88 * sparkle))
    troughs = smoothstep(0.46, 0.3, canvas.ground_noise(horizon, 90, 5))
    canvas.blend(sea, troughs * canvas.below(horizon) * 0.35 * np.minimum(depth / 90, 1))
    if extra == "boat":
        sail_boat(canvas, sun_at[0] + 60, horizon + 38, 92, sail="#2a1a2e", hull="#140d1a", reflection=0.6)
    elif extra == "palms":
        palm(canvas, 95, 480, 330, "#120a14", lean=46)
        palm(canvas, 40, 480, 240, "#120a14", lean=-14)
        canvas.blend("#120a14", canvas.below(452 + 30 * canvas.line_noise(300) + 0.05 * (canvas.x - 120)))
    elif extra == "gulls":
        for x, y, size in ((390, 120, 20), (440, 96, 15), (352, 92, 12), (480, 142, 11), (500, 84, 9)):
            gull(canvas, x, y, size, "#2b1d33")


def mountains(
    canvas: Canvas,
    sky: Stops,
    *,
    far: Colour,
    near: Colour,
    layers: int = 5,
    peak: float = 150,
    top: float = 190,
    snow: Colour | None = None,
    mist: Colour | None = None,
    light_at: tuple[float, float, float, Colour] | None = None,
    lake: float | None = None,
    cover: float = 0.3,
) -> None:
    """Ridges one behind another, paler with distance; ``lake`` is the height of a mirroring shore."""
    canvas.blend(canvas.gradient(sky), 1)
    clouds(canvas, mix(sky[-1][1], "#ffffff", 0.5), sky[0][1], cover=cover, down=40)
    if light_at:
        x, y, radius, colour = light_at
        sun(canvas, x, y, radius, mix(colour, "#ffffff", 0.5), colour)
    for layer in range(layers):
        share = layer / (layers - 1)
        base = top + (canvas.height - top) * share**1.15
        rough = canvas.line_noise(260 - 90 * share, 7, 0.48)
        line = base + 40 - peak * (1.25 - 0.65 * share) * (1 - np.abs(2 * rough - 1)) ** 1.6
        mask = canvas.below(line)
        relief = canvas.noise(60, 110, 5, 0.6) - 0.5
        colour = mix(far, near, share) * (1 + 0.5 * relief * (0.4 + share))[..., None]
        canvas.blend(colour, mask)
        if snow is not None and layer < 2:
            depth = canvas.y - line
            gullies = canvas.noise(26, 120, 5, 0.6) - 0.5
            cap = smoothstep(0, 10, top - 10 + 25 * share + 330 * gullies - canvas.y - 0.12 * depth) * mask
            canvas.blend(rgb(snow) * (0.9 + 0.7 * relief)[..., None], cap * 0.92)
        if mist is not None:
            veil = np.exp(-(((canvas.y - base - 40) / 46) ** 2)) * canvas.noise(260, 60, 4)
            canvas.blend(mist, veil * mask * 0.9 * (1 - share))
    if lake is not None:
        canvas.reflect(lake, 2.2, mix(near, sky[0][1], 0.4), 0.78, grain_px=90)
        canvas.light("#ffffff", 0.25 * np.exp(-(((canvas.y - lake) / 2.0) ** 2)) * canvas.noise(200, 200))


def snow(
    canvas: Canvas,
    sky: Stops,
    *,
    ground: Colour = "#eef4fb",
    shade: Colour = "#9fb6d6",
    trees: int = 14,
    tree: Colour = "#274a4a",
    flakes: int = 260,
    extra: str = "",
) -> None:
    """Rounded snowfields with snowy firs and falling flakes. ``extra``: cabin, snowman, tracks or moon."""
    canvas.blend(canvas.gradient(sky), 1)
    if extra == "moon":
        sun(canvas, 480, 95, 26, "#fdfdf2", "#bcd0ff")
        stars(canvas, 160, 230, 0.8)
    for layer, base in enumerate((262, 305, 352)):
        line = base - 46 * (canvas.line_noise(330, 3, 0.35) - 0.5)
        depth = canvas.y - line
        colours = rgb(ground) + (rgb(shade) - rgb(ground)) * (
            0.75 * smoothstep(0, 150, depth) * (1 - 0.3 * layer) + 0.5 * (canvas.noise(200, 60, 4) - 0.4)
        )[..., None].clip(0, 1)
        canvas.blend(colours, canvas.below(line))
        outline = line[0, :: canvas.scale]
        for x in np.sort(canvas.rng.uniform(0, canvas.width, trees)):
            size = canvas.rng.uniform(34, 62) * (0.7 + 0.55 * layer)
            if layer == 2 and 180 < x < 470:
                continue
            foot = float(outline[int(x)]) + 8 + layer * 6
            conifer(canvas, float(x), foot, size, mix(tree, sky[-1][1], 0.45 - 0.2 * layer), snow=ground)
    if extra == "cabin":
        _cabin(canvas, 300, 372)
    elif extra == "snowman":
        snowman(canvas, 320, 425, 1.25)
    elif extra == "tracks":
        for step in range(26):
            share = step / 25
            y = 470 - 130 * share**0.7
            x = 250 + 150 * share + 34 * np.sin(share * 7)
            size = 7.5 * (1 - 0.75 * share)
            canvas.ellipse(x + (size if step % 2 else -size), y, size * 0.75, size * 0.45, shade, alpha=0.8)
    for x, y, size in canvas.rng.random((flakes, 3)):
        radius = 0.7 + 2.4 * size**4
        canvas.ellipse(x * canvas.width, y * canvas.height, radius, radius, "#ffffff", alpha=0.85)


def _cabin(canvas: Canvas, x: float, y: float) -> None:
    canvas.light("#ffb84d", 0.6 * canvas.glow(x + 40, y - 10, 120))
    canvas.rectangle(x, y - 62, x + 110, y + 8, "#5a3a28")
    for row in range(7):
        canvas.stroke([(x, y - 60 + row * 10), (x + 110, y - 60 + row * 10)], "#40281b", 1.2)
    canvas.polygon([(x - 14, y - 58), (x + 55, y - 112), (x + 124, y - 58)], "#f4f8ff")
    canvas.polygon([(x + 4, y - 60), (x + 55, y - 98), (x + 106, y - 60)], "#4a2f20")
    canvas.rectangle(x + 84, y - 112, x + 97, y - 76, "#6b5148")
    for left in (14, 74):
        canvas.rectangle(x + left, y - 46, x + left + 24, y - 22, "#ffd77a")
        canvas.stroke([(x + left + 12, y - 46), (x + left + 12, y - 22)], "#40281b", 1.6)
        canvas.stroke([(x + left, y - 34), (x + left + 24, y - 34)], "#40281b", 1.6)
    canvas.rectangle(x + 45, y - 42, x + 66, y + 8, "#2f1d13")
    for puff in range(9):
        canvas.ellipse(x + 92 + puff * 6, y - 122 - puff * 13, 7 + puff * 1.9, 6 + puff * 1.5, "#e6ecf6", alpha=0.22)


def starry(
    canvas: Canvas,
    sky: Stops,
    *,
    count: int = 900,
    galaxy: Colour | None = None,
    aurora: tuple[Colour, Colour] | None = None,
    trails: bool = False,
    ground: Colour = "#05070f",
    extra: str = "",
) -> None:
    """The night sky over a dark ridge. ``extra``: moon, tent or tree."""
    canvas.blend(canvas.gradient(sky), 1)
    if galaxy is not None:
        _galaxy(canvas, galaxy)
    if trails:
        _star_trails(canvas, 370, 235)
    else:
        stars(canvas, count, 440)
    if aurora:
        for curtain, colour in enumerate((*aurora, aurora[0])):
            foot = 300 - 45 * curtain + 90 * (canvas.line_noise(260, 3) - 0.5)
            rays = 0.35 + 0.65 * canvas.line_noise(26, 3)
            height = np.maximum(foot - canvas.y, 0)
            veil = np.exp(-height / (60 + 35 * curtain)) * (1 - np.exp(-height / 18)) * rays
            canvas.light(colour, 1.5 * veil * canvas.noise(300, 600, 2))
    if extra == "moon":
        sun(canvas, 455, 120, 34, "#f6f1de", "#8fa8e0")
        for x, y, radius in ((445, 112, 7), (466, 128, 9), (458, 104, 4), (440, 132, 5)):
            canvas.ellipse(x, y, radius, radius * 0.9, "#d8d1ba", alpha=0.7)
    line = 428 - 70 * (canvas.line_noise(240) - 0.45)
    canvas.blend(ground, canvas.below(line))
    if extra == "tent":
        tent(canvas, 250, 440, 1.0)
    elif extra == "tree":
        _bare_tree(canvas, (450, 440), -np.pi / 2, 74, ground)


def _galaxy(canvas: Canvas, colour: Colour) -> None:
    """A band of light from lower left to upper right, with dust lanes and its own faint stars."""
    across: Array = (canvas.x - 330) * 0.62 + (canvas.y - 200) * 0.78
    cloud = canvas.noise(150, 150, 6, 0.6)
    band = np.exp(-((across / 95) ** 2)) * smoothstep(0.3, 0.75, cloud)
    dust = np.exp(-(((across + 14) / 26) ** 2)) * smoothstep(0.45, 0.6, canvas.noise(90, 90, 5, 0.6))
    canvas.light(colour, 0.75 * band * (1 - 0.85 * dust))
    canvas.light("#ffe8d0", 0.35 * np.exp(-((across / 40) ** 2)) * smoothstep(0.45, 0.8, cloud) * (1 - dust))


def _star_trails(canvas: Canvas, x: float, y: float) -> None:
    for radius, start, rank, hue in canvas.rng.random((190, 4)):
        angles = 2 * np.pi * start + np.linspace(0, 0.9, 40)
        size = 8 + 470 * radius
        points = list(zip(x + size * np.cos(angles), y + size * np.sin(angles), strict=True))
        sky_colour = mix("#9db8ff", "#ffdca8", float(hue))
        canvas.stroke(points, mix("#141c3c", sky_colour, 0.25 + 0.75 * float(rank) ** 1.5), 0.7 + float(rank) ** 4)


def _bare_tree(canvas: Canvas, foot: Point, angle: float, length: float, colour: Colour) -> None:
    """A tree of forking branches, each shorter than the one it grows from."""
    tip = (foot[0] + length * np.cos(angle), foot[1] + length * np.sin(angle))
    canvas.stroke([foot, tip], colour, length / 9)
    if length > 7:
        for turn in canvas.rng.uniform((-0.65, 0.12), (-0.12, 0.65)):
            _bare_tree(canvas, tip, angle + float(turn), length * float(canvas.rng.uniform(0.66, 0.82)), colour)
