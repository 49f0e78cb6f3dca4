"""Indexing against what its parts cost by themselves: decoding, encoding, and the loop one would write by hand."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from app.bench import media, models
from app.bench.figure import Figure, Measure, Target, Workbench, figure, nothing_in
from app.bench.rig import decode_cpu_s, embed_s, opened
from app.engine.encoders.base import Encoder
from app.engine.encoders.catalogue import Catalogue
from app.engine.media import images
from app.engine.media.decode import DecodeRequest, decode
from app.engine.media.pool import default_workers
from app.engine.samples import PictureInput, Sample, Vectors, prepared_sample
from app.engine.types import MediaKind
from app.paths import models_dir

PHOTOS = 96
ORIGINALS = 8
PLAIN_PHOTOS = 16
LARGE_PHOTOS = 120
NEIGHBOURS = 10
FEWEST_LARGE_PHOTOS = NEIGHBOURS + 2


# --- photos ----------------------------------------------------------------------------------------------------------


def image_pipeline(bench: Workbench) -> list[Figure]:
    """End-to-end indexing against the sum of its parts, and against the loop one would write by hand."""
    originals = photos(bench)
    count = bench.scaled(PHOTOS, least=4)
    of_parts: list[float] = []
    of_plain: list[float] = []
    times_s: list[tuple[float, float, float, float]] = []
    with opened(bench, (models.CLIP,), originals) as made:
        encoder = made.encoders[models.CLIP]
        for run in range(bench.runs):
            bench.note(f"images, run {run + 1} of {bench.runs}")
            paths = made.files(f"photos-{run}", count)
            wall_s = made.index_s(paths[0].parent, (models.CLIP,)) / count
            decode_s, samples = decode_cpu_s(paths, [encoder])
            encode_s = embed_s(encoder, samples[0])
            plain_s = _plain_loop_s(paths[: bench.scaled(PLAIN_PHOTOS, least=2)], encoder)
            of_parts.append((decode_s / default_workers() + encode_s) / wall_s)
            of_plain.append(plain_s / wall_s)
            times_s.append((wall_s, decode_s, encode_s, plain_s))
    names = ("pipeline_ms", "decode_cpu_ms", "embed_ms", "plain_loop_ms")
    absolute = dict(zip(names, map(float, 1000 * np.median(times_s, axis=0)), strict=True))
    return [
        figure(
            "image indexing / its parts",
            of_parts,
            Target(">=", 0.9),
            "hashing, handing pixels from process to process, and the commit come on top of decoding and encoding",
            **absolute,
        ),
        figure(
            "image indexing / plain loop",
            of_plain,
            Target(">=", 2.0),
            "the encoder, which both run; of formats other than JPEG, which have no reduced decoding, that too",
            **absolute,
        ),
    ]


def three_models(bench: Workbench) -> list[Figure]:
    """Three models in one pass against their three encodings and one decoding."""
    keys = (models.CLIP, models.RESNET, models.COLOUR_TEXTURE)
    count = bench.scaled(PHOTOS, least=4)
    ratios, details = [], {}
    with opened(bench, keys, photos(bench)) as made:
        encoders = [made.encoders[key] for key in keys]
        for run in range(bench.runs):
            bench.note(f"three models, run {run + 1} of {bench.runs}")
            paths = made.files(f"photos-{run}", count)
            wall_s = made.index_s(paths[0].parent, keys) / count
            decode_s, samples = decode_cpu_s(paths, encoders)
            embeds_s = [embed_s(encoder, some) for encoder, some in zip(encoders, samples, strict=True)]
            ratios.append(wall_s / (sum(embeds_s) + decode_s))
            details = {"pipeline_ms": 1000 * wall_s, "embeds_ms": 1000 * sum(embeds_s), "decode_ms": 1000 * decode_s}
    return [
        figure(
            "three models in one pass / their encodings and one decoding",
            ratios,
            Target("<=", 1.15),
            "the encoders: decoding runs beside them",
            **details,
        )
    ]


def photos(bench: Workbench) -> list[Path]:
    """Files to copy: the user's own photos, or JPEGs of real photos side by side, or of made ones."""
    count = bench.scaled(ORIGINALS, least=2)
    folder = bench.scratch / "originals"
    if bench.folder:
        own = list(islice(media.copyable(bench.folder, MediaKind.PHOTO, folder), 8 * count))
        if not own:
            raise nothing_in(bench.folder, "photos that can be read")
        return own
    if bench.reference:
        photos = sorted((bench.reference / "images" / "photos_clip").glob("*.jpg"))
        images = [media.mosaic(photos[number::count]) for number in range(count)]
    else:
        images = [media.picture(seed) for seed in range(count)]
    return media.written(folder, [media.jpeg(image) for image in images], ".jpg")


