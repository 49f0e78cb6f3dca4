"""On a card by NVIDIA: the vectors are the processor's, and when the card is full nothing is lost but time.

The networks are of the real architectures with seeded weights, the card and its memory are real: a test that needs a
full card fills it.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from fidelity import drawings, waves

from app.bench.models import CLAP, CLIP, CNN14, DINO_S, RESNET, SIGLIP, install_seeded
from app.engine.checks import networks
from app.engine.checktypes import Verdict
from app.engine.encoders.base import Encoder
from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.device import describe
from app.engine.encoders.precision import FIDELITY
from app.engine.encoders.speeds import Speeds
from app.engine.librarytypes import IndexRequest
from app.engine.media.images import prepare
from app.engine.samples import Picture, Sample, Sound, Text
from app.engine.session import Session
from app.engine.types import Modality, Query, SearchRequest
from app.paths import models_dir, speeds_path

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no card that CUDA computes on")

KEYS = (CLIP, SIGLIP, RESNET, DINO_S, CNN14, CLAP)
ALIKE = 2e-5
"""The greatest distance of unit vectors in single precision on both. TensorFloat-32 would be some 1e-3 away."""
MIB = 1 << 20
Rows = npt.NDArray[np.float32]
Fill = Callable[[int], None]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    install_seeded(home, KEYS)
    return home


@pytest.fixture(scope="module")
def on_processor(home: Path) -> Catalogue:
    return Catalogue(models_dir(home), "cpu")


@pytest.fixture
def on_card(home: Path) -> Iterator[Catalogue]:
    speeds_path(home).unlink(missing_ok=True)
    catalogue = Catalogue(models_dir(home), "cuda")
    yield catalogue
    for key in KEYS:
        catalogue.unload(key)


@pytest.fixture
def fill() -> Iterator[Fill]:
    """Takes the card's memory but for so many bytes, as another program would."""
    held: list[torch.Tensor] = []

    def leave(left_bytes: int) -> None:
        gc.collect()
        torch.cuda.empty_cache()
        piece = 1 << 30
        while piece >= MIB:
            free = torch.cuda.mem_get_info()[0] - left_bytes
            if free < piece:
                piece //= 2
                continue
            try:
                held.append(torch.empty(piece, dtype=torch.uint8, device="cuda"))
            except torch.OutOfMemoryError:
                piece //= 2

    yield leave
    held.clear()
    torch.cuda.empty_cache()


def samples_for(encoder: Encoder, kind: Modality, count: int) -> Sequence[Sample]:
    if kind is Modality.TEXT:
        return [Text(f"a photo of {number} dogs in the snow") for number in range(count)]
    if kind is Modality.AUDIO:
        assert encoder.spec.sound is not None
        three = waves(encoder.spec.sound.sample_rate_hz, 3.0)
        return [Sound(np.roll(three[number % 3], number) * (1 - number / (2 * count))) for number in range(count)]
    assert encoder.spec.picture is not None
    three = [np.asarray(prepare(drawing, encoder.spec.picture)) for drawing in drawings()]
    return [Picture(np.roll(three[number % 3], 5 * number, axis=0)) for number in range(count)]


def kinds(encoder: Encoder) -> list[Modality]:
    return sorted(encoder.spec.accepts)


def distances(some: Rows, others: Rows) -> Rows:
    return np.linalg.norm(some - others, axis=1)


@pytest.mark.parametrize("key", KEYS)
def test_a_query_has_the_vector_that_the_processor_gives_it(
    key: str, on_card: Catalogue, on_processor: Catalogue
) -> None:
    card, processor = on_card.load(key), on_processor.load(key)
    assert (card.device, processor.device) == ("cuda", "cpu")
    assert card.fingerprint == processor.fingerprint
    for kind in kinds(card):
        for sample in samples_for(card, kind, 3):
            assert distances(card.encode([sample]), processor.encode([sample])).max() < ALIKE


@pytest.mark.parametrize("key", KEYS)
def test_batches_are_as_near_as_half_precision_may_be_and_what_was_measured_is_kept(
    key: str, on_card: Catalogue, on_processor: Catalogue, home: Path
) -> None:
    card, processor = on_card.load(key), on_processor.load(key)
    for kind in kinds(card):
        samples = samples_for(card, kind, 16)
        expected = processor.encode(samples)
        for _ in range(3):
            rows = card.encode(samples)
            assert (rows * expected).sum(1).min() >= FIDELITY
    assert Speeds(speeds_path(home)).of(describe("cuda"), "half").keys() == {key}
    assert card.device == "cuda"


