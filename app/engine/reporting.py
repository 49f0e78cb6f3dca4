"""Reports and exports of an evaluation, and exports taken in again."""

from __future__ import annotations

import datetime
import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import psutil

from app import __version__
from app.engine.errors import AppError
from app.engine.evaltypes import (
    Agreement,
    Evaluation,
    Imported,
    QuerySet,
    QuerySummary,
    ReportRequest,
    Written,
)
from app.engine.evaluation import trec
from app.engine.evaluation.report import exchange, html, plots, reading
from app.engine.evaluation.report.content import Environment, Report
from app.engine.evaluation.report.exchange import Exported, Run
from app.engine.evaluation.report.pictures import MOST_PICTURES
from app.engine.gradedruns import depth_of
from app.engine.jobs import NULL_JOB, Job
from app.engine.rankings import Ranking, Rankings, keyed
from app.engine.search import Searcher
from app.engine.store.exchanges import Exchanges
from app.engine.store.files import Files, is_within
from app.engine.store.judgments import Grades, Judgments
from app.engine.store.lookup import Lookup
from app.engine.store.queries import Queries
from app.engine.types import ItemKind, ItemRef, Modality, Query, QueryPart
from app.engine.wholefiles import write_file, write_folder

PACKAGES = ("ir_measures", "pytrec-eval-terrier", "scipy", "numpy", "torch", "hnswlib", "Pillow", "av")
"""Those that decide about figures."""

AT_ONCE = 2000
_GIB = 1 << 30


