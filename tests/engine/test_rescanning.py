"""What a second look at the folders takes for unchanged, moved, changed or gone, and what it reads to know."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.engine.errors import AppError
from app.engine.jobs import Cancelled, Job, Progress
from app.engine.librarytypes import IndexReport, IndexRequest, LibrarySettings
from app.engine.media import reading
from app.engine.session import Session
from app.engine.types import ItemKind, Query, SearchRequest

Index = Callable[..., IndexReport]
Make = Callable[..., Path]

LONG_AGO_NS = 1_600_000_000_123_456_789
WHOLE_SECOND_NS = 1_600_000_000_000_000_000


@pytest.fixture
def old(photo: Make) -> Make:
    """A photo that was last changed long ago, so that its time can be trusted."""

    def make(name: str, seed: int = 0, mtime_ns: int = LONG_AGO_NS) -> Path:
        path = photo(name, seed)
        os.utime(path, ns=(mtime_ns, mtime_ns))
        return path

    return make


@pytest.fixture
def media(tmp_path: Path) -> Path:
    return tmp_path / "media"


def overwrite_unseen(path: Path, other: bytes = b"") -> None:
    """Change a file's bytes and nothing that a walk sees of it: whoever reads it will know."""
    status = path.stat()
    with path.open("r+b") as file:
        file.write((other or b"\0" * status.st_size)[: status.st_size].ljust(status.st_size, b"\0"))
    os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))


def names(session: Session) -> list[str]:
    """The names of all photos that a search brings."""
    reply = session.search(SearchRequest(Query.of_text("jpg"), k=1000))
    return sorted(Path(hit.path).name for hit in reply.hits)


def total(report: IndexReport) -> int:
    return sum(report.encoded.values())


# --- unchanged ---


def test_an_unchanged_folder_is_not_looked_at_file_by_file(index: Index, old: Make, media: Path) -> None:
    for seed in range(3):
        old(f"sub/{seed}.jpg", seed)
    (media / "sub" / "notes.txt").touch()
    first = index()
    path = media / "sub" / "0.jpg"
    overwrite_unseen(path)
    again = index()
    assert (again.files.seen, again.files.unchanged, again.files.skipped) == (4, 3, 1)
    assert again.skipped == first.skipped
    assert (again.items, again.spaces, total(again)) == (first.items, first.spaces, 0)


def test_an_unchanged_library_is_not_written_to(session: Session, index: Index, old: Make, home: Path) -> None:
    old("a.jpg")
    index()
    index()
    journal = home / "libraries" / "default" / "library.sqlite-wal"
    before = (journal.stat().st_size, journal.stat().st_mtime_ns)
    session.index(IndexRequest())
    assert (journal.stat().st_size, journal.stat().st_mtime_ns) == before


def test_one_changed_file_is_found_among_unchanged_ones(session: Session, index: Index, old: Make) -> None:
    for seed in range(3):
        old(f"sub/{seed}.jpg", seed)
    old("other/x.jpg", 9)
    index()
    old("sub/1.jpg", 7, LONG_AGO_NS + 1)
    report = index()
    assert (report.files.changed, report.files.unchanged, report.encoded["colour-texture"]) == (1, 3, 1)


