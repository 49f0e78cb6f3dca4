"""Labels: the likeliest words of a list for every picture, by real CLIP vectors."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.engine.errors import AppError
from app.engine.evaltypes import EvaluationRequest
from app.engine.evaluation.zeroshot import LONGEST_NAME, MOST_LABELS, MOST_PER_ITEM
from app.engine.jobs import Cancelled, Job
from app.engine.labelling import SET_NAME
from app.engine.librarytypes import IndexRequest
from app.engine.session import Session
from app.engine.types import Filters, FoundBy, MediaKind, Query, SearchRequest

NOUNS = ("bear", "turtle", "hamster", "dog", "cat", "bicycle", "cow")
PHOTOS = 60

pytestmark = pytest.mark.shared_data


@pytest.fixture(scope="module")
def indexed(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a library of the seven nouns' photos and some others."""
    import replay

    home = tmp_path_factory.mktemp("labels")
    media = home / "media"
    media.mkdir()
    chosen = {best_photo(noun) for noun in NOUNS}
    others = [path.name for path in sorted(replay.PHOTOS_DIR.iterdir()) if path.name not in chosen]
    for name in [*chosen, *others[: PHOTOS - len(chosen)]]:
        shutil.copy(replay.PHOTOS_DIR / name, media / name)
    with Session.open(home, encoders=replay.ReplaySource(home / "models")) as opened:
        opened.index(IndexRequest((str(media),), (replay.KEY,)))
    return home


@pytest.fixture
def session(indexed: Path, tmp_path: Path) -> Iterator[Session]:
    import replay

    home = shutil.copytree(indexed, tmp_path / "home")
    with Session.open(home, encoders=replay.ReplaySource(home / "models")) as opened:
        yield opened


def best_photo(noun: str) -> str:
    """The photo that the reference vectors put first."""
    import json

    import numpy as np
    import replay

    names = json.loads((replay.REFERENCE_DIR / "photos_names.json").read_text())
    images = np.load(replay.REFERENCE_DIR / "photos_image_embeddings.npy")
    return str(names[int(np.argmax(images @ replay.words()[noun]))])


def found(session: Session, words: str = "dog", **filters: object) -> dict[str, int]:
    """The items by the names of their files."""
    request = SearchRequest(Query.of_text(words), k=1000, filters=Filters(**filters), keywords=False)  # type: ignore[arg-type]
    return {Path(hit.path).name: hit.item_id for hit in session.search(request).hits}


def labels_of(session: Session) -> dict[str, tuple[tuple[str, float], ...]]:
    return {
        name: tuple((label.name, label.confidence) for label in session.labels.of_item(item_id))
        for name, item_id in found(session).items()
    }


def counts(session: Session) -> dict[str, int]:
    return {label.name: label.items for label in session.labels.status().labels}


# --- the labels of pictures ---


def test_every_nouns_photo_has_its_label_first(session: Session) -> None:
    session.labels.choose(NOUNS)
    status = session.labels.assign()
    assert status.pending == 0
    given = labels_of(session)
    for noun in NOUNS:
        assert given[best_photo(noun)][0][0] == noun
        assert given[best_photo(noun)][0][1] > 0.9


def test_what_shows_none_of_the_words_has_no_label(session: Session) -> None:
    session.labels.choose(NOUNS)
    session.labels.assign()
    without = [name for name, labels in labels_of(session).items() if not labels]
    assert len(without) > PHOTOS / 2


def test_labels_are_few_and_in_order(session: Session) -> None:
    import replay

    session.labels.choose([noun for noun in list(replay.words())[:400] if noun != replay.NOTHING])
    session.labels.assign()
    for labels in labels_of(session).values():
        confidences = [confidence for _, confidence in labels]
        assert len(labels) <= MOST_PER_ITEM
        assert confidences == sorted(confidences, reverse=True)
        assert all(0 <= confidence <= 1 for confidence in confidences)


