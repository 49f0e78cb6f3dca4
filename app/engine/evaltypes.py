"""The words of evaluating: what every model is worth by the judgments, how sure that is, and what reports say of it.

Only the standard library is imported here, as in `types`. A measure is named as ir_measures names it ("P@5", "nDCG@10",
"AP"). Intervals are of 95 %.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from app.engine.judgingtypes import QuerySummary
from app.engine.types import Hit, Modality

# --- measures --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """A measure over some queries.

    ``value`` is trec_eval's: what is not judged counts as not relevant. ``low`` and ``high`` are the interval over
    queries, None for fewer than two. ``judged`` is the share of the results it looks at that were judged: of the first
    k; without a cut-off of the whole list (for RR down to the first relevant result, for Rprec of as many as are
    relevant). ``least`` and ``most`` are what it could be, whichever of the first k that are not judged were relevant:
    none, all, or some; of the first ten for AP, nDCG and Rprec without a cut-off, further down nobody looks.
    """

    value: float
    low: float | None = None
    high: float | None = None
    judged: float = 1.0
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True)
class JudgedHit:
    """One row of a ranked list: ``grade`` None: not judged."""

    hit: Hit
    grade: int | None


@dataclass(frozen=True)
class QueryEvaluation:
    """One model's measures on one query; ``hits`` are its first k where they were asked for."""

    query_id: int
    query_key: str
    title: str
    measures: dict[str, float]
    hits: tuple[JudgedHit, ...] = ()


@dataclass(frozen=True)
class Threshold:
    """The similarity from which a model's results are right in ``precision`` of all cases, by the judgments.

    ``similarity`` None: there are too few judgments, or no similarity reaches it; ``note`` says which. ``above`` judged
    results are no less similar, of which the share ``observed`` is right; ``kept`` is the share of the relevant results
    that lie above. ``judged`` counts all that it goes by. There is no interval: results of one query, and two files
    that find each other, are not independent, and the similarity was chosen by these very results. ``modality`` is that
    of the queries: similarities of words and of pictures differ.
    """

    model: str
    modality: Modality
    precision: float
    similarity: float | None
    observed: float | None = None
    above: int = 0
    kept: float | None = None
    judged: int = 0
    note: str = ""


@dataclass(frozen=True)
class ModelCosts:
    """What a model costs on this machine; None where that is not known.

    ``items_per_s`` is how fast it encodes on ``device`` ("cpu", "cuda", "mps"). Query times are of whole searches,
    ``timed_queries`` of them: encoding included, nothing remembered. ``memory_bytes`` is what it needs of the host,
    ``gpu_memory_bytes`` of the graphics card. ``bytes_per_item`` is what its vectors take in the library and its index.
    ``base`` names the model of which it is a variant, ``agreement`` is the mean cosine of their vectors here.
    """

    items_per_s: float | None = None
    device: str = ""
    query_p50_ms: float | None = None
    query_p95_ms: float | None = None
    query_p99_ms: float | None = None
    timed_queries: int = 0
    memory_bytes: int | None = None
    gpu_memory_bytes: int | None = None
    bytes_per_item: int | None = None
    download_bytes: int | None = None
    licence: str = ""
    commercial: bool | None = None
    base: str = ""
    agreement: float | None = None


@dataclass(frozen=True)
class ModelEvaluation:
    """One model over all queries it can answer.

    ``measures`` are means over ``queries``; ``by_modality`` the same over the queries by words, picture, sound alone,
    where there is more than one kind; mixed queries, each a mix of its own, count in ``measures`` only.
    ``unanswered`` names the queries of a kind it does not accept, those judged on nothing it could find, and those
    whose file is gone; ``note`` says which it is, or why the model answers nothing. ``index_recall`` is the share of
    its exact first k that a search through its index finds, None where it was not measured; ``uses_index`` False: its
    searches compare every vector, and nothing can be lost.
    """

    model: str
    name: str
    measures: dict[str, Measured]
    queries: tuple[QueryEvaluation, ...]
    unanswered: tuple[str, ...] = ()
    note: str = ""
    by_modality: dict[Modality, dict[str, Measured]] = field(default_factory=dict)
    index_recall: Measured | None = None
    uses_index: bool = False
    thresholds: tuple[Threshold, ...] = ()
    costs: ModelCosts = ModelCosts()

    @property
    def mean(self) -> dict[str, float]:
        return {name: measured.value for name, measured in self.measures.items()}


