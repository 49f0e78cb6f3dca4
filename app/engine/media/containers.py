"""Opening a video or sound file, choosing its streams and walking their frames, with PyAV (FFmpeg).

All times count from the container's start, which is where a player's clock shows zero.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from fractions import Fraction
from typing import Any, Generic, TypeVar

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from app.engine.media import captions
from app.engine.media.refusal import refuse, refuse_if_empty, refusing

StreamT = TypeVar("StreamT", VideoStream, AudioStream)
FrameT = TypeVar("FrameT", bound=VideoFrame | AudioFrame)

_CAPTION_FIELDS = ("title", "artist", "album", "genre", "description", "synopsis", "comment", "keywords")
_TIME_FIELDS = ("com.apple.quicktime.creationdate", "creation_time")  # Apple's knows its offset, the other is UTC

# A lone film keeps one child busy for long, so its decoder gets a few threads; more would only be in each other's way
# when the other children decode too.
_DECODER_THREADS = min(4, os.cpu_count() or 1)
_BEFORE_THE_START_MS = -10_000


@contextmanager
def opened(path: bytes) -> Iterator[InputContainer]:
    """Open a video or sound file that has at least one stream to decode.

    A playlist under such a name could point anywhere, so no protocol but that of local files is let through.

    Raises:
        MediaUnreadable: it cannot be opened, or anything fails inside the ``with`` block.
    """
    with refusing(path, "file"):
        refuse_if_empty(path)
        name = "file:" + os.fsdecode(path)
        with closing(av.open(name, options={"protocol_whitelist": "file"}, metadata_errors="replace")) as container:
            if picture_stream(container) is None and sound_stream(container) is None:
                raise refuse(path, "It holds neither pictures nor sound that Semblance can decode.")
            yield container


def picture_stream(container: InputContainer) -> VideoStream | None:
    """The video that a player would show; a sound's cover picture is none."""
    films = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    return _first_choice(container, films)


def sound_stream(container: InputContainer) -> AudioStream | None:
    """The sound track that a player would start with."""
    return _first_choice(container, list(container.streams.audio))


def _first_choice(container: InputContainer, streams: list[StreamT]) -> StreamT | None:
    decodable = [stream for stream in streams if stream.codec_context is not None]
    if not decodable:
        return None
    best = container.streams.best(decodable[0].type)
    return next((stream for stream in decodable if stream is best), decodable[0])


def duration_ms(container: InputContainer) -> int | None:
    """What the container claims; for a stream without a header (AAC, AC-3) that is an estimate."""
    return None if container.duration is None else round(container.duration * 1000 / av.time_base)


def caption(container: InputContainer) -> str:
    """The tags of the file, and of its sound where a format keeps them there (Ogg)."""
    tags = [container.metadata, *(stream.metadata for stream in container.streams.audio)]
    lowered = [{key.lower(): value for key, value in each.items()} for each in tags]
    return captions.joined(each.get(field, "") for each in lowered for field in _CAPTION_FIELDS)


def taken_ms(container: InputContainer) -> int | None:
    """When it was recorded, in ms since 1970 UTC, where the file tells."""
    for field in _TIME_FIELDS:
        try:
            return captions.time_ms(datetime.fromisoformat(container.metadata.get(field, "")))
        except ValueError:
            continue
    return None


