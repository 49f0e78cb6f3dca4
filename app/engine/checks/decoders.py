"""Decoders: a small file of every format that the program says it reads is decoded as indexing does, and what comes out
is held against what was put in: four fields of colour, a tone."""

from __future__ import annotations

import hashlib
import os
import time
import tomllib
from collections.abc import Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.engine.checks.telling import again, detail, fine, problem
from app.engine.checktypes import Finding
from app.engine.jobs import NULL_JOB, Job
from app.engine.media.decode import DecodedPart, DecodeRequest
from app.engine.media.pool import DecoderPool
from app.engine.samples import PictureInput, SoundInput
from app.engine.types import ItemKind

CHECKUP_DIR = "checkup"
MANIFEST = "checkup.toml"
TIME_LIMIT_S = 30.0
WORKERS = 2
PATIENCE_S = 180.0
"""With all of them: where no child can be started, no time limit begins."""
POLL_S = 0.1

PICTURE = PictureInput(32, 32, "squash", "bilinear")
SOUND = SoundInput(16_000)

_FIELDS_PX = ((4, 4), (4, 20), (20, 4), (20, 20))
_FIELD_PX = 8
"""In the middle of each field of `PICTURE`, where no neighbour shines in."""
_COLOUR_TOLERANCE = 24
"""Of 255; codecs are off by 3, and BT.709 taken for BT.601 is off by more than 24."""
_TONE_TOLERANCE_HZ = 8.0
_LENGTH_TOLERANCE = 0.15
"""Codecs that work in blocks add up to a tenth of a second."""
_LOUDNESS = (0.6, 1.3)
"""Of what was put in: a stereo file made of a mono tone gives 0.71 of it."""

_KINDS = {"photo": "Pictures", "video": "Videos", "audio": "Sounds"}


@dataclass(frozen=True)
class Expected:
    """What each file holds. ``loudness`` is the tone's amplitude; full scale is 1."""

    size_px: tuple[int, int]
    colours: tuple[tuple[int, ...], ...]
    duration_ms: int
    tone_hz: float
    loudness: float


@dataclass(frozen=True)
class Specimen:
    """One file. ``kind`` is "photo", "video" or "audio"."""

    path: Path
    key: str
    title: str
    kind: str
    sha256: str

    @property
    def finding_key(self) -> str:
        return f"decoder.{self.key}"

    @property
    def finding_title(self) -> str:
        return f"{_KINDS[self.kind]}: {self.title}"


def specimens(folder: Path) -> tuple[Expected, tuple[Specimen, ...]]:
    """What ships to be decoded.

    Raises:
        OSError, ValueError, KeyError, TypeError: it is damaged or not there.
    """
    table = tomllib.loads((folder / MANIFEST).read_text("utf-8"))
    expected = Expected(
        tuple(table["size_px"]),
        tuple(tuple(colour) for colour in table["colours"]),
        table["duration_ms"],
        table["tone_hz"],
        table["loudness"],
    )
    files = tuple(
        Specimen(folder / file["name"], file["key"], file["title"], file["kind"], file["sha256"])
        for file in table["file"]
    )
    return expected, files


def load() -> tuple[Finding, ...]:
    """Nothing: that this module could be imported is what there was to know."""
    return ()


