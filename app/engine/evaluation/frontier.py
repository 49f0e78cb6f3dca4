"""Which models no other beats in both cost and quality."""

from __future__ import annotations

from collections.abc import Mapping


def frontier(points: Mapping[str, tuple[float, float]]) -> tuple[str, ...]:
    """The names of the points that no other dominates, the cheapest first.

    Args:
        points: name → (cost, quality): less cost and more quality is better. A point is dominated by one that is as
            good in both and better in one; of equal points all stay.
    """
    ordered = sorted(points, key=lambda name: (points[name][0], -points[name][1]))
    kept: list[str] = []
    for name in ordered:
        cost, quality = points[name]
        best = points[kept[-1]] if kept else None
        if best is None or quality > best[1] or (cost, quality) == best:
            kept.append(name)
    return tuple(kept)
