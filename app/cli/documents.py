"""The JSON documents of the command line. Their keys are a promise to scripts: add, do not rename."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from app.cli.demo import Demo
from app.engine.evaltypes import Evaluation
from app.engine.judgingtypes import Imported
from app.engine.librarytypes import IndexReport
from app.engine.modeltypes import ModelStatus
from app.engine.types import Hit, SearchReply


def plain(value: Any) -> Any:
    """A value of `app.engine.types` as JSON's kinds."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, frozenset | set):
        return sorted(plain(item) for item in value)
    return value


def index(report: IndexReport) -> dict[str, Any]:
    document: dict[str, Any] = plain(report)
    return document


def search(reply: SearchReply) -> dict[str, Any]:
    return {
        "model": reply.model,
        "models": list(reply.models),
        "hits": [hit(one) for one in reply.hits],
        "timings_ms": {
            "encode": round(reply.timings.encode_ms, 3),
            "neighbours": round(reply.timings.neighbours_ms, 3),
            "total": round(reply.timings.total_ms, 3),
        },
        "exact": reply.exact,
        "note": reply.note,
        "all_unsure": reply.all_unsure,
    }


def hit(one: Hit) -> dict[str, Any]:
    """``kind`` is what the file is, as ``--kind`` takes it; ``item`` what was found in it."""
    return {
        "rank": one.rank,
        "path": one.path,
        "kind": one.kind,
        "item": one.item_kind,
        "start_ms": one.start_ms,
        "end_ms": one.end_ms,
        "similarity": one.similarity,
        "found_by": list(one.found_by),
        "copies": one.copies,
    }


def models(statuses: Sequence[ModelStatus]) -> dict[str, Any]:
    return {"models": plain(tuple(statuses))}


def imported(taken: Imported) -> dict[str, Any]:
    return {
        "imported": taken.judgments,
        "queries": taken.queries,
        "set": taken.set_name,
        "unknown": list(taken.unknown),
        "unknown_count": taken.unknown_count,
        "notes": list(taken.notes),
    }


def evaluation(result: Evaluation) -> dict[str, Any]:
    return {
        "k": result.k,
        "measures": list(result.measures),
        "measure": result.measure,
        "set": result.set_name,
        "judge": result.judge,
        "comparisons": plain(result.comparisons),
        "caution": result.caution,
        "frontier": list(result.frontier),
        "models": [
            {
                "model": model.model,
                "name": model.name,
                "queries_answered": len(model.queries),
                "mean": model.mean,
                "measures": plain(model.measures),
                "by_modality": plain(model.by_modality),
                "queries": [
                    {
                        "query": query.query_key,
                        "title": query.title,
                        "measures": query.measures,
                        "hits": [{**hit(judged.hit), "grade": judged.grade} for judged in query.hits],
                    }
                    for query in model.queries
                ],
                "unanswered": list(model.unanswered),
                "note": model.note,
                "items_per_s": model.costs.items_per_s,
                "device": model.costs.device,
                "base": model.costs.base,
                "agreement": model.costs.agreement,
                "costs": plain(model.costs),
                "index_recall": plain(model.index_recall),
                "uses_index": model.uses_index,
                "thresholds": plain(model.thresholds),
            }
            for model in result.models
        ],
    }


def demo(shown: Demo) -> dict[str, Any]:
    return {
        "index": index(shown.report),
        "searches": [{"title": title, **search(reply)} for title, reply in shown.searches],
        "evaluation": evaluation(shown.evaluation),
    }
