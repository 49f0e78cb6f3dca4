"""The pictures of the sample library: which file shows what, and how it is drawn."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from sample import landscapes, patterns, places, things
from sample.canvas import Canvas, Colour, Pixels
from sample.places import Boat
from sample.things import Balloon, Fruit


@dataclass(frozen=True)
class Picture:
    """``themes`` are what the picture shows, its folder's theme first; two pictures that share one are alike."""

    file: str
    caption: str
    draw: Callable[[Canvas], None]
    themes: frozenset[str]

    def pixels(self) -> Pixels:
        """(480, 640, 3) uint8 sRGB, the same at every call."""
        canvas = Canvas(zlib.crc32(self.file.encode()))
        self.draw(canvas)
        return canvas.finish()


PICTURES: list[Picture] = []


def _add(file: str, caption: str, draw: Callable[[Canvas], None], *also: str) -> None:
    PICTURES.append(Picture(f"pictures/{file}", caption, draw, frozenset((file.split("/")[0], *also))))


EVENING: landscapes.Stops = [(0, "#2c3a6e"), (120, "#8a5a8c"), (220, "#f08a5d"), (290, "#ffd08a")]
CRIMSON: landscapes.Stops = [(0, "#3a1436"), (130, "#a0283c"), (230, "#f2582c"), (300, "#ffb03a")]
PASTEL: landscapes.Stops = [(0, "#7f9fd0"), (130, "#d8a8c8"), (230, "#ffc9b0"), (290, "#fff0c8")]
GOLD: landscapes.Stops = [(0, "#6a4a2c"), (140, "#c8802c"), (240, "#ffc24a"), (300, "#fff0b0")]
VIOLET: landscapes.Stops = [(0, "#141033"), (140, "#4a2a78"), (240, "#c85a9a"), (300, "#ffb8a0")]
BLUE_DAY: landscapes.Stops = [(0, "#3f86d6"), (140, "#86bdf0"), (240, "#d6ecfa")]
DEEP_DAY: landscapes.Stops = [(0, "#1f5fb8"), (150, "#63a6e6"), (250, "#c3e2f6")]
GREY_DAY: landscapes.Stops = [(0, "#7f8f9f"), (140, "#aab8c4"), (250, "#dbe3e8")]
MORNING: landscapes.Stops = [(0, "#8fb8e0"), (160, "#ffd9c0"), (260, "#fff2dc")]
NIGHT: landscapes.Stops = [(0, "#060a1e"), (220, "#101c44"), (400, "#24386e")]
DUSK: landscapes.Stops = [(0, "#141b42"), (180, "#43407c"), (320, "#c0688a"), (420, "#f7b28a")]

_add(
    "sunset/sunset-over-calm-sea.jpg",
    "Sunset over a calm sea with a path of light on the water",
    lambda c: landscapes.sunset(c, EVENING, sun_at=(380, 262), ripple=2.5),
)
_add(
    "sunset/sailing-boat-before-the-sun.jpg",
    "A sailing boat crosses the sea in front of the setting sun",
    lambda c: landscapes.sunset(c, CRIMSON, sun_at=(270, 240), sun_radius=40, glow="#ff7a2a", extra="boat"),
    "boats",
)
_add(
    "sunset/palms-at-sunset.jpg",
    "Dark palm trees on a beach at sunset",
    lambda c: landscapes.sunset(c, GOLD, sun_at=(420, 235), sun_radius=30, glow="#ffb54a", sea="#4a3020", extra="palms"),
)
_add(
    "sunset/gulls-in-the-evening-sky.jpg",
    "Sea gulls in a pastel evening sky over the sea",
    lambda c: landscapes.sunset(c, PASTEL, sun_at=(200, 250), glow="#ffc090", sea="#4a6a98", cover=0.6,
                                cloud=("#fff0e6", "#b89ac0"), extra="gulls"),
)
_add(
    "sunset/islands-after-sundown.jpg",
    "Islands in a violet sea just before the sun goes down",
    lambda c: landscapes.sunset(c, VIOLET, sun_at=(450, 268), glow="#ff8ab0", cloud=("#ff9ac0", "#2a1a4a"), extra="islands"),
)

