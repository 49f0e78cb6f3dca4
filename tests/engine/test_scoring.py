"""Cosines become the probabilities that the makers of a model give for the same pictures and words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import open_clip
import pytest
import safetensors.torch
import smallclip
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from app.engine.encoders.base import Scoring, scoring_of
from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.network import learned_scoring
from app.engine.samples import Picture, Text

WORDS = ["a photo of a cat.", "a photo of a dog.", "two red balls"]
PIXELS = np.random.default_rng(3).integers(0, 256, (4, 32, 32, 3), np.uint8)

cosines = arrays.arrays(
    np.float32, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.floats(-1, 1, width=32)
)
scales, biases = st.floats(0.1, 120), st.floats(-20, 20)


@given(cosines, scales)
def test_a_softmax_shares_out_one(rows: np.ndarray, scale: float) -> None:
    chances = Scoring("softmax", scale).probabilities(rows)
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-5)
    expected = torch.softmax(torch.from_numpy(rows).double() * scale, dim=1).numpy()
    np.testing.assert_allclose(chances, expected, atol=1e-5)


@given(cosines, scales, biases)
def test_a_sigmoid_judges_each_word_for_itself(rows: np.ndarray, scale: float, bias: float) -> None:
    chances = Scoring("sigmoid", scale, bias).probabilities(rows)
    expected = torch.sigmoid(torch.from_numpy(rows).double() * scale + bias).numpy()
    np.testing.assert_allclose(chances, expected, atol=1e-5)


@pytest.mark.parametrize("bias", [None, -9.5])
def test_probabilities_are_upstreams(tmp_path: Path, bias: float | None) -> None:
    """open_clip's own call on the same weights, for a softmax (no bias) and for a sigmoid."""
    folder = smallclip.write(tmp_path, bias=bias)
    encoder = Catalogue(tmp_path, device="cpu").load(smallclip.KEY)
    upstream = open_clip.CLIP(**smallclip.MODEL_CFG, init_logit_bias=bias)
    upstream.load_state_dict(safetensors.torch.load_file(folder / "model.safetensors"))
    tokens = open_clip.SimpleTokenizer(context_length=16)(WORDS)
    entry = Catalogue(tmp_path, device="cpu").entry(smallclip.KEY)
    pictures = (torch.from_numpy(PIXELS).permute(0, 3, 1, 2).float() / 255 - _channels(entry.mean)) / _channels(
        entry.std
    )
    with torch.inference_mode():
        logits, _ = upstream.eval().get_logits(pictures, tokens)
    expected = logits.softmax(dim=1) if bias is None else logits.sigmoid()
    scoring = scoring_of(encoder)
    assert scoring is not None
    assert scoring.kind == ("softmax" if bias is None else "sigmoid")
    ours = encoder.encode([Picture(one) for one in PIXELS]) @ encoder.encode([Text(words) for words in WORDS]).T
    np.testing.assert_allclose(scoring.probabilities(ours), expected.numpy(), atol=1e-5)


def _channels(values: tuple[float, ...]) -> torch.Tensor:
    return torch.tensor(values).view(1, 3, 1, 1)


def test_weights_whose_scale_is_no_number_give_none() -> None:
    assert learned_scoring(torch.tensor(float("nan"))) is None
    assert learned_scoring(torch.tensor(4.6), torch.tensor(float("inf"))) is None
    assert learned_scoring(torch.tensor(np.log(100.0))) == Scoring("softmax", pytest.approx(100.0))


def test_an_encoder_without_words_has_none(tmp_path: Path) -> None:
    assert scoring_of(Catalogue(tmp_path, device="cpu").load("colour-texture")) is None
