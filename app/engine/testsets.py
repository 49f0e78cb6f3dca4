"""Test queries: typed, kept from a search, or imported; and their judgments as TREC files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from app.engine.errors import AppError
from app.engine.evaltypes import OWN_JUDGE, Imported, QuerySet, QuerySummary, Scale
from app.engine.evaluation import trec
from app.engine.querying import QueryVectors
from app.engine.store.files import Files
from app.engine.store.judgments import Judgments
from app.engine.store.lookup import Lookup
from app.engine.store.queries import Queries
from app.engine.types import ItemKind, ItemRef, Modality, Query


class TestSets:
    """The sets of test queries of one library."""

    __test__ = False  # pytest takes it for tests by its name

    def __init__(
        self, files: Files, lookup: Lookup, queries: Queries, judgments: Judgments, vectors: QueryVectors
    ) -> None:
        self._files = files
        self._lookup = lookup
        self._queries = queries
        self._judgments = judgments
        self._vectors = vectors

    # --- sets and queries ---

    def sets(self) -> tuple[QuerySet, ...]:
        return self._queries.sets()

    def create_set(self, name: str, scale: Scale = Scale.BINARY, guidelines: str = "") -> QuerySet:
        """See `app.engine.store.queries.Queries.create_set`."""
        return self._queries.set_of(self._queries.create_set(name, scale, guidelines))

    def change_set(
        self, set_id: int, name: str | None = None, scale: Scale | None = None, guidelines: str | None = None
    ) -> QuerySet:
        """Change what is not None. See `app.engine.store.queries.Queries.change_set`."""
        self._queries.change_set(set_id, name, scale, guidelines)
        return self._queries.set_of(set_id)

    def remove_set(self, set_id: int) -> None:
        """Forget a set with its queries and judgments."""
        self._queries.remove_set(set_id)

    def queries(self, set_id: int | None = None, judge: str | None = None) -> tuple[QuerySummary, ...]:
        """The queries of a set, or all of the library."""
        return self._queries.queries(set_id, judge)

    def add_query(self, query: Query, title: str = "", set_id: int | None = None) -> QuerySummary:
        """Keep a query to judge, in the default set unless another is named; one that is kept already is the same."""
        resolved = self._vectors.resolve(query)
        key = trec.query_id(resolved)
        chosen = self._queries.default_set() if set_id is None else set_id
        return self._queries.query(self._queries.save(chosen, key, title or title_of(resolved), resolved))

    def change_query(
        self,
        query_id: int,
        title: str | None = None,
        guidelines: str | None = None,
        translations: Mapping[str, str] | None = None,
    ) -> QuerySummary:
        """Change what is not None."""
        self._queries.change(query_id, title, guidelines, translations)
        return self._queries.query(query_id)

    def remove_query(self, query_id: int) -> None:
        """Forget a query with its judgments."""
        self._queries.remove(query_id)

    # --- TREC files ---

    def export_qrels(self, path: str, set_id: int | None = None, judge: str | None = None) -> int:
        """Write every grade as TREC qrels; how many there were."""
        queries = self._queries.queries(set_id)
        grades = self._judgments.of_queries([query.id for query in queries], judge)
        lines = [
            trec.QrelLine(query.key, trec.document_id(ref), grade)
            for query in queries
            for ref, grade in grades.get(query.id, {}).items()
            if grade >= 0
        ]
        try:
            Path(path).write_text(trec.write_qrels(lines), encoding="utf-8")
        except OSError as error:
            raise AppError("The judgments cannot be written there", f"{error.strerror or error}.", path) from error
        return len(lines)

    def import_qrels(self, path: str, set_id: int | None = None, judge: str = OWN_JUDGE) -> Imported:
        """Take in TREC qrels; what they name by path is looked for beside the file and below the roots."""
        try:
            lines = trec.read_qrels(Path(path).read_text(encoding="utf-8-sig"), path)
        except (OSError, UnicodeDecodeError) as error:
            raise AppError("This judgments file cannot be read", f"{error}.", path) from error
        into = self._queries.set_of(self._queries.default_set() if set_id is None else set_id)
        bases = [os.fsencode(Path(path).absolute().parent), *self._files.roots()]
        imported, unknown = 0, []
        kept = {stored.key: stored for stored in self._queries.queries(into.id)}
        by_query: dict[str, list[trec.QrelLine]] = {}
        for line in lines:
            by_query.setdefault(line.query_id, []).append(line)
        for key, group in by_query.items():
            query = kept[key].query if key in kept else self._imported_query(trec.parse_query(key), bases)
            if query is None:
                unknown.append(key)
                continue
            own_key = trec.query_id(query)
            query_id = kept[own_key].id if own_key in kept else None
            if query_id is None:
                query_id = self._queries.save(into.id, own_key, title_of(query), query)
            wanted = (ItemKind.AUDIO,) if Modality.AUDIO in query.modalities else tuple(ItemKind)
            found = [(self._imported_item(line.document_id, wanted, bases), line) for line in group]
            self._judgments.judge(query_id, judge, [(ref, line.grade) for ref, line in found if ref])
            imported += sum(1 for ref, _ in found if ref)
            unknown += [line.document_id for ref, line in found if ref is None]
        return Imported(into.id, into.name, len(by_query), imported, tuple(dict.fromkeys(unknown)))

    def _imported_query(self, query: Query, bases: Sequence[bytes]) -> Query | None:
        parts = []
        for part in query.parts:
            if part.path:
                known = self._known_path(part.path, bases)
                if known is None:
                    return None
                path, sha256 = known
                part = replace(part, path=os.fsdecode(path), content=sha256.hex())
            elif part.content:
                paths = self._lookup.paths_of(bytes.fromhex(part.content))
                if not paths:
                    return None
                part = replace(part, path=os.fsdecode(paths[0]))
            parts.append(part)
        return Query(tuple(parts))

    def _imported_item(self, document_id: str, kinds: Sequence[ItemKind], bases: Sequence[bytes]) -> ItemRef | None:
        if ref := trec.parse_document(document_id):
            return ref  # kept even where its file is not here yet: it may come
        path, moment_ms = trec.parse_path(document_id)
        known = self._known_path(path, bases)
        if known is None:
            return None
        _, sha256 = known
        items = self._lookup.moments(sha256, kinds)
        if not items:
            return None
        kind, start_ms = min(items, key=lambda item: (abs(item[1] - (moment_ms or 0)), item[0] is ItemKind.AUDIO))
        return ItemRef(sha256, kind, start_ms)

    def _known_path(self, path: str, bases: Sequence[bytes]) -> tuple[bytes, bytes] | None:
        """The catalogued file a relative or absolute path means, and its content."""
        for base in bases:
            candidate = os.path.normpath(os.path.join(base, os.fsencode(path)))  # noqa: PTH118 - paths of bytes
            if known := self._lookup.content_at(candidate):
                return candidate, known[0]
        return None


def title_of(query: Query) -> str:
    """A query's words and the names of its files."""
    names = []
    for part in query.parts:
        name = part.text if part.modality is Modality.TEXT else Path(part.path).name or part.content[:12]
        names.append(name if part.weight > 0 else f"not {name}")
    return " + ".join(names)
