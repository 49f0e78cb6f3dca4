"""The measures of retrieval, all of them computed by `ir_measures` (which asks trec_eval's own code)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ir_measures
from ir_measures import AP, RR, Judged, P, Qrel, R, ScoredDoc, SetF, nDCG

Qrels = Mapping[str, Mapping[str, int]]
"""Query id → document id → grade; above 0 is relevant."""

Run = Mapping[str, Sequence[tuple[str, float]]]
"""Query id → (document id, score); trec_eval's order: score descending, then document id descending."""


def names(k: int) -> tuple[str, ...]:
    """The measures of a comparison at ``k``, by ir_measures' names, in the order of a table.

    ``F1@k`` is its SetF on the first k results; recall counts what has been judged relevant.
    """
    return (f"P@{k}", f"R@{k}", f"F1@{k}", "AP", "RR", f"nDCG@{k}", f"Judged@{k}")


def per_query(qrels: Qrels, run: Run, k: int) -> dict[str, dict[str, float]]:
    """The measures of every query in ``qrels``: query id → name → value, 0 for a query the run does not answer."""
    return {
        query_id: _one(query_id, grades, _in_trec_order(run.get(query_id, ())), k) for query_id, grades in qrels.items()
    }


def mean(values: Sequence[Mapping[str, float]], k: int) -> dict[str, float]:
    """The mean of each measure over queries; empty for no query."""
    if not values:
        return {}
    return {name: sum(value[name] for value in values) / len(values) for name in names(k)}


def _one(query_id: str, grades: Mapping[str, int], hits: Sequence[tuple[str, float]], k: int) -> dict[str, float]:
    qrels = [Qrel(query_id, document_id, grade) for document_id, grade in grades.items()]
    docs = [ScoredDoc(query_id, document_id, score) for document_id, score in hits]
    values = ir_measures.calc_aggregate([P @ k, R @ k, AP, RR, nDCG @ k, Judged @ k], qrels, docs)
    first_k = ir_measures.calc_aggregate([SetF], qrels, docs[:k])
    named = {str(measure): float(value) for measure, value in values.items()} | {f"F1@{k}": float(first_k[SetF])}
    return {name: named[name] for name in names(k)}


def _in_trec_order(hits: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    by_id = sorted(hits, key=lambda hit: hit[0], reverse=True)
    return sorted(by_id, key=lambda hit: -hit[1])
