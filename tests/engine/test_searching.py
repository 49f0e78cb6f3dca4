"""Searching: by what, among what, and who found it."""

from __future__ import annotations

import datetime
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app.engine.errors import AppError, NothingToCompare, UnsupportedModality
from app.engine.librarytypes import IndexReport, IndexRequest
from app.engine.session import Session
from app.engine.types import Filters, FoundBy, ItemKind, MediaKind, Modality, Query, QueryPart, SearchRequest

Index = Callable[..., IndexReport]
Make = Callable[..., Path]


def names(session: Session, query: Query, **options: object) -> list[str]:
    return [Path(hit.path).name for hit in session.search(SearchRequest(query, **options)).hits]


def test_a_picture_finds_the_most_alike_first(session: Session, index: Index, photo: Make, tmp_path: Path) -> None:
    from PIL import Image

    original = photo("a.png", 1)
    for seed in range(2, 6):
        photo(f"other{seed}.png", seed)
    Image.open(original).resize((60, 60)).save(original.with_name("smaller.jpg"))
    index()
    assert names(session, Query.of_image(str(original)))[0] == "smaller.jpg"


def test_a_picture_from_anywhere_can_be_searched_by(
    session: Session, index: Index, photo: Make, tmp_path: Path
) -> None:
    photo("a.png", 1)
    photo("b.png", 2)
    index()
    outside = photo("../outside.png", 2)
    hits = session.search(SearchRequest(Query.of_image(str(outside)))).hits
    assert (Path(hits[0].path).name, round(hits[0].similarity, 3)) == ("b.png", 1.0)


def test_a_sound_finds_sounds_alone(session: Session, index: Index, photo: Make, sound: Make) -> None:
    photo("a.png")
    low = sound("low.wav", 220)
    sound("nearly.wav", 225)
    sound("high.wav", 4000)
    index()
    reply = session.search(SearchRequest(Query.of_sound(str(low))))
    assert [Path(hit.path).name for hit in reply.hits] == ["nearly.wav", "high.wav"]
    assert reply.model == "timbre"
    assert {(hit.item_kind, hit.start_ms, hit.end_ms) for hit in reply.hits} == {(ItemKind.AUDIO, 0, 1500)}


def test_words_find_names_folders_and_captions_when_no_model_reads_words(
    session: Session, index: Index, photo: Make
) -> None:
    photo("beach_day.jpg", 1)
    photo("beach/sand.jpg", 2)
    photo("three.jpg", 3, caption="Grandma on the beach at Rügen")
    photo("four.jpg", 4)
    index()
    reply = session.search(SearchRequest(Query.of_text("beach")))
    assert {Path(hit.path).name for hit in reply.hits} == {"beach_day.jpg", "sand.jpg", "three.jpg"}
    assert {hit.found_by for hit in reply.hits} == {(FoundBy.KEYWORDS,)}
    assert (reply.model, reply.hits[0].similarity) == (None, None)
    assert reply.note
    assert names(session, Query.of_text("rugen grandma")) == ["three.jpg"]
    assert names(session, Query.of_text("grand")) == ["three.jpg"]


@pytest.mark.parametrize("words", ['"', "a AND", "name:x", "(", "*", "NEAR(", "-", "ü" * 300])
def test_no_words_are_a_fault(session: Session, index: Index, photo: Make, words: str) -> None:
    photo("a.jpg")
    index()
    session.search(SearchRequest(Query.of_text(words)))


def test_a_moved_file_is_found_by_its_new_name(session: Session, index: Index, photo: Make) -> None:
    path = photo("before.jpg", caption="kept")
    index()
    path.rename(path.with_name("after.jpg"))
    index()
    assert names(session, Query.of_text("after")) == ["after.jpg"]
    assert names(session, Query.of_text("kept")) == ["after.jpg"]
    assert names(session, Query.of_text("before")) == []


def test_filters_by_kind_folder_and_day(
    session: Session, index: Index, photo: Make, sound: Make, tmp_path: Path
) -> None:
    query = photo("query.jpg", 0)
    old, new = photo("one/tree.jpg", 1), photo("two/tree.jpg", 2)
    sound("two/tree.wav")
    day = datetime.datetime(2020, 5, 1, 12, tzinfo=datetime.UTC)
    os.utime(old, (day.timestamp(), day.timestamp()))
    index()
    cut_ms = round(datetime.datetime(2021, 1, 1, tzinfo=datetime.UTC).timestamp() * 1000)
    by_image = Query.of_image(str(query))
    assert names(session, by_image, filters=Filters(before_ms=cut_ms)) == [old.name]
    assert names(session, by_image, filters=Filters(under=str(new.parent))) == [new.name]
    assert names(session, by_image, filters=Filters(kinds=frozenset({MediaKind.VIDEO}))) == []
    by_words = Query.of_text("tree")
    assert names(session, by_words, filters=Filters(kinds=frozenset({MediaKind.AUDIO}))) == ["tree.wav"]
    assert len(names(session, by_words, filters=Filters(after_ms=cut_ms))) == 2


def test_the_graph_gives_as_many_as_the_exact_scan(home: Path, photo: Make, tmp_path: Path) -> None:
    paths = [photo(f"{seed}.png", seed) for seed in range(30)]
    with Session.open(home, device="cpu", exact_up_to=5) as session:
        session.index(IndexRequest((str(tmp_path / "media"),), ("colour-texture",)))
        query = Query.of_image(str(paths[0]))
        approximate = session.search(SearchRequest(query, k=29))
        exact = session.search(SearchRequest(query, k=29, exact=True))
        assert [hit.item_id for hit in approximate.hits] == [hit.item_id for hit in exact.hits]
        assert exact.exact
        assert list((home / "libraries" / "default" / "indexes").glob("*.hnsw"))


