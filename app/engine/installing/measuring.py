"""How fast models are on this machine: those that are here by encoding, all others by a probe of their kind."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from app.engine.encoders.base import Encoder, EncoderSpec
from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.entries import Entry
from app.engine.encoders.processor import runs_eight_bit
from app.engine.encoders.speeds import Section, Speeds
from app.engine.errors import AppError
from app.engine.jobs import Job
from app.engine.media.decode import DecodeRequest, decode
from app.engine.media.pool import default_workers
from app.engine.modeltypes import Measuring
from app.engine.samples import Picture, PictureInput, Sample, Sound
from app.engine.types import Modality

if TYPE_CHECKING:
    from torch import nn

MODEL_S = 3.0
PROBE_S = 1.0
WINDOW_S = 10
PHOTO_PX = (4032, 3024)
"""Of a telephone's camera: twelve megapixels."""
DECODE_S = 0.3

TRANSFORMER, CONVOLUTIONS, EIGHT_BIT = "transformer", "convolutions", "8-bit transformer"
_CONVOLUTIONAL = ("resnet", "cnn", "rn50", "rn101", "convnext", "mobileclip", "fastvit", "efficientnet", "mobilenet")

WIDTH, HEADS, TOKENS = 768, 12, 197
"""ViT-B/16's, the middle of the field."""
BLOCK_GFLOPS = (12 * WIDTH**2 * TOKENS + 2 * WIDTH * TOKENS**2) / 1e9
CHANNELS, SIDE_PX = 128, 28
"""ResNet-50's second stage, without its strides."""
STAGE_GFLOPS = (2 * 4 + 9) * CHANNELS**2 * SIDE_PX**2 / 1e9
PROBE_BATCH, PROBE_BATCH_GPU = 8, 64


@dataclass(frozen=True)
class Measured:
    """What is known of the speed of one machine; all of it may be empty. See `app.engine.encoders.speeds.Section`."""

    items_per_s: dict[str, dict[str, float]] = field(default_factory=dict)
    gflops_per_s: dict[str, float] = field(default_factory=dict)
    decode_s: dict[str, float] = field(default_factory=dict)
    cosine: dict[str, float] = field(default_factory=dict)


def measured(speeds: Speeds, machine: str) -> Measured:
    """What was measured on a machine; what is no number above zero (the file is open to hands) is left out."""
    rates = speeds.of(machine, "items_per_s").items()
    return Measured(
        {key: numbers for key, table in rates if isinstance(table, dict) and (numbers := _numbers(table))},
        _numbers(speeds.of(machine, "gflops_per_s")),
        _numbers(speeds.of(machine, "decode_s")),
        _numbers(speeds.of(machine, "cosine")),
    )


def _numbers(table: Mapping[str, Any]) -> dict[str, float]:
    return {name: value for name, value in table.items() if isinstance(value, int | float) and value > 0}


def kind_of(entry: Entry) -> str:
    """Which probe speaks for a model."""
    if entry.variant_of:
        return EIGHT_BIT
    name = f"{entry.family} {entry.architecture}".lower()
    return CONVOLUTIONS if any(word in name for word in _CONVOLUTIONAL) else TRANSFORMER


def measure(catalogue: Catalogue, keys: Sequence[str], speeds: Speeds, device: str, job: Job) -> Measuring:
    """Measure ready models, some three seconds each, and the probes; what was found is kept in ``speeds``.

    Args:
        catalogue: where the models come from.
        keys: the models; all that are ready if empty.
        speeds: takes the figures.
        device: where models run: "cpu", "cuda", "mps".
        job: told of each measurement.

    Raises:
        AppError: there is no such model, or what is measured cannot be kept.
        Cancelled: what was measured until then is kept.
    """
    from app.engine.encoders.device import describe

    machine = describe(device)
    entries = {entry.key: entry for entry in catalogue.entries()}
    ready = [status.key for status in catalogue.statuses() if status.ready and status.key in entries]
    chosen = [catalogue.entry(key) for key in keys] or [entries[key] for key in ready]
    probes = [TRANSFORMER, CONVOLUTIONS, *([EIGHT_BIT] if device == "cpu" and runs_eight_bit() else [])]
    job.begin("Measuring", len(chosen) + len(probes) + 1)
    for kind in probes:
        _keep(speeds, machine, "gflops_per_s", {kind: _probe(kind, device)})
        job.advance(note=f"a {kind} network")
    _keep(speeds, machine, "decode_s", {Modality.IMAGE: _decode_s()})
    job.advance(note="decoding photos")
    failed = {}
    for entry in chosen:
        try:
            _keep(speeds, machine, "items_per_s", {entry.key: _rates(catalogue.load(entry.key), job)})
            if entry.variant_of in ready:
                _keep(speeds, machine, "cosine", {entry.key: _cosine(catalogue, entry)})
        except AppError as error:
            failed[entry.key] = error.message
        job.advance(note=entry.name)
    return Measuring(tuple(entry.key for entry in chosen if entry.key not in failed), failed)


