"""A report as one HTML file: no script, no address outside it, light or dark as the reader has it, fit for print.

The page is a Jinja2 template with all that is put into it escaped; every text that comes from a person or a file is set
apart in its own direction (``bdi``). A policy in its head forbids the browser to load anything.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import Any

from jinja2 import Environment as Templates
from jinja2 import FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app.engine.evaltypes import Comparison, ModelCosts, ModelEvaluation, QueryEvaluation, Threshold, Verdict
from app.engine.evaluation.report import methods, plots
from app.engine.evaluation.report.content import Report, printable
from app.engine.evaluation.report.pictures import data_uri, data_uris
from app.engine.judgingtypes import IMPORTED, QuerySummary, Scale
from app.engine.sizes import in_words
from app.engine.types import Hit, Modality
from app.paths import resources_dir

COLUMNS = 4
"""Lists beside each other: what an A4 page holds with pictures."""

MOST_SENTENCES = 8
"""Verdicts told as sentences, those with the best model first; all are in the table."""

ALL_JUDGES = "all together (the lower median of their grades)"
KINDS = {Modality.TEXT: "words", Modality.IMAGE: "picture", Modality.AUDIO: "sound"}
VERDICTS = {Verdict.BETTER: "better", Verdict.ALIKE: "alike", Verdict.OPEN: "cannot tell yet"}

RELEVANT, NOT_RELEVANT = Markup("<b>✅</b>"), Markup('<b class="x">❎</b>')

_NONE = "–"


def render(report: Report) -> str:
    """The page. Results are shown side by side where the evaluation holds them."""
    templates = Templates(
        loader=FileSystemLoader(resources_dir() / "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    templates.filters.update(fixed=_fixed, signed=_signed, probability=_probability)
    return templates.get_template("page.html").render(_Page(report).context())


@dataclass(frozen=True)
class _Page:
    """What the template asks for."""

    report: Report

    def context(self) -> dict[str, Any]:
        report, evaluation, shown = self.report, self.report.evaluation, self._pictures
        verdicts = self._verdicts
        return {
            "r": report,
            "e": evaluation,
            "title": report.title,
            "css": Markup((resources_dir() / "report" / "page.css").read_text(encoding="utf-8")),  # noqa: S704 - ours
            "made_at": _day(report.environment.made_at),
            "names": self._names,
            "verdicts": verdicts,
            "verdicts_left": len(evaluation.comparisons) - len(verdicts),
            "verdict_words": VERDICTS,
            "notes": self._notes(),
            "contents": self._contents(),
            "facts": facts(report),
            "judged": self._judged,
            "shows_judged": not any(name.startswith("Judged@") for name in evaluation.measures),
            "interval_plot": Markup(plots.intervals(evaluation)),  # noqa: S704 - matplotlib escapes what it writes
            "cost_plot": Markup(plots.quality_and_cost(evaluation)),  # noqa: S704 - as above
            "unplaced": ", ".join(model.name for model in evaluation.models if not model.costs.items_per_s),
            "cost_columns": COSTS,
            "by_modality": [
                (model.name, KINDS[kind], measures)
                for model in evaluation.models
                for kind, measures in model.by_modality.items()
            ],
            "index_rows": self._index_rows,
            "thresholds": self._thresholds,
            "kinds": KINDS,
            "robustness": report.robustness,
            "disturbances": {one.key: one.name for one in report.robustness.disturbances} if report.robustness else {},
            "heat_map": Markup(plots.heat_map(report.robustness)) if report.robustness else "",  # noqa: S704 - as above
            "is_graded": report.set is not None and report.set.scale is Scale.GRADED,
            "judge_name": judge_name,
            "per_query": self._per_query,
            "has_lists": self._has_lists,
            "lists": self._lists,
            "depth": lambda chunk: max(len(answer.hits) for _, answer in chunk),
            "list_measures": [name for name in evaluation.measures if name in self._below_lists],
            "asked": asked,
            "mark": self._mark,
            "file_name": file_name,
            "pictures": shown,
            "pictures_left": report.pictures_left,
            "query_pictures": {
                number: Markup(uri)  # noqa: S704 - base64, made here
                for number, encoded in report.query_pictures.items()
                if (uri := data_uri(encoded))
            },
            "methods": methods.sentences(evaluation, report.robustness),
            "software": methods.software(report.environment),
        }

    @cached_property
    def _names(self) -> dict[str, str]:
        return {model.model: model.name for model in self.report.evaluation.models}

    @cached_property
    def _answers(self) -> dict[str, dict[int, QueryEvaluation]]:
        return {
            model.model: {answer.query_id: answer for answer in model.queries}
            for model in self.report.evaluation.models
        }

    @cached_property
    def _pictures(self) -> dict[int, Markup]:
        return {number: Markup(uri) for number, uri in data_uris(self.report.pictures).items()}  # noqa: S704 - base64, made here

    @cached_property
    def _verdicts(self) -> list[Comparison]:
        """The comparisons that decide."""
        return list(self.report.evaluation.comparisons[:MOST_SENTENCES])

    @cached_property
    def _has_lists(self) -> bool:
        return any(answer.hits for model in self.report.evaluation.models for answer in model.queries)

    @cached_property
    def _thresholds(self) -> list[Threshold]:
        return [one for model in self.report.evaluation.models for one in model.thresholds]

    @cached_property
    def _index_rows(self) -> list[ModelEvaluation]:
        models = self.report.evaluation.models
        return [model for model in models if model.index_recall is not None or (model.queries and not model.uses_index)]

    @property
    def _below_lists(self) -> tuple[str, ...]:
        k = self.report.evaluation.k
        return (f"P@{k}", f"R@{k}", f"F1@{k}", "AP")

    def _notes(self) -> list[str]:
        evaluation = self.report.evaluation
        notes = [evaluation.caution] if evaluation.caution and evaluation.comparisons else []
        for model in evaluation.models:
            if model.note:
                notes.append(f"{model.name}: {model.note}")
            elif model.unanswered:
                notes.append(f"{model.name} does not answer {len(model.unanswered)} of the queries.")
        return notes

    def _contents(self) -> list[tuple[str, str]]:
        evaluation, report = self.report.evaluation, self.report
        parts = (
            ("measured", "What was measured", True),
            ("measures", "Measures", True),
            ("comparisons", "Comparisons", bool(evaluation.comparisons)),
            ("costs", "Quality and cost", True),
            ("kinds", "By kind of query", any(model.by_modality for model in evaluation.models)),
            ("index", "Index", bool(self._index_rows)),
            ("thresholds", "Thresholds", bool(self._thresholds)),
            ("robustness", "Robustness", report.robustness is not None),
            ("agreement", "Agreement of judges", bool(report.agreements)),
            ("queries", "Query by query", bool(evaluation.queries)),
            ("lists", "Side by side", self._has_lists),
            ("methods", "How it was computed", True),
        )
        return [(anchor, words) for anchor, words, is_there in parts if is_there]

    def _judged(self, model: ModelEvaluation) -> str:
        measured = model.measures.get(self.report.evaluation.measure)
        return _NONE if measured is None else _share(measured.judged)

    def _per_query(self, query_id: int) -> list[float | None]:
        evaluation = self.report.evaluation
        answers = (self._answers[model.model].get(query_id) for model in evaluation.models)
        return [answer.measures.get(evaluation.measure) if answer else None for answer in answers]

    def _lists(self, query_id: int) -> list[list[tuple[ModelEvaluation, QueryEvaluation]]]:
        """The answers of the models to a query, in tables of at most `COLUMNS`, filled evenly."""
        answered = [
            (model, answer)
            for model in self.report.evaluation.models
            if (answer := self._answers[model.model].get(query_id)) and answer.hits
        ]
        tables = -(-len(answered) // COLUMNS)
        columns = -(-len(answered) // tables) if tables else 1
        return [answered[begin : begin + columns] for begin in range(0, len(answered), columns)]

    def _mark(self, grade: int | None) -> str:
        """Drawn by the page's own style over the character: not every system has a font with it."""
        if grade is None or grade < 0:
            return _NONE
        is_graded = self.report.set is not None and self.report.set.scale is Scale.GRADED
        if grade == 0:
            return NOT_RELEVANT
        return RELEVANT + Markup(" {}").format(grade) if is_graded else RELEVANT


