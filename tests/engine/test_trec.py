"""TREC ids and files say the same after a round trip."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.errors import AppError
from app.engine.evaluation import trec
from app.engine.types import ItemKind, ItemRef, Modality, Query, QueryPart

sha256s = st.binary(min_size=32, max_size=32)
moments_ms = st.integers(0, 10**9)
weights = st.sampled_from([1.0, -1.0, 0.5, 2.0, -0.25])
texts = st.text(st.characters(exclude_categories=("Cs",)), min_size=1)
text_parts = st.builds(QueryPart, st.just(Modality.TEXT), text=texts, weight=weights)
file_parts = st.builds(
    QueryPart,
    st.sampled_from([Modality.IMAGE, Modality.AUDIO]),
    at_ms=moments_ms,
    weight=weights,
    content=sha256s.map(bytes.hex),
)
refs = st.one_of(
    st.builds(ItemRef, sha256s, st.just(ItemKind.PHOTO), st.just(0)),
    st.builds(ItemRef, sha256s, st.sampled_from([ItemKind.FRAME, ItemKind.AUDIO]), moments_ms),
)


@given(st.lists(st.one_of(text_parts, file_parts), min_size=1, max_size=4))
def test_a_query_id_names_its_query(parts: list[QueryPart]) -> None:
    query = Query(tuple(parts))
    text = trec.query_id(query)
    assert not any(character.isspace() for character in text)
    assert trec.parse_query(text) == query


@given(refs)
def test_a_document_id_names_its_item(ref: ItemRef) -> None:
    assert trec.parse_document(trec.document_id(ref)) == ref


@given(st.lists(st.builds(trec.QrelLine, sha256s.map(bytes.hex), refs.map(trec.document_id), st.integers(0, 3))))
def test_qrels_survive_the_file(lines: list[trec.QrelLine]) -> None:
    assert trec.read_qrels(trec.write_qrels(lines), "qrels.txt") == lines


def test_a_topic_title_is_a_query_by_words() -> None:
    assert trec.parse_query("red%20car") == Query.of_text("red car")


def test_ids_may_be_written_by_hand_with_paths() -> None:
    assert trec.parse_query("image:a%20b/c.jpg").parts[0].path == "a b/c.jpg"
    assert trec.parse_path("a%20b/c.mp4#2000") == ("a b/c.mp4", 2000)
    assert trec.parse_path("c.jpg") == ("c.jpg", None)


def test_a_line_of_another_form_is_named() -> None:
    with pytest.raises(AppError, match="Line 2") as refused:
        trec.read_qrels("q 0 d 1\nq d 1\n", "/x/qrels.txt")
    assert refused.value.path == "/x/qrels.txt"


@pytest.mark.parametrize("weight", [1e-7, 1e9])
def test_the_smallest_and_largest_weights_come_back(weight: float) -> None:
    query = Query((QueryPart(Modality.TEXT, text="a", weight=weight), QueryPart(Modality.TEXT, text="b")))
    assert trec.parse_query(trec.query_id(query)) == query


@pytest.mark.parametrize("text", ["1.2.3*text:a", ".*text:a", f"image:{'9' * 30}@{'9' * 30}"])
def test_an_id_of_no_known_form_is_words(text: str) -> None:
    assert trec.parse_query(text) == Query.of_text(text)


def test_a_moment_or_grade_that_is_no_number_breaks_nothing() -> None:
    assert trec.parse_path("a#²") == ("a", None)
    assert trec.parse_path("a#" + "9" * 30) == ("a", None)
    with pytest.raises(AppError, match="Line 1"):
        trec.read_qrels(f"a 0 b {'9' * 30}", "file")
