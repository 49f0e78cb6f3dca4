"""Test queries from folders of classes, captions, topics and qrels: what is judged, what is told, what is kept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.engine.errors import AppError
from app.engine.evaltypes import EvaluationRequest
from app.engine.evaluation import classes
from app.engine.jobs import Cancelled, Job, Progress
from app.engine.judgingtypes import Imported, QuerySummary
from app.engine.librarytypes import IndexRequest
from app.engine.session import Session
from app.engine.types import ItemKind, ItemRef, Modality, Query

Index = Callable[..., Any]
MakePhoto = Callable[..., Path]
MakeSound = Callable[..., Path]


@pytest.fixture
def sorted_photos(photo: MakePhoto, index: Index, tmp_path: Path) -> Path:
    """Three photos of cats and two of dogs, indexed."""
    for seed, name in enumerate(("cats/a.png", "cats/b.png", "cats/old/c.png", "dogs/d.png", "dogs/e.png")):
        photo(name, seed)
    index()
    return tmp_path / "media"


def queries(session: Session, taken: Imported) -> dict[str, QuerySummary]:
    return {one.title: one for one in session.evaluations.queries(taken.set_id)}


class TestFolders:
    def test_every_file_asks_and_the_others_of_its_class_are_relevant(
        self, session: Session, sorted_photos: Path
    ) -> None:
        taken = session.evaluations.import_folders(str(sorted_photos))
        assert (taken.set_name, taken.queries, taken.judgments, taken.unknown) == ("media", 5, 20, ())
        found = queries(session, taken)
        assert set(found) == {"cats/a.png", "cats/b.png", "cats/c.png", "dogs/d.png", "dogs/e.png"}
        assert (found["cats/a.png"].relevant, found["cats/a.png"].judged) == (2, 4)
        assert (found["dogs/d.png"].relevant, found["dogs/d.png"].judged) == (1, 4)
        assert "cats" in found["cats/a.png"].guidelines

    def test_nothing_that_a_model_finds_is_left_unjudged(self, session: Session, sorted_photos: Path) -> None:
        taken = session.evaluations.import_folders(str(sorted_photos))
        request = EvaluationRequest(("colour-texture",), k=4, set_id=taken.set_id, costs=False)
        (model,) = session.evaluations.evaluate(request).models
        assert len(model.queries) == 5
        assert {query.measures["Judged@4"] for query in model.queries} == {1.0}
        assert model.measures["R@4"].value == 1.0

    def test_to_import_again_doubles_nothing_and_follows_what_was_sorted_anew(
        self, session: Session, sorted_photos: Path, index: Index
    ) -> None:
        first = session.evaluations.import_folders(str(sorted_photos))
        kept = queries(session, first)["cats/a.png"]
        session.evaluations.change_query(kept.id, guidelines="Any cat")
        shutil.move(sorted_photos / "cats/b.png", sorted_photos / "dogs/b.png")
        index()
        again = session.evaluations.import_folders(str(sorted_photos))
        assert (again.set_id, again.queries) == (first.set_id, 5)
        found = queries(session, again)
        assert (found["cats/a.png"].relevant, found["cats/a.png"].judged) == (1, 4)
        assert (found["dogs/b.png"].relevant, found["dogs/b.png"].judged) == (2, 4)
        assert found["cats/a.png"].guidelines == "Any cat"

    def test_another_folder_of_the_same_name_gets_a_set_of_its_own(self, session: Session, sorted_photos: Path) -> None:
        session.evaluations.create_set("media")
        taken = session.evaluations.import_folders(str(sorted_photos))
        assert taken.set_name == "media 2"
        assert session.evaluations.import_folders(str(sorted_photos)).set_id == taken.set_id
        assert session.evaluations.import_folders(str(sorted_photos), "Pets").set_name == "Pets"

    def test_files_that_are_not_indexed_are_named(
        self, session: Session, sorted_photos: Path, photo: MakePhoto
    ) -> None:
        photo("dogs/new.png", 77)
        (sorted_photos / "dogs" / "notes.txt").write_text("no medium")
        taken = session.evaluations.import_folders(str(sorted_photos))
        assert taken.unknown == ("dogs/new.png",)

    def test_a_copy_in_two_classes_belongs_to_both(self, session: Session, sorted_photos: Path, index: Index) -> None:
        shutil.copy(sorted_photos / "cats/a.png", sorted_photos / "dogs/a.png")
        index()
        taken = session.evaluations.import_folders(str(sorted_photos))
        (both,) = [one for title, one in queries(session, taken).items() if title.endswith("a.png")]
        assert (both.relevant, both.judged) == (4, 4)
        assert any("belong to both" in note for note in taken.notes)

    def test_a_class_of_one_file_asks_nothing_and_is_wrong_for_the_others(
        self, session: Session, sorted_photos: Path, photo: MakePhoto, index: Index
    ) -> None:
        photo("birds/f.png", 9)
        photo("beside.png", 10)
        index()
        taken = session.evaluations.import_folders(str(sorted_photos))
        found = queries(session, taken)
        assert len(found) == 5
        assert found["dogs/d.png"].judged == 5
        assert any("birds" in note for note in taken.notes)
        assert any("beside" in note for note in taken.notes)

    def test_a_sound_asks_by_its_first_moment_and_all_its_windows_are_relevant(
        self, session: Session, sound: MakeSound, index: Index, tmp_path: Path
    ) -> None:
        for name, pitch_hz, seconds in (("low/a.wav", 110, 12), ("low/b.wav", 120, 12), ("high/c.wav", 990, 2)):
            sound(name, pitch_hz, seconds)
        index()
        taken = session.evaluations.import_folders(str(tmp_path / "media"))
        found = queries(session, taken)
        assert set(found) == {"low/a.wav", "low/b.wav"}
        assert found["low/a.wav"].query.modalities == {Modality.AUDIO}
        assert (found["low/a.wav"].relevant, found["low/a.wav"].judged) == (2, 3)

    @pytest.mark.parametrize(
        ("folder", "sentence"),
        [("nowhere", "no such folder"), ("media/dogs", "no classes"), ("elsewhere", "Add the folder to the library")],
    )
    def test_a_folder_that_cannot_be_taken_in_is_explained(
        self, session: Session, sorted_photos: Path, folder: str, sentence: str
    ) -> None:
        (sorted_photos.parent / "elsewhere" / "birds").mkdir(parents=True)
        shutil.copy(sorted_photos / "dogs/d.png", sorted_photos.parent / "elsewhere" / "birds" / "x.png")
        with pytest.raises(AppError, match=sentence):
            session.evaluations.import_folders(str(sorted_photos.parent / folder))
        assert len(session.evaluations.sets()) == 1

    def test_cancelled_it_leaves_no_half_of_a_set(self, session: Session, sorted_photos: Path) -> None:
        def stop(progress: Progress) -> None:
            if progress.phase == "Importing":
                job.cancel()

        job = Job(stop, min_interval_s=0)
        with pytest.raises(Cancelled):
            session.evaluations.import_folders(str(sorted_photos), job=job)
        assert [one.name for one in session.evaluations.sets()] == ["Test queries"]

    def test_examples_are_queries_without_judgments(self, session: Session, sorted_photos: Path) -> None:
        taken = session.evaluations.import_examples(str(sorted_photos / "cats"))
        assert (taken.queries, taken.judgments) == (3, 0)
        assert {one.title for one in session.evaluations.queries()} == {"a.png", "b.png", "c.png"}


class TestManyFiles:
    @staticmethod
    def made(sizes: dict[str, int]) -> dict[str, dict[bytes, list[ItemRef]]]:
        return {
            name: {
                sha: [ItemRef(sha, ItemKind.PHOTO, 0)]
                for sha in (f"{name}{number}".encode().ljust(32, b".") for number in range(size))
            }
            for name, size in sizes.items()
        }

    def test_a_small_collection_is_judged_whole(self) -> None:
        sorted_in = self.made({"a": 24, "b": 30})
        plan = classes.plan(sorted_in)
        assert (len(plan.examples), plan.rest) == (24 + 25, None)
        assert all(len(grades) == 53 for _, grades in classes.judgments(sorted_in, plan))

    def test_a_large_one_keeps_all_that_is_relevant_and_a_sample_of_the_rest(self) -> None:
        sorted_in = self.made(dict.fromkeys("abcdefghij", 300))
        plan = classes.plan(sorted_in, most=30_000)
        entered = list(classes.judgments(sorted_in, plan))
        assert sum(len(grades) for _, grades in entered) <= 30_000
        assert len(plan.examples) == 50
        assert all(sum(grade for _, grade in grades) == 299 for _, grades in entered)
        assert entered == list(classes.judgments(sorted_in, classes.plan(sorted_in, most=30_000)))

    def test_one_file_more_changes_at_most_one_example_of_its_class(self) -> None:
        before = {one.sha256 for one in classes.plan(self.made({"a": 200, "b": 40})).examples}
        after = {one.sha256 for one in classes.plan(self.made({"a": 201, "b": 40})).examples}
        assert len(before - after) <= 1

    def test_what_has_asked_before_asks_again(self) -> None:
        sorted_in = self.made({"a": 200, "b": 40})
        asked = set(list(sorted_in["a"])[:25])
        assert asked <= {one.sha256 for one in classes.plan(sorted_in, asked).examples}


class TestCaptions:
    def test_a_caption_asks_for_its_file(self, session: Session, sorted_photos: Path, tmp_path: Path) -> None:
        table = sorted_photos / "said.csv"
        table.write_text(
            "image,caption,caption_de\ncats/a.png,a cat,eine Katze\ncats/b.png,a  cat,\nd.png,a dog,\nx.png,lost,\n"
        )
        taken = session.evaluations.import_captions(str(table))
        assert (taken.set_name, taken.queries, taken.judgments, taken.unknown) == ("said", 2, 3, ("x.png",))
        found = queries(session, taken)
        assert (found["a cat"].relevant, found["a cat"].translations) == (2, {"de": "eine Katze"})
        assert found["a dog"].query == Query.of_text("a dog")
        assert session.evaluations.import_captions(str(table)).set_id == taken.set_id

    def test_a_name_that_two_files_have_means_neither(
        self, session: Session, photo: MakePhoto, index: Index, tmp_path: Path
    ) -> None:
        photo("one/a.png", 1)
        photo("two/a.png", 2)
        index()
        (tmp_path / "said.csv").write_text("file,caption\na.png,which\ntwo/a.png,this\n")
        taken = session.evaluations.import_captions(str(tmp_path / "said.csv"))
        assert (taken.queries, taken.unknown) == (1, ("a.png",))

    def test_nothing_known_makes_no_set(self, session: Session, tmp_path: Path) -> None:
        (tmp_path / "said.csv").write_text("file,caption\nx.png,lost\n")
        with pytest.raises(AppError, match=r"x\.png"):
            session.evaluations.import_captions(str(tmp_path / "said.csv"))
        with pytest.raises(AppError, match="No such file"):
            session.evaluations.import_captions(str(tmp_path / "none.csv"))
        assert len(session.evaluations.sets()) == 1


class TestTopics:
    def test_qrels_find_topics_by_their_numbers(self, session: Session, sorted_photos: Path) -> None:
        topics, qrels = sorted_photos / "topics.txt", sorted_photos / "topics.qrels"
        topics.write_text("<top>\n<num> Number: 7\n<title> a cat\n<narr> Narrative:\nCats of any age.\n</top>\n")
        qrels.write_text("7 0 cats/a.png 1\n7 0 e.png 0\n8 0 e.png 1\n")
        taken = session.evaluations.import_topics(str(topics))
        judged = session.evaluations.import_qrels(str(qrels), taken.set_id)
        (cat, other) = session.evaluations.queries(taken.set_id)
        assert (cat.title, cat.query, cat.guidelines) == ("7: a cat", Query.of_text("a cat"), "Cats of any age.")
        assert (cat.relevant, cat.judged, judged.judgments) == (1, 2, 3)
        assert other.title == "8"

    def test_a_number_outlives_a_search_that_is_kept_under_the_same_words(
        self, session: Session, tmp_path: Path
    ) -> None:
        (tmp_path / "t.tsv").write_text("7\ta cat\n")
        into = session.evaluations.add_query(Query.of_text("a cat")).set_id
        session.evaluations.import_topics(str(tmp_path / "t.tsv"), into)
        assert session.evaluations.add_query(Query.of_text("a cat"), "cats", into).title == "7: a cat"

    def test_they_go_into_a_set_that_is_named(self, session: Session, tmp_path: Path) -> None:
        (tmp_path / "t.tsv").write_text("1\ta cat\n2\ta dog\n3\ta cat\n")
        into = session.evaluations.create_set("Mine")
        taken = session.evaluations.import_topics(str(tmp_path / "t.tsv"), into.id)
        assert (taken.set_name, taken.queries) == ("Mine", 2)
        assert "Topic 3" in taken.notes[0]


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("folder", "model", "queries", "judgments"),
    [("images/clothing", "colour-texture", 240, 57_360), ("audio/instruments", "timbre", 80, 0)],
)
def test_real_classes_are_taken_in_and_measured(
    session: Session, shared_data: Path, folder: str, model: str, queries: int, judgments: int
) -> None:
    session.index(IndexRequest((str(shared_data / folder),), (model,)))
    taken = session.evaluations.import_folders(str(shared_data / folder))
    assert (taken.queries, taken.unknown) == (queries, ())
    assert taken.judgments == judgments or not judgments
    request = EvaluationRequest((model,), k=5, set_id=taken.set_id, costs=False)
    (measured,) = session.evaluations.evaluate(request).models
    assert len(measured.queries) == queries
    assert measured.measures["Judged@5"].value == 1.0
    assert measured.measures["P@5"].value > 0.15  # ten classes: chance is 0.1


@pytest.mark.shared_data
def test_real_captions_are_taken_from_a_manifest_of_more_files_than_are_indexed(
    session: Session, shared_data: Path
) -> None:
    photos = shared_data / "images" / "coco_captions"
    session.index(IndexRequest((str(photos),), ("colour-texture",)))
    taken = session.evaluations.import_captions(str(shared_data / "manifest.csv"), "Captions")
    found = session.evaluations.queries(taken.set_id)
    assert len(found) == len(list(photos.iterdir())) == taken.judgments
    assert all(one.relevant == 1 and one.query.modalities == {Modality.TEXT} for one in found)
    (model,) = session.evaluations.evaluate(EvaluationRequest(set_id=taken.set_id, costs=False)).models
    assert len(model.unanswered) == len(found)  # colours know no words


@pytest.mark.shared_data
def test_captions_measure_a_model_that_knows_words(shared_data: Path, tmp_path: Path) -> None:
    import replay

    nouns = ("bear", "turtle", "hamster", "dog", "bicycle")
    with Session.open(tmp_path / "home", encoders=replay.ReplaySource(tmp_path / "models")) as session:
        session.index(IndexRequest((str(replay.PHOTOS_DIR),), (replay.KEY, "colour-texture")))
        rows = "\n".join(f"{best_photo(noun)};{noun}" for noun in nouns)
        (tmp_path / "nouns.csv").write_text(f"image;sentence\n{rows}\n")
        taken = session.evaluations.import_captions(str(tmp_path / "nouns.csv"))
        request = EvaluationRequest((replay.KEY, "colour-texture"), k=1, set_id=taken.set_id, costs=False)
        clip, colours = session.evaluations.evaluate(request).models
    assert (taken.queries, taken.unknown) == (5, ())
    assert clip.measures["RR"].value == 1.0
    assert len(colours.unanswered) == 5


def best_photo(noun: str) -> str:
    """The photo that the reference vectors put first, by its name alone."""
    import replay

    names = json.loads((replay.REFERENCE_DIR / "photos_names.json").read_text())
    images = np.load(replay.REFERENCE_DIR / "photos_image_embeddings.npy")
    return str(names[int(np.argmax(images @ replay.words()[noun]))])
