"""The folders of one library as they were last seen, so that an unchanged one costs no look at its files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from app.engine.store.database import Database
from app.engine.store.files import KnownFile, within_condition

Skipped = list[tuple[str, str]]
"""Name and sentence of each file of a folder that is no medium."""


@dataclass(frozen=True, slots=True)
class KnownFolder:
    """A folder as it was last seen. ``digest`` is None while not all of its ``files`` are in the catalogue as they
    were listed; ``device`` is the number of its file system."""

    path: bytes
    device: int | None
    digest: bytes | None
    files: int
    skipped: str

    def skipped_files(self) -> Skipped:
        return [(name, reason) for name, reason in json.loads(self.skipped)] if self.skipped != "[]" else []


def seen_folder(path: bytes, device: int, digest: bytes | None, files: int, skipped: Skipped) -> KnownFolder:
    return KnownFolder(path, device, digest, files, json.dumps(skipped))


class Folders:
    """Paths are the bytes the system gave."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def below(self, folder: bytes) -> dict[bytes, KnownFolder]:
        """The known folders at or below ``folder``, by path."""
        condition, values = within_condition(folder)
        rows = self._database.read.execute(
            f"SELECT f.path, f.device, f.digest, f.files, f.skipped FROM folders f WHERE {condition}",
            values,
        )
        return {row[0]: KnownFolder(*row) for row in rows}

    def files(self, folder: bytes) -> dict[bytes, KnownFile]:
        """The known files of one folder, by path."""
        rows = self._database.read.execute(
            "SELECT f.id, f.path, f.size_bytes, f.mtime_ns, f.content_id, f.inode, f.unsettled "
            "FROM files f JOIN folders d ON d.id = f.folder_id WHERE d.path = ?",
            (folder,),
        )
        return {row[1]: KnownFile(*row) for row in rows}

    def enter(self, folders: Sequence[KnownFolder]) -> None:
        """Remember folders. A digest is kept only where the catalogue holds every file of the folder, read and
        settled; else the next pass looks at its files again."""
        if not folders:
            return
        with self._database.transaction() as change:
            change.executemany(
                "INSERT INTO folders (path) VALUES (?) ON CONFLICT DO NOTHING", [(one.path,) for one in folders]
            )
            change.executemany(
                "UPDATE folders SET device = :device, files = :files, skipped = :skipped, "
                "digest = CASE WHEN :files = (SELECT count(*) FROM files f "
                "WHERE f.folder_id = folders.id AND f.content_id > 0 AND NOT f.unsettled) THEN :digest END "
                "WHERE path = :path",
                [asdict(one) for one in folders],
            )

    def remove(self, paths: Iterable[bytes]) -> None:
        """Forget folders that hold no file."""
        rows = [(path,) for path in paths]
        if rows:
            with self._database.transaction() as change:
                change.executemany(
                    "DELETE FROM folders WHERE path = ? "
                    "AND NOT EXISTS (SELECT 1 FROM files f WHERE f.folder_id = folders.id)",
                    rows,
                )
