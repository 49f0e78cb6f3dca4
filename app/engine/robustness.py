"""The test queries asked again, made worse: what every disturbance takes from every model."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from app.engine.encoders.base import EncoderSource
from app.engine.errors import AppError
from app.engine.evaltypes import Disturbance, Drop, Robustness, RobustnessRequest
from app.engine.evaluation import measures, resampling, rewording
from app.engine.evaluation.clusters import clusters, per_cluster
from app.engine.gradedruns import JudgedQueries, RankedQuery, depth_of, graded_run
from app.engine.jobs import NULL_JOB, Job
from app.engine.judgingtypes import QuerySummary
from app.engine.media import disturbing
from app.engine.media.disturbing import SeededDisturbance
from app.engine.modeltypes import ModelStatus
from app.engine.querying import Afresh, QueryVectors
from app.engine.rankings import Ranking
from app.engine.search import Searcher
from app.engine.store.lookup import Lookup
from app.engine.store.queries import Queries
from app.engine.targets import Target, Targets
from app.engine.types import Modality, QueryPart

DIGITS = 12
"""Beyond these a difference is a rounding error."""

QUERIES_AT_ONCE = 32
"""At most: between two groups a job is cancelled, and a search let in."""


@dataclass(frozen=True, eq=False)
class _Plan:
    """What one model is asked: the queries that it answers, with what was judged, and the disturbances that fit any of
    them."""

    target: Target
    name: str
    queries: tuple[QuerySummary, ...]
    judged: JudgedQueries
    disturbed: tuple[tuple[Disturbance, tuple[QuerySummary, ...]], ...]

    @property
    def steps(self) -> int:
        return len(self.queries) + sum(len(queries) for _, queries in self.disturbed)


class Disturber:
    """Asks the test queries of one library again, made worse."""

    def __init__(
        self,
        lookup: Lookup,
        queries: Queries,
        targets: Targets,
        searcher: Searcher,
        vectors: QueryVectors,
        encoders: EncoderSource,
    ) -> None:
        self._lookup = lookup
        self._queries = queries
        self._targets = targets
        self._searcher = searcher
        self._vectors = vectors
        self._encoders = encoders

    def disturbances(self) -> tuple[Disturbance, ...]:
        """All there are; another language is one where a query of this library has its words in it."""
        tags = {tag for query in self._queries.queries() for tag, words in query.translations.items() if words.strip()}
        return (*rewording.disturbances(tuple(sorted(tags))), *disturbing.disturbances())

    def measure(self, request: RobustnessRequest, models: Sequence[str], job: Job = NULL_JOB) -> Robustness:
        """Every model's loss by every disturbance that fits what it is asked.

        A query is encoded from its words and files each time, also the undisturbed one, so that the two differ by the
        disturbance alone. Every part of the disturbance's kind is disturbed. The ranking is exact, without the query's
        own content, and both are measured by the same judgments.

        Raises:
            AppError: there is no such disturbance, set or measure.
            Cancelled: the job was cancelled.
        """
        (measure,) = measures.checked([request.measure or f"P@{request.k}"])
        chosen = self._chosen(request.disturbances)
        if request.set_id is not None:
            self._queries.set_of(request.set_id)
        summaries, grades = self._queries.judged(request.set_id, request.judge)
        if request.query_ids:
            summaries = tuple(one for one in summaries if one.id in request.query_ids)
        judged = JudgedQueries(self._lookup, {one.id: grades.get(one.id, {}) for one in summaries})
        linked = clusters({one.id: one.key for one in summaries}, {one.id: grades.get(one.id, {}) for one in summaries})
        notes: list[str] = []
        statuses = {status.key: status for status in self._encoders.statuses()}  # looks into every model's folder
        plans = [
            plan for key in models if (plan := self._plan(key, statuses.get(key), summaries, judged, chosen, notes))
        ]
        if _lacks_mp3(request, plans):
            notes.append("MP3 is left out: the FFmpeg of this program cannot write it.")
        job.begin("Asking again", sum(plan.steps for plan in plans))
        round_ = _Round(self._vectors, self._searcher, measure, request, linked, job)
        drops = [drop for plan in plans for drop in round_.drops(plan)]
        met = {drop.disturbance for drop in drops}
        return Robustness(
            measure=measure,
            seed=request.seed,
            disturbances=tuple(one for one in chosen.values() if one.key in met),
            models=tuple(dict.fromkeys(drop.model for drop in drops)),
            names={plan.target.key: plan.name for plan in plans},
            drops=tuple(drops),
            notes=(*notes, *round_.lost),
        )

    def _chosen(self, keys: Sequence[str]) -> dict[str, Disturbance]:
        known = {one.key: one for one in self.disturbances()}
        if unknown := [key for key in keys if key not in known and key != disturbing.MP3_KEY]:
            raise AppError(
                "There is no such disturbance", f"{unknown[0]!r} was asked for. There are {', '.join(known)}."
            )
        return {key: one for key, one in known.items() if not keys or key in keys}

    def _plan(
        self,
        key: str,
        status: ModelStatus | None,
        summaries: Sequence[QuerySummary],
        judged: JudgedQueries,
        chosen: Mapping[str, Disturbance],
        notes: list[str],
    ) -> _Plan | None:
        target = self._targets.of(key) if status and status.ready else None
        if status is None:  # the library was used by a program that has it
            notes.append(f"{key}: there is no such model here.")
            return None
        if target is None:
            if any(summary.query.modalities <= status.accepts for summary in summaries):
                notes.append(f"{status.name}: {status.problem or 'nothing is indexed with this model yet.'}")
            return None
        kinds = frozenset(target.kinds)
        able = (summary for summary in summaries if summary.query.modalities <= target.spec.accepts)
        queries = tuple(summary for summary in able if len(judged.of(summary.id, kinds).ids))
        fitting = ((one, tuple(query for query in queries if _fits(one, query, target))) for one in chosen.values())
        return _Plan(target, status.name, queries, judged, tuple((one, some) for one, some in fitting if some))


class _Round:
    """One measurement of robustness as it runs."""

    def __init__(
        self,
        vectors: QueryVectors,
        searcher: Searcher,
        measure: str,
        request: RobustnessRequest,
        linked: Mapping[int, int],
        job: Job,
    ) -> None:
        self._vectors = vectors
        self._searcher = searcher
        self._measure = measure
        self._request = request
        self._linked = linked
        self._job = job
        self._lost: dict[str, dict[str, None]] = {}

    @property
    def lost(self) -> tuple[str, ...]:
        """Which queries could not be asked, in a sentence for each reason."""
        return tuple(f"{why}. Left out: {', '.join(titles)}." for why, titles in self._lost.items())

    def drops(self, plan: _Plan) -> Iterator[Drop]:
        """What every disturbance costs a model."""
        before = self._measured(plan, None, plan.queries)
        for disturbance, queries in plan.disturbed:
            after = self._measured(plan, disturbance, queries)
            common = [query.id for query in queries if query.id in before and query.id in after]
            if not common:
                continue
            first, second = (np.array([values[query_id] for query_id in common]) for values in (before, after))
            change = round(_mean(second - first), DIGITS)
            of_clusters = per_cluster((second - first)[:, None], np.array([self._linked[one] for one in common]))
            low, high = (float(end[0]) for end in resampling.difference_intervals(of_clusters))
            is_known = not math.isnan(low)
            yield Drop(
                model=plan.target.key,
                disturbance=disturbance.key,
                queries=len(common),
                before=_mean(first),
                after=_mean(second),
                change=change,
                low=min(low, change) if is_known else None,  # an end is rounded more than the change
                high=max(high, change) if is_known else None,
            )

    def _measured(
        self, plan: _Plan, disturbance: Disturbance | None, queries: Sequence[QuerySummary]
    ) -> dict[int, float]:
        """The measure of every query by its id; those that cannot be asked are left out and named."""
        answered: list[QuerySummary] = []
        rankings: list[Ranking] = []
        depth = depth_of([self._measure])
        for begin in range(0, len(queries), QUERIES_AT_ONCE):
            group = queries[begin : begin + QUERIES_AT_ONCE]
            asked = [_asked(query, disturbance, self._request.seed) for query in group]
            for query, vector in zip(group, self._vectors.afresh(asked, plan.target), strict=True):
                if isinstance(vector, AppError):
                    self._lost.setdefault(vector.title, {})[query.title] = None
                else:
                    found = self._searcher.ranking(query.query, plan.target, depth, vector)
                    answered.append(query)
                    rankings.append(Ranking(found.ids, found.similarities))
                self._job.advance(note=plan.name + (f": {disturbance.name}" if disturbance else ""))
        kinds = frozenset(plan.target.kinds)
        asked_of = [RankedQuery.of(query) for query in answered]
        run = graded_run(asked_of, rankings, [plan.judged.of(query.id, kinds) for query in answered], depth)
        values = measures.compute([self._measure], run.ranked, run.judged)[:, 0]
        return dict(zip((query.id for query in answered), values.tolist(), strict=True))


def _mean(values: npt.NDArray[np.float64]) -> float:
    """Of an exact sum, so that the order of the queries changes no digit."""
    return math.fsum(values.tolist()) / len(values)


def _lacks_mp3(request: RobustnessRequest, plans: Sequence[_Plan]) -> bool:
    """Whether MP3 was asked for, by name or because sounds are asked with, and cannot be made."""
    by_sound = any(Modality.AUDIO in query.query.modalities for plan in plans for query in plan.queries)
    wanted = disturbing.MP3_KEY in request.disturbances or (by_sound and not request.disturbances)
    return wanted and not disturbing.can_encode_mp3()


def _fits(disturbance: Disturbance, query: QuerySummary, target: Target) -> bool:
    parts = [part for part in query.query.parts if part.modality is disturbance.modality]
    if not parts:
        return False
    if tag := rewording.language(disturbance.key):
        return len(parts) == 1 and bool(query.translations.get(tag, "").strip())
    sought = rewording.sought(disturbance.key)
    return sought is None or sought in target.spec.accepts


def _asked(query: QuerySummary, disturbance: Disturbance | None, seed: int) -> Afresh:
    """The query with every part of the disturbance's kind disturbed."""
    if disturbance is None:
        return Afresh(query.query)
    seeds = {
        place: _seed(seed, query.key, disturbance.key, place)
        for place, part in enumerate(query.query.parts)
        if part.modality is disturbance.modality
    }
    if disturbance.modality is Modality.TEXT:
        parts = [
            _said(part, query, disturbance.key, seeds[place]) if place in seeds else part
            for place, part in enumerate(query.query.parts)
        ]
        return Afresh(replace(query.query, parts=tuple(parts)))
    return Afresh(query.query, {place: SeededDisturbance(disturbance.key, one) for place, one in seeds.items()})


def _said(part: QueryPart, query: QuerySummary, key: str, seed: int) -> QueryPart:
    tag = rewording.language(key)
    return replace(part, text=query.translations[tag] if tag else rewording.reworded(part.text, key, seed))


def _seed(seed: int, query_key: str, disturbance_key: str, place: int) -> int:
    """The same in every process and whatever else is asked: Python's own hash is not."""
    digest = hashlib.sha256(f"{seed}\n{query_key}\n{disturbance_key}\n{place}".encode()).digest()
    return int.from_bytes(digest[:8], "big")
