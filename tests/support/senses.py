"""Two small models that really understand a few words: one knows colours, the other knows pitch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from app.engine.encoders.base import Encoder, EncoderSpec, accepted_modality, unit_rows
from app.engine.modeltypes import ModelStatus
from app.engine.samples import Picture, PictureInput, Sample, Sound, SoundInput, Text, Vectors
from app.engine.types import Modality

COLOURS = {"red": (1.0, 0.0, 0.0), "green": (0.0, 1.0, 0.0), "blue": (0.0, 0.0, 1.0)}
PITCHES_HZ = {"low": 200.0, "high": 4000.0}


class Colours:
    """A picture is its mean colour, a word the colour in it."""

    spec = EncoderSpec("colours", frozenset({Modality.TEXT, Modality.IMAGE}), 3, PictureInput(32, 32, "squash"))
    fingerprint = "colours"
    device = "cpu"
    batch_size = 8

    def encode(self, samples: Sequence[Sample]) -> Vectors:
        accepted_modality(samples, self.spec)
        return unit_rows(np.stack([self._row(sample) for sample in samples]))

    def _row(self, sample: Sample) -> np.ndarray:
        if isinstance(sample, Text):
            return np.sum([colour for word, colour in COLOURS.items() if word in sample.text] or [[0, 0, 0]], axis=0)
        assert isinstance(sample, Picture)
        return sample.pixels.mean(axis=(0, 1))


class Pitches:
    """A sound is where its zero crossings lie between the pitches that the words name."""

    spec = EncoderSpec("pitches", frozenset({Modality.TEXT, Modality.AUDIO}), 2, sound=SoundInput(16_000))
    fingerprint = "pitches"
    device = "cpu"
    batch_size = 8

    def encode(self, samples: Sequence[Sample]) -> Vectors:
        accepted_modality(samples, self.spec)
        return unit_rows(np.stack([self._row(sample) for sample in samples]))

    def _row(self, sample: Sample) -> np.ndarray:
        if isinstance(sample, Text):
            named = [hz for word, hz in PITCHES_HZ.items() if word in sample.text]
            return _direction(named[0] if named else 1000.0)
        assert isinstance(sample, Sound)
        crossings = np.count_nonzero(np.diff(np.signbit(sample.samples)))
        return _direction(crossings / 2 / len(sample.samples) * 16_000)


class Senses:
    """The `EncoderSource` of these two."""

    def __init__(self, _models_dir: Path | None = None) -> None:
        self._encoders: dict[str, Encoder] = {"colours": Colours(), "pitches": Pitches()}

    def keys(self) -> tuple[str, ...]:
        return tuple(self._encoders)

    def statuses(self) -> tuple[ModelStatus, ...]:
        specs = [encoder.spec for encoder in self._encoders.values()]
        return tuple(ModelStatus(spec.key, spec.key, "test", spec.accepts, spec.dim, "MIT", "", True) for spec in specs)

    def spec(self, key: str) -> EncoderSpec:
        return self._encoders[key].spec

    def fingerprint(self, key: str) -> str:
        return self._encoders[key].fingerprint

    def load(self, key: str) -> Encoder:
        return self._encoders[key]

    def ease(self) -> None:
        """There is nothing to let go of."""


def _direction(frequency_hz: float) -> np.ndarray:
    """A quarter circle from 100 Hz to 10 kHz."""
    angle = np.clip(np.log10(max(frequency_hz, 1.0) / 100.0) / 2, 0, 1) * np.pi / 2
    return np.array([np.cos(angle), np.sin(angle)])
