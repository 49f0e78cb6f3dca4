"""The models of this program: which there are, which are ready here, and one loaded encoder of each."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from functools import partial
from pathlib import Path

from app.engine.encoders.base import Encoder, EncoderSpec
from app.engine.encoders.entries import Entry, read_entries
from app.engine.encoders.folder import (
    PART_SUFFIX,
    check_recorded,
    check_unchanged,
    find_weights,
    incoming,
    known_damage,
    sha256_of,
)
from app.engine.encoders.lifetime import Lifetime, Stamp
from app.engine.encoders.openclip_config import CONFIG_FILE, configured
from app.engine.encoders.plugins import Plugins
from app.engine.encoders.processor import no_eight_bit, runs_eight_bit
from app.engine.encoders.record import RECORD_FILE, read_added_entry, read_installation
from app.engine.encoders.speeds import Speeds
from app.engine.errors import AppError, WeightsCorrupt, WeightsMissing
from app.engine.modeltypes import Installation, ModelStatus, Origin
from app.paths import resources_dir, speeds_path

BYTES_PER_PARAMETER = 4

_TRIES = 5


class Catalogue:
    """The `EncoderSource` that ships: ``resources/models.toml`` and the weights in ``models_dir/<key>/``, the models
    that the person added, and the plug-ins that are installed.

    torch and the model packages are imported by the first ``load`` and no earlier, a plug-in when it is first asked
    what it is. Thread-safe.

    Args:
        models_dir: the folder of the model folders; it need not exist.
        device: "auto", or a device in torch's terms: "cpu", "cuda", "cuda:1", "mps".
        entries: the file of the models it knows; the one that ships if None.
        lifetime: of the loaded encoders; the usual one if None.
        half: whether a device that is faster in half precision may compute in it.
    """

    def __init__(
        self,
        models_dir: Path,
        device: str = "auto",
        entries: Path | None = None,
        lifetime: Lifetime | None = None,
        half: bool = True,
    ) -> None:
        self._models_dir = models_dir
        self._device = device
        self._half = half
        self._path = entries or resources_dir() / "models.toml"
        self._shipped = read_entries(self._path)
        self._entries: dict[str, Entry] = {}
        self._unreadable: tuple[str, ...] = ()
        self._lifetime = lifetime or Lifetime()
        self._speeds = Speeds(speeds_path(models_dir.parent))
        self.refresh()
        self._plugins = Plugins(self._entries)

    def at(self, models_dir: Path) -> Catalogue:
        """The same models with their folders in ``models_dir``, on the CPU: to try files that are not in use yet."""
        return Catalogue(models_dir, "cpu", self._path)

    def refresh(self) -> None:
        """Look again which models a person has added."""
        entries = {entry.key: entry for entry in self._shipped}
        unreadable = []
        for record in sorted(self._models_dir.glob(f"*/{RECORD_FILE}")):
            try:
                if (added := read_added_entry(record.parent)) and added.key not in entries:
                    entries[added.key] = added
            except WeightsCorrupt:
                if record.parent.name not in entries:  # the status of a shipped model says it
                    unreadable.append(_left_out(record))
        self._entries, self._unreadable = entries, tuple(unreadable)

    def unload(self, key: str) -> None:
        """Forget the loaded encoders of a model whose files change or go, and of those that share its files."""
        entries = self._entries
        folder = entries[key].folder_name if key in entries else key
        self._lifetime.drop([key, *(e.key for e in entries.values() if e.folder_name == folder)])

    def ease(self) -> None:
        """Forget loaded encoders, the least recently used first, while memory is short."""
        self._lifetime.make_room()

    def entry(self, key: str) -> Entry:
        """Raises AppError for an unknown key. Of a plug-in that cannot be used little is known, and no error made."""
        if entry := self._entries.get(key):
            return entry
        if key in self._plugins:
            return self._plugins.known(key)
        raise AppError("No such model", f"There is no model “{key}”. Choose one of: {', '.join(self.keys())}.")

    def shipped(self, key: str) -> Entry | None:
        """The program's own entry of that key, if it has one."""
        return next((entry for entry in self._shipped if entry.key == key), None)

    def folder(self, key: str) -> Path:
        """Where a model's files are, or go."""
        return self._folder(self.entry(key))

    def files(self, key: str) -> tuple[Path, ...]:
        """The files in a model's folder that its vectors depend on: its weights, and those beside them that matter.

        Raises:
            AppError, WeightsMissing, WeightsCorrupt: see ``load``.
        """
        return tuple(self._deciding_files(self._configured(key)))

    def status(self, key: str) -> ModelStatus:
        """Raises AppError for an unknown key."""
        return self._status(self.entry(key))

    def keys(self) -> tuple[str, ...]:
        entries = self._entries
        return (*entries, *(key for key in self._plugins.keys() if key not in entries))

    def entries(self) -> tuple[Entry, ...]:
        """Every model's, as they are at one moment: others may add and remove models meanwhile."""
        entries = self._entries
        return (*entries.values(), *(self._plugins.known(key) for key in self._plugins.keys() if key not in entries))

    def statuses(self) -> tuple[ModelStatus, ...]:
        return tuple(map(self._status, self.entries()))

    def left_out(self) -> tuple[str, ...]:
        """A sentence for each model that is here and in no list: an added one whose record cannot be read, and a
        plug-in whose key is that of another."""
        return (*self._unreadable, *self._plugins.left_out)

    def unreadable(self) -> tuple[str, ...]:
        """The first of these: a sentence for each added model whose record cannot be read."""
        return self._unreadable

    def spec(self, key: str) -> EncoderSpec:
        """Raises AppError for an unknown key, WeightsCorrupt for a model folder whose config cannot be used."""
        return self._configured(key).spec

    def fingerprint(self, key: str) -> str:
        """A SHA-256 over all that the vectors depend on: the weights and the files beside them that matter, the
        preparation of the samples, and the revision of the program's own part. Installed files count with the hashes
        of their record, which ``load`` holds against them: damage to a file makes no other model of it.

        Raises:
            WeightsMissing, WeightsCorrupt, AppError: see ``load``.
        """
        entry = self._configured(key)
        if entry.origin is Origin.PLUG_IN:
            return self._plugins.fingerprint(key) or self.load(key).fingerprint
        paths, installation = self._present(entry)
        recorded = self._recorded(entry, installation)
        facts = {
            "key": key,
            "revision": entry.revision,
            "architecture": entry.architecture,
            "dim": entry.dim,
            "picture": asdict(entry.picture) if entry.picture else None,
            "sound": asdict(entry.sound) if entry.sound else None,
            "mean": entry.mean,
            "std": entry.std,
            "files": [recorded.get(path.name) or sha256_of(path) for path in paths],
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def load(self, key: str) -> Encoder:
        """The encoder, loaded by the first call, which can take seconds. While it is in use, and until memory is short
        or its files change, every call gives the same. One whose files change meanwhile is loaded again.

        Raises:
            DeviceExhausted: it does not fit into memory.
            WeightsMissing: its weights are not in its folder.
            WeightsCorrupt: what is there cannot be read, is not this model's, or has changed by itself.
            AppError: there is no model of that key, or no such device; or its files change and change.
        """
        for _ in range(_TRIES):
            entry = self._configured(key)
            stamp = self._stamp(entry)
            memory_bytes = entry.memory_bytes or entry.parameters * BYTES_PER_PARAMETER
            encoder = self._lifetime.get(key, stamp, memory_bytes, partial(self._loaded, entry))
            if self._stamp(entry) == stamp:
                return encoder
        raise AppError("This model is just changing", f"The files of {key} change while they are read: try again.")

    def _stamp(self, entry: Entry) -> Stamp:
        facts = [(path.name, path.stat()) for path in self._deciding_files(entry)]
        return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in facts)

    def _configured(self, key: str) -> Entry:
        return self._as_it_is(self.entry(key))

    def _as_it_is(self, entry: Entry) -> Entry:
        """What a model's own folder, or its package, says of it."""
        if entry.origin is Origin.PLUG_IN:
            return self._plugins.entry(entry.key)
        return configured(entry, self._folder(entry)) if entry.family == "open_clip" else entry

    def _folder(self, entry: Entry) -> Path:
        return self._models_dir / entry.folder_name

    def _deciding_files(self, entry: Entry) -> list[Path]:
        return self._present(entry)[0]

    def _present(self, entry: Entry) -> tuple[list[Path], Installation | None]:
        """The deciding files, and the record that they agree with, if there is one."""
        if not entry.files:
            return [], None
        folder = self._folder(entry)
        beside = [folder / name for name in (*entry.companions, CONFIG_FILE)]
        files = [find_weights(entry, folder), *(path for path in beside if path.is_file())]
        installation = read_installation(folder)
        check_recorded(files, installation)
        return files, installation

    def _recorded(self, entry: Entry, installation: Installation | None) -> dict[str, str]:
        """The SHA-256 of the files of a model's record. Raises WeightsCorrupt while one is known to be damaged."""
        folder = self._folder(entry)
        if damage := known_damage(folder, installation):
            raise WeightsCorrupt(f"{entry.name} is damaged", damage, str(folder))
        return {file.name: file.sha256 for file in installation.files} if installation else {}

    def _status(self, entry: Entry) -> ModelStatus:
        problem, installation, damaged = "", None, False
        try:
            entry = self._as_it_is(entry)
            if entry.variant_of and not runs_eight_bit():
                raise no_eight_bit()
            if entry.files:
                _, installation = self._present(entry)
                self._recorded(entry, installation)
        except (WeightsMissing, WeightsCorrupt) as error:
            problem = error.message
            damaged = isinstance(error, WeightsCorrupt) or (self._folder(entry) / RECORD_FILE).is_file()
        except AppError as error:
            problem = error.message
        return ModelStatus(
            key=entry.key,
            name=entry.name,
            family=entry.family,
            accepts=entry.accepts,
            dim=entry.dim,
            licence=entry.licence,
            summary=entry.summary,
            ready=not problem,
            problem=problem,
            folder=str(self._folder(entry)) if entry.files else "",
            files=(*entry.files, *entry.companions),
            origin=Origin.BUILT_IN if entry.built_in else entry.origin,
            licence_note=entry.licence_note,
            commercial=entry.commercial,
            languages=entry.languages,
            parameters=entry.parameters,
            download_bytes=entry.download_bytes,
            memory_bytes=entry.memory_bytes,
            input_px=entry.picture.size_px if entry.picture else None,
            sample_rate_hz=entry.sound.sample_rate_hz if entry.sound else None,
            source=str(entry.source) if entry.source else "",
            paper=entry.paper,
            installation=installation,
            variant_of=entry.variant_of,
            damaged=damaged,
            partial_bytes=_partial_bytes(incoming(self._folder(entry))) if problem and entry.source else 0,
        )

    def _loaded(self, entry: Entry) -> Encoder:
        encoder = self._build(entry)
        if self._half and entry.files and not entry.variant_of:
            from app.engine.encoders.network import NetworkEncoder

            if isinstance(encoder, NetworkEncoder):
                encoder.allow_half(self._speeds)
        return encoder

    def _build(self, entry: Entry) -> Encoder:
        for path in self._deciding_files(entry):
            check_unchanged(path)
        if entry.origin is Origin.PLUG_IN:
            return self._plugins.load(entry.key)
        fingerprint = self.fingerprint(entry.key)
        # Written out rather than looked up by name, so that a packager sees what is imported.
        if entry.family == "colour-texture":
            from app.engine.encoders.builtin_picture import ColourTexture

            return ColourTexture(entry.spec, fingerprint)
        if entry.family == "timbre":
            from app.engine.encoders.builtin_sound import Timbre

            return Timbre(entry.spec, fingerprint)

        weights_path = find_weights(entry, self._folder(entry))
        from app.engine.encoders import clap, device, openclip, panns, resnet50, timm_backbone

        families = {
            "open_clip": openclip.load,
            "timm": timm_backbone.load,
            "resnet50": resnet50.load,
            "panns": panns.load,
            "clap": clap.load,
        }
        return families[entry.family](entry, weights_path, fingerprint, device.choose(self._device))


def _left_out(record: Path) -> str:
    return (
        f"The model in {record.parent} is left out: its {record.name} is damaged, or a newer Semblance wrote it. "
        "Update Semblance, or move the folder elsewhere and add the model from there; its weights are kept."
    )


def _partial_bytes(staging: Path) -> int:
    """What a download has left there. Nothing, where it ends while this looks."""
    try:
        return sum(path.stat().st_size for path in staging.glob(f"*{PART_SUFFIX}"))
    except OSError:
        return 0
