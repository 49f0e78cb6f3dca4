"""The façade of a library: open it, index, search; `evaluations` judges and measures. Frozen values in and out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from app.engine.costs import Costs
from app.engine.encoders.base import EncoderSource
from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.rates import Rates
from app.engine.encoders.speeds import Speeds
from app.engine.evaluating import Evaluator
from app.engine.evaluations import Evaluations
from app.engine.importing import Imports
from app.engine.index.shelf import EXACT_UP_TO
from app.engine.indexing import Indexer
from app.engine.jobs import NULL_JOB, Job
from app.engine.judging import Judging
from app.engine.labelling import Labels
from app.engine.libraries import folder_of
from app.engine.librarytypes import (
    IndexReport,
    IndexRequest,
    LibrarySettings,
    LibraryStatus,
    Root,
    VerifyReport,
)
from app.engine.media.pool import DecoderPool
from app.engine.modeltypes import ModelStatus
from app.engine.querying import QueryVectors
from app.engine.rankings import Rankings
from app.engine.reporting import Reporting
from app.engine.robustness import Disturber
from app.engine.scanning import is_online
from app.engine.search import Searcher
from app.engine.shelves import Shelves
from app.engine.sizes import folder_bytes
from app.engine.store.backups import backups, set_aside
from app.engine.store.database import Database, broken_library
from app.engine.store.exchanges import Exchanges
from app.engine.store.files import Files, is_within
from app.engine.store.folders import Folders
from app.engine.store.judgments import Judgments
from app.engine.store.keywords import Keywords
from app.engine.store.labels import LabelStore
from app.engine.store.lookup import Lookup
from app.engine.store.preferences import Preferences
from app.engine.store.queries import Queries
from app.engine.store.spaces import Spaces
from app.engine.store.verification import Findings
from app.engine.targets import Targets
from app.engine.testsets import TestSets
from app.engine.thresholds import Thresholds
from app.engine.trials import Trials
from app.engine.types import ItemDetails, QueryPart, SearchReply, SearchRequest
from app.engine.verifying import Verifier
from app.engine.viewing import Viewer
from app.engine.watching import Tell, Watched, Watcher
from app.paths import models_dir, reports_cache_dir, resources_dir, speeds_path

SAMPLE_DIR = "sample"


class Session:
    """One open library. Its methods may be called from any thread; a change waits for its turn.

    Open it with `Session.open`, and close it, or use it as a context manager.
    """

    def __init__(
        self, name: str, database: Database, encoders: EncoderSource, rates: Rates, pool: DecoderPool, exact_up_to: int
    ) -> None:
        self.name = name
        self._database = database
        self._encoders = encoders
        self._pool = pool
        self._watcher: Watcher | None = None
        self._files = Files(database)
        self._lookup = Lookup(database)
        self._preferences = Preferences(database)
        self._spaces = spaces = Spaces(database)
        self._shelves = shelves = Shelves(spaces, database.folder / "indexes", exact_up_to)
        judgments = Judgments(database)
        self._judgments = judgments
        test_queries = Queries(database, judgments)
        queries = QueryVectors(self._lookup, spaces, encoders, pool)
        targets = Targets(spaces, encoders)
        self._searcher = Searcher(self._files, self._lookup, Keywords(database), spaces, shelves, targets, queries)
        rankings = Rankings(self._lookup, shelves, self._searcher)
        trials = Trials(self._searcher, queries, rankings, shelves, encoders)
        labels = LabelStore(database)
        self._thresholds = Thresholds(self._lookup, test_queries, judgments, rankings)
        self._verifier = Verifier(database, spaces, shelves, queries)
        self._viewer = Viewer(self._lookup, self._searcher, pool)
        self.evaluations = Evaluations(
            TestSets(test_queries, queries),
            Imports(database, self._files, self._lookup, test_queries, judgments, self._preferences),
            Judging(self._lookup, test_queries, judgments, targets, self._searcher, rankings),
            Evaluator(self._lookup, test_queries, judgments, targets, self._searcher, rankings, encoders, labels),
            Costs(spaces, shelves, targets, trials, encoders, rates),
            Disturber(self._lookup, test_queries, targets, self._searcher, queries, encoders),
            Reporting(
                name,
                reports_cache_dir(database.folder.parent.parent),
                self._files,
                self._lookup,
                test_queries,
                judgments,
                Exchanges(database, test_queries, judgments),
            ),
            encoders,
            self._preferences,
        )
        self.labels = Labels(
            labels,
            self._lookup,
            spaces,
            test_queries,
            judgments,
            targets,
            encoders,
            self._preferences,
        )
        self._indexer = Indexer(
            self._files, Folders(database), self._lookup, spaces, shelves, self._preferences, encoders, rates, pool
        )

    @classmethod
    def open(
        cls,
        home: Path,
        library: str = "default",
        encoders: EncoderSource | None = None,
        device: str = "auto",
        exact_up_to: int = EXACT_UP_TO,
        job: Job = NULL_JOB,
    ) -> Session:
        """Open a library of a data home, making it at first use.

        Args:
            home: the data home.
            library: the library's name.
            encoders: where encoders come from; the catalogue unless a test or a plug-in brings its own.
            device: "auto", "cuda", "mps" or "cpu".
            exact_up_to: sets up to this size are scanned rather than looked up in a graph.
            job: told of bringing up to date what an earlier version made, after it was copied.

        Raises:
            AppError: the name cannot be a folder's, the home cannot be written, or there is no room for an upgrade.
            LibraryLocked, LibraryTooNew, LibraryDamaged: as their names say.
            Cancelled: the job was cancelled before anything was changed.
        """
        database = Database(folder_of(home, library), job)
        source, rates = encoders or Catalogue(models_dir(home), device), Rates(Speeds(speeds_path(home)), device)
        return cls(library, database, source, rates, DecoderPool(), exact_up_to)

    def close(self) -> None:
        self._shelves.close()
        self.unwatch()
        self._pool.close()
        self._database.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- the library ---

    def status(self) -> LibraryStatus:
        """What the library holds and which of its folders are there."""
        folder = self._database.folder
        models = self._preferences.models
        return LibraryStatus(
            name=self.name,
            folder=str(folder),
            roots=self._roots(),
            kinds=self._lookup.file_counts(),
            items=self._lookup.item_counts(),
            spaces=self._indexer.space_counts(models),
            models=models,
            failures=self._files.failures(),
            judgments=self._judgments.count(),
            size_bytes=folder_bytes(folder),
            settings=self._preferences.settings,
            kept=self._indexer.kept_counts(models),
            earlier=self._indexer.earlier_counts(models),
            backups=backups(self._database.path),
            set_aside=set_aside(self._database.path),
        )

    def index(self, request: IndexRequest, job: Job = NULL_JOB) -> IndexReport:
        """See `app.engine.indexing.Indexer.index`. A library that was not closed is checked first; new pictures are
        given their labels at the end.

        Raises:
            LibraryDamaged: and it is beyond mending.
        """
        found = self._verifier.verify_database(job) if self._database.needs_check else Findings()
        if found.broken:
            raise broken_library(found.broken[0], self._database.path)
        try:
            report = self._indexer.index(request, job)
            unlabelled = self.labels.catch_up(job)
        finally:
            self._encoders.ease()
        notes = (*found.lost, *found.mended, *report.notes, *filter(None, [unlabelled]))
        return replace(report, notes=notes)

    def verify(self, job: Job = NULL_JOB) -> VerifyReport:
        """See `app.engine.verifying.Verifier.verify`."""
        return self._verifier.verify(job)

    def load_sample(self, job: Job = NULL_JOB) -> IndexReport:
        """Index the sample library that ships with the program, with its queries and judgments."""
        folder = resources_dir() / SAMPLE_DIR
        report = self.index(IndexRequest((str(folder),)), job)
        self.evaluations.import_qrels(str(folder / "qrels.txt"))
        return report

    def forget_root(self, path: str) -> LibraryStatus:
        """Take a folder out of the library. The files on disk and the judgments stay. The space it took is used for
        what comes next; `give_back_space` gives it back to the disk."""
        self._files.forget_root(os.fsencode(path))
        return self.status()

    def give_back_space(self, job: Job = NULL_JOB) -> LibraryStatus:
        """Give the space of what was taken out back to the disk.

        Raises:
            AppError: the disk fails.
            Cancelled: the job was cancelled; what is left is used for what comes next.
        """
        self._database.give_back_space(job)
        return self.status()

    def holds(self, folder: str) -> bool:
        """Whether a folder is one of the library's, or files of the library are below it."""
        path = os.fsencode(os.path.abspath(folder))  # noqa: PTH100 - resolving links would miss the library's own path
        return path in self._files.roots() or self._files.any_below(path)

    def set_settings(self, settings: LibrarySettings) -> LibraryStatus:
        """Choose how the library is indexed; the next run of `index` brings it in line.

        Raises:
            AppError: an interval or a window is too short or too long to be of use.
        """
        self._preferences.choose_settings(settings)
        return self.status()

    # --- watching ---

    def watch(self, tell: Tell) -> None:
        """Tell the `News` of the roots, from another thread, until `unwatch` or `close`. Changed folders are what to
        `index` next.

        Only while the library's settings say so. New and forgotten roots, and roots that go and come back, are
        followed.
        """
        self.unwatch()
        self._watcher = Watcher(self._watched, tell, os.fsencode(self._database.folder.parent.parent))

    def unwatch(self) -> None:
        if self._watcher:
            self._watcher.close()
            self._watcher = None

    def _watched(self) -> Watched:
        return Watched(self._files.roots() if self._preferences.settings.watch else (), self._indexer.rules())

    # --- models ---

    def models(self) -> tuple[ModelStatus, ...]:
        return self._encoders.statuses()

    def set_models(self, keys: Sequence[str]) -> LibraryStatus:
        """Choose the library's models; the next run of `index` encodes with those that are new to it."""
        for key in keys:
            self._encoders.spec(key)
        known = self._encoders.keys()
        self._preferences.choose_models([key for key in known if key in set(keys)])
        return self.status()

    def forget_model(self, key: str, job: Job = NULL_JOB, earlier: bool = False) -> LibraryStatus:
        """Take a model out of the library with all that it has computed, and give the space back to the disk.

        Args:
            key: the model.
            job: told of the vectors that are deleted.
            earlier: take out only what it has computed with other weights than it has now; it stays in the library.

        Raises:
            AppError: there is no such model, its weights are not there (``earlier``), or the disk fails.
            Cancelled: the job was cancelled; asking again takes out what is left.
        """
        spaces = self._indexer.earlier_spaces(key) if earlier else self._spaces.of_encoder(key)
        if not spaces:
            self._encoders.spec(key)
        if not earlier:
            self._preferences.choose_models([other for other in self._preferences.models if other != key])
        job.begin("Removing a model", sum(self._spaces.count(space.id) for space in spaces))
        for space in spaces:
            self._shelves.forget(space)
            self._spaces.forget(space, job)
        return self.give_back_space(job)

    # --- search ---

    def search(self, request: SearchRequest) -> SearchReply:
        """See `app.engine.search.Searcher.search`."""
        return self._searcher.search(request, self._preferences.models, self._thresholds.of)

    def thumbnails(self, item_ids: Sequence[int]) -> dict[int, bytes]:
        """Encoded pictures by item; items without one are left out."""
        return self._lookup.thumbnails(item_ids)

    def details(self, item_id: int) -> ItemDetails:
        """See `app.engine.viewing.Viewer.details`."""
        return self._viewer.details(item_id)

    def query_preview(self, part: QueryPart) -> bytes:
        """See `app.engine.viewing.Viewer.query_preview`."""
        return self._viewer.query_preview(part)

    def _roots(self) -> tuple[Root, ...]:
        paths = self._files.roots()
        inside = {path: [other for other in paths if other != path and is_within(other, path)] for path in paths}
        return tuple(
            Root(
                path=os.fsdecode(path),
                online=is_online(path),
                files=sum(self._lookup.file_counts(path, inside[path]).values()),
                items=sum(self._lookup.item_counts(path, inside[path]).values()),
            )
            for path in paths
        )
