"""Where models disagree, item by item and on the whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.evaluation.pooling import Ranking, average_overlap, contention, disagreement, most_disputed_first
from app.engine.types import ItemKind, ItemRef

PICTURES = frozenset({ItemKind.PHOTO, ItemKind.FRAME})
SOUNDS = frozenset({ItemKind.AUDIO})


def photo(letter: str) -> ItemRef:
    return ItemRef(letter.encode(), ItemKind.PHOTO, 0)


def sound(letter: str) -> ItemRef:
    return ItemRef(letter.encode(), ItemKind.AUDIO, 0)


def pictures(letters: str) -> Ranking:
    return Ranking(tuple(map(photo, letters)), PICTURES)


LISTS = st.lists(st.permutations("abcdefgh").map(lambda letters: pictures("".join(letters[:5]))), max_size=4)


def test_what_half_of_the_models_found_comes_first() -> None:
    rankings = [pictures("abcx"), pictures("abcy"), pictures("abdz"), pictures("abdw")]
    order = most_disputed_first(rankings, [photo(letter) for letter in "xyzwabcd"])
    assert "".join(ref.sha256.decode() for ref in order) == "cdxyzwab"


def test_among_what_all_found_the_ranks_decide() -> None:
    rankings = [pictures("abc"), pictures("cab")]
    assert most_disputed_first(rankings, [photo(letter) for letter in "abc"])[0] == photo("c")


def test_a_model_of_sounds_has_no_say_about_pictures() -> None:
    both = [pictures("ab"), pictures("ab"), Ranking((sound("s"),), SOUNDS)]
    assert contention(both)[photo("a")] == (0.0, 0.0)
    assert contention(both)[sound("s")] == (0.0, 0.0)
    assert disagreement(both) == 0.0


def test_average_overlap_is_the_published_one() -> None:
    # By hand: 0/1, 1/2, 2/3, 3/4 of the first one to four in common.
    assert average_overlap("abcd", "bacd"[::1]) == pytest.approx((0 + 2 / 2 + 3 / 3 + 4 / 4) / 4)
    assert average_overlap("abcd", "zbcd") == pytest.approx((0 + 1 / 2 + 2 / 3 + 3 / 4) / 4)
    assert average_overlap("", "") == 1.0
    assert average_overlap("a", "") == 0.0


@given(LISTS)
def test_disagreement_is_a_share_and_symmetric(rankings: list[Ranking]) -> None:
    assert 0.0 <= disagreement(rankings) <= 1.0
    assert disagreement(rankings) == pytest.approx(disagreement(rankings[::-1]))
    assert disagreement([ranking for ranking in rankings[:1] for _ in range(3)]) == 0.0


def test_models_that_share_nothing_disagree_wholly() -> None:
    assert disagreement([pictures("abc"), pictures("def"), pictures("ghi")]) == 1.0


@given(LISTS)
def test_the_order_holds_every_item_once_whoever_found_it(rankings: list[Ranking]) -> None:
    pool = sorted({ref for ranking in rankings for ref in ranking.items}, key=lambda ref: ref.sha256)
    order = most_disputed_first(rankings, pool)
    assert sorted(order, key=lambda ref: ref.sha256) == pool
    assert order == most_disputed_first(rankings[::-1], pool)
