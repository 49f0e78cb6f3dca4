"""Backbones of timm, DINOv2 among them: the vectors, the preparation and the weights are those of timm itself."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import timm
import timm.data
import torch
from fidelity import HALF_FAITHFUL, assert_same, drawings, encode_pictures, entry, in_half, refuse_connections

from app.bench.models import install_seeded
from app.engine.encoders import timm_backbone
from app.engine.encoders.base import Encoder
from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.network import picture_tensor
from app.engine.errors import AppError, WeightsCorrupt
from app.engine.media.images import prepare
from app.engine.samples import Picture, PictureInput

DINO_S = "dinov2-vit-s-14"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_connections(monkeypatch)


def transform_for(cfg: dict[str, Any], size_px: int) -> Any:
    """timm's own preparation of a picture."""
    return timm.data.create_transform(**timm.data.resolve_data_config({"input_size": (3, size_px, size_px)}, cfg))


# --- DINOv2 in its real size ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dinov2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Encoder, Any]]:
    """Weights for 518 px in the folder of the catalogue, and the network that timm itself makes of them at 224 px."""
    home = tmp_path_factory.mktemp("dinov2")
    install_seeded(home, [DINO_S])
    weights = home / "models" / DINO_S / "model.safetensors"
    logging.disable(logging.WARNING)
    upstream = timm.create_model(
        "vit_small_patch14_dinov2.lvd142m",
        pretrained=True,
        pretrained_cfg_overlay={"file": str(weights)},
        img_size=224,
        num_classes=0,
    ).eval()
    logging.disable(logging.NOTSET)
    yield Catalogue(home / "models", device="cpu").load(DINO_S), upstream
    weights.unlink()


def test_dinov2_gives_the_vectors_that_timm_gives(dinov2: tuple[Encoder, Any]) -> None:
    encoder, upstream = dinov2
    transform = transform_for(upstream.pretrained_cfg, 224)
    with torch.inference_mode():
        theirs = upstream(torch.stack([transform(image) for image in drawings()]))
    assert_same(encode_pictures(encoder, drawings()), theirs)
    with in_half():
        assert_same(encode_pictures(encoder, drawings()), theirs, HALF_FAITHFUL)


def test_the_published_dinov2_files_are_of_the_sizes_that_the_catalogue_says(tmp_path: Path) -> None:
    """What the hub shows: 88.2 and 346 MB."""
    sizes = {DINO_S: 88.2e6, "dinov2-vit-b-14": 346e6}
    for key, published_bytes in sizes.items():
        network = timm_backbone.build(entry(key).architecture)
        tensor_bytes = sum(4 * tensor.numel() for tensor in network.state_dict().values())
        assert tensor_bytes == pytest.approx(published_bytes, rel=0.002)
        assert entry(key).download_bytes == pytest.approx(tensor_bytes, rel=0.001)
        assert entry(key).parameters == sum(parameter.numel() for parameter in network.parameters())


def test_dinov2_as_its_authors_publish_it_fits() -> None:
    """With a tensor more, that only training needs, and position embeddings for 518 px."""
    architecture = entry(DINO_S).architecture
    published = {**timm_backbone.build(architecture).state_dict(), "mask_token": torch.zeros(1, 384)}
    network = timm_backbone.build(architecture, 224)
    adapted = timm_backbone.backbone_tensors(published, network)
    assert {name: tensor.shape for name, tensor in adapted.items()} == {
        name: tensor.shape for name, tensor in network.state_dict().items()
    }
    assert adapted["pos_embed"].shape == (1, 257, 384) != published["pos_embed"].shape