def check(folder: Path, pool: DecoderPool, job: Job = NULL_JOB) -> Iterator[Finding]:
    """A finding for each format, in the manifest's order, as soon as it is known. The pool is the caller's.

    Raises:
        Cancelled: the job was cancelled.
    """
    try:
        expected, files = specimens(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        sentence = f"The files to try them with cannot be read ({detail(error)})."
        yield problem("decoders", "Decoders", sentence, again())
        return
    deadline_s = time.monotonic() + PATIENCE_S
    under_way = [(file, _begin(file, pool)) for file in files]
    for file, work in under_way:
        while isinstance(work, Future) and not wait([work], POLL_S).done and time.monotonic() < deadline_s:
            job.check()
        yield _finding(file, expected, work)


def _begin(file: Specimen, pool: DecoderPool) -> Future[DecodedPart] | str:
    """The decoding under way, or what is wrong with the file itself."""
    try:
        if hashlib.sha256(file.path.read_bytes()).hexdigest() != file.sha256:
            return f"{file.path.name}, with which it is tried, is damaged: so nothing is known of it."
    except OSError as error:
        return f"{file.path.name}, with which it is tried, cannot be read ({error.strerror or error})."
    return pool.decode(DecodeRequest(os.fsencode(file.path), (PICTURE,), (SOUND,)))


def _finding(file: Specimen, expected: Expected, work: Future[DecodedPart] | str) -> Finding:
    key, title = file.finding_key, file.finding_title
    if isinstance(work, str):
        return problem(key, title, work, again())
    remedy = again()
    if not work.done():
        return problem(key, title, "The decoder gives no answer.", remedy)
    try:
        part = work.result()
    except Exception as error:
        return problem(key, title, f"Such files cannot be read here: {_reason(error)}", remedy)
    if faults := list(_faults(part, file.kind, expected)):
        return problem(key, title, f"Decoded wrongly: {', '.join(faults)}.", remedy)
    return fine(key, title, "Decoded as it should be.")


def _reason(error: Exception) -> str:
    message = getattr(error, "message", "") or f"{detail(error)}."
    # What is said of a person's file is not true of ours.
    return "the decoder crashed." if "crashed" in message else message.split(". ")[0].rstrip(".") + "."


def _faults(part: DecodedPart, kind: str, expected: Expected) -> Iterator[str]:
    inputs: dict[ItemKind, Any] = {item.kind: item for item in part.items}
    if kind != "audio":
        yield from _faults_of_picture(part, inputs.get(ItemKind.FRAME if kind == "video" else ItemKind.PHOTO), expected)
    if kind != "photo":
        yield from _faults_of_sound(inputs.get(ItemKind.AUDIO), expected)


def _faults_of_picture(part: DecodedPart, item: Any, expected: Expected) -> Iterator[str]:
    if item is None:
        yield "no picture"
        return
    size_px = part.facts.width_px, part.facts.height_px
    if size_px != expected.size_px:
        yield f"{size_px[0]} × {size_px[1]} px instead of {expected.size_px[0]} × {expected.size_px[1]}"
    pixels = item.inputs[PICTURE].astype(np.int64)
    for (top, left), colour in zip(_FIELDS_PX, expected.colours, strict=True):
        seen = pixels[top : top + _FIELD_PX, left : left + _FIELD_PX].reshape(-1, 3).mean(axis=0)
        if np.abs(seen - colour).max() > _COLOUR_TOLERANCE:
            yield f"the colour {tuple(seen.round().astype(int).tolist())} instead of {colour}"
            return


def _faults_of_sound(item: Any, expected: Expected) -> Iterator[str]:
    if item is None:
        yield "no sound"
        return
    samples: npt.NDArray[np.float32] = item.inputs[SOUND]
    length_ms = samples.size * 1000 / SOUND.sample_rate_hz
    if abs(length_ms / expected.duration_ms - 1) > _LENGTH_TOLERANCE:
        yield f"{length_ms / 1000:.2f} s of sound instead of {expected.duration_ms / 1000:.2f}"
    spectrum = np.abs(np.fft.rfft(samples))
    tone_hz = float(spectrum.argmax()) * SOUND.sample_rate_hz / samples.size
    if abs(tone_hz - expected.tone_hz) > _TONE_TOLERANCE_HZ:
        yield f"a tone of {tone_hz:.0f} Hz instead of {expected.tone_hz:.0f}"
    loudness = float(samples.std()) * 2**0.5 / expected.loudness
    if not _LOUDNESS[0] < loudness < _LOUDNESS[1]:
        yield f"a tone {loudness:.2f} times as loud as it should be"
