"""Which files there are: roots, files and the contents they point at."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.engine.store.database import Database
from app.engine.types import Failure, MediaKind

_SEPARATOR = os.fsencode(os.sep)


@dataclass(frozen=True)
class KnownFile:
    """A file as the library last saw it. ``content_id`` is None while the file has never been readable."""

    id: int
    path: bytes
    size_bytes: int
    mtime_ns: int
    content_id: int | None


@dataclass(frozen=True)
class ReadFile:
    """A file that was just read: its facts from before the reading and the SHA-256 of what was read."""

    path: bytes
    size_bytes: int
    mtime_ns: int
    sha256: bytes
    kind: MediaKind


class Files:
    """The catalogue of files in one library. Paths are the bytes the system gave."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- roots ---

    def roots(self) -> tuple[bytes, ...]:
        return tuple(path for (path,) in self._database.read.execute("SELECT path FROM roots ORDER BY path"))

    def add_root(self, path: bytes, covers: Callable[[bytes, bytes], bool]) -> None:
        """Remember a folder. One that a known root covers adds nothing; known roots it covers become part of it."""
        known = self.roots()
        if any(covers(root, path) for root in known):
            return
        with self._database.transaction() as change:
            change.executemany("DELETE FROM roots WHERE path = ?", [(root,) for root in known if covers(path, root)])
            change.execute("INSERT INTO roots (path) VALUES (?)", (path,))

    def forget_root(self, path: bytes) -> None:
        """Forget a root, its files, and all that was computed from them. Judgments stay; so do the files on disk."""
        with self._database.transaction(rewrites=True) as change:
            change.execute("DELETE FROM roots WHERE path = ?", (path,))
            _delete_files(change, [file.id for file in self.known(path)])
            _purge(change, _orphans(change))

    def drop_empty_roots(self, gone: Iterable[bytes]) -> None:
        """Forget those of the ``gone`` roots under which no file is left: they were renamed."""
        with self._database.transaction() as change:
            for root in gone:
                if next(self._under(root, "1"), None) is None:
                    change.execute("DELETE FROM roots WHERE path = ?", (root,))

    # --- files ---

    def known(self, folder: bytes) -> list[KnownFile]:
        """The files at or below ``folder``."""
        return [KnownFile(*row) for row in self._under(folder, "id, path, size_bytes, mtime_ns, content_id")]

    def by_content(self, sha256: bytes) -> list[KnownFile]:
        """The files that hold this content."""
        rows = self._database.read.execute(
            "SELECT f.id, f.path, f.size_bytes, f.mtime_ns, f.content_id FROM files f "
            "JOIN contents c ON c.id = f.content_id WHERE c.sha256 = ? ORDER BY f.path",
            (sha256,),
        )
        return [KnownFile(*row) for row in rows]

    def record_read(self, files: Sequence[ReadFile], renamed_from: dict[bytes, int]) -> None:
        """Enter files that were read; ``renamed_from`` maps the path of a moved file to the row it moved from.

        Files whose root was forgotten meanwhile are left out.
        """
        with self._database.transaction(rewrites=True) as change:
            for file in _below_roots(change, files):
                change.execute(
                    "INSERT INTO contents (sha256, kind) VALUES (?, ?) ON CONFLICT DO NOTHING", (file.sha256, file.kind)
                )
                (content_id,) = change.execute("SELECT id FROM contents WHERE sha256 = ?", (file.sha256,)).fetchone()
                if file.path in renamed_from:
                    change.execute("UPDATE files SET path = ? WHERE id = ?", (file.path, renamed_from[file.path]))
                _upsert_file(change, file.path, file.size_bytes, file.mtime_ns, content_id, None)

    def record_unreadable(self, path: bytes, size_bytes: int, mtime_ns: int, reason: str) -> None:
        """Enter a file that could not be read at all; it is tried again at every pass."""
        with self._database.transaction() as change:
            _upsert_file(change, path, size_bytes, mtime_ns, None, reason)

    def remove(self, file_ids: Sequence[int]) -> None:
        """Take files that are no longer on disk out of the results. Their contents stay for a while: see `purge`."""
        with self._database.transaction(rewrites=True) as change:
            _delete_files(change, file_ids)

    def orphans(self) -> set[int]:
        """The contents that no file holds any more."""
        return _orphans(self._database.read)

    def purge(self, content_ids: set[int]) -> None:
        """Delete items, vectors and thumbnails of those of these contents that still have no file."""
        with self._database.transaction(rewrites=True) as change:
            _purge(change, content_ids & _orphans(change))

    # --- contents ---

    def failures(self, folder: bytes | None = None) -> tuple[Failure, ...]:
        """The files that could not be read or decoded, at or below ``folder``, or all."""
        condition, values = within_condition(folder) if folder else ("1", ())
        rows = self._database.read.execute(
            "SELECT f.path, coalesce(f.failure, c.failure) AS reason FROM files f "  # noqa: S608 - fixed fragments
            f"LEFT JOIN contents c ON c.id = f.content_id WHERE reason IS NOT NULL AND {condition} ORDER BY f.path",
            values,
        )
        return tuple(Failure(os.fsdecode(path), reason) for path, reason in rows)

    def _under(self, folder: bytes, columns: str) -> Iterator[tuple[int, bytes, int, int, int | None]]:
        condition, values = within_condition(folder)
        return self._database.read.execute(f"SELECT {columns} FROM files f WHERE {condition}", values)  # noqa: S608


