"""Real CLIP vectors through the real store, index and search."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.engine.librarytypes import IndexRequest
from app.engine.session import Session
from app.engine.types import FoundBy, Modality, Query, QueryPart, SearchRequest

pytestmark = pytest.mark.shared_data


@pytest.fixture(scope="module")
def session(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    import replay

    home = tmp_path_factory.mktemp("home")
    with Session.open(home, encoders=replay.ReplaySource(home / "models")) as opened:
        opened.index(IndexRequest((str(replay.PHOTOS_DIR),), (replay.KEY,)))
        yield opened


def best_by_the_vectors(noun: str) -> str:
    """The photo that the reference vectors put first."""
    import replay

    names = json.loads((replay.REFERENCE_DIR / "photos_names.json").read_text())
    images = np.load(replay.REFERENCE_DIR / "photos_image_embeddings.npy")
    return str(names[int(np.argmax(images @ replay.words()[noun]))])


@pytest.mark.parametrize("noun", ["bear", "turtle", "hamster", "dog", "cat", "bicycle", "cow"])
def test_a_word_finds_its_photo_first(session: Session, noun: str) -> None:
    reply = session.search(SearchRequest(Query.of_text(noun), k=5, keywords=False))
    assert Path(reply.hits[0].path).name == best_by_the_vectors(noun)
    assert 0.2 < reply.hits[0].similarity < 0.35
    assert reply.hits[0].found_by == (FoundBy.MEANING,)


def test_a_word_without_a_match_finds_nothing_convincing(session: Session) -> None:
    cow, pizza = (
        session.search(SearchRequest(Query.of_text(noun), k=1)).hits[0].similarity for noun in ("cow", "pizza")
    )
    assert pizza < cow


def test_every_photo_and_no_other_is_ranked(session: Session) -> None:
    reply = session.search(SearchRequest(Query.of_text("dog"), k=1000))
    assert len(reply.hits) == 400
    assert [hit.rank for hit in reply.hits] == list(range(1, 401))


def test_a_photo_is_not_among_its_own_results(session: Session) -> None:
    dog = session.search(SearchRequest(Query.of_text("dog"), k=1)).hits[0].path
    alike = session.search(SearchRequest(Query.of_image(dog), k=400))
    assert dog not in {hit.path for hit in alike.hits}
    assert len(alike.hits) == 399
    assert alike.hits[0].similarity < 0.999


def test_words_can_be_taken_away_from_a_picture(session: Session) -> None:
    dog = session.search(SearchRequest(Query.of_text("dog"), k=1)).hits[0].path
    parts = (QueryPart(Modality.IMAGE, path=dog), QueryPart(Modality.TEXT, text="dog", weight=-1.0))

    def dog_likeness(query: Query) -> float:
        nearest = session.search(SearchRequest(query, k=10)).hits
        by_word = session.search(SearchRequest(Query.of_text("dog"), k=400)).hits
        likeness = {hit.path: hit.similarity for hit in by_word}
        return float(np.mean([likeness[hit.path] for hit in nearest if hit.path in likeness]))

    assert dog_likeness(Query(parts)) < dog_likeness(Query(parts[:1]))


def test_stored_vectors_are_the_real_ones(session: Session) -> None:
    import replay

    names = json.loads((replay.REFERENCE_DIR / "photos_names.json").read_text())
    images = np.load(replay.REFERENCE_DIR / "photos_image_embeddings.npy")
    text = replay.words()["bicycle"] / np.linalg.norm(replay.words()["bicycle"])
    expected = dict(zip(names, images @ text, strict=True))
    for hit in session.search(SearchRequest(Query.of_text("bicycle"), k=400)).hits:
        assert hit.similarity == pytest.approx(expected[Path(hit.path).name], abs=1e-3)
