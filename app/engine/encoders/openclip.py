"""CLIP, SigLIP and MobileCLIP models as open_clip builds them: words and pictures in one space.

Radford et al.: Learning Transferable Visual Models From Natural Language Supervision, 2021. Zhai et al.: Sigmoid Loss
for Language Image Pre-Training, 2023. Vasu et al.: MobileCLIP: Fast Image-Text Models through Multi-Modal Reinforced
Training, 2024. Tschannen et al.: SigLIP 2: Multilingual Vision-Language Encoders, 2025.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import open_clip
import torch
from timm.models import reparameterize_model

from app.engine.encoders.checkpoint import outline
from app.engine.encoders.device import CPU, Forward
from app.engine.encoders.eightbit import quantize
from app.engine.encoders.entries import Entry
from app.engine.encoders.network import NetworkEncoder, learned_scoring, picture_tensor, placed
from app.engine.encoders.oom import is_out_of_memory
from app.engine.encoders.texttowers import on_disk, text_config
from app.engine.encoders.weights import Uninitialised, check_fit, fit, read_weights
from app.engine.errors import WeightsCorrupt
from app.engine.samples import Picture, Text
from app.engine.types import Modality

Tokenizer = Callable[[list[str]], torch.Tensor]

_OPENAI_FACTS = ("input_resolution", "context_length", "vocab_size")
"""Three numbers that OpenAI's own checkpoints keep among the tensors."""

_POSITIONS = "text.transformer.embeddings.position_ids"
"""The numbers 0, 1, 2…, which transformers kept among a tower's tensors until 4.31."""


def load(entry: Entry, weights_path: Path, fingerprint: str, device: str) -> NetworkEncoder:
    """A variant's image tower has 8-bit layers, which run on the CPU whatever else is there.

    Raises:
        WeightsCorrupt: the weights are not this model's, or cannot be read.
        AppError: a variant, and this machine computes no 8-bit layers.
    """
    words_to_tokens = tokenizer_of(entry, weights_path.parent)
    with torch.device("meta"), Uninitialised():  # a config can claim any size: memory is taken once the file has it too
        sketch = build(entry, weights_path.parent)
    check_fit(sketch, adapted(outline(weights_path), sketch), entry, weights_path)
    with Uninitialised():
        network = build(entry, weights_path.parent)
    fit(network, adapted(read_weights(weights_path), network), entry, weights_path)
    _simplify(network)
    if entry.variant_of:
        quantize(network.visual)
        device = CPU

    def encode_pictures(pictures: Sequence[Picture], place: str) -> torch.Tensor:
        rows: torch.Tensor = network.encode_image(picture_tensor(pictures, entry.mean, entry.std, place))
        return rows

    def encode_texts(texts: Sequence[Text], place: str) -> torch.Tensor:
        rows: torch.Tensor = network.encode_text(words_to_tokens([text.text for text in texts]).to(place))
        return rows

    scoring = learned_scoring(network.logit_scale, network.logit_bias)
    placement = placed(network, device, entry.batch_size)
    forwards: dict[Modality, Forward[Any]] = {Modality.IMAGE: encode_pictures, Modality.TEXT: encode_texts}
    return NetworkEncoder(entry.spec, fingerprint, placement, forwards, scoring)


def build(entry: Entry, folder: Path) -> Any:
    """The network of an entry with random weights. ``folder`` is asked for what the entry does not say of it.

    Its classes are called rather than `open_clip.create_model`, which resolves names over the network and logs that a
    model without pretrained weights is random.

    Raises:
        WeightsCorrupt: its description is one that open_clip cannot build from.
    """
    sizes = model_cfg_of(entry)
    separate = sizes.pop("custom_text", False)
    try:
        vision_cfg, text_cfg = sizes["vision_cfg"], sizes["text_cfg"]
        if "timm_model_name" in vision_cfg:
            vision_cfg["timm_model_pretrained"] = False  # all of it is in the weights file
        if tower := text_cfg.get("hf_model_name"):
            with on_disk(text_config(tower, folder)) as place:
                text_cfg.update(hf_model_name=place, hf_model_pretrained=False)
                return open_clip.CustomTextCLIP(**sizes)
        return open_clip.CustomTextCLIP(**sizes) if separate else open_clip.CLIP(**sizes)
    except WeightsCorrupt:
        raise
    except Exception as error:  # a network's own code meets numbers it was not written for
        if is_out_of_memory(error):
            raise
        raise WeightsCorrupt(
            f"{entry.name} cannot be built",
            "Its open_clip_config.json describes a network that open_clip cannot build without a download. "
            "Put the file that came with the weights in its place, or remove it.",
            str(folder),
        ) from error


