"""Killed or with a full disk at any time, an upgrade is finished by the next opening; its copy is whole or missing."""

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

from app.engine.store.backups import backup_path
from app.engine.store.database import FILE_NAME, Database

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "schema1.tar.gz"
SCHEMA = 1
POINTS = (4, pytest.param(12, marks=pytest.mark.lengthy))
"""Kills or failures a test."""


@dataclass(frozen=True)
class Scene:
    """An old library, what it holds before and after, and the calls that opening it makes."""

    before: Path
    old: list[str]
    new: list[str]
    calls: str

    def start(self, home: Path) -> Path:
        """A home with the old library; its folder."""
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
