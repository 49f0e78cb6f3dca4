"""Zero-shot labels: which words of a list each picture most likely shows, from the vectors that are there already."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.engine.encoders.base import EncoderSource, EncoderSpec, Scoring, ready_keys, scoring_of
from app.engine.errors import AppError
from app.engine.evaluation import trec
from app.engine.evaluation.calibration import Calibration, fit
from app.engine.evaluation.zeroshot import FLOORS, NOTHING, PROMPTS, clean, likeliest
from app.engine.jobs import NULL_JOB, Job
from app.engine.judgingtypes import QuerySet, QuerySummary, Scale
from app.engine.labeltypes import FileLabels, ItemLabel, LabelCount, LabelStatus
from app.engine.samples import Text, Vectors
from app.engine.store.judgments import Judgments
from app.engine.store.labels import Judged, LabelStore
from app.engine.store.lookup import Lookup
from app.engine.store.preferences import Preferences
from app.engine.store.queries import Queries
from app.engine.store.spaces import Ids, Spaces
from app.engine.targets import Target, Targets
from app.engine.types import ItemKind, Modality, Query

SET_NAME = "Labels"
GUIDELINES = "Whatever a person would give this label to."

RULE = 1
"""Raised when labels are given by another rule: they are given anew then."""

BLOCK_ITEMS = 4096
BLOCK_CELLS = 1 << 22
"""Items by labels that are computed at a time: 16 MB."""


@dataclass(frozen=True, eq=False)
class _Words:
    """The list in one model's space: ``vectors`` (labels, dim), in the order of ``ids``, and, for a softmax, one row
    more that names nothing."""

    made_by: str
    ids: npt.NDArray[np.int64]
    vectors: Vectors
    scoring: Scoring


@dataclass(frozen=True, eq=False)
class _Sureness:
    """What judgments say of the confidences, as of a ``version`` of the library."""

    version: int
    calibration: Calibration
    judged: tuple[Judged, ...]


class Labels:
    """The labels of one library. Its methods may be called from any thread."""

    def __init__(
        self,
        store: LabelStore,
        lookup: Lookup,
        spaces: Spaces,
        queries: Queries,
        judgments: Judgments,
        targets: Targets,
        encoders: EncoderSource,
        preferences: Preferences,
    ) -> None:
        self._store = store
        self._lookup = lookup
        self._spaces = spaces
        self._queries = queries
        self._judgments = judgments
        self._targets = targets
        self._encoders = encoders
        self._preferences = preferences
        self._words: _Words | None = None
        self._sureness: _Sureness | None = None
        self._assigning = threading.Lock()

    # --- the list ---

    def status(self) -> LabelStatus:
        """The list with what is known of each label, in the order of the alphabet."""
        names = self._store.names()
        target = self._target() if names else None  # asking for it may read a weights file whole, the first time
        counts, of_set = self._store.counts(), self._set()
        sureness = self._sure()
        looked_at = Counter(one.label_id for one in sureness.judged)
        right = Counter(one.label_id for one in sureness.judged if one.relevant)
        pending = 0
        if names and target:
            is_another = self._store.made_by != _made_by(target, list(names.values()))
            pending = self._store.count_pending(target.space.id, target.kinds, is_another)
        return LabelStatus(
            labels=tuple(
                LabelCount(name, counts.get(label_id, 0), looked_at[label_id], right[label_id])
                for label_id, name in names.items()
            ),
            model=target.key if target else self._store.model,
            pending=pending,
            calibrated=sureness.calibration.judged > 0,
            judged=sureness.calibration.judged,
            set_id=of_set.id if of_set else None,
        )

    def choose(self, names: Sequence[str], model: str = "") -> LabelStatus:
        """Keep a list of labels and the model that gives them, "" for the library's first that can. `assign` gives
        them. Spaces around a name, empty names and all but the first of equal ones are dropped.

        Raises:
            AppError: a name is too long, there are too many, or this model knows no words. The list stays as it was.
        """
        cleaned = clean(names)
        if model and not _can_label(self._encoders.spec(model)):
            raise AppError("This model gives no labels", f"{model} does not know words. Choose one that does.")
        self._store.choose(cleaned, model)
        return self.status()

    # --- giving labels ---

    def assign(self, job: Job = NULL_JOB) -> LabelStatus:
        """Give labels to the pictures that have none of the present list, from their vectors: no file is read.

        Raises:
            AppError: there is no list, or no model here can give labels.
            Cancelled: the job was cancelled; what was given stays, and the next call goes on from it.
        """
        names = self._store.names()
        if not names:
            raise AppError("There are no labels yet", "Write down some words, one a line, then give the labels.")
        target = self._target()
        if target is None:
            raise self._no_model()
        with self._assigning:
            words = self._words_of(target, names, job)
            self._store.begin(words.made_by)
            pending = self._store.pending(target.space.id, target.kinds)
            job.begin("Giving labels", len(pending))
            for ids, vectors in self._spaces.of_items(target.space, pending, BLOCK_ITEMS):
                if not self._store.enter(words.made_by, ids, _likeliest(ids, vectors, words)):
                    break  # another list was chosen, which asks for labels of its own
                job.advance(len(ids))
        return self.status()

    def catch_up(self, job: Job = NULL_JOB) -> str:
        """`assign` after a run of indexing, where there is anything to do; a sentence if that is not possible now."""
        names = self._store.names()
        target = self._target() if names else None
        if target is None:
            return ""
        try:
            if self._store.made_by != _made_by(target, list(names.values())) or len(
                self._store.pending(target.space.id, target.kinds)
            ):
                self.assign(job)
        except AppError as error:
            return f"New pictures have no labels yet: {error.message}"
        return ""

    def of_item(self, item_id: int) -> tuple[ItemLabel, ...]:
        """The labels of an item, the likeliest first; none for one that was not looked at yet. Their confidences follow
        what was judged in the set of labels, and are the model's own where nothing was."""
        given = self._store.of_item(item_id)
        if not given:
            return ()
        sure = self._sure().calibration.apply([score for _, score in given])
        return tuple(ItemLabel(name, float(confidence)) for (name, _), confidence in zip(given, sure, strict=True))

    def of_file(self, path: str) -> tuple[FileLabels, ...]:
        """The labels of a file: of a photo, or of every frame of a film that has any.

        Raises:
            AppError: the library has no such file.
        """
        known = self._lookup.content_at(os.fsencode(os.path.abspath(path)))  # noqa: PTH100 - as the library writes it
        if known is None:
            raise AppError("This file is not in the library", "Index it first, or give the path of one that is.", path)
        found = []
        for kind, start_ms in self._lookup.moments(known[0], tuple(ItemKind)):
            item_id = self._lookup.find_item(known[0], kind, start_ms)
            if item_id is not None and (labels := self.of_item(item_id)):
                found.append(FileLabels(None if kind is ItemKind.PHOTO else start_ms, labels))
        return tuple(found)

    # --- judging ---

    def to_test_set(self) -> QuerySet:
        """The set of test queries in which labels are judged, with one query a label: the words its model is given.

        It is made at first use, may be called anything, and is brought in line with the list: queries of labels that
        are gone stay if anything was judged of them.

        Raises:
            AppError: there is no list.
        """
        names = self._store.names()
        if not names:
            raise AppError("There are no labels yet", "Write down some words, one a line, then judge the labels.")
        of_set = self._set()
        set_id = of_set.id if of_set else self._new_set()
        wanted = {trec.query_id(query): (name, query) for name, query in self._asked(names.values(), self._target())}
        self._queries.save_all(set_id, [(key, name, query, "", {}) for key, (name, query) in wanted.items()])
        for summary in self._queries.queries(set_id):
            if summary.key not in wanted and _is_of_a_label(summary) and not _is_judged(summary):
                self._queries.remove(summary.id)
        return self._queries.set_of(set_id)

    def _set(self) -> QuerySet | None:
        """The set that was made for labels; what a person called so is their own."""
        kept = self._store.set_id
        return next((one for one in self._queries.sets() if one.id == kept), None)

    def _new_set(self) -> int:
        taken = {one.name.casefold() for one in self._queries.sets()}
        names = (SET_NAME if number == 1 else f"{SET_NAME} {number}" for number in itertools.count(1))
        free = next(name for name in names if name.casefold() not in taken)
        set_id = self._queries.create_set(free, Scale.BINARY, GUIDELINES)
        self._store.choose_set(set_id)
        return set_id

    def _sure(self) -> _Sureness:
        """What the judgments say now."""
        known, version = self._sureness, self._store.version
        if known is None or known.version != version:
            names = self._store.names()
            judged = tuple(self._judged(names)) if names else ()
            calibration = fit([one.score for one in judged], [one.relevant for one in judged])
            known = self._sureness = _Sureness(version, calibration, judged)
        return known

    def _judged(self, names: dict[int, str]) -> list[Judged]:
        """What was judged of the labels that pictures were given."""
        of_set = self._set()
        if of_set is None or not of_set.judgments:
            return []
        ids = {trec.query_id(query): name for name, query in self._asked(names.values(), self._target())}
        by_name = {ids[one.key]: one.id for one in self._queries.queries(of_set.id) if one.key in ids}
        grades = self._judgments.of_queries(by_name.values())
        return self._store.judged(
            {label_id: grades[by_name[name]] for label_id, name in names.items() if by_name.get(name) in grades}
        )

    @staticmethod
    def _asked(names: Iterable[str], target: Target | None) -> Iterator[tuple[str, Query]]:
        prompt = PROMPTS[_heard_or_seen(target.spec) if target else Modality.IMAGE]
        for name in names:
            yield name, Query.of_text(prompt.format(name))

    # --- the model ---

    def _target(self) -> Target | None:
        """The model that gives labels here: the chosen one, else the library's first that knows words and pictures."""
        chosen, ready = self._store.model, ready_keys(self._encoders)
        for key in (chosen,) if chosen else self._preferences.models:
            if key in ready and _can_label(spec := self._encoders.spec(key)):
                if not chosen and Modality.IMAGE not in spec.accepts:
                    continue
                if target := self._targets.of(key):
                    return target
        return None

    def _no_model(self) -> AppError:
        if chosen := self._store.model:
            return AppError(
                "This model cannot give labels now",
                f"Nothing is indexed with {chosen}, or its weights are not here. Index with it, or choose another.",
            )
        return AppError(
            "No model here can give labels",
            "This library is not indexed with a model that knows words and pictures. Choose one under Models, then "
            "index again.",
        )

    def _words_of(self, target: Target, names: dict[int, str], job: Job) -> _Words:
        """The list as vectors. They are kept until the list or the model is another."""
        made_by = _made_by(target, list(names.values()))
        if self._words and self._words.made_by == made_by and self._words.ids.tolist() == list(names):
            return self._words
        encoder = self._encoders.load(target.key)
        scoring = scoring_of(encoder)
        if scoring is None or encoder.fingerprint != target.space.fingerprint:
            raise AppError(
                "This model gives no labels",
                f"{target.key} does not say how likely its similarities are. Choose another model."
                if scoring is None
                else f"The weights of {target.key} have just changed: index again, then give the labels.",
            )
        kind = _heard_or_seen(target.spec)
        texts = [Text(PROMPTS[kind].format(name)) for name in names.values()]
        if scoring.kind == "softmax":
            texts.append(Text(NOTHING[kind]))
        job.begin("Reading the labels", len(texts))
        rows: list[Vectors] = []
        for begin in range(0, len(texts), encoder.batch_size):
            rows.append(encoder.encode(texts[begin : begin + encoder.batch_size]))
            job.advance(len(rows[-1]))
        self._words = _Words(made_by, np.array(list(names), np.int64), np.concatenate(rows), scoring)
        return self._words


