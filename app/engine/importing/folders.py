"""Test queries from folders: a folder per class, or a folder of examples."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from app.engine.errors import AppError, NotIndexed
from app.engine.evaluation import classes, trec
from app.engine.importing.writing import NOTHING_KNOWN, Entry, Grade, Writer
from app.engine.jobs import NULL_JOB, Job
from app.engine.judgingtypes import IMPORTED, Imported
from app.engine.media.scan import Rules, media_files, walk
from app.engine.store.database import Database
from app.engine.store.files import Files, is_within
from app.engine.store.judgments import Judgments
from app.engine.store.places import refs_below
from app.engine.store.preferences import Preferences
from app.engine.types import ItemKind, ItemRef, Query, printable

_SEPARATOR = os.fsencode(os.sep)

Known = Mapping[bytes, Sequence[ItemRef]]
"""The items of files, by path."""


class FolderImporter:
    """Takes folders in as test queries."""

    def __init__(
        self, database: Database, files: Files, judgments: Judgments, preferences: Preferences, writer: Writer
    ) -> None:
        self._database = database
        self._files = files
        self._judgments = judgments
        self._preferences = preferences
        self._writer = writer

    def import_folders(self, folder: str, set_name: str = "", job: Job = NULL_JOB) -> Imported:
        """A set from a folder that has one folder per class: see `app.engine.evaluation.classes`.

        Only files of the library count, each with all its frames or windows; one that lies deeper belongs to the class
        of the first level. A query is the first moment of a file. To import a folder again brings its set in line with
        it: what has moved to another class is no longer relevant. What a person has judged stays, and counts first.

        Args:
            folder: the folder above those of the classes.
            set_name: the set's name, which may be there; empty: the folder's, with a number where it is taken.
            job: told of the queries that are entered.

        Raises:
            AppError: there is no such folder, it has no classes, or nothing of it is in the library.
            Cancelled: the job was cancelled; a set that was not there before is not there then.
        """
        path = _absolute(folder)
        job.begin("Looking through the folder")
        known = refs_below(self._database, path)
        unknown = self._not_indexed(path, known, job)
        sorted_in = _classes(path, known)
        if not sorted_in:
            raise _no_classes(path, unknown)
        first = {refs[0].sha256: (refs[0], one) for one, refs in known.items()}
        keys = {_key(ref): sha256 for sha256, (ref, _) in first.items()}
        into = self._writer.set_for(set_name, Path(os.fsdecode(path)).name, keys)
        before = self._writer.ids(into)
        plan = classes.plan(sorted_in, {sha256 for key, sha256 in keys.items() if key in before})
        if not plan.examples:
            raise AppError(
                "Nothing can be tested here", "Each class has one file alone, so there is none to find.", folder
            )
        entries = []
        for example, grades in classes.judgments(sorted_in, plan):
            one = _entry(*first[example.sha256], printable(example.name))
            withdrawn = self._withdrawn(before.get(one.key), grades, first)
            guidelines = "" if one.key in before else f"Whatever belongs to “{printable(example.name)}”."
            entries.append(Entry(one.key, one.title, one.query, [*grades, *withdrawn], guidelines, retitle=True))
        beside = sum(_SEPARATOR not in os.path.relpath(one, path) for one in known)
        notes = [*_incomplete(unknown), *_notes(sorted_in, plan, beside)]
        return self._writer.enter(into, entries, job, _shown(unknown, path), notes)

    def import_examples(self, folder: str, set_id: int | None = None, job: Job = NULL_JOB) -> Imported:
        """Every file in a folder, and below it, as a query of a set, with nothing judged.

        Raises:
            AppError: nothing of it is in the library, or the set is gone.
            Cancelled: the job was cancelled; what was entered stays.
        """
        path = _absolute(folder)
        job.begin("Looking through the folder")
        known = refs_below(self._database, path)
        unknown = self._not_indexed(path, known, job)
        if not known:
            raise NotIndexed(NOTHING_KNOWN, "Add the folder to the library first, then import it again.", folder)
        contents = {refs[0].sha256: _entry(refs[0], one) for one, refs in known.items()}
        into = self._writer.set_at(set_id)
        return self._writer.enter(into, list(contents.values()), job, _shown(unknown, path), _incomplete(unknown))

    def _not_indexed(self, folder: bytes, known: Known, job: Job) -> list[bytes]:
        """The media files on the disk that have no items, in the order of a walk."""
        settings = self._preferences.settings
        rules = Rules(settings.excluded, settings.hidden)
        root = next((root for root in self._files.roots() if is_within(folder, root)), folder)
        found = []
        for listing in walk(folder, root, rules, _pass_by):
            found += [file.path for file in media_files(listing, rules, _pass_by, _pass_by) if file.path not in known]
            job.check()
        return found

    def _withdrawn(self, query_id: int | None, grades: Sequence[Grade], inside: Collection[bytes]) -> list[Grade]:
        """What an earlier import entered as relevant, and is now in another class."""
        if query_id is None:
            return []
        said = {ref for ref, _ in grades}
        before = self._judgments.of_query(query_id, IMPORTED)
        return [(ref, 0) for ref, grade in before.items() if grade > 0 and ref not in said and ref.sha256 in inside]


def _incomplete(unknown: Sequence[bytes]) -> list[str]:
    """What to do about files that are there and have no items."""
    if not unknown:
        return []
    return ["Files that are not indexed yet are missing. Import the folder again later; that completes the set."]


def _classes(folder: bytes, known: Known) -> dict[str, dict[bytes, Sequence[ItemRef]]]:
    """By the folders of the first level the contents in and below them."""
    found: dict[str, dict[bytes, Sequence[ItemRef]]] = {}
    for path, refs in known.items():
        name, separator, _ = os.path.relpath(path, folder).partition(_SEPARATOR)
        if separator:
            found.setdefault(os.fsdecode(name), {})[refs[0].sha256] = refs
    return found


def _no_classes(folder: bytes, unknown: Iterable[bytes]) -> AppError:
    shown = os.fsdecode(folder)
    if not os.path.isdir(folder):  # noqa: PTH112 - bytes
        return AppError("There is no such folder", "Choose the folder above those of the classes.", shown)
    if any(_SEPARATOR in os.path.relpath(path, folder) for path in unknown):
        return NotIndexed(NOTHING_KNOWN, "Add the folder to the library first, then import it again.", shown)
    return AppError(
        "There are no classes in this folder",
        "Put the files of each class into a folder of their own, and choose the folder above these.",
        shown,
    )


def _notes(sorted_in: classes.Classes, plan: classes.Plan, beside: int) -> list[str]:
    """What a person should know of how the classes were taken in."""
    notes = []
    if beside:
        notes.append(f"{beside:,} files lie beside the folders of the classes, and were left out.")
    alone = [printable(name) for name, contents in sorted_in.items() if len(contents) == 1]
    if alone:
        notes.append(f"One file alone cannot be tested with, so there is no query for {', '.join(alone)}.")
    contents = [sha256 for of_class in sorted_in.values() for sha256 in of_class]
    if shared := len(contents) - len(set(contents)):
        notes.append(f"{shared:,} files are copies of one in another class, and belong to both.")
    if any(len(of_class) > plan.per_class for of_class in sorted_in.values()):
        notes.append(f"Of each class {plan.per_class:,} files at most are queries; results may be any.")
    if plan.rest is not None:
        notes.append(
            f"Of other classes {plan.rest:,} items a query are judged, drawn at random: Judged@k is lower than what is "
            "known, and P, R and AP are exact."
        )
    return notes


def _entry(first: ItemRef, path: bytes, of_class: str = "") -> Entry:
    """A query by the first moment of a file."""
    shown = os.fsdecode(path)
    named = Query.of_sound if first.kind is ItemKind.AUDIO else Query.of_image
    (part,) = named(shown, first.start_ms).parts
    query = Query((replace(part, content=first.sha256.hex()),))
    name = printable(Path(shown).name)
    return Entry(trec.query_id(query), f"{of_class}/{name}" if of_class else name, query)


def _key(first: ItemRef) -> str:
    return _entry(first, b"").key


def _absolute(folder: str) -> bytes:
    return os.fsencode(os.path.abspath(folder))  # noqa: PTH100 - resolving links would miss the library's own path


def _shown(paths: Iterable[bytes], folder: bytes) -> list[str]:
    return [os.fsdecode(os.path.relpath(path, folder)) for path in paths]


def _pass_by(_path: bytes, _reason: str) -> None:
    """What cannot be looked at is told when the folder is indexed."""
