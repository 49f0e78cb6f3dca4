"""Queries that are not independent count as one, and figures keep their promise all the same."""

from __future__ import annotations

import numpy as np
import pytest

from app.engine.evaltypes import Verdict
from app.engine.evaluation import resampling, statistics
from app.engine.evaluation.clusters import clusters, per_cluster, things_looked_for
from app.engine.evaluation.resampling import LEVEL
from app.engine.evaluation.verdicts import caution

PICTURES, CAPTIONS, TRIALS = 40, 5, 800


def groups(found: dict[int, int]) -> set[frozenset[int]]:
    return {frozenset(query for query in found if found[query] == number) for number in found.values()}


def test_the_same_query_and_the_same_relevant_items_make_a_cluster() -> None:
    keys = {1: "a", 2: "b", 3: "a", 4: "c", 5: "d", 6: "e"}
    grades = {1: {"x": 1}, 2: {"x": 2, "y": 0}, 3: {"z": 1}, 4: {"x": 1, "y": 1}, 5: {"y": 0}, 6: {"y": 0}}
    assert groups(clusters(keys, grades)) == {frozenset({1, 2, 3}), frozenset({4}), frozenset({5}), frozenset({6})}
    assert clusters({}, {}) == {}


def test_examples_of_one_class_look_for_one_thing() -> None:
    def examples(name: str, count: int) -> list[dict[str, int]]:
        files = [f"{name}{number}" for number in range(count)]
        return [{file: int(file != own) for file in files} | {"other": 0} for own in files]

    assert things_looked_for([*examples("cat", 3), *examples("dog", 25)]) == 2
    assert things_looked_for(examples("pair", 2)) == 2  # each looks for the other alone
    assert things_looked_for([{"bay": 1, "sea": 1}, {"sea": 1, "hut": 1, "ski": 1, "fox": 1}]) == 2
    assert things_looked_for([{"bay": 0}, {}, {"bay": 1}, {"bay": 2}]) == 3
    assert things_looked_for([]) == 0


def test_what_examples_of_few_classes_do_not_tell_is_said() -> None:
    assert "look for 10 different things" in caution(240, 240, 10)
    assert "all look for the same" in caution(25, 25, 1)
    assert caution(280, 56, 56) == ""  # captions of one picture count as one already
    assert caution(30, 30, 28) == caution(1, 1, 1) == caution(0, 0, 0) == ""


def test_the_mean_over_clusters_is_the_mean_over_queries() -> None:
    values = np.random.default_rng(1).random((12, 3))
    of_queries = np.array([0, 1, 1, 2, 2, 2, 3, 4, 5, 5, 5, 5])
    units = per_cluster(values, of_queries)
    assert units.shape == (6, 3)
    assert units.mean(axis=0) == pytest.approx(values.mean(axis=0))
    assert per_cluster(values, np.arange(12)).tolist() == values.tolist()


def captioned(random: np.random.Generator, ahead: float) -> np.ndarray:
    """(queries, trials): differences of two models, by the picture, and by the caption a little."""
    picture = random.normal(0, 0.3, (PICTURES, 1, TRIALS))
    captions = random.normal(0, 0.15, (PICTURES, CAPTIONS, TRIALS))
    return np.clip(picture + captions + ahead, -1, 1).reshape(-1, TRIALS)


def test_five_captions_of_a_picture_are_not_five_times_as_sure() -> None:
    random = np.random.default_rng(3)
    of_queries = np.repeat(np.arange(PICTURES), CAPTIONS)
    equal = captioned(random, 0.0)
    assert (resampling.randomization_test(equal) <= LEVEL).mean() > 0.2, "as if they were independent"
    units = per_cluster(equal, of_queries)
    assert 0.03 <= (resampling.randomization_test(units) <= LEVEL).mean() <= 0.07
    low, high = resampling.difference_intervals(units)
    assert 0.92 <= ((low <= 0) & (high >= 0)).mean() <= 0.98
    low, high = resampling.intervals(per_cluster(equal / 2 + 0.5, of_queries))
    assert 0.92 <= ((low <= 0.5) & (high >= 0.5)).mean() <= 0.98


def test_a_comparison_draws_clusters_and_counts_queries() -> None:
    random = np.random.default_rng(5)
    values = random.random(30)
    first, second = ({query: float(value) for query, value in enumerate(one)} for one in (values, values / 2))
    (single,) = statistics.compare({"a": first, "b": second}, "P@10", {})
    together = {query: query // 10 for query in range(30)}
    (clustered,) = statistics.compare({"a": first, "b": second}, "P@10", {}, together)
    assert (single.verdict, clustered.verdict) == (Verdict.BETTER, Verdict.OPEN)
    assert clustered.p_value == 0.25, "three clusters have eight signs"
    assert (clustered.queries, clustered.wins) == (30, 30)
    assert clustered.difference == single.difference


def test_an_interval_of_uneven_clusters_stays_within_what_is_possible() -> None:
    units = per_cluster(np.ones((12, 1)), np.array([0] * 9 + [1, 2, 3]))
    low, high = resampling.intervals(units)
    assert 0 <= low[0] < high[0] <= 1


def test_among_many_models_equals_are_not_claimed_by_luck() -> None:
    """Neighbours are just so far apart that it matters; nobody may be called alike in more than one of 20 rounds."""
    random = np.random.default_rng(8)
    wrong = single = 0
    rounds, models, queries = 60, 12, 60
    for _ in range(rounds):
        base = random.normal(0, 0.04, (models, queries)) + 0.0200001 * np.arange(models)[:, None] + 0.3
        values = {f"m{place}": dict(enumerate(row.tolist())) for place, row in enumerate(base)}
        found = statistics.compare(values, "AP", {})
        wrong += any(one.verdict is Verdict.ALIKE for one in found)
        single += any(
            one.low is not None and one.high is not None and one.low >= -0.02 and one.high <= 0.02 for one in found
        )
    assert wrong / rounds <= 0.1 < single / rounds
