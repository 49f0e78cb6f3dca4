"""What the tests of the neural families share: samples that differ, and what it means to give upstream's vectors."""

from __future__ import annotations

import socket
import sys
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image, ImageDraw

from app.engine.encoders.base import Encoder
from app.engine.encoders.entries import Entry, read_entries
from app.engine.media.images import prepare
from app.engine.samples import Picture
from app.paths import resources_dir

FAITHFUL = 0.99999
HALF_FAITHFUL = 0.999


def in_half() -> torch.autocast:
    """Inside, the layers of a network compute in the half precision that a CPU has."""
    return torch.autocast("cpu", torch.bfloat16)


def entry(key: str, **changes: Any) -> Entry:
    """The entry of a model in the catalogue that ships, with changes."""
    shipped = {entry.key: entry for entry in read_entries(resources_dir() / "models.toml")}
    return replace(shipped[key], **changes)


def refuse_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("an encoder opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def drawings() -> list[Image.Image]:
    """Three drawings of different shapes."""
    rng = np.random.default_rng(7)
    drawn = []
    for size in ((320, 240), (231, 402), (224, 224)):
        noise = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        image = Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)
        corners = sorted(rng.integers(0, min(size), 2).tolist())
        ImageDraw.Draw(image).ellipse((corners[0], corners[0], corners[1] + 1, corners[1] + 1), fill=(255, 40, 0))
        drawn.append(image)
    return drawn


def waves(rate_hz: int, seconds: float) -> list[npt.NDArray[np.float32]]:
    """A tone, noise and a throbbing buzz."""
    times_s = np.arange(int(rate_hz * seconds)) / rate_hz
    tone = 0.4 * np.sin(2 * np.pi * 440 * times_s)
    noise = np.random.default_rng(3).uniform(-0.5, 0.5, len(times_s))
    buzz = 0.3 * np.sign(np.sin(2 * np.pi * 110 * times_s)) * (np.sin(2 * np.pi * 3 * times_s) > 0)
    return [wave.astype(np.float32) for wave in (tone, noise, buzz)]


def encode_pictures(encoder: Encoder, images: list[Image.Image]) -> npt.NDArray[np.float32]:
    assert encoder.spec.picture is not None
    return encoder.encode([Picture(prepare(image, encoder.spec.picture)) for image in images])


def assert_same(ours: npt.NDArray[np.float32], theirs: torch.Tensor, at_least: float = FAITHFUL) -> None:
    """Same directions, row by row, and each nearer to its own than to any other's; ours of length 1."""
    expected = torch.nn.functional.normalize(theirs.double(), dim=1).numpy()
    assert ours.dtype == np.float32
    assert ours.shape == expected.shape
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-6)
    cosines = ours @ expected.T
    assert np.diag(cosines).min() >= at_least
    others = cosines[~np.eye(len(cosines), dtype=bool)]
    assert others.max(initial=-1) < np.diag(cosines).min(), "the inputs must differ for the comparison to mean anything"


def panns_models() -> Any:
    """The network definitions of the authors' package. Its own ``config`` would download a label file into the home
    folder at import, so the names that the package takes from it are given first."""
    config: Any = ModuleType("panns_inference.config")
    config.labels, config.classes_num = [], 527
    sys.modules.setdefault(config.__name__, config)
    from panns_inference import models

    return models
