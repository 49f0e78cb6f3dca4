"""The façade of the models: which there are, and how they come to this machine and leave it. No library is opened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.engine.encoders.catalogue import Catalogue
from app.engine.installing import checking, installer
from app.engine.jobs import NULL_JOB, Job
from app.engine.modeltypes import InstallPlan, ModelCheck, ModelStatus
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

    def status(self, key: str) -> ModelStatus:
        """Raises AppError for an unknown key."""
        return self._catalogue.status(key)

    def plan(self, key: str, mirror: str = "") -> InstallPlan:
        """See `app.engine.installing.installer.plan`."""
        return installer.plan(self._catalogue, key, mirror)

    def install(self, key: str, mirror: str = "", job: Job = NULL_JOB) -> ModelStatus:
        """See `app.engine.installing.installer.install`. To be called for a plan that a person has agreed to."""
        return installer.install(self._catalogue, key, mirror, job)

    def remove(self, key: str) -> None:
        """See `app.engine.installing.installer.remove`."""
        installer.remove(self._catalogue, key)

    def verify(self, keys: Sequence[str] = (), job: Job = NULL_JOB) -> tuple[ModelCheck, ...]:
        """See `app.engine.installing.checking.verify`."""
        return checking.verify(self._catalogue, keys, job)
