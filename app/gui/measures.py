"""Measures in words, and as rows of a table: one for each model, with how sure every figure is."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import QCoreApplication

from app.engine.evaltypes import Evaluation, Measured, ModelEvaluation
from app.engine.evaluation import order
from app.engine.evaluation.order import answered_keys
from app.engine.evaluation.report.spreadsheets import harmless
from app.engine.types import Modality
from app.gui import wording
from app.gui.celltable import Bar, Cell, Column, Row

translate = QCoreApplication.translate

BEST_MARK = "★"
DECIMALS = 2
_NAME = re.compile(r"(?P<base>[A-Za-z0-9]+)(?:@(?P<k>\d+))?")
_SIDE_COUNT = "Judged"
"""What says how far the judging is, and not how good a model is."""

_IN_ORDER = ("P", "R", "nDCG", "AP", "RR", "F1", "Success", "Rprec", _SIDE_COUNT)
"""As they are shown."""
_KINDS = (Modality.TEXT, Modality.IMAGE, Modality.AUDIO)


def _explanations() -> Mapping[str, str]:
    return {
        "P": translate("Measures", "Of the first {k} results, the share that was judged relevant."),
        "R": translate(
            "Measures",
            "Of everything judged relevant so far, the share found among the first {k} results. Relevant items that "
            "nobody has judged are not known, so true recall may be lower.",
        ),
        "F1": translate(
            "Measures",
            "The harmonic mean of precision and recall among the first {k} results: high only when both are.",
        ),
        "Rprec": translate(
            "Measures",
            "R-precision: of as many first results as there are relevant items, the share that is relevant.",
        ),
        "AP": translate(
            "Measures",
            "Average precision: the precision at each relevant result, averaged. It rewards relevant results that come "
            "early, down the whole list.",
        ),
        "RR": translate(
            "Measures",
            "Reciprocal rank: 1 divided by the rank of the first relevant result. 1 means the first one is right.",
        ),
        "nDCG": translate(
            "Measures",
            "How good the order of the first {k} results is, against the best possible order: 1 is perfect.",
        ),
        "Success": translate(
            "Measures",
            "Whether any of the first {k} results is relevant: the share of queries with at least one.",
        ),
        _SIDE_COUNT: translate(
            "Measures",
            "The share of the first {k} results that somebody has judged. What is not judged counts as not relevant, "
            "so below 1 the other measures may be too low.",
        ),
    }


def _short_names() -> Mapping[str, str]:
    return {
        "P": translate("Measures", "Precision at {k}"),
        "R": translate("Measures", "Recall at {k}"),
        "nDCG": translate("Measures", "nDCG at {k}"),
        "AP": translate("Measures", "Average precision"),
        "RR": translate("Measures", "Reciprocal rank"),
        "F1": translate("Measures", "F1 at {k}"),
        "Success": translate("Measures", "Success at {k}"),
        "Rprec": translate("Measures", "R-precision"),
        _SIDE_COUNT: translate("Measures", "Judged at {k}"),
    }


def header(name: str) -> str:
    """A measure's standard name, but that recall says of what it is the share: what nobody judged is not known."""
    if name.startswith("R@"):
        return translate("Measures", "Recall{0}\nof judged").format(name[1:])
    return name.replace("Success", "Success\n")


def explanation(name: str) -> str:
    """A measure in a plain sentence."""
    unknown = translate("Measures", "{0}, as ir_measures defines it.").format(name)
    return _of_name(name, _explanations()) or unknown


def short(name: str) -> str:
    """A measure's name in words."""
    return _of_name(name, _short_names()) or name


def plain(name: str) -> str:
    """`short`, and of recall what it is the share of."""
    is_recall = name.startswith("R@")
    return translate("Measures", "{0}, of judged relevant").format(short(name)) if is_recall else short(name)


def _of_name(name: str, words: Mapping[str, str]) -> str:
    match = _NAME.fullmatch(name)
    return words[match["base"]].format(k=match["k"] or "") if match and match["base"] in words else ""


