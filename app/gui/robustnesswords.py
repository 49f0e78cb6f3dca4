"""What a measurement of robustness says, in a sentence or two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from PySide6.QtCore import QCoreApplication

from app.engine.evaltypes import Drop, Robustness
from app.gui import wording
from app.gui.heatmap import groups, is_unsure, signed

translate = QCoreApplication.translate


def headline(result: Robustness) -> str:
    """Which model loses least and what hurts most, for each kind of query there is."""
    kinds = {one.key: one.modality for one in result.disturbances}
    said = []
    for kind, name in groups().items():
        drops = [drop for drop in result.drops if kinds.get(drop.disturbance) is kind]
        if drops:
            words = _of_kind(drops, result)
            said.append(words[0].upper() + words[1:] if len(set(kinds.values())) == 1 else f"{name}: {words}")
    return "\n".join(said)


def _of_kind(drops: Sequence[Drop], result: Robustness) -> str:
    lost = {drop.disturbance for drop in drops if drop.change < 0 and not is_unsure(drop)}
    if not lost:
        queries = wording.count(
            max(drop.queries for drop in drops),
            translate("RobustnessWords", "query"),
            translate("RobustnessWords", "queries"),
        )
        sentence = translate("RobustnessWords", "no loss in {0} can be told from chance with {1}.")
        return sentence.format(result.measure, queries)
    names = {one.key: one.name for one in result.disturbances}
    hurts = _means({key: [drop for drop in drops if drop.disturbance == key] for key in names if key in lost})
    worst = min(hurts, key=hurts.__getitem__)
    said = [translate("RobustnessWords", "worst: {0} ({1})").format(names[worst], signed(hurts[worst]))]
    # A mean over fewer disturbances, or other queries, is of something else.
    asked = {model: {(one.disturbance, one.queries) for one in drops if one.model == model} for model in result.models}
    same = [model for model in result.models if asked[model] == max(asked.values(), key=len)]
    losses = _means({model: [drop for drop in drops if drop.model == model] for model in same})
    if len(losses) > 1:
        least = max(losses, key=losses.__getitem__)
        sentence = translate("RobustnessWords", "{0} loses least on average ({1})")
        said.insert(0, sentence.format(result.names.get(least, least), signed(losses[least])))
    return "; ".join(said) + "."


def _means(groups: Mapping[str, Sequence[Drop]]) -> dict[str, float]:
    return {key: fmean(drop.change for drop in drops) for key, drops in groups.items() if drops}
