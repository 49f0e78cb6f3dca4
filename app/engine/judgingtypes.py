"""The words of test queries and of judging: sets, pools, grades, judges and how far they agree.

Only the standard library is imported here, as in `types`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from app.engine.types import Hit, Query

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
    there is neither. ``imported``: folders or captions have judged it; how is not told."""

    item: Hit
    grade: int | None
    imported: bool = False


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
    ``later`` what of this has the mark `Mark.LATER`; ``imported`` counts what of this has no mark, and was judged by
    folders or captions. ``disagreement`` of the models is 0 where all find the same items in the same order, and 1
    where no two share one; it is told where queries are ordered by it, and else 0."""

    query_id: int
    pooled: int
    left: int
    disagreement: float
    later: int = 0
    imported: int = 0


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
