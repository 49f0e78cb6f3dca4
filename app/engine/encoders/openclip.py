"""CLIP and SigLIP models as open_clip builds them: words and pictures in one space.

Radford et al.: Learning Transferable Visual Models From Natural Language Supervision, 2021. Tschannen et al.:
SigLIP 2: Multilingual Vision-Language Encoders, 2025.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import open_clip
import torch

from app.engine.encoders.device import CPU, Forward
from app.engine.encoders.eightbit import quantize
from app.engine.encoders.entries import Entry
from app.engine.encoders.network import NetworkEncoder, picture_tensor, placed
from app.engine.encoders.oom import is_out_of_memory
from app.engine.encoders.weights import Uninitialised, fit, read_weights
from app.engine.errors import WeightsCorrupt
from app.engine.samples import Picture, Text
from app.engine.types import Modality

Tokenizer = Callable[[list[str]], torch.Tensor]

_OPENAI_FACTS = ("input_resolution", "context_length", "vocab_size")
"""Three numbers that OpenAI's own checkpoints keep among the tensors."""


def load(entry: Entry, weights_path: Path, fingerprint: str, device: str) -> NetworkEncoder:
    """A variant's image tower has 8-bit layers, which run on the CPU whatever else is there.

    Raises:
        WeightsCorrupt: the weights are not this model's, or cannot be read.
        AppError: a variant, and this machine computes no 8-bit layers.
    """
    model_cfg = _model_cfg(entry)
    tokenizer = _tokenizer(model_cfg["text_cfg"], weights_path.parent, entry)
    network = _build(model_cfg, entry, weights_path.parent)
    fit(network, _adapted(read_weights(weights_path), network), entry, weights_path)
    if entry.variant_of:
        quantize(network.visual)
        device = CPU

    def encode_pictures(pictures: Sequence[Picture], place: str) -> torch.Tensor:
        rows: torch.Tensor = network.encode_image(picture_tensor(pictures, entry.mean, entry.std, place))
        return rows

    def encode_texts(texts: Sequence[Text], place: str) -> torch.Tensor:
        rows: torch.Tensor = network.encode_text(tokenizer([text.text for text in texts]).to(place))
        return rows

    placement = placed(network, device, entry.batch_size)
    forwards: dict[Modality, Forward[Any]] = {Modality.IMAGE: encode_pictures, Modality.TEXT: encode_texts}
    return NetworkEncoder(entry.spec, fingerprint, placement, forwards)


def _model_cfg(entry: Entry) -> dict[str, Any]:
    if entry.model_cfg is not None:
        return deepcopy(dict(entry.model_cfg))
    known: dict[str, Any] = open_clip.get_model_config(entry.architecture)
    return known


def _build(model_cfg: dict[str, Any], entry: Entry, folder: Path) -> Any:
    """The network, its weights not yet set. Its classes are called rather than `open_clip.create_model`, which
    resolves names over the network and logs that a model without pretrained weights is random."""
    sizes = {name: value for name, value in model_cfg.items() if name != "custom_text"}
    network_class = open_clip.CustomTextCLIP if model_cfg.get("custom_text") else open_clip.CLIP
    try:
        with Uninitialised():
            return network_class(**sizes)
    except (TypeError, ValueError, KeyError, RuntimeError, OSError) as error:
        if is_out_of_memory(error):
            raise
        raise WeightsCorrupt(
            f"{entry.name} cannot be built",
            "Its open_clip_config.json describes a network that open_clip cannot build without a download. "
            "Put the file that came with the weights in its place, or remove it.",
            str(folder),
        ) from error


def _adapted(tensors: dict[str, torch.Tensor], network: Any) -> dict[str, torch.Tensor]:
    """Older checkpoints under today's names: the text tower moved below ``text.``, and the two learned scalars are
    stored with and without a dimension."""
    named = {name: tensor for name, tensor in tensors.items() if name not in _OPENAI_FACTS}
    if "positional_embedding" in named and not hasattr(network, "positional_embedding"):
        named = open_clip.model.convert_to_custom_text_state_dict(named)
    for name, parameter in network.named_parameters():
        if name in named and parameter.numel() == named[name].numel() == 1:
            named[name] = named[name].reshape(parameter.shape)
    return named


def _tokenizer(text_cfg: Mapping[str, Any], folder: Path, entry: Entry) -> Tokenizer:
    """open_clip's own tokenizer, or the one whose files lie beside the weights."""
    context_length = text_cfg.get("context_length", open_clip.tokenizer.DEFAULT_CONTEXT_LENGTH)
    options = dict(text_cfg.get("tokenizer_kwargs", {}))
    name = text_cfg.get("hf_tokenizer_name")
    if not name:
        own: Tokenizer = open_clip.SimpleTokenizer(context_length=context_length, **options)
        return own
    try:
        beside = open_clip.tokenizer.HFTokenizer(
            str(folder),
            context_length=context_length,
            tokenizer_mode=text_cfg.get("tokenizer_mode"),
            local_files_only=True,
            trust_remote_code=False,
            **options,
        )
    except Exception as error:  # a broken file can make the readers raise anything
        raise WeightsCorrupt(
            f"The tokenizer of {entry.name} cannot be read",
            f"Put the files {' and '.join(entry.companions)} that came with the weights into {folder} again.",
            str(folder),
        ) from error
    if "siglip2" in name.lower():
        _as_siglip2_was_trained(beside.tokenizer)
    return beside  # type: ignore[no-any-return]


def _as_siglip2_was_trained(tokenizer: Any) -> None:
    """Words, then <eos>, then padding on the right, and no <bos>: what `open_clip.tokenizer.SigLipTokenizer` sets for
    Gemma's vocabulary. transformers 5 reads it from tokenizer.json alone and 4 from tokenizer_config.json; said here,
    both give the tokens the model has learned."""
    tokenizer.add_bos_token = False
    tokenizer.add_eos_token = True
    tokenizer.padding_side = "right"