def _keep(speeds: Speeds, machine: str, section: Section, values: Mapping[str, Any]) -> None:
    if not speeds.remember(machine, section, values):
        raise AppError(
            "What was measured cannot be kept",
            "Its file cannot be written: make room on the disk, or choose a data home that you may write to.",
            str(speeds.path),
        )


def _rates(encoder: Encoder, job: Job) -> dict[str, float]:
    """Items a second by their kind."""
    kinds = [kind for kind in (Modality.IMAGE, Modality.AUDIO) if kind in encoder.spec.accepts]
    rates = {}
    for kind in kinds:
        sample = _noise(encoder.spec, kind)

        def encode(sample: Sample = sample) -> int:
            job.check()
            count = encoder.batch_size
            encoder.encode([sample] * count)
            return count

        rates[kind.value] = _per_s(encode, MODEL_S / len(kinds))
    return rates


def _cosine(catalogue: Catalogue, entry: Entry) -> float:
    """The lowest cosine between a variant's vectors and its base's, of some pictures of noise."""
    spec = catalogue.spec(entry.key)
    samples = [_noise(spec, Modality.IMAGE, seed) for seed in range(4)]
    own, base = (catalogue.load(key).encode(samples) for key in (entry.key, entry.variant_of))
    return float((own * base).sum(1).min())


def _noise(spec: EncoderSpec, kind: Modality, seed: int = 0) -> Sample:
    random = np.random.default_rng(seed)
    if kind is Modality.IMAGE and spec.picture:
        return Picture(random.integers(0, 256, (spec.picture.size_px, spec.picture.size_px, 3), np.uint8))
    length = WINDOW_S * (spec.sound.sample_rate_hz if spec.sound else 0)
    return Sound(random.uniform(-0.5, 0.5, length).astype(np.float32))


def _per_s(work: Callable[[], int], seconds: float) -> float:
    """How many items a second ``work`` does, which returns how many it did: the median of its turns, as the first of a
    batch's size allocates, and others have the cores for a moment. The first turn of all warms up."""
    work()
    rates: list[float] = []
    began_s = now_s = time.perf_counter()
    while now_s - began_s < seconds or not rates:
        turn_s = now_s
        done = work()
        now_s = time.perf_counter()
        rates.append(done / (now_s - turn_s))
    return statistics.median(rates)


def _probe(kind: str, device: str) -> float:
    """Billions of multiplications and additions a second that a network of this kind reaches."""
    import torch

    torch.manual_seed(0)
    batch = PROBE_BATCH if device == "cpu" else PROBE_BATCH_GPU
    network, shape, gflops = _convolutions() if kind == CONVOLUTIONS else _blocks(kind)
    network = network.eval().requires_grad_(False).to(device)
    inputs = torch.randn((batch, *shape), device=device)

    def run() -> int:
        with torch.inference_mode():
            network(inputs).sum().item()  # a GPU is waited for
        return batch

    return _per_s(run, PROBE_S) * gflops


def _blocks(kind: str) -> tuple[nn.Module, tuple[int, ...], float]:
    from open_clip.transformer import Transformer

    from app.engine.encoders.eightbit import quantize

    network: Any = Transformer(WIDTH, layers=2, heads=HEADS)
    if kind == EIGHT_BIT:
        network.requires_grad_(False)
        quantize(network)
    return network, (TOKENS, WIDTH), 2 * BLOCK_GFLOPS


def _convolutions() -> tuple[nn.Module, tuple[int, ...], float]:
    from torchvision.models.resnet import Bottleneck

    stage: Any = Bottleneck(CHANNELS * 4, CHANNELS)
    return stage, (CHANNELS * 4, SIDE_PX, SIDE_PX), STAGE_GFLOPS


def _decode_s() -> float:
    """Seconds that decoding one photo takes, with all cores at it: of soft shapes under a sensor's grain."""
    random = np.random.default_rng(0)
    shapes = Image.fromarray(random.integers(0, 240, (48, 64, 3), np.uint8)).resize(PHOTO_PX, Image.Resampling.BICUBIC)
    grainy = np.asarray(shapes) // 2 + random.integers(0, 12, (PHOTO_PX[1], PHOTO_PX[0], 1), np.uint8)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "photo.jpg"
        Image.fromarray(grainy).save(path, quality=90)
        request = DecodeRequest(bytes(path), (PictureInput(224, 224),))
        return 1 / _per_s(lambda: len(decode(request).items), DECODE_S) / default_workers()
