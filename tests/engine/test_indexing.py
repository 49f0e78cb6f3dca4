"""Indexing follows the folders: what is new is encoded, what is known is not, what is gone leaves the results."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.engine.errors import AppError, WeightsCorrupt, WeightsMissing
from app.engine.jobs import Cancelled, Job, Progress
from app.engine.librarytypes import IndexReport, IndexRequest
from app.engine.session import Session
from app.engine.types import ItemKind, Query, SearchRequest

Index = Callable[..., IndexReport]
Make = Callable[..., Path]


def found_names(session: Session, query: Query) -> set[str]:
    return {Path(hit.path).name for hit in session.search(SearchRequest(query, k=100)).hits}


def test_every_kind_becomes_items_with_vectors_and_thumbnails(
    session: Session, index: Index, photo: Make, sound: Make
) -> None:
    photo("a.jpg", 1)
    photo("b.png", 2)
    sound("long.wav", seconds=12)
    report = index()
    assert (report.files.seen, report.files.new, report.files.failed) == (3, 3, 0)
    assert report.items == {ItemKind.PHOTO: 2, ItemKind.FRAME: 0, ItemKind.AUDIO: 2}
    assert {key: space.items for key, space in report.spaces.items()} == {"colour-texture": 2, "timbre": 2}
    assert report.encoded == {"colour-texture": 2, "timbre": 2}
    assert set(session.thumbnails([1, 2, 3, 4])) == {1, 2, 3, 4}


def test_a_second_run_encodes_nothing(index: Index, photo: Make) -> None:
    photo("a.jpg")
    index()
    report = index()
    assert (report.files.unchanged, report.files.new) == (1, 0)
    assert report.encoded == {"colour-texture": 0, "timbre": 0}


def test_a_renamed_folder_encodes_nothing(session: Session, index: Index, photo: Make, tmp_path: Path) -> None:
    for seed in range(3):
        photo(f"old/{seed}.jpg", seed)
    index()
    (tmp_path / "media" / "old").rename(tmp_path / "media" / "new")
    report = index()
    assert (report.files.renamed, report.files.new, report.files.removed) == (3, 0, 0)
    assert sum(report.encoded.values()) == 0
    assert session.status().roots[0].files == 3


def test_a_renamed_root_encodes_nothing_and_leaves_no_ghost(
    session: Session, index: Index, photo: Make, tmp_path: Path
) -> None:
    photo("a.jpg")
    index()
    (tmp_path / "media").rename(tmp_path / "photos")
    report = index(tmp_path / "photos")
    assert (report.files.renamed, sum(report.encoded.values())) == (1, 0)
    assert [root.path for root in session.status().roots] == [str(tmp_path / "photos")]


def test_copies_share_one_vector(session: Session, index: Index, photo: Make, tmp_path: Path) -> None:
    original = photo("a.jpg")
    shutil.copy(original, tmp_path / "media" / "copy.jpg")
    report = index()
    assert (report.files.new, report.encoded["colour-texture"]) == (2, 1)
    (hit,) = session.search(SearchRequest(Query.of_image(str(original)))).hits
    assert (Path(hit.path).name, hit.copies) == ("copy.jpg", 1)


def test_a_changed_file_is_replaced(session: Session, index: Index, photo: Make) -> None:
    photo("a.jpg", 1)
    other = photo("b.jpg", 2)
    index()
    photo("a.jpg", 3)
    os.utime(other.with_name("a.jpg"), ns=(1, 1))
    report = index()
    assert (report.files.changed, report.encoded["colour-texture"]) == (1, 1)
    assert found_names(session, Query.of_image(str(other))) == {"a.jpg"}


def test_a_deleted_file_leaves_the_results_at_once(session: Session, index: Index, photo: Make) -> None:
    first, second, third = (photo(f"{seed}.jpg", seed) for seed in range(3))
    index()
    second.unlink()
    assert index().files.removed == 1
    assert found_names(session, Query.of_image(str(first))) == {third.name}


def test_a_deleted_file_that_returns_costs_nothing(index: Index, photo: Make, tmp_path: Path) -> None:
    path = photo("a.jpg", 1)
    photo("b.jpg", 2)
    index()
    path.rename(tmp_path / "aside.jpg")
    index()
    (tmp_path / "aside.jpg").rename(path)
    assert sum(index().encoded.values()) == 0


def test_an_absent_root_is_offline_and_keeps_everything(
    session: Session, index: Index, photo: Make, tmp_path: Path
) -> None:
    first, second = photo("a.jpg", 1), photo("b.jpg", 2)
    index()
    assert session.index(IndexRequest()).notes == ()
    (tmp_path / "media").rename(tmp_path / "drive")
    (note,) = session.index(IndexRequest()).notes
    assert str(tmp_path / "media") in note
    assert "its items are kept" in note
    status = session.status()
    assert (status.roots[0].online, status.roots[0].files) == (False, 2)
    assert found_names(session, Query.of_image(str(first))) == {second.name}
    (tmp_path / "drive").rename(tmp_path / "media")
    assert sum(session.index(IndexRequest()).encoded.values()) == 0


def test_an_empty_mount_point_deletes_nothing(session: Session, index: Index, photo: Make, tmp_path: Path) -> None:
    photo("a.jpg")
    index()
    (tmp_path / "media").rename(tmp_path / "drive")
    (tmp_path / "media").mkdir()
    report = index()
    assert report.files.removed == 0
    assert "is empty or not there" in report.notes[0]
    assert session.status().roots[0].files == 1


def test_an_unreadable_folder_is_named_and_loses_nothing(
    session: Session, index: Index, photo: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = photo("locked/a.jpg")
    index()
    scandir = os.scandir

    def refusing(folder: bytes) -> Iterator[os.DirEntry[bytes]]:
        if folder == os.fsencode(path.parent):  # the superuser, too, must be refused: no permission bit does that
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refusing)
    report = index()
    assert [failure.path for failure in report.failures] == [str(path.parent)]
    assert report.files.removed == 0
    assert session.status().roots[0].files == 1


def test_bad_files_become_rows_with_reasons_and_the_rest_goes_on(index: Index, photo: Make, tmp_path: Path) -> None:
    photo("good.jpg")
    (tmp_path / "media" / "empty.jpg").write_bytes(b"")
    (tmp_path / "media" / "noise.mp3").write_bytes(b"\x00" * 4000)
    (tmp_path / "media" / "notes.txt").write_text("hello")
    report = index()
    assert {Path(failure.path).name for failure in report.failures} == {"empty.jpg", "noise.mp3"}
    assert all(failure.reason.endswith(".") for failure in report.failures)
    assert [Path(skipped.path).name for skipped in report.skipped] == ["notes.txt"]
    assert report.encoded["colour-texture"] == 1
    again = index()
    assert (again.files.failed, again.files.unchanged) == (2, 3)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize(
    "name", [b"new\nline.jpg", b"\xff\xfe.jpg", b"-rf.jpg", "na\u0308me.jpg".encode(), b"\xc3\xa4.jpg"]
)
def test_any_name_the_system_allows_is_indexed_and_found(
    session: Session, index: Index, photo: Make, name: bytes
) -> None:
    query = photo("query.jpg", 1)
    other = os.fsencode(photo("other.jpg", 2))
    os.rename(other, os.path.join(os.path.dirname(other), name))
    index()
    (hit,) = session.search(SearchRequest(Query.of_image(str(query)))).hits
    assert os.fsencode(hit.path).endswith(name)


def test_a_folder_inside_a_known_one_is_no_new_root(
    session: Session, index: Index, photo: Make, tmp_path: Path
) -> None:
    photo("sub/a.jpg", 1)
    photo("b.jpg", 2)
    index(tmp_path / "media" / "sub")
    index(tmp_path / "media")
    index(tmp_path / "media" / "sub")
    assert [(root.path, root.files) for root in session.status().roots] == [(str(tmp_path / "media"), 2)]


def test_a_hidden_folder_that_was_asked_for_is_kept_beside_the_one_above(
    session: Session, index: Index, photo: Make, tmp_path: Path
) -> None:
    photo("a.jpg", 1)
    photo(".raw/b.jpg", 2)
    index()
    index(tmp_path / "media" / ".raw")
    for run in (lambda: index(), lambda: session.index(IndexRequest()), lambda: index()):
        assert run().files.removed == 0
    assert [(root.files, root.items) for root in session.status().roots] == [(1, 1), (1, 1)]


def test_forgetting_a_folder_takes_its_items_and_leaves_its_files(
    session: Session, index: Index, photo: Make, tmp_path: Path
) -> None:
    path = photo("a.jpg")
    index()
    status = session.forget_root(str(tmp_path / "media"))
    assert (status.roots, status.items[ItemKind.PHOTO], status.spaces["colour-texture"].items) == ((), 0, 0)
    assert path.exists()


def test_a_model_added_later_encodes_without_touching_the_others(
    session: Session, index: Index, photo: Make, sound: Make, tmp_path: Path
) -> None:
    photo("a.jpg")
    sound("a.wav")
    media = str(tmp_path / "media")
    session.index(IndexRequest((media,), ("colour-texture",)))
    report = session.index(IndexRequest((media,), ("timbre",)))
    assert report.encoded == {"timbre": 1}
    assert {key: space.items for key, space in report.spaces.items()} == {"colour-texture": 1, "timbre": 1}
    assert session.status().models == ("colour-texture", "timbre")


def test_a_model_added_while_one_copy_is_away_reads_the_other(session: Session, photo: Make, tmp_path: Path) -> None:
    original = photo("drive/a.jpg")
    (tmp_path / "media" / "here").mkdir()
    shutil.copy(original, tmp_path / "media" / "here" / "z.jpg")
    folders = tuple(str(tmp_path / "media" / name) for name in ("drive", "here"))
    session.index(IndexRequest(folders, ("timbre",)))
    original.parent.rename(tmp_path / "unplugged")
    assert session.index(IndexRequest((), ("colour-texture",))).encoded == {"colour-texture": 1}


def test_without_a_choice_every_ready_model_is_used(session: Session, photo: Make, tmp_path: Path) -> None:
    photo("a.jpg")
    assert set(session.index(IndexRequest((str(tmp_path / "media"),))).spaces) == {"colour-texture", "timbre"}


def test_what_cannot_be_done_is_said(session: Session, photo: Make, tmp_path: Path) -> None:
    path = photo("a.jpg")
    with pytest.raises(AppError, match="no such folder"):
        session.index(IndexRequest((str(tmp_path / "nowhere"),)))
    with pytest.raises(AppError, match="the folder it is in"):
        session.index(IndexRequest((str(path),)))
    with pytest.raises(WeightsMissing, match="clip-vit-b-32") as missing:
        session.index(IndexRequest((str(path.parent),), ("clip-vit-b-32",)))
    assert str(tmp_path / "home" / "models" / "clip-vit-b-32") in missing.value.message
    with pytest.raises(AppError, match="colour-texture"):
        session.index(IndexRequest((str(path.parent),), ("no-such-model",)))


def test_a_bad_weights_file_leaves_out_its_model_alone(session: Session, photo: Make, home: Path) -> None:
    folder = str(photo("a.jpg").parent)
    weights = home / "models" / "resnet50" / "resnet50.pth"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"these are no weights")
    report = session.index(IndexRequest((folder,)))
    assert report.encoded == {"resnet50": 0, "colour-texture": 1, "timbre": 0}
    assert [note.partition(" ")[0] for note in report.notes] == ["resnet50"]
    with pytest.raises(WeightsCorrupt):
        session.index(IndexRequest((folder,), ("resnet50",)))


def test_a_cancelled_run_is_finished_by_the_next(session: Session, photo: Make, tmp_path: Path) -> None:
    for seed in range(5):
        photo(f"{seed}.jpg", seed)

    def cancel_while_encoding(progress: Progress) -> None:
        if progress.phase == "Encoding" and progress.done:
            job.cancel()

    job = Job(cancel_while_encoding, min_interval_s=0)
    request = IndexRequest((str(tmp_path / "media"),), ("colour-texture",))
    with pytest.raises(Cancelled):
        session.index(request, job)
    report = session.index(request)
    assert report.spaces["colour-texture"].items == 5
    assert report.files.unchanged == 5


@pytest.mark.shared_data
def test_all_the_reference_data_is_indexed_or_listed_with_a_reason(session: Session, shared_data: Path) -> None:
    folders = tuple(str(shared_data / name) for name in ("images/odd", "audio/formats", "video", "hostile"))
    report = session.index(IndexRequest(folders, ("colour-texture", "timbre")))
    listed = {failure.path for failure in (*report.failures, *report.skipped)}
    files = {str(path) for folder in folders for path in Path(folder).rglob("*") if path.is_file()}
    assert len(listed) < len(files) / 4
    indexed = sum(session.status().kinds.values())
    assert indexed == len(files - listed)
    assert report.items[ItemKind.FRAME] > 40
    assert all(failure.reason for failure in (*report.failures, *report.skipped))


@pytest.mark.parametrize("phase", ["Reading files", "Encoding"])
def test_a_folder_forgotten_while_it_is_indexed_stays_forgotten(
    session: Session, photo: Make, tmp_path: Path, phase: str
) -> None:
    for seed in range(4):
        photo(f"{seed}.png", seed)
    folder = str(tmp_path / "media")

    def forget(progress: Progress) -> None:
        if progress.phase == phase and progress.done == 0:
            session.forget_root(folder)

    session.index(IndexRequest((folder,), ("colour-texture",)), Job(forget, min_interval_s=0))
    status = session.status()
    assert (status.roots, sum(status.kinds.values()), sum(status.items.values())) == ((), 0, 0)


def test_a_folder_named_twice_counts_once(index: Index, photo: Make, tmp_path: Path) -> None:
    photo("inner/a.png")
    (tmp_path / "media" / "inner" / "notes.txt").touch()
    report = index(tmp_path / "media", tmp_path / "media" / "inner")
    assert (report.files.seen, report.files.skipped, len(report.skipped)) == (2, 1, 1)


def test_what_no_file_holds_any_more_is_not_counted(
    session: Session, index: Index, photo: Make, sound: Make, tmp_path: Path
) -> None:
    photo("a.png")
    gone = sound("a.wav", seconds=12)
    sound("b.wav", 300)
    index()
    gone.unlink()
    report = index()
    assert (report.items[ItemKind.AUDIO], report.spaces["timbre"].items) == (1, 1)
    status = session.status()
    assert (sum(status.items.values()), status.roots[0].items) == (2, 2)
    assert [status.spaces[key].items for key in ("colour-texture", "timbre")] == [1, 1]
    shutil.copy(tmp_path / "media" / "b.wav", gone)
    assert index().spaces["timbre"].items == 1


def test_a_forgotten_folder_gives_its_space_back(session: Session, index: Index, photo: Make, tmp_path: Path) -> None:
    for seed in range(150):
        photo(f"{seed}.png", seed)
    index()
    session.forget_root(str(tmp_path / "media"))
    before = session.status().size_bytes
    after = session.give_back_space()
    assert after.size_bytes < before / 2
    index()
    assert session.status().roots[0].files == 150
