"""Encoders of other packages: found without being imported, used when asked, and never the end of the program."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.plugins import Plugins
from app.engine.errors import AppError
from app.engine.modeltypes import Origin
from app.engine.samples import Picture
from app.engine.types import Modality

PROJECT_DIR = Path(__file__).resolve().parents[2]

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a package where Python finds it: a module, and the entry points that lead to it."""
    monkeypatch.syspath_prepend(tmp_path / "site")

    def run(module: str, code: str, **points: str) -> None:
        facts = tmp_path / "site" / f"{module}-1.0.dist-info"
        facts.mkdir(parents=True)
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n", "utf-8")
        lines = [f"{key.replace('_', '-')} = {value}" for key, value in points.items()]
        (facts / "entry_points.txt").write_text("\n".join(["[semblance.encoders]", *lines]), "utf-8")
        (tmp_path / "site" / f"{module}.py").write_text(code, "utf-8")
        monkeypatch.delitem(sys.modules, module, raising=False)

    return run


def example() -> str:
    """The encoder of the documents."""
    readme = (PROJECT_DIR / "docs" / "encoders.md").read_text("utf-8")
    found = re.search(r"```python\n# mean_colour\.py\n(.*?)```", readme, re.DOTALL)
    assert found
    return found.group(1)


def test_the_example_of_the_readme_is_a_model(tmp_path: Path, install: Install) -> None:
    assert len(example().splitlines()) <= 30
    install("mean_colour", example(), mean_colour="mean_colour:MeanColour")
    catalogue = Catalogue(tmp_path / "models", device="cpu")
    assert "mean-colour" in catalogue.keys()
    status = catalogue.status("mean-colour")
    assert status == catalogue.statuses()[-1]
    assert (status.ready, status.origin, status.name) == (True, Origin.PLUG_IN, "Mean colour")
    assert (status.licence, status.accepts, status.input_px) == ("MIT", {Modality.IMAGE}, 64)
    encoder = catalogue.load("mean-colour")
    assert encoder is catalogue.load("mean-colour")
    assert encoder.fingerprint == catalogue.fingerprint("mean-colour")
    assert re.fullmatch("[0-9a-f]{64}", encoder.fingerprint)
    rows = encoder.encode([Picture(np.full((64, 64, 3), level, np.uint8)) for level in (0, 9)])
    assert rows.shape == (2, 192)


def test_the_example_of_the_readme_keeps_the_contract(tmp_path: Path) -> None:
    (tmp_path / "mean_colour.py").write_text(example(), "utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "app.engine.encoders.contract", "mean_colour:MeanColour"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{PROJECT_DIR}"},
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_plug_in_is_not_imported_before_it_is_asked(tmp_path: Path, install: Install) -> None:
    install("slow", f"import pathlib; pathlib.Path({str(tmp_path / 'imported')!r}).touch()\n{example()}", slow="slow:X")
    catalogue = Catalogue(tmp_path / "models")
    assert "slow" in catalogue.keys()
    assert catalogue.spec("timbre").dim
    assert not (tmp_path / "imported").exists()
    catalogue.statuses()
    assert (tmp_path / "imported").exists()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import no_such_library", "ModuleNotFoundError"),
        ("raise SystemExit(3)", "SystemExit"),
        ("def", "SyntaxError"),
        ("", "AttributeError"),
        ("Encoder = 3", "no spec"),
        ("class Encoder: spec = 3", "no spec"),
        (
            "from app.engine.encoders.base import EncoderSpec\n"
            "class Encoder: spec = EncoderSpec('other', frozenset({'image'}), 3)",
            "its spec has the key 'other'",
        ),
    ],
)
def test_a_plug_in_that_cannot_be_used_says_why(
    tmp_path: Path, install: Install, code: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    install("broken_one", code, broken="broken_one:Encoder")
    catalogue = Catalogue(tmp_path / "models", device="cpu")
    status = catalogue.statuses()[-1]
    assert (status.key, status.ready, status.origin) == ("broken", False, Origin.PLUG_IN)
    assert reason in status.problem
    assert status.problem.endswith(".")
    assert catalogue.status("broken") == status
    assert not [record for record in caplog.records if record.levelno > logging.DEBUG]
    for ask in (catalogue.spec, catalogue.fingerprint, catalogue.load):
        with pytest.raises(AppError, match="The plug-in broken cannot be used"):
            ask("broken")
    assert catalogue.load("timbre").spec.key == "timbre"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ("    def __init__(self):\n        raise OSError('no weights')\n", "cannot be loaded.*no weights"),
        ("    def __init__(self):\n        raise SystemExit\n", "cannot be loaded"),
        ("    def __init__(self):\n        self.spec = None\n", "another encoder than it promises"),
    ],
)
def test_a_plug_in_that_cannot_be_loaded_says_why(tmp_path: Path, install: Install, change: str, match: str) -> None:
    install("mean_colour", f"{example()}\n{change}", mean_colour="mean_colour:MeanColour")
    catalogue = Catalogue(tmp_path / "models", device="cpu")
    assert catalogue.status("mean-colour").ready
    with pytest.raises(AppError, match=match):
        catalogue.load("mean-colour")
    status = catalogue.status("mean-colour")
    assert not status.ready
    assert re.search(match, status.problem)


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ("np.zeros((len(samples), 192), np.float32)", "not of length 1"),
        ("np.ones((len(samples), 3), np.float32)", "their shape"),
        ("np.full((len(samples), 192), np.nan, np.float32)", "number in them is none"),
        ("np.full((len(samples), 192), 192**-0.5)", "float64, not float32"),
        ("1 / 0", "ZeroDivisionError"),
        ("None", "shape"),
    ],
)
def test_wrong_vectors_of_a_plug_in_get_nowhere(tmp_path: Path, install: Install, rows: str, match: str) -> None:
    change = f"    def encode(self, samples):\n        return {rows}\n"
    install("mean_colour", f"{example()}\n{change}", mean_colour="mean_colour:MeanColour")
    encoder = Catalogue(tmp_path / "models", device="cpu").load("mean-colour")
    with pytest.raises(AppError, match=match):
        encoder.encode([Picture(np.zeros((64, 64, 3), np.uint8))])


def test_the_fingerprint_of_an_instance_is_asked_of_the_loaded_model(tmp_path: Path, install: Install) -> None:
    change = "    fingerprint = property(lambda self: 'a' * 64)\n"
    install("mean_colour", f"{example()}\n{change}", mean_colour="mean_colour:MeanColour")
    catalogue = Catalogue(tmp_path / "models", device="cpu")
    assert catalogue.fingerprint("mean-colour") == catalogue.load("mean-colour").fingerprint


def test_a_key_that_is_taken_is_not_given_twice(
    tmp_path: Path, install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    install("mean_colour", example(), mean_colour="mean_colour:MeanColour", timbre="mean_colour:MeanColour")
    install("second_one", example(), mean_colour="second_one:MeanColour")
    catalogue = Catalogue(tmp_path / "models", device="cpu")
    assert catalogue.keys().count("mean-colour") == catalogue.keys().count("timbre") == 1
    assert catalogue.status("timbre").origin is Origin.BUILT_IN
    left_out = sorted(said.split(" (")[0] for said in catalogue.left_out())
    assert left_out == ["The plug-in mean-colour", "The plug-in timbre"]
    assert not [record for record in caplog.records if record.levelno > logging.DEBUG]
    assert not Plugins(["mean-colour", "timbre"]).keys()
