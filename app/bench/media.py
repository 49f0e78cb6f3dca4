"""Files to measure on: photos, films and sounds that cost what a camera's cost, each with contents of its own."""

from __future__ import annotations

import io
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import av
import numpy as np
import numpy.typing as npt
from av.video.stream import VideoStream
from PIL import Image

from app.engine.errors import MediaUnreadable
from app.engine.media import containers
from app.engine.media.decode import DecodeRequest, decode
from app.engine.media.scan import guess_kind, scan
from app.engine.types import MediaKind

PHOTO_PX = (4000, 3000)
"""12 megapixels: a telephone's."""
FILM_PX = (1920, 1080)
FILM_RATE_HZ = 30
_H264_ENCODER = "libx264"
"""Under the GPL: the binary releases do without it."""
_FILM_BITS_PER_S = 17_000_000
CLIP_S = 10
CLIP_RATE_HZ = 32_000
_JPEG_QUALITY = 90
_FREE_BOX = b"free"  # of ISO/IEC 14496-12: players pass it over
_OF_BOXES = frozenset([".mp4", ".m4v", ".m4a", ".m4b", ".mov", ".3gp", ".heic", ".heif", ".avif"])
_MOST_COPIED_BYTES = 20 << 20
"""A hundred copies of such a file are two gigabytes."""


def picture(seed: int, size_px: tuple[int, int] = PHOTO_PX) -> Image.Image:
    """Noise whose power falls with frequency as that of photographs does, with the grain of a sensor over it."""
    random = np.random.default_rng(seed)
    height, width = size_px[1] // 2, size_px[0] // 2
    total = np.zeros((height, width, 3), np.float32)
    side = 4
    while side < height:
        coarse = Image.fromarray(random.integers(0, 256, (side, side * 4 // 3, 3), np.uint8))
        total += np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.float32) / side
        side *= 2
    low, high = total.min(), total.max()
    image = Image.fromarray(np.uint8((total - low) * 255 / (high - low))).resize(size_px, Image.Resampling.BICUBIC)
    grain = random.integers(-6, 7, (size_px[1], size_px[0], 1), np.int16)
    return Image.fromarray(np.uint8(np.clip(np.asarray(image, np.int16) + grain, 0, 255)))


def mosaic(photos: Sequence[Path], size_px: tuple[int, int] = PHOTO_PX) -> Image.Image:
    """Real photos side by side, none of them enlarged: as much detail as they have, at the size of a camera's."""
    whole = Image.new("RGB", size_px)
    x_px = y_px = row_px = number = 0
    while y_px < size_px[1]:
        with Image.open(photos[number % len(photos)]) as photo:
            whole.paste(photo.convert("RGB"), (x_px, y_px))
            x_px, row_px = x_px + photo.width, max(row_px, photo.height)
        if x_px >= size_px[0]:
            x_px, y_px, row_px = 0, y_px + row_px, 0
        number += 1
    return whole


def jpeg(image: Image.Image) -> bytes:
    output = io.BytesIO()
    image.save(output, "JPEG", quality=_JPEG_QUALITY)
    return output.getvalue()


def film(path: Path, seconds: int, key_frame_every_s: float = 1.0) -> Path:
    """A film of a telephone's size and bit rate; its picture moves. H.264, or MPEG-4 where FFmpeg makes no H.264."""
    wide = np.asarray(picture(1, (FILM_PX[0] * 2, FILM_PX[1])))
    codec, options = "mpeg4", {"b": str(_FILM_BITS_PER_S)}
    if _H264_ENCODER in av.codecs_available:
        codec, options = _H264_ENCODER, {"preset": "veryfast", "crf": "23", "sc_threshold": "0"}
    options["g"] = str(round(FILM_RATE_HZ * key_frame_every_s))
    with av.open(str(path), "w") as container:
        stream = cast(VideoStream, container.add_stream(codec, rate=FILM_RATE_HZ, options=options))
        stream.width, stream.height = FILM_PX
        stream.pix_fmt = "yuv420p"
        for number in range(seconds * FILM_RATE_HZ):
            left_px = number * 4 % FILM_PX[0]
            seen = np.ascontiguousarray(wide[:, left_px : left_px + FILM_PX[0]])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(seen, "rgb24")))
        container.mux(stream.encode(None))
    return path


