"""Every model of open_clip's in the catalogue gives the vectors that open_clip itself gives for the same files.

Upstream is called as its own documentation says, with a folder in its layout. Each network is the real architecture in
its real size with seeded weights in half precision; it is built once, and its file is gone when its last test has run.
The largest two, and computing in half precision, are left out unless asked for with ``-m lengthy``; ``-s`` prints the
lowest cosines.
"""

from __future__ import annotations

import copy
import gc
import json
import logging
import shutil
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import open_clip
import pytest
import torch
from PIL import Image, ImageDraw

from app.bench.models import save_weights, seeded_clip, write_tokenizer
from app.engine.encoders.base import Encoder, scoring_of
from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.entries import Entry
from app.engine.encoders.network import picture_tensor
from app.engine.encoders.openclip import tokenizer_of
from app.engine.encoders.weights import Uninitialised
from app.engine.media.images import prepare
from app.engine.samples import Picture, Text

FAITHFUL, FAITHFUL_HALF = 0.99999, 0.999
DIFFERENT = 0.999
"""Vectors of different things must be less alike than this, or their equality with upstream's would prove nothing."""

TEXTS = ("a photo of a cat", "Two RED Dogs, running & barking!", "ein roter Ball im Schnee " * 60, "cell_1 (chest)", "")
SIZES_PX = ((320, 240), (231, 402), (224, 224), (640, 48), (37, 50), (1203, 799))

XLM_ROBERTA_BASE = {
    "model_type": "xlm-roberta", "vocab_size": 250002, "hidden_size": 768, "num_hidden_layers": 12,
    "num_attention_heads": 12, "intermediate_size": 3072, "hidden_act": "gelu", "max_position_embeddings": 514,
    "type_vocab_size": 1, "layer_norm_eps": 1e-05, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2,
}  # fmt: skip
BIOMED_BERT = {
    "model_type": "bert", "vocab_size": 30522, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
    "intermediate_size": 3072, "hidden_act": "gelu", "max_position_embeddings": 512, "type_vocab_size": 2,
    "layer_norm_eps": 1e-12, "pad_token_id": 0,
}  # fmt: skip
"""As these towers' own repositories have them in config.json."""

BIOMED_CLIP = {
    "model_cfg": {
        "embed_dim": 512,
        "vision_cfg": {
            "timm_model_name": "vit_base_patch16_224", "timm_model_pretrained": False, "timm_pool": "",
            "timm_proj": "linear", "image_size": 224,
        },
        "text_cfg": {
            "hf_model_name": "microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract",
            "hf_tokenizer_name": "microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract",
            "hf_proj_type": "mlp", "hf_pooler_type": "cls_last_hidden_state_pooler", "context_length": 256,
        },
    },
    "preprocess_cfg": {
        "mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711],
    },
}  # fmt: skip
"""The open_clip_config.json of its repository."""

PUBLISHED: dict[str, tuple[str, str]] = {
    "siglip2-so400m-14": ("ViT-SO400M-14-SigLIP2", "webli"),
    "siglip2-b-16": ("ViT-B-16-SigLIP2", "webli"),
    "siglip-b-16": ("ViT-B-16-SigLIP", "webli"),
    "mobileclip-s2": ("MobileCLIP-S2", "datacompdr"),
    "clip-xlm-roberta-b-32": ("xlm-roberta-base-ViT-B-32", "laion5b_s13b_b90k"),
    "clip-vit-b-32-laion": ("ViT-B-32", "laion2b_s34b_b79k"),
    "clip-vit-l-14": ("ViT-L-14-quickgelu", "openai"),
    "clip-vit-b-32": ("ViT-B-32-quickgelu", "openai"),
}
"""Under which names open_clip lists each."""

LARGE = ("siglip2-so400m-14", "clip-vit-l-14")
TEXT_TOWERS = {"clip-xlm-roberta-b-32": XLM_ROBERTA_BASE, "biomedclip": BIOMED_BERT}


@dataclass(frozen=True)
class Pair:
    """One model, here and at upstream, from the same files."""

    entry: Entry
    folder: Path
    encoder: Encoder
    upstream: Any
    preprocess: Callable[[Image.Image], torch.Tensor]
    tokenizer: Callable[[Sequence[str]], torch.Tensor]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("an encoder opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(
    scope="module",
    params=[pytest.param(key, marks=pytest.mark.lengthy if key in LARGE else ()) for key in (*PUBLISHED, "biomedclip")],
)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    gc.collect()  # the model before this one: gigabytes, in reference cycles
    models_dir = tmp_path_factory.mktemp("models")
    catalogue = Catalogue(models_dir, device="cpu")
    entry = catalogue.entry(request.param)
    folder = catalogue.folder(entry.key)
    folder.mkdir()
    write_tokenizer(entry, folder)
    save_weights(seeded_clip(entry, folder).half(), folder / entry.files[0])
    theirs = f"local-dir:{upstream_folder(entry, folder, tmp_path_factory.mktemp('upstream'))}"
    logging.disable(logging.WARNING)  # open_clip tells all that it does
    with Uninitialised():  # it fills every tensor from the file, or raises
        upstream, _, preprocess = open_clip.create_model_and_transforms(theirs)
    tokenizer = open_clip.get_tokenizer(theirs)
    logging.disable(logging.NOTSET)
    upstream.eval().requires_grad_(False)
    yield Pair(entry, folder, catalogue.load(entry.key), upstream, preprocess, tokenizer)
    shutil.rmtree(models_dir)


