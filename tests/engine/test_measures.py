"""The measures are trec_eval's own figures."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from app.engine.evaluation import measures


def read_eval(folder: Path, qrels_name: str, run_name: str) -> tuple[measures.Qrels, measures.Run]:
    qrels: dict[str, dict[str, int]] = defaultdict(dict)
    run: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for line in (folder / qrels_name).read_text().splitlines():
        query_id, _, document_id, grade = line.split()
        qrels[query_id][document_id] = int(grade)
    for line in (folder / run_name).read_text().splitlines():
        query_id, _, document_id, _, score, _ = line.split()
        run[query_id].append((document_id, float(score)))
    return qrels, run


def published(folder: Path) -> dict[str, float]:
    rows = (line.split() for line in (folder / "trec_eval_out.test").read_text().splitlines())
    return {name: float(value) for name, scope, value in rows if scope == "all" and name != "runid"}


@pytest.mark.shared_data
@pytest.mark.parametrize("k", [5, 10, 15, 20, 30, 100])
def test_precision_equals_trec_evals_published_output(shared_data: Path, k: int) -> None:
    folder = shared_data / "ref" / "eval"
    qrels, run = read_eval(folder, "trec_eval_qrels.test", "trec_eval_results.test")
    answered = {query_id: qrels[query_id] for query_id in qrels if query_id in run}
    mean = measures.mean(list(measures.per_query(answered, run, k).values()), k)
    expected = published(folder)
    assert mean[f"P@{k}"] == pytest.approx(expected[f"P_{k}"], abs=5e-5)
    assert mean["AP"] == pytest.approx(expected["map"], abs=5e-5)
    assert mean["RR"] == pytest.approx(expected["recip_rank"], abs=5e-5)


def test_f1_is_the_harmonic_mean_of_the_first_k() -> None:
    qrels = {"q": {"a": 1, "b": 1, "c": 1, "d": 0}}
    run = {"q": [("a", 3.0), ("d", 2.0), ("b", 1.0)]}
    values = measures.per_query(qrels, run, 2)["q"]
    assert values["P@2"] == 0.5
    assert values["R@2"] == pytest.approx(1 / 3)
    assert values["F1@2"] == pytest.approx(0.4)
    assert values["Judged@2"] == 1.0


def test_an_unjudged_hit_counts_against_precision_and_shows_in_judged() -> None:
    values = measures.per_query({"q": {"a": 1}}, {"q": [("x", 2.0), ("a", 1.0)]}, 2)["q"]
    assert values["P@2"] == 0.5
    assert values["RR"] == 0.5
    assert values["Judged@2"] == 0.5


def test_fewer_results_than_k_are_divided_by_k() -> None:
    assert measures.per_query({"q": {"a": 1}}, {"q": [("a", 1.0)]}, 10)["q"]["P@10"] == pytest.approx(0.1)


def test_a_query_the_run_does_not_answer_scores_nothing() -> None:
    assert set(measures.per_query({"q": {"a": 1}}, {}, 5)["q"].values()) == {0.0}


def test_ties_are_broken_as_trec_eval_breaks_them() -> None:
    values = measures.per_query({"q": {"b": 1}}, {"q": [("a", 1.0), ("b", 1.0)]}, 1)["q"]
    assert values["P@1"] == 1.0


def test_the_mean_over_no_query_is_empty() -> None:
    assert measures.mean([], 5) == {}
