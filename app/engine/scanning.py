"""The first half of indexing: what is in the folders now, entered into the catalogue. A rename is no new content."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from app.engine.errors import AppError
from app.engine.jobs import Job
from app.engine.librarytypes import Failure, FileCounts
from app.engine.media.reading import Content, Unread, is_fresh, read
from app.engine.media.scan import FoundFile, Listing, Rules, device_of, guess_kind, media_files, walk
from app.engine.store.files import Files, KnownFile, ReadFile, is_within
from app.engine.store.folders import Folders, KnownFolder, seen_folder
from app.engine.types import MediaKind

READERS = 4
"""Threads that read and hash; hashing releases the interpreter, and a slow disk is waited for in parallel."""

COMMIT_EVERY_FILES = 256
NS_PER_S = 1_000_000_000


@dataclass(eq=False)
class ScanOutcome:
    """What the folders held. ``left`` files are for the next pass; ``failures`` are these, and folders and files that
    could not be looked into."""

    new: int = 0
    changed: int = 0
    renamed: int = 0
    unchanged: int = 0
    removed: int = 0
    left: int = 0
    failures: list[Failure] = field(default_factory=list)
    skipped: list[Failure] = field(default_factory=list)

    def counts(self, failed: int) -> FileCounts:
        return FileCounts(
            seen=self.new + self.changed + self.renamed + self.unchanged + self.left + len(self.skipped),
            new=self.new,
            changed=self.changed,
            renamed=self.renamed,
            unchanged=self.unchanged,
            removed=self.removed,
            failed=failed,
            skipped=len(self.skipped),
        )

    def on_failure(self, path: bytes, reason: str) -> None:
        self.failures.append(Failure(os.fsdecode(path), reason))

    def on_skipped(self, path: bytes, reason: str) -> None:
        self.skipped.append(Failure(os.fsdecode(path), reason))


@dataclass(frozen=True, slots=True)
class _Change:
    """A file to be entered: what is there now, on which file system, and what was there before."""

    found: FoundFile
    device: int
    before: KnownFile | None


def folder_bytes(folder: str) -> bytes:
    """The absolute path of a folder the user named, as the bytes the system knows it by.

    Raises:
        AppError: there is no such folder.
    """
    path = os.path.abspath(folder)  # resolving links would change the user's own path
    if not os.path.isdir(path):  # the path may be no valid text
        what = "This is a file; give the folder it is in." if os.path.exists(path) else "There is no such folder."
        raise AppError("This folder cannot be indexed", what, path)
    return os.fsencode(path)


def nearest_folder(path: bytes, root: bytes) -> bytes:
    """The folder at ``path``, or the nearest above it that is there, up to ``root``."""
    while path != root and not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


def is_online(root: bytes) -> bool:
    """Whether a root is there. The empty place where a drive was mounted counts as absent."""
    try:
        with os.scandir(root) as entries:
            return next(entries, None) is not None
    except PermissionError:
        return True
    except OSError:
        return False


def covers(root: bytes, folder: bytes, rules: Rules) -> bool:
    """Whether a walk from ``root`` comes to ``folder``: it passes some folders by and follows no links."""
    if not is_within(folder, root):
        return False
    while folder != root:
        if rules.passes_over(folder, root) or os.path.islink(folder):
            return False
        folder = os.path.dirname(folder)
    return True


def update_files(files: Files, folders: Folders, requested: Sequence[bytes], rules: Rules, job: Job) -> ScanOutcome:
    """Bring the catalogue up to what is at and below the ``requested`` folders. An absent folder changes nothing.

    A folder whose digest is the stored one is not looked at further, so that a pass over an unchanged tree is little
    more than a walk. Digests are stored last, after all that they vouch for: a killed pass is taken up by the next.
    """
    return _Pass(files, folders, rules, job).run(outermost(requested, rules))


class _Pass:
    """One look through some folders."""

    def __init__(self, files: Files, folders: Folders, rules: Rules, job: Job) -> None:
        self._files = files
        self._folders = folders
        self._rules = rules
        self._job = job
        self._roots = files.roots()
        self._outcome = ScanOutcome()
        self._changes: list[_Change] = []
        self._inodes: dict[int, int] = {}
        self._absent: dict[bytes, KnownFile] = {}
        """Known files that were not met."""
        self._seen: list[KnownFolder] = []
        """Folders that were looked at file by file."""
        self._unread: set[bytes] = set()
        """Folders with a file that is left for the next pass."""

    def run(self, starts: Sequence[bytes]) -> ScanOutcome:
        known = {path: folder for start in starts for path, folder in self._folders.below(start).items()}
        not_met = known.keys() - self._walk(starts, known)
        unsure = {*self._not_looked_into(starts), *(os.fsencode(one.path) for one in self._outcome.failures)}
        left = [path for path in not_met if not _is_below(path, unsure)]
        for path in left:
            self._absent |= self._folders.files(path)
        gone = {path: file for path, file in self._absent.items() if not _is_below(path, unsure)}
        self._offline = {root for root in self._roots if not is_online(root)}
        self._enter(gone)
        self._outcome.removed = len(gone)
        self._files.record_inodes(self._inodes)
        self._files.remove([file.id for file in gone.values()])
        self._folders.enter([replace(one, digest=None) if one.path in self._unread else one for one in self._seen])
        self._folders.remove(left)
        self._files.drop_empty_roots(root for root in self._offline if _has_left(root))
        return self._outcome

    # --- looking ---

    def _walk(self, starts: Sequence[bytes], known: dict[bytes, KnownFolder]) -> set[bytes]:
        """Look through the folders; those that were met."""
        outcome, met = self._outcome, set()
        self._job.begin("Looking through folders")
        for start in starts:
            for listing in walk(start, self._root_of(start), self._rules, outcome.on_failure):
                met.add(listing.path)
                before = known.get(listing.path)
                if before and before.digest == listing.digest:
                    outcome.unchanged += before.files
                    for name, reason in before.skipped_files():
                        outcome.on_skipped(os.path.join(listing.path, os.fsencode(name)), reason)
                else:
                    self._compare(listing)
                self._job.advance(len(listing.entries))
        return met

    def _compare(self, listing: Listing) -> None:
        """Look at one folder file by file."""
        outcome = self._outcome
        failures, skipped = len(outcome.failures), len(outcome.skipped)
        found = media_files(listing, self._rules, outcome.on_failure, outcome.on_skipped)
        known = self._folders.files(listing.path)
        device = device_of(listing.path)
        for file in found:
            before = known.pop(file.path, None)
            if before and self._is_unchanged(file, before, device):
                outcome.unchanged += 1
                if file.inode and file.inode != before.inode:
                    self._inodes[before.id] = file.inode
            else:
                self._changes.append(_Change(file, device, before))
        self._absent |= known
        doubtful = len(outcome.failures) > failures or any(is_fresh(one.mtime_ns, listing.listed_ns) for one in found)
        told = [(os.path.basename(one.path), one.reason) for one in outcome.skipped[skipped:]]
        digest = None if doubtful else listing.digest
        self._seen.append(seen_folder(listing.path, device, digest, len(found), told))

    def _is_unchanged(self, found: FoundFile, known: KnownFile, device: int) -> bool:
        if known.content_id is None or known.unsettled or not _same_facts(found, known):
            return False
        if known.inode is None or not found.inode or found.inode == known.inode:
            return True
        # Some file systems number their files anew whenever they are mounted, so another inode alone says nothing. If
        # it is that of another known file with the same size and time, that file was moved over this one.
        return not any(_same_facts(found, other) for other in self._files.by_inode(found.inode, device))

    def _root_of(self, folder: bytes) -> bytes:
        """The root that a walk from ``folder`` is part of."""
        return max((root for root in self._roots if covers(root, folder, self._rules)), key=len, default=folder)

    def _not_looked_into(self, starts: Sequence[bytes]) -> list[bytes]:
        """Absent folders, and roots inside of what was walked that no walk comes to."""
        inside = [root for root in self._roots if root not in starts and any(is_within(root, one) for one in starts)]
        return [
            *(start for start in starts if not is_online(start)),
            *(root for root in inside if not any(covers(start, root, self._rules) for start in starts)),
        ]

    # --- entering ---

    def _enter(self, gone: dict[bytes, KnownFile]) -> None:
        """Enter what is new or changed; files that only moved leave ``gone``."""
        self._job.begin("Reading files", len(self._changes))
        with ThreadPoolExecutor(READERS, thread_name_prefix="reader") as readers:
            for begin in range(0, len(self._changes), COMMIT_EVERY_FILES):
                chunk = self._changes[begin : begin + COMMIT_EVERY_FILES]
                moved = self._move_unread(chunk, gone)
                rest = [one for one in chunk if one.found.path not in moved]
                taken: list[ReadFile] = []
                for change, result in zip(rest, readers.map(read, (one.found for one in rest)), strict=True):
                    if isinstance(result, Content):
                        taken.append(self._take(change, result))
                    else:
                        self._leave(change, result)
                    self._job.advance(failed=isinstance(result, Unread))
                self._record(rest, taken, gone)

    def _move_unread(self, chunk: Sequence[_Change], gone: dict[bytes, KnownFile]) -> set[bytes]:
        """Give new paths to files that are, by all that the file system says of them, ones that left their places:
        a renamed folder is not read again. The paths."""
        moved: dict[bytes, KnownFile] = {}
        taken: set[int] = set()
        for change in chunk:
            found = change.found
            if change.before is not None or not found.inode:
                continue
            candidates = [
                file
                for file in self._files.by_inode(found.inode, change.device)
                if _is_surely(found, file) and file.id not in taken and (file.path in gone or _has_left(file.path))
            ]
            if len(candidates) == 1:
                moved[found.path] = candidates[0]
                taken.add(candidates[0].id)
                gone.pop(candidates[0].path, None)
        if moved:
            self._files.record_moved([(file, path) for path, file in moved.items()])
            self._outcome.renamed += len(moved)
            self._job.advance(len(moved))
        return set(moved)

    def _take(self, change: _Change, content: Content) -> ReadFile:
        found, before, outcome = change.found, change.before, self._outcome
        if before is None:
            outcome.new += 1
        elif _same_facts(found, before) and self._files.holds(before, content.sha256):
            outcome.unchanged += 1
        else:
            outcome.changed += 1
        kind = guess_kind(found.path) or MediaKind.PHOTO
        return ReadFile(
            found.path, found.size_bytes, found.mtime_ns, content.sha256, kind, found.inode, content.unsettled
        )

    def _leave(self, change: _Change, unread: Unread) -> None:
        """A file that could not be read is entered with the reason. One that went or changed meanwhile, and one that
        is the same as before by its facts, keeps what the catalogue has of it until the next pass."""
        found, before, outcome = change.found, change.before, self._outcome
        is_as_before = before is not None and _same_facts(found, before)
        if unread.passing or (before and before.content_id and is_as_before):
            outcome.left += 1
            outcome.on_failure(found.path, unread.reason)
            self._unread.add(os.path.dirname(found.path))
            return
        self._files.record_unreadable(found.path, found.size_bytes, found.mtime_ns, unread.reason)
        outcome.unchanged += is_as_before
        outcome.new += before is None
        outcome.changed += before is not None and not is_as_before

    def _record(self, changes: Sequence[_Change], files: Sequence[ReadFile], gone: dict[bytes, KnownFile]) -> None:
        """Commit files that were read; new ones that hold what a file which left its place held take its row."""
        new = {change.found.path: change.device for change in changes if change.before is None}
        moved: dict[bytes, KnownFile] = {}
        taken: set[int] = set()
        for file in (file for file in files if file.path in new):
            for candidate, device in self._files.by_content(file.sha256):
                is_same = file.inode > 0 and (file.inode, new[file.path]) == (candidate.inode, device)
                if candidate.id not in taken and self._is_free(candidate, gone, is_same):
                    moved[file.path] = candidate
                    taken.add(candidate.id)
                    gone.pop(candidate.path, None)
                    break
        self._files.record_read(files, {path: file.id for path, file in moved.items()})
        self._outcome.renamed += len(moved)
        self._outcome.new -= len(moved)

    def _is_free(self, file: KnownFile, gone: dict[bytes, KnownFile], is_same: bool) -> bool:
        """Whether a file is no longer where it was. On a drive that is away it still is, unless it came from there to
        here as the same file, which only a renamed folder does."""
        if file.path in gone:
            return True
        return _has_left(file.path) and (is_same or not any(is_within(file.path, root) for root in self._offline))


def outermost(folders: Sequence[bytes], rules: Rules) -> list[bytes]:
    """The folders without those that a walk from another comes to."""
    distinct = list(dict.fromkeys(folders))
    return [one for one in distinct if not any(other != one and covers(other, one, rules) for other in distinct)]


def _same_facts(found: FoundFile, known: KnownFile) -> bool:
    return (found.size_bytes, found.mtime_ns) == (known.size_bytes, known.mtime_ns)


def _is_surely(found: FoundFile, known: KnownFile) -> bool:
    """Whether a file of the same inode is the same file. Inodes are given anew, so where its time is a whole second,
    as archives and cameras write it, the name must be the same too."""
    if known.content_id is None or known.unsettled or not _same_facts(found, known):
        return False
    return found.mtime_ns % NS_PER_S != 0 or os.path.basename(found.path) == os.path.basename(known.path)


def _has_left(path: bytes) -> bool:
    """Whether nothing is at a path; not so where it cannot be looked at."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _is_below(path: bytes, folders: set[bytes]) -> bool:
    """Whether a path is one of these or lies below one."""
    while path not in folders:
        above = os.path.dirname(path)
        if above == path:
            return False
        path = above
    return True
