"""Checking a whole library: SQLite's own check, every row's checksum, and the indexes as second copies of what their
tables hold. What can be computed again is dropped for the next run to make; what cannot is taken out and told of.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.engine.errors import LibraryDamaged
from app.engine.jobs import Job
from app.engine.store import damage, differences
from app.engine.store.database import Database, storage_error
from app.engine.store.differences import KEYED_TABLES
from app.engine.store.files import write_words
from app.engine.store.integrity import checksum, is_sound, number
from app.engine.store.judgments import SOUND_JUDGMENT
from app.engine.store.labels import SOUND_LABEL, SOUND_LABELLED, forget_labels
from app.engine.store.lookup import SOUND_THUMBNAIL
from app.engine.store.preferences import SOUND_SETTING
from app.engine.store.queries import SOUND_QUERY, SOUND_SET
from app.engine.store.shapes import expected_shape, shape

BLOCK_ROWS = 4096
FINE = "ok"
LABEL_TABLES = ("item_labels", "labelled")
LABELS_MADE_AGAIN = "Damaged labels of pictures were removed; they are given again after the next run of indexing."


@dataclass
class Findings:
    """What a check found, in sentences. ``mended``: is well again or will be after the next run of indexing;
    ``lost``: a person's own work that is gone; ``broken``: still stands."""

    mended: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def verify(database: Database, job: Job) -> Findings:
    """Check a library and mend what can be mended. It takes about as long as reading the database's file once.

    Raises:
        Cancelled: the job was cancelled; what was mended stays mended.
        AppError: the disk is full or fails.
    """
    check = _Check(database, job)
    for step in job.track(check.steps, "Checking the library", len(check.steps)):
        try:
            step()
        except LibraryDamaged as error:
            check.findings.broken.append(error.message)
        except UnicodeDecodeError as error:  # raised in place of a complaint that quotes what is damaged
            check.findings.broken.append(f"The database is damaged: {error}.")
        except sqlite3.DatabaseError as error:
            if (told := storage_error(error, database.path)) and not isinstance(told, LibraryDamaged):
                raise told from error
            check.findings.broken.append(f"The database is damaged: {error}.")
    known = {*check.findings.mended, *check.findings.lost}
    check.findings.mended[:0] = [sentence for sentence in database.doubts() if sentence not in known]
    if check.findings.broken:
        database.doubt(check.findings.broken[0])
    else:
        database.trust()
    return check.findings


