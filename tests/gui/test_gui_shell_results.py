"""The order of tiles, and words for numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.types import FoundBy, Hit, ItemKind, MediaKind
from app.gui import wording
from app.gui.results import Results
from app.gui.tile import caption


def frame(rank: int, path: str) -> Hit:
    return Hit(rank, rank, path, MediaKind.VIDEO, ItemKind.FRAME, rank * 1000, None, 0.5, (FoundBy.MEANING,))


@given(st.lists(st.sampled_from("abcde"), max_size=30), st.sets(st.sampled_from("abcde")))
def test_every_hit_is_shown_once_when_all_is_unfolded_and_each_file_once_when_all_is_folded(
    paths: list[str], toggled: set[str]
) -> None:
    hits = [frame(rank, path) for rank, path in enumerate(paths, 1)]
    results = Results(hits)

    assert [tile.hit.path for tile in results] == list(dict.fromkeys(paths))
    assert len(results) + sum(tile.folded for tile in results) == len(hits)

    results.unfold(frozenset(paths))
    assert sorted(tile.hit.rank for tile in results) == [hit.rank for hit in hits]

    before = list(results)
    for path in toggled:
        results.toggle(path)
        results.toggle(path)
    assert list(results) == before


def test_what_was_unfolded_stays_so_in_the_next_reply() -> None:
    first, second = Results([frame(1, "a"), frame(2, "a")]), Results([frame(1, "b"), frame(2, "a"), frame(3, "a")])
    first.toggle("a")
    second.unfold(first.unfolded)
    assert [(tile.hit.path, tile.further) for tile in second] == [("b", False), ("a", False), ("a", True)]


@pytest.mark.parametrize(("at_ms", "words"), [(0, "0:00"), (7_400, "0:07"), (754_000, "12:34"), (3_723_000, "1:02:03")])
def test_moments(at_ms: int, words: str) -> None:
    assert wording.moment(at_ms) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(12, "less than a minute left"), (80, "about 1 minute left"), (600, "about 10 minutes left"),
     (7_800, "about 2 h 10 min left")],
)  # fmt: skip
def test_time_left(seconds: float, words: str) -> None:
    assert wording.remaining(seconds) == words


def test_a_similarity_is_a_cosine_and_never_a_per_cent(make_hit: Callable[..., Hit]) -> None:
    both = (FoundBy.KEYWORDS, FoundBy.MEANING)
    assert caption(make_hit(1, similarity=0.2834, found_by=both)) == "0.283 · meaning + keywords"
    assert caption(make_hit(1, similarity=-0.05)) == "−0.050 · meaning"
    assert caption(make_hit(1, similarity=None, found_by=(FoundBy.KEYWORDS,))) == "keywords"
