"""The queries asked again: the same at every run, told apart by the disturbance alone, judged alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from senses import Senses

from app.cli.arguments import parser
from app.cli.run import run
from app.engine.errors import AppError
from app.engine.evaltypes import Disturbance, EvaluationRequest, Robustness, RobustnessRequest
from app.engine.jobs import Cancelled, Job
from app.engine.judgingtypes import OWN_JUDGE, QuerySummary
from app.engine.librarytypes import IndexReport, IndexRequest
from app.engine.media import disturbing
from app.engine.media.disturbing import SeededDisturbance
from app.engine.querying import Afresh
from app.engine.robustness import _asked
from app.engine.session import Session
from app.engine.types import Modality, Query, QueryPart

Index = Callable[..., IndexReport]
Make = Callable[..., Path]
FEW = ("picture-grey", "picture-jpeg", "picture-crop")


def judged(session: Session, query: Query, relevant: int = 3) -> QuerySummary:
    """A query of which three of the first results are judged relevant, and the others not."""
    summary = session.evaluations.add_query(query)
    found = [one.item.item_id for one in session.evaluations.pool(summary.id).items]
    refs = session._lookup.refs(found)
    grades = [(refs[item_id], int(place < relevant)) for place, item_id in enumerate(found)]
    session._judgments.judge(summary.id, OWN_JUDGE, grades)
    return session.evaluations.queries()[-1]


@pytest.fixture
def pictures(session: Session, index: Index, photo: Make) -> list[QuerySummary]:
    """Eight queries by picture among fourteen pictures, each of which has the next three for its relevant ones."""
    for seed in range(14):
        photo(f"{seed}.png", seed)
    index()
    lines = [
        f"image:{one}.png 0 {other}.png {int(other - one in (1, 2, 3))}" for one in range(8) for other in range(14)
    ]
    file = photo("0.png", 0).with_name("qrels.txt")
    file.write_text("\n".join(lines))
    session.evaluations.import_qrels(str(file))
    return list(session.evaluations.queries())


def measured(session: Session, **changes: object) -> Robustness:
    return session.evaluations.robustness(replace(RobustnessRequest(k=3, disturbances=FEW), **changes))  # type: ignore[arg-type]


def test_every_disturbance_of_a_kind_that_is_asked_has_its_drop(session: Session, pictures: list[QuerySummary]) -> None:
    result = measured(session, disturbances=())
    offered = {one.key for one in session.evaluations.disturbances() if one.key.startswith("picture-")}
    assert {drop.disturbance for drop in result.drops} == offered == {one.key for one in result.disturbances}
    assert {drop.model for drop in result.drops} == {"colour-texture"}
    assert (result.measure, result.names["colour-texture"]) == ("P@3", "Colour & texture")
    for drop in result.drops:
        assert drop.queries == 8
        assert drop.change == pytest.approx(drop.after - drop.before)
        assert drop.low is not None
        assert drop.high is not None
        assert drop.low <= drop.change <= drop.high


def test_the_same_seed_gives_the_same_figures_whatever_else_is_asked(
    session: Session, pictures: list[QuerySummary]
) -> None:
    whole = {drop.disturbance: drop for drop in measured(session, disturbances=()).drops}
    alone = measured(session, disturbances=("picture-crop",))
    assert alone.drops == (whole["picture-crop"],)
    assert measured(session, disturbances=("picture-crop",)) == alone


def test_the_undisturbed_measure_is_that_of_an_evaluation(session: Session, pictures: list[QuerySummary]) -> None:
    evaluation = session.evaluations.evaluate(EvaluationRequest(models=("colour-texture",), k=3, costs=False))
    drops = measured(session, models=("colour-texture",)).drops
    assert [drop.before for drop in drops] == pytest.approx([evaluation.models[0].mean["P@3"]] * len(drops))


def test_the_same_queries_in_a_second_set_make_nothing_surer(session: Session, pictures: list[QuerySummary]) -> None:
    alone = measured(session, set_id=pictures[0].set_id).drops
    second = session.evaluations.create_set("The same again")
    for one in pictures:
        again = session.evaluations.add_query(one.query, set_id=second.id)
        session._judgments.judge(again.id, OWN_JUDGE, list(session._judgments.of_query(one.id).items()))
    both = measured(session).drops
    assert [drop.queries for drop in both] == [2 * drop.queries for drop in alone]
    assert [(drop.change, drop.low, drop.high) for drop in both] == [
        (drop.change, drop.low, drop.high) for drop in alone
    ]


def test_other_measures_can_be_asked_for(session: Session, pictures: list[QuerySummary]) -> None:
    assert measured(session, measure="nDCG@5").measure == "nDCG@5"
    with pytest.raises(AppError):
        measured(session, measure="nonsense")


def test_an_undisturbed_query_has_the_vector_of_an_ordinary_one(
    session: Session, photo: Make, sound: Make, index: Index
) -> None:
    photo("a.png", 1), sound("a.wav", 700.0)
    outside = [Query.of_image(str(photo("../b.png", 2))), Query.of_sound(str(sound("../b.wav", 300.0)))]
    index()
    for model, query in zip(("colour-texture", "timbre"), outside, strict=True):
        target = session._searcher._targets.of(model)
        assert target
        resolved = session._searcher._queries.resolve(query)
        (afresh,) = session._searcher._queries.afresh([Afresh(resolved)], target)
        assert isinstance(afresh, np.ndarray)
        assert np.abs(afresh - session._searcher._queries.vector(resolved, target)).max() < 1e-6
        key = "picture-noise" if model == "colour-texture" else "sound-noise-0"
        (worse,) = session._searcher._queries.afresh([Afresh(resolved, {0: SeededDisturbance(key, 1)})], target)
        assert isinstance(worse, np.ndarray)
        assert float(worse @ afresh) < 0.999


def test_a_disturbed_query_does_not_find_its_own_file(session: Session, pictures: list[QuerySummary]) -> None:
    for drop in measured(session, k=13, measure="P@13", disturbances=("picture-jpeg",)).drops:
        assert drop.before == pytest.approx(3 / 13)  # all 13 others: the query itself would push one out
        assert drop.after == pytest.approx(3 / 13)


def test_every_picture_of_a_mix_is_disturbed(session: Session, pictures: list[QuerySummary], photo: Make) -> None:
    mix = Query(
        (
            QueryPart(pictures[0].query.parts[0].modality, path=str(photo("0.png", 0))),
            QueryPart(pictures[0].query.parts[0].modality, path=str(photo("1.png", 1)), weight=-0.5),
        )
    )
    summary = judged(session, mix)
    (drop,) = measured(session, query_ids=(summary.id,), disturbances=("picture-grey",)).drops
    assert (drop.queries, drop.low) == (1, None)


def test_a_query_whose_file_is_gone_is_named(session: Session, pictures: list[QuerySummary], photo: Make) -> None:
    outside = photo("../outside.png", 30)
    judged(session, Query.of_image(str(outside)))
    outside.unlink()
    result = measured(session)
    assert {drop.queries for drop in result.drops} == {8}
    (note,) = result.notes
    assert "outside.png" in note
    assert "gone" in note


@pytest.fixture
def worded(home: Path, tmp_path: Path, sound: Make) -> Iterator[Session]:
    """A library whose two models know a few words in lower case, and queries by these."""
    (tmp_path / "media").mkdir()
    for name, colour in (("a.png", (220, 30, 20)), ("b.png", (20, 200, 40)), ("c.png", (30, 20, 210))):
        Image.new("RGB", (64, 48), colour).save(tmp_path / "media" / name)
    sound("d.wav", 200.0), sound("e.wav", 4000.0)
    lines = ["text:red 0 a.png 1", "text:green 0 b.png 1", "text:blue 0 c.png 1", "text:low 0 d.wav 1"]
    (tmp_path / "media" / "qrels.txt").write_text("\n".join(lines))
    with Session.open(home, encoders=Senses()) as session:
        session.index(IndexRequest((str(tmp_path / "media"),), ("colours", "pitches")))
        session.evaluations.import_qrels(str(tmp_path / "media" / "qrels.txt"))
        yield session


def test_words_are_said_otherwise_as_fits_what_a_model_finds(worded: Session) -> None:
    red, green, *_ = worded.evaluations.queries()
    worded.evaluations.change_query(red.id, translations={"de": "rot", "en": "something red"})
    worded.evaluations.change_query(green.id, translations={"de": "grün"})
    result = worded.evaluations.robustness(RobustnessRequest(k=1))
    drops = {(drop.model, drop.disturbance): drop for drop in result.drops}
    assert {key for model, key in drops if model == "colours"} == {
        "text-typos", "text-upper", "text-lower", "text-photo", "text-picture", "text-language-de", "text-language-en",
    }  # fmt: skip
    assert {key for model, key in drops if model == "pitches"} == {
        "text-typos", "text-upper", "text-lower", "text-sound",
    }  # fmt: skip
    for key, queries, after in (("text-lower", 3, 1), ("text-photo", 3, 1), ("text-language-en", 1, 1)):
        drop = drops["colours", key]
        assert (drop.queries, drop.before, drop.after) == (queries, 1.0, after)
    assert drops["colours", "text-language-de"].queries == 2
    assert drops["colours", "text-upper"].after < 1  # these models know no capitals
    assert drops["pitches", "text-sound"].change == 0


def test_the_words_of_a_mix_are_disturbed_and_its_picture_is_not(worded: Session, tmp_path: Path) -> None:
    picture = QueryPart(Modality.IMAGE, path=str(tmp_path / "media" / "b.png"))
    mix = Query((QueryPart(Modality.TEXT, text="red"), picture))
    summary = judged(worded, mix)
    asked = _asked(summary, Disturbance("text-upper", "", Modality.TEXT), 1)
    assert (asked.query.parts[0].text, asked.query.parts[1], asked.disturbances) == ("RED", summary.query.parts[1], {})
    asked = _asked(summary, Disturbance("picture-grey", "", Modality.IMAGE), 1)
    assert (asked.query, list(asked.disturbances)) == (summary.query, [1])
    assert asked == _asked(summary, Disturbance("picture-grey", "", Modality.IMAGE), 1)
    assert asked != _asked(summary, Disturbance("picture-grey", "", Modality.IMAGE), 2)


def test_it_can_be_cancelled_and_tells_how_far_it_is(session: Session, pictures: list[QuerySummary]) -> None:
    seen: list[tuple[int, int | None]] = []
    job = Job(lambda progress: seen.append((progress.done, progress.total)), min_interval_s=0.0)
    session.evaluations.robustness(RobustnessRequest(models=("colour-texture",), disturbances=FEW), job)
    assert seen[-1] == (32, 32)
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        session.evaluations.robustness(RobustnessRequest(disturbances=FEW), job)


def test_what_is_not_there_is_said(
    session: Session, pictures: list[QuerySummary], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AppError, match="picture-grey"):
        measured(session, disturbances=("picture-gray",))
    with pytest.raises(AppError):
        measured(session, set_id=99)
    monkeypatch.setattr(disturbing, "MP3_ENCODER", "no_such_encoder")
    assert "MP3" in measured(session, disturbances=("sound-mp3",)).notes[-1]
    session._preferences.choose_models(["colour-texture", "from-elsewhere"])
    assert any("from-elsewhere" in note for note in measured(session).notes)


def test_the_command_prints_a_table_and_a_document(home: Path, photo: Make, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(10):
        photo(f"{seed}.png", seed)
    with Session.open(home, device="cpu") as session:
        session.index(IndexRequest((str(photo("0.png", 0).parent),), ("colour-texture",)))
        for seed in range(7):
            judged(session, Query.of_image(str(photo(f"{seed}.png", seed))))

    def said(*words: str) -> int:
        return run(parser().parse_args(["--home", str(home), "robustness", "-k", "5", "--seed", "3", *words]))

    two = ("--disturbances", "picture-grey,picture-jpeg")
    assert said(*two, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["measure"], document["seed"]) == ("P@5", 3)
    assert [drop["disturbance"] for drop in document["drops"]] == ["picture-jpeg", "picture-grey"]
    assert said(*two, "--set", "Test queries") == 0
    table = capsys.readouterr().out
    assert "Greyscale" in table
    assert "colour-texture" in table
    assert said("--set", "nothing") == 1
    assert "Test queries" in capsys.readouterr().err
