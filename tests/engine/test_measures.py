"""The measures are trec_eval's own figures."""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from pathlib import Path

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import Qrel, ScoredDoc

from app.engine.errors import AppError
from app.engine.evaluation import measures
from app.engine.evaluation.rankings import EMPTY, UNJUDGED, Qrels, Run, in_trec_order, matrix


def read_eval(folder: Path, qrels_name: str, run_name: str) -> tuple[Qrels, Run]:
    qrels: dict[str, dict[str, int]] = defaultdict(dict)
    run: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for line in (folder / qrels_name).read_text().splitlines():
        query_id, _, document_id, grade = line.split()
        qrels[query_id][document_id] = int(grade)
    for line in (folder / run_name).read_text().splitlines():
        query_id, _, document_id, _, score, _ = line.split()
        run[query_id].append((document_id, float(score)))
    return qrels, run


def per_query(qrels: Qrels, run: Run, k: int) -> list[dict[str, float]]:
    """The measures of every query in ``qrels`` by name."""
    values = measures.compute(measures.names(k), *matrix(qrels, run))
    return [dict(zip(measures.names(k), row, strict=True)) for row in values.tolist()]


def published(folder: Path) -> dict[str, float]:
    rows = (line.split() for line in (folder / "trec_eval_out.test").read_text().splitlines())
    return {name: float(value) for name, scope, value in rows if scope == "all" and name != "runid"}


@pytest.mark.shared_data
@pytest.mark.parametrize("k", [5, 10, 15, 20, 30, 100])
def test_precision_equals_trec_evals_published_output(shared_data: Path, k: int) -> None:
    folder = shared_data / "ref" / "eval"
    qrels, run = read_eval(folder, "trec_eval_qrels.test", "trec_eval_results.test")
    answered = {query_id: qrels[query_id] for query_id in qrels if query_id in run}
    values = per_query(answered, run, k)
    mean = {name: np.mean([each[name] for each in values]) for name in measures.names(k)}
    expected = published(folder)
    assert mean[f"P@{k}"] == pytest.approx(expected[f"P_{k}"], abs=5e-5)
    assert mean["AP"] == pytest.approx(expected["map"], abs=5e-5)
    assert mean["RR"] == pytest.approx(expected["recip_rank"], abs=5e-5)


def test_f1_is_the_harmonic_mean_of_the_first_k() -> None:
    qrels = {"q": {"a": 1, "b": 1, "c": 1, "d": 0}}
    run = {"q": [("a", 3.0), ("d", 2.0), ("b", 1.0)]}
    values = per_query(qrels, run, 2)[0]
    assert values["P@2"] == 0.5
    assert values["R@2"] == pytest.approx(1 / 3)
    assert values["F1@2"] == pytest.approx(0.4)
    assert values["Judged@2"] == 1.0


def test_an_unjudged_hit_counts_against_precision_and_shows_in_judged() -> None:
    values = per_query({"q": {"a": 1}}, {"q": [("x", 2.0), ("a", 1.0)]}, 2)[0]
    assert values["P@2"] == 0.5
    assert values["RR"] == 0.5
    assert values["Judged@2"] == 0.5


def test_fewer_results_than_k_are_divided_by_k() -> None:
    assert per_query({"q": {"a": 1}}, {"q": [("a", 1.0)]}, 10)[0]["P@10"] == pytest.approx(0.1)


def test_a_query_the_run_does_not_answer_scores_nothing() -> None:
    assert set(per_query({"q": {"a": 1}}, {}, 5)[0].values()) == {0.0}


def test_ties_are_broken_as_trec_eval_breaks_them() -> None:
    values = per_query({"q": {"b": 1}}, {"q": [("a", 1.0), ("b", 1.0)]}, 1)[0]
    assert values["P@1"] == 1.0


ALL_KINDS = (
    *("P@1", "P@5", "R@5", "F1@4", "Rprec", "AP", "AP@7", "RR", "RR@3", "nDCG@10", "nDCG", "Success@5", "Judged@5"),
)
RUNS = 1000


def random_runs(seed: int) -> tuple[dict[str, dict[str, int]], dict[str, list[tuple[str, float]]]]:
    """A thousand queries in one: graded and negative grades, many equal scores, missing queries, empty and short
    lists."""
    random = np.random.default_rng(seed)
    documents = np.array([f"d{number}" for number in range(40)])
    qrels, run = {}, {}
    for number in range(RUNS):
        judged = random.choice(documents, random.integers(1, 30), replace=False)
        qrels[f"q{number}"] = {str(each): int(random.integers(-1, 4)) for each in judged}
        if random.random() < 0.9:
            found = random.choice(documents, random.integers(0, 40), replace=False)
            run[f"q{number}"] = [(str(each), float(random.integers(0, 6))) for each in found]
    return qrels, run