class Reporting:
    """The reports of one library. ``cache_dir``: where matplotlib may keep its list of fonts."""

    def __init__(
        self,
        library: str,
        cache_dir: Path,
        files: Files,
        lookup: Lookup,
        queries: Queries,
        judgments: Judgments,
        exchanges: Exchanges,
        searcher: Searcher,
        rankings: Rankings,
    ) -> None:
        self._library = library
        self._cache_dir = cache_dir
        self._files = files
        self._lookup = lookup
        self._queries = queries
        self._judgments = judgments
        self._exchanges = exchanges
        self._searcher = searcher
        self._rankings = rankings

    # --- the page ---

    def write_report(
        self,
        path: str,
        request: ReportRequest,
        evaluation: Evaluation,
        agreements: Sequence[Agreement] = (),
        replaces: bool = False,
        job: Job = NULL_JOB,
    ) -> Written:
        """Write an evaluation, which has its hits, as one HTML file.

        Raises:
            AppError: the file is there and is not to be replaced, or cannot be written.
            Cancelled: the job was cancelled; nothing was written.
        """
        plots.keep_cache_in(self._cache_dir)
        of_set = self._set_of(evaluation)
        shown = _shown(evaluation) if request.pictures else []
        pictures = self._thumbnails(shown[:MOST_PICTURES], job)
        job.begin("Writing the report")
        page = html.render(
            Report(
                title=request.title.strip() or _title(evaluation, of_set),
                environment=self._environment(),
                evaluation=evaluation,
                set=of_set,
                robustness=request.robustness,
                agreements=tuple(agreements),
                pictures=pictures,
                query_pictures=self._query_pictures(evaluation.queries) if request.pictures else {},
                pictures_left=max(0, len(shown) - MOST_PICTURES),
            )
        )
        job.check()
        size = write_file(Path(path), page.encode(), replaces)
        return Written(path, (Path(path).name,), size)

    def _thumbnails(self, item_ids: Sequence[int], job: Job) -> dict[int, bytes]:
        job.begin("Gathering pictures", len(item_ids))
        found: dict[int, bytes] = {}
        for begin in range(0, len(item_ids), AT_ONCE):
            some = item_ids[begin : begin + AT_ONCE]
            found |= self._lookup.thumbnails(some)
            job.advance(len(some))
        return {item_id: found[item_id] for item_id in item_ids if item_id in found}

    def _query_pictures(self, queries: Sequence[QuerySummary]) -> dict[int, bytes]:
        """The thumbnails of the queries' own files, of those that are in the library."""
        items: dict[int, int] = {}
        for query in queries:
            for part in query.query.parts:
                if query.id not in items and (item_id := self._item_of(part)) is not None:
                    items[query.id] = item_id
        thumbnails = self._lookup.thumbnails(list(items.values()))
        return {query_id: thumbnails[item_id] for query_id, item_id in items.items() if item_id in thumbnails}

    def _item_of(self, part: QueryPart) -> int | None:
        if not part.content:
            return None
        kinds = (ItemKind.AUDIO,) if part.modality is Modality.AUDIO else (ItemKind.PHOTO, ItemKind.FRAME)
        found = (self._lookup.find_item(bytes.fromhex(part.content), kind, part.at_ms) for kind in kinds)
        return next((item_id for item_id in found if item_id is not None), None)

    # --- the folder ---

    def export(
        self,
        path: str,
        request: ReportRequest,
        evaluation: Evaluation,
        agreements: Sequence[Agreement] = (),
        replaces: bool = False,
        job: Job = NULL_JOB,
    ) -> Written:
        """Write an evaluation as a folder from which every figure can be computed again.

        Raises:
            AppError: the queries are of several sets, the folder is there and is not to be replaced, or it cannot be
                written.
            Cancelled: the job was cancelled; nothing was written.
        """
        of_set = self._set_of(evaluation)
        if of_set is None:
            raise AppError(
                "Several sets cannot be exported as one", "Choose a set of queries (--set on the command line)."
            )
        queries = self._queries.queries(of_set.id)
        names = _Names(self._lookup, self._files.roots())
        runs = tuple(self._runs(evaluation, names, job))
        given = {judge: self._given(queries, judge, names) for judge in of_set.judges}
        job.begin("Writing the export")
        exported = Exported(
            environment=self._environment(),
            set=of_set,
            request=replace(request.evaluation, models=tuple(model.model for model in evaluation.models)),
            queries=tuple(replace(one, query=names.of_query(one.query)) for one in queries),
            judgments=given,
            absent=names.absent(
                document for of_judge in given.values() for one in of_judge.values() for document in one
            ),
            files=names.files,
            runs=runs,
            evaluation=evaluation,
            robustness=request.robustness,
            agreements=tuple(agreements),
        )
        measured = {query.id for query in evaluation.queries}
        used = self._given([one for one in queries if one.id in measured], evaluation.judge, names)

        def files() -> Iterator[tuple[str, bytes]]:
            for name, text, encoding in exchange.folder(exported, used):
                job.check()
                yield name, text.encode(encoding)

        written, size = write_folder(Path(path), files(), replaces, is_export)
        return Written(path, written, size)

    def _runs(self, evaluation: Evaluation, names: _Names, job: Job) -> Iterator[Run]:
        depth = depth_of(evaluation.measures)
        by_id = {query.id: query for query in evaluation.queries}
        job.begin("Gathering rankings", sum(len(model.queries) for model in evaluation.models))
        for model in evaluation.models:
            target = self._searcher.target(model.model) if model.queries else None
            if target is None:
                continue
            queries = [by_id[one.query_id] for one in model.queries]
            rankings: dict[str, Sequence[tuple[str, float]]] = {}
            found = self._rankings.of([keyed(one.query) for one in queries], target, depth, job)
            for query, ranking in zip(queries, found, strict=True):
                if isinstance(ranking, Ranking):
                    documents = names.of_items(ranking.ids[:depth].tolist())
                    similarities = map(float, ranking.similarities[:depth])
                    rankings[query.key] = tuple(zip(documents, similarities, strict=True))
                job.advance(note=model.name)
            yield Run(model.model, tuple(target.kinds), rankings)

    def _given(self, queries: Sequence[QuerySummary], judge: str | None, names: _Names) -> dict[str, dict[str, int]]:
        """Query key → document → grade or mark."""
        given = self._judgments.of_queries([one.id for one in queries], judge)
        return {one.key: names.of_grades(given[one.id]) for one in queries if one.id in given}

    # --- taking in ---

    def import_export(self, path: str, job: Job = NULL_JOB) -> Imported:
        """Take in the queries of an export and the judgments of all its judges; see
        `app.engine.store.exchanges.Exchanges.take_in` for what happens to a set of the same name.

        Raises:
            AppError: there is no export, or it is damaged.
            Cancelled: the job was cancelled; nothing was taken in.
        """
        export = reading.read(path)
        queries = [replace(one, query=self._here(one.query)) for one in export.queries]
        given = {
            judge: {key: _refs(grades) for key, grades in of_judge.items()}
            for judge, of_judge in export.judgments.items()
        }
        taken = self._exchanges.take_in(export.set, queries, given, job)
        name = self._queries.set_of(taken.set_id).name
        unknown = self._unknown(queries, given)
        notes = _notes(export.set, taken.numbered, taken.merged, name)
        if unknown:
            notes = (*notes, "What is not here is kept, and counts as soon as its files are indexed.")
        return Imported(taken.set_id, name, taken.queries, taken.judgments, unknown, notes)

    def _here(self, query: Query) -> Query:
        """The query with the paths that its files have in this library; a file that is not here has none."""
        parts = []
        for part in query.parts:
            paths = self._lookup.paths_of(bytes.fromhex(part.content)) if part.content else ()
            parts.append(replace(part, path=os.fsdecode(paths[0]) if paths else ""))
        return Query(tuple(parts))

    def _unknown(self, queries: Sequence[QuerySummary], given: Mapping[str, Mapping[str, Grades]]) -> tuple[str, ...]:
        """The ids of queries and documents whose files are not here. They are kept: the files may come."""
        lost = [one.key for one in queries if any(part.content and not part.path for part in one.query.parts)]
        refs = {ref for of_judge in given.values() for grades in of_judge.values() for ref in grades}
        here = self._lookup.item_ids(refs)
        return (*lost, *sorted(trec.document_id(ref) for ref in refs if ref not in here))

    # --- shared ---

    def _set_of(self, evaluation: Evaluation) -> QuerySet | None:
        """The set that all measured queries are of."""
        ids = {query.set_id for query in evaluation.queries}
        return self._queries.set_of(ids.pop()) if len(ids) == 1 else None

    def _environment(self) -> Environment:
        return Environment(
            made_at=datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
            version=__version__,
            library=self._library,
            machine=machine(),
            packages=dict(_versions()),
        )