_add(
    "mountains/blue-ridges-at-dusk.jpg",
    "Blue mountain ridges one behind another at dusk",
    lambda c: landscapes.mountains(c, DUSK, far="#8a86b8", near="#10142e", layers=6, mist="#d0a0b8"),
)
_add(
    "mountains/snowy-peaks-by-day.jpg",
    "Snow-covered mountain peaks under a blue sky",
    lambda c: landscapes.mountains(c, DEEP_DAY, far="#7f93b0", near="#2c4a38", layers=4, snow="#ffffff", peak=155),
    "snow",
)
_add(
    "mountains/mountain-lake.jpg",
    "Snowy mountains mirrored in a still lake",
    lambda c: landscapes.mountains(c, BLUE_DAY, far="#8a9ab8", near="#33553f", layers=4, snow="#f7fbff", peak=150,
                                   top=165, lake=318),
)
_add(
    "mountains/morning-mist-in-the-valleys.jpg",
    "Morning mist lies in the valleys between the mountains",
    lambda c: landscapes.mountains(c, MORNING, far="#c8c0d0", near="#3a4a5a", layers=6, mist="#fff4e6",
                                   light_at=(430, 150, 22, "#ffe0a8")),
)
_add(
    "mountains/red-desert-mountains.jpg",
    "Red desert mountains in the last light of the evening",
    lambda c: landscapes.mountains(c, EVENING, far="#c8806a", near="#5a1f18", layers=5, peak=120, cover=0.15),
)

_add(
    "forest/firs-in-fog.jpg",
    "Fir trees disappear in the fog",
    lambda c: places.conifers(c, "#c3ccd2", "#1c2f30"),
)
_add(
    "forest/sun-rays-in-the-fir-wood.jpg",
    "Sun rays fall through the fir forest",
    lambda c: places.conifers(c, "#b8c890", "#16301c", light="#fff0a8"),
)
_add(
    "forest/green-beech-wood.jpg",
    "A green beech forest in early summer",
    lambda c: places.woods(c, air="#cfe6a0", bark="#5a5148", leaves=("#7fb83a", "#9ccf4a", "#5f9a30"), floor="#6a7a3a"),
)
_add(
    "forest/autumn-wood.jpg",
    "An autumn forest with yellow and red leaves",
    lambda c: places.woods(c, air="#f6dca0", bark="#4a3628", leaves=("#e8a020", "#d8601c", "#b8321c", "#f2c83a"), floor="#8a5a28"),
)
_add(
    "forest/birches.jpg",
    "White birch trees with bright leaves in the forest",
    lambda c: places.woods(c, air="#dfeede", bark="#f2efe8", leaves=("#b8d048", "#e0d850", "#8fb84a"), floor="#7f9a50", birch=True, layers=5),
)

_add(
    "city/skyline-by-the-river.jpg",
    "A city skyline at night mirrored in the river",
    lambda c: places.city(c, NIGHT, water=350),
)
_add(
    "city/full-moon-over-the-city.jpg",
    "The full moon stands over the lit windows of a city at night",
    lambda c: places.city(c, NIGHT, tallest=330, lit=0.35, extra="moon"),
)
_add(
    "city/bridge-with-lights.jpg",
    "A bridge with lights in front of the city at night",
    lambda c: places.city(c, DUSK, water=340, tallest=200, extra="bridge"),
)
_add(
    "city/rainy-night-in-the-city.jpg",
    "Rain falls on the city at night",
    lambda c: places.city(c, [(0, "#0c1424"), (300, "#22304a"), (480, "#3a4a66")], haze="#4a5f80", lit=0.3, extra="rain",
                          windows=("#ffd0a0", "#a8d8ff", "#ffe9bd")),
)
_add(
    "city/skyscrapers-after-sunset.jpg",
    "Skyscrapers with lit windows shortly after sunset",
    lambda c: places.city(c, [(0, "#2a2a5a"), (220, "#8a4a7a"), (380, "#f08a5a"), (480, "#ffc890")], tallest=360, haze="#a05a6a",
                          tower="#1a1428", lit=0.3),
)

_add(
    "flowers/daisy-meadow.jpg",
    "White daisies in a green meadow",
    lambda c: things.meadow(c, ("daisy",), sky=BLUE_DAY),
)
_add(
    "flowers/poppy-field.jpg",
    "A field full of red poppies",
    lambda c: things.meadow(c, ("poppy",), sky=MORNING, count=460, grass=("#a8b860", "#5a7a30")),
)
_add(
    "flowers/tulips-in-rows.jpg",
    "Colourful tulips planted in rows",
    lambda c: things.meadow(c, ("tulip",), sky=DEEP_DAY, count=420, rows=True),
)
_add(
    "flowers/sunflowers.jpg",
    "Yellow sunflowers under a blue sky",
    lambda c: things.meadow(c, ("sunflower",), sky=DEEP_DAY, count=170, grass=("#9aa840", "#46702a"), horizon=200),
)
_add(
    "flowers/lavender-and-cornflowers.jpg",
    "Purple lavender and blue cornflowers in a summer meadow",
    lambda c: things.meadow(c, ("lavender", "lavender", "cornflower"), sky=PASTEL, count=560),
)

