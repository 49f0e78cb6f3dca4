"""Words made worse on purpose: seeded, with as many words as before, and never nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.evaluation import rewording
from app.engine.types import Modality

SENTENCES = st.lists(
    st.text("abcdefghijklmnopqrstuvwxyzäöüßéñА漢字09", min_size=1, max_size=12), min_size=1, max_size=8
)


@given(SENTENCES, st.integers(0, 2**64 - 1))
def test_typos_change_a_letter_and_no_number_of_words(words: list[str], seed: int) -> None:
    text = " ".join(words)
    mistaken = rewording.with_typos(text, seed)
    assert mistaken != text
    assert len(mistaken.split()) == len(words)
    assert mistaken == rewording.with_typos(text, seed)


@given(st.text(max_size=60), st.integers(0, 2**64 - 1))
def test_any_text_survives(text: str, seed: int) -> None:
    for one in rewording.disturbances():
        reworded = rewording.reworded(text, one.key, seed)
        assert bool(reworded.strip()) == bool(text.strip())
        assert rewording.reworded(text, one.key, seed) == reworded


@pytest.mark.parametrize("text", ["", " ", "...", "?!"])
def test_what_has_no_letters_has_no_typos(text: str) -> None:
    assert rewording.with_typos(text, 1) == text


def test_one_letter_gets_one_typo() -> None:
    for seed in range(30):
        mistaken = rewording.with_typos("a", seed)
        assert mistaken == "aa" or mistaken in set("qwsz")


def test_typos_come_with_the_length() -> None:
    text = "the quick brown fox jumps over the lazy dog and runs away"  # 45 letters: 5 typos
    for seed in range(20):
        mistaken = rewording.with_typos(text, seed)
        changed = sum(a != b for a, b in zip(text.split(), mistaken.split(), strict=True))
        assert 1 <= changed <= 5
        assert abs(len(mistaken) - len(text)) <= 5


def test_another_seed_gives_other_typos() -> None:
    assert len({rewording.with_typos("a red car in the snow", seed) for seed in range(10)}) > 5


def test_case_and_templates() -> None:
    said = {one.key: rewording.reworded("Red Car", one.key, 1) for one in rewording.disturbances()}
    assert said["text-upper"] == "RED CAR"
    assert said["text-lower"] == "red car"
    assert said["text-photo"] == "a photo of Red Car"
    assert said["text-picture"] == "a picture showing Red Car"
    assert said["text-sound"] == "the sound of Red Car"


def test_templates_name_what_they_are_for() -> None:
    assert rewording.sought("text-photo") is Modality.IMAGE
    assert rewording.sought("text-sound") is Modality.AUDIO
    assert rewording.sought("text-typos") is None


def test_every_language_is_a_disturbance_of_its_own() -> None:
    keys = [one.key for one in rewording.disturbances(("de", "pt-BR"))]
    assert [rewording.language(key) for key in keys if rewording.language(key)] == ["de", "pt-BR"]
