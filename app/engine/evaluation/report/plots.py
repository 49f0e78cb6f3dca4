"""The plots of a report, drawn by matplotlib as SVG that takes the colours and the font of the page around it.

Matplotlib is imported when the first plot is drawn. It keeps a list of fonts, in the home folder unless told where:
`keep_cache_in` tells it. Models are told apart by number, place and filling, never by colour alone.
"""

from __future__ import annotations

import logging
import math
import os
import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

from app.engine.evaltypes import Evaluation, Robustness
from app.engine.evaluation.report.content import printable

LONGEST_LABEL = 34
"""Characters of a model's name beside an axis; the tables have it whole."""

_INK, _ACCENT = "#010203", "#0072b2"  # the first stands for the page's own text colour; the second is Okabe and Ito's
_DIVERGING = "PuOr"  # purple where it gets better, orange where worse: told apart with every kind of colour vision
_DRAWING = threading.Lock()


def keep_cache_in(folder: Path) -> None:
    """Where matplotlib may keep its list of fonts, unless the person has chosen or it is loaded already.

    On the list are its own fonts alone: for the system's it would run another program, `fc-list`, and the page puts its
    own font in place of all of them.
    """
    if "matplotlib" not in sys.modules:
        os.environ.setdefault("MPL_IGNORE_SYSTEM_FONTS", "1")
        os.environ.setdefault("MPLCONFIGDIR", str(folder))


def quality_and_cost(evaluation: Evaluation) -> str:
    """Every measured model by its speed and its quality, numbered by its place in ``evaluation.models``, with the
    interval and the frontier; "" where no model's speed is known."""
    points = [
        (number, model.model, model.costs.items_per_s, model.measures[evaluation.measure])
        for number, model in enumerate(evaluation.models, start=1)
        if model.costs.items_per_s and evaluation.measure in model.measures
    ]
    if not points:
        return ""

    def draw(axes: Any) -> None:
        frontier = sorted((speed, measured.value) for _, key, speed, measured in points if key in evaluation.frontier)
        if len(frontier) > 1:
            axes.step(*zip(*frontier, strict=True), where="pre", color=_ACCENT, linewidth=1.2, linestyle="--", zorder=1)
        for number, key, speed, measured in points:
            if measured.low is not None and measured.high is not None:
                axes.vlines(speed, measured.low, measured.high, color=_INK, alpha=0.45, linewidth=1.2, zorder=2)
            is_best = key in evaluation.frontier
            axes.plot(
                [speed],
                [measured.value],
                marker="o",
                markersize=15,
                color=_ACCENT if is_best else "#ffffff",
                markeredgecolor=_ACCENT,
                markeredgewidth=1.4,
                zorder=3,
            )
            axes.annotate(
                str(number),
                (speed, measured.value),
                ha="center",
                va="center",
                fontsize=9,
                color="#ffffff" if is_best else _ACCENT,
                zorder=4,
            )
        axes.set_xscale("log")
        speeds = [speed for _, _, speed, _ in points]
        axes.set_xlim(min(speeds) / 1.6, max(speeds) * 1.6)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
        axes.xaxis.set_minor_formatter(lambda value, _: f"{value:,.6g}" if max(speeds) / min(speeds) < 8 else "")
        axes.set_xlabel("items encoded per second (more is better)")
        axes.set_ylabel(f"{evaluation.measure} (more is better)")

    return _svg("cost", 6.4, 3.6, draw)


def intervals(evaluation: Evaluation) -> str:
    """The measure of each model with its interval (thick) and its bounds (thin), the best on top; "" for none."""
    measured = [
        (model.measures[evaluation.measure], model.name)
        for model in evaluation.models
        if evaluation.measure in model.measures
    ]
    if not measured:
        return ""
    rows = sorted(measured, key=lambda row: row[0].value)

    def draw(axes: Any) -> None:
        for place, (one, _) in enumerate(rows):
            if one.least is not None and one.most is not None:
                axes.hlines(place, one.least, one.most, color=_INK, alpha=0.35, linewidth=1)
            if one.low is not None and one.high is not None:
                axes.hlines(place, one.low, one.high, color=_ACCENT, linewidth=4, alpha=0.55)
            axes.plot([one.value], [place], marker="o", markersize=7, color=_ACCENT, zorder=3)
        axes.set_yticks(range(len(rows)), [_short(name) for _, name in rows])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlabel(evaluation.measure)

    return _svg("intervals", 6.4, 0.9 + 0.3 * len(rows), draw)


