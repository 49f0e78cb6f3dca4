"""What every encoder is: one method that turns samples into unit vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from app.engine.errors import UnsupportedModality
from app.engine.modeltypes import ModelStatus
from app.engine.samples import Picture, PictureInput, Sample, SoundInput, Text, Vectors
from app.engine.types import Modality

_PLURALS = {Modality.TEXT: "words", Modality.IMAGE: "pictures", Modality.AUDIO: "sounds"}


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


@dataclass(frozen=True)
class Scoring:
    """How an encoder's makers turn cosines of a sample with words into probabilities.

    "softmax" (CLIP): one of the words is true, and the others give way to it. "sigmoid" (SigLIP): each is true or not
    for itself. ``scale`` and ``bias`` were learned with the network.
    """

    kind: Literal["softmax", "sigmoid"]
    scale: float
    bias: float = 0.0

    def probabilities(self, cosines: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """(n, words) cosines to (n, words) float32 probabilities: softmax(scale · cosine) over each row, or
        sigmoid(scale · cosine + bias)."""
        logits = np.asarray(cosines, np.float32) * np.float32(self.scale) + np.float32(self.bias)
        if self.kind == "sigmoid":
            small = np.exp(-np.abs(logits))  # so that nothing overflows
            chances: npt.NDArray[np.float32] = np.where(logits >= 0, np.float32(1), small) / (1 + small)
            return chances
        logits -= logits.max(axis=1, keepdims=True, initial=-np.inf)
        np.exp(logits, out=logits)
        logits /= logits.sum(axis=1, keepdims=True)
        return logits


class Encoder(Protocol):
    """Turns samples into unit vectors.

    ``fingerprint`` names the space: a SHA-256 over the weights, the preparation and the sampling. Two encoders with
    the same fingerprint give the same vectors; with different ones their vectors must never be mixed.

    One that knows words may have an attribute ``scoring``, a `Scoring`; see `scoring_of`.
    """

    @property
    def spec(self) -> EncoderSpec: ...

    @property
    def fingerprint(self) -> str: ...

    @property
    def device(self) -> str: ...

    @property
    def batch_size(self) -> int:
        """How many samples to hand over at a time now: a long job is cancelled, and a search let in, between two."""
        ...

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


class EncoderSource(Protocol):
    """Where a session gets its encoders from. `Catalogue` is the one that ships."""

    def keys(self) -> tuple[str, ...]:
        """Every key, the best model for a text query first."""
        ...

    def statuses(self) -> tuple[ModelStatus, ...]:
        """Every model as it stands on this machine, in the order of ``keys``. Cheap, and never raises for a model
        that is not ready."""
        ...

    def spec(self, key: str) -> EncoderSpec:
        """The facts of one encoder, without loading its weights."""
        ...

    def fingerprint(self, key: str) -> str:
        """The fingerprint the loaded encoder will have, without loading it."""
        ...

    def load(self, key: str) -> Encoder:
        """The encoder, ready to encode; the same object for all who use it at a time."""
        ...

    def ease(self) -> None:
        """Let go of loaded encoders while memory is short: some work has ended. One in use stays with its user."""
        ...


def scoring_of(encoder: Encoder) -> Scoring | None:
    """How the encoder's cosines with words become probabilities, or None where it does not say."""
    scoring = getattr(encoder, "scoring", None)
    return scoring if isinstance(scoring, Scoring) else None


def ready_keys(source: EncoderSource) -> frozenset[str]:
    """The models of a source that can be used now."""
    return frozenset(status.key for status in source.statuses() if status.ready)


def accepted_modality(samples: Sequence[Sample], spec: EncoderSpec) -> Modality:
    """The kind of ``samples``, of which there is at least one.

    Raises:
        UnsupportedModality: the encoder does not accept that kind.
    """
    kinds = {_modality(sample) for sample in samples}
    if len(kinds) != 1:
        raise ValueError("encode() takes samples of one kind at a time")
    modality = kinds.pop()
    if modality not in spec.accepts:
        takes = " and ".join(_PLURALS[kind] for kind in Modality if kind in spec.accepts)
        raise UnsupportedModality(
            "This model cannot compare that",
            f"The model {spec.key} compares {takes}, not {_PLURALS[modality]}. Choose another model for this query.",
        )
    return modality


def unit_rows(rows: npt.NDArray[np.floating]) -> Vectors:
    """``rows`` (n, dim) scaled to length 1.

    A row of zeros has no direction. It becomes the diagonal, so that the contract holds and such samples find each
    other.
    """
    wide = np.asarray(rows, dtype=np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    directed = np.where(lengths > 0, wide, 1.0)
    units: Vectors = (directed / np.where(lengths > 0, lengths, np.sqrt(wide.shape[1]))).astype(np.float32)
    return units


def _modality(sample: Sample) -> Modality:
    if isinstance(sample, Text):
        return Modality.TEXT
    return Modality.IMAGE if isinstance(sample, Picture) else Modality.AUDIO
