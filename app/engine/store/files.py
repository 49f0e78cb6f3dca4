"""Which files there are: roots, files and the contents they point at."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.engine.librarytypes import Failure
from app.engine.store.database import Database
from app.engine.store.integrity import path_bytes
from app.engine.types import MediaKind

_SEPARATOR = os.fsencode(os.sep)
_COLUMNS = "f.id, f.path, f.size_bytes, f.mtime_ns, f.content_id, f.inode, f.unsettled"


@dataclass(frozen=True)
class KnownFile:
    """A file as the library last saw it. ``content_id`` is None while the file has never been readable;
    ``unsettled``: it had only just been changed when it was read, and is to be read again."""

    id: int
    path: bytes
    size_bytes: int
    mtime_ns: int
    content_id: int | None
    inode: int | None = None
    unsettled: bool = False


@dataclass(frozen=True)
class ReadFile:
    """A file that was just read: its facts, the same before and after the reading, and the SHA-256 of what was read.
    ``inode`` 0: the system has none."""

    path: bytes
    size_bytes: int
    mtime_ns: int
    sha256: bytes
    kind: MediaKind
    inode: int = 0
    unsettled: bool = False


class Files:
    """The catalogue of files in one library. Paths are the bytes the system gave."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- roots ---

    def roots(self) -> tuple[bytes, ...]:
        return tuple(
            path_bytes(path)
            for (path,) in self._database.read.execute("SELECT CAST(path AS BLOB) FROM roots ORDER BY path")
        )

    def add_root(self, path: bytes, covers: Callable[[bytes, bytes], bool]) -> None:
        """Remember a folder. One that a known root covers adds nothing; known roots it covers become part of it."""
        known = self.roots()
        if any(covers(root, path) for root in known):
            return
        with self._database.transaction() as change:
            change.executemany("DELETE FROM roots WHERE path = ?", [(root,) for root in known if covers(path, root)])
            change.execute("INSERT INTO roots (path) VALUES (?)", (path,))

    def forget_root(self, path: bytes) -> None:
        """Forget a root, its files, and all that was computed from them. Judgments stay; so do the files on disk, and
        roots inside of it that are roots of their own."""
        inside = [root for root in self.roots() if root != path and is_within(root, path)]
        with self._database.transaction(rewrites=True) as change:
            change.execute("DELETE FROM roots WHERE path = ?", (path,))
            known = [file for file in self.known(path) if not any(is_within(file.path, root) for root in inside)]
            _delete_files(change, [file.id for file in known])
            condition, values = within_condition(path)
            change.execute(
                f"DELETE FROM folders AS f WHERE {condition} "
                "AND NOT EXISTS (SELECT 1 FROM files WHERE files.folder_id = f.id)",
                values,
            )
            _purge(change, _orphans(change))

    def drop_empty_roots(self, gone: Iterable[bytes]) -> None:
        """Forget those of the ``gone`` roots under which no file is left: they were renamed."""
        empty = [(root,) for root in gone if not self.any_below(root)]
        if empty:
            with self._database.transaction() as change:
                change.executemany("DELETE FROM roots WHERE path = ?", empty)

    # --- files ---

    def any_below(self, folder: bytes) -> bool:
        """Whether a file is at or below ``folder``."""
        return next(self._under(folder, "1"), None) is not None

    def known(self, folder: bytes) -> list[KnownFile]:
        """The files at or below ``folder``."""
        return [KnownFile(*row) for row in self._under(folder, _COLUMNS)]

    def by_content(self, sha256: bytes) -> list[tuple[KnownFile, int | None]]:
        """The files that hold this content, each with the number of its file system."""
        return self._with_devices(
            "f.content_id = (SELECT id FROM contents WHERE sha256 = ?) ORDER BY f.path", (sha256,)
        )

    def by_inode(self, inode: int, device: int) -> list[KnownFile]:
        """The files that were last seen as this inode of this file system."""
        return [file for file, on in self._with_devices("f.inode = ? ORDER BY f.path", (inode,)) if on == device]

    def holds(self, file: KnownFile, sha256: bytes) -> bool:
        """Whether this is the content that the catalogue has of the file."""
        row = self._database.read.execute(
            "SELECT 1 FROM contents WHERE id = ? AND sha256 = ?", (file.content_id, sha256)
        )
        return row.fetchone() is not None

    def record_read(self, files: Sequence[ReadFile], renamed_from: dict[bytes, int]) -> None:
        """Enter files that were read; ``renamed_from`` maps the path of a moved file to the row it moved from.

        Files whose root was forgotten meanwhile are left out.
        """
        if not files:
            return
        with self._database.transaction(rewrites=True) as change:
            kept = _below_roots(change, [file.path for file in files])
            for file in (file for file in files if file.path in kept):
                change.execute(
                    "INSERT INTO contents (sha256, kind) VALUES (?, ?) ON CONFLICT DO NOTHING", (file.sha256, file.kind)
                )
                (content_id,) = change.execute("SELECT id FROM contents WHERE sha256 = ?", (file.sha256,)).fetchone()
                if file.path in renamed_from:
                    change.execute("UPDATE files SET path = ? WHERE id = ?", (file.path, renamed_from[file.path]))
                facts = (file.size_bytes, file.mtime_ns, file.inode or None, file.unsettled, content_id, None)
                _upsert_file(change, file.path, facts)

    def record_moved(self, moved: Sequence[tuple[KnownFile, bytes]]) -> None:
        """Give files their new paths; what was computed of them stays as it is."""
        with self._database.transaction(rewrites=True) as change:
            kept = _below_roots(change, [path for _, path in moved])
            for file, path in (one for one in moved if one[1] in kept):
                change.execute(
                    "UPDATE files SET path = ?, folder_id = ? WHERE id = ?", (path, _folder_id(change, path), file.id)
                )
                write_words(change, file.id)

    def record_unreadable(self, path: bytes, size_bytes: int, mtime_ns: int, reason: str) -> None:
        """Enter a file that could not be read at all; it is tried again at every pass."""
        with self._database.transaction(rewrites=True) as change:
            _upsert_file(change, path, (size_bytes, mtime_ns, None, False, None, reason))

    def record_inodes(self, inodes: dict[int, int]) -> None:
        """Remember the inodes of files, by the files' ids."""
        if inodes:
            with self._database.transaction() as change:
                change.executemany(
                    "UPDATE files SET inode = ? WHERE id = ?", [(inode, file_id) for file_id, inode in inodes.items()]
                )

    def remove(self, file_ids: Sequence[int]) -> None:
        """Take files that are no longer on disk out of the results. Their contents stay for a while: see `purge`."""
        if file_ids:
            with self._database.transaction(rewrites=True) as change:
                _delete_files(change, file_ids)

    def orphans(self) -> set[int]:
        """The contents that no file holds any more."""
        return _orphans(self._database.read)

    def purge(self, content_ids: set[int]) -> None:
        """Delete items, vectors and thumbnails of those of these contents that still have no file."""
        if content_ids:
            with self._database.transaction(rewrites=True) as change:
                _purge(change, content_ids & _orphans(change))

    # --- contents ---

    def failures(self, folder: bytes | None = None) -> tuple[Failure, ...]:
        """The files that could not be read or decoded, at or below ``folder``, or all."""
        condition, values = within_condition(folder) if folder else ("1", ())
        rows = self._database.read.execute(
            "SELECT path, reason FROM ("
            "SELECT path, failure AS reason FROM files INDEXED BY files_failed WHERE failure IS NOT NULL UNION ALL "
            "SELECT f.path, c.failure FROM contents c INDEXED BY contents_failed CROSS JOIN files f "
            "ON f.content_id = c.id WHERE c.failure IS NOT NULL AND f.failure IS NULL"
            f") f WHERE {condition} ORDER BY path",
            values,
        )
        return tuple(Failure(os.fsdecode(path), reason) for path, reason in rows)

    def _with_devices(self, condition: str, values: tuple[object, ...]) -> list[tuple[KnownFile, int | None]]:
        rows = self._database.read.execute(
            f"SELECT {_COLUMNS}, d.device FROM files f JOIN folders d ON d.id = f.folder_id WHERE {condition}",
            values,
        )
        return [(KnownFile(*row[:-1]), row[-1]) for row in rows]

    def _under(self, folder: bytes, columns: str) -> Iterator[tuple[Any, ...]]:
        condition, values = within_condition(folder)
        return self._database.read.execute(f"SELECT {columns} FROM files f WHERE {condition}", values)


