"""Encoders of other people's packages, through the entry-point group ``semblance.encoders``.

A plug-in is code, and runs with all rights of the program: it is there because the person has installed its package.
Reading which there are imports none of them; that happens when the facts of one are needed. One that fails is listed
with the reason and takes nothing down with it.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Collection, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol

import numpy as np

from app.engine.encoders.base import Encoder, EncoderSpec, Scoring, scoring_of
from app.engine.encoders.entries import Entry
from app.engine.errors import AppError
from app.engine.modeltypes import Origin
from app.engine.samples import Sample, Vectors

log = logging.getLogger(__name__)

GROUP = "semblance.encoders"

UNIT_TOLERANCE = 1e-3
"""How far from 1 the length of a row may be: half precision has three digits."""

_KEY = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class Plugin(Protocol):
    """What an entry point names: most simply a class with these attributes, whose instances are encoders.

    The entry point's name is the model's key and ``spec.key``. ``name``, ``licence`` and ``summary`` are shown in
    lists. ``fingerprint`` may be an attribute of the class too; where only an instance has it, the model is loaded
    whenever its space must be known.
    """

    spec: EncoderSpec
    name: str
    licence: str
    summary: str

    def __call__(self) -> Encoder:
        """The encoder, its weights loaded."""
        ...


class Plugins:
    """The plug-ins that are installed, by key. Thread-safe, as Python's imports are.

    Args:
        taken: the keys of all other models, which a plug-in cannot have.
    """

    def __init__(self, taken: Collection[str]) -> None:
        self._points: dict[str, EntryPoint] = {}
        self._found: dict[str, Any] = {}
        self._broken: dict[str, AppError] = {}
        left_out = []
        for point in entry_points(group=GROUP):
            if not _KEY.fullmatch(point.name) or point.name in taken or point.name in self._points:
                left_out.append(f"The plug-in {point.name} ({point.value}) is left out: its key is taken, or is none.")
            else:
                self._points[point.name] = point
        self.left_out = tuple(left_out)
        """A sentence for each that has no key of its own."""

    def keys(self) -> tuple[str, ...]:
        return tuple(self._points)

    def __contains__(self, key: object) -> bool:
        return key in self._points

    def entry(self, key: str) -> Entry:
        """What a plug-in says of itself. Imports it.

        Raises:
            AppError: it cannot be imported, or says nothing useful.
        """
        plugin = self._plugin(key)
        summary, name = _said(plugin, "summary", ""), _said(plugin, "name", key)
        return _entry(key, plugin.spec, summary, name, _said(plugin, "licence"))

    def known(self, key: str) -> Entry:
        """The same, or as much as is known of one that cannot be used."""
        try:
            return self.entry(key)
        except AppError:
            nothing = EncoderSpec(key, frozenset(), 0)
            return _entry(key, nothing, f"A plug-in that cannot be used: {self._points[key].value}", key, "unknown")

    def fingerprint(self, key: str) -> str | None:
        """The fingerprint of its space, or None where only the loaded encoder knows it.

        Raises:
            AppError: see ``entry``.
        """
        said = getattr(self._plugin(key), "fingerprint", None)
        return named_fingerprint(key, said) if isinstance(said, str) else None

    def load(self, key: str) -> Encoder:
        """Raises AppError: it cannot be loaded, or gives something else than it promised. It is not tried again."""
        plugin = self._plugin(key)
        try:
            encoder = plugin()
            spec, fingerprint = encoder.spec, encoder.fingerprint
        except MemoryError:
            raise
        except (Exception, SystemExit) as error:
            raise self._given_up(key, _failed(key, "cannot be loaded", error)) from error
        if spec != plugin.spec or not isinstance(fingerprint, str):
            raise self._given_up(key, _failed(key, "gives another encoder than it promises", None))
        return GuardedEncoder(key, encoder)

    def _plugin(self, key: str) -> Any:
        if key in self._broken:
            raise AppError(*self._broken[key].args)
        if key not in self._found:
            try:
                plugin = self._points[key].load()
                _check(plugin, key)
            except (Exception, SystemExit) as error:
                raise self._given_up(key, _failed(key, "cannot be used", error)) from error
            self._found[key] = plugin
        return self._found[key]

    def _given_up(self, key: str, reason: AppError) -> AppError:
        """What is said of a plug-in until the program is started again."""
        self._broken[key] = AppError(*reason.args)
        return reason


class GuardedEncoder:
    """A plug-in's encoder, of whose vectors none that is wrong gets into a library."""

    def __init__(self, key: str, encoder: Encoder) -> None:
        self._key = key
        self._encoder = encoder

    @property
    def spec(self) -> EncoderSpec:
        return self._encoder.spec

    @property
    def fingerprint(self) -> str:
        return named_fingerprint(self._key, self._encoder.fingerprint)

    @property
    def device(self) -> str:
        return str(self._encoder.device)

    @property
    def batch_size(self) -> int:
        return max(1, int(self._encoder.batch_size))

    @property
    def scoring(self) -> Scoring | None:
        return scoring_of(self._encoder)

    def encode(self, samples: Sequence[Sample]) -> Vectors:
        """As `Encoder.encode`. Raises AppError for whatever goes wrong in the plug-in."""
        try:
            rows = np.asarray(self._encoder.encode(samples))
        except AppError:
            raise
        except Exception as error:
            raise _failed(self._key, "failed", error) from error
        if problem := wrong(rows, len(samples), self.spec.dim):
            raise _failed(self._key, f"gave vectors that cannot be used: {problem}", None)
        return rows


