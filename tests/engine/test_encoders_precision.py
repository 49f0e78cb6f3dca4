"""Half precision: taken where it is measured to be faster and stays near; measured here by an injected clock."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import smallclip
import torch

from app.engine.encoders import device, precision
from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.device import Placement, describe
from app.engine.encoders.precision import Precision, half_type, in_full
from app.engine.samples import Picture

PIXELS = np.random.default_rng(1).integers(0, 256, (6, 32, 32, 3), np.uint8)


class Network:
    """A linear layer that takes ``full_s`` in single precision and ``half_s`` in half, by a clock of its own."""

    def __init__(self, full_s: float, half_s: float, scale: float = 1.0) -> None:
        torch.manual_seed(0)
        self.layer = torch.nn.Linear(32, 16).requires_grad_(False)
        self.layer.weight *= scale
        self.seconds = {False: full_s, True: half_s}
        self.clock_s = 0.0
        self.calls: list[bool] = []

    def __call__(self, batch: Sequence[float], place: str) -> torch.Tensor:
        half = torch.is_autocast_enabled("cpu")
        self.calls.append(half)
        self.clock_s += self.seconds[half]
        inputs = torch.linspace(-1, 1, 32) + torch.tensor(batch).unsqueeze(1)
        return self.layer(inputs)

    def now_s(self) -> float:
        return self.clock_s


def precision_of(network: Network, kept: list[bool], is_faster: bool | None = None) -> Precision:
    return Precision("cpu", torch.bfloat16, is_faster, kept.append, network.now_s)


BATCH = [0.1, 0.2, 0.3, 0.4, 0.5]


def test_where_it_is_faster_and_near_the_next_batches_are_computed_in_it() -> None:
    network, kept = Network(full_s=2.0, half_s=1.0), list[bool]()
    chosen = precision_of(network, kept)
    first = chosen.rows(network, BATCH, "cpu")
    expected = in_full(network, BATCH, "cpu")
    torch.testing.assert_close(first, expected, rtol=0, atol=0)
    assert kept == [True]
    network.calls.clear()
    second = chosen.rows(network, BATCH, "cpu")
    assert network.calls == [True]
    assert second.dtype == torch.float32
    assert not torch.equal(second, expected)
    assert torch.nn.functional.cosine_similarity(second, expected).min() > precision.FIDELITY
    chosen.rows(network, BATCH, "cpu")
    assert kept == [True], "it is measured once"


@pytest.mark.parametrize("half_s", [3.0, 2.0, 1.9])
def test_where_it_is_not_clearly_faster_nothing_changes(half_s: float) -> None:
    network, kept = Network(full_s=2.0, half_s=half_s), list[bool]()
    chosen = precision_of(network, kept)
    chosen.rows(network, BATCH, "cpu")
    assert kept == [False]
    network.calls.clear()
    chosen.rows(network, BATCH, "cpu")
    assert network.calls == [False]


def test_a_network_that_strays_in_it_stays_in_single_precision() -> None:
    class Straying(Network):
        def __call__(self, batch: Sequence[float], place: str) -> torch.Tensor:
            rows = super().__call__(batch, place)
            return rows * 1e4 - (rows * 1e4).round() + 0.1  # what half precision has no digits for

    network, kept = Straying(full_s=2.0, half_s=1.0), list[bool]()
    chosen = precision_of(network, kept)
    chosen.rows(network, BATCH, "cpu")
    assert kept == [True], "faster it is"
    network.calls.clear()
    chosen.rows(network, BATCH, "cpu")
    assert network.calls == [False]


def test_what_was_measured_before_is_not_measured_again_but_checked() -> None:
    network, kept = Network(full_s=2.0, half_s=1.0), list[bool]()
    precision_of(network, kept, is_faster=True).rows(network, BATCH, "cpu")
    assert network.calls == [False, True]
    network.calls.clear()
    slower = precision_of(network, kept, is_faster=False)
    slower.rows(network, BATCH, "cpu")
    slower.rows(network, BATCH, "cpu")
    assert network.calls == [False, False]
    assert kept == []


def test_a_query_and_a_small_batch_decide_nothing() -> None:
    network, kept = Network(full_s=2.0, half_s=1.0), list[bool]()
    chosen = precision_of(network, kept)
    for _ in range(3):
        chosen.rows(network, [0.5], "cpu")
        chosen.rows(network, [0.5, 0.6], "cpu")
    assert not any(network.calls)
    assert kept == []
    chosen.rows(network, BATCH, "cpu")
    network.calls.clear()
    chosen.rows(network, [0.5], "cpu")
    assert network.calls == [False], "a query is computed in single precision"


def test_numbers_beyond_half_precision_are_computed_again_in_single() -> None:
    network, kept = Network(full_s=2.0, half_s=1.0, scale=3e3), list[bool]()
    chosen = Precision("cpu", torch.float16, None, kept.append, network.now_s)
    chosen.rows(network, BATCH, "cpu")
    assert kept == [True]
    far = [1e3] * 5
    rows = chosen.rows(network, far, "cpu")
    torch.testing.assert_close(rows, in_full(network, far, "cpu"))
    network.calls.clear()
    chosen.rows(network, BATCH, "cpu")
    assert network.calls == [False]


def test_an_operation_that_the_device_does_not_have_means_no() -> None:
    class Lacking(Network):
        def __call__(self, batch: Sequence[float], place: str) -> torch.Tensor:
            if torch.is_autocast_enabled("cpu"):
                raise RuntimeError("\"something\" not implemented for 'Half'")
            return super().__call__(batch, place)

    network, kept = Lacking(full_s=2.0, half_s=1.0), list[bool]()
    chosen = precision_of(network, kept)
    torch.testing.assert_close(chosen.rows(network, BATCH, "cpu"), chosen.rows(network, BATCH, "cpu"))
    assert kept == [False]


def test_after_it_moved_to_another_device_a_network_computes_in_single_precision() -> None:
    network = Network(full_s=2.0, half_s=1.0)
    chosen = Precision("meta", torch.float16, True, lambda _: None, network.now_s)
    chosen.rows(network, BATCH, "cpu")
    assert network.calls == [False]


def test_only_devices_with_units_for_it_are_asked() -> None:
    assert half_type("cuda") == half_type("cuda:1") == half_type("mps") == torch.float16
    has_amx = bool(torch.cpu.get_capabilities().get("amx_bf16"))
    assert half_type("cpu") == (torch.bfloat16 if has_amx else None)


def test_what_was_found_is_kept_in_the_home_for_device_and_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "half_type", lambda place: torch.bfloat16)
    monkeypatch.setattr(precision, "WORTH", 1e-9)  # any time at all is worth it
    smallclip.write(tmp_path / "models")
    pictures = [Picture(pixels) for pixels in PIXELS]
    encoder = Catalogue(tmp_path / "models", "cpu").load(smallclip.KEY)
    single = encoder.encode(pictures[:4])
    half = encoder.encode(pictures[:4])
    assert not np.array_equal(single, half)
    assert (single * half).sum(1).min() >= precision.FIDELITY
    kept = json.loads((tmp_path / "speeds.json").read_text())["machines"][describe("cpu")]
    assert kept == {"half": {smallclip.KEY: True}}
    monkeypatch.setattr(precision.Precision, "_measured", lambda *_: pytest.fail("measured again"))
    again = Catalogue(tmp_path / "models", "cpu").load(smallclip.KEY)
    again.encode(pictures[:4])
    np.testing.assert_array_equal(again.encode(pictures[:4]), half)


def test_memory_that_runs_out_while_it_is_measured_halves_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "half_type", lambda place: torch.bfloat16)

    def forward(batch: Sequence[float], place: str) -> torch.Tensor:
        if torch.is_autocast_enabled("cpu") and len(batch) > 4:
            raise torch.OutOfMemoryError("out of memory")
        return torch.tensor(batch).unsqueeze(1) * 2

    placement = Placement(torch.nn.Identity(), "cpu", 8)
    placement.allow_half(None, lambda _: None)
    samples = [float(number) for number in range(1, 11)]
    np.testing.assert_array_equal(placement.run(forward, samples)[:, 0], [2 * sample for sample in samples])
    assert placement.batch_size == 4
