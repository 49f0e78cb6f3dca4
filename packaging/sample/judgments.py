"""What is relevant for which query: the judgments that come with the sample library.

Two things are alike when they show or sound of the same theme, which the scripts know, having made them. Every
picture and frame is judged for every picture and text query, and every window of sound for every sound query.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from sample.encode import KEYFRAME_EVERY_S
from sample.pictures import PICTURES
from sample.sound_list import SOUNDS
from sample.sounds import SAMPLE_RATE_HZ
from sample.videos import VIDEOS

WINDOW_S = 10
"""A sound that is longer has a second window."""

TEXT_QUERIES: dict[str, frozenset[str]] = {
    "sunset over the sea": frozenset({"sunset"}),
    "sailing boat": frozenset({"boats"}),
    "sailing boat at sunset": frozenset({"boats", "sunset"}),
    "snow in winter": frozenset({"snow"}),
    "city at night": frozenset({"city"}),
    "flowers in a meadow": frozenset({"flowers"}),
    "bowl of fruit": frozenset({"fruit"}),
    "hot-air balloon": frozenset({"balloons"}),
    "stars in the night sky": frozenset({"stars"}),
}
"""The words, and the themes that a relevant picture has all of."""

PICTURE_QUERIES = (
    "pictures/sunset/sunset-over-calm-sea.jpg",
    "pictures/mountains/blue-ridges-at-dusk.jpg",
    "pictures/forest/firs-in-fog.jpg",
    "pictures/city/skyline-by-the-river.jpg",
    "pictures/flowers/poppy-field.jpg",
    "pictures/boats/white-sails-on-a-blue-sea.jpg",
    "pictures/snow/snowfall-in-the-firs.jpg",
    "pictures/stars/milky-way.jpg",
    "pictures/fruit/bowl-of-oranges.jpg",
    "pictures/balloons/balloons-over-the-hills.jpg",
)
SOUND_QUERIES = (
    "sounds/strings/guitar-chords.flac",
    "sounds/bells/church-bell.flac",
    "sounds/drums/rock-beat.flac",
    "sounds/flutes/slow-flute.flac",
    "sounds/birds/sparrows.opus",
    "sounds/water/heavy-rain.opus",
)


def qrels() -> str:
    """Lines of TREC's ``query 0 document grade``; names are percent-encoded paths, ``#`` and the start in ms."""
    return "".join(f"{query} 0 {document} {grade}\n" for query, document, grade in _judgments())


def _judgments() -> Iterator[tuple[str, str, int]]:
    seen = [(picture.file, "", picture.themes) for picture in PICTURES]
    seen += [
        (video.file, f"#{number * KEYFRAME_EVERY_S * 1000}" if number else "", themes)
        for video in VIDEOS
        for number, themes in enumerate(video.themes)
    ]
    heard = [(sound.file, "", sound.themes) for sound in SOUNDS]
    heard += [
        (sound.file, f"#{WINDOW_S * 1000}", sound.themes)
        for sound in SOUNDS
        if len(sound.samples()) > WINDOW_S * SAMPLE_RATE_HZ
    ]
    heard += [(video.file, "", frozenset(video.sound_themes)) for video in VIDEOS if video.sound]
    for words, themes in TEXT_QUERIES.items():
        for file, moment, shown in seen:
            yield f"text:{quote(words)}", quote(file) + moment, int(themes <= shown)
    for prefix, queries, documents in (("image", PICTURE_QUERIES, seen), ("sound", SOUND_QUERIES, heard)):
        for query in queries:
            theme = query.split("/")[1]
            for file, moment, themes in documents:
                if file != query:
                    yield f"{prefix}:{quote(query)}", quote(file) + moment, int(theme in themes)
