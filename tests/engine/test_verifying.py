"""What was computed is made again where it was damaged, what a person made is told of where it was, and a check of the
whole library finds both."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import faulty
import pytest

from app.engine.errors import LibraryDamaged
from app.engine.jobs import Cancelled, Job
from app.engine.judgingtypes import Scale
from app.engine.librarytypes import IndexReport, IndexRequest
from app.engine.session import Session
from app.engine.store.database import FILE_NAME, MARK_NAME
from app.engine.store.migrations import MIGRATIONS
from app.engine.types import Query, SearchRequest

Make = Callable[..., Path]
Index = Callable[..., IndexReport]


@pytest.fixture
def library(home: Path) -> Path:
    return home / "libraries" / "default"


def damage(library: Path, statement: str) -> None:
    """Change rows behind the program's back; what keeps second copies in step is out of the way."""
    with closing(sqlite3.connect(library / FILE_NAME)) as connection, connection:
        assert connection.execute(statement).rowcount == 1


def flip_first(column: str, table: str) -> str:
    return f"UPDATE {table} SET {column} = X'99' || substr({column}, 2) WHERE rowid = (SELECT min(rowid) FROM {table})"


@pytest.mark.parametrize(("table", "column"), [("vectors", "vector"), ("thumbnails", "image")])
def test_a_damaged_row_is_left_out_at_once_and_made_again(
    session: Session, index: Index, photo: Make, home: Path, library: Path, table: str, column: str
) -> None:
    query, other = photo("a.png", 1), photo("b.png", 2)
    index()
    whole = session.search(SearchRequest(Query.of_image(str(query))))
    pictures = session.thumbnails([1, 2])
    session.close()
    damage(library, flip_first(column, table))
    with Session.open(home, device="cpu") as session:
        session.search(SearchRequest(Query.of_image(str(query)), exact=True))
        assert len(session.thumbnails([1, 2])) == (2 if table == "vectors" else 1)
    assert "damaged" in (library / MARK_NAME).read_text()
    with Session.open(home, device="cpu") as session:
        report = session.index(index_request(query.parent))
        assert any("removed; indexing makes them again" in note for note in report.notes)
        assert session.search(SearchRequest(Query.of_image(str(query)))).hits == whole.hits
        assert session.thumbnails([1, 2]) == pictures
        assert other.exists()
        assert session.verify().sentences == ()
    assert not (library / MARK_NAME).exists()


def index_request(folder: Path) -> IndexRequest:
    return IndexRequest((str(folder),), ("colour-texture", "timbre"))


def test_a_damaged_judgment_is_not_counted_and_told_of(
    session: Session, index: Index, photo: Make, home: Path, library: Path
) -> None:
    query = photo("a.png", 1)
    photo("b.png", 2)
    photo("c.png", 3)
    index()
    key = session.evaluations.add_query(Query.of_image(str(query)), "stripes").id
    for grade, item in enumerate(session.evaluations.pool(key).items, 1):
        session.evaluations.judge(key, item.item.item_id, grade)
    assert session.evaluations.queries()[0].judged == 2
    session.close()
    damage(library, "UPDATE judgments SET grade = 3 WHERE grade = 1")
    with Session.open(home, device="cpu") as session:
        assert (session.evaluations.queries()[0].judged, session.status().judgments) == (1, 1)
        assert sorted(str(item.grade) for item in session.evaluations.pool(key).items) == ["1", "None"]
        report = session.verify()
        assert report.lost == ("1 damaged judgments were taken out; judge those items again.",)
        assert session.evaluations.queries()[0].judged == 1
        assert session.verify().sentences == ()


@pytest.mark.parametrize(
    "statement", ["UPDATE queries SET title = 'other'", "UPDATE settings SET value = '[]' WHERE key = 'models'"]
)
def test_a_damaged_query_or_choice_is_told_of(
    session: Session, index: Index, photo: Make, home: Path, library: Path, statement: str
) -> None:
    photo("a.png", 1)
    index()
    session.evaluations.add_query(Query.of_text("tree"), "tree")
    session.close()
    damage(library, statement)
    with Session.open(home, device="cpu") as session:
        (sentence,) = session.verify().lost
        assert "damaged" in sentence
        assert session.verify().sentences == ()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE query_sets SET name = 'other' WHERE id = 2",
        "UPDATE query_sets SET scale = 'fine' WHERE id = 2",
        "DELETE FROM query_sets WHERE id = 2",
    ],
)
def test_a_damaged_set_keeps_its_queries_and_judgments_under_another_name(
    session: Session, index: Index, photo: Make, home: Path, library: Path, statement: str
) -> None:
    query = photo("a.png", 1)
    photo("b.png", 2)
    index()
    made = session.evaluations.create_set("Stripes", Scale.GRADED, "Any stripes")
    kept = session.evaluations.add_query(Query.of_image(str(query)), "stripes", made.id)
    session.evaluations.judge(kept.id, session.evaluations.pool(kept.id).items[0].item.item_id, 3)
    session.close()
    damage(library, statement)
    with Session.open(home, device="cpu") as session:
        assert [one.name for one in session.evaluations.sets()] == ["Test queries"]
        assert session.verify().sentences != ()
        recovered = next(one for one in session.evaluations.sets() if one.id == made.id)
        assert (recovered.name, recovered.scale, recovered.judgments) == ("Recovered set 2", Scale.GRADED, 1)
        assert [one.title for one in session.evaluations.queries(made.id)] == ["stripes"]
        assert session.verify().sentences == ()


