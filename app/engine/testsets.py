"""Test queries, typed or kept from a search, in their sets; and their judgments as TREC files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from app.engine.evaluation import trec
from app.engine.evaluation.titles import title_of
from app.engine.judgingtypes import QuerySet, QuerySummary, Scale
from app.engine.querying import QueryVectors
from app.engine.store.queries import Queries
from app.engine.types import Query, printable
from app.engine.wholefiles import write_file


class TestSets:
    """The sets of test queries of one library."""

    __test__ = False  # pytest takes it for tests by its name

    def __init__(self, queries: Queries, vectors: QueryVectors) -> None:
        self._queries = queries
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

    def queries(
        self, set_id: int | None = None, judge: str | None = None, imported: bool = False
    ) -> tuple[QuerySummary, ...]:
        """The queries of a set, or all of the library, counted as `Judgments.of_queries` says."""
        return self._queries.queries(set_id, judge, imported)

    def add_query(self, query: Query, title: str = "", set_id: int | None = None) -> QuerySummary:
        """Keep a query to judge, in the default set unless another is named; one that is kept already is the same."""
        typed = Query(tuple(replace(part, text=printable(part.text)) for part in query.parts))
        resolved = self._vectors.resolve(typed)
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

    def export_qrels(
        self, path: str, set_id: int | None = None, judge: str | None = None, replaces: bool = False
    ) -> int:
        """Write every grade as TREC qrels; how many there were.

        Raises:
            AppError: the file is there (and is not to be replaced), or cannot be written.
        """
        queries, grades = self._queries.judged(set_id, judge)
        lines = [
            trec.QrelLine(query.key, trec.document_id(ref), grade)
            for query in queries
            for ref, grade in grades.get(query.id, {}).items()
            if grade >= 0
        ]
        write_file(Path(path), trec.write_qrels(lines).encode(), replaces)
        return len(lines)
