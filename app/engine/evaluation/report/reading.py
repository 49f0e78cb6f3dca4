"""Reads an export. Nothing in it is trusted: whatever has not the form that `exchange` writes is refused by name."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from app.engine.errors import AppError
from app.engine.evaltypes import EvaluationRequest, ModelCosts
from app.engine.evaluation import trec
from app.engine.evaluation.report.exchange import DOCUMENT, FORMAT, FORMAT_VERSION, RANKINGS, Run
from app.engine.judgingtypes import LONGEST_JUDGE, Mark, QuerySet, QuerySummary, Scale
from app.engine.types import ItemKind, Modality, Query, QueryPart

T = TypeVar("T")

HEAVIEST = 1e6
LARGEST_K = 100_000
LARGEST_SIMILARITY = 1e6

LARGEST_BYTES = 256 << 20
"""Of each of the documents. With 50 models, 500 queries and 100,000 judgments none has 30 MB."""

_RANKINGS = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_KEPT = (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, RecursionError)
"""What a document of another form makes the readers raise."""


@dataclass(frozen=True)
class ToldModel:
    """What an export tells of a model. ``rankings`` names the file of what it found, None if it found nothing;
    ``kinds`` are those of the items that it can find."""

    model: str
    name: str
    unanswered: tuple[str, ...]
    note: str
    costs: ModelCosts
    rankings: str | None = None
    kinds: tuple[ItemKind, ...] = ()


class Export:
    """An export that was read and checked: whatever uses it meets no surprise."""

    def __init__(self, folder: Path, path: str, document: Mapping[str, Any]) -> None:
        self._folder = folder
        self.path = path
        self._document = document
        self.library = self._take("environment", lambda value: _text(value["library"]))
        self.set = self._take("set", _set)
        self.queries = self._take("queries", _queries)
        self.documents = self._take("documents", lambda value: tuple(map(_document, _list(value))))
        self.absent = self._take("absent", lambda value: frozenset(named(self.documents, one) for one in _list(value)))
        self.judgments = self._take("judgments", self._judgments)

    # What follows is for computing again; taking an export in needs none of it.

    @cached_property
    def request(self) -> EvaluationRequest:
        return self._take("request", _request)

    @cached_property
    def figures(self) -> Mapping[str, Any]:
        return self._take("figures", _mapping)

    @cached_property
    def measured(self) -> tuple[str, ...]:
        """The keys of the queries that were measured."""
        return self._take("figures", lambda value: tuple(self._known(key) for key in _list(value["queries"])))

    @cached_property
    def models(self) -> tuple[ToldModel, ...]:
        costs = self._take(
            "costs", lambda value: {_text(key): _record(ModelCosts, one) for key, one in _mapping(value).items()}
        )
        runs = self._take("runs", lambda value: {_text(one["model"]): _run_entry(one) for one in _list(value)})

        def told(value: Any) -> ToldModel:
            key = _text(value["model"])
            rankings, kinds = runs.get(key, (None, ()))
            unanswered = tuple(map(_text, _list(value["unanswered"])))
            return ToldModel(
                key,
                _text(value["name"]),
                unanswered,
                _text(value["note"]),
                costs.get(key, ModelCosts()),
                rankings,
                kinds,
            )

        return self._take("figures", lambda value: tuple(map(told, _list(value["models"]))))

    def run(self, model: ToldModel) -> Run:
        """The rankings of a model, read now.

        Raises:
            AppError: they are not there, or damaged.
        """
        if model.rankings is None:
            return Run(model.model, (), {})
        path = self._folder / RANKINGS / f"{model.rankings}.json"
        document = _read_json(path, str(path))
        return self._checked(f"{RANKINGS}/{path.name}", lambda: self._run(model, document))

    def _run(self, model: ToldModel, value: Any) -> Run:
        documents = tuple(map(_document, _list(value["documents"])))
        rankings = {}
        for key, ranking in _mapping(value["rankings"]).items():
            found = [named(documents, one) for one in _list(ranking["documents"])]
            if len(set(found)) < len(found):
                raise ValueError(f"what was found for {key!r:.60} is there twice")
            similarities = map(_similarity, _list(ranking["similarities"]))
            rankings[self._known(key)] = tuple(zip(found, similarities, strict=True))
        return Run(model.model, model.kinds, rankings)

    def _take(self, name: str, read: Callable[[Any], T]) -> T:
        return self._checked(name, lambda: read(self._document[name]))

    def _checked(self, name: str, read: Callable[[], T]) -> T:
        try:
            return read()
        except _KEPT as error:
            raise AppError(
                "This export is damaged", f"Its part “{name}” is not what Semblance writes: {error!s:.200}.", self.path
            ) from error

    def _known(self, key: Any) -> str:
        if key not in self._keys:
            raise ValueError(f"{key!r:.60} is none of the queries")
        return str(key)

    @cached_property
    def _keys(self) -> frozenset[str]:
        return frozenset(one.key for one in self.queries)

    def _judgments(self, value: Any) -> dict[str, dict[str, dict[str, int]]]:
        """Judge → query key → document → grade or mark."""
        highest = self.set.scale.highest
        found: dict[str, dict[str, dict[str, int]]] = {}
        for entry in _list(value):
            names = [named(self.documents, number) for number in _list(entry["documents"])]
            grades = [_grade(grade, highest) for grade in _list(entry["grades"])]
            of_judge = found.setdefault(_judge(entry["judge"]), {})
            if (
                of_judge.setdefault(self._known(entry["query"]), given := dict(zip(names, grades, strict=True)))
                is not given
            ):
                raise ValueError(f"a judge's judgments of {entry['query']!r:.60} are there twice")
        return found


def read(folder: str) -> Export:
    """The export in a folder, or the one that an ``evaluation.json`` is part of.

    Raises:
        AppError: there is none, it is damaged, or a newer program has written it.
    """
    path = Path(folder)
    file = path / DOCUMENT if path.is_dir() else path
    document = _read_json(file, folder)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise AppError("This is no export of Semblance", _NO_EXPORT, folder)
    version = document.get("format_version")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise AppError("This export needs a newer Semblance", "A newer version has written it. Update first.", folder)
    return Export(file.parent, str(file), document)


_NO_EXPORT = "Choose the folder that an export made; it holds a file evaluation.json."


def _read_json(file: Path, named_as: str) -> Any:
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise AppError("This export is too large", "No evaluation takes as much room.", str(file))
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise AppError("There is no export", f"{file.name} is not there. {_NO_EXPORT}", named_as) from error
    except OSError as error:
        raise AppError("This export cannot be read", f"{error.strerror or error}.", named_as) from error
    except (ValueError, RecursionError) as error:
        raise AppError("This is no export of Semblance", f"{_NO_EXPORT} ({error!s:.200})", named_as) from error


def named(documents: Sequence[str], number: Any) -> str:
    """The document of a number."""
    if type(number) is not int or number < 0:
        raise ValueError(f"{number!r:.60} is no number of a document")
    return documents[number]


def _run_entry(value: Any) -> tuple[str, tuple[ItemKind, ...]]:
    name = _text(value["rankings"])
    if not _RANKINGS.fullmatch(name):
        raise ValueError(f"{name!r:.60} is no name of a file here")
    return name, tuple(ItemKind(kind) for kind in _list(value["kinds"]))


def _queries(value: Any) -> tuple[QuerySummary, ...]:
    queries = tuple(map(_query, _list(value)))
    if len({one.key for one in queries}) < len(queries):
        raise ValueError("a query is there twice")
    return queries


def _judge(value: Any) -> str:
    name = " ".join(_text(value).split())
    if len(name) > LONGEST_JUDGE:
        raise ValueError(f"{name!r:.60} is too long for a name")
    return name


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
        raise ValueError(f"the query {value['key']!r:.80} is another one by its parts")
    translations = {_text(tag): _text(words) for tag, words in _mapping(value["translations"]).items()}
    return QuerySummary(
        0, key, _text(value["title"]), query, 0, 0, guidelines=_text(value["guidelines"]), translations=translations
    )


def _part(value: Any) -> QueryPart:
    part = QueryPart(
        modality=Modality(value["modality"]),
        text=_text(value["text"]),
        path=_file_name(value["path"]),
        at_ms=_whole(value["at_ms"]),
        weight=_number(value["weight"]),
        content=_text(value["content"]),
    )
    if not (part.at_ms >= 0 and abs(part.weight) <= HEAVIEST):
        raise ValueError("a moment or a weight is out of bounds")
    if part.modality is Modality.TEXT:
        if part.content or part.path:
            raise ValueError("words have no file")
    elif not _SHA256.fullmatch(part.content):
        raise ValueError(f"{part.content!r:.80} is no SHA-256")
    return part


def _document(value: Any) -> str:
    if trec.parse_document(_text(value)) is None:
        raise ValueError(f"{value!r:.80} names no item")
    return str(value)


def _grade(value: Any, highest: int) -> int:
    grade = _whole(value)
    if not min(Mark) <= grade <= max(highest, Scale.GRADED.highest):
        raise ValueError(f"{grade} is no grade")
    return grade


def _text(value: Any) -> str:
    text = _file_name(value)
    text.encode()  # half of a pair of surrogates is no text
    return text


def _similarity(value: Any) -> float:
    if abs(number := _number(value)) > LARGEST_SIMILARITY:
        raise ValueError(f"{number} is no similarity")
    return number


def _file_name(value: Any) -> str:
    """Text, or bytes that are none as `os.fsdecode` has them."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.60} is no text")
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > 2**53:
        raise TypeError(f"{value!r:.60} is no whole number")
    return value


def _positive(value: Any) -> int:
    if not 1 <= (number := _whole(value)) <= LARGEST_K:
        raise ValueError(f"{number} is no cut-off")
    return number


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise TypeError(f"{value!r:.60} is no number")
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
    """A value of our own with these fields, each of its kind; fields of later versions are left out."""
    hints = get_type_hints(kind)
    known = {name: item for name, item in _mapping(value).items() if name in hints}
    for name, item in known.items():
        kinds = {*(get_args(hints[name]) or (hints[name],))}
        if type(item) not in (kinds | {int} if float in kinds else kinds) or (
            isinstance(item, float) and not math.isfinite(item)
        ):
            raise TypeError(f"{name} is {item!r:.60}")
        if isinstance(item, str):
            _text(item)
    return kind(**known)