def _likeliest(ids: Ids, vectors: Vectors, words: _Words) -> Iterator[tuple[int, int, float]]:
    """(item, label, probability) of the labels to keep of items with these ``vectors`` (items, dim)."""
    rows = max(1, BLOCK_CELLS // len(words.vectors))
    for begin in range(0, len(ids), rows):
        chances = words.scoring.probabilities(vectors[begin : begin + rows] @ words.vectors.T)
        items, labels, found = likeliest(chances, len(words.ids), FLOORS[words.scoring.kind])
        yield from zip(ids[begin + items].tolist(), words.ids[labels].tolist(), found.tolist(), strict=True)


def _made_by(target: Target, names: Sequence[str]) -> str:
    """What decides about the labels of a picture, as one line."""
    facts = json.dumps([RULE, target.space.fingerprint, sorted(names)])
    return hashlib.sha256(facts.encode()).hexdigest()


def _can_label(spec: EncoderSpec) -> bool:
    return Modality.TEXT in spec.accepts and len(spec.accepts) > 1


def _heard_or_seen(spec: EncoderSpec) -> Modality:
    return Modality.IMAGE if Modality.IMAGE in spec.accepts else Modality.AUDIO


def _is_of_a_label(summary: QuerySummary) -> bool:
    words = summary.query.words
    return any(words == prompt.format(summary.title) for prompt in PROMPTS.values())


def _is_judged(summary: QuerySummary) -> bool:
    return bool(summary.judged or summary.unsure or summary.later)
