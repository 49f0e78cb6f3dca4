"""One file in, its items out: what a decoder process does.

Long files come in parts, so that no part takes much memory or time: a part ends after so many items, or as soon as its
time is used up, and hands back the cursor from which the next goes on.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.video.stream import VideoStream
from PIL import Image

from app.engine.errors import MediaUnreadable
from app.engine.media import containers, disturbing, images, thumbnails
from app.engine.media.audio import Recording, Window
from app.engine.media.disturbing import SeededDisturbance
from app.engine.media.refusal import refuse
from app.engine.media.scan import guess_kind
from app.engine.media.video import Film
from app.engine.samples import PictureInput, SoundInput
from app.engine.types import ItemKind, MediaKind

MAX_FRAMES_PER_PART = 64
MAX_WINDOWS_PER_PART = 30
USUAL_SHORT_PX = 512
"""Twice the input of most models: 224 or 256."""
THUMBNAIL_OVERSAMPLING = 2
PART_TIME_S = 15.0
"""A part gives what it has after this long: well inside the pool's limit, which is for what hangs."""


@dataclass(frozen=True)
class Cursor:
    """Where a long file goes on. ``size_px`` is its picture's width and height where a part before has seen them."""

    stream: Literal["picture", "sound"]
    start_ms: int
    size_px: tuple[int | None, int | None] = (None, None)


@dataclass(frozen=True)
class DecodeRequest:
    """What to make of a file: every picture as each of ``pictures``, every sound as each of ``sounds``.

    A video gives a frame every ``frame_interval_ms``; a sound is cut into windows of ``window_ms``.
    """

    path: bytes
    pictures: tuple[PictureInput, ...] = ()
    sounds: tuple[SoundInput, ...] = ()
    frame_interval_ms: int = 2000
    window_ms: int = 10_000
    cursor: Cursor | None = None


@dataclass(frozen=True)
class MediaFacts:
    """What a file tells of itself. The size is that of the upright picture; ``taken_ms`` is in ms since 1970
    UTC, where a camera that tells no offset is taken to have shown this machine's local time."""

    width_px: int | None
    height_px: int | None
    duration_ms: int | None
    taken_ms: int | None
    caption: str


