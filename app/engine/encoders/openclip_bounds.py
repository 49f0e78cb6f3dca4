"""What a network in open_clip's terms may ask for. A config comes with the weights, from anywhere, and its numbers
become loops and memory; its names become look-ups, some of them over the network."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from app.engine.samples import LARGEST_PX

_MOST = {
    "layers": 256,
    "num_hidden_layers": 256,
    "image_size": LARGEST_PX,
    "patch_size": LARGEST_PX,
    "context_length": 8192,
}
_MOST_ELSE = 2_000_000
"""open_clip's own configs reach 56 layers, 512 px, 77 tokens, and a vocabulary of 901,629."""

_TOKENIZER_OPTIONS = ("clean", "strip_sep_token")
"""How words are cleaned, in open_clip's own configs. Others name files, or let code be run."""

_MODEL_NAMES = ("timm_model_name", "hf_model_name")
_MODEL_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
"""A name in timm's or transformers' lists: neither an address ("hf-hub:…") nor a way through folders."""

_DEPTH = 8


def bounded(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of ``model_cfg``, which builds a network of sane size from names that are looked up here alone.

    Raises:
        TypeError, ValueError: it asks for anything else. The message says what.
    """
    copy = deepcopy(dict(model_cfg))
    check_settings(copy)
    for tower in ("vision_cfg", "text_cfg"):
        if not isinstance(copy.get(tower), dict):
            raise TypeError(f"no {tower}")
    if strange := sorted(set(copy["text_cfg"].get("tokenizer_kwargs") or {}) - set(_TOKENIZER_OPTIONS)):
        raise ValueError(f"tokenizer_kwargs {strange[0]}")
    return copy


def check_settings(settings: Mapping[str, Any]) -> None:
    """Raises ValueError for numbers of no sane size and names that are none, in a table or in those within it."""
    _check(settings, "settings", 0)


def _check(value: Any, name: str, depth: int) -> None:
    if depth > _DEPTH:
        raise ValueError("settings nested too deeply")
    if isinstance(value, Mapping):
        for inner, setting in value.items():
            _check(setting, str(inner), depth + 1)
    elif isinstance(value, list):
        for setting in value:
            _check(setting, name, depth + 1)
    elif isinstance(value, str):
        if name in _MODEL_NAMES and not _MODEL_NAME.fullmatch(value):
            raise ValueError(f"{name} {value[:80]!r} is no model's name")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        _check_number(value, name)


def _check_number(value: Any, name: str) -> None:
    least = -_MOST_ELSE if isinstance(value, float) or name.startswith("init_") else 0
    if not math.isfinite(value) or not least <= value <= _MOST.get(name, _MOST_ELSE):
        raise ValueError(f"{name} {value}")
