"""The measures of the index give what they say they give. At a tiny scale, and not by the clock."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.bench import index, queries
from app.bench.figure import Figure, Workbench
from app.engine.types import Query, SearchRequest


def taken(name: str, bench: Workbench) -> dict[str, Figure]:
    measures = {**index.MEASURES, **queries.MEASURES}
    return {figure.name: figure for figure in measures[name](bench)}


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path, scale=0.005, runs=2)


@pytest.mark.shared_data
def test_recall_is_measured_on_real_vectors(tmp_path: Path, shared_data: Path) -> None:
    figures = taken("hnsw-recall", Workbench(tmp_path, reference=shared_data, scale=0.005))
    sizes = {name.removeprefix("hnsw-recall "): figure.details["vectors"] for name, figure in figures.items()}
    assert sizes == {
        "photos": 400,
        "texts": 2148,
        "photos-tiled": 1000,
        "texts-tiled": 1000,
        "photos-by-words": 400,
        "photos-tiled-by-words": 1000,
    }
    for name in ("photos", "texts", "photos-tiled", "texts-tiled"):
        assert 0.99 <= figures[f"hnsw-recall {name}"].ratio <= 1.0
    for name in ("photos-by-words", "photos-tiled-by-words"):
        assert 0.5 <= figures[f"hnsw-recall {name}"].ratio <= 1.0


def test_the_graph_is_timed_against_a_scan_of_everything(bench: Workbench) -> None:
    (figure,) = taken("hnsw-latency", bench).values()
    assert figure.runs == 2
    assert figure.details["vectors"] == 1000
    assert min(figure.ratio, figure.details["hnsw_p50_ms"], figure.details["scan_p50_ms"]) > 0


def test_a_filter_finds_all_that_a_scan_of_its_items_finds(bench: Workbench) -> None:
    figures = taken("filtered-search", bench)
    recall = figures.pop("filtered-search recall")
    assert (recall.ratio, recall.met) == (1.0, True)
    assert [figure.details["items"] for figure in figures.values()] == [10, 50, 100, 100]


def test_a_used_index_is_compared_with_a_fresh_one(bench: Workbench) -> None:
    figures = taken("after-replacing-half", bench)
    recall = figures["after-replacing-half recall"]
    assert 0.99 <= recall.ratio <= 1.01
    assert 0.9 <= recall.details["recall_meanwhile"] <= 1.0
    assert figures["after-replacing-half latency"].runs == 2


def test_load_is_taken_at_each_concurrency(bench: Workbench) -> None:
    (figure,) = taken("query-load", bench).values()
    assert figure.details["items"] == 500
    for at_once in queries.CONCURRENCY:
        p50_ms, p95_ms, p99_ms = (figure.details[f"{name}_ms_at_{at_once}"] for name in ("p50", "p95", "p99"))
        assert 0 < p50_ms <= p95_ms <= p99_ms


def test_every_search_of_a_load_is_made() -> None:
    asked: list[SearchRequest] = []
    requests = [SearchRequest(Query.of_text(text)) for text in ("a", "b", "c")]
    loads = queries.query_load(asked.append, requests, concurrency=(1, 3), searches=7)
    assert [(one.concurrency, one.searches) for one in loads] == [(1, 7), (3, 7)]
    assert [sum(request is wanted for request in asked) for wanted in requests] == [6, 4, 4]
