"""Make the files again by which the program checks its decoders: ``python packaging/make_checkup.py [FOLDER]``.

One small file of every format that the program says it reads, all with the same contents: four fields of colour, and a
tone. They go into ``checkup`` of the resources, with ``checkup.toml``, which says what they hold.

Most are encoded by Pillow and PyAV. Two formats have no encoder there: HEIC is written by ``heif-enc`` (Debian
libheif-examples), Theora by ``ffmpeg`` (Debian ffmpeg). The files are data: no encoder is needed to read them.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from PIL import Image

RESOURCES_DIR = Path(__file__).resolve().parent.parent / "resources"

WIDTH_PX, HEIGHT_PX = 96, 64
COLOURS = ((200, 40, 40), (40, 160, 60), (40, 60, 200), (230, 220, 70))
"""Of the fields: top left, top right, bottom left, bottom right."""
FRAMES_PER_S = 10
DURATION_MS = 1000
TONE_HZ = 440.0
LOUDNESS = 0.5
"""The tone's amplitude; full scale is 1."""
RATE_HZ = 22_050
BITS_PER_S = 48_000
OPUS_RATE_HZ = 48_000
_SAME_BYTES = {"fflags": "+bitexact"}


@dataclass(frozen=True)
class Made:
    """One file. ``key`` names its format for programs, ``title`` for people; ``codecs`` are FFmpeg's encoders."""

    file: str
    key: str
    title: str
    kind: str
    codecs: tuple[str, ...] = ()
    pixels: str = "yuv420p"
    tag: str = ""


FILES = (
    Made("picture.jpg", "jpeg", "JPEG", "photo"),
    Made("picture.png", "png", "PNG", "photo"),
    Made("picture.webp", "webp", "WebP", "photo"),
    Made("picture.gif", "gif", "GIF", "photo"),
    Made("picture.bmp", "bmp", "BMP", "photo"),
    Made("picture.tiff", "tiff", "TIFF", "photo"),
    Made("picture.avif", "avif", "AVIF", "photo"),
    Made("picture.heic", "heic", "HEIC", "photo"),
    Made("film.mp4", "mp4", "MP4 (H.264, AAC)", "video", ("libx264", "aac")),
    Made("film.mov", "mov", "MOV (HEVC, AAC)", "video", ("libx265", "aac"), tag="hvc1"),
    Made("film.mkv", "mkv", "MKV (AV1, FLAC)", "video", ("libsvtav1", "flac")),
    Made("film.webm", "webm", "WebM (VP9, Opus)", "video", ("libvpx-vp9", "libopus")),
    Made("film.avi", "avi", "AVI (MPEG-4, MP3)", "video", ("mpeg4", "libmp3lame")),
    Made("motion.avi", "mjpeg", "AVI (Motion JPEG)", "video", ("mjpeg", "libmp3lame"), "yuvj420p"),
    Made("film.wmv", "wmv", "WMV (Windows Media 8)", "video", ("wmv2", "wmav2")),
    Made("film.mpg", "mpg", "MPG (MPEG-2)", "video", ("mpeg2video", "mp2")),
    Made("film.ogv", "ogv", "OGV (Theora, Vorbis)", "video", ("libtheora", "libvorbis")),
    Made("sound.wav", "wav", "WAV", "audio", ("pcm_s16le",)),
    Made("sound.flac", "flac", "FLAC", "audio", ("flac",)),
    Made("sound.mp3", "mp3", "MP3", "audio", ("libmp3lame",)),
    Made("sound.ogg", "ogg", "OGG (Vorbis)", "audio", ("vorbis",)),
    Made("sound.opus", "opus", "Opus", "audio", ("libopus",)),
    Made("sound.m4a", "m4a", "M4A (AAC)", "audio", ("aac",)),
    Made("lossless.m4a", "alac", "M4A (Apple Lossless)", "audio", ("alac",)),
    Made("sound.aac", "aac", "AAC", "audio", ("aac",)),
    Made("sound.aiff", "aiff", "AIFF", "audio", ("pcm_s16be",)),
    Made("sound.wma", "wma", "WMA", "audio", ("wmav2",)),
)

_FFMPEG_FORMATS = {"wmv": "asf", "wma": "asf", "aac": "adts", "m4a": "ipod"}
_OPTIONS = {
    "libx264": {"crf": "20", "threads": "1"},
    "libx265": {"crf": "20", "x265-params": "log-level=none:pools=1:frame-threads=1"},
    "libsvtav1": {"crf": "30", "preset": "8", "svtav1-params": "lp=1"},
    "libvpx-vp9": {"crf": "24", "b": "0", "threads": "1"},
    "mpeg4": {"qscale": "3"},
    "vorbis": {"strict": "experimental"},
}