def is_within(path: bytes, folder: bytes) -> bool:
    """Whether ``path`` is ``folder`` or lies below it."""
    return path == folder or path.startswith(folder.rstrip(_SEPARATOR) + _SEPARATOR)


def within_condition(folder: bytes) -> tuple[str, tuple[bytes, bytes, bytes]]:
    """A condition on ``f.path`` that SQLite answers from the index on it."""
    prefix = folder.rstrip(_SEPARATOR) + _SEPARATOR
    after = prefix[:-1] + bytes([prefix[-1] + 1])
    return "(f.path = ? OR (f.path >= ? AND f.path < ?))", (folder, prefix, after)


def _upsert_file(change: sqlite3.Connection, path: bytes, facts: tuple[object, ...]) -> None:
    """``facts``: size in bytes, time in ns, inode, unsettled, content id, failure."""
    (file_id,) = change.execute(
        "INSERT INTO files (path, folder_id, size_bytes, mtime_ns, inode, unsettled, content_id, failure) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (path) DO UPDATE SET folder_id = excluded.folder_id, size_bytes = excluded.size_bytes, "
        "mtime_ns = excluded.mtime_ns, inode = excluded.inode, unsettled = excluded.unsettled, "
        "content_id = excluded.content_id, failure = excluded.failure RETURNING id",
        (path, _folder_id(change, path), *facts),
    ).fetchone()
    write_words(change, file_id)


