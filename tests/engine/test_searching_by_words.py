"""Words that find pictures with one model and sounds with another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from senses import Senses

from app.engine.evaltypes import EvaluationRequest
from app.engine.librarytypes import IndexRequest
from app.engine.session import Session
from app.engine.types import Filters, ItemKind, MediaKind, Query, SearchReply, SearchRequest

Make = Callable[..., Path]


@pytest.fixture
def library(home: Path, tmp_path: Path, sound: Make) -> Iterator[Session]:
    for name, colour in (("a.png", (220, 30, 20)), ("b.png", (20, 200, 40)), ("c.png", (30, 20, 210))):
        (tmp_path / "media").mkdir(exist_ok=True)
        Image.new("RGB", (64, 48), colour).save(tmp_path / "media" / name)
    sound("d.wav", 200.0)
    sound("e.wav", 4000.0)
    with Session.open(home, encoders=Senses()) as session:
        session.index(IndexRequest((str(tmp_path / "media"),)))
        yield session


def ask(session: Session, words: str, *kinds: MediaKind, model: str | None = None) -> SearchReply:
    filters = Filters(frozenset(kinds)) if kinds else Filters()
    return session.search(SearchRequest(Query.of_text(words), model, filters=filters))


def found(reply: SearchReply) -> list[str]:
    return [Path(hit.path).name for hit in reply.hits]


def test_words_are_answered_by_a_model_for_pictures_and_one_for_sounds(library: Session) -> None:
    reply = ask(library, "something red and high")
    assert reply.models == ("colours", "pitches")
    assert found(reply)[:2] == ["a.png", "e.wav"]
    assert len(reply.hits) == 5
    assert [hit.rank for hit in reply.hits] == [1, 2, 3, 4, 5]
    assert all(hit.similarity is not None for hit in reply.hits)


def test_a_filter_for_sounds_asks_the_model_for_sounds_alone(library: Session) -> None:
    reply = ask(library, "low", MediaKind.AUDIO)
    assert (reply.models, found(reply)) == (("pitches",), ["d.wav", "e.wav"])
    assert {hit.item_kind for hit in reply.hits} == {ItemKind.AUDIO}


def test_a_filter_for_photos_asks_the_model_for_pictures_alone(library: Session) -> None:
    reply = ask(library, "green", MediaKind.PHOTO)
    assert (reply.models, found(reply)[0]) == (("colours",), "b.png")


def test_films_are_asked_of_both(library: Session) -> None:
    assert ask(library, "green", MediaKind.VIDEO).models == ("colours", "pitches")


def test_the_model_that_was_named_answers_alone(library: Session) -> None:
    reply = ask(library, "high", model="pitches")
    assert (reply.models, found(reply)) == (("pitches",), ["e.wav", "d.wav"])


def test_with_no_model_for_what_is_searched_the_keywords_answer_and_that_is_said(
    library: Session, tmp_path: Path
) -> None:
    library.set_models(["colours"])
    reply = ask(library, "d", MediaKind.AUDIO)
    assert (reply.model, found(reply)) == (None, ["d.wav"])
    assert "finds sounds by words" in reply.note


def test_no_more_than_k_come_back_from_both_together(library: Session) -> None:
    reply = library.search(SearchRequest(Query.of_text("blue low"), k=3))
    assert found(reply) == ["c.png", "d.wav", found(reply)[2]]


def test_a_model_of_sounds_is_not_blamed_for_pictures(library: Session) -> None:
    """Words are judged on what both models find; each is measured on the kinds of item it can find."""
    query = library.evaluations.add_query(Query.of_text("something red and high"))
    pool = library.evaluations.pool(query.id, depth=5)
    assert {item.item.item_kind for item in pool.items} == {ItemKind.PHOTO, ItemKind.AUDIO}
    for item in pool.items:
        library.evaluations.judge(query.id, item.item.item_id, 1 if item.item.path.endswith(("a.png", "e.wav")) else 0)
    measured = {model.model: model.mean for model in library.evaluations.evaluate(EvaluationRequest(k=2)).models}
    assert {key: (mean["R@2"], mean["P@2"]) for key, mean in measured.items()} == {
        "colours": (1.0, 0.5),
        "pitches": (1.0, 0.5),
    }


def test_a_query_judged_on_pictures_alone_says_nothing_of_a_model_of_sounds(library: Session) -> None:
    query = library.evaluations.add_query(Query.of_text("red"))
    photo = next(item for item in library.evaluations.pool(query.id, ("colours",)).items)
    library.evaluations.judge(query.id, photo.item.item_id, 1)
    measured = {model.model: model for model in library.evaluations.evaluate(EvaluationRequest()).models}
    assert measured["pitches"].unanswered == ("red",)
    assert measured["pitches"].note == "1 query is left out, because nothing that this model finds is judged there."
    assert len(measured["colours"].queries) == 1
