"""Whose grades there are, which can be given, and what each of them counts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.errors import AppError
from app.engine.evaltypes import EvaluationRequest
from app.engine.judgingtypes import IMPORTED, OWN_JUDGE, Imported, Mark, Scale
from app.engine.librarytypes import IndexReport
from app.engine.session import Session
from app.engine.store import judgments
from app.engine.store.judgments import together
from app.engine.types import ItemKind, ItemRef, Query

Index = Callable[..., IndexReport]
Make = Callable[..., Path]


@pytest.fixture
def pets(photo: Make, index: Index, tmp_path: Path) -> Path:
    """Three photos of cats and two of dogs, indexed, with a caption for one."""
    for seed, name in enumerate(("cats/a.png", "cats/b.png", "cats/c.png", "dogs/d.png", "dogs/e.png")):
        photo(name, seed)
    index()
    (tmp_path / "media" / "said.csv").write_text("file,caption\ncats/a.png,a cat\n")
    return tmp_path / "media"


def imported(session: Session, pets: Path) -> tuple[Imported, int, dict[str, int]]:
    """The classes taken in; the query of a.png, and the items by the names of their files."""
    taken = session.evaluations.import_folders(str(pets))
    (query,) = [one for one in session.evaluations.queries(taken.set_id) if one.title == "cats/a.png"]
    items = session.evaluations.pool(query.id).items
    return taken, query.id, {Path(one.item.path).name: one.item.item_id for one in items}


def grades(session: Session, query_id: int, judge: str = OWN_JUDGE) -> dict[str, int | None]:
    return {Path(one.item.path).name: one.grade for one in session.evaluations.pool(query_id, judge=judge).items}


class TestImported:
    def test_what_folders_judged_counts_where_a_judge_says_nothing_and_how_is_not_told(
        self, session: Session, pets: Path
    ) -> None:
        taken, query_id, items = imported(session, pets)
        assert {(one.grade, one.imported) for one in session.evaluations.pool(query_id).items} == {(None, True)}
        for name, grade, counts in (
            ("b.png", 0, (1, 4, 0, 0)), ("c.png", Mark.UNSURE, (0, 3, 1, 0)), ("d.png", Mark.LATER, (0, 2, 1, 1)),
        ):  # fmt: skip
            one = session.evaluations.judge(query_id, items[name], grade)
            assert (one.relevant, one.judged, one.unsure, one.later) == counts
        of_query, *others = sorted(
            session.evaluations.progress(taken.set_id).queries, key=lambda one: one.query_id != query_id
        )
        assert (of_query.pooled, of_query.left, of_query.later, of_query.imported) == (4, 2, 1, 1)
        assert {(one.left, one.imported) for one in others} == {(4, 4)}
        assert [
            next(one.judged for one in session.evaluations.queries(taken.set_id, OWN_JUDGE, both) if one.id == query_id)
            for both in (False, True)
        ] == [1, 2]

    def test_an_import_leaves_what_a_person_said_and_a_person_outranks_it(self, session: Session, pets: Path) -> None:
        taken, query_id, items = imported(session, pets)
        session.evaluations.judge(query_id, items["b.png"], 0)
        session.evaluations.judge(query_id, items["d.png"], 1)
        session.evaluations.import_folders(str(pets))
        assert {name: grade for name, grade in grades(session, query_id).items() if grade is not None} == {
            "b.png": 0,
            "d.png": 1,
        }
        assert grades(session, query_id, IMPORTED) == {"b.png": 1, "c.png": 1, "d.png": 0, "e.png": 0}
        (hits,) = [
            query.hits
            for query in session.evaluations.evaluate(
                EvaluationRequest(("colour-texture",), query_ids=(query_id,), hits=True, costs=False)
            )
            .models[0]
            .queries
        ]
        said = {Path(one.hit.path).name: one.grade for one in hits}
        assert said == {"b.png": 0, "c.png": 1, "d.png": 1, "e.png": 0}
        (of_set,) = [one for one in session.evaluations.sets() if one.id == taken.set_id]
        assert of_set.judges == (OWN_JUDGE, IMPORTED)
        assert session.evaluations.agreement(taken.set_id, OWN_JUDGE, IMPORTED).items == 2

    def test_a_persons_own_relevant_item_of_another_class_stays(self, session: Session, pets: Path) -> None:
        _, query_id, items = imported(session, pets)
        session.evaluations.judge(query_id, items["e.png"], 1)
        session.evaluations.import_folders(str(pets))
        assert grades(session, query_id)["e.png"] == 1

    def test_captions_lower_no_grade(self, session: Session, pets: Path) -> None:
        graded = session.evaluations.create_set("Graded", Scale.GRADED)
        query = session.evaluations.add_query(Query.of_text("a cat"), set_id=graded.id)
        (pets / "own.qrels").write_text("text:a%20cat 0 cats/a.png 3\n")
        session.evaluations.import_qrels(str(pets / "own.qrels"), graded.id)
        session.evaluations.import_captions(str(pets / "said.csv"), "Graded")
        assert session._judgments.of_query(query.id) == session._judgments.of_query(query.id, OWN_JUDGE)
        assert list(session._judgments.of_query(query.id).values()) == [3]

    def test_to_import_again_tells_what_is_new_alone(self, session: Session, pets: Path) -> None:
        taken, _, _ = imported(session, pets)
        again = session.evaluations.import_folders(str(pets))
        assert (taken.queries, taken.judgments) == (5, 20)
        assert (again.queries, again.judgments, again.notes) == (0, 0, ())

    def test_what_is_not_indexed_yet_is_said_to_be_missing(self, session: Session, pets: Path, photo: Make) -> None:
        photo("dogs/late.png", 9)
        taken = session.evaluations.import_folders(str(pets))
        assert any("Import the folder again later" in note for note in taken.notes)

    def test_a_hundred_thousand_unknown_names_are_counted_and_not_listed(self, session: Session, pets: Path) -> None:
        rows = "".join(f"nowhere/{number}.png,nothing {number}\n" for number in range(250))
        (pets / "many.csv").write_text(f"file,caption\ncats/a.png,a cat\n{rows}")
        taken = session.evaluations.import_captions(str(pets / "many.csv"))
        assert (len(taken.unknown), taken.unknown_count) == (100, 250)

    def test_nobody_judges_under_its_name(self, session: Session, pets: Path) -> None:
        _, query_id, items = imported(session, pets)
        with pytest.raises(AppError, match="folders and captions"):
            session.evaluations.judge(query_id, items["b.png"], 1, " Imported")


class TestQrels:
    def taken(self, session: Session, pets: Path, lines: str, judge: str = "NIST") -> Imported:
        (pets / "x.qrels").write_text(lines)
        return session.evaluations.import_qrels(str(pets / "x.qrels"), judge=judge)

    def test_grades_beyond_the_scale_are_brought_into_it_and_told_of(self, session: Session, pets: Path) -> None:
        taken = self.taken(session, pets, "cat 0 cats/a.png 4\ncat 0 cats/b.png -1\ncat 0 cats/c.png -2147\n")
        assert taken.judgments == 1
        assert "1 grades above 3" in taken.notes[0]
        assert "2 lines with a grade below 0" in taken.notes[1]
        (query,) = session.evaluations.queries()
        assert (query.judged, query.unsure, query.later) == (1, 0, 0)

    def test_a_judge_who_says_otherwise_is_followed_and_the_change_is_counted(
        self, session: Session, pets: Path
    ) -> None:
        self.taken(session, pets, "cat 0 cats/a.png 1\ncat 0 cats/b.png 1\n")
        again = self.taken(session, pets, "cat 0 cats/a.png 0\ncat 0 cats/b.png 1\n", " nist ")
        assert (again.queries, again.judgments) == (1, 1)
        assert any(note.startswith("1 judgments were here with another grade") for note in again.notes)
        assert session.evaluations.sets()[0].judges == ("NIST",)

    def test_no_file_replaces_what_a_person_judged(self, session: Session, pets: Path) -> None:
        self.taken(session, pets, "cat 0 cats/a.png 1\n", OWN_JUDGE)
        again = self.taken(session, pets, "cat 0 cats/a.png 0\ncat 0 cats/b.png 1\n", OWN_JUDGE)
        assert again.judgments == 1
        assert any(note.startswith("You judged 1 of these otherwise, and your grades stay") for note in again.notes)
        (query,) = session.evaluations.queries()
        assert (query.judged, query.relevant) == (2, 2)

    def test_a_name_that_is_too_long_enters_nothing(self, session: Session, pets: Path) -> None:
        with pytest.raises(AppError, match="too long"):
            self.taken(session, pets, "cat 0 cats/a.png 1\n", "x" * 61)
        assert session.evaluations.queries() == ()


class TestGrades:
    @pytest.mark.parametrize("grade", [4, 77, -3])
    def test_only_grades_and_marks_can_be_given(self, session: Session, pets: Path, grade: int) -> None:
        _, query_id, items = imported(session, pets)
        with pytest.raises(AppError, match="from 0 to 3"):
            session.evaluations.judge(query_id, items["b.png"], grade)

    def test_a_set_that_becomes_binary_counts_relevant_or_not_and_loses_no_grade(
        self, session: Session, pets: Path
    ) -> None:
        taken, query_id, items = imported(session, pets)
        session.evaluations.change_set(taken.set_id, scale=Scale.GRADED)
        for name, grade in (("b.png", 3), ("c.png", 1), ("d.png", 2)):
            session.evaluations.judge(query_id, items[name], grade)
            session.evaluations.judge(query_id, items[name], min(grade, 2), "Ann")
        session.evaluations.change_set(taken.set_id, scale=Scale.BINARY)
        assert {grade for grade in grades(session, query_id).values() if grade} == {1}
        agreement = session.evaluations.agreement(taken.set_id, OWN_JUDGE, "Ann")
        assert (agreement.agreed, len(agreement.table)) == (3, 2)
        session.evaluations.change_set(taken.set_id, scale=Scale.GRADED)
        assert {grade for grade in grades(session, query_id).values() if grade} == {1, 2, 3}


class TestJudges:
    def test_case_and_outer_spaces_make_no_other_judge(self, session: Session, pets: Path) -> None:
        taken, query_id, items = imported(session, pets)
        session.evaluations.judge(query_id, items["b.png"], 1, " Ana")
        session.evaluations.judge(query_id, items["c.png"], 1, "ana ")
        session.evaluations.judge(query_id, items["b.png"], 0, "ANA")
        (of_set,) = [one for one in session.evaluations.sets() if one.id == taken.set_id]
        assert of_set.judges == ("Ana", IMPORTED)
        assert grades(session, query_id, "aNa") == {"b.png": 0, "c.png": 1, "d.png": None, "e.png": None}

    @given(st.lists(st.integers(0, 3), min_size=1), st.integers(0, 3))
    def test_persons_come_before_what_was_imported(self, of_persons: list[int], of_import: int) -> None:
        said = [(IMPORTED, of_import), *((str(number), grade) for number, grade in enumerate(of_persons))]
        assert together(said) == together(said[1:]) == sorted(of_persons)[(len(of_persons) - 1) // 2]

    def test_a_mark_takes_nothing_from_what_was_imported(self) -> None:
        assert together([(IMPORTED, 1), ("Ann", Mark.UNSURE)]) == 1
        assert together([("Ann", Mark.UNSURE), ("Bob", Mark.LATER)]) == Mark.LATER


class TestStore:
    def test_no_number_of_a_query_or_a_set_is_given_twice(self, session: Session) -> None:
        first = session.evaluations.create_set("One")
        query = session.evaluations.add_query(Query.of_text("a"), set_id=first.id)
        session.evaluations.remove_set(first.id)
        second = session.evaluations.create_set("Two")
        assert second.id > first.id
        assert session.evaluations.add_query(Query.of_text("b"), set_id=second.id).id > query.id

    def test_changes_meanwhile_are_not_taken_for_damage(self, session: Session) -> None:
        done = threading.Event()

        def change() -> None:
            number = 0
            while not done.is_set():
                number += 1
                of_set = session.evaluations.create_set(f"Set {number}")
                session.evaluations.add_query(Query.of_text(f"{number}"), set_id=of_set.id)
                if number % 3 == 0:
                    session.evaluations.remove_set(of_set.id)

        thread = threading.Thread(target=change)
        thread.start()
        try:
            for _ in range(150):
                session.evaluations.sets()
                session.evaluations.queries()
        finally:
            done.set()
            thread.join()
        assert not session._database.doubts()

    def test_what_was_asked_for_lately_is_remembered_over_the_limit(
        self, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(judgments, "REMEMBERED", 10)
        refs = [ItemRef(bytes([number] * 32), ItemKind.PHOTO, 0) for number in range(4)]
        ids = [session.evaluations.add_query(Query.of_text(str(number))).id for number in range(4)]
        for query_id in ids:
            session._judgments.judge(query_id, OWN_JUDGE, [(ref, 1) for ref in refs])
            session._judgments.of_query(query_id)
        read: list[int] = []
        reads = session._judgments._read
        monkeypatch.setattr(session._judgments, "_read", lambda wanted: [read.extend(wanted), reads(wanted)][1])
        assert len(session._judgments.of_query(ids[-1])) == 4
        assert session.evaluations.sets()[0].judgments == 16
        assert read == []
        assert len(session._judgments.of_query(ids[0])) == 4
        assert read == [ids[0]]

    def test_text_that_is_none_is_kept_without_what_is_none(self, session: Session) -> None:
        kept = session.evaluations.add_query(Query.of_text("car \ud800"), "my \udcff")
        assert (kept.query.words, kept.title) == ("car ?", "my ?")
        changed = session.evaluations.change_query(kept.id, "\ud800", "\ud800", {"de": "\ud800"})
        assert (changed.title, changed.guidelines, changed.translations) == ("?", "?", {"de": "?"})
        assert session.evaluations.create_set("\ud800").name == "?"
