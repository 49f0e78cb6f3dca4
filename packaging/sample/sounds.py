"""The sounds of the sample library, synthesised: (n,) float32 mono at 32 kHz, peaks at 0.8 of full scale."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Signal = npt.NDArray[np.floating[Any]]
SAMPLE_RATE_HZ = 32_000


@dataclass(frozen=True)
class Sound:
    """``themes`` are what is heard, its folder's theme first; two sounds that share one are alike."""

    file: str
    caption: str
    play: Callable[[np.random.Generator], Signal]
    themes: frozenset[str]

    def samples(self) -> Signal:
        """(n,) float32 mono at ``SAMPLE_RATE_HZ``, the same at every call."""
        signal = self.play(np.random.default_rng(zlib.crc32(self.file.encode())))
        fade = min(len(signal) // 4, SAMPLE_RATE_HZ // 50)
        signal[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
        return np.asarray(0.8 * signal / np.abs(signal).max(), np.float32)


def seconds(length_s: float) -> Signal:
    """The time of every sample, in seconds."""
    return np.arange(round(length_s * SAMPLE_RATE_HZ), dtype=np.float32) / SAMPLE_RATE_HZ


def hertz(note: float) -> float:
    """The frequency of a MIDI note number: 69 is 440 Hz, twelve to the octave."""
    return float(440 * 2 ** ((note - 69) / 12))


def at(length_s: float, events: list[tuple[float, Signal]]) -> Signal:
    """Sounds laid at their starting times in seconds, cut at the end."""
    total = np.zeros(round(length_s * SAMPLE_RATE_HZ), np.float32)
    for start_s, signal in events:
        first = round(start_s * SAMPLE_RATE_HZ)
        part = total[first : first + len(signal)]
        part += signal[: len(part)]
    return total


def band(noise: Signal, low_hz: float, high_hz: float, slope: float = 2.0) -> Signal:
    """Noise that keeps only what lies between two frequencies, falling off softly outside."""
    spectrum = np.fft.rfft(noise)
    frequency = np.fft.rfftfreq(len(noise), 1 / SAMPLE_RATE_HZ)
    keep = 1 / (1 + (frequency / high_hz) ** (2 * slope))
    keep *= 1 - 1 / (1 + (frequency / max(low_hz, 1)) ** (2 * slope))
    return np.fft.irfft(spectrum * keep, len(noise)).astype(np.float32)


def drift(rng: np.random.Generator, length_s: float, every_s: float, low: float, high: float) -> Signal:
    """A value that wanders smoothly between ``low`` and ``high``."""
    knots = rng.uniform(low, high, max(4, int(length_s / every_s) + 3))
    time = seconds(length_s)
    place = time / every_s
    index = np.minimum(place.astype(int), len(knots) - 2)
    share = (1 - np.cos(np.pi * np.clip(place - index, 0, 1))) / 2
    return np.asarray(knots[index] * (1 - share) + knots[index + 1] * share, np.float32)


# --- instruments -----------------------------------------------------------------------------------------------------


def pluck(
    rng: np.random.Generator, note: float, length_s: float, *, damping: float = 0.996, bright: float = 0.5
) -> Signal:
    """A plucked string (Karplus and Strong 1983): a burst of noise that circulates through an averaging filter.

    The delay line is run one period at a time, which numpy can do at once.
    """
    period = round(SAMPLE_RATE_HZ / hertz(note))
    line = rng.uniform(-1, 1, period)
    for _ in range(round((1 - bright) * 6)):
        line = (line + np.roll(line, 1)) / 2
    line -= line.mean()
    rounds = int(length_s * SAMPLE_RATE_HZ / period) + 1
    output = np.empty((rounds, period), np.float32)
    for index in range(rounds):
        output[index] = line
        line = damping * (line + np.roll(line, 1)) / 2
    return output.ravel()[: round(length_s * SAMPLE_RATE_HZ)]


def strum(
    rng: np.random.Generator, chords: list[list[float]], every_s: float, *, spread_s: float = 0.03, bright: float = 0.5
) -> Signal:
    length_s = every_s * len(chords) + 1.2
    events = [
        (number * every_s + string * spread_s, pluck(rng, note, length_s - number * every_s, bright=bright))
        for number, chord in enumerate(chords)
        for string, note in enumerate(chord)
    ]
    return at(length_s, events)


BELL_PARTIALS = (
    (0.5, 1.0, 1.0),
    (1.0, 0.9, 0.8),
    (1.2, 0.7, 0.65),
    (1.5, 0.5, 0.5),
    (2.0, 0.8, 0.45),
    (2.74, 0.4, 0.3),
    (3.76, 0.3, 0.2),
    (5.3, 0.18, 0.12),
)
"""Ratio to the strike note, strength, and share of the ring: hum, prime, tierce, quint, nominal and above, as church
bells are tuned."""


def bell(
    note: float, length_s: float, ring_s: float, partials: tuple[tuple[float, float, float], ...] = BELL_PARTIALS
) -> Signal:
    time = seconds(length_s)
    total = np.zeros_like(time)
    for ratio, strength, share in partials:
        for beat in (0.0, 0.0009):
            frequency_hz = hertz(note) * ratio * (1 + beat)
            if frequency_hz < SAMPLE_RATE_HZ / 2:
                total += strength * np.exp(-time / (ring_s * share)) * np.sin(2 * np.pi * frequency_hz * time)
    return total


def drum(rng: np.random.Generator, kind: str) -> Signal:
    time = seconds(0.7)
    noise = rng.normal(0, 1, len(time)).astype(np.float32)
    if kind == "kick":
        pitch = 48 + 110 * np.exp(-time / 0.035)
        return np.asarray(
            1.4 * np.sin(2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE_HZ) * np.exp(-time / 0.17), np.float32
        )
    if kind == "snare":
        body = np.sin(2 * np.pi * 190 * time) * np.exp(-time / 0.06)
        return np.asarray(0.7 * body + 0.7 * band(noise, 900, 9000) * np.exp(-time / 0.09), np.float32)
    if kind == "hat":
        return np.asarray(0.5 * band(noise, 7000, 14000, 4) * np.exp(-time / 0.035), np.float32)
    pitch_hz = {"low tom": 92.0, "high tom": 150.0, "conga": 230.0}[kind]
    pitch = pitch_hz * (1 + 0.35 * np.exp(-time / 0.05))
    skin = np.sin(2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE_HZ) * np.exp(-time / (0.28 if "tom" in kind else 0.12))
    return np.asarray(skin + 0.25 * band(noise, 500, 4000) * np.exp(-time / 0.012), np.float32)


def beat(rng: np.random.Generator, bars: int, step_s: float, lines: dict[str, str]) -> Signal:
    """A rhythm: each drum has a line of steps, where x is a stroke and o a soft one."""
    events = []
    for kind, line in lines.items():
        for step, mark in enumerate(line * bars):
            if mark in "xo":
                events.append((step * step_s, drum(rng, kind) * np.float32(1 if mark == "x" else 0.45)))
    return at(step_s * len(next(iter(lines.values()))) * bars + 0.4, events)


def flute(
    rng: np.random.Generator, note: float, length_s: float, *, breath: float = 0.06, vibrato_hz: float = 5.0
) -> Signal:
    """A blown tone: few harmonics, a slow start, vibrato that sets in late, and the noise of the breath."""
    time = seconds(length_s)
    swell = np.minimum(1, time / 0.09) * np.minimum(1, (length_s - time) / 0.08)
    wobble = 0.006 * np.sin(2 * np.pi * vibrato_hz * time) * np.minimum(1, time / 0.5)
    phase = 2 * np.pi * np.cumsum(hertz(note) * (1 + wobble)) / SAMPLE_RATE_HZ
    tone = sum(strength * np.sin(phase * k) for k, strength in ((1, 1.0), (2, 0.32), (3, 0.14), (4, 0.05)))
    air = band(rng.normal(0, 1, len(time)).astype(np.float32), hertz(note) * 0.8, hertz(note) * 3)
    return np.asarray(swell * (tone * (1 + 12 * wobble) + breath * 6 * air), np.float32)


def melody(rng: np.random.Generator, notes: list[tuple[float, float]], *, breath: float = 0.06) -> Signal:
    """(note, seconds) one after the other on the flute."""
    events, start = [], 0.0
    for note, length_s in notes:
        events.append((start, flute(rng, note, length_s + 0.06, breath=breath)))
        start += length_s
    return at(start + 0.2, events)


# --- nature ----------------------------------------------------------------------------------------------------------


def chirps(
    rng: np.random.Generator,
    length_s: float,
    *,
    low_hz: float,
    high_hz: float,
    every_s: float,
    trill: int,
    rising: bool,
) -> Signal:
    """Bird song: short glides in groups, with a little air around them."""
    events, start = [], 0.15
    while start < length_s - 0.4:
        middle = rng.uniform(low_hz, high_hz)
        for syllable in range(int(rng.integers(max(1, trill - 2), trill + 2))):
            time = seconds(float(rng.uniform(0.05, 0.11)))
            share = time / time[-1]
            glide = middle * (1 + 0.28 * (share if rising else 1 - share) + 0.05 * np.sin(2 * np.pi * 38 * time))
            tone = np.sin(2 * np.pi * np.cumsum(glide) / SAMPLE_RATE_HZ) * np.sin(np.pi * share).clip(0) ** 1.5
            events.append((start + syllable * 0.12, np.asarray(tone * rng.uniform(0.5, 1), np.float32)))
        start += every_s * float(rng.uniform(0.6, 1.4)) + 0.12 * trill
    leaves = band(rng.normal(0, 1, round(length_s * SAMPLE_RATE_HZ)).astype(np.float32), 800, 5000)
    return at(length_s, events) + 0.012 * leaves


def rain(rng: np.random.Generator, length_s: float, *, drops_per_s: int, hiss: float) -> Signal:
    """A hiss of many far drops and the ticks of near ones."""
    count = round(length_s * SAMPLE_RATE_HZ)
    far = band(rng.normal(0, 1, count).astype(np.float32), 1200, 9000, 1.0) * drift(rng, length_s, 0.7, 0.8, 1.1)
    events = []
    for start, size, pitch in rng.random((int(drops_per_s * length_s), 3)):
        time = seconds(0.03)
        tick = np.sin(2 * np.pi * (1500 + 5200 * pitch) * time) * np.exp(-time / (0.002 + 0.005 * size))
        events.append((start * (length_s - 0.05), np.asarray(tick * (0.15 + 0.85 * size**4), np.float32)))
    return hiss * far + 0.8 * at(length_s, events)


def surf(rng: np.random.Generator, length_s: float, *, wave_s: float = 4.2, deep: float = 0.5) -> Signal:
    """Waves on a beach: each swells, breaks into hiss and draws back."""
    count = round(length_s * SAMPLE_RATE_HZ)
    noise = rng.normal(0, 1, (3, count)).astype(np.float32)
    place = seconds(length_s) / wave_s + 0.15 * drift(rng, length_s, wave_s, -1, 1)
    share = place % 1
    ebb = np.minimum(1, (1 - share) / 0.25)
    swell = np.where(share < 0.35, (share / 0.35) ** 2.2, ebb * np.exp(-(share - 0.35) / 0.22))
    foam = np.where(share < 0.3, 0, ebb * np.exp(-(share - 0.3) / 0.3) * np.minimum(1, (share - 0.3) / 0.05))
    low, middle, high = band(noise[0], 40, 260), band(noise[1], 250, 1800), band(noise[2], 2000, 9000)
    return np.asarray(
        deep * 2.2 * low * (0.35 + swell) + 1.2 * middle * (0.08 + swell) + 0.7 * high * (0.05 + foam), np.float32
    )


# --- machines --------------------------------------------------------------------------------------------------------


def tones(length_s: float, pairs: list[tuple[float, float, float, float]]) -> Signal:
    """Two sines at a time: (start in s, length in s, first Hz, second Hz), as telephones use them."""
    events = []
    for start_s, tone_s, first_hz, second_hz in pairs:
        time = seconds(tone_s)
        edge = np.minimum(1, np.minimum(time, tone_s - time) / 0.008)
        events.append(
            (
                start_s,
                np.asarray(
                    edge * (np.sin(2 * np.pi * first_hz * time) + np.sin(2 * np.pi * second_hz * time)), np.float32
                ),
            )
        )
    return at(length_s, events)


def engine(rng: np.random.Generator, length_s: float, *, idle_hz: float, rev_hz: float, rough: float) -> Signal:
    """A hum of harmonics of the firing rate, which rises and falls once, with the clatter of the valves."""
    time = seconds(length_s)
    rate = (
        idle_hz + (rev_hz - idle_hz) * np.sin(np.pi * time / length_s) ** 2 + drift(rng, length_s, 0.1, -rough, rough)
    )
    phase = 2 * np.pi * np.cumsum(rate) / SAMPLE_RATE_HZ
    hum = sum(np.sin(k * phase + k * k) / k**0.9 for k in range(1, 14))
    clatter = band(rng.normal(0, 1, len(time)).astype(np.float32), 300, 3500) * (0.5 + 0.5 * np.sin(phase)) ** 4
    return np.asarray(hum + 1.6 * clatter, np.float32)