def facts(report: Report) -> list[tuple[str, str]]:
    """What was measured, by name."""
    evaluation, of_set = report.evaluation, report.set
    judge = ALL_JUDGES if evaluation.judge is None else judge_name(evaluation.judge)
    judgments = sum(query.judged for query in evaluation.queries)
    relevant = sum(query.relevant for query in evaluation.queries)
    told = [
        ("Set", evaluation.set_name or (of_set.name if of_set else "all sets")),
        ("Queries", f"{len(evaluation.queries):,}"),
        ("Judgments", f"{judgments:,}, of which {relevant:,} relevant"),
        ("Judges", ", ".join(map(judge_name, of_set.judges)) if of_set and of_set.judges else ""),
        ("Grades of", judge),
        ("Scale", f"0 to {of_set.scale.highest}; above 0 is relevant" if of_set else ""),
        ("Guidelines", of_set.guidelines if of_set else ""),
        ("First k", str(evaluation.k)),
        ("Compared by", evaluation.measure),
        ("Models", ", ".join(model.name for model in evaluation.models)),
        ("Machine", report.environment.machine),
        ("Library", report.environment.library),
    ]
    return [(name, value) for name, value in told if value]


def asked(query: QuerySummary) -> str:
    """A query in words: its texts and its files, with what they count."""
    said = []
    for part in query.query.parts:
        what = f"“{part.text}”" if part.modality is Modality.TEXT else f"the {KINDS[part.modality]} {_name(part.path)}"
        at = f" at {part.at_ms / 1000:g} s" if part.at_ms else ""
        said.append(f"{what}{at}" if part.weight == 1 else f"{part.weight:g} × {what}{at}")
    return "By " + ", ".join(said)


