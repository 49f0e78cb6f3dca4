"""The second half of indexing: contents that some models have not seen are decoded once, encoded by each, committed."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from typing import Self

from app.engine.encoders.base import Encoder
from app.engine.encoders.rates import Rates
from app.engine.errors import MediaUnreadable
from app.engine.jobs import Job
from app.engine.media.decode import DecodedItem, DecodedPart, DecodeRequest
from app.engine.media.pool import DecoderPool
from app.engine.media.scan import guess_kind
from app.engine.samples import PictureInput, SoundInput, prepared_sample
from app.engine.store.batches import Batch, ContentFacts, NewItem, Sampling, Unreadable, Work
from app.engine.store.spaces import Spaces
from app.engine.types import ItemKind, MediaKind, Modality, Space

GROUP_ITEMS = 64
"""Items encoded and committed together: enough to fill the models' batches, little to lose. An accelerator may ask for
larger batches; a group is one of them then."""

LOOK_AHEAD_GROUPS = 2
"""Decoded ahead, so that the encoders never wait for one slow file: some 50 MB."""

ITEMS_PER_PART = 32
BYTES_PER_ITEM = {MediaKind.VIDEO: 1_000_000, MediaKind.AUDIO: 160_000}
"""What a part of a film or a sound is taken to give before it is decoded: its items at an ordinary bit rate, up to
those of a long part."""

WAIT_POLL_S = 0.2


@dataclass(frozen=True)
class Chosen:
    """A model that is to encode, and the space its vectors go to."""

    encoder: Encoder
    space: Space

    def input_for(self, kind: ItemKind) -> PictureInput | SoundInput | None:
        return self.encoder.spec.sound if kind is ItemKind.AUDIO else self.encoder.spec.picture


@dataclass(eq=False)
class _Group:
    """Decoded items that wait to be encoded and committed together."""

    items: list[tuple[Work, DecodedItem]] = field(default_factory=list)
    batch: Batch = field(default_factory=Batch)


@dataclass(eq=False)
class _Done:
    """What was encoded: vectors by model; and (items, seconds) of every batch by model and kind."""

    counts: dict[str, int]
    turns: defaultdict[tuple[str, Modality], list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))


def embed(
    pool: DecoderPool,
    spaces: Spaces,
    chosen: Sequence[Chosen],
    work: Sequence[Work],
    sampling: Sampling,
    rates: Rates,
    job: Job,
) -> dict[str, int]:
    """Encode ``work`` with the models it lacks.

    Children decode ahead while the models encode; what is decoded first is taken first. A content that cannot be
    decoded is entered with the reason and the rest goes on. Each group is committed whole, so a cancelled or killed run
    goes on where it stopped. ``rates`` is told how fast each model was.

    Returns:
        How many vectors each model computed.

    Raises:
        Cancelled: the job was cancelled; what was committed stays.
        DeviceExhausted: a model fits nowhere.
    """
    encoded = _Done({one.encoder.spec.key: 0 for one in chosen})
    group = _Group()
    job.begin("Encoding", len(work))
    with _LookAhead(pool, chosen, work, sampling) as decoded:
        for one, part in decoded.parts(job):
            if isinstance(part, MediaUnreadable):
                _enter_failure(group, one, part)
            else:
                _take(group, one, part, sampling)
            if len(group.items) >= _group_size(chosen):
                _finish(group, spaces, chosen, encoded, job)
                group = _Group()
            if isinstance(part, MediaUnreadable) or part.next is None:
                name = os.fsdecode(os.path.basename(one.path))  # noqa: PTH119 - the path is bytes
                job.advance(failed=isinstance(part, MediaUnreadable), note=name)
    _finish(group, spaces, chosen, encoded, job)
    for (key, kind), turns in encoded.turns.items():
        rates.keep(key, kind, turns)
    return encoded.counts


def _group_size(chosen: Sequence[Chosen]) -> int:
    return max([GROUP_ITEMS, *(one.encoder.batch_size for one in chosen)])


class _LookAhead:
    """Decodes contents a bounded number of items ahead of whoever takes them."""

    def __init__(self, pool: DecoderPool, chosen: Sequence[Chosen], work: Sequence[Work], sampling: Sampling) -> None:
        self._pool = pool
        self._chosen = chosen
        self._sampling = sampling
        self._todo = iter(work)
        self._ready: SimpleQueue[tuple[Work, DecodeRequest, Future[DecodedPart]]] = SimpleQueue()
        self._under_way: dict[Future[DecodedPart], int] = {}
        """With the items that each is taken to give."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for future in tuple(self._under_way):
            future.cancel()

    def parts(self, job: Job) -> Iterator[tuple[Work, DecodedPart | MediaUnreadable]]:
        """The decoded parts as they come; those of one content in order."""
        self._fill()
        while self._under_way:
            one, request, future = self._next(job)
            del self._under_way[future]
            try:
                part = future.result()
            except MediaUnreadable as error:
                yield one, error
            else:
                if part.next:
                    self._submit(one, replace(request, cursor=part.next))
                yield one, part
            self._fill()

    def _fill(self) -> None:
        bound = max(LOOK_AHEAD_GROUPS * _group_size(self._chosen), ITEMS_PER_PART * self._pool.workers)
        while sum(self._under_way.values()) < bound and (one := next(self._todo, None)) is not None:
            self._submit(one, _request(one, self._chosen, self._sampling))

    def _submit(self, one: Work, request: DecodeRequest) -> None:
        future = self._pool.decode(request)
        self._under_way[future] = _expected_items(one.path)
        future.add_done_callback(lambda done: self._ready.put((one, request, done)))

    def _next(self, job: Job) -> tuple[Work, DecodeRequest, Future[DecodedPart]]:
        while True:
            job.check()
            with suppress(Empty):
                return self._ready.get(timeout=WAIT_POLL_S)