class _Names:
    """The ids of documents and the relative names of their files, gathered as they are asked for."""

    def __init__(self, lookup: Lookup, roots: Sequence[bytes]) -> None:
        self._lookup = lookup
        self._roots = sorted(roots, key=len, reverse=True)
        self._documents: dict[int, str] = {}
        self.files: dict[str, str] = {}

    def of_items(self, item_ids: Sequence[int]) -> list[str]:
        """The documents of items that were ranked a moment ago."""
        unknown = [item_id for item_id in item_ids if item_id not in self._documents]
        for row in self._lookup.items(unknown).values():
            ref = ItemRef(row.sha256, row.kind, row.start_ms)
            self._documents[row.id] = trec.document_id(ref)
            self.files.setdefault(row.sha256.hex(), self._relative(row.paths[0]))
        return [self._documents[item_id] for item_id in item_ids]

    def of_grades(self, grades: Grades) -> dict[str, int]:
        return {trec.document_id(ref): int(grade) for ref, grade in grades.items()}

    def absent(self, documents: Iterator[str]) -> frozenset[str]:
        """Those that no file of the library holds; the others get their names."""
        refs = {name: ref for name in documents if (ref := trec.parse_document(name))}
        here = self._lookup.item_ids(refs.values())
        self.of_items(list(here.values()))
        return frozenset(name for name, ref in refs.items() if ref not in here)

    def of_query(self, query: Query) -> Query:
        return Query(tuple(self._of_part(part) for part in query.parts))

    def _of_part(self, part: QueryPart) -> QueryPart:
        return replace(part, path=self._relative(os.fsencode(part.path))) if part.path else part

    def _relative(self, path: bytes) -> str:
        """A path below its root; of a file from elsewhere the name alone."""
        root = next((root for root in self._roots if is_within(path, root)), None)
        return os.fsdecode(os.path.relpath(path, root) if root else os.path.basename(path))  # noqa: PTH119 - bytes


def is_export(folder: Path) -> bool:
    """Whether a folder was written by `Reporting.export`."""
    try:
        with (folder / exchange.DOCUMENT).open(encoding="utf-8") as file:
            return f'"format": {json.dumps(exchange.FORMAT)}' in file.read(200)
    except (OSError, UnicodeDecodeError):
        return False


def machine() -> str:
    """The machine in words, without its name."""
    memory_gib = psutil.virtual_memory().total / _GIB
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory_gib:.0f} GiB of memory"


def _versions() -> Iterator[tuple[str, str]]:
    for name in PACKAGES:
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:  # a frozen program may not carry all of them
            continue


def _shown(evaluation: Evaluation) -> list[int]:
    """The items of all lists, each once, those of the first ranks first."""
    hits = (hit.hit for model in evaluation.models for answer in model.queries for hit in answer.hits)
    return list(dict.fromkeys(hit.item_id for hit in sorted(hits, key=lambda hit: hit.rank)))


def _title(evaluation: Evaluation, of_set: QuerySet | None) -> str:
    name = of_set.name if of_set else "all test queries"
    models = len(evaluation.models)
    return f"{models} models on “{name}”" if models != 1 else f"{evaluation.models[0].name} on “{name}”"


def _refs(grades: Mapping[str, int]) -> Grades:
    return {ref: grade for name, grade in grades.items() if (ref := trec.parse_document(name))}


def _notes(of_set: QuerySet, numbered: bool, merged: bool, name: str) -> tuple[str, ...]:
    if numbered:
        return (f"A set “{of_set.name}” is here and was judged otherwise, so this one came as “{name}”.",)
    if merged:
        return (f"It was merged into the set “{name}”, which was here; nothing that was here has changed.",)
    return ()
