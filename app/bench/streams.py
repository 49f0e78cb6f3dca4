"""Films against their key frames alone, sounds against their model alone, and the memory of a long run."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import av
import psutil

from app.bench import media, models
from app.bench.figure import Figure, Measure, Target, Workbench, figure
from app.bench.rig import decode_cpu_s, embed_s, opened
from app.engine.jobs import Job
from app.engine.media.decode import DecodeRequest
from app.engine.media.pool import DecoderPool
from app.engine.samples import PictureInput
from app.engine.types import MediaKind

FILM_S = 24
FILMS = 8
CLIPS = 64
TINY_PX = (64, 48)
MEMORY_ITEMS = 50_000
MEMORY_EVERY_S = 0.2
MIB = 1 << 20
CLIP_INPUT = PictureInput(224, 224)


def key_frames(bench: Workbench) -> list[Figure]:
    """Frames that come out of the decoders ready to be encoded, against demuxing and decoding the key frames alone.

    The film has a key frame a second and is sampled every second, so both decode the same frames. Each side uses the
    machine as it would: the decoders a child per core, the plain loop FFmpeg's own threads.
    """
    originals = _films(bench)
    paths = media.copies(bench.scratch / "films", originals, bench.scaled(FILMS, least=2), ".mp4")
    ratios, details = [], {}
    with DecoderPool() as pool:
        _pool_rate_hz(pool, paths[:1])
        for run in range(bench.runs):
            bench.note(f"films, run {run + 1} of {bench.runs}")
            ours_hz, alone_hz = _pool_rate_hz(pool, paths), _key_frame_rate_hz(paths)
            ratios.append(ours_hz / alone_hz)
            details = {"frames_hz": ours_hz, "key_frames_alone_hz": alone_hz}
    why = "scaling each frame and making its thumbnail and the model's input, which the plain loop does not do"
    return [figure("films / key frames alone", ratios, Target(">=", 0.9), why, **details)]


def _films(bench: Workbench) -> list[bytes]:
    if bench.folder and (own := media.of_kind(bench.folder, MediaKind.VIDEO)):
        return [path.read_bytes() for path in own[:4]]
    return [media.film(bench.scratch / "film.mp4", bench.scaled(FILM_S, least=4))]


def _pool_rate_hz(pool: DecoderPool, paths: Sequence[Path]) -> float:
    began_s = time.perf_counter()
    requests = [DecodeRequest(os.fsencode(path), (CLIP_INPUT,), frame_interval_ms=1000) for path in paths]
    frames = sum(len(future.result().items) for future in [pool.decode(request) for request in requests])
    return frames / (time.perf_counter() - began_s)


def _key_frame_rate_hz(paths: Sequence[Path]) -> float:
    began_s = time.perf_counter()
    frames = 0
    for path in paths:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_type = "AUTO"
            for packet in container.demux(stream):
                if packet.is_keyframe or not packet.size:
                    frames += len(packet.decode())
    return frames / (time.perf_counter() - began_s)


def sounds(bench: Workbench) -> list[Figure]:
    """End-to-end indexing of ten-second clips with Cnn14 against Cnn14 alone."""
    path = bench.scratch / "clip.flac"
    originals = []
    for seed in range(4):
        media.write_sound(path, media.clip(seed))
        originals.append(path.read_bytes())
    if bench.folder and (own := media.of_kind(bench.folder, MediaKind.AUDIO)):
        originals = [each.read_bytes() for each in own[:64]]
    count = bench.scaled(CLIPS, least=4)
    ratios, details = [], {}
    with opened(bench, (models.CNN14,), originals, ".flac") as rig:
        encoder = rig.encoders[models.CNN14]
        for run in range(bench.runs):
            bench.note(f"sounds, run {run + 1} of {bench.runs}")
            paths = rig.files(f"clips-{run}", count)
            decode_s, samples = decode_cpu_s(paths, [encoder])
            alone_s = embed_s(encoder, samples[0]) * len(samples[0]) / count
            wall_s = rig.index_s(paths[0].parent, (models.CNN14,)) / count
            ratios.append(alone_s / wall_s)
            details = {"pipeline_ms": 1000 * wall_s, "cnn14_ms": 1000 * alone_s, "decode_cpu_ms": 1000 * decode_s}
    why = "decoding and drawing the waveform take their share of cores that Cnn14 uses whole"
    return [figure("sounds / Cnn14 alone", ratios, Target(">=", 0.95), why, **details)]


def memory(bench: Workbench) -> list[Figure]:
    """The most memory the program and its decoders held in the second half of a long run, against the first half.

    The halves are of the items; the saving of the search index belongs to the second. What encoding alone held in it
    is among the details.
    """
    count = bench.scaled(MEMORY_ITEMS, least=200)
    tiny = [media.jpeg(media.picture(seed, TINY_PX)) for seed in range(16)]
    with opened(bench, (models.COLOUR_TEXTURE,), tiny, ".jpg") as rig:
        bench.note(f"memory, {count:,} items")
        folder = rig.files("many", count)[0].parent
        job = Job()
        with _MemoryWatch(job) as watch:
            rig.index_s(folder, (models.COLOUR_TEXTURE,), job)
    first, encoding, whole = watch.first_half_bytes, watch.second_half_bytes, max(watch.most_bytes, 1)
    details = {
        "items": float(count),
        "first_half_mib": first / MIB,
        "second_half_encoding_mib": encoding / MIB,
        "second_half_mib": whole / MIB,
    }
    why = "the graph of the search index, which is in memory when it is saved at the end"
    return [figure("memory, second half / first half of a run", [whole / first], Target("<=", 1.05), why, **details)]


class _MemoryWatch:
    """Samples what this process and its children hold, until the block ends: the most in each half of a job's
    encoding, and in all of it."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self.first_half_bytes = self.second_half_bytes = self.most_bytes = 0

    def __enter__(self) -> _MemoryWatch:
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory watch")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._sample()

    def _watch(self) -> None:
        while not self._done.wait(MEMORY_EVERY_S):
            self._sample()

    def _sample(self) -> None:
        held, progress = held_bytes(), self._job.progress
        self.most_bytes = max(self.most_bytes, held)
        if progress.phase == "Encoding" and progress.total:
            if progress.done * 2 <= progress.total:
                self.first_half_bytes = max(self.first_half_bytes, held)
            else:
                self.second_half_bytes = max(self.second_half_bytes, held)


def held_bytes() -> int:
    """What this process and its children hold in memory."""
    total = 0
    own = psutil.Process()
    for process in (own, *own.children(recursive=True)):
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:  # a child that has just ended
            continue
    return total


MEASURES: dict[str, Measure] = {"films": key_frames, "sounds": sounds, "memory": memory}
