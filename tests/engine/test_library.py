"""A library opens safely: by one program, of its own version, undamaged; or it says why not."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app.engine.errors import AppError, LibraryDamaged, LibraryLocked, LibraryTooNew
from app.engine.libraries import libraries
from app.engine.librarytypes import IndexRequest
from app.engine.session import Session
from app.engine.store.database import FILE_NAME, Database
from app.engine.store.migrations import MIGRATIONS, SCHEMA_VERSION


def library_file(home: Path) -> Path:
    return home / "libraries" / "default" / FILE_NAME


def hold(home: Path, ready: multiprocessing.synchronize.Event, done: multiprocessing.synchronize.Event) -> None:
    with Session.open(home):
        ready.set()
        done.wait(30)


def test_a_second_program_is_told_and_the_first_is_not_disturbed(home: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    process = context.Process(target=hold, args=(home, ready, done))
    process.start()
    try:
        assert ready.wait(30)
        with pytest.raises(LibraryLocked, match="Another Semblance"):
            Session.open(home)
        with Session.open(home, "other") as other:
            assert other.status().name == "other"
    finally:
        done.set()
        process.join()
    with Session.open(home) as free:
        assert free.status().roots == ()
    process.close()


def test_a_killed_program_leaves_no_lock(home: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    process = context.Process(target=hold, args=(home, ready, done))
    process.start()
    assert ready.wait(30)
    process.kill()
    process.join()
    process.close()
    with Session.open(home):
        pass


def test_a_newer_library_is_refused_and_not_touched(home: Path) -> None:
    with Session.open(home):
        pass
    connection = sqlite3.connect(library_file(home))
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    before = library_file(home).read_bytes()
    with pytest.raises(LibraryTooNew, match="newer version"):
        Session.open(home)
    assert library_file(home).read_bytes() == before


def as_the_first_version_wrote_it(path: Path) -> None:
    """Put a library's rows into a database of the first schema."""
    old = path.with_name("old.sqlite")
    connection = sqlite3.connect(old, isolation_level=None)
    MIGRATIONS[0](connection)
    connection.execute("PRAGMA user_version = 1")
    connection.execute("ATTACH ? AS new", (str(path),))
    for table in ("settings", "roots", "contents", "files", "items", "thumbnails", "spaces", "vectors", "encoded"):
        columns = ", ".join(name for _, name, *_ in connection.execute(f"PRAGMA main.table_info({table})"))
        connection.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}")
    connection.execute("INSERT INTO words (rowid, name) SELECT id, 'a' FROM files")
    connection.close()
    old.replace(path)


def test_a_library_of_the_first_version_is_taken_over_and_nothing_is_done_twice(
    home: Path, photo: Callable[..., Path]
) -> None:
    path, second = photo("a.png", 1), photo("b.png", 2)
    for one in (path, second):
        os.utime(one, ns=(10**18, 10**18))
    request = IndexRequest((str(path.parent),), ("colour-texture",))
    with Session.open(home, device="cpu") as session:
        session.index(request)
    as_the_first_version_wrote_it(library_file(home))
    second.rename(path.parent / "c.png")
    for _ in range(2):
        with Session.open(home, device="cpu") as session:
            report = session.index(request)
            assert (report.files.new, report.files.changed, report.encoded["colour-texture"]) == (0, 0, 0)
            assert report.spaces["colour-texture"].items == 2
    assert report.files.unchanged == 2


def test_a_damaged_library_says_so(home: Path) -> None:
    library_file(home).parent.mkdir(parents=True)
    library_file(home).write_bytes(b"this is no database" * 1000)
    with pytest.raises(LibraryDamaged, match="backup"):
        Session.open(home)


def test_a_home_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    with pytest.raises(AppError, match="--home"):
        Session.open(tmp_path / "home")


@pytest.mark.parametrize("name", ["", "a/b", "..", "a\nb", "x" * 200, " ."])
def test_a_name_that_is_no_folder_is_refused(home: Path, name: str) -> None:
    with pytest.raises(AppError, match="name"):
        Session.open(home, name)


def test_libraries_are_listed_by_name(home: Path) -> None:
    assert libraries(home) == ()
    for name in ("Família", "archive"):
        with Session.open(home, name):
            pass
    assert libraries(home) == ("Família", "archive")


def insert_and_fail(database: Database) -> None:
    with database.transaction() as change:
        change.execute("INSERT INTO settings (key, value) VALUES ('a', 'b')")
        raise ZeroDivisionError


def test_a_failed_transaction_leaves_nothing_behind(tmp_path: Path) -> None:
    database = Database(tmp_path / "library")
    try:
        with pytest.raises(ZeroDivisionError):
            insert_and_fail(database)
        assert database.read.execute("SELECT count(*) FROM settings WHERE key = 'a'").fetchone() == (0,)
        with database.transaction() as change:
            change.execute("INSERT INTO settings (key, value) VALUES ('a', 'b')")
        assert database.read.execute("SELECT count(*) FROM settings WHERE key = 'a'").fetchone() == (1,)
    finally:
        database.close()


def test_whichever_thread_closes_a_library_frees_it(home: Path) -> None:
    session = Session.open(home)
    closing = threading.Thread(target=session.close)
    closing.start()
    closing.join()
    with Session.open(home):
        pass


def test_a_closed_library_is_not_opened_again_by_a_late_question(home: Path) -> None:
    session = Session.open(home)
    session.close()
    with pytest.raises(AppError, match="closed"):
        session.evaluations.queries()


def test_a_full_disk_is_told_in_a_sentence_and_nothing_half_is_kept(tmp_path: Path) -> None:
    database = Database(tmp_path / "library")
    (pages,) = database.read.execute("PRAGMA page_count").fetchone()
    database.read.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(AppError, match="disk may be full"), database.transaction() as change:
        change.execute("INSERT INTO settings (key, value) VALUES ('a', ?)", ("x" * 100_000,))
    assert database.read.execute("SELECT count(*) FROM settings WHERE key = 'a'").fetchone() == (0,)
    database.close()
