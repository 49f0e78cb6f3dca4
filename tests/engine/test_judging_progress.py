"""What is left to judge in a set, in which order, for which judge."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app.engine.errors import AppError
from app.engine.evaluation import pooling
from app.engine.judgingtypes import DEFAULT_SET, JudgingOrder, Mark, Scale
from app.engine.librarytypes import IndexReport
from app.engine.session import Session
from app.engine.types import Query

Index = Callable[..., IndexReport]
Make = Callable[..., Path]


@pytest.fixture
def photos(index: Index, photo: Make) -> list[Path]:
    made = [photo(f"{seed}.png", seed) for seed in range(8)]
    index()
    return made


@pytest.fixture
def set_id(session: Session, photos: list[Path]) -> int:
    for path in photos[:2]:
        session.evaluations.add_query(Query.of_image(str(path)))
    (one,) = [one for one in session.evaluations.sets() if one.name == DEFAULT_SET]
    return one.id


def judge_all(session: Session, query_id: int, grade: int | None, judge: str = "", count: int = 100) -> None:
    for one in session.evaluations.pool(query_id, depth=5, judge=judge).items[:count]:
        session.evaluations.judge(query_id, one.item.item_id, grade, judge)


def test_a_set_that_nobody_judged_is_all_left(session: Session, set_id: int) -> None:
    progress = session.evaluations.progress(set_id, depth=5)
    assert [(one.pooled, one.left) for one in progress.queries] == [(5, 5), (5, 5)]
    assert progress.left == 10
    assert progress.ms_per_item is None


def test_unsure_is_dealt_with_and_later_is_not(session: Session, set_id: int) -> None:
    first, _ = session.evaluations.progress(set_id, depth=5).queries
    items = session.evaluations.pool(first.query_id, depth=5).items
    for one, grade in zip(items, (1, 0, Mark.UNSURE, Mark.LATER), strict=False):
        session.evaluations.judge(first.query_id, one.item.item_id, grade)
    first, _ = session.evaluations.progress(set_id, depth=5).queries
    assert (first.left, first.later) == (2, 1)


def test_each_judge_has_a_progress_and_a_pool_of_their_own(session: Session, set_id: int) -> None:
    first, _ = session.evaluations.progress(set_id, depth=5).queries
    judge_all(session, first.query_id, 1)
    assert session.evaluations.progress(set_id, depth=5).left == 5
    assert session.evaluations.progress(set_id, depth=5, judge="Ann").left == 10
    assert {one.grade for one in session.evaluations.pool(first.query_id, depth=5, judge="Ann").items} == {None}
    judge_all(session, first.query_id, 0, "Ann")
    assert {one.grade for one in session.evaluations.pool(first.query_id, depth=5).items} == {1}
    assert session.evaluations.sets()[0].judges == ("", "Ann")


def test_most_disagreement_first_puts_what_is_done_last(session: Session, set_id: int) -> None:
    order = JudgingOrder.DISAGREEMENT
    first, second = session.evaluations.progress(set_id, depth=5, order=order).queries
    judge_all(session, first.query_id, 1)
    again = session.evaluations.progress(set_id, depth=5, order=order).queries
    assert [one.query_id for one in again] == [second.query_id, first.query_id]
    shuffled = session.evaluations.progress(set_id, depth=5).queries
    assert [one.query_id for one in shuffled] == sorted((first.query_id, second.query_id))


def test_models_are_held_against_each_other_only_to_order_by_it(
    session: Session, set_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(pooling, "disagreement", lambda rankings: asked.append(len(rankings)) or 0.0)
    session.evaluations.progress(set_id, depth=5)
    assert not asked
    session.evaluations.progress(set_id, depth=5, order=JudgingOrder.DISAGREEMENT)
    assert len(asked) == 2


def test_either_order_shows_the_same_items_and_no_model(session: Session, set_id: int) -> None:
    query_id = session.evaluations.queries(set_id)[0].id
    shuffled, disputed = (session.evaluations.pool(query_id, depth=5, order=order) for order in JudgingOrder)
    assert {one.item for one in shuffled.items} == {one.item for one in disputed.items}
    assert {(one.item.rank, one.item.similarity, one.item.found_by) for one in disputed.items} == {(0, None, ())}


def test_a_query_whose_file_is_gone_has_nothing_to_judge(
    session: Session, set_id: int, photos: list[Path], home: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.png"
    shutil.copy(photos[0], outside)
    outside.write_bytes(outside.read_bytes() + b"\0")  # another content, which no root holds
    lost = session.evaluations.add_query(Query.of_image(str(outside)))
    outside.unlink()
    session.close()
    with Session.open(home, device="cpu") as again:  # which remembers no query's vector
        assert {one.query_id: one.pooled for one in again.evaluations.progress(set_id, depth=5).queries} == {
            lost.id - 2: 5, lost.id - 1: 5, lost.id: 0,
        }  # fmt: skip


def test_the_time_for_an_item_leaves_pauses_out(session: Session, set_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    gaps_s = (2, 2, 4, 3600, 4, 4, 0.01, 5)
    moments = [datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)]
    for gap_s in gaps_s:
        moments.append(moments[-1] + datetime.timedelta(seconds=gap_s))
    monkeypatch.setattr(session._judgments, "moments", lambda *_args: moments)
    assert session.evaluations.progress(set_id, depth=5).ms_per_item == 4000


def test_a_set_or_a_judge_that_cannot_be_is_refused_in_a_sentence(session: Session, set_id: int) -> None:
    with pytest.raises(AppError, match="gone"):
        session.evaluations.progress(set_id + 7)
    query_id = session.evaluations.queries(set_id)[0].id
    item = session.evaluations.pool(query_id).items[0].item
    with pytest.raises(AppError, match="name"):
        session.evaluations.judge(query_id, item.item_id, 1, "x" * 61)


def test_a_pool_names_its_scale_and_the_nearest_guidelines(session: Session, set_id: int) -> None:
    query_id = session.evaluations.queries(set_id)[0].id
    session.evaluations.change_set(set_id, scale=Scale.GRADED, guidelines="Same colours.")
    pool = session.evaluations.pool(query_id)
    assert (pool.scale, pool.guidelines) == (Scale.GRADED, "Same colours.")
    session.evaluations.change_query(query_id, guidelines="Same stripes.")
    assert session.evaluations.pool(query_id).guidelines == "Same stripes."


class TestAgreement:
    def test_what_both_judges_graded_is_compared(self, session: Session, set_id: int) -> None:
        first, second = session.evaluations.queries(set_id)
        for query, own, others in ((first, (1, 1, 0, 0, 1), (1, 0, 0, 0, 1)), (second, (0, 0), (0, Mark.UNSURE))):
            items = session.evaluations.pool(query.id, depth=5).items
            for judge, grades in (("", own), ("Ann", others)):
                for one, grade in zip(items, grades, strict=False):
                    session.evaluations.judge(query.id, one.item.item_id, grade, judge)
        told = session.evaluations.agreement(set_id, "", "Ann")
        assert (told.items, told.agreed, told.table) == (6, 5, ((3, 0), (1, 2)))
        # Chance agrees on (3·4 + 3·2) / 36 = 1/2 of them.
        assert told.kappa == pytest.approx((5 / 6 - 1 / 2) / (1 - 1 / 2))
        assert told.low is not None
        assert told.low < told.kappa

    def test_with_nothing_in_common_there_is_no_kappa(self, session: Session, set_id: int) -> None:
        told = session.evaluations.agreement(set_id, "", "Ann")
        assert (told.items, told.kappa, told.low) == (0, None, None)
