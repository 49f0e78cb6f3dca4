"""Pictures and sounds made worse on purpose, the same at every run: what a query is asked with to see whether a model
still finds the same.

A disturbance is applied to what was decoded, before it is prepared for an encoder, and keeps the length of a sound.
Pictures are disturbed in parts of their size, so that a large photo suffers as much as a small one; what works on
single pixels (noise, JPEG) is done to a copy of `WEB_SHORT_PX`, as pictures are passed around. The grades are near the
third of five in ImageNet-C (Hendrycks and Dietterich, ICLR 2019).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from typing import TypeAlias, cast

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.filter import Graph
from PIL import Image, ImageEnhance, ImageFilter, ImageStat

from app.engine.evaltypes import Disturbance
from app.engine.media.audio import Samples, Window
from app.engine.samples import SoundInput
from app.engine.types import Modality

WEB_SHORT_PX = 512
CROPPED_AREA = 0.6
TURN_DEGREES = 15
BLUR_SIGMA = 0.01
"""Of the short side: 2 px at the 224 px of most models."""
NOISE_SIGMA = 0.12
JPEG_QUALITY = 20
DARKER, BRIGHTER = 0.5, 1.6
SMALL_SHORT_PX = 64

GAIN_DB = -12
LOW_PASS_HZ = 2000
LOW_PASS_ORDER = 8
LEAST_SHIFT, MOST_SHIFT = 0.1, 0.5
"""Of the window."""
SEMITONES = 2
MP3_RATE_HZ, MP3_BITS_PER_S = 44_100, 32_000
MP3_ENCODER = "libmp3lame"
_LEAST_FILTERED_S = 0.5
"""FFmpeg's atempo gives nothing for less than a few hundredths of a second."""

Random: TypeAlias = np.random.Generator


@dataclass(frozen=True)
class SeededDisturbance:
    """A disturbance to apply: its key, and the number that fixes whatever is random about it."""

    key: str
    seed: int


def disturbances() -> tuple[Disturbance, ...]:
    """Those of pictures and of sounds. MP3 is among them only where this build of FFmpeg can encode it."""
    return (
        *(Disturbance(key, name, Modality.IMAGE) for key, (name, _) in _PICTURES.items()),
        *(
            Disturbance(key, name, Modality.AUDIO)
            for key, (name, _) in _SOUNDS.items()
            if key != MP3_KEY or can_encode_mp3()
        ),
    )


def can_encode_mp3() -> bool:
    return MP3_ENCODER in av.codecs_available


def disturbed_picture(image: Image.Image, how: SeededDisturbance) -> Image.Image:
    """An RGB picture made worse; its size may change. KeyError for a key that is no picture's."""
    return _PICTURES[how.key][1](image, np.random.default_rng(how.seed))


def disturbed_sound(window: Window, how: SeededDisturbance) -> Window:
    """A window of at least one sample made worse, as long as it was and at the same rate. KeyError for a key that is
    no sound's."""
    worse = _SOUNDS[how.key][1](window, np.random.default_rng(how.seed))
    samples = _of_length(worse, window.samples.size)
    return Window(window.start_ms, window.end_ms, samples, window.rate_hz)


# --- pictures --------------------------------------------------------------------------------------------------------


def _cropped(image: Image.Image, random: Random) -> Image.Image:
    """A part of the picture's own shape, at a random place."""
    width_px, height_px = (max(1, round(side_px * math.sqrt(CROPPED_AREA))) for side_px in image.size)
    left = int(random.integers(0, image.width - width_px + 1))
    top = int(random.integers(0, image.height - height_px + 1))
    return image.crop((left, top, left + width_px, top + height_px))


def _turned(image: Image.Image, random: Random) -> Image.Image:
    """Turned about its centre to either side; the corners get its mean colour, so that they add nothing."""
    degrees = TURN_DEGREES if random.integers(2) else -TURN_DEGREES
    mean = tuple(round(value) for value in ImageStat.Stat(image).mean)
    return image.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=mean)


