"""What is told first: the better models, and the comparisons that decide."""

from __future__ import annotations

from collections.abc import Sequence

from app.engine.evaltypes import Comparison, ModelEvaluation


def answered_keys(model: ModelEvaluation) -> frozenset[str]:
    """The queries a model's means are over; only means over the same queries may be compared."""
    return frozenset(result.query_key for result in model.queries)


def ranked(models: Sequence[ModelEvaluation], measure: str) -> list[ModelEvaluation]:
    """The models that answered anything: those over the same queries together, most queries first, the best first."""
    answered = [model for model in models if model.queries]
    return sorted(
        answered, key=lambda model: (-len(model.queries), sorted(answered_keys(model)), -model.mean.get(measure, 0.0))
    )


def decisive_first(comparisons: Sequence[Comparison], models: Sequence[ModelEvaluation]) -> tuple[Comparison, ...]:
    """The best model with the second, the best with the others, then all others. ``models`` are `ranked`."""
    place = {model.model: number for number, model in enumerate(models)}
    last = len(place)

    def order(comparison: Comparison) -> tuple[int, int]:
        first, second = sorted(place.get(key, last) for key in (comparison.better, comparison.worse))
        return first, second

    return tuple(sorted(comparisons, key=order))
