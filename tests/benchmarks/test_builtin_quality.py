"""How good the two built-in models are on real data. The figures are in ``quality.md``; these are the thresholds.

Deterministic, so that a change of a descriptor that costs quality fails the ordinary tests.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from app.engine.encoders.base import Encoder
from app.engine.encoders.catalogue import Catalogue
from app.engine.errors import MediaUnreadable
from app.engine.media.decode import sample_at
from app.engine.samples import Picture, Sound, Vectors

pytestmark = pytest.mark.shared_data

UNREADABLE = {"ukbench09268_corrupt.jpg"}
ORIGINALS = ("ukbench00120", "ukbench09268", "ukbench09380")
FURTHER_COPIES = {"alpha_channel_image.png": "ukbench00120"}
"""Pictures of near_duplicates that show an original and do not bear its name."""


def files_of(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())


def sample(encoder: Encoder, path: Path) -> Picture | Sound:
    if encoder.spec.picture:
        return Picture(sample_at(os.fsencode(path), encoder.spec.picture).astype(np.uint8, copy=False))
    assert encoder.spec.sound
    return Sound(sample_at(os.fsencode(path), encoder.spec.sound).astype(np.float32, copy=False))


def encode(encoder: Encoder, paths: list[Path]) -> tuple[list[Path], Vectors]:
    readable, samples = [], []
    for path in paths:
        try:
            samples.append(sample(encoder, path))
            readable.append(path)
        except MediaUnreadable:
            assert path.name in UNREADABLE
    return readable, encoder.encode(samples)


def rankings(vectors: Vectors) -> npt.NDArray[np.intp]:
    """(n, n - 1): for each item the others, the most similar first."""
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -2)
    return np.argsort(-similarity, axis=1, kind="stable")[:, :-1]


def precision_at_5(vectors: Vectors, labels: list[str]) -> float:
    """Leave one out: how many of each item's five nearest are of its class."""
    names = np.array(labels)
    return float((names[rankings(vectors)[:, :5]] == names[:, None]).mean())


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return Catalogue(tmp_path_factory.mktemp("models"), device="cpu")


@pytest.fixture(scope="module")
def pictures(shared_data: Path, catalogue: Catalogue) -> tuple[list[Path], Vectors]:
    """The near duplicates amid 640 other photos."""
    images = shared_data / "images"
    folders = (images / "near_duplicates", images / "photos_clip", images / "clothing")
    return encode(catalogue.load("colour-texture"), files_of(*folders))


def original_of(path: Path) -> str | None:
    if "near_duplicates" not in path.parts:
        return None
    named = (name for name in ORIGINALS if path.name.startswith(name))
    return FURTHER_COPIES.get(path.name) or next(named, None)


def test_colour_texture_finds_the_variants_of_an_original(pictures: tuple[list[Path], Vectors]) -> None:
    paths, vectors = pictures
    found = rankings(vectors)
    groups = np.array([original_of(path) or "" for path in paths])
    variant_ranks, first_ranks = [], []
    for query, path in enumerate(paths):
        if not groups[query]:
            continue
        ranks = np.flatnonzero(groups[found[query]] == groups[query]) + 1
        first_ranks.append(int(ranks[0]))
        if path.parent.name == "base_images":
            print(f"{path.name}: its variants are at ranks {ranks.tolist()} of {len(paths) - 1}")
            variant_ranks.extend(ranks.tolist())
    mean_rank = np.mean(variant_ranks)
    reciprocal_rank = np.mean(1 / np.array(first_ranks))
    print(f"mean rank of a variant {mean_rank:.2f}, mean reciprocal rank {reciprocal_rank:.3f}")
    assert len(variant_ranks) == 12
    assert mean_rank <= 3.5
    assert reciprocal_rank >= 0.99


def test_colour_texture_finds_clothes_of_a_kind(pictures: tuple[list[Path], Vectors]) -> None:
    paths, vectors = pictures
    clothes = [row for row, path in enumerate(paths) if "clothing" in path.parts]
    labels = [paths[row].parent.name for row in clothes]
    precision = precision_at_5(vectors[clothes], labels)
    print(f"P@5 over {len(labels)} photos in {len(set(labels))} classes: {precision:.3f}, chance 0.096")
    assert precision >= 0.31


def test_timbre_finds_the_same_instrument(shared_data: Path, catalogue: Catalogue) -> None:
    paths, vectors = encode(catalogue.load("timbre"), files_of(shared_data / "audio" / "instruments"))
    labels = [path.parent.name for path in paths]
    chance = 7 / 79
    precision = precision_at_5(vectors, labels)
    print(f"P@5 over {len(labels)} sounds in {len(set(labels))} classes: {precision:.3f}, chance {chance:.3f}")
    assert len(labels) == 80
    assert precision >= 0.53
    assert precision >= 4 * chance
