"""TREC topics: numbered queries by words, in the classic tagged form or one to a line with a tab."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from app.engine.errors import AppError

_TOP = re.compile(r"<top>(.*?)(?=</top>|<top>|\Z)", re.DOTALL | re.IGNORECASE)
_FIELD = re.compile(r"<(num|title|desc|narr)>(.*?)(?=</?[a-z][a-z0-9]*>|\Z)", re.DOTALL | re.IGNORECASE)
_LABEL = re.compile(r"(?:Number|Topic|Description|Narrative)\s*:\s*", re.IGNORECASE)
"""What TREC's own files write again at the beginning of a field."""
_NUMBERED = re.compile(r"(?P<number>[^\s:]{1,40}): (?P<words>.+)", re.DOTALL)


@dataclass(frozen=True)
class Topic:
    """A query by words. ``number`` is how qrels name it; ``guidelines`` say what counts as relevant."""

    number: str
    words: str
    guidelines: str = ""


def read_topics(text: str, path: str) -> list[Topic]:
    """Topics as ``<top><num>…<title>…<desc>…<narr>…</top>``, or as lines of ``number<TAB>words``.

    Description and narrative become guidelines; a topic without a title is asked by its description.

    Raises:
        AppError: a topic lacks number or words, a number stands there twice, or there is none.
    """
    topics = _tagged(text, path) if re.search("<top>", text, re.IGNORECASE) else _lines(text, path)
    if not topics:
        raise AppError("There is no topic in this file", "Write one to a line: its number, a tab, its words.", path)
    seen: set[str] = set()
    for topic in topics:
        if topic.number in seen:
            raise AppError("This is not a file of topics", f"There are two with the number {topic.number}.", path)
        seen.add(topic.number)
    return topics


def numbered_title(topic: Topic) -> str:
    """The title of a topic's query, ``401: red car``, from which `number_of` reads its number again."""
    return f"{topic.number}: {topic.words}"


def number_of(title: str) -> str | None:
    """The number in the title of a query that was imported from topics."""
    match = _NUMBERED.fullmatch(title)
    return match["number"] if match else None


def _tagged(text: str, path: str) -> list[Topic]:
    topics = []
    for count, top in enumerate(_TOP.finditer(text), start=1):
        fields = {match[1].lower(): _LABEL.sub("", _text(match[2]), count=1) for match in _FIELD.finditer(top[1])}
        number = "".join(fields.get("num", "").split())
        described = [fields[name] for name in ("desc", "narr") if fields.get(name)]
        words = fields.get("title") or fields.get("desc", "")
        if not number or not words:
            raise AppError(
                "This is not a file of topics", f"The topic at place {count} lacks a <num>, or a <title>.", path
            )
        topics.append(Topic(number, words, "\n".join(described)))
    return topics


def _lines(text: str, path: str) -> list[Topic]:
    topics = []
    for count, line in enumerate(text.splitlines(), start=1):
        number, _, words = line.partition("\t")
        if not line.strip():
            continue
        if not number.strip() or not words.strip() or len(number.split()) > 1:
            raise AppError(
                "This is not a file of topics",
                f"Line {count} should read 'number<TAB>words', and reads {line.strip()[:80]!r}.",
                path,
            )
        topics.append(Topic(number.strip(), " ".join(words.split())))
    return topics


def _text(field: str) -> str:
    return html.unescape(" ".join(field.split()))
