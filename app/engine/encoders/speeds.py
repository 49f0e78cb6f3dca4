"""``speeds.json`` in the data home: what was measured on this machine. It can be deleted; then it is measured again."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

Section = Literal["items_per_s", "gflops_per_s", "decode_s", "half", "cosine"]
"""By model and kind of item, items a second; by kind of network, billions of multiplications and additions a second;
by kind of item, seconds that decoding adds to one on all cores; by model, whether half precision is faster; by model,
the cosine of its vectors with those of its base."""

FORMAT = 1
_WRITING = threading.Lock()
"""One for all: a home's catalogue and its façade each have an object of their own for the one file."""

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Speeds:
    """The measurements of one data home. Thread-safe.

    Each holds for one ``machine``: a processor or a GPU, a release of torch, a number of threads. A file that cannot be
    read holds nothing, and one that cannot be written, or is a later version's, costs no more than measuring again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def of(self, machine: str, section: Section) -> Mapping[str, Any]:
        """What was measured on a machine, by name."""
        found = self._read().get(machine, {})
        section_of = found.get(section, {}) if isinstance(found, dict) else {}
        return section_of if isinstance(section_of, dict) else NOTHING

    def remember(self, machine: str, section: Section, values: Mapping[str, Any]) -> bool:
        """Keep measurements, in place of older ones of the same names; returns whether they could be."""
        with _WRITING:
            table = self._table()
            if _format_of(table) > FORMAT:
                return False
            machines = self._read()
            kept = machines.get(machine)
            others = kept if isinstance(kept, dict) else {}
            machines[machine] = {**others, section: {**self.of(machine, section), **values}}
            new = self.path.with_name(f"{self.path.name}.{os.getpid()}")
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                new.write_text(json.dumps({**table, "format": FORMAT, "machines": machines}, indent=1) + "\n", "utf-8")
                new.replace(self.path)
            except OSError:
                with suppress(OSError):
                    new.unlink(missing_ok=True)
                return False
            return True

    def _read(self) -> dict[str, Any]:
        table = self._table()
        machines = table.get("machines") if _format_of(table) == FORMAT else None
        return machines if isinstance(machines, dict) else {}

    def _table(self) -> dict[str, Any]:
        try:
            table = json.loads(self.path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return table if isinstance(table, dict) else {}


def _format_of(table: Mapping[str, Any]) -> int:
    found = table.get("format")
    return found if isinstance(found, int) else 0
