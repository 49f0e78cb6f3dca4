"""What a similarity or a confidence is worth, by the judgments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from app.engine.evaltypes import Threshold
from app.engine.evaluation.resampling import Floats
from app.engine.types import Modality

FEWEST_JUDGED = 20
"""With fewer judged results nothing is said about a threshold: of 20 that are all right, 0.84 may still be the
truth."""

FEWEST_ABOVE = 10
"""A threshold must have so many judged results above it."""

MOST_UNJUDGED = 0.1
"""Of the results above a threshold. Were the guess about them wrong by a third, the precision would be by 0.03."""

Similarities = Sequence[float] | NDArray[np.floating]

SLOPE_DEVIATION = 1.0
SHIFT_DEVIATION = 2.0
"""How far from a model's own confidence a calibration is expected to lie, before any judgment, in the logit."""

_CLIP = 1e-6


def threshold(
    model: str,
    modality: Modality,
    similarities: Similarities,
    grades: Sequence[int] | NDArray[np.integer],
    precision: float = 0.9,
    unjudged: Similarities = (),
    relevant: Similarities | None = None,
) -> Threshold:
    """The lowest similarity from which ``precision`` of the results are relevant, by what is judged without a gap.

    Pools hold the first results of each list, and imports often the relevant ones alone: all that was judged, taken
    together, is better than what a search shows. So only unbroken runs count, from the first result of a query to the
    last before one that is not judged. What follows them is known by its similarity, and is taken to be relevant as
    often as judged results that are no more similar; a threshold goes no deeper than where `MOST_UNJUDGED` of all
    results above it are such. And none is told before something was judged not relevant.

    That a result is relevant is taken to be no less likely the more similar it is (isotonic regression, by pool
    adjacent violators): a lucky or unlucky stretch within the list moves nothing. The precision above a similarity is
    the mean of the likelihoods above it, which then falls all the way down, and the observed one must reach it as well.

    Args:
        model: its key.
        modality: that of the queries.
        similarities: of the results in unbroken runs, of all queries together.
        grades: their grades; above 0 is relevant, and those below 0 (marks) are left out.
        precision: above 0, at most 1.
        unjudged: similarities of the results that follow the runs.
        relevant: those of all results judged relevant, wherever; None: there are no others than in the runs.
    """
    from scipy import optimize  # a second that opening a library does not wait for

    scores, right = _judged(similarities, grades)
    judged = len(scores)

    def none(note: str) -> Threshold:
        return Threshold(model, modality, precision, None, judged=judged, note=note)

    if judged < FEWEST_JUDGED:
        return none(
            f"Only {judged} results are judged without a gap from the first one of a query on, and at least "
            f"{FEWEST_JUDGED} are needed."
        )
    if right.all():
        return none("All results judged so far are relevant. Judge further down, until some are not.")
    likely = optimize.isotonic_regression(right[::-1]).x[::-1]  # it takes what rises
    unknown, expected = _expected(scores, likely, unjudged)
    above = np.arange(1, judged + 1) + unknown
    settled = (unknown <= MOST_UNJUDGED * above) & np.append(scores[1:] != scores[:-1], True)  # equals stay together
    reached = settled & (np.minimum(likely.cumsum(), right.cumsum()) + expected >= precision * above - 1e-9)
    last = int(np.flatnonzero(reached)[-1]) if reached.any() else -1
    if last + 1 < FEWEST_ABOVE:
        too_few = "Too few results are judged without a gap. Judge further down."
        return none(_unreached(right, precision) if settled[FEWEST_ABOVE - 1 :].any() else too_few)
    count, found = last + 1, int(right[: last + 1].sum())
    similarity = float(scores[last])
    known = scores[right > 0] if relevant is None else np.asarray(relevant, dtype=np.float64)
    return Threshold(
        model=model,
        modality=modality,
        precision=precision,
        similarity=similarity,
        observed=found / count,
        above=count,
        kept=float((known >= similarity).sum() / len(known)),
        judged=judged,
        note=_reach(count, judged, last == settled.nonzero()[0][-1]),
    )


