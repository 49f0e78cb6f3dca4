"""A weights file as it lies on a disk: what it claims to hold is looked at before any of it is read into memory.

Formats: safetensors (an 8-byte length, a JSON header, the numbers; https://github.com/huggingface/safetensors), and
PyTorch's checkpoints, a pickle in a zip archive or, before 2020, bare. Of pickles only `torch.load(weights_only=True)`
is used, which knows tensors and Python's plain containers and calls little else, of that less: see `pickles`.
"""

from __future__ import annotations

import errno
import pickle
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from app.engine.encoders.oom import is_out_of_memory
from app.engine.encoders.pickles import check_checkpoint
from app.engine.errors import WeightsCorrupt, WeightsUnreadable

MOST_HEADER_BYTES = 16 * 2**20
"""The header of the largest of today's models has below 1 MiB; a file could claim 100 MB of JSON."""

SHARING = 4
"""How many times over the tensors of a file may name its bytes: tied weights are two names for one storage."""

_WRAPPERS = ("state_dict_ema", "model_ema", "ema_state_dict", "model_state_dict", "state_dict", "model")
"""Under which names training programs keep the tensors beside their own notes. Where they keep a moving average too, it
comes first: that is the network they measured and would publish."""

_DEEPEST = 3
"""How many wrappers may stand around each other; a table in a pickle can hold itself."""

_PREFIXES = ("module.", "_orig_mod.")
"""What DistributedDataParallel, AveragedModel and torch.compile put before every name."""

_OUTER = "model."
"""What Lightning puts before the names of the one network of a module."""

_AVERAGED = "n_averaged"
"""AveragedModel's count."""


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """The named tensors of a safetensors file or a PyTorch checkpoint, on the CPU.

    Raises:
        WeightsUnreadable: the file cannot be read as tensors alone, or claims more than it has.
    """
    return _named(_content(path, "cpu"), path)


def write_plain(checkpoint: Path, path: Path) -> None:
    """Write the tensors of a PyTorch checkpoint, and nothing else of it, as safetensors. It is mapped, not read whole:
    the optimizer's notes beside a network can be twice its size.

    Raises:
        WeightsUnreadable: as for `read_weights`.
        OSError: the file cannot be written.
    """
    tensors = _named(_content(checkpoint, "cpu", mapped=zipfile.is_zipfile(checkpoint)), checkpoint)
    storages: set[int] = set()
    for name, tensor in tensors.items():
        plain, storage = tensor.detach(), tensor.untyped_storage()
        is_whole = plain.is_contiguous() and storage.nbytes() == plain.numel() * plain.element_size()
        if not is_whole or storage.data_ptr() in storages:  # safetensors writes no two tensors that share memory
            plain = plain.clone(memory_format=torch.contiguous_format)
        storages.add(storage.data_ptr())
        tensors[name] = plain
    try:
        safetensors.torch.save_file(tensors, path)
    except safetensors.SafetensorError as error:
        raise OSError(errno.EIO, str(error), str(path)) from error


def check_finite(path: Path) -> None:
    """Raises WeightsUnreadable where a tensor of a safetensors file holds a number that is none. One after the other is
    read."""
    with safetensors.safe_open(path, framework="pt", device="cpu") as file:
        for name in file.keys():
            tensor = file.get_tensor(name)
            if tensor.is_floating_point() and not torch.isfinite(tensor).all():
                raise WeightsUnreadable(
                    "These weights are damaged",
                    f"{name} holds what is no number, or an infinite one. The training went wrong, or the file was "
                    "damaged: use an earlier checkpoint, or get the file again.",
                    str(path),
                )


def outline(path: Path) -> dict[str, torch.Tensor]:
    """The same tensors on the "meta" device: names, shapes and types without a single number, so that a file that is
    the wrong one costs no memory.

    Raises:
        WeightsUnreadable: as for `read_weights`.
    """
    return _named(_content(path, "meta"), path)


def notes_in(path: Path) -> dict[str, str]:
    """The free texts of a safetensors header; empty for other files.

    Raises:
        WeightsUnreadable: the file cannot be read.
    """
    if path.suffix != ".safetensors":
        return {}
    _check_header(path, _regular_size(path))
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except Exception as error:  # as in _content
        raise WeightsUnreadable("This weights file cannot be read", _why_unreadable(error, path), str(path)) from error


def _content(path: Path, device: str, mapped: bool = False) -> Any:
    size_bytes = _regular_size(path)
    try:
        if path.suffix == ".safetensors":
            _check_header(path, size_bytes)
            if device == "meta":
                return _outlined(path)
            return safetensors.torch.load_file(path, device=device, backend="pread")  # a mapped file must stay
        _check_unpacked(path, size_bytes)
        check_checkpoint(path)
        return torch.load(path, map_location=device, weights_only=True, mmap=mapped)
    except WeightsCorrupt:
        raise
    except Exception as error:  # a broken file can make either reader raise anything
        if is_out_of_memory(error) and device != "meta":  # an outline takes none: such a file claims too much
            raise
        raise WeightsUnreadable("This weights file cannot be read", _why_unreadable(error, path), str(path)) from error


