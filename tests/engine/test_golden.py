"""Libraries that earlier programs made open in this one and lose nothing: see tests/golden/README.md."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.engine.encoders.catalogue import Catalogue
from app.engine.errors import AppError
from app.engine.evaltypes import EvaluationRequest
from app.engine.jobs import Cancelled, Job, Progress
from app.engine.session import Session
from app.engine.store import upgrading
from app.engine.store.database import Database
from app.engine.store.migrations import SCHEMA_VERSION
from app.engine.types import SearchRequest
from app.paths import models_dir

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
SCHEMAS = range(1, SCHEMA_VERSION + 1)
EXACT_UP_TO = 4
"""As when they were made: the pictures' vectors are in a graph."""


def rows(database: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(statement).fetchall()


class Golden:
    """A golden library in a home of its own, and what is known of it."""

    def __init__(self, schema: int, home: Path) -> None:
        self.schema = schema
        self.home = home
        self.folder = home / "libraries" / "default"
        self.file = self.folder / "library.sqlite"
        self.backup = self.folder / f"library.schema{schema}.backup.sqlite"
        self.known: dict[str, Any] = json.loads((GOLDEN / f"schema{schema}.json").read_text("utf-8"))
        self.folder.mkdir(parents=True)
        with tarfile.open(GOLDEN / f"schema{schema}.tar.gz") as archive:
            archive.extractall(self.folder, filter="data")
        self.fingerprints = dict(rows(self.file, "SELECT encoder, fingerprint FROM spaces"))

    def open(self, with_its_models: bool = False) -> Session:
        source = ModelsOfThen(self.fingerprints, models_dir(self.home)) if with_its_models else None
        return Session.open(self.home, encoders=source, device="cpu", exact_up_to=EXACT_UP_TO)


class ModelsOfThen(Catalogue):
    """The built-in models, taken for those that made a library's vectors. What they make now may be of another space,
    and its files are not here to be encoded again; every query is of a file whose vector is stored."""

    def __init__(self, fingerprints: dict[str, str], folder: Path) -> None:
        super().__init__(folder, "cpu")
        self._then = fingerprints

    def fingerprint(self, key: str) -> str:
        return self._then[key]


@pytest.fixture(scope="module", params=SCHEMAS, ids=lambda schema: f"schema{schema}")
def golden(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Golden:
    return Golden(request.param, tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="module")
def session(golden: Golden) -> Iterator[Session]:
    with golden.open(with_its_models=True) as opened:
        yield opened


def test_there_is_a_golden_library_of_every_schema() -> None:
    assert {path.name for path in GOLDEN.glob("*.tar.gz")} >= {f"schema{schema}.tar.gz" for schema in SCHEMAS}


def test_every_file_item_and_failure_is_there(golden: Golden, session: Session) -> None:
    known, status = golden.known, session.status()
    assert [root.path for root in status.roots] == known["roots"]
    assert list(status.models) == known["models"]
    assert sorted(failure.path for failure in status.failures) == known["failures"]
    assert [
        (os.fsdecode(path), size_bytes)
        for path, size_bytes in rows(golden.file, "SELECT path, size_bytes FROM files ORDER BY path")
    ] == [(path, size_bytes) for path, size_bytes, _ in known["files"]]
    items = (
        "SELECT lower(hex(c.sha256)), i.kind, i.start_ms, i.end_ms FROM items i JOIN contents c ON c.id = i.content_id "
        "ORDER BY 1, 2, 3"
    )
    assert [list(item) for item in rows(golden.file, items)] == known["items"]
    assert sum(status.items.values()) == len(known["items"])
    for table, count in known["counts"].items():
        assert rows(golden.file, f"SELECT count(*) FROM {table}") == [(count,)]
    ids = [item_id for (item_id,) in rows(golden.file, "SELECT id FROM items")]
    assert set(session.thumbnails(ids)) == set(ids)


def test_every_judgment_and_test_query_is_what_was_put_in(golden: Golden, session: Session) -> None:
    queries = session.evaluations.queries()
    assert [
        {
            "key": one.key,
            "title": one.title,
            "parts": [[part.text, part.path, part.weight, part.content] for part in one.query.parts],
        }
        for one in queries
    ] == golden.known["queries"]
    (only,) = session.evaluations.sets()
    assert only.judgments == len(golden.known["judgments"])
    judged = (
        "SELECT q.title, lower(hex(j.sha256)), j.kind, j.start_ms, j.grade, j.judged_at FROM judgments j "
        "JOIN queries q ON q.id = j.query_id ORDER BY 1, 2, 3, 4"
    )
    assert [list(judgment) for judgment in rows(golden.file, judged)] == golden.known["judgments"]


def test_searches_find_what_they_found(golden: Golden, session: Session) -> None:
    for query in session.evaluations.queries():
        hits = session.search(SearchRequest(query.query, k=5)).hits
        known = golden.known["searches"][query.title]
        assert [[hit.path, str(hit.item_kind), hit.start_ms] for hit in hits] == [one[:3] for one in known], query.title
        similarities = [one[3] for one in known if one[3] is not None]
        assert [hit.similarity for hit in hits if hit.similarity is not None] == pytest.approx(similarities, abs=0.011)


def test_a_search_by_what_is_made_in_another_way_now_says_to_index_again(golden: Golden, tmp_path: Path) -> None:
    again = Golden(golden.schema, tmp_path)
    with again.open() as opened:
        (query,) = (one.query for one in opened.evaluations.queries() if one.title == "sunsets")
        if (
            Catalogue(models_dir(again.home), "cpu").fingerprint("colour-texture")
            == again.fingerprints["colour-texture"]
        ):
            assert opened.search(SearchRequest(query)).hits
        else:
            with pytest.raises(AppError, match="Index it again"):
                opened.search(SearchRequest(query))


def test_measures_are_what_they_were(golden: Golden, session: Session) -> None:
    evaluation = session.evaluations.evaluate(EvaluationRequest(k=3, costs=False))
    measured = {one.model: one.mean["P@3"] for one in evaluation.models if one.mean}
    assert measured == pytest.approx(golden.known["measures"], abs=1e-4)


def test_a_check_finds_nothing(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert session.verify().sentences == ()
    assert caplog.messages == []


def test_the_copy_is_the_library_as_it_was(golden: Golden, session: Session, tmp_path: Path) -> None:
    if golden.schema == SCHEMA_VERSION:
        assert session.status().backups == ()
        return
    old = Golden(golden.schema, tmp_path)
    assert rows(golden.backup, "PRAGMA user_version") == [(golden.schema,)]
    with closing(sqlite3.connect(golden.backup)) as copy, closing(sqlite3.connect(old.file)) as original:
        assert list(copy.iterdump()) == list(original.iterdump())
    (backup,) = session.status().backups
    assert (backup.path, backup.schema) == (str(golden.backup), golden.schema)


def test_opening_it_again_changes_nothing(golden: Golden, tmp_path: Path) -> None:
    again = Golden(golden.schema, tmp_path)
    again.open().close()
    before = {path: path.read_bytes() for path in again.folder.rglob("*") if path.is_file()}
    again.open().close()
    assert {path: path.read_bytes() for path in again.folder.rglob("*") if path.is_file()} == before


def test_an_upgrade_tells_how_far_it_is_and_when_it_is_too_late_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upgrading, "INSTRUCTIONS_BETWEEN_LOOKS", 10)
    told: list[Progress] = []
    Database(Golden(1, tmp_path).folder, Job(told.append, min_interval_s=0)).close()
    changed = [progress for progress in told if progress.phase == upgrading.UPGRADING]
    shares = [progress.done / progress.total for progress in changed if progress.total]
    assert (shares[0], len(shares)) == (0, len(changed))
    assert shares == sorted(shares)
    assert 0.5 < shares[-1] <= 1
    assert [progress.is_final for progress in told] == [False] * (len(told) - 1) + [True]


def test_an_upgrade_that_is_cancelled_in_its_midst_leaves_the_library_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upgrading, "INSTRUCTIONS_BETWEEN_LOOKS", 10)
    golden = Golden(1, tmp_path)
    before = rows(golden.file, "SELECT sql FROM sqlite_schema ORDER BY name"), rows(golden.file, "SELECT * FROM items")

    def cancel(progress: Progress) -> None:
        if progress.phase == upgrading.UPGRADING and progress.done:
            job.cancel()

    job = Job(cancel, min_interval_s=0)
    with pytest.raises(Cancelled):
        Database(golden.folder, job)
    after = rows(golden.file, "SELECT sql FROM sqlite_schema ORDER BY name"), rows(golden.file, "SELECT * FROM items")
    assert (rows(golden.file, "PRAGMA user_version"), after) == ([(1,)], before)
    Database(golden.folder).close()
    assert rows(golden.file, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