def upstream_folder(entry: Entry, ours: Path, folder: Path) -> Path:
    """The same files in open_clip's layout, described by open_clip's own tables."""
    for path in ours.iterdir():
        (folder / path.name).symlink_to(path)
    config = copy.deepcopy(BIOMED_CLIP)
    if entry.key in PUBLISHED:
        architecture, tag = PUBLISHED[entry.key]
        table = open_clip.get_pretrained_cfg(architecture, tag)
        config = {"model_cfg": open_clip.get_model_config(architecture), "preprocess_cfg": table}
    if entry.key in TEXT_TOWERS:  # the hub's answer to upstream, on disk
        (folder / "config.json").write_text(json.dumps(TEXT_TOWERS[entry.key]), "utf-8")
        config["model_cfg"]["text_cfg"]["hf_model_name"] = str(folder)
    (folder / "open_clip_config.json").write_text(json.dumps(config), "utf-8")
    return folder


@pytest.fixture(scope="module")
def drawings() -> list[Image.Image]:
    rng = np.random.default_rng(7)
    drawn = []
    for size_px in SIZES_PX:
        image = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)).resize(size_px)
        x_px, y_px = (int(rng.integers(side_px // 2)) for side_px in size_px)
        ImageDraw.Draw(image).ellipse((x_px, y_px, x_px + 20, y_px + 20), fill=(255, 40, 0))
        drawn.append(image)
    return drawn


def prepared(entry: Entry, images: Sequence[Image.Image]) -> list[Picture]:
    assert entry.picture is not None
    return [Picture(prepare(image, entry.picture)) for image in images]


def compare(name: str, ours: npt.NDArray[np.float32], theirs: torch.Tensor, floor: float) -> None:
    """Same directions, row by row; ours of length 1; no two rows alike."""
    expected = torch.nn.functional.normalize(theirs.double(), dim=1).numpy()
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-6)
    assert ours.shape == expected.shape
    cosines = (ours * expected).sum(1)
    among = (expected @ expected.T)[np.triu_indices(len(expected), 1)]
    print(f"{name}: lowest cosine with upstream {cosines.min():.7f}, highest among different ones {among.max():.4f}")
    assert among.max() < DIFFERENT
    assert cosines.min() >= floor


def test_pictures_are_prepared_to_the_last_bit(pair: Pair, drawings: list[Image.Image]) -> None:
    ours = picture_tensor(prepared(pair.entry, drawings), pair.entry.mean, pair.entry.std, "cpu")
    theirs = torch.stack([pair.preprocess(image) for image in drawings])
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.shared_data
def test_photos_are_prepared_to_the_last_bit(pair: Pair, shared_data: Path) -> None:
    for path in sorted((shared_data / "images" / "photos_clip").glob("*.jpg"))[::40]:
        with Image.open(path) as file:
            photo = file.convert("RGB")
        ours = picture_tensor(prepared(pair.entry, [photo]), pair.entry.mean, pair.entry.std, "cpu")
        np.testing.assert_array_equal(ours[0].numpy(), pair.preprocess(photo).numpy())


def test_pictures_have_upstreams_vectors(pair: Pair, drawings: list[Image.Image]) -> None:
    few = drawings[:3]
    with torch.inference_mode():
        theirs = pair.upstream.encode_image(torch.stack([pair.preprocess(image) for image in few]))
    ours = pair.encoder.encode(prepared(pair.entry, few))
    compare(f"{pair.entry.key}, pictures", ours, theirs, FAITHFUL)


def test_texts_have_upstreams_tokens(pair: Pair) -> None:
    ours = tokenizer_of(pair.entry, pair.folder)(list(TEXTS))
    assert ours.dtype == torch.int64
    assert torch.equal(ours, pair.tokenizer(list(TEXTS)))
    assert len({tuple(row.tolist()) for row in ours}) == len(TEXTS)


def test_texts_have_upstreams_vectors(pair: Pair) -> None:
    few = TEXTS[:3]
    with torch.inference_mode():
        theirs = pair.upstream.encode_text(pair.tokenizer(list(few)))
    ours = pair.encoder.encode([Text(text) for text in few])
    compare(f"{pair.entry.key}, texts", ours, theirs, FAITHFUL)


def test_words_have_upstreams_probabilities(pair: Pair, drawings: list[Image.Image]) -> None:
    few, words = drawings[:2], ["a photo of a ball.", "a photo of a wall."]
    with torch.inference_mode():
        pictures = torch.stack([pair.preprocess(image) for image in few])
        logits, _ = pair.upstream.get_logits(pictures, pair.tokenizer(words))
    scoring = scoring_of(pair.encoder)
    assert scoring is not None
    assert scoring.kind == ("softmax" if pair.upstream.logit_bias is None else "sigmoid")
    theirs = logits.softmax(dim=1) if pair.upstream.logit_bias is None else logits.sigmoid()
    vectors = pair.encoder.encode(prepared(pair.entry, few)), pair.encoder.encode([Text(text) for text in words])
    np.testing.assert_allclose(scoring.probabilities(vectors[0] @ vectors[1].T), theirs.numpy(), atol=1e-5)


@pytest.mark.lengthy
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=["bf16", "fp16"])
def test_half_precision_keeps_the_direction(pair: Pair, drawings: list[Image.Image], dtype: torch.dtype) -> None:
    few, words = drawings[:2], list(TEXTS[:2])
    with torch.inference_mode():
        half = copy.deepcopy(pair.upstream).to(dtype)
        pictures = half.encode_image(torch.stack([pair.preprocess(image) for image in few]).to(dtype))
        texts = half.encode_text(pair.tokenizer(words))
    for name, rows, samples in (
        ("pictures", pictures, prepared(pair.entry, few)),
        ("texts", texts, [Text(text) for text in words]),
    ):
        compare(f"{pair.entry.key}, {name}, {dtype}", pair.encoder.encode(samples), rows, FAITHFUL_HALF)
