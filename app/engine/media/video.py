"""Videos: frames at regular times. Key frames where a film has enough of them, which cost a fraction of the decoding;
else the very frames that a player shows at those times, however far apart the key frames lie."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, Colorspace, ColorTrc, VideoReformatter
from av.video.stream import VideoStream
from PIL import Image

from app.engine.media.containers import Track, nearest
from app.engine.media.images import LeastSize

_PREROLLS_MS = (0, 1_000, 5_000, 30_000)
_WORTH_SEEKING_MS = 500
"""Seeking costs as much as decoding a few frames; so much less decoding makes it pay."""
_INDEX_SLACK_MS = 500
"""An index counts in decoding order, in which a key frame may come this much before it is shown."""

# The display matrix (ISO/IEC 14496-12, 8.2.2): a point (x, y) is shown at (a*x + c*y, b*x + d*y); the signs of
# (a, b, c, d) name one of the eight ways to hold a camera.
_UPRIGHT: dict[tuple[int, ...], Image.Transpose] = {
    (0, 1, -1, 0): Image.Transpose.ROTATE_270,
    (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
    (0, -1, 1, 0): Image.Transpose.ROTATE_90,
    (-1, 0, 0, 1): Image.Transpose.FLIP_LEFT_RIGHT,
    (1, 0, 0, -1): Image.Transpose.FLIP_TOP_BOTTOM,
    (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
    (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
}
_SIDEWAYS = (
    Image.Transpose.ROTATE_270,
    Image.Transpose.ROTATE_90,
    Image.Transpose.TRANSPOSE,
    Image.Transpose.TRANSVERSE,
)
_UNSPECIFIED_COLORSPACE = 2  # AVCOL_SPC_UNSPECIFIED
_HD_HEIGHT_PX = 720
_MAX_PIXEL_ASPECT = 8


@dataclass(frozen=True, eq=False)
class Shot:
    """One frame. ``next_ms`` is the sampling time at which the next begins to be looked for; None after the last.
    ``size_px`` is its width and height in the film, upright; ``image`` may be smaller."""

    time_ms: int
    next_ms: int | None
    image: Image.Image
    size_px: tuple[int, int]


class Film:
    """The pictures of one video stream: upright, RGB, with square pixels.

    Args:
        container: freshly opened.
        stream: a stream of it.
        least: how large a picture must be; None: its full size.
    """

    def __init__(self, container: InputContainer, stream: VideoStream, least: LeastSize | None = None) -> None:
        self._stream = stream
        self._least = least
        self._track = Track(container, stream, VideoFrame, _PREROLLS_MS)
        self._reformatter = VideoReformatter()  # one for all frames: the tables for HDR take seconds to compute

    def shots(self, interval_ms: int, start_ms: int = 0) -> Iterator[Shot]:
        """A frame for ``start_ms``, ``start_ms + interval_ms`` and so on, each frame once.

        If a key frame lies within half an interval of every one of those times, in the whole film, it is that;
        otherwise the frame shown at the time, `exact_shots`.
        """
        if self._has_key_frames_every(interval_ms):
            return self._key_shots(interval_ms, start_ms)
        return self.exact_shots(interval_ms, start_ms)

    def _has_key_frames_every(self, interval_ms: int) -> bool:
        """Whether the container's index has a key frame near every sampling time, so that each can be had alone."""
        reached = {nearest(time_ms, interval_ms) for time_ms in self._track.key_frames_ms()}
        end_ms = self._track.duration_ms() or 0
        return end_ms > 0 and reached.issuperset(range(max(1, nearest(end_ms, interval_ms))))

    def _key_shots(self, interval_ms: int, start_ms: int) -> Iterator[Shot]:
        shown: tuple[int, VideoFrame] | None = None
        end_ms = self._track.duration_ms() or 0
        for number, time_ms, frame in self._track.key_frames_near(interval_ms, start_ms):
            if number and number * interval_ms >= end_ms:
                break
            if shown is not None:
                yield self._shot(shown, number * interval_ms)
            shown = (time_ms, frame)
        if shown is not None:
            yield self._shot(shown, None)

    def exact_shots(self, interval_ms: int, start_ms: int = 0) -> Iterator[Shot]:
        """The frames shown at ``start_ms``, ``start_ms + interval_ms`` and so on, each once.

        A frame is shown from its own time until the next one's; the first also before it, the last for its duration.
        """
        target_ms = start_ms
        shown: tuple[int, VideoFrame] | None = None
        frames = self._frames_from(start_ms)
        while (upcoming := next(frames, None)) is not None:
            time_ms = upcoming[0]
            if shown is not None and time_ms > target_ms:
                target_ms = start_ms + -(-(time_ms - start_ms) // interval_ms) * interval_ms
                yield self._shot(shown, target_ms)
                if self._is_worth_seeking(time_ms, target_ms):
                    frames, upcoming = self._frames_from(target_ms), None
            shown = upcoming
        if shown is not None and target_ms < shown[0] + self._duration_ms(shown[1]):
            yield self._shot(shown, None)

    def image_at(self, at_ms: int) -> Image.Image | None:
        """The picture shown at ``at_ms``, after the end the last one; None where nothing can be decoded."""
        shown = None
        for time_ms, frame in self._frames_from(at_ms):
            if shown is not None and time_ms > at_ms:
                break
            shown = frame
        return None if shown is None else self._image(shown)

    def _frames_from(self, at_ms: int) -> Iterator[tuple[int, VideoFrame]]:
        """As Track.frames_from, in whole milliseconds that never go back: AVI writes times in decoding order."""
        latest_ms: int | None = None
        for time_s, frame in self._track.frames_from(at_ms):
            if time_s is None:
                time_ms = 0 if latest_ms is None else latest_ms + self._duration_ms(frame)
            else:
                time_ms = round(time_s * 1000)
            latest_ms = time_ms if latest_ms is None else max(time_ms, latest_ms)
            yield latest_ms, frame

    def _is_worth_seeking(self, time_ms: int, target_ms: int) -> bool:
        if target_ms - time_ms <= _WORTH_SEEKING_MS + _INDEX_SLACK_MS:
            return False
        key_frame_ms = self._track.key_frame_before(target_ms - _INDEX_SLACK_MS)
        return key_frame_ms is not None and key_frame_ms - time_ms > _WORTH_SEEKING_MS

    def _duration_ms(self, frame: VideoFrame) -> int:
        if frame.duration and frame.time_base:
            return max(1, round(frame.duration * frame.time_base * 1000))
        rate = self._stream.average_rate
        return max(1, round(1000 / rate)) if rate else 1

    def _shot(self, shown: tuple[int, VideoFrame], next_ms: int | None) -> Shot:
        time_ms, frame = shown
        size_px = self._square_pixel_size(frame)
        turned = _UPRIGHT.get(_display_signs(frame)) in _SIDEWAYS
        return Shot(time_ms, next_ms, self._image(frame), (size_px[1], size_px[0]) if turned else size_px)

    def _image(self, frame: VideoFrame) -> Image.Image:
        width_px, height_px = self._square_pixel_size(frame)
        if self._least:
            width_px, height_px = self._least.scaled((width_px, height_px))
        rgb = self._to_rgb(frame, width_px, height_px)
        image = Image.fromarray(rgb.to_ndarray())
        method = _UPRIGHT.get(_display_signs(frame))
        return image if method is None else image.transpose(method)

    def _to_rgb(self, frame: VideoFrame, width_px: int, height_px: int) -> VideoFrame:
        options: dict[str, Any] = {"width": width_px, "height": height_px, "format": "rgb24"}
        if frame.colorspace == _UNSPECIFIED_COLORSPACE and frame.height >= _HD_HEIGHT_PX:
            options["src_colorspace"] = Colorspace.ITU709  # as players assume for high definition
        if frame.color_trc == ColorTrc.SMPTE2084:
            # PQ codes light absolutely and looks grey if taken for sRGB; HLG was designed to look right as it is.
            to_srgb: dict[str, Any] = {
                "dst_color_trc": ColorTrc.IEC61966_2_1,
                "dst_color_primaries": ColorPrimaries.BT709,
            }
            with suppress(FFmpegError):  # swscale knows not every combination
                return self._reformatter.reformat(frame, **options, **to_srgb)
        return self._reformatter.reformat(frame, **options)

    def _square_pixel_size(self, frame: VideoFrame) -> tuple[int, int]:
        aspect = self._stream.sample_aspect_ratio or Fraction(1)
        if not Fraction(1, _MAX_PIXEL_ASPECT) <= aspect <= _MAX_PIXEL_ASPECT:  # a damaged header
            aspect = Fraction(1)
        if aspect >= 1:  # always enlarge, so that no detail is lost
            return round(frame.width * aspect), frame.height
        return frame.width, round(frame.height / aspect)


def _display_signs(frame: VideoFrame) -> tuple[int, ...]:
    side_data: Any = frame.side_data
    matrix = side_data.get(SideDataType.DISPLAYMATRIX)
    if matrix is None:
        return ()
    values = np.sign(np.frombuffer(bytes(matrix), np.int32))
    return tuple(int(values[position]) for position in (0, 1, 3, 4))