def test_a_file_changed_just_after_it_was_read_is_read_again(
    session: Session, index: Index, photo: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its size and its time stay the same: a change within one tick of the file system's clock."""
    monkeypatch.setattr(reading, "SETTLED_AFTER_NS", 10**9 * 3600)  # no test waits for a clock
    path, other = photo("a.bmp", 1), photo("b.bmp", 2)
    index()
    overwrite_unseen(path, other.read_bytes())
    report = index()
    assert (report.files.changed, report.files.unchanged) == (1, 1)
    (hit,) = session.search(SearchRequest(Query.of_image(str(other)))).hits
    assert (hit.path, hit.copies) == (str(path), 1)


def test_a_fresh_file_that_stayed_as_it_was_counts_as_unchanged(index: Index, photo: Make) -> None:
    photo("a.jpg")
    index()
    report = index()
    assert (report.files.unchanged, report.files.changed, total(report)) == (1, 0, 0)


def test_a_photo_from_the_future_is_not_read_at_every_run(index: Index, old: Make) -> None:
    ahead_ns = time.time_ns() + 10**9 * 86_400 * 365
    path = old("a.jpg", mtime_ns=ahead_ns)
    index()
    overwrite_unseen(path)
    assert index().files.unchanged == 1


def test_a_file_replaced_while_it_is_read_is_left_for_the_next_run(
    session: Session, index: Index, old: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = old("a.jpg", 1), old("b.jpg", 2)
    digest = reading.hashlib.file_digest

    def replace_meanwhile(stream: object, name: str) -> object:
        result = digest(stream, name)
        if stream.name == os.fsencode(path):
            old("a.jpg", 3, LONG_AGO_NS + 5)
        return result

    monkeypatch.setattr(reading.hashlib, "file_digest", replace_meanwhile)
    report = index()
    assert [failure.path for failure in report.failures] == [str(path)]
    assert "changed while it was read" in report.failures[0].reason
    assert (report.files.seen, report.files.new, report.files.failed) == (2, 1, 1)
    monkeypatch.undo()
    report = index()
    assert (report.files.new, report.files.failed, report.encoded["colour-texture"]) == (1, 0, 1)
    assert index().files.unchanged == 2
    assert other.exists()


def test_a_cancelled_run_has_vouched_for_nothing_it_did_not_enter(session: Session, old: Make, media: Path) -> None:
    for seed in range(3):
        old(f"{seed}.jpg", seed)

    def cancel_while_reading(progress: Progress) -> None:
        if progress.phase == "Reading files" and progress.done:
            job.cancel()

    job = Job(cancel_while_reading, min_interval_s=0)
    request = IndexRequest((str(media),), ("colour-texture",))
    with pytest.raises(Cancelled):
        session.index(request, job)
    assert session.index(request).spaces["colour-texture"].items == 3


# --- moved ---


@pytest.mark.skipif(sys.platform == "win32", reason="names of files tell nothing of their identity there")
def test_a_renamed_folder_is_not_even_read(session: Session, index: Index, old: Make, media: Path) -> None:
    for seed in range(3):
        old(f"old/deep/{seed}.jpg", seed)
    index()
    (media / "old").rename(media / "new")
    for path in (media / "new" / "deep").iterdir():
        overwrite_unseen(path)
    report = index()
    assert (report.files.renamed, report.files.new, report.files.removed, total(report)) == (3, 0, 0, 0)
    assert names(session) == ["0.jpg", "1.jpg", "2.jpg"]


@pytest.mark.skipif(sys.platform == "win32", reason="names of files tell nothing of their identity there")
def test_a_renamed_root_is_not_even_read(session: Session, index: Index, old: Make, media: Path) -> None:
    overwritten = media.with_name("photos") / "a.jpg"
    old("a.jpg")
    index()
    media.rename(overwritten.parent)
    overwrite_unseen(overwritten)
    report = index(overwritten.parent)
    assert (report.files.renamed, total(report)) == (1, 0)
    assert [root.path for root in session.status().roots] == [str(overwritten.parent)]


def test_another_file_with_the_inode_and_the_whole_second_of_a_deleted_one_is_read(
    index: Index, old: Make, media: Path
) -> None:
    """Inodes are given again, and archives and cameras write whole seconds: that is not enough to be the same."""
    path = old("a.png", 1, WHOLE_SECOND_NS)
    index()
    path.rename(media / "b.png")
    overwrite_unseen(media / "b.png")
    report = index()
    assert (report.files.renamed, report.files.new, report.files.removed) == (0, 1, 1)


def test_two_files_that_changed_places_are_told_apart(session: Session, index: Index, media: Path, photo: Make) -> None:
    """Both have one size and one time, so that only their inodes tell."""
    first, second = photo("a.bmp", 1), photo("b.bmp", 2)
    for path in (first, second):
        os.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS))
    assert first.stat().st_size == second.stat().st_size
    query = first.with_name("q.bmp")
    shutil.copy(first, query)
    index()
    first.rename(media / "aside")
    second.rename(first)
    (media / "aside").rename(second)
    report = index()
    assert (report.files.changed, total(report)) == (2, 0)
    hits = session.search(SearchRequest(Query.of_image(str(query)))).hits
    assert {Path(hit.path).name for hit in hits} == {"a.bmp", "b.bmp"}
    assert next(hit.path for hit in hits if hit.similarity and hit.similarity > 0.999) == str(second)


def test_a_file_moved_between_folders_that_are_told_one_after_the_other_costs_nothing(
    session: Session, index: Index, old: Make, media: Path
) -> None:
    path = old("from/a.jpg", 1)
    old("from/b.jpg", 2)
    old("to/c.jpg", 3)
    index()
    path.rename(media / "to" / "a.jpg")
    gone = index(media / "from")
    came = index(media / "to")
    assert (gone.files.removed, came.files.new, total(gone) + total(came)) == (1, 1, 0)
    assert names(session) == ["a.jpg", "b.jpg", "c.jpg"]


