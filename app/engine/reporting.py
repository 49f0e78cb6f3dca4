"""Reports and exports of an evaluation, and exports taken in again."""

from __future__ import annotations

import codecs
import datetime
import json
import os
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import psutil

from app import __version__
from app.engine.errors import AppError
from app.engine.evaltypes import Evaluation, EvaluationRequest, ReportRequest, Written
from app.engine.evaluation import trec
from app.engine.evaluation.agreement import agreements
from app.engine.evaluation.report import exchange, html, plots, reading
from app.engine.evaluation.report.content import Environment, Report
from app.engine.evaluation.report.exchange import Exported
from app.engine.evaluation.report.pictures import MOST_PICTURES
from app.engine.exporting import Gathered
from app.engine.gradedruns import depth_of
from app.engine.jobs import NULL_JOB, Job
from app.engine.judgingtypes import IMPORTED, LONGEST_JUDGE, MOST_UNKNOWN, Agreement, Imported, QuerySet, QuerySummary
from app.engine.store.exchanges import Exchanges, TakenIn
from app.engine.store.files import Files
from app.engine.store.judgments import Grades, Judgments, folded
from app.engine.store.lookup import Lookup
from app.engine.store.queries import Queries
from app.engine.types import ItemKind, Modality, Query, QueryPart
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
    ) -> None:
        self._library = library
        self._cache_dir = cache_dir
        self._files = files
        self._lookup = lookup
        self._queries = queries
        self._judgments = judgments
        self._exchanges = exchanges

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

    def gather(self, request: EvaluationRequest) -> Gathered:
        """What is to see an evaluation that will be exported."""
        return Gathered(request, self._lookup, self._files.roots(), self._queries, self._judgments)

    def export(
        self,
        path: str,
        request: ReportRequest,
        evaluation: Evaluation,
        gathered: Gathered,
        replaces: bool = False,
        job: Job = NULL_JOB,
    ) -> Written:
        """Write an evaluation, with what was gathered while it was computed, as a folder from which every figure can be
        computed again.

        Raises:
            AppError: what has the name is not to be replaced, or it cannot be written.
            Cancelled: the job was cancelled; nothing was written.
        """
        depth = depth_of(evaluation.measures)
        exported = Exported(
            environment=self._environment(),
            set=gathered.set,
            request=replace(request.evaluation, models=tuple(model.model for model in evaluation.models)),
            queries=gathered.queries,
            judgments=gathered.judgments,
            absent=gathered.absent,
            files=gathered.files,
            runs=gathered.runs(depth),
            evaluation=evaluation,
            robustness=request.robustness,
            agreements=agreements(gathered.judgments, gathered.set.scale),
        )

        def encoded(text: Iterable[str], encoding: str) -> Iterator[bytes]:
            for part in codecs.iterencode(text, encoding):
                job.check()
                yield part

        job.begin("Writing the export")
        files = exchange.folder(exported, gathered.used)
        written, size = write_folder(
            Path(path), ((name, encoded(text, encoding)) for name, text, encoding in files), replaces, written_files
        )
        return Written(path, written, size)

    # --- taking in ---

    def import_export(self, path: str, owner: str | None = None, job: Job = NULL_JOB) -> Imported:
        """Take in the queries of an export and the judgments of all its judges; see
        `app.engine.store.exchanges.Exchanges.take_in` for what happens to a set of the same name, and to judgments
        without a name: they become ``owner``'s.

        Raises:
            AppError: there is no export, it is damaged, or the name of the owner is too long.
            Cancelled: the job was cancelled; nothing was taken in.
        """
        export = reading.read(path)
        queries = [replace(one, query=self._here(one.query)) for one in export.queries]
        given = {
            judge: {key: _refs(grades) for key, grades in of_judge.items()}
            for judge, of_judge in export.judgments.items()
        }
        owner = None if owner is None else " ".join(owner.split())
        if owner and len(owner) > LONGEST_JUDGE:
            raise AppError("This name is too long", f"Give a judge a name of up to {LONGEST_JUDGE} characters.")
        if owner and folded(owner) == IMPORTED:
            raise AppError("This is no person's name", f"“{IMPORTED}” stands for what folders and captions say.")
        stranger = " ".join(f"owner of {export.library}".split())[:LONGEST_JUDGE].strip()
        taken = self._exchanges.take_in(export.set, queries, given, stranger, owner, job)
        name = self._queries.set_of(taken.set_id).name
        unknown = self._unknown(queries, given)
        notes = _notes(export.set, taken, name, owner is not None)
        if unknown:
            notes = (*notes, "What is not here is kept, and counts as soon as its files are indexed.")
        return Imported(
            taken.set_id,
            name,
            taken.queries,
            taken.judgments,
            unknown[:MOST_UNKNOWN],
            notes,
            len(unknown[MOST_UNKNOWN:]),
        )

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


def written_files(folder: Path) -> frozenset[str] | None:
    """The files that `Reporting.export` left in a folder; None where it made none."""
    try:
        document = json.loads((folder / exchange.DOCUMENT).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or document.get("format") != exchange.FORMAT:
        return None
    names = document.get("written")
    return frozenset(name for name in names if isinstance(name, str)) if isinstance(names, list) else None


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


def _notes(of_set: QuerySet, taken: TakenIn, name: str, is_chosen: bool) -> tuple[str, ...]:
    notes = []
    if taken.numbered:
        notes.append(f"A set “{of_set.name}” is here and was judged otherwise, so this one came as “{name}”.")
    if taken.merged:
        notes.append(f"It was merged into the set “{name}”, which was here; nothing that was here has changed.")
    if taken.owner is not None and not is_chosen:
        if taken.owner:
            notes.append(f"Judgments without a name came in as those of “{taken.owner}”. Take them as yours: --as ''")
        else:
            notes.append("Judgments without a name came in as yours. Use --as NAME where they are not.")
    return tuple(notes)
