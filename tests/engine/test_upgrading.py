"""A library of an earlier schema is copied, then changed whole or not at all; one of a later schema can go back."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from app import __main__, __version__, settings
from app.cli.answers import INTERRUPTED
from app.engine.encoders.record import RECORD_FILE, read_installation, write_record
from app.engine.encoders.speeds import Speeds
from app.engine.errors import AppError, LibraryMissing, LibraryTooNew, WeightsCorrupt
from app.engine.jobs import Cancelled, Job
from app.engine.libraries import libraries, restore
from app.engine.librarytypes import LibraryBackup, LibrarySettings
from app.engine.session import Session
from app.engine.store import backups, migrations, upgrading
from app.engine.store.database import FILE_NAME, MARK_NAME, Database
from app.engine.store.migrations import MIGRATIONS, SCHEMA_VERSION

NOTES = 500
FIRST_SCHEMA = 1


def make_old(folder: Path, schema: int = FIRST_SCHEMA) -> Path:
    """A database as an earlier program left it, with something in it."""
    folder.mkdir(parents=True)
    path = folder / FILE_NAME
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        migrations.integrity.register(connection)
        connection.execute("BEGIN")
        for migration in MIGRATIONS[:schema]:
            migration(connection)
        values = [(f"note {number}", json.dumps("x" * 200)) for number in range(NOTES)]
        connection.executemany("INSERT INTO settings (key, value) VALUES (?, ?)", values)
        connection.execute(f"PRAGMA user_version = {schema}")
        connection.execute("COMMIT")
    return path


def schema_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def copy_of(path: Path, schema: int = FIRST_SCHEMA) -> Path:
    return backups.backup_path(path, schema)


def failing(_connection: sqlite3.Connection) -> None:
    raise ZeroDivisionError


def fail_to_upgrade(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open a library whose last step to this schema fails."""
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS[:-1], failing))
        with pytest.raises(ZeroDivisionError):
            Database(path.parent)


def test_an_upgrade_leaves_a_copy_of_what_was_there(tmp_path: Path) -> None:
    path = make_old(tmp_path / "library")
    before = dump(path)
    told: list[str] = []
    Database(path.parent, Job(lambda progress: told.append(progress.phase))).close()
    assert list(dict.fromkeys(told)) == [backups.COPYING, upgrading.UPGRADING, upgrading.FINISHING]
    assert schema_of(path) == SCHEMA_VERSION
    assert dump(copy_of(path)) == before
    assert {one.name for one in path.parent.iterdir()} == {FILE_NAME, copy_of(path).name, "lock"}


def test_a_new_library_is_not_copied(tmp_path: Path) -> None:
    told: list[object] = []
    Database(tmp_path / "library", Job(told.append)).close()
    assert told == []
    assert backups.backups(tmp_path / "library" / FILE_NAME) == ()


def test_an_upgrade_that_fails_changes_nothing_and_the_next_goes_on_with_the_same_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_old(tmp_path / "library")
    before = dump(path)
    fail_to_upgrade(path, monkeypatch)
    assert (schema_of(path), dump(path)) == (FIRST_SCHEMA, before)
    copy = copy_of(path)
    inode = copy.stat().st_ino
    Database(path.parent).close()
    assert (schema_of(path), dump(copy), copy.stat().st_ino) == (SCHEMA_VERSION, before, inode)


def test_a_library_that_was_changed_since_its_copy_is_copied_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_old(tmp_path / "library")
    fail_to_upgrade(path, monkeypatch)
    with closing(sqlite3.connect(path)) as connection, connection:  # as the earlier program would
        connection.execute("UPDATE settings SET value = '1'")
    facts = path.stat()
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 10**9))
    changed = dump(path)
    Database(path.parent).close()
    assert dump(copy_of(path)) == changed


def test_half_a_copy_is_never_taken_for_one(tmp_path: Path) -> None:
    path = make_old(tmp_path / "library")
    before = dump(path)
    part = copy_of(path).with_name(copy_of(path).name + ".part")
    part.write_bytes(path.read_bytes()[:10_000])
    assert backups.backups(path) == ()
    Database(path.parent).close()
    assert not part.exists()
    assert dump(copy_of(path)) == before


