"""What searches cost and lose: their times here, the room of a vector, the index beside the exact search."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.engine.costs import frontier_of
from app.engine.encoders.builtin_picture import ColourTexture
from app.engine.evaltypes import EvaluationRequest, Measured, ModelCosts, ModelEvaluation, QueryEvaluation
from app.engine.index.exact import Neighbours
from app.engine.librarytypes import IndexRequest
from app.engine.session import Session
from app.engine.trials import recalled
from app.engine.types import Query, SearchRequest

MODEL = "colour-texture"
PHOTOS, QUERIES = 60, 4
REQUEST = EvaluationRequest((MODEL,), k=5)


def more(media: Path, numbers: Iterable[int]) -> None:
    for number in numbers:
        pixels = np.random.default_rng(number).integers(0, 256, (6, 1, 3), np.uint8).repeat(8, 0).repeat(48, 1)
        Image.fromarray(pixels).save(media / f"{number}.png")


@pytest.fixture
def library(home: Path, tmp_path: Path) -> Iterator[Session]:
    """Photos above what is scanned, so that the graph answers; some of them are judged queries."""
    media = tmp_path / "media"
    media.mkdir()
    more(media, range(PHOTOS))
    with Session.open(home, device="cpu", exact_up_to=PHOTOS // 2) as session:
        session.index(IndexRequest((str(media),), (MODEL,)))
        for number in range(QUERIES):
            query = session.evaluations.add_query(Query.of_image(str(media / f"{number}.png")))
            item = session.evaluations.pool(query.id, (MODEL,)).items[0].item.item_id
            session.evaluations.judge(query.id, item, 1)
        yield session


def measured(session: Session, request: EvaluationRequest = REQUEST) -> ModelEvaluation:
    (model,) = session.evaluations.evaluate(request).models
    return model


def test_the_index_is_held_against_the_exact_search(library: Session) -> None:
    model = measured(library)
    assert model.uses_index
    assert model.index_recall is not None
    assert 0.8 <= model.index_recall.value <= 1.0
    assert model.index_recall.low is not None


def test_a_small_library_is_compared_whole(library: Session, home: Path) -> None:
    library.close()
    with Session.open(home, device="cpu") as again:
        model = measured(again)
    assert not model.uses_index
    assert model.index_recall is not None
    assert (model.index_recall.value, model.index_recall.low) == (1.0, 1.0)


def test_whole_searches_are_timed_once_and_encode_their_query(
    library: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.evaluations.evaluate(replace(REQUEST, costs=False))
    encoded: list[int] = []
    encode = ColourTexture.encode

    def noted(self: ColourTexture, samples: Any) -> Any:
        encoded.append(len(samples))
        return encode(self, samples)

    monkeypatch.setattr(ColourTexture, "encode", noted)
    costs = measured(library).costs
    assert sum(encoded) == QUERIES + 1, "the first search of all warms up"
    assert costs.timed_queries == QUERIES
    assert costs.query_p50_ms is not None
    assert costs.query_p95_ms is not None
    assert costs.query_p99_ms is not None
    assert 0 < costs.query_p50_ms <= costs.query_p95_ms <= costs.query_p99_ms
    assert measured(library).costs == costs
    assert sum(encoded) == QUERIES + 1


def noted_searches(library: Session, monkeypatch: pytest.MonkeyPatch) -> list[Query]:
    searched: list[Query] = []
    search = library._searcher.search

    def noted(request: SearchRequest, *further: Any, **named: Any) -> Any:
        searched.append(request.query)
        return search(request, *further, **named)

    monkeypatch.setattr(library._searcher, "search", noted)
    return searched


def test_searches_are_timed_again_once_the_library_has_grown(
    library: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured(library)
    searched = noted_searches(library, monkeypatch)
    more(tmp_path / "media", range(PHOTOS, PHOTOS + 2))
    library.index(IndexRequest((str(tmp_path / "media"),), (MODEL,)))
    measured(library)
    assert not searched, "a thirtieth more changes no time"
    more(tmp_path / "media", range(PHOTOS, PHOTOS + 20))
    library.index(IndexRequest((str(tmp_path / "media"),), (MODEL,)))
    assert measured(library).costs.timed_queries == QUERIES
    assert len(searched) == QUERIES + 1


def test_times_taken_while_something_was_written_are_not_kept(
    library: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = noted_searches(library, monkeypatch)
    version = library._database.version
    monkeypatch.setattr(type(library._lookup), "version", property(lambda _: version + len(searched)))
    assert measured(library).costs.timed_queries == QUERIES
    before = len(searched)
    monkeypatch.undo()
    again = noted_searches(library, monkeypatch)
    measured(library)
    assert len(again) == before


def test_nothing_is_timed_where_costs_are_not_asked_for(library: Session) -> None:
    model = measured(library, replace(REQUEST, costs=False))
    assert (model.costs.query_p50_ms, model.costs.timed_queries, model.index_recall) == (None, 0, None)
    assert model.costs.licence
    assert model.costs.bytes_per_item


def test_bytes_per_item_are_those_of_the_library_and_the_index_file(library: Session, home: Path) -> None:
    dim = library.status().spaces[MODEL].dim
    (index,) = (home / "libraries" / "default" / "indexes").glob("*.hnsw")
    told = measured(library, replace(REQUEST, costs=False)).costs.bytes_per_item
    assert told is not None
    in_database = told - round(index.stat().st_size / PHOTOS)
    assert in_database == 16384 // 8 + 36, "eight rows fill a page"
    assert in_database > 2 * dim


def test_a_query_whose_file_is_gone_is_not_timed(library: Session, home: Path, tmp_path: Path) -> None:
    (tmp_path / "media" / "0.png").unlink()
    costs = measured(library).costs  # its vector is still in the library, so it is measured all the same
    assert costs.timed_queries == QUERIES - 1


def test_what_is_as_near_as_the_last_is_no_loss() -> None:
    exact = Neighbours(np.array([1, 2, 3, 4]), np.array([0.9, 0.8, 0.7, 0.7], np.float32))
    other = Neighbours(np.array([1, 2, 4, 9]), np.array([0.9, 0.8, 0.7, 0.7], np.float32))
    worse = Neighbours(np.array([1, 2, 3, 8]), np.array([0.9, 0.8, 0.7, 0.6], np.float32))
    assert recalled(exact, other) == 1.0
    assert recalled(exact, worse) == 0.75


def test_the_frontier_is_of_models_that_answered_the_same_queries() -> None:
    def model(key: str, quality: float, items_per_s: float | None, query_id: int = 1) -> ModelEvaluation:
        measures = {"P@10": Measured(quality)}
        queries = (QueryEvaluation(query_id, "q", "q", {"P@10": quality}),)
        return ModelEvaluation(key, key, measures, queries, costs=ModelCosts(items_per_s=items_per_s))

    slow_good, fast_bad, slow_bad = model("a", 0.9, 1.0), model("b", 0.5, 9.0), model("c", 0.4, 2.0)
    unknown, of_sounds = model("d", 0.99, None), model("e", 0.1, 0.5, query_id=2)
    assert frontier_of((slow_good, fast_bad, slow_bad, unknown, of_sounds), "P@10") == ("a", "b")
    assert frontier_of((unknown, model("f", 0.2, None)), "P@10") == ()
