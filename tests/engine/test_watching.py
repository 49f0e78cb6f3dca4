"""A watcher tells which folders were changed, in as few words as will do, and survives what happens to drives."""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.engine.librarytypes import News
from app.engine.media.scan import Rules
from app.engine.watching import MOST_FOLDERS, Pace, Watched, Watcher, fewest_folders

# watchdog warns, from its own thread, of a folder that it meets twice: an error there would end all its watching.
pytestmark = pytest.mark.filterwarnings("ignore:Callback with id:RuntimeWarning")

WAIT_S = 30.0
BRISK = Pace(quiet_s=0.2, longest_s=2.0, poll_s=0.1)


class Told:
    """A watcher over some roots with what it has told so far."""

    def __init__(self, home: Path, *roots: Path, rules: Rules | None = None, pace: Pace = BRISK) -> None:
        self.roots = [os.fsencode(root) for root in roots]
        self.rules = rules or Rules()
        self.asked = 0
        self._told: queue.Queue[tuple[str, ...]] = queue.Queue()
        self.roots_changed: queue.Queue[tuple[str, ...]] = queue.Queue()
        self.watcher = Watcher(self.watched, self.tell, os.fsencode(home), pace)
        self.allowed: set[str] = set()
        self.wait_for_polls(3)  # the roots are watched once it asks again

    def watched(self) -> Watched:
        self.asked += 1
        return Watched(tuple(self.roots), self.rules)

    def tell(self, name: News, value: tuple[str, ...]) -> None:
        (self.roots_changed if name is News.ROOTS_CHANGED else self._told).put(value)

    def wait_for_polls(self, count: int) -> None:
        until = self.asked + count
        while self.asked < until:
            time.sleep(0.01)

    def until(self, *folders: Path) -> None:
        """Wait until all of these were told, and nothing but these, those before, and what is below them."""
        expected, told = {str(folder) for folder in folders}, set()
        self.allowed |= expected
        while not expected <= told:
            told |= set(self._told.get(timeout=WAIT_S))
            assert all(any(Path(one).is_relative_to(folder) for folder in self.allowed) for one in told)

    @property
    def is_silent(self) -> bool:
        return self._told.empty()


Watch = Callable[..., Told]


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    made: list[Told] = []

    def make(*roots: Path, rules: Rules | None = None, pace: Pace = BRISK) -> Told:
        made.append(Told(tmp_path / "home", *roots, rules=rules, pace=pace))
        return made[-1]

    yield make
    for told in made:
        told.watcher.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("one/deep", "two"):
        (tmp_path / "media" / name).mkdir(parents=True)
    (tmp_path / "media" / "old.jpg").write_bytes(b"x")
    return tmp_path / "media"


def test_a_file_that_is_made_written_moved_or_deleted_tells_its_folder(watch: Watch, root: Path) -> None:
    told = watch(root)
    path = root / "one" / "a.jpg"
    path.write_bytes(b"1")
    told.until(root / "one")
    path.write_bytes(b"22")
    told.until(root / "one")
    path.rename(root / "two" / "a.jpg")
    told.until(root / "one", root / "two")
    (root / "two" / "a.jpg").unlink()
    told.until(root / "two")


def test_the_fewest_folders_that_are_there_are_told(root: Path) -> None:
    def fewest(*folders: str) -> list[str]:
        changed = {os.fsencode(root / folder): os.fsencode(root) for folder in folders}
        return [os.path.relpath(folder, root) for folder in fewest_folders(changed, Rules())]

    assert fewest("one/deep", "two", "one") == ["one", "two"]
    assert fewest("one/deep/gone/for/good", "two") == ["one/deep", "two"]
    assert fewest("gone", "two") == ["."]
    for number in range(MOST_FOLDERS + 1):
        (root / "two" / str(number)).mkdir()
    assert fewest(*(f"two/{number}" for number in range(MOST_FOLDERS + 1))) == ["."]


def test_a_folder_that_comes_goes_or_is_renamed_is_told_by_what_is_there(watch: Watch, root: Path) -> None:
    told = watch(root)
    (root / "new" / "inner").mkdir(parents=True)
    (root / "new" / "inner" / "a.jpg").write_bytes(b"x")
    told.until(root / "new")
    (root / "new").rename(root / "one" / "newer")
    told.until(root)
    (root / "one" / "newer" / "inner" / "b.jpg").write_bytes(b"x")
    told.until(root / "one" / "newer" / "inner")
    shutil.rmtree(root / "one" / "newer")
    told.until(root / "one")