@dataclass(frozen=True, eq=False)
class DecodedItem:
    """One photo, frame or window with what the encoders need of it.

    ``inputs``: (size_px, size_px, 3) uint8 for a PictureInput, (n,) float32 for a SoundInput. ``thumbnail``: a JPEG, or
    for a sound a PNG of its waveform. ``start_ms`` is None for a photo, ``end_ms`` for a photo and a frame.
    """

    kind: ItemKind
    start_ms: int | None
    end_ms: int | None
    thumbnail: bytes
    inputs: dict[PictureInput | SoundInput, npt.NDArray[np.uint8] | npt.NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class DecodedPart:
    """Some items of a file. ``next`` is where the next part begins; None: this was the last, and it may be empty.
    ``first``: it was decoded from the file's beginning."""

    kind: MediaKind
    facts: MediaFacts
    items: tuple[DecodedItem, ...]
    next: Cursor | None
    first: bool = True


def decode(request: DecodeRequest) -> DecodedPart:
    """Decode a file or one part of it: a video's frames first, then its sound track.

    Raises:
        MediaUnreadable: nothing of the file can be decoded.
    """
    if _is_photo(request.path):
        return _decode_photo(request)
    return _Decoding(request).part()


def preview(path: bytes, item_kind: ItemKind, start_ms: int | None, end_ms: int | None, size_px: int) -> bytes:
    """A larger picture of one item, its long side at most ``size_px``: a JPEG, or for a sound a PNG of its waveform.

    Raises:
        MediaUnreadable: the file cannot be decoded, or has nothing at that time.
    """
    start_ms = start_ms or 0
    if item_kind is ItemKind.AUDIO:
        length_ms = max(1, end_ms - start_ms) if end_ms is not None else DecodeRequest.window_ms
        return thumbnails.waveform(_window_at(path, start_ms, length_ms).samples, size_px)
    return thumbnails.picture(_image_at(path, start_ms, images.LeastSize(long_px=size_px)), size_px)


def sample_at(
    path: bytes,
    spec: PictureInput | SoundInput,
    at_ms: int = 0,
    window_ms: int = DecodeRequest.window_ms,
    disturbance: SeededDisturbance | None = None,
) -> npt.NDArray[np.uint8] | npt.NDArray[np.float32]:
    """One sample to search with: a photo, a video's frame shown at ``at_ms``, or the sound from ``at_ms`` on.

    Args:
        disturbance: what is done to it before it is prepared as ``spec`` says.

    Raises:
        MediaUnreadable: the file cannot be decoded, or holds no such thing.
    """
    if isinstance(spec, SoundInput):
        window = _window_at(path, at_ms, window_ms)
        return (disturbing.disturbed_sound(window, disturbance) if disturbance else window).at_rate(spec)
    image = _image_at(path, at_ms, _least((spec,)))
    return images.prepare(disturbing.disturbed_picture(image, disturbance) if disturbance else image, spec)


def _is_photo(path: bytes) -> bool:
    kind = guess_kind(path)
    return kind is MediaKind.PHOTO or (kind is None and images.is_picture(path))


def _least(pictures: Sequence[PictureInput]) -> images.LeastSize:
    """What is enough for these inputs and for a thumbnail. Inputs of usual sizes ask for the same, so that a model gets
    the same picture whichever others are asked with it."""
    short_px = max(USUAL_SHORT_PX, *(spec.decoded_px for spec in pictures), 0)
    return images.LeastSize(short_px, THUMBNAIL_OVERSAMPLING * thumbnails.THUMBNAIL_PX)


def _decode_photo(request: DecodeRequest) -> DecodedPart:
    photo = images.read(request.path, _least(request.pictures))
    facts = MediaFacts(photo.width_px, photo.height_px, None, photo.taken_ms, photo.caption)
    item = _picture_item(ItemKind.PHOTO, None, photo.image, request)
    return DecodedPart(MediaKind.PHOTO, facts, (item,), None)


def _picture_item(kind: ItemKind, start_ms: int | None, image: Image.Image, request: DecodeRequest) -> DecodedItem:
    return DecodedItem(
        kind,
        start_ms,
        None,
        thumbnails.picture(image),
        {spec: images.prepare(image, spec) for spec in request.pictures},
    )


def _sound_item(window: Window, request: DecodeRequest) -> DecodedItem:
    return DecodedItem(
        ItemKind.AUDIO,
        window.start_ms,
        window.end_ms,
        thumbnails.waveform(window.samples),
        {spec: window.at_rate(spec) for spec in request.sounds},
    )


class _Decoding:
    """One part of one container."""

    def __init__(self, request: DecodeRequest) -> None:
        self._request = request
        self._cursor = request.cursor or Cursor("picture", 0)
        self._deadline_s = time.monotonic() + PART_TIME_S
        self._items: list[DecodedItem] = []
        self._size_px = self._cursor.size_px

    def part(self) -> DecodedPart:
        following: Cursor | None = None
        with containers.opened(self._request.path) as container:
            film, sound = containers.picture_stream(container), containers.sound_stream(container)
            if film is not None and self._cursor.stream == "picture":
                following = self._add_frames(container, film)
            elif (
                film is not None
                and self._size_px == (None, None)
                and (first := Film(container, film).image_at(0)) is not None
            ):
                self._size_px = first.size
            facts = _facts(container, self._size_px)
        if sound is not None and following is None:
            try:
                following = self._add_windows()
            except MediaUnreadable:
                if not self._items and self._request.cursor is None:
                    raise  # else a film is worth finding though its sound is in no codec known here
            if film is None and following is None and self._items:
                facts = replace(facts, duration_ms=self._items[-1].end_ms)  # heard to its end, it is as long as it was
        if not self._items and self._request.cursor is None:
            raise refuse(
                self._request.path,
                "Nothing in it can be decoded: it is damaged or breaks off too early. "
                "If you have another copy, put that in its place.",
            )
        kind = MediaKind.AUDIO if film is None else MediaKind.VIDEO
        return DecodedPart(kind, facts, tuple(self._items), following, first=self._request.cursor is None)

    def _add_frames(self, container: InputContainer, stream: VideoStream) -> Cursor | None:
        film = Film(container, stream, _least(self._request.pictures))
        for count, shot in enumerate(film.shots(self._request.frame_interval_ms, self._cursor.start_ms), 1):
            self._size_px = shot.size_px
            self._items.append(_picture_item(ItemKind.FRAME, shot.time_ms, shot.image, self._request))
            if shot.next_ms is not None and self._is_full(count, MAX_FRAMES_PER_PART):
                return Cursor("picture", shot.next_ms, shot.size_px)
        return None

    def _add_windows(self) -> Cursor | None:
        start_ms = self._cursor.start_ms if self._cursor.stream == "sound" else 0
        with _recording(self._request.path) as recording:
            for count, window in enumerate(recording.windows(self._request.window_ms, start_ms), 1):
                self._items.append(_sound_item(window, self._request))
                if self._is_full(count, MAX_WINDOWS_PER_PART):
                    return Cursor("sound", window.start_ms + self._request.window_ms, self._size_px)
        return None

    def _is_full(self, count: int, limit: int) -> bool:
        return count >= limit or time.monotonic() > self._deadline_s


def _facts(container: InputContainer, size_px: tuple[int | None, int | None]) -> MediaFacts:
    return MediaFacts(
        *size_px,
        containers.duration_ms(container),
        containers.taken_ms(container),
        containers.caption(container),
    )


@contextmanager
def _recording(path: bytes) -> Iterator[Recording]:
    """The sound of a file, opened for it alone: reading a film's pictures has moved on where they are read from."""
    with containers.opened(path) as container:
        stream = containers.sound_stream(container)
        if stream is None:
            raise refuse(path, "It has no sound track. Choose a sound, or a video with sound.")
        yield Recording(container, stream)


def _image_at(path: bytes, at_ms: int, least: images.LeastSize) -> Image.Image:
    if _is_photo(path):
        return images.read(path, least).image
    with containers.opened(path) as container:
        stream = containers.picture_stream(container)
        image = None if stream is None else Film(container, stream, least).image_at(at_ms)
        if image is None:
            raise refuse(path, "It holds no picture that can be decoded. Choose a photo or a video.")
        return image


def _window_at(path: bytes, at_ms: int, window_ms: int) -> Window:
    if _is_photo(path):
        raise refuse(path, "It is a picture and holds no sound. Choose a sound, or a video with sound.")
    with _recording(path) as recording:
        window = next(recording.windows(window_ms, at_ms), None)
        if window is None or window.start_ms != at_ms:
            raise refuse(path, "There is no sound at that time in it. Choose an earlier moment.")
        return window
