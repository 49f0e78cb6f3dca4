"""Judge once, without bias: the pool of a query, and the grades that a person gives to what is in it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from app.engine.encoders.base import EncoderSource, ready_keys
from app.engine.errors import AppError
from app.engine.evaltypes import OWN_JUDGE, Pool, PoolItem, QuerySummary
from app.engine.evaluation import trec
from app.engine.querying import Target
from app.engine.search import Searcher
from app.engine.store.judgments import Judgments
from app.engine.store.lookup import Lookup
from app.engine.store.queries import Queries
from app.engine.types import Hit, ItemRef, Query


class Judging:
    """The pools of one library's test queries, and their judgments."""

    def __init__(
        self, lookup: Lookup, queries: Queries, judgments: Judgments, searcher: Searcher, encoders: EncoderSource
    ) -> None:
        self._lookup = lookup
        self._queries = queries
        self._judgments = judgments
        self._searcher = searcher
        self._encoders = encoders

    def pool(self, query_id: int, models: Sequence[str], depth: int, judge: str = OWN_JUDGE) -> Pool:
        """The first ``depth`` results of every model, each once, in an order that depends on neither model nor rank."""
        stored = self._queries.query(query_id)
        of_set = self._queries.set_of(stored.set_id)
        targets = self._targets(stored.query, models)
        grades = self._judgments.of_query(query_id, judge)
        hits: dict[int, Hit] = {}
        for target in targets:
            for hit in self._searcher.run(stored.query, target, depth):
                hits[hit.item_id] = replace(hit, rank=0, similarity=None, found_by=())
        refs = self._lookup.refs(list(hits))
        blind = sorted(refs, key=lambda item_id: _shuffle_key(stored.key, refs[item_id]))
        return Pool(
            query_id=query_id,
            title=stored.title,
            items=tuple(PoolItem(hits[item_id], grades.get(refs[item_id])) for item_id in blind),
            models=tuple(target.key for target in targets),
            scale=of_set.scale,
            guidelines=stored.guidelines or of_set.guidelines,
        )

    def judge(self, query_id: int, item_id: int, grade: int | None, judge: str = OWN_JUDGE) -> QuerySummary:
        """Enter a grade (0: not relevant, above: relevant) or a `Mark`; None takes it back.

        Raises:
            AppError: the query or the item is gone.
        """
        self._queries.query(query_id)
        refs = self._lookup.refs([item_id])
        if item_id not in refs:
            raise AppError("This item is gone", "Its file has left the library since it was found.")
        self._judgments.judge(query_id, judge, [(refs[item_id], grade)])
        return self._queries.query(query_id, judge)

    def _targets(self, query: Query, models: Sequence[str]) -> list[Target]:
        ready = ready_keys(self._encoders)
        able = [key for key in models if key in ready and query.modalities <= self._encoders.spec(key).accepts]
        return [target for key in able if (target := self._searcher.target(key))]


def _shuffle_key(query_key: str, ref: ItemRef) -> bytes:
    """A fixed order that looks random: the same at every visit, and of no model's making."""
    return hashlib.sha256(f"{query_key} {trec.document_id(ref)}".encode()).digest()
