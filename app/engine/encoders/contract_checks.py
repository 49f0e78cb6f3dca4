"""The checks behind ``python -m app.engine.encoders.contract``: one function for each promise an encoder makes.

They need nothing but the standard library and numpy, and hold without ``assert``, which Python can be told to skip.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from app.engine.encoders.base import Encoder, EncoderSpec, Scoring
from app.engine.encoders.plugins import wrong
from app.engine.errors import UnsupportedModality
from app.engine.samples import Picture, PictureInput, Sample, Sound, SoundInput, Text, Vectors
from app.engine.types import Modality

SAME = 0.9999
"""The least cosine of one sample encoded alone and in a batch: other batch sizes sum in another order."""

MANY = 7
SOUND_S = 2

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


class Broken(Exception):
    """A promise that is not kept; says which and how."""


@dataclass(frozen=True)
class Finding:
    """``problem`` "": the promise is kept."""

    title: str
    problem: str = ""


@dataclass(frozen=True)
class Probe:
    """What was seen of the encoder in a process of its own."""

    fingerprint: str
    connections: tuple[str, ...]
    printed: str


@dataclass
class Case:
    """One encoder, loaded twice."""

    encoder: Encoder
    again: Encoder
    probe: Callable[[], Probe]
    plugin: Any = None

    @cached_property
    def elsewhere(self) -> Probe:
        return self.probe()

    def kinds(self) -> list[Modality]:
        return sorted(self.encoder.spec.accepts)

    def encode(self, samples: Sequence[Sample]) -> Vectors:
        """The rows of some samples, of which the shape at least is right."""
        rows = np.asarray(self.encoder.encode(samples))
        if problem := wrong(rows, len(samples), self.encoder.spec.dim):
            raise Broken(problem)
        return rows


def samples_of(spec: EncoderSpec, modality: Modality) -> list[Sample]:
    """`MANY` different samples of a kind, the same at every call; sounds of several lengths."""
    random = np.random.default_rng(0)
    if modality is Modality.TEXT:
        return [Text(f"two dogs and a {colour} ball") for colour in _COLOURS]
    if modality is Modality.IMAGE:
        size_px = (spec.picture or PictureInput(224, 224)).size_px
        coarse = random.integers(0, 256, (MANY, 8, 8, 3), np.uint8)
        at = np.arange(size_px) * 8 // size_px
        return [Picture(np.ascontiguousarray(pixels[at][:, at])) for pixels in coarse]
    rate_hz = (spec.sound or SoundInput(32_000)).sample_rate_hz
    times_s = np.arange(rate_hz * SOUND_S) / rate_hz
    waves = [np.sin(2 * np.pi * 110 * 2**number * times_s) * random.uniform(0.1, 0.9) for number in range(MANY)]
    return [Sound(wave[: len(wave) // (1 + number % 2)].astype(np.float32)) for number, wave in enumerate(waves)]


_COLOURS = ("red", "green", "blue", "yellow", "black", "white", "brown")


def check_spec(case: Case) -> None:
    spec = case.encoder.spec
    _need(isinstance(spec, EncoderSpec), "spec is no EncoderSpec")
    _need(bool(spec.accepts) and spec.accepts <= set(Modality), f"accepts is {set(spec.accepts)}")
    _need(isinstance(spec.dim, int) and spec.dim > 0, f"dim is {spec.dim}")
    _need((spec.picture is not None) == (Modality.IMAGE in spec.accepts), "picture is for encoders of pictures alone")
    _need((spec.sound is not None) == (Modality.AUDIO in spec.accepts), "sound is for encoders of sounds alone")
    _need(bool(re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", spec.key)), f"the key {spec.key!r} has other characters")
    _need(spec.batch_size > 0 and case.encoder.batch_size > 0, "batch_size is below 1")
    _need(bool(case.encoder.device), "device is empty")
    _need(case.again.spec == spec, "it is another one when the encoder is loaded again")


def check_scoring(case: Case) -> None:
    scoring = getattr(case.encoder, "scoring", None)
    if scoring is not None:
        _need(isinstance(scoring, Scoring), "scoring is no Scoring")
        _need(scoring.kind in ("softmax", "sigmoid"), f"its kind is {scoring.kind!r}")
        _need(bool(np.isfinite([scoring.scale, scoring.bias]).all()), "its scale or bias is no number")
        _need(Modality.TEXT in case.encoder.spec.accepts, "scoring is for encoders that know words")


def check_plugin(case: Case) -> None:
    if case.plugin is not None:
        _need(getattr(case.plugin, "spec", None) == case.encoder.spec, "spec is not an attribute of the class too")
        for fact in ("name", "licence", "summary"):
            said = getattr(case.plugin, fact, "")
            _need(isinstance(said, str) and bool(said.strip()), f"{fact} is not a text that its class has")


def check_fingerprint(case: Case) -> None:
    fingerprint = case.encoder.fingerprint
    _need(bool(_FINGERPRINT.fullmatch(fingerprint)), f"{fingerprint!r} is no SHA-256 in small hex digits")
    _need(case.again.fingerprint == fingerprint, "it is another one when the encoder is loaded again")
    _need(case.elsewhere.fingerprint == fingerprint, "it is another one in another process")


def check_rows(case: Case) -> None:
    for kind in case.kinds():
        case.encode(samples_of(case.encoder.spec, kind))


def check_reload(case: Case) -> None:
    for kind in case.kinds():
        samples = samples_of(case.encoder.spec, kind)
        _need_same(case.encode(samples), case.again.encode(samples), "loaded again, it gives other vectors")


def check_different(case: Case) -> None:
    for kind in case.kinds():
        rows = case.encode(samples_of(case.encoder.spec, kind))
        _need(len(np.unique(rows, axis=0)) == MANY, f"two different samples ({kind}) have one vector")


def check_batches(case: Case) -> None:
    for kind in case.kinds():
        samples = samples_of(case.encoder.spec, kind)
        together = case.encode(samples)
        for size in (1, 2, 3):
            parts = [case.encode(samples[at : at + size]) for at in range(0, MANY, size)]
            _need_same(np.concatenate(parts), together, f"in batches of {size} it gives other vectors than of {MANY}")


def check_order(case: Case) -> None:
    for kind in case.kinds():
        samples = samples_of(case.encoder.spec, kind)
        _need_same(case.encode(samples[::-1])[::-1], case.encode(samples), "the rows are not in the samples' order")


def check_empty(case: Case) -> None:
    case.encode([])


def check_others(case: Case) -> None:
    spec = case.encoder.spec
    for kind in sorted(set(Modality) - spec.accepts):
        try:
            case.encoder.encode(samples_of(spec, kind)[:1])
        except UnsupportedModality:
            continue
        raise Broken(f"it takes samples it does not accept ({kind}): raise UnsupportedModality")


def check_odd_sounds(case: Case) -> None:
    if sound := case.encoder.spec.sound:
        for name, wave in {
            "one sample long": np.full(1, 0.5),
            "of 10 ms": np.full(sound.sample_rate_hz // 100, 0.5),
            "that is silent": np.zeros(sound.sample_rate_hz),
            "at full scale": np.resize([1.0, -1.0], sound.sample_rate_hz),
        }.items():
            _odd(case, f"a sound {name}", [Sound(wave.astype(np.float32))])


def check_odd_pictures(case: Case) -> None:
    if picture := case.encoder.spec.picture:
        for name, level in (("black", 0), ("white", 255)):
            pixels = np.full((picture.size_px, picture.size_px, 3), level, np.uint8)
            _odd(case, f"a {name} picture", [Picture(pixels)])


def check_odd_texts(case: Case) -> None:
    if Modality.TEXT in case.encoder.spec.accepts:
        for name, text in {
            "an empty text": "",
            "a long text": "a dog on the beach " * 1000,
            "emoji": "👩🏽‍🚀🐕‍🦺🏖️",
            "other scripts": "犬 на пляже على الشاطئ",
            "control characters": "\x00\x1b\n\u202e\ufffd",
        }.items():
            _odd(case, name, [Text(text)])


def check_threads(case: Case) -> None:
    work = [  # each in another order: an encoder that takes one thread's samples for another's then shows it
        [*samples[turn:], *samples[:turn]]
        for samples in (samples_of(case.encoder.spec, kind) for kind in case.kinds())
        for turn in range(4)
    ]
    alone = [case.encode(samples) for samples in work]
    with ThreadPoolExecutor(2) as pool:
        for rows, expected in zip(pool.map(case.encode, work), alone, strict=True):
            _need_same(rows, expected, "in two threads at a time it gives other vectors")


def check_unchanged(case: Case) -> None:
    for kind in case.kinds():
        samples = samples_of(case.encoder.spec, kind)
        case.encode(samples)
        for sample, fresh in zip(samples, samples_of(case.encoder.spec, kind), strict=True):
            _need(np.array_equal(_content(sample), _content(fresh)), f"it writes into the samples ({kind})")


def check_offline(case: Case) -> None:
    if case.elsewhere.connections:
        raise Broken(f"it opens a connection: {case.elsewhere.connections[0]}")


def check_quiet(case: Case) -> None:
    if case.elsewhere.printed:
        raise Broken(f"it prints: {case.elsewhere.printed[:80]!r}")


CHECKS: dict[str, Callable[[Case], None]] = {
    "its spec is sane": check_spec,
    "its class says what it is": check_plugin,
    "how likely words are is told soundly": check_scoring,
    "its fingerprint names its space": check_fingerprint,
    "rows are (n, dim) float32, finite, of length 1": check_rows,
    "loaded again it gives the same vectors": check_reload,
    "different samples have different vectors": check_different,
    "a sample has one vector in batches of all sizes": check_batches,
    "rows keep the order of the samples": check_order,
    "no samples give no rows": check_empty,
    "samples of other kinds are refused": check_others,
    "short, silent and loud sounds are encoded": check_odd_sounds,
    "black and white pictures are encoded": check_odd_pictures,
    "empty, long and strange texts are encoded": check_odd_texts,
    "two threads may use it at a time": check_threads,
    "samples are left as they are": check_unchanged,
    "nothing is fetched": check_offline,
    "nothing is printed": check_quiet,
}
"""By what they promise."""


def _need(is_kept: bool, problem: str) -> None:
    if not is_kept:
        raise Broken(problem)


def _need_same(rows: Vectors, expected: Vectors, problem: str) -> None:
    """Each row is its own expected one, and nearer to it than to any other: a network that was trained on nothing puts
    all samples close together."""
    least = float((rows.astype(np.float64) * expected).sum(1).min())
    _need(least >= SAME, f"{problem} (cosine {least:.6f})")
    distances = np.linalg.norm(rows[:, None].astype(np.float64) - expected[None], axis=2)
    _need(bool((distances.argmin(1) == np.arange(len(rows))).all()), f"{problem} (another sample's)")


def _odd(case: Case, name: str, samples: Sequence[Sample]) -> None:
    try:
        case.encode(samples)
    except Broken as broken:
        raise Broken(f"{name}: {broken}") from broken
    except Exception as error:  # code of somebody else
        raise Broken(f"{name}: {type(error).__name__}: {error}") from error


def _content(sample: Sample) -> Any:
    if isinstance(sample, Text):
        return sample.text
    return sample.pixels if isinstance(sample, Picture) else sample.samples
