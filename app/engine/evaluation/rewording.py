"""Words made worse on purpose, or said otherwise, the same at every run: typing errors, case, templates."""

from __future__ import annotations

import random
from collections.abc import Callable

from app.engine.evaltypes import Disturbance
from app.engine.types import Modality

LETTERS_PER_TYPO = 8
LANGUAGE_PREFIX = "text-language-"

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
"""Of an English keyboard, each half a key further to the right."""


def disturbances(languages: tuple[str, ...] = ()) -> tuple[Disturbance, ...]:
    """Those of words; one for each of ``languages``, which are tags as "de"."""
    return (
        *(Disturbance(key, name, Modality.TEXT) for key, (name, _, _) in _WORDINGS.items()),
        *(Disturbance(LANGUAGE_PREFIX + tag, f"In another language: {tag}", Modality.TEXT) for tag in languages),
    )


def language(key: str) -> str | None:
    """The tag of a disturbance that takes the words in another language."""
    return key.removeprefix(LANGUAGE_PREFIX) if key.startswith(LANGUAGE_PREFIX) else None


def sought(key: str) -> Modality | None:
    """What words are to find for a disturbance to make sense ("the sound of" a picture does not); None: anything."""
    return _WORDINGS[key][1] if key in _WORDINGS else None


def reworded(text: str, key: str, seed: int) -> str:
    """The words as the disturbance makes them. KeyError for a key that is not one of words, or of a language."""
    return _WORDINGS[key][2](text, seed)


def with_typos(text: str, seed: int) -> str:
    """One typing error for every eight letters or digits, and at least one: two swapped, one left out, doubled, or hit
    beside. No word goes or comes. A text without letters stays as it is."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    cells = list(text)
    places = [place for place, letter in enumerate(text) if letter.isalnum()]
    wanted = max(1, len(places) // LETTERS_PER_TYPO) if places else 0
    chance.shuffle(places)
    touched: set[int] = set()
    for place in places:
        if wanted == 0:
            break
        if not touched & {place - 1, place, place + 1}:
            mistake = chance.choice(_possible_mistakes(text, place))
            cells[place : place + 2] = mistake(text, place, chance)
            touched |= {place, place + 1}
            wanted -= 1
    mistaken = "".join(cells)
    if mistaken == text and places:  # a letter too many here was one too few there
        return text[: places[0]] + text[places[0]] + text[places[0] :]
    return mistaken


Mistake = Callable[[str, int, random.Random], tuple[str, ...]]
"""A text, a place and chance → what stands instead of the two letters (or the last) from there."""


def _possible_mistakes(text: str, place: int) -> list[Mistake]:
    letter, following = text[place], text[place + 1 : place + 2]
    possible: list[Mistake] = [_doubled]
    if following.isalnum():
        possible += [_left_out] + ([_swapped] if following != letter else [])
    if _beside(letter):
        possible.append(_hit_beside)
    return possible


def _doubled(text: str, place: int, _chance: random.Random) -> tuple[str, ...]:
    return (text[place] * 2, *text[place + 1 : place + 2])


def _left_out(text: str, place: int, _chance: random.Random) -> tuple[str, ...]:
    return "", text[place + 1]


def _swapped(text: str, place: int, _chance: random.Random) -> tuple[str, ...]:
    return text[place + 1], text[place]


def _hit_beside(text: str, place: int, chance: random.Random) -> tuple[str, ...]:
    wrong = chance.choice(_beside(text[place].lower()))
    return (wrong.upper() if text[place].isupper() else wrong, *text[place + 1 : place + 2])


def _beside(letter: str) -> str:
    """The keys around a letter's; none for one that an English keyboard does not have."""
    for number, row in enumerate(_ROWS):
        if (column := row.find(letter.lower())) >= 0:
            above = _ROWS[number - 1][column : column + 2] if number else ""
            below = _ROWS[number + 1][max(0, column - 1) : column + 1] if number + 1 < len(_ROWS) else ""
            return row[max(0, column - 1) : column] + row[column + 1 : column + 2] + above + below
    return ""


def _template(words: str) -> Callable[[str, int], str]:
    return lambda text, _seed: words.format(text.strip()) if text.strip() else text


_WORDINGS: dict[str, tuple[str, Modality | None, Callable[[str, int], str]]] = {
    "text-typos": ("Typing errors", None, with_typos),
    "text-upper": ("UPPER CASE", None, lambda text, _seed: text.upper()),
    "text-lower": ("lower case", None, lambda text, _seed: text.lower()),
    "text-photo": ("“a photo of …”", Modality.IMAGE, _template("a photo of {}")),
    "text-picture": ("“a picture showing …”", Modality.IMAGE, _template("a picture showing {}")),
    "text-sound": ("“the sound of …”", Modality.AUDIO, _template("the sound of {}")),
}