def _plain_loop_s(paths: Sequence[Path], encoder: Encoder) -> float:
    """Wall time of one photo in a plain loop: full Pillow decode, open_clip's preparation, batches of one."""
    assert encoder.spec.picture is not None  # noqa: S101 - an image model
    began_s = time.perf_counter()
    for path in paths:
        with Image.open(path) as image:
            prepared = images.prepare(image.convert("RGB"), encoder.spec.picture)
        encoder.encode([prepared_sample(prepared)])
    return (time.perf_counter() - began_s) / len(paths)


def scaled_decode(bench: Workbench) -> list[Figure]:
    """Vectors of photos decoded at a fraction of their size against those of the full decode."""
    keys = (models.CLIP, models.RESNET, models.COLOUR_TEXTURE)
    paths = _large_photos(bench)
    home = bench.scratch / "home"
    models.install_seeded(home, keys)
    source = Catalogue(models_dir(home))
    figures = []
    for key in keys:
        bench.note(f"scaled decoding, {key}")
        encoder = source.load(key)
        spec = encoder.spec.picture
        assert spec is not None  # noqa: S101 - an image model
        full = encoder.encode([_prepared(path, lambda p: images.read(p).image, spec) for path in paths])
        parts = [decode(DecodeRequest(os.fsencode(path), (spec,))) for path in paths]
        scaled = encoder.encode([prepared_sample(part.items[0].inputs[spec]) for part in parts])
        cosines = (full * scaled).sum(1)
        overlap = _overlap(full, scaled, NEIGHBOURS)
        details = {"photos": float(len(paths)), "lowest_cosine": float(cosines.min())}
        why = "the decoder's own reduction, which is a plain mean of pixels, before the model's"
        figures += [
            figure(f"scaled decode, cosine, {key}", [float(np.median(cosines))], Target(">=", 0.995), why, **details),
            figure(f"scaled decode, overlap of the first ten, {key}", [overlap], Target(">=", 0.98), why, **details),
        ]
    return figures


def _prepared(path: Path, read: Callable[[bytes], Image.Image], spec: PictureInput) -> Sample:
    return prepared_sample(images.prepare(read(os.fsencode(path)), spec))


def _large_photos(bench: Workbench) -> list[Path]:
    """The user's own photos, or such as are decoded at a half and at a quarter of their size."""
    count = bench.scaled(LARGE_PHOTOS, least=FEWEST_LARGE_PHOTOS)
    if bench.folder:
        own = list(islice(media.readable(bench.folder, MediaKind.PHOTO), count))
        if len(own) < FEWEST_LARGE_PHOTOS:
            raise nothing_in(bench.folder, f"{FEWEST_LARGE_PHOTOS} photos that can be read")
        return own
    folder = bench.scratch / "photos"
    folder.mkdir()
    real = sorted((bench.reference / "images" / "photos_clip").glob("*.jpg")) if bench.reference else []
    paths = []
    for number in range(count):
        size_px = ((1440, 1080), (2880, 2160))[number % 2]
        image = (
            media.mosaic(real[number * 3 :] + real[: number * 3], size_px) if real else media.picture(number, size_px)
        )
        paths.append(folder / f"{number:04}.jpg")
        paths[-1].write_bytes(media.jpeg(image))
    return paths


def _overlap(one: Vectors, other: Vectors, k: int) -> float:
    """The share of the first ``k`` neighbours of each row of ``one`` that are the same when asked and answered in
    ``other``; where there are fewer, of all."""
    k = min(k, len(one) - 1)
    found = []
    for rows in (one, other):
        cosines = rows @ rows.T
        np.fill_diagonal(cosines, -2)
        found.append(np.argsort(-cosines, axis=1)[:, :k])
    pairs = zip(found[0].tolist(), found[1].tolist(), strict=True)
    return float(np.mean([len(set(a) & set(b)) / k for a, b in pairs]))


MEASURES: dict[str, Measure] = {
    "images": image_pipeline,
    "three-models": three_models,
    "scaled-decode": scaled_decode,
}
