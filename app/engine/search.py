"""From a query to hits: encode, find neighbours, join with the catalogue, fuse with the keywords."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from app.engine.evaltypes import Threshold
from app.engine.index.exact import Ids, Neighbours
from app.engine.index.rows import NO_IDS
from app.engine.index.shelf import EVERYTHING
from app.engine.querying import QueryVectors, Vector
from app.engine.scanning import is_online
from app.engine.shelves import Shelves
from app.engine.store.files import Files, is_within
from app.engine.store.keywords import Keywords
from app.engine.store.lookup import ItemRow, Lookup
from app.engine.store.spaces import Spaces
from app.engine.targets import Target, Targets, no_model
from app.engine.types import (
    Filters,
    FoundBy,
    Hit,
    ItemKind,
    Modality,
    Query,
    SearchReply,
    SearchRequest,
    Timings,
)

RANK_CONSTANT = 60
"""Of reciprocal rank fusion, as its authors chose it (Cormack, Clarke and Büttcher, SIGIR 2009)."""

KEYWORD_LIMIT = 1000


SCAN_FOR_WORDS_UP_TO = 250_000
"""A query by words is compared with every picture of a space this large: its nearest lie scattered, where a graph finds
a third of them, and the scan takes less time than the model takes for the words."""


Sure = Callable[[Target, Query, float], Threshold]
"""The similarity from which a model's results for a query are right in such a share of all cases."""


@dataclass(frozen=True)
class _Nearest:
    """What one model answers to a query."""

    target: Target
    vector: Vector
    neighbours: Neighbours
    exact: bool
    encode_ms: float
    neighbours_ms: float


