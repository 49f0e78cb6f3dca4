"""What a model costs, beside what it finds: its speed here, and a variant's agreement with its base."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import smallclip

from app.cli.arguments import parser
from app.cli.run import run as run_command
from app.engine.encoders.device import describe
from app.engine.encoders.rates import RATED_ITEMS, Rates
from app.engine.encoders.speeds import Speeds
from app.engine.evaltypes import Evaluation, EvaluationRequest
from app.engine.librarytypes import IndexRequest
from app.engine.session import Session
from app.engine.types import Modality, Query
from app.paths import models_dir, speeds_path

BASE, FAST, PLAIN = smallclip.KEY, f"{smallclip.KEY}-int8", "colour-texture"


@pytest.fixture
def library(home: Path, tmp_path: Path, photo: Callable[..., Path]) -> Iterator[Session]:
    """As many photos as make a speed, one of them judged."""
    smallclip.write(models_dir(home))
    for number in range(RATED_ITEMS):
        photo(f"{number}.png", number)
    with Session.open(home, device="cpu") as session:
        session.index(IndexRequest((str(tmp_path / "media"),), (BASE, PLAIN)))
        query = session.evaluations.add_query(Query.of_image(str(tmp_path / "media" / "0.png")))
        session.evaluations.judge(query.id, session.evaluations.pool(query.id, (BASE,)).items[0].item.item_id, 1)
        yield session


def evaluated(session: Session, *models: str) -> Evaluation:
    return session.evaluations.evaluate(EvaluationRequest(models, k=5))


def test_indexing_tells_how_fast_a_model_is_and_a_variant_is_held_against_its_base(
    library: Session, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base, variant = evaluated(library, BASE, FAST).models
    assert base.costs.items_per_s is not None
    assert base.costs.items_per_s == Speeds(speeds_path(home)).of(describe("cpu"), "items_per_s")[BASE]["image"] > 0
    assert (base.costs.device, base.costs.agreement, base.costs.base) == ("cpu", None, "")
    assert variant.costs.agreement is None, "nothing is encoded with it yet"
    library.index(IndexRequest(models=(FAST,)))
    _, variant = evaluated(library, BASE, FAST).models
    assert variant.costs.base == base.name
    assert variant.costs.items_per_s
    assert variant.costs.agreement is not None
    assert 0.99 < variant.costs.agreement < 1
    library.close()
    words = ["--home", str(home), "evaluate", "--models", f"{BASE},{FAST}"]
    assert run_command(parser().parse_args([*words, "--json"])) == 0
    told = json.loads(capsys.readouterr().out)["models"][1]
    assert (told["items_per_s"], told["device"]) == (variant.costs.items_per_s, "cpu")
    assert told["agreement"] == pytest.approx(variant.costs.agreement)
    assert run_command(parser().parse_args(words)) == 0
    shown = capsys.readouterr().out
    assert "items/s" in shown
    assert f"agrees with its base: cosine {variant.costs.agreement:.4f}" in shown


def test_a_speed_is_kept_once_and_not_from_a_few_items(home: Path) -> None:
    rates = Rates(Speeds(speeds_path(home)), "cpu")
    assert rates.of("some") == ({}, "")
    rates.keep("some", Modality.IMAGE, [(RATED_ITEMS - 1, 1.0)])
    assert rates.of("some") == ({}, "")
    rates.keep("some", Modality.IMAGE, [(32, 4.0), (32, 2.0), (32, 2.0)])
    rates.keep("some", Modality.AUDIO, [(64, 2.0)])
    rates.keep("some", Modality.IMAGE, [(64, 64.0)])
    assert rates.of("some") == ({"image": 16.0, "audio": 32.0}, "cpu")
    assert rates.of("other") == ({}, "cpu")
    Speeds(speeds_path(home)).remember(describe("cpu"), "items_per_s", {"odd": {"image": "fast"}, "wrong": 3})
    assert rates.of("odd") == rates.of("wrong") == ({}, "cpu")