class _Check:
    def __init__(self, database: Database, job: Job) -> None:
        self.findings = Findings()
        self.steps = (
            self._look_whole,
            self._check_references,
            self._check_vectors,
            self._check_thumbnails,
            self._check_labels,
            self._check_own_work,
            self._check_words,
            self._reopen,
            self._look_back,
        )
        self._database = database
        self._job = job
        self._read = database.read
        self._had_complaints = False

    # --- what SQLite sees by itself ---

    def _complaints(self) -> list[str]:
        return [line for (line,) in self._read.execute("PRAGMA integrity_check") if line != FINE]

    def _look_whole(self) -> None:
        self._had_complaints = bool(self._complaints())
        differences.mend(self._database, self._job, self.findings.mended)
        if self._had_complaints:
            with self._database.transaction(rewrites=True) as change:
                for table in KEYED_TABLES:
                    _rewrite(change, table, "1")

    def _look_back(self) -> None:
        """Whatever SQLite still complains of is beyond mending."""
        if not self._had_complaints and not self.findings.mended:
            return
        self.findings.broken += [f"The database is damaged: {line}." for line in self._complaints()]

    def _reopen(self) -> None:
        """Which contents are done is held once: the next run looks at all of them."""
        with self._database.transaction() as change:
            change.execute("UPDATE spaces SET complete = 0 WHERE complete")

    def _check_references(self) -> None:
        """Rows that belong to a row that is not there."""
        if self._read.execute("PRAGMA foreign_key_check").fetchone() is None:
            return
        with self._database.transaction(rewrites=True) as change:
            for statement in (
                "UPDATE files SET content_id = NULL, size_bytes = -1 WHERE content_id NOT IN (SELECT id FROM contents)",
                "UPDATE files SET folder_id = NULL WHERE folder_id NOT IN (SELECT id FROM folders)",
                "DELETE FROM items WHERE content_id NOT IN (SELECT id FROM contents)",
                "DELETE FROM encoded WHERE content_id NOT IN (SELECT id FROM contents) "
                "OR space_id NOT IN (SELECT id FROM spaces)",
                "DELETE FROM vectors WHERE item_id NOT IN (SELECT id FROM items) "
                "OR space_id NOT IN (SELECT id FROM spaces)",
                "DELETE FROM thumbnails WHERE item_id NOT IN (SELECT id FROM items)",
            ):
                change.execute(statement)
            damage.look_again(change)
            if any(change.execute(f"PRAGMA foreign_key_check({table})").fetchone() for table in LABEL_TABLES):
                forget_labels(change)
            for (set_id,) in change.execute(
                "SELECT DISTINCT set_id FROM queries WHERE set_id NOT IN (SELECT id FROM query_sets)"
            ).fetchall():
                _recover_set(change, set_id)
            lost = change.execute("DELETE FROM judgments WHERE query_id NOT IN (SELECT id FROM queries)").rowcount
        self.findings.mended.append("Entries that belonged to nothing were removed.")
        if lost:
            self.findings.lost.append(f"{lost} judgments of a query that is gone were taken out.")

    # --- rows with a checksum ---

    def _check_vectors(self) -> None:
        damaged: dict[int, tuple[int, int]] = {}
        (last,) = self._read.execute("SELECT coalesce(max(id), 0) FROM vectors").fetchone()
        for row in range(0, last, BLOCK_ROWS):
            self._job.check()
            damaged.update(self._damaged_vectors(row))
        if damaged:
            with self._database.transaction(rewrites=True) as change:
                damage.unmark(change, damaged.values())
                damage.drop_vectors(change, damaged)
            self.findings.mended.append(f"{len(damaged)} damaged vectors were removed; indexing makes them again.")

    def _damaged_vectors(self, after: int) -> Iterator[tuple[int, tuple[int, int]]]:
        for row, space_id, item_id, vector, crc in self._read.execute(
            "SELECT id, space_id, item_id, CAST(vector AS BLOB), crc FROM vectors WHERE id > ? AND id <= ?",
            (after, after + BLOCK_ROWS),
        ):
            if not is_sound(space_id, item_id, vector, crc):
                yield row, (item_id, space_id)

    def _check_thumbnails(self) -> None:
        rows = self._read.execute(
            f"SELECT item_id FROM thumbnails t WHERE NOT coalesce({SOUND_THUMBNAIL}, 0) UNION "
            "SELECT i.id FROM items i WHERE NOT EXISTS (SELECT 1 FROM thumbnails t WHERE t.item_id = i.id) "
            "AND EXISTS (SELECT 1 FROM vectors v JOIN encoded e ON e.space_id = v.space_id "
            "WHERE v.item_id = i.id AND e.content_id = i.content_id)"  # else it is made again anyway
        )
        damaged = [item_id for (item_id,) in rows]
        if damaged:
            with self._database.transaction(rewrites=True) as change:
                damage.drop_thumbnails(change, damaged)
            self.findings.mended.append(f"{len(damaged)} damaged thumbnails were removed; indexing makes them again.")

    def _check_labels(self) -> None:
        """Which pictures were looked at is computed; with one damaged note all are looked at again, which is quick."""
        damaged = f"labelled AS d WHERE NOT coalesce({SOUND_LABELLED}, 0)"
        if self._read.execute(f"SELECT 1 FROM {damaged} LIMIT 1").fetchone():
            with self._database.transaction() as change:
                forget_labels(change)
            self.findings.mended.append(LABELS_MADE_AGAIN)

    def _check_own_work(self) -> None:
        """Judgments, test queries, labels and choices: nobody can make them again but the person."""
        self._recover_sets()
        for words, table, alias, condition in (
            ("damaged judgments were taken out; judge those items again", "judgments", "j", SOUND_JUDGMENT),
            ("damaged test queries were taken out with their judgments; add them again", "queries", "q", SOUND_QUERY),
            ("damaged labels were taken out; add them again", "labels", "l", SOUND_LABEL),
            ("damaged choices of models or settings are back at their defaults", "settings", "s", SOUND_SETTING),
        ):
            damaged = f"{table} AS {alias} WHERE NOT coalesce({condition}, 0)"
            (count,) = self._read.execute(f"SELECT count(*) FROM {damaged}").fetchone()
            if count:
                self.findings.lost.append(f"{count} {words}.")
            if count or (table == "judgments" and self._had_complaints):
                with self._database.transaction(rewrites=True) as change:
                    if table == "judgments":
                        _rewrite(change, f"{table} AS {alias}", condition)
                    else:
                        change.execute(f"DELETE FROM {damaged}")

    def _recover_sets(self) -> None:
        """A set whose name or scale is damaged keeps its queries and takes another name."""
        damaged = self._read.execute(f"SELECT id FROM query_sets AS s WHERE NOT coalesce({SOUND_SET}, 0)").fetchall()
        if damaged:
            with self._database.transaction(rewrites=True) as change:
                for (set_id,) in damaged:
                    _recover_set(change, set_id)
            self.findings.lost.append(f"{len(damaged)} damaged sets of test queries have new names.")

    def _check_words(self) -> None:
        """The keyword index is made again if it is not that of the names and captions it was made from."""
        with contextlib.suppress(LibraryDamaged):
            if shape(self._read, of_words=True) == expected_shape(of_words=True):
                with self._database.transaction() as change:
                    change.execute("INSERT INTO words (words) VALUES ('integrity-check')")
                return
        (table,) = self._read.execute("SELECT sql FROM sqlite_master WHERE name = 'words'").fetchone()
        with self._database.transaction(rewrites=True) as change:
            change.execute("DROP TABLE words")
            change.execute(table)
            for (file_id,) in change.execute("SELECT id FROM files").fetchall():
                write_words(change, file_id)
        self.findings.mended.append("The keyword index was damaged and is made again.")


def _recover_set(change: sqlite3.Connection, set_id: int) -> None:
    """Give a set's queries a sound set of that number, on the finer scale if any grade asks for it."""
    (highest,) = change.execute(
        "SELECT max(j.grade) FROM judgments j JOIN queries q ON q.id = j.query_id WHERE q.set_id = ?", (set_id,)
    ).fetchone()
    values = (f"Recovered set {set_id}", "graded" if (number(highest) > 1) else "binary", "")
    change.execute(  # an update, because a replaced row takes its queries with it
        "INSERT INTO query_sets (id, name, scale, guidelines, crc) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET name = excluded.name, scale = excluded.scale, "
        "guidelines = excluded.guidelines, crc = excluded.crc",
        (set_id, *values, checksum(*values)),
    )


def _rewrite(change: sqlite3.Connection, table: str, kept: str) -> None:
    """Write the kept rows of a table without row numbers anew: in a damaged one they can be out of order."""
    change.execute(f"CREATE TEMP TABLE kept AS SELECT * FROM {table} WHERE {kept}")
    name = table.partition(" ")[0]
    change.execute(f"DELETE FROM {name}")
    change.execute(f"INSERT OR IGNORE INTO {name} SELECT * FROM kept")
    change.execute("DROP TABLE temp.kept")