RACE = tuple(
    Boat(x, y, size, sail, "#f2f2f0", stripe=stripe)
    for x, y, size, sail, stripe in (
        (90, 262, 52, "#ffffff", "#d8352f"), (190, 270, 60, "#fdfdfd", "#2f6fd8"), (300, 262, 48, "#ffffff", "#f2b632"),
        (400, 284, 82, "#ffffff", "#2a9a5a"), (530, 300, 104, "#fdfdfd", "#d8352f"), (150, 350, 140, "#ffffff", "#2f6fd8"),
    )
)
_add(
    "boats/white-sails-on-a-blue-sea.jpg",
    "Two sailing boats with white sails on a blue sea",
    lambda c: places.sailing(c, BLUE_DAY, sea=("#4f97cc", "#0f4a86"), boats=(Boat(400, 350, 210), Boat(150, 270, 80))),
)
_add(
    "boats/regatta.jpg",
    "A regatta of many sailing boats",
    lambda c: places.sailing(c, DEEP_DAY, sea=("#5aa6c8", "#12608a"), boats=RACE, chop=0.7),
)
_add(
    "boats/red-sail-by-the-lighthouse.jpg",
    "A boat with a red sail passes the lighthouse",
    lambda c: places.sailing(c, BLUE_DAY, sea=("#6aa8b8", "#1f5f70"), extra="lighthouse",
                             boats=(Boat(210, 370, 190, "#d2432f", "#2a3a5a", jib="#f2e6d0"),)),
)
_add(
    "boats/boat-under-grey-clouds.jpg",
    "A sailing boat on a rough grey sea under heavy clouds",
    lambda c: places.sailing(c, GREY_DAY, sea=("#8a9ba6", "#3f525e"), cover=0.95, cloud=("#d8dee2", "#7a8894"), chop=1.0,
                             boats=(Boat(300, 350, 170, "#e8e6de", "#30404a"),), extra="gulls"),
)
_add(
    "boats/evening-sail-home.jpg",
    "Boats sail home in the evening light",
    lambda c: places.sailing(c, PASTEL, sea=("#d8a8a8", "#4a5a8a"), cloud=("#fff0e0", "#c89ab0"), extra="coast",
                             boats=(Boat(230, 360, 170, "#fff0d8", "#5a3a3a"), Boat(430, 285, 78, "#ffe6cc", "#6a4444"))),
)

_add(
    "snow/snowman.jpg",
    "A snowman with a hat and a red scarf",
    lambda c: landscapes.snow(c, BLUE_DAY, extra="snowman"),
)
_add(
    "snow/cabin-in-the-snow.jpg",
    "A wooden cabin with warm windows in the snow at night",
    lambda c: landscapes.snow(c, NIGHT, ground="#b8c8e6", shade="#4a5f96", tree="#16283a", extra="cabin"),
)
_add(
    "snow/footprints-in-fresh-snow.jpg",
    "Footprints lead over a field of fresh snow",
    lambda c: landscapes.snow(c, MORNING, ground="#fffaf6", shade="#c0b8d8", flakes=60, trees=8, extra="tracks"),
)
_add(
    "snow/snowfall-in-the-firs.jpg",
    "Snow falls on fir trees on a grey day",
    lambda c: landscapes.snow(c, GREY_DAY, ground="#f0f3f6", shade="#b0bcc8", trees=24, flakes=700),
)
_add(
    "snow/moonlight-on-snow.jpg",
    "Moonlight on snowy hills with fir trees",
    lambda c: landscapes.snow(c, NIGHT, ground="#a8bce8", shade="#3a4f8a", tree="#101f38", flakes=40, extra="moon"),
    "stars",
)

