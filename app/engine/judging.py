"""Judge once, without bias, and measure every model by it: pools, judgments, measures, TREC files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from app.engine.encoders.base import EncoderSource, ready_keys
from app.engine.errors import AppError, MediaUnreadable
from app.engine.evaluation import measures, trec
from app.engine.jobs import NULL_JOB, Job
from app.engine.querying import QueryVectors, Target
from app.engine.search import Searcher
from app.engine.store.files import Files
from app.engine.store.judgments import Judgments, StoredQuery
from app.engine.store.lookup import ItemRow, Lookup
from app.engine.types import (
    Evaluation,
    EvaluationRequest,
    Hit,
    ItemKind,
    ItemRef,
    JudgedHit,
    Modality,
    ModelEvaluation,
    Pool,
    PoolItem,
    QrelsImport,
    Query,
    QueryEvaluation,
    QuerySummary,
)

RUN_DEPTH = 1000
"""How far down a model's ranking the measures without a cut-off (AP, RR) look: trec_eval's usual 1,000."""


class Judging:
    """The test queries of one library, their judgments, and what the models are worth by them."""

    def __init__(
        self,
        files: Files,
        lookup: Lookup,
        judgments: Judgments,
        queries: QueryVectors,
        searcher: Searcher,
        encoders: EncoderSource,
    ) -> None:
        self._files = files
        self._lookup = lookup
        self._judgments = judgments
        self._searcher = searcher
        self._queries = queries
        self._encoders = encoders

    # --- queries ---

    def queries(self) -> tuple[QuerySummary, ...]:
        return tuple(
            QuerySummary(stored.key, stored.title, stored.query, stored.relevant, stored.judged)
            for stored in self._judgments.queries()
        )

    def add_query(self, query: Query, title: str = "") -> QuerySummary:
        """Keep a query to judge; one that is kept already is the same one."""
        resolved = self._queries.resolve(query)
        key = trec.query_id(resolved)
        self._judgments.save_query(key, title or _title(resolved), resolved)
        return self._summary(key)

    def remove_query(self, key: str) -> None:
        self._judgments.remove_query(key)

    # --- judging ---

    def pool(self, query_key: str, models: Sequence[str], depth: int) -> Pool:
        """The first ``depth`` results of every model, each once, in an order that depends on neither model nor rank."""
        stored = self._stored(query_key)
        targets = self._targets(stored.query, models)
        grades = self._judgments.grades(query_key)
        hits: dict[int, Hit] = {}
        for target in targets:
            for hit in self._searcher.run(stored.query, target, depth):
                hits[hit.item_id] = replace(hit, rank=0, similarity=None, found_by=())
        refs = self._refs(list(hits))
        blind = sorted(refs, key=lambda item_id: _shuffle_key(query_key, refs[item_id]))
        return Pool(
            query_key=query_key,
            title=stored.title,
            items=tuple(PoolItem(hits[item_id], grades.get(refs[item_id])) for item_id in blind),
            models=tuple(target.key for target in targets),
        )

    def judge(self, query_key: str, item_id: int, grade: int | None) -> QuerySummary:
        """Enter a grade (0: not relevant, above: relevant); None takes it back."""
        self._stored(query_key)
        refs = self._refs([item_id])
        if item_id not in refs:
            raise AppError("This item is gone", "Its file has left the library since it was found.")
        self._judgments.judge(query_key, [(refs[item_id], grade)])
        return self._summary(query_key)

    # --- measuring ---

    def evaluate(self, request: EvaluationRequest, models: Sequence[str], job: Job = NULL_JOB) -> Evaluation:
        """Every model's measures over the judged queries it understands."""
        summaries = self.queries()
        chosen = [
            summary
            for summary in summaries
            if (summary.key in request.query_keys if request.query_keys else summary.judged)
        ]
        job.begin("Measuring", len(models) * len(chosen))
        return Evaluation(
            k=request.k,
            measures=measures.names(request.k),
            models=tuple(self._evaluate_model(key, chosen, request.k, job) for key in models),
            queries=tuple(chosen),
        )

    def _evaluate_model(self, key: str, queries: Sequence[QuerySummary], k: int, job: Job) -> ModelEvaluation:
        status = next((status for status in self._encoders.statuses() if status.key == key), None)
        target = self._searcher.target(key) if status and status.ready else None
        if status is None or target is None:
            if status is None:  # the library was used by a program that has it
                note = "There is no such model here."
            else:
                note = status.problem or "Nothing is indexed with this model yet."
            name = status.name if status else key
            return ModelEvaluation(key, name, {}, (), tuple(query.title for query in queries), note)
        results: list[QueryEvaluation] = []
        lost: list[str] = []
        for query in queries:
            grades = self._grades(query.key, target)
            if query.query.modalities <= target.spec.accepts and (grades or not query.judged):
                try:
                    results.append(self._evaluate_query(query, target, grades, k))
                except MediaUnreadable:  # one lost file must not keep the other queries from being measured
                    lost.append(query.title)
            job.advance(note=status.name)
        answered = {result.query_key for result in results}
        unanswered = tuple(query.title for query in queries if query.key not in answered)
        mean = measures.mean([result.measures for result in results], k)
        note = f"Left out, because the query's file is gone or cannot be read: {', '.join(lost)}." if lost else ""
        return ModelEvaluation(key, status.name, mean, tuple(results), unanswered, note)

    def _grades(self, query_key: str, target: Target) -> dict[ItemRef, int]:
        """The judgments of what the model could find: words that find pictures and sounds are judged on both, and a
        model of sounds does not miss the pictures."""
        grades = self._judgments.grades(query_key)
        return {ref: grade for ref, grade in grades.items() if ref.kind in target.kinds}

    def _evaluate_query(
        self, summary: QuerySummary, target: Target, grades: Mapping[ItemRef, int], k: int
    ) -> QueryEvaluation:
        hits = self._searcher.run(summary.query, target, max(k, RUN_DEPTH))
        refs = self._refs([hit.item_id for hit in hits])
        hits = tuple(hit for hit in hits if hit.item_id in refs)  # a folder may have been forgotten meanwhile
        # The rank is the score, so that the measures see the list exactly as it is shown, ties and all.
        run = {summary.key: [(trec.document_id(refs[hit.item_id]), float(-hit.rank)) for hit in hits]}
        qrels = {summary.key: {trec.document_id(ref): grade for ref, grade in grades.items()}}
        return QueryEvaluation(
            query_key=summary.key,
            title=summary.title,
            measures=measures.per_query(qrels, run, k)[summary.key],
            hits=tuple(JudgedHit(hit, grades.get(refs[hit.item_id])) for hit in hits[:k]),
        )

    # --- TREC files ---

    def export_qrels(self, path: str) -> int:
        """Write every judgment as TREC qrels; how many there were."""
        lines = [
            trec.QrelLine(stored.key, trec.document_id(ref), grade)
            for stored in self._judgments.queries()
            for ref, grade in self._judgments.grades(stored.key).items()
        ]
        try:
            Path(path).write_text(trec.write_qrels(lines), encoding="utf-8")
        except OSError as error:
            raise AppError("The judgments cannot be written there", f"{error.strerror or error}.", path) from error
        return len(lines)

    def import_qrels(self, path: str) -> QrelsImport:
        """Take in TREC qrels; what they name by path is looked for beside the file and below the roots."""
        try:
            lines = trec.read_qrels(Path(path).read_text(encoding="utf-8-sig"), path)
        except (OSError, UnicodeDecodeError) as error:
            raise AppError("This judgments file cannot be read", f"{error}.", path) from error
        bases = [os.fsencode(Path(path).absolute().parent), *self._files.roots()]
        imported, unknown = 0, []
        kept = {stored.key: stored.query for stored in self._judgments.queries()}
        by_query: dict[str, list[trec.QrelLine]] = {}
        for line in lines:
            by_query.setdefault(line.query_id, []).append(line)
        for query_id, group in by_query.items():
            query = kept.get(query_id) or self._imported_query(trec.parse_query(query_id), bases)
            if query is None:
                unknown.append(query_id)
                continue
            key = trec.query_id(query)
            if key not in kept:
                self._judgments.save_query(key, _title(query), query)
            wanted = (ItemKind.AUDIO,) if Modality.AUDIO in query.modalities else tuple(ItemKind)
            found = [(self._imported_item(line.document_id, wanted, bases), line) for line in group]
            self._judgments.judge(key, [(ref, line.grade) for ref, line in found if ref])
            imported += sum(1 for ref, _ in found if ref)
            unknown += [line.document_id for ref, line in found if ref is None]
        return QrelsImport(imported, len(by_query), tuple(dict.fromkeys(unknown)))

    def _imported_query(self, query: Query, bases: Sequence[bytes]) -> Query | None:
        parts = []
        for part in query.parts:
            if part.path:
                known = self._known_path(part.path, bases)
                if known is None:
                    return None
                path, sha256 = known
                part = replace(part, path=os.fsdecode(path), content=sha256.hex())
            elif part.content:
                paths = self._lookup.paths_of(bytes.fromhex(part.content))
                if not paths:
                    return None
                part = replace(part, path=os.fsdecode(paths[0]))
            parts.append(part)
        return Query(tuple(parts))

    def _imported_item(self, document_id: str, kinds: Sequence[ItemKind], bases: Sequence[bytes]) -> ItemRef | None:
        if ref := trec.parse_document(document_id):
            return ref  # kept even where its file is not here yet: it may come
        path, moment_ms = trec.parse_path(document_id)
        known = self._known_path(path, bases)
        if known is None:
            return None
        _, sha256 = known
        items = self._lookup.moments(sha256, kinds)
        if not items:
            return None
        kind, start_ms = min(items, key=lambda item: (abs(item[1] - (moment_ms or 0)), item[0] is ItemKind.AUDIO))
        return ItemRef(sha256, kind, start_ms)

    def _known_path(self, path: str, bases: Sequence[bytes]) -> tuple[bytes, bytes] | None:
        """The catalogued file a relative or absolute path means, and its content."""
        for base in bases:
            candidate = os.path.normpath(os.path.join(base, os.fsencode(path)))  # noqa: PTH118 - paths of bytes
            if known := self._lookup.content_at(candidate):
                return candidate, known[0]
        return None

    # --- shared ---

    def _stored(self, key: str) -> StoredQuery:
        for stored in self._judgments.queries():
            if stored.key == key:
                return stored
        raise AppError("This query is gone", "It was removed; choose another.")

    def _summary(self, key: str) -> QuerySummary:
        return next(summary for summary in self.queries() if summary.key == key)

    def _targets(self, query: Query, models: Sequence[str]) -> list[Target]:
        ready = ready_keys(self._encoders)
        able = [key for key in models if key in ready and query.modalities <= self._encoders.spec(key).accepts]
        return [target for key in able if (target := self._searcher.target(key))]

    def _refs(self, item_ids: Sequence[int]) -> dict[int, ItemRef]:
        rows: dict[int, ItemRow] = self._lookup.items(item_ids)
        return {item_id: ItemRef(row.sha256, row.kind, row.start_ms) for item_id, row in rows.items()}


def _title(query: Query) -> str:
    names = []
    for part in query.parts:
        name = part.text if part.modality is Modality.TEXT else Path(part.path).name or part.content[:12]
        names.append(name if part.weight > 0 else f"not {name}")
    return " + ".join(names)


def _shuffle_key(query_key: str, ref: ItemRef) -> bytes:
    """A fixed order that looks random: the same at every visit, and of no model's making."""
    return hashlib.sha256(f"{query_key} {trec.document_id(ref)}".encode()).digest()
