"""The sounds of the sample library: which file holds what, and how it is played."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sample.sounds import (
    Signal,
    Sound,
    at,
    beat,
    bell,
    chirps,
    engine,
    melody,
    pluck,
    rain,
    strum,
    surf,
    tones,
)


def _sound(file: str, caption: str, play: Callable[[np.random.Generator], Signal], *also: str) -> Sound:
    return Sound(f"sounds/{file}", caption, play, frozenset((file.split("/")[0], *also)))


def _line(rng: np.random.Generator, notes: list[float], every_s: float, bright: float) -> Signal:
    """Single plucked notes, each ringing on under the next."""
    events = [(number * every_s, pluck(rng, note, 1.6, bright=bright)) for number, note in enumerate(notes)]
    return at(every_s * len(notes) + 1.2, events)


def _peal(notes: list[float], every_s: float, ring_s: float) -> Signal:
    length_s = every_s * len(notes) + 1.6
    return at(length_s, [(i * every_s, bell(note, length_s, ring_s)) for i, note in enumerate(notes)])


SOUNDS: list[Sound] = [
    _sound(
        "strings/guitar-chords.flac",
        "Strummed guitar chords",
        lambda r: strum(r, [[40, 47, 52, 55, 59, 64], [45, 52, 57, 60, 64], [43, 50, 55, 59, 62, 67]], 1.0),
    ),
    _sound(
        "strings/harp-arpeggio.flac",
        "A rising harp arpeggio",
        lambda r: _line(r, [48, 52, 55, 60, 64, 67, 72, 76, 79], 0.2, 0.25),
    ),
    _sound(
        "strings/plucked-bass.opus",
        "A plucked bass line",
        lambda r: _line(r, [28, 28, 35, 33, 31, 31, 38, 35], 0.36, 0.1),
    ),
    _sound(
        "strings/banjo-tune.mp3",
        "A quick tune on bright plucked strings",
        lambda r: _line(r, [67, 71, 74, 79, 74, 71, 69, 72, 76, 72, 67, 71, 74, 67], 0.16, 0.9),
    ),
    _sound("bells/church-bell.flac", "A deep church bell", lambda _: _peal([52, 52], 2.0, 2.4)),
    _sound("bells/small-bell.flac", "A small hand bell rings three times", lambda _: _peal([84, 84, 84], 0.7, 0.9)),
    _sound(
        "bells/wind-chimes.opus",
        "Wind chimes",
        lambda r: at(
            4.0,
            [
                (
                    float(t),
                    bell(
                        float(r.choice([81, 84, 86, 88, 91, 93])),
                        2.0,
                        0.8,
                        ((1.0, 1.0, 1.0), (2.76, 0.5, 0.5), (5.4, 0.25, 0.25)),
                    )
                    * np.float32(r.uniform(0.4, 1)),
                )
                for t in np.sort(r.uniform(0, 3, 14))
            ],
        ),
    ),
    _sound("bells/carillon.mp3", "A carillon of four bells", lambda _: _peal([76, 72, 74, 67], 0.75, 1.6)),
    _sound(
        "drums/rock-beat.flac",
        "A rock drum beat",
        lambda r: beat(
            r, 2, 0.17, {"kick": "x.....x.x.......", "snare": "....x.......x...", "hat": "x.x.x.x.x.x.x.x."[:16]}
        )[: 32_000 * 5],
    ),
    _sound(
        "drums/tom-roll.flac",
        "A roll over the toms",
        lambda r: beat(
            r,
            1,
            0.11,
            {
                "high tom": "xoxoxoxo................x.......",
                "low tom": "........xoxoxoxox.x.x.x.........",
                "kick": "........................x.......",
            },
        ),
    ),
    _sound(
        "drums/congas.opus", "Conga drums", lambda r: beat(r, 3, 0.16, {"conga": "x.oxx.ox", "low tom": "..x....."})
    ),
    _sound(
        "flutes/slow-flute.flac",
        "A slow flute melody",
        lambda r: melody(r, [(72, 0.9), (74, 0.5), (76, 0.9), (79, 1.4)]),
    ),
    _sound(
        "flutes/quick-flute.mp3",
        "A quick dance on the flute",
        lambda r: melody(
            r, [(n, 0.17) for n in (79, 81, 83, 84, 83, 81, 79, 76, 77, 79, 81, 77, 79, 76, 74, 72)], breath=0.04
        ),
    ),
    _sound(
        "flutes/bamboo-flute.opus",
        "A breathy bamboo flute",
        lambda r: melody(r, [(62, 1.2), (65, 0.5), (67, 1.0), (62, 1.3)], breath=0.22),
    ),
    _sound(
        "birds/blackbird.opus",
        "A blackbird sings",
        lambda r: chirps(r, 4.0, low_hz=1900, high_hz=3200, every_s=0.5, trill=4, rising=True),
    ),
    _sound(
        "birds/sparrows.opus",
        "Sparrows chirp",
        lambda r: chirps(r, 4.0, low_hz=3400, high_hz=5200, every_s=0.15, trill=2, rising=False),
    ),
    _sound(
        "birds/morning-birds.mp3",
        "Many birds sing in the morning",
        lambda r: (
            chirps(r, 5.0, low_hz=2600, high_hz=4200, every_s=0.3, trill=5, rising=False)
            + chirps(r, 5.0, low_hz=4500, high_hz=6500, every_s=0.4, trill=3, rising=True)
        ),
    ),
    _sound("water/gentle-rain.opus", "Gentle rain", lambda r: rain(r, 4.0, drops_per_s=45, hiss=0.12), "rain"),
    _sound("water/heavy-rain.opus", "Heavy rain", lambda r: rain(r, 4.0, drops_per_s=260, hiss=0.5), "rain"),
    _sound("water/waves-on-the-beach.opus", "Waves break on the beach", lambda r: surf(r, 14.0), "waves"),
    _sound("water/stormy-sea.mp3", "Stormy sea", lambda r: surf(r, 5.0, wave_s=1.9, deep=1.0), "waves"),
    _sound(
        "phones/dialling.flac",
        "Telephone keys are pressed",
        lambda _: tones(
            2.6,
            [
                (0.1 + 0.34 * i, 0.2, low, high)
                for i, (low, high) in enumerate(
                    ((697, 1209), (770, 1336), (852, 1477), (941, 1336), (697, 1477), (770, 1209), (852, 1336))
                )
            ],
        ),
    ),
    _sound(
        "phones/busy-line.flac",
        "The busy tone of a telephone",
        lambda _: tones(3.2, [(0.1 + 0.8 * i, 0.45, 480, 620) for i in range(4)]),
    ),
    _sound(
        "engines/motorbike.opus",
        "A motorbike revs its engine",
        lambda r: engine(r, 4.0, idle_hz=34, rev_hz=120, rough=5),
    ),
    _sound("engines/tractor.mp3", "A tractor engine idles", lambda r: engine(r, 4.0, idle_hz=17, rev_hz=22, rough=2.5)),
]