class Searcher:
    """Answers queries from one library."""

    def __init__(
        self,
        files: Files,
        lookup: Lookup,
        keywords: Keywords,
        spaces: Spaces,
        shelves: Shelves,
        targets: Targets,
        queries: QueryVectors,
    ) -> None:
        self._files = files
        self._lookup = lookup
        self._keywords = keywords
        self._spaces = spaces
        self._shelves = shelves
        self._targets = targets
        self._queries = queries

    # --- the two entrances ---

    def search(
        self, request: SearchRequest, models: Sequence[str], sure: Sure | None = None, anew: bool = False
    ) -> SearchReply:
        """The best ``k`` items, by the requested model or the first of ``models`` that understands the query.

        Words that are to find pictures and sounds alike, which two models know, are answered by both; their lists are
        fused by rank, since cosines of two models cannot be compared.

        Args:
            request: what is searched for.
            models: the library's.
            sure: gives the similarity below which ``request.min_precision`` leaves results out. What the keywords found
                stays: a name that holds the words is no guess.
            anew: encode the query whatever is remembered or stored of it.

        Raises:
            NothingToCompare: no model that understands it has anything to compare it with.
            AppError: the query is empty, or its file cannot be read.
        """
        began_s = time.perf_counter()
        query = self._queries.resolve(request.query)
        filters = _absolute(request.filters)
        targets = self._targets.choose(query, request.model, models, filters)
        own, own_paths = self._own(query)
        answers = [self._ask(target, query, request, filters, own, anew) for target in targets]
        notes = [] if targets else [no_model(filters)]
        all_unsure = False
        if request.min_precision is not None and sure:
            asked = answers
            answers, told = _only_sure(asked, query, request.min_precision, sure)
            all_unsure = _hold_any(asked) and not _hold_any(answers)
            notes += told
        by_words = self._by_words(request, filters, query, own)
        by_meaning = [[int(item_id) for item_id in answer.neighbours.ids] for answer in answers]
        ranking = _fuse(by_meaning, list(by_words), request.k)
        hits = self._hits(ranking, self._similarities(ranking, answers), own_paths, filters.under, by_words)
        return SearchReply(
            models=tuple(target.key for target in targets),
            hits=hits,
            timings=Timings(
                sum(answer.encode_ms for answer in answers),
                sum(answer.neighbours_ms for answer in answers),
                (time.perf_counter() - began_s) * 1000,
            ),
            generation=request.generation,
            exact=all(answer.exact for answer in answers),
            note=" ".join(notes),
            all_unsure=all_unsure,
        )

    def run(self, query: Query, target: Target, depth: int) -> tuple[Hit, ...]:
        """`ranking` as hits."""
        return self.hits(self.ranking(query, target, depth))

    def ranking(self, query: Query, target: Target, depth: int, vector: Vector | None = None) -> Neighbours:
        """The first ``depth`` items by meaning alone, exactly; every copy of the query's own file is left out.

        Args:
            query: whose files have been read.
            target: the model.
            depth: how many.
            vector: (dim,), in place of the query's own; of length 1.

        Raises:
            MediaUnreadable: the query's file is gone.
        """
        return self._alone(query, target, depth, vector, EVERYTHING)[0]

    def usual(self, query: Query, target: Target, k: int, vector: Vector | None = None) -> tuple[Neighbours, bool]:
        """`ranking` by the way that a search takes, through the graph where there is one; and whether it is exact."""
        return self._alone(query, target, k, vector, _scan_up_to(query, exact=False))

    def hits(self, ranking: Neighbours) -> tuple[Hit, ...]:
        """A ranking as hits; items whose last file has gone meanwhile are left out."""
        ids = ranking.ids.tolist()
        similarities = dict(zip(ids, ranking.similarities.tolist(), strict=True))
        return self._hits([(item_id, (FoundBy.MEANING,)) for item_id in ids], similarities, frozenset())

    def _alone(
        self, query: Query, target: Target, k: int, vector: Vector | None, scan_up_to: int | None
    ) -> tuple[Neighbours, bool]:
        allowed = self._lookup.visible(Filters(), target.kinds)
        own = _union([self._lookup.items_of(bytes.fromhex(part.content)) for part in query.parts if part.content])
        asked = self._queries.vector(query, target) if vector is None else vector
        return self._shelves[target.space].search(asked, k, allowed, own, scan_up_to)

    # --- the neighbours ---

    def _ask(
        self, target: Target, query: Query, request: SearchRequest, filters: Filters, own: Ids, anew: bool
    ) -> _Nearest:
        began_s = time.perf_counter()
        vector = self._queries.vector(query, target, anew)
        encoded_s = time.perf_counter()
        allowed = self._lookup.visible(filters, target.kinds)
        scan_up_to = _scan_up_to(query, request.exact)
        neighbours, exact = self._shelves[target.space].search(vector, request.k, allowed, own, scan_up_to)
        found_s = time.perf_counter()
        return _Nearest(target, vector, neighbours, exact, (encoded_s - began_s) * 1000, (found_s - encoded_s) * 1000)

    # --- the hits ---

    def _own(self, query: Query) -> tuple[Ids, frozenset[bytes]]:
        """The items that only the query's own files hold, and the paths of those files."""
        items: list[Ids] = []
        own_paths = {os.fsencode(part.path) for part in query.parts if part.path}
        real_paths = {os.path.realpath(path) for path in own_paths}
        for part in query.parts:
            if part.content:
                sha256 = bytes.fromhex(part.content)
                copies = [path for path in self._lookup.paths_of(sha256) if os.path.realpath(path) not in real_paths]
                if not copies or not part.path:
                    items.append(self._lookup.items_of(sha256))
        return _union(items), frozenset(own_paths)

    def _by_words(self, request: SearchRequest, filters: Filters, query: Query, own: Ids) -> dict[int, list[bytes]]:
        if not request.keywords or query.modalities != {Modality.TEXT}:
            return {}
        excluded = {int(item_id) for item_id in own}
        limit = max(request.k, KEYWORD_LIMIT)
        found = self._keywords.find(query.words, filters, limit)
        return {item_id: paths for item_id, paths in found.items() if item_id not in excluded}

    def _similarities(self, ranking: Iterable[tuple[int, object]], answers: Sequence[_Nearest]) -> dict[int, float]:
        """The cosine of every ranked item that has a vector, also of those that only the keywords found."""
        known: dict[int, float] = {}
        for answer in answers:
            neighbours = answer.neighbours
            known.update(zip(map(int, neighbours.ids), map(float, neighbours.similarities), strict=True))
        unknown = np.array([item_id for item_id, _ in ranking if item_id not in known], np.int64)
        for answer in answers if len(unknown) else ():
            for ids, vectors in self._spaces.of_items(answer.target.space, unknown):
                known.update(zip(map(int, ids), map(float, vectors @ answer.vector), strict=True))
        return known

    def _hits(
        self,
        ranking: Sequence[tuple[int, tuple[FoundBy, ...]]],
        similarities: dict[int, float],
        own_paths: frozenset[bytes],
        under: str | None = None,
        named: Mapping[int, Sequence[bytes]] = MappingProxyType({}),
    ) -> tuple[Hit, ...]:
        rows = self._lookup.items([item_id for item_id, _ in ranking])
        online = [root for root in self._files.roots() if is_online(root)]
        hits: list[Hit] = []
        for item_id, found_by in ranking:
            if row := rows.get(item_id):
                path = _shown_path(row, own_paths, under, online, named.get(item_id, ()))
                hits.append(_hit(len(hits) + 1, row, similarities.get(item_id), found_by, path))
        return tuple(hits)

    def hit(self, item_id: int) -> Hit | None:
        """One item as a hit without a rank."""
        hits = self._hits([(item_id, ())], {}, frozenset())
        return replace(hits[0], rank=0) if hits else None


