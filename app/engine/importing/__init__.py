"""Test queries from files: folders of classes, captions, topics, and judgments."""

from __future__ import annotations

from app.engine.importing.folders import FolderImporter
from app.engine.importing.lists import ListImporter
from app.engine.importing.qrels import QrelsImporter
from app.engine.importing.writing import Writer
from app.engine.store.database import Database
from app.engine.store.files import Files
from app.engine.store.judgments import Judgments
from app.engine.store.lookup import Lookup
from app.engine.store.preferences import Preferences
from app.engine.store.queries import Queries


class Imports:
    """All that can be taken into one library: ``folders``, ``lists`` (captions and topics) and ``qrels``."""

    def __init__(
        self,
        database: Database,
        files: Files,
        lookup: Lookup,
        queries: Queries,
        judgments: Judgments,
        preferences: Preferences,
    ) -> None:
        writer = Writer(database, files, queries)
        self.folders = FolderImporter(database, files, judgments, preferences, writer)
        self.lists = ListImporter(lookup, writer)
        self.qrels = QrelsImporter(lookup, queries, writer)
