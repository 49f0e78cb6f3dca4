"""Films against their key frames alone, sounds against their model alone, and the memory of a long run."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError
from av.video.frame import VideoFrame

from app.bench import media, models
from app.bench.figure import Figure, Measure, Target, Workbench, figure, nothing_in
from app.bench.rig import decode_cpu_s, embed_s, opened
from app.bench.sampler import MIB, held_bytes, sampled
from app.engine.errors import MediaUnreadable
from app.engine.jobs import Job
from app.engine.media import containers
from app.engine.media.decode import DecodeRequest
from app.engine.media.pool import DecoderPool
from app.engine.samples import PictureInput
from app.engine.types import ItemKind, MediaKind

FILM_S = 24
FILMS = 8
FARTHEST_KEY_FRAMES_MS = 10_000
SHORT_WINDOW_MS = 100
"""The last frames of a film come with the beginning of its sound; with windows as short as this it is no more than a
few seconds."""

CLIPS = 64
TINY_PX = (64, 48)
MEMORY_ITEMS = 50_000
CLIP_INPUT = PictureInput(224, 224)


@dataclass(frozen=True)
class _Sampled:
    """A film, an interval at which each frame that is wanted is a key frame, and the times of those frames."""

    path: Path
    interval_ms: int
    times_ms: frozenset[int]


def key_frames(bench: Workbench) -> list[Figure]:
    """Frames that come out of the decoders ready to be encoded, against demuxing and decoding those key frames alone.

    A film is sampled as often as its key frames allow, so that both sides decode the same frames. Each side uses the
    machine as it would: the decoders a child per core, the plain loop FFmpeg's own threads.
    """
    ratios, details = [], {}
    with DecoderPool() as pool:
        films = _films(bench, pool)
        for run in range(bench.runs):
            bench.note(f"films, run {run + 1} of {bench.runs}")
            ours_hz, alone_hz = _pool_rate_hz(pool, films), _key_frame_rate_hz(films)
            ratios.append(ours_hz / alone_hz)
            details = {"films": float(len(films)), "frames_hz": ours_hz, "key_frames_alone_hz": alone_hz}
    why = "scaling each frame and making its thumbnail and the model's input, which the plain loop does not do"
    return [figure("films / key frames alone", ratios, Target(">=", 0.9), why, **details)]


def _films(bench: Workbench, pool: DecoderPool) -> list[_Sampled]:
    """The user's own films, read where they lie, or one that is made, again and again."""
    count = bench.scaled(FILMS, least=2)
    if not bench.folder:
        made = _sampled(media.film(bench.scratch / "film.mp4", bench.scaled(FILM_S, least=4)), pool)
        return [made] * count if made else []
    bench.note("looking through the films")
    of_them = (_sampled(path, pool) for path in media.of_kind(bench.folder, MediaKind.VIDEO))
    own = list(islice((film for film in of_them if film), FILMS))
    if not own:
        raise nothing_in(bench.folder, "videos that can be read and have a key frame every ten seconds")
    return own


def _sampled(path: Path, pool: DecoderPool) -> _Sampled | None:
    """None: it cannot be read, or its frames would not be the same key frames on both sides."""
    try:
        if not 0 < (interval_ms := _key_frame_interval_ms(path)) <= FARTHEST_KEY_FRAMES_MS:
            return None
        film = _Sampled(path, interval_ms, frozenset())
        film = replace(film, times_ms=frozenset(_frames_ms(pool, film)))
        return film if film.times_ms and _count_key_frames(film) == len(film.times_ms) else None
    except (MediaUnreadable, FFmpegError):
        return None


def _key_frame_interval_ms(path: Path) -> int:
    """The longest time from one key frame to the next or to the end, 0 where it is not told."""
    with containers.opened(os.fsencode(path)) as container:
        stream = containers.picture_stream(container)
        if stream is None:
            return 0
        track = containers.Track(container, stream, VideoFrame, ())
        times_ms = [*track.key_frames_ms(), track.duration_ms() or 0]
    return max((later - earlier for earlier, later in pairwise(times_ms)), default=0)


def _frames_ms(pool: DecoderPool, film: _Sampled) -> Iterator[int]:
    """The times of a film's frames as they come out of the decoders, part after part."""
    request = DecodeRequest(
        os.fsencode(film.path), (CLIP_INPUT,), frame_interval_ms=film.interval_ms, window_ms=SHORT_WINDOW_MS
    )
    while True:
        part = pool.decode(request).result()
        yield from (item.start_ms or 0 for item in part.items if item.kind is ItemKind.FRAME)
        if part.next is None or part.next.stream == "sound":
            return
        request = replace(request, cursor=part.next)


