"""The words of evaluating: test queries, how they were judged, what every model is worth by that, and how sure it is.

Only the standard library is imported here, as in `types`. A measure is named as ir_measures names it ("P@5", "nDCG@10",
"AP"). Intervals are of 95 %.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from app.engine.types import Hit, Modality, Query

OWN_JUDGE = ""
"""The judge who gave no name: the person whose library it is."""

IMPORTED = "imported"
"""The judge who says what folders and captions say. A person's grade of an item outranks this one's."""

LONGEST_JUDGE = 60

DEFAULT_SET = "Test queries"
"""The set that takes the queries nobody chose another for."""


MOST_UNKNOWN = 100
"""Names that an import lists of those that it does not know; a hundred thousand would be read by nobody."""


# --- test queries ----------------------------------------------------------------------------------------------------


class Scale(StrEnum):
    """How finely a set is judged. Whatever is above 0 is relevant."""

    BINARY = "binary"
    GRADED = "graded"

    @property
    def highest(self) -> int:
        return 3 if self is Scale.GRADED else 1


class Mark(IntEnum):
    """What stands in place of a grade, below all grades. An item with a mark counts as not judged."""

    UNSURE = -1
    LATER = -2


@dataclass(frozen=True)
class QuerySet:
    """A named set of test queries, judged on one scale. ``judged`` counts the queries with at least one grade."""

    id: int
    name: str
    scale: Scale = Scale.BINARY
    guidelines: str = ""
    queries: int = 0
    judged: int = 0
    judgments: int = 0
    judges: tuple[str, ...] = ()


@dataclass(frozen=True)
class QuerySummary:
    """A test query and how far it is judged.

    ``id`` numbers it in this library; ``key`` is its TREC query id, the same in every library and once in a set.
    ``guidelines`` say what counts as relevant. ``translations`` are its words in other languages, by language tag.
    ``relevant`` and ``judged`` count grades, ``unsure`` and ``later`` marks: of one judge, or of all together.
    """

    id: int
    key: str
    title: str
    query: Query
    relevant: int
    judged: int
    set_id: int = 1
    guidelines: str = ""
    translations: dict[str, str] = field(default_factory=dict)
    unsure: int = 0
    later: int = 0


@dataclass(frozen=True)
class Imported:
    """What an import took in that was not there before: ``queries`` of which anything is new, and ``judgments``.
    ``unknown`` lists the first paths and ids that name nothing in this library, and ``more_unknown`` counts the others;
    ``notes`` say in sentences what else was left out and why."""

    set_id: int
    set_name: str
    queries: int
    judgments: int
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    more_unknown: int = 0

    @property
    def unknown_count(self) -> int:
        return len(self.unknown) + self.more_unknown


# --- judging ---------------------------------------------------------------------------------------------------------


class JudgingOrder(StrEnum):
    """In which order a pool, and the queries of a set, are judged. Neither tells which model found what."""

    SHUFFLED = "shuffled"
    DISAGREEMENT = "disagreement"
    """First what the models disagree about most, which settles comparisons soonest."""


@dataclass(frozen=True)
class PoolItem:
    """One item to judge, with no word of which model found it or where. ``grade`` is a grade, a `Mark`, or None while
    there is neither."""

    item: Hit
    grade: int | None


@dataclass(frozen=True)
class Pool:
    """The first ``depth`` results of every model for one query, each item once, in an order that tells nothing."""

    query_id: int
    title: str
    items: tuple[PoolItem, ...]
    models: tuple[str, ...]
    scale: Scale = Scale.BINARY
    guidelines: str = ""
    """What counts as relevant: the query's own guidelines, else the set's."""


@dataclass(frozen=True)
class QueryProgress:
    """How far one query's pool is judged. ``left`` counts what has neither a grade nor the mark `Mark.UNSURE`, and
    ``later`` what of this has the mark `Mark.LATER`. ``disagreement`` of the models is 0 where all find the same items
    in the same order, and 1 where no two share one; it is told where queries are ordered by it, and else 0."""

    query_id: int
    pooled: int
    left: int
    disagreement: float
    later: int = 0


@dataclass(frozen=True)
class JudgingProgress:
    """How far a set is judged by one judge, its queries in the order to judge them in. ``ms_per_item`` is what this
    judge took for a judgment lately, None before a few are made."""

    queries: tuple[QueryProgress, ...]
    ms_per_item: float | None = None

    @property
    def left(self) -> int:
        return sum(query.left for query in self.queries)


@dataclass(frozen=True)
class Agreement:
    """How far two judges agree on what both have graded. ``kappa`` is Cohen's, with quadratic weights on a graded
    scale; None where it is not defined (nothing in common, or both gave one and the same grade throughout).
    ``table[i][j]`` counts the items to which the first judge gave grade i and the second grade j."""

    first: str
    second: str
    items: int
    agreed: int
    kappa: float | None
    low: float | None
    high: float | None
    table: tuple[tuple[int, ...], ...]


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

    ``similarity`` None: there are too few judgments, or no similarity reaches it; ``note`` says which. ``low`` is the
    lower end of the interval of the precision that was observed above it, and ``kept`` the share of the relevant
    results that lie above. ``modality`` is that of the queries: similarities of words and of pictures differ.
    """

    model: str
    modality: Modality
    precision: float
    similarity: float | None
    observed: float | None = None
    low: float | None = None
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
    ``unanswered`` names the queries of a kind it does not accept, those judged on
    nothing it could find, and those whose file is gone (``note`` says so). ``index_recall`` is the share of its exact
    first k that a search through its index finds, None where it was not measured; ``uses_index`` False: its searches
    compare every vector, and nothing can be lost.
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
    ``sentence`` says it in plain words.
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
    other beats in both ``measure`` and speed."""

    k: int
    measures: tuple[str, ...]
    models: tuple[ModelEvaluation, ...]
    queries: tuple[QuerySummary, ...]
    measure: str = ""
    comparisons: tuple[Comparison, ...] = ()
    frontier: tuple[str, ...] = ()
    set_name: str = ""
    judge: str | None = None


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


# --- labels ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LabelCount:
    """A label of the library's list and how many pictures have it among their likely ones. Of these ``judged`` were
    judged, and ``right`` found right."""

    name: str
    items: int
    judged: int = 0
    right: int = 0


@dataclass(frozen=True)
class LabelStatus:
    """The labels of a library. ``model`` gives them; ``pending`` pictures have not been looked at with the present
    list. ``calibrated``: confidences follow judgments, ``judged`` of them; else they are the model's own."""

    labels: tuple[LabelCount, ...]
    model: str = ""
    pending: int = 0
    calibrated: bool = False
    judged: int = 0
    set_id: int | None = None
    """The set of test queries in which the labels are judged."""


@dataclass(frozen=True)
class ItemLabel:
    """``confidence`` is a probability, 0 to 1, that a person would say so."""

    name: str
    confidence: float


@dataclass(frozen=True)
class FileLabels:
    """The labels of one moment of a file: a photo's has no ``start_ms``."""

    start_ms: int | None
    labels: tuple[ItemLabel, ...]
