"""What a model costs, beside what it finds: time, memory, room, licence; what its index and its rounding lose."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from app.engine.encoders.base import EncoderSource
from app.engine.encoders.rates import Rates
from app.engine.evaltypes import Evaluation, EvaluationRequest, Measured, ModelCosts, ModelEvaluation
from app.engine.evaluation.frontier import frontier
from app.engine.evaluation.resampling import intervals
from app.engine.jobs import NULL_JOB, Job
from app.engine.modeltypes import ModelStatus
from app.engine.shelves import Shelves
from app.engine.store.spaces import Spaces
from app.engine.targets import Target, Targets
from app.engine.trials import Trials
from app.engine.types import Query, Space

COMPARED_ITEMS = 1000


class Costs:
    """The costs of the models of one library."""

    def __init__(
        self,
        spaces: Spaces,
        shelves: Shelves,
        targets: Targets,
        trials: Trials,
        encoders: EncoderSource,
        rates: Rates,
    ) -> None:
        self._spaces = spaces
        self._shelves = shelves
        self._targets = targets
        self._trials = trials
        self._encoders = encoders
        self._rates = rates

    def beside(self, evaluation: Evaluation, request: EvaluationRequest, job: Job = NULL_JOB) -> Evaluation:
        """The same with every model's costs, as far as they are known, and the models no other beats in both quality
        and speed. Searches are timed, and the index held against the exact search, where the request has it.

        Raises:
            LibraryDamaged: the vectors cannot be read.
            Cancelled: the job was cancelled; what was measured is kept.
        """
        statuses = {status.key: status for status in self._encoders.statuses()}
        queries = {query.id: query.query for query in evaluation.queries}
        models = []
        job.begin("Timing searches", len(evaluation.models))
        for model in evaluation.models:
            status = statuses.get(model.model)
            target = self._targets.of(status.key) if status and status.ready else None
            if status:
                model = replace(model, costs=self._of(status, target, statuses))
            if target and request.costs and model.queries:
                answered = [queries[one.query_id] for one in model.queries]
                model = self._tried(model, target, answered, request.k, job)
            models.append(model)
            job.advance(note=model.name)
        return replace(evaluation, models=tuple(models), frontier=frontier_of(models, evaluation.measure))

    def _of(self, status: ModelStatus, target: Target | None, statuses: Mapping[str, ModelStatus]) -> ModelCosts:
        costs = ModelCosts(
            memory_bytes=status.memory_bytes or None,
            bytes_per_item=self._bytes_per_item(target.space) if target else None,
            download_bytes=status.download_bytes,
            licence=status.licence,
            commercial=status.commercial,
        )
        if not status.ready:
            return costs
        rates, device = self._rates.of(status.key)
        slowest = min((rate for kind, rate in rates.items() if kind in status.accepts), default=None)
        base = statuses.get(status.variant_of)
        is_comparable = base is not None and base.ready
        return replace(
            costs,
            items_per_s=slowest,
            device=device if slowest else "",
            base=base.name if base and is_comparable else "",
            agreement=self._agreement(status.key, base.key) if base and is_comparable else None,
        )

    def _tried(
        self, model: ModelEvaluation, target: Target, queries: Sequence[Query], k: int, job: Job
    ) -> ModelEvaluation:
        times_ms = self._trials.times_ms(queries, target, job)
        recalls, uses_index = self._trials.recalls(queries, target, k, job)
        costs = replace(model.costs, gpu_memory_bytes=self._trials.gpu_bytes(target))
        if times_ms:
            p50_ms, p95_ms, p99_ms = np.percentile(times_ms, (50, 95, 99)).tolist()
            costs = replace(
                costs, query_p50_ms=p50_ms, query_p95_ms=p95_ms, query_p99_ms=p99_ms, timed_queries=len(times_ms)
            )
        return replace(model, costs=costs, index_recall=_mean(recalls, uses_index), uses_index=uses_index)

    def _bytes_per_item(self, space: Space) -> int:
        """The stored vector with its row, and its share of the index file where there is one."""
        items = self._spaces.count(space.id)
        return self._spaces.vector_bytes(space.id) + round(self._shelves[space].file_bytes / max(1, items))

    def _agreement(self, key: str, base_key: str) -> float | None:
        """The mean cosine between two models' stored vectors of the first items that both have."""
        space, base = self._space(key), self._space(base_key)
        if space is None or base is None or space.dim != base.dim:
            return None
        for _rows, ids, vectors in self._spaces.after(space, 0, COMPARED_ITEMS):
            places = {int(item_id): place for place, item_id in enumerate(ids)}
            cosines = [
                (vectors[[places[int(item_id)] for item_id in base_ids]] * base_vectors).sum(axis=1)
                for base_ids, base_vectors in self._spaces.of_items(base, ids)
            ]
            if cosines:
                return float(np.concatenate(cosines).mean())
        return None

    def _space(self, key: str) -> Space | None:
        return self._spaces.find(key, self._encoders.fingerprint(key))


def frontier_of(models: Sequence[ModelEvaluation], measure: str) -> tuple[str, ...]:
    """The models that no other beats in both the measure and speed, in the order of ``models``.

    Speed is items a second on this machine. Models are held only against those that answered the same queries and
    whose speed is known; one that stands alone there is none of them.
    """
    kept: set[str] = set()
    groups: dict[frozenset[int], list[ModelEvaluation]] = {}
    for model in models:
        if model.queries:
            groups.setdefault(frozenset(one.query_id for one in model.queries), []).append(model)
    for group in groups.values():
        points = {one.model: (1 / one.costs.items_per_s, one.mean[measure]) for one in group if one.costs.items_per_s}
        kept.update(frontier(points) if len(points) > 1 else ())
    return tuple(model.model for model in models if model.model in kept)


def _mean(recalls: Sequence[float], uses_index: bool) -> Measured | None:
    if not recalls:
        return None
    if not uses_index:  # nothing can be lost
        return Measured(1.0, 1.0, 1.0)
    low, high = intervals(np.array(recalls)[:, None])
    value = math.fsum(recalls) / len(recalls)
    return Measured(value) if math.isnan(low[0]) else Measured(value, float(low[0]), float(high[0]))
