"""The page of a report and its plots: any number of models, any text."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.evaltypes import (
    Comparison,
    Disturbance,
    Drop,
    Evaluation,
    JudgedHit,
    Measured,
    ModelCosts,
    ModelEvaluation,
    QueryEvaluation,
    Robustness,
    Threshold,
    Verdict,
)
from app.engine.evaluation.report import html, plots
from app.engine.evaluation.report.content import Environment, Report, printable
from app.engine.evaluation.report.exchange import pretty
from app.engine.evaluation.report.spreadsheets import harmless, table
from app.engine.judgingtypes import Agreement, QuerySet, QuerySummary, Scale
from app.engine.types import FoundBy, Hit, ItemKind, MediaKind, Modality, Query

HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "{{ 7 * 7 }}{% raw %}",
    "</style></title><b>",
    "👗 モデル 日本語",
    "\u202egnp.exe",
    "bytes \udcff\udcfe and \x00\x1b[31m",
    "$x_2^{",
    "n" * 4000,
)
ENVIRONMENT = Environment("2025-11-26T03:40:00+00:00", "1.0", HOSTILE[0], "a machine", {"scipy": "1.17"})


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in ("meta", "br", "img", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def report_of(models: int, queries: int, k: int = 10) -> Report:
    pick = random.Random(models)
    names = ("P@10", "R@10", "AP")
    summaries = tuple(
        QuerySummary(n + 1, f"text:{n}", HOSTILE[n % len(HOSTILE)], Query.of_text(HOSTILE[n % len(HOSTILE)]), 3, 9)
        for n in range(queries)
    )

    def hit(rank: int) -> JudgedHit:
        path = f"/home/someone/{HOSTILE[rank % len(HOSTILE)]}"
        found = Hit(
            rank, pick.randrange(400), path, MediaKind.PHOTO, ItemKind.PHOTO, None, None, 0.5, (FoundBy.MEANING,)
        )
        return JudgedHit(found, pick.choice((0, 1, 2, None)))

    measured = tuple(
        ModelEvaluation(
            model=f"m{n}",
            name=f"{HOSTILE[n % len(HOSTILE)][:200]} {n}",
            measures={name: Measured(0.5 + n / 100, 0.4, 0.8, 0.9, 0.45, 0.9) for name in names},
            queries=tuple(
                QueryEvaluation(
                    one.id, one.key, one.title, dict.fromkeys(names, 0.5), tuple(hit(rank + 1) for rank in range(k))
                )
                for one in summaries
            ),
            note=HOSTILE[n % len(HOSTILE)][:100],
            by_modality={Modality.TEXT: {name: Measured(0.5) for name in names}},
            thresholds=(Threshold(f"m{n}", Modality.TEXT, 0.9, None, note=HOSTILE[1]),),
            costs=ModelCosts(items_per_s=float(n + 1) if n % 3 else None, licence=HOSTILE[0], memory_bytes=1 << 30),
        )
        for n in range(models)
    )
    comparisons = tuple(
        Comparison(
            "P@10", "m1", f"m{n}", queries, 0.1, 0.05, 0.2, 0.01, 0.02, 0.4, 3, 1, 0, Verdict.OPEN, 30, HOSTILE[0]
        )
        for n in range(models)
    )
    evaluation = Evaluation(k, names, measured, summaries, "P@10", comparisons, ("m1",), HOSTILE[1], HOSTILE[0])
    disturbances = tuple(Disturbance(f"d{n}", name[:300], Modality.TEXT) for n, name in enumerate(HOSTILE))
    keys = tuple(model.model for model in measured)
    drops = tuple(Drop(key, one.key, queries, 0.5, 0.3, -0.2, -0.3, None) for key in keys for one in disturbances)
    robustness = Robustness(
        "P@10", 1, disturbances, keys, {model.model: model.name for model in measured}, drops, (HOSTILE[0],)
    )
    agreements = (Agreement("", HOSTILE[0], 10, 8, None, None, None, ((1, 2), (3, 4))),)
    of_set = QuerySet(1, HOSTILE[0], Scale.GRADED, HOSTILE[1], queries, queries, 9, ("", HOSTILE[0]))
    return Report(HOSTILE[0], ENVIRONMENT, evaluation, of_set, robustness, agreements)


@pytest.mark.parametrize(("models", "queries"), [(1, 1), (2, 9), (8, 3), (20, 2), (3, 0)])
def test_hostile_text_stays_text(models: int, queries: int) -> None:
    page = html.render(report_of(models, queries))
    page.encode()  # nothing in it is no text
    read = _Tags()
    read.feed(page)
    assert read.unbalanced == []
    assert not {"script", "img", "iframe", "object", "link"} & set(read.tags)
    assert "49" not in [word.strip() for word in read.words]
    assert HOSTILE[0] in "".join(read.words)
    assert "\u202e" not in page
    assert "/home/someone" not in page


def test_every_table_says_what_it_is() -> None:
    page = html.render(report_of(3, 2))
    assert page.count("<table>") == page.count("<caption>")
    assert "<th>" not in page


def test_all_models_stand_side_by_side_in_tables_that_fit_a_page() -> None:
    page = html.render(report_of(7, 1))
    heads = [part.split("</thead>")[0] for part in page.split('<table class="lists">')[1:]]
    assert [head.count("<bdi>") for head in heads] == [4, 3]


def test_500_queries_by_8_models_stay_a_file_that_opens() -> None:
    assert len(html.render(report_of(8, 500)).encode()) < 40_000_000


@pytest.mark.parametrize("models", [1, 2, 8, 20])
def test_plots_are_sound_svg_in_the_colours_of_the_page(models: int) -> None:
    report = report_of(models, 1)
    assert report.robustness is not None
    drawings = [
        plots.intervals(report.evaluation),
        plots.heat_map(report.robustness),
        *([plots.quality_and_cost(report.evaluation)] if models > 1 else []),
    ]
    for drawing in drawings:
        ElementTree.fromstring(drawing)
        assert "currentColor" in drawing
        assert "<image" not in drawing
    assert plots.heat_map(report.robustness) == drawings[1]


def test_no_plot_is_drawn_of_nothing() -> None:
    empty = Evaluation(10, (), (), (), "P@10")
    assert plots.intervals(empty) == plots.quality_and_cost(empty) == ""
    assert plots.heat_map(Robustness("P@10", 1, (), (), {}, ())) == ""


def test_plots_write_nothing_outside_the_folder_they_are_given_and_run_no_program(tmp_path: Path) -> None:
    """In a process of its own, since matplotlib looks for its folder once."""
    program = (
        "import sys; from pathlib import Path; from app.engine.evaluation.report import plots\n"
        "from app.engine.evaltypes import Evaluation, Measured, ModelEvaluation\n"
        "assert 'matplotlib' not in sys.modules\n"
        "def refuse(event, arguments):\n"
        "    assert event not in ('subprocess.Popen', 'os.posix_spawn', 'os.fork', 'os.system'), arguments\n"
        "sys.addaudithook(refuse)\n"
        "plots.keep_cache_in(Path(sys.argv[1]))\n"
        "model = ModelEvaluation('m', 'm', {'P@10': Measured(0.5)}, ())\n"
        "assert plots.intervals(Evaluation(10, ('P@10',), (model,), (), 'P@10'))\n"
    )
    user = tmp_path / "user"
    user.mkdir()
    known = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "MPL"))}
    root = str(Path(plots.__file__).resolve().parents[4])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(tmp_path / "cache")],
        env={**known, "HOME": str(user), "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert list(user.iterdir()) == []


def test_a_spreadsheet_computes_nothing_that_came_from_a_name() -> None:
    text = table([("=HYPERLINK(1)", "+1", "@a", "-x", "plain", 0.1, -2, None, 'a,b\n"c"')])
    assert text == '\'=HYPERLINK(1),\'+1,\'@a,\'-x,plain,0.1,-2,,"a,b\n""c"""\n'


@given(st.text(st.sampled_from("='+-@\t ab1")))
def test_one_apostrophe_taken_away_gives_the_text_back(text: str) -> None:
    cell = harmless(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t"))
    assert cell.removeprefix("'") == text


def test_what_cannot_be_printed_is_shown() -> None:
    assert printable("a\udcff\x00\u202eb\n") == "a\\udcff\\x00\\u202eb\n"


_LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
_VALUES = st.recursive(
    _LEAVES | st.text(st.sampled_from("aé\udc80\udcff")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(_VALUES)
def test_what_is_written_to_be_read_by_people_comes_back_the_same(value: object) -> None:
    text = pretty(value)
    text.encode()
    assert json.loads(text) == value
