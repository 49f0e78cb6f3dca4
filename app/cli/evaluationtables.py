"""What a person reads on a terminal of how models compare."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from app.cli import blocks
from app.engine.evaltypes import Comparison, Evaluation, Measured, ModelCosts, ModelEvaluation, Verdict
from app.engine.sizes import in_words

UNKNOWN = "–"


def evaluation(console: Console, result: Evaluation) -> None:
    """Measures with their intervals, what can be said of every two models, and what each costs."""
    _measures(console, result)
    _bounds(console, result)
    if result.comparisons:
        console.print("")
    for comparison in result.comparisons:
        behind = _p_words(comparison)
        console.print(escape(comparison.sentence) + (f" [dim]{behind}[/]" if behind else ""))
    if result.comparisons and result.caution:
        console.print(f"[dim]{escape(result.caution)}")
    console.print("")
    _costs(console, result)
    _notes(console, result)


def _measures(console: Console, result: Evaluation) -> None:
    lines = []
    for model in result.models:
        values = [_measured(model.measures.get(name)) for name in result.measures]
        lines.append(blocks.Line((escape(model.model), str(len(model.queries)), *values)))
        for modality, measures in model.by_modality.items():
            values = [_measured(measures.get(name)) for name in result.measures]
            lines.append(blocks.Line((f"  by {modality}", "", *values), "dim"))
    blocks.show(console, ("model", "queries", *map(escape, result.measures)), lines)
    for model in result.models:
        if model.note:
            console.print(f"{escape(model.model)}: {escape(model.note)}")
    console.print(
        f"[dim]In brackets the 95% interval over queries. R@{result.k} is recall among what was judged relevant; what "
        "is not judged counts as not relevant. Models that answered different queries cannot be compared."
    )


def _p_words(comparison: Comparison) -> str:
    if comparison.queries < 2 or comparison.verdict is Verdict.ALIKE:  # it is of the difference, which does not matter
        return ""
    p = comparison.p_adjusted
    return f"p {'< 0.001' if p < 0.001 else f'= {p:.3f}'}, corrected"


def _bounds(console: Console, result: Evaluation) -> None:
    """What the measure that models are compared by could be, where results are not judged."""
    for model in result.models:
        measured = model.measures.get(result.measure)
        if measured and measured.judged < 1 and measured.least is not None and measured.most is not None:
            console.print(
                f"[dim]{escape(model.model)}: {1 - measured.judged:.0%} of the results that "
                f"{escape(result.measure)} looks at are not judged, and count as not relevant; judging those that are "
                f"shown first could make it {measured.least:.3f} to {measured.most:.3f}."
            )


def _costs(console: Console, result: Evaluation) -> None:
    columns = ("items/s", "query p50", "p95", "p99", "memory", "GPU", "bytes/item", "download", "licence", "index")
    lines = []
    for model in result.models:
        star = "*" if model.model in result.frontier else ""
        lines.append(blocks.Line((f"{escape(model.model)}{star}", *_cost_cells(model.costs), _index(model))))
    blocks.show(console, ("model", *columns), lines)
    if result.frontier:
        console.print(f"[dim]* No other model is both faster and better by {escape(result.measure)}.")


def _cost_cells(costs: ModelCosts) -> Sequence[str]:
    return (
        UNKNOWN if costs.items_per_s is None else f"{_figures(costs.items_per_s)} ({costs.device})",
        _milliseconds(costs.query_p50_ms),
        _milliseconds(costs.query_p95_ms),
        _milliseconds(costs.query_p99_ms),
        _size(costs.memory_bytes),
        _size(costs.gpu_memory_bytes),
        UNKNOWN if costs.bytes_per_item is None else f"{costs.bytes_per_item:,}",
        _size(costs.download_bytes),
        escape(costs.licence) + ("" if costs.commercial is not False else " (not for work)"),
    )


def _notes(console: Console, result: Evaluation) -> None:
    for model in result.models:
        if model.costs.agreement is not None:
            console.print(
                f"[dim]{model.model} agrees with its base: cosine {model.costs.agreement:.4f} on this library."
            )
        for threshold in model.thresholds:
            if threshold.similarity is not None:
                console.print(
                    f"[dim]{model.model}: results by {threshold.modality} are right in {threshold.precision:.0%} of "
                    f"cases from a similarity of {threshold.similarity:.3f} on. {escape(threshold.note)}"
                )
            elif threshold.note:
                console.print(f"[dim]{model.model}, by {threshold.modality}: {escape(threshold.note)}")


def _index(model: ModelEvaluation) -> str:
    if model.index_recall is None:
        return UNKNOWN
    return f"finds {model.index_recall.value:.1%}" if model.uses_index else "exact"


def _measured(measured: Measured | None) -> str:
    if measured is None:
        return UNKNOWN
    if measured.low is None or measured.high is None:
        return f"{measured.value:.3f}"
    return f"{measured.value:.3f} [dim]({measured.low:.3f}–{measured.high:.3f})[/]"


def _milliseconds(value: float | None) -> str:
    return UNKNOWN if value is None else f"{_figures(value)} ms"


def _figures(value: float) -> str:
    """Three figures, or all before the point: ``0.123``, ``38.2``, ``1,034``."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _size(size_bytes: int | None) -> str:
    return UNKNOWN if size_bytes is None else in_words(size_bytes)