def of_ir_measures(
    name: str, qrels: dict[str, dict[str, int]], run: dict[str, list[tuple[str, float]]]
) -> dict[str, float]:
    kind, _, cutoff = name.partition("@")
    if kind in ("nDCG", "Judged"):  # trec_eval's own reads beyond its memory at a negative grade, the other counts it
        least = 0 if kind == "Judged" else -1
        qrels = {
            query: {document: max(0, grade) for document, grade in grades.items() if grade >= least}
            for query, grades in qrels.items()
        }
    if kind in ("F1", "RR", "Judged"):  # not trec_eval's at a cut-off: they get its order as their scores
        depth = int(cutoff) if kind == "F1" else None
        ordered = {query: in_trec_order(hits)[:depth] for query, hits in run.items()}
        run = {query: [(doc, -float(rank)) for rank, (doc, _) in enumerate(hits)] for query, hits in ordered.items()}
    measure = ir_measures.parse_measure("SetF" if kind == "F1" else name)
    docs = [ScoredDoc(query, doc, score) for query, hits in run.items() for doc, score in hits]
    grades = [Qrel(query, doc, grade) for query, all_ in qrels.items() for doc, grade in all_.items()]
    found = {metric.query_id: metric.value for metric in ir_measures.iter_calc([measure], grades, docs)}
    return {query: found.get(query, 0.0) for query in qrels}


@pytest.mark.parametrize("name", ALL_KINDS)
def test_a_thousand_random_runs_have_ir_measures_figures(name: str) -> None:
    qrels, run = random_runs(20)
    values = measures.compute([name], *matrix(qrels, run))[:, 0]
    assert values.tolist() == pytest.approx(list(of_ir_measures(name, qrels, run).values()), abs=1e-12)


@pytest.mark.shared_data
def test_what_trec_eval_published_comes_out(shared_data: Path) -> None:
    qrels, run = read_eval(shared_data / "ref" / "eval", "trec_eval_qrels.test", "trec_eval_results.test")
    answered = {query: qrels[query] for query in qrels if query in run}
    names = ("AP", "Rprec", "RR", "P@5", "P@10", "P@20")
    means = measures.compute(names, *matrix(answered, run)).mean(axis=0)
    assert means.round(4).tolist() == [0.1785, 0.2174, 0.4064, 0.2667, 0.3, 0.3667]


def test_a_name_is_known_in_whatever_case_it_is_written() -> None:
    assert measures.checked(["ap", "NDCG@5", "f1@3", "rprec", "p@2"]) == ("AP", "nDCG@5", "F1@3", "Rprec", "P@2")


def test_names_are_written_in_one_way() -> None:
    assert measures.checked(["MRR", "SetF@5", "NDCG@10", "P@3", "P@3"]) == ("RR", "F1@5", "nDCG@10", "P@3")
    assert measures.checked(measures.names(7)) == measures.names(7)


NO_NAMES = ("", "P", "P@0", "P@x", "F1", "Rprec@5", "ERR@10", "P(rel=2)@5", "precision", "P@5 AP")


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_name_that_means_nothing_here_is_refused_with_those_that_do(name: str) -> None:
    with pytest.raises(AppError, match="P@k, R@k"):
        measures.checked([name])


rankings = st.lists(
    st.lists(st.sampled_from([UNJUDGED, UNJUDGED, 0, 1, 2]), min_size=0, max_size=6), min_size=1, max_size=4
)


def as_matrix(lists: list[list[int]]) -> np.ndarray:
    longest = max(map(len, lists))
    return np.array([each + [EMPTY] * (longest - len(each)) for each in lists]).reshape(len(lists), longest)


@settings(deadline=None, max_examples=60)
@given(lists=rankings, elsewhere=st.lists(st.integers(0, 2), max_size=3), k=st.integers(1, 7))
def test_bounds_hold_whatever_the_unjudged_results_are(lists: list[list[int]], elsewhere: list[int], k: int) -> None:
    names = (f"P@{k}", f"R@{k}", f"F1@{k}", "Rprec", "AP", f"AP@{k}", "RR", f"nDCG@{k}", "nDCG", f"Success@{k}")
    ranked = as_matrix(lists)
    judged = [np.array([grade for grade in each if grade >= 0] + elsewhere) for each in lists]
    least, most = measures.bounds(names, ranked, judged)
    for column, name in enumerate(names):
        depth = k if "@" in name else 10
        for row, each in enumerate(lists):
            places = [rank for rank, grade in enumerate(each[:depth]) if grade == UNJUDGED]
            reached = []
            for guess in product([UNJUDGED, 1], repeat=len(places)):
                filled = ranked[row : row + 1].copy()
                filled[0, places] = guess
                grades = [np.append(judged[row], [one for one in guess if one == 1])]
                reached.append(measures.compute([name], filled, grades)[0, 0])
            assert least[row, column] == pytest.approx(min(reached))
            assert most[row, column] == pytest.approx(max(reached))


