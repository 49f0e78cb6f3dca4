"""What an export holds, gathered while the figures are computed, so that both are of one moment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from app.engine.errors import AppError
from app.engine.evaltypes import EvaluationRequest
from app.engine.evaluation import trec
from app.engine.evaluation.report.exchange import Run
from app.engine.gradedruns import GradedRun, JudgedQueries
from app.engine.judgingtypes import QuerySet, QuerySummary
from app.engine.rankings import Ranking
from app.engine.store.files import is_within
from app.engine.store.judgments import Grades, Judgments
from app.engine.store.lookup import Lookup
from app.engine.store.queries import Queries
from app.engine.targets import Target
from app.engine.types import ItemKind, ItemRef, Query, QueryPart


class Changed(Exception):
    """The library has changed between two looks at it: what was gathered does not belong together."""


@dataclass(frozen=True, eq=False)
class _Ranked:
    model: str
    kinds: tuple[ItemKind, ...]
    keys: tuple[str, ...]
    rankings: tuple[Ranking, ...]


class Gathered:
    """A `Witness` of one evaluation: the whole set with the judgments of all its judges, and what every model found.

    Rankings are kept as the arrays that they are, and told by name when they are written.
    """

    def __init__(
        self, request: EvaluationRequest, lookup: Lookup, roots: Sequence[bytes], queries: Queries, judgments: Judgments
    ) -> None:
        self._request = request
        self._queries = queries
        self._judgments = judgments
        self._names = _Names(lookup, roots)
        self._ranked: list[_Ranked] = []
        self.set = QuerySet(0, "")
        self.queries: tuple[QuerySummary, ...] = ()
        self.judgments: dict[str, dict[str, dict[str, int]]] = {}
        self.used: dict[str, dict[str, int]] = {}
        """Query key → document → the grade or mark that the figures are computed of."""
        self.absent: frozenset[str] = frozenset()

    @property
    def files(self) -> Mapping[str, str]:
        """Relative names by content."""
        return self._names.files

    def read(self, queries: Sequence[QuerySummary], grades: Mapping[int, Grades], judged: JudgedQueries) -> None:
        """
        Raises:
            AppError: nothing is judged, or the queries are of several sets.
            Changed: somebody judged just now.
        """
        ids = {one.set_id for one in queries}
        if not ids:
            raise AppError("Nothing is judged yet", "Judge some results of these queries first.")
        if len(ids) > 1:
            raise AppError(
                "Several sets cannot be exported as one", "Choose a set of queries (--set on the command line)."
            )
        self.set = self._queries.set_of(ids.pop())
        whole = self._queries.queries(self.set.id)
        asked = [one.id for one in queries]
        now = self._judgments.of_queries(asked, self._request.judge)
        if any(now.get(one, {}) != grades.get(one, {}) for one in asked):
            raise Changed
        keys = {one.id: one.key for one in whole}
        if any(one.id not in keys for one in queries):
            raise Changed
        self.queries = tuple(replace(one, query=self._names.of_query(one.query)) for one in whole)
        self.judgments = {
            judge: self._by_key(keys, self._judgments.of_queries(keys, judge)) for judge in self.set.judges
        }
        self.used = self._by_key(keys, {one: grades[one] for one in asked if one in grades})
        self.absent = frozenset(map(trec.document_id, judged.absent))
        self._names.of_judged({ref for given in now.values() for ref in given})

    def ranked(self, target: Target, run: GradedRun) -> None:
        """
        Raises:
            Changed: something that was found is gone already.
        """
        found = [ranking.ids for ranking in run.rankings]
        self._names.know(np.unique(np.concatenate(found)) if found else np.empty(0, np.int64))
        keys = tuple(one.summary.key for one in run.queries)
        self._ranked.append(_Ranked(target.key, tuple(target.kinds), keys, run.rankings))

    def runs(self, depth: int) -> Iterator[Run]:
        """What every model found first, made one after another."""
        for one in self._ranked:
            rankings = {}
            for key, ranking in zip(one.keys, one.rankings, strict=True):
                documents = self._names.of_items(ranking.ids[:depth].tolist())
                rankings[key] = tuple(zip(documents, ranking.similarities[:depth].tolist(), strict=True))
            yield Run(one.model, one.kinds, rankings)

    def _by_key(self, keys: Mapping[int, str], given: Mapping[int, Grades]) -> dict[str, dict[str, int]]:
        return {
            key: {trec.document_id(ref): int(grade) for ref, grade in given[query_id].items()}
            for query_id, key in keys.items()
            if query_id in given
        }


class _Names:
    """The ids of documents and the relative names of their files, gathered while they are there."""

    def __init__(self, lookup: Lookup, roots: Sequence[bytes]) -> None:
        self._lookup = lookup
        self._roots = sorted(roots, key=len, reverse=True)
        self._documents: dict[int, str] = {}
        self.files: dict[str, str] = {}

    def know(self, item_ids: npt.NDArray[np.integer]) -> None:
        """
        Raises:
            Changed: one of them is gone.
        """
        unknown = [item_id for item_id in item_ids.tolist() if item_id not in self._documents]
        for row in self._lookup.items(unknown).values():
            ref = ItemRef(row.sha256, row.kind, row.start_ms)
            self._documents[row.id] = trec.document_id(ref)
            self.files.setdefault(row.sha256.hex(), self._relative(row.paths[0]))
        if any(item_id not in self._documents for item_id in unknown):
            raise Changed

    def of_items(self, item_ids: Sequence[int]) -> list[str]:
        """The documents of items that are known."""
        return [self._documents[item_id] for item_id in item_ids]

    def of_judged(self, refs: Iterable[ItemRef]) -> None:
        """Know the files of what was judged, as far as they are here."""
        for row in self._lookup.items(list(self._lookup.item_ids(refs).values())).values():
            self.files.setdefault(row.sha256.hex(), self._relative(row.paths[0]))

    def of_query(self, query: Query) -> Query:
        return Query(tuple(self._of_part(part) for part in query.parts))

    def _of_part(self, part: QueryPart) -> QueryPart:
        return replace(part, path=self._relative(os.fsencode(part.path))) if part.path else part

    def _relative(self, path: bytes) -> str:
        """A path below its root; of a file from elsewhere the name alone."""
        root = next((root for root in self._roots if is_within(path, root)), None)
        return os.fsdecode(os.path.relpath(path, root) if root else os.path.basename(path))  # noqa: PTH119 - bytes
