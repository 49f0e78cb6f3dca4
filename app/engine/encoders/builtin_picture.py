"""Colour & texture: a fixed description of a picture in 906 numbers, built in and untrained.

A picture of 256×256 pixels in CIE L*a*b* is described by four blocks, each a vector of fixed length, so that each
carries a fixed share of the similarity:

- *edges*: histograms of edge direction in 8×8 cells (after Dalal & Triggs 2005);
- *layout*: the low frequencies of lightness and colour (after the colour layout descriptor of MPEG-7, Kasutani &
  Yamada 2001);
- *colours*: how much of which colour, wherever it is (Swain & Ballard 1991, in soft bins);
- *texture*: local binary patterns, the rotation-invariant uniform ones, at three scales (Ojala et al. 2002).

Histograms enter as square roots, which keeps a few large bins from drowning the rest (Hellinger's distance). A mirror
image has the same description: what differs between left and right enters by its size and not its sign. A grey copy
keeps its edges, texture and lightness. A picture turned by more than some 10° is another picture to it. Nothing is
fitted to a library.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from app.engine.encoders.base import EncoderSpec, accepted_modality, unit_rows
from app.engine.samples import Picture, Sample, Vectors

Floats = npt.NDArray[np.float32]

SHARES = {"edges": 0.5, "layout": 0.25, "colours": 0.15, "texture": 0.1}

EDGE_PX = 128
CELLS = 8
DIRECTIONS = 8

LAYOUT_PX = 16
LAYOUT_FREQUENCIES = 6

COLOUR_PX = 64
COLOUR_BINS = (4, 8, 8)
"""Of L*, a* and b*."""

TEXTURE_SCALES = ((1, 0.0), (3, 1.0), (6, 2.0))
"""Radius of the ring of neighbours and blur before it, in pixels."""
NEIGHBOURS = 8
UNIFORM_PATTERNS = NEIGHBOURS + 2
LEAST_STEP = 0.5
"""A neighbour counts as lighter from this much L* (of 100) on, so that compression noise is no texture."""


class ColourTexture:
    """The built-in `Encoder` of pictures. Runs on the CPU, some 10 ms a picture."""

    device = "cpu"

    def __init__(self, spec: EncoderSpec, fingerprint: str) -> None:
        self.spec = spec
        self.fingerprint = fingerprint
        self.batch_size = spec.batch_size

    def encode(self, samples: Sequence[Sample]) -> Vectors:
        if not samples:
            return np.empty((0, self.spec.dim), dtype=np.float32)
        accepted_modality(samples, self.spec)
        return unit_rows(np.stack([_describe(s.pixels) for s in samples if isinstance(s, Picture)]))


def _describe(pixels: npt.NDArray[np.uint8]) -> Floats:
    lab = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lightness = np.ascontiguousarray(lab[..., 0])
    blocks = {
        "edges": _edges(_shrunk(lightness, EDGE_PX)),
        "layout": _layout(_shrunk(lab, LAYOUT_PX)),
        "colours": _colours(_shrunk(lab, COLOUR_PX)),
        "texture": _texture(lightness),
    }
    return np.concatenate([_unit(block) * np.float32(SHARES[name] ** 0.5) for name, block in blocks.items()])


def _shrunk(plane: Floats, size_px: int) -> Floats:
    shrunk: Floats = cv2.resize(plane, (size_px, size_px), interpolation=cv2.INTER_AREA)
    return shrunk


def _unit(block: Floats) -> Floats:
    """Of length 1, or zeros where there is nothing to describe."""
    length = float(np.linalg.norm(block))
    return (block.ravel() / (length or 1.0)).astype(np.float32)


def _edges(lightness: Floats) -> Floats:
    """(CELLS · CELLS · DIRECTIONS,): gradient strength by direction, shared linearly between the nearest two."""
    across = cv2.Sobel(lightness, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(lightness, cv2.CV_32F, 0, 1)
    strength, angle = cv2.cartToPolar(across, down)
    position = angle % np.pi * (DIRECTIONS / np.pi)
    lower = np.floor(position).astype(np.intp) % DIRECTIONS
    share = position - np.floor(position)
    planes = np.zeros((EDGE_PX, EDGE_PX, DIRECTIONS), np.float32)
    rows, columns = np.indices((EDGE_PX, EDGE_PX), sparse=True)
    planes[rows, columns, lower] = strength * (1 - share)
    planes[rows, columns, (lower + 1) % DIRECTIONS] += strength * share
    cells = np.sqrt(_shrunk(planes, CELLS))
    # In a mirror image a cell changes sides and a direction of angle θ becomes π - θ.
    mirrored = cells[:, ::-1, -np.arange(DIRECTIONS) % DIRECTIONS]
    half = CELLS // 2
    alike = ((cells + mirrored) / 2)[:, :half]
    unlike = (np.abs(cells - mirrored) / 2)[:, :half]
    return np.concatenate([(alike - cells.mean()).ravel(), unlike.ravel()])


def _layout(lab: Floats) -> Floats:
    """(3 · LAYOUT_FREQUENCIES²,): signed square roots of the lowest cosine frequencies, mid-grey being zero."""
    planes = []
    for plane, middle in zip(cv2.split(lab), (50, 0, 0), strict=True):
        waves = cv2.dct(plane - middle)[:LAYOUT_FREQUENCIES, :LAYOUT_FREQUENCIES]
        waves = np.sign(waves) * np.sqrt(np.abs(waves))
        waves[:, 1::2] = np.abs(waves[:, 1::2])  # the frequencies that change sign in a mirror image
        planes.append(waves)
    return np.stack(planes)


def _colours(lab: Floats) -> Floats:
    """(product of COLOUR_BINS,): a joint histogram, each pixel shared linearly between the nearest eight bins.

    Most colours in photos are muted, so the bins of a* and b* lie closer around grey: equal in the square root.
    """
    lightness, a, b = (plane.ravel() for plane in cv2.split(lab))
    scaled = (lightness / 100, *(np.sign(c) * np.sqrt(np.abs(c) / 100) / 2 + 0.5 for c in (a, b)))
    histogram = np.zeros(COLOUR_BINS, np.float64).ravel()
    nearest = [_nearest_bins(values, bins) for values, bins in zip(scaled, COLOUR_BINS, strict=True)]
    for light_bin, light_share in nearest[0]:
        for a_bin, a_share in nearest[1]:
            for b_bin, b_share in nearest[2]:
                joint = np.ravel_multi_index((light_bin, a_bin, b_bin), COLOUR_BINS)
                histogram += np.bincount(joint, light_share * a_share * b_share, histogram.size)
    return np.sqrt(histogram).astype(np.float32)


def _nearest_bins(values: Floats, bins: int) -> list[tuple[npt.NDArray[np.intp], Floats]]:
    """The lower and the upper neighbour among ``bins`` centres from 0 to 1, each with its share."""
    position = np.clip(values, 0, 1) * (bins - 1)
    lower = np.minimum(position.astype(np.intp), bins - 2)
    share = position - lower
    return [(lower, 1 - share), (lower + 1, share)]


def _texture(lightness: Floats) -> Floats:
    """(scales · UNIFORM_PATTERNS,): how often each pattern of lighter neighbours occurs; an even mix is zero."""
    histograms = []
    for radius_px, blur_px in TEXTURE_SCALES:
        smooth = cv2.GaussianBlur(lightness, (0, 0), blur_px) if blur_px else lightness
        counts = np.bincount(_patterns(smooth, radius_px).ravel(), minlength=UNIFORM_PATTERNS)
        histograms.append(np.sqrt(counts / counts.sum()) - np.sqrt(1 / UNIFORM_PATTERNS))
    return np.concatenate(histograms).astype(np.float32)


def _patterns(plane: Floats, radius_px: int) -> npt.NDArray[Any]:
    """(h, w): the number of lighter neighbours where these lie side by side, else NEIGHBOURS + 1."""
    lighter = []
    for angle in np.arange(NEIGHBOURS) * (2 * np.pi / NEIGHBOURS):
        shift = np.array([[1, 0, radius_px * np.cos(angle)], [0, 1, -radius_px * np.sin(angle)]])
        neighbour = cv2.warpAffine(
            plane,
            shift,
            plane.shape[::-1],
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        )
        lighter.append((neighbour - plane >= LEAST_STEP).astype(np.uint8))
    ring = np.stack(lighter)
    changes = (ring != np.roll(ring, 1, axis=0)).sum(0, dtype=np.uint8)
    return np.where(changes <= 2, ring.sum(0, dtype=np.uint8), NEIGHBOURS + 1)