def test_where_a_batch_does_not_fit_smaller_ones_give_the_same(
    on_card: Catalogue, on_processor: Catalogue, fill: Fill
) -> None:
    card = on_card.load(RESNET)
    samples = samples_for(card, Modality.IMAGE, 96)
    card.encode(samples[:1])  # cuDNN takes its own part of the memory
    first = card.batch_size
    fill(120 * MIB)
    rows = card.encode(samples)
    assert card.device == "cuda"
    assert 1 <= card.batch_size < first
    assert (rows * on_processor.load(RESNET).encode(samples)).sum(1).min() >= FIDELITY


def test_where_not_one_sample_fits_the_processor_goes_on_and_the_card_is_left(
    on_card: Catalogue, on_processor: Catalogue, fill: Fill
) -> None:
    before_bytes = torch.cuda.memory_allocated()
    card = on_card.load(CLIP)
    samples = samples_for(card, Modality.IMAGE, 5)
    fill(0)
    held_bytes = torch.cuda.memory_allocated() - before_bytes
    rows = card.encode(samples)
    assert card.device == "cpu"
    assert distances(rows, on_processor.load(CLIP).encode(samples)).max() < ALIKE
    assert torch.cuda.memory_allocated() < before_bytes + held_bytes - 500 * MIB


def test_a_model_that_does_not_fit_on_the_card_is_loaded_on_the_processor(
    on_card: Catalogue, on_processor: Catalogue, fill: Fill
) -> None:
    fill(100 * MIB)
    card = on_card.load(SIGLIP)
    assert card.device == "cpu"
    text = samples_for(card, Modality.TEXT, 1)
    assert distances(card.encode(text), on_processor.load(SIGLIP).encode(text)).max() < ALIKE


def test_on_a_full_card_the_model_that_was_used_before_makes_room(on_card: Catalogue, fill: Fill) -> None:
    on_card.load(CLIP)
    fill(300 * MIB)
    assert on_card.load(RESNET).device == "cuda"
    free_bytes = torch.cuda.mem_get_info()[0]
    assert free_bytes > 500 * MIB


def test_what_is_unloaded_leaves_the_card(on_card: Catalogue) -> None:
    gc.collect()
    before_bytes = torch.cuda.memory_allocated()
    on_card.load(SIGLIP).encode([Text("snow")])
    assert torch.cuda.memory_allocated() > before_bytes + 500 * MIB
    on_card.unload(SIGLIP)
    assert torch.cuda.memory_allocated() <= before_bytes + 20 * MIB  # cuBLAS keeps its workspace


def test_searches_run_between_the_batches_of_an_index(on_card: Catalogue, on_processor: Catalogue) -> None:
    card = on_card.load(CLIP)
    text, pictures = samples_for(card, Modality.TEXT, 1), samples_for(card, Modality.IMAGE, 600)
    expected = on_processor.load(CLIP).encode(text)
    with ThreadPoolExecutor(1) as thread:
        indexing = thread.submit(card.encode, pictures)
        while not indexing.done():
            assert distances(card.encode(text), expected).max() < ALIKE
        assert len(indexing.result()) == len(pictures)


def test_a_library_indexed_on_the_card_is_searched_on_the_processor(
    home: Path, photo: Callable[..., Path], tmp_path: Path
) -> None:
    paths = [photo(f"{seed}.png", seed) for seed in range(12)]
    with Session.open(home, "cards", device="cuda") as session:
        session.index(IndexRequest((str(tmp_path / "media"),), (CLIP, RESNET)))
        asked = [SearchRequest(Query.of_image(str(paths[5])), key, 12) for key in (CLIP, RESNET)]
        there = [[hit.path for hit in session.search(one).hits] for one in asked]
    with Session.open(home, "cards", device="cpu") as session:
        here = [[hit.path for hit in session.search(one).hits] for one in asked]
    assert there == here
    assert all(set(hits) == {str(path) for path in paths} - {str(paths[5])} for hits in here)


def test_the_check_up_knows_the_card() -> None:
    for finding in networks.graphics("cuda"):
        assert finding.verdict is Verdict.FINE, finding
        assert "in half precision too" in finding.sentence
    assert torch.cuda.get_device_name() in networks.graphics("auto")[0].sentence
