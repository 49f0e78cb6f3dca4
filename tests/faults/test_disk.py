"""A disk that is full, fails or goes away: it is said, what was finished is kept, the next run goes on."""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import faulty
import pytest
from disks import disk_of
from struck import COUNT, FAIL_FROM, FAIL_SYNCS

from app.engine.errors import AppError
from app.engine.librarytypes import IndexRequest, LibrarySettings
from app.engine.session import Session

FAILURES = 12
"""Moments a test at which the disk begins to fail."""
SMALL_DISK = f"size={2 << 20}"


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return faulty.write_media(tmp_path_factory.mktemp("disk") / "media", photos=60)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, media: Path) -> dict[str, Any]:
    """What is seen of a library whose disk never failed."""
    with faulty.opened(tmp_path_factory.mktemp("whole")) as session:
        faulty.index(session, media)
        return faulty.view(session, media)


@pytest.mark.parametrize(
    ("mode", "error"),
    [(FAIL_FROM, errno.ENOSPC), (FAIL_FROM, errno.EIO), (FAIL_SYNCS, errno.EIO)],
    ids=["full", "failing", "fsync"],
)
def test_a_disk_that_fails_is_told_of_and_the_next_run_goes_on(
    mode: int, error: int, media: Path, whole: dict[str, Any], tmp_path: Path, strike: Callable[..., Any]
) -> None:
    home = tmp_path / "home"
    calls = strike(home=str(home), folders=[str(media)], mode=COUNT, at=0)["calls"]
    told = calls.rindex("s", 0, calls.rindex("t"))  # then all is committed, and closing only tidies the journal away
    places = [at for at, kind in enumerate(calls[:told], 1) if kind == "s" or mode != FAIL_SYNCS]
    for at in random.Random(error).sample(places, FAILURES):
        shutil.rmtree(home)
        answer = strike(home=str(home), folders=[str(media)], mode=mode, at=at, error=error)
        assert not answer["bug"], at
        assert "disk" in answer["said"], at
        counter = [0]
        with faulty.opened(home, counter) as session:
            faulty.index(session, media)
            assert faulty.view(session, media) == whole, at
        assert answer["encoded"] + counter[0] <= 62 + faulty.GROUP_ITEMS, at
        faulty.assert_consistent(home)


def test_a_disk_that_fails_while_the_index_is_saved_leaves_the_old_one(
    media: Path, whole: dict[str, Any], tmp_path: Path, strike: Callable[..., Any]
) -> None:
    before, home = tmp_path / "before", tmp_path / "home"
    with faulty.opened(before) as session:
        faulty.index(session, media)
    shutil.copytree(media, tmp_path / "media")
    faulty.write_photo(tmp_path / "media" / "new.png", 999)
    index = faulty.library_dir(before) / "indexes"
    old = {path.name: path.read_bytes() for path in index.iterdir()}
    folders = [str(tmp_path / "media")]
    shutil.copytree(before, home)
    calls = strike(home=str(home), folders=folders, mode=COUNT, at=0)["calls"]
    assert (faulty.library_dir(home) / "indexes" / "space-1.hnsw").read_bytes() != old["space-1.hnsw"]
    renamed = calls.rindex("r") + 1
    kept = 0
    for at in range(renamed - 4, renamed):
        shutil.rmtree(home)
        shutil.copytree(before, home)
        answer = strike(home=str(home), folders=folders, mode=FAIL_FROM, at=at, error=errno.ENOSPC)
        assert not answer["bug"]
        assert answer["said"]
        now = {path.name: path.read_bytes() for path in (faulty.library_dir(home) / "indexes").iterdir()}
        kept += now == old
        with faulty.opened(home) as session:
            assert session.verify().broken == ()
            assert faulty.view(session, media)["kinds"]
    assert kept


def test_a_full_disk_is_told_of_and_with_room_the_run_goes_on(
    media: Path, whole: dict[str, Any], tmp_path: Path
) -> None:
    with disk_of(tmp_path / "disk", SMALL_DISK) as disk:
        home = disk / "home"
        with faulty.opened(home) as session:
            settings = session.status().settings
        counter = [0]
        filler = fill(disk, but_bytes=300 << 10)
        with faulty.opened(home, counter) as session:
            with pytest.raises(AppError, match="disk"):
                faulty.index(session, media)
            fill(disk)
            with pytest.raises(AppError, match="disk"):
                for interval_ms in range(1_000, 60_000, 100):
                    session.set_settings(LibrarySettings(frame_interval_ms=interval_ms, excluded=("x" * 20_000,)))
        filler.unlink()
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        with faulty.opened(home, counter) as session:
            session.set_settings(settings)
            faulty.index(session, media)
            assert faulty.view(session, media) == whole
        assert counter[0] <= 62 + faulty.GROUP_ITEMS
        faulty.assert_consistent(home)


def fill(disk: Path, but_bytes: int = 0) -> Path:
    """Fill a disk with one file, but for so many bytes."""
    path = disk / "filler"
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        while True:
            os.write(file, bytes(4096))
    except OSError:
        os.ftruncate(file, max(0, os.fstat(file).st_size - but_bytes))
    finally:
        os.close(file)
    return path


# --- a drive that goes ---


class Leaving:
    """A decoder pool during whose work the drive goes away."""

    def __init__(self, after: int, leave: Callable[[], None]) -> None:
        self._after = after
        self._leave = leave
        self._inner = faulty.InlinePool()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def decode(self, request: Any) -> Any:
        self._after -= 1
        if self._after == 0:
            self._leave()
        return self._inner.decode(request)


@pytest.mark.parametrize("how", ["unmounted", "renamed"])
def test_a_drive_that_goes_while_it_is_indexed_loses_nothing(
    how: str, media: Path, tmp_path: Path, whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    drive, away, home = tmp_path / "drive", tmp_path / "away", tmp_path / "home"
    shutil.copytree(media, away)

    def arrive() -> None:
        if how == "renamed":
            away.rename(drive)
            return
        drive.mkdir(exist_ok=True)
        mounted = shutil.which("mount") and subprocess.run(["mount", "--bind", away, drive], capture_output=True)
        if not mounted or mounted.returncode:
            pytest.skip("nothing may be mounted here")

    def leave() -> None:
        if how == "renamed":
            drive.rename(away)
        else:
            subprocess.run(["umount", "--lazy", drive], check=True)

    arrive()
    with faulty.opened(home) as session:
        session.set_settings(session.status().settings)
        pool = Leaving(after=30, leave=leave)
        monkeypatch.setattr(session._indexer, "_pool", pool)
        with suppress(AppError):
            report = session.index(IndexRequest((str(drive),), faulty.MODELS))
            assert report.files.removed == 0
    known = faulty.rows(home)
    assert known["files"] == 62
    assert known["vectors"] > 0
    with faulty.opened(home) as session:  # away: offline, and kept
        assert not session.status().roots[0].online
        session.index(IndexRequest((), faulty.MODELS))
        assert faulty.rows(home) == known
    arrive()
    try:
        with faulty.opened(home) as session:
            session.index(IndexRequest((), faulty.MODELS))
            seen = faulty.view(session, drive)
        assert {key: seen[key] for key in ("kinds", "items", "failures")} == {
            key: whole[key] for key in ("kinds", "items", "failures")
        }
        faulty.assert_consistent(home)
    finally:
        leave()


def test_a_library_on_a_drive_that_goes_says_so(media: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    session = Session.open(home, encoders=faulty.TinySource())
    shutil.rmtree(home)
    with session, pytest.raises(AppError, match="folder|disk"):
        session.index(IndexRequest((str(media),), faulty.MODELS))