def test_only_what_is_missing_is_labelled(session: Session, tmp_path: Path) -> None:
    session.labels.choose(NOUNS)
    looked_at: list[int] = []
    session.labels.assign(counting(looked_at))
    session.labels.assign(counting(looked_at))
    assert looked_at == [PHOTOS, 0]
    more = tmp_path / "more"
    more.mkdir()
    shutil.copy(photo_without(session), more)
    session.index(IndexRequest((str(more),)))
    assert session.labels.status().pending == 0
    session.labels.choose([*NOUNS, "horse"])
    assert session.labels.status().pending == PHOTOS + 1
    assert sum(counts(session).values()) == 0


def photo_without(session: Session) -> Path:
    """A photo that the library has not."""
    import replay

    known = found(session)
    return next(path for path in sorted(replay.PHOTOS_DIR.iterdir()) if path.name not in known)


def counting(into: list[int]) -> Job:
    """A job that notes how many items are to be labelled each time."""

    def note(progress: object) -> None:
        if getattr(progress, "phase", "") == "Giving labels" and getattr(progress, "done", 1) == 0:
            into.append(getattr(progress, "total", -1))

    return Job(note, min_interval_s=0)


def test_the_same_list_again_keeps_what_is_there(session: Session) -> None:
    session.labels.choose(NOUNS)
    session.labels.assign()
    before = counts(session)
    assert session.labels.choose(list(reversed(NOUNS))).pending == 0
    assert counts(session) == before


def test_labels_outlive_the_session(session: Session, tmp_path: Path) -> None:
    import replay

    session.labels.choose(NOUNS)
    session.labels.assign()
    given = labels_of(session)
    session.close()
    home = tmp_path / "home"
    with Session.open(home, encoders=replay.ReplaySource(home / "models")) as again:
        assert again.labels.status().pending == 0
        assert labels_of(again) == given
        assert again.verify().sentences == ()


def test_cancelling_keeps_what_was_given(session: Session) -> None:
    session.labels.choose(NOUNS)
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        session.labels.assign(job)
    assert session.labels.assign().pending == 0


# --- the list ---


def test_names_are_cleaned(session: Session) -> None:
    status = session.labels.choose(["  red   car ", "", "Dog", "dog", "\t", "été", "été"])
    assert [label.name for label in status.labels] == ["Dog", "red car", "été"]


def test_a_name_that_is_too_long_is_refused_and_the_list_stays(session: Session) -> None:
    session.labels.choose(NOUNS)
    with pytest.raises(AppError, match=f"{LONGEST_NAME} are the most"):
        session.labels.choose(["dog", "x" * (LONGEST_NAME + 1)])
    with pytest.raises(AppError, match="are the most"):
        session.labels.choose([f"label {number}" for number in range(MOST_LABELS + 1)])
    assert {label.name for label in session.labels.status().labels} == set(NOUNS)


def test_a_list_is_asked_for_before_labels_are_given(session: Session) -> None:
    for ask in (session.labels.assign, session.labels.to_test_set):
        with pytest.raises(AppError, match="one a line"):
            ask()


def test_a_model_without_words_is_refused(session: Session) -> None:
    with pytest.raises(AppError, match="does not know words"):
        session.labels.choose(NOUNS, "colour-texture")