# --- any architecture ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("architecture", ["resnet10t.c3_in1k", "vit_tiny_patch16_224", "test_convnext.r160_in1k"])
def test_a_backbone_gives_what_timm_gives_before_its_classifier(tmp_path: Path, architecture: str) -> None:
    torch.manual_seed(4)
    upstream = timm.create_model(architecture, num_classes=7).eval()
    weights = tmp_path / "mine.pth"
    torch.save({"epoch": 3, "state_dict": upstream.state_dict()}, weights)
    facts = timm_backbone.describe(architecture)
    mine = entry(
        DINO_S, architecture=architecture, dim=facts.dim, picture=facts.picture, mean=facts.mean, std=facts.std
    )
    encoder = timm_backbone.load(mine, weights, "f", "cpu")
    transform = transform_for(upstream.pretrained_cfg, facts.picture.size_px)
    with torch.inference_mode():
        features = upstream.forward_features(torch.stack([transform(image) for image in drawings()]))
        assert_same(encode_pictures(encoder, drawings()), upstream.forward_head(features, pre_logits=True))


@pytest.mark.parametrize("architecture", ["resnet10t.c3_in1k", "vit_tiny_patch16_224", "vit_small_patch14_dinov2"])
def test_pictures_are_prepared_as_timm_does_to_the_bit(architecture: str) -> None:
    facts = timm_backbone.describe(architecture)
    cfg = timm.models.get_pretrained_cfg(architecture).to_dict()
    transform = transform_for(cfg, facts.picture.size_px)
    samples = [Picture(prepare(image, facts.picture)) for image in drawings()]
    ours = picture_tensor(samples, facts.mean, facts.std, "cpu")
    np.testing.assert_array_equal(ours.numpy(), torch.stack([transform(image) for image in drawings()]).numpy())


def test_the_entries_of_dinov2_prepare_pictures_as_timm_does_at_224_px() -> None:
    for key in (DINO_S, "dinov2-vit-b-14"):
        shipped = entry(key)
        facts = timm_backbone.describe(shipped.architecture, {"input_size": (3, 224, 224)})
        assert (facts.picture, facts.mean, facts.std) == (shipped.picture, shipped.mean, shipped.std)
        assert facts.dim == shipped.dim


def test_what_a_checkpoint_says_of_its_pictures_is_honoured() -> None:
    overrides = {"input_size": (3, 160, 160), "crop_pct": 0.8, "interpolation": "bilinear", "mean": (0.1, 0.2, 0.3)}
    facts = timm_backbone.describe("resnet10t", overrides)
    assert facts.picture == PictureInput(160, 200, "crop", "bilinear")
    assert facts.mean == (0.1, 0.2, 0.3)


@pytest.mark.parametrize(
    "overrides",
    [
        {"input_size": (3, 224, 160)},
        {"input_size": 224},
        {"crop_mode": "border"},
        {"crop_mode": "squash", "crop_pct": 0.9},
        {"interpolation": "random"},
        {"mean": (0.5, 0.5)},
        {"crop_pct": "all"},
        {"crop_pct": 1e-6},
        {"crop_pct": 1.5},
        {"input_size": (3, 10**9, 10**9)},
    ],
)
def test_a_preparation_that_the_program_does_not_have_is_refused(overrides: dict[str, Any]) -> None:
    with pytest.raises(AppError, match="resnet10t prepares pictures in a way"):
        timm_backbone.describe("resnet10t", overrides)


@pytest.mark.parametrize(
    "name", ["nothing", "hf-hub:timm/resnet10t.c3_in1k", "local-dir:/tmp", "", "resnet10t.nothing"]
)
def test_a_name_that_timm_does_not_have_is_refused_and_nothing_is_fetched(name: str) -> None:
    with pytest.raises(AppError, match="timm"):
        timm_backbone.build(name)


def test_a_network_that_takes_other_tensors_is_refused_by_name(tmp_path: Path) -> None:
    weights = tmp_path / "wrong.safetensors"
    safetensors.torch.save_file(timm.create_model("resnet10t").state_dict(), weights)
    with pytest.raises(WeightsCorrupt, match=r"a network of another shape: expected \S+ \d+×[\d×]+"):
        timm_backbone.load(entry(DINO_S), weights, "f", "cpu")
