"""Small things that stand in many scenes: trees, boats, birds, a tent, a snowman, and balls with light on them."""

from __future__ import annotations

import numpy as np

from sample.canvas import Array, Canvas, Colour, Point, mix, rgb


def conifer(canvas: Canvas, x: float, foot: float, height: float, colour: Colour, snow: Colour | None = None) -> None:
    """A fir of drooping tiers; with ``snow`` every tier carries some."""
    tiers = max(4, int(height / 11))
    half = height * 0.21
    canvas.rectangle(x - height * 0.018, foot - height * 0.12, x + height * 0.018, foot, mix(colour, "#2a1a10", 0.6))
    for tier in range(tiers):
        share = (tier + 1) / tiers
        low = foot - height * 0.08 - height * 0.9 * (1 - share)
        top = low - height * 1.75 / tiers
        wide = half * share**0.85 * float(canvas.rng.uniform(0.86, 1.1))
        droop = height * 0.35 / tiers
        outline: list[Point] = [
            (x, top),
            (x + wide * 0.5, low - droop),
            (x + wide, low),
            (x + wide * 0.4, low - droop * 0.6),
            (x, low - droop * 0.2),
            (x - wide * 0.4, low - droop * 0.6),
            (x - wide, low),
            (x - wide * 0.5, low - droop),
        ]
        canvas.polygon(outline, mix(colour, "#000000", 0.18 * (tier % 2)))
        if snow is not None:
            cap = [(x, top), (x - wide * 0.5, low - droop), (x - wide * 0.95, low - droop * 0.1)]
            cap += [(x - wide * 0.45, low - droop * 0.9), (x - wide * 0.1, low - droop * 1.7)]
            canvas.polygon(cap, snow, alpha=0.6)


def palm(canvas: Canvas, x: float, foot: float, height: float, colour: Colour, lean: float) -> None:
    share = np.linspace(0, 1, 24)
    trunk_x, trunk_y = x + lean * share**1.8, foot - height * share
    for i in range(len(share) - 1):
        canvas.stroke(
            list(zip(trunk_x[i : i + 2], trunk_y[i : i + 2], strict=True)),
            colour,
            height / 32 * (1.25 - share[i] * 0.6),
        )
    top_x, top_y = float(trunk_x[-1]), float(trunk_y[-1])
    for angle in np.linspace(-2.9, -0.2, 9) + canvas.rng.normal(0, 0.08, 9):
        reach = height * 0.36
        t = np.linspace(0, 1, 18)
        leaf_x = top_x + reach * np.cos(angle) * t
        leaf_y = top_y + reach * (np.sin(angle) * 0.75 * t + 0.72 * t**2)
        for i in range(1, 18):
            length = reach * 0.24 * np.sin(np.pi * t[i] ** 0.7) + 3
            for side in (-0.45, 0.45):
                tip = (leaf_x[i] + length * side, leaf_y[i] + length)
                canvas.polygon([(leaf_x[i - 1], leaf_y[i - 1]), (leaf_x[i], leaf_y[i]), tip], colour)
        canvas.stroke(list(zip(leaf_x, leaf_y, strict=True)), colour, 2)


def gull(canvas: Canvas, x: float, y: float, size: float, colour: Colour) -> None:
    """Two bent wings, thick at the body and thin at the tips."""
    for side in (-1, 1):
        t = np.linspace(0, 1, 14)
        wing_x = x + side * size * t
        wing_y = y - size * (0.62 * np.sin(np.pi * t**0.8 * 0.72) - 0.2 * t)
        thick = size * 0.11 * (1 - t) ** 0.7
        under = list(zip(wing_x[::-1], (wing_y + thick)[::-1], strict=True))
        canvas.polygon(list(zip(wing_x, wing_y - thick, strict=True)) + under, colour)


def sail_boat(
    canvas: Canvas,
    x: float,
    y: float,
    size: float,
    *,
    sail: Colour = "#fbfaf5",
    hull: Colour = "#7d2f2a",
    jib: Colour | None = None,
    stripe: Colour | None = None,
    reflection: float = 0.35,
) -> None:
    """A sloop on the waterline ``y``; ``size`` is the height of its mast. Its mirror image fades into the water."""
    t = np.linspace(0, 1, 16)
    mast = (x, y - size)
    main = [(x + 0.02 * size, y - 0.14 * size), mast]
    main += [(x + size * (0.02 + 0.46 * s), y - size * (1 - 0.84 * s - 0.1 * np.sin(np.pi * s))) for s in t]
    front = [(x - 0.03 * size, y - 0.13 * size), (x - 0.02 * size, y - 0.9 * size)]
    front += [(x - size * (0.02 + 0.36 * s), y - size * (0.9 - 0.76 * s - 0.05 * np.sin(np.pi * s))) for s in t]
    body = [(x - 0.42 * size, y - 0.12 * size), (x + 0.46 * size, y - 0.13 * size)]
    body += [(x + 0.36 * size, y + 0.02 * size), (x - 0.26 * size, y + 0.02 * size)]
    parts: list[tuple[list[Point], Colour]] = [
        (main, sail),
        (front, jib if jib is not None else mix(sail, "#8a93a8", 0.18)),
        (body, hull),
    ]
    if stripe is not None:
        share = [(0.50, 0.28), (0.62, 0.40)]
        band = [(x + 0.02 * size, y - s * size) for s, _ in share]
        band += [(x + size * 0.46 * (1 - s) * 1.12, y - s * size * 0.97) for s, _ in reversed(share)]
        parts.insert(1, (band, stripe))
    for points, colour in parts:
        canvas.polygon(
            [(px, y + 0.03 * size - (py - y) * 0.62) for px, py in points], mix(colour, "#203048", 0.3), reflection
        )
    for points, colour in parts:
        canvas.polygon(points, colour)
    shade = [(x + 0.02 * size, y - 0.14 * size), mast, (x + 0.14 * size, y - 0.14 * size)]
    canvas.polygon(shade, "#404a60", 0.12)
    canvas.stroke([(x, y - 0.1 * size), mast], mix(hull, "#3a2a20", 0.7), max(0.8, size / 70))


