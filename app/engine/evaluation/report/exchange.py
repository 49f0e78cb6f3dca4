"""An evaluation as a folder: tables for spreadsheets, files for TREC's tools, and documents from which every figure can
be computed again and which another library takes in.

Rankings are most of it, a gigabyte of 50 models on 500 queries: they are written model by model, query by query, and
are never in memory as text. ``evaluation.json`` is written last and names all the files.

A score in a ``.run`` file counts down from the length of the list, so that every tool, whatever it does with equal
scores and in whatever precision, has our order; the similarities themselves are in ``rankings/MODEL.json``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from app.engine.evaltypes import Evaluation, EvaluationRequest, ModelEvaluation, Robustness
from app.engine.evaluation import trec
from app.engine.evaluation.report import spreadsheets
from app.engine.evaluation.report.content import Environment, printable
from app.engine.evaluation.report.readme import README
from app.engine.judgingtypes import Agreement, QuerySet, QuerySummary
from app.engine.types import ItemKind

FORMAT, FORMAT_VERSION = "semblance-evaluation", 1
DOCUMENT = "evaluation.json"
RANKINGS = "rankings"
"""The folder of what every model found."""

Grades = Mapping[str, Mapping[str, int]]
"""Query key → document id → grade or mark."""


@dataclass(frozen=True)
class Run:
    """One model's rankings: for each query key its documents with their similarities, best first. ``kinds`` are the
    kinds of item it can find: it is judged by these alone."""

    model: str
    kinds: tuple[ItemKind, ...]
    rankings: Mapping[str, Sequence[tuple[str, float]]]


@dataclass(frozen=True)
class Exported:
    """All that an export holds. ``queries`` are the whole set, those of ``evaluation`` the ones measured. ``absent``
    are judged documents that no file of the library held. ``files`` are relative names, by content. ``runs`` are taken
    once, one after another."""

    environment: Environment
    set: QuerySet
    request: EvaluationRequest
    queries: tuple[QuerySummary, ...]
    judgments: Mapping[str, Grades]
    absent: frozenset[str]
    files: Mapping[str, str]
    runs: Iterable[Run]
    evaluation: Evaluation
    robustness: Robustness | None = None
    agreements: tuple[Agreement, ...] = field(default=())


def measured_by(run: Run, grades: Grades, absent: Collection[str]) -> Grades:
    """What a model is measured by: the grades of the queries it answered, of what it could find."""
    return {
        key: {
            document: grade
            for document, grade in grades.get(key, {}).items()
            if grade >= 0 and document not in absent and _kind(document) in run.kinds
        }
        for key in run.rankings
    }


# --- the folder ------------------------------------------------------------------------------------------------------


def folder(exported: Exported, grades: Grades) -> Iterator[tuple[str, Iterable[str], str]]:
    """Every file as (name, text, encoding), the text in parts that are taken once, before the next file is.

    ``grades`` are those of the judge who was asked for, or of all together.
    """
    written: list[str] = []
    runs: list[dict[str, Any]] = []
    for name, text, encoding in _files(exported, grades, runs):
        written.append(name)
        yield name, text, encoding
    written.append(DOCUMENT)
    yield DOCUMENT, (pretty(document(exported, runs, written)), "\n"), "utf-8"


def _files(exported: Exported, grades: Grades, runs: list[dict[str, Any]]) -> Iterator[tuple[str, Iterable[str], str]]:
    """All but the document, which has an entry for each of the ``runs``."""
    evaluation = exported.evaluation
    yield "README.txt", [_readme(exported)], "utf-8"
    for name, rows in (
        ("measures", spreadsheets.measures(evaluation)),
        ("per_query", spreadsheets.per_query(evaluation)),
        ("comparisons", spreadsheets.comparisons(evaluation)),
    ):
        yield f"{name}.csv", [spreadsheets.table(rows)], spreadsheets.ENCODING
    topics = (f"{one.key}\t{spreadsheets.harmless(_line(one.title))}\n" for one in exported.queries)
    yield "topics.tsv", topics, "utf-8"
    yield "qrels.txt", [_qrels(grades)], "utf-8"
    taken = {"qrels.txt"}
    for judge, of_judge in exported.judgments.items():
        yield _free(f"qrels.{_portable(judge) or 'owner'}", ".txt", taken), [_qrels(of_judge)], "utf-8"
    names: set[str] = set()
    for run in exported.runs:
        name = _free(_portable(run.model) or "model", "", names)
        yield f"runs/{name}.run", _run(run), "utf-8"
        yield f"runs/{name}.qrels", [_qrels(measured_by(run, grades, exported.absent))], "utf-8"
        yield f"{RANKINGS}/{name}.json", _rankings(run), "utf-8"
        runs.append({"model": run.model, "kinds": [str(kind) for kind in run.kinds], "rankings": name})


def _qrels(grades: Grades) -> str:
    return trec.write_qrels(
        trec.QrelLine(key, document, grade)
        for key, of_query in grades.items()
        for document, grade in of_query.items()
        if grade >= 0
    )


def _run(run: Run) -> Iterator[str]:
    tag = _portable(run.model) or "model"
    for key, ranking in run.rankings.items():
        yield "".join(
            f"{key} Q0 {document} {rank} {len(ranking) - rank + 1} {tag}\n"
            for rank, (document, _) in enumerate(ranking, start=1)
        )


def _rankings(run: Run) -> Iterator[str]:
    """Documents are numbered by their place in ``documents``, which come last: by then they are known."""
    numbers: dict[str, int] = {}
    separator = "\n"
    yield f'{{\n "model": {_json(run.model)},\n "rankings": {{'
    for key, ranking in run.rankings.items():
        found = [numbers.setdefault(name, len(numbers)) for name, _ in ranking]
        entry = {"documents": found, "similarities": [similarity for _, similarity in ranking]}
        yield f"{separator}  {_json(key)}: {pretty(entry, '  ')}"
        separator = ",\n"
    yield f'\n }},\n "documents": {_json(list(numbers))}\n}}\n'


def _kind(document: str) -> ItemKind | None:
    ref = trec.parse_document(document)
    return ref.kind if ref else None


def _portable(name: str) -> str:
    """A name as every file system takes it."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._")[:80]


