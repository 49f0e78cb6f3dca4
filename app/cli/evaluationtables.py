"""What a person reads on a terminal of how models compare."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from app.cli import blocks
from app.cli.modeltables import size
from app.engine.evaltypes import Evaluation, Measured, ModelCosts, ModelEvaluation

UNKNOWN = "–"


def evaluation(console: Console, result: Evaluation) -> None:
    """Measures with their intervals, what can be said of every two models, and what each costs."""
    _measures(console, result)
    if result.comparisons:
        console.print("")
    for comparison in result.comparisons:
        console.print(escape(comparison.sentence))
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
    console.print(
        f"[dim]In brackets the 95% interval over queries. R@{result.k} is recall among what was judged relevant; what "
        "is not judged counts as not relevant. Models that answered different queries cannot be compared."
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
        UNKNOWN if costs.items_per_s is None else f"{costs.items_per_s:,.3g} ({costs.device})",
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
                    f"cases from a similarity of {threshold.similarity:.3f} on."
                )
        if model.note:
            console.print(f"[dim]{model.model}: {escape(model.note)}")


def _index(model: ModelEvaluation) -> str:
    if model.index_recall is None:
        return UNKNOWN
    return f"finds {model.index_recall.value:.1%}" if model.uses_index else "exact"


def _measured(measured: Measured | None) -> str:
    if measured is None:
        return UNKNOWN
    if measured.low is None or measured.high is None:
        return f"{measured.value:.3f}"
    return f"{measured.value:.3f} [dim]({measured.low:.2f}–{measured.high:.2f})[/]"


def _milliseconds(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,.3g} ms"


def _size(size_bytes: int | None) -> str:
    return UNKNOWN if size_bytes is None else size(size_bytes)
