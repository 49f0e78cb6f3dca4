"""The neural families: what a weights file on disk gives is what the upstream package gives for the same weights.

Every network here is the real architecture with seeded random weights. They are few and shared by the tests of this
file, because they are large; each file is removed as soon as its last test has run.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import open_clip
import pytest
import safetensors.torch
import torch
import torchvision
from fidelity import drawings, refuse_connections
from PIL import Image

from app.bench.models import write_roberta_tokenizer, write_tokenizer
from app.bench.vocabularies import write_bert, write_gemma
from app.engine.encoders import openclip
from app.engine.encoders.base import Encoder
from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.entries import read_entries
from app.engine.encoders.network import picture_tensor
from app.engine.encoders.openclip_config import configured
from app.engine.encoders.texttowers import text_config
from app.engine.errors import UnsupportedModality, WeightsCorrupt, WeightsMissing
from app.engine.media.images import prepare
from app.engine.samples import Picture, Sound, Text
from app.paths import resources_dir

FAITHFUL = 0.99999
TEXTS = ("a photo of a cat", "Two Dogs, running!", "ein roter Ball im Schnee " * 20, "")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_connections(monkeypatch)


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    return drawings()


def noise(length: int, seed: int = 3) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, length).astype(np.float32)


def assert_same(ours: npt.NDArray[np.float32], theirs: torch.Tensor) -> None:
    """Same directions, row by row; ours of length 1."""
    expected = torch.nn.functional.normalize(theirs.double(), dim=1).numpy()
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-6)
    assert ours.dtype == np.float32
    assert ours.shape == expected.shape
    assert (ours * expected).sum(1).min() >= FAITHFUL
    if len(ours) > 1:
        assert (ours[0] * ours[1]).sum() < FAITHFUL, "the inputs must differ for the comparison to mean anything"


def encode_pictures(encoder: Encoder, images: list[Image.Image]) -> npt.NDArray[np.float32]:
    assert encoder.spec.picture is not None
    return encoder.encode([Picture(prepare(image, encoder.spec.picture)) for image in images])


def upstream_clip(name: str) -> Any:
    logging.disable(logging.WARNING)  # that weights are random is meant here
    torch.manual_seed(11)
    try:
        return open_clip.create_model(name, load_weights=False).eval()
    finally:
        logging.disable(logging.NOTSET)


# --- open_clip: its models in their real size are in test_openclip_fidelity.py ---------------------------------------


@pytest.mark.shared_data
def test_clip_sees_the_tensors_that_are_known_for_seven_photos(shared_data: Path) -> None:
    folder = shared_data / "ref" / "clip_vitb32"
    known = np.load(folder / "known7_expected.npz")
    entry = next(entry for entry in read_entries(resources_dir() / "models.toml") if entry.key == "clip-vit-b-32")
    assert entry.picture is not None
    photos = [Image.open(folder / "known7" / f"{name}.jpg").convert("RGB") for name in known["names"]]
    samples = [Picture(prepare(photo, entry.picture)) for photo in photos]
    tensor = picture_tensor(samples, entry.mean, entry.std, "cpu")
    np.testing.assert_array_equal(tensor.numpy(), known["preprocessed"])


# --- open_clip: folders that describe themselves -------------------------------------------------------------------


SMALL_CONFIG: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": 48,
        "custom_text": True,
        "init_logit_bias": -10,
        "vision_cfg": {"image_size": 64, "layers": 2, "width": 64, "patch_size": 16},
        "text_cfg": {
            "context_length": 16,
            "vocab_size": 600,
            "hf_tokenizer_name": "timm/ViT-B-16-SigLIP2",
            "tokenizer_kwargs": {"clean": "canonicalize"},
            "width": 64,
            "heads": 2,
            "layers": 2,
            "no_causal_mask": True,
            "pool_type": "last",
        },
    },
    "preprocess_cfg": {
        "mean": [0.5, 0.4, 0.3],
        "std": [0.5, 0.6, 0.7],
        "interpolation": "bilinear",
        "resize_mode": "squash",
    },
}


@pytest.fixture
def small_folder(tmp_path: Path) -> Path:
    """A folder in open_clip's own layout, of a small model, where siglip2-b-16 is looked for."""
    folder = tmp_path / "siglip2-b-16"
    folder.mkdir()
    (folder / "open_clip_config.json").write_text(json.dumps(SMALL_CONFIG), "utf-8")
    write_gemma(folder)
    network = upstream_clip(f"local-dir:{folder}")
    safetensors.torch.save_file(network.state_dict(), folder / "open_clip_model.safetensors")
    return folder


