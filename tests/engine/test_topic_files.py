"""TREC topics say the same after a round trip, and as NIST's own files are written."""

from __future__ import annotations

import html
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.errors import AppError
from app.engine.evaluation.topics import Topic, number_of, numbered_title, read_topics

LABELS = ("Number", "Topic", "Description", "Narrative")
words = (
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1)
    .map(lambda text: " ".join(text.split()))
    .filter(lambda text: text and not text.startswith(LABELS))
)
numbers = st.from_regex(r"[A-Za-z0-9.\-]{1,12}", fullmatch=True)
topics = st.builds(Topic, numbers, words, st.one_of(st.just(""), words))


def write_topics(kept: Iterable[Topic]) -> str:
    return "".join(
        f"<top>\n<num> Number: {html.escape(topic.number)}\n<title> {html.escape(topic.words, quote=False)}\n"
        + (f"<narr> Narrative:\n{html.escape(topic.guidelines, quote=False)}\n" if topic.guidelines else "")
        + "</top>\n\n"
        for topic in kept
    )


@given(st.lists(topics, min_size=1, unique_by=lambda topic: topic.number))
def test_topics_survive_the_file(kept: list[Topic]) -> None:
    assert read_topics(write_topics(kept), "topics.txt") == kept


@given(topics)
def test_a_title_tells_the_number(topic: Topic) -> None:
    assert number_of(numbered_title(topic)) == topic.number


def test_the_form_of_the_robust_track_is_read() -> None:
    text = """
<top>

<num> Number: 301
<title> International Organized Crime

<desc> Description:
Identify organizations that participate in international
criminal activity.

<narr> Narrative:
A relevant document must as a minimum identify the organization.

</top>
<top><num>302</num><title>Poliomyelitis &amp; Post-Polio</title></top>
"""
    first, second = read_topics(text, "topics.txt")
    assert (first.number, first.words) == ("301", "International Organized Crime")
    assert first.guidelines.startswith(
        "Identify organizations that participate in international criminal activity.\nA rel"
    )
    assert second == Topic("302", "Poliomyelitis & Post-Polio")


def test_a_line_each_with_a_tab() -> None:
    assert read_topics("1\ta red car\n\n2\ta dog\n", "t") == [Topic("1", "a red car"), Topic("2", "a dog")]


def test_a_title_of_ones_own_tells_no_number() -> None:
    assert number_of("a red car") is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a red car\n", "Line 1 should read"),
        ("1\ta\n1\tb\n", "two with the number 1"),
        ("\n", "no topic"),
        ("<top><title>x</top>", "place 1"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(AppError, match=sentence):
        read_topics(text, "topics.txt")
