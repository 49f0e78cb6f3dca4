"""Pictures of what people make: cities, boats, fruit bowls, balloons, cloth and posters."""

from __future__ import annotations

from sample import patterns, places, things
from sample.canvas import Colour
from sample.picture import BLUE_DAY, CRIMSON, DEEP_DAY, DUSK, GREY_DAY, MORNING, NIGHT, PASTEL, Picture, picture
from sample.places import Boat
from sample.things import Balloon, Fruit

RACE = tuple(
    Boat(x, y, size, sail, "#f2f2f0", stripe=stripe)
    for x, y, size, sail, stripe in (
        (90, 262, 52, "#ffffff", "#d8352f"),
        (190, 270, 60, "#fdfdfd", "#2f6fd8"),
        (300, 262, 48, "#ffffff", "#f2b632"),
        (400, 284, 82, "#ffffff", "#2a9a5a"),
        (530, 300, 104, "#fdfdfd", "#d8352f"),
        (150, 350, 140, "#ffffff", "#2f6fd8"),
    )
)
BOWLFUL = (
    ("orange", 240, 270, 56),
    ("orange", 345, 262, 60),
    ("orange", 430, 285, 52),
    ("orange", 295, 200, 55),
    ("orange", 392, 205, 52),
)
RED_YELLOW: tuple[Colour, ...] = ("#d8302c", "#f7c52f")
RAINBOW: tuple[Colour, ...] = ("#e23a3a", "#f28a2c", "#f7d23a", "#4aae4f", "#3f7fd8", "#8a4ac0")
BLUE_WHITE: tuple[Colour, ...] = ("#2f6fc8", "#f7f7f2")
HILLS: tuple[Colour, ...] = ("#8fae8a", "#5f8a5a")
INKS: tuple[Colour, ...] = ("#e8432e", "#f4b52a", "#1f5fa6", "#f3ead8", "#17202e")


def _fruits(*rows: tuple[str, float, float, float]) -> tuple[Fruit, ...]:
    return tuple(Fruit(*row) for row in rows)