def test_the_next_upgrade_takes_the_place_of_the_last_copy(tmp_path: Path) -> None:
    path = make_old(tmp_path / "library", SCHEMA_VERSION - 1)
    shutil.copy(path, copy_of(path, SCHEMA_VERSION - 2))
    Database(path.parent).close()
    assert [one.schema for one in backups.backups(path)] == [SCHEMA_VERSION - 1]


def test_without_room_nothing_is_changed_and_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_old(tmp_path / "library")
    before = path.read_bytes()
    usage = shutil.disk_usage(tmp_path)._replace(free=path.stat().st_size)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    with pytest.raises(AppError, match="Nothing was changed: make room"):
        Database(path.parent)
    assert path.read_bytes() == before
    assert {one.name for one in path.parent.iterdir()} == {FILE_NAME, "lock"}


def test_an_upgrade_that_is_cancelled_changes_nothing(tmp_path: Path) -> None:
    path = make_old(tmp_path / "library")
    before = dump(path)
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        Database(path.parent, job)
    assert dump(path) == before
    assert backups.backups(path) == ()


def test_ctrl_c_in_an_upgrade_changes_nothing_and_is_no_damage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_old(tmp_path / "libraries" / "default")
    before = dump(path)

    def long_step(connection: sqlite3.Connection) -> None:
        connection.create_function("interrupt", 0, lambda: signal.raise_signal(signal.SIGINT))
        endless = "WITH RECURSIVE n(x) AS (SELECT interrupt() UNION ALL SELECT 1 FROM n) SELECT max(x) FROM n"
        connection.execute(endless).fetchall()

    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS[:-1], long_step))
    monkeypatch.setattr("sys.argv", ["semblance", "status", "--home", str(tmp_path)])
    assert __main__.main() == INTERRUPTED
    said = capsys.readouterr().err
    assert "Interrupted" in said
    assert "The library is as it was" in said
    assert (schema_of(path), dump(path)) == (FIRST_SCHEMA, before)


def test_a_copy_is_not_taken_for_current_while_another_program_reads_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_old(tmp_path / "library")
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM settings").fetchall()
        fail_to_upgrade(path, monkeypatch)
        with closing(sqlite3.connect(path)) as connection, connection:  # as the earlier program would
            connection.execute("UPDATE settings SET value = '1'")
        changed = dump(path)
        Database(path.parent).close()
    assert dump(copy_of(path)) == changed


