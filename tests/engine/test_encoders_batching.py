"""The batch size is found by measuring the real work."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from app.engine.encoders.base import EncoderSpec
from app.engine.encoders.batching import BatchSize
from app.engine.encoders.device import Placement
from app.engine.encoders.network import NetworkEncoder
from app.engine.errors import WeightsCorrupt
from app.engine.samples import Picture, PictureInput
from app.engine.types import Modality


def settled(size: BatchSize, seconds_for: Callable[[int], float], batches: int = 40) -> int:
    for _ in range(batches):
        size.took(size.current, seconds_for(size.current))
    return size.current


def test_it_grows_while_a_larger_batch_is_faster_an_item() -> None:
    assert settled(BatchSize(4, 64), lambda count: 1.0 + 0.001 * count) == 64


def test_it_stays_small_where_a_larger_batch_gains_nothing() -> None:
    assert settled(BatchSize(4, 64), lambda count: 0.1 * count) == 4


def test_it_goes_back_to_the_size_before_the_one_that_was_slower() -> None:
    assert settled(BatchSize(2, 64), lambda count: {2: 2.0, 4: 2.0, 8: 2.0}.get(count, count * 1.0)) == 8


def test_the_first_batch_of_a_size_is_not_timed() -> None:
    size = BatchSize(4, 8)
    for seconds in (100.0, 0.4, 0.4):  # compiling
        size.took(4, seconds)
    assert size.current == 8
    for seconds in (100.0, 0.8, 0.8):
        size.took(8, seconds)
    assert size.current == 4, "8 are no faster an item"


def test_a_part_of_a_batch_tells_nothing() -> None:
    size = BatchSize(4, 64)
    for _ in range(20):
        size.took(1, 0.0001)
    assert size.current == 4


def test_what_memory_did_not_hold_is_never_tried_again() -> None:
    size = BatchSize(16, 64)
    size.halve(16)
    assert settled(size, lambda _count: 1.0) == 8
    size.halve(1)
    assert size.current == 1


def test_a_network_whose_output_is_no_number_is_refused() -> None:
    spec = EncoderSpec("nonsense", frozenset({Modality.IMAGE}), 3, PictureInput(8, 8))
    placement = Placement(torch.nn.Identity(), "cpu", 4)
    forwards = {Modality.IMAGE: lambda some, _place: torch.full((len(some), 3), torch.nan)}
    encoder = NetworkEncoder(spec, "", placement, forwards)
    with pytest.raises(WeightsCorrupt, match="nonsense gave a vector that is no number"):
        encoder.encode([Picture(np.zeros((8, 8, 3), np.uint8))])