_add(
    "stars/milky-way.jpg",
    "The Milky Way over a dark mountain ridge",
    lambda c: landscapes.starry(c, [(0, "#050818"), (300, "#101a3c"), (480, "#2a3a5e")], galaxy="#a8b0f0", count=1500),
)
_add(
    "stars/northern-lights.jpg",
    "Green northern lights in a starry sky",
    lambda c: landscapes.starry(c, [(0, "#04101c"), (300, "#0a2436"), (480, "#14383e")], aurora=("#4af0a0", "#8a6af0")),
)
_add(
    "stars/star-trails.jpg",
    "Star trails turn around the pole of the night sky",
    lambda c: landscapes.starry(c, [(0, "#0a1030"), (300, "#141c44"), (480, "#3a3a6a")], trails=True),
)
_add(
    "stars/camping-under-the-stars.jpg",
    "A lit tent under the stars",
    lambda c: landscapes.starry(c, [(0, "#0a0e2c"), (300, "#1c2458"), (480, "#5a4a78")], galaxy="#8088c8", extra="tent"),
)
_add(
    "stars/lone-tree-under-the-stars.jpg",
    "A lone bare tree under the starry sky at night",
    lambda c: landscapes.starry(c, [(0, "#101430"), (300, "#2c3468"), (480, "#6a6a98")], count=500, extra="tree"),
)

BOWLFUL = (("orange", 240, 270, 56), ("orange", 345, 262, 60), ("orange", 430, 285, 52), ("orange", 295, 200, 55), ("orange", 392, 205, 52))


def _fruits(*rows: tuple[str, float, float, float]) -> tuple[Fruit, ...]:
    return tuple(Fruit(*row) for row in rows)


_add(
    "fruit/bowl-of-oranges.jpg",
    "A bowl of oranges on a wooden table",
    lambda c: things.still_life(c, ("#3f5a66", "#6a8a90"), "#8a5a34", _fruits(*BOWLFUL), bowl="#2f6f9a"),
)
_add(
    "fruit/bowl-of-apples.jpg",
    "Red and green apples in a white bowl",
    lambda c: things.still_life(c, ("#d8cdb8", "#efe6d4"), "#b07a48", _fruits(
        ("apple", 235, 275, 58), ("green apple", 342, 262, 62), ("apple", 440, 282, 55), ("green apple", 285, 200, 54),
        ("apple", 388, 195, 58))),
)
_add(
    "fruit/lemons-on-a-table.jpg",
    "Lemons on a dark wooden table",
    lambda c: things.still_life(c, ("#24303a", "#3a4a52"), "#4a3022", _fruits(
        ("lemon", 190, 340, 62), ("lemon", 330, 330, 66), ("lemon", 265, 395, 64), ("lemon", 430, 390, 68),
        ("lemon", 480, 325, 56)), bowl=None, edge=290),
)
_add(
    "fruit/grapes-and-plums.jpg",
    "Purple grapes and plums on a table",
    lambda c: things.still_life(c, ("#5a4a5a", "#8a7480"), "#7a5238", _fruits(
        ("grape", 220, 310, 72), ("plum", 345, 360, 46), ("plum", 430, 350, 48), ("green grape", 520, 320, 62),
        ("plum", 390, 400, 48)), bowl=None, edge=280),
)
_add(
    "fruit/summer-fruit-bowl.jpg",
    "A bowl with peaches, plums, cherries and grapes",
    lambda c: things.still_life(c, ("#a8c0b0", "#d8e4d4"), "#c89a68", _fruits(
        ("peach", 235, 272, 58), ("plum", 335, 268, 50), ("peach", 432, 278, 58), ("green grape", 300, 205, 60),
        ("cherry", 400, 222, 27), ("cherry", 350, 222, 25)), bowl="#e2d2b0"),
)

