"""Test queries by words, from files of captions and of topics."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.engine.errors import NotIndexed
from app.engine.evaluation import captions, topics, trec
from app.engine.importing.writing import NOTHING_KNOWN, Entry, Writer, read_bytes, read_text
from app.engine.jobs import NULL_JOB, Job
from app.engine.judgingtypes import Imported
from app.engine.store.lookup import Lookup
from app.engine.types import ItemKind, ItemRef, Query


class ListImporter:
    """Takes captions and topics in as test queries."""

    def __init__(self, lookup: Lookup, writer: Writer) -> None:
        self._lookup = lookup
        self._writer = writer

    def import_captions(self, path: str, set_name: str = "", job: Job = NULL_JOB) -> Imported:
        """A set from a file of captions: see `app.engine.evaluation.captions.read_captions`.

        Each caption is a query by words whose one known result is its file, with all its frames or windows. A file is
        named relative to the file of captions or to a folder of the library, or by so much of the end of its path as
        no other has.

        Args:
            path: the file.
            set_name: the set's name, which may be there; empty: the file's, with a number where it is taken.
            job: told of the queries that are entered.

        Raises:
            AppError: the file cannot be read or holds no captions, or nothing of it is in the library.
            Cancelled: the job was cancelled; a set that was not there before is not there then.
        """
        job.begin("Reading the captions")
        read = captions.read_captions(read_bytes(path, captions.TITLE), path)
        places = self._writer.places(path)
        entries: dict[str, Entry] = {}
        unknown: list[str] = []
        for caption in job.track(read, "Looking for the files", len(read)):
            found = places.find(caption.file)
            refs = self._refs(found[1]) if found else []
            if not refs:
                unknown.append(caption.file)
                continue
            query = Query.of_text(caption.text)
            key = trec.query_id(query)
            before = entries.get(key, Entry(key, caption.text, query))
            grades = dict([*before.grades, *((ref, 1) for ref in refs)])
            said = {**before.translations, **caption.translations}
            entries[key] = replace(before, grades=list(grades.items()), translations=said)
        if not entries:
            raise NotIndexed(NOTHING_KNOWN, f"Add its files to the library first; the first is {unknown[0]}.", path)
        into = self._writer.set_for(set_name, Path(path).stem, entries)
        missing = "Files that are not indexed yet are missing. Import the captions again later; that completes the set."
        return self._writer.enter(into, list(entries.values()), job, unknown, [missing] if unknown else [])

    def import_topics(self, path: str, set_id: int | None = None, set_name: str = "", job: Job = NULL_JOB) -> Imported:
        """Queries by words from TREC topics: see `app.engine.evaluation.topics.read_topics`. Their titles begin with
        their numbers, by which qrels may name them.

        Args:
            path: the file.
            set_id: the set to take them; None: one of ``set_name``, else of the file's name.
            set_name: see `import_captions`.
            job: told of the queries that are entered.

        Raises:
            AppError: the file cannot be read or holds no topics, or the set is gone.
            Cancelled: the job was cancelled; a set that was not there before is not there then.
        """
        job.begin("Reading the topics")
        entries: dict[str, Entry] = {}
        notes = []
        for topic in topics.read_topics(read_text(path, "These topics cannot be read"), path):
            query = Query.of_text(topic.words)
            key = trec.query_id(query)
            if key in entries:
                notes.append(f"Topic {topic.number} asks the same as one before it, and was left out.")
            else:
                title = topics.numbered_title(topic)
                entries[key] = Entry(key, title, query, guidelines=topic.guidelines, retitle=True)
        by_name = set_id is None
        into = self._writer.set_for(set_name, Path(path).stem, entries) if by_name else self._writer.set_at(set_id)
        return self._writer.enter(into, list(entries.values()), job, notes=notes)

    def _refs(self, sha256: bytes) -> list[ItemRef]:
        return [ItemRef(sha256, kind, start_ms) for kind, start_ms in self._lookup.moments(sha256, tuple(ItemKind))]