def test_what_no_scan_looks_at_is_not_told(watch: Watch, root: Path) -> None:
    told = watch(root, rules=Rules(excluded=("two",)))
    (root / "notes.txt").write_bytes(b"x")
    (root / ".hidden").mkdir()
    (root / ".hidden" / "a.jpg").write_bytes(b"x")
    (root / "two" / "a.jpg").write_bytes(b"x")
    (root / "old.jpg").read_bytes()
    (root / "one" / "last.jpg").write_bytes(b"x")
    told.until(root / "one")


def test_the_librarys_own_folder_is_not_told(watch: Watch, tmp_path: Path, root: Path) -> None:
    own = tmp_path / "home" / "cache"
    own.mkdir(parents=True)
    told = watch(tmp_path)
    (own / "a.jpg").write_bytes(b"x")
    (root / "one" / "last.jpg").write_bytes(b"x")
    told.until(root / "one")


def test_a_root_that_goes_and_comes_back_is_told_and_watched_again(watch: Watch, root: Path) -> None:
    told = watch(root)
    away = root.with_name("unplugged")
    root.rename(away)
    assert told.roots_changed.get(timeout=WAIT_S) == (str(root),)
    assert told.is_silent  # there is nothing to index
    (away / "one" / "a.jpg").write_bytes(b"x")
    away.rename(root)
    told.until(root)
    assert told.roots_changed.get(timeout=WAIT_S) == (str(root),)
    (root / "two" / "b.jpg").write_bytes(b"x")
    told.until(root / "two")


def test_a_root_that_was_away_from_the_start_is_told_when_it_comes_and_only_then(
    watch: Watch, root: Path, tmp_path: Path
) -> None:
    late = tmp_path / "late"
    told = watch(root, late)
    assert told.roots_changed.empty()
    late.mkdir()
    (late / "a.jpg").write_bytes(b"x")
    assert told.roots_changed.get(timeout=WAIT_S) == (str(late),)
    told.until(late)


def test_a_root_that_is_new_to_the_library_is_followed_and_a_forgotten_one_is_not(
    watch: Watch, root: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.jpg").write_bytes(b"x")
    told = watch(root)
    told.roots = [os.fsencode(other)]
    told.until(other)  # what happened before it was watched is not known
    assert told.roots_changed.empty()
    (root / "one" / "a.jpg").write_bytes(b"x")
    (other / "b.jpg").write_bytes(b"x")
    told.until(other)


def test_a_watcher_goes_on_when_its_listener_fails(tmp_path: Path, root: Path, watch: Watch) -> None:
    told = watch(root)
    put = told._told.put
    failed: list[tuple[str, ...]] = []

    def fail_once(_name: News, folders: tuple[str, ...]) -> None:
        if not failed:
            failed.append(folders)
            raise ZeroDivisionError
        put(folders)

    told.watcher._tell = fail_once
    (root / "one" / "a.jpg").write_bytes(b"x")
    while not failed:
        time.sleep(0.01)
    (root / "two" / "a.jpg").write_bytes(b"x")
    told.until(root / "two")


def test_a_root_is_told_now_and_then_without_any_notice(watch: Watch, root: Path) -> None:
    told = watch(root, pace=Pace(quiet_s=0.1, longest_s=1.0, poll_s=0.1, rescan_s=0.5))
    for _ in range(2):
        told.until(root)


def test_nothing_is_told_once_it_is_closed(watch: Watch, root: Path) -> None:
    told = watch(root)
    told.watcher.close()
    (root / "one" / "a.jpg").write_bytes(b"x")
    assert told.is_silent


LIMITED = """
import logging, os, queue, sys
from pathlib import Path
Path("/proc/sys/user/max_inotify_watches").write_text("2")
from app.engine.watching import Pace, Watched, Watcher
logging.basicConfig(level=logging.WARNING)
told = queue.Queue()
root = os.fsencode(sys.argv[1])
tell = lambda name, value: told.put((str(name), value))
watcher = Watcher(lambda: Watched((root,)), tell, b"/nowhere", Pace(0.1, 1.0, 0.1, 1000.0, 0.2))
print(*told.get(timeout=30))
print(*told.get(timeout=30))
watcher.close()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this limit")
def test_where_the_system_watches_no_more_folders_they_are_looked_through_instead(root: Path) -> None:
    namespace = ["unshare", "--user", "--map-root-user"]
    if not shutil.which("unshare") or subprocess.run([*namespace, "true"], check=False).returncode:
        pytest.skip("this system lets nobody have limits of their own")
    done = subprocess.run(
        [*namespace, sys.executable, "-c", LIMITED, str(root)], capture_output=True, text=True, timeout=120, check=False
    )
    limited, changed = done.stdout.splitlines()
    assert limited.startswith(f"watching_limited {root} cannot be watched whole (inotify watch limit reached)")
    assert "max_user_watches" in limited
    assert changed == f"folders_changed {(str(root),)}"
    assert limited.removeprefix("watching_limited ") in done.stderr