def test_a_lost_index_is_built_again_in_the_background_and_closing_ends_it(
    home: Path, photo: Make, tmp_path: Path
) -> None:
    paths = [photo(f"{seed}.png", seed) for seed in range(30)]
    query = SearchRequest(Query.of_image(str(paths[0])), k=29)
    indexes = home / "libraries" / "default" / "indexes"
    with Session.open(home, device="cpu", exact_up_to=5) as session:
        session.index(IndexRequest((str(tmp_path / "media"),), ("colour-texture",)))
        expected = [hit.item_id for hit in session.search(query).hits]
    for file in indexes.iterdir():
        file.unlink()
    with Session.open(home, device="cpu", exact_up_to=5) as session:
        reply = session.search(query)
        assert reply.exact
        assert [hit.item_id for hit in reply.hits] == expected
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("index-builder")]
    with Session.open(home, device="cpu", exact_up_to=5) as session:
        assert [hit.item_id for hit in session.search(query).hits] == expected


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (Query(()), "Type some words"),
        (Query.of_text("  "), "Type some words"),
        (Query.of_image("/nowhere/a.jpg"), r"no such file.*choose it anew.*/nowhere/a\.jpg"),
        (
            Query((QueryPart(Modality.AUDIO, path="a.wav"), QueryPart(Modality.TEXT, text="x"))),
            "cannot be mixed",
        ),
    ],
)
def test_a_query_that_cannot_be_answered_says_why(session: Session, query: Query, says: str) -> None:
    with pytest.raises(AppError, match=says):
        session.search(SearchRequest(query))


def test_a_model_is_not_asked_what_it_does_not_understand(session: Session, index: Index, photo: Make) -> None:
    path = photo("a.jpg")
    index()
    with pytest.raises(UnsupportedModality, match="timbre"):
        session.search(SearchRequest(Query.of_image(str(path)), model="timbre"))


def test_where_only_sounds_are_indexed_a_picture_is_told_so_whichever_model_is_asked(
    session: Session, index: Index, photo: Make, sound: Make, tmp_path: Path
) -> None:
    sound("a.wav")
    index()
    picture = Query.of_image(str(photo("../b.jpg")))
    for model in (None, "colour-texture"):
        with pytest.raises(NothingToCompare, match="No pictures are in this library"):
            session.search(SearchRequest(picture, model=model))
    session.set_models(("timbre",))
    with pytest.raises(NothingToCompare, match="Choose one under Models"):
        session.search(SearchRequest(picture))


def test_a_mix_that_cancels_itself_out_says_so(session: Session, index: Index, photo: Make) -> None:
    path = str(photo("a.jpg"))
    index()
    parts = (QueryPart(Modality.IMAGE, path=path), QueryPart(Modality.IMAGE, path=path, weight=-1.0))
    with pytest.raises(AppError, match="cancels"):
        session.search(SearchRequest(Query(parts)))


def test_details_tell_all_and_survive_a_missing_file(session: Session, index: Index, photo: Make) -> None:
    photo("query.jpg", 1)
    path = photo("a.jpg", 2, caption="A caption")
    index()
    (hit,) = session.search(SearchRequest(Query.of_text("caption"))).hits
    details = session.details(hit.item_id)
    assert (details.width_px, details.height_px, details.caption) == (96, 96, "A caption")
    assert details.size_bytes == path.stat().st_size
    path.unlink()
    assert session.details(hit.item_id).preview == session.thumbnails([hit.item_id])[hit.item_id]


def test_a_copy_is_shown_where_it_was_looked_for(session: Session, index: Index, photo: Make, tmp_path: Path) -> None:
    photo("a/x.png", 1)
    wanted = photo("b/x.png", 1)
    query = Query.of_image(str(photo("../query.png", 2)))
    index()
    under = Filters(under=str(tmp_path / "media" / "a" / ".." / "b"))
    (hit,) = session.search(SearchRequest(query, filters=under)).hits
    assert (hit.path, hit.copies) == (str(wanted), 1)


def test_a_copy_is_shown_by_the_name_that_the_words_found(
    session: Session, index: Index, photo: Make, tmp_path: Path
) -> None:
    original = photo("apple.jpg", 1)
    renamed = original.with_name("zebra_new.jpg")
    renamed.write_bytes(original.read_bytes())
    index()
    for words, path in (("zebra_new", renamed), ("apple", original), ("zebra", renamed)):
        (hit,) = session.search(SearchRequest(Query.of_text(words))).hits
        assert (hit.path, hit.copies) == (str(path), 1)


def test_a_copy_that_is_there_is_shown_before_one_whose_name_was_found(
    session: Session, index: Index, photo: Make, tmp_path: Path
) -> None:
    named, there = photo("../drive/zebra.jpg", 1), photo("apple.jpg", 1)
    index(tmp_path / "media", tmp_path / "drive")
    named.parent.rename(tmp_path / "unplugged")
    (hit,) = session.search(SearchRequest(Query.of_text("zebra"))).hits
    assert hit.path == str(there)


def test_accents_typed_apart_find_the_same(session: Session, index: Index, photo: Make) -> None:
    photo("résumé.png")
    index()
    for words in ("résumé", "re\u0301sume\u0301", "resume"):
        assert names(session, Query.of_text(words)) == ["résumé.png"]


def test_details_say_whether_the_file_is_there(session: Session, index: Index, photo: Make, tmp_path: Path) -> None:
    photo("tree.png")
    index()
    (hit,) = session.search(SearchRequest(Query.of_text("tree"))).hits
    assert session.details(hit.item_id).present
    (tmp_path / "media").rename(tmp_path / "unplugged")
    away = session.details(hit.item_id)
    assert not away.present
    assert away.preview == session.thumbnails([hit.item_id])[hit.item_id]
