"""Text towers that a CLIP model borrows from transformers: BERT and its kin, described by data and never looked up.

open_clip names such a tower by its repository on a hub and asks there what it looks like. Here that is said by a table
for the towers that published models have, and for any other by a ``config.json`` beside the weights, of which nothing
but a few numbers is read.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers import AutoConfig, PreTrainedConfig

from app.engine.encoders.folder import read_json
from app.engine.encoders.openclip_bounds import check_settings
from app.engine.encoders.openclip_config import TEXT_CONFIG_FILE
from app.engine.errors import WeightsCorrupt

_BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
_LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
_ROBERTA = {
    "max_position_embeddings": 514,
    "type_vocab_size": 1,
    "layer_norm_eps": 1e-5,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
}
_XLM_ROBERTA = {"model_type": "xlm-roberta", "vocab_size": 250_002, **_ROBERTA}

_KNOWN: dict[str, dict[str, Any]] = {
    "xlm-roberta-base": {**_XLM_ROBERTA, **_BASE},
    "xlm-roberta-large": {**_XLM_ROBERTA, **_LARGE},
    "roberta-base": {"model_type": "roberta", "vocab_size": 50_265, **_ROBERTA, **_BASE},
    "microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract": {"model_type": "bert", "vocab_size": 30_522, **_BASE},
}
"""What the ``config.json`` of each of these repositories says, where it differs from transformers' defaults (Conneau
et al. 2020, Liu et al. 2019, Gu et al. 2021)."""

_MODEL_TYPES = ("bert", "roberta", "xlm-roberta")
_FIELDS = (
    "vocab_size",
    *("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act"),
    *("max_position_embeddings", "type_vocab_size", "layer_norm_eps"),
    *("pad_token_id", "bos_token_id", "eos_token_id"),
)
"""All that decides the shape of such a tower and what it computes. Other fields can name code or files to fetch."""


def text_config(name: str, folder: Path) -> PreTrainedConfig:
    """The tower that open_clip calls ``name``, of the model in ``folder``.

    Raises:
        WeightsCorrupt: it is none of those that are known, and no ``config.json`` describes it.
    """
    facts = _KNOWN.get(name.removeprefix("FacebookAI/")) or _described(name, folder)
    return AutoConfig.for_model(**facts)


@contextmanager
def on_disk(config: PreTrainedConfig) -> Iterator[str]:
    """A folder that holds ``config``, which is where open_clip looks for it."""
    with tempfile.TemporaryDirectory() as place:
        config.save_pretrained(place)
        yield place


def _described(name: str, folder: Path) -> Mapping[str, Any]:
    path = folder / TEXT_CONFIG_FILE
    try:
        found = read_json(path)
        if found["model_type"] not in _MODEL_TYPES:
            raise ValueError(f"a text tower of the kind {found['model_type']}")
        facts = {field: found[field] for field in ("model_type", *_FIELDS) if field in found}
        check_settings(facts)
        return facts
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsCorrupt(
            "This text tower is not known",
            f"The model's text tower is “{name}”, which this program does not know by itself. Put the {path.name} of "
            f"{name} beside the weights; towers of the kinds {', '.join(_MODEL_TYPES)} can be used.",
            str(folder),
        ) from error
