"""The PANNs networks: their embeddings are those of the authors' own code, and a checkpoint is known by its shapes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from fidelity import (
    FAITHFUL,
    HALF_FAITHFUL,
    assert_same,
    entry,
    in_half,
    panns_models,
    refuse_connections,
    waves,
)
from torch.nn import functional
from torchlibrosa.stft import LogmelFilterBank, Spectrogram

from app.bench.models import install_seeded
from app.engine.encoders import panns
from app.engine.encoders.base import Encoder
from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.panns_network import ARCHITECTURES, Architecture, build
from app.engine.encoders.weights import Uninitialised, read_weights
from app.engine.errors import AppError, WeightsCorrupt
from app.engine.samples import Sound, SoundInput
from app.engine.types import Modality

PROJECT_DIR = Path(__file__).resolve().parents[2]
CNN14 = ARCHITECTURES["Cnn14"]
CLASSES = 527

Tensors = Mapping[str, torch.Tensor]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_connections(monkeypatch)


def entry_of(name: str) -> Any:
    architecture = ARCHITECTURES[name]
    sound = SoundInput(architecture.sample_rate_hz)
    return entry("panns-cnn14", architecture=name, dim=architecture.dim, sound=sound)


def seeded(architecture: Architecture) -> dict[str, torch.Tensor]:
    """The tensors of a published checkpoint, drawn from a seed: convolutions that keep the scale, normalisations that
    shift a little, and the layer that names sounds."""
    generator = torch.Generator().manual_seed(9)
    network = build(architecture)
    for parameter in network.parameters():
        if parameter.requires_grad and parameter.ndim > 1:
            torch.nn.init.kaiming_normal_(parameter, nonlinearity="relu", generator=generator)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.2, 0.2, generator)
    network.bn0.running_mean.fill_(-30)
    network.bn0.running_var.fill_(20**2)
    tagger = torch.nn.Linear(architecture.dim, CLASSES)
    named = {f"fc_audioset.{name}": tensor for name, tensor in tagger.state_dict().items()}
    return {**network.state_dict(), **named}


def save(tensors: Tensors, path: Path, iteration: int = 600_000) -> Path:
    torch.save({"iteration": iteration, "model": dict(tensors)}, path)
    return path


def authors_cnn14(architecture: Architecture, tensors: Tensors) -> torch.nn.Module:
    network: torch.nn.Module = panns_models().Cnn14(
        architecture.sample_rate_hz, architecture.window_samples, architecture.hop_samples, 64, 50,
        architecture.highest_hz, CLASSES,
    )  # fmt: skip
    network.load_state_dict(tensors)
    return network.eval()


# --- Cnn14, beside the authors' own ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cnn14(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Encoder, torch.nn.Module]]:
    models_dir = tmp_path_factory.mktemp("panns")
    (models_dir / "panns-cnn14").mkdir()
    tensors = seeded(CNN14)
    weights = save(tensors, models_dir / "panns-cnn14" / "Cnn14_mAP=0.431.pth")
    yield Catalogue(models_dir, device="cpu").load("panns-cnn14"), authors_cnn14(CNN14, tensors)
    weights.unlink()


def test_cnn14_gives_the_embeddings_that_panns_gives(cnn14: tuple[Encoder, torch.nn.Module]) -> None:
    encoder, upstream = cnn14
    sounds = waves(32_000, 1.5)
    with torch.inference_mode():
        theirs = upstream(torch.from_numpy(np.stack(sounds)))["embedding"]
    assert_same(encoder.encode([Sound(wave) for wave in sounds]), theirs)
    with in_half():
        assert_same(encoder.encode([Sound(wave) for wave in sounds]), theirs, HALF_FAITHFUL)


@pytest.mark.parametrize("name", ["Cnn14_16k", "Cnn14_8k"])
def test_cnn14_at_lower_rates_gives_the_embeddings_that_panns_gives(tmp_path: Path, name: str) -> None:
    architecture = ARCHITECTURES[name]
    tensors = seeded(architecture)
    weights = save(tensors, tmp_path / "weights.pth")
    encoder = panns.load(entry_of(name), weights, "f", "cpu")
    weights.unlink()
    sounds = waves(architecture.sample_rate_hz, 1)
    with torch.inference_mode():
        theirs = authors_cnn14(architecture, tensors)(torch.from_numpy(np.stack(sounds)))["embedding"]
    assert_same(encoder.encode([Sound(wave) for wave in sounds]), theirs)


def test_cnn14_gives_each_sound_the_vector_it_has_alone(cnn14: tuple[Encoder, torch.nn.Module]) -> None:
    encoder, _ = cnn14
    lengths_s = (0.6, 1.0, 0.6, 0.4)
    sounds = [Sound(waves(32_000, seconds)[number % 3]) for number, seconds in enumerate(lengths_s)]
    together = encoder.encode(sounds)
    alone = np.concatenate([encoder.encode([sound]) for sound in sounds])
    assert (together * alone).sum(1).min() >= FAITHFUL


@pytest.mark.parametrize("length", [0, 1, CNN14.shortest_samples - 1, CNN14.shortest_samples])
def test_cnn14_takes_sounds_of_any_shortness(cnn14: tuple[Encoder, torch.nn.Module], length: int) -> None:
    encoder, _ = cnn14
    vectors = encoder.encode([Sound(waves(32_000, 1)[1][:length])])
    assert np.linalg.norm(vectors) == pytest.approx(1, abs=1e-6)


def test_cnn14_takes_silence_and_samples_that_are_no_numbers(cnn14: tuple[Encoder, torch.nn.Module]) -> None:
    encoder, _ = cnn14
    odd = np.zeros(20000, np.float32)
    odd[:3] = np.nan, np.inf, -np.inf
    silence, broken = encoder.encode([Sound(np.zeros(20000, np.float32)), Sound(odd)])
    assert np.linalg.norm(silence) == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(broken, silence, atol=1e-6)


def test_no_samples_give_no_vectors(cnn14: tuple[Encoder, torch.nn.Module]) -> None:
    encoder, _ = cnn14
    assert encoder.encode([]).shape == (0, 2048)
    assert encoder.spec.accepts == {Modality.AUDIO}


# --- the smaller networks, beside their tables -----------------------------------------------------------------------


def maps_of(tensors: Tensors, sounds: list[npt.NDArray[np.float32]]) -> torch.Tensor:
    """The authors' own spectrogram and mel scale, then the first normalisation."""
    power = Spectrogram(n_fft=1024, hop_length=320, win_length=1024)(torch.from_numpy(np.stack(sounds)))
    bands = LogmelFilterBank(sr=32_000, n_fft=1024, n_mels=64, fmin=50, fmax=14_000, ref=1.0, amin=1e-10, top_db=None)
    return normalised(tensors, "bn0", bands(power).transpose(1, 3)).transpose(1, 3)


