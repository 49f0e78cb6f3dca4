"""Image towers in 8 bits: nearly the vectors of 32 bits, the same for a picture whatever it is encoded with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import open_clip
import pytest
import safetensors.torch
import timm
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.encoders import catalogue as catalogue_module
from app.engine.encoders import eightbit
from app.engine.encoders.base import scoring_of
from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.eightbit import EightBitAttention, EightBitLinear, quantize
from app.engine.errors import AppError
from app.engine.librarytypes import IndexRequest
from app.engine.samples import Picture, Text
from app.engine.session import Session

BASE, FAST = "clip-vit-b-32", "clip-vit-b-32-int8"
CLOSE = 0.999
PIXELS = np.random.default_rng(5).integers(0, 256, (5, 224, 224, 3), np.uint8)


def cosines(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.cosine_similarity(one, other, dim=-1)


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base model with seeded weights; nothing in a folder of the variant's own."""
    folder = tmp_path_factory.mktemp("models") / BASE
    folder.mkdir()
    torch.manual_seed(3)
    network = open_clip.CLIP(**open_clip.get_model_config("ViT-B-32-quickgelu"))
    state = {name: tensor.half().contiguous() for name, tensor in network.state_dict().items()}
    safetensors.torch.save_file(state, folder / "model.safetensors")
    return folder.parent


def test_the_variant_is_ready_with_its_base_and_a_space_of_its_own(models_dir: Path, tmp_path: Path) -> None:
    catalogue = Catalogue(models_dir, "cpu")
    status = next(each for each in catalogue.statuses() if each.key == FAST)
    assert status.ready
    assert status.variant_of == BASE
    assert catalogue.folder(FAST) == catalogue.folder(BASE) == models_dir / BASE
    assert catalogue.fingerprint(FAST) != catalogue.fingerprint(BASE)
    assert catalogue.spec(FAST).picture == catalogue.spec(BASE).picture
    missing = next(each for each in Catalogue(tmp_path).statuses() if each.key == FAST)
    assert not missing.ready
    assert str(tmp_path / BASE) in missing.problem


def test_its_pictures_lie_close_to_those_of_its_base_and_its_words_are_the_same(models_dir: Path) -> None:
    catalogue = Catalogue(models_dir, "cpu")
    exact, fast = catalogue.load(BASE), catalogue.load(FAST)
    pictures = [Picture(pixels) for pixels in PIXELS]
    expected, found = exact.encode(pictures), fast.encode(pictures)
    assert (expected * found).sum(1).min() > CLOSE
    assert not np.array_equal(expected, found)
    words = [Text("a red ball"), Text("two dogs")]
    np.testing.assert_allclose(fast.encode(words), exact.encode(words), atol=1e-6)
    alone = np.concatenate([fast.encode([picture]) for picture in pictures])
    assert (alone * found).sum(1).min() > 0.999999, "a vector must not depend on its batch"
    assert fast.device == "cpu"
    assert scoring_of(fast) == scoring_of(exact) is not None


def test_timm_towers_are_quantised_too() -> None:
    torch.manual_seed(2)
    tower = small_siglip()
    pictures = torch.rand(3, 3, 32, 32)
    with torch.inference_mode():
        expected = tower(pictures)
        quantize(tower)
        found = tower(pictures)
    kinds = [type(module) for module in tower.modules()]
    assert torch.nn.Linear not in kinds
    assert kinds.count(EightBitLinear) == 2 * 4 + 5
    assert cosines(expected, found).min() > CLOSE


def small_siglip() -> torch.nn.Module:
    """SigLIP's tower, of two small blocks."""
    tower: torch.nn.Module = timm.models.vision_transformer.VisionTransformer(
        img_size=32, patch_size=16, embed_dim=64, depth=2, num_heads=2, num_classes=0, class_token=False,
        global_pool="map", fc_norm=False,
    )  # fmt: skip
    return tower.eval().requires_grad_(False)