def figure(value: float) -> str:
    """A measure to two places, which is as much as a test of some dozen queries tells."""
    return f"{value:.{DECIMALS}f}"


def compared_by(evaluation: Evaluation) -> str:
    """The measure that models are compared by."""
    return evaluation.measure or next(iter(evaluation.measures), "")


def best(evaluation: Evaluation) -> set[tuple[str, str]]:
    """The (model, measure) pairs that are best among the models over the same queries.

    Values that read the same are equally good; where all do, none is best. Judged@k says how far the judging is, not
    how good a model is, so it has no best.
    """
    found = set()
    for keys in {answered_keys(model) for model in evaluation.models if model.queries}:
        peers = [model for model in evaluation.models if answered_keys(model) == keys]
        for name in evaluation.measures:
            shown = {model.model: round(model.mean[name], DECIMALS) for model in peers if name in model.mean}
            if not name.startswith(_SIDE_COUNT) and len(set(shown.values())) > 1:
                found |= {(key, name) for key, value in shown.items() if value == max(shown.values())}
    return found


def ranked(evaluation: Evaluation) -> list[ModelEvaluation]:
    """`app.engine.evaluation.order.ranked`, by the measure that models are compared by."""
    return order.ranked(evaluation.models, compared_by(evaluation))


# --- the table -------------------------------------------------------------------------------------------------------


def columns(evaluation: Evaluation) -> list[Column]:
    """One for each measure, first the one that models are compared by."""
    return [Column(header(name), explanation(name)) for name in _in_order(evaluation)]


def rows(evaluation: Evaluation, by_kind: bool = False) -> list[Row]:
    """One for each model that answered anything; ``by_kind``: below it one for each kind of query."""
    marked = best(evaluation)
    names = _in_order(evaluation)
    differ = len({answered_keys(model) for model in evaluation.models if model.queries}) > 1
    made = []
    for model in ranked(evaluation):
        cells = tuple(cell(name, model.measures.get(name), (model.model, name) in marked) for name in names)
        asked = wording.count(len(model.queries), "query", "queries")
        told = translate("Measures", "{0}: means over {1}.").format(model.name, asked)
        made.append(Row(model.name, cells, asked if differ else "", told))
        for modality, measured in model.by_modality.items() if by_kind else ():
            inset = tuple(cell(name, measured.get(name)) for name in names)
            made.append(Row(kind_words((modality,)), inset, inset=True))
    return _on_one_scale(made)


def _on_one_scale(made: Sequence[Row]) -> list[Row]:
    """The bars of each column on the part of the scale that they take up together, in tenths: with many queries an
    interval is too short to be seen on the whole."""
    scales = []
    for column in zip(*(row.cells for row in made), strict=True):
        places = [place for cell in column if cell.bar for place in cell.bar.places] or [0.0, 1.0]
        start = min(math.floor(min(places) * 10), 9) / 10
        scales.append((start, max(math.ceil(max(places) * 10) / 10, start + 0.1)))
    return [
        replace(row, cells=tuple(_scaled(cell, *scale) for cell, scale in zip(row.cells, scales, strict=True)))
        for row in made
    ]


def _scaled(cell: Cell, start: float, end: float) -> Cell:
    return replace(cell, bar=replace(cell.bar, start=start, end=end)) if cell.bar else cell


def has_kinds(evaluation: Evaluation) -> bool:
    return any(len(model.by_modality) > 1 for model in evaluation.models)