MADE: list[Picture] = [
    picture(
        "city/skyline-by-the-river.jpg",
        "A city skyline at night mirrored in the river",
        lambda c: places.city(c, NIGHT, water=350),
    ),
    picture(
        "city/full-moon-over-the-city.jpg",
        "The full moon stands over the lit windows of a city at night",
        lambda c: places.city(c, NIGHT, tallest=330, lit=0.35, extra="moon"),
    ),
    picture(
        "city/bridge-with-lights.jpg",
        "A bridge with lights in front of the city at night",
        lambda c: places.city(c, DUSK, water=340, tallest=200, extra="bridge"),
    ),
    picture(
        "city/rainy-night-in-the-city.jpg",
        "Rain falls on the city at night",
        lambda c: places.city(
            c,
            [(0, "#0c1424"), (300, "#22304a"), (480, "#3a4a66")],
            haze="#4a5f80",
            lit=0.3,
            extra="rain",
            windows=("#ffd0a0", "#a8d8ff", "#ffe9bd"),
        ),
    ),
    picture(
        "city/skyscrapers-after-sunset.jpg",
        "Skyscrapers with lit windows shortly after sunset",
        lambda c: places.city(
            c,
            [(0, "#2a2a5a"), (220, "#8a4a7a"), (380, "#f08a5a"), (480, "#ffc890")],
            tallest=360,
            haze="#a05a6a",
            tower="#1a1428",
            lit=0.3,
        ),
    ),
    picture(
        "boats/white-sails-on-a-blue-sea.jpg",
        "Two sailing boats with white sails on a blue sea",
        lambda c: places.sailing(
            c, BLUE_DAY, sea=("#4f97cc", "#0f4a86"), boats=(Boat(400, 350, 210), Boat(150, 270, 80))
        ),
    ),
    picture(
        "boats/regatta.jpg",
        "A regatta of many sailing boats",
        lambda c: places.sailing(c, DEEP_DAY, sea=("#5aa6c8", "#12608a"), boats=RACE, chop=0.7),
    ),
    picture(
        "boats/red-sail-by-the-lighthouse.jpg",
        "A boat with a red sail passes the lighthouse",
        lambda c: places.sailing(
            c,
            BLUE_DAY,
            sea=("#6aa8b8", "#1f5f70"),
            extra="lighthouse",
            boats=(Boat(210, 370, 190, "#d2432f", "#2a3a5a", jib="#f2e6d0"),),
        ),
    ),
    picture(
        "boats/boat-under-grey-clouds.jpg",
        "A sailing boat on a rough grey sea under heavy clouds",
        lambda c: places.sailing(
            c,
            GREY_DAY,
            sea=("#8a9ba6", "#3f525e"),
            cover=0.95,
            cloud=("#d8dee2", "#7a8894"),
            chop=1.0,
            boats=(Boat(300, 350, 170, "#e8e6de", "#30404a"),),
            extra="gulls",
        ),
    ),
    picture(
        "boats/evening-sail-home.jpg",
        "Boats sail home in the evening light",
        lambda c: places.sailing(
            c,
            PASTEL,
            sea=("#d8a8a8", "#4a5a8a"),
            cloud=("#fff0e0", "#c89ab0"),
            extra="coast",
            boats=(Boat(230, 360, 170, "#fff0d8", "#5a3a3a"), Boat(430, 285, 78, "#ffe6cc", "#6a4444")),
        ),
    ),
    picture(
        "fruit/bowl-of-oranges.jpg",
        "A bowl of oranges on a wooden table",
        lambda c: things.still_life(c, ("#3f5a66", "#6a8a90"), "#8a5a34", _fruits(*BOWLFUL), bowl="#2f6f9a"),
    ),
    picture(
        "fruit/bowl-of-apples.jpg",
        "Red and green apples in a white bowl",
        lambda c: things.still_life(
            c,
            ("#d8cdb8", "#efe6d4"),
            "#b07a48",
            _fruits(
                ("apple", 235, 275, 58),
                ("green apple", 342, 262, 62),
                ("apple", 440, 282, 55),
                ("green apple", 285, 200, 54),
                ("apple", 388, 195, 58),
            ),
        ),
    ),
    picture(
        "fruit/lemons-on-a-table.jpg",
        "Lemons on a dark wooden table",
        lambda c: things.still_life(
            c,
            ("#24303a", "#3a4a52"),
            "#4a3022",
            _fruits(
                ("lemon", 190, 340, 62),
                ("lemon", 330, 330, 66),
                ("lemon", 265, 395, 64),
                ("lemon", 430, 390, 68),
                ("lemon", 480, 325, 56),
            ),
            bowl=None,
            edge=290,
        ),
    ),
    picture(
        "fruit/grapes-and-plums.jpg",
        "Purple grapes and plums on a table",
        lambda c: things.still_life(
            c,
            ("#5a4a5a", "#8a7480"),
            "#7a5238",
            _fruits(
                ("grape", 220, 310, 72),
                ("plum", 345, 360, 46),
                ("plum", 430, 350, 48),
                ("green grape", 520, 320, 62),
                ("plum", 390, 400, 48),
            ),
            bowl=None,
            edge=280,
        ),
    ),
    picture(
        "fruit/summer-fruit-bowl.jpg",
        "A bowl with peaches, plums, cherries and grapes",
        lambda c: things.still_life(
            c,
            ("#a8c0b0", "#d8e4d4"),
            "#c89a68",
            _fruits(
                ("peach", 235, 272, 58),
                ("plum", 335, 268, 50),
                ("peach", 432, 278, 58),
                ("green grape", 300, 205, 60),
                ("cherry", 400, 222, 27),
                ("cherry", 350, 222, 25),
            ),
            bowl="#e2d2b0",
        ),
    ),
    picture(
        "balloons/rainbow-balloon.jpg",
        "A rainbow-coloured hot-air balloon in the blue sky",
        lambda c: things.balloons(c, BLUE_DAY, (Balloon(320, 190, 140, RAINBOW),)),
    ),
    picture(
        "balloons/balloon-festival.jpg",
        "Many hot-air balloons at a festival",
        lambda c: things.balloons(
            c,
            DEEP_DAY,
            (
                Balloon(130, 130, 66, RED_YELLOW),
                Balloon(300, 220, 88, RAINBOW),
                Balloon(500, 130, 74, BLUE_WHITE),
                Balloon(430, 300, 44, ("#8a3ac0", "#f2b6d8")),
                Balloon(210, 340, 30, ("#2a9a6a", "#f7f2d8")),
                Balloon(580, 300, 26, RED_YELLOW),
            ),
            hills=HILLS,
        ),
    ),
    picture(
        "balloons/balloons-over-the-hills.jpg",
        "Two hot-air balloons drift over green hills in the morning",
        lambda c: things.balloons(
            c,
            MORNING,
            (Balloon(210, 170, 92, ("#e2574a", "#fdf2e0")), Balloon(460, 230, 56, ("#f2a63a", "#7a4a2a"))),
            hills=HILLS,
            cover=0.3,
        ),
    ),
    picture(
        "balloons/balloon-at-sunset.jpg",
        "A hot-air balloon in the red evening sky",
        lambda c: things.balloons(
            c,
            CRIMSON,
            (Balloon(350, 180, 110, ("#7a1f3a", "#f2a04a", "#c8402c")),),
            cloud=("#ffb27a", "#6b2a3c"),
            hills=("#4a1a2a", "#2a0f1c"),
        ),
    ),
    picture(
        "balloons/blue-and-white-balloon.jpg",
        "A blue and white balloon among the clouds",
        lambda c: things.balloons(
            c, BLUE_DAY, (Balloon(230, 200, 118, BLUE_WHITE, 16), Balloon(500, 330, 34, BLUE_WHITE)), cover=0.8
        ),
    ),
    picture(
        "cloth/red-tartan.jpg",
        "Red tartan cloth with green and white lines",
        lambda c: patterns.tartan(
            c, ((46, "#b01f24"), (20, "#1c4a34"), (7, "#f2eee0"), (20, "#1c4a34"), (46, "#b01f24"), (9, "#1a1f3a"))
        ),
    ),
    picture(
        "cloth/blue-striped-fabric.webp",
        "Striped fabric in blue and white",
        lambda c: patterns.stripes(c, ((34, "#f4f3ec"), (34, "#2f5fa8"), (10, "#f4f3ec"), (10, "#7fa6d8"))),
    ),
    picture(
        "cloth/knitted-wool.jpg",
        "Knitted wool with a winter pattern",
        lambda c: patterns.knit(
            c,
            ("#b8343a", "#b8343a", "#f4efe4"),
            motif="x...x.../.x.x.x.x/..x...x./.x.x.x.x/x...x.../......../...x...x/........",
        ),
    ),
    picture(
        "cloth/grey-herringbone.jpg",
        "Grey herringbone tweed",
        lambda c: patterns.herringbone(c, "#c8c4bc", "#4a4a50"),
    ),
    picture(
        "cloth/deckchair-stripes.webp",
        "Deckchair fabric with wide stripes in summer colours",
        lambda c: patterns.stripes(
            c,
            ((60, "#f2c230"), (14, "#fbf6e6"), (44, "#e2603a"), (14, "#fbf6e6"), (52, "#2a9a9a"), (14, "#fbf6e6")),
            turn=0.35,
        ),
    ),
    picture(
        "posters/circles-and-squares.png",
        "A geometric poster of quarter circles and squares",
        lambda c: patterns.quarter_circles(c, "#f3ead8", INKS),
    ),
    picture(
        "posters/rainbow-arches.png",
        "A poster with rainbow arches",
        lambda c: patterns.rainbow_arcs(
            c, "#f6ecd9", ("#2f4a5f", "#e2603a", "#f2b23a", "#f6ecd9", "#7fb0a6", "#d85a6a")
        ),
    ),
    picture(
        "posters/blue-triangles.jpg",
        "A poster of blue and violet triangles",
        lambda c: patterns.facets(c, ("#1c2f6a", "#5a3a9a", "#2aa6c0", "#f29ac0")),
    ),
    picture(
        "posters/overlapping-discs.jpg",
        "Overlapping transparent discs on paper",
        lambda c: patterns.overlapping_discs(c, "#f7f1e4", ("#f7c648", "#f07a9a", "#5ab8d8", "#8ac86a")),
    ),
    picture(
        "posters/striped-sun.jpg",
        "A poster of a striped sun over waves",
        lambda c: patterns.sunburst(c, "#f7e6c4", ("#e8542e", "#1f4f6f", "#2f7f8f", "#6ab0a0")),
    ),
]
