"""An encoder that keeps every promise and three that break one, for processes of their own: imported without torch."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from app.engine.encoders.base import EncoderSpec, accepted_modality, unit_rows
from app.engine.samples import Picture, PictureInput, Sample, SoundInput, Text, Vectors
from app.engine.types import Modality

DIM = 24


class Honest:
    """A small encoder of all kinds that keeps every promise: a random projection of a few numbers."""

    spec = EncoderSpec("honest", frozenset(Modality), DIM, PictureInput(16, 16, "squash"), SoundInput(8_000))
    name, licence, summary = "Honest", "MIT", "Keeps its promises."
    fingerprint = hashlib.sha256(b"honest").hexdigest()
    device = "cpu"
    batch_size = 4

    def __init__(self) -> None:
        self._matrix = np.random.default_rng(0).normal(size=(64, DIM))

    def encode(self, samples: Sequence[Sample]) -> Vectors:
        if not samples:
            return np.empty((0, DIM), np.float32)
        accepted_modality(samples, self.spec)
        return unit_rows(np.stack([self.features(sample) for sample in samples]) @ self._matrix)

    def features(self, sample: Sample) -> Any:
        if isinstance(sample, Text):
            digest = hashlib.sha512(sample.text.encode()).digest()
            return np.frombuffer(digest, np.uint8) / 255
        values = sample.pixels.reshape(-1) / 255 if isinstance(sample, Picture) else np.abs(sample.samples)
        return np.resize(np.concatenate([values, [1.0]]), 64)


class NewFingerprint(Honest):
    def __init__(self) -> None:
        super().__init__()
        self.fingerprint = hashlib.sha256(str(time.perf_counter_ns()).encode()).hexdigest()


class Fetches(Honest):
    def __init__(self) -> None:
        super().__init__()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", 9), timeout=1).close()


class Prints(Honest):
    def __init__(self) -> None:
        super().__init__()
        print("Loading…")