def is_within(path: bytes, folder: bytes) -> bool:
    """Whether ``path`` is ``folder`` or lies below it."""
    return path == folder or path.startswith(folder.rstrip(_SEPARATOR) + _SEPARATOR)


def within_condition(folder: bytes) -> tuple[str, tuple[bytes, bytes, bytes]]:
    """A condition on ``f.path`` that SQLite answers from the index on it."""
    prefix = folder.rstrip(_SEPARATOR) + _SEPARATOR
    after = prefix[:-1] + bytes([prefix[-1] + 1])
    return "(f.path = ? OR (f.path >= ? AND f.path < ?))", (folder, prefix, after)


def _upsert_file(
    change: sqlite3.Connection, path: bytes, size_bytes: int, mtime_ns: int, content_id: int | None, failure: str | None
) -> None:
    (file_id,) = change.execute(
        "INSERT INTO files (path, size_bytes, mtime_ns, content_id, failure) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (path) DO UPDATE SET size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns, "
        "content_id = excluded.content_id, failure = excluded.failure RETURNING id",
        (path, size_bytes, mtime_ns, content_id, failure),
    ).fetchone()
    write_words(change, file_id)


def _below_roots(change: sqlite3.Connection, files: Sequence[ReadFile]) -> list[ReadFile]:
    roots = [root for (root,) in change.execute("SELECT path FROM roots")]
    return [file for file in files if any(is_within(file.path, root) for root in roots)]


def write_words(change: sqlite3.Connection, file_id: int) -> None:
    """Make the keyword row of one file again from its path and its content's caption."""
    path, caption = change.execute(
        "SELECT f.path, coalesce(c.caption, '') FROM files f LEFT JOIN contents c ON c.id = f.content_id "
        "WHERE f.id = ?",
        (file_id,),
    ).fetchone()
    folders, name = os.path.split(_below_root(change, path))
    change.execute("DELETE FROM words WHERE rowid = ?", (file_id,))
    change.execute(
        "INSERT INTO words (rowid, name, folders, caption) VALUES (?, ?, ?, ?)", (file_id, name, folders, caption)
    )


def _below_root(connection: sqlite3.Connection, path: bytes) -> str:
    """A path from the name of its root on: what lies above says nothing of one file that it does not say of all."""
    roots = [root for (root,) in connection.execute("SELECT path FROM roots") if is_within(path, root)]
    shown = os.path.relpath(path, os.path.dirname(roots[0])) if roots else path  # noqa: PTH120 - a path of bytes
    return os.fsdecode(shown).encode("utf-8", "replace").decode()


def _delete_files(change: sqlite3.Connection, file_ids: Sequence[int]) -> None:
    change.executemany("DELETE FROM words WHERE rowid = ?", [(file_id,) for file_id in file_ids])
    change.executemany("DELETE FROM files WHERE id = ?", [(file_id,) for file_id in file_ids])


def _orphans(connection: sqlite3.Connection) -> set[int]:
    return {
        content_id
        for (content_id,) in connection.execute(
            "SELECT id FROM contents c WHERE NOT EXISTS (SELECT 1 FROM files f WHERE f.content_id = c.id)"
        )
    }


def _purge(change: sqlite3.Connection, content_ids: Iterable[int]) -> None:
    change.executemany("DELETE FROM contents WHERE id = ?", [(content_id,) for content_id in content_ids])