def fields() -> np.ndarray:
    """(height, width, 3) uint8."""
    picture = np.empty((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    for place, colour in enumerate(COLOURS):
        top, left = place // 2 * HEIGHT_PX // 2, place % 2 * WIDTH_PX // 2
        picture[top : top + HEIGHT_PX // 2, left : left + WIDTH_PX // 2] = colour
    return picture


def tone() -> np.ndarray:
    """(n,) int16."""
    times_s = np.arange(RATE_HZ * DURATION_MS // 1000) / RATE_HZ
    return np.round(LOUDNESS * 32767 * np.sin(2 * np.pi * TONE_HZ * times_s)).astype(np.int16)


def write_picture(path: Path) -> None:
    image = Image.fromarray(fields())
    if path.suffix == ".heic":
        with tempfile.TemporaryDirectory() as work:
            image.save(Path(work, "fields.png"))
            _run("heif-enc", "-q", "90", "-o", str(path), str(Path(work, "fields.png")))
    elif path.suffix == ".gif":
        image.quantize(len(COLOURS), dither=Image.Dither.NONE).save(path)
    elif path.suffix == ".tiff":
        image.save(path, compression="tiff_lzw")
    else:
        image.save(path, quality=90)


def write_with_pyav(made: Made, path: Path) -> None:
    format_name = _FFMPEG_FORMATS.get(path.suffix[1:])
    with av.open(str(path), "w", format=format_name, options=_SAME_BYTES) as container:
        streams = [_add_stream(container, codec, made) for codec in made.codecs]
        for stream in streams:
            stream.codec_context.flags |= av.codec.context.Flags.bitexact
        if made.kind == "video":
            _encode_fields(container, streams[0])
        _encode_tone(container, cast(AudioStream, streams[-1]))


def _add_stream(container: OutputContainer, codec: str, made: Made):
    options = _OPTIONS.get(codec, {})
    if av.codec.Codec(codec, "w").type == "video":
        stream = container.add_stream(codec, rate=FRAMES_PER_S, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, made.pixels
        if codec == "mpeg2video":
            stream.codec_context.framerate = Fraction(25)  # the format knows a few rates only
            stream.codec_context.time_base = Fraction(1, 25)
        if made.tag:
            stream.codec_context.codec_tag = made.tag
        return stream
    layout = "stereo" if codec == "vorbis" else "mono"  # FFmpeg's own encoder of Vorbis knows no other
    rate = OPUS_RATE_HZ if "opus" in codec else RATE_HZ
    stream = container.add_stream(codec, rate=rate, layout=layout, options=options)
    if not codec.startswith(("pcm", "flac", "alac")):
        stream.bit_rate = BITS_PER_S
    return stream


def _encode_fields(container: OutputContainer, stream) -> None:
    rate = 25 if stream.codec_context.name == "mpeg2video" else FRAMES_PER_S
    for number in range(rate * DURATION_MS // 1000):
        frame = av.VideoFrame.from_ndarray(fields(), format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, rate)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _encode_tone(container: OutputContainer, stream: AudioStream) -> None:
    context = stream.codec_context
    if not context.is_open:
        context.open()
    resampler = av.AudioResampler(context.format, context.layout, context.sample_rate, context.frame_size or 4096)
    whole = av.AudioFrame.from_ndarray(tone()[None, :], format="s16", layout="mono")
    whole.sample_rate, whole.pts = RATE_HZ, 0
    for frame in [*resampler.resample(whole), *resampler.resample(None)]:
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def write_with_ffmpeg(made: Made, path: Path) -> None:
    with tempfile.TemporaryDirectory() as work:
        picture, sound = Path(work, "fields.png"), Path(work, "tone.wav")
        Image.fromarray(fields()).save(picture)
        write_with_pyav(Made(sound.name, "wav", "", "audio", ("pcm_s16le",)), sound)
        shown = ("-loop", "1", "-framerate", str(FRAMES_PER_S), "-i", str(picture), "-i", str(sound))
        codecs = ("-c:v", made.codecs[0], "-q:v", "8", "-pix_fmt", made.pixels, "-c:a", made.codecs[1])
        _run("ffmpeg", "-v", "error", "-y", *shown, "-t", str(DURATION_MS / 1000), *codecs, "-bitexact", str(path))


def _run(program: str, *arguments: str) -> None:
    if shutil.which(program) is None:
        sys.exit(f"{program} is needed and not there: see the head of this file.")
    subprocess.run([program, *arguments], check=True, stdout=subprocess.DEVNULL)


def manifest(folder: Path) -> str:
    """What the program reads to know what it should find."""
    colours = ", ".join(str(list(colour)) for colour in COLOURS)
    lines = [
        "# Made by packaging/make_checkup.py: what the files beside it hold.",
        f"size_px = [{WIDTH_PX}, {HEIGHT_PX}]",
        f"colours = [{colours}]",
        f"duration_ms = {DURATION_MS}",
        f"tone_hz = {TONE_HZ}",
        f"loudness = {LOUDNESS}",
    ]
    for made in FILES:
        digest = hashlib.sha256((folder / made.file).read_bytes()).hexdigest()
        lines += ["", "[[file]]", f'name = "{made.file}"', f'key = "{made.key}"', f'title = "{made.title}"']
        lines += [f'kind = "{made.kind}"', f'sha256 = "{digest}"']
    return "\n".join(lines) + "\n"


def make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for made in FILES:
        path = folder / made.file
        if made.kind == "photo":
            write_picture(path)
        elif made.codecs[0] == "libtheora":
            write_with_ffmpeg(made, path)
        else:
            write_with_pyav(made, path)
    (folder / "checkup.toml").write_text(manifest(folder), encoding="utf-8")


if __name__ == "__main__":
    make((Path(sys.argv[1]) if len(sys.argv) > 1 else RESOURCES_DIR) / "checkup")