def _blurred(image: Image.Image, _random: Random) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(BLUR_SIGMA * min(image.size)))


def _noisy(image: Image.Image, random: Random) -> Image.Image:
    samples = np.asarray(_web_copy(image), np.float32)
    noise = random.standard_normal(samples.shape, np.float32) * np.float32(255 * NOISE_SIGMA)
    return Image.fromarray((samples + noise).round().clip(0, 255).astype(np.uint8))


def _as_jpeg(image: Image.Image, _random: Random) -> Image.Image:
    file = BytesIO()
    _web_copy(image).save(file, "JPEG", quality=JPEG_QUALITY)
    return Image.open(file, formats=["JPEG"]).convert("RGB")


def _darker(image: Image.Image, _random: Random) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(DARKER)


def _brighter(image: Image.Image, _random: Random) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(BRIGHTER)


def _grey(image: Image.Image, _random: Random) -> Image.Image:
    return image.convert("L").convert("RGB")


def _once_small(image: Image.Image, _random: Random) -> Image.Image:
    return _scaled(image, SMALL_SHORT_PX).resize(image.size, Image.Resampling.BICUBIC)


def _web_copy(image: Image.Image) -> Image.Image:
    """The same picture for every model, however much of it was decoded for this one."""
    return _scaled(image, WEB_SHORT_PX)


def _scaled(image: Image.Image, short_px: int) -> Image.Image:
    """Made smaller until its short side has ``short_px``; never larger."""
    scale = min(1.0, short_px / min(image.size))
    if scale == 1.0:
        return image
    width_px, height_px = (max(1, round(side_px * scale)) for side_px in image.size)
    return image.resize((width_px, height_px), Image.Resampling.BICUBIC)


# --- sounds ----------------------------------------------------------------------------------------------------------


def _with_noise(snr_db: float) -> Callable[[Window, Random], Samples]:
    """White noise, so much weaker than the window's mean power. Silence stays silent: it has no such ratio."""

    def add(window: Window, random: Random) -> Samples:
        power = float(np.mean(np.square(window.samples, dtype=np.float64)))
        noise = random.standard_normal(window.samples.size, np.float32)
        return window.samples + noise * np.float32(math.sqrt(power * 10 ** (-snr_db / 10)))

    return add


def _quieter(window: Window, _random: Random) -> Samples:
    return window.samples * np.float32(10 ** (GAIN_DB / 20))


