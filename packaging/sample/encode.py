"""Write pictures, sounds and videos to files, their captions inside, with the same bytes every time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from sample.canvas import Pixels
from sample.sounds import SAMPLE_RATE_HZ, Signal
from sample.videos import FRAMES_PER_S, HEIGHT_PX, WIDTH_PX, Video

AUDIO_CODECS = {".flac": "flac", ".opus": "libopus", ".mp3": "libmp3lame"}
AUDIO_BITS_PER_S = 64_000
OPUS_RATE_HZ = 48_000
KEYFRAME_EVERY_S = 2
_SAME_BYTES = {"fflags": "+bitexact"}
"""Without it, the muxers write random ids and the name of the encoder's version."""


def write_picture(path: Path, pixels: Pixels, caption: str) -> None:
    """A JPEG, PNG or WebP, by the file's ending."""
    image = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = caption
    if path.suffix == ".png":
        texts = PngInfo()
        texts.add_text("Description", caption)
        image.quantize(96, dither=Image.Dither.NONE).save(path, optimize=True, pnginfo=texts)
    elif path.suffix == ".webp":
        image.save(path, quality=80, method=6, exif=exif)
    else:
        image.save(path, quality=86, optimize=True, progressive=True, exif=exif)


def write_sound(path: Path, samples: Signal, caption: str) -> None:
    """A FLAC, Ogg Opus or MP3, by the file's ending."""
    with av.open(str(path), "w", options=_SAME_BYTES) as container:
        container.metadata.update({"title": caption, "comment": "Made for the sample library of Semblance, CC0-1.0"})
        rate_hz = OPUS_RATE_HZ if path.suffix == ".opus" else SAMPLE_RATE_HZ
        stream = cast(AudioStream, container.add_stream(AUDIO_CODECS[path.suffix], rate=rate_hz, layout="mono"))
        if path.suffix != ".flac":
            stream.bit_rate = AUDIO_BITS_PER_S
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        _encode_audio(container, stream, samples)


def write_video(path: Path, video: Video) -> None:
    """A WebM of VP9, and Opus where the video has a sound, with a keyframe every two seconds."""
    with av.open(str(path), "w", options=_SAME_BYTES) as container:
        container.metadata["title"] = video.caption
        # One thread: the encoder's rate control depends on how the work is split.
        options = {"crf": "34", "b": "0", "cpu-used": "3", "threads": "1"}
        pictures = container.add_stream("libvpx-vp9", rate=FRAMES_PER_S, options=options)
        pictures.width, pictures.height, pictures.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        pictures.gop_size = KEYFRAME_EVERY_S * FRAMES_PER_S
        pictures.codec_context.flags |= av.codec.context.Flags.bitexact
        samples = video.samples()
        if samples is not None:
            sound = container.add_stream("libopus", rate=OPUS_RATE_HZ, layout="mono")
            sound.bit_rate = AUDIO_BITS_PER_S
            sound.codec_context.flags |= av.codec.context.Flags.bitexact
        _encode_video(container, pictures, video)
        if samples is not None:
            _encode_audio(container, sound, samples)


def _encode_video(container: OutputContainer, stream: VideoStream, video: Video) -> None:
    for number, pixels in enumerate(video.frames()):
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_S)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _encode_audio(container: OutputContainer, stream: AudioStream, samples: Signal) -> None:
    """Resample to what the codec takes, in frames of the size that it takes."""
    context = stream.codec_context
    if not context.is_open:
        context.open()
    resampler = av.AudioResampler(context.format, context.layout, context.sample_rate, context.frame_size or 4096)
    whole = av.AudioFrame.from_ndarray(np.round(samples * 32767).astype(np.int16)[None, :], format="s16", layout="mono")
    whole.sample_rate, whole.pts = SAMPLE_RATE_HZ, 0
    for frame in [*resampler.resample(whole), *resampler.resample(None)]:
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
