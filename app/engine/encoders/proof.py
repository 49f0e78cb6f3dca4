"""Whether a loaded encoder does its work at all: asked once, before a model is announced."""

from __future__ import annotations

import numpy as np

from app.engine.encoders.base import Encoder
from app.engine.errors import WeightsCorrupt
from app.engine.samples import Picture, Sample, Sound, Text
from app.engine.types import Modality

_SOUND_S = 1


def samples_for(encoder: Encoder, modality: Modality) -> tuple[Sample, Sample]:
    """Two different samples of a kind that the encoder accepts, the same at every call."""
    spec, random = encoder.spec, np.random.default_rng(0)
    if modality is Modality.TEXT:
        return Text("a dog on the beach"), Text("rain on a window at night")
    if spec.picture and modality is Modality.IMAGE:
        noise = random.integers(0, 256, (spec.picture.size_px, spec.picture.size_px, 3), np.uint8)
        return Picture(noise), Picture(np.sort(noise, axis=0))
    rate_hz = spec.sound.sample_rate_hz if spec.sound else 0
    wave = random.uniform(-0.5, 0.5, rate_hz * _SOUND_S).astype(np.float32)
    return Sound(wave), Sound((np.cumsum(wave) / 100).astype(np.float32))


def prove(encoder: Encoder) -> None:
    """Encode two samples of every accepted kind.

    Raises:
        WeightsCorrupt: what comes out is no number, or the same for both.
        AppError: the encoder says itself what is wrong.
    """
    for modality in sorted(encoder.spec.accepts):
        one, other = (encoder.encode([sample]) for sample in samples_for(encoder, modality))  # memory for one is enough
        if np.array_equal(one, other):
            raise WeightsCorrupt(
                "This model tells nothing apart",
                f"It gives the same vector for two different samples ({modality}): its weights are empty or damaged.",
            )