def clip(seed: int) -> npt.NDArray[np.int16]:
    """Ten seconds of a sweeping tone in noise: (n,) at 32 kHz."""
    random = np.random.default_rng(seed)
    times_s = np.arange(CLIP_S * CLIP_RATE_HZ) / CLIP_RATE_HZ
    sweep = np.sin(2 * np.pi * (200 + 40 * random.random() * times_s) * times_s)
    return (8000 * sweep + random.normal(0, 1500, times_s.size)).astype(np.int16)


def write_sound(path: Path, samples: npt.NDArray[np.int16]) -> None:
    """A FLAC file, as a sound designer keeps."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=CLIP_RATE_HZ, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None], "s16", "mono")
        frame.sample_rate = CLIP_RATE_HZ
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def sounds(folder: Path, count: int) -> list[Path]:
    """Clips of ten seconds, no two the same."""
    folder.mkdir(parents=True)
    paths = [folder / f"{seed}.flac" for seed in range(count)]
    for seed, path in enumerate(paths):
        write_sound(path, clip(seed))
    return paths


def written(folder: Path, contents: Sequence[bytes], ending: str) -> list[Path]:
    """A file for each of these contents; the same again is the same files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number}{ending}" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths


def copies(folder: Path, originals: Sequence[Path], count: int) -> list[Path]:
    """``count`` files that decode like the originals in turn and differ in a few bytes that no decoder reads: to the
    program they are different files, and nothing of one is of use for another."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(count):
        original = originals[number % len(originals)]
        paths.append(folder / f"{number:06}{original.suffix}")
        _copy_marked(original, paths[-1])
    return paths


def _copy_marked(original: Path, path: Path) -> None:
    mark = secrets.token_hex(16).encode()  # text: to no decoder the beginning of a frame
    is_of_boxes = original.suffix.lower() in _OF_BOXES
    shutil.copyfile(original, path)
    with path.open("ab") as file:
        file.write((8 + len(mark)).to_bytes(4) + _FREE_BOX + mark if is_of_boxes else mark)


def of_kind(folder: Path, kind: MediaKind) -> Iterator[Path]:
    """The files of a kind at and below a folder of the user's."""
    found = scan(os.fsencode(folder), lambda *_: None, lambda *_: None)
    return (Path(os.fsdecode(file.path)) for file in found if guess_kind(file.path) is kind)


def readable(folder: Path, kind: MediaKind) -> Iterator[Path]:
    """Those of them that can be decoded."""
    return (path for path in of_kind(folder, kind) if _looks(path))


def copyable(folder: Path, kind: MediaKind, scratch: Path) -> Iterator[Path]:
    """Those of them that can be decoded, are of a usual size, and whose `copies` decode to the same."""
    scratch.mkdir(parents=True, exist_ok=True)
    for path in of_kind(folder, kind):
        looks = _looks(path)
        if not looks or path.stat().st_size > _MOST_COPIED_BYTES:
            continue
        trial = scratch / f"trial{path.suffix}"
        _copy_marked(path, trial)
        if looks == _looks(trial):
            yield path


def windows(path: Path) -> int:
    """Into how many windows of ten seconds a sound is cut."""
    with containers.opened(os.fsencode(path)) as container:
        return max(1, round((containers.duration_ms(container) or 0) / 1000 / CLIP_S))


def _looks(path: Path) -> list[tuple[int | None, int | None, bytes]]:
    """The times and thumbnails of a file's first items; empty where it cannot be decoded."""
    try:
        items = decode(DecodeRequest(os.fsencode(path))).items
    except MediaUnreadable:
        return []
    return [(item.start_ms, item.end_ms, item.thumbnail) for item in items]
