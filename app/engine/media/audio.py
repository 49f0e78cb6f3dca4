"""Sounds: mono windows of equal length, brought to each encoder's rate.

A window is cut at the file's own rate and resampled by itself, so that it comes out the same whether the file was
read from its start or from the window on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

from app.engine.media.containers import Track, picture_stream
from app.engine.samples import SoundInput

Samples = npt.NDArray[np.float32]

MIN_TAIL_MS = 1_000
"""A shorter rest at the end makes no window of its own."""

_PREROLLS_MS = (2_000, 10_000, 60_000)  # 2 s is more than any decoder needs to swing in (Opus: 80 ms)
# Formats that tell exact times after a seek. Others estimate them; a file of sound alone is then read from its start,
# which is quick. A film's is not, and the odd tenth of a second matters less than reading gigabytes again.
_EXACT_FORMATS = frozenset({"aiff", "flac", "matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2", "mp3", "ogg", "wav"})
_MAX_JITTER_S = Fraction(1, 20)  # containers round times; a real hole is longer
_MAX_RATE_HZ = 768_000


@dataclass(frozen=True, eq=False)
class Window:
    """A stretch of sound: (n,) float32 mono at the file's own rate."""

    start_ms: int
    end_ms: int
    samples: Samples
    rate_hz: int

    def at_rate(self, spec: SoundInput) -> Samples:
        """The samples as ``spec`` wants them, by libswresample's windowed sinc."""
        if spec.sample_rate_hz == self.rate_hz:
            return self.samples
        count = round(self.samples.size * spec.sample_rate_hz / self.rate_hz)
        resampled = np.zeros(max(1, count), np.float32)
        filled = 0
        resampler = AudioResampler("flt", "mono", spec.sample_rate_hz)
        frame = AudioFrame.from_ndarray(self.samples[None], "flt", "mono")
        frame.sample_rate = self.rate_hz
        for output in (*resampler.resample(frame), *resampler.resample(None)):
            chunk = output.to_ndarray()[0][: resampled.size - filled]
            resampled[filled : filled + chunk.size] = chunk
            filled += chunk.size
        return resampled


class Recording:
    """The sound of one audio stream."""

    def __init__(self, container: InputContainer, stream: AudioStream) -> None:
        self._rate_hz = min(max(1, stream.codec_context.sample_rate), _MAX_RATE_HZ)
        may_seek = container.format.name in _EXACT_FORMATS or picture_stream(container) is not None
        self._track = Track(container, stream, AudioFrame, _PREROLLS_MS if may_seek else ())

    def windows(self, window_ms: int, start_ms: int = 0) -> Iterator[Window]:
        """Windows ``start_ms + k * window_ms`` in order, each as soon as it is full; a stretch that has no sound at
        all in the file, not even silence, makes none. The last one may be shorter; below MIN_TAIL_MS it is left out
        unless it is the file's only one.
        """
        length = max(1, window_ms * self._rate_hz // 1000)
        offset = start_ms * self._rate_hz // 1000
        number, filled = 0, 0
        samples = np.zeros(length, np.float32)
        for position, chunk in self._chunks_from(start_ms):
            begin = position - offset
            chunk = chunk[max(0, -begin) :]
            begin = max(0, begin)
            while chunk.size:
                if begin >= (number + 1) * length:
                    if filled:
                        yield self._window(start_ms + number * window_ms, samples)
                        samples = np.zeros(length, np.float32)
                    number, filled = begin // length, 0
                at = begin - number * length
                piece = chunk[: length - at]
                samples[at : at + piece.size] = piece
                filled = at + piece.size
                chunk, begin = chunk[piece.size :], begin + piece.size
        is_only = start_ms == 0 and number == 0
        if filled and (is_only or filled * 1000 >= min(MIN_TAIL_MS, window_ms) * self._rate_hz):
            yield self._window(start_ms + number * window_ms, samples[:filled])

    def _window(self, start_ms: int, samples: Samples) -> Window:
        return Window(start_ms, start_ms + round(samples.size * 1000 / self._rate_hz), samples, self._rate_hz)

    def _chunks_from(self, at_ms: int) -> Iterator[tuple[int, Samples]]:
        """(position in samples since the start, mono samples), without overlaps.

        Positions follow the file's times only over real holes, since most containers round them.
        """
        mixer = _MonoMixer(self._rate_hz)
        end: int | None = None
        for time_s, frame in self._track.frames_from(at_ms):
            position = end or 0
            if time_s is not None:
                told = round(time_s * self._rate_hz)
                if end is None or told - end > _MAX_JITTER_S * self._rate_hz:
                    position = told
            for samples in mixer.mixed(frame):
                yield position, samples
                position += samples.size
            end = position


class _MonoMixer:
    """Mixes any layout down to mono without clipping: the mean of two channels, libswresample's weights for more."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._source: tuple[str, str, int] | None = None

    def mixed(self, frame: AudioFrame) -> Iterator[Samples]:
        source = (frame.format.name, frame.layout.name, frame.sample_rate)
        if source != self._source:  # at the first frame, and where a broadcast changes its layout
            self._source = source
            self._resampler = AudioResampler("flt", "mono", self._rate_hz, options={"rematrix_maxval": "1"})
        for output in self._resampler.resample(frame):
            yield np.nan_to_num(output.to_ndarray()[0], posinf=0.0, neginf=0.0)
