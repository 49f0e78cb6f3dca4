"""Pictures without depth: cloth and posters."""

from __future__ import annotations

import cv2
import numpy as np

from sample.canvas import Array, Canvas, Colour, mix, rgb, smoothstep

# --- cloth -----------------------------------------------------------------------------------------------------------


def _lit_folds(canvas: Canvas, depth: float) -> None:
    """Shade the cloth as if it hung in soft folds."""
    folds = canvas.noise(320, 700, 3)
    slope = cv2.GaussianBlur(np.gradient(folds, axis=1), (0, 0), 8)
    canvas.pixels *= (1 + depth * np.clip(slope / (np.abs(slope).max() + 1e-6), -1, 1))[..., None]


def stripes(
    canvas: Canvas, bands: tuple[tuple[float, Colour], ...], *, turn: float = 0.0, thread_px: float = 3
) -> None:
    """Bands of (width_px, colour), repeated across the cloth, ``turn`` radians from upright, with a plain weave."""
    along = canvas.x * np.cos(turn) + canvas.y * np.sin(turn)
    edges = np.cumsum([width for width, _ in bands])
    index = np.searchsorted(edges, along % edges[-1], side="right").clip(0, len(bands) - 1)
    canvas.pixels[:] = np.stack([rgb(colour) for _, colour in bands])[np.broadcast_to(index, canvas.shape)]
    weave = np.sin(canvas.x * 2 * np.pi / thread_px) * np.sin(canvas.y * 2 * np.pi / thread_px)
    canvas.pixels *= (0.95 + 0.11 * weave + 0.16 * (canvas.noise(40, 3, 4) - 0.5))[..., None]
    _lit_folds(canvas, 0.2)


def tartan(canvas: Canvas, sett: tuple[tuple[float, Colour], ...]) -> None:
    """A twill: warp and weft carry the same sett of (width_px, colour); each thread passes over two and under two."""
    edges = np.cumsum([width for width, _ in sett])
    palette = np.stack([rgb(colour) for _, colour in sett])
    warp, weft = (
        palette[np.searchsorted(edges, axis % edges[-1], side="right").clip(0, len(sett) - 1)]
        for axis in (canvas.x, canvas.y)
    )
    thread = 1.6
    over = ((canvas.x + canvas.y) / thread % 4 < 2).astype(np.float32)[..., None]
    canvas.pixels[:] = warp * over + weft * (1 - over)
    canvas.pixels *= (0.92 + 0.16 * canvas.noise(5, 5, 2))[..., None]
    _lit_folds(canvas, 0.22)


