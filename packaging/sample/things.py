"""Pictures of things: flowers, fruit and balloons."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sample.canvas import Canvas, Colour, mix, rgb
from sample.landscapes import Stops, clouds
from sample.shapes import ball, shadow


def meadow(
    canvas: Canvas,
    kinds: tuple[str, ...],
    *,
    sky: Stops,
    grass: tuple[Colour, Colour] = ("#8fb65a", "#3f7a2c"),
    horizon: float = 170,
    count: int = 330,
    rows: bool = False,
    hills: Colour = "#7f9f78",
) -> None:
    """Flowers of the given kinds, small at the horizon and large in front; ``rows`` plants them as a field."""
    canvas.blend(canvas.gradient(sky), 1)
    clouds(canvas, "#ffffff", "#cfd9e6", cover=0.45, down=60)
    canvas.blend(mix(hills, sky[-1][1], 0.4), canvas.below(horizon - 70 * canvas.line_noise(250)))
    canvas.blend(canvas.gradient([(horizon, grass[0]), (480, grass[1])]), canvas.below(horizon))
    blades = canvas.ground_noise(horizon, 36, 2)
    canvas.blend(mix(grass[1], "#0d2410", 0.5), canvas.below(horizon) * (blades < 0.42) * 0.35)
    places = _rows(count) if rows else canvas.rng.random((count, 2))
    for across, depth in places[np.argsort(places[:, 1])]:
        near = 0.02 + 0.98 * depth**1.7
        y = horizon + 6 + (canvas.height - horizon + 24) * near
        x = (across - 0.5) * canvas.width * (1.05 + 0.5 * near) + canvas.width / 2
        kind = kinds[int(canvas.rng.integers(len(kinds)))]
        FLOWERS[kind](canvas, float(x), float(y), 3.5 + 25 * float(near))


def _rows(count: int) -> npt.NDArray[np.float64]:
    """(n, 2) places across and in depth, 0..1, in straight rows that meet at the horizon."""
    lanes = np.linspace(-0.9, 1.9, 15)
    depth = np.repeat(np.linspace(0, 1, count // len(lanes)), len(lanes))
    across = np.tile(lanes, count // len(lanes)) - 0.5
    spread = across * (0.12 + 0.88 * depth**1.7) + 0.5
    return np.stack([spread, depth], axis=1)


def _stem(canvas: Canvas, x: float, y: float, size: float) -> None:
    bend = float(canvas.rng.normal(0, 0.15)) * size
    canvas.stroke([(x, y), (x + bend * 0.5, y + size), (x + bend, y + size * 2.4)], "#47792f", max(0.5, size / 11))


def daisy(
    canvas: Canvas, x: float, y: float, size: float, petal: Colour = "#fdfdf8", heart: Colour = "#f4b51e"
) -> None:
    _stem(canvas, x, y, size)
    start, squash = float(canvas.rng.random()), float(canvas.rng.uniform(0.6, 0.95))
    for angle in start + np.linspace(0, 2 * np.pi, 13, endpoint=False):
        px, py = x + np.cos(angle) * size * 0.56, y + np.sin(angle) * size * 0.56 * squash
        turn = float(np.arctan2(np.sin(angle) * squash, np.cos(angle)))
        canvas.ellipse(
            px, py, size * 0.44, size * 0.14, mix(petal, "#8fa0b8", 0.25 * (0.5 + 0.5 * np.sin(angle))), turn
        )
    canvas.ellipse(x, y, size * 0.25, size * 0.25 * squash, heart)
    canvas.ellipse(x - size * 0.05, y - size * 0.06, size * 0.13, size * 0.1, mix(heart, "#ffffff", 0.3))


def poppy(canvas: Canvas, x: float, y: float, size: float) -> None:
    _stem(canvas, x, y, size)
    red = mix("#d8231f", "#f2552f", float(canvas.rng.random()))
    for dx, dy, tone in ((-0.34, -0.1, 0.12), (0.34, -0.1, 0.2), (0, -0.34, 0.28), (0, 0.16, 0.0)):
        canvas.ellipse(x + dx * size, y + dy * size, size * 0.5, size * 0.42, mix(red, "#4a0508", tone))
    canvas.ellipse(x, y - size * 0.06, size * 0.17, size * 0.14, "#231018")


def tulip(canvas: Canvas, x: float, y: float, size: float, colour: Colour = "#e2344f") -> None:
    _stem(canvas, x, y, size)
    leaf = [(x, y + size * 2.3), (x + size * 0.7, y + size * 0.6), (x + size * 0.25, y + size * 1.8)]
    canvas.polygon(leaf, "#5c9442")
    cup = [
        (-0.5, -0.75),
        (-0.25, -0.4),
        (0, -0.9),
        (0.25, -0.4),
        (0.5, -0.75),
        (0.48, 0.1),
        (0.22, 0.5),
        (-0.22, 0.5),
        (-0.48, 0.1),
    ]
    canvas.polygon([(x + dx * size, y + dy * size) for dx, dy in cup], colour)
    inner = [(-0.2, -0.2), (0, -0.9), (0.2, -0.2), (0.12, 0.48), (-0.12, 0.48)]
    canvas.polygon([(x + dx * size, y + dy * size) for dx, dy in inner], mix(colour, "#ffffff", 0.22))


def sunflower(canvas: Canvas, x: float, y: float, size: float) -> None:
    _stem(canvas, x, y, size * 1.2)
    canvas.ellipse(x + size * 0.7, y + size * 1.5, size * 0.6, size * 0.24, "#4d8232", 0.5)
    for ring, colour in ((0.0, "#e79a12"), (0.15, "#fbc62a")):
        for angle in ring + np.linspace(0, 2 * np.pi, 17, endpoint=False):
            place = (x + np.cos(angle) * size * 0.72, y + np.sin(angle) * size * 0.68)
            canvas.ellipse(*place, size * 0.36, size * 0.13, colour, float(angle))
    canvas.ellipse(x, y, size * 0.5, size * 0.47, "#4a2a14")
    canvas.ellipse(x, y, size * 0.3, size * 0.28, "#6b4220")


def lavender(canvas: Canvas, x: float, y: float, size: float) -> None:
    _stem(canvas, x, y, size)
    lean = float(canvas.rng.normal(0, 0.2))
    for step in range(11):
        up = step / 10
        tone = mix("#6a4bb0", "#a98be0", float(canvas.rng.random()))
        side = float(canvas.rng.uniform(-0.2, 0.2)) * (1.15 - up)
        canvas.ellipse(x + (lean * up + side) * size, y + (0.5 - 1.7 * up) * size, size * 0.19, size * 0.16, tone)


def pink_tulip(canvas: Canvas, x: float, y: float, size: float) -> None:
    colours = ("#f08bb0", "#e2344f", "#f7c43a", "#b04ac0")
    tulip(canvas, x, y, size, colours[int(canvas.rng.integers(len(colours)))])


def cornflower(canvas: Canvas, x: float, y: float, size: float) -> None:
    daisy(canvas, x, y, size * 0.85, "#4a6fe0", "#2a2f86")


FLOWERS = {
    "daisy": daisy,
    "poppy": poppy,
    "tulip": pink_tulip,
    "sunflower": sunflower,
    "lavender": lavender,
    "cornflower": cornflower,
}


class Fruit(NamedTuple):
    """One fruit of a still life; ``kind`` decides its shape, skin and stalk."""

    kind: str
    x: float
    y: float
    radius: float


FRUIT_COLOURS: dict[str, Colour] = {
    "orange": "#f58a1f",
    "apple": "#c92a2f",
    "green apple": "#9cc33c",
    "lemon": "#f7d93d",
    "plum": "#5b3a7e",
    "peach": "#f6a56b",
    "grape": "#6d3f8f",
    "green grape": "#b4cf5a",
    "cherry": "#a8142b",
}


def still_life(
    canvas: Canvas,
    wall: tuple[Colour, Colour],
    table: Colour,
    fruits: tuple[Fruit, ...],
    *,
    bowl: Colour | None = "#e9e4da",
    edge: float = 320,
) -> None:
    """Fruit on a wooden table, in a bowl unless ``bowl`` is None."""
    canvas.blend(canvas.gradient([(0, wall[0]), (edge, wall[1])]), 1)
    canvas.light("#fff4dc", 0.35 * canvas.glow(180, 90, 240))
    wood = canvas.noise(500, 14, 5)
    canvas.blend(rgb(table) * (0.72 + 0.56 * wood)[..., None], canvas.below(edge))
    canvas.blend("#000000", 0.22 * np.exp(-(((canvas.y - edge) / 9) ** 2)) * canvas.below(edge))
    if bowl is not None:
        shadow(canvas, 330, 430, 210, 26)
        canvas.ellipse(320, 318, 186, 34, mix(bowl, "#000000", 0.4))
    for fruit in fruits:
        if bowl is None:
            shadow(
                canvas,
                fruit.x + fruit.radius * 0.25,
                fruit.y + fruit.radius * 0.92,
                fruit.radius * 1.15,
                fruit.radius * 0.26,
            )
        else:
            shadow(canvas, fruit.x + 3, fruit.y + 5, fruit.radius * 1.12, fruit.radius * 1.12, 0.3)
        draw_fruit(canvas, fruit)
    if bowl is not None:
        _bowl(canvas, bowl)


def draw_fruit(canvas: Canvas, fruit: Fruit) -> None:
    kind, x, y, radius = fruit
    colour = FRUIT_COLOURS[kind]
    if kind in ("grape", "green grape"):
        for row, many in enumerate((4, 5, 4, 3, 2, 1)):
            for column in range(many):
                tone = mix(colour, "#ffffff", 0.12 * float(canvas.rng.random()))
                ball(
                    canvas,
                    x + (column - (many - 1) / 2) * radius * 0.46,
                    y + (row - 2) * radius * 0.4,
                    radius * 0.27,
                    tone,
                )
        return
    if kind == "cherry":
        for side in (-1, 1):
            canvas.stroke([(x + side * radius * 0.7, y), (x + radius * 0.3, y - radius * 2.4)], "#5f7a2c", radius / 9)
            ball(canvas, x + side * radius * 0.72, y + side * radius * 0.1, radius * 0.74, colour, gloss=0.8)
        return
    tall = radius * (0.78 if kind == "lemon" else 0.95)
    if kind == "lemon":
        canvas.ellipse(x + radius * 0.98, y, radius * 0.16, radius * 0.14, mix(colour, "#7a6a10", 0.3))
        canvas.ellipse(x - radius * 0.98, y, radius * 0.12, radius * 0.12, mix(colour, "#7a6a10", 0.2))
    ball(canvas, x, y, radius, colour, ry=tall, gloss=0.25 if kind == "peach" else 0.55)
    _skin(canvas, kind, x, y, radius)
    if "apple" in kind or kind in ("plum", "peach"):
        canvas.ellipse(x, y - tall * 0.82, radius * 0.22, radius * 0.09, mix(colour, "#000000", 0.5), alpha=0.7)
        canvas.stroke([(x, y - tall * 0.8), (x + radius * 0.1, y - tall * 1.22)], "#4d3319", radius / 11)
    if "apple" in kind:
        canvas.ellipse(x + radius * 0.34, y - tall * 1.12, radius * 0.27, radius * 0.11, "#5d9a3a", turn=-0.5)


def _skin(canvas: Canvas, kind: str, x: float, y: float, radius: float) -> None:
    """Pores of citrus, and the streaks of a red apple."""
    for angle, distance in canvas.rng.random((110 if kind in ("orange", "lemon") else 60, 2)) * (2 * np.pi, 1):
        reach = radius * 0.86 * np.sqrt(distance)
        px, py = x + reach * np.cos(angle), y + reach * np.sin(angle) * (0.75 if kind == "lemon" else 0.92)
        if kind in ("orange", "lemon"):
            canvas.ellipse(float(px), float(py), 0.9, 0.8, "#6a3a00", alpha=0.16)
        elif kind == "apple":
            tip = (px + (px - x) * 0.08, py + radius * 0.16)
            canvas.polygon([(px - 0.7, py), (px + 0.7, py), tip], "#f2b04a", 0.3)


def _bowl(canvas: Canvas, colour: Colour) -> None:
    angle = np.linspace(0, np.pi, 60)
    rim = list(zip(320 + 190 * np.cos(angle), 322 + 30 * np.sin(angle), strict=True))
    side = list(
        zip(320 - 190 * np.cos(angle) * (1 - 0.1 * np.sin(angle)), 322 + 112 * np.sin(angle) ** 0.7, strict=True)
    )
    canvas.polygon(rim + side, colour)
    for step in range(26):
        left = 320 + 6 * step
        share = 0.022 * step / 26
        outline = [(px, py) for px, py in rim + side if px > left]
        if len(outline) > 2:
            canvas.polygon(outline, "#1d1626", share * 1.6)
    canvas.stroke(rim, mix(colour, "#ffffff", 0.6), 2.5)


class Balloon(NamedTuple):
    """A hot-air balloon: the middle of its envelope, its radius and the colours of its gores."""

    x: float
    y: float
    radius: float
    colours: tuple[Colour, ...]
    gores: int = 12


def balloons(
    canvas: Canvas,
    sky: Stops,
    flock: tuple[Balloon, ...],
    *,
    cover: float = 0.45,
    cloud: tuple[Colour, Colour] = ("#ffffff", "#c9d6e6"),
    hills: tuple[Colour, ...] = (),
) -> None:
    canvas.blend(canvas.gradient(sky), 1)
    clouds(canvas, *cloud, cover=cover, down=70)
    for layer, colour in enumerate(hills):
        canvas.blend(colour, canvas.below(400 + 34 * layer - 90 * (canvas.line_noise(260 - 60 * layer) - 0.4)))
    for balloon in sorted(flock, key=lambda balloon: balloon.radius):
        _balloon(canvas, balloon)


def _balloon(canvas: Canvas, balloon: Balloon) -> None:
    """The envelope is a sphere that narrows to a mouth; each column's longitude decides the colour of its gore."""
    x, y, radius, colours, gores = balloon
    rows = slice(max(0, int((y - radius * 1.02) * canvas.scale)), max(0, int((y + radius * 1.42) * canvas.scale)))
    columns = slice(max(0, int((x - radius * 1.02) * canvas.scale)), max(0, int((x + radius * 1.02) * canvas.scale)))
    down = (canvas.y[rows] - y) / radius
    lower = np.clip(down / 1.36, 0, 1)
    half = np.where(
        down < 0, np.sqrt(np.clip(1 - down**2, 0, 1)), np.cos(lower * np.pi / 2).clip(0) ** 0.8 * 0.84 + 0.16
    )
    half = np.where((down < -1) | (down > 1.36), 1e-6, half)
    across = (canvas.x[:, columns] - x) / radius / half
    longitude = np.arcsin(np.clip(across, -1, 1))
    gore = np.floor((longitude / np.pi + 0.5) * gores).astype(int) % len(colours)
    palette = np.stack([rgb(colour) for colour in colours])
    lit = np.clip(0.62 - 0.42 * across - 0.22 * down, 0.28, 1.15)
    seam = 1 - 0.12 * (np.abs((longitude / np.pi + 0.5) * gores % 1 - 0.5) > 0.44)
    inside = np.clip((1 - np.abs(across)) * half * radius * canvas.scale, 0, 1)
    part = canvas.pixels[rows, columns]
    part += (palette[gore] * (0.35 + 0.75 * lit * seam)[..., None] - part) * inside[..., None]
    mouth = y + radius * 1.36
    for side in (-1, 1):
        canvas.stroke(
            [(x + side * radius * 0.15, mouth), (x + side * radius * 0.1, mouth + radius * 0.3)],
            "#3a2c20",
            max(0.5, radius / 60),
        )
    canvas.rectangle(x - radius * 0.13, mouth + radius * 0.28, x + radius * 0.13, mouth + radius * 0.48, "#7a4f2a")
    canvas.rectangle(x - radius * 0.14, mouth + radius * 0.26, x + radius * 0.14, mouth + radius * 0.31, "#a87440")
