"""What is said where nothing is left to be judged now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.gui import wording
from app.gui.judgesession import JudgeSession

Action = tuple[str, Callable[[], object]]


@dataclass(frozen=True)
class Saying:
    """An icon, a headline, a sentence and buttons."""

    icon: str
    headline: str
    sentence: str
    actions: tuple[Action, ...]


def ending(session: JudgeSession, compare: Callable[[], None]) -> Saying:
    """How far the query or the set is judged, and what can be done next.

    Args:
        session: whose query has nothing to be judged now.
        compare: shows how good the models are.
    """
    count, left = len(session.items), len(session.items) - session.round.dealt_with
    plan = session.plan
    comparing: Action = (session.tr("Compare the models"), compare)
    onward: tuple[Action, ...] = () if session.following is None else ((session.tr("Next query"), session.turn_on),)
    if plan and not plan.left:
        sentence = session.tr("{0}. See which model found the best ones.").format(plan.words)
        return Saying("check", session.tr("Everything in this set is judged"), sentence, (comparing,))
    in_set = plan.left if plan and not onward else left
    if not in_set:
        sentence = session.tr("See which model found the best ones. Choose one below to change your mind.")
        return Saying("check", session.tr("All {0} results are judged").format(count), sentence, (*onward, comparing))
    if not left:
        headline = session.tr("All {0} results are judged").format(count)
        sentence = session.tr("{0} of other queries were skipped or left for later.").format(
            wording.count(in_set, "result", "results")
        )
    else:
        headline = session.tr("{0} left").format(wording.count(in_set, "result was", "results were"))
        sentence = session.tr("What is not judged counts as not relevant when the models are compared.")
    return Saying(
        "skip", headline, sentence, (*onward, (session.tr("Judge what was left"), session.offer_left), comparing)
    )