def _free(stem: str, suffix: str, taken: set[str]) -> str:
    """A name that is not taken yet, also where case makes no difference."""
    name, number = f"{stem}{suffix}", 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem}-{number}{suffix}"
    taken.add(name.casefold())
    return name


# --- the document ----------------------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """A value as JSON's kinds; what comes back from JSON is equal to it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(plain(item) for item in value)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


def document(exported: Exported, runs: Sequence[Mapping[str, Any]], files: Sequence[str]) -> dict[str, Any]:
    """``evaluation.json``, of an export of these runs and files. Documents are numbered by their place in
    ``documents``; judgments name them so."""
    numbers: dict[str, int] = {}

    def number(name: str) -> int:
        return numbers.setdefault(name, len(numbers))

    judgments = [
        {
            "judge": judge,
            "query": key,
            "documents": [number(name) for name in given],
            "grades": [int(grade) for grade in given.values()],
        }
        for judge, of_judge in exported.judgments.items()
        for key, given in of_judge.items()
    ]
    request = {key: value for key, value in plain(exported.request).items() if key not in ("query_ids", "set_id")}
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "written": list(files),
        "environment": plain(exported.environment),
        "set": {
            "name": exported.set.name,
            "scale": str(exported.set.scale),
            "guidelines": exported.set.guidelines,
        },
        "request": request,
        "queries": [_query(one) for one in exported.queries],
        "documents": list(numbers),
        "files": {name: exported.files[name] for name in sorted(exported.files)},
        "absent": sorted(numbers[name] for name in exported.absent if name in numbers),
        "judgments": judgments,
        "runs": list(runs),
        "figures": figures(exported.evaluation, exported.agreements),
        "costs": {model.model: plain(model.costs) for model in exported.evaluation.models},
        "index_recall": {
            model.model: {"uses_index": model.uses_index, "recall": plain(model.index_recall)}
            for model in exported.evaluation.models
        },
        "robustness": plain(exported.robustness),
    }


def figures(evaluation: Evaluation, agreements: Sequence[Agreement] = ()) -> dict[str, Any]:
    """All that can be computed from rankings and judgments, with queries named by their keys."""
    return {
        "k": evaluation.k,
        "measure": evaluation.measure,
        "measures": list(evaluation.measures),
        "judge": evaluation.judge,
        "queries": [one.key for one in evaluation.queries],
        "models": [_figures_of(model) for model in evaluation.models],
        "comparisons": plain(evaluation.comparisons),
        "frontier": list(evaluation.frontier),
        "agreements": plain(tuple(agreements)),
    }


def _figures_of(model: ModelEvaluation) -> dict[str, Any]:
    return {
        "model": model.model,
        "name": model.name,
        "measures": plain(model.measures),
        "by_modality": plain(model.by_modality),
        "queries": {one.query_key: plain(one.measures) for one in model.queries},
        "unanswered": list(model.unanswered),
        "note": model.note,
        "thresholds": plain(model.thresholds),
    }


def _query(one: QuerySummary) -> dict[str, Any]:
    return {
        "key": one.key,
        "title": one.title,
        "guidelines": one.guidelines,
        "translations": dict(one.translations),
        "parts": plain(one.query.parts),
    }


_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def pretty(value: Any, indent: str = "") -> str:
    """JSON to be read by people too: a line for each entry, but a list of plain values on one. Bytes of a file name
    that are no text stay what they are, as escapes."""
    if isinstance(value, dict) and value:
        inner = indent + " "
        lines = (f"{inner}{_json(str(key))}: {pretty(item, inner)}" for key, item in value.items())
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        inner = indent + " "
        return "[\n" + ",\n".join(f"{inner}{pretty(item, inner)}" for item in value) + f"\n{indent}]"
    return _json(value)


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _line(text: str) -> str:
    return " ".join(printable(text).split())


def _readme(exported: Exported) -> str:
    return README.format(
        name=_line(exported.set.name),
        made_at=exported.environment.made_at,
        version=exported.environment.version,
        measure=exported.evaluation.measure,
    )