def _low_passed(window: Window, _random: Random) -> Samples:
    """A Butterworth filter run forwards and backwards, which shifts nothing. A sound of a lower rate has nothing above
    that could be taken away."""
    from scipy import signal  # half a second that other decoding does not wait for

    if window.rate_hz <= 2 * LOW_PASS_HZ:
        return window.samples
    sections = signal.butter(LOW_PASS_ORDER, LOW_PASS_HZ, fs=window.rate_hz, output="sos")
    edge = min(window.samples.size - 1, window.rate_hz // 20)
    return np.asarray(signal.sosfiltfilt(sections, window.samples, padlen=edge), np.float32)


def _shifted(window: Window, random: Random) -> Samples:
    """Begun later, what was cut off put at the end: nothing is lost but where it was."""
    return np.roll(window.samples, -round(float(random.uniform(LEAST_SHIFT, MOST_SHIFT)) * window.samples.size))


def _pitched(semitones: int) -> Callable[[Window, Random], Samples]:
    """Played faster or slower, and brought back to its length by FFmpeg's atempo (waveform similarity overlap-add)."""

    def shift(window: Window, _random: Random) -> Samples:
        factor = 2 ** (semitones / 12)
        graph = Graph()
        source = graph.add_abuffer(
            sample_rate=window.rate_hz, format="flt", layout="mono", time_base=Fraction(1, window.rate_hz)
        )
        steps = [
            source,
            graph.add("asetrate", str(round(window.rate_hz * factor))),
            graph.add("aresample", str(window.rate_hz)),
            graph.add("atempo", f"{1 / factor:.9f}"),
            graph.add("aformat", "sample_fmts=flt:channel_layouts=mono"),
            graph.add("abuffersink"),
        ]
        graph.link_nodes(*steps).configure()
        least = math.ceil(_LEAST_FILTERED_S * window.rate_hz)
        graph.push(_frame(_of_length(window.samples, max(least, window.samples.size)), window.rate_hz))
        graph.push(None)
        chunks: list[Samples] = []
        while True:
            try:
                pulled = graph.pull()
            except (av.EOFError, av.BlockingIOError):
                return np.concatenate(chunks)
            if isinstance(pulled, AudioFrame):
                chunks.append(pulled.to_ndarray()[0])

    return shift


def _through_mp3(window: Window, _random: Random) -> Samples:
    """Encoded as MP3 and decoded again, in memory."""
    file = BytesIO()
    with av.open(file, "w", format="mp3") as written:
        stream = cast(AudioStream, written.add_stream(MP3_ENCODER, rate=MP3_RATE_HZ, layout="mono", format="fltp"))
        stream.bit_rate = MP3_BITS_PER_S
        samples = window.at_rate(SoundInput(MP3_RATE_HZ))
        frame = AudioFrame.from_ndarray(samples[None], "fltp", "mono")
        frame.sample_rate = MP3_RATE_HZ
        written.mux([*stream.encode(frame), *stream.encode(None)])
    file.seek(0)
    with av.open(file, "r", format="mp3") as read:
        decoded = np.concatenate([frame.to_ndarray()[0] for frame in read.decode(audio=0)])
    heard = Window(0, 0, _of_length(decoded, samples.size), MP3_RATE_HZ)
    return heard.at_rate(SoundInput(window.rate_hz))


def _frame(samples: Samples, rate_hz: int) -> AudioFrame:
    frame = AudioFrame.from_ndarray(samples[None], "flt", "mono")
    frame.sample_rate = rate_hz
    frame.time_base = Fraction(1, rate_hz)
    frame.pts = 0
    return frame


def _of_length(samples: npt.NDArray[np.floating], count: int) -> Samples:
    """Cut at its end, or silence put there."""
    whole = np.zeros(count, np.float32)
    whole[: min(count, samples.size)] = samples[:count]
    return whole


MP3_KEY = "sound-mp3"

_PICTURES: dict[str, tuple[str, Callable[[Image.Image, Random], Image.Image]]] = {
    "picture-crop": ("Cropped to 60 %", _cropped),
    "picture-rotation": ("Turned by 15°", _turned),
    "picture-blur": ("Blurred", _blurred),
    "picture-noise": ("Noise, 12 %", _noisy),
    "picture-jpeg": ("JPEG, quality 20", _as_jpeg),
    "picture-darker": ("Half as bright", _darker),
    "picture-brighter": ("60 % brighter", _brighter),
    "picture-grey": ("Greyscale", _grey),
    "picture-resize": ("Once 64 px small", _once_small),
}
_SOUNDS: dict[str, tuple[str, Callable[[Window, Random], Samples]]] = {
    "sound-noise-20": ("Noise, 20 dB below", _with_noise(20)),
    "sound-noise-10": ("Noise, 10 dB below", _with_noise(10)),
    "sound-noise-0": ("Noise as loud as the sound", _with_noise(0)),
    "sound-gain": ("12 dB quieter", _quieter),
    "sound-low-pass": ("Nothing above 2 kHz", _low_passed),
    "sound-shift": ("Begun later", _shifted),
    "sound-pitch-up": ("2 semitones higher", _pitched(SEMITONES)),
    "sound-pitch-down": ("2 semitones lower", _pitched(-SEMITONES)),
    MP3_KEY: ("MP3, 32 kbit/s", _through_mp3),
}
