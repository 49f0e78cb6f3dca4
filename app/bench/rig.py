"""A scratch library with its models loaded, and what decoding and encoding cost by themselves."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from app.bench import media, models
from app.bench.figure import Workbench
from app.engine.encoders.base import Encoder
from app.engine.encoders.catalogue import Catalogue
from app.engine.errors import AppError
from app.engine.jobs import NULL_JOB, Job
from app.engine.librarytypes import IndexRequest
from app.engine.media.decode import DecodedPart, DecodeRequest, decode
from app.engine.samples import Sample, prepared_sample
from app.engine.session import Session
from app.paths import models_dir

WARM_UP_FILES = 8


@dataclass(frozen=True)
class Rig:
    """A library with its models loaded, and files to index one set after another."""

    session: Session
    encoders: dict[str, Encoder]
    bench: Workbench
    originals: Sequence[Path]

    def files(self, name: str, count: int) -> list[Path]:
        """New files in a folder of that name. Those made before are taken away: only one set lies on the disk."""
        sets = self.bench.scratch / "files"
        shutil.rmtree(sets, ignore_errors=True)
        return media.copies(sets / name, self.originals, count)

    def index_s(self, folder: Path, keys: Sequence[str], job: Job = NULL_JOB) -> float:
        """Wall time of indexing one new folder, from looking through it to the saved index."""
        began_s = time.perf_counter()
        report = self.session.index(IndexRequest((str(folder),), tuple(keys)), job)
        seconds = time.perf_counter() - began_s
        for failure in report.failures:  # a measurement of failures would be none
            raise AppError("A file could not be measured on", failure.reason, failure.path)
        return seconds


@contextmanager
def opened(
    bench: Workbench, keys: Sequence[str], originals: Sequence[Path], models_home: Path | None = None
) -> Iterator[Rig]:
    """A scratch library whose models are loaded and whose decoders run; files are copies of the ``originals``.

    The models are those of ``models_home``, or the same architectures with seeded weights.
    """
    home = bench.scratch / "home"
    if not models_home:
        models.install_seeded(home, keys)
    source = Catalogue(models_dir(models_home or home))
    with Session.open(home, encoders=source) as session:
        rig = Rig(session, {key: source.load(key) for key in keys}, bench, originals)
        rig.index_s(rig.files("warm-up", WARM_UP_FILES)[0].parent, keys)
        yield rig


def decode_cpu_s(paths: Sequence[Path], encoders: Sequence[Encoder]) -> tuple[float, list[list[Sample]]]:
    """Processor time of decoding one file with all that is made of it, and the samples for each encoder."""
    specs = [encoder.spec.picture or encoder.spec.sound for encoder in encoders]
    pictures = tuple(dict.fromkeys(encoder.spec.picture for encoder in encoders if encoder.spec.picture))
    sounds = tuple(dict.fromkeys(encoder.spec.sound for encoder in encoders if encoder.spec.sound))
    samples: list[list[Sample]] = [[] for _ in encoders]
    began_s = time.thread_time()
    parts = [part for path in paths for part in _parts(DecodeRequest(os.fsencode(path), pictures, sounds))]
    seconds = time.thread_time() - began_s
    for part in parts:
        for item in part.items:
            for some, spec in zip(samples, specs, strict=True):
                if spec and spec in item.inputs:
                    some.append(prepared_sample(item.inputs[spec]))
    return seconds / len(paths), samples


def _parts(request: DecodeRequest) -> Iterator[DecodedPart]:
    """A file to its end."""
    part = decode(request)
    yield part
    while part.next is not None:
        part = decode(replace(request, cursor=part.next))
        yield part


def embed_s(encoder: Encoder, samples: Sequence[Sample]) -> float:
    """Wall time of encoding one sample, in batches, with every core."""
    began_s = time.perf_counter()
    done = 0
    while done < len(samples):
        some = samples[done : done + encoder.batch_size]
        encoder.encode(some)
        done += len(some)
    return (time.perf_counter() - began_s) / len(samples)