def tokenizer_of(entry: Entry, folder: Path) -> Tokenizer:
    """What turns words into (n, context length) int64 tokens: open_clip's own, or that of the entry's companions, which
    lie in ``folder``.

    The words go in as they were typed, without a prompt around them.

    Raises:
        WeightsCorrupt: a file of it cannot be read.
    """
    text_cfg = model_cfg_of(entry)["text_cfg"]
    context_length = text_cfg.get("context_length", open_clip.tokenizer.DEFAULT_CONTEXT_LENGTH)
    options = dict(text_cfg.get("tokenizer_kwargs", {}))
    name = text_cfg.get("hf_tokenizer_name")
    if not name:
        own: Tokenizer = open_clip.SimpleTokenizer(context_length=context_length, **options)
        return own
    if tower := text_cfg.get("hf_model_name"):
        options["config"] = text_config(tower, folder)  # tells the kind of the tokenizer where its own files do not
    try:
        with TemporaryDirectory() as alone:  # transformers reads all it knows; no other file may change the tokens
            for companion in entry.companions:
                shutil.copyfile(folder / companion, Path(alone, companion))
            beside = open_clip.tokenizer.HFTokenizer(
                alone,
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
    return beside  # type: ignore[no-any-return]  # open_clip has no types


def model_cfg_of(entry: Entry) -> dict[str, Any]:
    """A copy of what the architecture is in open_clip's terms.

    Raises:
        WeightsCorrupt: open_clip has none of its name.
    """
    if entry.model_cfg is not None:
        return deepcopy(dict(entry.model_cfg))
    if entry.architecture not in open_clip.list_models():  # other names may be places, which open_clip would look into
        raise WeightsCorrupt(
            f"{entry.name} cannot be built",
            f"open_clip has no architecture “{entry.architecture[:80]}”. Remove the model and add it again.",
        )
    known: dict[str, Any] = open_clip.get_model_config(entry.architecture)
    return known


def _simplify(network: Any) -> None:
    """Fold the parallel branches and normalisations of a FastViT tower (MobileCLIP) into single convolutions, which
    compute the same: section 3 of Vasu et al.: FastViT, 2023. Other towers have none."""
    if isinstance(network.visual, open_clip.timm_model.TimmModel):
        reparameterize_model(network.visual.eval(), inplace=True)


def adapted(tensors: dict[str, torch.Tensor], network: Any) -> dict[str, torch.Tensor]:
    """Older checkpoints under today's names: the text tower moved below ``text.``, and the two learned scalars are
    stored with and without a dimension."""
    named = {name: tensor for name, tensor in tensors.items() if name not in (*_OPENAI_FACTS, _POSITIONS)}
    if "positional_embedding" in named and not hasattr(network, "positional_embedding"):
        named = open_clip.model.convert_to_custom_text_state_dict(named)
    for name, parameter in network.named_parameters():
        if name in named and parameter.numel() == named[name].numel() == 1:
            named[name] = named[name].reshape(parameter.shape)
    return named


def _as_siglip2_was_trained(tokenizer: Any) -> None:
    """Words, then <eos>, then padding on the right, and no <bos>: what `open_clip.tokenizer.SigLipTokenizer` sets for
    Gemma's vocabulary. transformers 5 reads it from tokenizer.json alone and 4 from tokenizer_config.json; said here,
    both give the tokens the model has learned."""
    tokenizer.add_bos_token = False
    tokenizer.add_eos_token = True
    tokenizer.padding_side = "right"
