"""The contract of an encoder: all of ours keep it, and each promise is one that can be broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from honest import DIM, Honest, NewFingerprint
from offers import SMALL_TIMM, clip_folder, panns_tensors, timm_tensors

from app.engine.encoders.base import EncoderSpec, Scoring, unit_rows
from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.contract import BROKEN, KEPT, USAGE, findings, probed
from app.engine.encoders.contract_checks import CHECKS, Probe
from app.engine.models import Models
from app.engine.modeltypes import AddRequest
from app.engine.samples import Picture, PictureInput, Sample, Sound, SoundInput, Text, Vectors
from app.engine.types import Modality
from app.paths import models_dir


class OtherKey(Honest):
    spec = EncoderSpec("No Key", frozenset(Modality), DIM, PictureInput(16, 16, "squash"), SoundInput(8_000))


class SaysNothing(Honest):
    summary = ""


class NoFingerprint(Honest):
    fingerprint = "one"


class Doubles(Honest):
    def encode(self, samples: Sequence[Sample]) -> Any:
        return super().encode(samples).astype(np.float64)


class LongRows(Honest):
    def encode(self, samples: Sequence[Sample]) -> Vectors:
        return super().encode(samples) * np.float32(2)


class NotNumbers(Honest):
    def encode(self, samples: Sequence[Sample]) -> Vectors:
        return super().encode(samples) * np.float32("nan")


class NeverSure(Honest):
    scoring = Scoring("softmax", float("nan"))


class Unseeded(Honest):
    def __init__(self) -> None:
        super().__init__()
        self._matrix = np.random.default_rng().normal(size=(64, DIM))


class Constant(Honest):
    def features(self, sample: Sample) -> Any:
        return np.ones(64)


class LooksAround(Honest):
    """Subtracts the mean of the batch."""

    def encode(self, samples: Sequence[Sample]) -> Vectors:
        rows = super().encode(samples)
        return rows if len(rows) < 2 else unit_rows(rows - 0.1 * rows.mean(0))


class Sorts(Honest):
    def encode(self, samples: Sequence[Sample]) -> Vectors:
        rows = super().encode(samples)
        return rows[np.argsort(rows[:, 0])]


class NoEmpty(Honest):
    def encode(self, samples: Sequence[Sample]) -> Vectors:
        return unit_rows(np.stack([self.features(sample) for sample in samples]) @ self._matrix)


class TakesAll(Honest):
    spec = EncoderSpec("takes-all", frozenset({Modality.IMAGE}), DIM, PictureInput(16, 16, "squash"))

    def encode(self, samples: Sequence[Sample]) -> Vectors:
        return NoEmpty.encode(self, samples) if samples else super().encode(samples)  # type: ignore[arg-type]


class LongSounds(Honest):
    def features(self, sample: Sample) -> Any:
        if isinstance(sample, Sound) and len(sample.samples) < 1000:
            raise ValueError("too short")
        return super().features(sample)


class Divides(Honest):
    """By the spread, which one colour does not have."""

    def features(self, sample: Sample) -> Any:
        if isinstance(sample, Picture) and not sample.pixels.std():
            raise ZeroDivisionError("no spread")
        return super().features(sample)


class NeedsWords(Honest):
    def features(self, sample: Sample) -> Any:
        if isinstance(sample, Text) and not sample.text.split():
            raise IndexError("no words")
        return super().features(sample)


class Shares(Honest):
    """Keeps its samples where another thread puts its own."""

    def encode(self, samples: Sequence[Sample]) -> Vectors:
        self._samples = samples
        time.sleep(0.1)  # a busy machine may start the other thread late
        return super().encode(self._samples)


class Writes(Honest):
    def features(self, sample: Sample) -> Any:
        if isinstance(sample, Picture):
            sample.pixels[:] = sample.pixels[::-1].copy()
        return super().features(sample)


BREAKERS = {
    "its spec is sane": (OtherKey,),
    "its class says what it is": (SaysNothing,),
    "how likely words are is told soundly": (NeverSure,),
    "its fingerprint names its space": (NoFingerprint, NewFingerprint),
    "rows are (n, dim) float32, finite, of length 1": (Doubles, LongRows, NotNumbers),
    "loaded again it gives the same vectors": (Unseeded,),
    "different samples have different vectors": (Constant,),
    "a sample has one vector in batches of all sizes": (LooksAround,),
    "rows keep the order of the samples": (Sorts,),
    "no samples give no rows": (NoEmpty,),
    "samples of other kinds are refused": (TakesAll,),
    "short, silent and loud sounds are encoded": (LongSounds,),
    "black and white pictures are encoded": (Divides,),
    "empty, long and strange texts are encoded": (NeedsWords,),
    "two threads may use it at a time": (Shares,),
    "samples are left as they are": (Writes,),
}
"""In this process; the last two checks look into another one."""


def broken(make: Callable[[], Any], plugin: Any = None) -> list[str]:
    def probe() -> Probe:
        return Probe(make().fingerprint, (), "")

    return [finding.title for finding in findings(make, probe, plugin) if finding.problem]


def test_an_honest_encoder_keeps_every_promise() -> None:
    assert not broken(Honest, Honest)


@pytest.mark.parametrize(("title", "make"), [(title, make) for title, makes in BREAKERS.items() for make in makes])
def test_every_promise_can_be_broken(title: str, make: Any) -> None:
    assert title in broken(make, make)


def test_every_check_has_an_encoder_that_breaks_it() -> None:
    assert [*BREAKERS, "nothing is fetched", "nothing is printed"] == list(CHECKS)


def test_an_encoder_that_cannot_be_made_is_a_finding() -> None:
    def fails() -> Any:
        raise SystemExit(3)

    assert broken(fails) == ["it can be loaded"]


def contract(*arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app.engine.encoders.contract", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": f"{path or ''}:{':'.join(filter(None, sys.path))}"},
    )


@pytest.fixture
def honest_module(tmp_path: Path) -> Path:
    """A package's module."""
    (tmp_path / "someones.py").write_text("from honest import Fetches, Honest, NewFingerprint, Prints\n", "utf-8")
    return tmp_path


