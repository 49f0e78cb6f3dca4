"""The façade of the models: which there are, and how they come to this machine and leave it. No library is opened."""

from __future__ import annotations

from pathlib import Path

from app.engine.encoders.catalogue import Catalogue
from app.engine.modeltypes import ModelStatus
from app.paths import models_dir


class Models:
    """The models of one data home. Its methods may be called from any thread.

    Args:
        home: the data home.
        catalogue: the one that an open library uses too, so that it knows of every change; its own if None.
    """

    def __init__(self, home: Path, catalogue: Catalogue | None = None) -> None:
        self._home = home
        self._catalogue = catalogue or Catalogue(models_dir(home))

    def statuses(self) -> tuple[ModelStatus, ...]:
        """Every model as it stands."""
        return self._catalogue.statuses()