def test_judgments_follow_a_renamed_folder(session: Session, index: Index, old: Make, media: Path) -> None:
    old("old/a.jpg", 1)
    query = session.evaluations.add_query(Query.of_text("anything"))
    index()
    (hit,) = session.search(SearchRequest(Query.of_text("old"))).hits
    session.evaluations.judge(query.id, hit.item_id, 2)
    (media / "old").rename(media / "new")
    index()
    (hit,) = session.search(SearchRequest(Query.of_text("new"))).hits
    assert session.evaluations.queries()[0].judged == 1
    assert hit.path == str(media / "new" / "a.jpg")


# --- away ---


def test_a_local_copy_of_a_drive_that_is_away_takes_nothing_from_it(
    session: Session, index: Index, old: Make, tmp_path: Path, media: Path
) -> None:
    for seed in range(2):
        old(f"drive/{seed}.jpg", seed)
    drive, local = media / "drive", tmp_path / "local"
    index(drive)
    shutil.copytree(drive, local)
    drive.rename(tmp_path / "unplugged")
    report = index(local)
    assert (report.files.renamed, report.files.new, total(report)) == (0, 2, 0)
    assert [(root.path, root.online, root.files) for root in session.status().roots] == [
        (str(local), True, 2),
        (str(drive), False, 2),
    ]
    (tmp_path / "unplugged").rename(drive)
    report = session.index(IndexRequest())
    assert (report.files.unchanged, report.files.new, total(report)) == (4, 0, 0)


def test_a_drive_that_goes_while_it_is_indexed_loses_nothing_and_is_gone_on_with(
    session: Session, old: Make, tmp_path: Path, media: Path
) -> None:
    for seed in range(4):
        old(f"{seed}.jpg", seed)
    request = IndexRequest((str(media),), ("colour-texture",))
    session.index(request)
    for seed in range(4, 9):
        old(f"more/{seed}.jpg", seed)

    def unplug(progress: Progress) -> None:
        if progress.phase == "Reading files" and progress.done == 0 and media.exists():
            media.rename(tmp_path / "unplugged")

    report = session.index(request, Job(unplug, min_interval_s=0))
    assert (report.files.removed, report.files.failed, session.status().roots[0].files) == (0, 5, 4)
    session.index(IndexRequest())
    session.index(IndexRequest())
    (tmp_path / "unplugged").rename(media)
    report = session.index(IndexRequest())
    assert (report.files.unchanged, report.files.new, report.encoded["colour-texture"]) == (4, 5, 5)


