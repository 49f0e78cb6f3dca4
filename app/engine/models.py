"""The façade of the models: which there are, and how they come to this machine and leave it. No library is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from app.engine.encoders.base import ready_keys
from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.processor import runs_eight_bit
from app.engine.encoders.speeds import Speeds
from app.engine.installing import adding, advising, checking, installer, measuring, packs
from app.engine.installing.reckoning import Machine
from app.engine.jobs import NULL_JOB, Job
from app.engine.modeltypes import (
    AddRequest,
    Advice,
    InstallPlan,
    Measuring,
    ModelCheck,
    ModelStatus,
    Needs,
    PackContents,
    PackReport,
)
from app.engine.types import Modality
from app.paths import models_dir, packs_dir, speeds_path


class Models:
    """The models of one data home. Its methods may be called from any thread.

    Args:
        home: the data home.
        catalogue: the one that an open library uses too, so that it knows of every change; its own if None.
    """

    def __init__(self, home: Path, catalogue: Catalogue | None = None) -> None:
        self._home = home
        self._catalogue = catalogue or Catalogue(models_dir(home))
        self._speeds = Speeds(speeds_path(home))

    def statuses(self) -> tuple[ModelStatus, ...]:
        """Every model as it stands."""
        return self._catalogue.statuses()

    def left_out(self) -> tuple[str, ...]:
        """See `app.engine.encoders.catalogue.Catalogue.left_out`."""
        return self._catalogue.left_out()

    def status(self, key: str) -> ModelStatus:
        """Raises AppError for an unknown key."""
        return self._catalogue.status(key)

    def plan(self, key: str, mirror: str = "") -> InstallPlan:
        """See `app.engine.installing.installer.plan`."""
        return installer.plan(self._catalogue, key, mirror)

    def install(self, key: str, mirror: str = "", job: Job = NULL_JOB) -> ModelStatus:
        """See `app.engine.installing.installer.install`. To be called for a plan that a person has agreed to."""
        return installer.install(self._catalogue, key, mirror, job)

    def add(self, request: AddRequest, job: Job = NULL_JOB) -> ModelStatus:
        """See `app.engine.installing.adding.add`."""
        return self._catalogue.status(adding.add(self._catalogue, models_dir(self._home), request, job))

    def remove(self, key: str) -> None:
        """See `app.engine.installing.installer.remove`."""
        installer.remove(self._catalogue, key)

    def verify(self, keys: Sequence[str] = (), job: Job = NULL_JOB) -> tuple[ModelCheck, ...]:
        """See `app.engine.installing.checking.verify`."""
        return checking.verify(self._catalogue, keys, job)

    def export_pack(self, keys: Sequence[str], path: str, replacing: bool = False, job: Job = NULL_JOB) -> PackReport:
        """See `app.engine.installing.packs.export_pack`."""
        return packs.export_pack(self._catalogue, keys, Path(path), replacing, job)

    def pack_contents(self, path: str) -> PackContents:
        """What `import_pack` would take in, for a person to agree to. See `app.engine.installing.packs`."""
        return packs.pack_contents(self._catalogue, models_dir(self._home), Path(path))

    def import_pack(
        self, path: str, replacing: bool = False, expected_sha256: str = "", job: Job = NULL_JOB
    ) -> PackReport:
        """See `app.engine.installing.packs.import_pack`."""
        return packs.import_pack(self._catalogue, models_dir(self._home), Path(path), replacing, expected_sha256, job)

    def carried_packs(self) -> tuple[PackReport, ...]:
        """The packs that ship inside this copy of the program and hold models (``models``) that are not here yet.
        Nobody is asked for their import but for the room on the disk."""
        return packs.carried_packs(self._catalogue, packs_dir())

    def import_carried(self, job: Job = NULL_JOB) -> tuple[PackReport, ...]:
        """Take in all that `carried_packs` names. Raises AppError as `import_pack`."""
        return tuple(self.import_pack(pack.path, job=job) for pack in self.carried_packs())

    def advise(self, needs: Needs, items: Mapping[Modality, int]) -> Advice:
        """The models for these needs, the best first, for a library of so many ``items``. Takes as long as importing
        torch at first. See `app.engine.installing.advising`.

        Raises:
            AppError: the machine has no such device.
        """
        from app.engine.encoders import device

        chosen = device.choose(needs.device)
        cores = psutil.cpu_count(logical=False) or 1
        machine = Machine(chosen.split(":")[0], psutil.virtual_memory().total, runs_eight_bit(), cores)
        entries = self._catalogue.entries()
        known = measuring.measured(self._speeds, device.describe(chosen))
        return advising.advise(needs, entries, ready_keys(self._catalogue), items, machine, known)

    def measure(self, keys: Sequence[str], job: Job = NULL_JOB) -> Measuring:
        """Find out how fast models are here, so that `advise` can say it. See `app.engine.installing.measuring`."""
        from app.engine.encoders import device

        return measuring.measure(self._catalogue, keys, self._speeds, device.choose(), job)