def _pool_rate_hz(pool: DecoderPool, films: Sequence[_Sampled]) -> float:
    began_s = time.perf_counter()
    with ThreadPoolExecutor(len(films)) as waiting:
        frames = sum(waiting.map(lambda film: len(list(_frames_ms(pool, film))), films))
    return frames / (time.perf_counter() - began_s)


def _key_frame_rate_hz(films: Sequence[_Sampled]) -> float:
    began_s = time.perf_counter()
    frames = sum(map(_count_key_frames, films))
    return frames / (time.perf_counter() - began_s)


def _count_key_frames(film: _Sampled) -> int:
    frames = 0
    with av.open(str(film.path)) as container:
        stream = containers.picture_stream(container)
        assert stream is not None  # noqa: S101 - its key frames were found
        stream.codec_context.thread_type = "AUTO"
        origin_s = Fraction(container.start_time or 0, av.time_base)
        for packet in container.demux(stream):
            if not packet.size or (packet.is_keyframe and _time_ms(packet, origin_s) in film.times_ms):
                frames += len(packet.decode())
    return frames


def _time_ms(packet: av.Packet[Any], origin_s: Fraction) -> int | None:
    if packet.pts is None or packet.time_base is None:
        return None
    return round((packet.pts * packet.time_base - origin_s) * 1000)


def sounds(bench: Workbench) -> list[Figure]:
    """End-to-end indexing of sounds, made ones of ten seconds, with Cnn14 against Cnn14 alone."""
    originals, count = _sounds(bench)
    ratios, details = [], {}
    with opened(bench, (models.CNN14,), originals) as rig:
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


def _sounds(bench: Workbench) -> tuple[list[Path], int]:
    """Sounds to copy, and how many copies to take: as many as hold some windows of ten seconds."""
    count = bench.scaled(CLIPS, least=4)
    folder = bench.scratch / "originals"
    if not bench.folder:
        return media.sounds(folder, 4), count
    own: list[Path] = []
    windows = 0
    for path in media.copyable(bench.folder, MediaKind.AUDIO, folder):
        own.append(path)
        windows += media.windows(path)
        if windows >= count:
            return own, len(own)
    if not own:
        raise nothing_in(bench.folder, "sounds that can be read")
    return own, count * len(own) // windows


def memory(bench: Workbench) -> list[Figure]:
    """The most memory the program and its decoders held in the second half of a long run, against the first half.

    The halves are of the items; the saving of the search index belongs to the second. What encoding alone held in it
    is among the details.
    """
    count = bench.scaled(MEMORY_ITEMS, least=200)
    pictures = [media.jpeg(media.picture(seed, TINY_PX)) for seed in range(16)]
    tiny = media.written(bench.scratch / "originals", pictures, ".jpg")
    with opened(bench, (models.COLOUR_TEXTURE,), tiny) as rig:
        bench.note(f"memory, {count:,} items")
        folder = rig.files("many", count)[0].parent
        halves = _Halves(Job())
        with sampled(halves.sample):
            rig.index_s(folder, (models.COLOUR_TEXTURE,), halves.job)
    first, encoding, whole = halves.first_bytes, halves.second_bytes, halves.most_bytes
    details = {
        "items": float(count),
        "first_half_mib": first / MIB,
        "second_half_encoding_mib": encoding / MIB,
        "second_half_mib": whole / MIB,
    }
    why = "the graph of the search index, which is in memory when it is saved at the end"
    return [figure("memory, second half / first half of a run", [whole / first], Target("<=", 1.05), why, **details)]


@dataclass
class _Halves:
    """The most memory in each half of a job's encoding, and in all of it."""

    job: Job
    first_bytes: int = 0
    second_bytes: int = 0
    most_bytes: int = 0

    def sample(self) -> None:
        held, progress = held_bytes(), self.job.progress
        self.most_bytes = max(self.most_bytes, held)
        if progress.phase == "Encoding" and progress.total:
            if progress.done * 2 <= progress.total:
                self.first_bytes = max(self.first_bytes, held)
            else:
                self.second_bytes = max(self.second_bytes, held)


MEASURES: dict[str, Measure] = {"films": key_frames, "sounds": sounds, "memory": memory}
