"""The outcome of a comparison in plain words."""

from __future__ import annotations

from app.engine.evaltypes import Comparison, Verdict
from app.engine.evaluation.resampling import LEVEL

HIDDEN = 0.005
"""What is less becomes 0 with two digits."""

FEW_QUERIES = 10
"""Below so many, a sentence says that they are few."""

SMALL = 0.5
"""Where a measure cannot be more, a sentence says what it can be, and has a digit more."""


def sentence(comparison: Comparison, better: str, worse: str) -> str:
    """What the figures of a comparison say; ``better`` and ``worse`` are the models' names for people."""
    figures = f"({comparison.measure} +{_number(comparison.difference, comparison)}{_interval(comparison)})"
    if comparison.verdict is Verdict.BETTER:
        text = f"{better} beats {worse} {figures}"
    elif comparison.verdict is Verdict.ALIKE:
        text = f"{better} and {worse} are equally good {figures}"
    else:
        text = f"Cannot tell yet whether {better} or {worse} is better {figures}{_missing(comparison)}"
    few = comparison.queries < FEW_QUERIES
    return f"{text}. Only {_counted(comparison.queries)} so far." if few else f"{text}."


def caution(queries: int, clusters: int, things: int) -> str:
    """Of what comparisons do not speak, where queries that are taken for so many independent ones look for few
    different things; empty where most look for one of their own."""
    if clusters < max(2, 2 * things):
        return ""
    alike = "all look for the same" if things == 1 else f"look for {things} different things"
    return (
        f"These {queries} queries {alike}, as the files of one folder do. The figures hold for more queries of that "
        "kind, and say little of others: what would tell more are queries for other things, not more of these."
    )


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
    most = "" if comparison.reachable >= SMALL else f"; it can be {_number(comparison.reachable, comparison)} at most"
    return f", 95% {_number(comparison.low, comparison)} to {_number(comparison.high, comparison)}{most}"


def _number(value: float, of: Comparison) -> str:
    """Two digits, or three of what is always small and where two would hide on which side of 0 an end lies; with a real
    minus sign."""
    ends = [abs(end) for end in (of.low, of.high) if end]
    digits = 2 if of.reachable >= SMALL and min(ends, default=1.0) >= HIDDEN else 3
    return f"{value:.{digits}f}".replace("-", "−")
