"""A canvas to paint pictures on: gradients, noise, shapes and light, drawn large and then scaled down.

Coordinates are pixels of the finished picture, colours are sRGB 0..1 float32. Everything random comes from the
canvas's own generator, so a seed is a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]
Pixels = npt.NDArray[np.uint8]
Point = tuple[float, float]
Colour = str | Array
"""A hex string such as "#ff8800", or three numbers 0..1."""

WIDTH_PX, HEIGHT_PX = 640, 480
OVERSAMPLING = 3
"""How much larger than the finished picture the shapes are drawn; scaling down smooths their edges."""


def rgb(colour: Colour) -> Array:
    """(3,) float32, 0..1."""
    if isinstance(colour, str):
        return np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)], np.float32)
    return colour


def mix(first: Colour, second: Colour, share: float) -> Array:
    """The colour ``share`` of the way from the first to the second."""
    return np.asarray(rgb(first) * (1 - share) + rgb(second) * share, np.float32)


def smoothstep(low: float, high: float, values: Array) -> Array:
    """0 below ``low``, 1 above ``high``, and the cubic 3t² - 2t³ between."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


class Canvas:
    """``pixels`` is (height, width, 3) float32 at the drawing size; ``x`` (1, w) and ``y`` (h, 1) hold coordinates."""

    def __init__(
        self, seed: int, width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX, oversampling: int = OVERSAMPLING
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self.width, self.height, self.scale = width_px, height_px, oversampling
        self.shape = (height_px * oversampling, width_px * oversampling)
        self.pixels: Array = np.zeros((*self.shape, 3), np.float32)
        self.x: Array = ((np.arange(self.shape[1], dtype=np.float32) + 0.5) / oversampling)[None, :]
        self.y: Array = ((np.arange(self.shape[0], dtype=np.float32) + 0.5) / oversampling)[:, None]

    # --- fields: one number per pixel ---

    def noise(self, across: float, down: float, octaves: int = 5, gain: float = 0.5) -> Array:
        """(h, w) fractal value noise with mean about 0.5; its largest blobs are ``across`` by ``down`` pixels."""
        total = np.zeros(self.shape, np.float32)
        weight, weights = 1.0, 0.0
        for octave in range(octaves):
            rows = max(2, round(self.height / down * 2**octave) + 3)
            columns = max(2, round(self.width / across * 2**octave) + 3)
            grid = self.rng.random((min(rows, self.shape[0]), min(columns, self.shape[1])), np.float32)
            total += weight * cv2.resize(grid, self.shape[::-1], interpolation=cv2.INTER_CUBIC)
            weights += weight
            weight *= gain
        return total / weights

    def line_noise(self, across: float, octaves: int = 6, gain: float = 0.5) -> Array:
        """(1, w) fractal noise along the width, mean about 0.5: the outline of hills."""
        total, weight, weights = np.zeros((1, self.shape[1]), np.float32), 1.0, 0.0
        for octave in range(octaves):
            knots = self.rng.random((1, round(self.width / across * 2**octave) + 3), np.float32)
            total += weight * cv2.resize(knots, (self.shape[1], 1), interpolation=cv2.INTER_CUBIC)
            weights += weight
            weight *= gain
        return total / weights

    def ground_noise(self, horizon: float, grain_px: float, stretch: float = 3.0) -> Array:
        """(h, w) noise lying on a plane that runs to the horizon: ``grain_px`` wide at the lower edge, finer afar."""
        depth = np.maximum(self.y - horizon, 1) / (self.height - horizon)
        field = self.rng.random((512, 512), np.float32)
        field = sum(cv2.resize(field[: 512 >> i, : 512 >> i], (512, 512)) / 2 ** (2 - i) for i in (0, 1, 2)) / 1.75
        map_x = ((self.x - self.width / 2) / (grain_px * depth) + 256) % 511
        map_y = np.broadcast_to(512 * stretch / grain_px / depth % 511, self.shape)
        laid: Array = cv2.remap(field, map_x.astype(np.float32), map_y.astype(np.float32), cv2.INTER_LINEAR)
        return laid

    def glow(self, x: float, y: float, radius: float) -> Array:
        """(h, w) Gaussian light around a point, 1 at its centre."""
        column: Array = np.exp(-(((self.x - x) / radius) ** 2))
        row: Array = np.exp(-(((self.y - y) / radius) ** 2))
        return column * row

    def below(self, line: Array | float) -> Array:
        """(h, w) mask of what lies under a line, with a smooth edge."""
        return np.broadcast_to(np.clip((self.y - line) * self.scale + 0.5, 0, 1), self.shape)

    def disc(self, x: float, y: float, radius: float, softness: float = 1.0) -> Array:
        distance = np.hypot(self.x - x, self.y - y)
        inside: Array = np.clip((radius - distance) / softness + 0.5, 0, 1)
        return inside

    # --- paint ---

    def gradient(self, stops: Sequence[tuple[float, Colour]]) -> Array:
        """(h, 1, 3) colours between heights: ``stops`` are (y, colour) from top to bottom."""
        heights = [y for y, _ in stops]
        colours = np.stack([rgb(colour) for _, colour in stops])
        rows = np.stack([np.interp(self.y[:, 0], heights, colours[:, i]) for i in range(3)], axis=1)
        return rows.astype(np.float32)[:, None, :]

    def blend(self, colour: Colour, alpha: Array | float) -> None:
        """Lay a colour (or a picture that broadcasts) over the canvas, as opaque as ``alpha`` says."""
        alpha = np.asarray(alpha, np.float32)
        self.pixels += (rgb(colour) - self.pixels) * (alpha[..., None] if alpha.ndim else alpha)

    def light(self, colour: Colour, amount: Array) -> None:
        """Add light as on a photographic screen: bright places stay below white."""
        self.pixels += (1 - np.clip(self.pixels, 0, 1)) * rgb(colour) * amount[..., None]

    def polygon(self, points: Sequence[Point], colour: Colour, alpha: float = 1.0) -> None:
        outline = np.round(np.asarray(points, np.float64) * self.scale).astype(np.int32)
        left, top = np.maximum(outline.min(axis=0), 0)
        right, bottom = outline.max(axis=0) + 1
        part = self.pixels[top:bottom, left:right]
        if part.size == 0:
            return
        painted = part.copy()
        cv2.fillPoly(painted, [outline - (left, top)], [float(c) for c in rgb(colour)])
        part[:] = painted if alpha == 1 else part + (painted - part) * alpha

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, colour: Colour, turn: float = 0.0, alpha: float = 1.0
    ) -> None:
        """``turn`` in radians, clockwise on the screen."""
        angles = np.linspace(0, 2 * np.pi, 12 if max(rx, ry) < 4 else 48, endpoint=False)
        a, b = rx * np.cos(angles), ry * np.sin(angles)
        cos, sin = np.cos(turn), np.sin(turn)
        self.polygon(list(zip(x + a * cos - b * sin, y + a * sin + b * cos, strict=True)), colour, alpha)

    def rectangle(self, left: float, top: float, right: float, bottom: float, colour: Colour, alpha: float = 1) -> None:
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], colour, alpha)

    def stroke(self, points: Sequence[Point], colour: Colour, width: float) -> None:
        path = np.round(np.asarray(points, np.float64) * self.scale).astype(np.int32)
        thickness = max(1, round(width * self.scale))
        cv2.polylines(self.pixels, [path], False, [float(c) for c in rgb(colour)], thickness)

    def reflect(
        self,
        waterline: float,
        ripple: float,
        tint: Colour,
        strength: float,
        *,
        grain_px: float = 60,
        smear_px: float = 0,
    ) -> None:
        """Fill everything below ``waterline`` with the mirror image of what stands above, broken by ripples and
        drawn out downwards by ``smear_px``, as small waves do."""
        depth = np.maximum(self.y - waterline, 0)
        waves = self.ground_noise(waterline, grain_px) - 0.5
        near = depth / (self.height - waterline)
        source_y = 2 * waterline - self.y + waves * ripple * (0.25 + near) * 6
        source_x = self.x + waves * ripple * (0.2 + near) * 2
        map_x, map_y = (np.broadcast_to(m * self.scale, self.shape).astype(np.float32) for m in (source_x, source_y))
        mirrored = cv2.remap(self.pixels, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        if smear_px:
            mirrored = cv2.GaussianBlur(mirrored, (0, 0), 4 * self.scale, sigmaY=smear_px * self.scale)
        mirrored += (rgb(tint) - mirrored) * (1 - strength)
        self.blend(mirrored, self.below(waterline))

    def finish(self, grain: float = 0.008, vignette: float = 0.18) -> Pixels:
        """(height_px, width_px, 3) uint8: scaled down, corners darkened, a little film grain against banding."""
        small = cv2.resize(np.clip(self.pixels, 0, 1), (self.width, self.height), interpolation=cv2.INTER_AREA)
        across = np.linspace(-1, 1, self.width, dtype=np.float32)[None, :]
        down = np.linspace(-1, 1, self.height, dtype=np.float32)[:, None]
        small *= (1 - vignette * (across**2 + down**2) / 2)[..., None]
        small += self.rng.normal(0, grain, small.shape[:2]).astype(np.float32)[..., None]
        return np.asarray(np.round(np.clip(small, 0, 1) * 255), np.uint8)
