"""The measurements of encoders run and tell what they say. That a figure is met is no test."""

from __future__ import annotations

from pathlib import Path

import pytest
import smallclip
import torch

from app.bench import encoding, load, models
from app.bench.figure import NothingToMeasure, Workbench
from app.bench.pipeline import photos
from app.engine.encoders.catalogue import Catalogue
from app.engine.installing import measuring
from app.paths import models_dir


@pytest.fixture
def workbench(tmp_path: Path) -> Workbench:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return Workbench(scratch, scale=0.01, runs=1)


def test_a_variant_is_held_against_its_model(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "EIGHT_BIT", {models.CLIP: encoding.EIGHT_BIT[models.CLIP]})
    smallclip.write(models_dir(workbench.scratch))
    faster, near = encoding.eight_bit(workbench)
    assert faster.details["pictures"] == 4
    assert faster.ratio == pytest.approx(faster.details["variant_hz"] / faster.details["base_hz"])
    assert 0.99 < near.details["lowest_cosine"] <= near.ratio < 1


def test_two_models_look_at_the_same_photos(workbench: Workbench) -> None:
    assert photos(workbench) == photos(workbench)


def test_the_variants_that_are_measured_are_the_catalogues(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path)
    assert {
        catalogue.entry(variant).variant_of: variant for variant in encoding.EIGHT_BIT.values()
    } == encoding.EIGHT_BIT


def test_where_there_are_no_eight_bits_none_are_measured(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "runs_eight_bit", lambda: False)
    with pytest.raises(NothingToMeasure, match="8-bit"):
        encoding.eight_bit(workbench)


def test_what_is_told_is_held_against_indexing(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "MODEL_S", 0.0)
    monkeypatch.setattr(measuring, "PROBE_S", 0.0)
    smallclip.write(models_dir(workbench.scratch / "home"))
    figures = encoding.estimates(workbench)
    assert len(figures) == 2
    for each in figures:
        assert each.ratio >= 1
        assert each.details["photos"] == 4
        assert each.details["told_s"] > 0
        assert each.details["real_s"] > 0


def test_a_card_is_held_against_the_processor_where_there_is_one(workbench: Workbench) -> None:
    smallclip.write(models_dir(workbench.scratch))
    if not torch.cuda.is_available():
        with pytest.raises(NothingToMeasure, match="graphics card"):
            load.cards(workbench)
        return
    faster, half = load.cards(workbench)
    assert faster.details == {**half.details, "lowest_cosine": faster.details["lowest_cosine"]}
    assert faster.details["lowest_cosine"] > 0.999