def file_name(hit: Hit) -> str:
    """A result's file, with its moment."""
    return _name(hit.path) if hit.start_ms is None else f"{_name(hit.path)}, {hit.start_ms / 1000:g} s"


def judge_name(judge: str) -> str:
    return "folders and captions" if judge == IMPORTED else judge or "the owner of the library"


def _name(path: str) -> str:
    return PurePath(path).name or "a file that is gone"


def _day(made_at: str) -> str:
    return f"{datetime.datetime.fromisoformat(made_at):%Y-%m-%d %H:%M %z}"


def _fixed(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−")


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


def _probability(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _share(value: float) -> str:
    return f"{value:.0%}"


def _size(size_bytes: int | None) -> str:
    return _NONE if size_bytes is None else in_words(size_bytes)


def _time(time_ms: float | None) -> str:
    return _NONE if time_ms is None else f"{time_ms:,.1f} ms"


def _speed(costs: ModelCosts) -> str:
    return _NONE if not costs.items_per_s else f"{costs.items_per_s:,.3g} ({costs.device or 'cpu'})"


def _licence(costs: ModelCosts) -> str:
    commercial = {True: "", False: ", not for use at work", None: ""}[costs.commercial]
    return f"{costs.licence}{commercial}" if costs.licence else _NONE


COSTS: Sequence[tuple[str, Callable[[ModelCosts], str]]] = (
    ("Items/s", _speed),
    ("Query p50", lambda costs: _time(costs.query_p50_ms)),
    ("p95", lambda costs: _time(costs.query_p95_ms)),
    ("p99", lambda costs: _time(costs.query_p99_ms)),
    ("Memory", lambda costs: _size(costs.memory_bytes)),
    ("GPU memory", lambda costs: _size(costs.gpu_memory_bytes)),
    ("Bytes per item", lambda costs: _NONE if costs.bytes_per_item is None else f"{costs.bytes_per_item:,}"),
    ("Download", lambda costs: _size(costs.download_bytes)),
    ("Licence", _licence),
)
"""The columns of the table of costs."""
