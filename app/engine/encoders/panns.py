"""The PANNs family: embeddings of sounds, of the networks in `panns_network`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from app.engine.encoders.entries import Entry
from app.engine.encoders.network import NetworkEncoder, clean_wave, placed
from app.engine.encoders.panns_network import ARCHITECTURES, build
from app.engine.encoders.weights import Uninitialised, fit, read_weights
from app.engine.errors import AppError
from app.engine.samples import Sound
from app.engine.types import Modality

_TAGGER = "fc_audioset."
"""The layer that names sounds, which an embedding does without."""

_TELLING = ("conv_block1.conv1", "conv_block4.conv2", "conv_block6.conv2", "features.13.4", "fc1")


def load(entry: Entry, weights_path: Path, fingerprint: str, device: str) -> NetworkEncoder:
    """Raises WeightsCorrupt; AppError for an architecture that is not in `ARCHITECTURES`."""
    if (architecture := ARCHITECTURES.get(entry.architecture)) is None:
        raise AppError(
            "No such network", f"PANNs has no “{entry.architecture}”. Choose one of: {', '.join(ARCHITECTURES)}."
        )
    with Uninitialised():
        network = build(architecture)
    fit(network, embedding_tensors(read_weights(weights_path)), entry, weights_path)

    def encode_sounds(sounds: Sequence[Sound], place: str) -> torch.Tensor:
        rows = torch.empty((len(sounds), entry.dim), device=place)
        for positions, waves in _by_length(sounds, architecture.shortest_samples):
            rows[positions] = network(torch.from_numpy(waves).to(place)).float()
        return rows

    placement = placed(network, device, entry.batch_size)
    return NetworkEncoder(entry.spec, fingerprint, placement, {Modality.AUDIO: encode_sounds})


def recognise(tensors: Mapping[str, torch.Tensor]) -> str | None:
    """The name in `ARCHITECTURES` of the network whose tensors these are, or None: told by a few shapes, so that a
    checkpoint with a tensor too many or of another size is still called what it was meant to be, and `fit` says what
    is wrong with it."""
    given = _signature(embedding_tensors(tensors))
    for name, architecture in ARCHITECTURES.items():
        with Uninitialised():
            network = build(architecture)
        if given == _signature(network.state_dict()):
            return name
    return None


def _signature(tensors: Mapping[str, torch.Tensor]) -> list[tuple[int, ...] | None]:
    names = ("spectrogram_extractor.stft.conv_real", *_TELLING)
    found = (tensors.get(f"{name}.weight") for name in names)
    return [None if tensor is None else tuple(tensor.shape) for tensor in found]


def embedding_tensors(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Those of a checkpoint that an embedding needs."""
    return {name: tensor for name, tensor in tensors.items() if not name.startswith(_TAGGER)}


def _by_length(sounds: Sequence[Sound], shortest_samples: int) -> list[tuple[list[int], np.ndarray[Any, Any]]]:
    """Sounds of one length together, with their positions: padding one to the length of another would change its
    vector, which is pooled over time. Most are whole windows and share one length."""
    groups: dict[int, list[int]] = defaultdict(list)
    for position, sound in enumerate(sounds):
        groups[len(sound.samples)].append(position)
    return [
        (positions, np.stack([clean_wave(sounds[i], shortest_samples) for i in positions]))
        for positions in groups.values()
    ]
