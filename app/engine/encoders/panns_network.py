"""The networks of the PANNs family, from the wave to the embedding before the tagger.

Kong, Cao, Iqbal, Wang, Wang, Plumbley: PANNs: Large-Scale Pretrained Audio Neural Networks for Audio Pattern
Recognition, 2020 (the layers: its tables 1 and 4). The tensors carry the names of the published checkpoints, which
bring the Fourier kernels and mel filters along as tensors of their own. So neither the authors' package is needed here,
which would fetch a label file into the home folder when it is imported, nor the sound libraries under it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torchaudio
from torch import nn
from torch.nn import functional

MEL_BANDS = 64
LOWEST_HZ = 50
SILENCE = 1e-10
"""The least power, so that silence has a logarithm: -100 dB."""


@dataclass(frozen=True)
class Architecture:
    """The numbers of one network.

    ``window_samples`` and ``hop_samples`` are those of its spectrogram, ``highest_hz`` the end of the mel scale.
    ``kernel`` is the side of a convolution and ``depth`` how many of them stand between two poolings; ``channels``
    says how many come out of each block. ``poolings`` counts how often time is halved.
    """

    channels: tuple[int, ...]
    kernel: int = 3
    depth: int = 2
    separable: bool = False
    poolings: int = 5
    sample_rate_hz: int = 32_000
    window_samples: int = 1024
    hop_samples: int = 320
    highest_hz: int = 14_000

    @property
    def dim(self) -> int:
        return self.channels[-1]

    @property
    def shortest_samples(self) -> int:
        """A spectrogram of n samples has n // hop + 1 frames, and each pooling halves them, rounding down: with fewer
        than 2**poolings frames (0.31 s, 0.15 s for the smaller networks) nothing would be left."""
        return ((1 << self.poolings) - 1) * self.hop_samples


_CNN14 = (64, 128, 256, 512, 1024, 2048)
_MOBILE = (32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)

ARCHITECTURES = {
    "Cnn14": Architecture(_CNN14),
    "Cnn14_16k": Architecture(_CNN14, sample_rate_hz=16_000, window_samples=512, hop_samples=160, highest_hz=8_000),
    "Cnn14_8k": Architecture(_CNN14, sample_rate_hz=8_000, window_samples=256, hop_samples=80, highest_hz=4_000),
    "Cnn10": Architecture(_CNN14[:4], poolings=4),
    "Cnn6": Architecture(_CNN14[:4], kernel=5, depth=1, poolings=4),
    "MobileNetV1": Architecture(_MOBILE, separable=True),
}
"""By the names that the authors gave them."""


def build(architecture: Architecture) -> nn.Module:
    """The network, its learned weights not yet set."""
    return _MobileNet(architecture) if architecture.separable else _Cnn(architecture)


class _Panns(nn.Module):
    """What all of them share: (n, samples) float32 at the network's rate to (n, dim)."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.spectrogram_extractor = nn.ModuleDict({"stft": _Fourier(architecture)})
        self.logmel_extractor = nn.ParameterDict({"melW": _fixed(_mel_filters(architecture))})
        self.bn0 = nn.BatchNorm2d(MEL_BANDS)
        self.fc1 = nn.Linear(architecture.dim, architecture.dim)

    def forward(self, waves: torch.Tensor) -> torch.Tensor:
        # Always in single precision: half has too few digits for the decibels of what is almost silent.
        with torch.autocast(waves.device.type, enabled=False):
            power = self.spectrogram_extractor["stft"](waves)
            decibels = 10 * (power @ self.logmel_extractor["melW"]).clamp(min=SILENCE).log10()
        maps = self.bn0(decibels[..., None].transpose(1, 2)).permute(0, 3, 2, 1)
        over_time = self.features_of(maps).mean(dim=3)
        pooled = over_time.amax(dim=2) + over_time.mean(dim=2)
        embedding: torch.Tensor = self.fc1(pooled).relu()
        return embedding

    def features_of(self, maps: torch.Tensor) -> torch.Tensor:
        """(n, 1, frames, mel bands) to (n, dim, less frames, less bands)."""
        raise NotImplementedError


