"""Pools: how far the rankings of several models differ, item by item and on the whole. Pure functions."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, pstdev

from app.engine.types import ItemKind, ItemRef


@dataclass(frozen=True)
class Ranking:
    """What one model found, best first, and the kinds of item that it can find at all."""

    items: tuple[ItemRef, ...]
    kinds: frozenset[ItemKind]


def contention(rankings: Sequence[Ranking]) -> dict[ItemRef, tuple[float, float]]:
    """How much the models disagree about each item that one of them found: larger tuples are more disputed.

    The first number is the variance ``4 p (1 - p)`` of finding it, 1 where half of the models did and 0 where all or
    one of one did; the second the standard deviation of the ranks that those gave who found it. A grade moves the
    difference of two models only where one found the item and the other did not, or further down: so the most disputed
    settle a comparison soonest (as in Moffat, Webber and Zobel, "Strategic system comparisons via targeted relevance
    judgments", SIGIR 2007). Models that cannot find items of a kind have no say about them.
    """
    ranks: dict[ItemRef, list[int]] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking.items, start=1):
            ranks.setdefault(item, []).append(rank)
    able = {kind: sum(kind in ranking.kinds for ranking in rankings) for kind in ItemKind}
    disputed = {}
    for item, given in ranks.items():
        share = len(given) / able[item.kind]
        disputed[item] = (4 * share * (1 - share), pstdev(given))
    return disputed


def disagreement(rankings: Sequence[Ranking]) -> float:
    """One less the mean average overlap of every two rankings: 0 where all are the same, 1 where no two share an item.

    Two models are compared by the kinds of item that both can find, and not at all where there is none. 0 for fewer
    than two that can be compared.
    """
    overlaps = []
    for one, other in combinations(rankings, 2):
        kinds = one.kinds & other.kinds
        if kinds:
            first, second = ([item for item in ranking.items if item.kind in kinds] for ranking in (one, other))
            overlaps.append(average_overlap(first, second))
    return 1.0 - fmean(overlaps) if overlaps else 0.0


def average_overlap(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """The mean over all depths d of the share that the first d of both lists have in common, 0 to 1; 1 for two empty
    ones. It weighs the top more than the bottom and needs no list to hold what the other holds (Fagin, Kumar and
    Sivakumar, "Comparing top k lists", 2003; Webber, Moffat and Zobel, "A similarity measure for indefinite rankings",
    2010, discuss it beside their rank-biased overlap)."""
    depth = max(len(first), len(second))
    if not depth:
        return 1.0
    seen_first: set[Hashable] = set()
    seen_second: set[Hashable] = set()
    shares = []
    for rank in range(depth):
        seen_first.update(first[rank : rank + 1])
        seen_second.update(second[rank : rank + 1])
        shares.append(len(seen_first & seen_second) / (rank + 1))
    return fmean(shares)


def most_disputed_first(rankings: Sequence[Ranking], shuffled: Sequence[ItemRef]) -> list[ItemRef]:
    """The items that the models disagree about most first; equals stay in the order of ``shuffled``."""
    disputed = contention(rankings)
    return sorted(shuffled, key=lambda item: disputed[item], reverse=True)