def _folder_id(change: sqlite3.Connection, path: bytes) -> int:
    folder = os.path.dirname(path)
    change.execute("INSERT INTO folders (path) VALUES (?) ON CONFLICT DO NOTHING", (folder,))
    (folder_id,) = change.execute("SELECT id FROM folders WHERE path = ?", (folder,)).fetchone()
    return int(folder_id)


def _below_roots(change: sqlite3.Connection, paths: Iterable[bytes]) -> set[bytes]:
    roots = [root for (root,) in change.execute("SELECT CAST(path AS BLOB) FROM roots")]
    return {path for path in paths if any(is_within(path, root) for root in roots)}


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
    roots = [root for (root,) in connection.execute("SELECT CAST(path AS BLOB) FROM roots") if is_within(path, root)]
    shown = os.path.relpath(path, os.path.dirname(roots[0])) if roots else path
    return os.fsdecode(shown).encode("utf-8", "replace").decode()


def _delete_files(change: sqlite3.Connection, file_ids: Sequence[int]) -> None:
    change.executemany("DELETE FROM words WHERE rowid = ?", [(file_id,) for file_id in file_ids])
    change.executemany("DELETE FROM files WHERE id = ?", [(file_id,) for file_id in file_ids])


def _orphans(connection: sqlite3.Connection) -> set[int]:
    """A content that has lost a file was touched: see the triggers in `migrations`. CROSS JOIN looks at those first."""
    rows = connection.execute(
        "SELECT c.id FROM touched t CROSS JOIN contents c ON c.id = t.content_id "
        "WHERE NOT EXISTS (SELECT 1 FROM files f WHERE f.content_id = c.id)"
    )
    return {content_id for (content_id,) in rows}


def _purge(change: sqlite3.Connection, content_ids: Iterable[int]) -> None:
    change.executemany("DELETE FROM contents WHERE id = ?", [(content_id,) for content_id in content_ids])
