"""TREC's plain-text judgments, and ids that mean the same in every library because they are made of what a thing is.

A query id reads ``text:red%20car``, ``image:<sha256>``, ``image:<sha256>@2000``, ``sound:<sha256>``, or a mix of such
parts with weights: ``text:red%20car+-0.5*image:<sha256>``. A document id reads ``<sha256>:photo``,
``<sha256>:frame:2000`` or ``<sha256>:audio:0``. Both may also name a file by its percent-encoded path, so that
judgments can be written by hand: ``image:holiday/beach.jpg``, ``holiday/beach.jpg``, ``holiday/surf.mp4#2000``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote

from app.engine.errors import AppError
from app.engine.types import ItemKind, ItemRef, Modality, Query, QueryPart

_PREFIXES = {Modality.TEXT: "text", Modality.IMAGE: "image", Modality.AUDIO: "sound"}
_PART = re.compile(
    r"(?:(?P<weight>-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e-?[0-9]+)?)\*)?"
    r"(?P<prefix>text|image|sound):(?P<value>[^@*+]+)(?:@(?P<at>[0-9]{1,15}))?"
)
_DOCUMENT = re.compile(r"(?P<sha256>[0-9a-f]{64}):(?P<kind>photo|frame|audio)(?::(?P<start>[0-9]{1,15}))?")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class QrelLine:
    query_id: str
    document_id: str
    grade: int


def query_id(query: Query) -> str:
    """The id of a query whose files have been read (``content`` is set on picture and sound parts)."""
    return "+".join(_part_id(part) for part in query.parts)


def parse_query(text: str) -> Query:
    """The query of an id. A part that names a file has ``path`` set, one that names a content ``content``.

    An id of another form is taken as the words of a text query, so that topics by title work.
    """
    matches = [_PART.fullmatch(part) for part in text.split("+")]
    if not all(matches):
        return Query.of_text(unquote(text))
    return Query(tuple(_parse_part(match) for match in matches if match))


def document_id(ref: ItemRef) -> str:
    name = f"{ref.sha256.hex()}:{ref.kind}"
    return name if ref.kind is ItemKind.PHOTO else f"{name}:{ref.start_ms}"


def parse_document(text: str) -> ItemRef | None:
    """The item an id names, or None where the id is of another form (a path, perhaps)."""
    match = _DOCUMENT.fullmatch(text)
    if not match:
        return None
    return ItemRef(bytes.fromhex(match["sha256"]), ItemKind(match["kind"]), int(match["start"] or 0))


def parse_path(text: str) -> tuple[str, int | None]:
    """The path and the moment that a hand-written document id names."""
    path, _, moment = text.partition("#")
    return unquote(path), int(moment) if re.fullmatch(r"[0-9]{1,15}", moment) else None


def read_qrels(text: str, path: str) -> list[QrelLine]:
    """Lines of ``query 0 document grade``.

    Raises:
        AppError: a line has another form; it is named.
    """
    lines = []
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != 4 or not re.fullmatch(r"-?[0-9]{1,9}", fields[3]):
            raise AppError(
                "This is not a TREC judgments file",
                f"Line {number} should read 'query 0 document grade', and reads {line.strip()[:80]!r}.",
                path,
            )
        lines.append(QrelLine(fields[0], fields[2], int(fields[3])))
    return lines


def write_qrels(lines: Iterable[QrelLine]) -> str:
    return "".join(f"{line.query_id} 0 {line.document_id} {line.grade}\n" for line in lines)


def _part_id(part: QueryPart) -> str:
    value = quote(part.text, safe="") if part.modality is Modality.TEXT else part.content
    moment = f"@{part.at_ms}" if part.at_ms and part.modality is not Modality.TEXT else ""
    weight = "" if part.weight == 1 else f"{part.weight:g}*".replace("e+", "e")  # a plus joins parts
    return f"{weight}{_PREFIXES[part.modality]}:{value}{moment}"


def _parse_part(match: re.Match[str]) -> QueryPart:
    modality = next(modality for modality, prefix in _PREFIXES.items() if prefix == match["prefix"])
    weight = float(match["weight"] or 1)
    at_ms = int(match["at"] or 0)
    value = match["value"]
    if modality is Modality.TEXT:
        return QueryPart(modality, text=unquote(value), weight=weight)
    if _SHA256.fullmatch(value):
        return QueryPart(modality, content=value, at_ms=at_ms, weight=weight)
    return QueryPart(modality, path=unquote(value), at_ms=at_ms, weight=weight)