def test_a_folder_that_describes_itself_is_honoured(small_folder: Path, pictures: list[Image.Image]) -> None:
    upstream, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{small_folder}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{small_folder}")
    catalogue = Catalogue(small_folder.parent, device="cpu")
    spec = catalogue.spec("siglip2-b-16")
    assert (spec.dim, spec.picture and spec.picture.size_px, spec.picture and spec.picture.fit) == (48, 64, "squash")

    encoder = catalogue.load("siglip2-b-16")
    with torch.inference_mode():
        their_pictures = upstream.eval().encode_image(torch.stack([preprocess(image) for image in pictures]))
        their_texts = upstream.encode_text(tokenizer(list(TEXTS)))
    assert_same(encode_pictures(encoder, pictures), their_pictures)
    assert_same(encoder.encode([Text(text) for text in TEXTS]), their_texts)


def test_texts_end_as_siglip2_has_learned_whichever_file_says_so(small_folder: Path) -> None:
    """transformers 5 no longer reads add_eos_token where a tokenizer.json lies beside it."""
    texts = [Text(text) for text in TEXTS]
    expected = Catalogue(small_folder.parent, device="cpu").load("siglip2-b-16").encode(texts)
    write_gemma(small_folder, ends_texts=False)
    found = Catalogue(small_folder.parent, device="cpu").load("siglip2-b-16").encode(texts)
    np.testing.assert_array_equal(found, expected)


def test_checkpoints_of_training_programs_are_unwrapped(small_folder: Path) -> None:
    texts = [Text(text) for text in TEXTS]
    expected = Catalogue(small_folder.parent, device="cpu").load("siglip2-b-16").encode(texts)
    weights = small_folder / "open_clip_model.safetensors"
    state = {f"module.{name}": tensor for name, tensor in safetensors.torch.load_file(weights).items()}
    weights.unlink()
    state["module.logit_scale"] = state["module.logit_scale"].reshape(1)
    torch.save({"epoch": 3, "name": "run", "state_dict": state}, small_folder / "epoch_3.pt")
    found = Catalogue(small_folder.parent, device="cpu").load("siglip2-b-16").encode(texts)
    np.testing.assert_array_equal(found, expected)


def test_checkpoints_from_before_the_text_tower_had_a_name_fit(small_folder: Path) -> None:
    texts = [Text(text) for text in TEXTS]
    expected = Catalogue(small_folder.parent, device="cpu").load("siglip2-b-16").encode(texts)
    weights = small_folder / "open_clip_model.safetensors"
    state = safetensors.torch.load_file(weights)
    weights.unlink()
    facts = {"input_resolution": torch.tensor(64), "context_length": torch.tensor(16), "vocab_size": torch.tensor(600)}
    flat = {name.removeprefix("text."): tensor for name, tensor in state.items()}
    torch.save({**flat, **facts}, small_folder / "open_clip_pytorch_model.bin")
    found = Catalogue(small_folder.parent, device="cpu").load("siglip2-b-16").encode(texts)
    np.testing.assert_array_equal(found, expected)


def test_the_fingerprint_follows_what_the_vectors_depend_on(small_folder: Path) -> None:
    catalogue = Catalogue(small_folder.parent, device="cpu")
    first = catalogue.fingerprint("siglip2-b-16")
    assert catalogue.load("siglip2-b-16").fingerprint == first
    seen = {first}
    write_gemma(small_folder, ends_texts=False)
    seen.add(catalogue.fingerprint("siglip2-b-16"))
    config = json.loads(json.dumps(SMALL_CONFIG))
    config["preprocess_cfg"]["mean"] = [0.5, 0.5, 0.5]
    (small_folder / "open_clip_config.json").write_text(json.dumps(config), "utf-8")
    seen.add(catalogue.fingerprint("siglip2-b-16"))
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("preprocess_cfg", {"resize_mode": "longest"}),
        ("preprocess_cfg", {"interpolation": "random"}),
        ("preprocess_cfg", {"mean": [0.5]}),
        ("model_cfg", {"vision_cfg": {}}),
    ],
)
def test_a_config_that_cannot_be_followed_is_refused_and_shown(
    small_folder: Path, part: str, change: dict[str, Any]
) -> None:
    config = {**SMALL_CONFIG, part: {**SMALL_CONFIG[part], **change}}
    (small_folder / "open_clip_config.json").write_text(json.dumps(config), "utf-8")
    catalogue = Catalogue(small_folder.parent, device="cpu")
    with pytest.raises(WeightsCorrupt, match=r"open_clip_config\.json cannot be used"):
        catalogue.load("siglip2-b-16")
    assert {status.key: status.ready for status in catalogue.statuses()}["siglip2-b-16"] is False