RED_YELLOW: tuple[Colour, ...] = ("#d8302c", "#f7c52f")
RAINBOW: tuple[Colour, ...] = ("#e23a3a", "#f28a2c", "#f7d23a", "#4aae4f", "#3f7fd8", "#8a4ac0")
BLUE_WHITE: tuple[Colour, ...] = ("#2f6fc8", "#f7f7f2")
HILLS: tuple[Colour, ...] = ("#8fae8a", "#5f8a5a")
_add(
    "balloons/rainbow-balloon.jpg",
    "A rainbow-coloured hot-air balloon in the blue sky",
    lambda c: things.balloons(c, BLUE_DAY, (Balloon(320, 190, 140, RAINBOW),)),
)
_add(
    "balloons/balloon-festival.jpg",
    "Many hot-air balloons at a festival",
    lambda c: things.balloons(c, DEEP_DAY, (
        Balloon(130, 130, 66, RED_YELLOW), Balloon(300, 220, 88, RAINBOW), Balloon(500, 130, 74, BLUE_WHITE),
        Balloon(430, 300, 44, ("#8a3ac0", "#f2b6d8")), Balloon(210, 340, 30, ("#2a9a6a", "#f7f2d8")), Balloon(580, 300, 26, RED_YELLOW)),
        hills=HILLS),
)
_add(
    "balloons/balloons-over-the-hills.jpg",
    "Two hot-air balloons drift over green hills in the morning",
    lambda c: things.balloons(c, MORNING, (Balloon(210, 170, 92, ("#e2574a", "#fdf2e0")), Balloon(460, 230, 56, ("#f2a63a", "#7a4a2a"))),
                              hills=HILLS, cover=0.3),
)
_add(
    "balloons/balloon-at-sunset.jpg",
    "A hot-air balloon in the red evening sky",
    lambda c: things.balloons(c, CRIMSON, (Balloon(350, 180, 110, ("#7a1f3a", "#f2a04a", "#c8402c")),), cloud=("#ffb27a", "#6b2a3c"),
                              hills=("#4a1a2a", "#2a0f1c")),
)
_add(
    "balloons/blue-and-white-balloon.jpg",
    "A blue and white balloon among the clouds",
    lambda c: things.balloons(c, BLUE_DAY, (Balloon(230, 200, 118, BLUE_WHITE, 16), Balloon(500, 330, 34, BLUE_WHITE)), cover=0.8),
)

_add(
    "cloth/red-tartan.png",
    "Red tartan cloth with green and white lines",
    lambda c: patterns.tartan(c, ((46, "#b01f24"), (20, "#1c4a34"), (7, "#f2eee0"), (20, "#1c4a34"), (46, "#b01f24"), (9, "#1a1f3a"))),
)
_add(
    "cloth/blue-striped-fabric.webp",
    "Striped fabric in blue and white",
    lambda c: patterns.stripes(c, ((34, "#f4f3ec"), (34, "#2f5fa8"), (10, "#f4f3ec"), (10, "#7fa6d8"))),
)
_add(
    "cloth/knitted-wool.jpg",
    "Knitted wool with a winter pattern",
    lambda c: patterns.knit(c, ("#b8343a", "#b8343a", "#f4efe4"), motif="x...x.../.x.x.x.x/..x...x./.x.x.x.x/x...x.../......../...x...x/........"),
)
_add(
    "cloth/grey-herringbone.jpg",
    "Grey herringbone tweed",
    lambda c: patterns.herringbone(c, "#c8c4bc", "#4a4a50"),
)
_add(
    "cloth/deckchair-stripes.webp",
    "Deckchair fabric with wide stripes in summer colours",
    lambda c: patterns.stripes(c, ((60, "#f2c230"), (14, "#fbf6e6"), (44, "#e2603a"), (14, "#fbf6e6"), (52, "#2a9a9a"), (14, "#fbf6e6")),
                               turn=0.35),
)

INKS: tuple[Colour, ...] = ("#e8432e", "#f4b52a", "#1f5fa6", "#f3ead8", "#17202e")
_add(
    "posters/circles-and-squares.png",
    "A geometric poster of quarter circles and squares",
    lambda c: patterns.quarter_circles(c, "#f3ead8", INKS),
)
_add(
    "posters/rainbow-arches.png",
    "A poster with rainbow arches",
    lambda c: patterns.rainbow_arcs(c, "#f6ecd9", ("#2f4a5f", "#e2603a", "#f2b23a", "#f6ecd9", "#7fb0a6", "#d85a6a")),
)
_add(
    "posters/blue-triangles.jpg",
    "A poster of blue and violet triangles",
    lambda c: patterns.facets(c, ("#1c2f6a", "#5a3a9a", "#2aa6c0", "#f29ac0")),
)
_add(
    "posters/overlapping-discs.png",
    "Overlapping transparent discs on paper",
    lambda c: patterns.overlapping_discs(c, "#f7f1e4", ("#f7c648", "#f07a9a", "#5ab8d8", "#8ac86a")),
)
_add(
    "posters/striped-sun.png",
    "A poster of a striped sun over waves",
    lambda c: patterns.sunburst(c, "#f7e6c4", ("#e8542e", "#1f4f6f", "#2f7f8f", "#6ab0a0")),
)
