"""The façade of evaluating: test queries, judgments, measures. The window asks for ``evaluations_<method>``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from app.engine.costs import Costs
from app.engine.encoders.base import EncoderSource
from app.engine.errors import AppError
from app.engine.evaltypes import (
    Disturbance,
    Evaluation,
    EvaluationRequest,
    QueryEvaluation,
    ReportRequest,
    Robustness,
    RobustnessRequest,
    Written,
)
from app.engine.evaluating import Evaluator
from app.engine.exporting import Changed, Gathered
from app.engine.importing import Imports
from app.engine.jobs import NULL_JOB, Job
from app.engine.judging import Judging
from app.engine.judgingtypes import (
    OWN_JUDGE,
    Agreement,
    Imported,
    JudgingOrder,
    JudgingProgress,
    Pool,
    QuerySet,
    QuerySummary,
    Scale,
)
from app.engine.reporting import Reporting, written_files
from app.engine.robustness import Disturber
from app.engine.store.preferences import Preferences
from app.engine.testsets import TestSets
from app.engine.types import Query
from app.engine.wholefiles import check_free

MOST_BEGINNINGS = 5


class Evaluations:
    """What can be asked of one library's test queries. Its methods may be called from any thread."""

    def __init__(
        self,
        sets: TestSets,
        imports: Imports,
        judging: Judging,
        evaluator: Evaluator,
        costs: Costs,
        disturber: Disturber,
        reporting: Reporting,
        encoders: EncoderSource,
        preferences: Preferences,
    ) -> None:
        self._sets = sets
        self._imports = imports
        self._judging = judging
        self._evaluator = evaluator
        self._costs = costs
        self._disturber = disturber
        self._reporting = reporting
        self._encoders = encoders
        self._preferences = preferences

    # --- test queries: see `app.engine.testsets.TestSets` ---

    def sets(self) -> tuple[QuerySet, ...]:
        return self._sets.sets()

    def create_set(self, name: str, scale: Scale = Scale.BINARY, guidelines: str = "") -> QuerySet:
        return self._sets.create_set(name, scale, guidelines)

    def change_set(
        self, set_id: int, name: str | None = None, scale: Scale | None = None, guidelines: str | None = None
    ) -> QuerySet:
        return self._sets.change_set(set_id, name, scale, guidelines)

    def remove_set(self, set_id: int) -> None:
        self._sets.remove_set(set_id)

    def queries(
        self, set_id: int | None = None, judge: str | None = None, imported: bool = False
    ) -> tuple[QuerySummary, ...]:
        return self._sets.queries(set_id, judge, imported)

    def add_query(self, query: Query, title: str = "", set_id: int | None = None) -> QuerySummary:
        return self._sets.add_query(query, title, set_id)

    def change_query(
        self,
        query_id: int,
        title: str | None = None,
        guidelines: str | None = None,
        translations: Mapping[str, str] | None = None,
    ) -> QuerySummary:
        return self._sets.change_query(query_id, title, guidelines, translations)

    def remove_query(self, query_id: int) -> None:
        self._sets.remove_query(query_id)

    def export_qrels(
        self, path: str, set_id: int | None = None, judge: str | None = None, replaces: bool = False
    ) -> int:
        return self._sets.export_qrels(path, set_id, judge, replaces)

    # --- imports: see `app.engine.importing` ---

    def import_folders(self, folder: str, set_name: str = "", job: Job = NULL_JOB) -> Imported:
        return self._imports.folders.import_folders(folder, set_name, job)

    def import_examples(self, folder: str, set_id: int | None = None, job: Job = NULL_JOB) -> Imported:
        return self._imports.folders.import_examples(folder, set_id, job)

    def import_captions(self, path: str, set_name: str = "", job: Job = NULL_JOB) -> Imported:
        return self._imports.lists.import_captions(path, set_name, job)

    def import_topics(self, path: str, set_id: int | None = None, set_name: str = "", job: Job = NULL_JOB) -> Imported:
        return self._imports.lists.import_topics(path, set_id, set_name, job)

    def import_qrels(
        self, path: str, set_id: int | None = None, judge: str = OWN_JUDGE, job: Job = NULL_JOB
    ) -> Imported:
        return self._imports.qrels.import_qrels(path, set_id, judge, job)

    # --- judging: see `app.engine.judging.Judging` ---

    def pool(
        self,
        query_id: int,
        models: Sequence[str] = (),
        depth: int = 10,
        judge: str = OWN_JUDGE,
        order: JudgingOrder = JudgingOrder.SHUFFLED,
    ) -> Pool:
        return self._judging.pool(query_id, models or self._preferences.models, depth, judge, order)

    def judge(self, query_id: int, item_id: int, grade: int | None, judge: str = OWN_JUDGE) -> QuerySummary:
        return self._judging.judge(query_id, (item_id,), grade, judge)

    def judge_all(
        self, query_id: int, item_ids: Sequence[int], grade: int | None, judge: str = OWN_JUDGE
    ) -> QuerySummary:
        return self._judging.judge(query_id, item_ids, grade, judge)

    def progress(
        self,
        set_id: int,
        models: Sequence[str] = (),
        depth: int = 10,
        judge: str = OWN_JUDGE,
        order: JudgingOrder = JudgingOrder.SHUFFLED,
        job: Job = NULL_JOB,
    ) -> JudgingProgress:
        try:
            return self._judging.progress(set_id, models or self._preferences.models, depth, judge, order, job)
        finally:
            self._encoders.ease()

    def agreement(self, set_id: int, first: str, second: str) -> Agreement:
        return self._judging.agreement(set_id, first, second)

    # --- measuring: see `app.engine.evaluating.Evaluator` ---

    def evaluate(self, request: EvaluationRequest, job: Job = NULL_JOB) -> Evaluation:
        """Measure the models.

        Raises:
            AppError: there is no such model or set.
            Cancelled: the job was cancelled.
        """
        for key in request.models:
            self._encoders.spec(key)
        try:
            evaluation = self._evaluator.evaluate(request, request.models or self._preferences.models, job)
            return self._costs.beside(evaluation, request, job)
        finally:
            self._encoders.ease()

    def lists(
        self, query_id: int, models: Sequence[str] = (), k: int = 10, judge: str | None = None
    ) -> tuple[tuple[str, QueryEvaluation], ...]:
        """What each model that understands a query finds for it: the model's key, its measures on this query alone, and
        its first ``k`` hits with their grades.

        Raises:
            AppError: the query is gone.
        """
        return self._evaluator.lists(query_id, models or self._preferences.models, k, judge)

    # --- robustness: see `app.engine.robustness.Disturber` ---

    def disturbances(self) -> tuple[Disturbance, ...]:
        return self._disturber.disturbances()

    def robustness(self, request: RobustnessRequest, job: Job = NULL_JOB) -> Robustness:
        """Ask the queries again under disturbances.

        Raises:
            AppError: there is no such model, set, measure or disturbance.
            Cancelled: the job was cancelled.
        """
        for key in request.models:
            self._encoders.spec(key)
        try:
            return self._disturber.measure(request, request.models or self._preferences.models, job)
        finally:
            self._encoders.ease()

    # --- reports: see `app.engine.reporting.Reporting` ---

    def write_report(self, path: str, request: ReportRequest, replaces: bool = False, job: Job = NULL_JOB) -> Written:
        """Measure the models, and write all that came of it as one HTML file.

        Raises:
            AppError: nothing is judged, the file is there (and is not to be replaced), or it cannot be written.
            Cancelled: the job was cancelled; nothing was written.
        """
        evaluation = self._to_report(path, request, replaces, job)
        return self._reporting.write_report(path, request, evaluation, self._agreements(evaluation), replaces, job)

    def export(self, path: str, request: ReportRequest, replaces: bool = False, job: Job = NULL_JOB) -> Written:
        """Measure the models, and write a folder from which every figure can be computed again.

        Raises:
            AppError: nothing is judged, the queries are of several sets, the folder is there (and is not to be
                replaced), or it cannot be written.
            Cancelled: the job was cancelled; nothing was written.
        """
        check_free(Path(path), replaces, written_files)
        asked = request.evaluation
        for key in asked.models:
            self._encoders.spec(key)
        try:
            evaluation, gathered = self._gathered(asked, job)
            evaluation = self._costs.beside(evaluation, asked, job)
        finally:
            self._encoders.ease()
        return self._reporting.export(path, request, evaluation, gathered, replaces, job)

    def _gathered(self, request: EvaluationRequest, job: Job) -> tuple[Evaluation, Gathered]:
        """Measure, and keep what it was measured by. What changes meanwhile makes it begin again; what was ranked is
        kept, so that this is quick."""
        for _ in range(MOST_BEGINNINGS):
            gathered = self._reporting.gather(request)
            try:
                models = request.models or self._preferences.models
                return self._evaluator.evaluate(request, models, job, gathered), gathered
            except Changed:
                continue
        raise AppError(
            "The library is changing", "Export again when nothing is being judged, indexed or taken out of it."
        )

    def import_export(self, path: str, owner: str | None = None, job: Job = NULL_JOB) -> Imported:
        return self._reporting.import_export(path, owner, job)

    def _agreements(self, evaluation: Evaluation) -> tuple[Agreement, ...]:
        """Of every two judges of the set that all the queries are of."""
        ids = {query.set_id for query in evaluation.queries}
        of_set = next((one for one in self._sets.sets() if {one.id} == ids), None)
        if of_set is None:
            return ()
        return tuple(self.agreement(of_set.id, first, second) for first, second in combinations(of_set.judges, 2))

    def _to_report(self, path: str, request: ReportRequest, replaces: bool, job: Job) -> Evaluation:
        check_free(Path(path), replaces)
        evaluation = self.evaluate(replace(request.evaluation, hits=True), job)
        if not evaluation.queries:
            raise AppError("Nothing is judged yet", "Judge some results of these queries first.")
        return evaluation
