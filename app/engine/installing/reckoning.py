"""How long a model would take here: measured where it was, else reckoned from what one item costs."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.engine.encoders.entries import Entry
from app.engine.installing.measuring import CONVOLUTIONS, EIGHT_BIT, TRANSFORMER, Measured, kind_of
from app.engine.modeltypes import Needs
from app.engine.types import Modality

PATIENCE_S = 12 * 3600
"""For a library: a night and a morning."""
ITEM_PATIENCE_S = 0.5
"""For one item: ten new photos are in before one has looked up."""
EXAMPLE_ITEMS = 10_000
"""What an empty library is reckoned with: some years of one's photos."""

CORE_GFLOPS_PER_S = {TRANSFORMER: 50.0, CONVOLUTIONS: 50.0, EIGHT_BIT: 100.0}
"""What a core reaches where nothing was measured, in billions of multiplications (with their additions) a second: half
of the 96 of ViT-B/32 and the 112 of Cnn14 on two cores of a server (tests/benchmarks/figures.md), in 8 bits twice as
much."""
CORES_MAX = 4
"""No more are counted on before a measurement: what further ones add depends on the memory that feeds them."""

COMPARED = (Modality.IMAGE, Modality.AUDIO)


@dataclass(frozen=True)
class Machine:
    """What models run on. ``device``: "cpu", "cuda" or "mps"; ``cores`` of the processor; ``eight_bit``: whether it
    computes 8-bit layers."""

    device: str
    memory_bytes: int
    eight_bit: bool = True
    cores: int = 2


@dataclass(frozen=True)
class Situation:
    """What is asked, as `app.engine.installing.advising.advise` was given it."""

    needs: Needs
    entries: Sequence[Entry]
    ready: frozenset[str]
    items: Mapping[Modality, int]
    machine: Machine
    measured: Measured


@dataclass(frozen=True, eq=False)
class Case:
    """One model in a situation.

    ``kinds`` it finds of those that are wanted; ``items`` of these in the library, or in an example where that has none
    (``assumed``); ``per_s`` items of each that it encodes a second, as far as is known; ``seconds`` for all ``items``,
    None where that is not known. ``measured``: that very model was timed here; ``rough``: nothing like it was.
    """

    entry: Entry
    ready: bool
    kinds: tuple[Modality, ...]
    items: int
    assumed: bool
    per_s: Mapping[Modality, float]
    seconds: float | None
    measured: bool
    rough: bool

    @property
    def is_heavy(self) -> bool:
        """Whether one item takes too long."""
        return any(1 / rate > ITEM_PATIENCE_S for rate in self.per_s.values())

    @property
    def is_long(self) -> bool:
        """Whether the library takes too long."""
        return not self.assumed and self.seconds is not None and self.seconds > PATIENCE_S

    @property
    def is_slow(self) -> bool:
        return self.is_heavy or self.is_long


def case_of(entry: Entry, situation: Situation) -> Case:
    kinds = tuple(kind for kind in COMPARED if kind in entry.accepts and kind in situation.needs.kinds)
    known = {kind: found for kind in kinds if (found := _per_s(entry, kind, situation))}
    counts = {kind: situation.items.get(kind, 0) for kind in kinds}
    assumed = not any(counts.values())
    if assumed:
        counts = dict.fromkeys(kinds, EXAMPLE_ITEMS)
    seconds = sum(counts[kind] * _item_s(entry, kind, per_s, situation) for kind, (per_s, _rough) in known.items())
    return Case(
        entry=entry,
        ready=entry.key in situation.ready,
        kinds=kinds,
        items=sum(counts.values()),
        assumed=assumed,
        per_s={kind: per_s for kind, (per_s, _rough) in known.items()},
        seconds=seconds if kinds and len(known) == len(kinds) else None,
        measured=entry.key in situation.measured.items_per_s,
        rough=any(rough for _per_s, rough in known.values()),
    )


def _item_s(entry: Entry, kind: Modality, per_s: float, situation: Situation) -> float:
    """What one item takes. On the CPU decoding takes its turns with encoding; beside a GPU the slower decides."""
    decode_s = situation.measured.decode_s.get(kind, 0.0)
    on_cpu = situation.machine.device == "cpu" or entry.built_in or bool(entry.variant_of)
    return 1 / per_s + decode_s if on_cpu else max(1 / per_s, decode_s)


def _per_s(entry: Entry, kind: Modality, situation: Situation) -> tuple[float, bool] | None:
    """Items a second, and whether that is but what processors usually reach; None where that is not known either."""
    if measured := situation.measured.items_per_s.get(entry.key, {}).get(kind):
        return measured, False
    if not entry.gflops:
        return None
    if reached := _reached_gflops_per_s(kind_of(entry), situation):
        return reached / entry.gflops, False
    if situation.machine.device != "cpu":
        return None
    cores = min(situation.machine.cores, CORES_MAX)
    return CORE_GFLOPS_PER_S[kind_of(entry)] * cores / entry.gflops, True


def _reached_gflops_per_s(network: str, situation: Situation) -> float | None:
    """What networks of this kind reach here: those that were measured, else the probe."""
    measured = situation.measured
    reached = [
        per_s * other.gflops
        for other in situation.entries
        if other.gflops and kind_of(other) == network
        for per_s in measured.items_per_s.get(other.key, {}).values()
    ]
    return statistics.median(reached) if reached else measured.gflops_per_s.get(network)