def ball(
    canvas: Canvas, x: float, y: float, radius: float, colour: Colour, *, ry: float | None = None, gloss: float = 0.5
) -> None:
    """A shaded sphere (or egg, with ``ry``) lit from the upper left, with a highlight and a darker rim."""
    ry = ry or radius
    rows, columns, inside, nx, ny, nz = _sphere(canvas, x, y, radius, ry)
    lit = np.clip(-0.5 * nx - 0.62 * ny + 0.6 * nz, 0, 1)
    bounce = 0.12 * np.clip(ny, 0, 1)
    shine = np.clip(-0.42 * nx - 0.55 * ny + 0.72 * nz, 0, 1) ** 42
    shaded = rgb(colour) * (0.32 + 0.78 * lit + bounce)[..., None]
    shaded += (1 - np.clip(shaded, 0, 1)) * (gloss * shine)[..., None]
    part = canvas.pixels[rows, columns]
    part += (shaded - part) * inside[..., None]


def _sphere(
    canvas: Canvas, x: float, y: float, rx: float, ry: float
) -> tuple[slice, slice, Array, Array, Array, Array]:
    """Where an ellipsoid lies on the canvas: its rows, columns, mask, and the three parts of its unit normal."""
    columns = slice(max(0, int((x - rx - 1) * canvas.scale)), max(0, int((x + rx + 2) * canvas.scale)))
    rows = slice(max(0, int((y - ry - 1) * canvas.scale)), max(0, int((y + ry + 2) * canvas.scale)))
    nx, ny = np.broadcast_arrays((canvas.x[:, columns] - x) / rx, (canvas.y[rows] - y) / ry)
    squared = nx**2 + ny**2
    inside = np.clip((1 - np.sqrt(squared)) * min(rx, ry) * canvas.scale + 0.5, 0, 1)
    return rows, columns, inside, nx, ny, np.sqrt(np.clip(1 - squared, 0, 1))


def shadow(canvas: Canvas, x: float, y: float, rx: float, ry: float, strength: float = 0.45) -> None:
    """A soft shadow on the ground."""
    squared = ((canvas.x - x) / rx) ** 2 + ((canvas.y - y) / ry) ** 2
    canvas.blend("#100c14", strength * np.exp(-1.6 * squared))


def snowman(canvas: Canvas, x: float, y: float, size: float) -> None:
    shadow(canvas, x + 26 * size, y + 4 * size, 74 * size, 14 * size, 0.3)
    for up, radius in ((38, 42), (98, 30), (143, 22)):
        ball(canvas, x, y - up * size, radius * size, "#f7faff", gloss=0.1)
    for side in (-1, 1):
        arm = [(x + side * 26 * size, y - 104 * size), (x + side * 62 * size, y - 128 * size)]
        canvas.stroke(arm, "#5b3b22", 3.2 * size)
        canvas.stroke([arm[1], (x + side * 66 * size, y - 140 * size)], "#5b3b22", 2 * size)
        canvas.ellipse(x + side * 7.5 * size, y - 149 * size, 2.6 * size, 3 * size, "#1c1c22")
    for button in (86, 98, 110):
        canvas.ellipse(x, y - button * size, 2.6 * size, 2.6 * size, "#1c1c22")
    canvas.polygon([(x, y - 145 * size), (x + 26 * size, y - 139 * size), (x, y - 138 * size)], "#f0832b")
    canvas.rectangle(x - 22 * size, y - 128 * size, x + 22 * size, y - 119 * size, "#c8313a")
    canvas.polygon(
        [
            (x + 8 * size, y - 122 * size),
            (x + 20 * size, y - 122 * size),
            (x + 24 * size, y - 86 * size),
            (x + 13 * size, y - 86 * size),
        ],
        "#b02932",
    )
    canvas.rectangle(x - 25 * size, y - 166 * size, x + 25 * size, y - 161 * size, "#26262e")
    canvas.rectangle(x - 16 * size, y - 194 * size, x + 16 * size, y - 164 * size, "#26262e")
    canvas.rectangle(x - 16 * size, y - 172 * size, x + 16 * size, y - 166 * size, "#c8313a")


def tent(canvas: Canvas, x: float, y: float, size: float) -> None:
    """A tent lit from inside."""
    canvas.light("#ff9d3c", 0.5 * canvas.glow(x, y - 20, 110 * size))
    canvas.polygon([(x - 62 * size, y), (x - 4 * size, y - 62 * size), (x + 24 * size, y)], "#ffb24a")
    canvas.polygon([(x - 4 * size, y - 62 * size), (x + 24 * size, y), (x + 70 * size, y - 8 * size)], "#d9722a")
    canvas.polygon([(x - 24 * size, y), (x - 5 * size, y - 48 * size), (x + 2 * size, y)], "#fff0b8")
    canvas.stroke([(x - 5 * size, y - 50 * size), (x - 5 * size, y)], "#8a4312", 1.4)
