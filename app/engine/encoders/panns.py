"""Cnn14 of the PANNs family, up to the embedding before the tagger.

Kong, Cao, Iqbal, Wang, Wang, Plumbley: PANNs: Large-Scale Pretrained Audio Neural Networks for Audio Pattern
Recognition, 2020. Input: mono at 32 kHz; the network makes its own log-mel spectrogram.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from app.engine.encoders.entries import Entry
from app.engine.encoders.network import NetworkEncoder, placed
from app.engine.encoders.weights import Uninitialised, fit, read_weights
from app.engine.samples import Sound
from app.engine.types import Modality

CLASSES = 527
HOP_SAMPLES = 320
POOLINGS = 5

SHORTEST_SAMPLES = (2**POOLINGS - 1) * HOP_SAMPLES
"""A spectrogram of n samples has n // HOP + 1 frames, and each pooling halves them, rounding down: with fewer than
2**POOLINGS frames (0.31 s) nothing would be left. A shorter sound is padded with silence to this."""


def load(entry: Entry, weights_path: Path, fingerprint: str, device: str) -> NetworkEncoder:
    """Raises WeightsCorrupt."""
    network = build_cnn14()
    fit(network, read_weights(weights_path), entry, weights_path)

    def encode_sounds(sounds: Sequence[Sound], place: str) -> torch.Tensor:
        rows = torch.empty((len(sounds), entry.dim), device=place)
        for positions, waves in _by_length(sounds):
            rows[positions] = network(torch.from_numpy(waves).to(place))["embedding"]
        return rows

    placement = placed(network, device, entry.batch_size)
    return NetworkEncoder(entry.spec, fingerprint, placement, {Modality.AUDIO: encode_sounds})


def build_cnn14() -> torch.nn.Module:
    """The network of ``Cnn14_mAP=0.431.pth``, its weights not yet set."""
    models = _panns_models()
    with Uninitialised():
        network: torch.nn.Module = models.Cnn14(
            sample_rate=32000, window_size=1024, hop_size=HOP_SAMPLES, mel_bins=64, fmin=50, fmax=14000,
            classes_num=CLASSES,
        )  # fmt: skip
    return network


def _panns_models() -> ModuleType:
    """The package's network definitions alone. Its own ``config`` would download a label file into the home folder
    at import, so the names that the package takes from it are given first; the embedding needs no labels."""
    config: Any = ModuleType("panns_inference.config")
    config.labels, config.classes_num = [], CLASSES
    sys.modules.setdefault(config.__name__, config)
    from panns_inference import models

    return models  # type: ignore[no-any-return]


def _by_length(sounds: Sequence[Sound]) -> list[tuple[list[int], np.ndarray[Any, Any]]]:
    """Sounds of one length together, with their positions: padding one to the length of another would change its
    vector, which is pooled over time. Most are whole windows and share one length."""
    groups: dict[int, list[int]] = defaultdict(list)
    for position, sound in enumerate(sounds):
        groups[len(sound.samples)].append(position)
    return [(positions, np.stack([_wave(sounds[i]) for i in positions])) for positions in groups.values()]


def _wave(sound: Sound) -> np.ndarray[Any, Any]:
    """The samples, long enough; a file of floats may hold what is no number, taken as silence."""
    missing = max(0, SHORTEST_SAMPLES - len(sound.samples))
    return np.pad(np.nan_to_num(sound.samples, posinf=0.0, neginf=0.0), (0, missing))
