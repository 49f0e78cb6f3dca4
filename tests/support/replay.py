"""An encoder that replays real CLIP vectors, so that search by words runs without weights.

It knows the 400 photos by their prepared pixels and the words by name, alone or in the sentence that labels are put
into, and gives for each the vector that the real model gave to the picture and to "a <noun>". For a sentence that names
nothing it gives the mean of all nouns. What it does not know it refuses.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.engine.encoders.base import Encoder, EncoderSpec, Scoring, unit_rows
from app.engine.encoders.catalogue import Catalogue
from app.engine.errors import AppError
from app.engine.media.decode import sample_at
from app.engine.modeltypes import ModelStatus
from app.engine.samples import Picture, PictureInput, Sample, Text, Vectors
from app.engine.types import Modality

KEY = "clip-replay"
NOTHING = "a photo."
SENTENCE = re.compile(r"a photo of a (?P<noun>.+)\.")
SHARED_DATA_DIR = Path(__file__).resolve().parents[3] / "shared" / "data"
PHOTOS_DIR = SHARED_DATA_DIR / "images" / "photos_clip"
REFERENCE_DIR = SHARED_DATA_DIR / "ref" / "clip_vitb32"
CLIP_INPUT = PictureInput(224, 224, "crop", "bicubic")
SPEC = EncoderSpec(KEY, frozenset({Modality.TEXT, Modality.IMAGE}), 512, picture=CLIP_INPUT)


class Replay:
    """Real CLIP ViT-B/32 vectors of 400 photos and 1,203 nouns."""

    spec = SPEC
    fingerprint = "replayed-clip-vit-b-32"
    device = "cpu"
    batch_size = 32
    scoring = Scoring("softmax", 100.0)
    """OpenAI's: a scale of 100."""

    def encode(self, samples: Sequence[Sample]) -> Vectors:
        return unit_rows(np.stack([self._vector(sample) for sample in samples]))

    def _vector(self, sample: Sample) -> npt.NDArray[np.float32]:
        if isinstance(sample, Text):
            return words()[_noun(sample.text)]
        assert isinstance(sample, Picture)
        digest = hashlib.sha256(sample.pixels.tobytes()).digest()
        if digest not in photos():
            raise AppError("Not a known photo", "The replaying encoder knows the 400 photos alone.")
        return photos()[digest]


class ReplaySource:
    """The catalogue with the replaying encoder before it."""

    def __init__(self, models_dir: Path) -> None:
        self._catalogue = Catalogue(models_dir, device="cpu")

    def keys(self) -> tuple[str, ...]:
        return (KEY, *self._catalogue.keys())

    def statuses(self) -> tuple[ModelStatus, ...]:
        mine = ModelStatus(KEY, "CLIP replayed", "test", SPEC.accepts, SPEC.dim, "MIT", "Replays vectors.", ready=True)
        return (mine, *self._catalogue.statuses())

    def spec(self, key: str) -> EncoderSpec:
        return SPEC if key == KEY else self._catalogue.spec(key)

    def fingerprint(self, key: str) -> str:
        return Replay.fingerprint if key == KEY else self._catalogue.fingerprint(key)

    def load(self, key: str) -> Encoder:
        return Replay() if key == KEY else self._catalogue.load(key)

    def ease(self) -> None:
        """Replaying takes no memory."""


@functools.cache
def photos() -> dict[bytes, npt.NDArray[np.float32]]:
    """The vectors by the SHA-256 of the prepared pixels."""
    names = json.loads((REFERENCE_DIR / "photos_names.json").read_text())
    vectors = np.load(REFERENCE_DIR / "photos_image_embeddings.npy")
    return {
        hashlib.sha256(sample_at(os.fsencode(PHOTOS_DIR / name), CLIP_INPUT).tobytes()).digest(): vector
        for name, vector in zip(names, vectors, strict=True)
    }


@functools.cache
def words() -> dict[str, npt.NDArray[np.float32]]:
    """The vectors of "a <noun>" by noun."""
    nouns = json.loads((REFERENCE_DIR / "text" / "lvis_names.json").read_text())
    vectors = np.load(REFERENCE_DIR / "text" / "lvis_v1_clip_a+cname.npy").astype(np.float32)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return {**dict(zip(nouns, vectors, strict=True)), NOTHING: units.mean(axis=0)}


def _noun(text: str) -> str:
    named = SENTENCE.fullmatch(text)
    noun = named["noun"] if named else text
    return noun if noun in words() else noun.replace(" ", "_")
