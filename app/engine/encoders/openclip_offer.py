"""Which network of open_clip an offered checkpoint is: by its config, by name, or by the shapes of its tensors."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import open_clip
import torch

from app.engine.encoders.counting import gflops_of, memory_for, parameters_in
from app.engine.encoders.entries import Entry
from app.engine.encoders.offer import Offer, Recognised, blank, listed, refusal
from app.engine.encoders.openclip import adapted, build
from app.engine.encoders.openclip_config import (
    CLIP_MEAN,
    CLIP_STD,
    CONFIG_FILE,
    TEXT_CONFIG_FILE,
    TOKENIZER_FILES,
    configured,
    described,
)
from app.engine.encoders.weights import Uninitialised, first_mismatch
from app.engine.types import Modality

_EMBEDDINGS = ("token_embedding.weight", "text.token_embedding.weight")
_PREPARATION = {"mean": CLIP_MEAN, "std": CLIP_STD, "interpolation": "bicubic", "resize_mode": "shortest"}
"""What open_clip's table of published checkpoints may say of each, and what it means where it is silent."""

_BATCH_SIZE = 32


def is_openclip(offer: Offer) -> bool:
    return CONFIG_FILE in offer.beside or any(name.startswith("visual.") for name in offer.tensors)


def recognise(offer: Offer) -> Recognised:
    """The entry of an offered model, and its config in open_clip's layout.

    Raises:
        WeightsCorrupt: it is no network of open_clip, or it cannot be known which. The message says what does not fit.
    """
    if not offer.architecture and CONFIG_FILE in offer.beside:
        entry = configured(_blank(""), offer.beside[CONFIG_FILE].parent)
        return Recognised(_counted(entry, offer), copied=(CONFIG_FILE, *_tokenizer_files(entry, offer)))
    architecture = _known(offer) if offer.architecture else _found(offer)
    config = _config_of(architecture)
    entry = described(_blank(architecture), config)
    return Recognised(_counted(entry, offer), copied=_tokenizer_files(entry, offer), written={CONFIG_FILE: config})


def fitting(tensors: Mapping[str, torch.Tensor]) -> tuple[str, ...]:
    """The names of open_clip's architectures that have these tensors, by name and shape."""
    return tuple(
        name
        for name in open_clip.list_models()
        if _could_be(open_clip.get_model_config(name), tensors)
        and not _mismatch(_sketch(described(_blank(name), _config_of(name)), Path()), tensors)
    )


def _blank(architecture: str) -> Entry:
    return blank("open_clip", architecture, frozenset({Modality.TEXT, Modality.IMAGE}), _BATCH_SIZE)


def _known(offer: Offer) -> str:
    names = open_clip.list_models()
    if offer.architecture in names:
        return offer.architecture
    near = difflib.get_close_matches(offer.architecture, names)
    raise refusal(
        offer,
        f"open_clip has no architecture “{offer.architecture[:80]}”. "
        + (f"Did you mean {' or '.join(near)}?" if near else "Leave it out, and it is found out."),
    )


def _found(offer: Offer) -> str:
    found = fitting(offer.tensors)
    if len(found) == 1:
        return found[0]
    if found:
        raise refusal(
            offer,
            f"Its tensors fit {listed(found)}, which compute different things: say which one it was trained as "
            "(--architecture).",
        )
    raise refusal(
        offer,
        "Its tensors are those of no architecture that open_clip has. Add a folder with its open_clip_config.json "
        "beside the weights, or name the architecture (--architecture) to see what does not fit.",
    )


def _config_of(architecture: str) -> dict[str, Any]:
    """A known architecture in open_clip's layout. Pictures are prepared as for most of its published checkpoints."""
    tags = open_clip.list_pretrained_tags_by_model(architecture)
    published = [open_clip.get_pretrained_cfg(architecture, tag) for tag in tags]
    prepared = [tuple(table.get(name, usual) for name, usual in _PREPARATION.items()) for table in published]
    (preparation, _), *_ = Counter(prepared).most_common(1) or [(tuple(_PREPARATION.values()), 0)]
    return {
        "model_cfg": open_clip.get_model_config(architecture),
        "preprocess_cfg": dict(zip(_PREPARATION, preparation, strict=True)),
    }


def _could_be(model_cfg: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> bool:
    """A look at the vocabulary, which takes no time; building a sketch takes a tenth of a second."""
    text_cfg = model_cfg["text_cfg"]
    embedding = next((tensors[name] for name in _EMBEDDINGS if name in tensors), None)
    if embedding is None or "multimodal_cfg" in model_cfg or "hf_model_name" in text_cfg:
        return False
    usual = open_clip.CLIPTextCfg()
    wanted = text_cfg.get("vocab_size", usual.vocab_size), text_cfg.get("width", usual.width)
    return tuple(embedding.shape) == wanted


def _sketch(entry: Entry, folder: Path) -> Any:
    with torch.device("meta"), Uninitialised():
        return build(entry, folder)


def _mismatch(sketch: Any, tensors: Mapping[str, torch.Tensor]) -> str:
    return first_mismatch(sketch.state_dict(), adapted(dict(tensors), sketch))


def _counted(entry: Entry, offer: Offer) -> Entry:
    """``entry`` with what its network costs.

    Raises:
        WeightsCorrupt: the tensors are not those of the network.
    """
    sketch = _sketch(entry, offer.weights.parent)
    if mismatch := _mismatch(sketch, offer.tensors):
        alike = fitting(offer.tensors)
        looks = f" This looks like {listed(alike)}." if alike else ""
        raise refusal(offer, f"It is not the network that was named: {mismatch}.{looks}")
    size_px = entry.picture.size_px if entry.picture else 0
    parameters = parameters_in(sketch)
    return replace(
        entry,
        languages=() if (entry.model_cfg or {})["text_cfg"].get("hf_tokenizer_name") else ("en",),
        parameters=parameters,
        memory_bytes=memory_for(parameters),
        gflops=gflops_of(sketch.encode_image, 1, 3, size_px, size_px),
    )


def _tokenizer_files(entry: Entry, offer: Offer) -> tuple[str, ...]:
    """The files beside the weights that its words need, if any: a tokenizer, of which a text tower of transformers'
    tells the kind by itself."""
    text_cfg = (entry.model_cfg or {})["text_cfg"]
    if not text_cfg.get("hf_tokenizer_name"):
        return ()
    is_borrowed = bool(text_cfg.get("hf_model_name"))
    missing = [name for name in TOKENIZER_FILES[: 1 if is_borrowed else 2] if name not in offer.beside]
    if missing:
        raise refusal(
            offer,
            f"Its words need a tokenizer of their own: put {' and '.join(missing)}, which came with the weights, into "
            "one folder with them, and add the folder.",
        )
    names = (*TOKENIZER_FILES, TEXT_CONFIG_FILE) if is_borrowed else TOKENIZER_FILES
    return tuple(name for name in names if name in offer.beside)