class Track(Generic[FrameT]):
    """The frames of one stream in the order they are shown or heard.

    Packets that cannot be decoded are passed over, and a file that breaks off ends there.
    """

    def __init__(
        self,
        container: InputContainer,
        stream: VideoStream | AudioStream,
        frame_type: type[FrameT],
        prerolls_ms: Sequence[int],
    ) -> None:
        """
        Args:
            container: freshly opened; its position belongs to this track alone.
            prerolls_ms: how long before a wanted time decoding may begin, tried in turn; none: never seek.
        """
        self._container = container
        self._stream = stream
        self._frame_type = frame_type
        self._prerolls_ms = prerolls_ms
        self._time_base = stream.time_base or Fraction(1, av.time_base)
        self._origin_s = Fraction(container.start_time or 0, av.time_base)
        self._is_at_start = True
        stream.codec_context.thread_type = "AUTO"
        stream.codec_context.thread_count = _DECODER_THREADS

    def frames_from(self, at_ms: int) -> Iterator[tuple[Fraction | None, FrameT]]:
        """(time in seconds, frame), beginning at or before ``at_ms``: close before it where the file can be sought in.

        The time is None where the file does not tell.
        """
        for preroll_ms in self._prerolls_ms:
            if at_ms <= preroll_ms or not self._seek(at_ms - preroll_ms):
                break
            frames = self._decoded(from_key_frame=True)
            first = next(frames, None)
            # An index may point too late, since it counts in decoding order, or to what is no key frame.
            if first is not None and first[0] is not None and round(first[0] * 1000) <= at_ms:
                return itertools.chain([first], frames)
        if not self._is_at_start:
            self._rewind()
        return self._decoded(from_key_frame=False)

    def key_frame_before(self, at_ms: int) -> int | None:
        """The time of the last key frame before ``at_ms``, where the container has an index of them."""
        index = self._stream.index_entries
        found = index.search_timestamp(self._timestamp(at_ms))
        return round(self._time_s(index[found].timestamp, self._time_base) * 1000) if found >= 0 else None

    def key_frames_ms(self) -> list[int]:
        """The times of all key frames in order, as the container's index tells them; empty where it has none.

        An index counts in decoding order, in which a key frame may come a little before it is shown.
        """
        self._seek(0)  # Matroska's is read at the first seek
        times_ms = [
            round(self._time_s(entry.timestamp, self._time_base) * 1000)
            for entry in self._stream.index_entries
            if entry.is_keyframe
        ]
        return sorted(times_ms)

    def duration_ms(self) -> int | None:
        """How long the stream is said to be."""
        stream_duration = self._stream.duration
        if stream_duration is not None:
            return round(stream_duration * self._time_base * 1000)
        return duration_ms(self._container)

    def key_frames_near(self, interval_ms: int, start_ms: int) -> Iterator[tuple[int, int, FrameT]]:
        """(multiple of ``interval_ms``, time in whole milliseconds, frame) of the key frames nearest to the multiples
        from ``start_ms`` on. Nothing else is decoded; a multiple with no key frame nearer to it than to another is
        left out."""
        first = start_ms // interval_ms
        if start_ms <= interval_ms or not self._seek(start_ms - interval_ms):
            self._rewind()
        for frame in itertools.chain(self._frames(self._nearest_packets(interval_ms, first)), self._held_back()):
            if frame.pts is not None:
                time_ms = round(self._time_s(frame.pts, frame.time_base or self._time_base) * 1000)
                yield nearest(time_ms, interval_ms), time_ms, frame

    def _nearest_packets(self, interval_ms: int, first: int) -> Iterator[Packet[Any]]:
        for number, group in itertools.groupby(self._key_packets(), lambda timed: nearest(timed[0], interval_ms)):
            if number >= first:
                yield min(group, key=lambda timed: abs(timed[0] - number * interval_ms))[1]

    def _key_packets(self) -> Iterator[tuple[int, Packet[Any]]]:
        for packet in self._packets():
            if packet.is_keyframe and packet.pts is not None:
                yield round(self._time_s(packet.pts, packet.time_base or self._time_base) * 1000), packet

    def _seek(self, at_ms: int) -> bool:
        self._is_at_start = False
        try:
            self._container.seek(self._timestamp(at_ms), stream=self._stream)
        except FFmpegError:
            return False
        return True

    def _rewind(self) -> None:
        # Asked for the very start some formats land behind it; others refuse a time before it.
        self._seek(_BEFORE_THE_START_MS) or self._seek(0)

    def _decoded(self, from_key_frame: bool) -> Iterator[tuple[Fraction | None, FrameT]]:
        self._is_at_start = False
        # After a seek, pictures before the first key frame refer to others that have not been decoded.
        waiting = from_key_frame and isinstance(self._stream, VideoStream)
        for frame in self._frames(self._packets()):
            waiting = waiting and not frame.key_frame
            if not waiting:
                timestamp = frame.pts if frame.pts is not None else frame.dts
                yield None if timestamp is None else self._time_s(timestamp, frame.time_base or self._time_base), frame

    def _packets(self) -> Iterator[Packet[Any]]:
        """Those of the stream, up to where the file breaks off; the last, which is empty, calls for what the decoder
        has held back."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                yield next(packets)
            except (StopIteration, FFmpegError):
                return

    def _frames(self, packets: Iterator[Packet[Any]]) -> Iterator[FrameT]:
        for packet in packets:
            try:
                frames = packet.decode()
            except FFmpegError as error:
                if isinstance(error, MemoryError):
                    raise
                continue
            yield from (frame for frame in frames if isinstance(frame, self._frame_type))

    def _held_back(self) -> Iterator[FrameT]:
        try:
            frames = self._stream.codec_context.decode(None)
        except FFmpegError as error:
            if isinstance(error, MemoryError):
                raise
            return
        yield from (frame for frame in frames if isinstance(frame, self._frame_type))

    def _time_s(self, timestamp: int, time_base: Fraction) -> Fraction:
        return timestamp * time_base - self._origin_s

    def _timestamp(self, at_ms: int) -> int:
        return int((Fraction(at_ms, 1000) + self._origin_s) / self._time_base)


def nearest(time_ms: int, interval_ms: int) -> int:
    """The number of the multiple of an interval that is nearest to a time; of two as near the earlier."""
    return -(-(2 * time_ms - interval_ms) // (2 * interval_ms))
