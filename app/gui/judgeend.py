"""What is said where nothing is left to be judged now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.gui import wording
from app.gui.judgeplan import JudgePlan
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
    plan, round_ = session.plan, session.round
    comparing: Action = (session.tr("Compare the models"), compare)
    anew = _judging_anew(session)
    onward: tuple[Action, ...] = () if session.following is None else ((session.tr("Next query"), session.turn_on),)
    if plan and not plan.open(round_):
        sentence = session.tr("{0}. See which model found the best ones.").format(plan.words(round_))
        if anew:
            sentence = session.tr("{0}, {1} by folders or captions.").format(plan.words(round_), _imported_words(plan))
        return Saying("check", session.tr("Everything in this set is judged"), sentence, (comparing, *anew))
    in_set = plan.open(round_) if plan and not onward else left
    if not in_set:
        sentence = session.tr("See which model found the best ones. Choose one below to change your mind.")
        headline = session.tr("All {0} results are judged").format(count)
        return Saying("check", headline, sentence, (*onward, comparing, *anew))
    if not left:
        headline = session.tr("All {0} results are judged").format(count)
        sentence = session.tr("{0} of other queries were skipped or left for later.").format(
            wording.count(in_set, "result", "results")
        )
    else:
        headline = session.tr("{0} left").format(wording.count(in_set, "result was", "results were"))
        sentence = session.tr("What is not judged counts as not relevant when the models are compared.")
        if round_.offers_imported:
            sentence = session.tr("Where you say nothing, what folders or captions say counts.")
    return Saying(
        "skip", headline, sentence, (*onward, (session.tr("Judge what was left"), session.offer_left), comparing)
    )


def _judging_anew(session: JudgeSession) -> tuple[Action, ...]:
    """What offers that which folders or captions have judged, if there is any and it is not offered yet."""
    plan = session.plan
    of_query = any(item.imported and item.grade is None for item in session.items)
    there_is = plan.imported > 0 if plan else of_query
    if session.round.offers_imported or not there_is:
        return ()
    return ((session.tr("Judge them yourself"), session.offer_imported),)


def _imported_words(plan: JudgePlan) -> str:
    """How many results of a set that is judged folders or captions judged alone."""
    return "all" if plan.imported == plan.pooled else f"{plan.imported:,} of them"
