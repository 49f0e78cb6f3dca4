"""ResNet-50 as torchvision builds it, up to the pooled features before the classifier.

He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, 2015. Features: 2048 numbers, averaged over the
final 7×7 map.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
import torchvision

from app.engine.encoders.entries import Entry
from app.engine.encoders.network import NetworkEncoder, picture_tensor, placed
from app.engine.encoders.weights import Uninitialised, fit, read_weights
from app.engine.samples import Picture
from app.engine.types import Modality


def load(entry: Entry, weights_path: Path, fingerprint: str, device: str) -> NetworkEncoder:
    """Raises WeightsCorrupt."""
    with Uninitialised():
        network = torchvision.models.resnet50(weights=None)
    network.fc = torch.nn.Identity()
    trunk = {name: tensor for name, tensor in read_weights(weights_path).items() if not name.startswith("fc.")}
    fit(network, trunk, entry, weights_path)

    def encode_pictures(pictures: Sequence[Picture], place: str) -> torch.Tensor:
        features: torch.Tensor = network(picture_tensor(pictures, entry.mean, entry.std, place))
        return features

    placement = placed(network, device, entry.batch_size)
    return NetworkEncoder(entry.spec, fingerprint, placement, {Modality.IMAGE: encode_pictures})
