"""Judging is blind, keyed by content, and measures every model by the same grades."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.engine.errors import AppError
from app.engine.evaltypes import EvaluationRequest
from app.engine.judgingtypes import QuerySummary
from app.engine.librarytypes import IndexReport, IndexRequest
from app.engine.session import Session
from app.engine.types import Query

Index = Callable[..., IndexReport]
Make = Callable[..., Path]


@pytest.fixture
def query(session: Session, index: Index, photo: Make) -> QuerySummary:
    for seed in range(12):
        photo(f"{seed}.png", seed)
    index()
    return session.evaluations.add_query(Query.of_image(str(photo("0.png", 0))))


def test_the_pool_tells_neither_model_nor_rank(session: Session, query: QuerySummary) -> None:
    pool = session.evaluations.pool(query.id, depth=10)
    assert len(pool.items) == 10
    assert {(one.item.rank, one.item.similarity, one.item.found_by) for one in pool.items} == {(0, None, ())}
    ranked = [
        hit.hit.item_id
        for hit in session.evaluations.evaluate(EvaluationRequest(query_ids=(query.id,), hits=True))
        .models[0]
        .queries[0]
        .hits
    ]
    assert {one.item.item_id for one in pool.items} == set(ranked)
    assert [one.item.item_id for one in pool.items] != ranked
    assert session.evaluations.pool(query.id, depth=10) == pool


def test_the_query_itself_and_its_copies_are_not_judged(
    session: Session, query: QuerySummary, index: Index, tmp_path: Path
) -> None:
    shutil.copy(tmp_path / "media" / "0.png", tmp_path / "media" / "copy.png")
    index()
    names = {Path(one.item.path).name for one in session.evaluations.pool(query.id, depth=100).items}
    assert names == {f"{seed}.png" for seed in range(1, 12)}


def test_grades_make_the_measures(session: Session, query: QuerySummary) -> None:
    hits = (
        session.evaluations.evaluate(EvaluationRequest(query_ids=(query.id,), k=5, hits=True)).models[0].queries[0].hits
    )
    for position, one in enumerate(hits):
        session.evaluations.judge(query.id, one.hit.item_id, 1 if position in (0, 2) else 0)
    evaluation = session.evaluations.evaluate(EvaluationRequest(k=5, hits=True))
    model = next(model for model in evaluation.models if model.model == "colour-texture")
    assert model.mean["P@5"] == pytest.approx(0.4)
    assert model.mean["R@5"] == 1.0
    assert model.mean["F1@5"] == pytest.approx(2 * 0.4 / 1.4)
    assert model.mean["AP"] == pytest.approx((1 + 2 / 3) / 2)
    assert (model.mean["RR"], model.mean["Judged@5"]) == (1.0, 1.0)
    assert [one.grade for one in model.queries[0].hits] == [1, 0, 1, 0, 0]


def test_a_model_that_cannot_answer_is_named_and_not_scored(
    session: Session, query: QuerySummary, sound: Make, index: Index
) -> None:
    sound("a.wav")
    index()
    session.evaluations.judge(query.id, session.evaluations.pool(query.id).items[0].item.item_id, 1)
    timbre = next(
        model for model in session.evaluations.evaluate(EvaluationRequest()).models if model.model == "timbre"
    )
    assert (timbre.mean, timbre.queries, timbre.unanswered) == ({}, (), ("0.png",))


def test_a_judgment_can_be_taken_back(session: Session, query: QuerySummary) -> None:
    item_id = session.evaluations.pool(query.id).items[0].item.item_id
    assert session.evaluations.judge(query.id, item_id, 1).relevant == 1
    assert session.evaluations.judge(query.id, item_id, 0).relevant == 0
    assert session.evaluations.judge(query.id, item_id, None).judged == 0


def test_several_items_are_judged_at_once_or_none_is(session: Session, query: QuerySummary) -> None:
    ids = [one.item.item_id for one in session.evaluations.pool(query.id).items]
    assert session.evaluations.judge_all(query.id, ids, 1).relevant == len(ids)
    assert session.evaluations.judge_all(query.id, ids[:1], 1, "Ann").judged == 1  # each hears of their own
    with pytest.raises(AppError, match="gone"):
        session.evaluations.judge_all(query.id, [*ids, 999], 0)
    assert session.evaluations.queries(judge="")[0].relevant == len(ids)


def test_judgments_survive_renaming_and_indexing_anew(
    session: Session, query: QuerySummary, index: Index, tmp_path: Path
) -> None:
    item = session.evaluations.pool(query.id).items[0].item
    session.evaluations.judge(query.id, item.item_id, 1)
    (tmp_path / "media").rename(tmp_path / "moved")
    session.forget_root(str(tmp_path / "media"))
    index(tmp_path / "moved")
    (judged,) = [one for one in session.evaluations.pool(query.id, depth=100).items if one.grade]
    assert Path(judged.item.path).name == Path(item.path).name


def test_judgments_go_to_another_library_and_measure_the_same(
    session: Session, query: QuerySummary, home: Path, tmp_path: Path
) -> None:
    for position, one in enumerate(session.evaluations.pool(query.id).items):
        session.evaluations.judge(query.id, one.item.item_id, position % 3)
    file = str(tmp_path / "qrels.txt")
    count = session.evaluations.export_qrels(file)
    here = session.evaluations.evaluate(EvaluationRequest())
    with Session.open(home, "second", device="cpu") as other:
        other.index(IndexRequest((str(tmp_path / "media"),), ("colour-texture",)))
        taken = other.evaluations.import_qrels(file)
        there = other.evaluations.evaluate(EvaluationRequest())
    assert (taken.judgments, taken.unknown) == (count, ())
    assert there.models[0].mean == next(m.mean for m in here.models if m.model == "colour-texture")


def test_judgments_can_be_written_by_hand_with_paths(session: Session, query: QuerySummary, tmp_path: Path) -> None:
    file = tmp_path / "media" / "qrels.txt"
    file.write_text("image:0.png 0 3.png 1\nimage:0.png 0 4.png 0\nimage:0.png 0 nowhere.png 1\n")
    taken = session.evaluations.import_qrels(str(file))
    assert (taken.judgments, taken.queries, taken.unknown) == (2, 1, ("nowhere.png",))
    (summary,) = session.evaluations.queries()
    assert (summary.id, summary.relevant, summary.judged) == (query.id, 1, 2)


def test_a_bad_judgments_file_changes_nothing(session: Session, query: QuerySummary, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "other.csv").write_text("a,b,c\n")
    for name in ("binary", "other.csv", "missing"):
        with pytest.raises(AppError):
            session.evaluations.import_qrels(str(tmp_path / name))
    assert session.evaluations.queries()[0].judged == 0


def test_a_removed_query_is_gone(session: Session, query: QuerySummary) -> None:
    session.evaluations.remove_query(query.id)
    assert session.evaluations.queries() == ()
    with pytest.raises(AppError, match="gone"):
        session.evaluations.pool(query.id)


def test_a_lost_or_overwritten_query_file_leaves_out_its_query_alone(
    session: Session, query: QuerySummary, photo: Make, home: Path
) -> None:
    deleted, overwritten = photo("../deleted.png", 20), photo("../overwritten.png", 21)
    for key in (
        query.id,
        *(session.evaluations.add_query(Query.of_image(str(path))).id for path in (deleted, overwritten)),
    ):
        session.evaluations.judge(key, session.evaluations.pool(key).items[0].item.item_id, 1)
    deleted.unlink()
    photo("../overwritten.png", 22)
    session.close()
    with Session.open(home, device="cpu") as again:  # which remembers no query's vector
        model = again.evaluations.evaluate(EvaluationRequest(("colour-texture",))).models[0]
    assert [result.query_id for result in model.queries] == [query.id]
    assert model.unanswered == ("deleted.png", "overwritten.png")
    assert "gone" in model.note


def test_a_moved_query_file_is_followed(
    session: Session, query: QuerySummary, index: Index, home: Path, tmp_path: Path
) -> None:
    session.evaluations.judge(query.id, session.evaluations.pool(query.id).items[0].item.item_id, 1)
    (tmp_path / "media" / "0.png").rename(tmp_path / "media" / "moved.png")
    index()
    session.close()
    with Session.open(home, device="cpu") as again:
        assert len(again.evaluations.evaluate(EvaluationRequest(("colour-texture",))).models[0].queries) == 1


def test_judgments_of_a_picture_outside_the_library_come_back(
    session: Session, query: QuerySummary, photo: Make, tmp_path: Path
) -> None:
    outside = session.evaluations.add_query(Query.of_image(str(photo("../outside.png", 20))))
    item_id = session.evaluations.pool(outside.id).items[0].item.item_id
    session.evaluations.judge(outside.id, item_id, 1)
    file = str(tmp_path / "qrels.txt")
    session.evaluations.export_qrels(file)
    session.evaluations.judge(outside.id, item_id, None)
    assert session.evaluations.import_qrels(file).unknown == ()
    assert session.evaluations.pool(outside.id).items[0].grade == 1


def test_a_mark_at_the_beginning_of_a_file_is_no_part_of_its_first_query(
    session: Session, query: QuerySummary, tmp_path: Path
) -> None:
    file = tmp_path / "media" / "qrels.txt"
    file.write_text("image:0.png 0 3.png 1\n", encoding="utf-8-sig")  # as Windows' editor writes it
    session.evaluations.import_qrels(str(file))
    assert [summary.id for summary in session.evaluations.queries()] == [query.id]


def test_a_model_that_is_not_known_here_is_named(session: Session, query: QuerySummary) -> None:
    session._preferences.choose_models(["colour-texture", "from-elsewhere"])
    session.evaluations.judge(query.id, session.evaluations.pool(query.id).items[0].item.item_id, 1)
    known, unknown = session.evaluations.evaluate(EvaluationRequest()).models
    assert len(known.queries) == 1
    assert (unknown.queries, unknown.note) == ((), "There is no such model here.")


def test_a_folder_forgotten_while_a_pool_is_made_is_left_out(
    session: Session, query: QuerySummary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hits = session._searcher.hits

    def hits_then_forget(*arguments: Any) -> Any:
        found = hits(*arguments)
        session.forget_root(str(tmp_path / "media"))
        return found

    monkeypatch.setattr(session._searcher, "hits", hits_then_forget)
    assert session.evaluations.pool(query.id).items == ()
