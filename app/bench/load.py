"""What each model does on this machine: items a second, memory, and how busy the accelerator is."""

from __future__ import annotations

import statistics
from contextlib import suppress

import numpy as np
import torch

from app.bench import media
from app.bench.figure import Figure, Measure, NothingToMeasure, Target, Workbench, figure
from app.bench.rig import decode_cpu_s, embed_s, opened
from app.bench.sampler import MIB, held_bytes, sampled
from app.engine.encoders.base import EncoderSource, EncoderSpec
from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.device import CPU
from app.engine.media.pool import default_workers
from app.engine.samples import Picture, Sample, Sound
from app.engine.types import Modality
from app.paths import models_dir

ITEMS = 96
ORIGINALS = 4
ON_CARD, ON_PROCESSOR = 2048, 32
"""Items: on a card a batch of every size comes often enough to settle on one."""
SOUND_S = 10


def models(bench: Workbench) -> list[Figure]:
    """Every model that is ready in the data home: end-to-end indexing against what limits it alone.

    The ratio is items a second over the lesser of what decoding and what encoding reach by themselves.
    """
    source = Catalogue(models_dir(bench.home or bench.scratch))
    return [_model(bench, source, status.key) for status in source.statuses() if status.ready]


def _model(bench: Workbench, source: EncoderSource, key: str) -> Figure:
    is_sound = Modality.IMAGE not in source.spec(key).accepts
    folder = bench.scratch / key
    originals = media.sounds(folder, ORIGINALS) if is_sound else media.written(folder, _photos(), ".jpg")
    count = bench.scaled(ITEMS, least=4)
    ratios, details = [], {}
    with opened(bench, (key,), originals, bench.home) as rig:
        encoder = rig.encoders[key]
        for run in range(bench.runs):
            bench.note(f"{key}, run {run + 1} of {bench.runs}")
            paths = rig.files(f"{key}-{run}", count)
            load = _Load(encoder.device)
            with sampled(load.sample):
                wall_s = rig.index_s(paths[0].parent, (key,)) / count
            decode_s, samples = decode_cpu_s(paths, [encoder])
            alone_s = max(decode_s / default_workers(), embed_s(encoder, samples[0]))
            ratios.append(alone_s / wall_s)
            details = {"items_hz": 1 / wall_s, "batch_items": float(encoder.batch_size), **load.details()}
    on_cpu = encoder.device == "cpu"
    return figure(
        f"{key} on {encoder.device}, indexing / the slower of its parts",
        ratios,
        Target(">=", 0.5 if on_cpu else 0.85),
        "decoding and encoding share the cores" if on_cpu else "the slower of decoding and encoding",
        **details,
    )


def cards(bench: Workbench) -> list[Figure]:
    """Every model that is ready and runs on a graphics card: items a second against the processor's, and in half
    precision against single, of items that are in memory."""
    folder = models_dir(bench.home or bench.scratch)
    sources = Catalogue(folder), Catalogue(folder, half=False), Catalogue(folder, CPU)
    ready = [status.key for status in sources[0].statuses() if status.ready]
    figures = [each for key in ready for each in _card(bench, key, sources)]
    if not figures:
        raise NothingToMeasure("No model that is installed runs on a graphics card here.")
    return figures


def _card(bench: Workbench, key: str, sources: tuple[Catalogue, Catalogue, Catalogue]) -> list[Figure]:
    encoder = sources[0].load(key)
    device = encoder.device
    if device == CPU:
        return []
    in_single, on_processor = (each.load(key) for each in sources[1:])
    samples = _noise(encoder.spec, bench.scaled(ON_CARD, least=8))
    few = samples[: bench.scaled(ON_PROCESSOR, least=4)]
    cosines = (encoder.encode(samples)[: len(few)] * on_processor.encode(few)).sum(1)
    in_single.encode(samples)
    load, seconds = _Load(device), []
    for run in range(bench.runs):
        bench.note(f"{key} on {device}, run {run + 1} of {bench.runs}")
        with sampled(load.sample):
            card_s = embed_s(encoder, samples)
        seconds.append((card_s, embed_s(in_single, samples), embed_s(on_processor, few)))
    for each in sources:
        each.unload(key)  # the next one has the memory to itself
    card_hz, single_hz, processor_hz = map(float, 1 / np.median(seconds, axis=0))
    rates = {"items_hz": card_hz, "single_hz": single_hz, "processor_hz": processor_hz}
    details = {**rates, "batch_items": float(encoder.batch_size), **load.details()}
    return [
        figure(
            f"items a second, {key}, {device} / the processor",
            [processor_s / card_s for card_s, _, processor_s in seconds],
            Target(">=", 3),
            "handing the items to the card",
            lowest_cosine=float(cosines.min()),
            **details,
        ),
        figure(
            f"items a second, {key}, half precision where it is chosen / single",
            [single_s / card_s for card_s, single_s, _ in seconds],
            Target(">=", 0.95),
            "what is no product of matrices; half precision is chosen where a first batch is faster in it",
            **details,
        ),
    ]


def _noise(spec: EncoderSpec, count: int) -> list[Sample]:
    random = np.random.default_rng(count)
    if spec.picture:
        shape = (spec.picture.size_px, spec.picture.size_px, 3)
        return [Picture(random.integers(0, 256, shape, np.uint8)) for _ in range(count)]
    assert spec.sound is not None  # noqa: S101 - it takes pictures or sounds
    length = SOUND_S * spec.sound.sample_rate_hz
    few = [random.uniform(-0.5, 0.5, length).astype(np.float32) for _ in range(8)]
    return [Sound(few[number % len(few)] * (1 - number / (2 * count))) for number in range(count)]


def _photos() -> list[bytes]:
    return [media.jpeg(media.picture(seed)) for seed in range(ORIGINALS)]


class _Load:
    """What memory is held, and an NVIDIA device's own figures."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._memory_bytes: list[int] = []
        self._utilisation: list[int] = []
        if device.startswith("cuda"):
            torch.cuda.reset_peak_memory_stats(device)

    def sample(self) -> None:
        self._memory_bytes.append(held_bytes())
        if self._device.startswith("cuda"):
            with suppress(RuntimeError, ModuleNotFoundError):  # without NVIDIA's own library it is not told
                self._utilisation.append(torch.cuda.utilization(self._device))

    def details(self) -> dict[str, float]:
        found = {"memory_mib": max(self._memory_bytes) / MIB}
        if self._device.startswith("cuda"):
            found["gpu_memory_mib"] = torch.cuda.max_memory_allocated(self._device) / MIB
        if self._utilisation:
            found["gpu_utilisation_percent"] = statistics.mean(self._utilisation)
        return found


MEASURES: dict[str, Measure] = {"models": models, "cards": cards}
