"""The videos of the sample library, drawn frame by frame: a boat at sunset, a bouncing ball, traffic at night."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from sample import landscapes, patterns, places, things
from sample.canvas import Array, Canvas, Pixels, mix, rgb
from sample.shapes import ball, sail_boat, shadow
from sample.sounds import Signal, surf

WIDTH_PX, HEIGHT_PX = 480, 360
FRAMES_PER_S = 24


@dataclass(frozen=True)
class Video:
    """``themes`` are what its frames at 0 s, 2 s and so on show, ``sound_themes`` what is heard."""

    file: str
    caption: str
    draw: Callable[[int], Iterator[Pixels]]
    length_s: int
    themes: tuple[frozenset[str], ...]
    sound: Callable[[np.random.Generator], Signal] | None = None
    sound_themes: frozenset[str] = frozenset()

    def frames(self) -> Iterator[Pixels]:
        """(360, 480, 3) uint8 sRGB each, the same at every call."""
        return self.draw(self.length_s * FRAMES_PER_S)

    def samples(self) -> Signal | None:
        if self.sound is None:
            return None
        signal = self.sound(np.random.default_rng(zlib.crc32(self.file.encode())))
        return np.asarray(0.6 * signal / np.abs(signal).max(), np.float32)


def _backdrop(seed: int, draw: Callable[[Canvas], None]) -> Array:
    """(360, 480, 3) float32: a scene of the pictures, scaled to the video's size."""
    canvas = Canvas(seed, oversampling=2)
    draw(canvas)
    small = cv2.resize(canvas.pixels, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)
    backdrop: Array = np.clip(small, 0, 1)
    return backdrop


def _over(background: Array) -> Canvas:
    """A canvas at twice the video's size whose ground is ``background``."""
    canvas = Canvas(0, WIDTH_PX, HEIGHT_PX, 2)
    canvas.pixels = cv2.resize(background, canvas.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return canvas


def _shown(canvas: Canvas) -> Pixels:
    return canvas.finish(grain=0, vignette=0.1)


def boat_at_sunset(frames: int) -> Iterator[Pixels]:
    """A boat sails from left to right while the day turns into evening."""
    day = _backdrop(
        11,
        lambda c: places.sailing(
            c, [(0, "#3f86d6"), (240, "#d6ecfa")], sea=("#5a9fd0", "#14508a"), boats=(), horizon=270
        ),
    )
    evening = _backdrop(
        11,
        lambda c: landscapes.sunset(
            c,
            [(0, "#2c2a5e"), (130, "#a0507a"), (230, "#f2803c"), (270, "#ffcf7a")],
            sun_at=(430, 225),
            sun_radius=32,
            horizon=270,
        ),
    )
    rows, columns = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX].astype(np.float32)
    depth = np.clip(rows - 204, 0, None) / 156
    for number in range(frames):
        share = number / (frames - 1)
        time = number / FRAMES_PER_S
        scene = day + (evening - day) * np.float32((1 - np.cos(np.pi * min(1, share * 1.15))) / 2)
        shift = 5 * depth * np.sin(rows / (3 + 9 * depth) - time * 4) + 2 * depth * np.sin(columns / 37 + time * 2)
        canvas = _over(cv2.remap(scene, columns + shift, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))
        dusk = float(np.clip(share * 1.3 - 0.1, 0, 1))
        sail_boat(
            canvas,
            50 + 370 * share,
            262 + 2.5 * np.sin(time * 2.6),
            120,
            sail=mix("#fbfaf5", "#4a2a3a", dusk),
            hull=mix("#b8352c", "#1a0f1a", dusk),
        )
        yield _shown(canvas)


