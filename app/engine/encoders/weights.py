"""Fitting the tensors of a weights file to a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from app.engine.encoders.checkpoint import read_weights as read_weights  # reading and fitting go together
from app.engine.encoders.entries import Entry
from app.engine.errors import WeightsCorrupt

_COUNTER = "num_batches_tracked"
"""Batch norm's count of training batches: newer files have it, older do not, inference does not read it."""

_RANDOM_FILLS = (
    *("uniform_", "normal_", "trunc_normal_"),
    *("xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_"),
)
_SHAPING = ("erfinv_", "mul_", "add_", "clamp_")
"""What timm makes of uniform numbers to have its own truncated normal ones. It would touch memory in vain."""


class Uninitialised(TorchFunctionMode):
    """Inside this context a network is built without drawing its random initial weights, which takes seconds, and
    memory.

    For networks whose every parameter is then loaded from a file; `fit` makes sure of that.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        named = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in _RANDOM_FILLS or (name in _SHAPING and isinstance(args[0], torch.nn.Parameter)):
            return named["tensor"] if "tensor" in named else args[0]
        return func(*args, **named)


def fit(network: torch.nn.Module, tensors: dict[str, torch.Tensor], entry: Entry, path: Path) -> None:
    """Load ``tensors`` into ``network``, every one and no other. Half precision is widened to the network's float32.

    The tensors become the network's own: one that nothing was written to yet takes no memory, so the weights are never
    there twice.

    Raises:
        WeightsCorrupt: a tensor is missing, unknown or of another shape. The message names the first.
    """
    check_fit(network, tensors, entry, path)
    own = network.state_dict()
    for name in tensors:
        tensors[name] = tensors[name].to(own[name].dtype)
    network.load_state_dict(tensors, strict=False, assign=True)


def check_fit(network: torch.nn.Module, tensors: Mapping[str, torch.Tensor], entry: Entry, path: Path) -> None:
    """Raises WeightsCorrupt as `fit`. Either side may be on the "meta" device."""
    if mismatch := first_mismatch(network.state_dict(), tensors):
        raise WeightsCorrupt(
            f"These are not the weights of {entry.name}",
            f"This file holds a network of another shape: {mismatch}. Put the weights of {entry.name} in its place.",
            str(path),
        )


def first_mismatch(expected: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]) -> str:
    """What does not fit, in words, or "" where every tensor does. Either side may be on the "meta" device."""
    for name, tensor in expected.items():
        if name in found and found[name].shape != tensor.shape:
            return f"expected {name} {_size(tensor.shape)}, found {_size(found[name].shape)}"
        if name in found and tensor.is_floating_point() and not found[name].is_floating_point():
            return f"expected {name} in floating point, found {str(found[name].dtype).removeprefix('torch.')}"
    missing = [name for name in expected if name not in found and not name.endswith(_COUNTER)]
    if missing:
        telling = max(missing, key=lambda name: expected[name].ndim)
        return f"expected {telling} {_size(expected[telling].shape)}{_more(missing)}, found none of that name"
    unknown = [name for name in found if name not in expected]
    if unknown:
        return f"found {unknown[0]} {_size(found[unknown[0]].shape)}{_more(unknown)}, which the model does not have"
    return ""


def _size(shape: torch.Size) -> str:
    return "×".join(str(length) for length in shape) or "(one number)"


def _more(names: Sequence[str]) -> str:
    return f" and {len(names) - 1} more" if len(names) > 1 else ""
