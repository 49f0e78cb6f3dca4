"""The first half of indexing: what is in the folders now, entered into the catalogue. A rename is no new content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from app.engine.errors import AppError
from app.engine.jobs import Job
from app.engine.media.scan import FoundFile, guess_kind, scan
from app.engine.store.files import Files, KnownFile, ReadFile, is_within
from app.engine.types import Failure, FileCounts, MediaKind

READERS = 4
"""Threads that read and hash; hashing releases the interpreter, and a slow disk is waited for in parallel."""

COMMIT_EVERY_FILES = 256


@dataclass(eq=False)
class ScanOutcome:
    """What the folders held. ``failures`` are folders and files that could not be looked into."""

    seen: int = 0
    new: int = 0
    changed: int = 0
    renamed: int = 0
    unchanged: int = 0
    removed: int = 0
    failures: list[Failure] = field(default_factory=list)
    skipped: list[Failure] = field(default_factory=list)

    def counts(self, failed: int) -> FileCounts:
        return FileCounts(
            seen=self.seen,
            new=self.new,
            changed=self.changed,
            renamed=self.renamed,
            unchanged=self.unchanged,
            removed=self.removed,
            failed=failed,
            skipped=len(self.skipped),
        )


def folder_bytes(folder: str) -> bytes:
    """The absolute path of a folder the user named, as the bytes the system knows it by.

    Raises:
        AppError: there is no such folder.
    """
    path = os.path.abspath(folder)  # noqa: PTH100 - resolving links would change the user's own path
    if not os.path.isdir(path):  # noqa: PTH112 - the path may be no valid text
        what = "This is a file; give the folder it is in." if os.path.exists(path) else "There is no such folder."  # noqa: PTH110
        raise AppError("This folder cannot be indexed", what, path)
    return os.fsencode(path)


def is_online(root: bytes) -> bool:
    """Whether a root is there. The empty place where a drive was mounted counts as absent."""
    try:
        with os.scandir(root) as entries:
            return next(entries, None) is not None
    except PermissionError:
        return True
    except OSError:
        return False


def covers(root: bytes, folder: bytes) -> bool:
    """Whether a walk from ``root`` comes to ``folder``: it passes hidden folders by and follows no links."""
    if not is_within(folder, root):
        return False
    while folder != root:
        if os.path.basename(folder).startswith(b".") or os.path.islink(folder):  # noqa: PTH119, PTH114 - bytes
            return False
        folder = os.path.dirname(folder)  # noqa: PTH120
    return True


def update_files(files: Files, folders: Sequence[bytes], job: Job) -> ScanOutcome:
    """Bring the catalogue up to what is at and below ``folders``. An absent folder changes nothing."""
    outcome = ScanOutcome()
    known = {file.path: file for folder in folders for file in files.known(folder)}
    found = _look(folders, outcome, job)
    to_read = [file for file in found.values() if not _is_unchanged(file, known.get(file.path))]
    outcome.unchanged = len(found) - len(to_read)
    missing = _missing(known, found, [*_not_looked_into(files, folders), *map(_path, outcome.failures)])
    _read_all(files, to_read, known, missing, outcome, job)
    outcome.removed = len(missing)
    files.remove([file.id for file in missing.values()])
    files.drop_empty_roots(root for root in files.roots() if not os.path.lexists(root))
    return outcome


def _look(folders: Sequence[bytes], outcome: ScanOutcome, job: Job) -> dict[bytes, FoundFile]:
    def failed(path: bytes, reason: str) -> None:
        outcome.failures.append(Failure(os.fsdecode(path), reason))

    def skipped(path: bytes, reason: str) -> None:
        outcome.skipped.append(Failure(os.fsdecode(path), reason))

    found: dict[bytes, FoundFile] = {}
    job.begin("Looking through folders")
    for folder in folders:
        for file in scan(folder, failed, skipped):
            found[file.path] = file
            job.advance()
    # A folder may have been named together with one above it, and was walked twice then.
    outcome.failures, outcome.skipped = list(dict.fromkeys(outcome.failures)), list(dict.fromkeys(outcome.skipped))
    outcome.seen = len(found) + len(outcome.skipped)
    return found


def _is_unchanged(found: FoundFile, known: KnownFile | None) -> bool:
    return (
        known is not None
        and known.content_id is not None
        and (found.size_bytes, found.mtime_ns) == (known.size_bytes, known.mtime_ns)
    )


def _not_looked_into(files: Files, folders: Sequence[bytes]) -> list[bytes]:
    """Absent folders, and roots inside the ``folders`` that no walk from there comes to."""
    absent = [folder for folder in folders if not is_online(folder)]
    inside = [root for root in files.roots() if root not in folders and any(is_within(root, f) for f in folders)]
    return absent + [root for root in inside if not any(covers(folder, root) for folder in folders)]


def _missing(
    known: dict[bytes, KnownFile], found: dict[bytes, FoundFile], unsure: Sequence[bytes]
) -> dict[bytes, KnownFile]:
    """The known files that are gone for sure: those that are not below a folder that could not be looked into."""
    return {
        path: file
        for path, file in known.items()
        if path not in found and not any(is_within(path, folder) for folder in unsure)
    }


def _path(failure: Failure) -> bytes:
    return os.fsencode(failure.path)


def _read_all(
    files: Files,
    to_read: Sequence[FoundFile],
    known: dict[bytes, KnownFile],
    missing: dict[bytes, KnownFile],
    outcome: ScanOutcome,
    job: Job,
) -> None:
    """Hash what is new or changed and enter it; files that only moved leave ``missing``."""
    job.begin("Reading files", len(to_read))
    with ThreadPoolExecutor(READERS, thread_name_prefix="reader") as readers:
        for chunk in _chunks(to_read, COMMIT_EVERY_FILES):
            read: list[ReadFile] = []
            for file, result in zip(chunk, readers.map(_read, chunk), strict=True):
                if isinstance(result, ReadFile):
                    read.append(result)
                else:
                    files.record_unreadable(file.path, file.size_bytes, file.mtime_ns, result)
                before = known.get(file.path)
                if before is None:
                    outcome.new += 1
                elif (before.size_bytes, before.mtime_ns) == (file.size_bytes, file.mtime_ns):
                    outcome.unchanged += 1  # it could not be read before, and is tried again
                else:
                    outcome.changed += 1
                job.advance(failed=isinstance(result, str))
            moved = _moved(files, read, known, missing)
            files.record_read(read, {path: file.id for path, file in moved.items()})
            outcome.renamed += len(moved)
            outcome.new -= len(moved)


def _moved(
    files: Files, read: Sequence[ReadFile], known: dict[bytes, KnownFile], missing: dict[bytes, KnownFile]
) -> dict[bytes, KnownFile]:
    """New paths that hold the content of a file that is no longer where it was."""
    moved: dict[bytes, KnownFile] = {}
    taken: set[int] = set()
    for file in read:
        if file.path in known:
            continue
        for candidate in files.by_content(file.sha256):
            if candidate.id not in taken and (candidate.path in missing or not os.path.lexists(candidate.path)):
                moved[file.path] = candidate
                taken.add(candidate.id)
                missing.pop(candidate.path, None)
                break
    return moved


def _read(file: FoundFile) -> ReadFile | str:
    """The file's content as its SHA-256, or why it cannot be read."""
    try:
        with open(file.path, "rb") as stream:  # noqa: PTH123 - the path is bytes
            digest = hashlib.file_digest(stream, "sha256").digest()
    except OSError as error:
        return f"The file cannot be read: {error.strerror or error}."
    return ReadFile(file.path, file.size_bytes, file.mtime_ns, digest, guess_kind(file.path) or MediaKind.PHOTO)


def sha256_of(path: str) -> bytes:
    """The content of a file the user searches with.

    Raises:
        AppError: it cannot be read.
    """
    result = _read(FoundFile(os.fsencode(path), 0, 0))
    if isinstance(result, str):
        raise AppError("This file cannot be searched with", result, path)
    return result.sha256


def _chunks(files: Sequence[FoundFile], size: int) -> Iterator[Sequence[FoundFile]]:
    yield from (files[begin : begin + size] for begin in range(0, len(files), size))
