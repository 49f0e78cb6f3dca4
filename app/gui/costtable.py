"""What every model costs on this machine, in words: a row for each model, in the order of the measures."""

from __future__ import annotations

from collections.abc import Callable

from app.engine.evaltypes import Evaluation, Measured, ModelCosts, ModelEvaluation, Threshold
from app.gui import wording
from app.gui.celltable import Cell, Column, Row
from app.gui.measures import interval_words, kind_name, kind_words, ranked

UNKNOWN = "–"
DEVICES = {"cpu": "processor", "cuda": "graphics card", "mps": "graphics chip"}


def rate_words(rate: float | None) -> str:
    """Items a second in as many digits as mean something."""
    return UNKNOWN if not rate else f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"


def time_words(time_ms: float | None) -> str:
    """``8.4 ms``, ``38 ms``, ``1.2 s``, ``10 s``."""
    if time_ms is None:
        return UNKNOWN
    if time_ms >= 1000:
        return f"{time_ms / 1000:.1f} s" if time_ms < 10_000 else f"{time_ms / 1000:.0f} s"
    return f"{time_ms:.0f} ms" if time_ms >= 10 else f"{time_ms:.1f} ms"


def size_words(size_bytes: int | None) -> str:
    return UNKNOWN if not size_bytes else wording.size(size_bytes)


def columns_and_rows(evaluation: Evaluation) -> tuple[list[Column], list[Row]]:
    """The columns of which anything is known for any model, and a row for each model."""
    models = ranked(evaluation)
    made = [(column, [make(model) for model in models]) for column, make in _COLUMNS]
    known = [(column, cells) for column, cells in made if any(cell.text != UNKNOWN for cell in cells)]
    rows = [
        Row(model.name, tuple(cells[number] for _column, cells in known), explanation=_variant_words(model.costs))
        for number, model in enumerate(models)
    ]
    return [column for column, _cells in known], rows if known else []


def _variant_words(costs: ModelCosts) -> str:
    return f"A faster variant of {costs.base}." if costs.base else ""


# --- cells -----------------------------------------------------------------------------------------------------------


def _speed(model: ModelEvaluation) -> Cell:
    costs = model.costs
    device = DEVICES.get(costs.device, costs.device)
    spoken = f"{rate_words(costs.items_per_s)} items a second on the {device}" if costs.items_per_s else "not known"
    return Cell(rate_words(costs.items_per_s), device if costs.items_per_s else "", spoken=f"Indexing: {spoken}")


def _search(model: ModelEvaluation) -> Cell:
    costs = model.costs
    if costs.query_p50_ms is None:
        return Cell(UNKNOWN, spoken="Time of a search not known")
    words = time_words(costs.query_p50_ms)
    p95, p99 = time_words(costs.query_p95_ms), time_words(costs.query_p99_ms)
    said = (
        f"Half of {costs.timed_queries:,} searches took at most {words}, 95% at most {p95}, 99% at most {p99}: "
        "the query's encoding included, nothing remembered."
    )
    return Cell(words, "half of them", said, spoken=said)


def _slow_search(model: ModelEvaluation) -> Cell:
    costs = model.costs
    if costs.query_p95_ms is None:
        return Cell(UNKNOWN)
    p99 = time_words(costs.query_p99_ms)
    return Cell(time_words(costs.query_p95_ms), f"99%: {p99}", f"95% of searches are as fast, 99% take {p99}.")


def _memory(model: ModelEvaluation) -> Cell:
    return Cell(size_words(model.costs.memory_bytes), spoken=f"Memory {size_words(model.costs.memory_bytes)}")


def _gpu_memory(model: ModelEvaluation) -> Cell:
    words = size_words(model.costs.gpu_memory_bytes)
    return Cell(words, spoken=f"Memory of the graphics card {words}")


def _item_size(model: ModelEvaluation) -> Cell:
    words = size_words(model.costs.bytes_per_item)
    return Cell(words, spoken=f"{words} in the library for each item")


