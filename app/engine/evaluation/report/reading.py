"""Reads an export. Nothing in it is trusted: whatever has not the form that `exchange` writes is refused by name."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from app.engine.errors import AppError
from app.engine.evaltypes import (
    EvaluationRequest,
    Mark,
    ModelCosts,
    QuerySet,
    QuerySummary,
    Scale,
)
from app.engine.evaluation import trec
from app.engine.evaluation.report.content import Environment
from app.engine.evaluation.report.exchange import DOCUMENT, FORMAT, FORMAT_VERSION, Run
from app.engine.types import ItemKind, Modality, Query, QueryPart

T = TypeVar("T")

LARGEST_BYTES = 4 << 30
"""Of 50 models and 500 queries it has 0.6 GB."""


class Export:
    """An export that was read. Its parts are checked as they are taken."""

    def __init__(self, path: str, document: Mapping[str, Any]) -> None:
        self.path = path
        self.document = document
        self.environment = self._take("environment", lambda value: _record(Environment, value))
        self.set = self._take("set", _set)
        self.request = self._take("request", _request)
        self.queries = self._take("queries", lambda value: tuple(map(_query, _list(value))))
        self.documents = self._take("documents", lambda value: tuple(map(_document, _list(value))))
        self.absent = self._take("absent", lambda value: frozenset(map(self._named, _list(value))))
        self.judgments = self._take("judgments", self._judgments)
        self.runs = self._take("runs", lambda value: tuple(map(self._run, _list(value))))
        self.figures: Mapping[str, Any] = self._take("figures", _mapping)
        self.costs = self._take(
            "costs", lambda value: {_text(key): _record(ModelCosts, one) for key, one in _mapping(value).items()}
        )

    def _take(self, name: str, read: Callable[[Any], T]) -> T:
        try:
            return read(self.document[name])
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise AppError(
                "This export is damaged", f"Its part “{name}” is not what Semblance writes: {error}.", self.path
            ) from error

    def _named(self, number: Any) -> str:
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            raise ValueError(f"{number!r} is no number of a document")
        return self.documents[number]

    def _judgments(self, value: Any) -> dict[str, dict[str, dict[str, int]]]:
        """Judge → query key → document → grade or mark."""
        highest = self.set.scale.highest
        found: dict[str, dict[str, dict[str, int]]] = {}
        for entry in _list(value):
            documents, grades = _list(entry["documents"]), _list(entry["grades"])
            given = {
                self._named(number): _grade(grade, highest) for number, grade in zip(documents, grades, strict=True)
            }
            found.setdefault(_text(entry["judge"]), {})[_text(entry["query"])] = given
        return found

    def _run(self, value: Any) -> Run:
        rankings = {}
        for key, ranking in _mapping(value["rankings"]).items():
            pairs = zip(_list(ranking["documents"]), _list(ranking["similarities"]), strict=True)
            rankings[_text(key)] = tuple((self._named(number), _number(similarity)) for number, similarity in pairs)
        return Run(_text(value["model"]), tuple(ItemKind(kind) for kind in _list(value["kinds"])), rankings)


def read(folder: str) -> Export:
    """The export in a folder, or the one that an ``evaluation.json`` is part of.

    Raises:
        AppError: there is none, it is damaged, or a newer program has written it.
    """
    path = Path(folder)
    file = path / DOCUMENT if path.is_dir() else path
    no_export = "Choose the folder that an export made; it holds a file evaluation.json."
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise AppError("This export is too large", "No evaluation takes as much room.", str(file))
        document = json.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise AppError("There is no export", no_export, folder) from error
    except OSError as error:
        raise AppError("This export cannot be read", f"{error.strerror or error}.", folder) from error
    except (ValueError, RecursionError) as error:
        raise AppError("This is no export of Semblance", f"{no_export} ({error})", folder) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise AppError("This is no export of Semblance", no_export, folder)
    version = document.get("format_version")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise AppError("This export needs a newer Semblance", "A newer version has written it. Update first.", folder)
    return Export(str(file), document)


def _set(value: Any) -> QuerySet:
    return QuerySet(0, _text(value["name"]), Scale(value["scale"]), _text(value["guidelines"]))


def _request(value: Any) -> EvaluationRequest:
    return EvaluationRequest(
        models=tuple(map(_text, _list(value["models"]))),
        k=_positive(value["k"]),
        judge=None if value["judge"] is None else _text(value["judge"]),
        measure=_text(value["measure"]),
        measures=tuple(map(_text, _list(value["measures"]))),
    )


def _query(value: Any) -> QuerySummary:
    parts = tuple(_part(one) for one in _list(value["parts"]))
    if not parts:
        raise ValueError("a query without parts")
    query = Query(parts)
    key = trec.query_id(query)
    if key != _text(value["key"]):
        raise ValueError(f"the query {value['key']!r} is another one by its parts")
    translations = {_text(tag): _text(words) for tag, words in _mapping(value["translations"]).items()}
    return QuerySummary(
        0, key, _text(value["title"]), query, 0, 0, guidelines=_text(value["guidelines"]), translations=translations
    )


def _part(value: Any) -> QueryPart:
    part = QueryPart(
        modality=Modality(value["modality"]),
        text=_text(value["text"]),
        path=_text(value["path"]),
        at_ms=_whole(value["at_ms"]),
        weight=_number(value["weight"]),
        content=_text(value["content"]),
    )
    if part.modality is not Modality.TEXT and len(bytes.fromhex(part.content)) != 32:
        raise ValueError(f"{part.content!r} is no SHA-256")
    return part


def _document(value: Any) -> str:
    if trec.parse_document(_text(value)) is None:
        raise ValueError(f"{value!r} names no item")
    return str(value)


def _grade(value: Any, highest: int) -> int:
    grade = _whole(value)
    if not min(Mark) <= grade <= max(highest, Scale.GRADED.highest):
        raise ValueError(f"{grade} is no grade")
    return grade


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > 2**53:
        raise TypeError(f"{value!r} is no whole number")
    return value


def _positive(value: Any) -> int:
    if (number := _whole(value)) < 1:
        raise ValueError(f"{number} is not above 0")
    return number


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise TypeError(f"{value!r} is no number")
    return float(value)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r:.60} is no list")
    return value


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r:.60} is no table")
    return value


def _record(kind: type[T], value: Any) -> T:
    """A value of our own with these fields; fields of later versions are left out."""
    known = {name: item for name, item in _mapping(value).items() if name in kind.__dataclass_fields__}  # type: ignore[attr-defined]
    return kind(**known)