def wrong(rows: np.ndarray[Any, Any], count: int, dim: int) -> str:
    """What is wrong with the rows of an encoder, or ""."""
    if rows.shape != (count, dim):
        return f"their shape is {rows.shape}, not {(count, dim)}"
    if rows.dtype != np.float32:
        return f"they are {rows.dtype}, not float32"
    if not np.isfinite(rows).all():
        return "a number in them is none"
    if np.abs(np.linalg.norm(rows, axis=1) - 1).max(initial=0) > UNIT_TOLERANCE:
        return "they are not of length 1"
    return ""


def named_fingerprint(key: str, fingerprint: str) -> str:
    """A plug-in's fingerprint as the program keeps it, different from that of every other model."""
    return hashlib.sha256(f"{GROUP} {key} {fingerprint}".encode()).hexdigest()


def _check(plugin: Any, key: str) -> None:
    if not callable(plugin) or not isinstance(getattr(plugin, "spec", None), EncoderSpec):
        raise TypeError("it has no spec, or cannot be called")
    spec: EncoderSpec = plugin.spec
    if spec.key != key:
        raise ValueError(f"its spec has the key {spec.key!r}, its entry point {key!r}")
    if not spec.accepts or spec.dim < 1:
        raise ValueError("it accepts nothing, or its vectors are empty")


def _entry(key: str, spec: EncoderSpec, summary: str, name: str, licence: str) -> Entry:
    return Entry(
        key=key,
        name=name,
        family="plug-in",
        accepts=spec.accepts,
        dim=spec.dim,
        revision=1,
        batch_size=spec.batch_size,
        licence=licence,
        licence_note="As its package says." if licence != "unknown" else "Its package does not say.",
        summary=summary,
        parameters=0,
        picture=spec.picture,
        sound=spec.sound,
        origin=Origin.PLUG_IN,
    )


def _said(plugin: Any, fact: str, otherwise: str = "unknown") -> str:
    said = getattr(plugin, fact, otherwise)
    return said if isinstance(said, str) else otherwise


def _failed(key: str, what: str, error: BaseException | None) -> AppError:
    log.debug("The plug-in %s %s", key, what, exc_info=error)
    reason = f" ({type(error).__name__}: {str(error)[:200]})" if error else ""
    return AppError(
        f"The plug-in {key} {what.partition(':')[0]}",
        f"The plug-in {key} {what}{reason}. Update its package, or uninstall it; `python -m "
        "app.engine.encoders.contract MODULE:CLASS` tells its author what is wrong.",
    )