def _download(model: ModelEvaluation) -> Cell:
    words = size_words(model.costs.download_bytes)
    return Cell(words, spoken=f"Download {words}")


def _licence(model: ModelEvaluation) -> Cell:
    costs = model.costs
    use = {True: "any use", False: "not at work", None: ""}[costs.commercial] if costs.licence else ""
    return Cell(costs.licence or UNKNOWN, use, f"{costs.licence} {use}".strip())


def _index(model: ModelEvaluation) -> Cell:
    recall = model.index_recall
    if recall is None and model.uses_index:
        return Cell(UNKNOWN, explanation="Not measured.")
    if recall is None or not model.uses_index:
        said = "Its searches compare every vector: nothing can be lost."
        return Cell("nothing", "exact", said, spoken=f"Lost by the index: nothing. {said}")
    return _index_loss(recall)


def _index_loss(recall: Measured) -> Cell:
    lost = f"{1 - recall.value:.1%}"
    said = f"{lost} of what an exact search finds first is not found through the index (recall {recall.value:.3f}"
    interval = interval_words(recall.low, recall.high).replace("–", " to ")
    said += f", 95% interval {interval})." if interval else ")."
    return Cell(lost, f"recall {recall.value:.3f}", said, spoken=said)


def _thresholds(model: ModelEvaluation) -> Cell:
    known = [threshold for threshold in model.thresholds if threshold.similarity is not None]
    said = "\n".join(_threshold_sentence(threshold) for threshold in model.thresholds)
    if not known:
        return Cell(UNKNOWN, explanation=said, spoken=said or "Threshold not known")
    words = " · ".join(_similarity(threshold.similarity) for threshold in known)
    kinds = " · ".join(kind_name(threshold.modality) for threshold in known)
    return Cell(words, kinds, said, spoken=said)


def _similarity(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.2f}".replace("-", "−")


def _threshold_sentence(threshold: Threshold) -> str:
    kind = kind_words((threshold.modality,)).capitalize()
    if threshold.similarity is None:
        return f"{kind}: {threshold.note}"
    said = f"{kind}: {threshold.precision:.0%} right from similarity {_similarity(threshold.similarity)}"
    if threshold.observed is not None:
        said += f" ({threshold.observed:.0%} of the {threshold.above:,} judged results above it)"
    if threshold.kept is not None:
        said += f"; {threshold.kept:.0%} of the relevant results lie above"
    return f"{said}. {threshold.note}".strip()


def _agreement(model: ModelEvaluation) -> Cell:
    agreement = model.costs.agreement
    return Cell(UNKNOWN if agreement is None else f"{agreement:.4f}", "mean cosine" if agreement is not None else "")


_COLUMNS: tuple[tuple[Column, Callable[[ModelEvaluation], Cell]], ...] = (
    (Column("Items\na second", "How many pictures or sounds it indexes a second on this machine."), _speed),
    (Column("A search", "How long half of the searches take at most, the query's encoding included."), _search),
    (Column("95% of\nsearches", "How long 95 in 100 searches take at most."), _slow_search),
    (Column("Memory", "What it needs of this machine's memory while it is loaded."), _memory),
    (Column("Graphics\nmemory", "What it needs of the graphics card's memory."), _gpu_memory),
    (Column("An item\ntakes", "What its vector of one item takes in the library and its index."), _item_size),
    (Column("Download", "How much is fetched to install it."), _download),
    (Column("Licence", "Under which licence its weights are."), _licence),
    (
        Column("Lost by\nthe index", "The share of an exact search's first results that the fast index misses: the "
               "index's loss, and not the model's."),
        _index,
    ),
    (
        Column("90% right\nfrom", "The similarity from which 90 in 100 of its results are right, by the judgments."),
        _thresholds,
    ),
    (
        Column("Like its\nbase", "Of a faster variant: how near its vectors are to its base's. 1 is the same."),
        _agreement,
    ),
)  # fmt: skip
