"""An evaluation as a folder: tables for spreadsheets, files for TREC's tools, and one document from which every figure
can be computed again and which another library takes in.

A score in a ``.run`` file counts down from the length of the list, so that every tool, whatever it does with equal
scores and in whatever precision, has our order; the similarities themselves are in ``evaluation.json``.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from io import StringIO
from typing import Any

from app.engine.evaltypes import (
    Agreement,
    Evaluation,
    EvaluationRequest,
    ModelEvaluation,
    QuerySet,
    QuerySummary,
    Robustness,
)
from app.engine.evaluation import trec
from app.engine.evaluation.report.content import Environment, printable
from app.engine.types import ItemKind

FORMAT, FORMAT_VERSION = "semblance-evaluation", 1
DOCUMENT = "evaluation.json"
SPREADSHEET = "utf-8-sig"
"""A spreadsheet takes a CSV file for UTF-8 only when it begins with this mark."""

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
    are judged documents that no file of the library held. ``files`` are relative names, by content."""

    environment: Environment
    set: QuerySet
    request: EvaluationRequest
    queries: tuple[QuerySummary, ...]
    judgments: Mapping[str, Grades]
    absent: frozenset[str]
    files: Mapping[str, str]
    runs: tuple[Run, ...]
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


def folder(exported: Exported, grades: Grades) -> Iterator[tuple[str, str, str]]:
    """Every file as (name, text, encoding). ``grades`` are those of the judge who was asked for, or of all together."""
    evaluation = exported.evaluation
    yield "README.txt", _readme(exported), "utf-8"
    yield DOCUMENT, pretty(document(exported)) + "\n", "utf-8"
    yield "measures.csv", table(_measures(evaluation)), SPREADSHEET
    yield "per_query.csv", table(_per_query(evaluation)), SPREADSHEET
    yield "comparisons.csv", table(_comparisons(evaluation)), SPREADSHEET
    yield "topics.tsv", "".join(f"{one.key}\t{_line(one.title)}\n" for one in exported.queries), "utf-8"
    yield "qrels.txt", _qrels(grades), "utf-8"
    taken = {"qrels.txt"}
    for judge, of_judge in exported.judgments.items():
        yield _free(f"qrels.{_portable(judge) or 'owner'}", ".txt", taken), _qrels(of_judge), "utf-8"
    names: set[str] = set()
    for run in exported.runs:
        name = _free(f"runs/{_portable(run.model)}", ".run", names)
        yield name, _run(run), "utf-8"
        yield f"{name.removesuffix('.run')}.qrels", _qrels(measured_by(run, grades, exported.absent)), "utf-8"


def _qrels(grades: Grades) -> str:
    return trec.write_qrels(
        trec.QrelLine(key, document, grade)
        for key, of_query in grades.items()
        for document, grade in of_query.items()
        if grade >= 0
    )


def _run(run: Run) -> str:
    tag = _portable(run.model)
    return "".join(
        f"{key} Q0 {document} {rank} {len(ranking) - rank + 1} {tag}\n"
        for key, ranking in run.rankings.items()
        for rank, (document, _) in enumerate(ranking, start=1)
    )


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


# --- tables ----------------------------------------------------------------------------------------------------------

_FIGURES = ("value", "low", "high", "judged", "least", "most")
_COMPARED = (
    "measure",
    "better",
    "worse",
    "queries",
    "difference",
    "low",
    "high",
    "p_value",
    "p_adjusted",
    "effect_size",
    "wins",
    "losses",
    "ties",
    "verdict",
    "more_queries",
    "sentence",
)


def table(rows: Iterable[Sequence[Any]]) -> str:
    """CSV. Text that a spreadsheet would compute gets an apostrophe in front: it may come from anybody's files."""
    out = StringIO()
    csv.writer(out, lineterminator="\n").writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text


