"""Encoders against each other, and the time that is told of them against the time they take."""

from __future__ import annotations

import os

import numpy as np

from app.bench import models
from app.bench.figure import Figure, Measure, NothingToMeasure, Target, Workbench, figure
from app.bench.pipeline import photos
from app.bench.rig import embed_s, opened
from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.processor import no_eight_bit, runs_eight_bit
from app.engine.media import images
from app.engine.models import Models
from app.engine.modeltypes import Needs
from app.engine.samples import PictureInput, Sample, prepared_sample
from app.engine.types import Modality
from app.paths import models_dir, speeds_path

EIGHT_BIT = {models.CLIP: "clip-vit-b-32-int8", models.SIGLIP: "siglip2-b-16-int8"}
PICTURES = 64
INDEXED = 96


def eight_bit(bench: Workbench) -> list[Figure]:
    """The 8-bit variants against their models on the CPU: pictures a second, and how near the vectors are."""
    if not runs_eight_bit():
        raise NothingToMeasure(no_eight_bit().message)
    figures = []
    for base, variant in EIGHT_BIT.items():
        models.install_seeded(bench.scratch, [base])
        source = Catalogue(models_dir(bench.scratch), "cpu")
        encoders = [source.load(key) for key in (base, variant)]
        samples = _samples(bench, encoders[0].spec.picture)
        exact, fast = (encoder.encode(samples) for encoder in encoders)
        cosines = (exact * fast).sum(1)
        times_s = []
        for run in range(bench.runs):
            bench.note(f"{variant}, run {run + 1} of {bench.runs}")
            times_s.append([embed_s(encoder, samples) for encoder in encoders])
        base_s, variant_s = np.median(times_s, axis=0)
        facts = {"base_hz": 1 / base_s, "variant_hz": 1 / variant_s, "pictures": float(len(samples))}
        ratios = [one_s / other_s for one_s, other_s in times_s]
        why = "what is no linear layer, and rounding each layer's input"
        figures += [
            figure(f"pictures a second, {variant} / {base}", ratios, Target(">=", 1.5), why, **facts),
            figure(
                f"cosine with {base}, {variant}",
                [float(np.median(cosines))],
                Target(">=", 0.999),
                "the rounding of weights and inputs to 8 bits",
                lowest_cosine=float(cosines.min()),
                pictures=float(len(samples)),
            ),
        ]
    return figures


def estimates(bench: Workbench) -> list[Figure]:
    """The time that is told beforehand, from a measurement of the model and from the probe alone, against indexing."""
    count = bench.scaled(INDEXED, least=4)
    told: dict[str, list[float]] = {"the model's speed": [], "the probe": []}
    details: dict[str, float] = {}
    with opened(bench, (models.CLIP,), photos(bench)) as made:
        home = bench.scratch / "home"
        for run in range(bench.runs):
            bench.note(f"estimates, run {run + 1} of {bench.runs}")
            speeds_path(home).unlink(missing_ok=True)
            adviser = Models(home)
            adviser.measure([models.COLOUR_TEXTURE])
            probed_s = _told_s(adviser, count)
            adviser.measure([models.CLIP])
            timed_s = _told_s(adviser, count)
            folder = made.files(f"photos-{run}", count)[0].parent
            real_s = made.index_s(folder, (models.CLIP,))
            told["the model's speed"].append(max(timed_s / real_s, real_s / timed_s))
            told["the probe"].append(max(probed_s / real_s, real_s / probed_s))
            details = {"told_s": timed_s, "probed_s": probed_s, "real_s": real_s, "photos": float(count)}
    why = "what else runs on this machine, and files unlike a telephone's photo"
    return [
        figure(f"time of indexing, told by {how} or real: longer / shorter", ratios, Target("<=", 1.4), why, **details)
        for how, ratios in told.items()
    ]


def _samples(bench: Workbench, spec: PictureInput | None) -> list[Sample]:
    """Real photos, else made ones, as a model takes them."""
    assert spec is not None  # noqa: S101 - an image model
    count = bench.scaled(PICTURES, least=4)
    if bench.folder or not bench.reference:
        made = photos(bench)
        paths = [made[number % len(made)] for number in range(count)]
    else:
        paths = sorted((bench.reference / "images" / "photos_clip").glob("*.jpg"))[:count]
    return [prepared_sample(images.prepare(images.read(os.fsencode(path)).image, spec)) for path in paths]


def _told_s(adviser: Models, count: int) -> float:
    advice = adviser.advise(Needs(frozenset({Modality.IMAGE})), {Modality.IMAGE: count})
    seconds = next(one.seconds for one in advice.best if one.key == models.CLIP)
    assert seconds is not None  # noqa: S101 - it was just measured
    return seconds


MEASURES: dict[str, Measure] = {"eight-bit": eight_bit, "estimates": estimates}
