"""The outcome of a comparison in plain words."""

from __future__ import annotations

from app.engine.evaltypes import Comparison, Verdict
from app.engine.evaluation.resampling import LEVEL

FEW_QUERIES = 10
"""Below so many, a sentence says that they are few."""


def sentence(comparison: Comparison, better: str, worse: str) -> str:
    """What the figures of a comparison say; ``better`` and ``worse`` are the models' names for people."""
    figures = f"({comparison.measure} {_signed(comparison.difference)}{_interval(comparison)})"
    if comparison.verdict is Verdict.BETTER:
        text = f"{better} beats {worse} {figures}"
    elif comparison.verdict is Verdict.ALIKE:
        text = f"{better} and {worse} are equally good {figures}"
    else:
        text = f"Cannot tell yet whether {better} or {worse} is better {figures}{_missing(comparison)}"
    few = comparison.queries < FEW_QUERIES
    return f"{text}. Only {_counted(comparison.queries)} so far." if few else f"{text}."


def _missing(comparison: Comparison) -> str:
    """What would settle it. ``p_value`` may say more than the corrected one where many models are compared."""
    reasons = []
    if comparison.p_value <= LEVEL < comparison.p_adjusted:
        reasons.append("among so many comparisons this may be luck")
    if comparison.more_queries:
        are = "query is" if comparison.more_queries == 1 else "queries are"
        reasons.append(f"about {comparison.more_queries} more {are} needed")
    return f": {', '.join(reasons)}" if reasons else ""


def _counted(queries: int) -> str:
    return "1 query" if queries == 1 else f"{queries} queries"


def _interval(comparison: Comparison) -> str:
    if comparison.low is None or comparison.high is None:
        return ""
    return f", 95% {_number(comparison.low)} to {_number(comparison.high)}"


def _signed(value: float) -> str:
    return f"+{_number(value)}"


def _number(value: float) -> str:
    """Two digits, with a real minus sign."""
    text = f"{value:.2f}"
    return text.replace("-0.00", "0.00").replace("-", "−")
