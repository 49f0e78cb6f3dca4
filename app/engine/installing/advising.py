"""Which models to choose: a pure function of what a person needs, what there is, and what was measured here.

The order is that of the catalogue, which prefers the better model, but for two rules: a model that understands all the
languages that are asked for comes before one that understands some of them; and where the machine's speed is known,
one that would encode the library within `PATIENCE_S` comes before one that would not, of which the fastest is first.
Where pictures and sounds are wanted, the first of either come first, then the second. Built-in models are the last
resort.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from app.engine.encoders.entries import Entry
from app.engine.installing.measuring import Measured, kind_of
from app.engine.modeltypes import Advice, Needs, Recommendation
from app.engine.types import Modality

PATIENCE_S = 12 * 3600
"""A night and a morning."""
STORED_BYTES = 2
"""Of one number of a vector."""
RESERVE_BYTES = 2_000_000_000
"""What the rest of the program and the system take."""

_NOUNS = {Modality.IMAGE: "pictures", Modality.AUDIO: "sounds"}
_LANGUAGES = {
    "ar": "Arabic",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hu": "Hungarian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sv": "Swedish",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}
_MANY = "mul"


@dataclass(frozen=True)
class Machine:
    """What models run on. ``device``: "cpu", "cuda" or "mps"; ``eight_bit``: whether it computes 8-bit layers."""

    device: str
    memory_bytes: int
    eight_bit: bool = True


@dataclass(frozen=True)
class _Situation:
    """What is asked, as `advise` was given it."""

    needs: Needs
    entries: Sequence[Entry]
    ready: frozenset[str]
    items: Mapping[Modality, int]
    machine: Machine
    measured: Measured


@dataclass(frozen=True, eq=False)
class _Case:
    """One model in this situation. ``kinds`` it finds of those that are wanted; ``per_s`` items of each that it
    encodes a second, as far as is known; ``seconds`` for the library, None where that is not known."""

    entry: Entry
    ready: bool
    kinds: tuple[Modality, ...]
    items: int
    per_s: Mapping[Modality, float]
    seconds: float | None
    measured: bool

    @property
    def is_slow(self) -> bool:
        return self.seconds is not None and self.seconds > PATIENCE_S


def advise(
    needs: Needs,
    entries: Sequence[Entry],
    ready: frozenset[str],
    items: Mapping[Modality, int],
    machine: Machine,
    measured: Measured,
) -> Advice:
    """The models that fit, in the order above, and those that do not, each with the reason.

    Args:
        needs: what is wanted. ``device`` was resolved to that of ``machine``.
        entries: the catalogue, in its order.
        ready: the keys of those that can be used now.
        items: how many pictures and sounds the library has.
        machine: what they would run on.
        measured: its speed, as far as it is known.
    """
    situation = _Situation(needs, entries, ready, items, machine, measured)
    cases = [_case(entry, situation) for entry in entries]
    refusals = {case.entry.key: _refusal(case, situation) for case in cases}
    fitting = [case for case in cases if not refusals[case.entry.key]]
    best = [
        _recommendation(case, _reasons(case, fitting, situation), _cautions(case, situation))
        for case in _ordered(fitting, needs)
    ]
    others = [_recommendation(case, [], [refusals[case.entry.key]]) for case in cases if refusals[case.entry.key]]
    return Advice(tuple(best), tuple(others), machine.device)


def duration(seconds: float) -> str:
    """About how long, in words."""
    if seconds < 90:
        return "about a minute" if seconds > 45 else "less than a minute"
    if seconds < 90 * 60:
        return f"about {round(seconds / 60)} minutes"
    return f"about {round(seconds / 3600)} hours" if seconds < 48 * 3600 else f"about {round(seconds / 86400)} days"


# --- speed -----------------------------------------------------------------------------------------------------------


def _case(entry: Entry, situation: _Situation) -> _Case:
    kinds = tuple(kind for kind in _NOUNS if kind in entry.accepts and kind in situation.needs.kinds)
    rates = {kind: _per_s(entry, kind, situation) for kind in kinds}
    per_s = {kind: rate for kind, rate in rates.items() if rate}
    counts = {kind: situation.items.get(kind, 0) for kind in kinds}
    seconds = sum(
        count * _item_s(entry, kind, per_s[kind], situation) for kind, count in counts.items() if kind in per_s
    )
    return _Case(
        entry=entry,
        ready=entry.key in situation.ready,
        kinds=kinds,
        items=sum(counts.values()),
        per_s=per_s,
        seconds=seconds if kinds and len(per_s) == len(kinds) else None,
        measured=entry.key in situation.measured.items_per_s,
    )


def _item_s(entry: Entry, kind: Modality, per_s: float, situation: _Situation) -> float:
    """What one item takes. On the CPU decoding takes its turns with encoding; beside a GPU the slower decides."""
    decode_s = situation.measured.decode_s.get(kind, 0.0)
    on_cpu = situation.machine.device == "cpu" or entry.built_in or bool(entry.variant_of)
    return 1 / per_s + decode_s if on_cpu else max(1 / per_s, decode_s)


def _per_s(entry: Entry, kind: Modality, situation: _Situation) -> float | None:
    measured = situation.measured.items_per_s.get(entry.key, {}).get(kind)
    return measured or _reckoned_per_s(entry, situation.entries, situation.measured)


def _reckoned_per_s(entry: Entry, entries: Sequence[Entry], measured: Measured) -> float | None:
    """Items a second by what networks of this kind reach: those that were measured, else the probe."""
    if not entry.gflops:
        return None
    reached = [
        per_s * other.gflops
        for other in entries
        if other.gflops and kind_of(other) == kind_of(entry)
        for per_s in measured.items_per_s.get(other.key, {}).values()
    ]
    gflops_per_s = statistics.median(reached) if reached else measured.gflops_per_s.get(kind_of(entry))
    return gflops_per_s / entry.gflops if gflops_per_s else None


# --- what fits, and in what order ------------------------------------------------------------------------------------


def _refusal(case: _Case, situation: _Situation) -> str:
    """Why a model does not fit, or nothing."""
    entry, needs, machine = case.entry, situation.needs, situation.machine
    if not case.kinds:
        return f"It does not compare {' or '.join(noun for kind, noun in _NOUNS.items() if kind in needs.kinds)}."
    if entry.built_in:
        return ""
    if needs.commercial and not entry.commercial:
        return _licence_sentence(entry)
    if entry.memory_bytes + RESERVE_BYTES > machine.memory_bytes:
        need, have = _gb(entry.memory_bytes), _gb(machine.memory_bytes)
        return f"It takes about {need} of memory, which is too much for this machine's {have}."
    if entry.variant_of and machine.device != "cpu":
        return "It is for machines without a GPU: here, the model itself is faster and more exact."
    if entry.variant_of and not machine.eight_bit:
        return "Its 8-bit layers are computed on processors of Intel and AMD alone."
    return _words_refusal(entry, needs) if needs.by_words else ""


def _words_refusal(entry: Entry, needs: Needs) -> str:
    if Modality.TEXT not in entry.accepts:
        return "It finds by example alone and takes no words."
    if needs.languages and entry.languages and not _covered(entry, needs):
        return f"It understands {_named(entry.languages)}, not {_named(needs.languages)}."
    return ""


def _licence_sentence(entry: Entry) -> str:
    """Of a licence that does not allow all use, or is not known to."""
    note = entry.licence_note or entry.licence or "it names no licence"
    if entry.commercial is False:
        return f"It may not be used at work: {note}"
    return f"Whether it may be used at work is not known: {note}"


def _covered(entry: Entry, needs: Needs) -> list[str]:
    """The wanted languages that a model understands; "de-AT" is German."""
    return [tag for tag in needs.languages if _MANY in entry.languages or tag.split("-")[0].lower() in entry.languages]


def _ordered(cases: Sequence[_Case], needs: Needs) -> list[_Case]:
    def rank(case: _Case) -> tuple[int, bool, float]:
        missing = len(needs.languages) - len(_covered(case.entry, needs)) if needs.by_words else 0
        return missing, case.is_slow, case.seconds if case.is_slow and case.seconds else 0.0

    networks = sorted((case for case in cases if not case.entry.built_in), key=rank)  # stable: else as in the catalogue
    by_kind = [[case for case in networks if kind in case.kinds] for kind in _NOUNS]
    turns = [case for turn in zip_longest(*by_kind) for case in turn if case is not None]
    return [*dict.fromkeys(turns), *(case for case in cases if case.entry.built_in)]


# --- sentences -------------------------------------------------------------------------------------------------------


def _recommendation(case: _Case, reasons: Sequence[str], cautions: Sequence[str]) -> Recommendation:
    entry = case.entry
    return Recommendation(
        key=entry.key,
        reasons=tuple(reasons),
        cautions=tuple(cautions),
        items=case.items,
        seconds=case.seconds,
        measured=case.measured,
        vectors_bytes=case.items * entry.dim * STORED_BYTES,
        memory_bytes=entry.memory_bytes,
        download_bytes=0 if case.ready or entry.built_in else entry.download_bytes,
    )


def _reasons(case: _Case, fitting: Sequence[_Case], situation: _Situation) -> list[str]:
    entry, needs = case.entry, situation.needs
    nouns = " and ".join(_NOUNS[kind] for kind in case.kinds)
    by_words = needs.by_words and Modality.TEXT in entry.accepts
    reasons = [f"Finds {nouns} by {'words and by ' if by_words else ''}example."]
    if by_words and entry.languages and len(_covered(entry, needs)) == len(needs.languages):
        reasons.append(f"Understands {_named(entry.languages)}.")
    if entry.built_in:
        reasons.append("Built in: nothing to download.")
    elif case.ready:
        reasons.append("Already here: nothing to download.")
    if needs.commercial:
        reasons.append("May be used at work.")
    if base := next((other for other in fitting if other.entry.key == entry.variant_of), None):
        reasons.append(_of_variant(case, base, situation.measured))
    return [*reasons, *_of_speed(case, fitting)]


def _of_variant(case: _Case, base: _Case, measured: Measured) -> str:
    """What an 8-bit variant gains, and what it costs."""
    what = f"{base.entry.name} with 8-bit layers"
    if case.per_s and base.per_s:
        times = statistics.median(case.per_s[kind] / base.per_s[kind] for kind in case.per_s if kind in base.per_s)
        what = f"About {times:.1f}× as fast as {base.entry.name}"
    cosine = measured.cosine.get(case.entry.key)
    close = f", cosine {cosine:.3f} on this machine" if cosine else ""
    return f"{what}, and a little less exact{close}; Evaluate shows what that costs on your own data."


def _of_speed(case: _Case, fitting: Sequence[_Case]) -> list[str]:
    verb = "Encodes" if case.measured else "Would encode"
    reasons = [f"{verb} about {rate:,.3g} {_NOUNS[kind]} a second here." for kind, rate in case.per_s.items()]
    passed = next((other for other in fitting if set(other.kinds) & set(case.kinds)), None)
    if passed and passed.is_slow and case.seconds and passed.seconds and case.seconds < passed.seconds:
        took, would = duration(case.seconds), duration(passed.seconds)
        reasons.append(f"Done with this library in {took}; {passed.entry.name} would take {would}.")
    return reasons


def _cautions(case: _Case, situation: _Situation) -> list[str]:
    entry, needs, machine = case.entry, situation.needs, situation.machine
    cautions = _about_words(entry, needs) if needs.by_words else []
    if case.is_slow and case.seconds:
        cautions.append(f"Would take {duration(case.seconds)} for this library on this machine.")
    if 2 * entry.memory_bytes > machine.memory_bytes:
        need, have = _gb(entry.memory_bytes), _gb(machine.memory_bytes)
        cautions.append(f"Takes about {need} of this machine's {have} of memory.")
    if not entry.commercial and not entry.built_in:
        cautions.append(_licence_sentence(entry))
    return cautions


def _about_words(entry: Entry, needs: Needs) -> list[str]:
    if Modality.TEXT not in entry.accepts:
        return ["Takes no words: these are looked for in names and captions alone."]
    if not entry.languages:
        return ["Which languages it understands is not known."]
    missing = [tag for tag in needs.languages if tag not in _covered(entry, needs)]
    return [f"Does not understand {_named(missing)}."] if missing else []


def _named(tags: Iterable[str]) -> str:
    """Languages in words: "English and German"."""
    names = ["many languages" if tag == _MANY else _LANGUAGES.get(tag.split("-")[0].lower(), tag) for tag in tags]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _gb(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB"
