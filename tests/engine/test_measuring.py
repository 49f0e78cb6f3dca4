"""How fast models are here: what is measured, what is kept of it, and what it is good for."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import smallclip

from app.cli.arguments import parser
from app.cli.run import run as run_command
from app.engine.encoders.device import describe
from app.engine.encoders.speeds import Speeds
from app.engine.errors import AppError
from app.engine.installing import measuring
from app.engine.jobs import Cancelled, Job
from app.engine.librarytypes import IndexRequest
from app.engine.models import Models
from app.engine.modeltypes import Needs
from app.engine.session import Session
from app.engine.types import Modality
from app.paths import models_dir, speeds_path


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each measurement takes two turns and no longer."""
    monkeypatch.setattr(measuring, "MODEL_S", 0.0)
    monkeypatch.setattr(measuring, "PROBE_S", 0.0)
    monkeypatch.setattr(measuring, "PROBE_BATCH", 1)
    monkeypatch.setattr(measuring, "PHOTO_PX", (640, 480))


def test_what_was_measured_is_kept_for_this_machine_and_told(home: Path, brief: None) -> None:
    smallclip.write(models_dir(home))
    variant = f"{smallclip.KEY}-int8"
    reports = []
    Models(home).measure((smallclip.KEY, variant), Job(reports.append, min_interval_s=0))
    assert reports[-1].done == reports[-1].total == 6
    known = measuring.measured(Speeds(speeds_path(home)), describe("cpu"))
    assert set(known.items_per_s) == {smallclip.KEY, variant}
    assert set(known.gflops_per_s) == {"transformer", "convolutions", "8-bit transformer"}
    assert known.decode_s["image"] > 0
    assert 0.99 < known.cosine[variant] < 1
    advice = Models(home).advise(Needs(frozenset({Modality.IMAGE}), device="cpu"), {Modality.IMAGE: 500})
    mine = next(one for one in advice.best if one.key == smallclip.KEY)
    assert mine.measured
    per_picture_s = 1 / known.items_per_s[smallclip.KEY]["image"] + known.decode_s["image"]
    assert mine.seconds == pytest.approx(500 * per_picture_s)


def test_cancelling_keeps_what_was_measured(home: Path, brief: None) -> None:
    def stop_at_models(progress: object) -> None:
        if getattr(progress, "note", "") == "decoding photos":
            job.cancel()

    job = Job(stop_at_models, min_interval_s=0)
    with pytest.raises(Cancelled):
        Models(home).measure(("timbre",), job)
    known = measuring.measured(Speeds(speeds_path(home)), describe("cpu"))
    assert known.gflops_per_s
    assert known.items_per_s == {}


def test_a_measurement_holds_for_its_machine_alone_and_a_damaged_file_for_none(tmp_path: Path) -> None:
    path = tmp_path / "new" / "speeds.json"
    speeds = Speeds(path)
    speeds.remember("here", "items_per_s", {"a": {"image": 2.0}})
    speeds.remember("here", "items_per_s", {"b": {"image": 3.0}})
    speeds.remember("there", "half", {"a": True})
    assert speeds.of("here", "items_per_s") == {"a": {"image": 2.0}, "b": {"image": 3.0}}
    assert speeds.of("here", "half") == speeds.of("nowhere", "half") == {}
    table = json.loads(path.read_text())
    rates = {"a": {"image": "fast"}, "b": 7}
    table["machines"]["here"] = {"items_per_s": rates, "decode_s": {"image": -1}, "cosine": []}
    path.write_text(json.dumps(table))
    assert measuring.measured(speeds, "here") == measuring.Measured()
    for damaged in (b"", b"[]", b"\xff", b'{"format": 9}', b'{"format": 1, "machines": []}'):
        path.write_bytes(damaged)
        assert speeds.of("there", "half") == {}
        assert measuring.measured(speeds, "here") == measuring.Measured()
    speeds.remember("here", "half", {"a": False})
    assert speeds.of("here", "half") == {"a": False}


def test_a_home_that_cannot_be_written_costs_only_measuring_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    speeds = Speeds(tmp_path / "file" / "speeds.json")
    assert not speeds.remember("here", "half", {"a": True})
    assert speeds.of("here", "half") == {}


def test_what_cannot_be_kept_is_told_and_leaves_nothing(home: Path, brief: None) -> None:
    speeds_path(home).mkdir(parents=True)
    (speeds_path(home) / "in the way").touch()
    before = sorted(home.rglob("*"))
    with pytest.raises(AppError, match="cannot be kept.*speeds.json"):
        Models(home).measure(())
    assert sorted(home.rglob("*")) == before


def test_all_are_measured_but_those_that_cannot_be_and_both_are_named(home: Path, brief: None) -> None:
    smallclip.write(models_dir(home))
    (weights,) = (models_dir(home) / smallclip.KEY).glob("*.safetensors")
    weights.write_bytes(b"damaged")
    report = Models(home).measure(())
    assert {"colour-texture", "timbre"} <= set(report.measured)
    assert "no safetensors file" in report.failed[smallclip.KEY]


def test_advice_makes_no_library(home: Path) -> None:
    for library in ((), ("--library", "misspelt")):
        assert run_command(parser().parse_args(["--home", str(home), *library, "models", "advise"])) == 0
    assert not home.exists() or not list(home.iterdir())


def test_the_command_line_advises_for_what_is_indexed(
    home: Path, photo: Callable[..., Path], brief: None, capsys: pytest.CaptureFixture[str]
) -> None:
    photo("one.png", 1)
    with Session.open(home, device="cpu") as session:
        session.index(IndexRequest((str(photo("two.png", 2).parent),), ("colour-texture",)))

    def run(*words: str) -> str:
        assert run_command(parser().parse_args(["--home", str(home), "models", *words])) == 0
        return capsys.readouterr().out

    assert "`semblance models measure` finds out" in run("advise")
    assert "Measured colour-texture" in run("measure", "colour-texture")
    assert json.loads(run("measure", "colour-texture", "--json")) == {"measured": ["colour-texture"], "failed": {}}
    advice = json.loads(run("advise", "--json", "--by", "example", "--commercial"))
    everybody = json.loads(run("advise", "--json", "--by", "example"))["best"]
    builtin = advice["best"][-1]
    assert builtin["key"] == "colour-texture"
    assert builtin["items"] == 2
    assert builtin["seconds"] > 0
    assert builtin["measured"] is True
    assert "panns-cnn14" in [one["key"] for one in advice["others"]]
    advised = run("advise", "--by", "example")
    assert "(reckoned)" in advised
    assert "5. " in advised
    assert "6. colour-texture" in advised, "it is here"
    assert "7. " not in advised
    assert f"These fit too: {', '.join(one['key'] for one in everybody[5:-1])}" in " ".join(advised.split())
    sounds = json.loads(run("advise", "--json", "--kinds", "sounds", "--by", "example"))
    assert sounds["best"][-1]["key"] == "timbre"


@pytest.mark.parametrize("kinds", ["smells", ","])
def test_what_cannot_be_searched_for_is_refused(kinds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["models", "advise", "--kinds", kinds])
    assert "models advise" in capsys.readouterr().err


def test_the_facade_is_imported_without_torch() -> None:
    code = "import sys, app.engine.models, app.engine.installing.advising; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
