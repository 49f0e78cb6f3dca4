"""Weights files: reading them as plain data and fitting them to a network. Nothing in a file is ever executed."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch.overrides import TorchFunctionMode

from app.engine.encoders.entries import Entry
from app.engine.encoders.oom import is_out_of_memory
from app.engine.errors import WeightsCorrupt

_WRAPPERS = ("state_dict", "model")
"""Under which names training programs keep the tensors beside their own notes."""

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


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """The named tensors of a safetensors file or a PyTorch checkpoint, on the CPU.

    Raises:
        WeightsCorrupt: the file cannot be read as tensors alone.
    """
    try:
        content = _read(path)
    except Exception as error:  # a broken file can make either reader raise anything
        if is_out_of_memory(error):
            raise
        raise WeightsCorrupt("This weights file cannot be read", _why_unreadable(error), str(path)) from error
    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    named = content.items() if isinstance(content, Mapping) else ()
    tensors = {str(name).removeprefix("module."): value for name, value in named if isinstance(value, torch.Tensor)}
    if not tensors:
        raise WeightsCorrupt(
            "This file holds no weights",
            "It can be read, but there is no network in it. Put the model's own weights file in its place.",
            str(path),
        )
    return tensors


def fit(network: torch.nn.Module, tensors: dict[str, torch.Tensor], entry: Entry, path: Path) -> None:
    """Load ``tensors`` into ``network``, every one and no other. Half precision is widened to the network's float32.

    The tensors become the network's own: one that nothing was written to yet takes no memory, so the weights are never
    there twice.

    Raises:
        WeightsCorrupt: a tensor is missing, unknown or of another shape. The message names the first.
    """
    own = network.state_dict()
    if mismatch := _first_mismatch(own, tensors):
        raise WeightsCorrupt(
            f"These are not the weights of {entry.name}",
            f"This file holds a network of another shape: {mismatch}. Put the weights of {entry.name} in its place.",
            str(path),
        )
    for name in tensors:
        tensors[name] = tensors[name].to(own[name].dtype)
    network.load_state_dict(tensors, strict=False, assign=True)


def _read(path: Path) -> Any:
    if path.suffix == ".safetensors":
        return safetensors.torch.load_file(path, device="cpu", backend="pread")  # a mapped file must stay
    return torch.load(path, map_location="cpu", weights_only=True)


def _why_unreadable(error: Exception) -> str:
    if "TorchScript" in str(error):
        return (
            "It is a TorchScript program, and programs are not run here. Use the plain tensors of the same model: "
            "a safetensors file, or a checkpoint saved as a state_dict."
        )
    if isinstance(error, pickle.UnpicklingError) and "weights" in str(error).lower():
        return (
            "Besides numbers it holds program code, which is not run here. "
            "Use a safetensors file of the same model, or a checkpoint saved as a state_dict."
        )
    return "It is damaged, or not a weights file at all. Copy or download it again."


def _first_mismatch(expected: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]) -> str:
    for name, tensor in expected.items():
        if name in found and found[name].shape != tensor.shape:
            return f"expected {name} {_size(tensor.shape)}, found {_size(found[name].shape)}"
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
