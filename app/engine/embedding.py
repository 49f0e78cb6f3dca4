"""The second half of indexing: contents that some models have not seen are decoded once, encoded by each, committed."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field, replace

from app.engine.encoders.base import Encoder
from app.engine.errors import MediaUnreadable
from app.engine.jobs import Job
from app.engine.media.decode import DecodedItem, DecodedPart, DecodeRequest
from app.engine.media.pool import DecoderPool
from app.engine.samples import PictureInput, SoundInput, prepared_sample
from app.engine.store.spaces import Batch, ContentFacts, NewItem, Spaces, Work
from app.engine.types import ItemKind, Space

GROUP_ITEMS = 64
"""Items encoded and committed together: enough to fill the models' batches, little to lose."""

LOOK_AHEAD_FILES = 8
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


def embed(
    pool: DecoderPool, spaces: Spaces, chosen: Sequence[Chosen], work: Sequence[Work], job: Job
) -> dict[str, int]:
    """Encode ``work`` with the models it lacks.

    A content that cannot be decoded is entered with the reason and the rest goes on. Each group is committed whole,
    so a cancelled or killed run goes on where it stopped.

    Returns:
        How many vectors each model computed.

    Raises:
        Cancelled: the job was cancelled; what was committed stays.
        DeviceExhausted: a model fits nowhere.
    """
    encoded = {one.encoder.spec.key: 0 for one in chosen}
    group = _Group()
    job.begin("Encoding", len(work))
    for one, part in _decoded(pool, chosen, work, job):
        if isinstance(part, MediaUnreadable):
            if os.path.lexists(one.path):  # else it was moved away meanwhile, and the next pass finds it
                group.batch.failures[one.content_id] = part.message
        else:
            _take(group, one, part)
        ended = isinstance(part, MediaUnreadable) or part.next is None
        if len(group.items) >= GROUP_ITEMS:
            _finish(group, spaces, chosen, encoded, job)
            group = _Group()
        if ended:
            name = os.fsdecode(os.path.basename(one.path))  # noqa: PTH119 - the path is bytes
            job.advance(failed=isinstance(part, MediaUnreadable), note=name)
    _finish(group, spaces, chosen, encoded, job)
    return encoded


def _decoded(
    pool: DecoderPool, chosen: Sequence[Chosen], work: Sequence[Work], job: Job
) -> Iterator[tuple[Work, DecodedPart | MediaUnreadable]]:
    """The decoded parts of each content in order, with a few files decoded ahead."""
    waiting: deque[tuple[Work, DecodeRequest, Future[DecodedPart]]] = deque()
    todo = iter(work)

    def look_ahead() -> None:
        while len(waiting) < LOOK_AHEAD_FILES and (one := next(todo, None)) is not None:
            request = _request(one, chosen)
            waiting.append((one, request, pool.decode(request)))

    try:
        look_ahead()
        while waiting:
            one, request, future = waiting.popleft()
            try:
                part = _result(future, job)
            except MediaUnreadable as error:
                yield one, error
            else:
                if part.next:
                    request = replace(request, cursor=part.next)
                    waiting.appendleft((one, request, pool.decode(request)))
                yield one, part
            look_ahead()
    finally:
        for _, _, future in waiting:
            future.cancel()


def _result(future: Future[DecodedPart], job: Job) -> DecodedPart:
    while True:
        job.check()
        try:
            return future.result(WAIT_POLL_S)
        except NotYet:
            if future.done():
                raise


def _request(work: Work, chosen: Sequence[Chosen]) -> DecodeRequest:
    specs = [one.encoder.spec for one in chosen if one.space.id in work.missing]
    return DecodeRequest(
        path=work.path,
        pictures=tuple(dict.fromkeys(spec.picture for spec in specs if spec.picture)),
        sounds=tuple(dict.fromkeys(spec.sound for spec in specs if spec.sound)),
    )


def _take(group: _Group, work: Work, part: DecodedPart) -> None:
    facts = part.facts
    group.batch.facts[work.content_id] = ContentFacts(
        part.kind, facts.width_px, facts.height_px, facts.duration_ms, facts.taken_ms, facts.caption
    )
    group.items += [(work, item) for item in part.items]
    if part.next is None:
        group.batch.finished += [(work.content_id, space_id) for space_id in work.missing]


def _finish(group: _Group, spaces: Spaces, chosen: Sequence[Chosen], encoded: dict[str, int], job: Job) -> None:
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
        size = one.encoder.spec.batch_size
        for begin in range(0, len(wanted), size):
            job.check()
            some = wanted[begin : begin + size]
            vectors = one.encoder.encode([sample for _, sample in some])
            for (index, _), vector in zip(some, vectors, strict=True):
                new[index].vectors[one.space.id] = vector
        encoded[one.encoder.spec.key] += len(wanted)
    group.batch.items = new
    spaces.commit(group.batch)
