"""CLAP: words and sounds in one space, as transformers builds it. Input: mono at 48 kHz.

Wu, Chen, Zhang, Hui, Berg-Kirkpatrick, Dubnov: Large-scale Contrastive Language-Audio Pretraining with Feature Fusion
and Keyword-to-Caption Augmentation, 2022. The published network without fusion has the sizes that `ClapConfig` has by
default, so no configuration is read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tokenizers
import torch
from transformers import ClapConfig, ClapFeatureExtractor, ClapModel

from app.engine.encoders.device import Forward
from app.engine.encoders.entries import Entry
from app.engine.encoders.network import NetworkEncoder, clean_wave, learned_scoring, placed
from app.engine.encoders.weights import Uninitialised, fit, read_weights
from app.engine.errors import WeightsCorrupt
from app.engine.samples import Sound, Text
from app.engine.types import Modality

SAMPLE_RATE_HZ = 48_000
PIECE_SAMPLES = 10 * SAMPLE_RATE_HZ
"""What the network hears at a time."""

CONTEXT_TOKENS = 77
"""To this length its authors cut the captions it has learned from. transformers would take 512."""

PADDING = "<pad>"
TOKENIZER_FILE = "tokenizer.json"

CONFIG = ClapConfig()

Tokens = tuple[torch.Tensor, torch.Tensor]


def load(entry: Entry, weights_path: Path, fingerprint: str, device: str) -> NetworkEncoder:
    """Raises WeightsCorrupt."""
    tokens_of = read_tokenizer(weights_path.parent / TOKENIZER_FILE, entry)
    with Uninitialised():
        network = ClapModel(CONFIG)
    fit(network, _learned_tensors(read_weights(weights_path), network), entry, weights_path)
    # Among the extractor's two mel scales this one is that of the network without fusion.
    features_of = ClapFeatureExtractor(truncation="rand_trunc")

    def encode_texts(texts: Sequence[Text], place: str) -> torch.Tensor:
        ids, mask = tokens_of([text.text for text in texts])
        hidden = network.text_model(input_ids=ids.to(place), attention_mask=mask.to(place)).pooler_output
        rows: torch.Tensor = network.text_projection(hidden)
        return rows

    def encode_pieces(pieces: Sequence[npt.NDArray[np.float32]], place: str) -> torch.Tensor:
        prepared = features_of(list(pieces), sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt")
        hidden = network.audio_model(input_features=prepared["input_features"].to(place)).pooler_output
        return torch.nn.functional.normalize(network.audio_projection(hidden).float(), dim=1)

    def encode_sounds(sounds: Sequence[Sound], place: str) -> torch.Tensor:
        cut = [pieces_of(clean_wave(sound, shortest_samples=1)) for sound in sounds]
        rows = iter(encode_pieces([piece for pieces in cut for piece in pieces], place))
        return torch.stack([torch.stack([next(rows) for _ in pieces]).mean(dim=0) for pieces in cut])

    scoring = learned_scoring(network.logit_scale_a)
    placement = placed(network, device, entry.batch_size)
    forwards: dict[Modality, Forward[Any]] = {Modality.TEXT: encode_texts, Modality.AUDIO: encode_sounds}
    return NetworkEncoder(entry.spec, fingerprint, placement, forwards, scoring)


def pieces_of(wave: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
    """A sound above ten seconds as the fewest pieces of ten seconds that cover it, evenly spread; its vector is the
    mean of their unit vectors. (The authors take ten seconds somewhere at random, which is another vector each time.)

    A shorter sound is one piece; the extractor repeats it as often as it fits and fills up with silence.
    """
    count = max(1, math.ceil(len(wave) / PIECE_SAMPLES))
    starts = np.linspace(0, max(0, len(wave) - PIECE_SAMPLES), count).round().astype(int)
    return [wave[start : start + PIECE_SAMPLES] for start in starts]


def read_tokenizer(path: Path, entry: Entry) -> Callable[[list[str]], Tokens]:
    """What turns texts into token ids and their mask, (n, longest) int64 each: RoBERTa's byte-level tokens, of which
    the file says everything.

    Raises:
        WeightsCorrupt: the file cannot be read as a tokenizer.
    """
    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(path))
        padding = CONFIG.text_config.pad_token_id
        if tokenizer.token_to_id(PADDING) != padding or tokenizer.get_vocab_size() > CONFIG.text_config.vocab_size:
            raise ValueError("the tokens are not those of the network")
    except Exception as error:  # the reader raises plain exceptions
        raise WeightsCorrupt(
            f"The tokenizer of {entry.name} cannot be read",
            f"Put the file {path.name} that came with the weights into {path.parent} again.",
            str(path),
        ) from error
    tokenizer.enable_truncation(CONTEXT_TOKENS)
    tokenizer.enable_padding(pad_id=padding, pad_token=PADDING)

    def tokens_of(texts: list[str]) -> Tokens:
        encoded = tokenizer.encode_batch(texts)
        ids, mask = [one.ids for one in encoded], [one.attention_mask for one in encoded]
        return torch.tensor(ids), torch.tensor(mask)

    return tokens_of


def _learned_tensors(tensors: dict[str, torch.Tensor], network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """What a file holds of what was learned, with the network's own numbering of positions: releases of transformers
    differ in which of these integers they save."""
    numbering = {name: tensor for name, tensor in network.state_dict().items() if not tensor.is_floating_point()}
    learned = {name: tensor for name, tensor in tensors.items() if tensor.is_floating_point()}
    return {**learned, **numbering}
