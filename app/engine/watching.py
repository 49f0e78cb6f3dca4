"""Watching the folders of a library while it is open: which are to be indexed again, which have gone or come back."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

from app.engine.librarytypes import News
from app.engine.media.scan import Rules, guess_kind
from app.engine.scanning import is_online, nearest_folder, outermost
from app.engine.store.files import is_within

log = logging.getLogger(__name__)

Tell = Callable[[News, Any], None]

MOST_FOLDERS = 64
"""When more than these were changed, their roots are told instead."""

CLOSE_TIMEOUT_S = 5.0

# Linux tells when a writer has closed a file; elsewhere every single write has to do.
_WRITTEN = FileClosedEvent if sys.platform == "linux" else FileModifiedEvent
_EVENTS: list[type[FileSystemEvent]] = [
    *(DirCreatedEvent, DirDeletedEvent, DirMovedEvent),
    *(FileCreatedEvent, FileDeletedEvent, FileMovedEvent, _WRITTEN),
]


@dataclass(frozen=True)
class Watched:
    """What is to be watched: the ``roots``, and the rules by which a walk from them passes things over."""

    roots: Sequence[bytes] = ()
    rules: Rules = field(default_factory=Rules)


@dataclass(frozen=True)
class Pace:
    """How soon a watcher tells. A change is told when nothing has followed it for ``quiet_s``, or ``longest_s`` after
    it when changes never stop. Every ``poll_s`` is looked which roots there are and which are online.

    A root is told every ``rescan_s`` even so: network drives tell of no change made elsewhere, and a system that has
    too much to tell drops some. One that cannot be watched at all is told every ``unwatched_s``.
    """

    quiet_s: float = 2.0
    longest_s: float = 10.0
    poll_s: float = 5.0
    rescan_s: float = 1800.0
    unwatched_s: float = 120.0


@dataclass(eq=False)
class _Root:
    """A root that is online. ``is_whole``: the system tells of every folder of it."""

    identity: tuple[int, int]
    watch: ObservedWatch | None = None
    is_whole: bool = False
    told_s: float = field(default_factory=time.monotonic)


class Watcher:
    """Tells the `News` of a library's roots from a thread of its own, until it is closed.

    Args:
        watched: asked again and again, so that new and forgotten roots and changed rules are followed.
        tell: called with the news. Of changed folders, as few as will do are told, and all of them are there.
        ignored: the library's own folder, whose changes are its own doing.
    """

    def __init__(
        self,
        watched: Callable[[], Watched],
        tell: Tell,
        ignored: bytes,
        pace: Pace = Pace(),
    ) -> None:
        self._ask = watched
        self._tell = tell
        self._ignored = ignored
        self._pace = pace
        self._watched = watched()
        self._at_start = frozenset(self._watched.roots)
        self._online = {root: is_online(root) for root in self._watched.roots}
        self._roots: dict[bytes, _Root] = {}
        self._changed: dict[bytes, bytes] = {}
        """Folder -> its root."""
        self._first_s = self._last_s = 0.0
        self._condition = threading.Condition()
        self._closed = False
        self._observer = _observer()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop watching; nothing is told any more once this returns."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        self._thread.join(CLOSE_TIMEOUT_S)  # a drive that hangs must not hang the program
        if self._observer:
            self._observer.stop()
            self._observer.join(CLOSE_TIMEOUT_S)

    def note(self, root: bytes, path: bytes, is_folder: bool) -> None:
        """Something has happened at ``path`` below ``root``."""
        if not is_within(path, root) or is_within(path, self._ignored) or not (is_folder or guess_kind(path)):
            return
        above = path
        while above != root:
            if self._watched.rules.passes_over(above, root):
                return
            above = os.path.dirname(above)
        self._note_change(root, path if is_folder else os.path.dirname(path))

    def _note_change(self, root: bytes, folder: bytes) -> None:
        with self._condition:
            self._last_s = time.monotonic()
            if not self._changed:
                self._first_s = self._last_s
            self._changed[folder] = root
            self._condition.notify()

    # --- the thread ---

    def _run(self) -> None:
        polled_s: float | None = None
        while not self._closed:
            try:
                if polled_s is None or time.monotonic() - polled_s >= self._pace.poll_s:
                    polled_s = time.monotonic()
                    self._follow()
                    self._at_start = frozenset()
                    self._tell_presence()
                if folders := self._due(polled_s + self._pace.poll_s):
                    self._tell(News.FOLDERS_CHANGED, folders)
            except Exception:  # it must go on watching, whatever a callback or a drive does
                log.exception("watching went wrong")

    def _due(self, until_s: float) -> tuple[str, ...]:
        """Wait until changes are to be told, or for ``until_s``, and take them."""
        with self._condition:
            while not self._closed:
                due_s = min(self._last_s + self._pace.quiet_s, self._first_s + self._pace.longest_s)
                now_s = time.monotonic()
                if self._changed and due_s <= now_s:
                    changed, self._changed = self._changed, {}
                    break
                if until_s <= now_s:
                    return ()
                self._condition.wait(min(until_s, due_s) - now_s if self._changed else until_s - now_s)
            else:
                return ()
        return fewest_folders(changed, self._watched.rules)

    def _follow(self) -> None:
        """Watch the roots that are there now. One that has come since the start, or come back, is told: what happened
        meanwhile is not known."""
        self._watched = self._ask()
        for root in [root for root in self._roots if root not in self._watched.roots]:
            self._drop(root)
        for root in self._watched.roots:
            identity, known = _identity(root), self._roots.get(root)
            if known and known.identity != identity:
                self._drop(root)
                known = None
            if identity is None:
                continue
            if known is None:
                known = self._roots[root] = _Root(identity)
                self._schedule(root, known)
                if root not in self._at_start:
                    self._note_change(root, root)
            every_s = self._pace.rescan_s if known.is_whole else self._pace.unwatched_s
            if time.monotonic() - known.told_s >= every_s:
                known.told_s = time.monotonic()
                self._note_change(root, root)

    def _tell_presence(self) -> None:
        """Tell which roots have gone or come back. One that is new to the library was shown as it was added."""
        before, self._online = self._online, {root: root in self._roots for root in self._watched.roots}
        changed = [root for root, there in self._online.items() if before.get(root, there) != there]
        if changed:
            self._tell(News.ROOTS_CHANGED, tuple(os.fsdecode(root) for root in changed))

    def _schedule(self, root: bytes, known: _Root) -> None:
        if self._observer is None:
            self._tell_limit(root, "the system gives no notice of changes")
            return
        try:
            known.watch = self._observer.schedule(
                _Handler(self, root), os.fsdecode(root), recursive=True, event_filter=_EVENTS
            )
            _check_limit(self._observer)
            known.is_whole = True
        except OSError as error:
            self._tell_limit(root, error.strerror or str(error))

    def _tell_limit(self, root: bytes, why: str) -> None:
        sentence = (
            f"{os.fsdecode(root)} cannot be watched whole ({why}): it is looked through every "
            f"{self._pace.unwatched_s:g} s instead."
        )
        if sys.platform == "linux":
            sentence += " A higher fs.inotify.max_user_watches, or max_user_instances, helps."
        log.warning(sentence)
        self._tell(News.WATCHING_LIMITED, sentence)

    def _drop(self, root: bytes) -> None:
        known = self._roots.pop(root)
        if known.watch and self._observer:
            with contextlib.suppress(KeyError, OSError):  # it may have ended with its folder
                self._observer.unschedule(known.watch)


class _Handler(FileSystemEventHandler):
    def __init__(self, watcher: Watcher, root: bytes) -> None:
        self._watcher = watcher
        self._root = root

    def on_any_event(self, event: FileSystemEvent) -> None:
        for path in (event.src_path, event.dest_path):
            if path:
                self._watcher.note(self._root, os.fsencode(path), event.is_directory)


def _observer() -> BaseObserver | None:
    """The system's own notice of changes, or None where there is none to be had."""
    try:
        observer = Observer()
        observer.start()
    except OSError as error:
        log.warning("folders cannot be watched (%s): they are looked through now and then instead", error)
        return None
    return observer


def _check_limit(observer: BaseObserver) -> None:
    """watchdog passes folders over in silence once the system's limit is reached: see whether one more goes.

    Raises:
        OSError: the limit is reached.
    """
    if sys.platform == "linux":
        with tempfile.TemporaryDirectory(prefix="semblance-") as folder:
            observer.unschedule(observer.schedule(FileSystemEventHandler(), folder, event_filter=_EVENTS))


def _identity(root: bytes) -> tuple[int, int] | None:
    """Which folder a root is now: another drive may be in its place. None while it is offline."""
    try:
        status = os.stat(root)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if is_online(root) else None


def fewest_folders(changed: dict[bytes, bytes], rules: Rules) -> tuple[str, ...]:
    """The folders to index again: those that are there, none of them below another."""
    there = {nearest_folder(folder, root) for folder, root in changed.items() if is_online(root)}
    if len(there) > MOST_FOLDERS:
        there = {root for root in changed.values() if is_online(root)}
    return tuple(sorted(os.fsdecode(folder) for folder in outermost(sorted(there), rules)))
