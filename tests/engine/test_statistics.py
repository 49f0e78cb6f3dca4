"""Intervals cover what they claim, tests claim nothing that is not there, and words say what the figures say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from app.engine.evaltypes import Comparison, Measured, ModelEvaluation, QueryEvaluation, Verdict
from app.engine.evaluation import measures, resampling, statistics
from app.engine.evaluation.frontier import frontier
from app.engine.evaluation.order import decisive_first, ranked
from app.engine.evaluation.resampling import LEVEL, paired

NAMES = {"a": "SigLIP 2", "b": "CLIP"}


def drawn(kind: str, queries: int, times: int, seed: int = 3) -> tuple[np.ndarray, float]:
    """(queries, times) figures of a measure as they come: skewed, many of them 0 or 1; and their true mean."""
    random = np.random.default_rng(seed)
    if kind == "P@5":
        return random.binomial(5, random.beta(0.6, 1.4, (queries, times))) / 5, 0.3
    if kind == "AP":
        return random.beta(0.6, 2.4, (queries, times)), 0.2
    ranks = random.geometric(0.4, (queries, times))
    return 1 / ranks, float((0.4 * 0.6 ** np.arange(200) / np.arange(1, 201)).sum())


@pytest.mark.parametrize("kind", ["P@5", "AP", "RR"])
@pytest.mark.parametrize("queries", [10, 20, 50])
def test_intervals_cover_the_true_mean(kind: str, queries: int) -> None:
    values, true = drawn(kind, queries, 2000)
    low, high = resampling.intervals(values)
    covered = ((low <= true) & (true <= high)).mean()
    assert 0.93 <= covered <= 0.975


@pytest.mark.parametrize("chance", [0.02, 0.05, 0.95, 0.98])
@pytest.mark.parametrize("queries", [20, 50, 100])
def test_intervals_of_what_nearly_always_or_never_succeeds_cover_it(chance: float, queries: int) -> None:
    successes = np.tril(np.ones((queries + 1, queries)), -1).T
    low, high = resampling.intervals(successes)
    covered = stats.binom.pmf(np.arange(queries + 1), queries, chance)[(low <= chance) & (chance <= high)].sum()
    assert covered >= 0.93


def test_recall_is_as_sure_as_the_precision_it_is_a_share_of() -> None:
    """Of 23 relevant documents five results can hold five: R@5 is P@5 by 5 / 23, and so are its ends."""
    precision = np.random.default_rng(7).binomial(5, 0.3, size=(12, 1)) / 5
    (most,) = measures.reachable(["R@5"], [np.ones(23, np.int8)])[0]
    assert most == pytest.approx(5 / 23)
    of_precision, of_recall = resampling.intervals(precision), resampling.intervals(precision * most, most=most)
    assert np.array(of_recall) == pytest.approx(np.array(of_precision) * most, abs=1e-6)


def test_intervals_hold_their_mean_and_stay_within_what_is_possible() -> None:
    values, _ = drawn("RR", 12, 300)
    low, high = resampling.intervals(values)
    assert (low <= values.mean(axis=0) + 1e-6).all()
    assert (high >= values.mean(axis=0) - 1e-6).all()
    assert low.min() >= 0
    assert high.max() <= 1


def test_equal_values_have_an_interval_all_the_same() -> None:
    low, high = resampling.intervals(np.zeros((20, 1)))
    assert low[0] == 0
    assert high[0] == pytest.approx(1 - 0.025 ** (1 / 20), abs=1e-6), "the exact interval of none in 20"
    low, high = resampling.intervals(np.full((30, 1), 0.5))
    assert low[0] < 0.5 < high[0]


def test_one_query_has_no_interval() -> None:
    low, high = resampling.intervals(np.ones((1, 2)))
    assert np.isnan(low).all()
    assert np.isnan(high).all()


def test_the_order_of_queries_changes_no_figure() -> None:
    values, _ = drawn("AP", 40, 5)
    shuffled = np.random.default_rng(1).permutation(values)
    assert [ends.tolist() for ends in resampling.intervals(values)] == [
        ends.tolist() for ends in resampling.intervals(shuffled)
    ]
    assert (
        resampling.randomization_test(values - 0.2).tolist() == resampling.randomization_test(shuffled - 0.2).tolist()
    )


@pytest.mark.parametrize("queries", [4, 9, 13])
def test_few_queries_are_tested_exactly(queries: int) -> None:
    differences = np.round(np.random.default_rng(queries).normal(0.2, 0.4, queries), 1)
    exact = stats.permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert resampling.randomization_test(differences) == pytest.approx(exact.pvalue)


def test_many_queries_are_tested_by_draws() -> None:
    differences = np.random.default_rng(5).normal(0, 0.3, 60)
    differences += 0.08 - differences.mean()
    many = stats.permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=40_000, rng=1)
    assert resampling.randomization_test(differences) == pytest.approx(many.pvalue, abs=0.012)


def test_a_clear_difference_gets_a_smaller_p_than_draws_can_tell() -> None:
    assert resampling.randomization_test(np.random.default_rng(5).normal(0.5, 0.3, 100)) < 1e-6


@pytest.mark.parametrize("queries", [20, 25, 60])
def test_tests_reject_as_rarely_as_they_should(queries: int) -> None:
    rejected = (resampling.randomization_test(of_equal_models(queries)) <= LEVEL).mean()
    assert 0.035 <= rejected <= 0.065


def test_with_few_queries_and_many_ties_tests_err_on_the_safe_side() -> None:
    assert 0.02 <= (resampling.randomization_test(of_equal_models(10)) <= LEVEL).mean() <= 0.05


def of_equal_models(queries: int) -> np.ndarray:
    """(queries, 4000) differences in P@10 of models that are equally good on every query."""
    random = np.random.default_rng(11)
    difficulty = random.beta(1, 1, (queries, 4000))
    differences: np.ndarray = (random.binomial(10, difficulty) - random.binomial(10, difficulty)) / 10
    return differences


@pytest.mark.parametrize("queries", [3, 6, 8, 14, 15, 16, 40])
@pytest.mark.parametrize("share", [1.0, 0.3])
def test_zero_is_outside_the_interval_exactly_where_the_test_rejects(queries: int, share: float) -> None:
    random = np.random.default_rng(queries)
    differences = np.clip(np.round(random.normal(0.2, 0.4, (queries, 500)), 1), -1, 1)
    differences[random.random(differences.shape) > share] = 0
    p_values, low, high, _ = paired(differences)
    assert ((p_values <= LEVEL) == ((low > 0) | (high < 0))).all()
    mean = differences.mean(axis=0)
    assert (low <= mean + 1e-6).all()
    assert (mean <= high + 1e-6).all()


def test_intervals_of_differences_cover_the_true_one() -> None:
    random = np.random.default_rng(2)
    difficulty = random.beta(1.5, 1.5, (25, 2000))
    better, worse = (random.binomial(10, difficulty**power) / 10 for power in (0.8, 1.0))
    true = float((random.beta(1.5, 1.5, 2_000_000) ** 0.8).mean()) - 0.5
    low, high = resampling.difference_intervals(better - worse)
    assert 0.93 <= ((low <= true) & (true <= high)).mean() <= 0.97


def test_models_that_hardly_differ_do_not_get_a_narrow_interval_by_luck() -> None:
    random = np.random.default_rng(4)
    differences = np.where(random.random((30, 1000)) < 0.04, random.choice([-0.2, 0.6], (30, 1000)), 0.0)
    low, high = resampling.difference_intervals(differences)
    assert ((low <= 0.04 * 0.2) & (high >= 0.04 * 0.2)).mean() > 0.95


def test_holm_steps_down() -> None:
    adjusted = statistics.holm(np.array([0.01, 0.04, 0.03, 0.005]))
    assert adjusted.tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert statistics.holm(np.array([])).tolist() == []


def test_the_effect_is_in_standard_deviations_of_the_differences() -> None:
    sizes = statistics.effect_sizes(np.array([[0.0, 0.5], [0.2, 0.5], [0.4, 0.5]]))
    assert sizes[0] == pytest.approx(1.0)
    assert np.isnan(sizes[1])


def test_as_many_queries_as_were_said_to_be_needed_settle_it_four_times_in_five() -> None:
    random = np.random.default_rng(8)
    first = np.round(random.normal(0.1, 0.3, 30), 2)
    first = first - first.mean() + 0.1
    more = statistics.queries_needed(first)
    assert more is not None
    again = random.choice(first, (30 + more, 600))
    assert 0.7 <= (resampling.randomization_test(again) <= LEVEL).mean() <= 0.9


def test_nothing_is_promised_where_no_number_of_queries_would_do() -> None:
    assert statistics.queries_needed(np.zeros(20)) is None
    assert statistics.queries_needed(np.array([0.1])) is None
    assert statistics.queries_needed(np.array([0.3, -0.3] * 50 + [0.001])) is None


def compared(first: list[float], second: list[float]) -> Comparison:
    values = {"a": dict(enumerate(first)), "b": dict(enumerate(second))}
    (comparison,) = statistics.compare(values, "P@10", NAMES)
    return comparison


def test_a_clear_difference_is_said_to_be_one() -> None:
    comparison = compared([0.5, 0.6, 0.7] * 8, [0.4, 0.4, 0.6] * 8)
    assert (comparison.better, comparison.worse, comparison.verdict) == ("a", "b", Verdict.BETTER)
    assert (comparison.wins, comparison.losses, comparison.ties) == (24, 0, 0)
    assert comparison.sentence == "SigLIP 2 beats CLIP (P@10 +0.13, 95% 0.11 to 0.15)."


def test_the_better_one_comes_first_whatever_the_order() -> None:
    comparison = compared([0.4, 0.4, 0.6] * 8, [0.5, 0.6, 0.7] * 8)
    assert (comparison.better, comparison.difference > 0) == ("b", True)
    assert comparison.low is not None
    assert comparison.low > 0


def test_what_cannot_be_told_says_what_is_missing() -> None:
    random = np.random.default_rng(1)
    comparison = compared(list(random.random(20) + 0.12), list(random.random(20)))
    assert comparison.verdict is Verdict.OPEN
    assert comparison.more_queries
    assert comparison.sentence.startswith("Cannot tell yet whether SigLIP 2 or CLIP is better (P@10 +")
    assert comparison.sentence.endswith(f"about {comparison.more_queries} more queries are needed.")


def test_few_queries_are_named() -> None:
    assert compared([1.0, 0.0, 1.0], [0.0, 0.0, 1.0]).sentence.endswith("Only 3 queries so far.")
    assert compared([1.0], [0.0]).low is None


def test_equals_are_called_so_once_enough_queries_say_it() -> None:
    assert compared([0.5] * 20, [0.5] * 20).verdict is Verdict.OPEN
    alike = compared([0.5] * 300, [0.5] * 300)
    assert alike.verdict is Verdict.ALIKE
    assert alike.sentence == "SigLIP 2 and CLIP are equally good (P@10 +0.00, 95% −0.01 to 0.01)."


def test_what_matters_is_measured_by_what_a_perfect_list_has() -> None:
    """Of one picture to be found P@10 is a tenth at most: one model finds it in 96 of 100 cases, the other in 84."""
    found = {"a": [0.1] * 270 + [0.0] * 10, "b": [0.0] * 25 + [0.1] * 235 + [0.0] * 20}
    values = {model: dict(enumerate(figures)) for model, figures in found.items()}
    perfect = {model: dict.fromkeys(range(280), 0.1) for model in values}
    (comparison,) = statistics.compare(values, "P@10", {"a": "SigLIP 2", "b": "CLIP"}, reachable=perfect)
    assert (comparison.verdict, comparison.better, comparison.reachable) == (Verdict.BETTER, "a", 0.1)
    assert comparison.low is not None
    assert comparison.high is not None
    assert 0.005 < comparison.low < comparison.difference < comparison.high < 0.02
    assert comparison.sentence.startswith("SigLIP 2 beats CLIP (P@10 +0.013, 95% 0.0")
    assert comparison.sentence.endswith("; it can be 0.100 at most).")
    (same,) = statistics.compare(dict.fromkeys(values, values["a"]), "P@10", {}, reachable=perfect)
    assert same.verdict is Verdict.ALIKE


def test_an_end_on_the_other_side_of_zero_is_seen_to_be_there() -> None:
    comparison = compared([0.53, 0.6, 0.5, 0.7] * 6, [0.5, 0.6, 0.52, 0.69] * 6)
    assert comparison.low is not None
    assert -0.005 < comparison.low < 0
    assert ", 95% −0.00" in comparison.sentence


def test_the_comparisons_that_decide_come_first() -> None:
    queries = dict.fromkeys(range(12), 0.0)
    values = {model: dict.fromkeys(queries, height) for model, height in (("c", 0.1), ("b", 0.5), ("a", 0.9))}
    models = [model_with(key, values[key][0], len(queries)) for key in values]
    found = decisive_first(statistics.compare(values, "AP", {}), ranked(models, "AP"))
    assert [(one.better, one.worse) for one in found] == [("a", "b"), ("a", "c"), ("b", "c")]


def model_with(key: str, figure: float, count: int) -> ModelEvaluation:
    queries = tuple(QueryEvaluation(number, str(number), "a query", {"AP": figure}) for number in range(count))
    return ModelEvaluation(key, key, {"AP": Measured(figure)}, queries)


def test_models_are_compared_on_the_queries_that_both_answered() -> None:
    values = {"a": {1: 0.5, 2: 1.0, 3: 0.0}, "b": {3: 0.5, 1: 0.5}, "c": {9: 1.0}}
    (comparison,) = statistics.compare(values, "AP", {})
    assert (comparison.better, comparison.worse, comparison.queries) == ("b", "a", 2)
    assert statistics.compare({}, "AP", {}) == ()


def test_many_comparisons_ask_for_more() -> None:
    random = np.random.default_rng(6)
    base = random.random(30)
    values = {f"m{number}": dict(enumerate((base + random.normal(0, 0.1, 30)).tolist())) for number in range(20)}
    comparisons = statistics.compare(values, "AP", {})
    assert len(comparisons) == 190
    assert sum(one.p_value <= LEVEL for one in comparisons) > 0
    assert all(one.p_adjusted >= one.p_value for one in comparisons)


def test_the_frontier_is_what_no_other_beats() -> None:
    points = {"slow": (9.0, 0.8), "good": (5.0, 0.9), "quick": (1.0, 0.5), "poor": (2.0, 0.4), "twin": (1.0, 0.5)}
    assert frontier(points) == ("quick", "twin", "good")
    assert frontier({}) == ()
