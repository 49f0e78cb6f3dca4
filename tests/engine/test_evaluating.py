"""Models measured by the judgments: what counts, what is kept, what stays the same."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hues import HUES, MODEL, coloured, judge_all

from app.engine.errors import AppError
from app.engine.evaltypes import Evaluation, EvaluationRequest, Measured, ModelEvaluation
from app.engine.librarytypes import IndexRequest
from app.engine.session import Session
from app.engine.types import Modality, Query

OTHER = "timbre"
OF_EACH = 8
QUICK = EvaluationRequest((MODEL,), k=5, costs=False)


@pytest.fixture
def library(home: Path, tmp_path: Path) -> Iterator[Session]:
    """Photos of three colours; for one of each everything is judged: the same colour is relevant."""
    media = tmp_path / "media"
    for hue in HUES:
        for number in range(OF_EACH):
            coloured(media, f"{hue}-{number}.png", hue, number)
    with Session.open(home, device="cpu") as session:
        session.index(IndexRequest((str(media),), (MODEL,)))
        for hue in HUES:
            judge_all(session, media / f"{hue}-0.png", hue)
        yield session


def only(evaluation: Evaluation) -> ModelEvaluation:
    (model,) = evaluation.models
    return model


def same_figures(before: Evaluation, after: Evaluation) -> bool:
    """To the last digit; the ids of queries and items may be others."""

    def figures(evaluation: Evaluation) -> list[Any]:
        return [
            (model.model, model.measures, {one.query_key: one.measures for one in model.queries}, model.thresholds)
            for model in evaluation.models
        ]

    return figures(before) == figures(after)


# --- what is told ----------------------------------------------------------------------------------------------------


def test_every_measure_has_a_value_its_interval_and_its_bounds(library: Session) -> None:
    model = only(library.evaluations.evaluate(QUICK))
    assert model.mean["P@5"] == 1.0
    assert model.measures["R@5"].value == pytest.approx(5 / (OF_EACH - 1))
    assert all(one.judged == 1.0 for one in model.measures.values())
    for name, one in model.measures.items():
        assert one.least is not None, name
        assert one.most is not None, name
        assert one.least <= one.value <= one.most, name
        assert one.low is not None, name
        assert one.high is not None, name
        assert one.low <= one.value <= one.high, name


def test_what_is_not_judged_is_told_with_its_bounds(library: Session) -> None:
    summary = library.evaluations.queries()[0]
    item = library.evaluations.evaluate(replace(QUICK, query_ids=(summary.id,), hits=True)).models[0].queries[0].hits[0]
    library.evaluations.judge(summary.id, item.hit.item_id, None)
    one = only(library.evaluations.evaluate(replace(QUICK, query_ids=(summary.id,)))).measures["P@5"]
    assert one == Measured(0.8, None, None, 0.8, 0.8, 1.0)


def test_hits_come_only_where_they_are_asked_for(library: Session) -> None:
    without, with_hits = (
        only(library.evaluations.evaluate(replace(QUICK, hits=hits))).queries[0].hits for hits in (False, True)
    )
    assert without == ()
    assert [one.hit.rank for one in with_hits] == [1, 2, 3, 4, 5]
    assert {one.grade for one in with_hits} == {1}


def test_lists_of_different_lengths_are_measured_together(library: Session, tmp_path: Path) -> None:
    outside = coloured(tmp_path / "outside", "red.png", "red", 77)
    judge_all(library, outside, "red")
    model = only(library.evaluations.evaluate(replace(QUICK, k=100, hits=True)))
    assert {len(one.hits) for one in model.queries} == {len(HUES) * OF_EACH, len(HUES) * OF_EACH - 1}
    assert all(one.grade is not None for query in model.queries for one in query.hits)


def test_further_measures_are_computed_by_their_names(library: Session) -> None:
    evaluation = library.evaluations.evaluate(replace(QUICK, measure="nDCG@20", measures=("Success@1", "P@20")))
    assert {"nDCG@20", "Success@1", "P@20", "P@5"} <= set(evaluation.measures)
    assert evaluation.measure == "nDCG@20"
    assert only(evaluation).mean["P@20"] == pytest.approx(7 / 20)
    with pytest.raises(AppError, match="No such measure"):
        library.evaluations.evaluate(replace(QUICK, measures=("Splendour@3",)))


def test_a_set_and_a_judge_are_measured_alone(library: Session, tmp_path: Path) -> None:
    evaluations = library.evaluations
    other = evaluations.create_set("Others")
    query = evaluations.add_query(Query.of_image(str(tmp_path / "media" / "red-1.png")), set_id=other.id)
    item = evaluations.pool(query.id, (MODEL,)).items[0].item.item_id
    evaluations.judge(query.id, item, 1, "Ada")
    alone = evaluations.evaluate(replace(QUICK, set_id=other.id))
    assert (alone.set_name, len(only(alone).queries)) == ("Others", 1)
    by_ada = evaluations.evaluate(replace(QUICK, judge="Ada"))
    assert (by_ada.judge, [one.query_id for one in only(by_ada).queries]) == ("Ada", [query.id])
    assert len(only(evaluations.evaluate(QUICK)).queries) == 4


def test_lists_show_one_query_side_by_side(library: Session) -> None:
    summary = library.evaluations.queries()[0]
    ((key, one),) = library.evaluations.lists(summary.id, (MODEL, OTHER), k=3)
    assert (key, one.query_id, len(one.hits)) == (MODEL, summary.id, 3)
    assert one.measures["P@3"] == 1.0
    unjudged = library.evaluations.lists(summary.id, (MODEL,), k=3, judge="nobody")[0][1]
    assert [hit.grade for hit in unjudged.hits] == [None] * 3
    with pytest.raises(AppError, match="gone"):
        library.evaluations.lists(999)


# --- what is kept ----------------------------------------------------------------------------------------------------


def test_after_a_judgment_nothing_is_searched_anew(library: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    before = only(library.evaluations.evaluate(replace(QUICK, hits=True)))
    searched = counted(library, monkeypatch)
    query = before.queries[0]
    library.evaluations.judge(query.query_id, query.hits[0].hit.item_id, 0)
    after = only(library.evaluations.evaluate(QUICK))
    assert searched == []
    assert after.mean["P@5"] == pytest.approx(before.mean["P@5"] - 0.2 / len(HUES))


def test_a_new_photo_is_found_by_the_next_evaluation(library: Session, tmp_path: Path) -> None:
    request = replace(QUICK, k=100, hits=True)
    before = only(library.evaluations.evaluate(request)).queries[0].hits
    coloured(tmp_path / "media", "late.png", "red", 99)
    library.index(IndexRequest())
    after = only(library.evaluations.evaluate(request)).queries[0].hits
    assert {Path(one.hit.path).name for one in after} - {Path(one.hit.path).name for one in before} == {"late.png"}
    assert [one.grade for one in after if Path(one.hit.path).name == "late.png"] == [None]


def test_a_larger_cut_off_changes_no_measure_that_has_none(library: Session) -> None:
    few, many = (only(library.evaluations.evaluate(replace(QUICK, k=k))) for k in (5, 2000))
    assert few.measures["AP"] == many.measures["AP"]
    assert only(library.evaluations.evaluate(QUICK)).measures == few.measures


def counted(session: Session, monkeypatch: pytest.MonkeyPatch) -> list[Query]:
    """The queries that are ranked from now on."""
    searched: list[Query] = []
    ranking = session._searcher.ranking

    def noted(query: Query, *arguments: Any) -> Any:
        searched.append(query)
        return ranking(query, *arguments)

    monkeypatch.setattr(session._searcher, "ranking", noted)
    return searched


# --- what stays the same ---------------------------------------------------------------------------------------------


def test_renaming_indexing_anew_and_other_models_change_no_digit(library: Session, tmp_path: Path) -> None:
    before = library.evaluations.evaluate(QUICK)
    media = tmp_path / "media"
    for photo in sorted(media.iterdir()):
        photo.rename(photo.with_name(f"renamed-{photo.name}"))
    library.index(IndexRequest())
    assert same_figures(before, library.evaluations.evaluate(QUICK))
    media.rename(tmp_path / "moved")
    library.forget_root(str(media))
    library.index(IndexRequest((str(tmp_path / "moved"),)))
    assert same_figures(before, library.evaluations.evaluate(QUICK))
    library.set_models((MODEL, OTHER))
    library.index(IndexRequest())
    assert same_figures(before, library.evaluations.evaluate(QUICK))
    library.forget_model(MODEL)
    assert only(library.evaluations.evaluate(QUICK)).queries == ()
    library.set_models((MODEL,))
    library.index(IndexRequest())
    assert same_figures(before, library.evaluations.evaluate(QUICK))


def test_what_was_judged_and_has_left_the_library_does_not_count(library: Session, tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.mkdir()
    before = only(library.evaluations.evaluate(QUICK))
    for number in (5, 6):
        shutil.move(tmp_path / "media" / f"red-{number}.png", away)
    library.index(IndexRequest())
    red = next(one for one in only(library.evaluations.evaluate(QUICK)).queries if one.title == "red-0.png")
    assert red.measures["R@5"] == 1.0, "five of the five that are left"
    library.index(IndexRequest((str(away),)))
    assert only(library.evaluations.evaluate(QUICK)).measures == before.measures


# --- real vectors ----------------------------------------------------------------------------------------------------


@pytest.mark.shared_data
def test_real_vectors_are_told_from_colours_by_words_and_by_pictures(shared_data: Path, tmp_path: Path) -> None:
    import replay

    nouns = ("dog", "cat", "bicycle", "bear", "hamster", "turtle", "cow")
    with Session.open(tmp_path / "home", encoders=replay.ReplaySource(tmp_path / "models")) as session:
        session.index(IndexRequest((str(replay.PHOTOS_DIR),), (replay.KEY, MODEL)))
        evaluations = session.evaluations
        for noun in nouns:
            by_words = evaluations.add_query(Query.of_text(noun))
            nearest = evaluations.lists(by_words.id, (replay.KEY,), k=12)[0][1].hits
            by_picture = evaluations.add_query(Query.of_image(nearest[0].hit.path))
            alike = evaluations.lists(by_picture.id, (replay.KEY,), k=12)[0][1].hits
            for query_id, hits in ((by_words.id, nearest), (by_picture.id, alike)):
                for place, one in enumerate(hits):
                    evaluations.judge(query_id, one.hit.item_id, int(place < 8))
        evaluation = evaluations.evaluate(EvaluationRequest(k=5, costs=False))
    clip, colours = evaluation.models
    assert (clip.model, colours.model) == (replay.KEY, MODEL)
    assert set(clip.by_modality) == {Modality.TEXT, Modality.IMAGE}
    assert clip.by_modality[Modality.TEXT]["P@5"].value == 1.0
    assert len(clip.queries) == 2 * len(nouns)
    assert (len(colours.queries), colours.by_modality) == (len(nouns), {}), "colours know no words"
    assert set(colours.unanswered) == set(nouns)
    assert colours.note == f"Cannot search by words, so {len(nouns)} queries are left out."
    (comparison,) = evaluation.comparisons
    assert (comparison.better, comparison.worse, comparison.queries) == (replay.KEY, MODEL, len(nouns))
    by_picture = clip.by_modality[Modality.IMAGE]["P@5"].value
    assert comparison.difference == pytest.approx(by_picture - colours.mean["P@5"])
    assert comparison.sentence.startswith("CLIP replayed beats"), comparison.sentence
    assert f"P@5 +{comparison.difference:.2f}" in comparison.sentence
