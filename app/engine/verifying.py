"""Checking a library: its database row by row, and every index file. What can be mended is; the rest is told."""

from __future__ import annotations

import time

from app.engine.jobs import Job
from app.engine.librarytypes import VerifyReport
from app.engine.querying import QueryVectors
from app.engine.shelves import Shelves
from app.engine.store.database import Database
from app.engine.store.spaces import Spaces
from app.engine.store.verification import Findings, verify


class Verifier:
    """Checks one library."""

    def __init__(self, database: Database, spaces: Spaces, shelves: Shelves, queries: QueryVectors) -> None:
        self._database = database
        self._spaces = spaces
        self._shelves = shelves
        self._queries = queries

    def verify(self, job: Job) -> VerifyReport:
        """Check the database row by row and every index file, mend what can be mended, and say what cannot.

        Raises:
            Cancelled: the job was cancelled; what was mended stays mended.
            AppError: the disk is full or fails.
        """
        began_s = time.monotonic()
        found = self.verify_database(job)
        indexes = [] if found.broken else self._verify_indexes(job)
        return VerifyReport(
            mended=(*found.mended, *indexes),
            lost=tuple(found.lost),
            broken=tuple(found.broken),
            seconds=round(time.monotonic() - began_s, 3),
        )

    def verify_database(self, job: Job) -> Findings:
        """The same of the database alone."""
        found = verify(self._database, job)
        if found.mended or found.broken:
            self._queries.forget()
            self._shelves.renew()
        return found

    def _verify_indexes(self, job: Job) -> list[str]:
        damaged = [
            space
            for space in job.track(self._spaces.all(), "Checking the search indexes")
            if not self._shelves[space].verify()
        ]
        return [f"The search index of {space.encoder} was damaged and is made again." for space in damaged]