class _Cnn(_Panns):
    """Cnn6, Cnn10 and Cnn14: blocks of convolutions, each but a sixth followed by an average over 2×2."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture)
        self._blocks = len(architecture.channels)
        self._poolings = architecture.poolings
        for number, (taken, given) in enumerate(_steps(architecture), 1):
            self.add_module(f"conv_block{number}", _ConvBlock(taken, given, architecture.kernel, architecture.depth))

    def features_of(self, maps: torch.Tensor) -> torch.Tensor:
        for number in range(1, self._blocks + 1):
            maps = self.get_submodule(f"conv_block{number}")(maps)
            if number <= self._poolings:
                maps = functional.avg_pool2d(maps, 2)
        return maps


class _MobileNet(_Panns):
    """MobileNetV1: convolutions of each channel by itself, then of the channels (Howard et al., MobileNets, 2017), with
    an average over 2×2 instead of a stride."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture)
        steps = _steps(architecture)
        layers = [_layers(*steps[0], pooled_by=2)]
        for taken, given in steps[1:]:
            # Time is halved where the channels are doubled, but for the first block.
            depthwise = _layers(taken, taken, groups=taken, pooled_by=2 if given > taken >= 64 else 1)
            pointwise = [nn.Conv2d(taken, given, 1, bias=False), nn.BatchNorm2d(given), nn.ReLU()]
            layers.append([*depthwise, *pointwise])
        self.features = nn.Sequential(*(nn.Sequential(*block) for block in layers))

    def features_of(self, maps: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.features(maps)
        return features


class _ConvBlock(nn.Module):
    def __init__(self, taken: int, given: int, kernel: int, depth: int) -> None:
        super().__init__()
        self._depth = depth
        for number in range(1, depth + 1):
            convolution = nn.Conv2d(taken if number == 1 else given, given, kernel, padding=kernel // 2, bias=False)
            self.add_module(f"conv{number}", convolution)
            self.add_module(f"bn{number}", nn.BatchNorm2d(given))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        for number in range(1, self._depth + 1):
            maps = self.get_submodule(f"conv{number}")(maps)
            maps = self.get_submodule(f"bn{number}")(maps).relu_()
        return maps


class _Fourier(nn.Module):
    """The power spectrogram: (n, samples) to (n, frames, frequencies), by convolution with windowed cosines and sines.
    A sound goes on mirrored beyond both of its ends."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        size, hop = architecture.window_samples, architecture.hop_samples
        self._beyond_samples = size // 2
        for name, kernels in zip(("conv_real", "conv_imag"), _fourier_kernels(size), strict=True):
            convolution = nn.Conv1d(1, size // 2 + 1, size, stride=hop, bias=False)
            convolution.weight = _fixed(kernels[:, None])
            self.add_module(name, convolution)

    def forward(self, waves: torch.Tensor) -> torch.Tensor:
        longer = functional.pad(waves[:, None], (self._beyond_samples, self._beyond_samples), mode="reflect")
        real, imaginary = self.get_submodule("conv_real")(longer), self.get_submodule("conv_imag")(longer)
        power: torch.Tensor = (real**2 + imaginary**2).transpose(1, 2)
        return power


def _layers(taken: int, given: int, *, groups: int = 1, pooled_by: int) -> list[nn.Module]:
    convolution = nn.Conv2d(taken, given, 3, padding=1, groups=groups, bias=False)
    return [convolution, nn.AvgPool2d(pooled_by), nn.BatchNorm2d(given), nn.ReLU()]


def _steps(architecture: Architecture) -> list[tuple[int, int]]:
    """How many channels each block takes and gives."""
    return list(zip((1, *architecture.channels), architecture.channels, strict=False))


def _fourier_kernels(size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and negative sines of the frequencies 0..size/2 under a periodic Hann window, (size/2 + 1, size) each."""
    turns = torch.outer(torch.arange(size // 2 + 1), torch.arange(size)) % size
    angles = turns.double() * (2 * torch.pi / size)
    window = torch.hann_window(size, dtype=torch.float64)
    return (angles.cos() * window).float(), (-angles.sin() * window).float()


def _mel_filters(architecture: Architecture) -> torch.Tensor:
    """Slaney's mel scale with triangles of equal area, (frequencies, MEL_BANDS)."""
    return torchaudio.functional.melscale_fbanks(  # type: ignore[no-any-return]  # it has no types
        architecture.window_samples // 2 + 1, LOWEST_HZ, architecture.highest_hz, MEL_BANDS,
        architecture.sample_rate_hz, norm="slaney", mel_scale="slaney",
    )  # fmt: skip


def _fixed(values: torch.Tensor) -> nn.Parameter:
    return nn.Parameter(values, requires_grad=False)