def test_it_refuses_sounds(small_folder: Path) -> None:
    encoder = Catalogue(small_folder.parent, device="cpu").load("siglip2-b-16")
    with pytest.raises(UnsupportedModality, match="compares words and pictures, not sounds"):
        encoder.encode([Sound(noise(32000))])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("no_such_network", "cannot build without a download"),
        ("hf-hub:somebody/some-model", "is no model's name"),
    ],
)
def test_a_network_that_cannot_be_built_is_refused(small_folder: Path, name: str, sentence: str) -> None:
    config = json.loads(json.dumps(SMALL_CONFIG))
    config["model_cfg"]["vision_cfg"]["timm_model_name"] = name
    (small_folder / "open_clip_config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(WeightsCorrupt, match=sentence):
        Catalogue(small_folder.parent, device="cpu").load("siglip2-b-16")


# --- open_clip: text towers of transformers ------------------------------------------------------------------------

TOWER = {"model_type": "bert", "vocab_size": 400, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
         "intermediate_size": 64, "max_position_embeddings": 32}  # fmt: skip


def config_with_tower(name: str) -> str:
    """A config whose text tower is one that open_clip would ask a hub for."""
    config = json.loads(json.dumps(SMALL_CONFIG))
    config["model_cfg"]["text_cfg"] = {
        "hf_model_name": name,
        "hf_tokenizer_name": name,
        "hf_pooler_type": "mean_pooler",
        "context_length": 16,
    }
    return json.dumps(config)


def test_a_tower_that_is_not_known_is_built_from_the_config_beside_the_weights(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "biomedclip", tmp_path / "upstream"
    for folder, name in ((ours, "somebody/some-bert"), (theirs, str(theirs))):
        folder.mkdir()
        (folder / "open_clip_config.json").write_text(config_with_tower(name), "utf-8")
        (folder / "config.json").write_text(json.dumps(TOWER), "utf-8")
        write_bert(folder)
    catalogue = Catalogue(tmp_path, device="cpu")
    network = openclip.build(configured(catalogue.entry("biomedclip"), ours), ours)
    positions = {"text.transformer.embeddings.position_ids": torch.arange(32)[None]}  # as transformers 4.30 kept them
    for folder in (ours, theirs):
        safetensors.torch.save_file({**network.state_dict(), **positions}, folder / "open_clip_model.safetensors")

    upstream = open_clip.create_model_from_pretrained(f"local-dir:{theirs}", return_transform=False)
    tokenizer = open_clip.get_tokenizer(f"local-dir:{theirs}")
    with torch.inference_mode():
        expected = upstream.eval().encode_text(tokenizer(list(TEXTS)))
    assert_same(catalogue.load("biomedclip").encode([Text(text) for text in TEXTS]), expected)


@pytest.mark.parametrize(
    "described",
    [None, "{", "[]", "{}", json.dumps({**TOWER, "model_type": "clip"}), json.dumps({**TOWER, "model_type": ["bert"]})],
)
def test_a_tower_that_nothing_describes_is_refused(small_folder: Path, described: str | None) -> None:
    (small_folder / "open_clip_config.json").write_text(config_with_tower("somebody/some-bert"), "utf-8")
    if described is not None:
        (small_folder / "config.json").write_text(described, "utf-8")
    with pytest.raises(WeightsCorrupt, match=r"Put the config\.json of somebody/some-bert beside the weights"):
        Catalogue(small_folder.parent, device="cpu").load("siglip2-b-16")


def test_of_a_config_only_the_numbers_of_the_tower_are_read(tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'canary')!r}, 'w')\nclass Evil: pass", "utf-8")
    evil = {
        "auto_map": {"AutoConfig": "evil.Evil", "AutoModel": "evil.Evil"},
        "_attn_implementation": "somebody/some-kernel",
        "quantization_config": {"quant_method": "bitsandbytes"},
    }
    (tmp_path / "config.json").write_text(json.dumps({**TOWER, **evil}), "utf-8")
    config = text_config("somebody/some-bert", tmp_path)
    assert (config.model_type, config.hidden_size) == ("bert", 32)
    assert not {"auto_map", "quantization_config"} & set(config.to_dict())
    assert not (tmp_path / "canary").exists()


SIDE_FILES = {
    "special_tokens_map.json": {"pad_token": "dog", "eos_token": "beach"},
    "added_tokens.json": {"dog": 7},
    "tokenizer_config.json": {"padding_side": "left", "tokenizer_class": "PreTrainedTokenizerFast"},
    "config.json": {"model_type": "gpt2"},
}