def normalised(tensors: Tensors, name: str, maps: torch.Tensor) -> torch.Tensor:
    stored = (tensors[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
    return functional.batch_norm(maps, *stored)


def cnn(tensors: Tensors, maps: torch.Tensor, layers: int) -> torch.Tensor:
    """Table 1 of the paper: four blocks, each followed by an average over 2×2."""
    for block in range(1, 5):
        for layer in range(1, layers + 1):
            kernels = tensors[f"conv_block{block}.conv{layer}.weight"]
            maps = functional.conv2d(maps, kernels, padding=kernels.shape[-1] // 2)
            maps = normalised(tensors, f"conv_block{block}.bn{layer}", maps).relu()
        maps = functional.avg_pool2d(maps, 2)
    return maps


def mobile_net(tensors: Tensors, maps: torch.Tensor) -> torch.Tensor:
    """Its 14 blocks by the numbers that the published tensors carry; 0, 2, 4, 6 and 12 halve time."""
    for block in range(14):
        first = tensors[f"features.{block}.0.weight"]
        maps = functional.conv2d(maps, first, padding=1, groups=len(first) if block else 1)
        maps = functional.avg_pool2d(maps, 2) if block in (0, 2, 4, 6, 12) else maps
        maps = normalised(tensors, f"features.{block}.2", maps).relu()
        if block:
            maps = functional.conv2d(maps, tensors[f"features.{block}.4.weight"])
            maps = normalised(tensors, f"features.{block}.5", maps).relu()
    return maps


def embedding(tensors: Tensors, maps: torch.Tensor) -> torch.Tensor:
    over_time = maps.mean(3)
    pooled = over_time.max(2).values + over_time.mean(2)
    return functional.linear(pooled, tensors["fc1.weight"], tensors["fc1.bias"]).relu()


@pytest.mark.parametrize("name", ["Cnn10", "Cnn6", "MobileNetV1"])
def test_the_smaller_networks_are_those_of_the_paper(tmp_path: Path, name: str) -> None:
    tensors = seeded(ARCHITECTURES[name])
    encoder = panns.load(entry_of(name), save(tensors, tmp_path / "weights.pth"), "f", "cpu")
    sounds = waves(32_000, 1.5)
    with torch.inference_mode():
        maps = maps_of(tensors, sounds)
        maps = mobile_net(tensors, maps) if name == "MobileNetV1" else cnn(tensors, maps, 2 if name == "Cnn10" else 1)
        theirs = embedding(tensors, maps)
    assert_same(encoder.encode([Sound(wave) for wave in sounds]), theirs)
    with in_half():
        assert_same(encoder.encode([Sound(wave) for wave in sounds]), theirs, HALF_FAITHFUL)
    shortest = encoder.encode([Sound(np.zeros(1, np.float32))])
    assert np.linalg.norm(shortest) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("Cnn14", 80_753_615), ("Cnn10", 5_219_279), ("Cnn6", 4_837_455), ("MobileNetV1", 4_796_303)],
)
def test_the_networks_have_as_many_parameters_as_the_paper_says(name: str, parameters: int) -> None:
    with Uninitialised():
        network = build(ARCHITECTURES[name])
    learned = sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
    assert learned + CLASSES * (ARCHITECTURES[name].dim + 1) == parameters


@pytest.mark.parametrize(
    ("name", "published_bytes"), [("Cnn14", 327_428_481), ("Cnn10", 25_237_595), ("MobileNetV1", 23_639_473)]
)
def test_a_checkpoint_has_the_size_of_the_published_file(tmp_path: Path, name: str, published_bytes: int) -> None:
    """But for how torch has wrapped it."""
    weights = save(seeded(ARCHITECTURES[name]), tmp_path / "weights.pth")
    assert weights.stat().st_size == pytest.approx(published_bytes, rel=0.001)
    weights.unlink()


# --- knowing a checkpoint --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_a_checkpoint_is_known_by_its_shapes(name: str) -> None:
    with Uninitialised():
        tensors = build(ARCHITECTURES[name]).state_dict()
    assert panns.recognise(tensors) == name
    tuned = {**tensors, "fc_audioset.weight": torch.empty(50, ARCHITECTURES[name].dim)}
    assert panns.recognise(tuned) == name


@pytest.mark.shared_data
def test_other_networks_are_not_taken_for_one(shared_data: Path, tmp_path: Path) -> None:
    with Uninitialised():
        smaller_embedding = {**build(CNN14).state_dict(), "fc1.weight": torch.empty(512, 2048)}
    assert panns.recognise(smaller_embedding) is None
    assert panns.recognise(read_weights(shared_data / "hostile" / "weights" / "resnet20-12fca82f.th")) is None
    assert panns.recognise({}) is None


def test_the_weights_of_another_size_are_refused_by_name(tmp_path: Path) -> None:
    weights = save(seeded(ARCHITECTURES["Cnn6"]), tmp_path / "Cnn6.pth")
    with pytest.raises(WeightsCorrupt, match=r"expected conv_block1\.conv1\.weight 64×1×3×3, found 64×1×5×5"):
        panns.load(entry("panns-cnn10"), weights, "f", "cpu")


def test_an_architecture_that_panns_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="no “Cnn99”. Choose one of: Cnn14"):
        panns.load(entry("panns-cnn10", architecture="Cnn99"), tmp_path / "weights.pth", "f", "cpu")


