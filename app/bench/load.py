"""What each model does on this machine: items a second, memory, and how busy the accelerator is."""

from __future__ import annotations

import statistics
from contextlib import suppress

import torch

from app.bench import media
from app.bench.figure import Figure, Measure, Target, Workbench, figure
from app.bench.rig import decode_cpu_s, embed_s, opened
from app.bench.sampler import MIB, held_bytes, sampled
from app.engine.encoders.base import EncoderSource
from app.engine.encoders.catalogue import Catalogue
from app.engine.media.pool import default_workers
from app.engine.types import Modality
from app.paths import models_dir

ITEMS = 96
ORIGINALS = 4


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


def _photos() -> list[bytes]:
    return [media.jpeg(media.picture(seed)) for seed in range(ORIGINALS)]


class _Load:
    """What memory is held, and an NVIDIA device's own figures."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._memory_bytes: list[int] = []
        self._utilisation: list[int] = []

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


MEASURES: dict[str, Measure] = {"models": models}