@pytest.mark.parametrize("key", ["siglip-b-16", "siglip2-b-16", "clip-xlm-roberta-b-32", "biomedclip"])
def test_no_other_file_in_the_folder_changes_the_tokens(tmp_path: Path, key: str) -> None:
    """They are not part of the fingerprint."""
    entry = Catalogue(tmp_path).entry(key)
    write_tokenizer(entry, tmp_path)
    tokens = openclip.tokenizer_of(entry, tmp_path)(["a dog on the beach"])
    for name, content in SIDE_FILES.items():
        if name not in entry.companions:
            (tmp_path / name).write_text(json.dumps(content), "utf-8")
    assert torch.equal(openclip.tokenizer_of(entry, tmp_path)(["a dog on the beach"]), tokens)


def test_the_tokenizer_of_a_configured_model_is_part_of_its_fingerprint(tmp_path: Path) -> None:
    """Also where the catalogue's model of that name needs none."""
    config = json.loads(json.dumps(SMALL_CONFIG))
    config["model_cfg"]["text_cfg"]["hf_tokenizer_name"] = "somebody/words"
    folder = tmp_path / "clip-vit-b-32"
    folder.mkdir()
    (folder / "open_clip_config.json").write_text(json.dumps(config), "utf-8")
    (folder / "model.safetensors").write_bytes(b"weights")
    before = Catalogue(tmp_path).fingerprint("clip-vit-b-32")
    write_gemma(folder)
    assert Catalogue(tmp_path).fingerprint("clip-vit-b-32") != before


def test_a_missing_tokenizer_is_named(small_folder: Path) -> None:
    (small_folder / "tokenizer.json").unlink()
    with pytest.raises(WeightsMissing, match=r"tokenizer\.json must lie beside") as caught:
        Catalogue(small_folder.parent, device="cpu").load("siglip2-b-16")
    assert caught.value.path == str(small_folder)


def test_a_damaged_tokenizer_is_refused(small_folder: Path) -> None:
    (small_folder / "tokenizer.json").write_text("{", "utf-8")
    with pytest.raises(WeightsCorrupt, match=r"tokenizer\.json and tokenizer_config\.json"):
        Catalogue(small_folder.parent, device="cpu").load("siglip2-b-16")


# --- ResNet-50 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("save", [torch.save, safetensors.torch.save_file], ids=["pth", "safetensors"])
def test_resnet50_gives_the_features_that_torchvision_gives(
    tmp_path: Path, pictures: list[Image.Image], save: Callable[[Any, Path], None]
) -> None:
    torch.manual_seed(5)
    upstream = torchvision.models.resnet50(weights=None).eval()
    name = "resnet50-11ad3fa6.pth" if save is torch.save else "mine.safetensors"
    (tmp_path / "resnet50").mkdir()
    save(upstream.state_dict(), tmp_path / "resnet50" / name)
    encoder = Catalogue(tmp_path, device="cpu").load("resnet50")
    (tmp_path / "resnet50" / name).unlink()

    preprocess = torchvision.models.ResNet50_Weights.IMAGENET1K_V2.transforms()
    upstream.fc = torch.nn.Identity()
    with torch.inference_mode():
        theirs = upstream(torch.stack([preprocess(image) for image in pictures]))
    assert_same(encode_pictures(encoder, pictures), theirs)
    with torch.autocast("cpu", torch.bfloat16):
        halved = encode_pictures(encoder, pictures)
    assert (halved * encode_pictures(encoder, pictures)).sum(1).min() >= 0.999


# --- every family --------------------------------------------------------------------------------------------------


@pytest.mark.shared_data
@pytest.mark.parametrize(
    "key", ["siglip2-b-16", "clip-vit-b-32", "resnet50", "dinov2-vit-s-14", "panns-cnn14", "panns-cnn10", "clap-htsat"]
)
def test_weights_of_another_network_are_refused_and_the_difference_named(
    shared_data: Path, tmp_path: Path, key: str
) -> None:
    ending = ".pt" if "b-" in key else ".bin" if key == "clap-htsat" else ".pth"
    (tmp_path / key).mkdir()
    (tmp_path / key / f"wrong{ending}").write_bytes(
        (shared_data / "hostile" / "weights" / "resnet20-12fca82f.th").read_bytes()
    )
    if key == "siglip2-b-16":
        write_gemma(tmp_path / key)
    if key == "clap-htsat":
        write_roberta_tokenizer(tmp_path / key)
    with pytest.raises(WeightsCorrupt, match=r"a network of another shape: expected \S+ \d+×[\d×]+") as caught:
        Catalogue(tmp_path, device="cpu").load(key)
    if key == "resnet50":
        assert "expected conv1.weight 64×3×7×7, found 16×3×3×3" in caught.value.message
    assert caught.value.path is not None
    assert caught.value.path.endswith(f"wrong{ending}")