# --- alone in the world ----------------------------------------------------------------------------------------------


def test_panns_fetches_nothing_runs_nothing_and_leaves_the_home_folder_alone(tmp_path: Path) -> None:
    """The authors' package runs wget and writes into the home folder when it is imported."""
    home = tmp_path / "home"
    home.mkdir()
    install_seeded(tmp_path, ["panns-cnn10"])
    code = f"""
import socket, subprocess, sys, os
def refuse(*arguments, **named):
    raise SystemExit("tried to reach out")
socket.socket.connect = socket.getaddrinfo = subprocess.Popen.__init__ = os.system = refuse
import numpy as np
from pathlib import Path
from app.engine.encoders.catalogue import Catalogue
from app.engine.samples import Sound
encoder = Catalogue(Path({str(tmp_path / "models")!r}), device="cpu").load("panns-cnn10")
print(encoder.encode([Sound(np.zeros(9000, np.float32))]).shape)
print([name for name in ("panns_inference", "torchlibrosa", "librosa") if name in sys.modules])
"""
    environment = {**os.environ, "HOME": str(home), "USERPROFILE": str(home), "PATH": ""}
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_DIR, env=environment, capture_output=True, text=True, check=True
    )
    assert finished.stdout.split("\n")[:2] == ["(1, 512)", "[]"]
    assert not (home / "panns_data").exists()
    assert sorted(path.name for path in home.iterdir()) == []
