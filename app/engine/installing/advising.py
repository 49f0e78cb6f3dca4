"""Which models to choose: a pure function of what a person needs, what there is, and what was measured here.

The order is that of the catalogue, which prefers the better model, but for these rules, the strongest first:

1. A model that understands all the languages that are asked for comes before one that understands some of them.
2. One whose licence keeps it to research comes after those that a family may freely use.
3. Without words, a classic that others are measured against comes last.
4. One that takes longer than `ITEM_PATIENCE_S` an item, or `PATIENCE_S` for the library, comes after those that do not;
   of these the fastest is first. What was not measured on a machine without a GPU is taken to be as fast as processors
   usually are.
5. Without words, a model that takes none comes before one that was made for them.

Where pictures and sounds are wanted, the first of either come first, then the second. Built-in models are the last
resort.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest

from app.engine.encoders.entries import Entry
from app.engine.installing.measuring import Measured
from app.engine.installing.reckoning import COMPARED, Case, Machine, Situation, case_of
from app.engine.modeltypes import Advice, Needs, Recommendation
from app.engine.sizes import in_words
from app.engine.types import Modality

STORED_BYTES = 2
"""Of one number of a vector."""
RESERVE_BYTES = 2_000_000_000
"""What the rest of the program and the system take."""

NAMED_MAX = 2
"""How many models one sentence names."""

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
    situation = Situation(needs, entries, ready, items, machine, measured)
    cases = [case_of(entry, situation) for entry in entries]
    refusals = {case.entry.key: _refusal(case, situation) for case in cases}
    fitting = [case for case in cases if not refusals[case.entry.key]]
    best = [
        _recommendation(case, _reasons(case, fitting, situation), _cautions(case, situation))
        for case in _ordered(fitting, needs)
    ]
    others = [_recommendation(case, [], [refusals[case.entry.key]]) for case in cases if refusals[case.entry.key]]
    return Advice(tuple(best), tuple(others), machine.device, _notes(fitting, cases, situation))


def duration(seconds: float) -> str:
    """About how long, in words."""
    if seconds < 90:
        return "about a minute" if seconds > 45 else "less than a minute"
    if seconds < 90 * 60:
        return f"about {round(seconds / 60)} minutes"
    return f"about {round(seconds / 3600)} hours" if seconds < 48 * 3600 else f"about {round(seconds / 86400)} days"


# --- what fits, and in what order ------------------------------------------------------------------------------------


def _refusal(case: Case, situation: Situation) -> str:
    """Why a model does not fit, or nothing."""
    entry, needs, machine = case.entry, situation.needs, situation.machine
    if not case.kinds:
        return f"It does not compare {' or '.join(_NOUNS[kind] for kind in COMPARED if kind in needs.kinds)}."
    if entry.built_in:
        return ""
    if needs.commercial and not entry.commercial:
        return _licence_sentence(entry)
    if entry.memory_bytes + RESERVE_BYTES > machine.memory_bytes:
        need, have = in_words(entry.memory_bytes), in_words(machine.memory_bytes)
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


def _ordered(cases: Sequence[Case], needs: Needs) -> list[Case]:
    def rank(case: Case) -> tuple[int, bool, bool, bool, bool, float]:
        entry = case.entry
        return (
            len(needs.languages) - len(_covered(entry, needs)) if needs.by_words else 0,
            entry.commercial is False,
            entry.baseline and not needs.by_words,
            case.is_slow,
            Modality.TEXT in entry.accepts and not needs.by_words,
            case.seconds or 0.0 if case.is_slow else 0.0,
        )

    networks = sorted((case for case in cases if not case.entry.built_in), key=rank)  # stable: else as in the catalogue
    by_kind = [[case for case in networks if kind in case.kinds] for kind in COMPARED]
    turns = [case for turn in zip_longest(*by_kind) for case in turn if case is not None]
    return [*dict.fromkeys(turns), *(case for case in cases if case.entry.built_in)]


# --- sentences -------------------------------------------------------------------------------------------------------


def _recommendation(case: Case, reasons: Sequence[str], cautions: Sequence[str]) -> Recommendation:
    entry = case.entry
    return Recommendation(
        key=entry.key,
        reasons=tuple(reasons),
        cautions=tuple(cautions),
        items=case.items,
        seconds=case.seconds,
        measured=case.measured,
        rough=case.rough,
        assumed=case.assumed,
        vectors_bytes=case.items * entry.dim * STORED_BYTES,
        memory_bytes=entry.memory_bytes,
        download_bytes=0 if case.ready or entry.built_in else entry.download_bytes,
    )


def _reasons(case: Case, fitting: Sequence[Case], situation: Situation) -> list[str]:
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


def _of_variant(case: Case, base: Case, measured: Measured) -> str:
    """What an 8-bit variant gains, and what it costs."""
    what = f"{base.entry.name} with 8-bit layers: faster"
    if case.per_s and base.per_s and not (case.rough or base.rough):
        times = statistics.median(case.per_s[kind] / base.per_s[kind] for kind in case.per_s if kind in base.per_s)
        what = f"About {times:.1f}× as fast as {base.entry.name}"
    cosine = measured.cosine.get(case.entry.key)
    close = f", cosine {cosine:.3f} on this machine" if cosine else ""
    return f"{what}, and a little less exact{close}; Evaluate shows what that costs on your own data."


def _of_speed(case: Case, fitting: Sequence[Case]) -> list[str]:
    reasons = [_rate_sentence(kind, per_s, case) for kind, per_s in case.per_s.items()]
    passed = next((other for other in fitting if set(other.kinds) & set(case.kinds)), None)
    if (
        passed
        and passed.is_slow
        and not case.assumed
        and case.seconds
        and passed.seconds
        and case.seconds < passed.seconds
    ):
        took, would = duration(case.seconds), duration(passed.seconds)
        if took != would:
            reasons.append(f"Done with this library in {took}; {passed.entry.name} would take {would}.")
    return reasons


def _rate_sentence(kind: Modality, per_s: float, case: Case) -> str:
    about = "roughly" if case.rough else "about"
    if per_s < 1.5:  # "1 pictures" would be read twice
        verb = "Takes" if case.measured else "Would take"
        return f"{verb} {about} {_figure(1 / per_s, 1 if case.rough else 2)} s a {_NOUNS[kind][:-1]} here."
    verb = "Encodes" if case.measured else "Would encode"
    return f"{verb} {about} {_figure(per_s, 1 if case.rough else 3)} {_NOUNS[kind]} a second here."


def _figure(value: float, digits: int) -> str:
    return f"{float(f'{value:.{digits}g}'):,g}"


def _cautions(case: Case, situation: Situation) -> list[str]:
    entry, needs, machine = case.entry, situation.needs, situation.machine
    cautions = _about_words(entry, needs) if needs.by_words else []
    if case.is_heavy and machine.device == "cpu":
        cautions.append("Heavy work for a computer without a graphics card.")
    if case.is_long and case.seconds:
        cautions.append(f"Would take {duration(case.seconds)} for this library on this machine.")
    if 2 * entry.memory_bytes > machine.memory_bytes:
        need, have = in_words(entry.memory_bytes), in_words(machine.memory_bytes)
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


def _notes(fitting: Sequence[Case], cases: Sequence[Case], situation: Situation) -> tuple[str, ...]:
    """What is to be said of a kind that no model finds by these words."""
    needs = situation.needs
    found = {kind for case in fitting if not case.entry.built_in for kind in case.kinds}
    lacking = [kind for kind in COMPARED if kind in needs.kinds and kind not in found] if needs.by_words else []
    by_example = replace(situation, needs=replace(needs, by_words=False))
    able = _ordered([case for case in cases if not _refusal(case, by_example)], by_example.needs)
    notes = []
    for kind in lacking:
        names = [case.entry.name for case in able if kind in case.kinds][:NAMED_MAX]
        words = f"words in {_named(needs.languages)}" if needs.languages else "words"
        example = f"; by example: {_listed(names)}" if names else ""
        notes.append(f"No model finds {_NOUNS[kind]} by {words}{example}.")
    return tuple(notes)


def _named(tags: Iterable[str]) -> str:
    """Languages in words: "English and German"."""
    return _listed(
        ["many languages" if tag == _MANY else _LANGUAGES.get(tag.split("-")[0].lower(), tag) for tag in tags]
    )


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
