"""Pickles are read through once, as text is, before anything is made of them: what they would call, and with what.

`torch.load(weights_only=True)` executes no code, but calls some things that make as much as they are told to, such as
``bytearray(n)``. What may be called is less here: what a checkpoint of tensors, and of a training program's notes,
needs. And none of it is handed a thing that was made before, to be copied once more each time, so that a file makes no
more than it has bytes for. The instructions are those of Python's `pickletools`.
"""

from __future__ import annotations

import pickle
import pickletools
from pathlib import Path
from typing import IO

import torch

_KNOWN = {
    *(
        "collections OrderedDict",
        "collections Counter",
        "builtins set",
        "__builtin__ set",
        "torch device",
        "torch Size",
    ),
    *(f"torch._utils _rebuild_{name}" for name in ("tensor", "tensor_v2", "parameter")),
    *(f"torch {name}" for name, value in vars(torch).items() if isinstance(value, torch.dtype)),
    *(f"{kind.__module__} {kind.__name__}" for kind in torch._storage_classes if kind.__module__ != "torch.storage"),
}
"""What may be called, and the kinds of numbers and of their storages, which are named only."""

_STREAMS = 5
"""In a checkpoint from before PyTorch 1.6: a magic number, a version, the system, the content, the storages' names. The
numbers follow."""

_CODE = {"STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4"}
_PUT = {"BINPUT", "LONG_BINPUT"}
_GET = {"BINGET", "LONG_BINGET"}
_TUPLE = {"EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"}

_SHORT = 256
"""A text below this length may be handed over again and again, as the names of devices are."""


def check_checkpoint(path: Path) -> None:
    """Look at the pickles of a PyTorch checkpoint, found as `torch.load` finds them.

    Raises:
        pickle.UnpicklingError: they call, or copy, what a checkpoint of weights does not.
        Exception: it is none, or damaged.
    """
    with path.open("rb") as file:
        is_zip = file.read(4) == b"PK\x03\x04"
        file.seek(0)
        if not is_zip:
            for _ in range(_STREAMS):
                _check_pickle(file)
            return
        archive = torch._C.PyTorchFileReader(file)
        if "constants.pkl" not in archive.get_all_records():  # those of a program are never read
            _check_pickle(archive.get_record("data.pkl"))


def _check_pickle(stream: IO[bytes] | bytes) -> None:
    """Look at one pickle, up to its end."""
    names: set[object] = set()  # under which numbers the pickle keeps short texts
    before = last = ""
    for instruction, argument, _ in pickletools.genops(stream):
        name = instruction.name
        if name in _PUT:
            (names.add if last == "name" else names.discard)(argument)
            continue
        if name in _CODE or (name == "GLOBAL" and argument not in _KNOWN):
            raise pickle.UnpicklingError(f"this is more than weights: {argument or name}")
        if (isinstance(argument, str) and name != "GLOBAL" and len(argument) < _SHORT) or (
            name in _GET and argument in names
        ):
            name = "name"
        if _copies(before, last, name):
            raise pickle.UnpicklingError("this is more than weights: what was made is copied")
        before, last = last, name


def _copies(before: str, last: str, name: str) -> bool:
    """Whether an instruction hands something over alone that was made before."""
    if name == "REDUCE":
        return last not in _TUPLE
    return last in _GET and (name in ("TUPLE1", "BUILD") or (name == "TUPLE" and before == "MARK"))