def test_a_file_that_cannot_be_read_is_tried_again_though_nothing_changed(
    session: Session, index: Index, old: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old("a.jpg")
    digest = reading.hashlib.file_digest

    def refuse(stream: object, name: str) -> object:
        if stream.name == os.fsencode(path):  # the superuser, too, must be refused: no permission bit does that
            raise OSError(errno.EIO, "Input/output error")
        return digest(stream, name)

    monkeypatch.setattr(reading.hashlib, "file_digest", refuse)
    for _ in range(2):
        assert [failure.path for failure in index().failures] == [str(path)]
    monkeypatch.undo()
    report = index()
    assert (report.files.failed, report.encoded["colour-texture"]) == (0, 1)


def test_an_unreadable_folder_is_looked_into_again_and_its_files_are_not_taken_for_moved(
    session: Session, index: Index, old: Make, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old("locked/a.jpg")
    index()
    (media / "copy").mkdir()
    shutil.copy2(path, media / "copy" / "b.jpg")
    scandir, lstat = os.scandir, os.lstat

    def refused(folder: bytes) -> Iterator[os.DirEntry[bytes]]:
        if folder == os.fsencode(path.parent):
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(folder)

    def hidden(one: bytes) -> os.stat_result:
        if one == os.fsencode(path):
            raise PermissionError(errno.EACCES, "Permission denied")
        return lstat(one)

    monkeypatch.setattr(os, "scandir", refused)
    monkeypatch.setattr(os, "lstat", hidden)
    report = index()
    assert (report.files.new, report.files.renamed, report.files.removed) == (1, 0, 0)
    monkeypatch.undo()
    assert index().files.unchanged == 2


# --- settings ---


def settle_on(session: Session, **settings: object) -> IndexReport:
    session.set_settings(LibrarySettings(**settings))  # type: ignore[arg-type]
    return session.index(IndexRequest())


def test_an_excluded_pattern_takes_files_out_and_gives_them_back(session: Session, index: Index, old: Make) -> None:
    old("a.jpg", 1)
    old("Screenshots/b.jpg", 2)
    old("c.DRAFT.jpg", 3)
    index()
    report = settle_on(session, excluded=("screenshots", "*.draft.*"))
    assert (report.files.removed, report.files.unchanged, report.items[ItemKind.PHOTO]) == (2, 1, 1)
    assert names(session) == ["a.jpg"]
    report = settle_on(session)
    assert (report.files.new, total(report)) == (2, 0)
    assert names(session) == ["a.jpg", "b.jpg", "c.DRAFT.jpg"]


def test_a_pattern_with_a_slash_is_a_path_below_the_root(session: Session, index: Index, old: Make) -> None:
    old("export/a.jpg", 1)
    old("2020/export/b.jpg", 2)
    index()
    assert settle_on(session, excluded=("export/*",)).files.removed == 1
    assert names(session) == ["b.jpg"]
    assert settle_on(session, excluded=("*/export",)).files.removed == 1
    assert names(session) == ["a.jpg"]


def test_hidden_names_are_looked_into_when_that_is_wished(session: Session, index: Index, old: Make) -> None:
    old("a.jpg", 1)
    old(".raw/b.jpg", 2)
    old(".c.jpg", 3)
    assert index().files.seen == 1
    assert settle_on(session, hidden=True).files.new == 2
    assert names(session) == [".c.jpg", "a.jpg", "b.jpg"]
    assert settle_on(session).files.removed == 2


def test_a_hidden_root_that_the_one_above_has_come_to_is_not_counted_twice(
    session: Session, index: Index, old: Make, media: Path
) -> None:
    old("a.jpg", 1)
    old(".raw/b.jpg", 2)
    index()
    index(media / ".raw")
    report = settle_on(session, hidden=True)
    assert (report.files.seen, report.files.unchanged, report.files.removed) == (2, 2, 0)


def test_forgetting_a_root_keeps_one_inside_of_it(session: Session, index: Index, old: Make, media: Path) -> None:
    old("a.jpg", 1)
    old(".raw/b.jpg", 2)
    index()
    index(media / ".raw")
    status = session.forget_root(str(media))
    assert [(root.path, root.files) for root in status.roots] == [(str(media / ".raw"), 1)]
    assert (status.items[ItemKind.PHOTO], status.spaces["colour-texture"].items) == (1, 1)


# --- some of the folders ---


def test_a_changed_folder_alone_is_brought_up_to_date(session: Session, index: Index, old: Make, media: Path) -> None:
    old("one/a.jpg", 1)
    old("two/b.jpg", 2)
    index()
    old("one/c.jpg", 3)
    old("two/d.jpg", 4)
    report = session.index(IndexRequest((str(media / "one"),)))
    assert (report.files.seen, report.files.new, report.files.unchanged) == (2, 1, 1)
    assert names(session) == ["a.jpg", "b.jpg", "c.jpg"]
    assert [root.path for root in session.status().roots] == [str(media)]


def test_a_folder_that_has_gone_from_a_root_is_looked_for_above(
    session: Session, index: Index, old: Make, media: Path, tmp_path: Path
) -> None:
    old("one/deep/a.jpg", 1)
    old("b.jpg", 2)
    index()
    shutil.rmtree(media / "one")
    report = session.index(IndexRequest((str(media / "one" / "deep"),)))
    assert (report.files.removed, names(session)) == (1, ["b.jpg"])
    for unknown in (tmp_path / "elsewhere", media / "oen"):
        with pytest.raises(AppError, match="no such folder"):
            session.index(IndexRequest((str(unknown),)))
    with pytest.raises(AppError, match="This is a file"):
        session.index(IndexRequest((str(media / "b.jpg"),)))
    old("c.jpg", 3)
    assert session.index(IndexRequest((str(media / "come and gone"),), followed=True)).files.new == 1


def test_what_was_deleted_is_purged_one_run_later_by_a_partial_run_too(
    session: Session, index: Index, old: Make, media: Path
) -> None:
    path = old("one/a.jpg", 1)
    old("two/b.jpg", 2)
    index()
    path.unlink()
    (media / "one" / "x.txt").touch()
    before = range(1, 3)
    for kept in (2, 1, 1):
        assert index(media / "one").spaces["colour-texture"].items == 1
        assert len(session.thumbnails(before)) == kept
    assert session.status().items[ItemKind.PHOTO] == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_name_as_long_as_may_be_is_indexed_and_rescanned(session: Session, index: Index, old: Make) -> None:
    old("x" * 251 + ".jpg")
    assert index().files.new == 1
    assert index().files.unchanged == 1