def test_a_library_that_was_not_closed_is_checked_before_it_is_indexed(
    session: Session, index: Index, photo: Make, home: Path, library: Path
) -> None:
    photo("a.png", 1)
    index()
    assert (library / MARK_NAME).exists()  # as it stays when the process is killed
    session.close()
    assert not (library / MARK_NAME).exists()
    for was_killed in (False, True):
        if was_killed:
            (library / MARK_NAME).touch()
        phases: list[str] = []
        with Session.open(home, device="cpu") as session:
            job = Job(lambda progress: phases.append(progress.phase), min_interval_s=0)  # noqa: B023
            session.index(index_request(photo("a.png", 1).parent), job)
        assert ("Checking the library" in phases) is was_killed
    assert not (library / MARK_NAME).exists()


def test_what_cannot_be_mended_stops_the_run_and_says_what_to_do(
    session: Session, index: Index, photo: Make, home: Path, library: Path
) -> None:
    for seed in range(9):
        photo(f"{seed}.png", seed)
    index()
    session.close()
    content = bytearray((library / FILE_NAME).read_bytes())
    with closing(sqlite3.connect(library / FILE_NAME)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'items'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    content[(page - 1) * size] = 0
    (library / FILE_NAME).write_bytes(content)
    with Session.open(home, device="cpu") as session:
        report = session.verify()
        assert "malformed" in report.broken[0]
        with pytest.raises(LibraryDamaged, match="backup"):
            session.index(index_request(photo("a.png", 1).parent))


def test_a_check_can_be_cancelled_and_is_due_again(session: Session, index: Index, photo: Make) -> None:
    photo("a.png", 1)
    index()
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        session.verify(job)
    assert session.verify().sentences == ()


def test_a_schema_that_is_not_as_it_was_made_is_refused(session: Session, home: Path, library: Path) -> None:
    session.close()
    with closing(sqlite3.connect(library / FILE_NAME)) as connection:
        connection.execute("ALTER TABLE contents RENAME COLUMN caption TO captiom")
    with pytest.raises(LibraryDamaged, match="not as they were made"):
        Session.open(home)


def test_a_library_of_the_first_schema_gets_its_checksums(home: Path, library: Path) -> None:
    library.mkdir(parents=True)
    with closing(sqlite3.connect(library / FILE_NAME, isolation_level=None)) as connection:
        MIGRATIONS[0](connection)
        for statement in (
            "INSERT INTO settings VALUES ('models', '[\"timbre\"]')",
            "INSERT INTO contents (id, sha256, kind) VALUES (1, X'01', 'photo')",
            "INSERT INTO files (id, path, size_bytes, mtime_ns, content_id) VALUES (1, X'2F61', 1, 1, 1)",
            "INSERT INTO words (rowid, name, folders, caption) VALUES (1, 'a', '', '')",
            "INSERT INTO items (id, content_id, kind, start_ms) VALUES (1, 1, 'photo', 0)",
            "INSERT INTO thumbnails VALUES (1, X'FFD8')",
            "INSERT INTO spaces VALUES (1, 'timbre', 'f', 2)",
            "INSERT INTO vectors (space_id, item_id, vector) VALUES (1, 1, X'003C0000')",
            "INSERT INTO queries (id, key, title, parts) VALUES (1, 'q', 'Ünï', '[]')",
            "INSERT INTO judgments VALUES (1, X'01', 'photo', 0, 2, '2026-01-01T00:00:00+00:00')",
            "PRAGMA user_version = 1",
        ):
            connection.execute(statement)
    with Session.open(home, device="cpu") as session:
        assert session.verify().sentences == ()
        assert session.thumbnails([1]) == {1: b"\xff\xd8"}
        assert [(query.title, query.judged) for query in session.evaluations.queries()] == [("Ünï", 1)]
        assert session.status().models == ("timbre",)


def test_a_model_whose_weights_were_exchanged_is_told_of(home: Path, photo: Make) -> None:
    source, folder = faulty.TinySource(), photo("a.png", 1).parent
    request = IndexRequest((str(folder),), ("tiny-picture",))
    with Session.open(home, encoders=source) as session:
        assert session.index(request).notes == ()
    source.load("tiny-picture").fingerprint = "of other weights"  # type: ignore[misc]
    with Session.open(home, encoders=source) as session:
        (note,) = session.index(request).notes
        assert note.startswith("The weights of tiny-picture have changed")
        assert session.index(request).notes == ()