def test_a_model_that_does_not_say_how_likely_words_are_gives_none(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    import replay

    monkeypatch.delattr(replay.Replay, "scoring")
    session.labels.choose(NOUNS)
    with pytest.raises(AppError, match="does not say how likely"):
        session.labels.assign()
    assert "have no labels yet" in session.labels.catch_up()


def test_a_library_without_a_model_of_words_says_so(tmp_path: Path) -> None:
    with Session.open(tmp_path, device="cpu") as session:
        session.labels.choose(NOUNS)
        assert session.labels.status().model == ""
        with pytest.raises(AppError, match="Choose one under Models"):
            session.labels.assign()


# --- searching ---


def test_a_filter_lets_through_what_has_any_of_the_labels(session: Session) -> None:
    everything = found(session)
    session.labels.choose(NOUNS)
    assert found(session, labels=("dog",)) == {}
    session.labels.assign()
    given = labels_of(session)
    for wanted in (("dog",), ("cat", "turtle"), ("nothing of the list",)):
        expected = {name for name, labels in given.items() if {one for one, _ in labels} & set(wanted)}
        assert set(found(session, labels=wanted)) == expected
    assert found(session) == everything
    assert found(session, labels=("dog",), kinds=frozenset({MediaKind.AUDIO})) == {}


def test_a_keyword_finds_the_pictures_that_have_the_label(session: Session) -> None:
    session.labels.choose([*NOUNS, "trash can"])
    session.labels.assign()
    given = labels_of(session)
    for words, label in (("turtle", "turtle"), ("Turt", "turtle"), ("TURTLE", "turtle")):
        hits = session.search(SearchRequest(Query.of_text("turtle"), k=1000)).hits if words == "turtle" else ()
        by_words = session._searcher._keywords.find(words, Filters(), 1000)
        paths = {Path(row.paths[0].decode()).name for row in session._lookup.items(list(by_words)).values()}
        assert paths == {name for name, labels in given.items() if label in {one for one, _ in labels}}
        assert {Path(hit.path).name for hit in hits if FoundBy.KEYWORDS in hit.found_by} <= paths
    assert session._searcher._keywords.find("turtle sunset", Filters(), 10) == {}
    assert session._searcher._keywords.find("turtle", Filters(labels=("cow",)), 10) == {}


def test_names_come_before_labels(session: Session, tmp_path: Path) -> None:
    """A file called so is what a keyword means first."""
    named = tmp_path / "more" / "my dog.jpg"
    named.parent.mkdir()
    shutil.copy(photo_without(session), named)
    session.index(IndexRequest((str(named.parent),)))
    session.labels.choose(NOUNS)
    session.labels.assign()
    ids = found(session)
    by_words = list(session._searcher._keywords.find("dog", Filters(), 10))
    assert by_words[0] == ids["my dog.jpg"]
    assert ids[best_photo("dog")] in by_words[1:]


# --- judging ---


def test_the_set_of_labels_follows_the_list(session: Session, judge: Callable[..., None]) -> None:
    session.labels.choose(NOUNS)
    session.labels.assign()
    made = session.labels.to_test_set()
    assert (made.name, made.queries) == (SET_NAME, len(NOUNS))
    assert session.labels.status().set_id == made.id
    judge(session, "dog", {best_photo("dog"): 1, best_photo("cat"): 0})
    session.labels.choose(["cat", "horse"])
    again = session.labels.to_test_set()
    assert again.id == made.id
    assert {query.title for query in session.evaluations.queries(made.id)} == {"cat", "dog", "horse"}


def test_all_sets_are_those_of_searches(session: Session, judge: Callable[..., None]) -> None:
    session.labels.choose(NOUNS)
    session.labels.assign()
    made = session.labels.to_test_set()
    judge(session, "dog", {best_photo("dog"): 1, best_photo("cat"): 0})
    assert session.evaluations.evaluate(EvaluationRequest(costs=False)).queries == ()
    asked = session.evaluations.evaluate(EvaluationRequest(set_id=made.id, costs=False)).queries
    assert [query.title for query in asked] == ["dog"]


def test_the_set_of_labels_may_be_renamed_and_removed(session: Session, judge: Callable[..., None]) -> None:
    session.labels.choose(NOUNS)
    session.labels.assign()
    made = session.labels.to_test_set()
    judge(session, "dog", {best_photo("dog"): 1})
    session.evaluations.change_set(made.id, name="What pictures show")
    assert session.labels.status().judged == 1
    assert session.labels.to_test_set().id == made.id
    session.evaluations.remove_set(made.id)
    own = session.evaluations.create_set("labels")
    assert session.labels.status().set_id is None  # though it may have the id of the one before
    assert session.labels.to_test_set().name == "Labels 2"
    assert session.evaluations.queries(own.id) == ()


def test_a_judgment_of_a_label_counts_for_it(session: Session, judge: Callable[..., None]) -> None:
    session.labels.choose(NOUNS)
    session.labels.assign()
    session.labels.to_test_set()
    judge(session, "dog", {best_photo("dog"): 1, best_photo("turtle"): 0})
    status = session.labels.status()
    dog = next(label for label in status.labels if label.name == "dog")
    assert (dog.judged, dog.right) == (1, 1)  # the turtle was never called a dog
    assert status.judged == 1


@pytest.fixture
def judge() -> Callable[..., None]:
    def run(session: Session, label: str, grades: dict[str, int]) -> None:
        ids = found(session)
        set_id = session.labels.status().set_id
        query = next(one for one in session.evaluations.queries(set_id) if one.title == label)
        for name, grade in grades.items():
            session.evaluations.judge(query.id, ids[name], grade)

    return run


# --- confidences ---


def test_confidences_follow_the_judgments(session: Session, judge: Callable[..., None]) -> None:
    """Where a model is told that it is mostly wrong, it is less sure; the order stays."""
    session.labels.choose(NOUNS)
    session.labels.assign()
    session.labels.to_test_set()
    before = labels_of(session)
    assert not session.labels.status().calibrated
    for noun in NOUNS:
        judge(session, noun, {name: 0 for name, labels in before.items() if noun in dict(labels)})
    status = session.labels.status()
    assert status.calibrated
    assert status.judged == sum(len(labels) for labels in before.values())
    after = labels_of(session)
    changed = [(old, new) for name in before for old, new in zip(before[name], after[name], strict=True)]
    assert all(0 <= new[1] < old[1] and new[0] == old[0] for old, new in changed)
    in_order = sorted((old[1], new[1]) for old, new in changed)
    assert [new for _, new in in_order] == sorted(new for _, new in in_order)


def test_a_files_labels_are_those_of_its_items(session: Session, indexed: Path) -> None:
    session.labels.choose(NOUNS)
    session.labels.assign()
    (photo,) = session.labels.of_file(str(indexed / "media" / best_photo("turtle")))
    assert photo.start_ms is None
    assert photo.labels[0].name == "turtle"
    with pytest.raises(AppError, match="Index it first"):
        session.labels.of_file("/nowhere.jpg")


# --- films, and the engine's own process ---


@pytest.fixture
def seeded_home(shared_data: Path, tmp_path: Path) -> Path:
    """A home with a small model of words and pictures, and a film beside it."""
    import smallclip

    smallclip.write(tmp_path / "models")
    (tmp_path / "films").mkdir()
    shutil.copy(shared_data / "video" / "containers" / "sea-360p-10s.mp4", tmp_path / "films")
    return tmp_path


def test_films_are_labelled_frame_by_frame(seeded_home: Path) -> None:
    import smallclip

    film = seeded_home / "films" / "sea-360p-10s.mp4"
    with Session.open(seeded_home, device="cpu") as session:
        session.labels.choose(["sea", "sky"])
        session.index(IndexRequest((str(film.parent),), (smallclip.KEY,)))  # and is labelled at its end
        status = session.labels.status()
        assert (status.model, status.pending) == (smallclip.KEY, 0)
        moments = session.labels.of_file(str(film))
        assert [one.start_ms for one in moments] == sorted(one.start_ms or 0 for one in moments)
        for label in ("sea", "sky"):
            wanted = [one.start_ms for one in moments if label in {given.name for given in one.labels}]
            request = SearchRequest(Query.of_text("waves"), filters=Filters(labels=(label,)), keywords=False)
            assert sorted(hit.start_ms or 0 for hit in session.search(request).hits) == wanted


def test_labels_are_given_across_the_bridge(seeded_home: Path) -> None:
    import smallclip

    from app.bridge.client import EngineClient, ProcessLauncher

    client = EngineClient(ProcessLauncher(seeded_home), lambda: None)
    client.start()
    try:

        def ask(method: str, *arguments: object) -> Any:
            return client.call(method, *arguments).future.result(60)

        ask("open", "default")
        ask("index", IndexRequest((str(seeded_home / "films"),), (smallclip.KEY,)))
        assert ask("labels_choose", ["sea", "sky"], smallclip.KEY).pending > 0
        status = ask("labels_assign")
        assert status.pending == 0
        assert ask("labels_status") == status
        assert ask("labels_to_test_set").queries == 2
        assert ask("labels_of_item", 1) is not None
    finally:
        client.close()