def knit(canvas: Canvas, rows: tuple[Colour, ...], *, stitch_px: float = 22, motif: str = "") -> None:
    """Stocking stitch: columns of small Vs, coloured by row.

    ``motif`` draws a pattern in the last colour, its rows separated by "/".
    """
    height = stitch_px * 0.82
    pattern = motif.split("/") if motif else []
    canvas.pixels[:] = rgb(rows[0]) * 0.35
    for row in range(-1, int(canvas.height / height) + 2):
        for column in range(-1, int(canvas.width / stitch_px) + 2):
            colour = rows[(row // 4) % (len(rows) - 1 if pattern else len(rows))]
            if pattern and (line := pattern[row % len(pattern)])[column % len(line)] == "x":
                colour = rows[-1]
            tone = mix(colour, "#000000", 0.16 * float(canvas.rng.random()))
            x, y = (column + 0.5) * stitch_px, row * height
            for side in (-1, 1):
                middle = (x + side * stitch_px * 0.25, y + height * 0.5)
                canvas.ellipse(
                    *middle, stitch_px * 0.21, stitch_px * 0.52, mix(tone, "#000000", 0.35), turn=side * 0.45
                )
                canvas.ellipse(
                    middle[0] - 0.8, middle[1] - 0.8, stitch_px * 0.155, stitch_px * 0.46, tone, turn=side * 0.45
                )
                canvas.ellipse(
                    middle[0] - 1.6,
                    middle[1] - 2,
                    stitch_px * 0.05,
                    stitch_px * 0.3,
                    mix(tone, "#ffffff", 0.25),
                    turn=side * 0.45,
                )
    canvas.pixels *= (0.9 + 0.2 * canvas.noise(6, 6, 3))[..., None]


def herringbone(canvas: Canvas, light: Colour, dark: Colour, *, column_px: float = 44, pitch_px: float = 11) -> None:
    """Slanting threads that turn at every column."""
    place = canvas.x / column_px
    zigzag = np.abs(place % 2 - 1) * column_px
    thread = smoothstep(0.38, 0.62, np.abs((canvas.y + zigzag) / pitch_px % 1 - 0.5) * 2)
    colours = rgb(dark) + (rgb(light) - rgb(dark)) * np.broadcast_to(thread, canvas.shape)[..., None]
    canvas.pixels[:] = colours * (0.82 + 0.36 * canvas.noise(8, 8, 4, 0.7))[..., None]
    _lit_folds(canvas, 0.2)


# --- posters ---------------------------------------------------------------------------------------------------------


def _paper(canvas: Canvas, colour: Colour) -> None:
    canvas.pixels[:] = rgb(colour)


def _printed(canvas: Canvas) -> None:
    """The uneven ink of a screen print."""
    canvas.pixels *= (0.96 + 0.08 * canvas.noise(7, 7, 3, 0.7))[..., None]


def quarter_circles(canvas: Canvas, paper: Colour, inks: tuple[Colour, ...], *, tile: float = 80) -> None:
    """A grid of squares, each with a quarter circle, a half circle, a dot or a triangle."""
    _paper(canvas, paper)
    for top in np.arange(0, canvas.height, tile):
        for left in np.arange(0, canvas.width, tile):
            chosen = canvas.rng.permutation(len(inks))
            back, front = inks[int(chosen[0])], inks[int(chosen[1])]
            canvas.rectangle(left, top, left + tile, top + tile, back)
            corner = canvas.rng.integers(0, 2, 2)
            turn = int(canvas.rng.integers(4))
            if turn == 0:
                canvas.ellipse(left + tile / 2, top + tile / 2, tile * 0.3, tile * 0.3, front)
            elif turn == 1:
                corners = [(left, top), (left + tile, top), (left + tile, top + tile), (left, top + tile)]
                canvas.polygon([corners[(int(corner[0]) + i) % 4] for i in range(3)], front)
            else:
                angle = np.linspace(0, np.pi / 2, 40) + np.pi / 2 * (int(corner[0]) + 2 * int(corner[1]))
                centre_x = left + tile * (np.cos(angle.mean()) < 0)
                centre_y = top + tile * (np.sin(angle.mean()) < 0)
                for share, ink in ((1.0, front), (0.5, back)):
                    arc = list(
                        zip(
                            centre_x + tile * share * np.cos(angle),
                            centre_y + tile * share * np.sin(angle),
                            strict=True,
                        )
                    )
                    canvas.polygon([(centre_x, centre_y), *arc], ink)


def rainbow_arcs(canvas: Canvas, paper: Colour, inks: tuple[Colour, ...]) -> None:
    """Concentric arches side by side."""
    _paper(canvas, paper)
    for x, y, size in ((170, 420, 205), (500, 420, 150), (395, 190, 120)):
        for ring, ink in enumerate(inks):
            radius = size * (1 - ring * 0.17)
            angle = np.linspace(np.pi, 2 * np.pi, 90)
            arch = list(zip(x + radius * np.cos(angle), y + radius * np.sin(angle), strict=True))
            canvas.polygon([*arch, (x + radius, y + 22), (x - radius, y + 22)], ink)


def facets(canvas: Canvas, corners: tuple[Colour, Colour, Colour, Colour], *, columns: int = 11) -> None:
    """A jittered grid of triangles whose colours run between the four corners."""
    rows = max(2, round(columns * 0.75))
    xs, ys = np.meshgrid(np.linspace(0, canvas.width, columns + 1), np.linspace(0, canvas.height, rows + 1))
    pitch = canvas.width / columns
    points = np.stack([xs, ys], axis=2)
    points[1:-1, 1:-1] += canvas.rng.uniform(-0.38, 0.38, points[1:-1, 1:-1].shape) * pitch
    for row in range(rows):
        for column in range(columns):
            a, b = points[row, column], points[row, column + 1]
            c, d = points[row + 1, column + 1], points[row + 1, column]
            for triangle in ((a, b, c), (a, c, d)):
                u, v = (np.mean(triangle, axis=0) / (canvas.width, canvas.height)).tolist()
                colour = mix(mix(corners[0], corners[1], u), mix(corners[2], corners[3], u), v)
                shade = float(canvas.rng.normal(0, 0.09))
                toned = mix(colour, "#ffffff" if shade > 0 else "#000000", min(abs(shade), 0.3))
                canvas.polygon([(float(p[0]), float(p[1])) for p in triangle], toned)


def overlapping_discs(canvas: Canvas, paper: Colour, inks: tuple[Colour, ...], *, count: int = 11) -> None:
    """Translucent discs; where two inks overlap they multiply, as on paper."""
    _paper(canvas, paper)
    for number in range(count):
        x, y = canvas.rng.uniform((60, 50), (580, 430))
        radius = float(canvas.rng.uniform(42, 130))
        mask: Array = canvas.disc(float(x), float(y), radius)
        canvas.pixels *= 1 - mask[..., None] * (1 - rgb(inks[number % len(inks)]))
        if number % 3 == 0:
            ring = mask - canvas.disc(float(x), float(y), radius - 5)
            canvas.blend(paper, ring * 0.9)
    _printed(canvas)


def sunburst(canvas: Canvas, paper: Colour, inks: tuple[Colour, ...], *, rays: int = 24) -> None:
    """A striped sun over layered waves."""
    _paper(canvas, paper)
    angle = np.arctan2(canvas.y - 250, canvas.x - 320)
    canvas.blend(mix(paper, inks[0], 0.5), (np.floor(angle / (2 * np.pi) * rays * 2) % 2).astype(np.float32))
    canvas.blend(inks[0], canvas.disc(320, 235, 128))
    bands = smoothstep(0.42, 0.46, np.abs((canvas.y - 235) / 26 % 1 - 0.5)) * (canvas.y > 215)
    canvas.blend(paper, canvas.disc(320, 235, 128.5) * bands)
    for layer, ink in enumerate(inks[1:]):
        line = 330 + layer * 42 + 16 * np.sin(canvas.x / (46 + 9 * layer) + layer * 1.7)
        canvas.blend(ink, canvas.below(line))
    _printed(canvas)
