"""Files sorted into classes as a test: some of each class ask, and all others of their class are right.

For the measures to be exact, all that is relevant to a query must be judged; what is not judged counts as not relevant
anyway. But only judgments of the rest let Judged@k, and the bounds around a figure, say that nothing is unknown. With
few files all are judged for every query. With many that would be files times queries: then fewer ask, and of what is
not relevant a seeded sample is judged.
"""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.engine.types import ItemRef

EXAMPLES_PER_CLASS = 25
"""More queries of one class tell little more: they miss and find the same files."""
MOST_JUDGMENTS = 250_000
"""Of one import, if each class is to ask at all; they take some 25 MB."""
SEED = 1

Classes = Mapping[str, Mapping[bytes, Sequence[ItemRef]]]
"""By a class's name its contents, and their items."""


@dataclass(frozen=True)
class Example:
    """A content that asks, and the name of its class."""

    sha256: bytes
    name: str


@dataclass(frozen=True)
class Plan:
    """Which contents ask. ``per_class`` is the most of one class, ``rest`` how many items that are not relevant are
    judged for each; None: all."""

    examples: tuple[Example, ...]
    per_class: int
    rest: int | None


def plan(classes: Classes, asked_before: Container[bytes] = frozenset(), most: int = MOST_JUDGMENTS) -> Plan:
    """Choose the examples. Those that ``asked_before`` come first, so that an import that is repeated keeps them; the
    others in an order that a file more or less does not change. A class of one content cannot ask."""
    able = {
        name: sorted(contents, key=lambda sha256: (sha256 not in asked_before, _order(sha256)))
        for name, contents in sorted(classes.items())
        if len(contents) > 1
    }
    items = {ref for contents in classes.values() for refs in contents.values() for ref in refs}
    sizes = {name: sum(map(len, classes[name].values())) for name in able}

    def cost(count: int, each: Mapping[str, int]) -> int:
        return sum(min(count, len(able[name])) * each[name] for name in able)

    per_class = EXAMPLES_PER_CLASS
    if cost(per_class, dict.fromkeys(able, len(items))) > most:
        while per_class > 1 and cost(per_class, sizes) > most // 2:
            per_class -= 1
    asking = {sha256: name for name, order in reversed(able.items()) for sha256 in order[:per_class]}
    examples = tuple(Example(sha256, name) for sha256, name in reversed(asking.items()))
    if len(examples) * len(items) <= most:
        return Plan(examples, per_class, None)
    return Plan(examples, per_class, max(0, most - cost(per_class, sizes)) // max(1, len(examples)))


def judgments(classes: Classes, chosen: Plan) -> Iterator[tuple[Example, list[tuple[ItemRef, int]]]]:
    """The grades of each example: 1 for the items of all its classes, 0 for the others; its own are left out, since
    the results leave them out too."""
    belongs: dict[bytes, list[str]] = defaultdict(list)
    items: dict[ItemRef, None] = {}
    for name, contents in classes.items():
        for sha256, refs in contents.items():
            belongs[sha256].append(name)
            items.update(dict.fromkeys(refs))
    for example in chosen.examples:
        own = belongs[example.sha256]
        relevant = {ref for name in own for refs in classes[name].values() for ref in refs}
        rest = [ref for ref in items if ref not in relevant]
        if chosen.rest is not None and chosen.rest < len(rest):
            rest = random.Random(f"{SEED} {example.sha256.hex()}").sample(rest, chosen.rest)  # noqa: S311 - no secret
        graded = [(ref, 1) for ref in items if ref in relevant and ref.sha256 != example.sha256]
        yield example, graded + [(ref, 0) for ref in rest]


def _order(sha256: bytes) -> bytes:
    return hashlib.sha256(b"%d " % SEED + sha256).digest()