def _expected_items(path: bytes) -> int:
    per_item_bytes = BYTES_PER_ITEM.get(guess_kind(path) or MediaKind.PHOTO)
    if per_item_bytes is None:
        return 1
    try:
        return min(ITEMS_PER_PART, 1 + os.stat(path).st_size // per_item_bytes)  # noqa: PTH116 - the path is bytes
    except OSError:  # it has just gone, as decoding it will say
        return 1


def _request(work: Work, chosen: Sequence[Chosen], sampling: Sampling) -> DecodeRequest:
    specs = [one.encoder.spec for one in chosen if one.space.id in work.missing]
    return DecodeRequest(
        path=work.path,
        pictures=tuple(dict.fromkeys(spec.picture for spec in specs if spec.picture)),
        sounds=tuple(dict.fromkeys(spec.sound for spec in specs if spec.sound)),
        frame_interval_ms=sampling.frame_interval_ms,
        window_ms=sampling.window_ms,
    )


def _enter_failure(group: _Group, work: Work, error: MediaUnreadable) -> None:
    if os.path.lexists(work.path):  # else it was moved away meanwhile, and the next pass finds it
        group.batch.failures[work.content_id] = Unreadable(error.message, error.passing)


def _take(group: _Group, work: Work, part: DecodedPart, sampling: Sampling) -> None:
    facts = part.facts
    if work.stale and part.first:
        group.batch.renewed.append(work.content_id)
    group.batch.facts[work.content_id] = ContentFacts(
        part.kind, facts.width_px, facts.height_px, facts.duration_ms, facts.taken_ms, facts.caption
    )
    group.items += [(work, item) for item in part.items]
    if part.next is None:
        group.batch.finished += [(work.content_id, space_id) for space_id in work.missing]
        group.batch.sampled[work.content_id] = str(sampling)


def _finish(group: _Group, spaces: Spaces, chosen: Sequence[Chosen], encoded: _Done, job: Job) -> None:
    """Encode a group with every model that lacks it, and commit it."""
    new = [
        NewItem(work.content_id, item.kind, item.start_ms or 0, item.end_ms, item.thumbnail, {})
        for work, item in group.items
    ]
    for one in chosen:
        wanted = [
            (index, prepared_sample(item.inputs[spec]))
            for index, (work, item) in enumerate(group.items)
            if one.space.id in work.missing and (spec := one.input_for(item.kind)) in item.inputs and spec
        ]
        done = 0
        while done < len(wanted):
            job.check()
            some = wanted[done : done + one.encoder.batch_size]
            began_s = time.perf_counter()
            vectors = one.encoder.encode([sample for _, sample in some])
            kind = group.items[some[0][0]][1].kind.modality
            encoded.turns[one.encoder.spec.key, kind].append((len(some), time.perf_counter() - began_s))
            for (index, _), vector in zip(some, vectors, strict=True):
                new[index].vectors[one.space.id] = vector
            done += len(some)
        encoded.counts[one.encoder.spec.key] += len(wanted)
    group.batch.items = new
    spaces.commit(group.batch)
