"""What the families that run a neural network share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from app.engine.encoders.base import EncoderSpec, Scoring, accepted_modality, unit_rows
from app.engine.encoders.device import CPU, Forward, Placement, describe
from app.engine.encoders.entries import Channels
from app.engine.encoders.speeds import Speeds
from app.engine.errors import WeightsCorrupt
from app.engine.samples import Picture, Sample, Sound, Vectors
from app.engine.types import Modality

CPU_FIRST = 4
ACCELERATOR_GROWTH = 8


def placed(network: torch.nn.Module, device: str, batch_size: int) -> Placement:
    """A network on its device. ``batch_size``, of the catalogue, is the largest that can pay on a CPU and where an
    accelerator begins; between the bounds the fastest is found by measuring."""
    if device == CPU:
        return Placement(network, device, min(CPU_FIRST, batch_size), largest=batch_size)
    return Placement(network, device, batch_size, largest=batch_size * ACCELERATOR_GROWTH)


class NetworkEncoder:
    """An `Encoder` that runs a network: one forward function for each kind of sample it accepts."""

    def __init__(
        self,
        spec: EncoderSpec,
        fingerprint: str,
        placement: Placement,
        forwards: Mapping[Modality, Forward[Any]],
        scoring: Scoring | None = None,
    ) -> None:
        self.scoring = scoring
        self._spec = spec
        self._fingerprint = fingerprint
        self._placement = placement
        self._forwards = forwards

    @property
    def spec(self) -> EncoderSpec:
        return self._spec

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @property
    def device(self) -> str:
        return self._placement.device

    @property
    def batch_size(self) -> int:
        return self._placement.batch_size

    @property
    def weights_bytes(self) -> int:
        """What the network's numbers take, on the device that it is on."""
        return self._placement.weights_bytes

    def allow_half(self, speeds: Speeds) -> None:
        """Compute batches in half precision where that is faster and near enough; ``speeds`` keeps what was found."""
        key, machine = self._spec.key, describe(self.device)
        known = speeds.of(machine, "half").get(key)
        self._placement.allow_half(
            known if isinstance(known, bool) else None, lambda faster: speeds.remember(machine, "half", {key: faster})
        )

    def encode(self, samples: Sequence[Sample]) -> Vectors:
        """As `Encoder.encode`. Raises WeightsCorrupt for a network whose output is no number."""
        if not samples:
            return np.empty((0, self._spec.dim), dtype=np.float32)
        forward = self._forwards[accepted_modality(samples, self._spec)]
        rows = self._placement.run(forward, samples)
        if not np.isfinite(rows).all():  # prepared samples are finite, so it is the weights that are not
            raise WeightsCorrupt(
                "This model computes nonsense",
                f"{self._spec.key} gave a vector that is no number: its weights file is damaged. "
                "Copy or download it again.",
            )
        return unit_rows(rows)


def learned_scoring(log_scale: torch.Tensor, bias: torch.Tensor | None = None) -> Scoring | None:
    """The `Scoring` of the two scalars that contrastive networks learn: the logarithm of the scale, and SigLIP's bias.
    None for weights in which they are no use."""
    scale, offset = float(log_scale.detach().double().exp()), 0.0 if bias is None else float(bias.detach())
    if not (math.isfinite(scale) and math.isfinite(offset)):
        return None
    return Scoring("softmax" if bias is None else "sigmoid", scale, offset)


def picture_tensor(pictures: Sequence[Picture], mean: Channels, std: Channels, device: str) -> torch.Tensor:
    """(n, 3, size_px, size_px) float32 on ``device``: scaled to 0..1, then standardised per channel.

    The operations and their order are those of torchvision's ToTensor and Normalize, so the result is theirs to the
    last bit. The bytes travel to the device, a quarter of the floats.
    """
    pixels = torch.from_numpy(np.stack([picture.pixels for picture in pictures])).to(device)
    scaled = pixels.permute(0, 3, 1, 2).contiguous().to(torch.float32).div_(255)
    return scaled.sub_(_per_channel(mean, device)).div_(_per_channel(std, device))


def clean_wave(sound: Sound, shortest_samples: int) -> npt.NDArray[np.float32]:
    """The samples, with silence behind a sound below ``shortest_samples``; a file of floats may hold what is no number,
    which is taken as silence too."""
    missing = max(0, shortest_samples - len(sound.samples))
    return np.pad(np.nan_to_num(sound.samples, posinf=0.0, neginf=0.0), (0, missing))


def _per_channel(values: Channels, device: str) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32, device=device).view(1, 3, 1, 1)