def cell(name: str, measured: Measured | None, is_best: bool = False) -> Cell:
    """A measure with its interval, and in the tooltip what it could be if all were judged."""
    if measured is None:
        return Cell("–", spoken=translate("Measures", "{0} not known").format(plain(name)))
    words = figure(measured.value)
    interval = interval_words(measured.low, measured.high)
    said = [f"{plain(name)}: {words}"]
    if is_best:
        said.append(
            translate(
                "Measures",
                "The highest of the models over the same queries. How sure that is, the sentences above say.",
            )
        )
    if measured.low is not None and measured.high is not None:
        ends = figure(measured.low), figure(measured.high)
        said.append(translate("Measures", "95% interval of the mean: {0} to {1}.").format(*ends))
    if measured.least is not None and measured.most is not None and measured.judged < 1:
        bounds = f"{1 - measured.judged:.0%}", figure(measured.least), figure(measured.most)
        said.append(
            translate(
                "Measures",
                "{0} of the results it looks at are not judged, and count as not relevant. Judging those that are "
                "shown first could make it {1} to {2}.",
            ).format(*bounds)
        )
    bar = Bar(measured.value, measured.low, measured.high, measured.least, measured.most)
    return Cell(
        text=f"{BEST_MARK} {words}" if is_best else words,
        caption=interval,
        explanation="\n".join(said),
        strong=is_best,
        bar=None if name.startswith(_SIDE_COUNT) else bar,
        spoken=" ".join(said),
    )


def interval_words(low: float | None, high: float | None) -> str:
    """``0.55–0.68``; empty where there is none."""
    return "" if low is None or high is None else f"{figure(low)}–{figure(high)}"


def _in_order(evaluation: Evaluation) -> list[str]:
    """The measure that models are compared by, then what people ask for most, as far as there is room."""
    first = compared_by(evaluation)
    place = {base: number for number, base in enumerate(_IN_ORDER)}

    def wanted(name: str) -> tuple[bool, int]:
        return name != first, place.get(name.partition("@")[0], len(place))

    return sorted(evaluation.measures, key=wanted)


# --- what a reader must know -----------------------------------------------------------------------------------------


def note_lines(evaluation: Evaluation) -> list[str]:
    """What a reader must know before comparing the rows: who could not answer, and whose means differ in queries."""
    lines = [f"{model.name}: {model.note}" for model in evaluation.models if model.note]
    if len({answered_keys(model) for model in evaluation.models if model.queries}) > 1:
        lines.append(
            translate(
                "Measures",
                "{0} marks the best among models that answered the same queries. Models that answered different "
                "queries cannot be compared by these means.",
            ).format(BEST_MARK)
        )
    return lines


def kind_name(modality: Modality) -> str:
    """What a query is made of, in a word."""
    return {
        Modality.TEXT: translate("Measures", "words"),
        Modality.IMAGE: translate("Measures", "picture"),
        Modality.AUDIO: translate("Measures", "sound"),
    }[modality]


def kind_words(modalities: Iterable[Modality]) -> str:
    """``by words``, ``by picture and sound``: what a query is made of."""
    made_of = set(modalities)
    names = [kind_name(modality) for modality in _KINDS if modality in made_of]
    return translate("Measures", "by {0}").format(translate("Measures", " and ").join(names))


# --- text ------------------------------------------------------------------------------------------------------------


def as_text(evaluation: Evaluation, separator: str) -> str:
    """The figures for a spreadsheet, in full, with a line for each model and its name and costs as columns.

    A measure has its mean, its interval over queries, and its bounds where results are not judged.
    """
    written = io.StringIO()
    writer = csv.writer(written, delimiter=separator, lineterminator="\n")
    names = _in_order(evaluation)
    written_out = [(name, end) for name in names for end in ("", *([] if name.startswith(_SIDE_COUNT) else _ENDS))]
    writer.writerow(["model", "queries", *(f"{name} {end}".strip() for name, end in written_out), *_COSTS])
    for model in ranked(evaluation):
        figures = [_written(getattr(model.measures.get(name), end or "value", None)) for name, end in written_out]
        costs = [_written(getattr(model.costs, name)) for name in _COSTS]
        writer.writerow([harmless(model.name), len(model.queries), *figures, *costs])
    return written.getvalue()


_COSTS = (
    "items_per_s", "device", "query_p50_ms", "query_p95_ms", "query_p99_ms", "memory_bytes", "gpu_memory_bytes",
    "bytes_per_item", "download_bytes", "licence", "agreement",
)  # fmt: skip
_ENDS = ("low", "high", "least", "most")


def _written(value: float | str | None) -> str:
    return "" if value is None else f"{value:.6f}" if isinstance(value, float) else str(value)
