"""The main job in one go, on the sample library: index, search three ways, evaluate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.cli.progress import watched
from app.engine.evaltypes import Evaluation, EvaluationRequest
from app.engine.librarytypes import IndexReport
from app.engine.types import Modality, Query, SearchReply, SearchRequest

if TYPE_CHECKING:
    from app.engine.session import Session

RESULTS = 5
EVALUATED_AT = 5


@dataclass(frozen=True)
class Demo:
    report: IndexReport
    searches: tuple[tuple[str, SearchReply], ...]
    evaluation: Evaluation


def demo(session: Session) -> Demo:
    """Index the sample library and ask it by words, by a picture and by a sound."""
    with watched() as job:
        report = session.load_sample(job)
        searches = tuple((title, session.search(SearchRequest(query, k=RESULTS))) for title, query in _queries(session))
        evaluation = session.evaluations.evaluate(EvaluationRequest(k=EVALUATED_AT, hits=True), job)
    return Demo(report, searches, evaluation)


def _queries(session: Session) -> list[tuple[str, Query]]:
    """The first judged query of each kind, so that the demonstration asks what the evaluation measures."""
    names = {Modality.TEXT: "By words", Modality.IMAGE: "By a picture", Modality.AUDIO: "By a sound"}
    first: dict[Modality, tuple[str, Query]] = {}
    for summary in session.evaluations.queries():
        modality = summary.query.parts[0].modality
        first.setdefault(modality, (f"{names[modality]}: {summary.title}", summary.query))
    return [first[modality] for modality in Modality if modality in first]