def test_the_command_says_what_is_kept(honest_module: Path) -> None:
    run = contract("someones:Honest", path=honest_module)
    assert run.returncode == KEPT, run.stdout + run.stderr
    assert [line.startswith("kept   ") for line in run.stdout.splitlines()] == [True] * len(CHECKS)


@pytest.mark.parametrize(
    ("name", "title", "problem"),
    [
        ("Fetches", "nothing is fetched", "127.0.0.1"),
        ("Prints", "nothing is printed", "Loading"),
        ("NewFingerprint", "its fingerprint names its space", "loaded again"),
    ],
)
def test_the_command_says_what_is_broken(honest_module: Path, name: str, title: str, problem: str) -> None:
    run = contract(f"someones:{name}", "--json", path=honest_module)
    assert run.returncode == BROKEN
    document = json.loads(run.stdout)
    said = {check["title"]: check["problem"] for check in document["checks"]}
    assert problem in said[title]
    assert [check for check, why in said.items() if why] == [title]


def test_the_command_says_that_there_is_no_such_encoder(tmp_path: Path) -> None:
    for target in ("no_such_module:Encoder", "json:Encoder", "json:__name__", "no-such-key"):
        run = contract(target, "--home", str(tmp_path))
        assert run.returncode == USAGE
        assert "Traceback" not in run.stderr
        assert run.stderr.strip()


@pytest.mark.parametrize("key", ["colour-texture", "timbre", "clip", "birds", "bats"])
def test_our_own_encoders_keep_it(key: str, home: Path, tmp_path: Path) -> None:
    """Those that are built in, and one of each kind that can be added."""
    if key == "clip":
        Models(home).add(AddRequest(str(clip_folder(tmp_path / "clip"))))
    elif key == "birds":
        safetensors.torch.save_file(timm_tensors(), tmp_path / "birds.safetensors")
        Models(home).add(AddRequest(str(tmp_path / "birds.safetensors"), architecture=SMALL_TIMM))
    elif key == "bats":
        torch.save(panns_tensors(), tmp_path / "bats.pth")
        Models(home).add(AddRequest(str(tmp_path / "bats.pth")))
    found = findings(lambda: Catalogue(models_dir(home), device="cpu").load(key), lambda: probed(key, str(home)))
    assert not [finding for finding in found if finding.problem]
    assert threading.active_count() < 50