def _hit(
    rank: int,
    row: ItemRow,
    similarity: float | None,
    found_by: tuple[FoundBy, ...],
    path: bytes,
) -> Hit:
    return Hit(
        rank=rank,
        item_id=row.id,
        path=os.fsdecode(path),
        kind=row.media_kind,
        item_kind=row.kind,
        start_ms=None if row.kind is ItemKind.PHOTO else row.start_ms,
        end_ms=row.end_ms,
        similarity=similarity,
        found_by=found_by,
        copies=len(row.paths) - 1,
    )


def _shown_path(
    row: ItemRow, own_paths: frozenset[bytes], under: str | None, online: Sequence[bytes], named: Sequence[bytes]
) -> bytes:
    """Of the files with this content one that was asked for: not the query's own, below the folder, there now, and
    ``named`` by the query's words."""

    def unwanted(path: bytes) -> tuple[bool, bool, bool, bool]:
        outside = under is not None and not is_within(path, os.fsencode(under))
        away = not any(is_within(path, root) for root in online)
        return outside, path in own_paths, away, path not in named

    return min(row.paths, key=unwanted)


def _scan_up_to(query: Query, exact: bool) -> int | None:
    """The largest set that is compared whole, or None for what the shelf thinks best."""
    if exact:
        return EVERYTHING
    return SCAN_FOR_WORDS_UP_TO if Modality.TEXT in query.modalities else None


def _hold_any(answers: Iterable[_Nearest]) -> bool:
    return any(len(answer.neighbours.ids) for answer in answers)


def _only_sure(
    answers: Sequence[_Nearest], query: Query, precision: float, sure: Sure
) -> tuple[list[_Nearest], list[str]]:
    """The answers without what lies below their models' thresholds, and why nothing or all of one was left out."""
    kept, notes = [], []
    for answer in answers:
        threshold = sure(answer.target, query, precision)
        if threshold.similarity is None:
            notes.append(f"Results that are not sure could not be left out: {threshold.note}")
        else:
            near = answer.neighbours
            is_sure = near.similarities >= np.float32(threshold.similarity)
            if len(is_sure) and not is_sure.any():
                best = float(near.similarities.max())
                notes.append(_none_is_sure(answer.target, threshold.similarity, best, precision))
            answer = replace(answer, neighbours=Neighbours(near.ids[is_sure], near.similarities[is_sure]))
        kept.append(answer)
    return kept, notes


def _none_is_sure(target: Target, needed: float, best: float, precision: float) -> str:
    found = "picture" if ItemKind.AUDIO not in target.kinds else "sound" if len(target.kinds) == 1 else "result"
    return (
        f"No {found} is similar enough to be right in {precision:.0%} of cases, by your judgments: that takes a "
        f"similarity of {needed:.3f}, and the most similar one has {best:.3f}."
    )


def _union(items: Sequence[Ids]) -> Ids:
    """All of these, ascending."""
    return np.unique(np.concatenate(items)) if items else NO_IDS


def _absolute(filters: Filters) -> Filters:
    """The filters with their folder as the library writes it."""
    if filters.under is None:
        return filters
    return replace(filters, under=os.path.abspath(filters.under))  # noqa: PTH100 - links in it are not resolved


def _fuse(
    by_meaning: Sequence[Sequence[int]], by_words: Sequence[int], k: int
) -> list[tuple[int, tuple[FoundBy, ...]]]:
    """Reciprocal rank fusion of the lists of one or more models and of the keywords; a single list keeps its order."""
    scores: dict[int, float] = {}
    found_by: dict[int, tuple[FoundBy, ...]] = {}
    for finder, items in (*((FoundBy.MEANING, items) for items in by_meaning), (FoundBy.KEYWORDS, by_words)):
        for rank, item_id in enumerate(items, start=1):
            scores[item_id] = scores.get(item_id, 0.0) + 1.0 / (RANK_CONSTANT + rank)
            found_by[item_id] = (*found_by.get(item_id, ()), finder)
    best = sorted(scores, key=lambda item_id: -scores[item_id])[:k]  # a stable sort: equals stay with the meaning first
    return [(item_id, found_by[item_id]) for item_id in best]
