"""CLAP in its real size: words and sounds get the vectors, the tokens and the features that transformers gives them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from fidelity import HALF_FAITHFUL, assert_same, entry, in_half, refuse_connections, waves
from transformers import ClapConfig, ClapFeatureExtractor, ClapModel, ClapProcessor, PreTrainedTokenizerFast

from app.bench.models import install_seeded, write_roberta_tokenizer
from app.engine.encoders import clap
from app.engine.encoders.base import Encoder, scoring_of, unit_rows
from app.engine.encoders.catalogue import Catalogue
from app.engine.errors import UnsupportedModality, WeightsCorrupt, WeightsMissing
from app.engine.samples import Picture, Sound, Text

CLAP = "clap-htsat"
RATE_HZ = 48_000
TEXTS = ("a dog barks", "Two violins, slowly!", "Regen auf einem Dach 🌧", "", "rain and then thunder " * 60)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_connections(monkeypatch)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Encoder, Any, Path]]:
    """The encoder, the network that transformers makes of the same file, and the model's folder."""
    home = tmp_path_factory.mktemp("clap")
    install_seeded(home, [CLAP])
    folder = home / "models" / CLAP
    write_roberta_tokenizer(folder, TEXTS)
    upstream = ClapModel(ClapConfig()).eval()
    upstream.load_state_dict(safetensors.torch.load_file(folder / "model.safetensors"))
    yield Catalogue(home / "models", device="cpu").load(CLAP), upstream, folder
    (folder / "model.safetensors").unlink()


def processor(folder: Path) -> Any:
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), pad_token="<pad>", model_max_length=512
    )
    return ClapProcessor(ClapFeatureExtractor(truncation="rand_trunc"), tokenizer)


def features(answer: Any) -> torch.Tensor:
    """transformers 5 wraps what 4 gave as it was."""
    return answer if isinstance(answer, torch.Tensor) else answer.pooler_output


def prepared(folder: Path, sounds: list[Any]) -> Any:
    return processor(folder)(audio=sounds, sampling_rate=RATE_HZ, return_tensors="pt")


# --- words -----------------------------------------------------------------------------------------------------------


def test_words_become_the_tokens_that_transformers_makes(seeded: tuple[Encoder, Any, Path]) -> None:
    """Up to the length of the captions that the network has learned from: words, then as many fillers as it takes."""
    _, _, folder = seeded
    ids, mask = clap.read_tokenizer(folder / clap.TOKENIZER_FILE, entry(CLAP))(list(TEXTS))
    theirs = processor(folder)(
        text=list(TEXTS), padding=True, truncation=True, max_length=clap.CONTEXT_TOKENS, return_tensors="pt"
    )
    assert ids.shape == (5, 77)
    assert torch.equal(ids, theirs["input_ids"])
    assert torch.equal(mask, theirs["attention_mask"])


def test_clap_gives_the_text_vectors_that_transformers_gives(seeded: tuple[Encoder, Any, Path]) -> None:
    encoder, upstream, folder = seeded
    tokens = processor(folder)(text=list(TEXTS), padding=True, truncation=True, max_length=77, return_tensors="pt")
    ours = encoder.encode([Text(text) for text in TEXTS])
    with torch.inference_mode():
        theirs = features(upstream.get_text_features(**tokens))
    assert_same(ours, theirs)
    with in_half():
        assert_same(encoder.encode([Text(text) for text in TEXTS]), theirs, HALF_FAITHFUL)


def test_a_text_has_the_same_vector_alone_and_beside_longer_ones(seeded: tuple[Encoder, Any, Path]) -> None:
    encoder, _, _ = seeded
    together = encoder.encode([Text(text) for text in TEXTS])
    assert_same(together, torch.from_numpy(np.concatenate([encoder.encode([Text(text)]) for text in TEXTS])))


# --- sounds ----------------------------------------------------------------------------------------------------------


def test_clap_gives_the_sound_vectors_that_transformers_gives(seeded: tuple[Encoder, Any, Path]) -> None:
    """Of ten seconds, of less, and of very little."""
    encoder, upstream, folder = seeded
    tone, noise, buzz = waves(RATE_HZ, 10)
    sounds = [tone, noise[: 3 * RATE_HZ], buzz[:5000]]
    inputs = prepared(folder, sounds)
    ours = encoder.encode([Sound(wave) for wave in sounds])
    with torch.inference_mode():
        theirs = features(upstream.get_audio_features(**inputs))
    assert_same(ours, theirs)
    with in_half():
        assert_same(encoder.encode([Sound(wave) for wave in sounds]), theirs, HALF_FAITHFUL)


def test_words_are_as_likely_as_transformers_says(seeded: tuple[Encoder, Any, Path]) -> None:
    encoder, upstream, folder = seeded
    words, sounds = list(TEXTS[:2]), waves(RATE_HZ, 2)[:2]
    tokens = processor(folder)(text=words, return_tensors="pt", padding=True)
    with torch.inference_mode():
        answer = upstream(**tokens, input_features=prepared(folder, sounds)["input_features"])
    scoring = scoring_of(encoder)
    assert scoring is not None
    ours = encoder.encode([Sound(wave) for wave in sounds]) @ encoder.encode([Text(text) for text in words]).T
    theirs = answer.logits_per_audio.softmax(dim=1).numpy()
    np.testing.assert_allclose(scoring.probabilities(ours), theirs, atol=1e-5)


