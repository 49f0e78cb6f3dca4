"""Finding the files of a model that a person offers: the weights, and those beside them."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.engine.errors import AppError

WEIGHTS_PATTERNS = (
    *("open_clip_model.safetensors", "open_clip_pytorch_model.bin", "model.safetensors", "pytorch_model.bin"),
    *("*.safetensors", "*.pt", "*.pth", "*.ckpt", "*.bin", "*.th", "*.tar"),
)
"""The preferred first. Publishers give one network under several names and formats."""

BESIDE = ("open_clip_config.json", "config.json", "tokenizer.json", "tokenizer_config.json")
"""All that is ever looked at beside the weights."""

MOST_BESIDE_BYTES = 64 * 2**20
"""The largest tokenizer in use, Gemma's with 256,000 tokens, has 33 MB."""

_PLAIN = r"open_clip|pytorch|model|weights|checkpoint|state_dict|best|last|final|ema|[\d_=-]"
_PLAIN_NAMES = re.compile(f"({_PLAIN})+")
_PLAIN_NAMES_IN_A_FOLDER = re.compile(f"({_PLAIN}|epoch|step)+")
"""Names that say nothing of the model; its folder's is taken then: the sooner where that was offered."""

_LONGEST_KEY = 48


@dataclass(frozen=True)
class OfferedFiles:
    """``name`` is what the model is called there."""

    weights: Path
    name: str
    beside: Mapping[str, Path] = field(default_factory=dict)


def find(path: Path) -> OfferedFiles:
    """The files of the model at ``path``: a weights file by itself, or a folder that holds one.

    Links are followed, as a hub's cache is made of them, but only to files.

    Raises:
        AppError: there is none, there are several, or one of them is no file, or cannot be read.
    """
    if not path.is_dir():
        _check_file(path)
        return OfferedFiles(path, _name_of(path, path.absolute().parent, _PLAIN_NAMES))
    weights = _the_weights(path)
    beside = {name: path / name for name in BESIDE if (path / name).is_symlink() or (path / name).exists()}
    for companion in beside.values():
        if _check_file(companion) > MOST_BESIDE_BYTES:
            raise AppError("This model cannot be added", f"{companion.name} is too large to be one.", str(companion))
    return OfferedFiles(weights, _name_of(weights, path.absolute(), _PLAIN_NAMES_IN_A_FOLDER), beside)


def key_of(name: str) -> str:
    """A model's key from a file's name: lower case letters, digits and hyphens; "" where nothing is left."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_LONGEST_KEY].rstrip("-")


def is_key(key: str) -> bool:
    return bool(key) and key == key_of(key)


def _the_weights(folder: Path) -> Path:
    for pattern in WEIGHTS_PATTERNS:
        found = sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))
        if len(found) > 1:
            names = ", ".join(path.name for path in found[:6])
            raise AppError(
                "Several weights files", f"The folder holds {names}. Name the file, or keep one alone.", str(folder)
            )
        if found:
            _check_file(found[0])
            return found[0]
    raise AppError(
        "There are no weights in this folder",
        "A model's weights are one file of the kind .safetensors, .pt, .pth, .ckpt or .bin.",
        str(folder),
    )


def _check_file(path: Path) -> int:
    """The size of a file in bytes; raises AppError for what is none, without opening it: a pipe would wait."""
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode):
            with path.open("rb"):
                return status.st_size
    except FileNotFoundError as error:
        message = "Give a weights file, or a folder that holds one."
        raise AppError("There is no such file", message, str(path)) from error
    except OSError as error:
        raise AppError("This file cannot be read", f"{error.strerror or error}.", str(path)) from error
    raise AppError("This is no file", "A folder, a device or a pipe stands where a file should be.", str(path))


def _name_of(weights: Path, folder: Path, plain: re.Pattern[str]) -> str:
    stem = Path(weights.name.removesuffix(".tar")).stem
    return folder.name if plain.fullmatch(stem.lower()) and folder.name else stem
