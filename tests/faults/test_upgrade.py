"""Killed or with a full disk at any time, an upgrade is finished by the next opening; its copy is whole or missing.
Killed or failing, putting the copy back leaves the library as it was, or can be done again.
"""

from __future__ import annotations

import errno
import shutil
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faulty
import pytest
from struck import COUNT, FAIL_FROM, FAIL_SYNCS, KILL_AFTER, KILL_BEFORE, KILL_HALFWAY

from app.engine.errors import LibraryMissing, LibraryTooNew
from app.engine.libraries import restore
from app.engine.store.backups import backup_path, set_aside
from app.engine.store.database import FILE_NAME, Database
from app.engine.store.migrations import SCHEMA_VERSION

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "schema1.tar.gz"
SCHEMA = 1
POINTS = (4, pytest.param(12, marks=pytest.mark.lengthy))
"""Kills or failures a test."""


@dataclass(frozen=True)
class Scene:
    """A library, what it holds before and after, and the calls that opening it or putting its copy back makes."""

    before: Path
    old: list[str]
    new: list[str]
    calls: str

    def start(self, home: Path) -> Path:
        """A home with the library as it is before; its folder."""
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(self.before, home)  # with the times of change
        return home / "libraries" / "default"


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, strike: Callable[..., Any]) -> Scene:
    folder = tmp_path_factory.mktemp("upgrade")
    library = folder / "before" / "libraries" / "default"
    library.mkdir(parents=True)
    with tarfile.open(GOLDEN) as archive:
        archive.extract(FILE_NAME, library, filter="data")
    old = dump(library / FILE_NAME)
    shutil.copytree(folder / "before", folder / "whole")
    counted = strike(home=str(folder / "whole"), folders=[], mode=COUNT, at=0)
    assert not counted["bug"]
    whole = folder / "whole" / "libraries" / "default"
    assert dump(backup_path(whole / FILE_NAME, SCHEMA)) == old
    return Scene(folder / "before", old, dump(whole / FILE_NAME), counted["calls"])


def assert_finished_by_the_next_opening(scene: Scene, folder: Path, context: str) -> None:
    path = folder / FILE_NAME
    copy = backup_path(path, SCHEMA)
    if copy.exists():
        assert dump(copy) == scene.old, context
    Database(folder).close()
    assert dump(copy) == scene.old, context
    assert dump(path) == scene.new, context
    assert {one.name for one in folder.iterdir()} <= {FILE_NAME, copy.name, "lock"}, context


@pytest.mark.parametrize("points", POINTS)
@pytest.mark.parametrize("how", [KILL_BEFORE, KILL_HALFWAY, KILL_AFTER], ids=["before", "halfway", "after"])
def test_a_killed_upgrade_is_finished_by_the_next_opening(
    how: int, points: int, scene: Scene, tmp_path: Path, strike: Callable[..., Any]
) -> None:
    killed = 0
    for at in faulty.moments(scene.calls, points, seed=how):
        folder = scene.start(tmp_path / "home")
        answer = strike(home=str(tmp_path / "home"), folders=[], mode=how, at=at)
        assert not answer["bug"]
        killed += answer["killed"]
        assert_finished_by_the_next_opening(scene, folder, f"call {at} of {scene.calls}")
    assert killed > points * 0.9


@pytest.mark.parametrize("points", POINTS)
@pytest.mark.parametrize(
    ("mode", "error"),
    [(FAIL_FROM, errno.ENOSPC), (FAIL_FROM, errno.EIO), (FAIL_SYNCS, errno.EIO)],
    ids=["full", "failing", "fsync"],
)
def test_an_upgrade_whose_disk_fails_says_so_and_is_finished_by_the_next_opening(
    mode: int, error: int, points: int, scene: Scene, tmp_path: Path, strike: Callable[..., Any]
) -> None:
    said = 0
    for at in faulty.moments(scene.calls, points, seed=mode + error):
        folder = scene.start(tmp_path / "home")
        answer = strike(home=str(tmp_path / "home"), folders=[], mode=mode, at=at, error=error)
        assert not answer["bug"], at
        said += bool(answer["said"])
        assert_finished_by_the_next_opening(scene, folder, f"call {at} of {scene.calls}, {answer['said']}")
    assert said > points * 0.5


# --- putting the copy back ---

INDEX = Path("indexes", "space-1.hnsw")


@pytest.fixture(scope="module")
def newer(scene: Scene, tmp_path_factory: pytest.TempPathFactory, strike: Callable[..., Any]) -> Scene:
    """What the upgrade made, changed by a later program since."""
    folder = tmp_path_factory.mktemp("newer")
    library = scene.start(folder / "before")
    Database(library).close()
    with closing(sqlite3.connect(library / FILE_NAME)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    (library / INDEX).parent.mkdir()
    (library / INDEX).write_bytes(b"of the later one")
    shutil.copytree(folder / "before", folder / "whole")
    counted = strike(home=str(folder / "whole"), folders=[], restore=True, mode=COUNT, at=0)
    assert not counted["bug"]
    return Scene(folder / "before", dump(library / FILE_NAME), scene.new, counted["calls"])


def assert_as_it_was_or_put_back(newer: Scene, home: Path, context: str) -> None:
    folder = home / "libraries" / "default"
    try:
        Database(folder).close()
    except (LibraryTooNew, LibraryMissing):
        restore(home, "default")
        Database(folder).close()
    assert dump(folder / FILE_NAME) == newer.new, context
    assert not (folder / INDEX).exists(), context
    (kept,) = set_aside(folder / FILE_NAME)
    assert dump(Path(kept.path)) == newer.old, context
    left = {FILE_NAME, backup_path(folder / FILE_NAME, SCHEMA).name, Path(kept.path).name, "lock"}
    assert {one.name for one in folder.iterdir()} <= left, context


@pytest.mark.parametrize("points", POINTS)
@pytest.mark.parametrize("how", [KILL_BEFORE, KILL_HALFWAY, KILL_AFTER], ids=["before", "halfway", "after"])
def test_a_copy_whose_putting_back_was_killed_can_be_put_back(
    how: int, points: int, newer: Scene, tmp_path: Path, strike: Callable[..., Any]
) -> None:
    for at in faulty.moments(newer.calls, points, seed=how):
        newer.start(tmp_path / "home")
        answer = strike(home=str(tmp_path / "home"), folders=[], restore=True, mode=how, at=at)
        assert answer["killed"], at
        assert_as_it_was_or_put_back(newer, tmp_path / "home", f"call {at} of {newer.calls}")


@pytest.mark.parametrize("points", POINTS)
def test_a_copy_that_a_full_disk_kept_from_its_place_can_be_put_back(
    points: int, newer: Scene, tmp_path: Path, strike: Callable[..., Any]
) -> None:
    for at in faulty.moments(newer.calls, points, seed=1):
        newer.start(tmp_path / "home")
        full = {"mode": FAIL_FROM, "at": at, "error": errno.ENOSPC}
        answer = strike(home=str(tmp_path / "home"), folders=[], restore=True, **full)
        assert not answer["bug"], at
        assert_as_it_was_or_put_back(newer, tmp_path / "home", f"call {at} of {newer.calls}, {answer['said']}")