def bouncing_ball(frames: int) -> Iterator[Pixels]:
    """A red ball bounces on through a meadow, over striped cloth and before a poster."""
    scenes = [
        _backdrop(
            21, lambda c: things.meadow(c, ("daisy", "poppy"), sky=[(0, "#3f86d6"), (200, "#d6ecfa")], count=260)
        ),
        _backdrop(22, lambda c: patterns.stripes(c, ((40, "#f4f3ec"), (40, "#2f5fa8")))),
        _backdrop(
            23,
            lambda c: patterns.quarter_circles(c, "#f3ead8", ("#e8432e", "#f4b52a", "#1f5fa6", "#f3ead8", "#17202e")),
        ),
    ]
    for number in range(frames):
        time = number / FRAMES_PER_S
        canvas = _over(scenes[min(int(time / 2), 2)])
        phase = time * 1.25 % 1
        height = 4 * phase * (1 - phase)
        x = 60 + 360 * (0.5 - 0.5 * np.cos(time * np.pi / 3))
        shadow(canvas, x, 322, 46 - 18 * height, 9 - 3 * height, 0.5 - 0.25 * height)
        flat = 1 - 0.22 * max(0.0, 1 - height / 0.12)
        ball(canvas, x, 320 - 40 * flat - 190 * height, 40 / flat**0.5, "#e02f3a", ry=40 * flat, gloss=0.8)
        yield _shown(canvas)


def traffic_at_night(frames: int) -> Iterator[Pixels]:
    """Cars drive past the lit windows of a city: white lamps one way, red lamps the other."""
    street = _backdrop(31, lambda c: _street(c))
    rng = np.random.default_rng(32)
    lanes = ((False, 128.0), (True, 104.0))
    cars = [(away, 117 * i + float(rng.uniform(-22, 22)), speed) for away, speed in lanes for i in range(6)]
    for number in range(frames):
        canvas = _over(street)
        time = number / FRAMES_PER_S
        for away, start, speed in cars:
            x = (start + speed * time) % 700 - 110
            _car(canvas, WIDTH_PX - x if away else x, 292 if away else 332, -1 if away else 1)
        yield _shown(canvas)


def _street(canvas: Canvas) -> None:
    places.city(canvas, [(0, "#060a1e"), (220, "#141f48"), (400, "#3a3468")], water=360, tallest=260, lit=0.5)
    canvas.rectangle(0, 352, 640, 480, "#1b1d26")
    canvas.rectangle(0, 352, 640, 362, "#34363f")
    for x in range(10, 640, 60):
        canvas.rectangle(x, 414, x + 32, 417, "#c8c4a8")


def _car(canvas: Canvas, x: float, y: float, heading: int) -> None:
    body = [(-36, 0), (-35, -11), (-21, -13), (-13, -23), (11, -23), (22, -13), (36, -10), (37, 0)]
    canvas.polygon([(x + heading * dx, y + dy) for dx, dy in body], "#2a3044")
    glass = [(-15, -13), (-10, -20), (9, -20), (17, -13)]
    canvas.polygon([(x + heading * dx, y + dy) for dx, dy in glass], "#5a6a8a")
    for wheel in (-22, 22):
        canvas.ellipse(x + heading * wheel, y, 7, 7, "#08090c")
        canvas.ellipse(x + heading * wheel, y, 3, 3, "#6a6f78")
    beam = [(x + heading * 37, y - 8), (x + heading * 112, y - 16), (x + heading * 112, y + 10)]
    canvas.polygon(beam, rgb("#fff2c0"), 0.16)
    canvas.ellipse(x + heading * 36, y - 7, 4, 3, "#fffbe6")
    for radius, alpha in ((9, 0.25), (4, 0.9)):
        canvas.ellipse(x - heading * 35, y - 7, radius, radius * 0.7, "#ff2f2a", alpha=alpha)


_DAY, _EVENING = frozenset({"boats"}), frozenset({"boats", "sunset"})
VIDEOS = [
    Video(
        "videos/boat-at-sunset.webm",
        "A sailing boat crosses the sea from day into sunset",
        boat_at_sunset,
        8,
        (_DAY, _DAY, _EVENING, _EVENING),
        lambda rng: surf(rng, 8.0, wave_s=3.1),
        frozenset({"water", "waves"}),
    ),
    Video(
        "videos/bouncing-ball.webm",
        "A red ball bounces over a meadow, striped cloth and a poster",
        bouncing_ball,
        6,
        (frozenset({"flowers"}), frozenset({"cloth"}), frozenset({"posters"})),
    ),
    Video(
        "videos/traffic-at-night.webm",
        "Cars drive through the city at night",
        traffic_at_night,
        6,
        (frozenset({"city"}),) * 3,
    ),
]
