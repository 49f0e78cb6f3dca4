"""New files of a model are tried before they take their place."""

from __future__ import annotations

from pathlib import Path

import psutil

from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.entries import Entry
from app.engine.encoders.folder import find_weights
from app.engine.errors import AppError, DeviceExhausted, WeightsCorrupt
from app.engine.sizes import folder_bytes

MEMORY_FOR_FILES = 3
"""A model takes about so many times what its files have while it is loaded: read, and built, and at work."""

MEMORY_PER_PX = 1024
"""What a network at work takes for each pixel of one picture. Measured in bytes: ViT-Ti/16 100, ResNet-50 263,
ConvNeXt-T 409, VGG-16 789."""


def try_model(catalogue: Catalogue, entry: Entry, folder: Path) -> None:
    """Look at a model's new ``folder``, which has its record: its weights are read as plain data, and it is loaded and
    encodes, where there is memory for that now. Nothing in its files is executed.

    Raises:
        AppError: the files are not of this model, or do not work.
    """
    from app.engine.encoders.checkpoint import outline  # these import torch
    from app.engine.encoders.oom import is_out_of_memory
    from app.engine.encoders.proof import prove

    try:
        outline(find_weights(entry, folder))
        px = entry.picture.size_px**2 if entry.picture else 0
        if psutil.virtual_memory().available > MEMORY_FOR_FILES * folder_bytes(folder) + MEMORY_PER_PX * px:
            prove(catalogue.at(folder.parent).load(entry.key))
    except DeviceExhausted:
        pass
    except AppError:
        raise
    except Exception as error:  # a description that means harm can make the libraries raise anything
        if not is_out_of_memory(error):
            raise WeightsCorrupt("It cannot be run", f"{type(error).__name__}: {error}.") from error
