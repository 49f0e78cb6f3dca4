"""Indexing, whole: look through folders, enter what is there, encode what models have not seen, save the indexes."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from app.engine.embedding import Chosen, embed
from app.engine.encoders.base import EncoderSource, EncoderSpec, ready_keys
from app.engine.encoders.rates import Rates
from app.engine.errors import AppError, WeightsCorrupt, WeightsMissing
from app.engine.jobs import Job
from app.engine.librarytypes import IndexReport, IndexRequest, SpaceCount
from app.engine.media.pool import DecoderPool
from app.engine.media.scan import Rules
from app.engine.scanning import covers, folder_bytes, is_online, nearest_folder, update_files
from app.engine.shelves import Shelves
from app.engine.store.batches import Sampling
from app.engine.store.files import Files, is_within
from app.engine.store.folders import Folders
from app.engine.store.lookup import Lookup
from app.engine.store.preferences import Preferences
from app.engine.store.spaces import Spaces
from app.engine.types import MediaKind, Modality, Space


class Indexer:
    """Keeps one library in step with its folders and its models."""

    def __init__(
        self,
        files: Files,
        folders: Folders,
        lookup: Lookup,
        spaces: Spaces,
        shelves: Shelves,
        preferences: Preferences,
        encoders: EncoderSource,
        rates: Rates,
        pool: DecoderPool,
    ) -> None:
        self._files = files
        self._folders = folders
        self._lookup = lookup
        self._spaces = spaces
        self._shelves = shelves
        self._preferences = preferences
        self._encoders = encoders
        self._rates = rates
        self._pool = pool

    def index(self, request: IndexRequest, job: Job) -> IndexReport:
        """Index the requested folders, or all roots again.

        Raises:
            AppError: a folder is not there, a requested model is unknown or has no weights, or the disk is full.
            Cancelled: the job was cancelled; what was committed stays and the next run goes on from it.
        """
        began_s = time.monotonic()
        rules = self.rules()
        folders = [self._folder(folder, request.followed) for folder in request.folders]
        keys, notes = self._choose_models(request.models)
        for folder in folders:
            self._files.add_root(folder, lambda root, path: covers(root, path, rules))
        roots = self._files.roots()
        away = [root for root in roots if (root in folders or not folders) and not is_online(root)]
        notes += [
            f"{os.fsdecode(root)} is empty or not there now; its items are kept until it is taken out of the library."
            for root in away
        ]
        if not request.folders:
            folders = [root for root in roots if root not in away]
        before = self._files.orphans()
        outcome = update_files(self._files, self._folders, folders, rules, job)
        encoded = dict.fromkeys(keys, 0)
        changed = self._changed_models(keys)
        spaces = {key: self._make_space(key) for key in keys}
        space_ids, sampling = [space.id for space in spaces.values()], self._sampling()
        if not self._spaces.settled(space_ids, sampling):
            done = self._encode(spaces, sampling, bool(request.models), notes, job)
            encoded |= done
            notes += [said for key, said in changed.items() if key in done]
            self._files.purge(before)  # a content is kept for one run after its last file went: it may have moved
            self._save_indexes(keys, job)
            self._spaces.settle(space_ids, sampling)
        unreadable = {failure.path for failure in outcome.failures}
        failures = [
            *outcome.failures,
            *(f for folder in folders for f in self._files.failures(folder) if f.path not in unreadable),
        ]
        return IndexReport(
            files=outcome.counts(failed=len(failures)),
            items=self._lookup.item_counts(),
            spaces=self.space_counts(self._preferences.models),
            failures=tuple(failures),
            skipped=tuple(outcome.skipped),
            encoded=encoded,
            notes=tuple(notes),
            seconds=round(time.monotonic() - began_s, 3),
        )

    def rules(self) -> Rules:
        """What the library's settings say of the files to be taken."""
        settings = self._preferences.settings
        return Rules(settings.excluded, settings.hidden)

    def _folder(self, folder: str, followed: bool) -> bytes:
        """The folder to walk. A known one below a root that has gone is looked for from the nearest above that is
        there; so is one that was ``followed``, which may have come and gone."""
        path = os.fsencode(os.path.abspath(folder))  # noqa: PTH100 - resolving links would change the user's own path
        for root in self._files.roots():
            if path != root and is_within(path, root) and is_online(root) and (followed or self._folders.below(path)):
                return nearest_folder(path, root)
        return folder_bytes(folder)

    def space_counts(self, keys: Sequence[str]) -> dict[str, SpaceCount]:
        """How much each model has encoded of what can be found; models that cannot be used now are left out."""
        ready = ready_keys(self._encoders)
        return {
            key: SpaceCount(self._spaces.count_held(space.id), space.dim)
            for key in keys
            if key in ready and (space := self._space(key))
        }

    def kept_counts(self, chosen: Sequence[str]) -> dict[str, SpaceCount]:
        """How much models that are not ``chosen``, or cannot be used now, have encoded, in all their spaces."""
        used = ready_keys(self._encoders).intersection(chosen)
        return self._counts([space for space in self._spaces.all() if space.encoder not in used])

    def earlier_counts(self, chosen: Sequence[str]) -> dict[str, SpaceCount]:
        """How much the ``chosen`` models have encoded with other weights than they have now."""
        used = ready_keys(self._encoders).intersection(chosen)
        return self._counts([space for key in chosen if key in used for space in self.earlier_spaces(key)])

    def earlier_spaces(self, key: str) -> tuple[Space, ...]:
        """The spaces of a model that its present weights do not go on with.

        Raises:
            WeightsMissing, WeightsCorrupt, AppError: its weights are not there.
        """
        try:
            fingerprint = self._encoders.fingerprint(key)
        except WeightsMissing as error:
            raise WeightsMissing(
                "This model has no weights here",
                f"So there is no telling which vectors of {key} are earlier ones. Have all of them deleted "
                f"(`semblance models forget {key}`), or install it again first.",
            ) from error
        return tuple(space for space in self._spaces.of_encoder(key) if space.fingerprint != fingerprint)

    def _counts(self, spaces: Sequence[Space]) -> dict[str, SpaceCount]:
        counts: dict[str, SpaceCount] = {}
        for space in spaces:
            if items := self._spaces.count(space.id):
                before = counts.get(space.encoder, SpaceCount(0, space.dim))
                counts[space.encoder] = SpaceCount(before.items + items, space.dim)
        return counts

    def _choose_models(self, requested: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
        """The models of this run, in the catalogue's order, and what is to be said of those left out.

        They join the library's own choice. A model that was asked for by name must be ready; one that is the
        library's choice, or nobody's, is left out while it is not.
        """
        statuses = self._encoders.statuses()
        problems = {status.key: status.problem for status in statuses if not status.ready}
        variants = {status.key for status in statuses if status.variant_of}  # less exact: never chosen unasked
        for key in requested:
            self._encoders.spec(key)  # an unknown key is refused here
            if key in problems:
                raise WeightsMissing(f"{key} cannot be used yet", problems[key])
        known = self._encoders.keys()
        before = self._preferences.models
        wanted = set(requested or before) or set(known) - variants
        ready = tuple(key for key in known if key in wanted and key not in problems)
        if not ready:
            raise AppError("No model can be used", "Choose at least one model that is ready, then index again.")
        chosen = tuple(key for key in known if key in {*ready, *before})
        if chosen != before:
            self._preferences.choose_models(chosen)
        damaged = [status.key for status in statuses if status.damaged and not status.variant_of]
        left_out = [] if requested else [key for key in before or damaged if key in problems]
        return ready, [f"{key} was left out: {problems[key]}" for key in left_out]

    def _sampling(self) -> Sampling:
        settings = self._preferences.settings
        return Sampling(settings.frame_interval_ms, settings.window_ms)

    def _encode(
        self, spaces: dict[str, Space], sampling: Sampling, requested: bool, notes: list[str], job: Job
    ) -> dict[str, int]:
        """Encode what the models have not seen. How many vectors each computed."""
        space_ids = [space.id for space in spaces.values()]
        if not self._spaces.complete(space_ids, sampling):
            for key, space in spaces.items():
                if other := _kinds_not_taken(self._encoders.spec(key)):
                    self._spaces.pass_over(space.id, other)
        work = self._spaces.work(space_ids, sampling)
        if work:
            self._pool.start()
        lacking = {space_id for one in work for space_id in one.missing}
        chosen = self._load({key: space for key, space in spaces.items() if space.id in lacking}, requested, notes, job)
        loaded = {one.space.id for one in chosen}
        work = [one.only(loaded) for one in work if loaded.intersection(one.missing)]
        return embed(self._pool, self._spaces, chosen, work, sampling, self._rates, job) if work else {}

    def _load(self, spaces: dict[str, Space], requested: bool, notes: list[str], job: Job) -> list[Chosen]:
        """The models of these spaces. One with a bad weights file stops the run only if it was asked for."""
        chosen = []
        for key in job.track(spaces, "Loading models", len(spaces)):
            try:
                encoder = self._encoders.load(key)
                if encoder.fingerprint != spaces[key].fingerprint:
                    raise WeightsCorrupt(f"The weights of {key} have just changed", "Index again to encode with them.")
                chosen.append(Chosen(encoder, spaces[key]))
            except (WeightsCorrupt, WeightsMissing) as error:
                if requested:
                    raise
                notes.append(f"{key} was left out: {error.message}")
        return chosen

    def _save_indexes(self, keys: Sequence[str], job: Job) -> None:
        for key in job.track(keys, "Saving the search index", len(keys)):
            if space := self._space(key):
                try:
                    self._shelves[space].save(job)
                except OSError as error:
                    raise AppError(
                        "The search index could not be saved",
                        f"{error.strerror or error}. All that was indexed is kept; make room on the disk, "
                        "and the search index is made again by itself.",
                        error.filename,
                    ) from error

    def _space(self, key: str) -> Space | None:
        return self._spaces.find(key, self._encoders.fingerprint(key))

    def _changed_models(self, keys: Sequence[str]) -> dict[str, str]:
        """What is to be said of models whose weights are not those that the library was encoded with."""
        counts = {
            key: self._spaces.count(earlier[-1].id)
            for key in keys
            if self._space(key) is None and (earlier := self._spaces.of_encoder(key))
        }
        return {
            key: f"The weights of {key} have changed: it is a new space, and its {items:,} items are encoded again. "
            "The old vectors are kept until they are freed, and are used again should the old weights come back. If "
            "nobody has replaced them, put back the file that was there."
            for key, items in counts.items()
        }

    def _make_space(self, key: str) -> Space:
        return self._spaces.ensure(key, self._encoders.fingerprint(key), self._encoders.spec(key).dim)


def _kinds_not_taken(spec: EncoderSpec) -> tuple[MediaKind, ...]:
    """The kinds of file of which this encoder takes nothing. A video has pictures and sound."""
    if Modality.IMAGE not in spec.accepts:
        return (MediaKind.PHOTO,)
    return (MediaKind.AUDIO,) if Modality.AUDIO not in spec.accepts else ()