def test_a_disk_that_tells_neither_its_size_nor_that_names_are_written_can_hold_a_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_old(tmp_path / "library")
    sync = os.fsync

    def of_files_alone(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", of_files_alone)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(0, 0, 0))  # type: ignore
    Database(path.parent).close()
    assert schema_of(path) == SCHEMA_VERSION


# --- a library of a later version ---


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A library that this program made, a later one changed, and whose copy lies beside it."""
    home = tmp_path / "home"
    with Session.open(home) as session:
        session.set_settings(LibrarySettings(hidden=True))
    path = home / "libraries" / "default" / FILE_NAME
    shutil.copy(path, copy_of(path, SCHEMA_VERSION))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE later (something)")
        connection.execute("UPDATE settings SET value = '\"9.8.7\"' WHERE key = ?", (upgrading.MADE_BY,))
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    return home


def test_a_newer_library_tells_which_version_made_it_and_the_way_back(
    newer: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(LibraryTooNew) as caught:
        Session.open(newer)
    for words in ("Semblance 9.8.7", __version__, "go back to the copy", "Nothing was changed"):
        assert words in caught.value.message
    path = newer / "libraries" / "default" / FILE_NAME
    facts = copy_of(path, SCHEMA_VERSION).stat()
    backup = LibraryBackup(
        str(copy_of(path, SCHEMA_VERSION)), SCHEMA_VERSION, facts.st_size, facts.st_mtime_ns // 1_000_000
    )
    assert caught.value.backup == backup
    monkeypatch.setattr("sys.argv", ["semblance", "status", "--home", str(newer)])
    assert __main__.main() == 1
    assert f'semblance restore --home "{newer}" --library "default"' in capsys.readouterr().err


def test_a_newer_library_without_a_copy_promises_none(newer: Path) -> None:
    copy_of(newer / "libraries" / "default" / FILE_NAME, SCHEMA_VERSION).unlink()
    with pytest.raises(LibraryTooNew) as caught:
        Session.open(newer)
    assert "copy" not in caught.value.message
    with pytest.raises(AppError, match="no copy to go back to|None from before"):
        restore(newer, "default")


def test_the_copy_is_put_back_and_the_newer_library_kept(
    newer: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = newer / "libraries" / "default"
    (folder / "indexes").mkdir(exist_ok=True)
    (folder / "indexes" / "space-1.hnsw").write_bytes(b"of the later one")
    monkeypatch.setattr("sys.argv", ["semblance", "restore", "--home", str(newer), "--json"])
    assert __main__.main() == 0
    told = json.loads(capsys.readouterr().out)
    assert schema_of(Path(told["set_aside"])) == SCHEMA_VERSION + 1
    with Session.open(newer) as session:
        assert session.status().settings.hidden
        assert session.status().backups == ()
        (kept,) = session.status().set_aside
    assert (kept.path, kept.schema) == (told["set_aside"], SCHEMA_VERSION + 1)
    assert not (folder / "indexes" / "space-1.hnsw").exists()
    with pytest.raises(AppError, match="as it is"):
        restore(newer, "default")


def test_a_change_that_a_killed_newer_program_left_in_the_journal_is_not_taken_for_the_copys(newer: Path) -> None:
    path = newer / "libraries" / "default" / FILE_NAME
    journal = path.with_name(FILE_NAME + "-wal")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("INSERT INTO later VALUES (randomblob(50000))")
        left = {one: one.read_bytes() for one in (path, journal)}
    for one, content in left.items():
        one.write_bytes(content)
    restored = restore(newer, "default")
    with closing(sqlite3.connect(restored.set_aside)) as connection:
        assert connection.execute("SELECT length(something) FROM later").fetchall() == [(50_000,)]
    with Session.open(newer) as session:
        assert session.verify().sentences == ()


@pytest.mark.parametrize("damage", ["cut", "other schema", "no database"])
def test_a_damaged_copy_is_not_put_back(newer: Path, damage: str) -> None:
    path = newer / "libraries" / "default" / FILE_NAME
    copy = copy_of(path, SCHEMA_VERSION)
    if damage == "cut":
        os.truncate(copy, 40_000)
    elif damage == "no database":
        copy.write_bytes(b"x" * 10_000)
    else:
        copy.rename(copy_of(path, SCHEMA_VERSION - 1))
    files = contents(path.parent)
    with pytest.raises(AppError, match="The copy is damaged"):
        restore(newer, "default")
    assert contents(path.parent) == files


def test_where_the_copy_cannot_take_its_place_the_library_is_what_it_was(
    newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = newer / "libraries" / "default"
    (folder / MARK_NAME).write_text("It was found damaged.\n", "utf-8")
    files = contents(folder)
    replace_file = Path.replace

    def in_use(self: Path, target: Path) -> Path:
        if target.name == FILE_NAME:
            raise PermissionError(errno.EACCES, "in use by another process")
        return replace_file(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", in_use)
        for _ in range(2):
            with pytest.raises(AppError, match="in use by another process"):
                restore(newer, "default")
    assert contents(folder) == files


def contents(folder: Path) -> dict[str, bytes]:
    """What lies in a library's folder, but for the lock."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "lock" and path.is_file()}


def test_no_new_library_is_made_where_only_copies_are(newer: Path) -> None:
    folder = newer / "libraries" / "default"
    (folder / FILE_NAME).rename(set_aside := backups.set_aside_path(folder / FILE_NAME, SCHEMA_VERSION + 1))
    assert libraries(newer) == ("default",)
    with pytest.raises(LibraryMissing, match="Go back to the copy, or give what") as caught:
        Session.open(newer)
    assert caught.value.backup
    assert set_aside.name in caught.value.message
    assert restore(newer, "default").set_aside == ""
    with Session.open(newer) as session:
        assert session.status().settings.hidden
    (folder / FILE_NAME).unlink()
    with pytest.raises(LibraryMissing, match=r"\. Give what") as caught:
        Session.open(newer)
    assert caught.value.backup is None
    with pytest.raises(AppError, match="no copy to go back to"):
        restore(newer, "default")
    set_aside.unlink()
    with pytest.raises(AppError, match="no such library"):
        restore(newer, "default")
    Session.open(newer).close()


# --- what else a later version may have written ---


def test_settings_of_a_later_version_are_passed_by_and_kept(tmp_path: Path) -> None:
    with Session.open(tmp_path) as session:
        session.set_settings(LibrarySettings(hidden=True))
        session._preferences._set("indexing", {**session._preferences._indexing(), "of_later": [1, 2]})
        assert session.status().settings == LibrarySettings(hidden=True)
        session.set_settings(LibrarySettings(watch=False))
        assert session._preferences._indexing()["of_later"] == [1, 2]


def test_the_version_is_kept_with_the_library(tmp_path: Path) -> None:
    Session.open(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "libraries" / "default" / FILE_NAME)) as connection:
        assert upgrading.made_by(connection) == __version__


