"""What ``resources/models.toml`` says is complete, and true of the networks that open_clip builds."""

from __future__ import annotations

import re
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

import open_clip
import pytest
import torch

from app.engine.encoders.entries import Entry, read_entries
from app.engine.encoders.openclip import build, model_cfg_of
from app.engine.encoders.weights import Uninitialised
from app.engine.types import Modality
from app.paths import resources_dir

ENTRIES = read_entries(resources_dir() / "models.toml")
OPEN_CLIP = [entry for entry in ENTRIES if entry.family == "open_clip" and not entry.variant_of]
PUBLISHED = [entry for entry in ENTRIES if entry.source]

SPDX = re.compile(r"(LicenseRef-)?[A-Za-z0-9][A-Za-z0-9.-]*")
BCP_47 = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?")
CHECKSUM = re.compile(r"sha256:[0-9a-f]{64}|sha256-prefix:[0-9a-f]{8,63}|md5:[0-9a-f]{32}|")
REPO = re.compile(r"[\w.-]+/[\w.-]+")


def by_key(entries: list[Entry]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("entry", entries, ids=[entry.key for entry in entries])


def test_no_two_models_are_called_alike() -> None:
    for names in (Counter(entry.key for entry in ENTRIES), Counter(entry.name for entry in ENTRIES)):
        assert names.most_common(1)[0][1] == 1


def test_models_that_take_words_come_before_those_that_do_not() -> None:
    take_words = [Modality.TEXT in entry.accepts for entry in ENTRIES if Modality.IMAGE in entry.accepts]
    assert take_words == sorted(take_words, reverse=True)


@by_key(list(ENTRIES))
def test_every_model_says_what_a_person_must_know(entry: Entry) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry.key)
    assert SPDX.fullmatch(entry.licence)
    assert entry.licence_note.endswith(".")
    assert entry.summary.endswith(".")
    assert all(BCP_47.fullmatch(language) for language in entry.languages)
    assert bool(entry.languages) is (Modality.TEXT in entry.accepts)
    assert (entry.picture is not None) is (Modality.IMAGE in entry.accepts)
    assert (entry.sound is not None) is (Modality.AUDIO in entry.accepts)


@by_key(PUBLISHED)
def test_every_published_model_says_what_it_costs_and_where_it_comes_from(entry: Entry) -> None:
    assert entry.commercial is not None
    assert entry.paper.startswith("https://")
    assert min(entry.parameters, entry.gflops, entry.memory_bytes) > 0
    assert entry.download_bytes
    assert entry.memory_bytes > 4 * entry.parameters, "the numbers are held in single precision"

    source = entry.source
    assert source is not None
    assert bool(source.repo) is not bool(source.url)
    assert not source.repo or REPO.fullmatch(source.repo)
    files = {file.name: file for file in source.files}
    assert len(files) == len(source.files)
    (weights,) = set(files) - set(entry.companions)
    assert any(fnmatch(weights, pattern) for pattern in entry.files)
    assert set(entry.companions) <= set(files)
    for file in source.files:
        assert PurePosixPath(file.name).name == file.name
        assert not file.repo or REPO.fullmatch(file.repo)
        assert CHECKSUM.fullmatch(file.checksum)
    known_bytes = sum(file.size_bytes or 0 for file in source.files)
    assert known_bytes <= entry.download_bytes


@by_key(OPEN_CLIP)
def test_the_numbers_of_a_network_are_those_of_the_network(entry: Entry) -> None:
    assert entry.picture is not None
    with torch.device("meta"), Uninitialised(), torch.no_grad():
        network = build(entry, Path())
        side_px = entry.picture.size_px
        vectors = network.eval().encode_image(torch.empty(1, 3, side_px, side_px))
    assert vectors.shape == (1, entry.dim)
    assert sum(parameter.numel() for parameter in network.parameters()) == entry.parameters
    assert network.visual.image_size in (side_px, (side_px, side_px))


@by_key([entry for entry in OPEN_CLIP if entry.model_cfg is None])
def test_pictures_are_prepared_as_open_clip_lists_it(entry: Entry) -> None:
    """For some published checkpoint of the architecture; test_openclip_fidelity.py compares with that very one."""
    assert entry.picture is not None
    fit = {"crop": "shortest", "squash": "squash"}[entry.picture.fit]
    listed = [
        open_clip.get_pretrained_cfg(entry.architecture, tag)
        for tag in open_clip.list_pretrained_tags_by_model(entry.architecture)
    ]
    said = (entry.mean, entry.std, entry.picture.resample, fit)
    assert said in [(row["mean"], row["std"], row["interpolation"], row["resize_mode"]) for row in listed]


@by_key(OPEN_CLIP)
def test_a_tokenizer_of_its_own_is_among_the_files(entry: Entry) -> None:
    own = model_cfg_of(entry)["text_cfg"].get("hf_tokenizer_name")
    assert bool(own) is bool(entry.companions)


def test_openais_weights_are_computed_with_openais_activation() -> None:
    """It is the one thing about a network that no tensor shows: the other one fits, and is worse."""
    for entry in OPEN_CLIP:
        quick = bool(model_cfg_of(entry).get("quick_gelu"))
        assert quick is (entry.source is not None and entry.source.repo.endswith(".openai")), entry.key