def _reach(above: int, judged: int, is_deepest: bool) -> str:
    if above == judged:
        return "Every judged result lies above it."
    return "It may be lower: further down too few results are judged." if is_deepest else ""


def _expected(scores: Floats, likely: Floats, unjudged: Similarities) -> tuple[NDArray[np.intp], Floats]:
    """How many unjudged results are as similar as each judged one or more so, and how many of them may be relevant."""
    others = np.sort(np.asarray(unjudged, dtype=np.float64))[::-1]
    others = others[others >= scores[-1]]
    unknown = np.searchsorted(-others, -scores, side="right")
    chance = likely[np.searchsorted(-scores, -others, side="left")]
    return unknown, np.concatenate([[0.0], chance.cumsum()])[unknown]


def _judged(similarities: Similarities, grades: Sequence[int] | NDArray[np.integer]) -> tuple[Floats, Floats]:
    """The similarities from the highest down, and whether each is relevant. Of equal ones the relevant come last, so
    that no order of theirs is taken for a merit."""
    scores, marks = np.asarray(similarities, dtype=np.float64), np.asarray(grades)
    scores, marks = scores[marks >= 0], marks[marks >= 0]
    order = np.lexsort((marks > 0, -scores))
    return scores[order], np.asarray(marks[order] > 0, dtype=np.float64)


def _unreached(relevant: Floats, precision: float) -> str:
    best = relevant[:FEWEST_ABOVE].mean()
    return (
        f"No similarity is high enough for {precision:.0%}: of the {FEWEST_ABOVE} most similar judged results, "
        f"{best:.0%} are relevant."
    )


@dataclass(frozen=True)
class Calibration:
    """Turns a model's confidence into the probability that a person agrees. ``judged`` judgments say how."""

    slope: float = 1.0
    shift: float = 0.0
    judged: int = 0

    def apply(self, raw: ArrayLike) -> Floats:
        """Probabilities, of confidences from 0 to 1, in their shape and in their order."""
        return np.asarray(special.expit(self.slope * _logit(raw) + self.shift), dtype=np.float64)


def fit(raw: Sequence[float] | NDArray[np.floating], relevant: Sequence[bool] | NDArray[np.bool_]) -> Calibration:
    """Platt scaling of the logit, drawn towards the model's own confidence while judgments are few.

    Platt, "Probabilistic outputs for support vector machines", 1999; on the logit as in Kull, Silva Filho and Flach,
    "Beta calibration", AISTATS 2017, with one slope. It is the most likely pair of slope and shift where these are
    normally distributed around 1 and 0: without judgments nothing is changed, and some dozens outweigh it. The slope is
    never negative, so that the order stays.

    Args:
        raw: (n,) confidences, 0 to 1.
        relevant: (n,) whether the judge agreed.
    """
    logits = _logit(raw)
    right = np.asarray(relevant, dtype=np.float64)
    if len(right) == 0:
        return Calibration()
    from scipy import optimize  # as in `threshold`: not at once

    def loss(parameters: Floats) -> tuple[float, Floats]:
        slope, shift = parameters
        margin = slope * logits + shift
        away = (parameters - [1.0, 0.0]) / [SLOPE_DEVIATION, SHIFT_DEVIATION]
        error = special.expit(margin) - right
        gradient = np.array([error @ logits, error.sum()]) + away / [SLOPE_DEVIATION, SHIFT_DEVIATION]
        return float((np.logaddexp(0, margin) - right * margin).sum() + away @ away / 2), gradient

    found = optimize.minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0, None), (None, None)])
    return Calibration(float(found.x[0]), float(found.x[1]), len(right))


def _logit(raw: ArrayLike) -> Floats:
    return np.asarray(special.logit(np.clip(np.asarray(raw, dtype=np.float64), _CLIP, 1 - _CLIP)), dtype=np.float64)