def heat_map(robustness: Robustness) -> str:
    """The change of the measure by model (row) and disturbance (column), written into each cell; "" for none."""
    changes = {(drop.model, drop.disturbance): drop.change for drop in robustness.drops}
    if not changes:
        return ""
    columns = [one for one in robustness.disturbances if any((key, one.key) in changes for key in robustness.models)]
    names = [_short(robustness.names.get(key, key)) for key in robustness.models]
    strongest = max(0.05, *(abs(change) for change in changes.values()))

    def draw(axes: Any) -> None:
        nan = float("nan")
        grid = [[changes.get((key, one.key), nan) for one in columns] for key in robustness.models]
        axes.pcolormesh(grid, cmap=_DIVERGING, vmin=-strongest, vmax=strongest, edgecolors="#ffffff", linewidth=0.8)
        for row, line in enumerate(grid):
            for column, change in enumerate(line):
                is_known = not math.isnan(change)
                is_dark = is_known and abs(change) > 0.6 * strongest
                axes.annotate(
                    f"{change:+.2f}".replace("-", "−") if is_known else "–",
                    (column + 0.5, row + 0.5),
                    ha="center",
                    va="center",
                    fontsize=7,
                    color="#ffffff" if is_dark else "#1a1a1a" if is_known else _INK,
                )
        axes.set_yticks([row + 0.5 for row in range(len(names))], names)
        axes.set_xticks(
            [column + 0.5 for column in range(len(columns))],
            [_short(one.name) for one in columns],
            rotation=40,
            ha="right",
            rotation_mode="anchor",
        )
        axes.invert_yaxis()
        axes.tick_params(length=0)
        axes.grid(visible=False)

    # The longest name beside the rows, and the slanted ones below the columns, in inches.
    left_in = 0.4 + 0.085 * max(map(len, names))
    below_in = 0.4 + 0.06 * max(len(_short(one.name)) for one in columns)
    return _svg("robustness", left_in + 1 + 0.46 * len(columns), below_in + 0.3 + 0.3 * len(names), draw)


def _svg(name: str, width_in: float, height_in: float, draw: Callable[[Any], None]) -> str:
    """A drawing as an SVG element. Its ids begin with its name, so that several fit into one page."""
    with _DRAWING, _quietly():
        import matplotlib as mpl
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure

        # Text stays text: it takes the page's font, can be selected, and needs no glyphs of matplotlib's own.
        with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "text.parse_math": False}):
            figure = Figure(figsize=(width_in, height_in), layout="constrained")
            FigureCanvasSVG(figure)
            axes = figure.add_subplot()
            _dress(axes)
            draw(axes)
            output = StringIO()
            metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
            figure.savefig(output, format="svg", transparent=True, metadata=metadata)
    return "".join(_embedded(output.getvalue(), name))


def _dress(axes: Any) -> None:
    axes.patch.set_visible(False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("bottom", "left"):
        axes.spines[side].set(color=_INK, alpha=0.5)
    axes.tick_params(which="both", colors=_INK, labelsize=9)
    axes.xaxis.label.set_color(_INK)
    axes.yaxis.label.set_color(_INK)
    axes.grid(visible=True, color=_INK, alpha=0.12, linewidth=0.8)
    axes.set_axisbelow(True)


def _embedded(svg: str, name: str) -> Iterator[str]:
    """The element alone, in the page's colours and font."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r"url\(#", f"url(#{name}-", svg)
    svg = re.sub(r'href="#', f'href="#{name}-', svg)
    svg = svg.replace(_INK, "currentColor")
    svg = re.sub(r"(font: (?:[0-9.]+px)) [^;\"]*", r"\1 sans-serif", svg)
    yield svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


@contextmanager
def _quietly() -> Iterator[None]:
    """Without word of glyphs that matplotlib's own font lacks (the page's has them) or of its list of fonts."""
    fonts = logging.getLogger("matplotlib.font_manager")
    before = fonts.level
    fonts.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            yield
    finally:
        fonts.setLevel(before)


def _short(name: str) -> str:
    """A name of bounded length, which keeps its two ends: names of one family differ there."""
    name = " ".join(printable(name).split())
    if len(name) <= LONGEST_LABEL:
        return name
    half = (LONGEST_LABEL - 1) // 2
    return f"{name[:half]}…{name[-half:]}"
