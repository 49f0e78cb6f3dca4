"""Pictures of nature: sunsets, mountains, forests, flowers, snow and stars."""

from __future__ import annotations

from sample import landscapes, places, things
from sample.picture import (
    BLUE_DAY,
    CRIMSON,
    DEEP_DAY,
    DUSK,
    EVENING,
    GOLD,
    GREY_DAY,
    MORNING,
    NIGHT,
    PASTEL,
    VIOLET,
    Picture,
    picture,
)

NATURE: list[Picture] = [
    picture(
        "sunset/sunset-over-calm-sea.jpg",
        "Sunset over a calm sea with a path of light on the water",
        lambda c: landscapes.sunset(c, EVENING, sun_at=(380, 262), ripple=2.5),
    ),
    picture(
        "sunset/sailing-boat-before-the-sun.jpg",
        "A sailing boat crosses the sea in front of the setting sun",
        lambda c: landscapes.sunset(c, CRIMSON, sun_at=(270, 240), sun_radius=40, glow="#ff7a2a", extra="boat"),
        "boats",
    ),
    picture(
        "sunset/palms-at-sunset.jpg",
        "Dark palm trees on a beach at sunset",
        lambda c: landscapes.sunset(
            c, GOLD, sun_at=(420, 235), sun_radius=30, glow="#ffb54a", sea="#4a3020", extra="palms"
        ),
    ),
    picture(
        "sunset/gulls-in-the-evening-sky.jpg",
        "Sea gulls in a pastel evening sky over the sea",
        lambda c: landscapes.sunset(
            c,
            PASTEL,
            sun_at=(200, 250),
            glow="#ffc090",
            sea="#4a6a98",
            cover=0.6,
            cloud=("#fff0e6", "#b89ac0"),
            extra="gulls",
        ),
    ),
    picture(
        "sunset/islands-after-sundown.jpg",
        "Islands in a violet sea just before the sun goes down",
        lambda c: landscapes.sunset(
            c, VIOLET, sun_at=(450, 268), glow="#ff8ab0", cloud=("#ff9ac0", "#2a1a4a"), extra="islands"
        ),
    ),
    picture(
        "mountains/blue-ridges-at-dusk.jpg",
        "Blue mountain ridges one behind another at dusk",
        lambda c: landscapes.mountains(c, DUSK, far="#8a86b8", near="#10142e", layers=6, mist="#d0a0b8"),
    ),
    picture(
        "mountains/snowy-peaks-by-day.jpg",
        "Snow-covered mountain peaks under a blue sky",
        lambda c: landscapes.mountains(c, DEEP_DAY, far="#7f93b0", near="#2c4a38", layers=4, snow="#ffffff", peak=155),
        "snow",
    ),
    picture(
        "mountains/mountain-lake.jpg",
        "Snowy mountains mirrored in a still lake",
        lambda c: landscapes.mountains(
            c, BLUE_DAY, far="#8a9ab8", near="#33553f", layers=4, snow="#f7fbff", peak=150, top=165, lake=318
        ),
        "snow",
    ),
    picture(
        "mountains/morning-mist-in-the-valleys.jpg",
        "Morning mist lies in the valleys between the mountains",
        lambda c: landscapes.mountains(
            c, MORNING, far="#c8c0d0", near="#3a4a5a", layers=6, mist="#fff4e6", light_at=(430, 150, 22, "#ffe0a8")
        ),
    ),
    picture(
        "mountains/red-desert-mountains.jpg",
        "Red desert mountains in the last light of the evening",
        lambda c: landscapes.mountains(c, EVENING, far="#c8806a", near="#5a1f18", layers=5, peak=120, cover=0.15),
    ),
    picture(
        "forest/firs-in-fog.jpg",
        "Fir trees disappear in the fog",
        lambda c: places.conifers(c, "#c3ccd2", "#1c2f30"),
    ),
    picture(
        "forest/sun-rays-in-the-fir-wood.jpg",
        "Sun rays fall through the fir forest",
        lambda c: places.conifers(c, "#b8c890", "#16301c", light="#fff0a8"),
    ),
    picture(
        "forest/green-beech-wood.jpg",
        "A green beech forest in early summer",
        lambda c: places.woods(
            c, air="#cfe6a0", bark="#5a5148", leaves=("#7fb83a", "#9ccf4a", "#5f9a30"), floor="#6a7a3a"
        ),
    ),
    picture(
        "forest/autumn-wood.jpg",
        "An autumn forest with yellow and red leaves",
        lambda c: places.woods(
            c, air="#f6dca0", bark="#4a3628", leaves=("#e8a020", "#d8601c", "#b8321c", "#f2c83a"), floor="#8a5a28"
        ),
    ),
    picture(
        "forest/birches.jpg",
        "White birch trees with bright leaves in the forest",
        lambda c: places.woods(
            c,
            air="#dfeede",
            bark="#f2efe8",
            leaves=("#b8d048", "#e0d850", "#8fb84a"),
            floor="#7f9a50",
            birch=True,
            layers=5,
        ),
    ),
    picture(
        "flowers/daisy-meadow.jpg",
        "White daisies in a green meadow",
        lambda c: things.meadow(c, ("daisy",), sky=BLUE_DAY),
    ),
    picture(
        "flowers/poppy-field.jpg",
        "A field full of red poppies",
        lambda c: things.meadow(c, ("poppy",), sky=MORNING, count=460, grass=("#a8b860", "#5a7a30")),
    ),
    picture(
        "flowers/tulips-in-rows.jpg",
        "Colourful tulips planted in rows",
        lambda c: things.meadow(c, ("tulip",), sky=DEEP_DAY, count=420, rows=True),
    ),
    picture(
        "flowers/sunflowers.jpg",
        "Yellow sunflowers under a blue sky",
        lambda c: things.meadow(c, ("sunflower",), sky=DEEP_DAY, count=170, grass=("#9aa840", "#46702a"), horizon=200),
    ),
    picture(
        "flowers/lavender-and-cornflowers.jpg",
        "Purple lavender and blue cornflowers in a summer meadow",
        lambda c: things.meadow(c, ("lavender", "lavender", "cornflower"), sky=PASTEL, count=560),
    ),
    picture(
        "snow/snowman.jpg",
        "A snowman with a hat and a red scarf",
        lambda c: landscapes.snow(c, BLUE_DAY, extra="snowman"),
    ),
    picture(
        "snow/cabin-in-the-snow.jpg",
        "A wooden cabin with warm windows in the snow at night",
        lambda c: landscapes.snow(c, NIGHT, ground="#b8c8e6", shade="#4a5f96", tree="#16283a", extra="cabin"),
    ),
    picture(
        "snow/footprints-in-fresh-snow.jpg",
        "Footprints lead over a field of fresh snow",
        lambda c: landscapes.snow(c, MORNING, ground="#fffaf6", shade="#c0b8d8", flakes=60, trees=8, extra="tracks"),
    ),
    picture(
        "snow/snowfall-in-the-firs.jpg",
        "Snow falls on fir trees on a grey day",
        lambda c: landscapes.snow(c, GREY_DAY, ground="#f0f3f6", shade="#b0bcc8", trees=24, flakes=700),
    ),
    picture(
        "snow/moonlight-on-snow.jpg",
        "Moonlight on snowy hills with fir trees",
        lambda c: landscapes.snow(c, NIGHT, ground="#a8bce8", shade="#3a4f8a", tree="#101f38", flakes=40, extra="moon"),
        "stars",
    ),
    picture(
        "stars/milky-way.jpg",
        "The Milky Way over a dark mountain ridge",
        lambda c: landscapes.starry(
            c, [(0, "#050818"), (300, "#101a3c"), (480, "#2a3a5e")], galaxy="#a8b0f0", count=1500
        ),
    ),
    picture(
        "stars/northern-lights.jpg",
        "Green northern lights in a starry sky",
        lambda c: landscapes.starry(
            c, [(0, "#04101c"), (300, "#0a2436"), (480, "#14383e")], aurora=("#4af0a0", "#8a6af0")
        ),
    ),
    picture(
        "stars/star-trails.jpg",
        "Star trails turn around the pole of the night sky",
        lambda c: landscapes.starry(c, [(0, "#0a1030"), (300, "#141c44"), (480, "#3a3a6a")], trails=True),
    ),
    picture(
        "stars/camping-under-the-stars.jpg",
        "A lit tent under the stars",
        lambda c: landscapes.starry(
            c, [(0, "#0a0e2c"), (300, "#1c2458"), (480, "#5a4a78")], galaxy="#8088c8", extra="tent"
        ),
    ),
    picture(
        "stars/lone-tree-under-the-stars.jpg",
        "A lone bare tree under the starry sky at night",
        lambda c: landscapes.starry(c, [(0, "#101430"), (300, "#2c3468"), (480, "#6a6a98")], count=500, extra="tree"),
    ),
]