def _measures(evaluation: Evaluation) -> Iterator[Sequence[Any]]:
    yield ("model", "name", "queries_by", "queries", "measure", *_FIGURES)
    for model in evaluation.models:
        for kind, measures in (("", model.measures), *model.by_modality.items()):
            count = len(model.queries) if not kind else ""
            for name, one in measures.items():
                yield (model.model, model.name, kind, count, name, *(getattr(one, figure) for figure in _FIGURES))


def _per_query(evaluation: Evaluation) -> Iterator[Sequence[Any]]:
    yield ("query", "title", "model", *evaluation.measures)
    for model in evaluation.models:
        for one in model.queries:
            yield (one.query_key, one.title, model.model, *(one.measures.get(name) for name in evaluation.measures))


def _comparisons(evaluation: Evaluation) -> Iterator[Sequence[Any]]:
    yield _COMPARED
    for one in evaluation.comparisons:
        yield [getattr(one, name) for name in _COMPARED]


def _line(text: str) -> str:
    return " ".join(printable(text).split())


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


def document(exported: Exported) -> dict[str, Any]:
    """``evaluation.json``. Documents are numbered by their place in ``documents``; rankings and judgments name them
    so."""
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
    runs = [_run_document(run, number) for run in exported.runs]
    request = {key: value for key, value in plain(exported.request).items() if key not in ("query_ids", "set_id")}
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
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
        "runs": runs,
        "figures": figures(exported.evaluation),
        "costs": {model.model: plain(model.costs) for model in exported.evaluation.models},
        "index_recall": {
            model.model: {"uses_index": model.uses_index, "recall": plain(model.index_recall)}
            for model in exported.evaluation.models
        },
        "robustness": plain(exported.robustness),
        "agreements": plain(exported.agreements),
    }


def figures(evaluation: Evaluation) -> dict[str, Any]:
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


def _run_document(run: Run, number: Any) -> dict[str, Any]:
    return {
        "model": run.model,
        "kinds": [str(kind) for kind in run.kinds],
        "rankings": {
            key: {
                "documents": [number(name) for name, _ in ranking],
                "similarities": [similarity for _, similarity in ranking],
            }
            for key, ranking in run.rankings.items()
        },
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


def _readme(exported: Exported) -> str:
    return README.format(
        name=_line(exported.set.name),
        made_at=exported.environment.made_at,
        version=exported.environment.version,
        measure=exported.evaluation.measure,
    )


README = """An evaluation by Semblance {version}: “{name}”, {made_at}

evaluation.json   everything: the set with its guidelines, the queries, all judgments by all judges with their marks
                  (-1 unsure, -2 for later), every model's rankings with similarities, what was asked for, the figures,
                  what the models cost, the machine and the versions of the software
measures.csv      the means of every measure for every model, with intervals (95 %) and bounds
per_query.csv     every measure of every query for every model
comparisons.csv   every two models compared by {measure}
topics.tsv        the queries: TREC query id, title
qrels.txt         the judgments that were used, as TREC qrels; qrels.<judge>.txt: those of one judge
runs/MODEL.run    the rankings of a model as a TREC run, and runs/MODEL.qrels the judgments that it is measured by:
                  of the queries it answers, on the kinds of files it can find, among files that were there

A document is named by the SHA-256 of its file's bytes and its kind: <sha256>:photo, <sha256>:frame:<ms>,
<sha256>:audio:<ms>. Query ids are made of what is asked for: text:red%20dress, image:<sha256>, sound:<sha256>. So both
mean the same in every library. Scores in a run count down from the length of the list, for the order is what counts;
the similarities are in evaluation.json.

To check the figures without Semblance:   ir_measures runs/MODEL.qrels runs/MODEL.run {measure} AP nDCG@10
(F1@k is SetF on the first k results.) With it:   semblance report --recompute FOLDER
To go on in another library that holds the same files:   semblance report --import FOLDER

What is personal in here: the words of the queries and their guidelines, the names of judges, the names of the files in
rankings, judgments and queries with their folders below the library's own, the name of the library, and a description
of the machine. No picture, no sound, no path above the library's folders, no account and no password.
In CSV files, text that begins with = + - or @ has an apostrophe in front, so that no spreadsheet computes it.
"""
