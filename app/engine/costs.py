"""What a model costs, beside what it finds: how fast it is here, and what its rounding takes from its base."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.engine.encoders.base import EncoderSource
from app.engine.encoders.rates import Rates
from app.engine.evaltypes import Evaluation, ModelEvaluation
from app.engine.modeltypes import ModelStatus
from app.engine.store.spaces import Spaces
from app.engine.types import Space

COMPARED_ITEMS = 1000


class Costs:
    """The costs of the models of one library."""

    def __init__(self, spaces: Spaces, encoders: EncoderSource, rates: Rates) -> None:
        self._spaces = spaces
        self._encoders = encoders
        self._rates = rates

    def beside(self, evaluation: Evaluation) -> Evaluation:
        """The same with every model's speed and, of a variant, its agreement with its base, as far as they are known.

        Raises:
            LibraryDamaged: the vectors cannot be read.
        """
        statuses = {status.key: status for status in self._encoders.statuses() if status.ready}
        models = tuple(
            self._of(model, statuses[model.model], statuses) if model.model in statuses else model
            for model in evaluation.models
        )
        return replace(evaluation, models=models)

    def _of(self, model: ModelEvaluation, status: ModelStatus, ready: dict[str, ModelStatus]) -> ModelEvaluation:
        rates, device = self._rates.of(status.key)
        slowest = min((rate for kind, rate in rates.items() if kind in status.accepts), default=None)
        base = ready.get(status.variant_of)
        costs = replace(
            model.costs,
            items_per_s=slowest,
            device=device if slowest else "",
            base=base.name if base else "",
            agreement=self._agreement(status.key, base.key) if base else None,
        )
        return replace(model, costs=costs)

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
