"""Judges are compared beyond chance; similarities and confidences get the meaning that judgments give them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.evaluation.agreement import agreement
from app.engine.evaluation.calibration import Calibration, fit, threshold
from app.engine.judgingtypes import Scale
from app.engine.types import Modality


def expit(values: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-values)))


# --- agreement -------------------------------------------------------------------------------------------------------


def test_kappa_of_the_textbook() -> None:
    """Twenty agreed on yes, fifteen on no, fifteen not: 0.7 observed and 0.5 by chance."""
    grades = [(1, 1)] * 20 + [(0, 0)] * 15 + [(1, 0)] * 5 + [(0, 1)] * 10
    found = agreement("", "ada", grades, Scale.BINARY)
    assert found.kappa == pytest.approx(0.4)
    assert (found.items, found.agreed, found.table) == (50, 35, ((15, 10), (5, 20)))
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.4 < found.high


@pytest.mark.parametrize("scale", list(Scale))
def test_kappa_is_what_other_programs_say(scale: Scale) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(3)
    first = random.integers(0, scale.highest + 1, 80)
    second = np.where(random.random(80) < 0.6, first, random.integers(0, scale.highest + 1, 80))
    expected = metrics.cohen_kappa_score(first, second, weights="quadratic" if scale is Scale.GRADED else None)
    pairs = list(zip(first.tolist(), second.tolist(), strict=True))
    assert agreement("", "ada", pairs, scale).kappa == pytest.approx(expected, abs=1e-6)


def test_a_miss_by_one_grade_is_less_than_a_miss_by_three() -> None:
    same = [(0, 0), (1, 1), (2, 2), (3, 3)] * 5
    near, far = (agreement("", "ada", [*same, *[pair] * 4], Scale.GRADED).kappa for pair in ((0, 1), (0, 3)))
    assert near is not None
    assert far is not None
    assert near > far


@pytest.mark.parametrize("grades", [[], [(1, 1)] * 9])
def test_where_chance_would_agree_as_well_there_is_no_kappa(grades: list[tuple[int, int]]) -> None:
    found = agreement("", "ada", grades, Scale.BINARY)
    assert (found.kappa, found.low, found.high) == (None, None, None)


def test_full_agreement_on_few_items_is_not_certain() -> None:
    found = agreement("", "ada", [(0, 0), (1, 1)] * 5, Scale.BINARY)
    assert (found.kappa, found.high) == (1, 1)
    assert found.low is not None
    assert 0.3 < found.low < 0.8


@pytest.mark.parametrize("items", [20, 60])
def test_the_interval_covers_the_true_kappa(items: int) -> None:
    random = np.random.default_rng(items)
    chances = np.array([[0.6, 0.06], [0.06, 0.28]])
    expected = 0.66**2 + 0.34**2
    true = (0.88 - expected) / (1 - expected)
    hits = 0
    for _ in range(200):
        table = random.multinomial(items, chances.ravel())
        pairs = [
            pair for pair, count in zip([(0, 0), (0, 1), (1, 0), (1, 1)], table, strict=True) for _ in range(count)
        ]
        found = agreement("", "ada", pairs, Scale.BINARY)
        hits += found.low is None or found.high is None or found.low <= true <= found.high
    assert hits / 200 >= 0.91


# --- thresholds ------------------------------------------------------------------------------------------------------


def judged_results(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    similarities = random.random(count)
    return similarities, (random.random(count) < expit(14 * (similarities - 0.5))).astype(int)


def test_above_the_threshold_results_are_right_as_often_as_promised() -> None:
    fresh, right = judged_results(200_000, 99)
    reached = []
    for seed in range(40):
        found = threshold("m", Modality.TEXT, *judged_results(300, seed))
        assert found.similarity is not None
        assert found.observed is not None
        assert found.observed >= 0.9
        reached.append(right[fresh >= found.similarity].mean())
    assert 0.88 <= np.mean(reached) <= 0.92


def test_what_lies_above_is_what_is_said() -> None:
    similarities, grades = judged_results(300, 1)
    found = threshold("m", Modality.IMAGE, similarities, grades, 0.8)
    assert found.similarity is not None
    above = similarities >= found.similarity
    assert found.observed == pytest.approx(grades[above].mean())
    assert found.above == above.sum()
    assert found.kept == pytest.approx(grades[above].sum() / grades.sum())
    assert (found.judged, found.modality, found.precision) == (300, Modality.IMAGE, 0.8)


def test_more_precision_asks_for_more_similarity() -> None:
    results = judged_results(400, 2)
    found = [threshold("m", Modality.TEXT, *results, precision).similarity for precision in (0.7, 0.8, 0.9, 0.95)]
    assert found == sorted(found, key=lambda each: each or 9)


def test_few_judgments_give_none_and_say_so() -> None:
    found = threshold("m", Modality.TEXT, [0.5] * 19, [1] * 19)
    assert found.similarity is None
    assert found.note.startswith("Only 19 results are judged without a gap")


def test_a_model_that_is_never_right_has_none() -> None:
    found = threshold("m", Modality.TEXT, np.linspace(0, 1, 50), np.zeros(50, dtype=int))
    assert found.similarity is None
    assert "of the 10 most similar judged results, 0% are relevant" in found.note


def test_without_anything_irrelevant_none_is_told() -> None:
    found = threshold("m", Modality.TEXT, np.linspace(0.2, 1, 50), np.ones(50, dtype=int))
    assert (found.similarity, found.observed) == (None, None)
    assert found.note.startswith("All results judged so far are relevant.")


def lists(queries: int, seed: int, spread: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Similarities and grades of whole lists: as many relevant items, and as near, as happens to be for a query."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(queries):
        relevant, level = int(random.integers(3, 60)), random.normal(0, spread)
        near, far = random.normal(level + 1, 0.5, relevant), random.normal(level - 1, 0.6, 500 - relevant)
        similarities, grades = np.concatenate([near, far]), np.repeat([1, 0], [relevant, 500 - relevant])
        order = np.argsort(-similarities)
        made.append((similarities[order], grades[order]))
    return made


@pytest.mark.parametrize("spread", [0.0, 0.3])
@pytest.mark.parametrize("depth", [10, 25, 100])
def test_where_only_the_first_are_judged_a_threshold_keeps_its_promise(depth: int, spread: float) -> None:
    told, true = [], []
    for seed in range(10):
        judged = lists(60, seed, spread)
        found = threshold(
            "m",
            Modality.TEXT,
            np.concatenate([similarities[:depth] for similarities, _ in judged]),
            np.concatenate([grades[:depth] for _, grades in judged]),
            unjudged=np.concatenate([similarities[depth:] for similarities, _ in judged]),
        )
        assert found.similarity is not None
        fresh = [np.concatenate(both) for both in zip(*lists(200, 1000 + seed, spread), strict=True)]
        told.append(found.observed)
        true.append(fresh[1][fresh[0] >= found.similarity].mean())
    assert np.mean(true) >= 0.88
    assert np.mean(true) == pytest.approx(np.mean(told), abs=0.03)


def test_a_threshold_does_not_go_where_results_are_unjudged() -> None:
    similarities, grades = np.linspace(1, 0, 101), np.array([1] * 50 + [0] * 51)
    whole = threshold("m", Modality.TEXT, similarities, grades)
    deep = threshold("m", Modality.TEXT, similarities, grades, unjudged=np.linspace(0.65, 0.6, 40))
    assert whole.similarity is not None
    assert deep.similarity is not None
    assert whole.similarity < 0.6 < deep.similarity
    assert deep.note == "It may be lower: further down too few results are judged."


def test_what_is_kept_is_of_all_that_is_known_to_be_relevant() -> None:
    similarities, grades = judged_results(300, 1)
    relevant = similarities[grades > 0]
    found = threshold("m", Modality.TEXT, similarities, grades, relevant=np.append(relevant, np.zeros(len(relevant))))
    half = threshold("m", Modality.TEXT, similarities, grades)
    assert found.kept is not None
    assert half.kept == pytest.approx(2 * found.kept)


def test_one_lucky_hit_far_down_moves_nothing() -> None:
    similarities = np.linspace(1, 0, 101)
    grades = np.array([1] * 50 + [0] * 51)
    first = threshold("m", Modality.TEXT, similarities, grades).similarity
    grades[80] = 1
    assert threshold("m", Modality.TEXT, similarities, grades).similarity == first


def test_marks_are_no_grades() -> None:
    similarities, grades = judged_results(100, 3)
    more = np.append(similarities, np.full(50, 0.99)), np.append(grades, np.full(50, -1))
    assert threshold("m", Modality.TEXT, *more) == threshold("m", Modality.TEXT, similarities, grades)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.3, 0.4, 0.5]), st.integers(-2, 3)), max_size=60))
def test_what_is_equally_similar_stays_together(results: list[tuple[float, int]]) -> None:
    found = threshold("m", Modality.TEXT, [one for one, _ in results], [grade for _, grade in results])
    if found.similarity is not None:
        above = [grade > 0 for score, grade in results if grade >= 0 and score >= found.similarity]
        assert sum(above) / len(above) == pytest.approx(found.observed)
        assert sum(above) / len(above) >= 0.9 - 1e-9


# --- confidences -----------------------------------------------------------------------------------------------------


def log_loss(told: np.ndarray, true: np.ndarray) -> float:
    told = np.clip(told, 1e-9, 1 - 1e-9)
    return float(-(true * np.log(told) + (1 - true) * np.log(1 - told)).mean())


def expected_error(told: np.ndarray, true: np.ndarray) -> float:
    """The expected calibration error, in ten parts of equal width."""
    part = np.minimum((told * 10).astype(int), 9)
    return float(sum(abs(told[part == each].sum() - true[part == each].sum()) for each in range(10)) / len(told))


WORLDS = {"far too modest": (-5.0, 2.0, 0.8, 4.0), "far too sure": (1.0, 3.0, 0.3, -0.5), "right": (0.0, 2.0, 1.0, 0.0)}
"""Mean and deviation of a model's logits, and the slope and shift that make them true."""


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("judgments", [20, 200])
def test_judgments_make_confidences_true(world: str, judgments: int) -> None:
    mean, deviation, slope, shift = WORLDS[world]
    random = np.random.default_rng(judgments)
    losses, errors = [], []
    for _ in range(30):
        seen, fresh = random.normal(mean, deviation, judgments), random.normal(mean, deviation, 2000)
        found = fit(expit(seen), random.random(judgments) < expit(slope * seen + shift))
        true = expit(slope * fresh + shift)
        told = found.apply(expit(fresh))
        losses.append(
            [log_loss(told, true) - log_loss(true, true), log_loss(expit(fresh), true) - log_loss(true, true)]
        )
        errors.append(expected_error(told, true))
    lost, lost_before = np.mean(losses, axis=0)
    assert lost < 0.1 if judgments == 20 else lost < 0.02
    assert np.mean(errors) < 0.15 if judgments == 20 else np.mean(errors) < 0.05
    if world != "right":
        assert lost < lost_before / 2


def test_without_judgments_nothing_changes() -> None:
    raw = np.array([0.0, 0.01, 0.5, 0.99, 1.0])
    assert fit([], []) == Calibration()
    assert Calibration().apply(raw) == pytest.approx(raw, abs=1e-5)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=30))
def test_the_order_of_confidences_stays(judged: list[tuple[float, bool]]) -> None:
    found = fit([raw for raw, _ in judged], [right for _, right in judged])
    told = found.apply(np.linspace(0, 1, 50))
    assert (np.diff(told) >= 0).all()
    assert told.min() >= 0
    assert told.max() <= 1