def test_attention_is_the_same_as_before_but_for_the_rounding() -> None:
    torch.manual_seed(1)
    plain = torch.nn.MultiheadAttention(48, 4, batch_first=True).eval().requires_grad_(False)
    torch.nn.init.normal_(plain.in_proj_bias)
    tokens = torch.randn(3, 9, 48)
    with torch.inference_mode():
        expected, _ = plain(tokens, tokens, tokens, need_weights=False)
        found, weights = EightBitAttention(plain)(tokens, tokens, tokens, need_weights=False, attn_mask=None)
    assert weights is None
    assert cosines(expected, found).min() > CLOSE


def test_a_pooling_attention_is_left_as_it_is() -> None:
    pooler = open_clip.transformer.AttentionalPooler(32, 32, n_head=2, n_queries=3)
    quantize(pooler)
    assert type(pooler.attn) is torch.nn.MultiheadAttention


@settings(deadline=None, max_examples=60)
@given(
    rows=st.integers(1, 9),
    width=st.integers(1, 70),
    out=st.integers(1, 40),
    scale=st.sampled_from([0.0, 1e-20, 1e-3, 1.0, 1e4]),
    biased=st.booleans(),
    seed=st.integers(0, 99),
)
def test_a_linear_layer_errs_by_no_more_than_its_rounding(
    rows: int, width: int, out: int, scale: float, biased: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    layer = torch.nn.Linear(width, out, bias=biased).requires_grad_(False)
    tokens = torch.randn(rows, width) * scale
    found = EightBitLinear(layer.weight, layer.bias)(tokens)
    step_in = tokens.abs().amax(1, keepdim=True) / eightbit._levels()
    step_weight = layer.weight.abs().amax(1) / eightbit.WEIGHT_LEVELS
    bound = width * (step_in * layer.weight.abs().amax(1) + step_weight * tokens.abs().amax(1, keepdim=True)) + 1e-5
    assert ((found - layer(tokens)).abs() <= bound).all()


def test_where_sums_of_eight_bits_do_not_fit_seven_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(4)
    layer, tokens = torch.nn.Linear(256, 64).requires_grad_(False), torch.randn(20, 256)
    fine = cosines(EightBitLinear(layer.weight, layer.bias)(tokens), layer(tokens))
    product = eightbit._product
    saturated: Callable[..., torch.Tensor] = lambda *a: product(*a) * (0.5 if a[2] == eightbit.FINE_LEVELS else 1)  # noqa: E731
    monkeypatch.setattr(eightbit, "_product", saturated)
    eightbit._levels.cache_clear()
    try:
        coarse = cosines(EightBitLinear(layer.weight, layer.bias)(tokens), layer(tokens))
        assert eightbit._levels() == eightbit.COARSE_LEVELS
    finally:
        eightbit._levels.cache_clear()
    assert coarse.min() > 0.995
    assert coarse.mean() < fine.mean()


def test_a_processor_of_another_kind_is_told_so(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue_module, "runs_eight_bit", lambda: False)
    status = next(each for each in Catalogue(models_dir).statuses() if each.key == FAST)
    assert not status.ready
    assert "Intel and AMD" in status.problem
    monkeypatch.setattr(eightbit, "ENGINES", ())
    with pytest.raises(AppError, match="without “8-bit”"):
        Catalogue(models_dir, "cpu").load(FAST)


def test_nobody_is_given_the_variant_unasked(models_dir: Path, tmp_path: Path, photo: Callable[..., Path]) -> None:
    photo("one.png", 1)
    folder = (str(tmp_path / "media"),)
    with Session.open(tmp_path / "home", encoders=Catalogue(models_dir, "cpu")) as session:
        chosen = session.index(IndexRequest(folder)).spaces
        assert BASE in chosen
        assert FAST not in chosen
        assert session.index(IndexRequest(folder, (FAST,))).encoded == {FAST: 1}
        assert FAST in session.status().models