def test_the_share_that_is_judged_is_of_what_is_looked_at() -> None:
    ranked = np.array([[1, UNJUDGED, 0, UNJUDGED], [UNJUDGED, EMPTY, EMPTY, EMPTY], [EMPTY] * 4])
    assert measures.judged_share(["P@2", "AP", "P@1"], ranked).tolist() == [[0.5, 0.5, 1], [0, 0, 0], [1, 1, 1]]
    least, most = measures.bounds(["Judged@2"], ranked, [np.array([1, 0])] * 3)
    assert least.tolist() == most.tolist() == [[0.5], [0], [0]]


def test_without_a_cut_off_the_share_is_of_the_whole_list() -> None:
    ranked = np.array([[0, 1] + [UNJUDGED] * 38])
    names = ["AP", "nDCG", "RR", "Rprec", "P@2"]
    assert measures.judged_share(names, ranked, [np.array([0, 1, 1])]).tolist() == [[0.05, 0.05, 1, 1, 1]]
    assert measures.judged_share(names, ranked, [np.ones(10, int)])[0, 3] == pytest.approx(0.2)


def test_the_bounds_of_rr_are_of_the_whole_list() -> None:
    ranked = np.array([[0] * 14 + [UNJUDGED, 1]])
    assert [each.tolist() for each in measures.bounds(["RR"], ranked, [np.array([0, 1])])] == [[[1 / 16]], [[1 / 15]]]


@settings(deadline=None, max_examples=60)
@given(
    each=st.lists(st.sampled_from([UNJUDGED, UNJUDGED, 0, 1, 2, 3]), min_size=1, max_size=6),
    elsewhere=st.lists(st.integers(0, 3), max_size=3),
    name=st.sampled_from(["nDCG", "nDCG@2", "nDCG@4"]),
)
def test_on_a_graded_scale_the_unjudged_may_have_any_grade(each: list[int], elsewhere: list[int], name: str) -> None:
    ranked, judged = np.array([each]), np.array([grade for grade in each if grade >= 0] + elsewhere)
    least, most = measures.bounds([name], ranked, [judged], np.array([3]))
    places = [rank for rank, grade in enumerate(each[: int(name[5:] or 10)]) if grade == UNJUDGED]
    reached = {}
    for guess in product([0, 1, 2, 3], repeat=min(3, len(places))):
        filled = ranked.copy()
        filled[0, places[: len(guess)]] = guess
        reached[guess] = measures.compute([name], filled, [np.append(judged, guess)])[0, 0]
    alike = [value for guess, value in reached.items() if len({grade for grade in guess if grade}) <= 1]
    assert least[0, 0] <= min(reached.values()) + 1e-9
    assert most[0, 0] >= max(alike) - 1e-9


def test_no_query_and_no_measure_are_no_error() -> None:
    assert measures.compute(measures.names(5), np.empty((0, 10), dtype=np.int8), []).shape == (0, 9)
    assert measures.compute([], np.zeros((3, 2), dtype=np.int8), [np.array([0])] * 3).shape == (3, 0)
    nothing = np.empty((2, 0), dtype=np.int8)
    assert measures.compute(["AP", "P@5"], nothing, [np.array([1])] * 2).tolist() == [[0, 0]] * 2


def test_a_perfect_list_reaches_what_is_said_to_be_reachable() -> None:
    names = (*measures.names(5), "AP@3", "nDCG")
    for relevant in (0, 1, 4, 5, 6, 40):
        judged = [np.concatenate([np.ones(relevant, np.int8), np.zeros(10, np.int8)])]
        ranked = np.sort(judged[0])[::-1][None, :]
        values = measures.compute(names, ranked, judged)[0]
        reachable = measures.reachable(names, judged)[0]
        for name, value, most in zip(names, values, reachable, strict=True):
            assert value <= most + 1e-12, name
            if relevant >= 5 or (relevant and name == "P@5"):
                assert value == pytest.approx(most), name