def test_a_longer_sound_is_the_mean_of_the_pieces_that_cover_it(seeded: tuple[Encoder, Any, Path]) -> None:
    encoder, upstream, folder = seeded
    tone, noise, buzz = waves(RATE_HZ, 10)
    long = np.concatenate([tone, noise, buzz[: 4 * RATE_HZ]])
    pieces = [long[start : start + 10 * RATE_HZ] for start in (0, 7 * RATE_HZ, 14 * RATE_HZ)]
    with torch.inference_mode():
        rows = features(upstream.get_audio_features(**prepared(folder, pieces))).numpy()
    mixed = encoder.encode([Sound(noise), Sound(long), Sound(tone)])
    mean = unit_rows(unit_rows(rows).mean(axis=0, keepdims=True))
    assert_same(mixed[1:2], torch.from_numpy(mean))
    np.testing.assert_allclose(encoder.encode([Sound(long)]), mixed[1:2], atol=1e-5)


@pytest.mark.parametrize(
    ("samples", "lengths"),
    [
        (1, [1]),
        (480_000, [480_000]),
        (480_001, [480_000, 480_000]),
        (960_000, [480_000, 480_000]),
        (1_000_000, [480_000] * 3),
    ],
)
def test_pieces_are_full_and_cover_all(samples: int, lengths: list[int]) -> None:
    wave = np.arange(samples, dtype=np.float32)
    pieces = clap.pieces_of(wave)
    assert [len(piece) for piece in pieces] == lengths
    assert len(np.unique(np.concatenate(pieces))) == samples


def test_silence_nothing_and_what_is_no_number_are_taken(seeded: tuple[Encoder, Any, Path]) -> None:
    encoder, _, _ = seeded
    odd = np.zeros(RATE_HZ, np.float32)
    odd[:3] = np.nan, np.inf, -np.inf
    nothing, silence, broken = encoder.encode([Sound(odd[:0]), Sound(np.zeros(RATE_HZ, np.float32)), Sound(odd)])
    assert np.linalg.norm(silence) == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose([nothing, broken], [silence, silence], atol=1e-5)


def test_clap_refuses_pictures(seeded: tuple[Encoder, Any, Path]) -> None:
    encoder, _, _ = seeded
    with pytest.raises(UnsupportedModality, match="compares words and sounds, not pictures"):
        encoder.encode([Picture(np.zeros((224, 224, 3), np.uint8))])


# --- its folder ------------------------------------------------------------------------------------------------------


def test_files_of_other_releases_of_transformers_fit(seeded: tuple[Encoder, Any, Path], tmp_path: Path) -> None:
    """Which of the numberings are saved differs: here none are, and one is that the network does not have."""
    encoder, _, folder = seeded
    tensors = safetensors.torch.load_file(folder / "model.safetensors")
    learned = {name: tensor for name, tensor in tensors.items() if tensor.is_floating_point()}
    assert len(learned) < len(tensors)
    write_roberta_tokenizer(tmp_path, TEXTS)
    torch.save({**learned, "text_model.embeddings.numbers": torch.arange(5)}, tmp_path / "pytorch_model.bin")
    older = clap.load(entry(CLAP), tmp_path / "pytorch_model.bin", "f", "cpu")
    (tmp_path / "pytorch_model.bin").unlink()
    texts = [Text(text) for text in TEXTS]
    np.testing.assert_allclose(older.encode(texts), encoder.encode(texts), atol=1e-5)


def test_the_published_file_has_the_size_that_the_catalogue_says(seeded: tuple[Encoder, Any, Path]) -> None:
    """The hub shows 615 MB, and 2.11 MB for the tokenizer."""
    _, upstream, folder = seeded
    weights_bytes = (folder / "model.safetensors").stat().st_size
    assert weights_bytes == pytest.approx(615e6, rel=0.001)
    assert entry(CLAP).download_bytes == pytest.approx(weights_bytes + 2.11e6, rel=0.001)
    assert entry(CLAP).parameters == sum(parameter.numel() for parameter in upstream.parameters())


def test_a_missing_or_damaged_tokenizer_is_named(seeded: tuple[Encoder, Any, Path], tmp_path: Path) -> None:
    folder = tmp_path / CLAP
    folder.mkdir()
    (folder / "model.safetensors").touch()
    with pytest.raises(WeightsMissing, match=r"tokenizer\.json must lie beside"):
        Catalogue(tmp_path, device="cpu").load(CLAP)
    of_another = '{"version": "1.0", "model": {"type": "BPE", "vocab": {"<pad>": 0, "a": 1}, "merges": []}}'
    for content in ("{", of_another):
        (folder / "tokenizer.json").write_text(content, "utf-8")
        with pytest.raises(WeightsCorrupt, match=r"tokenizer\.json that came with the weights"):
            Catalogue(tmp_path, device="cpu").load(CLAP)