@pytest.mark.parametrize("spoil", ["DROP TABLE settings", "UPDATE settings SET value = x'ff'", "DELETE FROM settings"])
def test_a_newer_library_that_does_not_say_its_version_is_refused_too(newer: Path, spoil: str) -> None:
    path = newer / "libraries" / "default" / FILE_NAME
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(spoil)
    with pytest.raises(LibraryTooNew, match="a newer version"):
        Session.open(newer)


def test_window_settings_of_a_later_version_are_kept(tmp_path: Path) -> None:
    (tmp_path / settings.FILE_NAME).write_text('{"theme": "dark", "of_later": {"a": 1}}', "utf-8")
    chosen = settings.load(tmp_path)
    assert chosen.theme == "dark"
    settings.save(tmp_path, replace(chosen, theme="light"))
    assert settings.load(tmp_path).theme == "light"
    assert json.loads((tmp_path / settings.FILE_NAME).read_text("utf-8"))["of_later"] == {"a": 1}


def test_measurements_of_a_later_version_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "speeds.json"
    same = {"format": 1, "machines": {"cpu": {"of_later": {"a": 1}}}, "of_later": 2}
    path.write_text(json.dumps(same), "utf-8")
    assert Speeds(path).remember("cpu", "half", {"clip": True})
    known = json.loads(path.read_text("utf-8"))
    assert (known["of_later"], known["machines"]["cpu"]) == (2, {"of_later": {"a": 1}, "half": {"clip": True}})
    later = '{"format": 2, "machines": []}'
    path.write_text(later, "utf-8")
    assert Speeds(path).of("cpu", "half") == {}
    assert not Speeds(path).remember("cpu", "half", {"clip": True})
    assert path.read_text("utf-8") == later


def test_a_model_that_a_later_version_installed_is_refused_in_a_sentence_and_what_it_adds_is_kept(
    tmp_path: Path,
) -> None:
    installation = {"source": "", "revision": "", "installed_utc": "", "files": [], "of_later": 1}
    record = tmp_path / RECORD_FILE
    record.write_text(json.dumps({"format": 1, "installation": installation, "of_later": 2}), "utf-8")
    found = read_installation(tmp_path)
    assert found
    write_record(tmp_path, replace(found, source="here"))
    known = json.loads(record.read_text("utf-8"))
    assert (known["of_later"], known["installation"]["of_later"], known["installation"]["source"]) == (2, 1, "here")
    record.write_text(json.dumps({"format": 2}), "utf-8")
    with pytest.raises(WeightsCorrupt, match="needs a newer Semblance"):
        read_installation(tmp_path)
