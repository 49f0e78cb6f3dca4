"""What goes into an encoder and what comes out: the arrays that only the engine handles.

``app.engine.types`` holds what crosses to the window; this module imports numpy and stays below that line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Vectors: TypeAlias = npt.NDArray[np.float32]
"""(n, dim) float32; every row has length 1."""


LARGEST_PX = 2048
"""The side of the largest picture that a model may ask for. Today's are for 1024 px at most; a file that claims more is
damaged, or means harm."""


@dataclass(frozen=True)
class PictureInput:
    """How a picture becomes an encoder's input: scale, then cut. Hashable, so that encoders with the same
    preparation share one.

    ``fit`` "crop" scales the short side to ``resize_px`` and cuts the central ``size_px`` square;
    "squash" scales both sides to ``size_px`` whatever the shape (``resize_px`` equals ``size_px`` then).
    ``oversampling``: a decoder that can decode at a fraction of the size keeps so many times ``resize_px``.
    """

    size_px: int
    resize_px: int
    fit: Literal["crop", "squash"] = "crop"
    resample: Literal["bicubic", "bilinear"] = "bicubic"
    oversampling: int = 2

    @property
    def decoded_px(self) -> int:
        """What the short side of a picture must keep when it is decoded."""
        return self.resize_px * self.oversampling


@dataclass(frozen=True)
class SoundInput:
    """How a sound becomes an encoder's input: mono at ``sample_rate_hz``. The windows are the library's, not the
    encoder's: every model sees the same items."""

    sample_rate_hz: int


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True, eq=False)
class Picture:
    """A prepared picture: (size_px, size_px, 3) uint8, sRGB."""

    pixels: npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Sound:
    """A prepared sound: (n,) float32 mono, full scale 1.0, at the encoder's rate; n may be below the window's."""

    samples: npt.NDArray[np.float32]


Sample: TypeAlias = Text | Picture | Sound

Prepared: TypeAlias = npt.NDArray[np.uint8] | npt.NDArray[np.float32]
"""What a decoder hands over: the array of a `Picture` or of a `Sound`."""


def prepared_sample(prepared: Prepared) -> Picture | Sound:
    """The sample that a decoder's array is."""
    if prepared.ndim == 1:
        return Sound(prepared.astype(np.float32, copy=False))
    return Picture(prepared.astype(np.uint8, copy=False))
