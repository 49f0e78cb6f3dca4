"""The order of tiles, and words for numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.types import FoundBy, Hit, ItemKind, MediaKind
from app.gui import wording
from app.gui.results import Results, Tile
from app.gui.tile import caption


def frame(rank: int, path: str) -> Hit:
    return Hit(rank, rank, path, MediaKind.VIDEO, ItemKind.FRAME, rank * 1000, None, 0.5, (FoundBy.MEANING,))


PATHS = st.lists(st.sampled_from("abcde"), max_size=30)
SOME = st.sets(st.sampled_from("abcde"))


def laid_out(hits: list[Hit], unfolded: set[str]) -> list[Tile]:
    """The tiles as they are described, made one after the other."""
    tiles = []
    for path in dict.fromkeys(hit.path for hit in hits):
        best, *further = [hit for hit in hits if hit.path == path]
        shown = path in unfolded and bool(further)
        tiles.append(Tile(best, len(further), shown))
        tiles += [Tile(hit, further=True) for hit in further] if shown else []
    return tiles


@given(PATHS, SOME)
def test_tiles_are_where_they_would_be_if_all_were_made(paths: list[str], unfolded: set[str]) -> None:
    hits = [frame(rank, path) for rank, path in enumerate(paths, 1)]
    results = Results(hits)
    results.unfold(frozenset(unfolded))
    expected = laid_out(hits, unfolded)
    assert list(results) == expected
    assert results[1:4] == expected[1:4]
    assert results.unfolded == {tile.hit.path for tile in expected if tile.unfolded}
    places = {tile.hit.item_id: place for place, tile in enumerate(expected)}
    assert [results.position(hit.item_id) for hit in hits] == [places.get(hit.item_id) for hit in hits]
    for place, tile in enumerate(expected):
        assert tile.further or results.place_of(tile.hit.path) == place


@given(PATHS, SOME)
def test_folding_twice_changes_nothing_and_folding_all_shows_each_file_once(
    paths: list[str], toggled: set[str]
) -> None:
    hits = [frame(rank, path) for rank, path in enumerate(paths, 1)]
    results = Results(hits)
    assert (len(results), results.hits, results.files) == (len(set(paths)), len(hits), len(set(paths)))
    for path in toggled:
        results.toggle(path)
    assert list(results) == laid_out(hits, toggled)
    for path in toggled:
        results.toggle(path)
    assert list(results) == laid_out(hits, set())


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
