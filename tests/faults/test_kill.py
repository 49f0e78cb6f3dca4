"""Killed at any moment, a library opens by itself, has lost at most one group, and ends as if nothing had been."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faulty
import pytest
from struck import COUNT, KILL_AFTER, KILL_BEFORE, KILL_HALFWAY

POINTS = (8, pytest.param(44, marks=pytest.mark.lengthy))
"""Kills a test, of which there are six."""


@dataclass(frozen=True)
class Scene:
    """A run that will be struck: what it starts from, and what a library that was never killed comes to."""

    folder: Path
    media: Path
    before: Path | None
    calls: str
    encoded: int
    view: dict[str, Any]
    rows: dict[str, int]

    def start(self, home: Path) -> Path:
        shutil.rmtree(home, ignore_errors=True)
        if self.before:
            shutil.copytree(self.before, home)
        return home


def finish(home: Path, media: Path) -> tuple[int, dict[str, Any], dict[str, int]]:
    """Go on until nothing is left to do: vectors computed, what is seen, rows."""
    counter = [0]
    with faulty.opened(home, counter) as session:
        faulty.index(session, media)
        view = faulty.view(session, media)
    encoded = counter[0]
    with faulty.opened(home, counter) as session:
        report = faulty.index(session, media)
    assert set(report.encoded.values()) == {0}
    assert report.notes == ()
    faulty.assert_consistent(home)
    return encoded, view, faulty.rows(home)


def scene(folder: Path, media: Path, before: Path | None, strike: Callable[..., Any]) -> Scene:
    made = Scene(folder, media, before, "", 0, {}, {})
    counted = strike(home=str(made.start(folder / "counted")), folders=[str(media)], mode=COUNT, at=0)
    assert not counted["bug"]
    encoded, view, rows = finish(made.start(folder / "whole"), media)
    assert counted["encoded"] == encoded
    return Scene(folder, media, before, counted["calls"], encoded, view, rows)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory, strike: Callable[..., Any]) -> Callable[[str], Scene]:
    made: dict[str, Scene] = {}

    def get(name: str) -> Scene:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            media = faulty.write_media(folder / "media", photos=60)
            before = None if name == "first" else lived_in(folder / "before", media)
            made[name] = scene(folder, media, before, strike)
        return made[name]

    return get


def lived_in(home: Path, media: Path) -> Path:
    """A library with judgments, whose files have since been added, changed, renamed, copied and deleted."""
    with faulty.opened(home) as session:
        faulty.index(session, media)
        faulty.judge_some(session, media)
    photos = sorted(media.rglob("*.png"))
    for seed, path in enumerate(photos[:20]):
        faulty.write_photo(path, 1000 + seed)
    for path in photos[20:35]:
        path.unlink()
    for path in photos[35:45]:
        path.rename(path.with_name(f"renamed {path.name}"))
    shutil.copy(photos[50], media / "copy.png")
    for seed in range(20):
        faulty.write_photo(media / "new" / f"{seed}.png", 2000 + seed)
    return home


@pytest.mark.parametrize("how", [KILL_BEFORE, KILL_HALFWAY, KILL_AFTER], ids=["before", "halfway", "after"])
@pytest.mark.parametrize("name", ["first", "again"])
@pytest.mark.parametrize("points", POINTS)
def test_a_killed_run_is_finished_by_the_next(
    points: int, name: str, how: int, scenes: Callable[[str], Scene], strike: Callable[..., Any]
) -> None:
    scene = scenes(name)
    killed = 0
    for at in faulty.moments(scene.calls, points, seed=how):
        home = scene.start(scene.folder / "struck")
        answer = strike(home=str(home), folders=[str(scene.media)], mode=how, at=at)
        assert not answer["bug"]
        killed += answer["killed"]
        encoded, view, rows = finish(home, scene.media)
        context = f"{name}, call {at} of {len(scene.calls)}"
        assert answer["encoded"] + encoded - scene.encoded <= faulty.GROUP_ITEMS, context
        assert view == scene.view, context
        assert rows == scene.rows, context
        assert not list(faulty.library_dir(home).rglob("*.new")), context
    assert killed > points * 0.8
