"""The tables of an export, as spreadsheets take them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import Any

from app.engine.evaltypes import Evaluation
from app.engine.evaluation.report.content import printable

ENCODING = "utf-8-sig"
"""A spreadsheet takes a CSV file for UTF-8 only when it begins with this mark."""

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


_COMPUTED = ("=", "+", "-", "@", "\t", "\r", "\n", "'")


def table(rows: Iterable[Sequence[Any]]) -> str:
    """CSV; texts as `harmless` has them."""
    out = StringIO()
    csv.writer(out, lineterminator="\n").writerows([harmless(value) for value in row] for row in rows)
    return out.getvalue()


def harmless(value: Any) -> Any:
    """A cell: text that a spreadsheet would compute, which may come from anybody's files, gets an apostrophe in front.
    So does text that begins with one, so that taking one away always gives the text back."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.startswith(_COMPUTED) else text


def measures(evaluation: Evaluation) -> Iterator[Sequence[Any]]:
    yield ("model", "name", "queries_by", "queries", "measure", *_FIGURES)
    for model in evaluation.models:
        for kind, of_kind in (("", model.measures), *model.by_modality.items()):
            count = len(model.queries) if not kind else ""
            for name, one in of_kind.items():
                yield (model.model, model.name, kind, count, name, *(getattr(one, figure) for figure in _FIGURES))


def per_query(evaluation: Evaluation) -> Iterator[Sequence[Any]]:
    yield ("query", "title", "model", *evaluation.measures)
    for model in evaluation.models:
        for one in model.queries:
            yield (one.query_key, one.title, model.model, *(one.measures.get(name) for name in evaluation.measures))


def comparisons(evaluation: Evaluation) -> Iterator[Sequence[Any]]:
    yield _COMPARED
    for one in evaluation.comparisons:
        yield [getattr(one, name) for name in _COMPARED]