class Verdict(StrEnum):
    BETTER = "better"
    """The difference is real, by a corrected test."""
    ALIKE = "alike"
    """The interval of the difference is so narrow that whatever is left of it does not matter."""
    OPEN = "open"
    """It cannot be told yet."""


@dataclass(frozen=True)
class Comparison:
    """Two models on the queries that both answered; ``better`` has the higher mean (``worse`` may be its equal).

    ``p_value`` is of a paired randomization test, ``p_adjusted`` corrected for all the pairs compared (Holm). Queries
    that are not independent (`app.engine.evaluation.clusters`) are drawn and tested as one.
    ``effect_size`` is the mean difference in standard deviations of the differences. ``wins``, ``losses`` and ``ties``
    count queries. ``more_queries``: about how many more would settle it, None where it is settled or no number would.
    ``sentence`` says it in plain words. ``reachable`` is the most that the measure can be on these queries.
    """

    measure: str
    better: str
    worse: str
    queries: int
    difference: float
    low: float | None
    high: float | None
    p_value: float
    p_adjusted: float
    effect_size: float | None
    wins: int
    losses: int
    ties: int
    verdict: Verdict
    more_queries: int | None
    sentence: str
    reachable: float = 1.0


@dataclass(frozen=True)
class EvaluationRequest:
    """``models`` empty: the library's. ``query_ids`` empty: every judged query of the set; ``set_id`` None: of all
    sets but that of labels. ``judge`` None: all judges together (the lower median of their grades). ``measure`` is what
    models are compared by, P@k if empty; ``measures`` further ones to compute, by their names. ``hits``: with the first
    k of every list. ``costs``: time queries and compare the index with the exact search, where that is not known
    yet."""

    models: tuple[str, ...] = ()
    query_ids: tuple[int, ...] = ()
    k: int = 10
    set_id: int | None = None
    judge: str | None = None
    measure: str = ""
    measures: tuple[str, ...] = ()
    hits: bool = False
    costs: bool = True


@dataclass(frozen=True)
class Evaluation:
    """``measures`` gives the columns in order; a model's figures are its own, never mixed with another's.
    ``comparisons`` are of every two models that share queries, by ``measure``. ``frontier`` are the models that no
    other beats in both ``measure`` and speed. ``caution`` says of what the comparisons do not speak, where queries are
    alike."""

    k: int
    measures: tuple[str, ...]
    models: tuple[ModelEvaluation, ...]
    queries: tuple[QuerySummary, ...]
    measure: str = ""
    comparisons: tuple[Comparison, ...] = ()
    frontier: tuple[str, ...] = ()
    set_name: str = ""
    judge: str | None = None
    caution: str = ""


# --- robustness ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Disturbance:
    """A way in which a query is made worse, the same at every run. ``name`` is for people ("JPEG, quality 20")."""

    key: str
    name: str
    modality: Modality


@dataclass(frozen=True)
class Drop:
    """What a disturbance costs a model: the measure over the same queries ``before`` and ``after``. ``change`` is after
    less before, with its interval over queries."""

    model: str
    disturbance: str
    queries: int
    before: float
    after: float
    change: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class RobustnessRequest:
    """As an `EvaluationRequest`. ``disturbances`` empty: all that fit the queries."""

    models: tuple[str, ...] = ()
    query_ids: tuple[int, ...] = ()
    k: int = 10
    set_id: int | None = None
    judge: str | None = None
    measure: str = ""
    disturbances: tuple[str, ...] = ()
    seed: int = 1


@dataclass(frozen=True)
class Robustness:
    """``drops`` has one entry for each model and disturbance of a kind that it accepts."""

    measure: str
    seed: int
    disturbances: tuple[Disturbance, ...]
    models: tuple[str, ...]
    names: dict[str, str]
    drops: tuple[Drop, ...]
    notes: tuple[str, ...] = ()


# --- reports ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReportRequest:
    """``pictures``: with a small picture of every result shown. ``robustness`` is shown where it is given."""

    evaluation: EvaluationRequest = EvaluationRequest()
    pictures: bool = True
    title: str = ""
    robustness: Robustness | None = None


@dataclass(frozen=True)
class Written:
    """What a report or an export wrote."""

    path: str
    files: tuple[str, ...]
    size_bytes: int