def _regular_size(path: Path) -> int:
    try:
        status = path.stat()
    except OSError as error:
        raise WeightsUnreadable(
            "This weights file cannot be read", f"{error.strerror or error}. Check its place and its rights.", str(path)
        ) from error
    if not stat.S_ISREG(status.st_mode):
        raise WeightsUnreadable(
            "This is no file", "A folder, a device or a pipe stands where the weights should be.", str(path)
        )
    return status.st_size


def _check_header(path: Path, size_bytes: int) -> None:
    """Before safetensors' own reader, which checks the rest: that the tensors cover the file, no more and no less."""
    with path.open("rb") as file:
        header_bytes = int.from_bytes(file.read(8), "little")
    if header_bytes > min(MOST_HEADER_BYTES, max(size_bytes - 8, 0)):
        raise WeightsUnreadable(
            "This weights file cannot be read",
            f"It is no safetensors file, or a damaged one: it claims a header of {header_bytes:,} bytes. "
            "Copy or download it again.",
            str(path),
        )


def _check_unpacked(path: Path, size_bytes: int) -> None:
    """PyTorch stores its archives unpacked, so one that would grow is not from PyTorch."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        unpacked_bytes = sum(member.file_size for member in archive.infolist())
    if unpacked_bytes > size_bytes:
        raise WeightsUnreadable(
            "This weights file cannot be read",
            f"It has {size_bytes:,} bytes and would unpack to {unpacked_bytes:,}. Checkpoints are not compressed: "
            "get the file from its makers again.",
            str(path),
        )


def _outlined(path: Path) -> dict[str, torch.Tensor]:
    with safetensors.safe_open(path, framework="pt", device="cpu") as file:
        slices = {name: file.get_slice(name) for name in file.keys()}
        for name, part in slices.items():
            if part.get_dtype() not in _DTYPES:
                raise WeightsUnreadable(
                    "These weights are of another kind",
                    f"{name} is stored as {part.get_dtype()}, which only some programs compute with. Use the same "
                    "weights in single or half precision.",
                    str(path),
                )
        return {
            name: torch.empty(part.get_shape(), dtype=_DTYPES[part.get_dtype()], device="meta")
            for name, part in slices.items()
        }


_DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


def _named(content: Any, path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint under the names that the network itself gives them."""
    for _ in range(_DEEPEST):
        if isinstance(content, Mapping):
            content = next((content[name] for name in _WRAPPERS if isinstance(content.get(name), Mapping)), content)
    named = content.items() if isinstance(content, Mapping) else ()
    tensors = {str(name): value for name, value in named if isinstance(value, torch.Tensor) and name != _AVERAGED}
    for prefix in _PREFIXES:
        tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    if all(name.startswith(_OUTER) for name in tensors):
        tensors = {name.removeprefix(_OUTER): tensor for name, tensor in tensors.items()}
    if not tensors:
        raise WeightsUnreadable(
            "This file holds no weights",
            "It can be read, but there is no network in it. Put the model's own weights file in its place.",
            str(path),
        )
    _check_claim(tensors, path)
    return tensors


def _check_claim(tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    """A tensor can repeat one stored number a million times over; a network would be given room for all of them."""
    claimed_bytes = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    if claimed_bytes > SHARING * path.stat().st_size or not all(_is_plain(tensor) for tensor in tensors.values()):
        raise WeightsUnreadable(
            "This weights file cannot be read",
            f"Its tensors claim {claimed_bytes:,} bytes, which the file does not have. It is damaged, or made to fill "
            "the memory: get it from its makers again.",
            str(path),
        )


def _is_plain(tensor: torch.Tensor) -> bool:
    return tensor.layout is torch.strided and not tensor.is_quantized


def _why_unreadable(error: Exception, path: Path) -> str:
    if "TorchScript" in str(error):
        return (
            "It is a TorchScript program, and programs are not run here. Use the plain tensors of the same model: "
            "a safetensors file, or a checkpoint saved as a state_dict."
        )
    is_refused = isinstance(error, pickle.UnpicklingError) and "weights" in str(error).lower()
    if is_refused and ("GLOBAL" in str(error) or _is_pickle(path)):
        return (
            "Besides numbers it holds program code, which is not run here. "
            "Use a safetensors file of the same model, or a checkpoint saved as a state_dict."
        )
    return "It is damaged, or not a weights file at all. Copy or download it again."


def _is_pickle(path: Path) -> bool:
    """Whether it is an archive of PyTorch's, or begins as a pickle of today's protocols does."""
    with path.open("rb") as file:
        mark, protocol = file.read(1), file.read(1)
    return zipfile.is_zipfile(path) or (mark == pickle.PROTO and protocol <= bytes([pickle.HIGHEST_PROTOCOL]))
