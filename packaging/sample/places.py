"""Scenes of places: forests, cities at night, and boats on the water."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sample.canvas import Canvas, Colour, mix, rgb, smoothstep
from sample.landscapes import Stops, clouds, sun
from sample.shapes import conifer, gull, sail_boat


def conifers(canvas: Canvas, fog: Colour, dark: Colour, *, layers: int = 6, light: Colour | None = None) -> None:
    """Firs in rows, the far ones lost in fog."""
    canvas.blend(canvas.gradient([(0, mix(fog, "#ffffff", 0.35)), (300, fog), (480, mix(fog, dark, 0.4))]), 1)
    if light is not None:
        canvas.light(light, 0.9 * canvas.glow(430, 70, 260))
    for layer in range(layers):
        share = layer / (layers - 1)
        colour = mix(fog, dark, 0.16 + 0.84 * share**1.2)
        line = 215 + 250 * share - 40 * (canvas.line_noise(300, 3)[0, :: canvas.scale] - 0.5)
        canvas.blend(colour, canvas.below(np.repeat(line, canvas.scale)[None, :].astype(np.float32) - 4))
        for x in np.sort(canvas.rng.uniform(-20, canvas.width + 20, int(34 - 22 * share))):
            height = canvas.rng.uniform(85, 150) * (0.55 + 1.25 * share)
            conifer(canvas, float(x), float(line[int(np.clip(x, 0, canvas.width - 1))]) + 6, height, colour)
        canvas.blend(fog, 0.28 * (1 - share) * canvas.noise(300, 80, 4))
    if light is not None:
        _light_rays(canvas, 430, -40, light)


def _light_rays(canvas: Canvas, x: float, y: float, colour: Colour) -> None:
    angle = np.arctan2(canvas.x - x, canvas.y - y)
    beams = np.interp(angle, np.linspace(-1.6, 1.6, 60), canvas.rng.random(60) ** 2).astype(np.float32)
    fade = np.exp(-np.hypot(canvas.x - x, canvas.y - y) / 330)
    canvas.light(colour, 0.75 * beams * fade)


def woods(
    canvas: Canvas,
    *,
    air: Colour,
    bark: Colour,
    leaves: tuple[Colour, ...],
    floor: Colour,
    birch: bool = False,
    layers: int = 4,
) -> None:
    """Trunks between a leafy roof and a leaf-strewn floor."""
    canvas.blend(canvas.gradient([(0, mix(air, leaves[0], 0.35)), (240, air), (330, mix(air, floor, 0.5))]), 1)
    canvas.light("#fff6d0", 0.7 * canvas.glow(320, 215, 170))
    for layer in range(layers):
        share = (layer + 1) / layers
        foot = 300 + 150 * share**1.4
        ground = foot - 24 + 16 * canvas.line_noise(240)
        canvas.blend(mix(air, floor, 0.35 + 0.65 * share), canvas.below(ground))
        for x in canvas.rng.uniform(-10, canvas.width + 10, int(17 - 11 * share)):
            if layer == layers - 1 and 220 < x < 420:
                continue
            _trunk(canvas, float(x), foot + 8 * share, 5 + 24 * share**1.6, mix(air, bark, 0.25 + 0.75 * share), birch)
        _foliage(canvas, leaves, air, share)
    _fallen_leaves(canvas, leaves)


def _trunk(canvas: Canvas, x: float, foot: float, width: float, colour: Colour, birch: bool) -> None:
    lean = float(canvas.rng.normal(0, 14))
    outline = [(x - width * 0.75, foot), (x - width * 0.45, foot - width), (x - width * 0.34 + lean, -5)]
    outline += [(x + width * 0.34 + lean, -5), (x + width * 0.45, foot - width), (x + width * 0.75, foot)]
    canvas.polygon(outline, colour)
    canvas.polygon([*outline[3:], (x + width * 0.1, foot), (x + width * 0.05 + lean, -5)], "#0a0805", 0.22)
    marks = int(foot / 9) if birch else int(foot / 5)
    for y, side, size in canvas.rng.random((marks, 3)):
        middle = x + lean * (1 - y) + (side - 0.5) * width * 0.6
        if birch:
            canvas.ellipse(
                middle, y * (foot - 8), width * (0.12 + 0.22 * size), 0.6 + width * 0.035, "#26221f", alpha=0.8
            )
        else:
            canvas.stroke(
                [(middle, y * foot), (middle + 1, y * foot - 8 - 16 * size)], mix(colour, "#000000", 0.3), width / 22
            )


def _foliage(canvas: Canvas, leaves: tuple[Colour, ...], air: Colour, share: float) -> None:
    size = 2.5 + 6.5 * share
    clumps = canvas.rng.random((26, 2)) * (canvas.width, 150 - 70 * share)
    for x, y in clumps:
        tone = leaves[int(canvas.rng.integers(len(leaves)))]
        for dx, dy, light in canvas.rng.normal(0, 1, (34, 3)):
            colour = mix(
                mix(air, tone, 0.45 + 0.55 * share), "#fffbe0" if light > 0 else "#0c1408", min(abs(light) * 0.16, 0.4)
            )
            place = (x + dx * 34 * (0.6 + share), y + dy * 15 * (0.6 + share))
            canvas.ellipse(*place, size, size * 0.62, colour, turn=float(dx), alpha=0.85)


def _fallen_leaves(canvas: Canvas, leaves: tuple[Colour, ...]) -> None:
    for x, depth, tone in canvas.rng.random((520, 3)):
        y = 320 + 160 * depth**0.8
        size = 0.8 + 3.6 * depth
        colour = mix(leaves[int(tone * len(leaves))], "#000000", 0.1 + 0.25 * float(canvas.rng.random()))
        canvas.ellipse(x * canvas.width, y, size, size * 0.42, colour, turn=float(tone * 3), alpha=0.8)


def city(
    canvas: Canvas,
    sky: Stops,
    *,
    windows: tuple[Colour, ...] = ("#ffd98a", "#ffe9bd", "#ffc25e", "#cfe4ff"),
    tower: Colour = "#0d1222",
    haze: Colour = "#3a3560",
    lit: float = 0.45,
    water: float | None = None,
    tallest: float = 270,
    extra: str = "",
) -> None:
    """A skyline with lit windows; ``water`` is the height of the river that mirrors it.

    ``extra``: moon, bridge or rain.
    """
    canvas.blend(canvas.gradient(sky), 1)
    if extra == "moon":
        sun(canvas, 510, 82, 24, "#fbf4dd", "#9fb4e8")
    foot = water if water is not None else canvas.height
    canvas.light(haze, 0.8 * np.exp(-(((canvas.y - foot) / 170) ** 2)))
    for layer in range(3):
        share = (layer + 1) / 3
        x = -12.0
        while x < canvas.width:
            width = float(canvas.rng.uniform(26, 62)) * (0.6 + 0.5 * share)
            middle = np.exp(-(((x - canvas.width * 0.52) / 230) ** 2))
            height = float(canvas.rng.uniform(0.35, 1.0)) * tallest * (1.12 - 0.5 * share) * (0.5 + 0.6 * middle)
            _tower(
                canvas,
                x,
                foot,
                width,
                height,
                mix(haze, tower, 0.35 + 0.65 * share),
                windows,
                lit * (0.35 + 0.65 * share),
            )
            x += width + float(canvas.rng.uniform(-3, 9))
    if extra == "bridge" and water is not None:
        _bridge(canvas, water)
    if water is not None:
        canvas.reflect(water, 7, mix(sky[-1][1], "#04060f", 0.7), 0.68, grain_px=46)
    if extra == "rain":
        for rx, ry, length in canvas.rng.random((420, 3)):
            start = (rx * 700 - 20, ry * canvas.height)
            canvas.stroke(
                [start, (start[0] - 4, start[1] + 12 + 12 * length)], mix("#5a6a92", "#b9c8e8", float(length)), 0.5
            )


def _tower(
    canvas: Canvas,
    x: float,
    foot: float,
    width: float,
    height: float,
    wall: Colour,
    windows: tuple[Colour, ...],
    lit: float,
) -> None:
    top = foot - height
    canvas.rectangle(x, top, x + width, foot, wall)
    crown = int(canvas.rng.integers(4))
    if crown == 0:
        canvas.stroke([(x + width / 2, top), (x + width / 2, top - 24)], wall, 1.6)
        canvas.ellipse(x + width / 2, top - 24, 1.5, 1.5, "#ff5a4a")
    elif crown == 1:
        canvas.polygon([(x, top), (x + width / 2, top - width * 0.45), (x + width, top)], wall)
    elif crown == 2:
        canvas.rectangle(x + width * 0.2, top - 9, x + width * 0.8, top, wall)
    pitch_x, pitch_y = (6.0, 8.0) if width < 44 else (8.0, 10.0)
    for row in np.arange(top + 7, foot - 8, pitch_y):
        for left in np.arange(x + 4, x + width - 6, pitch_x):
            if canvas.rng.random() < lit:
                colour = windows[int(canvas.rng.integers(len(windows)))]
                glow = mix(wall, colour, 0.55 + 0.45 * float(canvas.rng.random()))
                canvas.rectangle(left, row, left + pitch_x * 0.52, row + pitch_y * 0.5, glow)


def _bridge(canvas: Canvas, water: float) -> None:
    steel: Colour = "#1a1f38"
    canvas.rectangle(0, water - 30, canvas.width, water - 24, steel)
    towers = (150.0, 490.0)
    for x in towers:
        canvas.rectangle(x - 7, water - 150, x + 7, water, steel)
    spans = ((-190.0, 150.0), (150.0, 490.0), (490.0, 830.0))
    for left, right in spans:
        t = np.linspace(0, 1, 40)
        cable_x, cable_y = left + (right - left) * t, water - 148 + 112 * 4 * t * (1 - t)
        canvas.stroke(list(zip(cable_x, cable_y, strict=True)), steel, 2.4)
        for x, y in zip(cable_x, cable_y, strict=True):
            canvas.stroke([(x, y), (x, water - 28)], steel, 0.8)
            canvas.ellipse(float(x), float(y), 3.4, 3.4, "#ffc860", alpha=0.3)
            canvas.ellipse(float(x), float(y), 1.5, 1.5, "#ffe9b8")
    for lamp in range(12, canvas.width, 34):
        canvas.ellipse(lamp, water - 34, 6, 6, "#ffd890", alpha=0.3)
        canvas.ellipse(lamp, water - 34, 2.2, 2.2, "#fff0c8")


class Boat(NamedTuple):
    """Where a boat lies, how high its mast is, and its colours."""

    x: float
    y: float
    size: float
    sail: Colour = "#fbfaf5"
    hull: Colour = "#7d2f2a"
    jib: Colour | None = None
    stripe: Colour | None = None


def sailing(
    canvas: Canvas,
    sky: Stops,
    *,
    sea: tuple[Colour, Colour],
    boats: tuple[Boat, ...],
    horizon: float = 235,
    cover: float = 0.5,
    cloud: tuple[Colour, Colour] = ("#ffffff", "#c3cfdf"),
    chop: float = 0.5,
    extra: str = "",
) -> None:
    """Sail boats by day; ``sea`` is its colour afar and near. ``extra``: coast, lighthouse or gulls."""
    canvas.blend(canvas.gradient(sky), 1)
    clouds(canvas, *cloud, cover=cover)
    if extra in ("coast", "lighthouse"):
        line = horizon + 4 - 58 * canvas.line_noise(170) * smoothstep(620, 120, np.abs(canvas.x - 560) * 1.4)
        canvas.blend(mix("#5f7f5a", sky[-1][1], 0.35), canvas.below(line))
    canvas.blend(canvas.gradient([(horizon, sea[0]), (canvas.height, sea[1])]), canvas.below(horizon))
    near = np.maximum(canvas.y - horizon, 0) / (canvas.height - horizon)
    waves = canvas.ground_noise(horizon, 85, 4.5)
    crests = smoothstep(0.58, 0.8, waves) * canvas.below(horizon)
    troughs = smoothstep(0.45, 0.2, waves) * canvas.below(horizon)
    canvas.blend(mix(sea[0], "#ffffff", 0.55), crests * chop * (0.25 + 0.75 * near))
    canvas.blend(mix(sea[1], "#04142a", 0.5), troughs * chop * (0.2 + 0.6 * near))
    if extra == "lighthouse":
        _lighthouse(canvas, 560, horizon + 30)
    for boat in sorted(boats, key=lambda boat: boat.y):
        sail_boat(canvas, boat.x, boat.y, boat.size, sail=boat.sail, hull=boat.hull, jib=boat.jib, stripe=boat.stripe)
    if extra == "gulls":
        for x, y, size in ((120, 90, 22), (170, 66, 15), (220, 110, 13), (520, 60, 12)):
            gull(canvas, x, y, size, "#5b6675")


def _lighthouse(canvas: Canvas, x: float, y: float) -> None:
    rock = [(x - 90, y + 22), (x - 66, y - 6), (x - 30, y - 16), (x + 20, y - 20), (x + 70, y - 10), (x + 110, y + 24)]
    canvas.polygon(rock, "#6a655f")
    canvas.polygon([(x - 90, y + 22), (x - 40, y - 2), (x + 30, y + 4), (x + 110, y + 24)], "#4d4a47")
    for band in range(6):
        low, high = y - 18 - band * 26, y - 18 - (band + 1) * 26
        wide_low, wide_high = 19 - band * 1.5, 19 - (band + 1) * 1.5
        outline = [(x - wide_low, low), (x - wide_high, high), (x + wide_high, high), (x + wide_low, low)]
        canvas.polygon(outline, "#f5f2ea" if band % 2 else "#cf3f36")
        canvas.polygon([(x + wide_low * 0.25, low), (x + wide_high * 0.25, high), *outline[2:]], "#1a1a2a", 0.2)
    top = y - 174
    canvas.rectangle(x - 14, top - 4, x + 14, top, "#2d2f3a")
    canvas.rectangle(x - 8, top - 22, x + 8, top - 4, rgb("#ffe9a6"))
    canvas.polygon([(x - 11, top - 22), (x, top - 36), (x + 11, top - 22)], "#a8322b")
