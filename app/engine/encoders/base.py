"""What every encoder is: one method that turns samples into unit vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.engine.samples import PictureInput, Sample, SoundInput, Vectors
from app.engine.types import Modality


@dataclass(frozen=True)
class EncoderSpec:
    """The fixed facts of an encoder.

    ``accepts`` says which kinds of sample share its space. ``picture`` and ``sound`` say how the decoders must
    prepare those samples; each is None where the encoder does not accept that kind.
    """

    key: str
    accepts: frozenset[Modality]
    dim: int
    picture: PictureInput | None = None
    sound: SoundInput | None = None
    batch_size: int = 32


class Encoder(Protocol):
    """Turns samples into unit vectors.

    ``fingerprint`` names the space: a SHA-256 over the weights, the preparation and the sampling. Two encoders with
    the same fingerprint give the same vectors; with different ones their vectors must never be mixed.
    """

    @property
    def spec(self) -> EncoderSpec: ...

    @property
    def fingerprint(self) -> str: ...

    @property
    def device(self) -> str: ...

    def encode(self, samples: Sequence[Sample]) -> Vectors:
        """Encode samples of one kind.

        Args:
            samples: any number, all Text, all Picture or all Sound, prepared as ``spec`` says.

        Returns:
            (len(samples), spec.dim) float32, rows of length 1.

        Raises:
            UnsupportedModality: the kind is not in ``spec.accepts``.
            DeviceExhausted: not even one sample fits into memory.
        """
        ...
