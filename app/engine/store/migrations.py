"""The library's schema as ordered steps. ``PRAGMA user_version`` counts those a database has taken.

What a step makes is never changed once released: a change of the schema is a new step at the end. `upgrading` takes
the steps.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator

from app.engine.store import integrity

Migration = Callable[[sqlite3.Connection], None]


def _first_schema(connection: sqlite3.Connection) -> None:
    """Files point at contents by what is in them, so copies and renamed files share items, vectors and judgments."""
    for statement in (
        "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
        "CREATE TABLE roots (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE)",
        """CREATE TABLE contents (
            id INTEGER PRIMARY KEY,
            sha256 BLOB NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            width_px INTEGER, height_px INTEGER, duration_ms INTEGER, taken_ms INTEGER,
            caption TEXT NOT NULL DEFAULT '',
            failure TEXT)""",
        """CREATE TABLE files (
            id INTEGER PRIMARY KEY,
            path BLOB NOT NULL UNIQUE,
            size_bytes INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            content_id INTEGER REFERENCES contents(id),
            failure TEXT)""",
        "CREATE INDEX files_by_content ON files (content_id)",
        # AUTOINCREMENT here and below: no id is ever given twice, so an index that has missed a deletion can never
        # take one item for another, and "rows after the last one seen" is all that it has missed.
        """CREATE TABLE items (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            content_id INTEGER NOT NULL REFERENCES contents(id) ON DELETE CASCADE,
            kind TEXT NOT NULL,
            start_ms INTEGER NOT NULL,
            end_ms INTEGER,
            UNIQUE (content_id, kind, start_ms))""",
        """CREATE TABLE thumbnails (
            item_id INTEGER PRIMARY KEY REFERENCES items(id) ON DELETE CASCADE,
            image BLOB NOT NULL)""",
        """CREATE TABLE spaces (
            id INTEGER PRIMARY KEY,
            encoder TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            dim INTEGER NOT NULL,
            UNIQUE (encoder, fingerprint))""",
        """CREATE TABLE vectors (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            space_id INTEGER NOT NULL REFERENCES spaces(id) ON DELETE CASCADE,
            item_id INTEGER NOT NULL REFERENCES items(id) ON DELETE CASCADE,
            vector BLOB NOT NULL,
            UNIQUE (space_id, item_id))""",
        """CREATE TABLE encoded (
            content_id INTEGER NOT NULL REFERENCES contents(id) ON DELETE CASCADE,
            space_id INTEGER NOT NULL REFERENCES spaces(id) ON DELETE CASCADE,
            PRIMARY KEY (content_id, space_id)) WITHOUT ROWID""",
        # Its own copy of the words, keyed by file: names and folders belong to the file, the caption to its content.
        """CREATE VIRTUAL TABLE words USING fts5 (
            name, folders, caption, tokenize = 'unicode61 remove_diacritics 2')""",
        """CREATE TABLE queries (
            id INTEGER PRIMARY KEY,
            key TEXT NOT NULL UNIQUE,
            title TEXT NOT NULL,
            parts TEXT NOT NULL)""",
        """CREATE TABLE judgments (
            query_id INTEGER NOT NULL REFERENCES queries(id) ON DELETE CASCADE,
            sha256 BLOB NOT NULL,
            kind TEXT NOT NULL,
            start_ms INTEGER NOT NULL,
            grade INTEGER NOT NULL,
            judged_at TEXT NOT NULL,
            PRIMARY KEY (query_id, sha256, kind, start_ms)) WITHOUT ROWID""",
    ):
        connection.execute(statement)


def _scale(connection: sqlite3.Connection) -> None:
    """What indexing at scale needs: files by folder with a digest of each folder, so that an unchanged one is not
    looked at file by file; which contents were touched since the models were last done with all; a checksum of what
    was computed or chosen; indexes for deleting a content or a space, and those that hold a second copy of what was
    found out about files: comparing the two shows what a disk has changed."""
    for statement in (
        # `files` and `skipped` are what a pass reports of a folder whose `digest` still holds.
        """CREATE TABLE folders (
            id INTEGER PRIMARY KEY,
            path BLOB NOT NULL UNIQUE,
            device INTEGER,
            digest BLOB,
            files INTEGER NOT NULL DEFAULT 0,
            skipped TEXT NOT NULL DEFAULT '[]')""",
        "ALTER TABLE files ADD COLUMN folder_id INTEGER REFERENCES folders(id)",
        "ALTER TABLE files ADD COLUMN inode INTEGER",
        # It had changed so shortly before it was read that a later change may not show in its time.
        "ALTER TABLE files ADD COLUMN unsettled INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX files_by_folder ON files (folder_id)",
        "CREATE INDEX files_by_inode ON files (inode)",
        "CREATE INDEX items_by_kind ON items (kind)",
        "CREATE INDEX files_failed ON files (path) WHERE failure IS NOT NULL",
        "CREATE INDEX contents_failed ON contents (id) WHERE failure IS NOT NULL",
        # Every content but the touched ones has a file, and all that a complete space takes of it, cut by the sampling
        # that is named there.
        "CREATE TABLE touched (content_id INTEGER PRIMARY KEY)",
        "ALTER TABLE spaces ADD COLUMN complete TEXT",
        # `sampling` is what a video's or sound's items were cut by; `attempts` counts failures of passing causes.
        "ALTER TABLE contents ADD COLUMN sampling TEXT",
        "ALTER TABLE contents ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE thumbnails ADD COLUMN crc INTEGER",
        "ALTER TABLE judgments ADD COLUMN crc INTEGER",
        "ALTER TABLE queries ADD COLUMN crc INTEGER",
        "ALTER TABLE settings ADD COLUMN crc INTEGER",
        """CREATE TABLE checked_vectors (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            space_id INTEGER NOT NULL REFERENCES spaces(id) ON DELETE CASCADE,
            item_id INTEGER NOT NULL REFERENCES items(id) ON DELETE CASCADE,
            vector BLOB NOT NULL,
            crc INTEGER NOT NULL,
            UNIQUE (item_id, space_id))""",
    ):
        connection.execute(statement)
    _fill_folders(connection)
    _fill_checksums(connection)
    for statement in (
        "DROP TABLE vectors",
        "ALTER TABLE checked_vectors RENAME TO vectors",
        # With all that a search must know of a space's rows, so that no vector is read for it.
        "CREATE INDEX vectors_by_space ON vectors (space_id, id, item_id)",
        "CREATE INDEX encoded_by_space ON encoded (space_id)",
        "CREATE INDEX files_facts ON files (size_bytes, mtime_ns, inode, unsettled, failure)",
        "CREATE INDEX folders_facts ON folders (device, digest, files, skipped)",
        "CREATE INDEX contents_facts ON contents "
        "(kind, width_px, height_px, duration_ms, taken_ms, caption, failure, sampling, attempts)",
        "CREATE INDEX items_ends ON items (end_ms) WHERE end_ms IS NOT NULL",
        "CREATE INDEX spaces_dims ON spaces (dim, complete)",
        "INSERT INTO touched SELECT id FROM contents c "
        "WHERE NOT EXISTS (SELECT 1 FROM files f WHERE f.content_id = c.id)",
        *_watch_files(),
    ):
        connection.execute(statement)


def _watch_files() -> Iterator[str]:
    """Triggers, so that no writer has to remember: a changed row of a file takes its folder's digest back, and a
    content that gains or loses a file, a vector or a failure is touched."""
    for event, row in (("INSERT", "NEW"), ("DELETE", "OLD"), ("UPDATE", "OLD"), ("UPDATE", "NEW")):
        yield (
            f"CREATE TRIGGER digest_{event}_{row} AFTER {event} ON files BEGIN "
            f"UPDATE folders SET digest = NULL WHERE id = {row}.folder_id AND digest IS NOT NULL; END"
        )
    for name, event, row in (
        ("file_entered", "INSERT ON files", "NEW.content_id"),
        ("file_left", "DELETE ON files", "OLD.content_id"),
        ("file_replaced", "UPDATE OF content_id ON files", "OLD.content_id"),
        ("file_changed", "UPDATE OF content_id ON files", "NEW.content_id"),
        ("content_reopened", "UPDATE OF failure, attempts, sampling ON contents", "NEW.id"),
        ("encoded_left", "DELETE ON encoded", "OLD.content_id"),
    ):
        yield (
            f"CREATE TRIGGER touch_{name} AFTER {event} WHEN {row} IS NOT NULL BEGIN "
            f"INSERT INTO touched SELECT {row} WHERE {row} NOT IN (SELECT content_id FROM touched); END"
        )


def _fill_folders(connection: sqlite3.Connection) -> None:
    connection.create_function("folder_of", 1, os.path.dirname, deterministic=True)
    connection.execute("INSERT INTO folders (path) SELECT DISTINCT folder_of(path) FROM files")
    connection.execute("UPDATE files SET folder_id = (SELECT d.id FROM folders d WHERE d.path = folder_of(files.path))")


def _fill_checksums(connection: sqlite3.Connection) -> None:
    connection.execute(
        "INSERT INTO checked_vectors (id, space_id, item_id, vector, crc) "
        "SELECT id, space_id, item_id, vector, vector_checksum(space_id, item_id, vector) FROM vectors"
    )
    # No id is ever given twice, not even one whose row is gone by now.
    connection.execute(
        "UPDATE sqlite_sequence SET seq = (SELECT old.seq FROM sqlite_sequence old WHERE old.name = 'vectors') "
        "WHERE name = 'checked_vectors'"
    )
    connection.execute("UPDATE thumbnails SET crc = checksum(item_id, image)")
    connection.execute("UPDATE judgments SET crc = checksum(query_id, sha256, kind, start_ms, grade, judged_at)")
    connection.execute("UPDATE queries SET crc = checksum(key, title, parts)")
    connection.execute("UPDATE settings SET crc = checksum(key, value)")


def _test_collections(connection: sqlite3.Connection) -> None:
    """Test queries in named sets, with guidelines; judgments by several judges. Both tables are made anew, the child
    before its parent goes, and what was damaged stays recognisable as such. Labels of pictures."""
    default_set = ("Test queries", "binary", "")
    old_query = integrity.sound("q", key="text", title="text", parts="text")
    old_judgment = integrity.sound(
        "j", query_id="integer", sha256="blob", kind="text", start_ms="integer", grade="integer", judged_at="text"
    )
    for statement in (
        # AUTOINCREMENT: a window that still shows a removed query can never write into another.
        """CREATE TABLE query_sets (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            scale TEXT NOT NULL,
            guidelines TEXT NOT NULL,
            crc INTEGER)""",
        """CREATE TABLE set_queries (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            set_id INTEGER NOT NULL REFERENCES query_sets(id) ON DELETE CASCADE,
            key TEXT NOT NULL,
            title TEXT NOT NULL,
            parts TEXT NOT NULL,
            guidelines TEXT NOT NULL,
            translations TEXT NOT NULL,
            crc INTEGER,
            UNIQUE (set_id, key))""",
        """CREATE TABLE set_judgments (
            query_id INTEGER NOT NULL REFERENCES set_queries(id) ON DELETE CASCADE,
            judge TEXT NOT NULL,
            sha256 BLOB NOT NULL,
            kind TEXT NOT NULL,
            start_ms INTEGER NOT NULL,
            grade INTEGER NOT NULL,
            judged_at TEXT NOT NULL,
            crc INTEGER,
            PRIMARY KEY (query_id, judge, sha256, kind, start_ms)) WITHOUT ROWID""",
    ):
        connection.execute(statement)
    connection.execute(
        "INSERT INTO query_sets VALUES (1, ?, ?, ?, ?)", (*default_set, integrity.checksum(*default_set))
    )
    for statement in (
        "INSERT INTO set_queries SELECT id, 1, key, title, parts, '', '{}', "
        f"CASE WHEN {old_query} THEN checksum(1, key, title, parts, '', '{{}}') ELSE -1 END FROM queries q",
        "INSERT INTO set_judgments SELECT query_id, '', sha256, kind, start_ms, grade, judged_at, "
        f"CASE WHEN {old_judgment} THEN checksum(query_id, '', sha256, kind, start_ms, grade, judged_at) ELSE -1 END "
        "FROM judgments j",
        "DROP TABLE judgments",
        "DROP TABLE queries",
        "ALTER TABLE set_queries RENAME TO queries",
        "ALTER TABLE set_judgments RENAME TO judgments",
        # What a library's pictures are labelled with, and the likeliest labels of each picture by one space.
        """CREATE TABLE labels (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            crc INTEGER)""",
        """CREATE TABLE item_labels (
            item_id INTEGER NOT NULL REFERENCES items(id) ON DELETE CASCADE,
            label_id INTEGER NOT NULL REFERENCES labels(id) ON DELETE CASCADE,
            score REAL NOT NULL,
            PRIMARY KEY (item_id, label_id)) WITHOUT ROWID""",
        "CREATE INDEX item_labels_by_label ON item_labels (label_id, score, item_id)",
        # Which pictures were looked at, since one may have no likely label. By which model and list is a setting.
        """CREATE TABLE labelled (
            item_id INTEGER PRIMARY KEY REFERENCES items(id) ON DELETE CASCADE,
            crc INTEGER)""",
    ):
        connection.execute(statement)


MIGRATIONS: tuple[Migration, ...] = (_first_schema, _scale, _test_collections)
SCHEMA_VERSION = len(MIGRATIONS)

BYTES_SUMMED: dict[Migration, str] = {
    _scale: """SELECT
        (SELECT count(*) FROM vectors) * (SELECT avg(length(vector)) FROM (SELECT vector FROM vectors LIMIT 100)),
        (SELECT count(*) FROM items) * (SELECT avg(length(image)) FROM (SELECT image FROM thumbnails LIMIT 100))""",
}
"""Asks before the first step about how many bytes a long one puts through checksums, in columns to be added up: by
these it is known how far it is. An index counts the rows without reading them, the first hundred say how long they are.
"""
